//! The `data` block: phantom, the Indiana University layout, or a manifest.

use std::borrow::Cow;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::super::node::Node;
use super::super::schema::parts;
use super::super::table::{
    About, Choice, Entry, Own, block, needed, needed_block, optional, own, path, real, table, text, usual,
    whole, word,
};
use super::{findings, layout};
use crate::spec::{
    Columns, DICOM_FILE, DICOM_VIEW, Data, DicomFolder, DicomKey, Join, Layout, MISSED, ModelInputs, Privacy,
    Rows, Section, Taken, Views, Window, is_age,
};

const SECTIONS: [(&str, Section); 3] = [
    ("indication", Section::Indication),
    ("findings", Section::Findings),
    ("impression", Section::Impression),
];
const VIEWS: [(&str, Views); 3] = [("both", Views::Both), ("frontal", Views::Frontal), ("none", Views::None)];

/// Reads the block of a source, for the models and what they read.
type ReadData = fn(&Node<'_>, &[ModelInputs]) -> Option<Data>;

/// The sources of data: a new one is a row, its table and its reader.
static SOURCES: [Choice<ReadData>; 4] = [
    Choice {
        name: "phantom",
        about: Cow::Borrowed(
            "Drawn from a seed: two views and a report in three sections, with lesions and label noise.",
        ),
        schema: Phantom::schema,
        read: phantom,
    },
    Choice {
        name: "iu_xray",
        about: Cow::Borrowed(
            "The Indiana University collection in the Kaggle layout: indiana_reports.csv, indiana_projections.csv and images/images_normalized/.",
        ),
        schema: IuXray::schema,
        read: iu_xray,
    },
    Choice {
        name: "manifest",
        about: Cow::Borrowed("A CSV file with a row a study; image paths in it are relative to its folder."),
        schema: Manifest::schema,
        read: manifest,
    },
    Choice {
        name: "dicom",
        about: Cow::Borrowed("A folder with DICOM images, and a CSV file with their labels."),
        schema: Dicom::schema,
        read: dicom,
    },
];

table! {
    /// The source `phantom`.
    Phantom {
        studies: usize = needed("Number of studies.", whole(20, 100_000), "900"),
        seed: u64 = usual("Seed of the generator.", whole(0, u64::MAX), 0),
        label_noise: f64 = usual("Share of wrong labels.", real(0.0, 0.5, &[0.02]), 0.02),
        missed: f64 = usual("Share of the lesions that the reports miss.", real(0.0, 0.4, &[0.25]), MISSED),
        findings: () = block(
            "The findings that the models are asked about; without them, whether a study is abnormal.",
            findings::schema_of_phantom,
        ),
        unlabelled: f64 =
            usual("Share of the labels of findings that are not known.", real(0.0, 0.9, &[0.1]), 0.0),
        views: Option<Views> = optional(ABOUT_VIEWS, word("choice of views", &VIEWS)),
    }
}

table! {
    /// The source `iu_xray`.
    IuXray {
        folder: PathBuf = needed("The folder with indiana_reports.csv.", path("iu_xray"), "iu_xray"),
        sections: Option<Vec<Section>> = optional(ABOUT_SECTIONS, LIST_OF_SECTIONS),
        views: Option<Views> = optional(ABOUT_VIEWS, word("choice of views", &VIEWS)),
        bits: Option<u8> = optional(ABOUT_BITS, whole(1, 16)),
    }
}

table! {
    /// The source `manifest`.
    Manifest {
        file: PathBuf = needed("The CSV file.", path("cases.csv"), "cases.csv"),
        columns: () = needed_block(
            "Which column holds what.",
            |about, names| parts::described(ColumnNames::schema(names), about),
            "{id: case, patient: patient, label: label, findings: report}",
        ),
        findings: () = block(
            "The findings that the models are asked about, each with its column, or with its word in the label column where `separator` says that this lists them.",
            findings::schema_of_manifest,
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
        positive: Vec<String> =
            usual("Values of the label column that mean abnormal.", CELLS, vec!["1".to_string()]),
        negative: Vec<String> =
            usual("Values of the label column that mean normal.", CELLS, vec!["0".to_string()]),
        leave_out: Vec<String> =
            usual("Values of the label column whose rows are left out and counted.", CELLS, vec![]),
        separator: Option<String> = optional(
            "What stands between the findings of a label that lists several.",
            own(separator, |about| parts::text(about, &["|"])),
        ),
        missing: Vec<String> =
            usual("Words that mean that nothing is there; whole cells of any column.", CELLS, vec![]),
        literal: Vec<String> = usual("Words that look like missing values and are text.", CELLS, vec![]),
        sections: Option<Vec<Section>> = optional(ABOUT_SECTIONS, LIST_OF_SECTIONS),
        views: Option<Views> = optional(ABOUT_VIEWS, word("choice of views", &VIEWS)),
        bits: Option<u8> = optional(ABOUT_BITS, whole(1, 16)),
        parts: Option<Vec<(String, String)>> = optional(
            "Columns made of the parts of another: its name, and the pattern of its values with the new columns in braces.",
            layout::PARTS,
        ),
        join: Option<Vec<Join>> =
            optional("Tables whose columns are added, one after the other.", layout::JOINS),
        r#where: Option<Vec<(String, Vec<String>)>> = optional(ABOUT_WHERE, layout::ONLY),
        rows: Option<Rows> = optional(
            "What several rows of a case mean: `one` refuses them, `any` gives the case what any of them has, and \
             `majority` what most readers say, who are named by a column.",
            layout::ROWS,
        ),
        ids: bool = usual(ABOUT_IDS, layout::IDS, false),
        ..display: Display,
    }
}

table! {
    /// The source `dicom`.
    Dicom {
        folder: PathBuf = needed(
            "The folder with the DICOM files, which may lie in folders within.", path("scans"), "scans"),
        labels: PathBuf = needed(
            "A CSV file, plain or gzipped, with a row for each of what `by` says.", path("labels.csv"), "labels.csv"),
        by: DicomKey = usual(
            "The identifier in the files that the table of labels has as a column of the same name.",
            layout::BY,
            DicomKey::Study,
        ),
        label: Option<String> = optional("The column with the label (`label` if none is named).", text(&["label"])),
        groups: Option<Vec<String>> = optional(
            "What groups the cases: PatientSex, PatientAge, Manufacturer, or a column of the table of labels.",
            own(groups, |about| {
                parts::described(parts::list(&parts::text("A column's name.", &["PatientSex"]), 0), about)
            }),
        ),
        r#where: Option<Vec<(String, Vec<String>)>> = optional(ABOUT_WHERE, layout::ONLY),
        positive: Vec<String> =
            usual("Values of the label column that mean abnormal.", CELLS, vec!["1".to_string()]),
        negative: Vec<String> =
            usual("Values of the label column that mean normal.", CELLS, vec!["0".to_string()]),
        leave_out: Vec<String> =
            usual("Values of the label column whose rows are left out and counted.", CELLS, vec![]),
        separator: Option<String> = optional(
            "What stands between the findings of a label that lists several.",
            own(separator, |about| parts::text(about, &["|"])),
        ),
        ids: bool = usual(ABOUT_IDS, layout::IDS, true),
        ..display: Display,
    }
}

table! {
    /// How DICOM images are shown, and what of patients is.
    Display {
        window: Option<Window> = optional(
            "How DICOM values become gray: by the file's own VOI LUT or window, from the picture's least to its largest \
             value, or by a centre and a width.",
            layout::WINDOW,
        ),
        burned_in: bool = usual(
            "Whether DICOM images that are said to have burned-in annotation, such as a name, are read.",
            layout::BURNED_IN,
            false,
        ),
        cases: bool = usual(
            "Whether reports and evidence may show pictures and words of single cases.", layout::CASES, false),
    }
}

table! {
    /// The columns of a manifest.
    ColumnNames {
        id: Option<String> = optional(
            "The column with the study's identifier (`case` if none is named).", text(&["case"])),
        patient: Option<String> = optional(
            "The column with the patient's identifier (`patient` if none is named).", text(&["patient"])),
        label: Option<String> = optional(
            "The column with the label (`label` if none is named).", text(&["label"])),
        frontal: Option<String> = optional(
            "The column with the path of the frontal image.", text(&["frontal"])),
        lateral: Option<String> = optional(
            "The column with the path of the lateral image.", text(&["lateral"])),
        indication: Option<String> = optional(
            "The column with the report's indication.", text(&["indication"])),
        findings: Option<String> = optional(
            "The column with the report's findings, or the whole report.", text(&["report"])),
        impression: Option<String> = optional(
            "The column with the report's impression.", text(&["impression"])),
        view: Option<String> = optional(
            "The column with the projection, such as PA or AP; it groups the cases.", text(&["view"])),
        mask: Option<String> = optional(
            "The column with the path of a lesion mask of the frontal image.", text(&["mask"])),
        groups: Option<Vec<String>> = optional(
            "Further columns whose values group the cases, for `in every sex`; an age groups them by bands.",
            own(groups, |about| {
                parts::described(parts::list(&parts::text("A column's name.", &["sex"]), 0), about)
            }),
        ),
    }
}

// the rows that several sources have
const ABOUT_VIEWS: &str =
    "Which views the image models read; a study that lacks one is left out and counted.";
const ABOUT_WHERE: &str =
    "Rows that are kept: of each column here, those with one of the values. The others are counted.";
const ABOUT_IDS: &str =
    "Whether identifiers of cases and patients are replaced by keyed pseudonyms in all outputs.";
const ABOUT_SECTIONS: &str = "Sections of the report that are read, in order.";
const ABOUT_BITS: &str = "Bits of the images' values that hold the picture, where their files do not say so.";
const LIST_OF_SECTIONS: Own<Vec<Section>> = own(sections, |about| {
    let names: Vec<&str> = SECTIONS.iter().map(|(name, _)| *name).collect();
    json!({
        "description": about, "type": "array", "minItems": 1, "uniqueItems": true, "items": {"enum": names},
    })
});
/// Contents of a column's cells, which YAML may take for numbers or truth values.
const CELLS: Own<Vec<String>> = own(
    |node| node.items()?.iter().map(cell).collect::<Vec<_>>().into_iter().collect(),
    |about| parts::described(parts::list(&json!({"type": ["string", "number", "boolean"]}), 0), about),
);

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

fn phantom(node: &Node<'_>, models: &[ModelInputs]) -> Option<Data> {
    let Phantom { studies, seed, label_noise, missed, findings, unlabelled, views } = Phantom::read(node)?;
    if let (None, Some(node)) = (&findings.node, &unlabelled.node) {
        let help = "name the findings under `findings`, or leave it out".to_string();
        node.fault_of_key("`unlabelled` is about the labels of findings".to_string(), Some(help));
    }
    let findings = findings.node.as_ref().map_or(Some(vec![]), findings::of_phantom);
    Some(Data::Phantom {
        studies: studies.value?,
        seed: seed.value?,
        label_noise: label_noise.value?,
        missed: missed.value?,
        findings: findings?,
        unlabelled: unlabelled.value?,
        views: chosen(&views).unwrap_or_else(|| usual_views(models)),
    })
}

fn iu_xray(node: &Node<'_>, models: &[ModelInputs]) -> Option<Data> {
    let IuXray { folder, sections, views, bits } = IuXray::read(node)?;
    Some(Data::IuXray {
        folder: folder.value?,
        sections: sections.value?.unwrap_or_else(|| SECTIONS.map(|(_, section)| section).to_vec()),
        views: chosen(&views).unwrap_or_else(|| usual_views(models)),
        bits: bits.value?,
    })
}

fn manifest(node: &Node<'_>, _: &[ModelInputs]) -> Option<Data> {
    let table = Manifest::read(node)?;
    let columns = columns(table.columns.node.as_ref()?)?;
    let findings = findings::of_manifest(&table)?;
    if let (Some(_), Some(Some(Rows::Majority { .. })), Some(node)) =
        (&findings, &table.rows.value, &table.rows.node)
    {
        let help = "say `rows: any`, or keep one row a case".to_string();
        node.fault("a majority of readers is not taken finding by finding", help);
    }
    let with_column = SECTIONS.iter().filter(|(_, section)| column_of(&columns, *section).is_some());
    let all: Vec<Section> = with_column.map(|(_, section)| *section).collect();
    let sections = match (&table.sections.node, table.sections.value?) {
        (Some(node), Some(chosen)) => {
            if chosen.iter().any(|section| !all.contains(section)) {
                node.fault("a section here has no column", "name its column under `columns`".to_string());
            }
            chosen
        }
        (_, None) | (None, _) => all,
    };
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
        separator: table.separator.value?,
        missing: table.missing.value?,
        literal: table.literal.value?,
        sections,
        views,
        bits: table.bits.value?,
        layout: Box::new(Layout {
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

/// The files of a folder, with their labels in a table: a manifest whose other columns the files themselves fill.
fn dicom(node: &Node<'_>, _: &[ModelInputs]) -> Option<Data> {
    let table = Dicom::read(node)?;
    let (positive, negative) = (table.positive.value?, table.negative.value?);
    let leave_out = table.leave_out.value?;
    check_labels(node, &[("positive", &positive), ("negative", &negative), ("leave_out", &leave_out)]);
    let dicom = DicomFolder { folder: table.folder.value?, by: table.by.value? };
    Some(Data::Manifest {
        file: table.labels.value?,
        columns: Columns {
            id: DicomKey::Image.name().to_string(),
            patient: DicomKey::Patient.name().to_string(),
            label: table.label.value?.unwrap_or_else(|| "label".to_string()),
            frontal: Some(DICOM_FILE.to_string()),
            view: Some(DICOM_VIEW.to_string()),
            groups: table.groups.value?.unwrap_or_default(),
            ..Columns::default()
        },
        findings: None,
        positive,
        negative,
        leave_out,
        separator: table.separator.value?,
        missing: vec![],
        literal: vec![],
        sections: vec![],
        views: Views::Frontal,
        bits: None,
        layout: Box::new(Layout {
            dicom: Some(dicom),
            only: table.r#where.value?.unwrap_or_default(),
            ..Layout::default()
        }),
        window: table.display.window.value?.unwrap_or_default(),
        burned_in: table.display.burned_in.value?,
        privacy: Privacy { private_ids: table.ids.value?, shows_cases: table.display.cases.value? },
    })
}

/// A value that two lists have would mean both.
fn check_labels(node: &Node<'_>, lists: &[(&str, &Vec<String>)]) {
    for (place, (name, list)) in lists.iter().enumerate() {
        for (earlier, known) in &lists[..place] {
            if let Some(value) = list.iter().find(|value| known.contains(value)) {
                let message = format!("the label `{value}` is in `{earlier}` and in `{name}`");
                node.fault_of_key(message, Some("keep it in one of them".to_string()));
            }
        }
    }
}

/// What stands between the findings of a label.
fn separator(node: &Node<'_>) -> Option<String> {
    let mark = node.text()?;
    if mark.trim().is_empty() {
        node.fault("this must be a mark such as `|`", None);
        return None;
    }
    Some(mark.trim().to_string())
}

/// The content of a cell, which may be empty: `''`.
pub(super) fn cell(node: &Node<'_>) -> Option<String> {
    if node.value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Some(String::new());
    }
    value(node)
}

/// A value of a column, which YAML may take for a number or a truth value.
pub(super) fn value(node: &Node<'_>) -> Option<String> {
    let word = node.word();
    if word.is_empty() {
        node.fault("this must be a value of the column", None);
        return None;
    }
    Some(word)
}

fn columns(node: &Node<'_>) -> Option<Columns> {
    let table = ColumnNames::read(node)?;
    // a name with a fault counts as not given; the fault refuses the spec
    let name = |entry: Entry<'_, Option<String>>| {
        let (node, name) = (entry.node?, entry.value.flatten()?);
        layout::is_sound(&node, &name).then_some(name)
    };
    let or = |entry, usual: &str| name(entry).unwrap_or_else(|| usual.to_string());
    Some(Columns {
        id: or(table.id, "case"),
        patient: or(table.patient, "patient"),
        label: or(table.label, "label"),
        frontal: name(table.frontal),
        lateral: name(table.lateral),
        indication: name(table.indication),
        findings: name(table.findings),
        impression: name(table.impression),
        view: name(table.view),
        mask: name(table.mask),
        groups: table.groups.value?.unwrap_or_default(),
    })
}

/// The columns that group the cases. An age groups them by its band.
fn groups(node: &Node<'_>) -> Option<Vec<String>> {
    let band = |name: &str| if is_age(name) { "age band" } else { name }.to_string();
    let mut names: Vec<String> = Vec::new();
    for item in node.items()? {
        let name = item.words()?;
        if names.iter().any(|known| band(known) == band(&name)) {
            item.fault(format!("the group `{}` stands twice", band(&name)), "keep it once".to_string());
        }
        if name == "view" {
            let help = "name its column under `view`, which groups the cases too".to_string();
            item.fault("`view` has a key of its own", help);
        }
        names.push(name);
    }
    Some(names)
}

fn column_of(columns: &Columns, section: Section) -> Option<&String> {
    match section {
        Section::Indication => columns.indication.as_ref(),
        Section::Findings => columns.findings.as_ref(),
        Section::Impression => columns.impression.as_ref(),
    }
}

fn sections(node: &Node<'_>) -> Option<Vec<Section>> {
    let read: Vec<Option<Section>> =
        node.items()?.iter().map(|item| item.one_of("section", &SECTIONS)).collect();
    let sections = read.into_iter().collect::<Option<Vec<Section>>>()?;
    let mut sorted = sections.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sections.is_empty() || sorted.len() < sections.len() {
        node.fault("sections are one or more of indication, findings and impression, each once", None);
        return None;
    }
    Some(sections)
}

/// The views that the spec names; a fault counts as both.
fn chosen(views: &Entry<'_, Option<Views>>) -> Option<Views> {
    views.value.unwrap_or(Some(Views::Both))
}

/// Both views if a model reads images, else none.
fn usual_views(models: &[ModelInputs]) -> Views {
    if models.iter().any(|model| model.image) { Views::Both } else { Views::None }
}

/// What the models read must be there.
fn check_use(node: &Node<'_>, data: &Data, models: &[ModelInputs]) {
    if let (Views::None, Some(ModelInputs { name, .. })) =
        (data.views(), models.iter().find(|model| model.image))
    {
        let help = "say `views: frontal` or `views: both`, or leave the model out".to_string();
        node.fault_of_key(format!("`{name}` reads images, and this data has none"), Some(help));
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
