//! Expected harm: the mean of what the errors of a case cost by the spec's block `harm`, and over several findings the sum of
//! their means. A case that is wrong when clean counts as an error under every attack, as everywhere. Each finding is attacked
//! on its own, so a sum over findings is at least what one attacked picture costs.

use super::sample::Sample;
use super::{Tally, figure};
use crate::Class;
use crate::plan::Clause;
use crate::stats::WeightedShares;

/// Expected harm: the mean of what the errors of a case cost; over several findings, the sum of their means.
pub(super) fn sample(
    tally: &Tally<'_>,
    clause: &Clause,
    places: &[usize],
    right: &[bool],
) -> Result<Sample, String> {
    let of = |model: usize, places: &[usize], right: &[bool]| -> Result<WeightedShares, String> {
        let costs = tally.plan.costs(model).ok_or("the spec does not say what errors cost")?;
        let error =
            |place: usize| (!right[place]).then(|| usize::from(!tally.label(model, place).is_abnormal()));
        let cases = places.iter().map(|&place| (tally.cluster(&[model], place), error(place)));
        Ok(WeightedShares::of(&[costs.missed, costs.overcalled], &cases.collect::<Vec<_>>()))
    };
    let mut parts = vec![of(clause.model, places, right)?];
    for (model, cells) in clause.subjects().skip(1) {
        let right = tally.right(model, cells)?;
        parts.push(of(model, &tally.about(model, cells, clause.measure())?, &right)?);
    }
    Ok(Sample::Harm(WeightedShares::sum(parts)))
}

/// `a harm of 0.775 from 30 missed and 10 overcalled of 400 cases`.
pub(super) fn counted(
    tally: &Tally<'_>,
    clause: &Clause,
    (places, right): (&[usize], &[bool]),
    value: f64,
) -> String {
    let figure = figure(clause.metric, value, clause.bound.threshold());
    let name = clause.metric.name();
    if !clause.mean_with.is_empty() {
        return format!("a {name} of {figure} over {} findings", clause.mean_with.len() + 1);
    }
    let wrong = |label: bool| {
        let is_wrong =
            |place: &&usize| !right[**place] && tally.label(clause.model, **place) == Class::Two(label);
        places.iter().filter(is_wrong).count()
    };
    let cases = tally.noun(clause.measure(), places.len() as u64);
    let (missed, overcalled) = (wrong(true), wrong(false));
    format!(
        "a {name} of {figure} from {missed} missed and {overcalled} overcalled of {} {cases}",
        places.len()
    )
}

impl Tally<'_> {
    /// The mean of what the errors of a subject cost over the chosen cases, and how many were chosen.
    ///
    /// # Errors
    /// There is no such cell, no case is chosen, or the spec does not say what errors cost.
    pub fn harm_of(
        &self,
        model: usize,
        cells: &[usize],
        chosen: impl Fn(usize) -> bool,
    ) -> Result<(f64, u64), String> {
        let costs = self.plan.costs(model).ok_or("the spec does not say what errors cost")?;
        let right = self.right(model, cells)?;
        let chosen: Vec<usize> = (0..right.len()).filter(|&place| chosen(place)).collect();
        if chosen.is_empty() {
            return Err("there is no case to count".to_string());
        }
        let cost = |&place: &usize| match (right[place], self.label(model, place).is_abnormal()) {
            (true, _) => 0.0,
            (false, true) => costs.missed,
            (false, false) => costs.overcalled,
        };
        Ok((chosen.iter().map(cost).sum::<f64>() / chosen.len() as f64, chosen.len() as u64))
    }
}
