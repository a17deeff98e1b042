//! A14, attacks that hardly search, and A15, perturbations that may make the old label wrong.
//!
//! One gradient step (FGSM: Goodfellow, Shlens, Szegedy, ICLR 2015) is the weakest search there is (Carlini et al.,
//! On evaluating adversarial robustness, 2019); random edits do not search at all. An edit that can remove a finding or
//! its negation does not keep the label (Ribeiro et al., `CheckList`, ACL 2020).

use super::observation::{Code, Observation};
use super::row::{Attack, Input, Search};
use super::study_view::{StudyView, listed};

pub(super) fn examine(view: StudyView<'_>) -> Vec<Observation> {
    weak(view).into_iter().chain((0..view.study.rows.len()).filter_map(|row| label(view, row))).collect()
}

/// Inputs whose attacks all take at most one step.
fn weak(view: StudyView<'_>) -> Option<Observation> {
    let on = |input: Input| -> Vec<&Attack> {
        let attacks = view.study.rows.iter().flat_map(|row| &row.meaning.attacks);
        attacks.filter(|attack| attack.input == input).collect()
    };
    let weakest = |attacks: &[&Attack]| !attacks.iter().any(|attack| attack.search == Search::Many);
    let (mut inputs, mut evidence) = (Vec::new(), Vec::new());
    for (input, stronger) in [
        (Input::Image, "an iterated attack (PGD, APGD) and one without gradients (Square)"),
        (Input::Text, "a search over words (TextFooler, PWWS)"),
    ] {
        let attacks = on(input);
        if attacks.is_empty() || !weakest(&attacks) {
            continue;
        }
        let has_step = attacks.iter().any(|attack| attack.search == Search::OneStep);
        let (name, kind) = match input {
            Input::Image => {
                ("pixels", if has_step { "one gradient step at most" } else { "no search at all" })
            }
            Input::Text => ("words", "random edits, which look for no harm"),
        };
        let rows = view.rows(&view.rows_on(input));
        inputs.push(name);
        evidence.push(format!("{name}: {rows} are {kind}; missing is {stronger}"));
    }
    if evidence.is_empty() {
        return None;
    }
    let inputs = listed(&inputs);
    let says = format!(
        "on {inputs} only the weakest kind of attack, so the figures bound robustness from above alone"
    );
    let observation = Observation::new(Code::WeakAttack, "attacks", says);
    let observation = evidence.into_iter().fold(observation, Observation::with);
    Some(observation.open("what a stronger attack would leave: it needs the models"))
}

/// A row whose perturbation may change the correct answer.
fn label(view: StudyView<'_>, row: usize) -> Option<Observation> {
    let entry = &view.study.rows[row];
    let said = view.study.facts.stands_for(&entry.name);
    let is_kept = |words: &str| words.to_lowercase().contains("preserving");
    let changing: Vec<&str> = entry
        .meaning
        .attacks
        .iter()
        .filter(|attack| attack.can_change_label)
        .map(|attack| attack.name.as_str())
        .collect();
    if changing.is_empty() || is_kept(&entry.name) || said.iter().any(|words| is_kept(words)) {
        return None;
    }
    let says = format!("{} can take a finding or its negation out of the report", listed(&changing));
    let columns: Vec<&str> = view
        .columns()
        .filter(|&column| view.figure(row, column).is_some())
        .map(|column| view.column(column))
        .collect();
    let observation = Observation::new(Code::LabelNotKept, &entry.name, says)
        .with(format!(
            "the figures of {} count the old label as right, also where the report now says something else",
            listed(&columns)
        ))
        .open("how many reports say something else cannot be derived from a table: it needs the reports");
    Some(match said {
        [] => observation,
        said => observation.given(format!("{} stands for: {}", entry.name, said.join(", "))),
    })
}
