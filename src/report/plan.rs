//! What would run, for `medcert plan`.

use super::{counted, grouped, plain};
use crate::data::{Dataset, Partition};
use crate::plan::{Plan, estimate};
use crate::spec::Weights;

/// The plan in lines; with the data's numbers, if the data could be read.
pub fn render(plan: &Plan, data: Option<(&Dataset, &Partition)>) -> String {
    let mut lines = vec![plain(&plan.spec.claim), String::new()];
    for (model, (name, kind)) in plan.spec.models.iter().enumerate() {
        let origin = match kind.weights() {
            None => "a module that the spec trusts".to_string(),
            Some(Weights::File(source)) => format!("weights from {}", source.path.display()),
            Some(Weights::Train(how)) => {
                format!("trained here unless cached, {}", counted(how.epochs as usize, "epoch", "epochs"))
            }
        };
        lines.push(format!("{name} ({}): {origin}", kind.architecture()));
        let attacks: Vec<String> = plan
            .cells
            .iter()
            .filter(|cell| cell.model == model)
            .map(|cell| cell.attack.to_string())
            .collect();
        lines.extend(attacks.iter().map(|attack| format!("    {attack}")));
    }
    lines.push(String::new());
    if let Some((data, partition)) = data {
        lines.push(format!(
            "{}: {} for training, {} for validation, {} test cases",
            counted(data.studies.len(), "study", "studies"),
            grouped(partition.train.len() as u64),
            grouped(partition.validation.len() as u64),
            grouped(partition.test.len() as u64)
        ));
        let left_out =
            |(why, count): &(String, usize)| format!("left out: {} {}", grouped(*count as u64), plain(why));
        lines.extend(data.left_out.iter().map(left_out));
        let cost = estimate(plan, partition.train.len(), partition.test.len());
        let cells = counted(plan.cells.len(), "cell", "cells");
        lines.push(format!(
            "{cells}, {} evaluations of a model over a case, {} of them with a gradient; {} more for the checks",
            grouped(cost.evaluations),
            grouped(cost.gradients),
            grouped(cost.checks)
        ));
        lines.push(format!(
            "without shared work {} evaluations, each of the whole model: {:.1} times as long",
            grouped(cost.unshared),
            cost.saving
        ));
        lines.push(format!(
            "roughly {} of training (none for what is cached) and {} of attacks on two cores",
            duration(cost.training_seconds),
            duration(cost.attack_seconds)
        ));
    } else {
        lines.push(counted(plan.cells.len(), "cell", "cells"));
    }
    lines.extend(super::power::render(plan, data));
    lines.iter().map(|line| line.clone() + "\n").collect()
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
