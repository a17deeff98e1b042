//! Aligns evidence with other evidence that lists the same cases in another order.

use std::collections::{HashMap, HashSet};

use super::Evidence;

/// Largest number of cases that a message names.
const NAMED: usize = 5;

/// Evidence with its cases in the order of another's.
///
/// # Errors
/// The cases cannot be brought into that order; the message says why, in a sentence: a case is in only one of the two
/// or has another label, or a cell has too few outcomes.
pub fn aligned(mut evidence: Evidence, other: &Evidence) -> Result<Evidence, String> {
    let alone = |some: &Evidence, others: &Evidence| -> Vec<String> {
        let known: HashSet<&str> = others.cases.iter().map(|case| case.id.as_str()).collect();
        let alone = some.cases.iter().filter(|case| !known.contains(case.id.as_str()));
        alone.map(|case| case.id.clone()).collect()
    };
    let (ours, theirs) = (alone(&evidence, other), alone(other, &evidence));
    if !ours.is_empty() || !theirs.is_empty() {
        return Err(format!(
            "their test cases differ: {} in the first alone{}, {} in the second alone{}",
            ours.len(),
            named(&ours),
            theirs.len(),
            named(&theirs)
        ));
    }
    let places: HashMap<&str, usize> =
        evidence.cases.iter().enumerate().map(|(place, case)| (case.id.as_str(), place)).collect();
    let order: Vec<usize> = other.cases.iter().map(|case| places[case.id.as_str()]).collect();
    let relabelled: Vec<String> = order
        .iter()
        .zip(&other.cases)
        .filter(|&(&place, case)| {
            let ours = &evidence.cases[place];
            (ours.label, &ours.findings) != (case.label, &case.findings)
        })
        .map(|(_, case)| case.id.clone())
        .collect();
    if !relabelled.is_empty() {
        return Err(format!("{} of their cases have other labels{}", relabelled.len(), named(&relabelled)));
    }
    if let Some(why) = evidence.cells.iter().find_map(|cell| evidence.miscounted(cell)) {
        return Err(why);
    }
    if order.iter().enumerate().all(|(now, &then)| now == then) {
        return Ok(evidence);
    }
    let is_short = |cell: &&super::Cell| cell.outcomes.len() < evidence.count_of(&cell.model);
    if let Some(cell) = evidence.cells.iter().find(is_short) {
        let (model, attack) = (&cell.model, &cell.attack);
        return Err(format!(
            "{model} under {attack} ended early, and the other has its cases in another order"
        ));
    }
    // for each model, the place of each case's outcome: of a finding, only cases with a known label have one
    let cells = evidence.cells.iter().map(|cell| &cell.model);
    let models: HashSet<&String> =
        cells.chain(evidence.certificates.iter().map(|certificate| &certificate.model)).collect();
    let known: HashMap<String, HashMap<usize, usize>> = models
        .into_iter()
        .map(|model| {
            let cases = evidence.cases_of(model).into_iter().enumerate();
            (model.clone(), cases.map(|(at, (place, _))| (place, at)).collect())
        })
        .collect();
    evidence.cases = order.iter().map(|&place| evidence.cases[place].clone()).collect();
    for cell in &mut evidence.cells {
        let outcome = |place: &usize| cell.outcomes.get(*known[&cell.model].get(place)?).copied();
        cell.outcomes = order.iter().filter_map(outcome).collect();
    }
    for certificate in &mut evidence.certificates {
        let vote = |place: &usize| certificate.votes.get(*known[&certificate.model].get(place)?).copied();
        certificate.votes = order.iter().filter_map(vote).collect();
    }
    Ok(evidence)
}

fn named(cases: &[String]) -> String {
    let shown = cases.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if cases.len() > NAMED { ", …" } else { "" };
    if cases.is_empty() { String::new() } else { format!(" ({shown}{more})") }
}
