//! Fuzzers of what a user brings: specs, sentences, evidence, tables and images. No input may panic, take more than a
//! second or fill the memory. A few hundred inputs of each kind run with the tests; a million each run with
//!
//! ```text
//! cargo test --release --test pure fuzz -- --ignored --nocapture --test-threads 1
//! ```

use std::path::Path;
use std::time::Duration;

use crate::made_evidence;
use crate::mutations::{mutated, peak_mebibytes, read_all};

use medcert::data::{self, ImageSource, Report, Study};
use medcert::random::{below, stream};
use medcert::spec::{self, Views};
use medcert::{evidence, plan};

/// Inputs in every test run.
const FEW: usize = 500;
/// Inputs when they are asked for.
const MANY: usize = 1_000_000;
/// Most time for an input, in a run of its own and among other tests, which slow it.
const ALONE: Duration = Duration::from_secs(1);
const AMONG_OTHERS: Duration = Duration::from_secs(20);

/// Words of sentences and of what is near to them.
const WORDS: [&str; 72] = [
    "fusion",
    "vision",
    "language",
    "nobody",
    "accuracy",
    "sensitivity",
    "specificity",
    "auroc",
    "flips",
    "ece",
    "brier",
    "≥",
    ">=",
    "≤",
    "<",
    "=",
    "90%",
    "80 %",
    "0.9",
    "101%",
    "-5%",
    "1e-3",
    "8/255",
    "1/0",
    "at",
    "under",
    "at the",
    "FGSM",
    "PGD",
    "APGD",
    "DeepFool",
    "Square",
    "noise",
    "patch",
    "ε≤0.1",
    "eps=0.05",
    "ε",
    "20×5",
    "×10",
    "x",
    "50%",
    "deletion",
    "synonyms",
    "typos",
    "TextFooler",
    "PWWS",
    "no regression",
    "against",
    "no more than",
    "of",
    "cases",
    "in every",
    "sex",
    "inside",
    "mask 1",
    "lesion",
    "then",
    "+",
    "and",
    ",",
    ";",
    "(",
    ")",
    "clean",
    "blur",
    "exposure",
    "rotation 5°",
    "preserving",
    "directional",
    "whenever",
    "\u{a0}",
    "word",
];

/// A sentence of a few words that may follow one another, or not.
fn sentence(name: &str) -> String {
    let mut rng = stream(&["sentence", name]);
    let known =
        ["fusion accuracy ≥ 90% at FGSM ε≤0.1", "vision sensitivity ≥ 70% under PGD ε=8/255 20×5", ""];
    let mut words = vec![known[below(&mut rng, known.len())].to_string()];
    for _ in 0..below(&mut rng, 14) {
        let at = below(&mut rng, words.len() + 1);
        words.insert(at, WORDS[below(&mut rng, WORDS.len())].to_string());
    }
    words.join(" ")
}

fn read_spec(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    match spec::parse(Path::new("a.yaml"), text) {
        Ok(spec) => drop(plan::build(spec)),
        Err(why) => assert!(why.to_string().len() < 1 << 20, "{} bytes of complaints", why.to_string().len()),
    }
}

fn spec_samples() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> = ["specs", "tests/bad/spec"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).expect("a folder").flatten())
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a spec")).filter(|text| text.len() < 8_000).collect()
}

fn specs(inputs: usize, most: Duration) {
    let samples = spec_samples();
    read_all("specs", inputs, most, |name| mutated(&samples, name), read_spec);
}

fn sentences(inputs: usize, most: Duration) {
    const HEAD: &str = "claim: c\ndata: {phantom: {studies: 60, seed: 7}}\nsplit: {test: 30%, seed: 7}\nmodels:\n  \
        vision: {se_resnet18: {image: 32, width: 8, weights: v.safetensors}}\n  \
        language: {bert: {config: tiny, weights: l.safetensors}}\n  \
        fusion: {early_fusion: {vision: vision, language: language, weights: f.safetensors}}\nrequire:\n  - ";
    let make = |name: &str| {
        let written = serde_json::to_string(&sentence(name)).expect("quoted");
        let words = mutated(&[written.clone().into_bytes()], name);
        // half of them keep their grammar
        let words = if below(&mut stream(&["kept", name]), 2) == 0 { written.into_bytes() } else { words };
        [HEAD.as_bytes(), &words, b"\n"].concat()
    };
    read_all("sentences", inputs, most, make, read_spec);
}

fn evidence_files(inputs: usize, most: Duration) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    let mut world = made_evidence::World::new(&made_evidence::even(3));
    world.cell(2, plan::Attack::default(), |_, _| true);
    evidence::write(&path, &world.evidence).expect("written");
    let samples = [std::fs::read(&path).expect("bytes")];
    read_all(
        "evidence",
        inputs,
        most,
        |name| mutated(&samples, name),
        |bytes| {
            drop(evidence::parse(Path::new("a.json"), bytes.to_vec()));
        },
    );
}

fn tables(inputs: usize, most: Duration) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cases.csv");
    let text = "claim: c\ndata: {manifest: {file: cases.csv, columns: {findings: report}}}\nsplit: {test: 30%, seed: 7}\nmodels:\n  \
        language: {bert: {config: tiny, weights: l.safetensors}}\nrequire: [language accuracy ≥ 50%]\n";
    let spec = spec::parse(&folder.path().join("a.yaml"), text).expect("a sound spec");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad/manifest");
    let mut samples: Vec<Vec<u8>> = std::fs::read_dir(root)
        .expect("a folder")
        .flatten()
        .map(|entry| std::fs::read(entry.path()).expect("a table"))
        .collect();
    samples.sort();
    samples.push(b"id,patient,label,report\na,1,1,\"Large effusion, left.\"\nb,2,0,Clear lungs.\n".to_vec());
    read_all(
        "tables",
        inputs,
        most,
        |name| mutated(&samples, name),
        |bytes| {
            std::fs::write(&path, bytes).expect("written");
            drop(data::load(&spec, Some(folder.path())));
        },
    );
}

fn images(inputs: usize, most: Duration) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("film.png");
    let gray =
        image::DynamicImage::from(image::GrayImage::from_fn(9, 7, |x, y| image::Luma([(x * 20 + y) as u8])));
    let samples: Vec<Vec<u8>> =
        [gray.clone(), gray.to_luma16().into(), gray.to_rgb8().into(), gray.to_rgba8().into()]
            .iter()
            .map(|image| (image, image::ImageFormat::Png))
            .chain([(&gray, image::ImageFormat::Jpeg)])
            .map(|(image, format)| {
                let mut bytes = std::io::Cursor::new(Vec::new());
                image.write_to(&mut bytes, format).expect("encoded");
                bytes.into_inner()
            })
            .collect();
    let study = Study {
        id: "a".into(),
        patient: "a".into(),
        frontal: Some(ImageSource::file(path.clone())),
        lateral: None,
        report: Report::default(),
        label: true.into(),
        findings: vec![],
        view: None,
        mask: None,
        groups: [].into(),
        fold: None,
    };
    read_all(
        "images",
        inputs,
        most,
        |name| mutated(&samples, name),
        |bytes| {
            std::fs::write(&path, bytes).expect("written");
            drop(data::pixels(&[&study], Views::Frontal, 8, None));
        },
    );
}

#[test]
fn a_few_hundred_inputs_of_each_kind() {
    for fuzz in [specs, sentences, evidence_files, tables, images] {
        fuzz(FEW, AMONG_OTHERS);
    }
}

/// A million inputs of a kind, within a gigabyte.
fn many(fuzz: fn(usize, Duration)) {
    fuzz(MANY, ALONE);
    assert!(peak_mebibytes() < 1024);
}

#[test]
#[ignore = "takes long; the command is above"]
fn a_million_specs() {
    many(specs);
}

#[test]
#[ignore = "takes long; the command is above"]
fn a_million_sentences() {
    many(sentences);
}

#[test]
#[ignore = "takes long; the command is above"]
fn a_million_evidence_files() {
    many(evidence_files);
}

#[test]
#[ignore = "takes long; the command is above"]
fn a_million_tables() {
    many(tables);
}

#[test]
#[ignore = "takes long; the command is above"]
fn a_million_images() {
    many(images);
}
