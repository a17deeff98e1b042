//! The data of a spec that is begun: a phantom, the Indiana University layout, or a manifest whose columns are guessed
//! from its header.

use std::path::{Path, PathBuf};

use super::ask::Ask;
use super::place::{Place, scalar};
use crate::data::{self, Column, SEPARATOR, glance};
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
    /// Columns of the manifest; none for other data.
    pub(super) columns: Vec<Column>,
}

impl Source {
    /// Whether it is drawn from a seed.
    pub(super) fn is_phantom(&self) -> bool {
        self.block.starts_with("phantom")
    }
}

/// What names and places its data have.
pub(super) struct Wanted<'a> {
    pub(super) folder: &'a Path,
    pub(super) positive: &'a [String],
    pub(super) columns: &'a [String],
    /// The command that was given, with more flags.
    pub(super) command: &'a dyn Fn(&str) -> String,
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
        columns: vec![],
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
        columns: vec![],
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

/// What columns are usually called, in lower case and with `_` for spaces and `-`.
const USUAL: [(&str, &[&str]); 10] = [
    (
        "id",
        &[
            "case",
            "id",
            "case_id",
            "caseid",
            "study",
            "study_id",
            "studyid",
            "study_uid",
            "studyinstanceuid",
            "uid",
            "exam",
            "exam_id",
            "image_id",
            "image_index",
            "accession",
            "accession_number",
            "dicom_id",
        ],
    ),
    (
        "patient",
        &[
            "patient",
            "patient_id",
            "patientid",
            "pat_id",
            "pid",
            "subject",
            "subject_id",
            "subjectid",
            "person_id",
            "mrn",
        ],
    ),
    (
        "label",
        &[
            "label",
            "labels",
            "finding_labels",
            "target",
            "class",
            "abnormal",
            "diagnosis",
            "finding",
            "outcome",
            "ground_truth",
        ],
    ),
    (
        "frontal",
        &[
            "frontal",
            "frontal_path",
            "image",
            "path",
            "image_path",
            "img",
            "img_path",
            "image_file",
            "filename",
            "file_name",
            "file",
            "filepath",
            "file_path",
        ],
    ),
    ("lateral", &["lateral", "lateral_path"]),
    ("indication", &["indication", "history", "clinical_history"]),
    (
        "findings",
        &["findings", "report", "notes", "text", "note", "report_text", "report_findings", "narrative"],
    ),
    ("impression", &["impression", "impressions", "conclusion"]),
    ("view", &["view", "projection", "view_position", "viewposition"]),
    ("mask", &["mask", "lesion_mask"]),
];
/// Parts of names that hint at a column that has to be there.
const HINTS: [(&str, &[&str]); 3] = [
    ("id", &["case", "stud", "exam", "acc", "uid", "id"]),
    ("patient", &["patient", "pat", "subj", "person", "mrn"]),
    ("label", &["label", "diag", "class", "target", "finding", "outcome"]),
];
const GROUPS: [&str; 8] = ["sex", "gender", "age", "source", "site", "scanner", "hospital", "ethnicity"];
/// Values that mean normal.
const NORMAL: [&str; 10] =
    ["0", "0.0", "normal", "negative", "no", "false", "healthy", "no finding", "no findings", "benign"];
/// Values that mean neither, as `CheXpert` writes an uncertain label.
const UNCERTAIN: [&str; 7] = ["-1", "-1.0", "uncertain", "unknown", "u", "indeterminate", "not mentioned"];

fn manifest(file: &Path, wanted: &Wanted<'_>, ask: &mut Ask<'_>) -> Result<Source> {
    let columns = glance(file)?;
    let named = guess(file, &columns, wanted)?;
    let of = |key: &str| named.iter().find(|(known, _)| *known == key).map(|(_, column)| *column);
    let labels = Labels::of(file, of("label"), wanted.positive, ask)?;
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
    let place = place(file, wanted.folder, of("frontal"));
    let mut block = format!(
        "manifest: {{file: {}, columns: {{{}}}, positive: [{}], negative: [{}]",
        scalar(&place.path),
        written.join(", "),
        list(&labels.positive),
        list(&labels.negative)
    );
    if !labels.leave_out.is_empty() {
        block += &format!(", leave_out: [{}]", list(&labels.leave_out));
    }
    if labels.is_list {
        block += &format!(", separator: \"{SEPARATOR}\"");
    }
    let missing = missing(&named);
    if !missing.is_empty() {
        ask.note(format!(
            "{} is taken for a missing value; use `literal` instead of `missing` where it is text",
            missing.join(", ")
        ));
        block += &format!(", missing: [{}]", list(&missing));
    }
    let views = match (of("frontal"), of("lateral")) {
        (Some(_), Some(_)) => "both",
        (Some(_), None) => "frontal",
        _ => "none",
    };
    let reports = ["indication", "findings", "impression"].iter().any(|section| of(section).is_some());
    if views == "none" && !reports {
        return Err(Error::Input(format!(
            "{} has no column that looks like an image or a report; name one:\n  {}\n  {}",
            file.display(),
            (wanted.command)("--column frontal=NAME"),
            (wanted.command)("--column findings=NAME")
        )));
    }
    let studies = count(&block, views, wanted.folder, place.root.as_deref())?;
    let about = format!("{}, a row a study", file.file_name().unwrap_or_default().to_string_lossy());
    let group = groups.iter().find(|name| !name.eq_ignore_ascii_case("age")).map(|name| (*name).to_string());
    Ok(Source { block, about, views, reports, group, root: place.root, studies, columns })
}

/// The place of a manifest. Where its images have absolute paths, the root is above both.
fn place(file: &Path, folder: &Path, frontal: Option<&Column>) -> Place {
    let plain = Place::of(file, folder);
    let image = frontal.map_or(Path::new(""), |column| Path::new(column.first.as_str()));
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let file = whole(file);
    let root = whole(plain.root.as_deref().unwrap_or(folder));
    if !image.is_absolute() || image.starts_with(&root) {
        return plain;
    }
    match file.ancestors().skip(1).find(|above| image.starts_with(above)) {
        // every path is below the file system's root, so that it would be no wall
        Some(above) if above.parent().is_some() => Place::below(&file, above),
        _ => plain,
    }
}

/// Words for missing values in the columns that are read; those of the label are left out as labels.
fn missing(named: &[(&str, &Column)]) -> Vec<String> {
    let read = named.iter().filter(|(key, _)| !["label", "view"].contains(key));
    let mut words: Vec<String> = read.flat_map(|(_, column)| column.missing.clone()).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Which column holds what: as `--column KEY=NAME` says, else by its name.
fn guess<'c>(
    file: &Path,
    columns: &'c [Column],
    wanted: &Wanted<'_>,
) -> Result<Vec<(&'static str, &'c Column)>> {
    let header = || columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>();
    let mut named: Vec<(&'static str, &Column)> = Vec::new();
    for pair in wanted.columns {
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
    let lacks = |key: &str| named.iter().all(|(known, _)| *known != key);
    let missing: Vec<(&str, &[&str])> = HINTS.into_iter().filter(|(key, _)| lacks(key)).collect();
    if !missing.is_empty() {
        let free: Vec<&Column> = columns
            .iter()
            .filter(|column| named.iter().all(|(_, other)| other.name != column.name))
            .collect();
        let keys: Vec<&str> = missing.iter().map(|(key, _)| *key).collect();
        return Err(Error::Input(format!(
            "{} has no column that looks like the {}; name it:\n  {}\n(the columns are {})",
            file.display(),
            keys.join(", the "),
            (wanted.command)(&columns_to_name(&missing, free)),
            header().join(", ")
        )));
    }
    named.sort_by_key(|(key, _)| USUAL.iter().position(|(known, _)| known == key));
    Ok(named)
}

/// The flags that name columns, with the likeliest of the free ones; `NAME` where none is likely.
fn columns_to_name(missing: &[(&str, &[&str])], mut free: Vec<&Column>) -> String {
    let mut flags = Vec::new();
    for (key, hints) in missing {
        let fits = |column: &&&Column| match *key {
            "id" => column.is_unique && column.empty == 0,
            "label" => !column.values.is_empty(),
            _ => column.filled > 0,
        };
        let is_hinted = |column: &&&Column, hint: &str| column.name.to_lowercase().contains(hint);
        let likely = hints
            .iter()
            .find_map(|hint| free.iter().filter(fits).find(|column| is_hinted(column, hint)))
            .map(|column| column.name.clone());
        free.retain(|column| Some(&column.name) != likely.as_ref());
        flags.push(format!(
            "--column {}",
            super::quoted(&format!("{key}={}", likely.unwrap_or("NAME".into())))
        ));
    }
    flags.join(" ")
}

/// Which values of the label mean what.
struct Labels {
    positive: Vec<String>,
    negative: Vec<String>,
    leave_out: Vec<String>,
    /// Whether a cell lists several.
    is_list: bool,
}

impl Labels {
    fn of(file: &Path, column: Option<&Column>, positive: &[String], ask: &mut Ask<'_>) -> Result<Self> {
        let values = column.map_or(&[][..], |column| &column.values);
        let is_one_of = |words: &[&str], value: &str| words.contains(&value.to_lowercase().as_str());
        let is_missing = |value: &String| column.is_some_and(|column| column.missing.contains(value));
        let is_neither =
            |value: &String| (is_one_of(&UNCERTAIN, value) || is_missing(value)) && !positive.contains(value);
        let mut leave_out: Vec<String> =
            values.iter().map(|(value, _)| value.clone()).filter(is_neither).collect();
        let known: Vec<&(String, usize)> =
            values.iter().filter(|(value, _)| !leave_out.contains(value)).collect();
        let shown: Vec<String> =
            known.iter().map(|(value, count)| format!("{value} ({count} rows)")).collect();
        let guessed: Vec<String> =
            known.iter().map(|(value, _)| value.clone()).filter(|value| !is_one_of(&NORMAL, value)).collect();
        let is_clear = guessed.len() < known.len() && !guessed.is_empty();
        let chosen: Vec<String> = if positive.is_empty() {
            let usual = if is_clear { guessed.join(",") } else { String::new() };
            let question = format!("the label is {}; which mean abnormal", shown.join(", "));
            let answer = ask.ask(&question, &usual)?;
            answer
                .split(',')
                .map(|value| value.trim().to_string())
                .filter(|value| !value.is_empty())
                .collect()
        } else {
            positive.to_vec()
        };
        let file = file.display();
        let names: Vec<&str> = known.iter().map(|(value, _)| value.as_str()).collect();
        if let (Some(value), false) =
            (chosen.iter().find(|value| !names.contains(&value.as_str())), names.is_empty())
        {
            let help = crate::spec::suggest(value, &names);
            return Err(Error::Input(format!(
                "no label of {file} is `{value}`; {help} (its label column holds {})",
                shown.join(", ")
            )));
        }
        if chosen.is_empty() || names.is_empty() || chosen.len() == names.len() {
            let values =
                if shown.is_empty() { "more than twenty values".to_string() } else { shown.join(", ") };
            return Err(Error::Input(format!(
                "which labels of {file} mean abnormal is not clear; its label column holds {values}: name those that do \
                 with --positive, separated by commas"
            )));
        }
        let negative: Vec<String> =
            known.iter().map(|(value, _)| value.clone()).filter(|value| !chosen.contains(value)).collect();
        leave_out.extend(column.filter(|column| column.empty > 0).map(|_| String::new()));
        ask.note(format!("abnormal is {}, normal is {}", chosen.join(", "), negative.join(", ")));
        if !leave_out.is_empty() {
            let shown = leave_out.iter().map(|value| if value.is_empty() { "an empty label" } else { value });
            ask.note(format!("left out: {}", shown.collect::<Vec<_>>().join(", ")));
        }
        Ok(Self {
            positive: chosen,
            negative,
            leave_out,
            is_list: column.is_some_and(|column| column.is_list),
        })
    }
}
