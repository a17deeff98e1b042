//! What a CSV file holds, column by column, before anyone has said what it means: for `medcert init`.

use std::collections::BTreeMap;
use std::path::Path;

use super::table::Table;
use crate::Result;

/// Different values of a column that are kept.
const MOST_VALUES: usize = 20;

/// A column of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// Rows in which it is not empty.
    pub filled: usize,
    /// Its different values with the number of rows of each, in order; none if there are more than twenty.
    pub values: Vec<(String, usize)>,
}

/// The columns of a file.
///
/// # Errors
/// It cannot be read, or is no CSV file with a header and a row.
pub fn glance(path: &Path) -> Result<Vec<Column>> {
    let table = Table::read(path)?;
    let column = |(place, name): (usize, &str)| {
        let (mut filled, mut counts) = (0, BTreeMap::new());
        for value in table.rows().map(|row| row.value(place)).filter(|value| !value.is_empty()) {
            filled += 1;
            if counts.len() <= MOST_VALUES {
                *counts.entry(value.to_string()).or_insert(0) += 1;
            }
        }
        let values = if counts.len() > MOST_VALUES { vec![] } else { counts.into_iter().collect() };
        Column { name: name.to_string(), filled, values }
    };
    Ok(table.names().enumerate().map(column).collect())
}
