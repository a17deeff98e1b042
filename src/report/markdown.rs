//! The result as GitHub's Markdown, for a pull request or a job's summary: the claim with its verdict, what changed since
//! the accepted snapshot, the requirements, the table, the checks, what to do next; the rest is folded.

use std::fmt::Write as _;

use super::annotations::{Remark, Rule, Weight, all, loosened};
use super::evidence_diff::{named, p_value};
use super::gate::Gate;
use super::next::steps;
use super::snapshot_diff::Changes;
use super::summary::{examined, headline, statistics, unlooked};
use super::worst_groups::{FEWEST, WorstGroup, worst_groups};
use super::{ReportInput, by_finding, counted, division, grouped, summary};
use crate::judge::{
    CheckState, ClauseFinding, Score, Signed, Tally, figure, goal, goal_points, notes, percent_beside,
    points_beside,
};
use crate::plan::Clause;
use crate::sanitize::markdown as shown;
use crate::spec::{Bound, Metric};

/// Lines of a list that are shown.
const LISTED: usize = 20;

/// The whole result; ends with a newline.
pub fn render(result: ReportInput<'_>) -> String {
    let remarks = all(result);
    let gate = Gate::of(result.judgement);
    let gate = format!("{} **{}**", gate.sign(), gate.word());
    let parts = [
        format!("### Robustness report: {}", headline(result)),
        product(result),
        format!("Claim under test: {}", shown(&result.plan.spec.claim)),
        format!("{gate}: {}{}", summary(result.findings()), beside(&remarks)),
        result.accepted.map_or(String::new(), |accepted| since(&accepted.changes(result))),
        requirements(result),
        accuracies(result),
        worst(result),
        certified(result),
        raised(&remarks, result),
        next(&steps(result, &remarks)),
        folded("Why each verdict", &reasons(result)),
        folded("Statistics", &list(&statistics(result))),
        folded("Data and models", &provenance(result)),
    ];
    parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(|part| part.clone() + "\n")
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whose result it is, in a line; empty if the spec does not say so.
fn product(result: ReportInput<'_>) -> String {
    let facts = result.product().into_iter().map(|(name, fact)| format!("{name} {}", shown(&fact)));
    facts.collect::<Vec<_>>().join(" · ")
}

/// What else fails the run than requirements.
fn beside(remarks: &[Remark<'_>]) -> String {
    let stops = remarks.iter().filter(|remark| remark.weight == Weight::Error);
    let mut codes: Vec<String> = stops
        .filter(|remark| !matches!(remark.rule, Rule::Requirement(_)))
        .map(|remark| remark.rule.id())
        .collect();
    codes.dedup();
    if codes.is_empty() { String::new() } else { format!("; raised: {}", codes.join(", ")) }
}

/// What changed since the accepted snapshot: the verdicts, then the cells with the cases that were lost and gained.
fn since(changes: &Changes) -> String {
    let mut lines = vec![format!("**Since the accepted snapshot**: {}", shown(&changes.summary()))];
    if !changes.has_details() {
        return lines.remove(0);
    }
    let verdicts: Vec<String> = changes.verdicts.iter().map(|changed| shown(&changed.line())).collect();
    let others: Vec<String> =
        changes.notes.iter().chain(&changes.differences()).map(|line| shown(line)).collect();
    lines.extend([list(&verdicts), list(&others)]);
    let (cells, more) = changes.changed_cells();
    if !cells.is_empty() {
        let row = |cell: &&crate::judge::Change| {
            let mark = if cell.has_lost() || cell.has_gained() { "\\*" } else { "" };
            let cases = |some: &[String]| {
                if some.is_empty() {
                    "0".to_string()
                } else {
                    format!("{} ({})", some.len(), shown(&named(some)))
                }
            };
            format!(
                "| {} | {} of {} | {} | {} | {} | {}{mark} |",
                shown(&cell.name()),
                cell.before,
                cell.trials,
                cell.now,
                cases(&cell.lost),
                cases(&cell.gained),
                shown(&p_value(cell.adjusted))
            )
        };
        let rows: Vec<String> = cells.iter().map(row).collect();
        let head =
            "| cell | right, accepted | right, now | lost | gained | p (Holm) |\n|---|--:|--:|---|---|--:|";
        let more = if more > 0 { format!("\n\nand {more} more cells") } else { String::new() };
        lines.push(format!("{head}\n{}{more}", rows.join("\n")));
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n\n")
}

fn requirements(result: ReportInput<'_>) -> String {
    let mut text =
        "| verdict | requirement | estimate | bounds | required |\n|---|---|--:|--:|--:|\n".to_string();
    for (place, finding) in result.findings().iter().enumerate() {
        for (number, found) in finding.clauses.iter().enumerate() {
            let clause = result.plan.requirements.get(place).and_then(|one| one.clauses.get(number));
            let [estimate, bounds, wanted] = figures(clause, found);
            let name = shown(&super::clause_name(result.plan, place, number, found));
            let _ = writeln!(text, "| **{}** | {name} | {estimate} | {bounds} | {wanted} |", found.verdict);
        }
    }
    text.trim_end().to_string()
}

/// The estimate, the bounds and the threshold; without a clause, of the difference from the accepted snapshot.
fn figures(clause: Option<&Clause>, found: &ClauseFinding) -> [String; 3] {
    let metric = clause.map_or(Metric::Accuracy, |clause| clause.metric);
    let relates = clause.is_none_or(|clause| matches!(clause.bound, Bound::Model { .. }));
    let said = |value| {
        if relates { points_beside(value, found.threshold) } else { figure(metric, value, found.threshold) }
    };
    let wanted = if relates {
        format!("≥ {}", goal_points(found.threshold))
    } else {
        format!("{} {}", metric.direction().sign(), goal(metric, found.threshold))
    };
    if found.estimate.trials == 0 {
        return ["·".to_string(), "·".to_string(), wanted];
    }
    let is_no_share =
        matches!(metric, Metric::F1 | Metric::Auroc | Metric::Ece | Metric::Brier | Metric::Cost);
    let counted = if relates || is_no_share { String::new() } else { format!(" ({})", found.estimate) };
    [
        format!("{}{counted}", said(found.value)),
        format!("{} – {}", said(found.lower), said(found.upper)),
        wanted,
    ]
}

/// The group and the pair of groups in which each model does worst; empty if the cases have no groups.
fn worst(result: ReportInput<'_>) -> String {
    let tally = Tally::new(result.plan, result.evidence);
    let found = tally.map_or_else(|_| vec![], |tally| worst_groups(result, &tally));
    let row = |one: &WorstGroup| {
        let cells = [&one.model, &one.threat, &one.overall, &one.group, &one.pair].map(|cell| shown(cell));
        format!("| {} |", cells.join(" | "))
    };
    let rows: Vec<String> = found.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = "| model | threat | all cases | worst group | worst pair of groups |\n|---|---|--:|---|---|";
    folded(
        "Worst groups",
        &format!(
            "Among groups of {FEWEST} cases and more. Estimates without bounds: the worst of many groups is low by chance \
             too.\n\n{head}\n{}",
            rows.join("\n")
        ),
    )
}

/// Models as columns and threats as rows.
fn accuracies(result: ReportInput<'_>) -> String {
    let tally = match Tally::new(result.plan, result.evidence) {
        Ok(tally) => tally,
        Err(why) => return format!("No table: {}", shown(&why)),
    };
    let by_finding = by_finding(result, &tally);
    let models = result.plan.subjects.iter().map(|subject| shown(&subject.name)).collect::<Vec<_>>();
    let mut text =
        format!("| accuracy, % | {} |\n|---|{}\n", models.join(" | "), "--:|".repeat(models.len()));
    let (mut marked, mut compared) = (false, false);
    for (place, row) in result.plan.rows.iter().enumerate() {
        let cell = |(model, cells): (usize, &Vec<usize>)| {
            if cells.is_empty() {
                return "·".to_string();
            }
            let Ok(score) = tally.score(model, cells, Metric::Accuracy) else { return "?".to_string() };
            let Score { estimate, lower, upper } = score;
            let share = |share: f64| percent_beside(share, f64::NAN).replace(" %", "");
            let mut text = format!("{} ({}–{})", share(estimate.share()), share(lower), share(upper));
            if result.vacuous(model, cells).is_some() {
                marked = true;
                text.push_str("\\*");
            }
            if let Some(published) = result.published(place, model) {
                compared = true;
                let _ = write!(text, " †{}", share(published));
            }
            text
        };
        let cells: Vec<String> = row.cells.iter().enumerate().map(cell).collect();
        let _ = writeln!(text, "| {} | {} |", shown(&row.words), cells.join(" | "));
    }
    if marked {
        text.push_str("\n\\*: no better than always giving the same answer\n");
    }
    if compared {
        text.push_str("\n†: published by others, for other data and models\n");
    }
    let notes: Vec<String> = result
        .plan
        .rows
        .iter()
        .flat_map(|row| notes(result.plan, &tally, row))
        .map(|note| shown(&note))
        .collect();
    let notes = folded("Notes on the rows", &list(&notes));
    if let Some(by_finding) = by_finding {
        // a column a finding of each model would be too wide
        return format!("{by_finding}\n{notes}").trim_end().to_string();
    }
    format!("{text}\n{notes}").trim_end().to_string()
}

/// The certificates; nothing without one.
fn certified(result: ReportInput<'_>) -> String {
    let Ok(tally) = Tally::new(result.plan, result.evidence) else { return String::new() };
    let rows = super::certified::rows(result.plan, &tally);
    if rows.is_empty() {
        return String::new();
    }
    let mut text =
        "| certified, % | share | 95 % bounds | every pixel by | undecided | samples |\n|---|--:|--:|--:|--:|--:|\n"
            .to_string();
    let mut notes = Vec::new();
    for row in rows {
        match row {
            Ok(row) => {
                let votes = row.score.votes;
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {} | {} | {:.0} |",
                    shown(&format!("{} within {}", row.model, row.ball)),
                    row.share(),
                    row.bounds().trim_matches(['(', ')']),
                    row.levels().unwrap_or_else(|| "·".to_string()),
                    votes.undecided,
                    votes.mean_samples()
                );
                notes.push(shown(&row.sentence()));
            }
            Err(why) => notes.push(shown(&why)),
        }
    }
    format!("{text}\n{}", folded("Notes on the certificates", &list(&notes)))
}

/// The findings as rows; None where the data have none.
fn by_finding(result: ReportInput<'_>, tally: &Tally<'_>) -> Option<String> {
    let rows = by_finding::rows(result, tally);
    if rows.is_empty() {
        return None;
    }
    let columns: Vec<String> = by_finding::columns(result).iter().map(|name| shown(name)).collect();
    let mut text = format!(
        "| by finding; accuracy, % | {} |\n|---|{}\n",
        columns.join(" | "),
        "--:|".repeat(columns.len())
    );
    for row in rows {
        let texts: Vec<String> = row.texts(result).iter().map(|text| text.replace('*', "\\*")).collect();
        let _ = writeln!(text, "| {} | {} |", shown(&row.name), texts.join(" | "));
    }
    Some(text)
}

/// The raised checks, the warnings, and the waivers that do not count.
fn raised(remarks: &[Remark<'_>], result: ReportInput<'_>) -> String {
    let told = remarks.iter().filter(|remark| !matches!(remark.rule, Rule::Requirement(_))).map(|remark| {
        let (word, end) = match remark.weight {
            Weight::Error => ("raised", String::new()),
            Weight::Warning => ("warning", String::new()),
            Weight::Waived(waiver) => {
                let (owner, until) = (shown(&waiver.owner), waiver.expires);
                ("waived", format!(" (by {owner} until {until}: {})", shown(&waiver.reason)))
            }
        };
        format!("**{word}** {}: {}{end}", shown(&remark.about), shown(&remark.message))
    });
    let signed = result.judgement.loosened.iter().filter_map(|one| {
        let signature = one.trigger.signature.as_ref().filter(|_| one.state == Signed::Signed)?;
        Some(format!("**waived** {}: {}", shown(&loosened(one)), shown(&signature.reason)))
    });
    let not_run =
        unlooked(result, CheckState::NotRun).into_iter().map(|line| format!("**not run** {}", shown(&line)));
    let told: Vec<String> = told.chain(signed).chain(not_run).collect();
    let unasked: Vec<String> =
        unlooked(result, CheckState::NotApplicable).iter().map(|line| shown(line)).collect();
    let parts = [
        format!("**Checks**: {}", shown(examined(result).trim_start_matches("checks: "))),
        list(&told),
        folded("Checks that did not apply", &list_all(&unasked)),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn reasons(result: ReportInput<'_>) -> String {
    let findings = result.findings().iter().enumerate();
    let lines = findings.flat_map(|(place, finding)| {
        finding.clauses.iter().enumerate().map(move |(number, found)| {
            let name = super::clause_name(result.plan, place, number, found);
            let more = found
                .needed
                .map_or(String::new(), |cases| format!("; about {} cases would decide it", grouped(cases)));
            format!("**{}** {}: {}{more}", found.verdict, shown(&name), shown(&found.reason))
        })
    });
    list_all(&lines.collect::<Vec<_>>())
}

fn provenance(result: ReportInput<'_>) -> String {
    let evidence = result.evidence;
    let data = &evidence.data;
    let short = |digest: &str| {
        format!("`{}`", digest.chars().filter(char::is_ascii_alphanumeric).take(12).collect::<String>())
    };
    let mut lines = vec![
        format!(
            "spec {}, digest {}",
            shown(&result.plan.spec.path.display().to_string()),
            short(&evidence.spec.whole())
        ),
        format!(
            "{}, {}; digest {}",
            counted(data.studies, "study", "studies"),
            division([data.train, data.validation, data.test]),
            short(&data.digest)
        ),
    ];
    lines.extend(
        data.left_out
            .iter()
            .map(|(why, count)| format!("left out: {} {}", grouped(*count as u64), shown(why))),
    );
    lines.extend(data.remarks.iter().map(|remark| shown(remark)));
    lines.extend(evidence.models.iter().map(|model| {
        let (name, kind) = (shown(&model.name), shown(&model.architecture));
        format!("{name}: {kind}, {} parameters, weights {}", grouped(model.parameters), short(&model.weights))
    }));
    list_all(&lines)
}

/// What to do, if there is something.
fn next(steps: &[String]) -> String {
    if steps.is_empty() { String::new() } else { format!("**Next**\n\n{}", list(steps)) }
}

/// A list of at most [`LISTED`] lines.
fn list(lines: &[String]) -> String {
    let more = lines.len().saturating_sub(LISTED);
    let more = (more > 0).then(|| format!("- and {more} more"));
    let shown = lines.iter().take(LISTED).map(|line| format!("- {line}"));
    shown.chain(more).collect::<Vec<_>>().join("\n")
}

fn list_all(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n")
}

/// A part that opens when it is clicked.
fn folded(title: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("<details><summary>{title}</summary>\n\n{text}\n\n</details>")
}
