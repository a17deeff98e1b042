//! The verdict on one clause, and its reason in plain words.
//!
//! A share passes if its one-sided Clopper-Pearson lower bound, by patient where a patient has several cases, reaches
//! the threshold at the level that Holm leaves to its sentence, and fails if even the upper 95 % bound misses it. Two
//! models are compared on the same cases: the bounds of the difference come from the discordant pairs alone (McNemar,
//! 1947).

use super::tally::{Tally, noun};
use super::{
    ClauseFinding, Estimate, LEVEL, Verdict, goal_percent, goal_points, percent, percent_beside,
    points_beside,
};
use crate::plan::{Bound, Clause};
use crate::stats::{self, Differences, Proportion};

/// More cases than this times the present ones are not asked for.
const MOST_TIMES: u64 = 10_000;

/// What was counted for a clause, before it is known at which level it is judged.
pub(super) struct Measured {
    sample: Sample,
    estimate: Estimate,
    other: Option<Estimate>,
    /// p-value against the clause being false.
    pub(super) p: f64,
    /// What was counted, in words.
    counted: String,
    vacuous: Option<String>,
}

/// What the bounds are computed from.
enum Sample {
    Share(Proportion),
    Difference(Differences),
}

impl Sample {
    fn lower(&self, alpha: f64) -> f64 {
        match self {
            Self::Share(found) => found.lower(alpha),
            Self::Difference(found) => found.bounds(alpha).0,
        }
    }

    fn upper(&self, alpha: f64) -> f64 {
        match self {
            Self::Share(found) => found.upper(alpha),
            Self::Difference(found) => found.bounds(alpha).1,
        }
    }

    fn effective(&self) -> Option<f64> {
        match self {
            Self::Share(found) => found.effective(),
            Self::Difference(found) => found.effective(),
        }
    }

    /// Its bounds if there were so many independent cases at the same rates.
    fn bounds_of(&self, cases: u64, level: f64) -> (f64, f64) {
        let scaled = |count: u64, trials: u64| ((count as f64 / trials as f64) * cases as f64).round() as u64;
        match self {
            Self::Share(found) => {
                let successes = scaled(found.successes(), found.trials());
                (stats::lower_bound(successes, cases, level), stats::upper_bound(successes, cases, LEVEL))
            }
            Self::Difference(found) => {
                let (gained, lost) =
                    (scaled(found.gained(), found.trials()), scaled(found.lost(), found.trials()));
                let (lower, _) = stats::paired_difference_bounds(gained, lost, cases, level);
                (lower, stats::paired_difference_bounds(gained, lost, cases, LEVEL).1)
            }
        }
    }
}

/// Counts what a clause is about.
///
/// # Errors
/// Why it cannot be judged, in a sentence.
pub(super) fn measure(tally: &Tally<'_>, clause: &Clause) -> Result<Measured, String> {
    let measured = match &clause.bound {
        Bound::Rate(threshold) => rate(tally, clause, *threshold)?,
        Bound::Model { model, cells, offset } => relation(tally, clause, *model, cells, *offset)?,
    };
    Ok(Measured { vacuous: tally.vacuous(clause.model, &clause.cells)?, ..measured })
}

fn rate(tally: &Tally<'_>, clause: &Clause, threshold: f64) -> Result<Measured, String> {
    let found = tally.proportion(clause.model, &clause.cells, clause.metric)?;
    let estimate = Estimate { successes: found.successes(), trials: found.trials() };
    let counted = format!(
        "{estimate} {} right ({}{})",
        noun(clause.metric, estimate.trials),
        percent_beside(estimate.share(), threshold),
        worth(found.effective(), estimate.trials)
    );
    let p = found.p_at_least(threshold);
    Ok(Measured { sample: Sample::Share(found), estimate, other: None, p, counted, vacuous: None })
}

fn relation(
    tally: &Tally<'_>,
    clause: &Clause,
    other: usize,
    cells: &[usize],
    offset: f64,
) -> Result<Measured, String> {
    let subject = tally.holds(clause.model, &clause.cells, clause.metric)?;
    let object = tally.holds(other, cells, clause.metric)?;
    let pairs = tally.patients(clause.metric).zip(subject.iter().zip(&object));
    let found = Differences::of(pairs.map(|(patient, (&subject, &object))| (patient, subject, object)));
    let trials = found.trials();
    let count =
        |holds: &[bool]| Estimate { successes: holds.iter().filter(|&&one| one).count() as u64, trials };
    let (ours, theirs) = (count(&subject), count(&object));
    let counted = format!(
        "{} {} of {trials} {} right ({}{}), {} {} ({}), {} by the first alone and {} by the second alone",
        tally.name(clause.model),
        ours.successes,
        noun(clause.metric, trials),
        percent(ours.share()),
        worth(found.effective(), trials),
        tally.name(other),
        theirs.successes,
        percent(theirs.share()),
        found.gained(),
        found.lost(),
    );
    let p = found.p_at_least(offset);
    let sample = Sample::Difference(found);
    Ok(Measured { sample, estimate: ours, other: Some(theirs), p, counted, vacuous: None })
}

/// `, worth 214 independent cases`; nothing if every case is.
fn worth(effective: Option<f64>, trials: u64) -> String {
    match effective.map(f64::round).filter(|&effective| effective < trials as f64) {
        Some(effective) => format!(", worth {effective} independent cases"),
        None => String::new(),
    }
}

/// Judges what was counted at the level that Holm leaves to its sentence among the spec's.
pub(super) fn conclude(clause: &Clause, measured: Measured, level: f64, sentences: usize) -> ClauseFinding {
    let Measured { sample, estimate, other, p, counted, vacuous } = measured;
    let (lower, upper) = (sample.lower(level), sample.upper(LEVEL));
    let threshold = threshold(clause);
    let verdict = decide(lower, upper, threshold);
    let (goal, least, most, whose) = match clause.bound {
        Bound::Rate(_) => {
            (goal_percent(threshold), percent_beside(lower, threshold), percent_beside(upper, threshold), "")
        }
        Bound::Model { .. } => (
            goal_points(threshold),
            points_beside(lower, threshold),
            points_beside(upper, threshold),
            "difference's ",
        ),
    };
    let least = format!("{least}{}", at_level(level, sentences));
    let concluded = match verdict {
        Verdict::Pass => format!("the {whose}lower bound {least} reaches {goal}"),
        Verdict::Fail => format!("the {whose}lower bound {least} is under {goal}, the upper {most} too"),
        _ => format!("{goal} lies between the {whose}bounds {least} and {most}: too few cases to tell"),
    };
    let effective = sample.effective();
    let needed = (verdict == Verdict::Inconclusive && vacuous.is_none()).then(|| {
        let worth = effective.map_or(1.0, |effective| effective / estimate.trials as f64);
        needed(estimate.trials, |cases| {
            let (lower, upper) = sample.bounds_of((cases as f64 * worth).round() as u64, level);
            decide(lower, upper, threshold)
        })
    });
    let (verdict, reason) = match vacuous {
        Some(why) => (verdict.max(Verdict::Vacuous), format!("{why}; {counted}; {concluded}")),
        None => (verdict, format!("{counted}; {concluded}")),
    };
    let words = clause.words.clone();
    let needed = needed.flatten();
    ClauseFinding {
        words,
        verdict,
        estimate,
        other,
        effective,
        p,
        level,
        lower,
        upper,
        threshold,
        needed,
        reason,
    }
}

/// A clause that could not be judged: nothing is known of its value.
pub(super) fn unjudged(clause: &Clause, reason: String, level: f64) -> ClauseFinding {
    let least = match &clause.bound {
        Bound::Rate(_) => 0.0,
        Bound::Model { .. } => -1.0,
    };
    ClauseFinding {
        words: clause.words.clone(),
        verdict: Verdict::Error,
        estimate: Estimate { successes: 0, trials: 0 },
        other: None,
        effective: None,
        p: 1.0,
        level,
        lower: least,
        upper: 1.0,
        threshold: threshold(clause),
        needed: None,
        reason,
    }
}

fn threshold(clause: &Clause) -> f64 {
    match clause.bound {
        Bound::Rate(threshold) => threshold,
        Bound::Model { offset, .. } => offset,
    }
}

/// ` (at 99.2 %, by Holm over 6 sentences)`; nothing at 95 %.
fn at_level(level: f64, sentences: usize) -> String {
    if level >= LEVEL {
        return String::new();
    }
    format!(" (at {}, by Holm over {sentences} sentences)", percent_beside(1.0 - level, 1.0))
}

/// What bounds say of a threshold. A number that is not finite decides nothing.
fn decide(lower: f64, upper: f64, threshold: f64) -> Verdict {
    if lower >= threshold {
        Verdict::Pass
    } else if upper < threshold {
        Verdict::Fail
    } else {
        Verdict::Inconclusive
    }
}

/// Cases from which the same rates would be decided, if there is such a number below the limit: doubling,
/// then bisection.
fn needed(trials: u64, verdict: impl Fn(u64) -> Verdict) -> Option<u64> {
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
