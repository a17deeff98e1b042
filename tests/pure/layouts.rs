//! Manifests as the public sets lay them out: paths made of columns, lists of labels, several rows a case, tables that
//! belong together, gzipped files, DICOM folders, and identifiers that stay private.

use std::io::Write;
use std::path::Path;

use medcert::data::{Dataset, ImageSource, Study, load, picture};
use medcert::spec::parse;

use crate::dicom_file::{self, element};

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, content).expect("written");
    }
    folder
}

/// What a spec with this data block reads in a folder.
fn read_in(folder: &Path, block: &str) -> Result<Dataset, String> {
    let text = format!(
        "claim: c\ndata: {{{block}}}\nsplit: {{test: 30%}}\nmodels: {{vision: {{se_resnet18: {{image: 56, train: {{lr: \
         1e-3, epochs: 1}}}}}}}}\nrequire: [vision accuracy ≥ 9%]\n"
    );
    let spec = parse(&folder.join("a.yaml"), &text).map_err(|faults| faults.to_string())?;
    load(&spec, None).map_err(|error| error.to_string().replace(&folder.display().to_string(), "FOLDER"))
}

fn read(files: &[(&str, &[u8])], block: &str) -> Result<Dataset, String> {
    read_in(folder(files).path(), block)
}

fn labels(data: &Dataset) -> Vec<(&str, bool)> {
    data.studies.iter().map(|study| (study.id.as_str(), study.label.is_abnormal())).collect()
}

fn path(study: &Study) -> String {
    match &study.frontal {
        Some(ImageSource::File(file)) => {
            let path = file.path();
            let parts = path.iter().rev().take(3).map(|part| part.to_string_lossy().to_string());
            parts.collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("/")
        }
        other => panic!("{other:?}"),
    }
}

const COLUMNS: &str = "columns: {id: id, patient: patient, label: label, findings: report}";

#[test]
fn a_split_names_the_files_of_training_and_of_test() {
    let header = "id,patient,label,report\n";
    let files: [(&str, &[u8]); 3] = [
        ("train.csv", b"id,patient,label,report\na,1,1,an effusion\nb,2,0,clear\n"),
        ("test.csv", b"patient,id,report,label,more\n3,c,an effusion,1,x\n4,d,clear,0,y\n"),
        ("odd.csv", b"id,patient,label\ne,5,1\n"),
    ];
    let text = format!(
        "claim: c\ndata: {{manifest: {{file: train.csv, also: [test.csv], {COLUMNS}}}}}\nsplit: {{column: file, test: \
         [test.csv]}}\nmodels: {{language: {{bert: {{config: tiny, weights: w.safetensors}}}}}}\n\
         require: [language accuracy ≥ 9%]\n"
    );
    let folder = folder(&files);
    let spec =
        |text: &str| parse(&folder.path().join("a.yaml"), text).unwrap_or_else(|faults| panic!("{faults}"));
    let both = spec(&text);
    let data = load(&both, None).expect("data");
    assert_eq!(labels(&data), [("a", true), ("b", false), ("c", true), ("d", false)]);
    let parts = medcert::data::split(&data.studies, &both.split).expect("parts");
    assert_eq!((parts.train, parts.test), (vec![0, 1], vec![2, 3]));
    // another file is other data
    let one = spec(&text.replace("also: [test.csv], ", "").replace("[test.csv]", "[train.csv]"));
    assert_eq!(both.fingerprint().differences(&one.fingerprint()), ["`data`", "`split`"]);

    let refused = |from: &str, to: &str| {
        let text = text.replace(from, to);
        let spec = parse(&folder.path().join("a.yaml"), &text).map_err(|faults| faults.to_string());
        let why = spec.and_then(|spec| load(&spec, None).map_err(|error| error.to_string()));
        why.expect_err("refused").replace(&folder.path().display().to_string(), "FOLDER")
    };
    let why = refused("[test.csv], col", "[odd.csv], col");
    assert!(why.starts_with("FOLDER/odd.csv:1: there is no column `report`"), "{why}");
    std::fs::write(folder.path().join("bad.csv"), format!("{header}f,6,maybe,clear\n")).expect("written");
    let why = refused("[test.csv], col", "[bad.csv], col");
    assert!(why.starts_with("FOLDER/bad.csv:2: "), "a fault names the file of its row: {why}");
    assert!(refused("[test.csv], col", "[gone.csv], col").contains("gone.csv"));
    assert!(refused("also: [test.csv], col", "also: [], col").contains("name 1 to 100 files"));
    std::fs::write(folder.path().join("named.csv"), "id,patient,label,report,file\ng,7,1,clear,x\n")
        .expect("written");
    let why = refused("file: train.csv, also: [test.csv]", "file: named.csv, also: [named.csv]");
    assert!(why.contains("there is one already"), "{why}");
}

const NIH: &str = "Image Index,Finding Labels,Patient ID,Patient Age,Patient Gender,View Position\n\
                   1_0.png,Cardiomegaly|Emphysema,1,58,M,PA\n1_1.png,No Finding,1,93,M,AP\n2_0.png,No Finding,2,81,F,PA\n";

#[test]
fn paths_are_made_of_columns_and_ages_of_bands() {
    let files: [(&str, &[u8]); 4] = [
        ("nih.csv", NIH.as_bytes()),
        ("images/1_0.png", b""),
        ("images/1_1.png", b""),
        ("images/2_0.png", b""),
    ];
    let block = "manifest: {file: nih.csv, columns: {id: Image Index, patient: Patient ID, label: Finding Labels, frontal: \
                 'images/{Image Index}', view: View Position, groups: [Patient Age]}, positive: [Cardiomegaly, Emphysema], \
                 negative: [No Finding], separator: '|'}";
    let data = read(&files, block).expect("data");
    assert_eq!(labels(&data), [("1_0.png", true), ("1_1.png", false), ("2_0.png", false)]);
    assert!(path(&data.studies[1]).ends_with("images/1_1.png"));
    // ages over 89 are in one band with those over 79
    assert!(data.studies[1].groups.contains(&("age band".to_string(), "80+".to_string())));
    assert_eq!(data.studies[1].groups[1], data.studies[2].groups[1]);
    let only = block.replace("separator", "where: {View Position: [PA]}, separator");
    let data = read(&files, &only).expect("data");
    assert_eq!(data.studies.len(), 2);
    assert_eq!(data.left_out, [("where `View Position` is not PA".to_string(), 1)]);
    let none = block.replace("separator", "where: {View Position: [LL]}, separator");
    assert!(read(&files, &none).expect_err("refused").contains("no row of the manifest is one where"));
    let wrong = block.replace("images/{Image Index}", "images/{Image}");
    assert!(read(&files, &wrong).expect_err("refused").contains("there is no column `Image`"));
    let wrong = block.replace("images/{Image Index}", "images/{Image Index");
    assert!(read(&files, &wrong).expect_err("refused").contains("opens a brace"));
}

#[test]
fn patients_come_out_of_paths() {
    let csv = "Path,No Finding\nset/train/patient00001/study1/view1.jpg,1.0\nset/train/patient00002/study1/view1.jpg,\n";
    let (one, other) = ("train/patient00001/study1/view1.jpg", "train/patient00002/study1/view1.jpg");
    let files: [(&str, &[u8]); 3] = [("train.csv", csv.as_bytes()), (one, b""), (other, b"")];
    let block = "manifest: {file: train.csv, parts: {Path: '{set}/{part}/{patient}/{study}/{image}'}, columns: {id: \
                 '{patient}-{study}-{image}', patient: patient, label: No Finding, frontal: \
                 '{part}/{patient}/{study}/{image}'}, positive: [''], negative: ['1.0']}";
    let data = read(&files, block).expect("data");
    assert_eq!(
        labels(&data),
        [("patient00001-study1-view1.jpg", false), ("patient00002-study1-view1.jpg", true)]
    );
    assert_eq!(data.studies[0].patient, "patient00001");
    let wrong = block.replace("{set}/{part}/{patient}", "{set}:{part}/{patient}");
    let why = read(&files, &wrong).expect_err("refused");
    assert!(
        why.contains("FOLDER/train.csv:2: `set/train/") && why.contains("does not have the form"),
        "{why}"
    );
}

#[test]
fn several_rows_are_one_case() {
    let csv = "patientId,x,Target\na,1,1\na,2,0\nb,,0\n";
    let files: [(&str, &[u8]); 3] = [("rsna.csv", csv.as_bytes()), ("a.dcm", b""), ("b.dcm", b"")];
    let block = "manifest: {file: rsna.csv, columns: {id: patientId, patient: patientId, label: Target, frontal: \
                 '{patientId}.dcm'}}";
    let why = read(&files, block).expect_err("refused");
    assert!(why.contains(":3: the case a is in the file twice") && why.contains("`rows: any`"), "{why}");
    let data = read(&files, &block.replace("columns", "rows: any, columns")).expect("data");
    assert_eq!(labels(&data), [("a", true), ("b", false)]);
    // three readers, of whom one sees something twice; and two who disagree
    let csv = "case,reader,label\na,1,1\na,1,1\na,2,0\na,3,0\nb,1,1\nb,1,0\nb,2,1\nc,1,1\nc,2,0\n";
    let block =
        "manifest: {file: v.csv, rows: {majority: reader}, columns: {patient: case, frontal: '{case}.png'}}";
    let files: [(&str, &[u8]); 4] =
        [("v.csv", csv.as_bytes()), ("a.png", b""), ("b.png", b""), ("c.png", b"")];
    let data = read(&files, block).expect("data");
    assert_eq!(labels(&data), [("a", false), ("b", true)]);
    assert_eq!(data.left_out, [("with as many readers for as against".to_string(), 1)]);
}

#[test]
fn tables_are_joined_and_may_be_gzipped() {
    let packed = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).expect("packed");
        encoder.finish().expect("packed")
    };
    let images = packed("dicom_id,subject_id,study_id\nd1,10000032,5\nd2,10000032,6\nd3,10000048,7\n");
    let findings = packed("subject_id,study_id,No Finding\n10000032,5,1.0\n10000032,6,\n");
    let files: [(&str, &[u8]); 6] = [
        ("metadata.csv.gz", &images),
        ("chexpert.csv.gz", &findings),
        ("files/p10/p10000032/s5/d1.jpg", b""),
        ("files/p10/p10000032/s6/d2.jpg", b""),
        ("files/p10/p10000032/s5.txt", b"Clear lungs.\n"),
        ("files/p10/p10000032/s6.txt", b"Opacity.\n"),
    ];
    let block = "manifest: {file: metadata.csv.gz, join: [{file: chexpert.csv.gz, on: [subject_id, study_id]}], columns: \
                 {id: dicom_id, patient: subject_id, label: No Finding, frontal: \
                 'files/p{subject_id:2}/p{subject_id}/s{study_id}/{dicom_id}.jpg', findings: \
                 'files/p{subject_id:2}/p{subject_id}/s{study_id}.txt'}, positive: [''], negative: ['1.0']}";
    let data = read(&files, block).expect("data");
    assert_eq!(labels(&data), [("d1", false), ("d2", true)]);
    assert_eq!(data.studies[0].report.findings, "Clear lungs.");
    assert_eq!(data.left_out, [("without a row in chexpert.csv.gz".to_string(), 1)]);
    let twice = packed("subject_id,study_id,No Finding\n1,5,1.0\n1,5,\n");
    let why = read(&[("metadata.csv.gz", &images), ("chexpert.csv.gz", &twice)], block).expect_err("refused");
    assert!(why.contains("chexpert.csv.gz:3: this row has the same subject_id and study_id as"), "{why}");
    let why = read(&[("metadata.csv.gz", &images[..images.len() - 9])], block).expect_err("refused");
    assert!(why.contains("download it again"), "{why}");
}

const NAME: &str = "DOE^PLANTED";
const BIRTH: &str = "19310401";
const RECORD: &str = "MRN0048151623";

/// A DICOM file of a patient with a name, a date of birth and a record number.
fn planted(instance: &str, study: &str, view: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let attributes = [
        element((8, 0x18), "UI", instance.as_bytes()),
        element((8, 0x70), "LO", b"Maker"),
        element((0x10, 0x10), "PN", NAME.as_bytes()),
        element((0x10, 0x20), "LO", RECORD.as_bytes()),
        element((0x10, 0x30), "DA", BIRTH.as_bytes()),
        element((0x10, 0x40), "CS", b"F"),
        element((0x10, 0x1010), "AS", b"093Y"),
        element((0x18, 0x5101), "CS", view.as_bytes()),
        element((0x20, 0xD), "UI", study.as_bytes()),
    ];
    let values = std::array::from_fn(|place| place as u16 * 256);
    dicom_file::picture(&attributes, 12, &values, more)
}

#[test]
fn a_folder_of_dicom_files_is_a_table_with_pseudonyms() {
    let (one, other, side) =
        (planted("1.1", "1", "PA", &[]), planted("1.2", "2", "AP", &[]), planted("1.3", "2", "LL", &[]));
    let labels_csv: &[u8] = b"StudyInstanceUID,label\n1,0\n2,1\n";
    let folder = folder(&[
        ("scans/DOE/a", &one),
        ("scans/DOE/b", &other),
        ("scans/DOE/c", &side),
        ("scans/DICOMDIR.txt", b"no picture"),
        ("labels.csv", labels_csv),
    ]);
    let block = "dicom: {folder: scans, labels: labels.csv, groups: [PatientSex, PatientAge, Manufacturer]}";
    let data = read_in(folder.path(), block).expect("data");
    let said = format!(
        "{:?}",
        data.studies.iter().map(|study| (&study.id, &study.patient, &study.groups)).collect::<Vec<_>>()
    );
    // the age as a value: a pseudonym may hold its digits by chance
    for secret in [NAME, BIRTH, RECORD, "\"93\"", "093Y"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    assert!(data.studies.iter().all(|study| study.id.starts_with("case-")));
    assert_eq!(data.studies.iter().map(|study| study.label.is_abnormal()).collect::<Vec<_>>(), [false, true]);
    let groups = |name: &str| {
        let study = &data.studies[0].groups;
        study.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    assert_eq!(groups("age band"), Some("80+".to_string()));
    assert_eq!(groups("Manufacturer"), Some("Maker".to_string()));
    assert_eq!(groups("view"), Some("PA".to_string()));
    assert_eq!(
        data.left_out,
        [("files that are no DICOM".to_string(), 1), ("lateral images".to_string(), 1)]
    );
    // the same key, the same pseudonyms
    assert_eq!(read_in(folder.path(), block).expect("data").studies[0].id, data.studies[0].id);
    let shown = read_in(folder.path(), &block.replace("labels:", "ids: shown, labels:")).expect("data");
    assert_eq!((shown.studies[0].id.as_str(), shown.studies[0].patient.as_str()), ("1.1", RECORD));
}

#[test]
fn a_message_about_a_private_file_names_its_line() {
    let burned = planted("1.1", "1", "PA", &[element((0x28, 0x301), "CS", b"YES")]);
    let folder =
        folder(&[("scans/DOE_PLANTED.dcm", &burned), ("labels.csv", b"StudyInstanceUID,label\n1,0\n")]);
    let block = "dicom: {folder: scans, labels: labels.csv}";
    let data = read_in(folder.path(), block).expect("data");
    let source = data.studies[0].frontal.as_ref().expect("an image");
    let why = picture(source, 4, None).expect_err("refused").to_string();
    assert!(why.contains("burned_in: allowed") && !why.contains("PLANTED"), "{why}");
    let data =
        read_in(folder.path(), &block.replace("labels:", "burned_in: allowed, labels:")).expect("data");
    let pixels = picture(data.studies[0].frontal.as_ref().expect("an image"), 4, None).expect("a picture");
    assert_eq!((pixels[0], pixels[15]), (0, 255));
}

#[test]
fn columns_that_identify_patients_are_reported() {
    let csv = "mrn,Patient Name,case,label\n1,Doe,a,1\n2,Roe,b,0\n";
    let files: [(&str, &[u8]); 3] = [("c.csv", csv.as_bytes()), ("a.png", b""), ("b.png", b"")];
    let block = "manifest: {file: c.csv, columns: {patient: mrn, frontal: '{case}.png'}}";
    let remarks = read(&files, block).expect("data").remarks.join("; ");
    assert!(
        remarks.contains("`Patient Name` looks like a name") && remarks.contains("`ids: private`"),
        "{remarks}"
    );
    let data = read(&files, &block.replace("columns", "ids: private, columns")).expect("data");
    assert!(data.studies.iter().all(|study| study.patient.starts_with("patient-")));
    assert!(!data.remarks.join("; ").contains("mrn"));
}
