//! D3 text-leak: the label can be read off the words of the report.
//!
//! Where labels were indexed from the very reports that a model reads, a bag of words is as good as the model, and
//! robustness of the text branch is robustness of a lookup. Warned of where a logistic regression on the word
//! counts of one section, or of all, comes within 2 percentage points (the trigger) of the clean accuracy of a
//! model that reads the report. It changes no verdict: it says what the accuracy means. What to do: read the
//! sections that were written before the label was known (the indication), or take labels from elsewhere.

use super::{Field, Look, Raised};
use crate::judge::percent;
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Look {
    let share = |right: usize, all: usize| right as f64 / all.max(1) as f64;
    let best = field.evidence.baselines.iter().filter(|one| one.right.len() == field.evidence.cases.len());
    let best = best.max_by_key(|one| one.right.bytes().filter(|&bit| bit == b'1').count());
    let inapplicable = || Look::default().or_else_inapplicable("no bag of words was trained on reports");
    let Some(best) = best else { return inapplicable() };
    let words = share(best.right.bytes().filter(|&bit| bit == b'1').count(), best.right.len());
    let readers = field.models().filter(|&model| field.plan.spec.models[model].1.reads_text());
    let close: Vec<String> = readers
        .filter_map(|model| {
            let right = field.right(field.clean(model));
            let own = share(right.iter().filter(|&&right| right).count(), right.len());
            (words >= own - field.trigger(Check::TextLeak))
                .then(|| format!("{} {}", field.name(model), percent(own)))
        })
        .collect();
    if close.is_empty() {
        return Look::at([]);
    }
    let message = format!(
        "the text carries the label: {} is right on {} ({})",
        best.name,
        percent(words),
        close.join(", ")
    );
    Look::at([Raised::new(Check::TextLeak, None, message)])
}
