//! `medcert init`: a commented spec for somebody's data and weights, which `medcert plan` accepts as it is. It takes
//! flags, asks on a terminal for what they leave open, and else takes what it finds.

mod ask;
mod brought;
mod columns;
mod division;
mod labels;
mod medmnist_sets;
mod outputs;
mod place;
mod public_sets;
mod source;
mod vision_weights;
mod weights;
mod write;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use self::ask::Ask;
use self::brought::{brought, check_used, has_words, is_loaded, with_views};
use self::columns::Wanted;
use self::division::Division;
use self::place::Place;
use self::source::Source;
use self::weights::{Exported, Kept, Weights};
use self::write::Draft;
use super::{schema, stem, write_out};
use crate::{Error, Result, plan, spec};

/// Writes a spec.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// `phantom`, a folder of the Indiana University set, a CSV file with a row a study, or an .npz file as of `MedMNIST`
    #[arg(long, value_name = "phantom|FOLDER|FILE")]
    data: Option<String>,
    /// A BERT's folder in Hugging Face's layout, a safetensors file, a file of torch.export (.pt2), or an ONNX model; may be repeated
    #[arg(long, value_name = "FOLDER|FILE")]
    weights: Vec<PathBuf>,
    /// The models, of those that the data can feed
    #[arg(long, value_enum, value_delimiter = ',')]
    models: Vec<Kind>,
    /// The labels that mean abnormal, separated by commas; every other is normal
    #[arg(long, value_delimiter = ',', value_name = "LABEL")]
    positive: Vec<String>,
    /// The test cases: `all` of them, a share such as `30%`, or those with a value in a column, such as `fold=test`
    #[arg(long, value_name = "all|SHARE|COLUMN=VALUE")]
    test: Option<String>,
    /// A column of the CSV file whose name says too little, such as `patient=subject_no`; may be repeated
    #[arg(long, value_name = "KEY=NAME")]
    column: Vec<String>,
    /// Asks about each finding of a public set, instead of whether a study is abnormal
    #[arg(long)]
    findings: bool,
    /// Says that you trust the code in a `TorchScript` file, which runs here
    #[arg(long)]
    trusted: bool,
    /// The spec that is written [default: medcert.yaml]
    #[arg(long, value_name = "SPEC")]
    out: Option<PathBuf>,
    /// Overwrites a spec that is there
    #[arg(long)]
    force: bool,
}

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Kind {
    /// Reads images.
    Vision,
    /// Reads reports.
    Language,
    /// Reads both.
    Fusion,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Vision => "vision",
            Self::Language => "language",
            Self::Fusion => "fusion",
        }
    }
}

impl Init {
    pub(super) fn run(&self) -> Result<u8> {
        let (mut input, mut output) = (std::io::stdin().lock(), std::io::stderr().lock());
        let is_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let person: Option<(&mut dyn std::io::BufRead, &mut dyn std::io::Write)> =
            if is_terminal { Some((&mut input, &mut output)) } else { None };
        let text = self.begin(&mut Ask { person, notes: vec![] })?;
        write_out(&text)?;
        Ok(0)
    }

    /// Writes the spec and its schema, and says what was done and what comes next.
    fn begin(&self, ask: &mut Ask<'_>) -> Result<String> {
        let out = match &self.out {
            Some(out) => out.clone(),
            None => PathBuf::from(ask.ask("the spec that is written", "medcert.yaml")?),
        };
        if out.exists() && !self.force {
            let out = out.display();
            return Err(Error::Usage(format!(
                "{out} is there already; choose another --out, or say --force"
            )));
        }
        let folder = out.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let source = self.source(folder, ask)?;
        let weights = self.weights(folder, ask)?;
        let script = self.script(&source, &weights, ask)?;
        let kinds = self.kinds(&source, script, ask)?;
        check_used(&weights, &kinds, script)?;
        let source = with_views(source, &weights, &kinds, folder, ask)?;
        let division = Division {
            columns: &source.columns,
            trained: kinds
                .iter()
                .filter(|kind| !is_loaded(**kind, &weights, script))
                .map(|kind| kind.name())
                .collect(),
            brought: brought(&source, &kinds, &weights, script),
            studies: source.studies,
            said: self.test.as_deref(),
        };
        let split = division.written(&|more| self.command(more), ask)?;
        let script = match script {
            Some(kind) => Some((kind, outputs::of(&source, &weights)?)),
            None => None,
        };
        let text = Draft { source: &source, kinds: &kinds, weights: &weights, split: &split, script }.text();
        let plan = plan::build(spec::parse(&out, &text).map_err(Error::Spec)?);
        std::fs::create_dir_all(folder).map_err(|why| Error::unwritable(folder, &why))?;
        let beside = folder.join("medcert.schema.json");
        for (path, text) in [(&out, &text), (&beside, &schema::of_spec())] {
            std::fs::write(path, text).map_err(|why| Error::unwritable(path, &why))?;
        }
        let models: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        ask.note(format!(
            "{}: {} for {}, {} cells; its schema for editors is {}",
            out.display(),
            crate::report::counted(source.studies, "study", "studies"),
            models.join(", "),
            plan.cells.len(),
            beside.display()
        ));
        let notes = ask.notes.join("\n") + "\n";
        Ok(notes
            + &next(
                &out,
                source.root.as_deref(),
                weights.iter().find_map(|(_, place)| place.root.as_deref()),
            ))
    }

    /// This command with more flags, to paste into a shell.
    fn command(&self, more: &str) -> String {
        let mut words = vec!["medcert init".to_string()];
        let mut flag = |name: &str, value: &str| words.push(format!("--{name} {}", quoted(value)));
        self.data.iter().for_each(|data| flag("data", data));
        self.weights.iter().for_each(|path| flag("weights", &path.display().to_string()));
        if !self.models.is_empty() {
            let names: Vec<&str> = self.models.iter().map(|kind| kind.name()).collect();
            flag("models", &names.join(","));
        }
        if !self.positive.is_empty() {
            flag("positive", &self.positive.join(","));
        }
        self.column.iter().for_each(|pair| flag("column", pair));
        self.test.iter().for_each(|test| flag("test", test));
        self.out.iter().for_each(|out| flag("out", &out.display().to_string()));
        words.extend(self.findings.then(|| "--findings".to_string()));
        words.extend(self.trusted.then(|| "--trusted".to_string()));
        words.extend(self.force.then(|| "--force".to_string()));
        words.push(more.to_string());
        words.join(" ")
    }

    fn source(&self, folder: &Path, ask: &mut Ask<'_>) -> Result<Source> {
        let command = |more: &str| self.command(more);
        let wanted = Wanted {
            folder,
            positive: &self.positive,
            columns: &self.column,
            by_finding: self.findings,
            command: &command,
        };
        let source = self.found(&wanted, ask)?;
        if self.findings && source.asked().is_empty() {
            return Err(Error::Usage(
                "--findings knows the findings of the public sets that are tables; leave it out, and name yours under `findings` \
                 in the data block of the spec"
                    .into(),
            ));
        }
        Ok(source)
    }

    /// The data that were named, or that are here.
    fn found(&self, wanted: &Wanted<'_>, ask: &mut Ask<'_>) -> Result<Source> {
        if let Some(name) = &self.data {
            return source::read(name, wanted, ask);
        }
        let found = source::find().map_or("phantom".to_string(), |path| path.display().to_string());
        let name = ask.ask("data: phantom, a folder, or a CSV file", &found)?;
        ask.note(match name.as_str() {
            "phantom" => "no data was named and none was found here: phantoms are drawn".to_string(),
            name => format!("data: {name}"),
        });
        source::read(&name, wanted, ask)
    }

    fn weights(&self, folder: &Path, ask: &mut Ask<'_>) -> Result<Vec<(Weights, Place)>> {
        let mut paths = self.weights.clone();
        if paths.is_empty() {
            let found = find_weights().map_or("none".to_string(), |path| path.display().to_string());
            let name = ask.ask("weights: a folder or file, or none", &found)?;
            if name != "none" {
                ask.note(format!("weights: {name}"));
                paths.push(PathBuf::from(name));
            }
        }
        let read = |path: &PathBuf| Ok((weights::read(path)?, Place::of(path, folder)));
        let read: Vec<(Weights, Place)> = paths.iter().map(read).collect::<Result<_>>()?;
        let is_vocabulary = |(one, _): &&(Weights, Place)| matches!(one.kept, Kept::Tokenizer { .. });
        if let Some((one, _)) =
            read.iter().find(is_vocabulary).filter(|_| !read.iter().any(|(one, _)| one.is_module()))
        {
            return Err(Error::Usage(format!(
                "{} holds a vocabulary and no weights; name the folder that holds model.safetensors too, or the module that \
                 reads with this vocabulary",
                one.path.display()
            )));
        }
        let mut roots: Vec<&PathBuf> = read.iter().filter_map(|(_, place)| place.root.as_ref()).collect();
        roots.dedup();
        if roots.len() > 1 {
            return Err(Error::Usage(
                "the weights lie in several folders, and --weights-root names one; put them side by side"
                    .into(),
            ));
        }
        Ok(read)
    }

    /// What a user's own module reads, if there is one.
    fn script(
        &self,
        source: &Source,
        weights: &[(Weights, Place)],
        ask: &mut Ask<'_>,
    ) -> Result<Option<Kind>> {
        let Some((module, _)) = weights.iter().find(|(one, _)| one.is_module()) else {
            return Ok(None);
        };
        let file = module.path.display().to_string();
        if let Kept::Graph(Exported { reads, .. }) = module.kept {
            let kind = match (reads.image.is_some(), reads.text.is_some()) {
                (true, true) => Kind::Fusion,
                (true, false) => Kind::Vision,
                (false, _) => Kind::Language,
            };
            if !self.models.is_empty() && self.models != [kind] {
                return Err(Error::Usage(format!(
                    "{file} is a {} model by its inputs; leave --models out, or say --models {}",
                    kind.name(),
                    kind.name()
                )));
            }
            has_words(kind, &file, weights)?;
            return Ok(Some(kind));
        }
        let trusts = self.trusted
            || ask.ask(&format!("{file} holds code, which runs here; do you trust it (yes or no)"), "no")?
                == "yes";
        if !trusts {
            return Err(Error::Usage(format!(
                "{file} holds code, which runs here; say --trusted if you trust it"
            )));
        }
        let usual = match (self.models.as_slice(), source.views, source.reports) {
            ([kind], ..) => kind.name(),
            (_, "none", _) => "language",
            (.., false) => "vision",
            _ => "fusion",
        };
        let usual = if self.models.len() == 1 {
            usual.to_string()
        } else {
            ask.ask("what it is: vision, language, or fusion if it reads both", usual)?
        };
        let kind = Kind::from_str(&usual, true).map_err(|_| {
            Error::Usage(format!("`{usual}` is no kind of model; name vision, language or fusion"))
        })?;
        has_words(kind, &file, weights)?;
        ask.note(format!("{file} is taken for a {} model; check what the spec says of it", kind.name()));
        Ok(Some(kind))
    }

    /// The models: those that were named, else all that the data can feed.
    fn kinds(&self, source: &Source, script: Option<Kind>, ask: &mut Ask<'_>) -> Result<Vec<Kind>> {
        if let Some(kind) = script {
            return Ok(vec![kind]);
        }
        let (image, text) = (source.views != "none", source.reports);
        let can = |kind: Kind| match kind {
            Kind::Vision => image,
            Kind::Language => text,
            Kind::Fusion => image && text,
        };
        let all: Vec<Kind> =
            [Kind::Vision, Kind::Language, Kind::Fusion].into_iter().filter(|kind| can(*kind)).collect();
        let names: Vec<&str> = all.iter().map(|kind| kind.name()).collect();
        let mut kinds = self.models.clone();
        if kinds.is_empty() {
            let answer = ask.ask("models", &names.join(","))?;
            let read = |word: &str| Kind::from_str(word.trim(), true);
            kinds = answer.split(',').map(read).collect::<std::result::Result<_, _>>().map_err(|_| {
                Error::Usage(format!("`{answer}` names no models; name some of {}", names.join(", ")))
            })?;
        }
        if let Some(kind) = kinds.iter().find(|kind| !can(**kind)) {
            let lacks = if image { "reports" } else { "images" };
            return Err(Error::Usage(format!(
                "the data has no {lacks}, so there is nothing for a {} model; name some of {}",
                kind.name(),
                names.join(", ")
            )));
        }
        if kinds.contains(&Kind::Fusion) {
            // a fusion joins the other two
            kinds.extend([Kind::Vision, Kind::Language]);
        }
        kinds.sort_unstable();
        kinds.dedup();
        Ok(kinds)
    }
}

/// A word of a command line.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./=,%:".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A BERT's folder here.
fn find_weights() -> Option<PathBuf> {
    let mut below: Vec<PathBuf> = std::fs::read_dir(".").ok()?.flatten().map(|entry| entry.path()).collect();
    below.sort();
    let is_bert = |path: &PathBuf| {
        let has = |name: &str| path.join(name).is_file();
        has("config.json") && (has("model.safetensors") || has("model.safetensors.index.json"))
    };
    below.into_iter().find(is_bert).map(|path| path.strip_prefix(".").map(PathBuf::from).unwrap_or(path))
}

/// The next three commands.
fn next(out: &Path, data: Option<&Path>, weights: Option<&Path>) -> String {
    let root = |flag: &str, root: Option<&Path>| {
        root.map_or(String::new(), |root| format!(" {flag} {}", root.display()))
    };
    let (data, weights) = (root("--data-root", data), root("--weights-root", weights));
    let (spec, name) = (out.display(), stem(out));
    format!(
        "\nnext:\n  medcert plan {spec}{data}\n      says what would run, what it costs, and what its cases can show\n  \
         medcert check {spec}{data}{weights} --report html={name}.html\n      trains or loads, attacks, and judges every \
         sentence\n  medcert accept {spec}\n      takes the result as what later runs are compared with\n"
    )
}

#[cfg(test)]
mod tests;
