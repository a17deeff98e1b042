//! What is known of each finding in each study, and how the columns of a manifest say it.
//!
//! An uncertain or an empty label is left out, or taken for one of the two, as the spec says ([`Taken`]); what was left
//! out or taken is counted, since it decides the prevalence.

use std::collections::BTreeMap;

use super::Study;
use super::cells::Missing;
use super::table::{Row, Table};
use crate::spec::{FindingColumns, Taken, suggest};
use crate::{Error, Result};

/// What the labels say of a finding in a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is there.
    Present,
    /// It is not.
    Absent,
    /// The label is uncertain and left out.
    Uncertain,
    /// There is no label, and none is assumed.
    Empty,
}

impl Presence {
    /// Whether the finding is present; None if the label does not say.
    pub fn known(self) -> Option<bool> {
        match self {
            Self::Present => Some(true),
            Self::Absent => Some(false),
            Self::Uncertain | Self::Empty => None,
        }
    }

    /// What two rows of a case mean together: what either says that is there is there, and a doubt is a doubt.
    pub(super) fn or(self, other: Self) -> Self {
        let order = [Self::Present, Self::Uncertain, Self::Absent];
        order.into_iter().find(|one| *one == self || *one == other).unwrap_or(Self::Empty)
    }

    /// A character for each, in digests and evidence.
    pub fn letter(self) -> char {
        match self {
            Self::Present => '1',
            Self::Absent => '0',
            Self::Uncertain => '?',
            Self::Empty => '-',
        }
    }

    /// Of its character.
    pub fn of_letter(letter: char) -> Option<Self> {
        [Self::Present, Self::Absent, Self::Uncertain, Self::Empty]
            .into_iter()
            .find(|presence| presence.letter() == letter)
    }
}

/// What is known of a finding over some studies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingCounts {
    /// Its name.
    pub name: String,
    /// Studies that have it.
    pub present: usize,
    /// Studies that do not.
    pub absent: usize,
    /// Studies that are left out because the label is uncertain.
    pub uncertain: usize,
    /// Studies that are left out because there is no label.
    pub empty: usize,
}

impl FindingCounts {
    /// Of a finding, by its place among those of a data set.
    pub fn of<'s>(name: &str, place: usize, studies: impl IntoIterator<Item = &'s Study>) -> Self {
        let mut counts = Self { name: name.to_string(), present: 0, absent: 0, uncertain: 0, empty: 0 };
        for presence in studies.into_iter().filter_map(|study| study.findings.get(place)) {
            match presence {
                Presence::Present => counts.present += 1,
                Presence::Absent => counts.absent += 1,
                Presence::Uncertain => counts.uncertain += 1,
                Presence::Empty => counts.empty += 1,
            }
        }
        counts
    }
}

/// What the labels of a manifest are.
#[derive(Clone, Copy)]
pub(super) struct FindingReader<'a> {
    pub(super) columns: &'a FindingColumns,
    pub(super) positive: &'a [String],
    pub(super) negative: &'a [String],
    /// Rows with one of these are left out.
    pub(super) leave_out: &'a [String],
    /// The mark between the findings of a list.
    pub(super) separator: Option<&'a str>,
    pub(super) missing: Missing<'a>,
}

/// Where the labels are.
pub(super) struct FindingPlaces {
    /// The column of each finding; the column of the list for all.
    each: Vec<usize>,
    none: Option<usize>,
}

impl FindingPlaces {
    /// Every column that is read.
    pub(super) fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.each.iter().copied().chain(self.none)
    }
}

impl<'a> FindingReader<'a> {
    /// The names of the columns that it reads beside the label column.
    pub(super) fn columns(&self) -> Vec<&'a String> {
        if self.columns.is_list {
            return vec![];
        }
        let named = self.columns.named.iter().map(|(_, column)| column);
        named.chain(&self.columns.none).collect()
    }

    /// Finds the columns; `list` is the label column.
    ///
    /// # Errors
    /// A column is not there, or no row lists one of the findings.
    pub(super) fn places(self, table: &Table, list: &str) -> Result<FindingPlaces> {
        let FindingColumns { named, is_list, none, .. } = self.columns;
        let column = |(_, column): &(String, String)| table.column(if *is_list { list } else { column });
        let each = named.iter().map(column).collect::<Result<Vec<usize>>>()?;
        // a list says that there is none in itself
        let none = none.as_deref().filter(|_| !is_list).map(|name| table.column(name)).transpose()?;
        let places = FindingPlaces { each, none };
        self.check_words(table, &places)?;
        Ok(places)
    }

    /// A word that no list holds would be absent from every study.
    fn check_words(self, table: &Table, places: &FindingPlaces) -> Result<()> {
        let (true, Some(&column)) = (self.columns.is_list, places.each.first()) else { return Ok(()) };
        let mut known: Vec<&str> = table.rows().flat_map(|row| self.words(row, column)).collect();
        known.sort_unstable();
        known.dedup();
        let is_known = |word: &str| known.binary_search(&word).is_ok();
        let words = self.columns.named.iter().map(|(_, word)| word).chain(&self.columns.none);
        let Some(absent) = words.flat_map(|word| self.any_of(word)).find(|word| !is_known(word)) else {
            return Ok(());
        };
        let column = table.names().nth(column).unwrap_or_default();
        Err(Error::Input(format!(
            "no row of {} lists `{absent}` in the column `{column}`; {}",
            table.file(),
            suggest(absent, &known)
        )))
    }

    /// The words of a list; the brackets and quotes of a list as Python writes it are no part of them.
    fn words(self, row: Row<'a>, column: usize) -> Vec<&'a str> {
        let cell = self.missing.value(row, column).unwrap_or_default();
        let mark = self.separator.unwrap_or("|");
        let is_frame = |c: char| c.is_whitespace() || "[]'\"".contains(c);
        cell.split(mark).map(|word| word.trim_matches(is_frame)).filter(|word| !word.is_empty()).collect()
    }

    /// The words of which any means a finding: the mark of the list stands between them, since no word holds it.
    fn any_of(self, words: &'a str) -> impl Iterator<Item = &'a str> {
        words.split(self.separator.unwrap_or("|")).map(str::trim)
    }

    /// What a row says of each finding, or why it is left out.
    ///
    /// # Errors
    /// A label is not known, or is uncertain or empty and the spec does not say what that means.
    pub(super) fn read(
        self,
        row: Row<'a>,
        places: &FindingPlaces,
    ) -> Result<std::result::Result<Vec<Presence>, String>> {
        if self.columns.is_list {
            return self.of_list(row, places);
        }
        let value = |column| self.missing.value(row, column).unwrap_or_default();
        let is_none = places.none.is_some_and(|column| self.positive.iter().any(|one| one == value(column)));
        let mut all = Vec::with_capacity(places.each.len());
        for ((name, _), &column) in self.columns.named.iter().zip(&places.each) {
            let value = value(column);
            if !value.is_empty() && self.leave_out.iter().any(|one| one == value) {
                return Ok(Err(format!("with the label `{value}`")));
            }
            all.push(match value {
                "" if is_none && !self.columns.apart.contains(name) => Presence::Absent,
                "" => self.empty(row, name)?,
                value => self.of_value(row, name, value)?,
            });
        }
        Ok(Ok(all))
    }

    fn of_list(
        self,
        row: Row<'a>,
        places: &FindingPlaces,
    ) -> Result<std::result::Result<Vec<Presence>, String>> {
        let words = places.each.first().map_or(vec![], |&column| self.words(row, column));
        if let Some(word) = words.iter().find(|word| self.leave_out.iter().any(|one| one == *word)) {
            return Ok(Err(format!("with the label `{word}`")));
        }
        let named = &self.columns.named;
        if words.is_empty() {
            return Ok(Ok(named.iter().map(|(name, _)| self.empty(row, name)).collect::<Result<_>>()?));
        }
        let holds = |word: &'a String| self.any_of(word).any(|word| words.contains(&word));
        let is_there =
            |(_, word): &'a (String, String)| if holds(word) { Presence::Present } else { Presence::Absent };
        if let (Some(none), Some((_, word))) = (
            self.columns.none.as_ref().filter(|none| holds(none)),
            named.iter().find(|(_, word)| holds(word)),
        ) {
            return Err(row.fault(format!("the label lists `{none}` and `{word}`; correct the row")));
        }
        Ok(Ok(named.iter().map(is_there).collect()))
    }

    fn of_value(self, row: Row<'_>, name: &str, value: &str) -> Result<Presence> {
        let is_in = |list: &[String]| list.iter().any(|one| one == value);
        match (is_in(self.positive), is_in(self.negative), is_in(&self.columns.unsure)) {
            (true, false, false) => Ok(Presence::Present),
            (false, true, false) => Ok(Presence::Absent),
            (false, false, true) => match self.columns.uncertain {
                Some(taken) => Ok(as_taken(taken, Presence::Uncertain)),
                None => Err(row.fault(format!(
                    "the label `{value}` of {name} is uncertain; say in the data block what that means: `uncertain: leave \
                     out`, `positive` or `negative`"
                ))),
            },
            (false, false, false) => Err(row.fault(format!(
                "the label `{value}` of {name} is not known (positive: {}; negative: {}; unsure: {}); add it to one of these \
                 in the data block",
                self.positive.join(", "),
                self.negative.join(", "),
                self.columns.unsure.join(", ")
            ))),
            (true, true, _) | (true, _, true) | (_, true, true) => {
                Err(row.fault(format!("the spec gives the label `{value}` two meanings; keep it in one list")))
            }
        }
    }

    fn empty(self, row: Row<'_>, name: &str) -> Result<Presence> {
        match self.columns.empty {
            Some(taken) => Ok(as_taken(taken, Presence::Empty)),
            None => Err(row.fault(format!(
                "the label of {name} is empty; say in the data block what that means: `empty: negative` or `leave out`"
            ))),
        }
    }

    /// How many labels are taken for something else, a sentence a finding.
    pub(super) fn remarks(self, table: &'a Table, places: &FindingPlaces) -> Vec<String> {
        if self.columns.is_list {
            return self.other_words(table, places).into_iter().collect();
        }
        let mut remarks = Vec::new();
        for ((name, _), &column) in self.columns.named.iter().zip(&places.each) {
            let values = || table.rows().map(|row| self.missing.value(row, column).unwrap_or_default());
            let is_unsure = |value: &&str| self.columns.unsure.iter().any(|one| one == value);
            for (what, count, taken) in [
                ("uncertain", values().filter(is_unsure).count(), self.columns.uncertain),
                ("empty", values().filter(|value| value.is_empty()).count(), self.columns.empty),
            ] {
                let word = match taken {
                    Some(Taken::Positive) => "present",
                    Some(Taken::Negative) => "absent",
                    Some(Taken::LeaveOut) | None => continue, // these are counted as left out
                };
                if count > 0 {
                    remarks.push(format!("{name}: {count} {what} labels are taken for {word}"));
                }
            }
        }
        remarks
    }

    /// The words of a list that are none of the findings.
    fn other_words(self, table: &'a Table, places: &FindingPlaces) -> Option<String> {
        const SHOWN: usize = 5;
        let column = *places.each.first()?;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for word in table.rows().flat_map(|row| self.words(row, column)) {
            *counts.entry(word).or_default() += 1;
        }
        counts.retain(|word, _| {
            self.columns
                .named
                .iter()
                .map(|(_, known)| known)
                .chain(&self.columns.none)
                .flat_map(|known| self.any_of(known))
                .all(|known| known != *word)
        });
        let mut most: Vec<(&str, usize)> = counts.into_iter().collect();
        most.sort_by_key(|(word, count)| (std::cmp::Reverse(*count), *word));
        let shown: Vec<String> =
            most.iter().take(SHOWN).map(|(word, count)| format!("`{word}` {count}")).collect();
        let column = table.names().nth(column).unwrap_or_default();
        let more = if most.len() > SHOWN { ", …" } else { "" };
        (!most.is_empty()).then(|| {
            format!(
                "`{column}` lists {} words that are none of the findings ({}{more})",
                most.len(),
                shown.join(", ")
            )
        })
    }
}

fn as_taken(taken: Taken, left_out: Presence) -> Presence {
    match taken {
        Taken::LeaveOut => left_out,
        Taken::Positive => Presence::Present,
        Taken::Negative => Presence::Absent,
    }
}
