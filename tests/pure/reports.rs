//! Reports for programs and for pull requests: what they say, by their schemas, and how they are asked for.

use crate::made_evidence;

use std::path::Path;
use std::process::{Command, Output};

use made_evidence::{World, at_least, even, mixed};
use medcert::plan::Attack;
use medcert::report::{ReportInput, github, json, junit, markdown, sarif};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

/// What a format makes of a world.
fn of<T>(world: &World, render: impl Fn(ReportInput<'_>) -> T) -> T {
    render(ReportInput {
        plan: &world.plan,
        evidence: &world.evidence,
        judgement: &world.judged(),
        accepted: None,
    })
}

/// Passing, failing, inconclusive and erroneous evidence, and all of it at once.
fn worlds() -> Vec<(&'static str, World)> {
    let single = |share: f64| {
        let mut world = World::new(&even(400));
        let clean = world.cell(2, Attack::default(), |place, _| place % 10 != 0);
        world.row("clean", vec![vec![], vec![], vec![clean]]);
        world.require("fusion accuracy", vec![at_least("fusion accuracy", 2, vec![clean], share)]);
        world
    };
    let mut erroneous = single(0.5);
    erroneous.evidence.spec = "data=other".parse().expect("a fingerprint");
    vec![
        ("PASS", single(0.5)),
        ("FAIL", single(0.99)),
        ("INCONCLUSIVE", single(0.9)),
        ("ERROR", erroneous),
        ("FAIL", mixed()),
    ]
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn junit_for_a_list_of_tests() {
    insta::assert_snapshot!(of(&mixed(), junit::render));
}

#[test]
fn github_annotates_the_spec() {
    insta::assert_snapshot!(of(&mixed(), github::annotations));
}

#[test]
fn markdown_for_a_pull_request() {
    insta::assert_snapshot!(of(&mixed(), markdown::render));
}

#[test]
fn sarif_for_code_scanning() {
    let mut log = parsed(&of(&mixed(), sarif::render));
    for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array_mut().expect("rules") {
        let help = rule["help"]["text"].as_str().expect("a help");
        assert!(help.len() > 20, "{help}");
        rule["help"] = "HELP".into();
        rule["fullDescription"] = "HEAD".into();
        rule["shortDescription"] = "HEAD".into();
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&log).expect("JSON"));
}

#[test]
fn json_is_of_its_schema_and_nothing_else_is() {
    let schema = jsonschema::validator_for(&parsed(json::SCHEMA)).expect("a schema");
    for (verdict, world) in worlds() {
        let report = parsed(&of(&world, json::render));
        let faults: Vec<String> =
            schema.iter_errors(&report).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{verdict}: {faults:?}");
        let verdicts: Vec<&Value> =
            report["requirements"].as_array().expect("a list").iter().map(|one| &one["verdict"]).collect();
        assert!(verdicts.contains(&&Value::from(verdict)), "{verdicts:?}");
        for (pointer, wrong) in [
            ("/schema", Value::from(1)),
            ("/exit", 2.into()),
            ("/claim", Value::Null),
            ("/requirements/0/verdict", "pass".into()),
            ("/requirements/0/clauses/0/estimate/trials", (-1).into()),
            ("/data/left_out/0", "no label".into()),
            ("/models/0/weights", 7.into()),
        ] {
            let mut broken = report.clone();
            *broken.pointer_mut(pointer).expect(pointer) = wrong;
            assert!(!schema.is_valid(&broken), "{pointer} is not looked at");
        }
        let mut more = report.clone();
        more["requirements"][0]["surplus"] = 1.into();
        assert!(!schema.is_valid(&more));
    }
}

#[test]
fn sarif_is_of_its_schema() {
    let schema =
        jsonschema::validator_for(&parsed(include_str!("../schemas/sarif-2.1.0.json"))).expect("a schema");
    for (verdict, world) in worlds() {
        let log = parsed(&of(&world, sarif::render));
        let faults: Vec<String> =
            schema.iter_errors(&log).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{verdict}: {faults:?}");
        let run = &log["runs"][0];
        let results = run["results"].as_array().expect("a list");
        for result in results {
            let rule = result["ruleIndex"].as_u64().expect("an index") as usize;
            assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
        }
        let told = |id: &str| results.iter().any(|result| result["ruleId"] == id);
        assert!(!told("PASS") && (told(verdict) || verdict == "PASS"), "{verdict}: {results:?}");
        let mut broken = log.clone();
        broken["runs"][0]["columnKind"] = "bytes".into();
        assert!(!schema.is_valid(&broken));
    }
}

/// Attributes and children that Jenkins' junit-10.xsd lets an element have, and the attributes that it must have.
fn allowed(element: &str) -> (&'static [&'static str], &'static [&'static str], &'static [&'static str]) {
    match element {
        "testsuites" => (&["name", "tests", "failures", "errors"], &[], &["testsuite"]),
        "testsuite" => (
            &["name", "tests", "failures", "errors", "skipped"],
            &["name", "tests", "failures", "errors"],
            &["properties", "testcase"],
        ),
        "properties" => (&[], &[], &["property"]),
        "property" => (&["name", "value"], &["name", "value"], &[]),
        "testcase" => (&["name", "classname"], &["name"], &["failure", "error", "skipped", "system-out"]),
        "failure" | "error" | "skipped" => (&["type", "message"], &[], &[]),
        "system-out" => (&[], &[], &[]),
        other => panic!("there is no <{other}>"),
    }
}

fn attributes(start: &BytesStart<'_>) -> Vec<(String, String)> {
    start
        .attributes()
        .map(|one| one.expect("an attribute"))
        .map(|one| (one.key.0.to_string(), one.value.to_string()))
        .collect()
}

#[test]
fn junit_is_of_its_schema_and_counts_its_cases() {
    for (verdict, world) in worlds() {
        let text = of(&world, junit::render);
        let mut reader = Reader::from_str(&text);
        let (mut path, mut suites, mut counts) = (Vec::<String>::new(), [0; 3], [0; 3]);
        loop {
            let event = reader.read_event().expect("XML");
            let start = match &event {
                Event::Eof => break,
                Event::End(_) => {
                    path.pop();
                    continue;
                }
                Event::Start(start) | Event::Empty(start) => start,
                _ => continue,
            };
            let name = start.name().0.to_string();
            if let Some(parent) = path.last() {
                assert!(allowed(parent).2.contains(&name.as_str()), "<{name}> in <{parent}>");
            }
            let own = attributes(start);
            let (may, must, _) = allowed(&name);
            assert!(own.iter().all(|(key, _)| may.contains(&key.as_str())), "{name}: {own:?}");
            assert!(must.iter().all(|key| own.iter().any(|(own, _)| own == key)), "{name}: {own:?}");
            for (place, (key, element)) in
                [("tests", "testcase"), ("failures", "failure"), ("errors", "error")].into_iter().enumerate()
            {
                let told = own
                    .iter()
                    .find(|(own, _)| own == key)
                    .map_or(0, |(_, count)| count.parse().expect("a count"));
                suites[place] += if name == "testsuite" { told } else { 0 };
                counts[place] += usize::from(name == element);
            }
            if matches!(event, Event::Start(_)) {
                path.push(name);
            }
        }
        assert!(path.is_empty() && suites == counts && counts[0] > 20, "{verdict}: {suites:?} {counts:?}");
        assert_eq!(counts[1] + counts[2] == 0, verdict == "PASS", "{verdict}: {text}");
    }
}

const SPEC: &str = "claim: It keeps reading
data:  {phantom: {studies: 60, seed: 7}}
split: {test: 40%, seed: 1}
models:
  language: {bert: {config: {hidden: 16, layers: 1, heads: 2, intermediate: 32}, train: {lr: 1e-3, epochs: 1}}}
require:
  - language accuracy ≥ 0%
";

fn medcert(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_medcert"));
    command.args(arguments).current_dir(folder).output().expect("medcert runs")
}

#[test]
fn reports_are_written_whole_and_the_summary_is_appended() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("a.yaml"), SPEC).expect("written");
    medcert::evidence::write(&at.join("e.json"), &mixed().evidence).expect("written");
    std::fs::write(at.join("summary.md"), "before\n").expect("written");
    let call = |reports: &[&str]| {
        let reports = reports.iter().flat_map(|report| ["--report", report]);
        let arguments: Vec<&str> =
            ["report", "e.json", "--spec", "a.yaml"].into_iter().chain(reports).collect();
        let output = medcert(at, &arguments);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let all = ["junit=out/j.xml", "sarif=s.sarif", "github=summary.md", "markdown=m.md", "json=-"];
    let (code, said, _) = call(&all);
    assert_eq!(code, Some(0));
    let read = |name: &str| std::fs::read_to_string(at.join(name)).expect(name);
    assert!(
        said.contains("::error file=a.yaml,line=7,col=5,title=ERROR") && said.contains("\"schema\": 3"),
        "{said}"
    );
    assert!(read("out/j.xml").ends_with("</testsuites>\n"));
    assert_eq!(parsed(&read("s.sarif"))["version"], "2.1.0");
    assert_eq!(read("summary.md"), format!("before\n{}", read("m.md")));
    // what cannot be written is 5, after the others are; what cannot be asked for is 2
    std::fs::create_dir(at.join("folder")).expect("made");
    let (code, _, why) = call(&["junit=folder", "markdown=last.md"]);
    assert!(code == Some(5) && why.contains("cannot write folder") && at.join("last.md").exists(), "{why}");
    let judged = medcert(at, &["judge", "e.json", "--spec", "a.yaml", "--report", "junit=folder"]);
    assert!(judged.status.code() == Some(5) && !judged.stdout.is_empty());
    for wrong in ["junt=a", "junit", "junit="] {
        assert_eq!(call(&[wrong]).0, Some(2), "{wrong}");
    }
    assert_eq!(call(&[]).0, Some(2));
    assert_eq!(
        medcert(at, &["judge", "e.json", "--spec", "a.yaml", "--report", "json=r.json"]).status.code(),
        Some(3)
    );
    assert_eq!(parsed(&read("r.json"))["exit"], 3);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_5_and_a_reader_that_left_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("a.yaml"), SPEC).expect("written");
    medcert::evidence::write(&at.join("e.json"), &mixed().evidence).expect("written");
    let into = |arguments: &[&str], out: std::process::Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_medcert"));
        command.args(arguments).current_dir(at).stdout(out).output().expect("medcert runs")
    };
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("a full device").into();
    let judge = ["judge", "e.json", "--spec", "a.yaml"];
    for arguments in [&judge[..], &["--help"], &["--version"], &["explain"], &["schema"], &["man"]] {
        let ended = into(arguments, full());
        let why = String::from_utf8_lossy(&ended.stderr).to_string();
        assert_eq!(ended.status.code(), Some(5), "{arguments:?}: {why}");
        assert!(why.contains("cannot write standard output"), "{arguments:?}: {why}");
    }
    let (read, write) = std::io::pipe().expect("a pipe");
    drop(read);
    assert_eq!(into(&judge, write.into()).status.code(), Some(3), "the verdict's code stays");
    // notes are not the result: nowhere to write them changes nothing
    let mut command = Command::new(env!("CARGO_BIN_EXE_medcert"));
    command
        .args(judge)
        .current_dir(at)
        .stderr(std::fs::File::options().write(true).open("/dev/full").expect("full"));
    assert_eq!(command.output().expect("medcert runs").status.code(), Some(3));
}
