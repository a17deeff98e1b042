//! Data: three sources, their faults, images of every kind, and the division by patient.

use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage};
use medcert::data::{ImageSource, LARGEST_SIDE, Study, divide, leaks, load, phantom, pixels, split};
use medcert::seal::Cache;
use medcert::spec::{Parts, Section, Spec, Split, Views, parse};
use proptest::prelude::*;

const MODELS: &str = "models: {language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 2}}}}\n";
const IMAGES: &str = "models: {vision: {se_resnet18: {image: 64, train: {lr: 5e-4, epochs: 2}}}}\n";

/// A spec with this data block, in a folder.
fn spec(folder: &Path, data: &str, models: &str) -> Spec {
    let name = if models == MODELS { "language" } else { "vision" };
    let text =
        format!("claim: c\ndata: {data}\nsplit: {{test: 30%}}\n{models}require: [{name} accuracy ≥ 9%]\n");
    parse(&folder.join("a.yaml"), &text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn manifest(columns: &str) -> String {
    format!("{{manifest: {{file: cases.csv, columns: {{{columns}}}}}}}")
}

/// What is said about a manifest of this text.
fn refused(csv: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("cases.csv"), csv).expect("written");
    let spec = spec(folder.path(), &manifest("findings: report"), MODELS);
    let error = load(&spec, None).expect_err("refused");
    assert_eq!(error.exit_code(), 4);
    error.to_string().replace(&folder.path().display().to_string(), "FOLDER")
}

#[test]
fn a_bad_manifest_is_refused_at_its_line() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad/manifest");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let told = files.iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_string();
        format!("{name}: {}", refused(&std::fs::read(path).expect("a file")))
    });
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_missing_file_or_folder_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = |data: &str| {
        let error = load(&spec(folder.path(), data, MODELS), None).expect_err("refused");
        assert_eq!(error.exit_code(), 4);
        error.to_string().replace(&folder.path().display().to_string(), "FOLDER")
    };
    insta::assert_snapshot!(
        [told(&manifest("findings: report")), told("{iu_xray: {folder: iu_xray}}")].join("\n")
    );
    let nowhere =
        load(&spec(folder.path(), &manifest("findings: report"), MODELS), Some(Path::new("no/such/root")));
    assert!(nowhere.expect_err("refused").to_string().contains("--data-root"));
}

#[test]
fn a_manifest_is_read_with_its_own_column_names() {
    let folder = tempfile::tempdir().expect("a folder");
    GrayImage::from_pixel(3, 2, Luma([7])).save(folder.path().join("a.png")).expect("saved");
    let csv = "\u{feff}case,patient,label,image,note,view\na,p1,sick,a.png,\"Effusion, left.\",PA\nb,p1,well,,Clear.,\n";
    std::fs::write(folder.path().join("cases.csv"), csv).expect("written");
    let data = "{manifest: {file: cases.csv, columns: {frontal: image, findings: note, view: view}, positive: [sick], negative: [well]}}";
    let both = load(&spec(folder.path(), data, MODELS), None).expect("data");
    // the spec's only model reads text, but the manifest's column makes the frontal view wanted
    assert_eq!((both.studies.len(), both.views), (1, Views::Frontal));
    assert_eq!(both.left_out, [("without a frontal image".to_string(), 1)]);
    let study = &both.studies[0];
    assert_eq!(
        (study.id.as_str(), study.patient.as_str(), study.label.is_abnormal(), study.view.as_deref()),
        ("a", "p1", true, Some("PA"))
    );
    assert_eq!(both.text(study), "Effusion, left.");
    assert_eq!(both.sections, [Section::Findings]);
    let none = load(&spec(folder.path(), &data.replace("positive:", "views: none, positive:"), MODELS), None)
        .expect("data");
    assert_eq!(none.studies.iter().map(|study| study.label.is_abnormal()).collect::<Vec<_>>(), [true, false]);
    assert_ne!(none.digest, both.digest);
}

#[cfg(unix)]
#[test]
fn a_link_that_leaves_the_folder_is_refused() {
    let (folder, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    std::fs::write(outside.path().join("secret.png"), b"x").expect("written");
    std::os::unix::fs::symlink(outside.path().join("secret.png"), folder.path().join("a.png"))
        .expect("a link");
    std::fs::write(folder.path().join("cases.csv"), "case,patient,label,image\na,p,1,a.png\n")
        .expect("written");
    let spec = spec(folder.path(), &manifest("frontal: image"), IMAGES);
    assert!(load(&spec, None).expect_err("refused").to_string().contains("is a link that leaves"));
}

/// A study whose frontal image is this file.
fn study(path: PathBuf) -> Study {
    Study {
        id: "a".into(),
        patient: "a".into(),
        frontal: Some(ImageSource::file(path)),
        lateral: None,
        report: medcert::data::Report::default(),
        label: true.into(),
        findings: vec![],
        view: None,
        mask: None,
        groups: [].into(),
        fold: None,
    }
}

/// The pixels of a file with this content, at a side of 4.
fn read(content: &[u8], cache: Option<&Path>) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.png");
    std::fs::write(&path, content).expect("written");
    let cache = cache.map(Cache::at);
    let read = pixels(&[&study(path)], Views::Frontal, 4, cache.as_ref());
    read.map(|pixels| pixels.bytes).map_err(|error| {
        assert_eq!(error.exit_code(), 4);
        error.to_string().replace(&folder.path().display().to_string(), "FOLDER")
    })
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

#[test]
fn gray_and_colour_of_8_and_16_bit_are_read_alike() {
    let flat = vec![100_u8; 16];
    let deep: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(8, 6, Luma([100 * 257]));
    let deep_colour: ImageBuffer<Rgb<u16>, Vec<u16>> = ImageBuffer::from_pixel(8, 6, Rgb([100 * 257; 3]));
    for (name, bytes) in [
        ("gray 8", encoded(GrayImage::from_pixel(5, 9, Luma([100])), ImageFormat::Png)),
        ("gray 16", encoded(deep, ImageFormat::Png)),
        ("colour 8", encoded(RgbImage::from_pixel(8, 6, Rgb([100; 3])), ImageFormat::Png)),
        ("colour 16", encoded(deep_colour, ImageFormat::Png)),
        ("jpeg", encoded(GrayImage::from_pixel(8, 8, Luma([100])), ImageFormat::Jpeg)),
    ] {
        assert_eq!(read(&bytes, None).expect(name), flat, "{name}");
    }
}

#[test]
fn an_image_is_stretched_to_a_square_without_a_turn() {
    // dark on the left, light on the right, twice as wide as high
    let image = GrayImage::from_fn(16, 8, |x, _| Luma([if x < 8 { 10 } else { 240 }]));
    let bytes = read(&encoded(image, ImageFormat::Png), None).expect("an image");
    for row in bytes.chunks_exact(4) {
        assert!(row[0] < 20 && row[3] > 230, "{row:?}");
    }
}

#[test]
fn a_bad_image_is_refused_with_its_name() {
    let whole = encoded(GrayImage::from_pixel(64, 64, Luma([100])), ImageFormat::Png);
    let wide = encoded(GrayImage::new(LARGEST_SIDE + 1, 1), ImageFormat::Png);
    let told = [&b""[..], &whole[..whole.len() / 2], b"GIF89a no image at all", &wide, b"%PDF-1.7 a report"]
        .map(|bytes| read(bytes, None).expect_err("refused"));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_decoded_image_is_kept_by_its_content() {
    let cache = tempfile::tempdir().expect("a folder");
    let file = encoded(GrayImage::from_pixel(64, 64, Luma([100])), ImageFormat::Png);
    let first = read(&file, Some(cache.path())).expect("an image");
    let kept: Vec<PathBuf> = walk(cache.path());
    assert_eq!(kept.len(), 1);
    // what is kept is what is read: another value in the cache shows, if its seal is its own
    let range = [100, 0, 8, 0, 0, 0, 0, 0]; // the brightest value, the bits, whether they were named, and no gray level
    let other = [&[9; 16][..], &range].concat();
    Cache::at(cache.path()).keep("pixels", &kept[0], other).expect("kept");
    assert_eq!(read(&file, Some(cache.path())).expect("an image"), [9; 16]);
    std::fs::write(&kept[0], [9; 16]).expect("written");
    assert_eq!(read(&file, Some(cache.path())).expect("an image"), first);
    // a kept file that is cut off is decoded anew
    std::fs::write(&kept[0], [9; 7]).expect("written");
    assert_eq!(read(&file, Some(cache.path())).expect("an image"), first);
    // and a cache that cannot be written costs only time
    let blocked = cache.path().join("file");
    std::fs::write(&blocked, b"").expect("written");
    assert_eq!(read(&file, Some(&blocked)).expect("an image"), first);
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn phantoms_depend_on_their_seed_alone() {
    let studies = phantom::studies(60, 7, 0.02);
    assert_eq!(studies, phantom::studies(60, 7, 0.02));
    assert_ne!(studies, phantom::studies(60, 8, 0.02));
    assert_eq!(studies[..40], phantom::studies(40, 7, 0.02)[..], "more studies do not change the first");
    let drawn = |studies: &[Study]| {
        pixels(&studies.iter().collect::<Vec<_>>(), Views::Both, 32, None).expect("drawn")
    };
    assert_eq!(drawn(&studies[..5]), drawn(&phantom::studies(5, 7, 0.02)));
}

#[test]
fn phantoms_are_like_the_real_thing_in_their_numbers() {
    let studies = phantom::studies(3000, 1, 0.0);
    let share =
        |of: &dyn Fn(&Study) -> bool| studies.iter().filter(|study| of(study)).count() as f64 / 3000.0;
    let abnormal = share(&|study| study.label.is_abnormal());
    assert!((0.5..0.7).contains(&abnormal), "{abnormal}");
    let patients: std::collections::BTreeSet<&str> =
        studies.iter().map(|study| study.patient.as_str()).collect();
    assert!((1.3..1.7).contains(&(3000.0 / patients.len() as f64)), "several studies a patient");
    let masked =
        share(&|study| study.report.findings.contains("XXXX") || study.report.impression.contains("XXXX"));
    assert!(masked > 0.3, "{masked}");
    // neither the words for a lesion nor those against one give the label away
    let words = |text: &str, study: &Study| {
        format!("{} {}", study.report.findings, study.report.impression).to_lowercase().contains(text)
    };
    for word in ["opacity", "effusion", "nodule", "enlarged", "no acute"] {
        let in_normal = share(&|study| !study.label.is_abnormal() && words(word, study)) / (1.0 - abnormal);
        let in_abnormal = share(&|study| study.label.is_abnormal() && words(word, study)) / abnormal;
        assert!(
            in_normal > 0.0 && in_abnormal > 0.0,
            "{word}: {in_normal} of the normal, {in_abnormal} of the abnormal"
        );
    }
}

#[test]
fn label_noise_turns_its_share_of_the_labels() {
    let (clean, noisy) = (phantom::studies(4000, 3, 0.0), phantom::studies(4000, 3, 0.1));
    let turned = clean.iter().zip(&noisy).filter(|(clean, noisy)| clean.label != noisy.label).count();
    assert!((320..480).contains(&turned), "{turned} of 4000");
}

#[test]
fn a_mask_shows_where_the_lesion_is() {
    let studies = phantom::studies(200, 5, 0.0);
    let mask = |study: &Study| {
        let source = study.mask.clone().expect("phantoms have masks");
        pixels(&[&Study { frontal: Some(*source), ..study.clone() }], Views::Frontal, 64, None)
            .expect("drawn")
            .bytes
    };
    for study in &studies {
        let white = mask(study).iter().filter(|&&pixel| pixel == 255).count();
        if study.label.is_abnormal() {
            assert!(white < 64 * 64 / 2, "{}: {white}", study.id);
        } else {
            assert_eq!(white, 0, "{}", study.id);
        }
    }
    let shown =
        studies.iter().filter(|study| study.label.is_abnormal() && mask(study).contains(&255)).count();
    let abnormal = studies.iter().filter(|study| study.label.is_abnormal()).count();
    assert!(shown * 100 >= abnormal * 97, "{shown} of {abnormal}");
}

#[test]
fn a_split_too_small_is_refused() {
    let studies = phantom::studies(20, 1, 0.0);
    let all = Split { parts: Parts::Drawn { test: 0.99, validation: 0.5 }, cases: None, seed: 0 };
    let one_class: Vec<Study> =
        studies.iter().cloned().map(|study| Study { label: true.into(), ..study }).collect();
    let usual = Split { parts: Parts::Drawn { test: 0.3, validation: 0.2 }, cases: None, seed: 0 };
    let divided = |studies: &[Study], split: Split| {
        let folder = Path::new(".");
        divide(studies, &Spec { split, ..spec(folder, "{phantom: {studies: 20}}", MODELS) })
    };
    insta::assert_snapshot!(
        [divided(&studies, all), divided(&one_class, usual.clone()), divided(&[], usual)]
            .map(|refused| refused.expect_err("refused").to_string())
            .join("\n")
    );
}

proptest! {
    #[test]
    fn a_split_is_by_patient_whatever_the_order(seed: u64, test in 0.1..0.6_f64, order in Just((0..120_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let studies = phantom::studies(120, 2, 0.0);
        let division = Split { parts: Parts::Drawn { test, validation: 0.2 }, cases: None, seed };
        // a part that has one class by chance is refused, and tested above
        let Ok(partition) = split(&studies, &division) else { return Err(TestCaseError::reject("one class")) };
        prop_assert!(leaks(&studies, &partition).is_empty());
        let mut all: Vec<usize> = [&partition.train[..], &partition.validation, &partition.test].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..120).collect::<Vec<_>>(), "each study is in one part");
        let shuffled: Vec<Study> = order.iter().map(|&index| studies[index].clone()).collect();
        let other = split(&shuffled, &division).expect("a division");
        let names = |studies: &[Study], part: &[usize]| {
            part.iter().map(|&index| studies[index].id.to_string()).collect::<std::collections::BTreeSet<_>>()
        };
        prop_assert_eq!(names(&studies, &partition.test), names(&shuffled, &other.test));
        prop_assert_eq!(names(&studies, &partition.train), names(&shuffled, &other.train));
    }
}

#[test]
fn a_patient_in_two_parts_is_found() {
    let studies = phantom::studies(60, 2, 0.0);
    let mut partition =
        split(&studies, &Split { parts: Parts::Drawn { test: 0.3, validation: 0.2 }, cases: None, seed: 0 })
            .expect("a division");
    let twice = partition.test.iter().copied().find(|&index| {
        partition.test.iter().any(|&other| other != index && studies[other].patient == studies[index].patient)
    });
    let index = twice.expect("some patient has two studies");
    partition.test.retain(|&other| other != index);
    partition.train.push(index);
    assert_eq!(leaks(&studies, &partition), [studies[index].patient.as_str()]);
}

/// The folder of real data, if there is one.
fn real_data() -> Option<PathBuf> {
    let named = std::env::var_os("MEDCERT_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    named.or(Some(beside)).filter(|folder| folder.is_dir())
}

#[test]
fn the_indiana_collection_has_its_known_numbers() {
    let Some(root) = real_data() else {
        eprintln!("skipped: the_indiana_collection_has_its_known_numbers (MEDCERT_DATA names no folder)");
        return;
    };
    let spec = spec(&root, "{iu_xray: {folder: iu_xray, views: none}}", MODELS);
    let data = load(&spec, Some(&root)).expect("data");
    let abnormal = data.studies.iter().filter(|study| study.label.is_abnormal()).count();
    let empty = data.left_out.iter().find(|(why, _)| why.contains("word")).map_or(0, |(_, count)| *count);
    assert_eq!(data.left_out[0], ("not indexed, so without a label".to_string(), 92));
    assert_eq!(data.studies.len() + empty, 1379 + 2380);
    assert!(abnormal <= 2380 && data.studies.len() - abnormal <= 1379);
}

#[test]
fn the_indiana_images_load() {
    let Some(root) = real_data() else {
        eprintln!("skipped: the_indiana_images_load (MEDCERT_DATA names no folder)");
        return;
    };
    let count = |views: &str| {
        let spec = spec(&root, &format!("{{iu_xray: {{folder: iu_xray, views: {views}}}}}"), IMAGES);
        let data = load(&spec, Some(&root)).expect("data");
        let studies: Vec<&Study> = data.studies.iter().collect();
        let pixels = pixels(&studies, data.views, 64, None).expect("decoded");
        for image in pixels.bytes.chunks_exact(64 * 64) {
            let (low, high) = (image.iter().min(), image.iter().max());
            assert!(low.zip(high).is_some_and(|(low, high)| high - low > 100), "an X-ray has contrast");
        }
        (studies.len(), pixels.bytes.len() / (64 * 64))
    };
    // studies and images; three of the eight images are further views of a study
    assert_eq!((count("frontal"), count("both")), ((5, 5), (2, 4)));
    let all: Vec<Study> = walk(&root.join("iu_xray/images_normalized")).into_iter().map(study).collect();
    let decoded = pixels(&all.iter().collect::<Vec<_>>(), Views::Frontal, 224, None).expect("decoded");
    assert_eq!((all.len(), decoded.bytes.len()), (8, 8 * 224 * 224));
}

#[test]
fn fewer_test_cases_leave_the_training_cases_alone() {
    let studies = phantom::studies(300, 7, 0.0);
    let whole = Split { parts: Parts::Drawn { test: 0.3, validation: 0.2 }, cases: None, seed: 0 };
    let all = split(&studies, &whole).expect("a division");
    let few = split(&studies, &Split { cases: Some(20), ..whole.clone() }).expect("a division");
    assert_eq!((&few.train, &few.validation), (&all.train, &all.validation));
    assert_eq!(few.test.len(), 20);
    assert!(few.test.iter().all(|case| all.test.contains(case)));
    let more = split(&studies, &Split { cases: Some(9999), ..whole }).expect("a division");
    assert_eq!(more, all);
}
