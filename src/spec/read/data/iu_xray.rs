//! The source `iu_xray`: the Indiana University collection.

use std::path::PathBuf;

use super::ModelInputs;
use super::images::{self, chosen, usual_views};
use super::sections::{self, SECTIONS};
use crate::spec::node::Node;
use crate::spec::table::{needed, path, table};
use crate::spec::{Data, Section, Views};

table! {
    /// The source `iu_xray`.
    IuXray {
        folder: PathBuf = needed("The folder with indiana_reports.csv.", path("iu_xray"), "iu_xray"),
        sections: Option<Vec<Section>> = sections::sections(),
        views: Option<Views> = images::views(),
        bits: Option<u8> = images::bits(),
    }
}

pub(super) fn read(node: &Node<'_>, models: &[ModelInputs]) -> Option<Data> {
    let IuXray { folder, sections, views, bits } = IuXray::read(node)?;
    Some(Data::IuXray {
        folder: folder.value?,
        sections: sections.value?.unwrap_or_else(|| SECTIONS.map(|(_, section)| section).to_vec()),
        views: chosen(&views).unwrap_or_else(|| usual_views(models)),
        bits: bits.value?,
    })
}
