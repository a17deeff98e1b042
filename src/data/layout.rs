//! The table of a manifest as its layout makes it: columns of other tables joined, columns made of the parts of others,
//! and only the rows that are asked for. Of each file only the columns that something reads are kept.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::root::Folder;
use super::table::{Row, Table};
use super::{LeftOut, dicom_folder};
use crate::spec::{FILE_COLUMN, Join, Layout, pattern};
use crate::{Error, Result};

/// A table, and what was done to get it.
pub(super) struct Arranged {
    pub(super) table: Table,
    /// Rows that were dropped: reason and count.
    pub(super) left_out: LeftOut,
    /// The names of all columns of the files, those too that nothing reads.
    pub(super) header: Vec<String>,
}

/// Reads the table of a manifest. `read` are the columns and patterns that the cases are read from.
pub(super) fn arrange(
    root: &Folder,
    path: &Path,
    layout: &Layout,
    read: &BTreeSet<String>,
) -> Result<Arranged> {
    let mut wanted = BTreeSet::new();
    for pattern in read {
        wanted.extend(pattern::columns(pattern).map_err(Error::Input)?);
    }
    for (from, _) in &layout.parts {
        wanted.insert(from.clone());
    }
    wanted.extend(layout.joins.iter().flat_map(|join| join.on.iter().cloned()));
    wanted.extend(layout.only.iter().map(|(column, _)| column.clone()));
    if let Some(dicom) = &layout.dicom {
        wanted.insert(dicom.by.name().to_string());
    }
    let is_wanted = |name: &str| wanted.contains(name);
    let mut left_out = BTreeMap::new();
    let mut table = match &layout.dicom {
        None => read_all(root, path, &layout.also, &is_wanted)?,
        Some(dicom) => {
            let images = dicom_folder::table(&root.folder(&dicom.folder)?, &mut left_out)?;
            joined(images, path, &[dicom.by.name().to_string()], &is_wanted, &mut left_out)?
        }
    };
    let mut header = table.header().to_vec();
    for Join { file, on } in &layout.joins {
        table = joined(table, &root.file(file)?, on, &is_wanted, &mut left_out)?;
        header = table.header().to_vec();
    }
    for (from, pattern) in &layout.parts {
        table = divided(table, from, pattern)?;
    }
    if !layout.only.is_empty() {
        table = only(table, &layout.only, &mut left_out)?;
    }
    Ok(Arranged { table, left_out: left_out.into_iter().collect(), header })
}

/// The table of a file and of those that follow it. With further files, each row has the name of its file in the column
/// [`FILE_COLUMN`], so that the split can name them.
fn read_all(root: &Folder, path: &Path, also: &[PathBuf], is_wanted: &dyn Fn(&str) -> bool) -> Result<Table> {
    let mut table = Table::read_columns(path, is_wanted)?;
    if also.is_empty() {
        return Ok(table);
    }
    for file in also {
        table = table.followed_by(&Table::read_columns(&root.file(file)?, is_wanted)?)?;
    }
    if table.header().iter().any(|name| name == FILE_COLUMN) {
        return Err(Error::Input(format!(
            "{}:1: with `also`, medcert adds a column `{FILE_COLUMN}` with the name of each row's file, and there is \
             one already; rename it",
            path.display()
        )));
    }
    table.with(&[FILE_COLUMN.to_string()], |row| {
        Ok(Some(vec![row.file().file_name().unwrap_or_default().to_string_lossy().to_string().into()]))
    })
}

/// A table with the columns of another, where rows agree in the columns `on`. A row without a partner is dropped.
fn joined(
    table: Table,
    path: &Path,
    on: &[String],
    is_wanted: &dyn Fn(&str) -> bool,
    left_out: &mut BTreeMap<String, usize>,
) -> Result<Table> {
    let mut others: BTreeSet<String> = on.iter().cloned().collect();
    let known: BTreeSet<String> = table.names().map(str::to_string).collect();
    let other = Table::read_columns(path, &|name| {
        others.contains(name) || (is_wanted(name) && !known.contains(name))
    })?;
    let places = |table: &Table| on.iter().map(|name| table.column(name)).collect::<Result<Vec<usize>>>();
    let (own_places, other_places) = (places(&table)?, places(&other)?);
    others.extend(other.names().map(str::to_string));
    let added: Vec<(usize, String)> = other
        .names()
        .enumerate()
        .filter(|(_, name)| !on.iter().any(|key| key == name))
        .map(|(place, name)| (place, name.to_string()))
        .collect();
    let mut by_key: HashMap<String, Row<'_>> = HashMap::new();
    for row in other.rows() {
        if let Some(earlier) = by_key.insert(key(row, &other_places), row) {
            return Err(row.fault(format!(
                "this row has the same {} as {}; a table that is joined has one row for each",
                on.join(" and "),
                earlier.place()
            )));
        }
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy().to_string();
    let mut lonely = 0;
    let names: Vec<String> = added.iter().map(|(_, name)| name.clone()).collect();
    let table = table.with(&names, |row| {
        let Some(partner) = by_key.get(&key(row, &own_places)) else {
            lonely += 1;
            return Ok(None);
        };
        Ok(Some(added.iter().map(|(place, _)| Cow::from(partner.value(*place))).collect()))
    })?;
    if lonely > 0 {
        *left_out.entry(format!("without a row in {file}")).or_default() += lonely;
    }
    Ok(table)
}

/// What a row is found by. Files write one number as `7` and `7.0`, so that their values are compared as they are.
fn key(row: Row<'_>, places: &[usize]) -> String {
    places.iter().map(|&place| row.value(place)).collect::<Vec<_>>().join("\0")
}

/// A table with the parts of a column as columns of their own.
fn divided(table: Table, from: &str, pattern: &str) -> Result<Table> {
    let place = table.column(from)?;
    let names = pattern::columns(pattern).map_err(Error::Input)?;
    table.with(&names, |row| {
        let value = row.value(place);
        let parts = pattern::parts(pattern, value).ok_or_else(|| {
            row.fault(format!("`{value}` in the column `{from}` does not have the form `{pattern}`"))
        })?;
        Ok(Some(parts.into_iter().map(|part| Cow::from(part.to_string())).collect()))
    })
}

/// The rows that have one of the values in each of the columns.
fn only(
    table: Table,
    only: &[(String, Vec<String>)],
    left_out: &mut BTreeMap<String, usize>,
) -> Result<Table> {
    let places = only.iter().map(|(column, _)| table.column(column)).collect::<Result<Vec<usize>>>()?;
    let mut kept = 0;
    let mut dropped = vec![0; only.len()];
    let table = table.with(&[], |row| {
        let other = places.iter().zip(only).position(|(place, (_, values))| {
            let value = row.value(*place);
            !values.iter().any(|known| known == value)
        });
        match other {
            Some(column) => dropped[column] += 1,
            None => kept += 1,
        }
        Ok(other.is_none().then(Vec::new))
    })?;
    for ((column, values), count) in only.iter().zip(dropped).filter(|(_, count)| *count > 0) {
        *left_out.entry(format!("where `{column}` is not {}", values.join(" or "))).or_default() += count;
    }
    if kept == 0 {
        let asked: Vec<String> =
            only.iter().map(|(column, values)| format!("`{column}` is {}", values.join(" or "))).collect();
        return Err(Error::Input(format!(
            "no row of the manifest is one where {}; correct `where` in the data block",
            asked.join(" and ")
        )));
    }
    Ok(table)
}
