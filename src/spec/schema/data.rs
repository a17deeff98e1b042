//! The `data` block of the schema.

use serde_json::{Value, json};

use super::super::{MISSED, PhantomFinding, Taken, keys};
use super::parts::{choice, described, integer, list, named, object, path, real, text};

pub(super) fn data() -> Value {
    let source = choice(&keys::SOURCES, |source| match source {
        "phantom" => described(
            object(&keys::PHANTOM, &["studies"], phantom),
            "Drawn from a seed: two views and a report in three sections, with lesions and label noise.",
        ),
        "iu_xray" => described(
            object(&keys::IU_XRAY, &["folder"], iu_xray),
            "The Indiana University collection in the Kaggle layout: indiana_reports.csv, indiana_projections.csv and images/images_normalized/.",
        ),
        "manifest" => described(
            object(&keys::MANIFEST, &["file", "columns"], manifest),
            "A CSV file with a row a study; image paths in it are relative to its folder.",
        ),
        _ => Value::Null,
    });
    described(source, "Where the studies come from: one of phantom, iu_xray and manifest.")
}

fn phantom(key: &str) -> Value {
    match key {
        "studies" => integer("Number of studies.", 20, Some(100_000), None),
        "seed" => integer("Seed of the generator.", 0, None, Some(0)),
        "label_noise" => real("Share of wrong labels.", 0.0, 0.5, &[0.02]),
        "missed" => {
            let mut schema = real("Share of the lesions that the reports miss.", 0.0, 0.4, &[0.25]);
            schema["default"] = json!((MISSED * 1e4).round() / 1e4);
            schema
        }
        "findings" => {
            let names: Vec<&str> = PhantomFinding::ALL.iter().map(|finding| finding.name()).collect();
            described(
                list(&json!({"enum": names}), 1),
                "The findings that the models are asked about; without them, whether a study is abnormal.",
            )
        }
        "unlabelled" => real("Share of the labels of findings that are not known.", 0.0, 0.9, &[0.1]),
        _ => both(key),
    }
}

fn iu_xray(key: &str) -> Value {
    match key {
        "folder" => path("The folder with indiana_reports.csv.", "iu_xray"),
        _ => both(key),
    }
}

fn taken(description: &str, choices: &[Taken]) -> Value {
    json!({"description": description, "enum": choices.iter().map(|taken| taken.name()).collect::<Vec<_>>()})
}

fn manifest(key: &str) -> Value {
    let values = |description: &str, usual: &[&str]| {
        let mut schema = list(&json!({"type": ["string", "number", "boolean"]}), 0);
        schema["default"] = json!(usual);
        described(schema, description)
    };
    match key {
        "file" => path("The CSV file.", "cases.csv"),
        "columns" => described(object(&keys::COLUMNS, &[], column), "Which column holds what."),
        "findings" => json!({
            "description": "The findings that the models are asked about, each with its column, or with its word in the label column where `separator` says that this lists them.",
            "anyOf": [
                named(&text("The column, or the word in the list.", &["Pleural Effusion"]), "By the name that sentences use."),
                list(&text("A column, or a word in the list.", &["Effusion"]), 1),
            ],
        }),
        "unsure" => values("Values that mean that a finding is uncertain.", &["-1", "-1.0"]),
        "uncertain" => taken("What an uncertain label is taken for.", &Taken::OF_UNCERTAIN),
        "empty" => taken("What an empty label is taken for.", &Taken::OF_EMPTY),
        "none" => text(
            "The column that says that there is no finding: where it is positive, empty labels mean absent.",
            &["No Finding"],
        ),
        "positive" => values("Values of the label column that mean abnormal.", &["1"]),
        "negative" => values("Values of the label column that mean normal.", &["0"]),
        "leave_out" => values("Values of the label column whose rows are left out and counted.", &[]),
        "separator" => text("What stands between the findings of a label that lists several.", &["|"]),
        "missing" => values("Words that mean that nothing is there; whole cells of any column.", &[]),
        "literal" => values("Words that look like missing values and are text.", &[]),
        _ => both(key),
    }
}

/// Keys of several sources.
fn both(key: &str) -> Value {
    match key {
        "bits" => integer(
            "Bits of the images' values that hold the picture, where their files do not say so.",
            1,
            Some(16),
            None,
        ),
        "views" => json!({
            "description": "Which views the image models read; a study that lacks one is left out and counted.",
            "enum": ["both", "frontal", "none"],
        }),
        "sections" => json!({
            "description": "Sections of the report that are read, in order.",
            "type": "array", "minItems": 1, "uniqueItems": true,
            "items": {"enum": ["indication", "findings", "impression"]},
        }),
        _ => Value::Null,
    }
}

fn column(key: &str) -> Value {
    let of = |what: &str, example: &str| text(&format!("The column with {what}."), &[example]);
    match key {
        "id" => of("the study's identifier (`case` if none is named)", "case"),
        "patient" => of("the patient's identifier (`patient` if none is named)", "patient"),
        "label" => of("the label (`label` if none is named)", "label"),
        "frontal" => of("the path of the frontal image", "frontal"),
        "lateral" => of("the path of the lateral image", "lateral"),
        "indication" => of("the report's indication", "indication"),
        "findings" => of("the report's findings, or the whole report", "report"),
        "impression" => of("the report's impression", "impression"),
        "view" => of("the projection, such as PA or AP; it groups the cases", "view"),
        "mask" => of("the path of a lesion mask of the frontal image", "mask"),
        "groups" => described(
            list(&text("A column's name.", &["sex"]), 0),
            "Further columns whose values group the cases, for `in every sex`; an age groups them by bands.",
        ),
        _ => Value::Null,
    }
}
