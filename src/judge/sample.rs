//! The samples that the bounds of clauses are computed from.

use super::{Estimate, LEVEL};
use crate::spec::Direction;
use crate::stats::{self, Auroc, Calibration, Differences, Mean, Proportion, Sequence, WeightedShares};

/// A sample, by kind of metric.
pub(super) enum Sample {
    /// A share of cases: right ones, or errors.
    Share(Proportion),
    /// A share in a run that may stop after any patient, with the counts so far.
    Watched(Sequence, Estimate),
    /// Certified cases.
    Certified(CertifiedShare),
    /// F1, from the share p of right cases among those that are or are called abnormal: F1 = 2p / (1 + p).
    Harmonic(Proportion),
    /// The mean of shares, one for each class.
    Macro(Vec<Proportion>),
    /// Two models on the same cases.
    Difference(Differences),
    Area(Auroc),
    Calibration(Calibration),
    /// A mean of values from 0 to 1.
    Mean(Mean),
    /// Expected harm, in the unit of the costs.
    Harm(WeightedShares),
}

/// The counts of one group.
pub(super) struct Part {
    /// The group's value; None for all cases.
    pub(super) group: Option<String>,
    pub(super) sample: Sample,
    pub(super) estimate: Estimate,
    pub(super) other: Option<Estimate>,
    /// p-value of the hypothesis that the clause is false in this group.
    pub(super) p: f64,
    /// The counts in words.
    pub(super) counted: String,
    /// What the clause lacks other than cases, such as samples of a vote; used if it is undecided.
    pub(super) short: Option<String>,
}

/// The share of certifiable cases, from those that votes certified and those that they refuted. Each vote is wrong
/// with probability `alpha` at most.
pub(super) struct CertifiedShare {
    pub(super) certified: Proportion,
    pub(super) refuted: Proportion,
    pub(super) alpha: f64,
    /// `AtLeast`: the metric is the share itself. `AtMost`: it is the complement.
    pub(super) direction: Direction,
}

impl CertifiedShare {
    /// A lower bound of a share of votes, corrected for the votes that may be wrong.
    fn less_errors(&self, bound: f64) -> f64 {
        ((bound - self.alpha) / (1.0 - self.alpha)).max(0.0)
    }

    fn value(&self) -> f64 {
        let share = self.estimate().share();
        if self.certified.trials() == 0 { 0.0 } else { share }
    }

    fn estimate(&self) -> Estimate {
        let (certified, trials) = (self.certified.successes(), self.certified.trials());
        let successes = match self.direction {
            Direction::AtLeast => certified,
            Direction::AtMost => trials - certified,
        };
        Estimate { successes, trials }
    }

    pub(super) fn lower(&self, alpha: f64) -> f64 {
        match self.direction {
            Direction::AtLeast => self.less_errors(self.certified.lower(alpha)),
            Direction::AtMost => self.less_errors(self.refuted.lower(alpha)),
        }
    }

    pub(super) fn upper(&self, alpha: f64) -> f64 {
        match self.direction {
            Direction::AtLeast => 1.0 - self.less_errors(self.refuted.lower(alpha)),
            Direction::AtMost => 1.0 - self.less_errors(self.certified.lower(alpha)),
        }
    }

    /// p-value of the hypothesis that the clause is false if `passes`, else that it is true.
    fn p(&self, threshold: f64, passes: bool) -> f64 {
        let (share, least) = match (self.direction, passes) {
            (Direction::AtLeast, true) => (&self.certified, threshold),
            (Direction::AtLeast, false) => (&self.refuted, 1.0 - threshold),
            (Direction::AtMost, true) => (&self.certified, 1.0 - threshold),
            (Direction::AtMost, false) => (&self.refuted, threshold),
        };
        share.p_at_least(stats::threshold::certified_share(least, self.alpha))
    }

    /// The bounds for given numbers of certified, refuted and all cases, if cases are independent.
    pub(super) fn among(&self, [certified, refuted, cases]: [u64; 3], lower: f64, upper: f64) -> (f64, f64) {
        let bound = |count: u64, alpha: f64| self.less_errors(stats::lower_bound(count, cases, alpha));
        match self.direction {
            Direction::AtLeast => (bound(certified, lower), 1.0 - bound(refuted, upper)),
            Direction::AtMost => (bound(refuted, lower), 1.0 - bound(certified, upper)),
        }
    }

    fn bounds_of(&self, cases: u64, lower: f64, upper: f64) -> (f64, f64) {
        let share = |count: u64| count as f64 / self.certified.trials().max(1) as f64;
        let scaled = |count: u64| (share(count) * cases as f64).round() as u64;
        let counts = [scaled(self.certified.successes()), scaled(self.refuted.successes()), cases];
        self.among(counts, lower, upper)
    }
}

impl Sample {
    /// The metric's value.
    pub(super) fn value(&self) -> f64 {
        match self {
            Self::Share(_) | Self::Watched(..) => self.estimate().share(),
            Self::Certified(found) => found.value(),
            Self::Harmonic(_) => harmonic(self.estimate().share()),
            Self::Macro(each) => mean(each, |one| one.successes() as f64 / one.trials().max(1) as f64),
            Self::Difference(found) => {
                (found.gained() as f64 - found.lost() as f64) / found.trials().max(1) as f64
            }
            Self::Area(found) => found.area,
            Self::Calibration(found) => found.error,
            Self::Mean(found) => found.value,
            Self::Harm(found) => found.value(),
        }
    }

    /// The counts. For two models, the successes are the cases that only the first has right.
    pub(super) fn estimate(&self) -> Estimate {
        match self {
            Self::Share(found) | Self::Harmonic(found) => {
                Estimate { successes: found.successes(), trials: found.trials() }
            }
            Self::Macro(each) => Estimate {
                successes: each.iter().map(Proportion::successes).sum(),
                trials: each.iter().map(Proportion::trials).sum(),
            },
            Self::Watched(_, estimate) => *estimate,
            Self::Certified(found) => found.estimate(),
            Self::Difference(found) => Estimate { successes: found.gained(), trials: found.trials() },
            Self::Area(_) | Self::Calibration(_) | Self::Mean(_) | Self::Harm(_) => {
                Estimate { successes: 0, trials: 0 }
            }
        }
    }

    /// One-sided lower bound at level 1 − `alpha`.
    pub(super) fn lower(&self, alpha: f64) -> f64 {
        match self {
            Self::Share(found) => found.lower(alpha),
            Self::Harmonic(found) => harmonic(found.lower(alpha)),
            Self::Macro(each) => macro_lower(each, alpha),
            Self::Watched(found, _) => found.lower(alpha),
            Self::Certified(found) => found.lower(alpha),
            Self::Difference(found) => found.bounds(alpha).0,
            Self::Area(found) => found.lower(alpha),
            Self::Calibration(found) => found.lower(alpha),
            Self::Mean(found) => found.lower(alpha),
            Self::Harm(found) => found.lower(alpha),
        }
    }

    /// One-sided upper bound at level 1 − `alpha`.
    pub(super) fn upper(&self, alpha: f64) -> f64 {
        match self {
            Self::Share(found) => found.upper(alpha),
            Self::Harmonic(found) => harmonic(found.upper(alpha)),
            Self::Macro(each) => mean(each, |one| one.upper(alpha / each.len() as f64)),
            Self::Watched(found, _) => found.upper(alpha),
            Self::Certified(found) => found.upper(alpha),
            Self::Difference(found) => found.bounds(alpha).1,
            Self::Area(found) => found.upper(alpha),
            Self::Calibration(found) => found.upper(alpha),
            Self::Mean(found) => found.upper(alpha),
            Self::Harm(found) => found.upper(alpha),
        }
    }

    /// p-value of the hypothesis that the value is on the other side of `threshold` than `direction` says.
    pub(super) fn p(&self, threshold: f64, direction: Direction) -> f64 {
        use Direction::{AtLeast, AtMost};
        match (self, direction) {
            (Self::Share(found), AtLeast) => found.p_at_least(threshold),
            (Self::Share(found), AtMost) => found.p_at_most(threshold),
            // t = 2p / (1 + p) where p = t / (2 − t)
            (Self::Harmonic(found), AtLeast) => found.p_at_least(threshold / (2.0 - threshold)),
            (Self::Macro(each), AtLeast) => macro_p(each, threshold),
            (Self::Watched(found, _), AtLeast) => found.p_at_least(threshold),
            (Self::Watched(found, _), AtMost) => found.p_at_most(threshold),
            (Self::Certified(found), side) => found.p(threshold, side == found.direction),
            (Self::Difference(found), AtLeast) => found.p_at_least(threshold),
            (Self::Area(found), AtLeast) => found.p_at_least(threshold),
            (Self::Calibration(found), AtMost) => found.p_at_most(threshold),
            (Self::Mean(found), AtMost) => found.p_at_most(threshold),
            (Self::Harm(found), AtMost) => found.p_at_most(threshold),
            // the grammar allows one direction for each of these metrics
            (Self::Harmonic(_) | Self::Macro(_) | Self::Difference(_) | Self::Area(_), AtMost)
            | (Self::Calibration(_) | Self::Mean(_) | Self::Harm(_), AtLeast) => 1.0,
        }
    }

    /// Effective sample size, where patients have several cases.
    pub(super) fn effective(&self) -> Option<f64> {
        match self {
            Self::Certified(found) => found.certified.effective(),
            Self::Share(found) | Self::Harmonic(found) => found.effective(),
            Self::Difference(found) => found.effective(),
            Self::Macro(_)
            | Self::Watched(..)
            | Self::Area(_)
            | Self::Calibration(_)
            | Self::Mean(_)
            | Self::Harm(_) => None,
        }
    }

    /// The bounds for `cases` independent cases at the same rates, with the error rates `lower` and `upper`; None
    /// where the sample cannot be scaled.
    pub(super) fn bounds_of(&self, cases: u64, lower: f64, upper: f64) -> Option<(f64, f64)> {
        let scaled = |count: u64, trials: u64| ((count as f64 / trials as f64) * cases as f64).round() as u64;
        match self {
            Self::Share(found) => {
                let successes = scaled(found.successes(), found.trials());
                Some((
                    stats::lower_bound(successes, cases, lower),
                    stats::upper_bound(successes, cases, upper),
                ))
            }
            Self::Harmonic(found) => {
                let successes = scaled(found.successes(), found.trials());
                Some((
                    harmonic(stats::lower_bound(successes, cases, lower)),
                    harmonic(stats::upper_bound(successes, cases, upper)),
                ))
            }
            Self::Difference(found) => {
                let (gained, lost) =
                    (scaled(found.gained(), found.trials()), scaled(found.lost(), found.trials()));
                let bounds = |alpha| stats::paired_difference_bounds(gained, lost, cases, alpha);
                Some((bounds(lower).0, bounds(upper).1))
            }
            Self::Certified(found) => Some(found.bounds_of(cases, lower, upper)),
            Self::Harm(found) => Some(found.among(cases, lower, upper)),
            Self::Macro(_) | Self::Watched(..) | Self::Area(_) | Self::Calibration(_) | Self::Mean(_) => None,
        }
    }

    /// The error rates of the lower and of the upper bound: the one that decides a pass has the requirement's level.
    pub(super) fn levels(level: f64, direction: Direction) -> (f64, f64) {
        match direction {
            Direction::AtLeast => (level, LEVEL),
            Direction::AtMost => (LEVEL, level),
        }
    }
}

/// F1 from the share of right cases among those that are or are called abnormal. It rises with the share, so bounds
/// of the share give bounds of F1.
fn harmonic(share: f64) -> f64 {
    2.0 * share / (1.0 + share)
}

/// The mean of a value over the classes.
fn mean(each: &[Proportion], value: impl Fn(&Proportion) -> f64) -> f64 {
    each.iter().map(value).sum::<f64>() / each.len().max(1) as f64
}

/// A lower bound of the mean of shares: the mean of their bounds. The chance that any of K bounds at α / K fails is α at
/// most (Bonferroni), whatever the classes' sizes, and where one patient has cases of several classes too.
fn macro_lower(each: &[Proportion], alpha: f64) -> f64 {
    mean(each, |one| one.lower(alpha / each.len() as f64))
}

/// The p-value of the hypothesis that the mean of shares is below a threshold: the least error at which the bound
/// reaches it, by bisection.
fn macro_p(each: &[Proportion], threshold: f64) -> f64 {
    let reaches = |power: f64| macro_lower(each, power.exp()) >= threshold;
    // error rates from e⁻⁶⁰ to 1
    let (mut misses, mut reached) = (-60.0, 0.0);
    if each.is_empty() || !reaches(reached) {
        return 1.0;
    }
    for _ in 0..60 {
        let middle = f64::midpoint(misses, reached);
        if reaches(middle) { reached = middle } else { misses = middle }
    }
    reached.exp()
}
