//! The verdict on the requirement `no regression against baseline`: no cell is worse than the accepted one by more
//! than a margin.
//!
//! In each cell the difference (new − accepted) is bounded from the discordant pairs, by patient, as for two models.
//! Every cell must show it, so the level needs no correction (intersection-union; Berger, Technometrics 1982).

use super::baseline::{Baseline, Change, Comparison};
use super::clause_verdict::{decide, needed, unknown};
use super::{ClauseFinding, Estimate, LEVEL, Verdict, goal_points, points_beside};
use crate::evidence::Evidence;
use crate::plan::{Plan, Regression};
use crate::spec::Direction;
use crate::stats;

/// Largest number of cells that a reason names.
const NAMED: usize = 3;

/// A cell with the bounds of its difference.
struct Bounded<'a> {
    change: &'a Change,
    lower: f64,
    upper: f64,
    verdict: Verdict,
}

/// Judges a comparison with the baseline. If there is none, the finding is an ERROR with the reason.
pub(super) fn judge(
    (plan, evidence): (&Plan, &Evidence),
    baseline: Result<&Baseline, &str>,
    sentence: &str,
    regression: &Regression,
) -> ClauseFinding {
    let compared = baseline.map_err(str::to_string).and_then(|baseline| {
        Comparison::new(baseline, evidence)
            .map_err(|why| format!("{why}; `medcert accept` takes this result as the baseline"))
    });
    let finding = compared.and_then(|comparison| {
        let cells = bounded(plan, &comparison, regression)?;
        decided(&comparison, &cells, sentence, regression.margin)
    });
    finding.unwrap_or_else(|reason| unknown(sentence, (-1.0, -regression.margin), LEVEL, reason))
}

/// The cells that the requirement is about, with their bounds, the worst first.
fn bounded<'a>(
    plan: &Plan,
    comparison: &'a Comparison,
    regression: &Regression,
) -> Result<Vec<Bounded<'a>>, String> {
    let bounds = |&place: &usize| {
        let cell = plan.cells.get(place).ok_or("a cell is missing")?;
        let model = plan.name(cell.model);
        let attack = cell.attack.to_string();
        let change = comparison.cell(model, &attack).ok_or_else(|| {
            let name = super::baseline::cell_name(model, &attack);
            format!("the baseline lacks {name}; `medcert accept` takes this result as the baseline")
        })?;
        if change.trials < comparison.count_of(model) {
            let name = super::baseline::cell_name(model, &attack);
            return Err(format!("{name} ended early, and a comparison needs every case; run it in full"));
        }
        let (lower, upper) = change.difference.bounds(LEVEL);
        Ok(Bounded {
            change,
            lower,
            upper,
            verdict: decide(lower, upper, -regression.margin, Direction::AtLeast),
        })
    };
    let mut cells = regression.cells.iter().map(bounds).collect::<Result<Vec<_>, String>>()?;
    cells.sort_by(|a, b| b.verdict.cmp(&a.verdict).then(a.lower.total_cmp(&b.lower)));
    Ok(cells)
}

/// The finding. `cells` are sorted, and the first (the worst) decides.
fn decided(
    comparison: &Comparison,
    cells: &[Bounded<'_>],
    sentence: &str,
    margin: f64,
) -> Result<ClauseFinding, String> {
    let worst = cells.first().ok_or("no cell was computed to compare")?;
    let trials = worst.change.trials as u64;
    let count = |successes: usize| Estimate { successes: successes as u64, trials };
    let (gained, lost) = (worst.change.gained.len() as u64, worst.change.lost.len() as u64);
    let effective = worst.change.difference.effective();
    let worth = effective.map_or(1.0, |effective| effective / trials as f64);
    let needed = (worst.verdict == Verdict::Inconclusive).then(|| {
        needed(trials, |more| {
            let more = (more as f64 * worth).round() as u64;
            let (gained, lost) = (scaled(gained, trials, more), scaled(lost, trials, more));
            let (lower, upper) = stats::paired_difference_bounds(gained, lost, more, LEVEL);
            decide(lower, upper, -margin, Direction::AtLeast)
        })
    });
    Ok(ClauseFinding {
        words: sentence.to_string(),
        each: None,
        verdict: worst.verdict,
        estimate: count(worst.change.now),
        other: Some(count(worst.change.before)),
        group: None,
        value: (gained as f64 - lost as f64) / trials.max(1) as f64,
        effective,
        // p is at most the level if the bound of every cell reaches the margin
        p: if worst.verdict == Verdict::Pass { LEVEL } else { 1.0 },
        level: LEVEL,
        lower: worst.lower,
        upper: worst.upper,
        threshold: -margin,
        needed: needed.flatten(),
        reason: reason(comparison, cells, worst, margin),
    })
}

/// A count among `trials`, scaled to `more` at the same rate.
fn scaled(count: u64, trials: u64, more: u64) -> u64 {
    ((count as f64 / trials as f64) * more as f64).round() as u64
}

fn reason(comparison: &Comparison, cells: &[Bounded<'_>], worst: &Bounded<'_>, margin: f64) -> String {
    let goal = goal_points(-margin);
    let all = cells.len();
    let alike: Vec<&Bounded<'_>> = cells.iter().filter(|cell| cell.verdict == worst.verdict).collect();
    let about = |cell: &&Bounded<'_>| {
        let (lower, upper) = (points_beside(cell.lower, -margin), points_beside(cell.upper, -margin));
        let change = cell.change;
        format!(
            "{} lost {} and gained {} of {} cases (bounds {lower} and {upper})",
            change.name(),
            change.lost.len(),
            change.gained.len(),
            change.trials
        )
    };
    let shown = if worst.verdict == Verdict::Pass { 1 } else { NAMED };
    let mut named = alike.iter().take(shown).map(about).collect::<Vec<_>>().join("; ");
    if worst.verdict != Verdict::Pass && alike.len() > shown {
        named = format!("{named}; and {} more", alike.len() - shown);
    }
    let cells = if all == 1 { String::new() } else { format!(" in {} of {all} cells", alike.len()) };
    let head = match worst.verdict {
        Verdict::Pass if all == 1 => format!("the lower bound reaches {goal}"),
        Verdict::Pass => format!("the lower bound reaches {goal} in each of {all} cells; the least"),
        Verdict::Fail => format!("even the upper bound is under {goal}{cells}"),
        _ => format!("{goal} lie between the bounds{cells}, too few cases to tell"),
    };
    let tolerated = match comparison.near() {
        near if near > 0 && comparison.tolerates => {
            format!("; {near} turned within rounding on another kind of processor, which is tolerated")
        }
        _ => String::new(),
    };
    format!("{head}: {named}{tolerated}")
}
