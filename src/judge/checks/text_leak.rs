//! D3 text-leak: the label can be read off the words of the report.
//!
//! Where labels were indexed from the very reports that a model reads, a bag of words is as good as the model, and
//! robustness of the text branch is robustness of a lookup. Raised as a warning where a logistic regression on the
//! word counts of one section, or of all, comes within 2 percentage points (the trigger) of the clean accuracy of a
//! model that reads the report. It changes no verdict, but says what the accuracy means. What to do: read the
//! sections that were written before the label was known (the indication), or take labels from elsewhere.

use super::{Field, Look, Raised};
use crate::evidence::Baseline;
use crate::judge::percent;
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Look {
    let share = |right: usize, all: usize| right as f64 / all.max(1) as f64;
    let is_whole = |one: &&Baseline| one.right.len() == field.evidence.cases.len();
    if !field.evidence.baselines.iter().any(|one| is_whole(&one)) {
        return Look::default().or_else_inapplicable("no bag of words was trained on reports");
    }
    let right = |one: &Baseline| one.right.bytes().filter(|&bit| bit == b'1').count();
    let counted = |one: &Baseline| one.right.bytes().filter(|&bit| bit != b'-').count();
    // the best bags of words, each with the models that are hardly better
    let mut close: Vec<(&Baseline, Vec<String>)> = Vec::new();
    for model in field.models().filter(|&model| field.reads(model, false)) {
        let Some(best) = field.baselines(model).filter(is_whole).max_by_key(|one| right(one)) else {
            continue;
        };
        let own = field.right(model, field.clean(model));
        let own = share(own.iter().filter(|&&right| right).count(), own.len());
        if share(right(best), counted(best)) < own - field.trigger(Check::TextLeak) {
            continue;
        }
        let said = format!("{} {}", field.name(model), percent(own));
        match close.iter_mut().find(|(known, _)| std::ptr::eq(*known, best)) {
            Some((_, models)) => models.push(said),
            None => close.push((best, vec![said])),
        }
    }
    let raised = close.into_iter().map(|(best, models)| {
        let message = format!(
            "the text carries the label: {} is right on {} ({})",
            best.name,
            percent(share(right(best), counted(best))),
            models.join(", ")
        );
        Raised::new(Check::TextLeak, None, message)
    });
    Look::at(raised)
}
