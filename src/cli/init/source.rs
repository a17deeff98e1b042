//! The data of a spec that is begun: a phantom, the Indiana University layout, or a manifest whose columns are guessed
//! from its header.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::ask::Ask;
use super::columns::{self, Wanted};
use super::labels::Labels;
use super::medmnist_sets;
use super::place::{Place, scalar};
use super::public_sets::{self, PublicSet};
use crate::data::{self, Column, SEPARATOR, glance};
use crate::spec::{MEDMNIST_SPLIT, Spec, parse};
use crate::{Error, Result};

/// Fewer studies with an image than this are no data for an image model.
const LEAST_IMAGES: usize = 100;

/// Data, as the spec writes it.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The `data:` block on a line, without its views.
    pub(super) block: String,
    /// A description of the data, which the spec carries as a comment.
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
    /// The block of the spec, for models that read these views.
    pub(super) fn data(&self, views: &str) -> String {
        // an array file has one view, and no key for it
        if self.block.starts_with("medmnist") {
            format!("{}}}", self.block)
        } else {
            format!("{}, views: {views}}}", self.block)
        }
    }

    /// The same data for models that read these views.
    ///
    /// # Errors
    /// The data cannot be read.
    pub(super) fn reading(self, views: &'static str, folder: &Path) -> Result<Self> {
        let studies = if self.is_phantom() || self.views == views {
            self.studies
        } else {
            count(&self.block, views, folder, self.root.as_deref())?
        };
        Ok(Self { views, studies, ..self })
    }

    /// What stands before a metric in sentences about it.
    pub(super) fn asked(&self) -> &'static str {
        asked(&self.block)
    }

    /// The findings that it asks about.
    ///
    /// # Errors
    /// The block that was written is no block of a spec.
    pub(super) fn findings(&self) -> Result<Vec<String>> {
        Ok(trial(&self.block, self.views, Path::new(""))?.data.findings())
    }

    /// Whether it is drawn from a seed.
    pub(super) fn is_phantom(&self) -> bool {
        self.block.starts_with("phantom")
    }
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
            || data::is_open_i(path)
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
    let is_table = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        Path::new(&name).extension().is_some_and(|ending| ending == "csv") || name.ends_with(".csv.gz")
    };
    let mut tables = files.filter(is_table);
    tables.next().filter(|_| tables.next().is_none())
}

/// Data of a name: `phantom`, a folder or a CSV file.
pub(super) fn read(name: &str, wanted: &Wanted<'_>, ask: &mut Ask<'_>) -> Result<Source> {
    let path = Path::new(name);
    if name == "phantom" {
        return Ok(phantom());
    }
    if path.join("indiana_reports.csv").is_file() || data::is_open_i(path) {
        return indiana(path, wanted, ask);
    }
    if path.extension().is_some_and(|ending| ending == "npz") && path.is_file() {
        return medmnist(path, wanted, ask);
    }
    let file = if path.is_dir() { manifest_in(path) } else { Some(path.to_path_buf()) };
    match file {
        Some(file) if file.is_file() => manifest(&file, wanted, ask),
        _ if path.is_dir() => Err(Error::Input(format!(
            "{name} holds neither indiana_reports.csv nor XML files of Open-i nor a CSV file alone; name the CSV file with --data"
        ))),
        _ => Err(Error::Input(format!(
            "there is no {name}; --data takes `phantom`, a folder in the Indiana University layout or of Open-i's XML files, a CSV file, \
             or an .npz file in MedMNIST's form"
        ))),
    }
}

fn indiana(path: &Path, wanted: &Wanted<'_>, ask: &mut Ask<'_>) -> Result<Source> {
    let place = Place::of(path, wanted.folder);
    let block = format!("iu_xray: {{folder: {}", scalar(&place.path));
    let count = |views| count(&block, views, wanted.folder, place.root.as_deref());
    let all = count("none")?;
    let about = if path.join("indiana_reports.csv").is_file() {
        "the Indiana University chest X-ray collection, in the Kaggle layout"
    } else {
        ask.note(format!("{} holds the XML files of Open-i", path.display()));
        "the Indiana University chest X-ray collection, in the XML files of Open-i"
    };
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
        about: about.into(),
        views,
        reports: true,
        group: None,
        root: place.root,
        studies,
        columns: vec![],
    })
}

/// A set in `MedMNIST`'s form. Which labels mean abnormal is what `--positive` says, and else the file's name says what the
/// labels mean.
fn medmnist(path: &Path, wanted: &Wanted<'_>, ask: &mut Ask<'_>) -> Result<Source> {
    let refused = |why: String| Error::Input(format!("cannot use {}: {why}", path.display()));
    let names = data::npz_names(path).map_err(refused)?;
    let place = Place::of(path, wanted.folder);
    let mut block = format!("medmnist: {{file: {}", scalar(&place.path));
    if wanted.positive.is_empty() {
        block += &medmnist_sets::keys(path, data::ArrayLabels::of(path).map_err(refused)?);
    } else {
        let _ = write!(block, ", abnormal: [{}]", wanted.positive.join(", "));
    }
    let asked = asked(&block);
    // the block of this source has no key `views`
    let text = format!(
        "claim: trial\ndata: {{{block}}}}}\nsplit: {{test: 30%}}\nmodels: {{trial: {{se_resnet18: {{image: 56, train: {{lr: \
         1e-3, epochs: 1}}}}}}}}\nrequire: [trial {asked}accuracy ≥ 50%]\n"
    );
    let spec = parse(&wanted.folder.join("trial.yaml"), &text).map_err(Error::Spec)?;
    let studies = data::load(&spec, place.root.as_deref())?.studies.len();
    ask.note(format!("{} is in MedMNIST's form: {}", path.display(), names.join(", ")));
    Ok(Source {
        block,
        about: "images of a file in MedMNIST's form, which names no patients".into(),
        views: "frontal",
        reports: false,
        group: None,
        root: place.root,
        studies,
        columns: vec![Column {
            name: MEDMNIST_SPLIT.to_string(),
            values: ["train", "val", "test"].map(|part| (part.to_string(), 1)).to_vec(),
            ..Column::default()
        }],
    })
}

/// What stands before a metric in sentences about these data.
fn asked(block: &str) -> &'static str {
    // a manifest maps findings to columns, and the columns of an array have only names
    if block.contains(", findings: {") || block.contains(", findings: [") { "every finding " } else { "" }
}

/// Studies that a model of these views, or of the report, can read.
fn count(block: &str, views: &str, folder: &Path, root: Option<&Path>) -> Result<usize> {
    Ok(data::load(&trial(block, views, folder)?, root)?.studies.len())
}

/// A spec of these data in `folder`, with one model.
fn trial(block: &str, views: &str, folder: &Path) -> Result<Spec> {
    let model = match views {
        "none" => "{bert: {config: tiny, train: {lr: 1e-3, epochs: 1}}}",
        _ => "{se_resnet18: {image: 56, train: {lr: 1e-3, epochs: 1}}}",
    };
    let asked = asked(block);
    let text = format!(
        "claim: trial\ndata: {{{block}, views: {views}}}}}\nsplit: {{test: 30%}}\nmodels: {{trial: {model}}}\nrequire: [trial \
         {asked}accuracy ≥ 50%]\n"
    );
    parse(&folder.join("trial.yaml"), &text).map_err(Error::Spec)
}

/// Columns that usually group the cases.
const GROUPS: [&str; 8] = ["sex", "gender", "age", "source", "site", "scanner", "hospital", "ethnicity"];

/// A public collection, as its table lays it out.
fn collection(
    file: &Path,
    set: &PublicSet,
    columns: Vec<Column>,
    wanted: &Wanted<'_>,
    ask: &mut Ask<'_>,
) -> Result<Source> {
    let place = Place::of(file, wanted.folder);
    let beside = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let block = set.block(&place.path, beside, &columns, wanted.by_finding);
    ask.note(format!("{} is {}", file.display(), set.about));
    let studies = count(&block, "frontal", wanted.folder, place.root.as_deref())?;
    let group = set.group(&columns);
    let about = set.about.to_string();
    Ok(Source { block, about, views: "frontal", reports: false, group, root: place.root, studies, columns })
}

fn manifest(file: &Path, wanted: &Wanted<'_>, ask: &mut Ask<'_>) -> Result<Source> {
    let columns = glance(file)?;
    // a person who names columns or labels wants something else
    let recognised =
        public_sets::recognise(&columns).filter(|_| wanted.columns.is_empty() && wanted.positive.is_empty());
    if let Some(set) = recognised {
        return collection(file, set, columns, wanted, ask);
    }
    let named = columns::guess(file, &columns, wanted)?;
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
        let _ = write!(block, ", leave_out: [{}]", list(&labels.leave_out));
    }
    if labels.is_list {
        let _ = write!(block, ", separator: \"{SEPARATOR}\"");
    }
    let missing = missing(&named);
    if !missing.is_empty() {
        ask.note(format!(
            "{} is taken for a missing value; use `literal` instead of `missing` where it is text",
            missing.join(", ")
        ));
        let _ = write!(block, ", missing: [{}]", list(&missing));
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
