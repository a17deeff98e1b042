//! Which input mattered: how many answers turn where one of them is replaced, and which half of a joint attack would
//! have sufficed alone.

use super::super::ReportInput;
use super::svg::{Markup, bar};
use crate::judge::checks::reliance;
use crate::judge::{Tally, halves};
use crate::spec::Absence;

/// What is known of the inputs.
pub(super) struct Inputs {
    pub(super) replaced: Vec<Replaced>,
    pub(super) joint: Vec<Joint>,
}

/// A model with what turns it: its image blank, another patient's; its report blank, another patient's.
pub(super) struct Replaced {
    pub(super) model: String,
    pub(super) turned: [Option<Count>; 4],
}

/// A model under a joint attack.
pub(super) struct Joint {
    pub(super) threat: String,
    pub(super) model: String,
    /// Cases that are right when clean.
    pub(super) right: usize,
    /// Broken jointly, by the image alone, by the report alone, by only both.
    pub(super) broken: [Count; 4],
    /// Broken by a half alone, and not jointly.
    pub(super) spared: usize,
}

/// Some of the cases.
pub(super) struct Count {
    pub(super) some: usize,
    pub(super) all: usize,
    pub(super) bar: Markup,
}

impl Count {
    fn of(some: usize, all: usize) -> Self {
        Self { some, all, bar: bar(some as f64 / all.max(1) as f64) }
    }
}

/// What is known of the inputs of every model.
pub(super) fn inputs(result: ReportInput<'_>, tally: &Tally<'_>) -> Inputs {
    let plan = result.plan;
    let seen = reliance(plan, result.evidence);
    let places = [(true, Absence::Blank), (true, Absence::WrongPatient)]
        .into_iter()
        .chain([(false, Absence::Blank), (false, Absence::WrongPatient)]);
    let places: Vec<(bool, Absence)> = places.collect();
    let replaced = plan.subjects.iter().enumerate().map(|(model, subject)| {
        let count = |place: usize| {
            let (image, absence) = places[place];
            let found =
                seen.iter().find(|one| (one.model, one.image, one.absence) == (model, image, absence))?;
            Some(Count::of(found.turned, found.trials))
        };
        Replaced { model: subject.name.clone(), turned: std::array::from_fn(count) }
    });
    let joint = plan.rows.iter().flat_map(|row| {
        halves(plan, tally, row).into_iter().map(|found| Joint {
            threat: row.words.clone(),
            right: found.right,
            broken: [found.joint, found.image, found.report, found.both]
                .map(|some| Count::of(some, found.right)),
            spared: found.spared,
            model: found.model,
        })
    });
    let replaced = replaced.filter(|one| one.turned.iter().any(Option::is_some)).collect();
    Inputs { replaced, joint: joint.collect() }
}
