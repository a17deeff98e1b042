//! Runs that are killed at random moments, or stopped by a signal: the next one goes on where they were, and the end
//! has the same bytes, with nothing lost and nothing counted twice.
#![cfg(all(feature = "torch", unix))]

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const SPEC: &str = "claim: It keeps reading
data:  {phantom: {studies: 160, seed: 7}}
split: {test: 60%, seed: 1}
models:
  vision:   {se_resnet18: {image: 32, width: 8, train: {optimizer: adam, lr: 1e-3, epochs: 1, batch: 16}}}
  language: {bert: {config: tiny, train: {optimizer: adamw, lr: 1e-3, epochs: 1}}}
grid: [0.05, 0.1]
table: [clean, FGSM ε=0.05, FGSM ε=0.1, PGD-10 ε=0.05, 40% synonyms, 50% deletion, 20% typos]
require: [language accuracy ≥ 20%, vision accuracy ≥ 20% at FGSM ε≤0.1]
chunk: 8
";

/// A folder with the spec, a cache with its trained models, and the bytes of an undisturbed run.
struct World {
    folder: tempfile::TempDir,
    whole: Vec<u8>,
    /// How long an undisturbed run takes with its models trained.
    takes: Duration,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.yaml"), SPEC).expect("written");
        let mut world = Self { folder, whole: vec![], takes: Duration::ZERO };
        world.start().wait().expect("ended");
        world.forget();
        let start = Instant::now();
        world.start().wait().expect("ended");
        world.takes = start.elapsed();
        world.whole = std::fs::read(world.evidence()).expect("evidence");
        world.forget();
        world
    }

    fn evidence(&self) -> PathBuf {
        self.folder.path().join("evidence.json")
    }

    /// Forgets what was seen, and keeps the models.
    fn forget(&self) {
        std::fs::remove_dir_all(self.folder.path().join("cache/evidence")).expect("removed");
        std::fs::remove_file(self.evidence()).expect("removed");
    }

    fn start(&self) -> Child {
        Command::new(env!("CARGO_BIN_EXE_medcert"))
            .args(["check", "a.yaml", "--quiet", "--device", "cpu", "--threads", "1"])
            .args(["--cache", "cache", "--evidence", "evidence.json"])
            .current_dir(self.folder.path())
            .env("OMP_NUM_THREADS", "1")
            .env_remove("MEDCERT_DATA")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started")
    }

    /// The whole lines of every journal, but for those that confirm others; none may be there twice.
    fn lines(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for path in files(&self.folder.path().join("cache/evidence/pieces")) {
            let text = String::from_utf8_lossy(&std::fs::read(&path).expect("read")).to_string();
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let seen = |line: &&str| line.ends_with('}') && !line.contains("\"confirmed\"");
            for line in whole.lines().filter(seen) {
                let key = line.split("\"key\":\"").nth(1).and_then(|rest| rest.get(..32)).expect("a key");
                let is_new = all.insert(format!("{} {key}", path.display()));
                assert!(is_new, "counted twice: {} {key}", path.display());
            }
        }
        all
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Kills runs at random moments, so often in all, and lets one come to its end now and then.
fn kill(times: usize) {
    let world = World::new();
    let mut rng = ChaCha12Rng::seed_from_u64(7);
    let (mut killed, mut ended, mut known) = (0, 0, BTreeSet::new());
    while killed < times || ended == 0 {
        let mut run = world.start();
        // at most a third of a run at once, so that several are killed on the way
        let share = f64::from(rng.next_u32()) / f64::from(u32::MAX);
        std::thread::sleep(world.takes.mul_f64(0.2 + share * 0.4));
        let _ = run.kill();
        let status = run.wait().expect("ended");
        let lines = world.lines();
        assert!(lines.is_superset(&known), "what was seen was lost");
        known = lines;
        killed += usize::from(status.signal() == Some(9));
        if status.code().is_some() || killed % 8 == 7 {
            if status.code().is_none() {
                world.start().wait().expect("ended");
            }
            assert!(std::fs::read(world.evidence()).expect("evidence") == world.whole, "other bytes");
            world.lines();
            ended += 1;
            println!("{killed} runs were killed, and {ended} came to an end with the same bytes");
            world.forget();
            known.clear();
        }
    }
}

#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_bytes() {
    kill(5);
}

/// `cargo test --release --test lab resume -- --ignored --nocapture`
#[test]
#[ignore = "200 runs: half an hour with --release"]
fn two_hundred_killed_runs_end_with_the_same_bytes() {
    kill(200);
}

#[test]
fn a_signal_stops_within_two_seconds_and_says_how_to_go_on() {
    let world = World::new();
    for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
        let run = world.start();
        let journals = world.folder.path().join("cache/evidence/pieces");
        while files(&journals).is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let start = Instant::now();
        let sent = Command::new("kill").args([signal, &run.id().to_string()]).status().expect("sent");
        assert!(sent.success());
        let output = run.wait_with_output().expect("ended");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        let told = String::from_utf8_lossy(&output.stderr).to_string();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains("run the same command again to continue from here"), "{told}");
        assert!(!world.evidence().exists(), "half of it is no evidence");
        let before = world.lines();
        world.start().wait().expect("ended");
        assert!(world.lines().is_superset(&before));
        assert!(std::fs::read(world.evidence()).expect("evidence") == world.whole, "other bytes");
        world.forget();
    }
}

/// Trainings whose state is more than weights: the moments of both optimizers, an augmentation of words, and
/// the most cases that stood an attack so far.
const LESSONS: &str = "claim: It goes on learning
data:  {phantom: {studies: 120, seed: 7}}
split: {test: 40%, seed: 1}
models:
  vision:   {se_resnet18: {image: 32, width: 8, train: {optimizer: adam, lr: 1e-3, epochs: 3, batch: 16, adversarial: {epsilon: 4/255, steps: 2}}}}
  language: {bert: {config: tiny, train: {optimizer: adamw, lr: 1e-3, epochs: 3, words: 15%}}}
grid: [0.05]
table: [clean]
require: [language accuracy ≥ 20%, vision accuracy ≥ 20%]
";

/// Runs `LESSONS` in a folder, with its progress on standard error.
fn learn(folder: &Path) -> Child {
    std::fs::write(folder.join("a.yaml"), LESSONS).expect("written");
    Command::new(env!("CARGO_BIN_EXE_medcert"))
        .args(["check", "a.yaml", "--device", "cpu", "--threads", "1"])
        .args(["--cache", "cache", "--evidence", "evidence.json"])
        .current_dir(folder)
        .env_remove("MEDCERT_DATA")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started")
}

/// The names and bytes of the weights and of the evidence.
fn learnt(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().to_string();
    let mut all = files(&folder.join("cache/models"));
    all.push(folder.join("evidence.json"));
    all.sort();
    all.iter().map(|path| (name(path), std::fs::read(path).expect("read"))).collect()
}

/// The states of trainings that are not done.
fn states(folder: &Path) -> Vec<PathBuf> {
    let all = files(&folder.join("cache/models"));
    all.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "training")).collect()
}

#[test]
fn a_training_that_was_stopped_goes_on_after_its_last_epoch_and_ends_with_the_same_weights() {
    let (calm, disturbed) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    assert!(learn(calm.path()).wait_with_output().expect("ended").status.code().is_some());
    let mut stops = 0;
    // each run is stopped after an epoch of its own, until one comes to its end
    loop {
        let before = states(disturbed.path()).into_iter().map(|path| std::fs::read(path).expect("read"));
        let before: Vec<_> = before.collect();
        let mut run = learn(disturbed.path());
        let has_new_state = || {
            let mut states = states(disturbed.path()).into_iter().filter_map(|path| std::fs::read(path).ok());
            states.any(|state| !before.contains(&state))
        };
        while run.try_wait().expect("asked").is_none() && !has_new_state() {
            std::thread::sleep(Duration::from_millis(2));
        }
        if run.try_wait().expect("asked").is_none() {
            let sent = Command::new("kill").args(["-INT", &run.id().to_string()]).status().expect("sent");
            assert!(sent.success());
        }
        let output = run.wait_with_output().expect("ended");
        let told = String::from_utf8_lossy(&output.stderr).to_string();
        if !before.is_empty() {
            assert!(told.contains("training resumes after epoch"), "{told}");
        }
        if output.status.code() != Some(130) {
            break;
        }
        stops += 1;
    }
    assert!(stops >= 3, "{stops} stops in two trainings of three epochs");
    assert_eq!(states(disturbed.path()), Vec::<PathBuf>::new(), "a training that is done leaves no state");
    let (calm, disturbed) = (learnt(calm.path()), learnt(disturbed.path()));
    let names = |all: &[(String, Vec<u8>)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&calm), names(&disturbed));
    assert!(calm == disturbed, "other weights, or other evidence");
}
