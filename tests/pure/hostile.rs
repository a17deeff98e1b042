//! Hostile text in data, specs and evidence comes out harmless in every format.

use crate::made_evidence;

use jiff::civil::date;
use made_evidence::{World, mixed};
use medcert::judge::{Baseline, Comparison};
use medcert::report::table;
use medcert::report::terminal::Style;
use medcert::report::{ReportInput, evidence_diff, github, json, junit, markdown, sarif};
use medcert::spec::{self, Check, Place, Waiver};
use medcert::{Error, evidence};
use quick_xml::Reader;
use quick_xml::events::Event;

const PIECES: [&str; 12] = [
    "<script>alert(1)</script>",
    "\u{1b}[31m",
    "\u{9b}2J",
    "::error::x",
    "\n::error::y",
    "##[add-mask]z",
    "=cmd|' /C calc'!A0",
    "| a | ` b ` |",
    "@all #1 https://x.example",
    "]]> <!-- &amp; \"q\"",
    "\u{202e}txt",
    "[a](b) 100%\r\n",
];

/// All pieces, this one first.
fn text(first: &str) -> String {
    format!("{first} {}", PIECES.join(" "))
}

/// A result that says a text wherever others choose what is said.
fn world(text: &str) -> World {
    let mut world = mixed();
    let named = |name: &str| format!("{text}{name}");
    world.plan.spec.claim = text.into();
    world.plan.spec.path = format!("specs/{}.yaml", text.replace('/', "")).into();
    for row in &mut world.plan.rows {
        row.words = text.into();
    }
    for requirement in &mut world.plan.requirements {
        requirement.sentence = text.into();
        for clause in &mut requirement.clauses {
            clause.asked.words = text.into();
        }
    }
    for (name, _) in &mut world.plan.spec.models {
        *name = named(name);
    }
    world.plan.subjects = medcert::plan::subjects(&world.plan.spec);
    let evidence = &mut world.evidence;
    for model in &mut evidence.models {
        (model.name, model.architecture) = (named(&model.name), text.into());
    }
    for cell in &mut evidence.cells {
        cell.model = named(&cell.model);
    }
    for health in &mut evidence.health {
        health.model = named(&health.model);
    }
    for case in &mut evidence.cases {
        (case.id, case.patient) = (named(&case.id), named(&case.patient));
        case.groups = vec![("sex".into(), text.into())];
    }
    evidence.data.left_out = vec![(text.into(), 3)];
    world.plan.requirements[0].clauses[0].asked.group = Some("sex".into());
    world.plan.spec.waivers.push(Waiver {
        check: Check::ConstantPredictor,
        model: None,
        owner: text.into(),
        reason: text.into(),
        expires: date(2027, 1, 1),
        place: Place { line: 31, column: 5 },
    });
    world
}

/// What a format makes of a world.
fn of<T>(world: &World, render: impl Fn(ReportInput<'_>) -> T) -> T {
    render(ReportInput {
        plan: &world.plan,
        evidence: &world.evidence,
        judgement: &world.judged(),
        accepted: None,
    })
}

/// Neither a terminal nor a runner obeys any of it.
fn is_harmless(format: &str, text: &str) {
    let hidden = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
    assert_eq!(text.chars().find(hidden), None, "{format}: {text}");
    assert!(!text.contains("##["), "{format}: {text}");
    let commands = text.lines().find(|line| line.trim_start().starts_with("::"));
    assert_eq!(commands, None, "{format}");
}

#[test]
fn terminals_and_runners_obey_nothing() {
    for piece in PIECES {
        let world = world(&text(piece));
        for width in [40, 80, 120] {
            is_harmless("table", &of(&world, |result| table::render(result, Style { width, color: false })));
        }
        is_harmless("markdown", &of(&world, markdown::render));
        is_harmless("junit", &of(&world, junit::render));
        is_harmless("sarif", &of(&world, sarif::render));
        is_harmless("json", &of(&world, json::render));
        let baseline = Baseline::of(&world.evidence).expect("a baseline");
        let mut changed = world.evidence.clone();
        changed.cells[0].outcomes[1].predicted = None;
        let comparison = Comparison::new(&baseline, &changed).expect("comparable");
        let text = text(piece);
        let pair = evidence_diff::Pair { before: &text, now: &text, comparison: Ok(&comparison) };
        is_harmless("compare", &evidence_diff::render(pair, 80));
        is_harmless("compare as json", &evidence_diff::json(pair));
    }
}

#[test]
fn annotations_are_those_of_medcert_alone() {
    for piece in PIECES {
        let world = world(&text(piece));
        let text = of(&world, github::annotations);
        assert!(text.lines().count() >= 5, "{text}");
        for line in text.lines() {
            let rest = ["::error file=", "::warning file=", "::notice file="]
                .iter()
                .find_map(|head| line.strip_prefix(head));
            let (properties, message) = rest.and_then(|rest| rest.split_once("::")).expect("a command");
            assert!(properties.split(',').all(|property| !property.contains(':')), "{properties}");
            let names: Vec<&str> =
                properties.split(',').skip(1).filter_map(|one| one.split('=').next()).collect();
            assert!(["line,col,title", "title"].contains(&names.join(",").as_str()), "{names:?}");
            is_harmless("annotation", message);
        }
    }
}

#[test]
fn markdown_has_no_markup_but_its_own() {
    for piece in PIECES {
        let text = of(&world(&text(piece)), markdown::render);
        for gone in ["<script", "<!--", "@all", "#1", "https://", "[a](b)", " ` ", "\n="] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
        // every row of a table has the cells that its head has
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let mut head = None;
        for line in text.lines() {
            let is_row = line.starts_with('|');
            assert!(!is_row || head.is_none_or(|head| head == cells(line)), "{line}");
            head = is_row.then(|| head.unwrap_or_else(|| cells(line)));
        }
    }
}

#[test]
fn junit_stays_xml() {
    for piece in PIECES {
        let text = of(&world(&text(piece)), junit::render);
        assert!(!text.contains("<script") && !text.contains("]]>") && !text.contains("<!--"), "{text}");
        let mut reader = Reader::from_str(&text);
        while reader.read_event().expect("XML") != Event::Eof {}
    }
}

#[test]
fn json_keeps_what_was_said() {
    for piece in PIECES {
        let said = text(piece);
        let world = world(&said);
        let report: serde_json::Value = serde_json::from_str(&of(&world, json::render)).expect("JSON");
        assert_eq!(report["claim"], said);
        let log: serde_json::Value = serde_json::from_str(&of(&world, sarif::render)).expect("JSON");
        for result in log["runs"][0]["results"].as_array().expect("a list") {
            let told = result["message"]["text"].as_str().expect("a text");
            assert!(!told.contains("](") && !told.contains('\u{1b}'), "{told}");
            let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
                .as_str()
                .expect("a URI");
            assert!(uri.chars().all(|c| c.is_ascii_alphanumeric() || "/._~%-".contains(c)), "{uri}");
        }
    }
}

#[test]
fn errors_say_harmlessly_what_is_wrong() {
    for piece in PIECES {
        let said = text(piece);
        is_harmless("an error", &Error::Input(said.clone()).to_string());
        let quoted = serde_json::to_string(&said).expect("JSON");
        for spec in [format!("{quoted}: 1"), format!("claim: {quoted}\nrequire: [{quoted}]"), said.clone()] {
            let faults =
                spec::parse(std::path::Path::new(&said.replace('/', "")), &spec).expect_err("no spec");
            is_harmless("a fault", &faults.to_string());
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("evidence.json");
        std::fs::write(&path, format!("{{\"schema\": 4, {quoted}: 1}}")).expect("written");
        is_harmless("evidence", &evidence::read(&path).expect_err("no evidence").to_string());
    }
}
