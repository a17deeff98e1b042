//! A case before and after an attack, on a terminal: the model's prediction, the report with its edits marked, and the
//! smallest change that is known to break the case.

use std::fmt::Write as _;

use similar::DiffTag;

use super::plain;
use super::word_diff::script;
use crate::evidence::{Answered, Counterexample, Exhibit};
use crate::judge::class_name;

/// Renders a case; `classes` are the names of several classes.
pub fn render(exhibit: &Exhibit, least: Option<&Counterexample>, classes: &[String]) -> String {
    let Exhibit { model, attack, case, label, before, after, image, text } = exhibit;
    let mut out = format!(
        "case {}, label {}\n  {model} predicts {} when clean, {} under {attack}\n",
        plain(case),
        class_name(*label, classes),
        said(*before, classes),
        said(*after, classes)
    );
    if let Some(image) = image {
        let _ = writeln!(out, "  largest change of a pixel of the frontal image: {:.4}", image.change);
    }
    if let Some(text) = text {
        let _ = writeln!(out, "  report: {}", marked(&text.before, &text.after));
    }
    if let Some(least) = least {
        let mut parts = Vec::new();
        if least.size() > 0 {
            parts.push(super::counted(least.size(), "edit", "edits"));
        }
        parts.extend(least.epsilon.map(|epsilon| format!("a change of the image by {epsilon:.4}")));
        parts.extend(least.pixels.map(|pixels| super::counted(pixels as usize, "pixel", "pixels")));
        let _ = writeln!(out, "  smallest change known to break it: {}", parts.join(", "));
    }
    out
}

fn said(answered: Answered, classes: &[String]) -> String {
    let Some(predicted) = answered.predicted else { return "no finite value".to_string() };
    let margin = answered.margin.map_or(String::new(), |margin| format!(" (margin {margin:+.2})"));
    format!("{}{margin}", class_name(predicted, classes))
}

/// A report with what went and what came: `no [-pleural-] {+plural+} effusion`.
fn marked(before: &str, after: &str) -> String {
    let (before, after) = (plain(before), plain(after));
    let before: Vec<&str> = before.split_whitespace().collect();
    let after: Vec<&str> = after.split_whitespace().collect();
    let mut words = Vec::new();
    for (tag, old, new) in script(&before, &after) {
        if tag == DiffTag::Equal {
            words.push(before[old].join(" "));
            continue;
        }
        words.extend(before[old].iter().map(|word| format!("[-{word}-]")));
        words.extend(after[new].iter().map(|word| format!("{{+{word}+}}")));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Wording;

    #[test]
    fn a_case_is_told_with_its_edits_and_obeys_nothing() {
        let exhibit = Exhibit {
            model: "language".into(),
            attack: "20% synonyms".into(),
            case: "p1\u{1b}[31m".into(),
            label: false.into(),
            before: Answered { predicted: Some(false.into()), margin: Some(1.5) },
            after: Answered { predicted: Some(true.into()), margin: Some(-0.25) },
            image: None,
            text: Some(Wording { before: "No pleural effusion.".into(), after: "No pleural fluid.".into() }),
        };
        let least = Counterexample {
            model: "language".into(),
            attack: "20% synonyms".into(),
            case: "p1".into(),
            edits: vec![],
            epsilon: Some(0.003),
            pixels: None,
            queries: 3,
        };
        let told = render(&exhibit, Some(&least), &[]);
        assert!(!told.contains('\u{1b}'));
        let lines: Vec<&str> = told.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "  language predicts normal (margin +1.50) when clean, abnormal (margin -0.25) under 20% synonyms",
                "  report: No pleural [-effusion.-] {+fluid.+}",
                "  smallest change known to break it: a change of the image by 0.0030",
            ]
        );
    }
}
