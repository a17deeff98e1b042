//! V2 no-lift: the model is no better than a trivial baseline.
//!
//! The trivial baselines are: always the majority class; the model itself with a blank image, and with a blank
//! report; and, for a model that reads images and reports, a bag of words over each section of the report. The lift
//! is the clean accuracy minus that of the baseline, on the same cases. Raised where its lower 95 % bound (Tango's
//! score bound, by patient) does not exceed 2 percentage points (the trigger): what adds nothing cannot be robust. If
//! the upper bound does not exceed them either, it makes every requirement on the model VACUOUS; else there are too
//! few cases, and it makes them INCONCLUSIVE. What to do: train a better model, or leave out the input that adds
//! nothing; test more cases where there are too few. (D3 compares a text model with a bag of words.)

use super::{Field, Look, Raised};
use crate::class::most_frequent;
use crate::judge::clause_verdict::needed;
use crate::judge::{LEVEL, Verdict, percent, points_beside};
use crate::plan::probes::replaced;
use crate::spec::{Absence, Check};
use crate::stats::Differences;

pub(super) fn check(field: &Field<'_>) -> Look {
    Look::each(field.models(), |model| Ok(no_lift(field, model)))
}

fn no_lift(field: &Field<'_>, model: usize) -> Option<Raised> {
    let margin = field.trigger(Check::NoLift);
    let own = field.right(model, field.clean(model));
    let lift = |(name, baseline): (String, Vec<bool>)| {
        let cases = own.iter().zip(&baseline).enumerate();
        let found = Differences::of(
            cases.map(|(case, (own, other))| (field.tally.cluster(&[model], case), *own, *other)),
        );
        (found.score_bounds(LEVEL), found, name, baseline)
    };
    let worst = baselines(field, model).into_iter().map(lift).min_by(|a, b| a.0.0.total_cmp(&b.0.0));
    let ((lower, upper), found, name, baseline) = worst.filter(|((lower, _), ..)| *lower <= margin)?;
    let share =
        |right: &[bool]| right.iter().filter(|&&right| right).count() as f64 / right.len().max(1) as f64;
    let few = if upper > margin { ", from too few cases" } else { "" };
    let message = format!(
        "{} is right on {} and {name} on {}; the lower bound of its lift, {}, does not exceed {}{few}",
        field.name(model),
        percent(share(&own)),
        percent(share(&baseline)),
        points_beside(lower, margin),
        crate::judge::goal_points(margin)
    );
    let raised = Raised::new(Check::NoLift, Some(model), message);
    if upper <= margin {
        return Some(raised);
    }
    let verdict = |cases| match found.score_bounds_among(cases, LEVEL) {
        (lower, _) if lower > margin => Verdict::Pass,
        (_, upper) if upper <= margin => Verdict::Vacuous,
        _ => Verdict::Inconclusive,
    };
    Some(raised.undecided(needed(found.trials(), verdict)))
}

/// The trivial baselines by name, and whether each is right on each case.
fn baselines(field: &Field<'_>, model: usize) -> Vec<(String, Vec<bool>)> {
    let (image, text) = (field.reads(model, true), field.reads(model, false));
    // the cases of the model's clean cell: all, or the first ones if it ended early
    let known = field.tally.known(model);
    let cases = &known[..field.clean(model).len().min(known.len())];
    let most = most_frequent(cases.iter().map(|(_, label)| *label)).map(|(class, _)| class);
    let majority = cases.iter().map(|(_, label)| Some(*label) == most).collect();
    let mut baselines = vec![("always the majority class".to_string(), majority)];
    for (reads, image, name) in
        [(image, true, "the same with a blank image"), (text, false, "the same with a blank report")]
    {
        if let Some(seen) = field.under(model, &replaced(image, Absence::Blank)).filter(|_| reads) {
            baselines.push((name.to_string(), field.right(model, seen.outcomes)));
        }
    }
    if image && text {
        // `-` marks a case whose label is not known; the model's outcomes leave it out, too
        let right = |bits: &str| bits.bytes().filter(|bit| *bit != b'-').map(|bit| bit == b'1').collect();
        baselines.extend(field.baselines(model).map(|one| (one.name.clone(), right(&one.right))));
    }
    baselines.retain(|(_, right)| right.len() >= cases.len() && !cases.is_empty());
    for (_, right) in &mut baselines {
        right.truncate(cases.len());
    }
    baselines
}
