//! Every branch of `medcert init`: what it writes is read without a fault, and what it cannot tell it says.

#[cfg(feature = "torch")]
mod loaded;

use std::path::{Path, PathBuf};

use clap::Parser;
use clap::ValueEnum as _;

use super::{Ask, Init, Kind};
use crate::spec::{self, Spec};
use crate::{Error, Result, data, plan};

/// `medcert init` alone.
#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    init: Init,
}

/// Begins a spec in a folder, by flags, and with answers if a person is there.
fn begin(folder: &Path, flags: &[&str], answers: Option<&str>) -> Result<(Spec, String, String)> {
    let out = folder.join("mine.yaml").display().to_string();
    let words = ["init", "--out", &out].into_iter().chain(flags.iter().copied());
    let command = Command::try_parse_from(words).expect("flags");
    let (mut input, mut output) = (answers.unwrap_or_default().as_bytes(), Vec::new());
    let person: Option<(&mut dyn std::io::BufRead, &mut dyn std::io::Write)> =
        if answers.is_some() { Some((&mut input, &mut output)) } else { None };
    let told = command.init.begin(&mut Ask { person, notes: vec![] })?;
    let spec = spec::read(Path::new(&out))?;
    assert!(!plan::build(spec.clone()).cells.is_empty());
    let text = std::fs::read_to_string(&out).expect("a spec");
    let here = folder.display().to_string();
    Ok((spec, text.replace(&here, "HERE"), told.replace(&here, "HERE")))
}

/// A folder's path as a flag.
fn at(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

fn write(path: PathBuf, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, bytes).expect("written");
}

/// A safetensors file of zeros.
fn tensors(path: PathBuf, shapes: &[(&str, &[usize])]) {
    let zeros: Vec<Vec<u8>> =
        shapes.iter().map(|(_, shape)| vec![0; 4 * shape.iter().product::<usize>()]).collect();
    let views = shapes.iter().zip(&zeros).map(|((name, shape), zeros)| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.to_vec(), zeros);
        ((*name).to_string(), view.expect("a tensor"))
    });
    write(path, safetensors::serialize(views, None).expect("a file"));
}

/// The Indiana layout with so many studies, of which the first have images.
fn indiana(folder: &Path, studies: usize, images: usize) {
    let row = |at: usize| {
        format!(
            "{at},normal,{},Xray Chest PA and Lateral,pain,none,clear lungs,fine\n",
            if at.is_multiple_of(2) { "normal" } else { "Opacity" }
        )
    };
    let header = "uid,MeSH,Problems,image,indication,comparison,findings,impression\n";
    write(
        folder.join("indiana_reports.csv"),
        header.to_string() + &(0..studies).map(row).collect::<String>(),
    );
    let row = |at: usize| format!("{at},{at}a.png,Frontal\n{at},{at}b.png,Lateral\n");
    let rows: String = (0..studies).map(row).collect();
    write(folder.join("indiana_projections.csv"), "uid,filename,projection\n".to_string() + &rows);
    for at in 0..images {
        write(folder.join(format!("images/images_normalized/{at}a.png")), "");
        write(folder.join(format!("images/images_normalized/{at}b.png")), "");
    }
    std::fs::create_dir_all(folder.join("images/images_normalized")).expect("made");
}

/// A folder in Hugging Face's layout.
fn bert(folder: &Path, head: bool) {
    write(folder.join("config.json"), r#"{"model_type": "bert", "max_position_embeddings": 128}"#);
    write(folder.join("vocab.txt"), "[PAD]\n[UNK]\nlung\n");
    let mut shapes: Vec<(&str, &[usize])> = vec![("embeddings.word_embeddings.weight", &[3, 2])];
    if head {
        shapes.push(("classifier.weight", &[2, 2]));
    }
    tensors(folder.join("model.safetensors"), &shapes);
}

fn manifest(folder: &Path, header: &str, rows: impl Fn(usize) -> String) -> String {
    let rows: String = (0..60).map(|at| rows(at) + "\n").collect();
    write(folder.join("cases.csv"), format!("{header}\n{rows}"));
    at(folder, "cases.csv")
}

/// A spec as a snapshot shows it: without the digests of zeros.
fn shown(text: &str) -> String {
    let is_digest = |word: &str| word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit());
    let word = |word: &str| {
        let bare = word.trim_end_matches('}').trim_matches('"');
        // a digest that could be a number is quoted
        if is_digest(bare) { word.replace('"', "").replace(bare, "DIGEST") } else { word.to_string() }
    };
    text.split(' ')
        .map(|part| part.split('\n').map(word).collect::<Vec<_>>().join("\n"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_phantom_makes_all_three_models() {
    let folder = tempfile::tempdir().expect("a folder");
    let (spec, text, told) = begin(folder.path(), &["--data", "phantom"], None).expect("a spec");
    assert_eq!(spec.models.len(), 3);
    assert!(folder.path().join("medcert.schema.json").is_file());
    data::load(&spec, None).expect("data");
    insta::assert_snapshot!("phantom", text);
    insta::assert_snapshot!("phantom_told", told);
}

#[test]
fn the_indiana_layout_is_recognised_with_its_images_or_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let iu = folder.path().join("iu");
    indiana(&iu, 120, 120);
    bert(&folder.path().join("clinical"), false);
    let (iu, weights) = (at(folder.path(), "iu"), at(folder.path(), "clinical"));
    let (spec, text, _) =
        begin(folder.path(), &["--data", &iu, "--weights", &weights], None).expect("a spec");
    assert_eq!((spec.models.len(), data::load(&spec, None).expect("data").studies.len()), (3, 120));
    insta::assert_snapshot!("indiana", shown(&text));
    let other = tempfile::tempdir().expect("a folder");
    indiana(&other.path().join("iu"), 150, 8);
    let iu = at(other.path(), "iu");
    let (spec, text, told) = begin(other.path(), &["--data", &iu], None).expect("a spec");
    assert_eq!(data::load(&spec, None).expect("data").studies.len(), 150);
    assert!(told.contains("8 of 150 studies have an image"), "{told}");
    insta::assert_snapshot!("indiana_reports_alone", text);
    // what the data cannot feed is refused
    let refused =
        begin(other.path(), &["--force", "--data", &iu, "--models", "vision"], None).expect_err("refused");
    assert!(refused.to_string().contains("the data has no images"), "{refused}");
}

#[test]
fn a_manifests_columns_are_guessed_and_its_labels_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let label = |at: usize| ["normal", "pneumonia", "effusion"][at % 3];
    let file = manifest(folder.path(), "Study ID,patient_id,Sex,Report,Class", |at| {
        format!("s{at},p{at},F,lungs are clear,{}", label(at))
    });
    let (spec, text, told) = begin(folder.path(), &["--data", &file], None).expect("a spec");
    assert_eq!(data::load(&spec, None).expect("data").studies.len(), 60);
    assert!(told.contains("abnormal is effusion, pneumonia, normal is normal"), "{told}");
    insta::assert_snapshot!("manifest", text);
    let flags = ["--force", "--data", &file, "--positive", "effusion"];
    let (spec, ..) = begin(folder.path(), &flags, None).expect("a spec");
    let abnormal = data::load(&spec, None)
        .expect("data")
        .studies
        .iter()
        .filter(|study| study.label.is_abnormal())
        .count();
    assert_eq!(abnormal, 20);
    // nothing says which of these is abnormal
    let file = manifest(folder.path(), "case,subject_no,report,label", |at| {
        format!("s{at},p{at},clear,{}", ["a", "b"][at % 2])
    });
    let refused = |flags: &[&str]| {
        let flags: Vec<&str> =
            ["--force", "--data", &file].into_iter().chain(flags.iter().copied()).collect();
        begin(folder.path(), &flags, None).expect_err("refused").to_string()
    };
    let patient = ["--column", "patient=subject_no"];
    for (flags, says) in [
        (&[][..], "--column patient=subject_no\n(the columns are case, subject_no, report, label)"),
        (&patient[..], "--positive, separated by commas"),
        (&["--column", "pateint=subject_no"], "did you mean `patient`?"),
        (&["--column", "patient=subject"], "did you mean `subject_no`?"),
        (&["--column", "patient=subject_no", "--positive", "c"], "a (30 rows), b (30 rows)"),
    ] {
        let why = refused(flags);
        assert!(why.contains(says), "{flags:?}: {why}");
    }
    let flags = [&["--force", "--data", &file, "--positive", "b"], &patient[..]].concat();
    begin(folder.path(), &flags, None).expect("a spec");
}

#[test]
fn a_person_is_asked_for_what_no_flag_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = manifest(folder.path(), "case,patient,report,label", |at| {
        format!("s{at},p{at},clear,{}", ["a", "b"][at % 2])
    });
    // data, labels, weights (none), models (as offered)
    let (spec, ..) = begin(folder.path(), &[], Some(&format!("{file}\nb\nnone\n\n"))).expect("a spec");
    assert_eq!(spec.models.len(), 1);
    let why = begin(folder.path(), &[], Some("")).expect_err("it is there already");
    assert!(matches!(why, Error::Usage(_)) && why.to_string().contains("--force"), "{why}");
    assert_eq!(Kind::value_variants().len(), 3);
}

#[test]
fn all_missing_columns_are_named_in_a_command_to_paste() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = manifest(folder.path(), "exam no,pat,words,dx,notes", |at| {
        format!("s{at},p{},lungs are clear,{},x", at / 2, ["sick", "Normal"][at % 2])
    });
    let flags = ["--data", &file, "--column", "findings=words"];
    let why = begin(folder.path(), &flags, None).expect_err("refused").to_string();
    assert!(why.contains("looks like the id, the patient, the label"), "{why}");
    let line = why.lines().find(|line| line.contains("medcert init")).expect("a command");
    assert!(line.contains("--column findings=words"), "{line}");
    assert!(line.ends_with("--column 'id=exam no' --column patient=pat --column label=dx"), "{line}");
    let flags =
        [&flags[..], &["--column", "id=exam no", "--column", "patient=pat", "--column", "label=dx"]].concat();
    let (spec, ..) = begin(folder.path(), &flags, None).expect("a spec");
    assert_eq!(data::load(&spec, None).expect("data").studies.len(), 60);
}

#[test]
fn labels_that_are_neither_are_left_out_and_misspelt_ones_suggested() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = manifest(folder.path(), "case,patient,report,label", |at| {
        format!("s{at},p{at},{},{}", ["clear", "nan"][at % 2], ["1.0", "0.0", "-1.0", ""][at / 2 % 4])
    });
    let (spec, text, told) = begin(folder.path(), &["--data", &file], None).expect("a spec");
    assert!(text.contains("positive: [\"1.0\"], negative: [\"0.0\"], leave_out: [\"-1.0\", \"\"]"), "{text}");
    assert!(text.contains("missing: [nan]") && told.contains("left out: -1.0, an empty label"), "{told}");
    assert_eq!(data::load(&spec, None).expect("data").studies.len(), 16);
    let file = manifest(folder.path(), "case,patient,report,label", |at| {
        format!("s{at},p{at},clear,{}", ["Pneumonia", "None of these"][at % 2])
    });
    let why = begin(folder.path(), &["--force", "--data", &file, "--positive", "pneumonia"], None);
    let why = why.expect_err("refused").to_string();
    assert!(why.contains("did you mean `Pneumonia`?"), "{why}");
}

/// A copy of an NIH-like set: own column names, absolute paths, findings in lists, a column of parts.
fn nih(folder: &Path) -> String {
    let row = |at: usize| {
        let findings = ["No Finding", "Mass|Nodule", "Cardiomegaly|Effusion", "Effusion"][at % 4];
        let part = ["train", "train", "valid", "test", "test"][at / 12];
        format!("{at:04},{},{}/films/{at}.png,{findings},{part}", at / 2, folder.display())
    };
    for at in 0..60 {
        write(folder.join(format!("films/{at}.png")), "");
    }
    let file = manifest(&folder.join("tables"), "Image Index,Patient ID,Path,Finding Labels,Fold", row);
    write(folder.join("own.pt"), b"PK\x03\x04 own/code/__torch__.py own/constants.pkl");
    file
}

#[test]
fn a_brought_model_is_judged_on_the_test_set_that_a_column_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, own) = (nih(folder.path()), at(folder.path(), "own.pt"));
    std::fs::create_dir(folder.path().join("specs")).expect("made");
    let flags = ["--data", &file, "--weights", &own, "--trusted", "--models", "vision"];
    let (spec, text, told) = begin(&folder.path().join("specs"), &flags, None).expect("a spec");
    assert!(text.contains("split: {column: Fold, test: [test], validation: [valid]}"), "{text}");
    assert!(text.contains("separator: \"|\"") && told.contains("--data-root"), "{told}");
    let loaded = data::load(&spec, Some(folder.path())).expect("data");
    let parts = data::divide(&loaded.studies, &spec).expect("parts");
    assert_eq!((parts.train.len(), parts.validation.len(), parts.test.len()), (24, 12, 24));
}

#[test]
fn a_brought_models_data_is_never_divided_in_silence() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = nih(folder.path());
    let text = std::fs::read_to_string(&file).expect("a table");
    write(
        PathBuf::from(&file),
        text.replace(",Fold", ",Remark").replace(",test", ",a").replace(",train", ",b"),
    );
    let own = at(folder.path(), "own.pt");
    let flags = ["--data", &file, "--weights", &own, "--trusted", "--models", "vision"];
    let why = begin(folder.path(), &flags, None).expect_err("asked").to_string();
    for says in ["--test all", "--test COLUMN=VALUE", "--test 30%", "may hold patients of its training"] {
        assert!(why.contains(says), "{says}: {why}");
    }
    for (test, split) in [
        ("all", "split: {test: 100%}"),
        ("Remark=a", "split: {column: Remark, test: [a], validation: [valid]}"),
        ("30%", "split: {by: patient, test: 30%, validation: 10%, seed: 7}"),
    ] {
        let flags = [&flags[..], &["--force", "--test", test]].concat();
        let (_, text, _) = begin(folder.path(), &flags, None).expect("a spec");
        assert!(text.contains(split), "{text}");
    }
    for (test, says) in
        [("Remark=c", "no row has `c`"), ("Fold=a", "no column `Fold`"), ("some", "is none of")]
    {
        let flags = [&flags[..], &["--force", "--test", test]].concat();
        let why = begin(folder.path(), &flags, None).expect_err("refused").to_string();
        assert!(why.contains(says), "{why}");
    }
    // a person answers instead
    let flags = [&flags[..], &["--force"]].concat();
    let (_, text, _) =
        begin(folder.path(), &flags, Some("Cardiomegaly,Effusion,Mass,Nodule\nall\n")).expect("a spec");
    assert!(text.contains("split: {test: 100%}"), "{text}");
}
