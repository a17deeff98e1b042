//! What every report says, whatever its medium: the result in one line, the facts about the data, the notes under the
//! table, and how the statistics are to be read.

use super::gate::Gate;
use super::{ReportInput, counted, division, grouped, plain};
use crate::evidence::FindingFacts;
use crate::judge::{
    CheckState, ClauseFinding, Examined, Finding, Judgement, LEVEL, ROUNDING, Tally, Verdict, Waiving, checks,
};
use crate::plan::{Plan, Row};

/// How the findings end, in one line: `3 of 5 requirements hold; 1 fails, 1 is inconclusive`; of one, `the requirement
/// fails`.
pub fn summary(findings: &[Finding]) -> String {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let all = findings.len();
    let mut rest = Vec::new();
    for (verdict, one, many) in [
        (Verdict::Fail, "fails", "fail"),
        (Verdict::Vacuous, "is vacuous", "are vacuous"),
        (Verdict::Suspect, "is suspect", "are suspect"),
        (Verdict::Inconclusive, "is inconclusive", "are inconclusive"),
        (Verdict::Error, "could not be judged", "could not be judged"),
    ] {
        match count(verdict) {
            0 => {}
            1 if all == 1 => return format!("the requirement {one}"),
            1 => rest.push(format!("1 {one}")),
            several => rest.push(format!("{several} {many}")),
        }
    }
    match (count(Verdict::Pass), rest.is_empty()) {
        (passed, true) if passed == all && all == 1 => "the requirement holds".to_string(),
        (passed, true) if passed == all => format!("all {all} requirements hold"),
        (1, _) => format!("1 of {all} requirements holds; {}", rest.join(", ")),
        (passed, _) => format!("{passed} of {all} requirements hold; {}", rest.join(", ")),
    }
}

/// The result in one line: how many requirements hold, and what else fails the run.
pub(super) fn conclusion(result: ReportInput<'_>) -> String {
    summary(result.findings()) + &against(result)
}

/// What was found, for a title: `2 of 7 requirements not met`.
pub fn headline(result: ReportInput<'_>) -> String {
    let findings = result.findings();
    let all = counted(findings.len(), "requirement", "requirements");
    let open = findings.iter().filter(|finding| finding.verdict == Verdict::Inconclusive).count();
    let met = findings.iter().filter(|finding| finding.verdict == Verdict::Pass).count();
    match (findings.len() - met - open, open) {
        (0, 0) if Gate::of(result.judgement) == Gate::Pass => format!("{all} met"),
        (0, 0) => format!("{all} met, and a check or a waiver stops the run"),
        (0, open) => format!("{open} of {all} not decided"),
        (unmet, _) => format!("{unmet} of {all} not met"),
    }
}

/// `effusion: 92 test cases present, 208 absent (30.7 %); left out: 12 uncertain, 20 without a label`.
fn finding(facts: &FindingFacts) -> String {
    let FindingFacts { name, present, absent, uncertain, empty } = facts;
    let known = (present + absent).max(1) as f64;
    let share = 100.0 * *present as f64 / known;
    let left_out = [(*uncertain, "uncertain"), (*empty, "without a label")];
    let left_out: Vec<String> = (left_out.iter().filter(|(count, _)| *count > 0))
        .map(|(count, why)| format!("{} {why}", grouped(*count as u64)))
        .collect();
    let left_out =
        if left_out.is_empty() { String::new() } else { format!("; left out: {}", left_out.join(", ")) };
    let (present, absent) = (counted(*present, "test case", "test cases"), grouped(*absent as u64));
    format!("{}: present in {present}, absent in {absent} ({share:.1} %){left_out}", plain(name))
}

/// The clauses of a sentence that a reader is shown: of those that `every finding` stands for the worst alone, with how
/// the others ended: `the worst of 14 findings (9 PASS, 5 FAIL)`.
pub(super) fn worst_of_findings(finding: &Finding) -> Vec<(&ClauseFinding, Option<String>)> {
    let mut shown: Vec<(&ClauseFinding, Option<String>)> = Vec::new();
    let mut rest = finding.clauses.as_slice();
    while let Some(first) = rest.first() {
        // those of one clause of the sentence differ in the finding at the end of their words
        let common = |one: &ClauseFinding| {
            let finding = one.each.as_ref()?;
            one.words.strip_suffix(&format!(" ({finding})")).map(str::to_string)
        };
        let of_first = common(first);
        let own = match &of_first {
            Some(_) => rest.iter().take_while(|one| common(one) == of_first).count(),
            None => 1,
        };
        let (group, after) = rest.split_at(own);
        rest = after;
        let worst = group.iter().max_by(|a, b| a.verdict.cmp(&b.verdict).then(a.p.total_cmp(&b.p)));
        let count = |verdict: &Verdict| group.iter().filter(|one| one.verdict == *verdict).count();
        let counts: Vec<String> = (Verdict::ALL.iter().filter(|verdict| count(verdict) > 0))
            .map(|verdict| format!("{} {verdict}", count(verdict)))
            .collect();
        let others = of_first.map(|_| format!("the worst of {own} findings ({})", counts.join(", ")));
        shown.extend(worst.map(|worst| (worst, others)));
    }
    shown
}

/// The facts about the data, a line each: its size, its division, and what was left out.
pub(super) fn data_facts(result: ReportInput<'_>) -> Vec<String> {
    let data = &result.evidence.data;
    let of_findings = match data.findings.len() {
        0 => result
            .said_of_classes()
            .unwrap_or_else(|| format!("{:.1} % of them abnormal", result.abnormal() * 100.0)),
        count => format!("{:.1} % of them with one of {count} findings", result.abnormal() * 100.0),
    };
    let mut lines = vec![format!(
        "{}: {}, {of_findings}",
        counted(data.studies, "study", "studies"),
        division([data.train, data.validation, data.test]),
    )];
    lines.extend(data.findings.iter().map(finding));
    if !data.left_out.is_empty() {
        let left_out: Vec<String> = data
            .left_out
            .iter()
            .map(|(why, count)| format!("{} {}", grouped(*count as u64), plain(why)))
            .collect();
        lines.push(format!("left out: {}", left_out.join(", ")));
    }
    lines.extend(data.remarks.iter().map(|remark| plain(remark)));
    lines
}

/// What became of the checks, in a line: `checks: 16 passed, 1 raised, 3 did not apply`.
pub(super) fn examined(result: ReportInput<'_>) -> String {
    let Judgement { examined, evaluations, .. } = result.judgement;
    format!("checks: {} ({} extra model evaluations)", checks::counted(examined), grouped(*evaluations))
}

/// The checks that did not look at anything in one state, each with the reasons: `M5 black-box-wins: no cell to probe`.
pub(super) fn unlooked(result: ReportInput<'_>, state: CheckState) -> Vec<String> {
    let those = result.judgement.examined.iter().filter(|one| one.state == state);
    let line = |one: &Examined| format!("{}: {}", one.check, plain(&one.reasons.join("; ")));
    those.map(line).collect()
}

/// How the bounds are to be read, a line each, with a pointer to the explanation.
pub(super) fn statistics(result: ReportInput<'_>) -> Vec<String> {
    let mut clauses = result.findings().iter().flat_map(|finding| &finding.clauses);
    let is_corrected = clauses.clone().any(|clause| clause.level < LEVEL);
    let is_clustered = clauses.any(|clause| clause.effective.is_some());
    let mut lines = Vec::new();
    if is_corrected {
        let requirements = counted(result.findings().len(), "requirement", "requirements");
        lines.push(format!(
            "Bounds are one-sided; those that decide a pass are corrected for testing {requirements} at once \
             (`medcert explain holm`)."
        ));
    }
    if is_clustered {
        lines.push(
            "Several cases of one patient count as fewer independent cases (`medcert explain patient`)."
                .to_string(),
        );
    }
    lines
}

/// The notes under the table: its marks, outcomes that rounding may change, and the notes on rows that `of_row` gives.
pub(super) fn footnotes(
    result: ReportInput<'_>,
    tally: &Tally<'_>,
    of_row: fn(&Plan, &Tally<'_>, &Row) -> Vec<String>,
) -> Vec<String> {
    let rows = &result.plan.rows;
    let places = || {
        let models = |row: usize| (0..rows[row].cells.len()).map(move |model| (row, model));
        (0..rows.len()).flat_map(models)
    };
    let mut notes = Vec::new();
    if places().any(|(row, model)| result.vacuous(model, &rows[row].cells[model]).is_some()) {
        let share = result.majority() * 100.0;
        // each finding has a share of its own
        let share =
            if result.evidence.data.findings.is_empty() { format!(" ({share:.1} %)") } else { String::new() };
        notes.push(format!("*: no better than always giving the same answer{share}"));
    }
    let counted_in = |(row, model): (usize, usize)| tally.counted(model, &rows[row].cells[model]);
    let cases = |model: usize| result.evidence.count_of(result.plan.name(model));
    if places().any(|place| counted_in(place).is_ok_and(|counted| counted < cases(place.1))) {
        notes.push(
            "n: cases used; the cell stopped early because they decide every requirement on it".to_string(),
        );
    }
    let near: usize =
        places().filter_map(|(row, model)| tally.near(model, &rows[row].cells[model]).ok()).sum();
    if near > 0 {
        notes.push(format!(
            "{} within rounding error of the decision (margin under {ROUNDING}); another device or chunk size may flip {}",
            counted(near, "outcome is", "outcomes are"),
            if near == 1 { "it" } else { "them" }
        ));
    }
    notes.extend(rows.iter().flat_map(|row| of_row(result.plan, tally, row)));
    if places().any(|(row, model)| result.published(row, model).is_some()) {
        notes.push("†: published by others, for other data and models".to_string());
    }
    notes
}

/// What else decides the exit code: `; the checks V1 and M2 are raised; a waiver does not count`.
fn against(result: ReportInput<'_>) -> String {
    let mut codes: Vec<&str> = Vec::new();
    for raised in result.judgement.checks.iter().filter(|raised| raised.counts().is_some()) {
        if !codes.contains(&raised.check.code()) {
            codes.push(raised.check.code());
        }
    }
    let raised = match codes.as_slice() {
        [] => String::new(),
        [code] => format!("; the check {code} is raised"),
        [first @ .., last] => format!("; the checks {} and {last} are raised", first.join(", ")),
    };
    match result.judgement.waivers.iter().filter(|state| **state != Waiving::Used).count() {
        0 => raised,
        1 => format!("{raised}; a waiver does not count"),
        several => format!("{raised}; {several} waivers do not count"),
    }
}
