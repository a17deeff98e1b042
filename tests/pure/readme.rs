//! The README: its specs are read, and its commands are ones that the command line takes.

use std::path::Path;

use clap::CommandFactory;
use medcert::cli::Cli;
use medcert::spec::parse;

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("a README")
}

/// The commands in it: after `medcert `, in code, with more than a command's name.
fn commands(readme: &str) -> Vec<Vec<String>> {
    let lines = readme.split('`').skip(1).step_by(2).flat_map(str::lines);
    let calls = lines
        .filter_map(|line| line.split_once("medcert ").filter(|(before, _)| ["", "ci/"].contains(before)));
    calls
        .map(|(_, call)| call.split('#').next().unwrap_or_default())
        .map(|call| call.split_whitespace().map(str::to_string).collect::<Vec<_>>())
        .filter(|words| words.len() > 1)
        .collect()
}

#[test]
fn every_command_is_one_that_the_program_takes() {
    let found = commands(&readme());
    assert!(found.len() > 8, "{found:?}");
    for words in found {
        if cfg!(not(feature = "torch")) && ["check", "run", "doctor", "replay"].contains(&words[0].as_str()) {
            continue;
        }
        let parsed =
            Cli::command().try_get_matches_from(std::iter::once("medcert".to_string()).chain(words.clone()));
        assert!(parsed.is_ok(), "medcert {}: {}", words.join(" "), parsed.expect_err("refused"));
    }
}

#[test]
fn every_part_of_a_spec_stands_in_one() {
    let readme = readme();
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let parts: Vec<&str> = blocks.filter(|block| !block.starts_with("claim:")).collect();
    assert!(parts.len() > 1);
    for part in parts {
        let sentences =
            if part.starts_with("require:") { "" } else { "require: [fusion accuracy ≥ 80%]\n" };
        let spec = format!(
            "claim: It keeps reading
data: {{phantom: {{studies: 2000, seed: 7}}}}
split: {{test: 25%, seed: 1}}
models:
  vision: {{se_resnet18: {{image: 56, width: 16, train: {{lr: 1e-3, epochs: 1}}}}}}
  language: {{bert: {{config: tiny, train: {{lr: 1e-3, epochs: 1}}}}}}
  fusion: {{early_fusion: {{vision: vision, language: language, train: {{lr: 1e-3, epochs: 1}}}}}}
table: [clean, FGSM ε=0.1]
grid: [0.1]
{part}{sentences}"
        );
        parse(Path::new("README.md"), &spec).unwrap_or_else(|faults| panic!("{faults}\n{spec}"));
    }
}
