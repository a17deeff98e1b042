//! Screens: a result at 80 and at 120 columns, for a spec that fails, cannot tell, means nothing or holds.

use crate::made_evidence;

use made_evidence::{World, at_least, deletion, even, fgsm, healthy};
use medcert::evidence::{Counterexample, ModelFacts};
use medcert::judge::Judgement;
use medcert::plan::Attack;
use medcert::report::ReportInput;
use medcert::report::table::render;
use medcert::report::terminal::Style;

/// Whether the fusion has a case right when it is clean.
fn clean(place: usize, _: bool) -> bool {
    place % 50 > 2
}

/// How the fusion does, and what is asked of it.
fn screen(cases: usize, right: fn(usize, bool) -> bool, least: f64) -> World {
    let mut world = World::new(&even(cases));
    let vision = world.cell(0, Attack::default(), |place, _| place % 20 > 2);
    let seen = world.cell(0, fgsm(0.05), |place, _| place % 20 > 5);
    let language = world.cell(1, Attack::default(), |place, _| place % 20 > 1);
    let lost = world.cell(1, deletion(), |place, _| place % 20 > 3);
    let fusion = world.cell(2, Attack::default(), clean);
    let attacked = world.cell(2, fgsm(0.05), right);
    let deleted = world.cell(2, deletion(), |place, label| clean(place, label) && place % 9 > 0);
    world.row("clean", vec![vec![vision], vec![language], vec![fusion]]);
    world.row("FGSM ε=0.05", vec![vec![seen], vec![], vec![attacked]]);
    world.row("50% deletion", vec![vec![], vec![lost], vec![deleted]]);
    let words = "fusion accuracy ≥ 70% under 50% deletion";
    world.require(words, vec![at_least(words, 2, vec![deleted], 0.7)]);
    let words = format!("fusion accuracy ≥ {}% at FGSM ε=0.05", least * 100.0);
    world.require(&words, vec![at_least(&words, 2, vec![attacked], least)]);
    world
}

fn failing() -> World {
    let mut world = screen(600, |place, label| clean(place, label) && place % 3 > 0, 0.8);
    world.evidence.counterexamples.push(Counterexample {
        model: "fusion".into(),
        attack: "FGSM ε=0.05".into(),
        case: "s3".into(),
        edits: vec![],
        epsilon: Some(0.003),
        pixels: None,
        queries: 12,
    });
    world
}

fn worlds() -> [(&'static str, World, u8); 4] {
    [
        ("failing", failing(), 1),
        ("inconclusive", screen(300, |place, label| clean(place, label) && place % 5 > 0, 0.75), 3),
        // it calls every case abnormal under attack
        ("vacuous", screen(600, |_, label| label, 0.4), 1),
        ("passing", screen(600, |place, label| clean(place, label) && place % 10 > 0, 0.8), 0),
    ]
}

fn shown(world: &World, judgement: &Judgement, width: usize, color: bool) -> String {
    let result = ReportInput { plan: &world.plan, evidence: &world.evidence, judgement, accepted: None };
    render(result, Style { width, color })
}

#[test]
fn screens_at_80_and_120_columns() {
    for (name, world, code) in worlds() {
        let judgement = world.judged();
        assert_eq!(judgement.exit_code(), code, "{name}");
        for width in [80, 120] {
            let plain = shown(&world, &judgement, width, false);
            insta::assert_snapshot!(format!("{name}_at_{width}"), plain);
            let colored = shown(&world, &judgement, width, true).replace('\u{1b}', "␛");
            insta::assert_snapshot!(format!("{name}_at_{width}_in_colour"), colored);
        }
    }
}

#[test]
fn the_worst_stands_first_and_what_to_do_last() {
    let world = failing();
    let judgement = world.judged();
    let text = shown(&world, &judgement, 120, false);
    let place = |word: &str| text.lines().position(|line| line.starts_with(word));
    assert!(place("FAIL").expect("a failure") < place("PASS").expect("a pass"), "{text}");
    let next = text.lines().find(|line| line.starts_with("next")).expect("a step");
    assert!(
        next.contains("`medcert replay specs/hand.yaml s3` shows a case that the attack broke"),
        "{text}"
    );
}

#[test]
fn many_models_stand_in_blocks_where_the_line_is_too_short() {
    let mut world = World::new(&even(200));
    let models = world.plan.spec.models.clone();
    for copy in ["second", "third"] {
        for (name, model) in &models {
            let name = format!("{name}-{copy}");
            world.evidence.health.push(healthy(&name));
            let facts = ModelFacts { name: name.clone(), ..world.evidence.models[0].clone() };
            world.evidence.models.push(facts);
            world.plan.spec.models.push((name, model.clone()));
        }
    }
    world.plan.subjects = medcert::plan::subjects(&world.plan.spec);
    world.evidence.spec = world.plan.spec.fingerprint();
    let cells: Vec<Vec<usize>> = (0..world.plan.spec.models.len())
        .map(|model| vec![world.cell(model, Attack::default(), |place, _| place % 10 > 0)])
        .collect();
    world.row("FGSM ε=0.1 + 40% synonyms + 50% deletion", cells);
    let judgement = world.judged();
    for width in [60, 80, 120] {
        let text = shown(&world, &judgement, width, false);
        assert!(text.matches("accuracy, %").count() > 1, "{text}");
        for (name, _) in &world.plan.spec.models {
            assert!(text.contains(&format!(" {name} ")), "{name} is cut at {width}:\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
    }
}
