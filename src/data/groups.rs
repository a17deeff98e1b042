//! The groups that a case is in: by view, by age band, by any column of a manifest. A model may serve one of
//! them worse than its mean shows.

use std::collections::HashSet;
use std::sync::Arc;

use super::Groups;
use super::table::{Row, Table};
use crate::Result;
use crate::spec::is_age;

/// The name of the groups by projection.
pub(super) const VIEW: &str = "view";
/// The value where none is given.
const UNKNOWN: &str = "unknown";
/// Most years that are taken for an age.
const OLDEST: f64 = 125.0;

/// The group by projection, where one is given.
pub(super) fn view(view: &str) -> (String, String) {
    (VIEW.to_string(), known(view))
}

/// The group by age, in years.
pub(super) fn age(years: f64) -> (String, String) {
    let bands = [(18.0, "0-17"), (40.0, "18-39"), (60.0, "40-59"), (80.0, "60-79"), (OLDEST, "80+")];
    let band = bands.iter().find(|(end, _)| (0.0..*end).contains(&years)).map_or(UNKNOWN, |(_, band)| *band);
    ("age band".to_string(), band.to_string())
}

fn known(value: &str) -> String {
    if value.is_empty() { UNKNOWN } else { value }.to_string()
}

/// Groups that studies share: of millions of studies, few differ in all their groups.
#[derive(Default)]
pub(super) struct SharedGroups(HashSet<Groups>);

impl SharedGroups {
    /// The groups, shared with the studies before that are in the same.
    pub(super) fn of(&mut self, groups: &[(String, String)]) -> Groups {
        if let Some(known) = self.0.get(groups) {
            return Arc::clone(known);
        }
        let groups: Groups = groups.into();
        self.0.insert(Arc::clone(&groups));
        groups
    }
}

/// A column of a manifest that groups the cases.
pub(super) struct Grouping {
    name: String,
    column: usize,
    /// It holds ages: it is called so, and all its values are numbers.
    is_age: bool,
}

impl Grouping {
    pub(super) fn new(table: &Table, name: &str) -> Result<Self> {
        let column = table.column(name)?;
        let is_number = |value: &str| value.is_empty() || years(value).is_some();
        let is_age = is_age(name) && table.rows().all(|row| is_number(row.value(column)));
        Ok(Self { name: name.to_string(), column, is_age })
    }

    /// The group of a row.
    pub(super) fn of(&self, row: Row<'_>) -> (String, String) {
        let value = row.value(self.column);
        if self.is_age { age(years(value).unwrap_or(-1.0)) } else { (self.name.clone(), known(value)) }
    }
}

/// An age in years, also as DICOM writes it: `058Y`, `011M`, `003W`, `012D` (PS3.5 section 6.2).
fn years(value: &str) -> Option<f64> {
    let units = [('Y', 1.0), ('M', 12.0), ('W', 52.0), ('D', 365.0)];
    let unit = value.chars().last().map(|letter| letter.to_ascii_uppercase());
    let (letter, a_year) = units.into_iter().find(|(letter, _)| Some(*letter) == unit).unzip();
    let number = if letter.is_some() { &value[..value.len() - 1] } else { value };
    number.parse().ok().map(|number: f64| number / a_year.unwrap_or(1.0))
}
