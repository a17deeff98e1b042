//! Division by patient: a patient's studies are all in one part, since one study tells about the next.

use std::collections::{BTreeMap, BTreeSet};

use super::Study;
use crate::spec::{Parts, Spec, Split, Stop};
use crate::{Error, Result};

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
/// As for [`split()`].
pub fn divide(studies: &[Study], spec: &Spec) -> Result<Partition> {
    let mut partition = split(studies, &spec.split)?;
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

/// Divides the studies; deterministic, whatever their order in the file: the patients are ordered by a hash
/// of the seed and their name, the first are test patients and the next validate.
///
/// # Errors
/// A part would be empty, or training or test hold one class only.
pub fn split(studies: &[Study], split: &Split) -> Result<Partition> {
    let ranks = ranks(studies, split.seed);
    let Parts::Drawn { test, validation } = split.parts else {
        return Err(Error::Usage("a split by a column is not supported yet; write shares".to_string()));
    };
    let tests = share(ranks.len(), test);
    let validations = share(ranks.len() - tests, validation);
    let part = |wanted: usize| -> Vec<usize> {
        let is_in = |&index: &usize| {
            let rank = ranks[studies[index].patient.as_str()];
            usize::from(rank >= tests) + usize::from(rank >= tests + validations) == wanted
        };
        (0..studies.len()).filter(is_in).collect()
    };
    let mut partition = Partition { test: part(0), validation: part(1), train: part(2) };
    if let Some(most) = split.cases {
        draw(&mut partition.test, studies, &ranks);
        partition.test.truncate(most);
        partition.test.sort_unstable();
    }
    for (name, cases, needs_both) in [
        ("test", &partition.test, true),
        ("validation", &partition.validation, false),
        ("training", &partition.train, true),
    ] {
        let abnormal = cases.iter().filter(|&&index| studies[index].label).count();
        let patients = ranks.len();
        if cases.is_empty() {
            let why = format!(
                "the {name} part of the split is empty; {patients} patients are too few for its shares"
            );
            return Err(Error::Input(why));
        }
        if needs_both && (abnormal == 0 || abnormal == cases.len()) {
            let class = if abnormal == 0 { "normal" } else { "abnormal" };
            let why = format!(
                "all {} {name} cases are {class}; take more studies or another split seed",
                cases.len()
            );
            return Err(Error::Input(why));
        }
    }
    match leaks(studies, &partition).first() {
        None => Ok(partition),
        Some(patient) => Err(Error::Input(format!("the patient {patient} is in two parts of the split"))),
    }
}

/// The patients that have studies in more than one part.
pub fn leaks<'s>(studies: &'s [Study], partition: &Partition) -> Vec<&'s str> {
    let mut parts: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (part, cases) in [&partition.train, &partition.validation, &partition.test].into_iter().enumerate() {
        for &index in cases {
            parts.entry(&studies[index].patient).or_default().insert(part);
        }
    }
    parts.into_iter().filter(|(_, parts)| parts.len() > 1).map(|(patient, _)| patient).collect()
}

/// A share of a count, rounded.
fn share(count: usize, share: f64) -> usize {
    (count as f64 * share).round() as usize
}
