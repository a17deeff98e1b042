//! A16: the text states the label, so that the accuracy measures reading, not diagnosis. Either the label was taken from
//! the report that the model reads, or a bag of words comes within two points of the model.

use super::facts::LabelSource;
use super::observation::{Code, Observation};
use super::row::Input;
use super::study_view::{StudyView, listed, percent, points};
use crate::judge::LEVEL;
use crate::stats::lower_bound;

/// A model must be this far above a bag of words, as a share.
const MARGIN: f64 = 0.02;

pub(super) fn examine(view: StudyView<'_>) -> Vec<Observation> {
    let readers = view.readers(Input::Text);
    if readers.is_empty() {
        return vec![];
    }
    let facts = &view.study.facts;
    let is_from_report = facts.label_source == Some(LabelSource::Report);
    let (lifts, has_none) = lifts(view);
    if !is_from_report && !has_none {
        return vec![];
    }
    let says = if is_from_report {
        "the label was taken from the report, and the report is what the model reads"
    } else {
        "a bag of words does as well, so the text carries the label"
    };
    let mut observation = Observation::new(Code::LabelInText, listed(&readers), says);
    if is_from_report {
        observation = observation.given("label source: report");
    }
    if !facts.text_sections.is_empty() {
        let sections = facts.text_sections.join(", ");
        observation = observation.given(format!("text sections: {sections}"));
    }
    for (row, bag) in &facts.bag_of_words {
        let under = row.map_or(String::new(), |row| format!(" under {}", view.row(row)));
        observation = observation.given(format!("bag of words{under}: {bag}%"));
    }
    for lift in lifts {
        observation = observation.with(lift);
    }
    vec![if facts.bag_of_words.is_empty() {
        observation.open(
            "how much of the label words alone give away cannot be derived from a table: it needs the reports; give \
             `bag of words: NUMBER%` and `bag of words under ROW: NUMBER%`",
        )
    } else {
        observation
    }]
}

/// The accuracy of each text model beside the bag of words, and whether one is hardly better.
fn lifts(view: StudyView<'_>) -> (Vec<String>, bool) {
    let mut told = Vec::new();
    let mut has_none = false;
    for (row, bag) in &view.study.facts.bag_of_words {
        let Some(row) = row.or_else(|| view.clean()) else { continue };
        for column in view.columns().filter(|&column| view.reads(column, Input::Text)) {
            let Some(figure) = view.figure(row, column) else { continue };
            let lift = points(figure.share() - bag.share());
            let place = format!("{} under {}", view.column(column), view.row(row));
            let mut text =
                format!("{place}: {} beside {bag} of a bag of words, {lift} points", view.cell(row, column));
            let least = match view.counts(row, column) {
                Some(counts) => lower_bound(counts.successes, counts.trials, LEVEL),
                None => figure.share(),
            };
            if least <= bag.share() + MARGIN {
                has_none = true;
                let least = percent(least);
                text = format!("{text}: no more than 2 points above, for the lower bound is {least}");
            }
            told.push(text);
        }
    }
    (told, has_none)
}
