//! The data of a spec that is begun: a phantom, the Indiana University layout, or a manifest whose columns are guessed
//! from its header.

use std::path::{Path, PathBuf};

use super::ask::Ask;
use super::place::{Place, scalar};
use crate::data::{self, Column, glance};
use crate::spec::parse;
use crate::{Error, Result};

/// Fewer studies with an image than this are no data for an image model.
const LEAST_IMAGES: usize = 100;

/// Data, as the spec writes it.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The `data:` block on a line, without its views.
    pub(super) block: String,
    /// What it is, for a comment.
    pub(super) about: String,
    /// Which views there are: `both`, `frontal` or `none`.
    pub(super) views: &'static str,
    /// Whether there are reports.
    pub(super) reports: bool,
    /// A column that groups the cases.
    pub(super) group: Option<String>,
    /// The root that its paths start from.
    pub(super) root: Option<PathBuf>,
    /// Studies that can be used.
    pub(super) studies: usize,
}

/// What names and places its data have.
pub(super) struct Wanted<'a> {
    pub(super) folder: &'a Path,
    pub(super) positive: &'a [String],
    pub(super) columns: &'a [String],
}

/// The phantom of the default spec.
pub(super) fn phantom() -> Source {
    Source {
        block: "phantom: {studies: 2000, seed: 7, missed: 25%".into(),
        about: "drawn from a seed, until you bring your own".into(),
        views: "both",
        reports: true,
        group: Some("sex".into()),
        root: None,
        studies: 2000,
    }
}

/// Data that lies in a folder or beside: what `init` takes if nobody says.
pub(super) fn find() -> Option<PathBuf> {
    let is_data = |path: &Path| {
        path.join("indiana_reports.csv").is_file()
            || (manifest_in(path).is_some() && path.join("images").is_dir())
    };
    let here = Path::new(".");
    if is_data(here) {
        return Some(here.to_path_buf());
    }
    let mut below: Vec<PathBuf> = std::fs::read_dir(here).ok()?.flatten().map(|entry| entry.path()).collect();
    below.sort();
    below
        .into_iter()
        .find(|path| is_data(path))
        .map(|path| path.strip_prefix(".").map(PathBuf::from).unwrap_or(path))
}

/// The one CSV file of a folder.
fn manifest_in(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let mut tables = files.filter(|path| path.extension().is_some_and(|ending| ending == "csv"));
    tables.next().filter(|_| tables.next().is_none())
}

/// Data of a name: `phantom`, a folder or a CSV file.
pub(super) fn read(name: &str, wanted: &Wanted<'_>, ask: &mut Ask<'_>) -> Result<Source> {
    let path = Path::new(name);
    if name == "phantom" {
        return Ok(phantom());
    }
    if path.join("indiana_reports.csv").is_file() {
        return indiana(path, wanted, ask);
    }
    let file = if path.is_dir() { manifest_in(path) } else { Some(path.to_path_buf()) };
    match file {
        Some(file) if file.is_file() => manifest(&file, wanted, ask),
        _ if path.is_dir() => Err(Error::Input(format!(
            "{name} holds neither indiana_reports.csv nor a CSV file alone; name the CSV file with --data"
        ))),
        _ => Err(Error::Input(format!(
            "there is no {name}; --data takes `phantom`, a folder in the Indiana University layout, or a CSV file"
        ))),
    }
}

fn indiana(path: &Path, wanted: &Wanted<'_>, ask: &mut Ask<'_>) -> Result<Source> {
    let place = Place::of(path, wanted.folder);
    let block = format!("iu_xray: {{folder: {}", scalar(&place.path));
    let count = |views| count(&block, views, wanted.folder, place.root.as_deref());
    let all = count("none")?;
    let (frontal, both) = (count("frontal").unwrap_or(0), count("both").unwrap_or(0));
    let (views, studies) = if frontal < LEAST_IMAGES.min(all) {
        if frontal > 0 || all > 0 {
            ask.note(format!(
                "{frontal} of {all} studies have an image that is there: the reports alone are taken"
            ));
        }
        ("none", all)
    } else if both * 2 >= frontal {
        ("both", both)
    } else {
        ("frontal", frontal)
    };
    Ok(Source {
        block,
        about: "the Indiana University chest X-ray collection, in the Kaggle layout".into(),
        views,
        reports: true,
        group: None,
        root: place.root,
        studies,
    })
}

/// Studies that a model of these views, or of the report, can read.
fn count(block: &str, views: &str, folder: &Path, root: Option<&Path>) -> Result<usize> {
    let model = match views {
        "none" => "{bert: {config: tiny, train: {lr: 1e-3, epochs: 1}}}",
        _ => "{se_resnet18: {image: 56, train: {lr: 1e-3, epochs: 1}}}",
    };
    let text = format!(
        "claim: trial\ndata: {{{block}, views: {views}}}}}\nsplit: {{test: 30%}}\nmodels: {{trial: {model}}}\nrequire: [trial accuracy ≥ 50%]\n"
    );
    let spec = parse(&folder.join("trial.yaml"), &text).map_err(Error::Spec)?;
    Ok(data::load(&spec, root)?.studies.len())
}

/// What columns are usually called.
const USUAL: [(&str, &[&str]); 10] = [
    ("id", &["case", "id", "study", "study_id", "uid", "image_id", "accession", "dicom_id"]),
    ("patient", &["patient", "patient_id", "patientid", "subject", "subject_id", "mrn"]),
    ("label", &["label", "target", "class", "abnormal", "diagnosis", "finding"]),
    ("frontal", &["frontal", "image", "path", "image_path", "frontal_path", "filename", "file"]),
    ("lateral", &["lateral", "lateral_path"]),
    ("indication", &["indication", "history", "clinical_history"]),
    ("findings", &["findings", "report", "notes", "text", "note", "report_text"]),
    ("impression", &["impression", "conclusion"]),
    ("view", &["view", "projection", "view_position", "viewposition"]),
    ("mask", &["mask", "lesion_mask"]),
];
const GROUPS: [&str; 8] = ["sex", "gender", "age", "source", "site", "scanner", "hospital", "ethnicity"];
/// Values that mean normal.
const NORMAL: [&str; 9] =
    ["0", "normal", "negative", "no", "false", "healthy", "no finding", "no findings", "benign"];

fn manifest(file: &Path, wanted: &Wanted<'_>, ask: &mut Ask<'_>) -> Result<Source> {
    let columns = glance(file)?;
    let named = guess(file, &columns, wanted.columns)?;
    let of = |key: &str| named.iter().find(|(known, _)| *known == key).map(|(_, column)| *column);
    let label = of("label").map_or(&[][..], |column| &column.values);
    let (positive, negative) = labels(file, label, wanted.positive, ask)?;
    let mut written: Vec<String> =
        named.iter().map(|(key, column)| format!("{key}: {}", scalar(&column.name))).collect();
    let groups: Vec<&str> = columns
        .iter()
        .filter(|column| GROUPS.contains(&column.name.to_lowercase().as_str()) && column.filled > 0)
        .map(|column| column.name.as_str())
        .collect();
    if !groups.is_empty() {
        let names: Vec<String> = groups.iter().map(|name| scalar(name)).collect();
        written.push(format!("groups: [{}]", names.join(", ")));
    }
    let list = |values: &[String]| values.iter().map(|value| scalar(value)).collect::<Vec<_>>().join(", ");
    let place = Place::of(file, wanted.folder);
    let block = format!(
        "manifest: {{file: {}, columns: {{{}}}, positive: [{}], negative: [{}]",
        scalar(&place.path),
        written.join(", "),
        list(&positive),
        list(&negative)
    );
    let views = match (of("frontal"), of("lateral")) {
        (Some(_), Some(_)) => "both",
        (Some(_), None) => "frontal",
        _ => "none",
    };
    let reports = ["indication", "findings", "impression"].iter().any(|section| of(section).is_some());
    if views == "none" && !reports {
        let file = file.display();
        return Err(Error::Input(format!(
            "{file} has no column that looks like an image or a report; name one, such as --column frontal=NAME or \
             --column findings=NAME"
        )));
    }
    let studies = count(&block, views, wanted.folder, place.root.as_deref())?;
    let about = format!("{}, a row a study", file.file_name().unwrap_or_default().to_string_lossy());
    let group = groups.iter().find(|name| !name.eq_ignore_ascii_case("age")).map(|name| (*name).to_string());
    Ok(Source { block, about, views, reports, group, root: place.root, studies })
}

/// Which column holds what: as `--column KEY=NAME` says, else by its name.
fn guess<'c>(file: &Path, columns: &'c [Column], said: &[String]) -> Result<Vec<(&'static str, &'c Column)>> {
    let header = || columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>();
    let mut named: Vec<(&'static str, &Column)> = Vec::new();
    for pair in said {
        let (key, name) = pair.split_once('=').unwrap_or((pair, ""));
        let keys = USUAL.map(|(key, _)| key);
        let Some(key) = keys.into_iter().find(|known| *known == key) else {
            let help = crate::spec::suggest(key, &keys);
            return Err(Error::Usage(format!("--column takes KEY=NAME, and `{key}` is no key; {help}")));
        };
        let Some(column) = columns.iter().find(|column| column.name == name) else {
            let help = crate::spec::suggest(name, &header());
            return Err(Error::Input(format!("{} has no column `{name}`; {help}", file.display())));
        };
        named.push((key, column));
    }
    for (key, names) in USUAL {
        let by_name = names.iter().find_map(|name| {
            columns.iter().find(|column| column.name.to_lowercase().replace([' ', '-'], "_") == *name)
        });
        let found = by_name.filter(|column| column.filled > 0);
        if let (Some(column), false) = (found, named.iter().any(|(known, _)| *known == key)) {
            named.push((key, column));
        }
    }
    // a lateral view that few studies have would leave the others out
    let frontal = named.iter().find(|(key, _)| *key == "frontal").map_or(0, |(_, column)| column.filled);
    named.retain(|(key, column)| *key != "lateral" || column.filled * 2 >= frontal);
    for needed in ["id", "patient", "label"] {
        if named.iter().all(|(key, _)| *key != needed) {
            let header = header().join(", ");
            return Err(Error::Input(format!(
                "{} has no column that looks like the {needed}; name it with --column {needed}=NAME (the columns are \
                 {header})",
                file.display()
            )));
        }
    }
    named.sort_by_key(|(key, _)| USUAL.iter().position(|(known, _)| known == key));
    Ok(named)
}

/// Which values of the label mean abnormal, and which normal.
fn labels(
    file: &Path,
    values: &[(String, usize)],
    positive: &[String],
    ask: &mut Ask<'_>,
) -> Result<(Vec<String>, Vec<String>)> {
    let known: Vec<String> = values.iter().map(|(value, count)| format!("{value} ({count} rows)")).collect();
    let is_normal = |value: &str| NORMAL.contains(&value.to_lowercase().as_str());
    let guessed: Vec<String> =
        values.iter().filter(|(value, _)| !is_normal(value)).map(|(value, _)| value.clone()).collect();
    let is_clear = guessed.len() < values.len() && !guessed.is_empty();
    let chosen: Vec<String> = if positive.is_empty() {
        let usual = if is_clear { guessed.join(",") } else { String::new() };
        let question = format!("the label is {}; which mean abnormal", known.join(", "));
        let answer = ask.ask(&question, &usual)?;
        answer.split(',').map(|value| value.trim().to_string()).filter(|value| !value.is_empty()).collect()
    } else {
        positive.to_vec()
    };
    let stands = |value: &String| values.iter().any(|(other, _)| other == value);
    let file = file.display();
    if chosen.is_empty() || !chosen.iter().all(stands) || chosen.len() == values.len() {
        let values = if known.is_empty() { "more than twenty values".to_string() } else { known.join(", ") };
        return Err(Error::Input(format!(
            "which labels of {file} mean abnormal is not clear; its label column holds {values}: name those that do with \
             --positive, separated by commas"
        )));
    }
    let negative =
        values.iter().map(|(value, _)| value.clone()).filter(|value| !chosen.contains(value)).collect();
    ask.note(format!("abnormal is {}, normal every other label", chosen.join(", ")));
    Ok((chosen, negative))
}
