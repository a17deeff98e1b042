//! A10: cells that the question needs and the table has not: a clean row, an attack on what a model reads, both
//! inputs attacked at once, and what one row or column reports for several.

use super::observation::{Code, Observation};
use super::row::Input;
use super::view_shortcut::{View, listed};

pub(super) fn examine(view: View<'_>) -> Vec<Observation> {
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

/// Models that read both inputs, never attacked in both at once.
fn joint(view: View<'_>) -> Option<Observation> {
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
fn holes(view: View<'_>) -> Vec<Observation> {
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

/// Rows and columns that stand for several.
fn merged(view: View<'_>) -> Vec<Observation> {
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
