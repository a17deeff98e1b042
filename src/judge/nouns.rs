//! What metrics count, and classes, in words.

use super::counts::Tally;
use crate::Class;
use crate::plan::Measure;
use crate::spec::Metric;

impl Tally<'_> {
    /// What a measure counts, in words: `cases`, `abnormal cases` or `covid cases`.
    pub(super) fn noun(&self, measure: Measure, count: u64) -> String {
        match measure.class {
            Some(class) => {
                format!("{} {}", self.class_name(class), if count == 1 { "case" } else { "cases" })
            }
            None => noun(measure.metric, count).to_string(),
        }
    }

    /// A class in a word.
    pub(super) fn class_name(&self, class: Class) -> String {
        class_name(class, &self.plan.spec.data.classes()).to_string()
    }
}

/// What a metric of two classes counts: `cases`, `abnormal cases` or `normal cases`.
fn noun(metric: Metric, count: u64) -> &'static str {
    let (one, many) = match metric {
        Metric::Accuracy
        | Metric::MacroAccuracy
        | Metric::Auroc
        | Metric::Ece
        | Metric::Brier
        | Metric::Cost => ("case", "cases"),
        Metric::Sensitivity | Metric::Missed => ("abnormal case", "abnormal cases"),
        Metric::Specificity | Metric::Overcalled => ("normal case", "normal cases"),
        Metric::Ppv => ("case called abnormal", "cases called abnormal"),
        Metric::Npv => ("case called normal", "cases called normal"),
        Metric::F1 => ("case that is or is called abnormal", "cases that are or are called abnormal"),
        Metric::Flips => ("clean-right case", "clean-right cases"),
    };
    if count == 1 { one } else { many }
}

/// A class in a word; `names` are those of several.
pub(crate) fn class_name(class: Class, names: &[String]) -> &str {
    match class {
        Class::Two(true) => "abnormal",
        Class::Two(false) => "normal",
        Class::Several(place) => names.get(usize::from(place)).map_or("another class", String::as_str),
    }
}
