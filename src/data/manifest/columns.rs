//! Where in a manifest's table the columns are that its studies are read from.

use std::sync::Arc;

use super::Reading;
use crate::Result;
use crate::data::Decoding;
use crate::data::findings::FindingPlaces;
use crate::data::groups::Grouping;
use crate::data::pattern::Pattern;
use crate::data::table::Table;
use crate::spec::Rows;
use crate::spec::pattern::is_pattern;

/// Where the labels are.
pub(super) enum LabelPlaces {
    /// One column says whether the study is abnormal.
    Abnormal(usize),
    /// What says which findings it has.
    Findings(FindingPlaces),
}

/// The places of the columns that the spec names.
pub(super) struct Places {
    pub(super) id: Pattern,
    pub(super) patient: Pattern,
    pub(super) labels: LabelPlaces,
    pub(super) images: [Option<Pattern>; 3],
    pub(super) sections: [Option<SectionPlace>; 3],
    pub(super) view: Option<usize>,
    pub(super) fold: Option<usize>,
    pub(super) reader: Option<usize>,
    pub(super) groups: Vec<Grouping>,
    /// How masks are decoded. The spec's `bits` are those of pictures and do not apply to them.
    pub(super) mask_decoding: Arc<Decoding>,
}

/// Where a section of the report is.
pub(super) enum SectionPlace {
    /// In a column.
    Column(usize),
    /// In a text file that a pattern names.
    File(Pattern),
}

impl Places {
    /// Finds the columns.
    ///
    /// # Errors
    /// The table lacks one of them.
    pub(super) fn find(table: &Table, reading: Reading<'_>) -> Result<Self> {
        let Reading { columns, fold, layout, .. } = reading;
        let optional = |name: Option<&str>| name.map(|name| table.column(name)).transpose();
        let image =
            |name: &Option<String>| name.as_deref().map(|name| Pattern::find(name, table)).transpose();
        let section = |name: &Option<String>| -> Result<Option<SectionPlace>> {
            Ok(match name.as_deref() {
                None => None,
                Some(name) if is_pattern(name) => Some(SectionPlace::File(Pattern::find(name, table)?)),
                Some(name) => Some(SectionPlace::Column(table.column(name)?)),
            })
        };
        Ok(Self {
            id: Pattern::find(&columns.id, table)?,
            patient: Pattern::find(&columns.patient, table)?,
            labels: match reading.finding_reader() {
                None => LabelPlaces::Abnormal(table.column(&columns.label)?),
                Some(findings) => LabelPlaces::Findings(findings.places(table, &columns.label)?),
            },
            images: [image(&columns.frontal)?, image(&columns.lateral)?, image(&columns.mask)?],
            sections: [
                section(&columns.indication)?,
                section(&columns.findings)?,
                section(&columns.impression)?,
            ],
            view: optional(columns.view.as_deref())?,
            fold: optional(fold)?,
            reader: match &layout.rows {
                Rows::Majority { reader } => Some(table.column(reader)?),
                Rows::One | Rows::Any => None,
            },
            groups: columns.groups.iter().map(|name| Grouping::new(table, name)).collect::<Result<_>>()?,
            mask_decoding: Arc::default(),
        })
    }

    /// The columns in which a word such as `nan` may be no value.
    pub(super) fn checked(&self) -> Vec<usize> {
        let section = |place: &SectionPlace| match place {
            SectionPlace::Column(column) => vec![*column],
            SectionPlace::File(pattern) => pattern.columns().collect(),
        };
        let images = self.images.iter().flatten().flat_map(Pattern::columns);
        let sections = self.sections.iter().flatten().flat_map(section);
        let labels: Vec<usize> = match &self.labels {
            LabelPlaces::Abnormal(label) => vec![*label],
            LabelPlaces::Findings(findings) => findings.all().collect(),
        };
        let named = self.id.columns().chain(self.patient.columns()).chain(labels);
        let mut places: Vec<usize> = named.chain(images).chain(sections).collect();
        places.sort_unstable();
        places.dedup();
        places
    }
}
