//! Clusters of cases that are not independent: cases of one patient, and copies of each other.

use std::collections::HashMap;
use std::hash::Hash;

use crate::data::sets::Sets;
use crate::evidence::Case;

/// The cluster of each case, by what makes cases alike.
#[derive(Debug, Clone)]
pub(super) struct Clusters {
    /// By patient and by copied films.
    films: Vec<usize>,
    /// By patient and by copied reports.
    reports: Vec<usize>,
    /// By patient, copied films and copied reports.
    both: Vec<usize>,
}

impl Clusters {
    /// The clusters of cases.
    pub(super) fn of(cases: &[Case]) -> Self {
        let mut films = Sets::new(cases.len());
        join(&mut films, cases.iter().map(|case| Some(case.patient.as_str())));
        let mut reports = films.clone();
        join(&mut films, cases.iter().map(|case| case.twins.film));
        let mut both = films.clone();
        join(&mut reports, cases.iter().map(|case| case.twins.report));
        join(&mut both, cases.iter().map(|case| case.twins.report));
        Self { films: films.roots(), reports: reports.roots(), both: both.roots() }
    }

    /// The cluster of a case. `films`: a model reads films; `reports`: a model reads nothing but reports.
    pub(super) fn of_case(&self, place: usize, films: bool, reports: bool) -> usize {
        match (films, reports) {
            (true, true) => self.both[place],
            (true | false, false) => self.films[place],
            (false, true) => self.reports[place],
        }
    }
}

/// Joins the cases that share a key; those without a key stay as they are.
fn join<K: Hash + Eq>(sets: &mut Sets, keys: impl Iterator<Item = Option<K>>) {
    let mut first: HashMap<K, usize> = HashMap::new();
    for (place, key) in keys.enumerate() {
        if let Some(key) = key {
            sets.join(*first.entry(key).or_insert(place), place);
        }
    }
}
