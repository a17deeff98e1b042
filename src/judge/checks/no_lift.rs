//! V2 no-lift: the model is no better than a trivial baseline.
//!
//! The baselines: always the majority class; the model itself with a blank image, and with a blank report; and, for
//! a model that reads images too, a bag of words over each section of the report. Raised where the 95 % lower bound
//! (Tango's score bound) of the clean accuracy less the baseline's, on the same cases, does not exceed 2 percentage points (the trigger).
//! What an input adds cannot be robust if it adds nothing. It makes every sentence about the model VACUOUS. What to
//! do: train a better model, or leave out the input that adds nothing. (A text model beside a bag of words is
//! D3's.)

use super::{Field, Raised};
use crate::judge::{LEVEL, Verdict, percent, points_beside};
use crate::plan::probes::replaced;
use crate::spec::{Absence, Check};
use crate::stats;

pub(super) fn check(field: &Field<'_>) -> Vec<Raised> {
    field.models().filter_map(|model| no_lift(field, model)).collect()
}

fn no_lift(field: &Field<'_>, model: usize) -> Option<Raised> {
    let margin = field.trigger(Check::NoLift);
    let own = field.right(field.clean(model));
    let lift = |(name, baseline): (String, Vec<bool>)| {
        let (gained, lost) = super::discordant(&own, &baseline);
        let lower = stats::paired_score_lower(gained, lost, own.len() as u64, LEVEL);
        (lower, name, baseline)
    };
    let worst = baselines(field, model).into_iter().map(lift).min_by(|a, b| a.0.total_cmp(&b.0));
    let (lower, name, baseline) = worst.filter(|(lower, ..)| *lower <= margin)?;
    let share =
        |right: &[bool]| right.iter().filter(|&&right| right).count() as f64 / right.len().max(1) as f64;
    let message = format!(
        "{} is right on {} and {name} on {}; the lower bound of its lift, {}, does not exceed {}",
        field.name(model),
        percent(share(&own)),
        percent(share(&baseline)),
        points_beside(lower, margin),
        crate::judge::goal_points(margin)
    );
    Some(Raised::new(Check::NoLift, Verdict::Vacuous, Some(model), message))
}

/// Whether each baseline is right on each case.
fn baselines(field: &Field<'_>, model: usize) -> Vec<(String, Vec<bool>)> {
    let kind = &field.plan.spec.models[model].1;
    // the cases that the model was seen on without an attack: all, or the first ones
    let cases = &field.evidence.cases[..field.clean(model).len()];
    let abnormal = cases.iter().filter(|case| case.label).count() * 2 >= cases.len();
    let majority = cases.iter().map(|case| case.label == abnormal).collect();
    let mut known = vec![("always the majority class".to_string(), majority)];
    for (reads, image, name) in [
        (kind.reads_image(), true, "the same with a blank image"),
        (kind.reads_text(), false, "the same with a blank report"),
    ] {
        if let Some(seen) = field.under(model, &replaced(image, Absence::Blank)).filter(|_| reads) {
            known.push((name.to_string(), field.right(seen.outcomes)));
        }
    }
    if kind.reads_image() && kind.reads_text() {
        let right = |bits: &str| bits.bytes().map(|bit| bit == b'1').collect();
        known.extend(field.evidence.baselines.iter().map(|one| (one.name.clone(), right(&one.right))));
    }
    known.retain(|(_, right)| right.len() >= cases.len() && !cases.is_empty());
    for (_, right) in &mut known {
        right.truncate(cases.len());
    }
    known
}
