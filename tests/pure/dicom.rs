//! DICOM files: stored values equal pydicom's bit for bit (lossy JPEG 2000: within one) or are refused by name, shown values follow the standard's
//! formulas, and no cut makes medcert panic.
//!
//! The files are those of the wheels pydicom 3.0.2 and pydicom-data 1.0.0. `MEDCERT_PYDICOM` names the site-packages folder
//! that holds them; without it these tests are skipped.

use std::path::{Path, PathBuf};

use medcert::data::dicom::{Display, show, stored};
use medcert::spec::Window;
use sha2::{Digest, Sha256};

const SHOWN: Display = Display { window: Window::File, burned_in: true };

/// The folder of the packages, or a word that the test is skipped.
fn packages(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("MEDCERT_PYDICOM").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.join("pydicom").is_dir());
    if folder.is_none() {
        eprintln!(
            "skipped: {test}: MEDCERT_PYDICOM names no folder with the packages pydicom and pydicom-data"
        );
    }
    folder
}

/// Every DICOM file of the packages.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut open = vec![folder.join("pydicom"), folder.join("data_store")];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "dcm") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Whether values have a digest; of a lossy JPEG 2000 stream, whether they are within one of the values in its place.
fn is_equal(values: &[i32], golden: &str) -> bool {
    if golden.contains(' ') {
        let all: Vec<i32> = golden.split(' ').map(|value| value.parse().expect("a number")).collect();
        let last = all.len() - 1;
        return all
            .iter()
            .enumerate()
            .all(|(at, value)| (values[at * (values.len() - 1) / last] - value).abs() <= 1);
    }
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let digest = format!("{:x}", Sha256::digest(&bytes));
    digest[..16] == *golden
}

#[test]
fn monochrome_files_equal_pydicom_or_are_refused() {
    let Some(folder) = packages("monochrome_files_equal_pydicom_or_are_refused") else { return };
    let golden = include_str!("../golden/dicom.tsv");
    let (mut equal, mut refused, mut wrong) = (0, vec![], vec![]);
    for line in golden.lines() {
        let [name, rows, columns, digest, gray] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let content = std::fs::read(folder.join(name)).expect("a file of the package");
        let short = name.rsplit('/').next().unwrap_or_default();
        let picture = match stored(&content) {
            Ok(picture) => picture,
            Err(why) => {
                refused.push(format!("{short}: {why}"));
                continue;
            }
        };
        assert_eq!(
            (picture.rows.to_string().as_str(), picture.columns.to_string().as_str()),
            (rows, columns)
        );
        if !is_equal(&picture.values, digest) {
            wrong.push(short.to_string());
            continue;
        }
        equal += 1;
        let shown = match show(&content, SHOWN) {
            Ok(shown) => shown,
            Err(why) => {
                refused.push(format!("{short} shown: {why}"));
                continue;
            }
        };
        // a value of a lossy stream may differ by one, which a narrow window makes more of
        let tolerance = if digest.contains(' ') { 2e-5 + 1.0 / (255.0 * shown.level) } else { 2e-5 };
        for (at, value) in gray.split(' ').enumerate() {
            let place = at * (shown.gray.len() - 1) / 8;
            let expected: f64 = value.parse().expect("a number");
            let own = f64::from(shown.gray[place]) / 65_535.0;
            assert!((own - expected).abs() < tolerance, "{short} at {place}: {own} and should be {expected}");
        }
    }
    assert!(wrong.is_empty(), "other values than pydicom's: {wrong:?}; refused: {refused:#?}");
    insta::assert_snapshot!(format!("{equal} equal\n{}", refused.join("\n")));
}

#[test]
fn files_of_every_kind_are_read_or_refused_by_name() {
    let Some(folder) = packages("files_of_every_kind_are_read_or_refused_by_name") else { return };
    let said = files(&folder).into_iter().map(|path| {
        let content = std::fs::read(&path).expect("a file of the package");
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_string();
        match show(&content, Display { window: Window::File, burned_in: false }) {
            Ok(shown) => format!("{name}: {} × {}", shown.width, shown.height),
            Err(why) => format!("{name}: {why}"),
        }
    });
    insta::assert_snapshot!(said.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_cut_file_is_refused_without_a_panic() {
    let Some(folder) = packages("a_cut_file_is_refused_without_a_panic") else { return };
    for path in files(&folder) {
        let content = std::fs::read(&path).expect("a file of the package");
        // behind the pixels there may be elements that nobody needs; a picture that is read equals the whole one
        let whole = stored(&content);
        for end in (0..content.len()).step_by(1024) {
            if let (Ok(cut), Ok(whole)) = (stored(&content[..end]), &whole) {
                assert_eq!(&cut, whole, "{} cut to {end} bytes", path.display());
            }
        }
    }
}
