//! Models behind a command: a sound one is attacked without its gradient and gives the same evidence twice; one that dies is
//! asked again; wrong, changing and absent ones end the run as the manual says. Skipped where there is no python3.

use std::path::Path;
use std::process::Command;

use medcert::evidence::{Evidence, Silent};
use medcert::lab::{self, Options};
use medcert::{Error, Result, data, plan, spec};

/// A model of the brightness and the length of the report; its second argument says what is wrong with it.
const SERVER: &str = r#"
import json, os, sys
marker, fault = sys.argv[1], sys.argv[2]
asked = 0
for line in sys.stdin:
    request = json.loads(line)
    asked += 1
    if fault == "dies" and not os.path.exists(marker) and asked == 3:
        open(marker, "w").close()
        sys.exit("a planted fault")
    if fault == "stays away":
        sys.exit("no model")
    inputs = {x["name"]: x for x in request["inputs"]}
    image, cases = inputs["image"], inputs["image"]["shape"][0]
    size = len(image["data"]) // cases
    scores = []
    for case in range(cases):
        pixels = image["data"][case * size:(case + 1) * size]
        halves = sum(pixels[:size // 2]) - sum(pixels[size // 2:])
        scores.append(20 * halves / size + 0.01 * len(inputs["report"]["data"][case]) + (asked if fault == "changes" else 0))
    if fault == "error":
        print(json.dumps({"error": "out of order"}), flush=True)
        continue
    if fault == "wrong shape":
        scores = scores + [0.0, 0.0, 0.0] * cases
    answer = {"id": request["id"], "outputs": [{"name": "logit", "shape": [len(scores)], "datatype": "FP32", "data": scores}]}
    print("text" if fault == "no JSON" else json.dumps(answer), flush=True)
"#;

fn has_python() -> bool {
    let is_there =
        Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("skipped: there is no python3");
    }
    is_there
}

fn planned(folder: &Path, fault: &str, access: &str, table: &str) -> plan::Plan {
    let server = folder.join("serve.py");
    std::fs::write(&server, SERVER).expect("written");
    let text = format!(
        "claim: A vendor's model keeps reading
data:  {{phantom: {{studies: 40, seed: 7, views: frontal}}}}
split: {{test: 40%, seed: 1}}
models:
  vendor:
    command:
      {{run: [python3, '{}', '{}', {fault}], trusted: true, reads: both, image: 16, outputs: logit, access: {access}}}
threats:
  few: {{square: {{queries: 10, epsilon: 0.1}}}}
table: {table}
require: [vendor accuracy ≥ 1%]
",
        server.display(),
        folder.join("marker").display()
    );
    plan::build(spec::parse(Path::new("vendor.yaml"), &text).unwrap_or_else(|why| panic!("{why}")))
}

fn run(folder: &Path, fault: &str, access: &str, table: &str) -> Result<Evidence> {
    let plan = planned(folder, fault, access, table);
    let dataset = data::load(&plan.spec, None)?;
    let partition = data::split(&dataset.studies, &plan.spec.split)?;
    let options = Options {
        cache: folder.to_path_buf(),
        roots: vec![folder.to_path_buf()],
        threads: None,
        device: plan.spec.device,
        plain: false,
        fresh: true,
    };
    lab::run(&plan, &dataset, &partition, &options, &Silent)
}

const TABLE: &str = "[clean, few, 50% deletion]";

#[test]
fn a_command_is_attacked_without_its_gradient_and_a_death_loses_nothing() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let evidence = run(folder.path(), "none", "score", TABLE).expect("evidence");
    assert_eq!(evidence.models[0].architecture, "command");
    assert!(evidence.health.iter().all(|health| health.gradient.is_none() && health.unrepeatable == 0));
    let margins = |cell: usize| evidence.cells[cell].outcomes.iter().map(|outcome| outcome.margin);
    assert_eq!(margins(1).flatten().count(), evidence.cases.len());
    assert!(margins(1).zip(margins(0)).any(|(attacked, clean)| attacked < clean), "Square lowers a margin");
    assert_ne!(margins(2).collect::<Vec<_>>(), margins(0).collect::<Vec<_>>());
    let outcomes = |evidence: &Evidence| evidence.cells.clone();
    let other = tempfile::tempdir().expect("a folder");
    let died = run(other.path(), "dies", "score", TABLE).expect("evidence");
    assert!(other.path().join("marker").exists(), "it died once");
    assert_eq!(outcomes(&died), outcomes(&evidence));
}

#[test]
fn faults_of_a_command_end_the_run_with_their_code() {
    if !has_python() {
        return;
    }
    let ends = [
        ("stays away", 5, "does not answer after 5 tries"),
        ("error", 4, "with the error `out of order`"),
        ("wrong shape", 4, "numbers of the shape"),
        ("no JSON", 4, "no such JSON"),
        ("changes", 4, "answers the same cases differently the second time"),
    ];
    for (fault, code, words) in ends {
        let folder = tempfile::tempdir().expect("a folder");
        let why = run(folder.path(), fault, "score", "[clean]").expect_err(fault);
        assert_eq!(why.exit_code(), code, "{fault}: {why}");
        assert!(why.to_string().contains(words), "{fault}: {why}");
    }
}

#[test]
fn attacks_that_ask_for_more_than_a_command_shows_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = |access, table| match planned(folder.path(), "none", access, table).check_access() {
        Err(Error::Usage(why)) => why,
        other => panic!("{other:?}"),
    };
    let why = told("score", "[clean, FGSM ε=0.05, few]");
    assert!(
        why.starts_with(
            "vendor shows scores and no gradient, and these attacks need more: FGSM ε=0.05; what"
        ),
        "{why}"
    );
    let why = told("decision", "[clean, few]");
    assert!(
        why.contains("its decision alone") && why.contains("Square") && why.contains("HopSkipJump"),
        "{why}"
    );
    planned(folder.path(), "none", "score", TABLE).check_access().expect("black-box attacks run");
}
