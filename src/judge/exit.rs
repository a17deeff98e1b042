//! The exit code of findings.

use super::{Finding, Verdict};

/// The exit code of the findings: 0 if all pass; 1 if a clause fails or is suspect or vacuous; 3 if none
/// does but one is inconclusive or could not be judged, or if there is no finding at all.
pub fn exit_code(findings: &[Finding]) -> u8 {
    let verdicts = || {
        let clauses =
            |finding: &Finding| finding.clauses.iter().map(|clause| clause.verdict).collect::<Vec<_>>();
        findings.iter().flat_map(move |finding| std::iter::once(finding.verdict).chain(clauses(finding)))
    };
    if verdicts().any(|verdict| code(verdict) == 1) {
        return 1; // a known failure outranks whatever could not be decided
    }
    verdicts().map(code).max().unwrap_or(3)
}

/// The exit code of one verdict.
pub(super) fn code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Fail | Verdict::Suspect | Verdict::Vacuous => 1,
        Verdict::Inconclusive | Verdict::Error => 3,
    }
}
