//! A1, a figure that no count of cases prints as (the GRIM test: Brown and Heathers, Social Psychological and
//! Personality Science 2017), and A2, rows that lack an incomplete last batch. The number of cases is the stated one, or
//! the one that all figures together make likely (at least 95 %).

use super::denominators::{Likely, MOST, common};
use super::observation::{Code, Observation};
use super::printed_precision::Printed;
use super::study_view::{StudyView, listed};

/// How many other numbers of cases a message lists.
const SHOWN: usize = 3;

pub(super) fn examine(view: StudyView<'_>) -> Vec<Observation> {
    match &view.denominators.likely {
        Some(likely) => {
            let impossible = view.columns().filter_map(|column| impossible(view, likely, column));
            impossible.chain(dropped(view, likely)).collect()
        }
        None => view.columns().filter_map(|column| nothing_in_common(view, column)).collect(),
    }
}

/// The source of the number of cases, in words.
fn source(observation: Observation, view: StudyView<'_>, likely: &Likely) -> Observation {
    if let Some(fact) = view.cases_fact() {
        return observation.given(fact);
    }
    let percent = (likely.probability * 1000.0).floor() / 10.0;
    observation
        .with(format!("{} cases follow from all figures with probability {percent:.1} %", likely.cases))
}

/// Cells of a column that do not fit the number of cases.
fn impossible(view: StudyView<'_>, likely: &Likely, column: usize) -> Option<Observation> {
    let whole = likely.batch.map(|batch| likely.cases - likely.cases % batch);
    let numbers: Vec<u64> = std::iter::once(likely.cases).chain(whole).collect();
    let misfits: Vec<(usize, Printed)> = (0..view.study.rows.len())
        .filter_map(|row| Some((row, view.figure(row, column)?)))
        .filter(|(_, figure)| !numbers.iter().any(|&trials| figure.admits(trials)))
        .collect();
    let (first, _) = misfits.first()?;
    let rows: Vec<usize> = misfits.iter().map(|(row, _)| *row).collect();
    let not = if numbers.len() == 1 { "not of" } else { "neither of" };
    let of = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" nor of ");
    let says = format!("the figure under {} is {not} {of} cases", view.rows(&rows));
    let mut observation = Observation::new(Code::ImpossibleFigure, view.column(column), says);
    for (row, figure) in &misfits {
        let trials = likely.cases;
        let below = (figure.share() * trials as f64).floor() as u64;
        let of = |count: u64| format!("{count} = {}", Printed::of(count, trials, figure.decimals));
        let near = near(*figure, trials);
        observation = observation.with(format!(
            "{}: {figure} lies between {} and {} of {trials}; it fits {} cases",
            view.row(*row),
            of(below),
            of((below + 1).min(trials)),
            listed(&near)
        ));
    }
    let open = format!("which cases {} was measured on: the publication has to say", view.row(*first));
    Some(source(observation, view, likely).open(open))
}

/// The numbers of cases near `trials` that are compatible with a figure.
fn near(figure: Printed, trials: u64) -> Vec<String> {
    let around = (1..=MOST).flat_map(|step| [trials.checked_sub(step), Some(trials + step)]);
    let admitted = around.flatten().filter(|&other| figure.admits(other));
    let mut found: Vec<u64> = admitted.take(SHOWN).collect();
    found.sort_unstable();
    found.iter().map(u64::to_string).collect()
}

/// Reports families that contain whole batches only.
fn dropped(view: StudyView<'_>, likely: &Likely) -> Option<Observation> {
    let batch = likely.batch?;
    let (cases, whole) = (likely.cases, likely.cases - likely.cases % batch);
    let (count, rest) = (cases / batch, cases % batch);
    let says = format!(
        "some rows have {whole} cases, others {cases}: the last incomplete batch was probably dropped"
    );
    let mut observation = Observation::new(Code::DroppedBatch, "denominators", says);
    for column in view.columns() {
        let of = |trials: u64| {
            let families = view.denominators.families.iter().zip(&likely.of_family);
            let families = families.filter(|(family, of)| family.column == column && **of == trials);
            let rows: Vec<usize> = families.flat_map(|(family, _)| family.rows.clone()).collect();
            let fit = |&row: &usize| view.figure(row, column).is_some_and(|figure| figure.admits(trials));
            rows.into_iter().filter(fit).collect::<Vec<usize>>()
        };
        let (fewer, all) = (of(whole), of(cases));
        if fewer.is_empty() {
            continue;
        }
        let not =
            fewer.iter().filter_map(|&row| view.figure(row, column)).any(|figure| !figure.admits(cases));
        let not = if not { format!(" and not {cases}") } else { String::new() };
        let all = if all.is_empty() { String::new() } else { format!("; {} fit {cases}", view.rows(&all)) };
        let column = view.column(column);
        observation = observation.with(format!("{column}: {} fit {whole}{not}{all}", view.rows(&fewer)));
    }
    let division = format!("{cases} = {count} × {batch} + {rest}");
    let observation = if view.study.facts.batch.is_some() {
        observation.with(division).given(format!("batch: {batch}"))
    } else {
        observation.with(format!("{division}, a usual batch; a stated one would make it surer"))
    };
    Some(source(observation, view, likely))
}

/// Reports a column whose figures no single number of cases explains.
fn nothing_in_common(view: StudyView<'_>, column: usize) -> Option<Observation> {
    let figures: Vec<Printed> =
        (0..view.study.rows.len()).filter_map(|row| view.figure(row, column)).collect();
    let least = figures.iter().map(|figure| 100 * figure.scale()).min()?;
    // from here on a figure is compatible with every number of cases
    let needless = least.min(MOST);
    let fits_before = common(&figures).first().is_some_and(|&first| first < needless);
    let is_telling = figures.iter().any(|figure| figure.decimals > 0) && figures.len() > 1;
    (is_telling && !fits_before).then(|| {
        let says = format!("no number of cases below {needless} fits all its figures");
        Observation::new(Code::ImpossibleFigure, view.column(column), says)
            .open("how many cases each figure has: give `cases: NUMBER`")
    })
}
