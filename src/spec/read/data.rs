//! The `data` block: phantom, the Indiana University layout, or a manifest.

use super::super::keys;
use super::super::node::{Map, Node};
use super::{Data, ModelInputs, Section, Views, findings};
use crate::spec::{Columns, MISSED};

const SECTIONS: [(&str, Section); 3] = [
    ("indication", Section::Indication),
    ("findings", Section::Findings),
    ("impression", Section::Impression),
];

/// The data. `are_sound` says whether every model was read: what one with a fault reads is not known.
pub(super) fn read(node: &Node<'_>, models: &[ModelInputs], are_sound: bool) -> Option<Data> {
    let (source, choice) = node.choice("data source", &keys::SOURCES)?;
    let data = match source.as_str() {
        "phantom" => phantom(&choice, models),
        "iu_xray" => iu_xray(&choice, models),
        _ => manifest(&choice),
    }?;
    if are_sound {
        check_use(&choice, &data, models);
    }
    Some(data)
}

fn phantom(node: &Node<'_>, models: &[ModelInputs]) -> Option<Data> {
    let map = node.map(&keys::PHANTOM)?;
    let studies = map.need("studies", "900").and_then(|node| node.whole(20, 100_000));
    let seed = map.get("seed").map_or(Some(0), |node| node.whole(0, u64::MAX));
    let label_noise = map.get("label_noise").map_or(Some(0.02), |node| node.real(0.0, 0.5));
    let missed = map.get("missed").map_or(Some(MISSED), |node| node.real(0.0, 0.4));
    let views = views(&map).unwrap_or_else(|| usual_views(models));
    let findings = findings::of_phantom(&map);
    let unlabelled = map.get("unlabelled").map_or(Some(0.0), |node| {
        if map.get("findings").is_none() {
            let help = "name the findings under `findings`, or leave it out".to_string();
            node.fault_of_key("`unlabelled` is about the labels of findings".to_string(), Some(help));
        }
        node.real(0.0, 0.9)
    });
    Some(Data::Phantom {
        studies: studies?,
        seed: seed?,
        label_noise: label_noise?,
        missed: missed?,
        findings: findings?,
        unlabelled: unlabelled?,
        views,
    })
}

fn iu_xray(node: &Node<'_>, models: &[ModelInputs]) -> Option<Data> {
    let map = node.map(&keys::IU_XRAY)?;
    let folder = map.need("folder", "iu_xray").and_then(|node| node.path());
    let all = || Some(SECTIONS.map(|(_, section)| section).to_vec());
    let sections = map.get("sections").map_or_else(all, |node| sections(&node));
    let views = views(&map).unwrap_or_else(|| usual_views(models));
    let bits = bits(&map)?;
    Some(Data::IuXray { folder: folder?, sections: sections?, views, bits })
}

fn manifest(node: &Node<'_>) -> Option<Data> {
    let map = node.map(&keys::MANIFEST)?;
    let file = map.need("file", "cases.csv").and_then(|node| node.path());
    let columns = map.need("columns", "{id: case, patient: patient, label: label, findings: report}");
    let columns = columns.and_then(|node| columns_of(&node));
    let cells = |key: &str, usual: &[&str]| {
        map.get(key).map_or(Some(usual.iter().map(ToString::to_string).collect()), |node| {
            let read: Vec<Option<String>> = node.items()?.iter().map(cell).collect();
            read.into_iter().collect::<Option<Vec<String>>>()
        })
    };
    let findings = findings::of_manifest(&map);
    // data frames write the numbers of columns with holes as 1.0
    let (positive, negative): (&[&str], &[&str]) =
        if map.get("findings").is_some() { (&["1", "1.0"], &["0", "0.0"]) } else { (&["1"], &["0"]) };
    let (positive, negative) = (cells("positive", positive), cells("negative", negative));
    let (leave_out, missing, literal) =
        (cells("leave_out", &[]), cells("missing", &[]), cells("literal", &[]));
    let separator = map.get("separator").map_or(Some(None), |node| separator(&node).map(Some));
    let bits = bits(&map);
    let columns = columns?;
    let with_column = SECTIONS.iter().filter(|(_, section)| column_of(&columns, *section).is_some());
    let all: Vec<Section> = with_column.map(|(_, section)| *section).collect();
    let sections = match map.get("sections") {
        None => all,
        Some(node) => {
            let chosen = sections(&node)?;
            if chosen.iter().any(|section| !all.contains(section)) {
                node.fault("a section here has no column", "name its column under `columns`".to_string());
            }
            chosen
        }
    };
    let usual = match (&columns.frontal, &columns.lateral) {
        (Some(_), Some(_)) => Views::Both,
        (Some(_), None) => Views::Frontal,
        _ => Views::None,
    };
    let views = views(&map).unwrap_or(usual);
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
    let (positive, negative) = (positive?, negative?);
    check_labels(
        node,
        &[("positive", &positive), ("negative", &negative), ("leave_out", leave_out.as_ref()?)],
    );
    Some(Data::Manifest {
        file: file?,
        columns,
        findings: findings?,
        positive,
        negative,
        leave_out: leave_out?,
        separator: separator?,
        missing: missing?,
        literal: literal?,
        sections,
        views,
        bits: bits?,
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

/// Bits of the images' values; the outer None is a fault.
#[allow(clippy::option_option)]
fn bits(map: &Map<'_>) -> Option<Option<u8>> {
    map.get("bits").map_or(Some(None), |node| node.whole(1, 16).map(Some))
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
fn cell(node: &Node<'_>) -> Option<String> {
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

fn columns_of(node: &Node<'_>) -> Option<Columns> {
    let map = node.map(&keys::COLUMNS)?;
    let name = |key: &str| map.get(key).and_then(|node| node.words());
    let or = |key: &str, usual: &str| name(key).unwrap_or_else(|| usual.to_string());
    let groups = map.get("groups").map_or(Some(vec![]), |node| groups(&node));
    Some(Columns {
        id: or("id", "case"),
        patient: or("patient", "patient"),
        label: or("label", "label"),
        frontal: name("frontal"),
        lateral: name("lateral"),
        indication: name("indication"),
        findings: name("findings"),
        impression: name("impression"),
        view: name("view"),
        mask: name("mask"),
        groups: groups?,
    })
}

/// The columns that group the cases. An age groups them by its band.
fn groups(node: &Node<'_>) -> Option<Vec<String>> {
    let band = |name: &str| if name.eq_ignore_ascii_case("age") { "age band" } else { name }.to_string();
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
fn views(map: &Map<'_>) -> Option<Views> {
    let words = [("both", Views::Both), ("frontal", Views::Frontal), ("none", Views::None)];
    map.get("views").map(|node| node.one_of("choice of views", &words).unwrap_or(Views::Both))
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
