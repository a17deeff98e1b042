//! What the data reveal by themselves: planted faults are found, healthy phantoms show none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use image::imageops::{FilterType, resize};
use image::{GrayImage, Luma};
use medcert::data::{
    AUDIT_SIDE, Audit, Baseline, Dataset, ImageSource, Partition, Pixels, Report, Study, audit, load,
    phantom, picture, pixels, split,
};
use medcert::random::{shuffle, stream};
use medcert::spec::{self, Parts, Section, Split, Views, parse};
use proptest::prelude::*;

/// A data set of these studies, whose models read the findings and these views.
fn dataset(studies: Vec<Study>, views: Views) -> Dataset {
    let sections = vec![Section::Findings];
    let findings = vec![];
    Dataset {
        studies,
        findings,
        classes: vec![],
        left_out: vec![],
        remarks: vec![],
        digest: String::new(),
        sections,
        views,
    }
}

/// Phantoms, their usual sections and views, and a division.
fn healthy(seed: u64) -> (Dataset, Partition) {
    let studies = phantom::studies(600, seed, 0.02);
    let partition =
        split(&studies, &Split { parts: Parts::Drawn { test: 0.4, validation: 0.1 }, cases: None, seed })
            .expect("a split");
    let sections = vec![Section::Indication, Section::Findings, Section::Impression];
    (Dataset { sections, ..dataset(studies, Views::None) }, partition)
}

/// What an audit tells, with the pictures that the views ask for.
fn told(data: &Dataset, partition: &Partition) -> Audit {
    let studies: Vec<&Study> = data.studies.iter().collect();
    audit(data, partition, &pixels(&studies, data.views, AUDIT_SIDE, None).expect("drawn"))
}

fn share(baseline: &Baseline) -> f64 {
    baseline.right.iter().filter(|right| **right == Some(true)).count() as f64 / baseline.right.len() as f64
}

/// A study of its own patient, with these findings.
fn written(name: &str, findings: &str) -> Study {
    Study {
        id: name.into(),
        patient: name.into(),
        frontal: None,
        lateral: None,
        report: Report { findings: findings.into(), ..Report::default() },
        label: false.into(),
        findings: vec![],
        view: None,
        mask: None,
        groups: [].into(),
        fold: None,
    }
}

/// Whether the second report counts as known from the first.
fn is_known(before: &str, test: &str) -> bool {
    let data = dataset(vec![written("a", before), written("b", test)], Views::None);
    let partition = Partition { train: vec![0], validation: vec![], test: vec![1] };
    !told(&data, &partition).seen[0].is_empty()
}

#[test]
fn healthy_phantoms_are_clean() {
    let (data, partition) = healthy(7);
    let data = Dataset { views: Views::Both, ..data };
    let audit = told(&data, &partition);
    let inputs: BTreeSet<&str> = audit.seen.iter().flatten().map(String::as_str).collect();
    assert!(inputs.is_subset(&BTreeSet::from(["short report"])), "{inputs:?}");
    assert_eq!((audit.seen.len(), audit.patients_in_two_parts), (partition.test.len(), 0));
    let names: Vec<&str> = audit.baselines.iter().map(|baseline| baseline.name.as_str()).collect();
    let known =
        ["indication", "findings", "impression", "whole report"].map(|name| format!("bag of words, {name}"));
    assert_eq!(names, known);
    let [indication, findings, impression, whole] = [0, 1, 2, 3].map(|place| share(&audit.baselines[place]));
    // no section tells everything, and the indication tells next to nothing
    assert!(
        (0.45..0.68).contains(&indication) && (0.6..0.9).contains(&impression),
        "{indication} {impression}"
    );
    assert!((0.8..0.98).contains(&findings) && (0.8..0.98).contains(&whole), "{findings} {whole}");
    assert_eq!(audit, told(&data, &partition));
}

#[test]
fn sibling_views_under_two_names_are_found() {
    let (mut data, mut partition) = healthy(3);
    data.views = Views::Frontal;
    let long = |&&place: &&usize| data.text(&data.studies[place]).split_whitespace().count() > 30;
    let place = *partition.test.iter().find(long).expect("a long report");
    let study = &data.studies[place];
    let sibling = Study {
        id: "x".into(),
        patient: "x".into(),
        frontal: study.lateral.as_deref().cloned(),
        ..study.clone()
    };
    data.studies.push(sibling);
    partition.train.push(data.studies.len() - 1);
    let audit = told(&data, &partition);
    let reports: Vec<usize> =
        (0..audit.seen.len()).filter(|&at| audit.seen[at].contains(&"report".into())).collect();
    assert_eq!(reports.iter().map(|&at| partition.test[at]).collect::<Vec<_>>(), [place]);
    assert_eq!(audit.seen[reports[0]], ["report"], "the lateral is another picture");
    assert_eq!(audit.patients_in_two_parts, 0);
}

#[test]
fn a_patient_on_both_sides_is_counted() {
    let (data, mut partition) = healthy(3);
    let shared =
        partition.test.windows(2).find(|pair| data.studies[pair[0]].patient == data.studies[pair[1]].patient);
    let moved = shared.expect("a patient with two studies")[0];
    partition.test.retain(|&place| place != moved);
    partition.train.push(moved);
    assert_eq!(told(&data, &partition).patients_in_two_parts, 1);
}

/// The resemblance of two texts by their pairs of words, as the definition says it.
fn resemblance(one: &[&str], other: &[&str]) -> f64 {
    let pairs = |words: &[&str]| -> BTreeSet<(String, String)> {
        words.windows(2).map(|pair| (pair[0].to_string(), pair[1].to_string())).collect()
    };
    let (one, other) = (pairs(one), pairs(other));
    one.intersection(&other).count() as f64 / one.union(&other).count() as f64
}

proptest! {
    #[test]
    fn a_report_is_known_where_it_resembles_enough(length in 20..90_usize, changed in prop::collection::vec(0..90_usize, 0..5)) {
        let words: Vec<String> = (0..length).map(|place| format!("w{}", place * place % 61)).collect();
        let one: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut other = one.clone();
        for place in changed.iter().filter(|place| **place < length) {
            other[*place] = "changed";
        }
        prop_assert_eq!(is_known(&one.join(" "), &other.join(" ")), resemblance(&one, &other) >= 0.9);
    }
}

#[test]
fn one_word_changed_in_a_report_hides_nothing() {
    let (data, _) = healthy(5);
    let reports: Vec<String> = data.studies.iter().map(|study| data.text(study)).collect();
    let long: Vec<&str> =
        reports.iter().map(String::as_str).filter(|text| text.split(' ').count() > 44).collect();
    assert!(long.len() > 20, "{}", long.len());
    for (place, report) in long.iter().enumerate() {
        let mut words: Vec<&str> = report.split(' ').collect();
        let at = 7 * place % words.len();
        words[at] = "changed";
        assert!(is_known(report, &words.join(" ")), "{report}");
        assert!(is_known(report, &report.to_uppercase().replace(' ', "  ")), "{report}");
        assert!(!is_known(report, long[(place + 1) % long.len()]), "{report}");
    }
}

#[test]
fn an_image_is_known_when_it_is_stored_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let study = |name: &str, film: &GrayImage| {
        let path = folder.path().join(name);
        film.save(&path).expect("saved");
        Study { frontal: Some(ImageSource::file(path)), ..written(name, "") }
    };
    let films: Vec<GrayImage> = phantom::studies(12, 4, 0.0)
        .iter()
        .map(|study| {
            let drawn = picture(study.frontal.as_ref().expect("a frontal"), 256, None).expect("drawn");
            GrayImage::from_raw(256, 256, drawn).expect("a film")
        })
        .collect();
    let each = |film: &GrayImage, change: &dyn Fn(u8) -> u8| {
        GrayImage::from_fn(256, 256, |x, y| Luma([change(film.get_pixel(x, y).0[0])]))
    };
    let blank = |grey: u8| GrayImage::from_pixel(64, 64, Luma([grey]));
    let film = &films[0];
    let mut studies = vec![study("a.png", film), study("black.png", &blank(0))];
    let planted = vec![
        study("again.png", film),
        study("again.jpg", film),
        study("half.png", &resize(film, 128, 128, FilterType::Triangle)),
        study("narrow.png", &resize(film, 90, 84, FilterType::Lanczos3)),
        study("brighter.png", &each(film, &|grey| grey.saturating_add(20))),
        study("flatter.png", &each(film, &|grey| (f32::from(grey) * 0.8) as u8)),
        study("black-again.png", &blank(0)),
    ];
    let others = films[1..].iter().enumerate().map(|(place, film)| study(&format!("{place}.png"), film));
    let white = study("white.png", &blank(255));
    let count = planted.len();
    studies.extend(planted.into_iter().chain(others).chain([white]));
    let data = dataset(studies, Views::Frontal);
    let partition =
        Partition { train: vec![0], validation: vec![1], test: (2..data.studies.len()).collect() };
    let audit = told(&data, &partition);
    for (place, seen) in audit.seen.iter().enumerate() {
        let wanted: &[&str] = if place < count { &["image"] } else { &[] };
        assert_eq!(seen, wanted, "{}", data.studies[place + 2].id);
    }
    assert!(audit.baselines.is_empty(), "there is no text");
}

#[test]
fn a_label_in_the_text_is_read_off() {
    let (mut data, partition) = healthy(7);
    for study in &mut data.studies {
        let said = if study.label.is_abnormal() { "Code R91." } else { "Code Z00." };
        study.report.indication = format!("{}{said}", study.report.indication).into();
    }
    let audit = told(&data, &partition);
    let [indication, whole] = [0, 3].map(|place| share(&audit.baselines[place]));
    assert!(indication > 0.99 && whole > 0.96, "{indication} {whole}");
}

#[test]
fn shuffled_labels_cannot_be_read_off() {
    let (mut data, partition) = healthy(7);
    let mut labels: Vec<bool> = (0..data.studies.len()).map(|place| place % 2 == 0).collect();
    shuffle(&mut labels, &mut stream(&["shuffled labels"]));
    for (study, label) in data.studies.iter_mut().zip(labels) {
        study.label = label.into();
    }
    for baseline in told(&data, &partition).baselines {
        // 4 standard errors of 240 throws
        assert!((share(&baseline) - 0.5).abs() < 0.13, "{} {}", baseline.name, share(&baseline));
    }
}

#[test]
fn without_pictures_or_text_nothing_is_told() {
    let (mut data, partition) = healthy(7);
    for study in &mut data.studies {
        study.report = Report::default();
    }
    let audit = audit(&data, &partition, &Pixels { side: AUDIT_SIDE, bytes: vec![], levels: vec![] });
    assert!(audit.baselines.is_empty() && audit.seen.iter().all(Vec::is_empty));
}

#[test]
fn phantoms_have_groups_and_are_otherwise_as_before() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let accepted = std::fs::read_to_string(root.join("snapshots/fusion.snap")).expect("a snapshot");
    let data = load(&spec::read(&root.join("specs/fusion.yaml")).expect("a spec"), None).expect("data");
    assert!(accepted.contains(&format!("digest {}", &data.digest[..12])), "{}", data.digest);
    for study in &data.studies {
        let names: Vec<&str> = study.groups.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["view", "sex", "age band"]);
        assert_eq!(study.view.as_deref(), Some(study.groups[0].1.as_str()));
        let first = data.studies.iter().find(|other| other.patient == study.patient).expect("a study");
        assert_eq!(first.groups[1..], study.groups[1..], "a patient has one sex and age");
    }
    let values: BTreeSet<&str> =
        data.studies.iter().flat_map(|study| study.groups.iter()).map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, BTreeSet::from(["PA", "AP", "F", "M", "0-17", "18-39", "40-59", "60-79", "80+"]));
}

/// Loads a manifest with these columns for groups.
fn grouped(csv: &str, groups: &str) -> medcert::Result<Dataset> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("cases.csv"), csv).expect("written");
    let text = format!(
        "claim: c\ndata: {{manifest: {{file: cases.csv, columns: {{findings: report, groups: {groups}}}}}}}\n\
         split: {{test: 30%}}\nmodels: {{language: {{bert: {{config: tiny, train: {{lr: 5e-4, epochs: 2}}}}}}}}\n\
         require: [language accuracy ≥ 9%]\n"
    );
    load(&parse(&folder.path().join("a.yaml"), &text).unwrap_or_else(|faults| panic!("{faults}")), None)
}

#[test]
fn any_columns_of_a_manifest_group_the_cases() {
    let csv = "case,patient,label,report,sex,Age,source\na,p,1,Clear.,F,058Y,A\nb,q,0,Clear.,,7,\nc,r,0,Clear.,M,,B\nd,s,1,Clear.,M,412,B\ne,t,1,Clear.,F,17.5,A\nf,u,1,Clear.,F,80,A\n";
    let data = grouped(csv, "[sex, Age, source]").expect("data");
    let said: Vec<String> = data
        .studies
        .iter()
        .map(|study| {
            study.groups.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(
        said,
        [
            "sex=F age band=40-59 source=A",
            "sex=unknown age band=0-17 source=unknown",
            "sex=M age band=unknown source=B",
            "sex=M age band=unknown source=B",
            "sex=F age band=0-17 source=A",
            "sex=F age band=80+ source=A",
        ]
    );
    let none = grouped(csv, "[]").expect("data");
    assert!(none.studies[0].groups.is_empty());
    assert_ne!(none.digest, data.digest, "groups are a part of the data");
    // ages in words are groups as they are
    let words = grouped("case,patient,label,report,age\na,p,1,Clear.,adult\nb,q,0,Clear.,7\n", "[age]")
        .expect("data");
    assert_eq!(*words.studies[0].groups, [("age".to_string(), "adult".to_string())]);
}

#[test]
fn a_column_that_is_not_there_is_refused_with_the_nearest() {
    let error = grouped("case,patient,label,report,sex\na,p,1,Clear.,F\n", "[sexx]").expect_err("refused");
    assert_eq!(error.exit_code(), 4);
    let told = error.to_string();
    let told = told.split("cases.csv").nth(1).expect("the file is named");
    insta::assert_snapshot!(told);
}

/// The folder of real data, if there is one.
fn real_data(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("MEDCERT_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let found = named.or(Some(beside)).filter(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("skipped: {test} (MEDCERT_DATA names no folder)");
    }
    found
}

/// The data of a spec of this repository, from a folder.
fn real(name: &str, root: &Path) -> (Dataset, Partition) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs").join(name);
    let spec = spec::read(&path).expect("a spec");
    let data = load(&spec, Some(root)).expect("data");
    let partition = split(&data.studies, &spec.split).expect("a division");
    (data, partition)
}

#[test]
fn the_indiana_reports_carry_their_label() {
    let Some(root) = real_data("the_indiana_reports_carry_their_label") else { return };
    let (data, partition) = real("iu-language.yaml", &root);
    let audit = told(&data, &partition);
    // what others measured on these reports, to two or three standard errors
    let known = [63.7, 90.7, 72.4, 94.7];
    for (baseline, known) in audit.baselines.iter().zip(known) {
        assert!((100.0 * share(baseline) - known).abs() < 3.0, "{} {}", baseline.name, share(baseline));
    }
    let seen = audit.seen.iter().filter(|seen| seen.contains(&"report".to_string())).count();
    assert!((0.03..0.12).contains(&(seen as f64 / audit.seen.len() as f64)), "{seen} templates recur");
}

#[test]
fn films_of_two_sites_are_found_among_real_ones() {
    let Some(root) = real_data("films_of_two_sites_are_found_among_real_ones") else { return };
    let (data, _) = real("covid-notes.yaml", &root);
    // nine films that two sites published, as two patients
    let copies = |study: &Study| {
        let number: usize = study.id[..4].parse().expect("a number");
        (315..=318).contains(&number) || (653..=657).contains(&number)
    };
    let (test, train): (Vec<usize>, Vec<usize>) =
        (0..data.studies.len()).partition(|&place| copies(&data.studies[place]) || place % 3 == 0);
    let sources = |study: &Study| {
        let number: usize = study.id[..4].parse().expect("a number");
        (186..=189).contains(&number) || (551..=555).contains(&number)
    };
    let (test, moved): (Vec<usize>, Vec<usize>) =
        test.into_iter().partition(|&place| !sources(&data.studies[place]));
    let partition = Partition { train: [train, moved].concat(), validation: vec![], test };
    let audit = told(&data, &partition);
    for (seen, place) in audit.seen.iter().zip(&partition.test) {
        let study = &data.studies[*place];
        assert_eq!(seen.contains(&"image".to_string()), copies(study), "{}", study.id);
    }
}
