//! What several rows of a case mean together: boxes of one finding each, or the words of several readers.

use std::collections::{BTreeMap, HashMap};

use super::table::Row;
use super::{SharedText, Study};
use crate::Result;
use crate::spec::Rows;

/// Cases that are gathered row by row, in the order of their first rows.
pub(super) struct Cases<'r> {
    rows: &'r Rows,
    studies: Vec<Study>,
    places: HashMap<SharedText, u32>,
    /// What each reader says of each case, where the readers are asked.
    readers: Vec<BTreeMap<String, bool>>,
    /// Whether identifiers may be written in a message.
    shows_ids: bool,
}

impl<'r> Cases<'r> {
    pub(super) fn new(rows: &'r Rows, shows_ids: bool) -> Self {
        Self { rows, studies: vec![], places: HashMap::new(), readers: vec![], shows_ids }
    }

    /// Adds what a row says. `reader` is who says so, where that is asked.
    pub(super) fn add(&mut self, study: Study, row: Row<'_>, reader: Option<&str>) -> Result<()> {
        let next = self.studies.len();
        // a table has at most a few million rows
        let place = *self.places.entry(study.id.clone()).or_insert(next as u32) as usize;
        if place == self.studies.len() {
            if let (Rows::Majority { .. }, Some(reader)) = (self.rows, reader) {
                self.readers.push(BTreeMap::from([(reader.to_string(), study.label.is_abnormal())]));
            }
            self.studies.push(study);
            return Ok(());
        }
        let known = &mut self.studies[place];
        let case = if self.shows_ids { format!("the case {}", known.id) } else { "this case".to_string() };
        if matches!(self.rows, Rows::One) {
            return Err(row.fault(format!(
                "{case} is in the file twice; keep one row a study, or say `rows: any` if each row says one finding"
            )));
        }
        if known.patient != study.patient {
            return Err(
                row.fault(format!("{case} has another patient in an earlier row; correct one of them"))
            );
        }
        match (self.rows, reader) {
            (Rows::Majority { .. }, Some(reader)) => {
                *self.readers[place].entry(reader.to_string()).or_default() |= study.label.is_abnormal();
            }
            (Rows::One | Rows::Any | Rows::Majority { .. }, _) => {
                known.label = known.label.max(study.label);
                for (known, other) in known.findings.iter_mut().zip(study.findings) {
                    *known = known.or(other);
                }
            }
        }
        Ok(())
    }

    /// The cases, and how many have as many readers for as against it and are left out.
    pub(super) fn finish(mut self) -> (Vec<Study>, usize) {
        let votes = |readers: &BTreeMap<String, bool>| {
            let positive = readers.values().filter(|says| **says).count();
            positive.cmp(&(readers.len() - positive))
        };
        let votes: Vec<std::cmp::Ordering> = self.readers.iter().map(votes).collect();
        for (study, vote) in self.studies.iter_mut().zip(&votes) {
            study.label = vote.is_gt().into();
        }
        let before = self.studies.len();
        let mut place = 0;
        self.studies.retain(|_| {
            place += 1;
            votes.get(place - 1).is_none_or(|vote| !vote.is_eq())
        });
        let undecided = before - self.studies.len();
        (self.studies, undecided)
    }
}
