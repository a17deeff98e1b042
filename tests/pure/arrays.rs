//! Array files in `MedMNIST`'s form: one that `NumPy` wrote, what is refused with its message, and mutations of it.

use std::path::{Path, PathBuf};

use clap::Parser;
use medcert::cli::Cli;
use medcert::data::{Dataset, divide, load, picture};
use medcert::spec::parse;
use proptest::prelude::*;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/arrays.npz")
}

/// A file in a folder, read with these keys.
fn read(folder: &Path, keys: &str) -> Result<Dataset, String> {
    let told = |text: String| text.replace(&folder.display().to_string(), "FOLDER");
    let spec = spec(folder, keys, "{column: split, test: [test], validation: [val]}").map_err(told)?;
    load(&spec, None).map_err(|why| told(why.to_string()))
}

fn spec(folder: &Path, keys: &str, split: &str) -> Result<medcert::spec::Spec, String> {
    let asked = if keys.contains("findings") { "every finding " } else { "" };
    let text = format!(
        "claim: c\ndata: {{medmnist: {{file: a.npz{keys}}}}}\nsplit: {split}\nmodels: {{vision: {{se_resnet18: {{image: 32, \
         train: {{lr: 1e-3, epochs: 1}}}}}}}}\nrequire: [vision {asked}accuracy ≥ 9%]\n"
    );
    parse(&folder.join("a.yaml"), &text).map_err(|faults| faults.to_string())
}

/// A folder with these arrays as `a.npz`, stored: the name, the type and shape as a header says them, and the bytes.
fn made(arrays: &[(&str, &str, &str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, descr, shape, bytes) in arrays {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut content = b"\x93NUMPY\x01\x00".to_vec();
        content.extend((header.len() as u16).to_le_bytes());
        content.extend(header.as_bytes());
        content.extend(bytes);
        let (name, size) = (format!("{name}.npy"), (content.len() as u32).to_le_bytes());
        let long = (name.len() as u16).to_le_bytes();
        // the same fields in both headers: version, flags, method, time, date, checksum, sizes, and lengths of name and extra
        let fields =
            [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &size[..], &size, &long, &[0, 0]].concat();
        let start = (archive.len() as u32).to_le_bytes();
        directory.extend([b"PK\x01\x02\x14\x00", &fields[..], &[0; 10], &start, name.as_bytes()].concat());
        archive.extend([b"PK\x03\x04", &fields[..], name.as_bytes(), &content].concat());
    }
    let (start, size, count) = (archive.len() as u32, directory.len() as u32, arrays.len() as u16);
    let counts = [count.to_le_bytes(), count.to_le_bytes()].concat();
    archive.extend(directory);
    let places = [size.to_le_bytes(), start.to_le_bytes()].concat();
    archive.extend([b"PK\x05\x06\0\0\0\0", &counts[..], &places, &[0, 0]].concat());
    std::fs::write(folder.path().join("a.npz"), archive).expect("written");
    folder
}

/// Three parts of two cases each, with these labels and shape of labels.
fn labelled(labels: [u8; 2], shape: &str) -> tempfile::TempDir {
    let images = || vec![7; 2 * 16];
    let part = |part| (format!("{part}_images"), format!("{part}_labels"));
    let names: Vec<(String, String)> = ["train", "val", "test"].map(part).to_vec();
    let arrays: Vec<(&str, &str, &str, Vec<u8>)> = names
        .iter()
        .flat_map(|(pictures, marks)| {
            [
                (pictures.as_str(), "|u1", "(2, 4, 4)", images()),
                (marks.as_str(), "|u1", shape, labels.to_vec()),
            ]
        })
        .collect();
    made(&arrays)
}

#[test]
fn a_file_that_numpy_wrote_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(golden(), folder.path().join("a.npz")).expect("copied");
    let data = read(folder.path(), "").expect("data");
    assert_eq!(data.studies.len(), 18);
    let fold = |part: &str| data.studies.iter().filter(|study| study.fold.as_deref() == Some(part)).count();
    assert_eq!(["train", "val", "test"].map(fold), [8, 4, 6]);
    let third = data.studies.iter().find(|study| study.id == "test-3").expect("a study");
    assert!(third.label.is_abnormal(), "labels alternate");
    let pixels = picture(third.frontal.as_ref().expect("an image"), 8, None).expect("pixels");
    let expected: Vec<u8> = (0..64).map(|place| 60 + place / 8).collect();
    assert_eq!(pixels, expected);
    let spec = spec(folder.path(), "", "{column: split, test: [test], validation: [val]}").expect("a spec");
    let partition = divide(&data.studies, &spec).expect("a division");
    assert_eq!([partition.train.len(), partition.validation.len(), partition.test.len()], [8, 4, 6]);
    let turned = read(folder.path(), ", abnormal: [0]").expect("data");
    assert!(!turned.studies.iter().find(|study| study.id == "test-3").expect("a study").label.is_abnormal());
    assert_ne!(turned.digest, data.digest);
}

#[test]
fn colours_become_gray_and_columns_findings() {
    let colours = |bytes: [u8; 3]| bytes.repeat(2 * 16);
    let mut arrays = Vec::new();
    let names: Vec<(String, String)> =
        ["train", "val", "test"].map(|part| (format!("{part}_images"), format!("{part}_labels"))).to_vec();
    for (pictures, marks) in &names {
        arrays.push((pictures.as_str(), "|u1", "(2, 4, 4, 3)", colours([255, 0, 0])));
        arrays.push((marks.as_str(), "<i2", "(2, 2)", vec![1, 0, 0, 0, 0, 0, 1, 0]));
    }
    let folder = made(&arrays);
    let data = read(folder.path(), ", findings: [edema, effusion]").expect("data");
    assert_eq!(data.findings, ["edema", "effusion"]);
    let letters: String = data.studies[0].findings.iter().map(|presence| presence.letter()).collect();
    assert_eq!(letters, "10");
    let pixels = picture(data.studies[0].frontal.as_ref().expect("an image"), 4, None).expect("pixels");
    assert!(pixels.iter().all(|pixel| *pixel == 54), "red is 21.26 % by BT.709: {pixels:?}");
}

#[test]
fn what_is_no_such_file_is_refused() {
    let mut told = Vec::new();
    let mut refuse = |name: &str, folder: &tempfile::TempDir, keys: &str| {
        let why = read(folder.path(), keys).expect_err(name);
        told.push(format!("{name}: {why}"));
    };
    let empty = tempfile::tempdir().expect("a folder");
    std::fs::write(empty.path().join("a.npz"), "no archive").expect("written");
    refuse("no archive", &empty, "");
    refuse("an array is missing", &made(&[("train_images", "|u1", "(1, 4, 4)", vec![0; 16])]), "");
    let first = |descr: &'static str, shape: &'static str, bytes: usize| {
        made(&[("train_images", descr, shape, vec![0; bytes])])
    };
    refuse("floats", &first("<f4", "(1, 4, 4)", 64), "");
    refuse("objects", &first("|O", "(1, 4, 4)", 16), "");
    refuse("16 bits", &first("<u2", "(1, 4, 4)", 32), "");
    refuse("cut off", &first("|u1", "(9, 4, 4)", 16), "");
    refuse("too many to count", &first("|u1", "(9999999999, 9999999999, 9999999999)", 16), "");
    refuse("volumes", &first("|u1", "(1, 4, 4, 4)", 64), "");
    refuse("no pixel", &first("|u1", "(1, 0, 4)", 0), "");
    refuse("classes", &labelled([0, 2], "(2, 1)"), "");
    refuse("a label that is not there", &labelled([0, 2], "(2, 1)"), ", abnormal: [3]");
    refuse("findings without columns", &labelled([0, 1], "(2, 1)"), ", findings: [edema, effusion]");
    refuse("columns without findings", &labelled([0, 1], "(1, 2)"), "");
    refuse("other numbers of labels", &labelled([0, 1], "(1, 2)"), ", findings: [edema, effusion]");
    refuse("findings and labels", &labelled([0, 1], "(2, 1)"), ", findings: [edema], abnormal: [1]");
    refuse("classes and labels", &labelled([0, 1], "(2, 1)"), ", classes: [a, b, c], abnormal: [1]");
    refuse("two classes", &labelled([0, 1], "(2, 1)"), ", classes: [normal, pneumonia]");
    refuse("a class twice", &labelled([0, 1], "(2, 1)"), ", classes: [a, b, a]");
    refuse("a class without cases", &labelled([0, 2], "(2, 1)"), ", classes: [a, b, c]");
    refuse("a label without a class", &labelled([0, 9], "(2, 1)"), ", classes: [a, b, c]");
    refuse("columns of classes", &of_labels("(12, 2)"), ", classes: [a, b, c]");
    refuse("no labels", &labelled([0, 1], "(2, 1)"), ", abnormal: []");
    let other = labelled([0, 1], "(2, 1)");
    let spec = spec(other.path(), "", "{column: fold, test: [test], validation: [val]}").expect("a spec");
    let why = load(&spec, None).expect_err("a column").to_string();
    told.push(format!("another column: {}", why.replace(&other.path().display().to_string(), "FOLDER")));
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn classes_that_are_named_are_one_answer() {
    let folder = labelled([0, 2], "(2, 1)");
    let data = read(folder.path(), ", abnormal: [2]").expect("data");
    assert_eq!(data.studies.iter().filter(|study| study.label.is_abnormal()).count(), 3);
}

/// Three parts of images of 28 × 28 pixels in three colours, as `BloodMNIST` has them, with 24 labels of eight classes in
/// this shape.
fn of_labels(shape: &str) -> tempfile::TempDir {
    let images = format!("{}, 28, 28, 3)", shape.split(',').next().unwrap_or_default());
    let count = if shape.starts_with("(24") { 24 } else { 12 };
    let pixels: Vec<u8> = (0..count * 28 * 28 * 3).map(|place| (place % 251) as u8).collect();
    let labels: Vec<u8> = (0..24).map(|case| case % 8).collect();
    let names = ["train", "val", "test"].map(|part| (format!("{part}_images"), format!("{part}_labels")));
    let mut arrays = Vec::new();
    for (pictures, marks) in &names {
        arrays.push((pictures.as_str(), "|u1", images.as_str(), pixels.clone()));
        arrays.push((marks.as_str(), "|u1", shape, labels.clone()));
    }
    made(&arrays)
}

#[test]
fn eight_labels_are_eight_classes() {
    let folder = of_labels("(24, 1)");
    let names = "basophil, eosinophil, erythroblast, granulocyte, lymphocyte, monocyte, neutrophil, platelet";
    let keys = format!(", classes: [{names}]");
    let data = read(folder.path(), &keys).expect("data");
    assert_eq!(data.classes.join(", "), names);
    let places: Vec<usize> = data.studies.iter().take(9).map(|study| study.label.place()).collect();
    assert_eq!(places, [0, 1, 2, 3, 4, 5, 6, 7, 0]);
    assert_eq!(data.studies[1].label, medcert::Class::Several(1));
    let turned = read(folder.path(), ", abnormal: [1]").expect("data");
    assert_ne!(turned.digest, data.digest);
    let spec =
        spec(folder.path(), &keys, "{column: split, test: [test], validation: [val]}").expect("a spec");
    assert_eq!(divide(&data.studies, &spec).expect("a division").test.len(), 24);
    let renamed = read(folder.path(), &keys.replace("platelet", "thrombocyte")).expect("data");
    assert_ne!(renamed.digest, data.digest, "the names are part of the data");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    /// A changed or cut file is read or refused, without a panic.
    #[test]
    fn mutations_are_read_or_refused(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = std::fs::read(golden()).expect("the golden file");
        for (place, byte) in flips {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.npz"), bytes).expect("written");
        let _ = read(folder.path(), "");
    }
}

/// The data block that `medcert init` writes for a file of this name.
fn begun(folder: &tempfile::TempDir, name: &str, flags: &[&str]) -> String {
    let (file, out) = (folder.path().join(name), folder.path().join("begun.yaml"));
    std::fs::copy(folder.path().join("a.npz"), &file).expect("copied");
    let paths =
        ["--data", &file.display().to_string(), "--out", &out.display().to_string()].map(str::to_string);
    let words = ["medcert", "init", "--force"].iter().chain(flags).map(ToString::to_string);
    let cli = Cli::try_parse_from(words.chain(paths)).expect("a command");
    assert_eq!(medcert::cli::run(&cli).expect("a spec"), 0);
    let spec = medcert::spec::read(&out).expect("a spec without a fault");
    load(&spec, None).expect("data");
    let text = std::fs::read_to_string(&out).expect("a spec");
    let line = text.lines().find(|line| line.trim_start().starts_with("medmnist")).expect("a block");
    line.trim().replace(name, "FILE")
}

#[test]
fn init_names_the_classes_of_the_known_sets_and_numbers_those_of_others() {
    let mut told = Vec::new();
    for (name, classes) in [
        ("pathmnist", 9),
        ("dermamnist_64", 7),
        ("octmnist_224", 4),
        ("retinamnist", 5),
        ("bloodmnist", 8),
        ("tissuemnist", 8),
        ("OrganAMNIST", 11),
        ("organcmnist", 11),
        ("organsmnist", 11),
        ("mine", 3),
        // more classes than the set has: another file with its name
        ("octmnist", 6),
        ("pneumoniamnist", 2),
        ("breastmnist", 2),
        ("mine2", 2),
    ] {
        let folder = columned(&(0..classes).collect::<Vec<u8>>(), 1);
        told.push(format!("{name}: {}", begun(&folder, &format!("{name}.npz"), &[])));
    }
    let positive = begun(&columned(&[0, 1, 2, 3], 1), "octmnist.npz", &["--positive", "0,1,2"]);
    told.push(format!("with --positive: {positive}"));
    for (name, columns) in [("chestmnist_128", 14), ("mine", 3)] {
        let marks: Vec<u8> = (0..2 * columns).map(|place| place % 2).collect();
        let folder = columned(&marks, columns);
        told.push(format!("{name}: {}", begun(&folder, &format!("{name}.npz"), &[])));
    }
    insta::assert_snapshot!(told.join("\n"));
}

/// Three parts with these labels, in so many columns.
fn columned(marks: &[u8], columns: u8) -> tempfile::TempDir {
    let cases = marks.len() / usize::from(columns);
    let (shape, pictured) = (format!("({cases}, {columns})"), format!("({cases}, 4, 4)"));
    let names: Vec<(String, String)> =
        ["train", "val", "test"].map(|part| (format!("{part}_images"), format!("{part}_labels"))).to_vec();
    let mut arrays = Vec::new();
    for (pictures, labels) in &names {
        arrays.push((pictures.as_str(), "|u1", pictured.as_str(), vec![7; cases * 16]));
        arrays.push((labels.as_str(), "|u1", shape.as_str(), marks.to_vec()));
    }
    made(&arrays)
}
