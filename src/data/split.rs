//! Division by patient: a patient's studies are all in one part, since one study tells about the next. Where a column
//! of the manifest names the parts it is taken at its word, and the check `patient-split` is raised if a patient is in
//! two of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{FindingCounts, Study};
use crate::spec::{Parts, Spec, Split, Stop, Weights};
use crate::{Class, Error, Result};

/// Indices into the studies, each ascending; the test cases of [`divide`] may be in another order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Training cases.
    pub train: Vec<usize>,
    /// Cases that choose the best epoch.
    pub validation: Vec<usize>,
    /// Test cases.
    pub test: Vec<usize>,
}

impl Partition {
    /// The cases that training sees, in writing, for keys of caches.
    pub fn learning_key(&self) -> String {
        let written = |cases: &[usize]| cases.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        format!("training {}; validation {}", written(&self.train), written(&self.validation))
    }

    /// All of it in writing, for keys of caches.
    pub fn key(&self) -> String {
        let test: Vec<String> = self.test.iter().map(ToString::to_string).collect();
        format!("{}; test {}", self.learning_key(), test.join(" "))
    }
}

/// Divides the studies of a spec. Where its cells end early, the test cases come patient by patient in an order that was
/// drawn: the first ones are a random sample.
///
/// # Errors
/// As for [`split()`], or a part that the spec needs is empty.
pub fn divide(studies: &[Study], spec: &Spec) -> Result<Partition> {
    let mut partition = split(studies, &spec.split)?;
    let trains = spec.models.iter().any(|(_, model)| matches!(model.weights(), Some(Weights::Train(_))));
    if trains {
        check_part("training", &partition.train, studies, true)?;
    }
    if trains || !spec.thresholds.is_empty() {
        check_part("validation", &partition.validation, studies, false)?;
    }
    let classes = spec.data.classes();
    check_class("test", &partition.test, studies, &classes)?;
    if trains {
        check_class("training", &partition.train, studies, &classes)?;
    }
    for (place, finding) in spec.data.findings().iter().enumerate() {
        check_finding("test", &partition.test, studies, (place, finding))?;
        if trains {
            check_finding("training", &partition.train, studies, (place, finding))?;
        }
    }
    if spec.stop == Stop::Early {
        draw(&mut partition.test, studies, &ranks(studies, spec.split.seed));
    }
    Ok(partition)
}

/// Puts cases in the order that was drawn for their patients, whatever the order of the file.
fn draw(cases: &mut [usize], studies: &[Study], ranks: &BTreeMap<&str, usize>) {
    cases.sort_by_key(|&index| (ranks[studies[index].patient.as_str()], index));
}

/// The place of each patient in an order that the seed draws, whatever the order of the studies.
fn ranks(studies: &[Study], seed: u64) -> BTreeMap<&str, usize> {
    let patients: BTreeSet<&str> = studies.iter().map(|study| study.patient.as_str()).collect();
    let mut order: Vec<(blake3::Hash, &str)> = patients
        .into_iter()
        .map(|patient| (blake3::hash(format!("{seed} {patient}").as_bytes()), patient))
        .collect();
    order.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()).then(a.1.cmp(b.1)));
    order.into_iter().enumerate().map(|(rank, (_, patient))| (patient, rank)).collect()
}

/// Divides the studies; deterministic, whatever their order in the file.
///
/// # Errors
/// The test part is empty or holds one class only, or a value that names a part is in no row.
pub fn split(studies: &[Study], split: &Split) -> Result<Partition> {
    let ranks = ranks(studies, split.seed);
    let mut partition = match &split.parts {
        Parts::Drawn { test, validation } => drawn(studies, &ranks, *test, *validation)?,
        Parts::Named { column, test, validation } => named(studies, column, test, validation)?,
    };
    if let Some(most) = split.cases {
        draw(&mut partition.test, studies, &ranks);
        partition.test.truncate(most);
        partition.test.sort_unstable();
    }
    check_part("test", &partition.test, studies, true)?;
    Ok(partition)
}

/// The patients are ordered by a hash of the seed and their name: the first are test patients and the next validate.
fn drawn(studies: &[Study], ranks: &BTreeMap<&str, usize>, test: f64, validation: f64) -> Result<Partition> {
    let tests = share(ranks.len(), test);
    let validations = share(ranks.len() - tests, validation);
    let part = |wanted: usize| -> Vec<usize> {
        let is_in = |&index: &usize| {
            let rank = ranks[studies[index].patient.as_str()];
            usize::from(rank >= tests) + usize::from(rank >= tests + validations) == wanted
        };
        (0..studies.len()).filter(is_in).collect()
    };
    let partition = Partition { test: part(0), validation: part(1), train: part(2) };
    match leaks(studies, &partition).first() {
        None => Ok(partition),
        Some(patient) => {
            Err(Error::Bug(format!("the patient {patient} was drawn into two parts of the split")))
        }
    }
}

/// The parts that a column names; every other value means training.
fn named(studies: &[Study], column: &str, test: &[String], validation: &[String]) -> Result<Partition> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut partition = Partition { train: vec![], validation: vec![], test: vec![] };
    for (index, study) in studies.iter().enumerate() {
        let fold = study.fold.as_deref().unwrap_or_default();
        *counts.entry(fold).or_default() += 1;
        let is_in = |values: &[String]| values.iter().any(|value| value == fold);
        match (is_in(test), is_in(validation)) {
            (true, _) => partition.test.push(index),
            (false, true) => partition.validation.push(index),
            (false, false) => partition.train.push(index),
        }
    }
    if let Some(absent) = test.iter().chain(validation).find(|value| !counts.contains_key(value.as_str())) {
        let known: Vec<String> = counts.iter().map(|(value, count)| format!("`{value}` ({count})")).collect();
        return Err(Error::Input(format!(
            "no case that can be used has `{absent}` in the column `{column}`; its values are {}",
            known.join(", ")
        )));
    }
    Ok(partition)
}

/// A part must hold a case, and of both classes if they are learned or judged.
fn check_part(name: &str, cases: &[usize], studies: &[Study], needs_both: bool) -> Result<()> {
    if cases.is_empty() {
        let patients = studies.iter().map(|study| study.patient.as_str()).collect::<BTreeSet<_>>().len();
        return Err(Error::Input(format!(
            "the {name} part of the split is empty; the data have {patients} patients: take more, or other shares or values"
        )));
    }
    // with findings, each of them needs both ([`check_finding`])
    let needs_both = needs_both && cases.iter().all(|&index| studies[index].findings.is_empty());
    // with several classes, each has to be there ([`check_class`])
    let is_two = cases.iter().all(|&index| matches!(studies[index].label, Class::Two(_)));
    let abnormal = cases.iter().filter(|&&index| studies[index].label.is_abnormal()).count();
    if needs_both && is_two && (abnormal == 0 || abnormal == cases.len()) {
        let class = if abnormal == 0 { "normal" } else { "abnormal" };
        let all = cases.len();
        return Err(Error::Input(format!(
            "all {all} {name} cases are {class}; take more studies, or another seed or other values of the split"
        )));
    }
    Ok(())
}

/// A part must hold a case of each of several classes.
fn check_class(part: &str, cases: &[usize], studies: &[Study], classes: &[String]) -> Result<()> {
    let is_absent =
        |place: &usize| cases.iter().all(|&index| studies[index].label != Class::at(*place, classes.len()));
    let Some(absent) = (0..classes.len()).find(is_absent) else { return Ok(()) };
    let (all, name) = (cases.len(), &classes[absent]);
    Err(Error::Input(format!(
        "none of the {all} {part} cases is {name}; leave it out of `classes`, or take more studies or another seed"
    )))
}

/// A part must hold a case that has a finding and one that does not.
fn check_finding(part: &str, cases: &[usize], studies: &[Study], (place, name): (usize, &str)) -> Result<()> {
    let counts = FindingCounts::of(name, place, cases.iter().map(|&index| &studies[index]));
    let lacking = match (counts.present, counts.absent) {
        (1.., 1..) => return Ok(()),
        (0, _) => "has",
        (_, 0) => "is known to lack",
    };
    let all = cases.len();
    Err(Error::Input(format!(
        "none of the {all} {part} cases {lacking} {name}; leave it out of `findings`, or take more studies or another seed"
    )))
}

/// The patients that have studies in more than one part.
pub fn leaks<'s>(studies: &'s [Study], partition: &Partition) -> Vec<&'s str> {
    // a bit for each part
    let mut parts: BTreeMap<&str, u8> = BTreeMap::new();
    for (part, cases) in [&partition.train, &partition.validation, &partition.test].into_iter().enumerate() {
        for &index in cases {
            *parts.entry(&studies[index].patient).or_default() |= 1 << part;
        }
    }
    parts.into_iter().filter(|(_, parts)| parts.count_ones() > 1).map(|(patient, _)| patient).collect()
}

/// A share of a count, rounded.
fn share(count: usize, share: f64) -> usize {
    (count as f64 * share).round() as usize
}
