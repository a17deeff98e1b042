//! What to do next: a line for each kind of fault that fails the run, with the command to type.

use super::annotations::{Remark, Rule, Weight};
use super::{ReportInput, grouped};
use crate::judge::Verdict;

/// Checks that are named.
const MOST_CHECKS: usize = 3;

/// The steps in lines, with commands in backticks; none where nothing stops the gate.
pub(super) fn steps(result: ReportInput<'_>, remarks: &[Remark<'_>]) -> Vec<String> {
    let stops = |rule: fn(Rule) -> bool| {
        remarks.iter().any(|remark| remark.weight == Weight::Error && rule(remark.rule))
    };
    let spec = result.plan.spec.path.display().to_string();
    let spec = word(&spec).unwrap_or("SPEC");
    let mut steps = Vec::new();
    if stops(|rule| rule == Rule::Requirement(Verdict::Error)) {
        steps.push("A requirement could not be judged: its reason says what is missing.".to_string());
    }
    steps.extend(raised(remarks));
    if stops(|rule| rule == Rule::Waiver) {
        steps.push("A waiver does not count: remove it, or ask its owner to renew it.".to_string());
    }
    if stops(|rule| rule == Rule::Requirement(Verdict::Fail)) {
        let what = "More cases will not help: improve the model, or ask for less.";
        steps.push(broken(result).map_or(format!("A requirement fails. {what}"), |case| {
            format!("`medcert replay {spec} {case}` shows a case that the attack broke. {what}")
        }));
    }
    if stops(|rule| rule == Rule::Requirement(Verdict::Inconclusive)) {
        let clauses = result.findings().iter().flat_map(|finding| &finding.clauses);
        let most = clauses.filter_map(|clause| clause.needed).max();
        let cases =
            most.map_or("More test cases".to_string(), |most| format!("About {} test cases", grouped(most)));
        steps.push(format!(
            "{cases} would decide what is inconclusive; `medcert plan {spec}` shows what these cases can prove."
        ));
    }
    steps
}

/// What explains the checks that are raised.
fn raised(remarks: &[Remark<'_>]) -> Option<String> {
    let stop = remarks.iter().filter(|remark| remark.weight == Weight::Error);
    let mut codes: Vec<String> = stop
        .filter(|remark| matches!(remark.rule, Rule::Check(_)))
        .map(|remark| format!("`medcert explain {}`", remark.rule.id()))
        .collect();
    codes.dedup();
    codes.truncate(MOST_CHECKS);
    (!codes.is_empty()).then(|| {
        let (explain, what) = match codes.len() {
            1 => ("explains", "the raised check. Fix its cause"),
            _ => ("explain", "the raised checks. Fix their causes"),
        };
        format!("{} {explain} {what}, or sign a waiver in the spec.", codes.join(", "))
    })
}

/// A text that a shell takes for one word, and that means nothing in Markdown's backticks.
fn word(text: &str) -> Option<&str> {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./".contains(c);
    (!text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain)).then_some(text)
}

/// A case that a failing requirement's model lost, among those with a known smallest change.
fn broken(result: ReportInput<'_>) -> Option<&str> {
    let sentences = result.findings().iter().zip(&result.plan.requirements);
    let clauses = sentences.flat_map(|(finding, sentence)| finding.clauses.iter().zip(&sentence.clauses));
    let failing = clauses.filter(|(found, _)| found.verdict == Verdict::Fail).map(|(_, clause)| clause.model);
    let models: Vec<&str> = failing.map(|model| result.plan.name(model)).collect();
    let known = result.evidence.counterexamples.iter();
    known.filter(|one| models.contains(&one.model.as_str())).find_map(|one| word(&one.case))
}
