//! Patterns ([`crate::spec::pattern`]) over the columns of a table.

use super::SharedText;
use super::cells::Missing;
use super::table::{Row, Table};
use crate::spec::pattern::{Piece, pieces};
use crate::{Error, Result};

/// A pattern over the columns of a table.
#[derive(Debug)]
pub(super) struct Pattern {
    places: Vec<Found>,
}

#[derive(Debug)]
enum Found {
    Text(String),
    Column(usize, Option<usize>),
}

impl Pattern {
    /// Finds its columns.
    pub(super) fn find(pattern: &str, table: &Table) -> Result<Self> {
        let found = |piece| match piece {
            Piece::Text(text) => Ok(Found::Text(text)),
            Piece::Column(name, length) => Ok(Found::Column(table.column(&name)?, length)),
        };
        let places = pieces(pattern).map_err(Error::Input)?.into_iter().map(found);
        Ok(Self { places: places.collect::<Result<_>>()? })
    }

    /// The places of its columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        self.places.iter().filter_map(|piece| match piece {
            Found::Column(place, _) => Some(*place),
            Found::Text(_) => None,
        })
    }

    /// Its text for a row; empty where one of its columns is, None where one is missing.
    pub(super) fn of(&self, row: Row<'_>, missing: Missing<'_>) -> Option<SharedText> {
        if let [Found::Column(place, None)] = self.places[..] {
            return missing.value(row, place).map(|_| row.shared(place));
        }
        let mut text = String::new();
        for piece in &self.places {
            match piece {
                Found::Text(own) => text.push_str(own),
                Found::Column(place, length) => match missing.value(row, *place)? {
                    "" => return Some(SharedText::default()),
                    value => text.extend(value.chars().take(length.unwrap_or(usize::MAX))),
                },
            }
        }
        Some(text.into())
    }
}
