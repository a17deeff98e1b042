//! A model card (Mitchell et al., Model Cards for Model Reporting, FAT* 2019, arXiv:1810.03993) in Markdown, with what a run knows
//! filled in. What a run cannot know is marked for a person to write.

use std::fmt::Write as _;

use super::gate::Gate;
use super::{ReportInput, clauses, grouped, summary, threat_model};
use crate::judge::{Score, Tally};
use crate::sanitize::markdown as shown;
use crate::spec::Metric;

/// What a person has to write.
const TO_WRITE: &str = "*to be written by the manufacturer*";

/// The card; ends with a newline.
pub fn render(result: ReportInput<'_>) -> String {
    let mut parts = vec!["# Model card".to_string(), details(result)];
    let product = result.plan.spec.product.as_ref();
    let intended = product.and_then(|product| product.intended_use.as_deref());
    parts.push(format!("## Intended use\n\n{}", intended.map_or(TO_WRITE.to_string(), shown)));
    parts.push(format!("## Factors\n\n{}", factors(result)));
    parts.push("## Metrics\n\nOne-sided confidence bounds (exact, Clopper and Pearson), by patient where a patient has several \
                cases; those that decide a pass are corrected for several requirements (Holm)."
        .to_string());
    parts.push(format!("## Evaluation data\n\n{}", data(result)));
    parts.push(format!(
        "## Training data\n\n{} training cases; {TO_WRITE}",
        grouped(result.evidence.data.train as u64)
    ));
    parts.push(format!("## Quantitative analyses\n\n{}", accuracies(result)));
    parts.push(format!("## Robustness\n\n{}", robustness(result)));
    parts.push(format!("## Ethical considerations\n\n{TO_WRITE}"));
    parts.push(
        "## Caveats and recommendations\n\n- A fixed set of attacks bounds robustness from above: another attack may break \
         more cases.\n- A verdict holds for the population that the cases were drawn from."
            .to_string(),
    );
    parts.join("\n\n") + "\n"
}

fn details(result: ReportInput<'_>) -> String {
    let mut text = String::from(
        "## Model details\n\n| model | architecture | parameters | weights (blake3) |\n|---|---|--:|---|\n",
    );
    for model in &result.evidence.models {
        let (name, kind) = (shown(&model.name), shown(&model.architecture));
        let _ =
            writeln!(text, "| {name} | {kind} | {} | {} |", grouped(model.parameters), shown(&model.weights));
    }
    text.trim_end().to_string()
}

fn factors(result: ReportInput<'_>) -> String {
    let mut names: Vec<&String> =
        result.evidence.cases.iter().flat_map(|case| case.groups.iter().map(|(name, _)| name)).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return "No attribute of the patients is known.".to_string();
    }
    let names: Vec<String> = names.into_iter().map(|name| shown(name)).collect();
    format!("Known of the patients: {}.", names.join(", "))
}

fn data(result: ReportInput<'_>) -> String {
    summary::data_facts(result).iter().map(|fact| format!("- {}", shown(fact))).collect::<Vec<_>>().join("\n")
}

fn accuracies(result: ReportInput<'_>) -> String {
    let names: Vec<String> = result.plan.subjects.iter().map(|subject| shown(&subject.name)).collect();
    let mut text = format!("| accuracy, % | {} |\n|---|{}\n", names.join(" | "), "--:|".repeat(names.len()));
    let Ok(tally) = Tally::new(result.plan, result.evidence) else {
        return "The evidence does not fit the spec.".to_string();
    };
    for row in &result.plan.rows {
        let cell = |(model, cells): (usize, &Vec<usize>)| match tally.score(model, cells, Metric::Accuracy) {
            Ok(Score { estimate, lower, upper, .. }) if !cells.is_empty() => {
                format!("{:.1} ({:.1}–{:.1})", estimate.share() * 100.0, lower * 100.0, upper * 100.0)
            }
            Ok(_) | Err(_) => "·".to_string(),
        };
        let cells: Vec<String> = row.cells.iter().enumerate().map(cell).collect();
        let _ = writeln!(text, "| {} | {} |", shown(&row.words), cells.join(" | "));
    }
    text.trim_end().to_string()
}

fn robustness(result: ReportInput<'_>) -> String {
    let mut text = format!(
        "Claim under test: {}\n\nGate: **{}**, {}\n\n",
        shown(&result.plan.spec.claim),
        Gate::of(result.judgement).word(),
        shown(&summary::conclusion(result))
    );
    for (finding, requirement) in result.findings().iter().zip(&result.plan.requirements) {
        let _ = writeln!(text, "- **{}** {}", finding.verdict, shown(&finding.sentence));
        if let Some(model) = threat_model::of(result.plan, requirement) {
            for (name, said) in [
                ("goal", model.goal),
                ("capability", model.capability.as_str()),
                ("knowledge", model.knowledge),
            ] {
                let _ = writeln!(text, "  - {name}: {}", shown(said));
            }
        }
    }
    let gaps = clauses::rows(result).iter().filter(|row| row.coverage == clauses::Coverage::Gap).count();
    let _ = write!(text, "\nThe clause map lists {gaps} paragraphs about which this result says nothing.");
    text
}
