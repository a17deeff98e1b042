//! The source `manifest`: a CSV file with a row a study.

use std::path::PathBuf;

use super::cells::CELLS;
use super::columns::{self, ColumnNames, column_of};
use super::display::{self, Display};
use super::images::{self, chosen};
use super::labels::{self, check_labels};
use super::sections::{self, SECTIONS};
use super::{ModelInputs, classes, findings, layout};
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{block, needed, needed_block, optional, path, table, text, usual, word};
use crate::spec::{Columns, Data, Join, Layout, Privacy, Rows, Section, Taken, Views};

table! {
    /// The source `manifest`.
    Manifest {
        file: PathBuf = needed("The CSV file.", path("cases.csv"), "cases.csv"),
        also: Option<Vec<PathBuf>> = optional(
            "More CSV files with the same columns, whose rows follow. The column `file` then holds the name of a row's \
             file, so that the split can name them.",
            layout::FILES,
        ),
        columns: () = needed_block(
            "Which column holds what.",
            |about, names| parts::described(ColumnNames::schema(names), about),
            "{id: case, patient: patient, label: label, findings: report}",
        ),
        findings: () = block(
            "The findings that the models are asked about, each with its column, or with its word in the label column where `separator` says that this lists them.",
            findings::schema_of_manifest,
        ),
        classes: () = block(
            "The exclusive classes, if there are more than two: each by its value of the label column, or by a name with its value.",
            classes::schema_of_manifest,
        ),
        unsure: Option<Vec<String>> =
            optional("Values that mean that a finding is uncertain (`-1` and `-1.0` if none are named).", CELLS),
        uncertain: Option<Taken> = optional(
            "What an uncertain label is taken for.",
            word("reading of an uncertain label", &findings::OF_UNCERTAIN),
        ),
        empty: Option<Taken> = optional(
            "What an empty label is taken for.",
            word("reading of an empty label", &findings::OF_EMPTY),
        ),
        none: Option<String> = optional(
            "The column that says that there is no finding: where it is positive, empty labels mean absent.",
            text(&["No Finding"]),
        ),
        apart: () = block(
            "The findings about which `none` says nothing, such as devices.",
            findings::schema_of_apart,
        ),
        positive: Vec<String> = labels::positive(),
        negative: Vec<String> = labels::negative(),
        leave_out: Vec<String> = labels::leave_out(),
        separator: Option<String> = labels::separator(),
        missing: Vec<String> =
            usual("Words that mean that nothing is there; whole cells of any column.", CELLS, vec![]),
        literal: Vec<String> = usual("Words that look like missing values and are text.", CELLS, vec![]),
        sections: Option<Vec<Section>> = sections::sections(),
        views: Option<Views> = images::views(),
        bits: Option<u8> = images::bits(),
        parts: Option<Vec<(String, String)>> = optional(
            "Columns made of the parts of another: its name, and the pattern of its values with the new columns in braces.",
            layout::PARTS,
        ),
        join: Option<Vec<Join>> =
            optional("Tables whose columns are added, one after the other.", layout::JOINS),
        r#where: Option<Vec<(String, Vec<String>)>> = layout::kept(),
        rows: Option<Rows> = optional(
            "What several rows of a case mean: `one` refuses them, `any` gives the case what any of them has, and \
             `majority` what most readers say, who are named by a column.",
            layout::ROWS,
        ),
        ids: bool = display::ids(false),
        ..display: Display,
    }
}

pub(super) fn read(node: &Node<'_>, _: &[ModelInputs]) -> Option<Data> {
    let table = Manifest::read(node)?;
    let columns = columns::read(table.columns.node.as_ref()?)?;
    let findings = findings::of_manifest(&table)?;
    let classes = classes::of_manifest(&table)?;
    if let (Some(_), Some(Some(Rows::Majority { .. })), Some(node)) =
        (&findings, &table.rows.value, &table.rows.node)
    {
        let help = "say `rows: any`, or keep one row a case".to_string();
        node.fault("a majority of readers is not taken finding by finding", help);
    }
    let sections = sections_of(&table, &columns)?;
    let views = views_of(node, &table, &columns);
    let (is_positive, is_negative) = (table.positive.is_given(), table.negative.is_given());
    let (mut positive, mut negative) = (table.positive.value?, table.negative.value?);
    if findings.is_some() {
        // data frames write the numbers of columns with holes as 1.0
        positive.extend((!is_positive).then(|| "1.0".to_string()));
        negative.extend((!is_negative).then(|| "0.0".to_string()));
    }
    let leave_out = table.leave_out.value?;
    check_labels(node, &[("positive", &positive), ("negative", &negative), ("leave_out", &leave_out)]);
    Some(Data::Manifest {
        file: table.file.value?,
        columns,
        findings,
        positive,
        negative,
        leave_out,
        classes,
        separator: table.separator.value?,
        missing: table.missing.value?,
        literal: table.literal.value?,
        sections,
        views,
        bits: table.bits.value?,
        layout: Box::new(Layout {
            also: table.also.value?.unwrap_or_default(),
            dicom: None,
            joins: table.join.value?.unwrap_or_default(),
            parts: table.parts.value?.unwrap_or_default(),
            only: table.r#where.value?.unwrap_or_default(),
            rows: table.rows.value?.unwrap_or_default(),
        }),
        window: table.display.window.value?.unwrap_or_default(),
        burned_in: table.display.burned_in.value?,
        privacy: Privacy { private_ids: table.ids.value?, shows_cases: table.display.cases.value? },
    })
}

/// The sections that the spec names, or all that have a column.
fn sections_of(table: &Manifest<'_>, columns: &Columns) -> Option<Vec<Section>> {
    let with_column = SECTIONS.iter().filter(|(_, section)| column_of(columns, *section).is_some());
    let all: Vec<Section> = with_column.map(|(_, section)| *section).collect();
    match (&table.sections.node, table.sections.value.clone()?) {
        (Some(node), Some(chosen)) => {
            if chosen.iter().any(|section| !all.contains(section)) {
                node.fault("a section here has no column", "name its column under `columns`".to_string());
            }
            Some(chosen)
        }
        (_, None) | (None, _) => Some(all),
    }
}

/// The views that the spec names, or all that have a column.
fn views_of(node: &Node<'_>, table: &Manifest<'_>, columns: &Columns) -> Views {
    let usual = match (&columns.frontal, &columns.lateral) {
        (Some(_), Some(_)) => Views::Both,
        (Some(_), None) => Views::Frontal,
        (None, _) => Views::None,
    };
    let views = chosen(&table.views).unwrap_or(usual);
    let lacks = (views != Views::None && columns.frontal.is_none())
        || (views == Views::Both && columns.lateral.is_none());
    if lacks {
        node.fault_of_key(
            "the manifest has no column for a view that is read".to_string(),
            Some(
                "name it under `columns`, such as `frontal: image`, or say `views: frontal` or `views: none`"
                    .into(),
            ),
        );
    }
    views
}
