//! The counts of the public sets against torchxrayvision's own dataset classes, on the tables that its wheel ships: the spec is the
//! one that `medcert init --findings` writes, and `tests/golden/public_sets.tsv` holds what the classes count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use medcert::cli::Cli;
use medcert::data::{Dataset, FindingCounts, load};
use medcert::spec::{self, Data, Views};

/// The package's tables, with the column that lists findings.
const TABLES: [(&str, &str, &str); 5] = [
    ("nih", "Data_Entry_2017_v2020.csv.gz", "Finding Labels"),
    ("chexpert", "chexpert_train.csv.gz", ""),
    ("padchest", "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz", "Labels"),
    ("rsna", "kaggle_stage_2_train_labels.csv.zip", ""),
    ("vinbig", "vinbigdata-train.csv.gz", "class_name"),
];

/// Rows that `init` reads at least; the whole table takes their place afterwards.
const ROWS: usize = 400;

fn unpacked(path: &Path) -> String {
    let program = if path.extension().is_some_and(|ending| ending == "zip") { "unzip" } else { "gzip" };
    let flags = if program == "unzip" { ["-p"] } else { ["-dc"] };
    let output = Command::new(program).args(flags).arg(path).output().expect("it unpacks");
    assert!(output.status.success(), "{}", path.display());
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A row of a table.
type Cells = Vec<String>;

/// The header and the rows of a table, without those that torchxrayvision's class leaves out for reasons that no other column
/// states.
fn rows(set: &str, table: &str, classes: &str) -> (Cells, Vec<Cells>) {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let cells = |row: &csv::StringRecord| row.iter().map(str::to_string).collect::<Cells>();
    let header = cells(reader.headers().expect("a header"));
    let place = |name: &str| header.iter().position(|known| known == name).expect("a column");
    let mut rows: Vec<Cells> = reader.records().map(|row| cells(&row.expect("a row"))).collect();
    if set == "padchest" {
        // files that cannot be opened, which the class lists by name, children, and rows without a label
        let class = classes.split("class PC_Dataset").nth(1).expect("a class");
        let class = class.split("if unique_patients").next().expect("its start");
        let (image, birth, labels) = (place("ImageID"), place("PatientBirth"), place("Labels"));
        rows.retain(|row| {
            let is_adult = row[birth].parse::<f64>().is_ok_and(|year| 2019.0 - year > 10.0);
            let is_labelled = !["", "nan"].contains(&row[labels].as_str());
            is_adult && is_labelled && !class.contains(&format!("\"{}\"", row[image]))
        });
    }
    (header, rows)
}

fn written(header: &Cells, rows: &[&Cells]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(vec![]);
    for row in std::iter::once(&header).chain(rows) {
        writer.write_record(row.iter()).expect("a row");
    }
    writer.into_inner().expect("a table")
}

/// The first rows, and further ones until every word of the list is there.
fn sample<'r>(header: &Cells, rows: &'r [Cells], list: &str) -> Vec<&'r Cells> {
    let place = |wanted: &str| header.iter().position(|name| name == wanted);
    let (list, view) = (place(list), place("Projection"));
    // the spec reads no other view, so that their words would be missing
    let is_read = |row: &Cells| view.is_none_or(|view| ["PA", "AP"].contains(&row[view].as_str()));
    let mut known = BTreeSet::new();
    let mut has_new = |row: &Cells| {
        let words = list.map(|list| row[list].split(['|', ',']).map(str::to_string).collect::<Vec<_>>());
        words.into_iter().flatten().filter(|word| known.insert(word.clone())).count() > 0
    };
    rows.iter()
        .enumerate()
        .filter(|(place, row)| *place < ROWS || is_read(row) && has_new(row))
        .map(|(_, row)| row)
        .collect()
}

/// The image that a row names.
fn image(set: &str, header: &Cells, row: &Cells) -> PathBuf {
    let cell = |name: &str| row[header.iter().position(|known| known == name).expect("a column")].as_str();
    PathBuf::from(match set {
        "nih" => format!("images/{}", cell("Image Index")),
        "chexpert" => cell("Path").split_once('/').map_or("", |(_, rest)| rest).to_string(),
        "padchest" => format!("{}/{}", cell("ImageDir"), cell("ImageID")),
        "rsna" => format!("stage_2_train_images/{}.dcm", cell("patientId")),
        _ => format!("train/{}.dicom", cell("image_id")),
    })
}

/// The whole table, read by the spec that `init` writes for a sample of it.
fn begun(set: &str, (header, rows): &(Cells, Vec<Cells>), list: &str) -> Dataset {
    let folder = tempfile::tempdir().expect("a folder");
    let some = sample(header, rows, list);
    let (file, out) = (folder.path().join("table.csv"), folder.path().join("set.yaml"));
    std::fs::write(&file, written(header, &some)).expect("written");
    for row in some {
        let path = folder.path().join(image(set, header, row));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, "").expect("written");
    }
    let words = ["medcert", "init", "--findings", "--data"].map(str::to_string).into_iter();
    let paths = [file.display().to_string(), "--out".into(), out.display().to_string()];
    let cli = Cli::try_parse_from(words.chain(paths)).expect("a command");
    assert_eq!(medcert::cli::run(&cli).expect("a spec"), 0);
    let mut spec = spec::read(&out).expect("a spec");
    std::fs::write(&file, written(header, &rows.iter().collect::<Vec<_>>())).expect("written");
    // the wheel ships no image
    let Data::Manifest { columns, views, .. } = &mut spec.data else { panic!("no manifest") };
    (columns.frontal, *views) = (None, Views::None);
    load(&spec, None).expect("data")
}

/// A finding's name in sentences, from that of torchxrayvision.
fn named(set: &str, theirs: &str) -> String {
    // the set has one target, which torchxrayvision gives two names
    if set == "rsna" {
        return "opacity".to_string();
    }
    theirs.to_lowercase().replace([' ', '_', '/'], "-")
}

#[test]
fn counts_equal_those_of_torchxrayvision() {
    let Some(packages) = std::env::var_os("MEDCERT_XRAYVISION").map(PathBuf::from) else {
        eprintln!("skipped: MEDCERT_XRAYVISION does not name the site-packages of torchxrayvision 1.5.7");
        return;
    };
    let golden =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/public_sets.tsv"));
    let golden = golden.expect("the golden counts");
    let classes = std::fs::read_to_string(packages.join("torchxrayvision/datasets.py")).expect("the classes");
    let mut compared: BTreeMap<&str, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for (set, table, list) in TABLES {
        let table = unpacked(&packages.join("torchxrayvision/data").join(table));
        let data = begun(set, &rows(set, &table, &classes), list);
        for line in golden.lines().filter(|line| line.starts_with(&format!("{set}\t"))) {
            let cells: Vec<&str> = line.split('\t').collect();
            let name = named(set, cells[1]);
            let place = data.findings.iter().position(|known| *known == name);
            let place = place.unwrap_or_else(|| panic!("{set}: no {name} among {:?}", data.findings));
            let own = FindingCounts::of(&name, place, &data.studies);
            // a list without a word is a negative to torchxrayvision; the spec of `init` leaves it out, as nobody said so
            let absent = own.absent + if set == "padchest" { own.empty } else { 0 };
            let own = format!("{set}\t{}\t{}\t{}\t{absent}", cells[1], data.studies.len(), own.present);
            if own != line {
                faults.push(format!("theirs {line}\nours   {own}"));
            }
            *compared.entry(set).or_default() += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    eprintln!("findings that agree: {compared:?}");
}

#[test]
fn the_reports_of_open_i_are_those_of_kaggles_table() {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let (Some(packages), Some(data)) = (variable("MEDCERT_XRAYVISION"), variable("MEDCERT_DATA")) else {
        eprintln!("skipped: MEDCERT_XRAYVISION or MEDCERT_DATA is not set");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let archive = packages.join("torchxrayvision/data/NLMCXR_reports.tgz");
    let unpacked = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder.path()).status();
    assert!(unpacked.expect("tar runs").success());
    let read = |collection: &Path| {
        let out = folder.path().join("set.yaml");
        let words = ["medcert", "init", "--force", "--models", "language", "--data"].map(str::to_string);
        let paths = [collection.display().to_string(), "--out".into(), out.display().to_string()];
        let cli = Cli::try_parse_from(words.into_iter().chain(paths)).expect("a command");
        assert_eq!(medcert::cli::run(&cli).expect("a spec"), 0);
        let root = (!collection.starts_with(folder.path())).then_some(collection.parent()).flatten();
        load(&spec::read(&out).expect("a spec"), root).expect("data")
    };
    let (xml, table) = (read(folder.path()), read(&data.join("iu_xray")));
    let known: BTreeMap<&str, _> = xml.studies.iter().map(|study| (study.id.as_str(), study)).collect();
    let words = |text: &str| text.split_whitespace().map(str::to_string).collect::<Vec<_>>();
    for study in &table.studies {
        let other = known.get(study.id.as_str()).unwrap_or_else(|| panic!("{} has no file", study.id));
        assert_eq!(other.label, study.label, "{}", study.id);
        for (one, two) in [
            (&other.report.indication, &study.report.indication),
            (&other.report.findings, &study.report.findings),
            (&other.report.impression, &study.report.impression),
        ] {
            // a spreadsheet took three indications, such as `+PPD`, for formulas before Kaggle published the table
            if two != "#NAME?" {
                assert_eq!(words(one), words(two), "{}", study.id);
            }
        }
    }
    eprintln!(
        "{} reports of Open-i, of which {} are in Kaggle's table",
        xml.studies.len(),
        table.studies.len()
    );
}
