//! The verdict on one clause, and its reason in plain words.
//!
//! A share passes if its one-sided 95 % Clopper-Pearson lower bound reaches the threshold, and fails if even
//! the upper bound misses it. Two models are compared on the same cases: the bounds of the difference come
//! from the discordant pairs alone (McNemar, 1947).

use super::tally::{Tally, noun};
use super::{
    ClauseFinding, Estimate, LEVEL, Verdict, goal_percent, goal_points, percent, percent_beside,
    points_beside,
};
use crate::plan::{Bound, Clause};
use crate::stats;

/// More cases than this times the present ones are not asked for.
const MOST_TIMES: u64 = 10_000;

/// Judges a clause.
///
/// # Errors
/// Why it cannot be judged, in a sentence.
pub(super) fn judge(tally: &Tally<'_>, clause: &Clause) -> Result<ClauseFinding, String> {
    match &clause.bound {
        Bound::Rate(threshold) => rate(tally, clause, *threshold),
        Bound::Model { model, cells, offset } => relation(tally, clause, *model, cells, *offset),
    }
}

/// A clause that could not be judged: nothing is known of its value.
pub(super) fn unjudged(clause: &Clause, reason: String) -> ClauseFinding {
    let (least, threshold) = match &clause.bound {
        Bound::Rate(threshold) => (0.0, *threshold),
        Bound::Model { offset, .. } => (-1.0, *offset),
    };
    ClauseFinding {
        words: clause.words.clone(),
        verdict: Verdict::Error,
        estimate: Estimate { successes: 0, trials: 0 },
        other: None,
        lower: least,
        upper: 1.0,
        threshold,
        needed: None,
        reason,
    }
}

fn rate(tally: &Tally<'_>, clause: &Clause, threshold: f64) -> Result<ClauseFinding, String> {
    let score = tally.score(clause.model, &clause.cells, clause.metric)?;
    let Estimate { successes, trials } = score.estimate;
    let verdict = decide(score.lower, score.upper, threshold);
    let goal = goal_percent(threshold);
    let lower = percent_beside(score.lower, threshold);
    let upper = percent_beside(score.upper, threshold);
    let counted = format!(
        "{successes} of {trials} {} right ({})",
        noun(clause.metric, trials),
        percent_beside(score.estimate.share(), threshold)
    );
    let reason = match verdict {
        Verdict::Pass => format!("{counted}; the lower bound {lower} reaches {goal}"),
        Verdict::Fail => format!("{counted}; the lower bound {lower} is under {goal}, the upper {upper} too"),
        _ => format!("{counted}; {goal} lies between the bounds {lower} and {upper}: too few cases to tell"),
    };
    let needed = (verdict == Verdict::Inconclusive).then(|| {
        needed(trials, |more| {
            let successes = scaled(successes, trials, more);
            let lower = stats::lower_bound(successes, more, LEVEL);
            decide(lower, stats::upper_bound(successes, more, LEVEL), threshold)
        })
    });
    Ok(ClauseFinding {
        words: clause.words.clone(),
        verdict,
        estimate: score.estimate,
        other: None,
        lower: score.lower,
        upper: score.upper,
        threshold,
        needed: needed.flatten(),
        reason,
    })
}

fn relation(
    tally: &Tally<'_>,
    clause: &Clause,
    other: usize,
    cells: &[usize],
    offset: f64,
) -> Result<ClauseFinding, String> {
    let subject = tally.holds(clause.model, &clause.cells, clause.metric)?;
    let object = tally.holds(other, cells, clause.metric)?;
    let pairs = || subject.iter().zip(&object);
    let gained = pairs().filter(|&(&subject, &object)| subject && !object).count() as u64;
    let lost = pairs().filter(|&(&subject, &object)| !subject && object).count() as u64;
    let trials = subject.len() as u64;
    let count =
        |holds: &[bool]| Estimate { successes: holds.iter().filter(|&&one| one).count() as u64, trials };
    let (ours, theirs) = (count(&subject), count(&object));
    let (lower, upper) = stats::paired_difference_bounds(gained, lost, trials, LEVEL);
    let verdict = decide(lower, upper, offset);
    let counted = format!(
        "{} {} of {trials} {} right ({}), {} {} ({}), {gained} by the first alone and {lost} by the second alone",
        tally.name(clause.model),
        ours.successes,
        noun(clause.metric, trials),
        percent(ours.share()),
        tally.name(other),
        theirs.successes,
        percent(theirs.share()),
    );
    let goal = goal_points(offset);
    let (least, most) = (points_beside(lower, offset), points_beside(upper, offset));
    let reason = match verdict {
        Verdict::Pass => format!("{counted}; the difference's lower bound {least} reaches {goal}"),
        Verdict::Fail => {
            format!("{counted}; the difference's lower bound {least} is under {goal}, the upper {most} too")
        }
        _ => format!(
            "{counted}; {goal} lies between the difference's bounds {least} and {most}: too few cases to tell"
        ),
    };
    let needed = (verdict == Verdict::Inconclusive).then(|| {
        needed(trials, |more| {
            let (gained, lost) = (scaled(gained, trials, more), scaled(lost, trials, more));
            let (lower, upper) = stats::paired_difference_bounds(gained, lost, more, LEVEL);
            decide(lower, upper, offset)
        })
    });
    Ok(ClauseFinding {
        words: clause.words.clone(),
        verdict,
        estimate: ours,
        other: Some(theirs),
        lower,
        upper,
        threshold: offset,
        needed: needed.flatten(),
        reason,
    })
}

/// What bounds say of a threshold. A number that is not finite decides nothing.
pub(super) fn decide(lower: f64, upper: f64, threshold: f64) -> Verdict {
    if lower >= threshold {
        Verdict::Pass
    } else if upper < threshold {
        Verdict::Fail
    } else {
        Verdict::Inconclusive
    }
}

/// A count of `trials`, at the same rate among `more`.
pub(super) fn scaled(count: u64, trials: u64, more: u64) -> u64 {
    ((count as f64 / trials as f64) * more as f64).round() as u64
}

/// Cases from which the same rates would be decided, if there is such a number below the limit: doubling,
/// then bisection.
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
