//! A10: cells that the claims need but the table lacks: a clean row, an attack on an input that a model reads, an attack
//! on both inputs at once, and separate rows or columns where one reports several.

use super::observation::{Code, Observation};
use super::row::Input;
use super::study_view::{StudyView, listed};

pub(super) fn examine(view: StudyView<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    if view.clean().is_none() {
        let says = "no row is without an attack, so nothing says what the attacks cost";
        found.push(Observation::new(Code::MissingCells, "clean", says));
    }
    found.extend(joint(view));
    found.extend(holes(view));
    found.extend(merged(view));
    found
}

/// Models that read both inputs but are never attacked in both at once.
fn joint(view: StudyView<'_>) -> Option<Observation> {
    let both = |&column: &usize| view.reads(column, Input::Image) && view.reads(column, Input::Text);
    let columns: Vec<&str> = view.columns().filter(both).map(|column| view.column(column)).collect();
    let is_joint = |rows: &[usize]| rows.iter().any(|&row| view.study.rows[row].meaning.is_joint());
    let (image, text) = (view.rows_on(Input::Image), view.rows_on(Input::Text));
    (!columns.is_empty() && !is_joint(&image)).then(|| {
        let says = "both inputs are never attacked at once, though each is alone";
        Observation::new(Code::MissingCells, listed(&columns), says)
            .with(format!(
                "missing: {} combinations of {} with {}, and all at once",
                image.len() * text.len(),
                view.rows(&image),
                view.rows(&text)
            ))
            .open("an adversary takes the worst combination; no cell alone bounds it from below")
    })
}

/// Attacks on an input that a model reads, without a figure.
fn holes(view: StudyView<'_>) -> Vec<Observation> {
    let of_column = |column: usize| {
        let is_hole = |&row: &usize| {
            let meaning = &view.study.rows[row].meaning;
            let inputs = [Input::Image, Input::Text].into_iter().filter(|&input| meaning.touches(input));
            let reads_all = !meaning.attacks.is_empty() && { inputs }.all(|input| view.reads(column, input));
            let is_wanted = meaning.clean || reads_all;
            is_wanted && view.figure(row, column).is_none()
        };
        let rows: Vec<usize> = (0..view.study.rows.len()).filter(is_hole).collect();
        (!rows.is_empty()).then(|| {
            let says = format!("no figure for {}, though the model reads what is attacked", view.rows(&rows));
            Observation::new(Code::MissingCells, view.column(column), says)
        })
    };
    view.columns().filter_map(of_column).collect()
}

/// Rows and columns that report several conditions or models.
fn merged(view: StudyView<'_>) -> Vec<Observation> {
    let several = view.study.facts.stands_for.iter().filter(|(_, meanings)| meanings.len() > 1);
    let told = |(name, meanings): &(String, Vec<String>)| {
        let kind = if view.study.columns.contains(name) { "column" } else { "row" };
        let says = format!("one {kind} reports {}: {}", meanings.len(), listed(meanings));
        Observation::new(Code::MissingCells, name, says)
            .given(format!("{name} stands for: {}", meanings.join(", ")))
            .open("which of them each figure is, and what the others reach")
    };
    several.map(told).collect()
}
