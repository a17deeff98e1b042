//! Every check beside a fault that was planted for it in evidence, and silent on a healthy model. Faults that are planted
//! in models, and go through the laboratory, are in tests/plants.rs.

use crate::made_evidence;

use jiff::civil::{Date, date};
use made_evidence::{TODAY, World, at_least, deletion, even, fgsm, pgd, trigger};
use medcert::evidence::{Baseline, Outcome};
use medcert::judge::{CheckState, Judgement, Signed, Verdict, Waiving, judge};
use medcert::plan::probes::{Ball, Reach, ladder, replaced, unbounded};
use medcert::plan::{self, Attack, Probe};
use medcert::spec::{
    Absence, Access, Asking, Behind, Bound, Check, CheckPolicy, CommandLine, Data, Defence, Defended,
    EditKind, Hardening, Mode, Model, Optimizer, Outputs, Parts, Place, Schedule, ScriptModel, Section,
    Signature, Source, TextAttack, TextMethod, Train, Views, Waiver, Weights,
};
use proptest::prelude::*;

const CASES: usize = 400;
const VISION: usize = 0;
const FUSION: usize = 2;

/// Which cases hold: those whose place leaves a remainder of at least this by 20.
fn from(least: usize) -> impl Fn(usize, bool) -> bool {
    move |place, _| place % 20 >= least
}

/// A healthy fusion: 95 % right, falling with ε, moved by both of its inputs; its clause rests on PGD at 0.05 and 0.1.
fn healthy() -> World {
    let mut world = World::new(&even(CASES));
    world.cell(FUSION, Attack::default(), from(1));
    let weaker = attacked(&mut world, pgd(0.05), from(6));
    let stronger = attacked(&mut world, pgd(0.1), from(9));
    let strongest = attacked(&mut world, pgd(0.2), from(12));
    for model in 0..FUSION {
        world.cell(model, Attack::default(), from(1));
    }
    for (image, absence, least) in [
        (true, Absence::Blank, 8),
        (true, Absence::WrongPatient, 7),
        (false, Absence::Blank, 9),
        (false, Absence::WrongPatient, 10),
    ] {
        world.probe(FUSION, replaced(image, absence), CASES, from(least));
    }
    for (attack, least) in rungs().into_iter().zip([5, 7, 8, 3, 6]) {
        world.probe(FUSION, attack, 32, from(least));
        full(&mut world.evidence.probes.last_mut().expect("a probe").outcomes, 0.1);
    }
    world.probe(FUSION, unbounded(true), 32, from(18));
    world.evidence.baselines.push(baseline("bag of words, findings", from(4)));
    let worst = vec![weaker, stronger];
    world.require("fusion accuracy ≥ 40%", vec![at_least("fusion accuracy ≥ 40%", FUSION, worst, 0.4)]);
    world.row("PGD ε=0.2", vec![vec![], vec![], vec![strongest]]);
    world
}

/// What the checks try in the ball of the healthy world's clause: FGSM, PGD of 5 and 20 steps, naive, Square.
fn rungs() -> [Attack; 5] {
    ladder(Reach::Ball(Ball::everywhere(0.1))).try_into().expect("five")
}

/// A cell of an attack on pixels that uses its ε in full.
fn attacked(world: &mut World, attack: Attack, right: impl Fn(usize, bool) -> bool) -> usize {
    let epsilon = attack.image.map_or(0.0, |image| image.strength);
    let cell = world.cell(FUSION, attack, right);
    full(&mut world.evidence.cells[cell].outcomes, epsilon);
    cell
}

fn full(outcomes: &mut [Outcome], epsilon: f64) {
    for outcome in outcomes {
        (outcome.change, outcome.acted) = (epsilon as f32, epsilon > 0.0);
    }
}

fn baseline(name: &str, right: impl Fn(usize, bool) -> bool) -> Baseline {
    let bit = |(place, label)| if right(place, label) { '1' } else { '0' };
    Baseline {
        name: name.into(),
        right: even(CASES).into_iter().enumerate().map(bit).collect(),
        finding: None,
    }
}

fn judged(world: &World) -> Judgement {
    world.judged()
}

/// The checks that were raised, warnings too.
fn codes(world: &World) -> Vec<&'static str> {
    let mut codes: Vec<&str> = judged(world).checks.iter().map(|raised| raised.check.code()).collect();
    codes.dedup();
    codes
}

/// The healthy world with a fault; it must raise this and nothing else, and the sentence must not pass.
fn caught(code: &str, verdict: Verdict, plant: impl FnOnce(&mut World)) {
    let mut world = healthy();
    plant(&mut world);
    let judgement = judged(&world);
    assert_eq!(codes(&world), [code], "{:#?}", judgement.checks);
    assert_eq!(judgement.findings[0].verdict, verdict, "{:?}", judgement.checks);
    assert_ne!(judgement.exit_code(), 0);
}

fn probe_mut<'w>(world: &'w mut World, attack: &Attack) -> &'w mut Vec<Outcome> {
    let attack = attack.to_string();
    let found = world.evidence.probes.iter_mut().find(|cell| cell.attack == attack);
    &mut found.expect("a probe").outcomes
}

/// Outcomes that are right where `right` says so.
fn set(outcomes: &mut [Outcome], right: impl Fn(usize, bool) -> bool) {
    for (place, outcome) in outcomes.iter_mut().enumerate() {
        let label = place % 2 == 0;
        *outcome = Outcome {
            change: outcome.change,
            acted: outcome.acted,
            ..made_evidence::outcome(label, right(place, label))
        };
    }
}

#[test]
fn a_healthy_model_raises_nothing() {
    let judgement = judged(&healthy());
    assert_eq!(judgement.checks, []);
    // no attack on words, and no defence or certificate: these checks have nothing to look at
    let idle = [
        Check::TextValidity,
        Check::VacuousCertificate,
        Check::AdaptiveBeaten,
        Check::NoiseUnseen,
        Check::Contradicted,
        Check::Noise,
    ];
    for one in &judgement.examined {
        let expected = if idle.contains(&one.check) { CheckState::NotApplicable } else { CheckState::Passed };
        assert_eq!(one.state, expected, "{one:?}");
    }
    assert_eq!(judgement.examined.len(), Check::ALL.len());
    assert_eq!((judgement.findings[0].verdict, judgement.exit_code()), (Verdict::Pass, 0));
    assert!(judgement.evaluations > 0);
}

#[test]
fn v1_a_majority_predictor() {
    let mut world = healthy();
    // everything is called abnormal under the strongest attack, which only the table shows
    set(&mut world.evidence.cells[3].outcomes, |_, label| label);
    let judgement = judged(&world);
    assert!(judgement.checks.iter().any(|raised| raised.check == Check::ConstantPredictor));
    assert_eq!(judgement.findings[0].verdict, Verdict::Pass, "no sentence rests on it");
    assert_eq!(judgement.exit_code(), 0, "so it is a warning");
    world.plan.spec.checks.policy = CheckPolicy::Strict;
    assert_eq!(judged(&world).exit_code(), 1, "but for a strict spec");
    // and with no attack at all
    let mut world = healthy();
    world.plan.requirements[0].clauses[0].asked.bound = Bound::Rate(0.1);
    set(&mut world.evidence.cells[0].outcomes, |_, label| label);
    assert_eq!(judged(&world).findings[0].verdict, Verdict::Vacuous);
}

/// As good as the healthy model but for one case in forty.
fn nearly(place: usize, _: bool) -> bool {
    place % 20 >= 1 && place % 40 != 21
}

#[test]
fn v2_no_better_than_a_baseline() {
    // as good to the last case: nothing was learnt
    caught("V2", Verdict::Vacuous, |world| {
        set(probe_mut(world, &replaced(true, Absence::Blank)), from(1));
    });
    // better by ten cases of four hundred: too few to say
    let plants: [fn(&mut World); 2] = [
        |world| world.evidence.baselines.push(baseline("bag of words, impression", nearly)),
        |world| set(probe_mut(world, &replaced(true, Absence::Blank)), nearly),
    ];
    for plant in plants {
        caught("V2", Verdict::Inconclusive, plant);
        let mut world = healthy();
        plant(&mut world);
        let needed = judged(&world).findings[0].clauses[0].needed;
        assert!(needed.is_some_and(|needed| needed > CASES as u64), "{needed:?}");
    }
}

#[test]
fn v3_an_input_that_does_not_matter() {
    // a reader of blank reports: neither a blank nor another patient's report turns an answer, so there is no lift
    let mut world = healthy();
    for absence in [Absence::Blank, Absence::WrongPatient] {
        set(probe_mut(&mut world, &replaced(false, absence)), from(1));
    }
    assert_eq!(codes(&world), ["V2", "V3"]);
    // an attack that changed every image and not one margin
    let mut world = healthy();
    let clean = world.evidence.cells[0].outcomes.clone();
    world.evidence.cells[3].outcomes = clean;
    full(&mut world.evidence.cells[3].outcomes, 0.2);
    assert!(codes(&world).contains(&"V3"), "{:?}", codes(&world));
    // a model of which only decisions are seen has the same margin wherever its answer is the same
    let asking = Asking { channels: 1, access: Access::Decision, batch: 32, timeout: 60 };
    world.plan.spec.models[FUSION].1 = Model::Script(ScriptModel {
        behind: Behind::Command(CommandLine { run: vec!["serve".into()], asking }),
        image: Some(64),
        reads_text: true,
        outputs: Outputs::Logits,
        expect: None,
    });
    world.evidence.spec = world.plan.spec.fingerprint();
    assert!(!codes(&world).contains(&"V3"), "{:?}", codes(&world));
}

#[test]
fn v3_a_report_whose_margins_move_only_without_it() {
    // an attack edited words and moved no margin
    let mut world = healthy();
    let cell = world.cell(FUSION, deletion(), from(1));
    let clean = world.evidence.cells[0].outcomes.clone();
    for (outcome, clean) in world.evidence.cells[cell].outcomes.iter_mut().zip(&clean) {
        outcome.margin = clean.margin;
    }
    assert!(!codes(&world).contains(&"V3"), "{:?}", codes(&world));
    // where a blank report and another patient's move none either, the report is not read
    for absence in [Absence::Blank, Absence::WrongPatient] {
        *probe_mut(&mut world, &replaced(false, absence)) = clean.clone();
    }
    assert!(codes(&world).contains(&"V3"), "{:?}", codes(&world));
}

/// Makes all that is tried in the ball of the healthy world's clause break so few.
fn calm(world: &mut World, least: usize) {
    for attack in rungs() {
        set(probe_mut(world, &attack), from(least));
        full(probe_mut(world, &attack), 0.1);
    }
}

#[test]
fn m1_an_accuracy_that_rises_with_the_strength() {
    let mut world = healthy();
    calm(&mut world, 2);
    set(&mut world.evidence.cells[2].outcomes, from(3));
    full(&mut world.evidence.cells[2].outcomes, 0.1);
    let judgement = judged(&world);
    assert_eq!(codes(&world), ["M1"]);
    assert_eq!(
        judgement.findings[0].verdict,
        Verdict::Pass,
        "`ε≤` counts a case only if it holds at every strength"
    );
    assert_eq!(judgement.exit_code(), 0, "so the gate holds, with a warning");
    world.plan.requirements[0].clauses[0].cells = vec![2];
    assert_eq!(judged(&world).findings[0].verdict, Verdict::Suspect);
    assert_eq!(judged(&world).exit_code(), 1);
    // the rise that chance explains is none: two cases regained, one lost
    let mut world = healthy();
    calm(&mut world, 2);
    set(&mut world.evidence.cells[2].outcomes, |place, _| {
        (place % 20 >= 6 || place == 5 || place == 4) && place != 6
    });
    full(&mut world.evidence.cells[2].outcomes, 0.1);
    assert_eq!(codes(&world), [""; 0]);
}

#[test]
fn m2_an_attack_that_rights_what_was_wrong() {
    caught("M2", Verdict::Suspect, |world| {
        set(&mut world.evidence.cells[2].outcomes, |place, _| place % 20 >= 9 || place % 20 == 0);
        full(&mut world.evidence.cells[2].outcomes, 0.1);
    });
}

#[test]
fn m1_and_m2_only_warn_where_one_step_may_overshoot() {
    let mut world = healthy();
    calm(&mut world, 4);
    world.plan.probes.retain(|probe| probe.cell.attack != fgsm(0.1));
    world.evidence.probes.retain(|probe| probe.attack != fgsm(0.1).to_string());
    let weaker = attacked(&mut world, fgsm(0.05), from(6));
    let stronger = attacked(&mut world, fgsm(0.1), |place, _| place % 20 >= 4 || place % 20 == 0);
    world.require(
        "fusion accuracy ≥ 40%",
        vec![at_least("fusion accuracy ≥ 40%", FUSION, vec![stronger], 0.4)],
    );
    let judgement = judged(&world);
    assert_eq!(codes(&world), ["M1", "M2"], "{weaker}");
    assert!(judgement.checks.iter().all(|raised| raised.verdict.is_none() && raised.message.contains("PGD")));
    assert_eq!((judgement.findings[1].verdict, judgement.exit_code()), (Verdict::Pass, 0));
    let reason = &judgement.findings[1].clauses[0].reason;
    assert!(reason.contains("one step is a weak attack: PGD ε=0.1 leaves 220 of 400 cases"), "{reason}");
}

#[test]
fn m3_strengths_that_make_no_difference() {
    caught("M3", Verdict::Suspect, |world| {
        for (cell, epsilon) in [(2, 0.1), (3, 0.2)] {
            set(&mut world.evidence.cells[cell].outcomes, from(6));
            full(&mut world.evidence.cells[cell].outcomes, epsilon);
        }
    });
    // where every case is broken at each of them, there is nothing left to differ
    let mut world = healthy();
    for (cell, epsilon) in [(1, 0.05), (2, 0.1), (3, 0.2)] {
        set(&mut world.evidence.cells[cell].outcomes, |_, _| false);
        full(&mut world.evidence.cells[cell].outcomes, epsilon);
    }
    assert!(!codes(&world).contains(&"M3"));
}

#[test]
fn m4_an_attack_without_bounds_that_does_not_win() {
    caught("M4", Verdict::Suspect, |world| set(probe_mut(world, &unbounded(true)), from(6)));
}

#[test]
fn m5_a_blind_attack_that_wins() {
    for blind in &rungs()[3..] {
        caught("M5", Verdict::Suspect, |world| {
            set(probe_mut(world, blind), from(18));
            full(probe_mut(world, blind), 0.1);
        });
    }
}

#[test]
fn m5_looks_at_the_attack_that_a_requirement_names() {
    // PGD of 20 steps finds what the moves find, and the requirement names FGSM, which does not
    let mut world = healthy();
    let [fgsm_probe, few, more, naive, _] = rungs();
    world.plan.probes.retain(|probe| probe.cell.attack != fgsm_probe);
    world.evidence.probes.retain(|probe| probe.attack != fgsm_probe.to_string());
    for attack in [few, more, naive] {
        set(probe_mut(&mut world, &attack), from(18));
        full(probe_mut(&mut world, &attack), 0.1);
    }
    set(&mut world.evidence.cells[2].outcomes, from(18));
    full(&mut world.evidence.cells[2].outcomes, 0.1);
    set(&mut world.evidence.cells[3].outcomes, from(19));
    full(&mut world.evidence.cells[3].outcomes, 0.2);
    let named = attacked(&mut world, fgsm(0.1), from(3));
    world.plan.requirements.clear();
    world.require("fusion accuracy ≥ 40%", vec![at_least("fusion accuracy ≥ 40%", FUSION, vec![named], 0.4)]);
    assert_eq!(codes(&world), ["M5"]);
    assert_eq!(judged(&world).findings[0].verdict, Verdict::Suspect);
}

#[test]
fn what_was_not_asked_is_not_silent() {
    let mut world = healthy();
    world.plan.probes.clear();
    world.evidence.probes.clear();
    world.plan.spec.checks.policy = CheckPolicy::Cheap;
    let judgement = judged(&world);
    for check in [Check::ModalityIgnored, Check::Unbounded, Check::BlackBox, Check::MoreSteps] {
        let found = judgement.examined.iter().find(|one| one.check == check).expect("every check");
        assert_eq!(found.state, CheckState::NotRun, "{found:?}");
        assert!(!found.reasons.is_empty(), "{found:?}");
    }
    let counted = medcert::judge::checks::counted(&judgement.examined);
    assert_eq!(counted, "16 passed, 6 did not apply, 4 not run");
}

#[test]
fn m6_more_steps_that_break_less() {
    let [_, few, more, ..] = rungs();
    caught("M6", Verdict::Suspect, |world| {
        set(probe_mut(world, &few), from(13));
        set(probe_mut(world, &more), from(7));
        full(probe_mut(world, &few), 0.1);
        full(probe_mut(world, &more), 0.1);
    });
}

#[test]
fn m7_gradients_that_cannot_be_followed() {
    for plant in [
        |gradient: &mut medcert::evidence::GradientHealth| gradient.zero = 12,
        |gradient: &mut medcert::evidence::GradientHealth| gradient.not_finite = 3,
        |gradient: &mut medcert::evidence::GradientHealth| gradient.cosine = 0.3,
        |gradient: &mut medcert::evidence::GradientHealth| gradient.rising = 20,
    ] {
        caught("M7", Verdict::Suspect, |world| {
            plant(world.evidence.health[FUSION].gradient.as_mut().expect("it reads images"));
        });
    }
}

#[test]
fn m8_answers_that_are_no_answers() {
    caught("M8", Verdict::Error, |world| world.evidence.health[FUSION].unrepeatable = 1);
    caught("M8", Verdict::Error, |world| world.evidence.health[FUSION].dependent = 1);
    caught("M8", Verdict::Error, |world| world.evidence.health[FUSION].probabilities = true);
}

#[test]
fn p1_an_attack_that_does_nothing_or_too_much() {
    caught("P1", Verdict::Error, |world| full(&mut world.evidence.cells[2].outcomes, 0.0));
    caught("P1", Verdict::Error, |world| world.evidence.cells[1].outcomes[7].change = 0.0501);
    let mut world = healthy();
    attacked(&mut world, fgsm(0.001), from(2));
    assert_eq!(codes(&world), ["P1"], "it is gone once the film is stored");
    let mut world = healthy();
    let cell = world.cell(FUSION, deletion(), from(2));
    world.evidence.cells[cell].outcomes.iter_mut().for_each(|outcome| outcome.edits = 0);
    assert!(codes(&world).contains(&"P1"), "no report was edited");
}

#[test]
fn p2_an_epsilon_of_another_unit() {
    let mut world = healthy();
    attacked(&mut world, fgsm(8.0), from(15));
    assert_eq!(codes(&world), ["P2"]);
}

/// The healthy world, and a deletion under which so many reports say something else.
fn deleted(mode: Mode, changed: usize) -> World {
    let mut world = healthy();
    let attack = TextAttack { mode, ..TextAttack::usual(TextMethod::Sampled(EditKind::Deletion), 0.2) };
    let cell = world.cell(FUSION, Attack { text: vec![attack], ..Attack::default() }, from(2));
    for (place, outcome) in world.evidence.cells[cell].outcomes.iter_mut().enumerate() {
        (outcome.edits, outcome.meaning_changed) = (4, Some(place < changed));
        outcome.margin = outcome.margin.map(|margin| margin * 0.9);
    }
    world
}

#[test]
fn p3_reports_that_say_something_else() {
    let judgement = judged(&deleted(Mode::Free, 60));
    assert_eq!(judgement.checks.len(), 1);
    assert_eq!((judgement.checks[0].check, judgement.checks[0].verdict), (Check::TextValidity, None));
    assert_eq!(judgement.exit_code(), 0, "a warning changes no verdict");
    assert_eq!(codes(&deleted(Mode::Free, 15)), [""; 0]);
    assert_eq!(codes(&deleted(Mode::Preserving, 0)), [""; 0]);
    let mut world = deleted(Mode::Preserving, 1);
    assert_eq!(judged(&world).exit_code(), 0, "no requirement rests on it");
    world.plan.spec.checks.policy = CheckPolicy::Strict;
    assert_eq!(judged(&world).exit_code(), 3);
}

#[test]
fn d1_a_patient_in_two_parts() {
    caught("D1", Verdict::Error, |world| world.evidence.data.patients_in_two_parts = 1);
}

#[test]
fn d2_cases_that_training_has_too() {
    let mut world = healthy();
    // the half that holds has twins; without them hardly anything does
    for (place, case) in world.evidence.cases.iter_mut().enumerate() {
        if place % 20 >= 12 {
            case.seen = vec!["report".into()];
        }
    }
    assert_eq!(codes(&world), ["D2"]);
    assert_eq!(judged(&world).findings[0].verdict, Verdict::Suspect);
    // twins that change nothing are a warning
    let mut world = healthy();
    world.evidence.cases.iter_mut().step_by(11).for_each(|case| case.seen = vec!["image".into()]);
    let judgement = judged(&world);
    assert_eq!((codes(&world), judgement.exit_code()), (vec!["D2"], 0));
    let mut world = healthy();
    world.evidence.cases[5].seen = vec!["report".into()];
    assert_eq!(codes(&world), [""; 0], "one in four hundred is below the trigger");
}

#[test]
fn d3_words_that_give_the_label() {
    let mut world = healthy();
    // the fusion stays above what V2 asks for, and the language model does not
    set(&mut world.evidence.cells[5].outcomes, from(4));
    world.evidence.baselines = vec![baseline("bag of words, findings", from(4))];
    let judgement = judged(&world);
    assert_eq!(codes(&world), ["D3"]);
    assert!(judgement.checks[0].message.contains("language"), "{}", judgement.checks[0].message);
    assert_eq!(judgement.exit_code(), 0);
}

#[test]
fn d4_a_batch_that_was_dropped() {
    let mut world = healthy();
    world.evidence.cells[2].outcomes.truncate(CASES - 16);
    let judgement = judged(&world);
    assert_eq!(codes(&world), ["D4"]);
    assert_eq!((judgement.findings[0].verdict, judgement.exit_code()), (Verdict::Error, 3));
    caught("D4", Verdict::Error, |world| world.evidence.cells[1].outcomes[3].held = 2);
}

#[test]
fn d6_a_model_that_may_know_these_patients() {
    let loaded = || Weights::File { source: Source { path: "f".into(), sha256: None }, expect: None };
    // real patients, of whom a random part is the test part
    let real = |test: f64, weights: &dyn Fn() -> Weights| {
        let mut world = healthy();
        world.plan.spec.data = Data::IuXray {
            folder: "iu_xray".into(),
            sections: vec![Section::Findings],
            views: Views::Both,
            bits: None,
        };
        world.plan.spec.split.parts = Parts::Drawn { test, validation: 0.1 };
        for (_, model) in &mut world.plan.spec.models {
            match model {
                Model::Vision { weights: of, .. }
                | Model::Bert { weights: of, .. }
                | Model::Fusion { weights: of, .. } => *of = weights(),
                Model::Script(_) | Model::Defended(_) => {}
            }
        }
        world
    };
    let raised = |mut world: World| {
        world.evidence.spec = world.plan.spec.fingerprint();
        let checks = judged(&world).checks;
        let named =
            |name: &str| checks.iter().any(|one| one.message.starts_with(&format!("{name} was trained")));
        assert!(checks.iter().all(|one| one.check == Check::UnnamedTestSet), "{checks:?}");
        ["vision", "fusion"].map(named)
    };
    let trained = || Weights::Train(recipe());
    assert_eq!(raised(real(0.3, &loaded)), [true, true]);
    assert_eq!(raised(real(1.0, &loaded)), [false, false]);
    assert_eq!(raised(real(0.3, &trained)), [false, false]);
    // a fusion knows what its parts know, and a defended model what its base knows
    for (weights, is_raised) in [(loaded(), true), (trained(), false)] {
        let mut world = real(0.3, &trained);
        if let Model::Vision { weights: of, .. } = &mut world.plan.spec.models[VISION].1 {
            *of = weights;
        }
        assert_eq!(raised(world.clone()), [is_raised, is_raised]);
        let defence = Defence::Jpeg { quality: 75 };
        let defended = Defended {
            base: medcert::spec::Referent::new("vision", VISION),
            defence,
            reads_image: true,
            reads_text: true,
        };
        world.plan.spec.models[FUSION].1 = Model::Defended(defended);
        assert_eq!(raised(world), [is_raised, is_raised]);
    }
}

/// How a model is trained, where it does not matter how.
fn recipe() -> Train {
    Train {
        optimizer: Optimizer::Adam,
        lr: 1e-3,
        schedule: Schedule::Constant,
        epochs: 1,
        batch: 16,
        seed: 0,
        freeze: 0,
        hardening: Hardening::default(),
    }
}

#[test]
fn c1_a_case_without_an_answer() {
    caught("C1", Verdict::Error, |world| {
        let outcome = &mut world.evidence.cells[2].outcomes[0];
        (outcome.predicted, outcome.margin, outcome.held) = (None, None, 0);
    });
    // a smoothed model that abstains has answered, and is wrong
    let mut world = healthy();
    let outcome = &mut world.evidence.cells[2].outcomes[0];
    (outcome.predicted, outcome.margin, outcome.held) = (None, Some(0.0), 0);
    assert_eq!(codes(&world), [""; 0]);
}

#[test]
fn c2_a_cell_that_is_missing() {
    let mut world = healthy();
    world.evidence.cells.remove(2);
    assert_eq!(codes(&world), ["C2"]);
    assert_eq!(judged(&world).exit_code(), 3);
    caught("C2", Verdict::Error, |world| drop(world.evidence.health.remove(FUSION)));
    caught("C2", Verdict::Error, |world| drop(world.evidence.probes.pop()));
}

fn waiver(check: Check, model: Option<usize>, expires: Date) -> Waiver {
    Waiver {
        check,
        model,
        owner: "R. Ray".into(),
        reason: "the old scanner is replaced in March".into(),
        expires,
        place: Place { line: 30, column: 5 },
    }
}

#[test]
fn a_waiver_covers_a_check_until_its_last_day() {
    let mut world = healthy();
    world.evidence.health[FUSION].unrepeatable = 1;
    for (model, expires, state, exit) in [
        (None, TODAY, Waiving::Used, 0),
        (Some(FUSION), date(2027, 1, 31), Waiving::Used, 0),
        (Some(VISION), date(2027, 1, 31), Waiving::Unused, 1),
        (None, date(2026, 11, 24), Waiving::Expired, 1),
    ] {
        world.plan.spec.waivers = vec![waiver(Check::Mode, model, expires)];
        let judgement = judged(&world);
        assert_eq!((judgement.waivers[0], judgement.exit_code()), (state, exit), "{model:?} {expires}");
        let is_waived = judgement.checks[0].waiver.is_some();
        assert_eq!(is_waived, state == Waiving::Used);
        assert_eq!(judgement.findings[0].verdict == Verdict::Pass, is_waived);
    }
    world.plan.spec.waivers = vec![waiver(Check::Monotone, None, TODAY)];
    assert_eq!(judged(&world).waivers, [Waiving::Unused]);
}

#[test]
fn a_trigger_is_the_specs_to_set() {
    let mut world = healthy();
    world.evidence.baselines.push(baseline("bag of words, impression", from(2)));
    world.plan.spec.checks.triggers = vec![trigger(Check::NoLift, 0.0)];
    // nobody signs for the looser trigger
    let judgement = judged(&world);
    assert_eq!((codes(&world), judgement.findings[0].verdict), (vec!["V2"], Verdict::Vacuous));
    assert_eq!(judgement.loosened[0].state, Signed::Unsigned);
    for (expires, state) in [(TODAY, Signed::Signed), (date(2026, 11, 24), Signed::Expired)] {
        let signature = Signature { owner: "R. Ray".into(), reason: "few cases".into(), expires };
        world.plan.spec.checks.triggers[0].signature = Some(signature);
        let judgement = judged(&world);
        assert_eq!(judgement.loosened[0].state, state);
        assert_eq!(judgement.checks.is_empty(), state == Signed::Signed, "five points are more than none");
    }
    let mut world = healthy();
    world.plan.spec.checks.triggers = vec![trigger(Check::NoLift, 0.3)];
    assert_eq!(codes(&world), ["V2"]);
}

#[test]
fn a_probe_serves_as_a_cell_does() {
    // a spec that asks for the attack itself needs no probe of it
    let mut world = healthy();
    let attack = unbounded(true);
    world.plan.probes.retain(|probe| probe.cell.attack != attack);
    world.plan.cells.push(plan::Cell { model: FUSION, attack: attack.clone() });
    let place =
        world.evidence.probes.iter().position(|cell| cell.attack == attack.to_string()).expect("a probe");
    let mut cell = world.evidence.probes.remove(place);
    cell.outcomes = healthy().evidence.cells[0].outcomes.clone();
    full(&mut cell.outcomes, 0.5);
    world.evidence.cells.push(cell);
    assert!(codes(&world).contains(&"M4"), "{:?}", codes(&world));
    let _: &Vec<Probe> = &world.plan.probes;
}

/// Two requirements that hold, on the weaker cell and on the text model, beside a check that is raised on the strongest.
#[test]
fn a_check_that_no_requirement_rests_on_is_a_warning() {
    let mut world = healthy();
    let language = at_least("language accuracy ≥ 80%", 1, vec![5], 0.8);
    world.require("language accuracy ≥ 80%", vec![language]);
    set(&mut world.evidence.cells[3].outcomes, |_, label| label);
    full(&mut world.evidence.cells[3].outcomes, 0.2);
    let judgement = judged(&world);
    assert!(judgement.findings.iter().all(|finding| finding.verdict == Verdict::Pass));
    assert!(!judgement.checks.is_empty() && judgement.checks.iter().all(|raised| raised.counts().is_none()));
    assert_eq!(judgement.exit_code(), 0);
}

#[test]
fn a_doubt_never_hides_a_failure() {
    let mut world = healthy();
    world.plan.requirements[0].clauses[0].asked.bound = Bound::Rate(0.9);
    world.evidence.health[FUSION].gradient.as_mut().expect("it reads images").cosine = 0.1;
    let judgement = judged(&world);
    assert_eq!((codes(&world), judgement.findings[0].verdict), (vec!["M7"], Verdict::Fail));
    assert!(judgement.findings[0].clauses[0].reason.contains("M7"), "{:?}", judgement.findings[0]);
    assert_eq!(judgement.exit_code(), 1);
}

#[test]
fn copies_are_not_cases() {
    // twelve films, each a hundred times under as many patients
    let mut world = World::new(&even(1200));
    let clean = world.cell(0, Attack::default(), |_, _| true);
    world.require("vision accuracy ≥ 90%", vec![at_least("vision accuracy ≥ 90%", 0, vec![clean], 0.9)]);
    assert!(judged(&world).findings[0].clauses[0].lower > 0.99);
    for (place, case) in world.evidence.cases.iter_mut().enumerate() {
        case.twins.film = Some(place % 12);
    }
    let judgement = judged(&world);
    let clause = &judgement.findings[0].clauses[0];
    assert!(clause.lower < 0.8 && clause.effective.is_some_and(|cases| cases < 12.5), "{clause:?}");
    assert_eq!(clause.verdict, Verdict::Inconclusive);
}

proptest! {
    /// Whatever the model answers, no requirement passes on a cell whose attack altered no case.
    #[test]
    fn an_attack_that_altered_nothing_is_no_evidence(
        strengths in proptest::collection::vec(0.01_f64..0.5, 1..4),
        is_joint in any::<bool>(),
        untouched in 0_usize..4,
        threshold in 0.0_f64..0.9,
    ) {
        let mut world = World::new(&even(100));
        let mut cells = vec![world.cell(FUSION, Attack::default(), |_, _| true)];
        for epsilon in strengths {
            let text = if is_joint { deletion().text } else { vec![] };
            cells.push(world.cell(FUSION, Attack { text, ..pgd(epsilon) }, |_, _| true));
        }
        let untouched = cells[1 + untouched % (cells.len() - 1)];
        for outcome in &mut world.evidence.cells[untouched].outcomes {
            (outcome.change, outcome.edits, outcome.acted) = (0.0, 0, false);
        }
        let words = "fusion accuracy under an attack";
        world.require(words, vec![at_least(words, FUSION, cells, threshold)]);
        let findings = judge(&world.plan, &world.evidence);
        prop_assert_eq!(findings[0].verdict, Verdict::Error);
        prop_assert!(findings[0].clauses[0].reason.contains("altered none of 100 cases"));
    }

    /// Whatever is planted, a raised check never leaves a pass, and an unwaived one never the exit code 0.
    #[test]
    fn a_raised_check_is_never_a_pass(
        zero in 0_u32..=32,
        unrepeatable in 0_u32..3,
        cosine in -1.0_f32..1.0,
        patients in 0_usize..3,
        least in 1_usize..20,
    ) {
        let mut world = healthy();
        let health = &mut world.evidence.health[FUSION];
        health.unrepeatable = unrepeatable;
        let gradient = health.gradient.as_mut().expect("it reads images");
        (gradient.zero, gradient.cosine) = (zero, cosine);
        world.evidence.data.patients_in_two_parts = patients;
        set(&mut world.evidence.cells[2].outcomes, from(least));
        full(&mut world.evidence.cells[2].outcomes, 0.1);
        let judgement = judged(&world);
        let counts = judgement.checks.iter().any(|raised| raised.counts().is_some());
        prop_assert!(!counts || judgement.exit_code() != 0);
        let clause = &world.plan.requirements[0].clauses[0];
        let bears = |raised: &&medcert::judge::Raised| {
            raised.counts().is_some() && raised.cells.as_ref().is_none_or(|cells| clause.cells.iter().any(|cell| cells.contains(cell)))
        };
        let excused = |raised: &&medcert::judge::Raised| raised.excused_by.iter().any(|cell| clause.cells.contains(cell));
        if judgement.checks.iter().filter(bears).any(|raised| !excused(&raised)) {
            prop_assert_ne!(judgement.findings[0].verdict, Verdict::Pass);
        }
    }
}
