//! Exclusive classes: what manifests and phantoms say of them, what sentences ask of them, and how results are judged.

use std::path::Path;

use jiff::civil::date;
use medcert::class::{Class, most_frequent};
use medcert::data::{Dataset, load};
use medcert::evidence::Outcome;
use medcert::judge::{Judgement, Tally, Verdict};
use medcert::plan;
use medcert::spec::{Asked, Metric, Spec, parse};

use crate::made_evidence::World;

const REST: &str = "split: {test: 30%}
models: {language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 2}}}}
require: [language covid sensitivity ≥ 9%, language macro accuracy ≥ 9%, language accuracy ≥ 9%]
";

fn parsed(folder: &Path, data: &str) -> Result<Spec, String> {
    let text = format!("claim: c\ndata: {data}\n{REST}");
    parse(&folder.join("a.yaml"), &text).map_err(|faults| faults.to_string())
}

/// A manifest of this text, read with these keys beside its file and columns.
fn read(csv: &str, keys: &str) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("cases.csv"), csv).expect("written");
    let columns = "{id: id, patient: id, findings: text}";
    let data = format!("{{manifest: {{file: cases.csv, columns: {columns}, {keys}}}}}");
    let told = |text: String| text.replace(&folder.path().display().to_string(), "FOLDER");
    let spec = parsed(folder.path(), &data).map_err(told)?;
    load(&spec, None).map_err(|why| told(why.to_string()))
}

const CSV: &str = "id,text,label\na,x,covid\nb,x,normal\nc,x,pneumonia\nd,x,unsure\n";

#[test]
fn a_label_is_one_of_the_classes() {
    let data = read(CSV, "classes: [normal, pneumonia, covid], leave_out: [unsure]").expect("data");
    let places: Vec<usize> = data.studies.iter().map(|study| study.label.place()).collect();
    assert_eq!((places, data.classes.len()), (vec![2, 0, 1], 3));
    assert_eq!(data.left_out, [("with the label `unsure`".to_string(), 1)]);
    let named = "classes: {normal: normal, other: pneumonia, covid: covid}, leave_out: [unsure]";
    let other = read(CSV, named).expect("data");
    assert_ne!(data.digest, other.digest, "the names are part of the data");
    let order = "classes: [covid, normal, pneumonia], leave_out: [unsure]";
    assert_ne!(data.digest, read(CSV, order).expect("data").digest, "and so is their order");
    insta::assert_snapshot!(read(CSV, "classes: [normal, pneumonia, covid]").expect_err("an unknown label"));
    let empty = "id,text,label\na,x,\n";
    insta::assert_snapshot!(read(empty, "classes: [normal, pneumonia, covid]").expect_err("an empty label"));
}

#[test]
fn a_phantom_has_the_class_that_it_shows() {
    let data = "{phantom: {studies: 400, label_noise: 0, classes: [normal, opacity, effusion, nodule]}}";
    let text = format!("claim: c\ndata: {data}\n{}", REST.replace("covid", "nodule"));
    let spec = parse(Path::new("a.yaml"), &text).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(spec.require[0].clauses[0].asked, Asked::Class(3));
    assert_eq!(spec.require[1].clauses[0].metric, Metric::MacroAccuracy);
    let data = load(&spec, None).expect("phantoms");
    let counts: Vec<usize> = (0..4)
        .map(|place| data.studies.iter().filter(|study| study.label == Class::Several(place)).count())
        .collect();
    assert!(counts.iter().all(|&count| count > 20), "{counts:?}");
    assert_eq!(data.left_out.len(), 2);
    assert_eq!(data.studies.len() + data.left_out.iter().map(|(_, count)| count).sum::<usize>(), 400);
    let noisy = text.replace("label_noise: 0", "label_noise: 20%");
    let noisy = parse(Path::new("a.yaml"), &noisy).unwrap_or_else(|why| panic!("{why}"));
    let noisy = load(&noisy, None).expect("phantoms");
    let pairs = data.studies.iter().zip(&noisy.studies);
    let turned = pairs.filter(|(clean, noisy)| clean.label != noisy.label).count();
    assert!((turned as f64 / data.studies.len() as f64 - 0.2).abs() < 0.07, "{turned}");
}

#[test]
fn evidence_writes_two_classes_as_before() {
    let written = |class: Class| serde_json::to_string(&class).expect("JSON");
    assert_eq!([written(true.into()), written(false.into())], ["true", "false"]);
    assert_eq!(written(Class::Several(2)), "2");
    for class in [Class::Two(true), Class::Two(false), Class::Several(0), Class::Several(1)] {
        assert_eq!(serde_json::from_str::<Class>(&written(class)).expect("a class"), class);
    }
    for hostile in ["-1", "65536", "1.5", "\"a\"", "null", "[]"] {
        assert!(serde_json::from_str::<Class>(hostile).is_err(), "{hostile}");
    }
}

#[test]
fn the_most_frequent_of_equals_is_the_later_one() {
    assert_eq!(most_frequent([Class::Two(true), Class::Two(false)]), Some((Class::Two(true), 1)));
    assert_eq!(
        most_frequent([Class::Several(1), Class::Several(0), Class::Several(0)]).map(|one| one.1),
        Some(2)
    );
    assert_eq!(most_frequent([]), None);
}

/// A world of three classes, 40, 30 and 20 cases, judged by these sentences; `answer` gives the class of a case.
fn judged(require: &str, answer: impl Fn(usize, u16) -> u16) -> (Vec<Verdict>, Judgement) {
    let labels: Vec<bool> = vec![false; 90];
    let mut world = World::new(&labels);
    let text = format!(
        "claim: c\ndata: {{phantom: {{studies: 900, seed: 7, label_noise: 0.02, missed: 0.07, classes: [normal, opacity, effusion]}}}}\n\
         split: {{test: 30%}}\nmodels: {{language: {{bert: {{config: tiny, weights: l.safetensors}}}}}}\nchecks: cheap\nrequire: {require}\n"
    );
    let spec = parse(Path::new("a.yaml"), &text).unwrap_or_else(|why| panic!("{why}"));
    let plan = plan::build(spec);
    world.evidence.spec = plan.spec.fingerprint();
    world.evidence.models.retain(|facts| facts.name == "language");
    world.evidence.cells.clear();
    let class = |place: usize| match place {
        0..40 => 0,
        40..70 => 1,
        _ => 2_u16,
    };
    for (place, case) in world.evidence.cases.iter_mut().enumerate() {
        case.label = Class::Several(class(place));
    }
    let outcomes: Vec<Outcome> = (0..90)
        .map(|place| {
            let said = answer(place, class(place));
            let is_right = said == class(place);
            Outcome { predicted: Some(Class::Several(said)), ..crate::made_evidence::outcome(true, is_right) }
        })
        .collect();
    world.evidence.cells.push(medcert::evidence::Cell {
        model: "language".into(),
        attack: "clean".into(),
        outcomes,
    });
    assert_eq!(world.evidence.contradiction(), None);
    let judgement = Judgement::of(&plan, &world.evidence, Err("none"), date(2026, 11, 28));
    let tally = Tally::new(&plan, &world.evidence).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(tally.counted(0, &[0]), Ok(90));
    (judgement.findings.iter().map(|finding| finding.verdict).collect(), judgement)
}

#[test]
fn a_class_and_the_mean_over_classes_are_judged() {
    let require = "[language effusion sensitivity ≥ 50%, language macro accuracy ≥ 70%, language effusion missed ≤ 40%]";
    // every tenth case is called by the next class
    let (verdicts, judgement) =
        judged(require, |place, class| if place % 10 == 0 { (class + 1) % 3 } else { class });
    let reasons: Vec<&str> =
        judgement.findings.iter().flat_map(|one| &one.clauses).map(|clause| clause.reason.as_str()).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Pass, Verdict::Pass], "{reasons:#?}");
    assert!(reasons[0].contains("18 of 20 effusion cases right"), "{reasons:#?}");
    assert!(
        reasons[1].contains("a mean share of right of 90.0 % over 3 classes and 90 cases"),
        "{reasons:#?}"
    );
    // a model that always answers normal: V1 and V2 see it
    let (verdicts, judgement) = judged("[language accuracy ≥ 30%]", |_, _| 0);
    assert_eq!(verdicts, [Verdict::Vacuous]);
    let raised: Vec<&str> = judgement.checks.iter().map(|check| check.message.as_str()).collect();
    assert!(
        raised.iter().any(|message| message.contains("90 of 90 answers without an attack are normal")),
        "{raised:#?}"
    );
}

/// Two cases of two classes, right and wrong, of every model without an attack.
fn of_two_classes() -> World {
    let mut world = World::new(&[true, false]);
    for model in ["vision", "language", "fusion"] {
        let outcomes =
            vec![crate::made_evidence::outcome(true, true), crate::made_evidence::outcome(false, false)];
        world.evidence.cells.push(medcert::evidence::Cell {
            model: model.into(),
            attack: "clean".into(),
            outcomes,
        });
    }
    world
}

/// A smoothed model abstains where its vote decides nothing: no class, and a margin of 0. That is an answer, and a wrong
/// one, which raises no C1; a class without a margin, or a margin without a class, is what no run observes.
#[test]
fn a_vote_that_decides_nothing_is_an_answer() {
    let mut evidence = of_two_classes().evidence;
    let cell = evidence.cells.len() - 1;
    let mut become_ = |predicted, margin| {
        let outcome = &mut evidence.cells[cell].outcomes[0];
        (outcome.predicted, outcome.margin, outcome.held) = (predicted, margin, 0);
        evidence.contradiction()
    };
    assert_eq!(become_(None, Some(0.0)), None, "it abstains");
    assert_eq!(become_(None, None), None, "it gives no finite answer");
    assert!(become_(None, Some(0.5)).is_some_and(|why| why.contains("a margin without a class")));
    assert!(become_(None, Some(-0.5)).is_some_and(|why| why.contains("a margin without a class")));
    assert!(
        become_(Some(Class::Two(true)), None).is_some_and(|why| why.contains("a class without a margin"))
    );
}

#[test]
fn classes_that_the_spec_does_not_have_are_not_judged() {
    let World { plan, evidence } = of_two_classes();
    let mut of_three = evidence.clone();
    of_three.cases[1].label = Class::Several(1);
    let why = Tally::new(&plan, &of_three).expect_err("another question");
    assert!(why.contains("has the class 1, which the spec does not have"), "{why}");
    let mut answers_three = evidence;
    answers_three.cells[0].outcomes[0].predicted = Some(Class::Several(2));
    let why = Tally::new(&plan, &answers_three).expect_err("another answer");
    assert!(why.contains("answers the class 2, which the spec does not have"), "{why}");
}
