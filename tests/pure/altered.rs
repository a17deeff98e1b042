//! What is stored and then altered: no flipped bit changes a figure or a verdict unnoticed, and no contradiction is read.

use std::path::Path;

use crate::made_evidence;
use crate::mutations::flipped;

use made_evidence::{World, deletion, even, fgsm, outcome};
use medcert::data::{ImageSource, Report, Study, pixels};
use medcert::evidence::{
    self, CellPiece, Counterexample, Evidence, Journal, Part, Piece, Regressions, Seen, Shard, regressions,
};
use medcert::plan::Attack;
use medcert::report::snapshot;
use medcert::seal::Cache;
use medcert::spec::Views;

/// Evidence with every kind of part.
fn world() -> World {
    let mut world = World::new(&even(4));
    world.cell(2, Attack::default(), |_, _| true);
    world.cell(2, fgsm(0.1), |place, _| place > 1);
    world.probe(2, deletion(), 4, |place, _| place > 2);
    world.evidence.baselines = vec![
        medcert::data::Baseline {
            name: "bag of words".into(),
            right: [true, false, true, true].map(Some).to_vec(),
            finding: None,
        }
        .into(),
    ];
    world.evidence.counterexamples = vec![counterexample(&world.evidence)];
    world
}

fn counterexample(evidence: &Evidence) -> Counterexample {
    Counterexample {
        model: evidence.cells[1].model.clone(),
        attack: evidence.cells[1].attack.clone(),
        case: evidence.cases[0].id.clone(),
        edits: vec![],
        epsilon: Some(0.05),
        pixels: None,
        queries: 7,
    }
}

fn file_of(evidence: &Evidence) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    evidence::write(&path, evidence).expect("written");
    std::fs::read(path).expect("bytes")
}

#[test]
fn no_flipped_bit_of_evidence_is_read() {
    let bytes = file_of(&world().evidence);
    assert_eq!(evidence::parse(Path::new("a.json"), bytes.clone()).expect("sound"), world().evidence);
    for flip in 0..20_000 {
        let why = evidence::parse(Path::new("a.json"), flipped(&bytes, &format!("evidence {flip}")));
        assert_eq!(why.expect_err("refused").exit_code(), 4);
    }
}

#[test]
fn an_edited_part_of_evidence_is_named() {
    let text = String::from_utf8(file_of(&world().evidence)).expect("text");
    let edits = [
        ("\"margin\":-0.4,", "\"margin\":-0.2,"),
        ("\"label\":true", "\"label\":false"),
        ("\"right\":\"1011\"", "\"right\":\"1111\""),
        ("\"queries\":7", "\"queries\":8"),
        ("\"threads\":2", "\"threads\":4"),
        ("\"test\":4", "\"test\":3"),
        ("\"parameters\":1234", "\"parameters\":1235"),
        ("\"cosine\":0.99", "\"cosine\":0.98"),
        ("\"tried\":0", "\"tried\":1"),
        ("\"schema\": 6", "\"schema\":  6"),
    ];
    let told = edits.map(|(from, to)| {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text, "{from}");
        evidence::parse(Path::new("a.json"), edited.into_bytes()).expect_err("refused").to_string()
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_contradiction_is_refused_wherever_it_comes_from() {
    type Damage = fn(&mut Evidence);
    let damages: [Damage; 9] = [
        |evidence| evidence.cells[1].outcomes[0].margin = Some(0.3),
        |evidence| evidence.cells[1].outcomes[0].predicted = None,
        |evidence| evidence.cells[1].outcomes[2].predicted = evidence.cells[1].outcomes[0].predicted,
        |evidence| evidence.cells[1].outcomes[0].held = 1,
        |evidence| evidence.cells[1].outcomes[0].held = 2,
        |evidence| evidence.cells[0].outcomes[2].edits = 1,
        |evidence| evidence.probes[0].outcomes[2].draws = 0,
        |evidence| evidence.baselines[0].right = "101".into(),
        |evidence| evidence.counterexamples[0].case = "nobody".into(),
    ];
    assert_eq!(world().evidence.contradiction(), None);
    let folder = tempfile::tempdir().expect("a folder");
    let told = damages.map(|damage| {
        let mut evidence = world().evidence;
        damage(&mut evidence);
        let why = evidence::write(&folder.path().join("a.json"), &evidence).expect_err("a bug");
        assert_eq!(why.exit_code(), 101);
        evidence.contradiction().expect("a contradiction")
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn no_flipped_bit_of_a_part_is_read() {
    let evidence = world().evidence;
    let mut head = evidence.clone();
    let outcomes = head.cells.iter_mut().map(|cell| std::mem::take(&mut cell.outcomes)).collect::<Vec<_>>();
    let probes = head.probes.iter_mut().map(|cell| std::mem::take(&mut cell.outcomes)).collect();
    let cell =
        |outcomes| Some(CellPiece { outcomes, counterexamples: vec![], regressions: Regressions::default() });
    let piece =
        Piece { cells: outcomes.into_iter().map(cell).collect(), probes, certificates: vec![], health: None };
    let shard = Shard { part: Part::WHOLE, chunks: 1, head, pieces: vec![(2, 0, piece)] };
    let folder = tempfile::tempdir().expect("a folder");
    let path = shard.write(folder.path()).expect("written");
    let bytes = std::fs::read(&path).expect("bytes");
    assert_eq!(Shard::read_all(folder.path()).expect("sound"), [shard]);
    for flip in 0..2_000 {
        std::fs::write(&path, flipped(&bytes, &format!("part {flip}"))).expect("written");
        assert_eq!(Shard::read_all(folder.path()).expect_err("refused").exit_code(), 4);
    }
}

#[test]
fn no_flipped_bit_of_a_journal_is_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut journal = Journal::open(folder.path(), "abc", 2, true);
    let seen = |edits| Seen::Probe(vec![medcert::evidence::Outcome { edits, ..outcome(true, true) }; 2]);
    for line in 0..3 {
        journal.hold(format!("key {line}"), seen(line));
        journal.save().expect("written");
    }
    let path = journal.path().to_path_buf();
    let bytes = std::fs::read(&path).expect("bytes");
    let mut lost = 0;
    for flip in 0..2_000 {
        std::fs::write(&path, flipped(&bytes, &format!("journal {flip}"))).expect("written");
        let journal = Journal::open(folder.path(), "abc", 2, false);
        let known: Vec<Option<&Seen>> = (0..3).map(|line| journal.get(&format!("key {line}"))).collect();
        assert!(known.iter().zip(0..).all(|(known, line)| known.is_none_or(|known| *known == seen(line))));
        // a last line without its end is what a killed run leaves, and is whole all the same
        assert!(known.contains(&None) || !journal.is_damaged());
        lost += usize::from(known.contains(&None));
    }
    assert!(lost > 1_900, "{lost}");
}

#[test]
fn no_flipped_bit_of_a_cached_entry_is_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Cache::at(folder.path());
    for (kind, body) in [
        ("trained model", (0..4096_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>()),
        ("pixels", vec![128; 32 * 32]),
        ("audit", br#"{"baselines":[],"seen":[[],["image"]],"patients_in_two_parts":0}"#.to_vec()),
    ] {
        let path = cache.path(kind);
        cache.keep(kind, &path, body.clone()).expect("kept");
        let bytes = std::fs::read(&path).expect("bytes");
        assert_eq!(cache.read(kind, &path, 1 << 20), Some(body));
        for flip in 0..2_000 {
            std::fs::write(&path, flipped(&bytes, &format!("{kind} {flip}"))).expect("written");
            assert_eq!(cache.read(kind, &path, 1 << 20), None);
        }
        assert_eq!(cache.take_damaged().len(), 2_000);
    }
}

#[test]
fn a_damaged_picture_is_decoded_again_and_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let film = folder.path().join("film.png");
    image::GrayImage::from_fn(8, 8, |x, y| image::Luma([(x * 30 + y) as u8])).save(&film).expect("saved");
    let study = Study {
        id: "a".into(),
        patient: "a".into(),
        frontal: Some(ImageSource::file(film)),
        lateral: None,
        report: Report::default(),
        label: true.into(),
        findings: vec![],
        view: None,
        mask: None,
        groups: [].into(),
        fold: None,
    };
    let cache = Cache::at(&folder.path().join("cache"));
    let read = || pixels(&[&study], Views::Frontal, 8, Some(&cache)).expect("decoded");
    let fresh = read();
    let mut folders: Vec<_> = std::fs::read_dir(cache.path("images")).expect("a folder").flatten().collect();
    let kept = std::fs::read_dir(folders.pop().expect("an entry").path()).expect("a folder").flatten().next();
    let kept = kept.expect("a picture").path();
    assert_eq!(read(), fresh);
    assert!(cache.take_damaged().is_empty());
    std::fs::write(&kept, vec![128; 64]).expect("gray");
    assert_eq!(read(), fresh);
    assert_eq!(cache.take_damaged(), [kept]);
}

#[test]
fn no_flipped_bit_of_a_snapshot_is_read() {
    let world = world();
    let judgement = world.judged();
    let body = snapshot::render(medcert::report::ReportInput {
        plan: &world.plan,
        evidence: &world.evidence,
        judgement: &judgement,
        accepted: None,
    });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.snap");
    snapshot::write(&path, Path::new("specs/a.yaml"), &body).expect("written");
    let bytes = std::fs::read(&path).expect("bytes");
    for flip in 0..2_000 {
        std::fs::write(&path, flipped(&bytes, &format!("snapshot {flip}"))).expect("written");
        match snapshot::read(&path) {
            // the head says where the snapshot comes from; no figure is in it
            Ok(read) => assert_eq!(read.as_deref(), Some(body.as_str())),
            Err(why) => assert_eq!(why.exit_code(), 4),
        }
    }
}

#[test]
fn an_edited_regressions_file_is_read_and_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.regressions");
    let found = vec![counterexample(&world().evidence); 2];
    regressions::write(&path, &found).expect("written");
    let bytes = std::fs::read(&path).expect("bytes");
    let known = regressions::read(&path).expect("read").expect("a file");
    assert_eq!((known.counterexamples, known.is_edited), (found, false));
    for flip in 0..2_000 {
        std::fs::write(&path, flipped(&bytes, &format!("regressions {flip}"))).expect("written");
        if let Ok(known) = regressions::read(&path) {
            let head = bytes.iter().position(|&byte| byte == b'\n').expect("a line");
            let same_entries = std::fs::read(&path).expect("bytes")[head..] == bytes[head..];
            assert!(known.expect("a file").is_edited || same_entries);
        }
    }
    let text = String::from_utf8(bytes).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(&path, format!("{}\n{}\n", lines[0], lines[1])).expect("a line less, and no seal");
    let known = regressions::read(&path).expect("read").expect("a file");
    assert_eq!((known.counterexamples.len(), known.is_edited), (1, true));
}
