//! The reports: one file for each format. [`summary`] holds what all of them say; nothing but this module and
//! [`cli`](crate::cli) prints.

mod annotations;
pub mod autopsy;
mod by_finding;
mod certified;
pub mod clauses;
pub mod evidence_diff;
pub mod gate;
pub mod github;
mod heartbeat;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod model_card;
mod next;
pub mod plan;
mod power;
pub mod profile;
pub mod progress;
pub mod replay;
pub mod sarif;
pub mod snapshot;
pub mod snapshot_diff;
mod summary;
pub mod table;
pub mod terminal;
mod threat_model;
pub mod verdict_text;
mod word_diff;
mod worst_groups;

use crate::class::{self, Class};
use crate::evidence::Evidence;
use crate::judge::{ClauseFinding, Finding, Judgement, Raised, Verdict};
use crate::plan::{Clause, Plan};
pub(crate) use crate::sanitize::plain;
use crate::spec::{Check, Figure, Metric};
use snapshot_diff::Accepted;
pub use summary::summary;

/// A format of a report that is written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `JUnit`'s XML, for a CI's list of tests.
    Junit,
    /// SARIF, for code scanning.
    Sarif,
    /// GitHub Actions: annotations, and the step's summary.
    Github,
    /// GitHub's Markdown, for a pull request.
    Markdown,
    /// JSON, for programs.
    Json,
    /// One HTML file, for a browser and for paper.
    Html,
    /// A model card in Markdown, for those who use the model.
    ModelCard,
}

impl Format {
    /// Every format by its name.
    pub const NAMED: [(&'static str, Self); 7] = [
        ("junit", Self::Junit),
        ("sarif", Self::Sarif),
        ("github", Self::Github),
        ("markdown", Self::Markdown),
        ("json", Self::Json),
        ("html", Self::Html),
        ("model-card", Self::ModelCard),
    ];
}

/// Everything that a report is made from.
#[derive(Debug, Clone, Copy)]
pub struct ReportInput<'a> {
    /// What was computed.
    pub plan: &'a Plan,
    /// What was observed.
    pub evidence: &'a Evidence,
    /// What that means.
    pub judgement: &'a Judgement,
    /// The snapshot to compare with, where the caller looked for one.
    pub accepted: Option<&'a Accepted>,
}

impl<'a> ReportInput<'a> {
    /// The verdicts on the requirements.
    fn findings(&self) -> &'a [Finding] {
        &self.judgement.findings
    }

    /// What the spec says of the product under test, each with its name.
    fn product(&self) -> Vec<(&'static str, String)> {
        let facts = self.plan.spec.product.iter().flat_map(crate::spec::Product::facts);
        facts.map(|(name, fact)| (name, plain(fact))).collect()
    }

    /// The identifier of a requirement, if the spec gives one.
    fn id_of(&self, requirement: usize) -> Option<String> {
        self.plan.spec.product.as_ref()?.ids.get(requirement).map(|id| plain(id))
    }

    /// Why a row's accuracy of a model is vacuous, if it is (check V1).
    fn vacuous(&self, model: usize, cells: &[usize]) -> Option<&'a str> {
        let is_it = |raised: &&Raised| {
            raised.check == Check::ConstantPredictor
                && raised.verdict == Some(Verdict::Vacuous)
                && raised.model == Some(model)
                && raised.cells.as_deref() == Some(cells)
        };
        self.judgement.checks.iter().find(is_it).map(|raised| raised.message.as_str())
    }

    /// What others published for a row of the table and a model, 0 to 1.
    fn published(&self, row: usize, model: usize) -> Option<f64> {
        let spec = &self.plan.spec;
        let (subject, threats) = (self.plan.subjects.get(model)?, &spec.table.get(row)?.threats);
        let is_it = |figure: &&Figure| {
            subject.is_of(figure, spec)
                && figure.condition.threats == *threats
                && figure.metric == Metric::Accuracy
        };
        spec.published.iter().find(is_it).map(|figure| figure.share)
    }

    /// The share of each class among the test cases, 0 to 1.
    fn shares(&self) -> Vec<f64> {
        class::shares(self.plan.spec.data.class_count(), self.evidence.cases.iter().map(|case| case.label))
    }

    /// Share of the abnormal among the test cases, 0 to 1, where there are two classes.
    fn abnormal(&self) -> f64 {
        self.shares().get(1).copied().unwrap_or_default()
    }

    /// Share of the most frequent class among the test cases, 0 to 1.
    fn majority(&self) -> f64 {
        self.shares().into_iter().fold(0.0, f64::max)
    }

    /// The share of each of several classes in words: `42.0 % normal, 30.5 % covid`; None where there are two.
    fn said_of_classes(&self) -> Option<String> {
        let names = self.plan.spec.data.classes();
        let each = names
            .iter()
            .zip(self.shares())
            .map(|(name, share)| format!("{:.1} % {}", share * 100.0, plain(name)));
        (!names.is_empty()).then(|| each.collect::<Vec<_>>().join(", "))
    }
}

/// A clause's words as they can be read alone. `place` is the requirement's index, `clause` the clause's index in it.
fn clause_name(plan: &Plan, place: usize, clause: usize, found: &ClauseFinding) -> String {
    let bound = plan.requirements.get(place).and_then(|requirement| requirement.clauses.get(clause));
    bound.map_or_else(|| plain(&found.words), |bound| in_full(plan, bound))
}

/// A clause in words that can be read alone: what the sentence says once for several clauses is added to each (the model,
/// the class, `certified` and the metric).
fn in_full(plan: &Plan, clause: &Clause) -> String {
    let words = plain(&clause.words);
    let model = plan.name(clause.model);
    let first = words.split_whitespace().next().unwrap_or_default();
    // where a finding is asked for, the sentence writes it behind the model's name
    let own = model.split('/').next().unwrap_or(model);
    if first.eq_ignore_ascii_case(own) {
        return words;
    }
    if !first.starts_with(['≥', '≤', '>', '<']) {
        return format!("{} {words}", plain(model));
    }
    let class = match clause.measure().class {
        Some(Class::Several(place)) => {
            plan.spec.data.classes().get(usize::from(place)).map(|name| plain(name))
        }
        Some(Class::Two(_)) | None => None,
    };
    let certified = clause.certified.as_ref().map(|_| "certified".to_string());
    let metric = clause.metric.name().to_string();
    let said = [Some(plain(model)), class, certified, Some(metric), Some(words)];
    said.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// How the cases are divided: `1,351 for training, 151 for validation, 498 test cases`.
fn division([train, validation, test]: [usize; 3]) -> String {
    let [train, validation, test] = [train, validation, test].map(|count| grouped(count as u64));
    format!("{train} for training, {validation} for validation, {test} test cases")
}

/// A share in per cent with as many of two digits as it needs: `63.06`, `68`.
fn hundredths(share: f64) -> String {
    let share = format!("{:.2}", share * 100.0);
    share.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// A share in per cent with as many of four decimals as it needs: `99.9`.
fn hundredths_of_per_cent(share: f64) -> String {
    let share = format!("{:.4}", share * 100.0);
    share.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// A share in per cent with one digit: `89.7`.
fn percent_of(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// Digits in groups of three: `1,234`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A noun's number: `1 study`, `1,800 studies`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number as u64), if number == 1 { one } else { many })
}
