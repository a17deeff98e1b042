//! What was seen is kept chunk by chunk: a run that was killed goes on and ends with the same bytes, a run of an
//! unchanged question reads, and nothing that is broken or of another question is believed.

use std::path::{Path, PathBuf};

use medcert::evidence::{self, Evidence, Part, Shard, Silent, merge};
use medcert::lab::{self, Options};
use medcert::spec::DeviceChoice;
use medcert::{data, plan, spec};

const SPEC: &str = "claim: It keeps reading
data:  {phantom: {studies: 120, seed: 7}}
split: {test: 50%, seed: 1}
models:
  language: {bert: {config: tiny, train: {lr: 1e-3, epochs: 1}}}
table: [clean, 40% synonyms, 50% deletion]
require: [language accuracy ≥ 50%]
chunk: 8
";

fn run(spec: &str, cache: &Path, fresh: bool) -> Evidence {
    let shard = part(spec, cache, fresh, Part::WHOLE);
    evidence::assemble(shard.head, shard.pieces).expect("evidence")
}

fn part(spec: &str, cache: &Path, fresh: bool, part: Part) -> Shard {
    let plan = plan::build(spec::parse(Path::new("a.yaml"), spec).expect("a sound spec"));
    let data = data::load(&plan.spec, None).expect("data");
    let partition = data::divide(&data.studies, &plan.spec).expect("a division");
    let options = Options {
        cache: cache.to_path_buf(),
        roots: vec![],
        threads: None,
        device: DeviceChoice::Cpu,
        plain: false,
        fresh,
    };
    lab::run_part(&plan, &data, &partition, &options, (&[], part), &Silent).expect("a part")
}

/// Every journal.
fn pieces(cache: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(cache.join("evidence/pieces")).expect("a folder");
    let files =
        folders.flat_map(|folder| std::fs::read_dir(folder.expect("an entry").path()).expect("a folder"));
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("an entry").path()).collect();
    files.sort();
    files
}

fn bytes(evidence: &Evidence) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("evidence.json");
    evidence::write(&path, evidence).expect("written");
    std::fs::read(path).expect("read")
}

#[test]
fn a_run_goes_on_where_it_stopped_and_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path();
    let whole = bytes(&run(SPEC, cache, false));
    let kept = pieces(cache);
    assert!(kept.len() >= 6, "one a chunk: {}", kept.len());
    // as if it had been killed: one journal is not there, one is cut off in a line, one is another's
    std::fs::remove_file(&kept[0]).expect("removed");
    let half = std::fs::read(&kept[1]).expect("read");
    std::fs::write(&kept[1], &half[..half.len() / 2]).expect("cut off");
    std::fs::copy(&kept[3], &kept[2]).expect("copied");
    assert!(bytes(&run(SPEC, cache, false)) == whole, "other bytes");
    assert_eq!(pieces(cache), kept);
    let sizes = || -> Vec<u64> { kept.iter().map(|path| path.metadata().expect("there").len()).collect() };
    let before = sizes();
    // a changed threshold or claim asks for nothing new
    let other = SPEC.replace("≥ 50%", "≥ 60%").replace("keeps reading", "goes on reading");
    assert_eq!(run(&other, cache, false).cells, run(SPEC, cache, false).cells);
    assert_eq!(sizes(), before);
    // a changed attack asks for itself alone: one more line in each journal, beside the one that confirms it
    let lines = || -> usize {
        let seen = |text: String| text.lines().filter(|line| !line.contains("confirmed")).count();
        kept.iter().map(|path| seen(std::fs::read_to_string(path).expect("read"))).sum()
    };
    let few = lines();
    run(&SPEC.replace("40%", "30%"), cache, false);
    assert_eq!(pieces(cache), kept);
    assert_eq!(lines(), few + kept.len());
}

#[test]
fn what_an_attack_shares_with_others_leaves_no_trace_in_its_evidence() {
    let spec = "claim: It keeps reading
data:  {phantom: {studies: 60, seed: 7}}
split: {test: 50%, seed: 1}
models:
  vision:   {se_resnet18: {image: 32, width: 8, train: {lr: 1e-3, epochs: 1}}}
  language: {bert: {config: tiny, train: {lr: 1e-3, epochs: 1}}}
  fusion:   {early_fusion: {vision: vision, language: language, train: {lr: 1e-3, epochs: 1}}}
table:
  - FGSM ε=0.05
  - FGSM ε=0.1
  - DeepFool ε=0.1
  - DeepFool ε=0.5
  - FGSM ε=0.1 + 50% deletion
  - FGSM ε=0.1 then 20% importance
  - 20% importance
require: [fusion accuracy ≥ 50%]
chunk: 16
";
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path();
    let whole = run(spec, cache, false);
    let kept: Vec<(PathBuf, String)> = pieces(cache)
        .into_iter()
        .map(|path| (path.clone(), std::fs::read_to_string(path).expect("read")))
        .collect();
    let most = kept.iter().map(|(_, text)| text.lines().count()).max().expect("a journal");
    // each attack once alone, whatever it shared its work with before
    for line in 0..most {
        for (path, text) in &kept {
            let others = text.lines().enumerate().filter(|(place, _)| *place != line);
            let others: String = others.map(|(_, line)| line.to_string() + "\n").collect();
            std::fs::write(path, others).expect("written");
        }
        assert_eq!(run(spec, cache, false), whole, "without line {line}");
    }
}

#[test]
fn what_was_seen_is_read_unless_it_is_to_be_fresh() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path();
    let sound = run(SPEC, cache, false);
    // a line that says something else, with a seal that fits, shows that it is read
    let place = &pieces(cache)[0];
    let text = std::fs::read_to_string(place).expect("read");
    let (first, rest) = text.split_once('\n').expect("a line");
    let forged = first[65..].replacen("\"edits\":0", "\"edits\":77", 1);
    let digest = place.file_stem().expect("a digest").to_string_lossy();
    let seal = medcert::seal::digest("journal line", &[digest.as_bytes(), forged.as_bytes()]).to_hex();
    std::fs::write(place, format!("{seal} {forged}\n{rest}")).expect("written");
    let has_77 = |evidence: &Evidence| {
        evidence.cells.iter().flat_map(|cell| &cell.outcomes).any(|outcome| outcome.edits == 77)
    };
    assert!(has_77(&run(SPEC, cache, false)));
    let fresh = run(SPEC, cache, true);
    assert!(!has_77(&fresh));
    assert!(bytes(&fresh) == bytes(&sound), "other bytes");
    assert!(!has_77(&run(SPEC, cache, false)), "what is seen afresh is kept");
}

#[test]
fn parts_make_the_whole_however_it_is_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let whole = bytes(&run(SPEC, &cache, true));
    for parts in [1, 2, 3, 7, 20] {
        let out = folder.path().join(parts.to_string());
        // in any order, each computed anew
        for number in (1..=parts).rev() {
            part(SPEC, &cache, true, Part { part: number, parts }).write(&out).expect("written");
        }
        let shards = Shard::read_all(&out).expect("parts");
        assert!(bytes(&merge(shards, false).expect("a whole")) == whole, "{parts} parts");
    }
}

#[test]
fn ten_runs_have_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = bytes(&run(SPEC, folder.path(), true));
    for time in 2..=10 {
        assert!(bytes(&run(SPEC, folder.path(), true)) == first, "other bytes the {time}th time");
    }
}

#[test]
fn where_cells_end_early_parts_make_what_one_run_saw() {
    let early = SPEC.replace("[clean, 40% synonyms, 50% deletion]", "[clean, 50% deletion]")
        + "stop: early\ncounterexamples: 1\n";
    // a model that has learnt something, so that no check asks for more cases
    let early = early.replace("studies: 120", "studies: 600").replace("epochs: 1", "epochs: 6");
    let early = early.replace("≥ 50%]", "≥ 99% under 50% deletion]");
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let seen = run(&early, &cache, true);
    let counts: Vec<usize> = seen.cells.iter().map(|cell| cell.outcomes.len()).collect();
    assert!(seen.run.early && counts[1] < seen.cases.len(), "{counts:?} of {}", seen.cases.len());
    // patients come one after the other, in no order of the file
    let ids: Vec<&str> = seen.cases.iter().map(|case| case.id.as_str()).collect();
    assert!(!ids.is_sorted(), "{ids:?}");
    let patients: Vec<&str> = seen.cases.iter().map(|case| case.patient.as_str()).collect();
    let changes = patients.windows(2).filter(|pair| pair[0] != pair[1]).count() + 1;
    assert_eq!(changes, patients.iter().collect::<std::collections::BTreeSet<_>>().len());
    let plan = plan::build(spec::parse(Path::new("a.yaml"), &early).expect("a sound spec"));
    for parts in [1, 2, 3, 7] {
        let shards: Vec<Shard> =
            (1..=parts).map(|number| part(&early, &cache, false, Part { part: number, parts })).collect();
        let (head, pieces) = evidence::gathered(shards, false).expect("a whole");
        let whole = medcert::judge::early::whole(&plan, head, pieces).expect("evidence");
        assert!(bytes(&whole) == bytes(&seen), "{parts} parts");
    }
    // and a second run reads what it saw
    assert!(bytes(&run(&early, &cache, false)) == bytes(&seen));
}

/// A change to the second of three parts, and what is then said.
type Damage = (fn(&mut Shard), &'static str);

#[test]
fn what_makes_no_whole_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let shards: Vec<Shard> =
        (1..=3).map(|number| part(SPEC, folder.path(), false, Part { part: number, parts: 3 })).collect();
    let damages: [Damage; 9] = [
        (|shard| shard.part.part = 1, "part 1 of 3 is there twice"),
        (|shard| shard.part = Part { part: 2, parts: 4 }, "another number of parts"),
        (|shard| shard.head.spec = "data=other".parse().expect("a fingerprint"), "of another spec"),
        (|shard| shard.head.cells.truncate(1), "of a spec with other attacks"),
        (|shard| shard.head.cases[0].label = shard.head.cases[0].label.turned(true), "of other data"),
        (|shard| shard.head.models[0].weights = "other".into(), "of other weights"),
        (
            |shard| shard.head.run.computed_by[0].processor = "x86_64 other".into(),
            "of another kind of processor",
        ),
        (|shard| shard.head.run.computed_by[0].libtorch = "1.0".into(), "of another libtorch"),
        (|shard| drop(shard.pieces.pop()), "a chunk is missing"),
    ];
    for (damage, says) in damages {
        let mut shards = shards.clone();
        damage(&mut shards[1]);
        let why = merge(shards.clone(), false).expect_err("refused").to_string();
        assert!(why.contains(says), "{says}: {why}");
        let lets_in = ["of another kind of processor", "of another libtorch"].contains(&says);
        assert_eq!(merge(shards, true).is_ok(), lets_in, "{says}");
    }
    let why = merge(vec![shards[0].clone(), shards[2].clone()], false).expect_err("refused").to_string();
    assert!(why.contains("part 2 of 3 is missing"), "{why}");
    let why = merge(shards[..2].to_vec(), false).expect_err("refused").to_string();
    assert!(why.contains("part 3 of 3 is missing"), "{why}");
    assert!(merge(vec![], false).is_err());
    assert_eq!(Shard::read_all(folder.path()).expect_err("no part").exit_code(), 4);
}
