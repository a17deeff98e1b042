//! The `data` block: where the studies come from, a source a file.

pub(super) mod cells;
mod classes;
mod columns;
mod dicom;
mod display;
mod findings;
mod images;
mod iu_xray;
mod labels;
mod layout;
mod manifest;
mod medmnist;
mod phantom;
mod sections;

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{About, Choice};
use crate::spec::{Data, ModelInputs, Views};

/// Reads the block of a source, for the models and what they read.
type ReadData = fn(&Node<'_>, &[ModelInputs]) -> Option<Data>;

/// The sources of data: a new one is a row, its table and its reader.
static SOURCES: [Choice<ReadData>; 5] = [
    Choice {
        name: "phantom",
        about: Cow::Borrowed(
            "Drawn from a seed: two views and a report in three sections, with lesions and label noise.",
        ),
        schema: phantom::Phantom::schema,
        read: phantom::read,
    },
    Choice {
        name: "iu_xray",
        about: Cow::Borrowed(
            "The Indiana University collection in the Kaggle layout: indiana_reports.csv, indiana_projections.csv and images/images_normalized/.",
        ),
        schema: iu_xray::IuXray::schema,
        read: iu_xray::read,
    },
    Choice {
        name: "manifest",
        about: Cow::Borrowed("A CSV file with a row a study; image paths in it are relative to its folder."),
        schema: manifest::Manifest::schema,
        read: manifest::read,
    },
    Choice {
        name: "medmnist",
        about: Cow::Borrowed(
            "An .npz file in MedMNIST's form: train_images, train_labels, and the same for val and test.",
        ),
        schema: medmnist::Medmnist::schema,
        read: medmnist::read,
    },
    Choice {
        name: "dicom",
        about: Cow::Borrowed("A folder with DICOM images, and a CSV file with their labels."),
        schema: dicom::Dicom::schema,
        read: dicom::read,
    },
];

/// The schema of the block.
pub(in crate::spec) fn schema(about: &str, names: About<'_>) -> Json {
    parts::described(Choice::schema(&SOURCES, names), about)
}

/// The data. `are_sound` says whether every model was read: what one with a fault reads is not known.
pub(super) fn read(node: &Node<'_>, models: &[ModelInputs], are_sound: bool) -> Option<Data> {
    let (source, choice) = Choice::of(node, "data source", &SOURCES)?;
    let data = (source.read)(&choice, models)?;
    if are_sound {
        check_use(&choice, &data, models);
    }
    Some(data)
}

/// Whether the data block has the key `findings` or `classes`, whatever its faults: sentences may then name some.
pub(super) fn names_answers(data: Option<&Node<'_>>) -> bool {
    let source = data.and_then(|data| data.value.as_mapping()?.values().next());
    source.is_some_and(|source| ["findings", "classes"].iter().any(|key| source.get(key).is_some()))
}

/// What the models read must be there.
fn check_use(node: &Node<'_>, data: &Data, models: &[ModelInputs]) {
    if let (Views::None, Some(ModelInputs { name, .. })) =
        (data.views(), models.iter().find(|model| model.image))
    {
        let help = "say `views: frontal` or `views: both`, or leave the model out".to_string();
        node.fault_of_key(format!("`{name}` reads images, and this data has none"), Some(help));
    }
    if let (Data::Medmnist { .. }, Some(ModelInputs { name, .. })) =
        (data, models.iter().find(|model| model.text))
    {
        let help = "leave the model out, or use a `manifest` with reports".to_string();
        node.fault_of_key(format!("`{name}` reads reports, and this data has none"), Some(help));
    }
    if let (Data::Manifest { sections, .. }, Some(ModelInputs { name, .. })) =
        (data, models.iter().find(|model| model.text))
        && sections.is_empty()
    {
        let help = "name the report's column under `columns`, such as `findings: report`".to_string();
        node.fault_of_key(
            format!("`{name}` reads reports, and the manifest has no column for one"),
            Some(help),
        );
    }
}
