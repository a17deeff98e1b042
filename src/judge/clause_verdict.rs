//! The verdict on one clause, with its reason in words.
//!
//! A share passes if its one-sided Clopper-Pearson lower bound reaches the threshold, at the level that Holm's
//! correction leaves the requirement. It fails if even the upper 95 % bound misses the threshold. The bounds go by
//! patient where a patient has several cases. Two models are compared on the same cases: the bounds of the difference
//! come from the discordant pairs alone (McNemar, 1947).

use super::acted::Untouched;
use super::measure::Measured;
use super::sample::Part;
use super::sample::Sample;
use super::{ClauseFinding, Estimate, Verdict, figure, goal, goal_points, percent_beside, points_beside};
use crate::plan::Clause;
use crate::spec::{Bound, Direction};

/// Largest multiple of the present cases that a finding asks for.
const MOST_TIMES: u64 = 10_000;

/// Judges the counts of a clause at the level that Holm's correction leaves its requirement. The worst group decides.
pub(super) fn conclude(clause: &Clause, measured: Measured, level: f64) -> ClauseFinding {
    let (groups, untouched) = (measured.parts.len(), measured.untouched);
    let each = measured.parts.into_iter().map(|part| {
        let group = part.group.clone();
        let mut finding = conclude_part(clause, part, level);
        if let (Some(value), Some(attribute)) = (group, &clause.group) {
            finding.reason = format!("{value}, the worst of {groups} by {attribute}: {}", finding.reason);
            finding.group = Some(value);
        }
        finding
    });
    let worst = each.max_by(|a, b| a.verdict.cmp(&b.verdict).then(a.p.total_cmp(&b.p)));
    let worst = worst.map(|finding| beside_untouched(finding, untouched.as_ref()));
    worst.unwrap_or_else(|| unjudged(clause, "there is no case to count".to_string(), level))
}

/// Adds to the reason how many cases the attack altered, if it could not alter all. Too few turn PASS into
/// INCONCLUSIVE.
fn beside_untouched(mut finding: ClauseFinding, untouched: Option<&Untouched>) -> ClauseFinding {
    let Some(untouched) = untouched else { return finding };
    let is_pass = finding.verdict == Verdict::Pass && untouched.is_nearly_all();
    let says = if is_pass { "too few to show anything" } else { "the others count as they are" };
    finding.reason = format!("{}; {untouched}, {says}", finding.reason);
    if is_pass {
        finding.verdict = Verdict::Inconclusive;
    }
    finding
}

fn conclude_part(clause: &Clause, part: Part, level: f64) -> ClauseFinding {
    let Part { sample, estimate, other, p, counted, short, .. } = part;
    let (threshold, direction) = (clause.bound.threshold(), clause.bound.direction());
    let levels = Sample::levels(level, direction);
    let (lower, upper) = (sample.lower(levels.0), sample.upper(levels.1));
    let verdict = decide(lower, upper, threshold, direction);
    let effective = sample.effective();
    let concluded = match short.filter(|_| verdict == Verdict::Inconclusive) {
        Some(short) => short,
        None => concluded(clause, verdict, (lower, upper)),
    };
    let needed = (verdict == Verdict::Inconclusive).then(|| {
        let worth = effective.map_or(1.0, |effective| effective / estimate.trials as f64);
        needed(estimate.trials, |cases| {
            let cases = (cases as f64 * worth).round() as u64;
            let bounds = sample.bounds_of(cases, levels.0, levels.1);
            bounds.map_or(Verdict::Inconclusive, |(lower, upper)| decide(lower, upper, threshold, direction))
        })
    });
    ClauseFinding {
        words: clause.words.clone(),
        each: clause.each.clone(),
        verdict,
        estimate,
        other,
        group: None,
        value: sample.value(),
        effective,
        p,
        level,
        lower,
        upper,
        threshold,
        needed: needed.flatten(),
        reason: format!("{counted}; {concluded}"),
    }
}

/// How the bounds compare with the threshold, in words. Holm's correction, which widens the bound that decides a
/// pass, is not mentioned here: the report explains it once.
fn concluded(clause: &Clause, verdict: Verdict, (lower, upper): (f64, f64)) -> String {
    let (threshold, direction) = (clause.bound.threshold(), clause.bound.direction());
    let said = |value| match clause.bound {
        Bound::Model { .. } => points_beside(value, threshold),
        Bound::Rate(_) => percent_beside(value, threshold),
        Bound::AtMost(_) => figure(clause.metric, value, threshold),
    };
    let (goal, whose) = match clause.bound {
        Bound::Model { .. } => (goal_points(threshold), "difference's "),
        _ => (goal(clause.metric, threshold), ""),
    };
    let (lower, upper) = (said(lower), said(upper));
    match (verdict, direction) {
        (Verdict::Pass, Direction::AtLeast) => format!("the {whose}lower bound {lower} reaches {goal}"),
        (Verdict::Pass, Direction::AtMost) => format!("the upper bound {upper} stays within {goal}"),
        (Verdict::Fail, Direction::AtLeast) => format!("even the {whose}upper bound {upper} is under {goal}"),
        (Verdict::Fail, Direction::AtMost) => format!("even the lower bound {lower} is over {goal}"),
        (_, Direction::AtLeast) => {
            format!("{goal} lies between the {whose}bounds {lower} and {upper}: too few cases to tell")
        }
        (_, Direction::AtMost) => {
            format!("{goal} lies between the bounds {lower} and {upper}: too few cases to tell")
        }
    }
}

/// The finding on a clause that could not be judged: an ERROR with the reason.
pub(super) fn unjudged(clause: &Clause, reason: String, level: f64) -> ClauseFinding {
    let lower = match &clause.bound {
        Bound::Rate(_) | Bound::AtMost(_) => 0.0,
        Bound::Model { .. } => -1.0,
    };
    let found = unknown(&clause.words, (lower, clause.bound.threshold()), level, reason);
    ClauseFinding { each: clause.each.clone(), ..found }
}

/// An ERROR on a value of which nothing is known except that it is at least `least`.
pub(super) fn unknown(
    words: &str,
    (least, threshold): (f64, f64),
    level: f64,
    reason: String,
) -> ClauseFinding {
    ClauseFinding {
        words: words.to_string(),
        each: None,
        verdict: Verdict::Error,
        estimate: Estimate { successes: 0, trials: 0 },
        other: None,
        group: None,
        value: 0.0,
        effective: None,
        p: 1.0,
        level,
        lower: least,
        upper: 1.0,
        threshold,
        needed: None,
        reason,
    }
}

/// The verdict that bounds give. NaN compares as false, so two bounds that are NaN give INCONCLUSIVE.
pub(super) fn decide(lower: f64, upper: f64, threshold: f64, direction: Direction) -> Verdict {
    let (holds, fails) = match direction {
        Direction::AtLeast => (lower >= threshold, upper < threshold),
        Direction::AtMost => (upper <= threshold, lower > threshold),
    };
    match (holds, fails) {
        (true, _) => Verdict::Pass,
        (false, true) => Verdict::Fail,
        (false, false) => Verdict::Inconclusive,
    }
}

/// The number of cases at which the same rates would give a decision, if there is one below the limit: by doubling,
/// then by bisection.
pub(super) fn needed(trials: u64, verdict: impl Fn(u64) -> Verdict) -> Option<u64> {
    let is_decided = |cases: u64| verdict(cases) != Verdict::Inconclusive;
    let (mut few, mut enough) = (trials, trials.checked_mul(2)?);
    while !is_decided(enough) {
        few = enough;
        enough = enough.checked_mul(2).filter(|&cases| cases / MOST_TIMES <= trials)?;
    }
    while enough - few > 1 {
        let middle = few + (enough - few) / 2;
        if is_decided(middle) {
            enough = middle;
        } else {
            few = middle;
        }
    }
    Some(enough)
}
