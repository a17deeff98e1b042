//! What a CSV file holds, column by column, before anyone has said what it means: for `medcert init`.

use std::collections::BTreeMap;
use std::path::Path;

use super::cells;
use super::table::Table;
use crate::Result;

/// Different values of a column that are kept.
const MOST_VALUES: usize = 20;
/// The mark between the findings of a label that lists several, as in NIH `ChestX-ray14`.
pub const SEPARATOR: char = '|';

/// A column of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// Rows in which it is not empty.
    pub filled: usize,
    /// Rows in which it is empty.
    pub empty: usize,
    /// Its first value that is not empty.
    pub first: String,
    /// Whether no value is there twice.
    pub is_unique: bool,
    /// Whether some of its values are lists with `|` between their items; [`Column::values`] are the items then.
    pub is_list: bool,
    /// Its different values with the number of rows of each, in order; none if there are more than twenty.
    pub values: Vec<(String, usize)>,
    /// Its values that often stand for a missing one, such as `nan`.
    pub missing: Vec<String>,
}

/// The columns of a file.
///
/// # Errors
/// It cannot be read, or is no CSV file with a header and a row.
pub fn glance(path: &Path) -> Result<Vec<Column>> {
    let table = Table::read(path)?;
    let column = |(place, name): (usize, &str)| {
        let mut whole: BTreeMap<&str, usize> = BTreeMap::new();
        let mut items: BTreeMap<&str, usize> = BTreeMap::new();
        let mut column = Column { name: name.to_string(), ..Column::default() };
        for value in table.rows().map(|row| row.value(place)) {
            if value.is_empty() {
                column.empty += 1;
                continue;
            }
            if column.filled == 0 {
                column.first = value.to_string();
            }
            column.filled += 1;
            column.is_list |= value.contains(SEPARATOR);
            *whole.entry(value).or_default() += 1;
            if items.len() <= MOST_VALUES {
                for item in value.split(SEPARATOR).map(str::trim) {
                    *items.entry(item).or_default() += 1;
                }
            }
        }
        column.is_unique = whole.values().all(|count| *count == 1);
        column.missing =
            whole.keys().filter(|value| cells::is_missing(value)).map(ToString::to_string).collect();
        if items.len() <= MOST_VALUES {
            column.values = items.into_iter().map(|(value, count)| (value.to_string(), count)).collect();
        }
        column
    };
    Ok(table.names().enumerate().map(column).collect())
}
