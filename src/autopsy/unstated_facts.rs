//! A11, facts that a reader needs but the publication does not state; A12, the unit of the split; A13, the unit of ε.

use super::facts::SplitUnit;
use super::observation::{Code, Observation};
use super::row::{Input, Search};
use super::study_view::{StudyView, listed};

/// ImageNet's standard deviations, by which images are usually divided, are about this (Russakovsky et al., IJCV 2015).
const USUAL_DEVIATION: f64 = 0.225;
const GREY_LEVELS: f64 = 255.0;

pub(super) fn examine(view: StudyView<'_>) -> Vec<Observation> {
    [lacking(view), split(view), epsilon(view)].into_iter().flatten().collect()
}

fn lacking(view: StudyView<'_>) -> Option<Observation> {
    let facts = &view.study.facts;
    let mut names = Vec::new();
    let mut evidence = Vec::new();
    if facts.cases.is_none() {
        names.push("cases");
        evidence.push(match &view.denominators.likely {
            Some(likely) => format!("cases: {} follows from the figures", likely.cases),
            None => "cases: without it no figure has an interval".to_string(),
        });
    }
    if facts.prevalence.is_none() {
        names.push("prevalence");
        evidence
            .push("prevalence: without it no figure can be told from one answer to every case".to_string());
    }
    let readers = view.readers(Input::Text);
    if facts.label_source.is_none() && !readers.is_empty() {
        names.push("label source");
        let readers = listed(&readers);
        evidence.push(format!("label source: {readers} read the report, which may hold the label"));
    }
    let rows = (0..view.study.rows.len()).filter(|&row| {
        let meaning = &view.study.rows[row].meaning;
        !meaning.clean && meaning.attacks.is_empty()
    });
    let stands_for: Vec<String> = rows.map(|row| format!("{} stands for", view.row(row))).collect();
    for name in &stands_for {
        names.push(name);
        evidence.push(format!("{name}: no attack goes by that name, so nothing is known of what it does"));
    }
    if names.is_empty() {
        return None;
    }
    let missing: Vec<String> = names.iter().map(|name| format!("`{name}: …`")).collect();
    let observation = Observation::new(Code::NotStated, listed(&names), "a reader needs it and is not told");
    let observation = evidence.into_iter().fold(observation, Observation::with);
    Some(observation.undecided(format!("no table tells it: give {}", listed(&missing))))
}

fn split(view: StudyView<'_>) -> Option<Observation> {
    let open = "how many test cases have a sibling in training cannot be derived from a table: it needs the split and the \
                patients of the data";
    let about = |says: &str| Observation::new(Code::SplitUnit, "split", says);
    let report = view.readers(Input::Text);
    let leak = if report.is_empty() {
        "another image of the same patient may be in training".to_string()
    } else {
        format!("a sibling image has the same report, so {} may have read it in training", listed(&report))
    };
    match view.study.facts.split {
        Some(SplitUnit::Patient) => None,
        Some(SplitUnit::Study) => Some(
            about("studies of one patient can be in training and in test")
                .given("split: by study")
                .open(open),
        ),
        Some(SplitUnit::Image) => Some(
            about("views of one study can be in training and in test")
                .with(leak)
                .given("split: by image")
                .open(open),
        ),
        None => Some(
            about("what the studies were divided by is not stated")
                .with(format!("if by image, {leak}"))
                .undecided(format!("{open}; give `split: by patient`, `by study` or `by image`")),
        ),
    }
}

fn epsilon(view: StudyView<'_>) -> Option<Observation> {
    if view.study.facts.epsilon_unit.is_some() {
        return None;
    }
    let on_ball = |&row: &usize| {
        let meaning = &view.study.rows[row].meaning;
        meaning.attacks.iter().any(|a| a.input == Input::Image && a.search != Search::Random)
    };
    let rows: Vec<usize> = view.rows_on(Input::Image).into_iter().filter(on_ball).collect();
    let strengths = rows.iter().filter_map(|&row| view.study.rows[row].meaning.strength);
    let most = strengths.fold(0.0_f64, f64::max);
    if most <= 0.0 {
        return None;
    }
    let mut observation =
        Observation::new(Code::EpsilonUnit, view.rows(&rows), "the unit of ε is not stated");
    if most <= 1.0 {
        let levels = |scale: f64| format!("{:.1}", most * scale * GREY_LEVELS);
        observation = observation.with(format!(
            "{most} is {} of 255 grey levels if pixels are in [0, 1], and {} if ε was applied after dividing by \
             ImageNet's deviations (about {USUAL_DEVIATION})",
            levels(1.0),
            levels(USUAL_DEVIATION)
        ));
    }
    let open = "no table tells it: give `epsilon unit: [0, 1]`, `[0, 255]` or `normalised`";
    Some(observation.undecided(open))
}
