//! Evidence files: what is written comes back, and what is no evidence is refused.

use crate::made_evidence;

use made_evidence::{World, even, fgsm};
use medcert::data;
use medcert::evidence::{Baseline, read, write};
use medcert::plan::Attack;
use proptest::prelude::*;

fn world(right: &[bool]) -> World {
    let mut world = World::new(&even(right.len()));
    world.cell(2, Attack::default(), |_, _| true);
    world.cell(2, fgsm(0.1), |place, _| right[place]);
    world
}

fn baseline(of: &str, right: &[bool]) -> Baseline {
    data::Baseline {
        name: format!("bag of words, {of}"),
        right: right.iter().copied().map(Some).collect(),
        finding: None,
    }
    .into()
}

proptest! {
    #[test]
    fn evidence_comes_back_as_it_was(right in prop::collection::vec(any::<bool>(), 1..40), margin in 1e-6_f32..1e6, name in "\\PC{0,12}") {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, two) = (folder.path().join("deep/one.json"), folder.path().join("two.json"));
        let mut evidence = world(&right).evidence;
        evidence.cells[1].outcomes[0].margin = Some(if right[0] { margin } else { -margin });
        evidence.cases[0].groups = vec![("sex".into(), "F".into()), ("site".into(), name.clone())];
        evidence.cases[0].seen = vec!["image".into()];
        evidence.baselines = ["findings", "whole report"].map(|of| baseline(of, &right)).into();
        evidence.cases[0].id = name;
        write(&one, &evidence).expect("written");
        let back = read(&one).expect("read");
        prop_assert_eq!(&back, &evidence);
        write(&two, &back).expect("written");
        prop_assert_eq!(std::fs::read(&one).expect("bytes"), std::fs::read(&two).expect("bytes"));
    }

    #[test]
    fn a_file_cut_anywhere_is_refused(cut in 0.0..1.0_f64) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.json");
        write(&path, &world(&[true, false, true]).evidence).expect("written");
        let bytes = std::fs::read(&path).expect("bytes");
        let end = ((bytes.len() - 3) as f64 * cut) as usize; // the last line's end alone may go
        std::fs::write(&path, &bytes[..end]).expect("written");
        prop_assert_eq!(read(&path).expect_err("refused").exit_code(), 4);
    }
}

#[test]
fn what_is_no_evidence_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    write(&path, &world(&[true, false]).evidence).expect("written");
    let whole = std::fs::read_to_string(&path).expect("text");
    let cases = [
        String::new(),
        "{}".into(),
        "[1, 2]".into(),
        whole.replace("\"schema\": 6", "\"schema\": 99"),
        whole.replace("\"edits\"", "\"edit\""),
        whole.replace("\"label\":true", "\"label\":1"),
        whole[..whole.len() / 2].to_string(),
        format!("{whole}{{}}"),
    ];
    let told = cases.map(|text| {
        std::fs::write(&path, text).expect("written");
        let error = read(&path).expect_err("refused");
        assert_eq!(error.exit_code(), 4);
        error.to_string().replace(&folder.path().display().to_string(), "FOLDER")
    });
    insta::assert_snapshot!(told.join("\n"));
    std::fs::write(&path, [0xff, 0xfe, 0]).expect("written");
    assert_eq!(read(&path).expect_err("refused").exit_code(), 4);
    assert_eq!(read(&folder.path().join("none.json")).expect_err("refused").exit_code(), 4);
}

#[test]
fn a_number_that_is_not_finite_is_not_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    std::fs::write(&path, "what was there").expect("written");
    let mut evidence = world(&[true, false]).evidence;
    evidence.cells[1].outcomes[0].margin = Some(f32::NAN);
    assert_eq!(write(&path, &evidence).expect_err("refused").exit_code(), 101);
    assert_eq!(std::fs::read_to_string(&path).expect("text"), "what was there");
}

#[test]
fn a_folder_that_cannot_be_written_is_a_resource() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "").expect("written");
    let error =
        write(&folder.path().join("file/a.json"), &world(&[true, false]).evidence).expect_err("refused");
    assert_eq!(error.exit_code(), 5);
}
