//! What would run, for `medcert plan`: models and attacks, the data, the cost, and what the cases can prove.

use std::fmt::Write as _;

use super::{counted, division, grouped, plain};
use crate::data::{Dataset, Partition, cut};
use crate::judge::cell_name;
use crate::plan::{Plan, estimate, queries};
use crate::spec::{Behind, Defended, Endpoint, Model, ModuleFormat, ScriptModel, Stop, Weights};

/// The plan in lines, with the numbers of the data where they could be read.
pub fn render(plan: &Plan, data: Option<(&Dataset, &Partition)>) -> String {
    let mut lines = vec![plan.spec.claim.clone(), String::new()];
    for (model, (name, kind)) in plan.spec.models.iter().enumerate() {
        let origin = match kind.weights() {
            None => brought(kind),
            Some(Weights::File { source, .. }) => format!("weights from {}", source.path.display()),
            Some(Weights::Train(how)) => {
                format!("trained unless cached, {}", counted(how.epochs as usize, "epoch", "epochs"))
            }
        };
        lines.push(format!("{name} ({}): {origin}", kind.architecture()));
        lines.extend(attacks(plan, model));
        lines.extend(super::certified::planned(plan, model).iter().map(|line| format!("    {line}")));
    }
    lines.push(String::new());
    if let Some((data, partition)) = data {
        lines.push(format!(
            "{}: {}",
            counted(data.studies.len(), "study", "studies"),
            division([&partition.train, &partition.validation, &partition.test].map(Vec::len))
        ));
        let left_out =
            |(why, count): &(String, usize)| format!("left out: {} {}", grouped(*count as u64), plain(why));
        lines.extend(data.left_out.iter().map(left_out));
        lines.extend(
            data.remarks.iter().chain(&cut(data, &plan.spec, &partition.test)).map(|remark| plain(remark)),
        );
        let cost = estimate(plan, [&partition.train, &partition.validation, &partition.test].map(Vec::len));
        let cells = counted(plan.cells.len(), "cell", "cells");
        lines.push(format!(
            "{cells}: {} model evaluations ({} with a gradient), and {} for the checks",
            grouped(cost.evaluations),
            grouped(cost.gradients),
            grouped(cost.checks)
        ));
        let (clear, most) = cost.certificates;
        if most > 0 {
            let sought = counted(plan.certificates.len(), "certificate", "certificates");
            lines.push(format!(
                "{sought}: {} evaluations if every case is clear, {} at most",
                grouped(clear),
                grouped(most)
            ));
        }
        lines.extend(asked(plan, partition.test.len()));
        let saved = (1.0 - 1.0 / cost.saving) * 100.0;
        if saved >= 0.5 {
            lines.push(format!(
                "sharing work saves {saved:.0} % of the time ({} evaluations of whole models without it)",
                grouped(cost.unshared)
            ));
        }
        let training = match cost.training_seconds {
            0.0 => String::new(),
            seconds => format!("{} of training (none if cached) and ", duration(seconds)),
        };
        lines.push(format!(
            "estimated time on two cores: {training}{} of attacks",
            duration(cost.attack_seconds)
        ));
    } else {
        lines.push(counted(plan.cells.len(), "cell", "cells"));
    }
    if plan.spec.stop == Stop::Early {
        lines.push(early(plan));
    }
    lines.extend(super::power::render(plan, data));
    lines.iter().map(|line| plain(line) + "\n").collect()
}

/// Where a defended model comes from, and what its attacks cost.
fn defended_origin(Defended { base, defence, .. }: &Defended) -> String {
    let (factor, base) = (defence.evaluations(), base.name());
    let cost = if factor > 1 {
        format!(" (×{factor} evaluations of {base} for each answer or gradient)")
    } else {
        String::new()
    };
    format!("around {base}; attacked adaptively{cost}")
}

/// The attacks that a model meets, each once, with the findings that it meets them for where these are not all.
fn attacks(plan: &Plan, model: usize) -> Vec<String> {
    let findings = plan.spec.data.findings();
    let mut attacks: Vec<(String, Vec<usize>)> = Vec::new();
    for cell in plan.cells.iter().filter(|cell| plan.subjects[cell.model].model == model) {
        let (attack, finding) = (cell.attack.to_string(), plan.subjects[cell.model].finding);
        match attacks.iter_mut().find(|(known, _)| *known == attack) {
            Some((_, own)) => own.extend(finding),
            None => attacks.push((attack, finding.into_iter().collect())),
        }
    }
    let line = |(attack, own): &(String, Vec<usize>)| {
        let names: Vec<&str> = own.iter().map(|&place| findings[place].as_str()).collect();
        let of =
            if own.len() < findings.len() { format!(" (of {})", names.join(", ")) } else { String::new() };
        format!("    {attack}{of}")
    };
    attacks.iter().map(line).collect()
}

/// Which cells may stop early, and which run in full.
fn early(plan: &Plan) -> String {
    let full = plan.in_full();
    let name = |cell: &usize| {
        let cell = &plan.cells[*cell];
        cell_name(plan.name(cell.model), &cell.attack.to_string())
    };
    let names = full.iter().map(name).collect::<Vec<_>>().join(", ");
    let but = if full.is_empty() {
        String::new()
    } else {
        format!("; these run in full, as a requirement needs every case: {names}")
    };
    format!(
        "these numbers are upper bounds: a cell stops as soon as its cases decide every requirement on it{but}"
    )
}

/// A rough time in words.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "a second".to_string(),
        s if s < 90.0 => format!("{s:.0} seconds"),
        s if s < 5400.0 => format!("{:.0} minutes", s / 60.0),
        s => format!("{:.1} hours", s / 3600.0),
    }
}

/// What a model without weights of its own is.
fn brought(model: &Model) -> String {
    match model {
        Model::Script(script) => match &script.behind {
            Behind::File(file) => match file.format {
                ModuleFormat::Pt2 => format!("a graph of torch.export from {}", file.source.path.display()),
                ModuleFormat::Onnx => format!("an ONNX model from {}", file.source.path.display()),
                ModuleFormat::TorchScript => {
                    "a TorchScript module that the spec trusts; TorchScript is deprecated, so export it with torch.export \
                     (`pt2`)"
                        .to_string()
                }
            },
            Behind::Command(command) => {
                let run = command.run.join(" ");
                format!("the command `{run}`, which the spec trusts and which receives the images and reports")
            }
            Behind::Endpoint(endpoint) => endpoint_origin(endpoint),
        },
        Model::Defended(defended) => defended_origin(defended),
        Model::Vision { .. } | Model::Bert { .. } | Model::Fusion { .. } => "a model without weights".to_string(),
    }
}

/// Where an endpoint is, and what it receives.
fn endpoint_origin(endpoint: &Endpoint) -> String {
    let address = endpoint.address();
    let host = &endpoint.url.host;
    if endpoint.url.is_local() {
        return format!("the endpoint {address}, which receives the images and reports");
    }
    format!(
        "the endpoint {address}; THE IMAGES AND REPORTS LEAVE THIS MACHINE for {host}, unencrypted; a run needs \
         `--allow-host {host}`"
    )
}

/// About how often a run queries each endpoint, and what that costs; a query is a case.
fn asked(plan: &Plan, test: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, (name, model)) in plan.spec.models.iter().enumerate() {
        let Model::Script(ScriptModel { behind: Behind::Endpoint(endpoint), .. }) = model else { continue };
        let number = queries(plan, place, test);
        let mut line = format!("{name}: about {} queries at most", grouped(number));
        if let Some(price) = endpoint.price {
            let _ = write!(line, ", {:.2} at a price of {price}", number as f64 * price);
        }
        if let Some(most) = endpoint.queries.filter(|most| *most < number) {
            let _ = write!(
                line,
                "; `queries` allows {} in a run, which ends with exit code 5 there and can be resumed",
                grouped(most)
            );
        }
        lines.push(line);
    }
    lines
}
