//! What to do next about a result: commands, as they stand, with what each is for.

use std::path::Path;

use super::{Result, plain};
use crate::judge::{Raised, Verdict};

/// Checks that are named.
const MOST_CHECKS: usize = 2;

/// The commands, the most urgent first: `medcert explain V1`, and what that says.
pub fn steps(result: Result<'_>) -> Vec<(String, &'static str)> {
    let spec = spec_of(&result.plan.spec.path);
    let verdicts: Vec<Verdict> = result
        .findings()
        .iter()
        .flat_map(|finding| finding.clauses.iter().map(|clause| clause.verdict))
        .collect();
    let mut steps = Vec::new();
    let mut codes: Vec<&str> = result
        .judgement
        .checks
        .iter()
        .filter(|one| Raised::counts(one).is_some())
        .map(|one| one.check.code())
        .collect();
    codes.dedup();
    for code in codes.iter().take(MOST_CHECKS) {
        steps.push((format!("medcert explain {code}"), "what raised it, and what to do"));
    }
    if verdicts.contains(&Verdict::Fail)
        && let Some(case) = broken(result)
    {
        let words = format!("medcert replay {spec} {}", plain(case));
        steps.push((words, "a case that broke, with what was changed"));
    }
    if verdicts.contains(&Verdict::Error) {
        steps.push(("medcert explain ERROR".to_string(), "what is missing, and what to do"));
    }
    if verdicts.contains(&Verdict::Inconclusive) {
        steps.push((format!("medcert plan {spec}"), "how many cases would tell"));
    }
    if steps.is_empty() && result.judgement.exit_code() == 0 {
        steps.push((format!("medcert accept {spec}"), "later runs are compared with this one"));
    }
    steps
}

/// A path as a shell takes it.
fn spec_of(path: &Path) -> String {
    let path = plain(&path.display().to_string());
    if path.contains(char::is_whitespace) { format!("'{path}'") } else { path }
}

/// A case that a failing sentence's model lost, with the smallest change that is known.
fn broken(result: Result<'_>) -> Option<&str> {
    let plan = result.plan;
    let failing = result.findings().iter().zip(&plan.requirements).flat_map(|(finding, sentence)| {
        let clauses = finding.clauses.iter().zip(&sentence.clauses);
        clauses.filter(|(found, _)| found.verdict == Verdict::Fail).map(|(_, clause)| clause)
    });
    let models: Vec<&str> = failing
        .filter_map(|clause| plan.spec.models.get(clause.model))
        .map(|(name, _)| name.as_str())
        .collect();
    let known = &result.evidence.counterexamples;
    known.iter().find(|one| models.contains(&one.model.as_str())).map(|one| one.case.as_str())
}
