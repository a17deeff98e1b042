//! Threads of libtorch: how they wait for each other, and what their number changes: the weights that training ends in,
//! and nothing that is seen of a model.

use std::path::{Path, PathBuf};
use std::process::Command;

use medcert::evidence::{Evidence, Silent};
use medcert::lab::{self, Options};
use medcert::{data, plan, seal, spec};

/// The evidence of small models; `of` gives the end of a model's entry: how it is trained, or its weights.
fn evidence(cache: &Path, threads: usize, of: impl Fn(&str) -> String) -> Evidence {
    let [vision, language, fusion] = ["vision", "language", "fusion"].map(of);
    let text = format!(
        "claim: They keep reading
data:  {{phantom: {{studies: 60, seed: 7, views: frontal}}}}
split: {{test: 40%, seed: 1}}
models:
  vision:   {{se_resnet18: {{image: 32, width: 8, {vision}}}}}
  language: {{bert: {{config: tiny, {language}}}}}
  fusion:   {{early_fusion: {{vision: vision, language: language, {fusion}}}}}
table: [clean, FGSM ε=0.05, 40% synonyms, PGD-5 ε=0.05 + 50% deletion]
require: [fusion accuracy ≥ 0%]
"
    );
    run(cache, &text, Some(threads))
}

fn run(cache: &Path, text: &str, threads: Option<usize>) -> Evidence {
    let plan = plan::build(spec::parse(Path::new("threads.yaml"), text).expect("a sound spec"));
    let dataset = data::load(&plan.spec, None).expect("data");
    let partition = data::split(&dataset.studies, &plan.spec.split).expect("a division");
    let options = Options {
        cache: cache.to_path_buf(),
        roots: vec![cache.join("models")],
        threads,
        device: plan.spec.device,
        plain: false,
        fresh: true,
    };
    lab::run(&plan, &dataset, &partition, &options, &Silent).expect("evidence")
}

/// The files of a model in the cache.
fn trained(cache: &Path, model: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(cache.join("models")).expect("trained models").flatten();
    let files = files.map(|file| PathBuf::from(file.file_name()));
    let is_trained = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "sealed");
    files.filter(|file| file.to_string_lossy().starts_with(model) && is_trained(file)).collect()
}

#[test]
fn threads_belong_to_the_weights_and_not_to_what_is_seen_of_them() {
    let cache = tempfile::tempdir().expect("a folder");
    let recipe = |_: &str| "train: {lr: 1e-3, epochs: 1}".to_string();
    evidence(cache.path(), 2, recipe);
    let of_two: Vec<PathBuf> =
        ["vision", "language", "fusion"].iter().flat_map(|model| trained(cache.path(), model)).collect();
    assert_eq!(of_two.len(), 3);
    // a trained model is kept as weights under a seal
    let loaded = |model: &str| {
        let file = of_two.iter().find(|file| file.to_string_lossy().starts_with(model)).expect("a file");
        let folder = cache.path().join("models");
        let sealed = std::fs::read(folder.join(file)).expect("a trained model");
        let weights = seal::open("trained model", sealed).expect("a sound seal");
        std::fs::write(folder.join(format!("{model}.safetensors")), weights).expect("written");
        format!("weights: {model}.safetensors")
    };
    let (one, two) = (evidence(cache.path(), 1, loaded), evidence(cache.path(), 2, loaded));
    assert_eq!((one.run.computed_by[0].threads, two.run.computed_by[0].threads), (1, 2));
    let one = Evidence { run: two.run.clone(), ..one };
    assert_eq!(serde_json::to_string(&one).expect("json"), serde_json::to_string(&two).expect("json"));
    // weights of another number of threads are other ones, and are not taken for these
    evidence(cache.path(), 1, recipe);
    assert_eq!(trained(cache.path(), "vision").len(), 2);
}

#[test]
fn models_that_are_trained_side_by_side_are_those_that_are_trained_alone() {
    let train = |seed: u32| format!("{{image: 32, width: 8, train: {{lr: 1e-3, epochs: 1, seed: {seed}}}}}");
    let digests = |cache: &Path, seeds: &[u32]| -> Vec<String> {
        let film = |seed: &u32| format!("  v{seed}: {{se_resnet18: {}}}\n", train(*seed));
        let films: Vec<String> = seeds.iter().map(film).collect();
        let early =
            |seed: &u32| format!("{{vision: v{seed}, language: words, train: {{lr: 1e-3, epochs: 1}}}}");
        let joined = |seed: &u32| format!("  joined{seed}: {{early_fusion: {}}}\n", early(seed));
        let fusions: Vec<String> = seeds.iter().map(joined).collect();
        let (films, fusions) = (films.concat(), fusions.concat());
        let text = format!(
            "claim: They keep reading
data:  {{phantom: {{studies: 60, seed: 7, views: frontal}}}}
split: {{test: 40%, seed: 1}}
models:
  words: {{bert: {{config: tiny, train: {{lr: 1e-3, epochs: 1}}}}}}
{films}{fusions}table: [clean]
require: [words accuracy ≥ 0%]
"
        );
        let found = run(cache, &text, None);
        seeds
            .iter()
            .map(|seed| {
                found
                    .models
                    .iter()
                    .find(|model| model.name == format!("joined{seed}"))
                    .expect("a fusion")
                    .weights
                    .clone()
            })
            .collect()
    };
    let folder = || tempfile::tempdir().expect("a folder");
    let together = digests(folder().path(), &[0, 1, 2]);
    let alone: Vec<String> = [0, 1, 2].iter().flat_map(|&seed| digests(folder().path(), &[seed])).collect();
    assert_eq!(together, alone);
    assert_ne!(together[0], together[1]);
}

/// What libgomp reads as the number of spins, when the program starts with such variables.
fn spins(variables: &[(&str, &str)]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_medcert"));
    program.arg("--version").env_remove("OMP_WAIT_POLICY").env_remove("GOMP_SPINCOUNT");
    program.env("OMP_DISPLAY_ENV", "verbose").envs(variables.iter().copied());
    let output = program.output().expect("it runs");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        concat!("medcert ", env!("CARGO_PKG_VERSION"))
    );
    let said = String::from_utf8_lossy(&output.stderr);
    // a program that starts itself again shows the settings once before
    let line = said.lines().rfind(|line| line.contains("GOMP_SPINCOUNT")).expect("a line of the settings");
    line.split('\'').nth(1).expect("a value").to_string()
}

#[cfg(target_os = "linux")]
#[test]
fn threads_spin_for_microseconds_unless_the_user_says_otherwise() {
    assert_eq!(spins(&[]), "2000");
    assert_eq!(spins(&[("OMP_WAIT_POLICY", "passive")]), "0");
    assert_eq!(spins(&[("GOMP_SPINCOUNT", "77")]), "77");
}
