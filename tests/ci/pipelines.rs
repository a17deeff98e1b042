//! The files of `ci/`: each is read, its scripts are run with a program in medcert's place that writes down how it is
//! called, and every such call has to be one that the command line takes.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory;
use medcert::cli::Cli;
use serde_yaml::Value;

/// The commands that a build without libtorch does not have.
const WITH_TORCH: [&str; 3] = ["check", "run", "doctor"];

fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(home().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&text(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// A folder in which scripts are run; programs of its `bin` come first on the path.
struct Stage {
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl Stage {
    /// `program` stands for medcert; if none, one that writes its arguments down.
    fn new(program: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let stage = Self { folder, variables: BTreeMap::new() };
        for place in ["bin", ".medcert/ci", "specs"] {
            std::fs::create_dir_all(stage.at(place)).expect("made");
        }
        std::fs::write(stage.at("specs/fusion.yaml"), SPEC).expect("written");
        let written_down = "printf '%s\\037' \"$@\" >>\"$CALLS\"\nprintf '\\036' >>\"$CALLS\"";
        if let Some(program) = program {
            for place in ["bin/medcert", ".medcert/ci/medcert"] {
                symlink(program, stage.at(place)).expect("linked");
            }
        } else {
            stage.script("bin/medcert", written_down);
            stage.script(".medcert/ci/medcert", written_down);
        }
        stage.script(".medcert/ci/libtorch", "true");
        std::fs::create_dir_all(stage.at(".medcert/ci/github/action")).expect("made");
        symlink(home().join("ci/github/action/comment"), stage.at(".medcert/ci/github/action/comment"))
            .expect("linked");
        // a pull request that has one comment of another spec
        stage.script(
            "bin/gh",
            "printf '%s ' \"$@\" >>gh-calls; echo >>gh-calls\n\
             for word; do case $word in body=@*) cp \"${word#body=@}\" gh-body;; esac; done",
        );
        stage
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script(&self, name: &str, body: &str) {
        let path = self.at(name);
        std::fs::write(&path, format!("#!/usr/bin/env bash\n{body}\n")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("rights");
    }

    /// Runs a script as a runner does; whether it succeeded, and what it said.
    fn bash(&self, script: &str, arguments: &[&str]) -> (bool, String) {
        let path = format!("{}:{}", self.at("bin").display(), std::env::var("PATH").unwrap_or_default());
        let output = Command::new("bash")
            .args(["-eo", "pipefail", "-c", script, "script"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("CALLS", self.at("calls"))
            .env_remove("MEDCERT_DATA")
            .envs(&self.variables)
            .output()
            .expect("bash runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).to_string())
    }

    /// The same, which has to succeed.
    fn runs(&self, script: &str, arguments: &[&str]) {
        let (well, said) = self.bash(script, arguments);
        assert!(well, "{script}\n{said}");
    }

    /// How medcert was called.
    fn calls(&self) -> Vec<Vec<String>> {
        let calls = std::fs::read_to_string(self.at("calls")).unwrap_or_default();
        let words = |call: &str| call.split_terminator('\u{1f}').map(str::to_string).collect();
        calls.split_terminator('\u{1e}').map(words).collect()
    }
}

/// A spec for the real program: it takes seconds, and its model learns something, so that no check stops the gate.
const SPEC: &str = "claim: It keeps reading
data:  {phantom: {studies: 400, seed: 7}}
split: {test: 40%, seed: 1}
chunk: 8
models:
  language: {bert: {config: {hidden: 32, layers: 1, heads: 2, intermediate: 64}, train: {lr: 5e-3, epochs: 4}}}
table: [clean, 50% deletion]
require:
  - language accuracy ≥ 0%
";

/// Holds that the command line takes each of these calls.
fn taken(calls: &[Vec<String>]) {
    for call in calls {
        let name = call.first().map(String::as_str).unwrap_or_default();
        if cfg!(not(feature = "torch")) && WITH_TORCH.contains(&name) {
            continue;
        }
        let parsed =
            Cli::command().try_get_matches_from(std::iter::once("medcert".to_string()).chain(call.clone()));
        assert!(parsed.is_ok(), "medcert {}: {}", call.join(" "), parsed.expect_err("refused"));
    }
}

/// The names of the commands that were called, in their order.
fn names(calls: &[Vec<String>]) -> Vec<&str> {
    calls.iter().filter_map(|call| call.first()).map(String::as_str).collect()
}

/// What an expression of the workflow is worth to a job.
fn value(expression: &str, variables: &BTreeMap<String, String>) -> String {
    match expression.trim() {
        "matrix.shard" => "1".to_string(),
        "strategy.job-total" | "inputs.shards || '1'" => "2".to_string(),
        "github.token" => "secret".to_string(),
        "github.repository" => "hospital/model".to_string(),
        "github.event.pull_request.number" => "7".to_string(),
        other => match (other.split_once(" || "), other.strip_prefix("env.")) {
            // an input that the caller gave, or its default
            (Some((input, usual)), _) if input.starts_with("inputs.") => {
                variables.get(input).cloned().unwrap_or_else(|| usual.trim_matches('\'').to_string())
            }
            (_, Some(name)) => variables[name].clone(),
            _ => panic!("the emulated runner does not know ${{{{ {other} }}}}"),
        },
    }
}

/// A text with its expressions replaced.
fn filled(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut rest = text;
    let mut whole = String::new();
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").expect("an expression ends");
        whole += before;
        whole += &value(expression, variables);
        rest = after;
    }
    whole + rest
}

/// Sets the variables of an `env:`.
fn set(stage: &mut Stage, env: &Value) {
    for (name, given) in env.as_mapping().into_iter().flatten() {
        let (name, given) = (name.as_str().expect("a name"), given.as_str().expect("a text"));
        let given = filled(given, &stage.variables);
        stage.variables.insert(name.to_string(), given);
    }
}

/// Runs the scripts of a job of the workflow, with the variables that a runner sets.
fn job(stage: &mut Stage, workflow: &Value, name: &str) {
    for file in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH"] {
        let path = stage.at(file);
        std::fs::write(&path, "").expect("written");
        stage.variables.insert(file.to_string(), path.display().to_string());
    }
    let workspace = stage.folder.path().display().to_string();
    stage.variables.extend([
        ("GITHUB_WORKSPACE".to_string(), workspace),
        ("GITHUB_ACTIONS".to_string(), "true".to_string()),
        ("CI".to_string(), "true".to_string()),
    ]);
    let job = &workflow["jobs"][name];
    set(stage, &workflow["env"]);
    set(stage, &job["env"]);
    let mut ran = 0;
    for step in job["steps"].as_sequence().expect("steps") {
        set(stage, &step["env"]);
        if let Some(script) = step["run"].as_str() {
            stage.runs(&filled(script, &stage.variables), &[]);
            ran += 1;
        }
    }
    assert!(ran > 0, "{name} runs nothing");
}

#[test]
fn the_workflows_steps_call_medcert_as_it_is() {
    let workflow = yaml(".github/workflows/medcert.yml");
    for (name, expected) in
        [("parts", &[][..]), ("cpu", &["doctor", "run"]), ("gpu", &["doctor", "run"]), ("merge", &["merge"])]
    {
        let mut stage = Stage::new(None);
        job(&mut stage, &workflow, name);
        let calls = stage.calls();
        assert_eq!(names(&calls), expected, "{name}");
        taken(&calls);
        if name == "parts" {
            let list = std::fs::read_to_string(stage.at("GITHUB_OUTPUT")).expect("outputs");
            assert_eq!(list, "list=[1,2]\n");
        }
    }
}

#[test]
fn uploads_happen_whatever_the_verdict_is() {
    let workflow = yaml(".github/workflows/medcert.yml");
    for (name, job) in workflow["jobs"].as_mapping().expect("jobs") {
        assert!(job["timeout-minutes"].is_number(), "{name:?} may hang");
        for step in job["steps"].as_sequence().expect("steps") {
            if step["uses"].as_str().is_some_and(|uses| uses.contains("upload")) {
                let condition = step["if"].as_str().unwrap_or_default();
                assert!(condition.starts_with("always()"), "{step:?}");
            }
        }
    }
    let merge = &workflow["jobs"]["merge"];
    assert!(merge["if"].as_str().expect("a condition").starts_with("always()"));
    let runs_on: Vec<_> = workflow["jobs"]["gpu"]["runs-on"].as_sequence().expect("labels").iter().collect();
    assert_eq!(runs_on, ["self-hosted", "linux", "gpu"]);
    let gitlab = yaml("ci/gitlab/medcert.yml");
    for job in [".medcert-part", "medcert"] {
        assert_eq!(gitlab[job]["artifacts"]["when"], "always", "{job}");
    }
}

#[test]
fn gitlabs_scripts_call_medcert_as_it_is() {
    let pipeline = yaml("ci/gitlab/medcert.yml");
    let mut stage = Stage::new(None);
    set(&mut stage, &pipeline["variables"]);
    for job in [".medcert-part", "medcert"] {
        for line in pipeline[job]["script"].as_sequence().expect("a script") {
            stage.runs(line.as_str().expect("a line"), &[]);
        }
    }
    let calls = stage.calls();
    assert_eq!(names(&calls), ["doctor", "run", "merge"]);
    taken(&calls);
}

#[test]
fn slurms_scripts_call_medcert_as_it_is() {
    let stage = Stage::new(None);
    // the scheduler: it says the job's number, and runs it at once
    stage.script("bin/sbatch", "echo 7\nwhile [ \"${1#-}\" != \"$1\" ]; do shift; done\nexec bash \"$@\"");
    let submit = home().join("ci/slurm/submit").display().to_string();
    stage.runs("exec \"$@\"", &[&submit, "specs/fusion.yaml", "parts", "3", "--cpus-per-task=2"]);
    let calls = stage.calls();
    assert_eq!(names(&calls), ["run", "merge"]);
    taken(&calls);
    for script in ["part", "merge"] {
        assert!(text(&format!("ci/slurm/{script}")).contains("#SBATCH --requeue\n"), "{script}");
    }
}

#[test]
fn kubernetes_jobs_call_medcert_as_it_is() {
    let command = |job: &Value| -> Vec<String> {
        let words = &job["spec"]["template"]["spec"]["containers"][0]["command"];
        let mut words = words.as_sequence().expect("a command").iter();
        assert_eq!(words.next().and_then(Value::as_str), Some("medcert"));
        words.map(|word| word.as_str().expect("a word").to_string()).collect()
    };
    let (parts, merge) = (yaml("ci/kubernetes/cpu/parts.yaml"), yaml("ci/kubernetes/merge.yaml"));
    taken(&[command(&parts), command(&merge)]);
    let job = &parts["spec"];
    assert_eq!(job["completionMode"], "Indexed");
    assert_eq!(job["completions"], job["parallelism"]);
    let told = &job["template"]["spec"]["containers"][0]["env"][0];
    assert_eq!(told["name"], "MEDCERT_PARTS");
    let parts = job["completions"].as_u64().expect("a number").to_string();
    assert_eq!(told["value"].as_str(), Some(parts.as_str()));
}

#[test]
fn own_images_specs_data_and_weights_reach_every_kubernetes_job() {
    let run = home().join("ci/kubernetes/run").display().to_string();
    let options = "--render --gpu --image registry.example.org/medcert:2 --spec specs/own.yaml --data d --weights w --parts 8";
    let render = |options: &str| {
        let output = Command::new(&run).args(options.split(' ')).output().expect("it runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let (code, rendered) = render(options);
    assert_eq!(code, Some(0));
    let documents = rendered.split("---\n").filter(|text| !text.trim().is_empty());
    let documents: Vec<Value> = documents.map(|text| serde_yaml::from_str(text).expect("YAML")).collect();
    let jobs: Vec<&Value> = documents.iter().filter(|one| one["kind"] == "Job").collect();
    assert_eq!(jobs.len(), 2);
    for job in &jobs {
        let container = &job["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], "registry.example.org/medcert:2");
        let words = container["command"].as_sequence().expect("a command");
        assert!(words.iter().any(|word| word == "specs/own.yaml"), "{words:?}");
        let variables = container["env"].as_sequence().expect("variables");
        for (name, value) in [("MEDCERT_DATA", "d"), ("MEDCERT_WEIGHTS", "w")] {
            let is_it = |one: &&Value| one["name"] == name;
            assert_eq!(variables.iter().find(is_it).expect(name)["value"].as_str(), Some(value));
        }
    }
    let parts = &jobs[0]["spec"];
    assert_eq!((parts["completions"].as_u64(), parts["parallelism"].as_u64()), (Some(8), Some(8)));
    let container = &parts["template"]["spec"]["containers"][0];
    assert_eq!(container["resources"]["limits"]["nvidia.com/gpu"].as_u64(), Some(1));
    let variables = container["env"].as_sequence().expect("variables");
    let count = variables.iter().find(|one| one["name"] == "MEDCERT_PARTS").expect("the count of parts");
    assert_eq!(count["value"].as_str(), Some("8"));
    assert_eq!(render("--render --spec a;b").0, Some(2), "what a shell or a filter would read is refused");
}

#[test]
fn an_image_calls_medcert_as_it_is_and_is_not_roots() {
    for kind in ["cpu", "cuda"] {
        let file = text(&format!("ci/docker/Dockerfile.{kind}"));
        let usage =
            file.lines().find_map(|line| line.split_once(&format!("#     medcert:{kind} "))).expect("usage");
        taken(&[usage.1.split_whitespace().map(str::to_string).collect()]);
        assert!(file.contains("\nUSER 10001\n"), "{kind}");
        // what is copied is in the tree, and let in
        let let_in = text(&format!("ci/docker/Dockerfile.{kind}.dockerignore"));
        let own = |line: &&str| line.starts_with("COPY ") && !line.contains("--from");
        for line in file.lines().filter(own) {
            let words: Vec<&str> = line.split_whitespace().skip(1).collect();
            for source in &words[..words.len() - 1] {
                assert!(
                    home().join(source).exists() && let_in.contains(&format!("\n!{source}\n")),
                    "{source}"
                );
            }
        }
    }
}

#[test]
fn the_hook_refuses_a_bad_spec_alone() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let entry = hooks[0]["entry"].as_str().expect("an entry");
    let script = home().join(entry).display().to_string();
    let stage = Stage::new(Some(Path::new(env!("CARGO_BIN_EXE_medcert"))));
    let away = SPEC.replace("{phantom: {studies: 60, seed: 7}}", "{iu_xray: {folder: iu}}");
    std::fs::write(stage.at("away.yaml"), away).expect("written");
    std::fs::write(stage.at("bad.yaml"), SPEC.replace("accuracy", "acuracy")).expect("written");
    stage.runs("exec \"$@\"", &[&script, "specs/fusion.yaml", "away.yaml"]);
    let (well, said) = stage.bash("exec \"$@\"", &[&script, "bad.yaml", "specs/fusion.yaml"]);
    assert!(!well && said.contains("acuracy"), "{said}");
}

#[test]
fn every_script_is_one_that_bash_reads() {
    for script in [
        "ci/docs",
        "ci/github/action/comment",
        "ci/lint",
        "ci/package",
        "tests/ci/try_wheel",
        "ci/pre-commit",
        "ci/slurm/submit",
        "ci/slurm/part",
        "ci/slurm/merge",
        "ci/kubernetes/run",
        "tests/slurm/run",
    ] {
        let path = home().join(script);
        let output = Command::new("bash").arg("-n").arg(&path).output().expect("bash runs");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert!(mode & 0o111 == 0o111, "{script} cannot be run");
    }
}

#[test]
#[ignore = "fetches linters: cargo test --release --test ci -- --ignored linters"]
fn the_linters_find_nothing() {
    let output = Command::new(home().join("ci/lint")).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
}

/// The program that is tested for real: this build's, or `MEDCERT_BIN`.
#[cfg(feature = "torch")]
fn real() -> PathBuf {
    let named = std::env::var_os("MEDCERT_BIN").map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_medcert")))
}

/// A spec on data and weights of one's own, which lie in other folders than the spec.
#[cfg(feature = "torch")]
const OWN: &str = "claim: It keeps reading
data:
  manifest:
    file: reports.csv
    columns: {id: case, patient: patient, label: label, findings: report}
    positive: [abnormal]
    negative: [normal]
    views: none
split: {test: 40%, seed: 1}
chunk: 16
models:
  language: {bert: {config: {hidden: 32, layers: 1, heads: 2, intermediate: 64}, train: {lr: 5e-3, epochs: 6}}}
  brought:  {bert: {start: encoder, max_tokens: 16, train: {lr: 1e-3, epochs: 1, freeze: all}}}
table: [clean]
require:
  - language accuracy ≥ 0%
";

/// Reports of a dozen words that no two share, with one word that decides the label.
#[cfg(feature = "torch")]
fn own_reports() -> String {
    use std::fmt::Write;

    let mut state = 7_u64;
    let mut drawn = |most: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % most
    };
    let syllables = ["ba", "ke", "lo", "mi", "nu", "ra", "se", "to"];
    let mut text = "case,patient,label,report\n".to_string();
    for place in 0..400 {
        let (label, sign) = if place % 2 == 0 { ("abnormal", "effusion") } else { ("normal", "clear") };
        let mut words: Vec<String> =
            (0..11).map(|_| (0..3).map(|_| syllables[drawn(8)]).collect::<String>()).collect();
        words.insert(drawn(12), sign.to_string());
        writeln!(text, "c{place},p{place},{label},{}", words.join(" ")).expect("a row");
    }
    text
}

#[test]
#[cfg(feature = "torch")]
fn the_workflow_runs_on_an_emulated_runner() {
    let workflow = yaml(".github/workflows/medcert.yml");
    for computes in ["cpu", "gpu"] {
        let mut stage = Stage::new(Some(&real()));
        let cache = stage.at("cache").display().to_string();
        stage
            .variables
            .extend([("MEDCERT_CACHE".to_string(), cache), ("OMP_NUM_THREADS".to_string(), "1".to_string())]);
        for folder in ["own data", "own weights"] {
            std::fs::create_dir(stage.at(folder)).expect("made");
        }
        symlink(home().join("tests/golden/checkpoint"), stage.at("own weights/encoder")).expect("linked");
        std::fs::write(stage.at("own data/reports.csv"), own_reports()).expect("written");
        std::fs::write(stage.at("specs/own.yaml"), OWN).expect("written");
        std::fs::write(stage.at("setup.sh"), "touch set-up\n").expect("written");
        let inputs = [
            ("spec", "specs/own.yaml"),
            ("data", "own data"),
            ("weights", "own weights"),
            ("setup", "setup.sh"),
        ];
        for (input, given) in inputs {
            stage.variables.insert(format!("inputs.{input}"), given.to_string());
        }
        job(&mut stage, &workflow, computes);
        // the other shard of the matrix
        stage.runs(
            ".medcert/ci/medcert run \"$SPEC\" --shard 2/2 --out parts --quiet --data-root \"$DATA\" \
             --weights-root \"$WEIGHTS\"",
            &[],
        );
        job(&mut stage, &workflow, "merge");
        for report in ["evidence.json", "medcert.sarif", "medcert.xml", "medcert.html", "medcert.json"] {
            assert!(stage.at("reports").join(report).exists(), "{computes}: {report}");
        }
        let comment = std::fs::read_to_string(stage.at("gh-body")).expect("a comment");
        assert!(comment.starts_with("<!-- medcert: ") && comment.contains("Claim under test"), "{comment}");
        assert!(stage.at("set-up").exists(), "{computes}: the script of the repository did not run");
        let page = std::fs::read_to_string(stage.at("reports/medcert.html")).expect("a page");
        assert!(!page.contains("data:image/png"), "{computes}: a picture is in the reports");
        let summary = std::fs::read_to_string(stage.at("GITHUB_STEP_SUMMARY")).expect("a summary");
        assert!(summary.contains("language accuracy"), "{computes}: {summary}");
        let calls = std::fs::read_to_string(stage.at("gh-calls")).expect("calls");
        assert!(calls.contains("POST repos/hospital/model/issues/7/comments"), "{calls}");
    }
}
