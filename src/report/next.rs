//! What to do next: a line for each kind of thing that stops the gate.

use super::remarks::{Remark, Rule, Weight};
use super::{Result, grouped};
use crate::judge::Verdict;

/// The steps in lines, with code in backticks; what can be taken as the baseline where nothing stops the gate.
pub(super) fn steps(result: Result<'_>, remarks: &[Remark<'_>]) -> Vec<String> {
    let stops = |rule: fn(Rule) -> bool| {
        remarks.iter().any(|remark| remark.weight == Weight::Error && rule(remark.rule))
    };
    let mut steps = Vec::new();
    if stops(|rule| rule == Rule::Sentence(Verdict::Error)) {
        steps.push("What could not be judged: its reason says what is missing.".to_string());
    }
    let mut codes: Vec<String> = remarks
        .iter()
        .filter(|remark| remark.weight == Weight::Error && matches!(remark.rule, Rule::Check(_)))
        .map(|remark| format!("`medcert explain {}`", remark.rule.id()))
        .collect();
    codes.dedup();
    if !codes.is_empty() {
        let codes = codes.join(", ");
        steps.push(format!(
            "A check is raised: {codes} says why and what to do; mend it, or let its owner waive it."
        ));
    }
    if stops(|rule| rule == Rule::Waiver) {
        steps.push("A waiver does not count: remove it, or let its owner renew it.".to_string());
    }
    if stops(|rule| rule == Rule::Sentence(Verdict::Fail)) {
        steps.push(
            "A sentence fails: a better model, or a claim that holds; more cases will not help.".to_string(),
        );
    }
    if stops(|rule| rule == Rule::Sentence(Verdict::Inconclusive)) {
        let clauses = result.findings().iter().flat_map(|finding| &finding.clauses);
        let most = clauses.filter_map(|clause| clause.needed).max();
        let cases =
            most.map_or(String::new(), |most| format!("about {} of them would decide it; ", grouped(most)));
        steps.push(format!(
            "Too few cases tell: {cases}`medcert plan` says what so many can show, before anything runs."
        ));
    }
    if steps.is_empty() {
        steps.push("Nothing stops the gate: `medcert accept` takes this result as the baseline.".to_string());
    }
    steps
}
