//! Cells that end early: when they may, that a spec at its thresholds hardly ever passes for it, and that the whole is
//! the same however it was cut.

use crate::made_evidence;

use made_evidence::{World, at_least, beside, deletion, even, fgsm, measuring, no_regression};
use medcert::evidence::{CellPiece, Evidence, Piece, Pieces, Regressions};
use medcert::judge::early::whole;
use medcert::judge::{Baseline, Comparison, Verdict, judge};
use medcert::plan::Attack;
use medcert::random::{stream, uniform};
use medcert::report;
use medcert::report::snapshot::{self, outcomes};
use medcert::report::table;
use medcert::report::terminal::Style;
use medcert::spec::Metric;

const CHUNK: usize = 32;

/// What all chunks show, apart from what they have in common.
fn cut(world: &World) -> (Evidence, Pieces) {
    let mut head = world.evidence.clone();
    head.run.early = true;
    let whole = head.clone();
    head.health.clear();
    head.cells.iter_mut().chain(&mut head.probes).for_each(|cell| cell.outcomes.clear());
    let mut pieces = Vec::new();
    for (model, facts) in whole.models.iter().enumerate() {
        for start in (0..whole.cases.len()).step_by(CHUNK) {
            let of = |cell: &medcert::evidence::Cell| {
                let end = (start + CHUNK).min(cell.outcomes.len());
                cell.outcomes.get(start..end).unwrap_or_default().to_vec()
            };
            let cell = |cell| {
                let (counterexamples, regressions) = (vec![], Regressions::default());
                Some(CellPiece { outcomes: of(cell), counterexamples, regressions })
            };
            let own = |cell: &&medcert::evidence::Cell| cell.model == facts.name;
            let piece = Piece {
                cells: whole.cells.iter().filter(own).map(cell).collect(),
                probes: whole.probes.iter().filter(own).map(of).collect(),
                certificates: vec![],
                health: (start == 0).then(|| whole.health[model].clone()),
            };
            pieces.push((model, start / CHUNK, piece));
        }
    }
    (head, pieces)
}

/// What a run that ends early sees of a world.
fn early(world: &World) -> Evidence {
    let (head, pieces) = cut(world);
    whole(&world.plan, head, pieces).expect("evidence")
}

fn counted(evidence: &Evidence) -> Vec<usize> {
    evidence.cells.iter().map(|cell| cell.outcomes.len()).collect()
}

fn verdicts(world: &World, evidence: &Evidence) -> Vec<Verdict> {
    judge(&world.plan, evidence).iter().map(|finding| finding.verdict).collect()
}

/// A model that is plainly good, and plainly broken by an attack.
fn clear_cut(cases: usize) -> World {
    let mut world = World::new(&even(cases));
    let clean = world.cell(0, Attack::default(), |place, _| place % 25 != 3);
    let broken = world.cell(0, fgsm(0.1), |place, _| place % 5 == 0);
    let text = world.cell(1, Attack::default(), |place, _| place % 30 != 7);
    let deleted = world.cell(1, deletion(), |place, _| place % 15 != 7);
    world.row("clean", vec![vec![clean], vec![text], vec![]]);
    world.row("FGSM ε=0.1", vec![vec![broken], vec![], vec![]]);
    world.row("50% deletion", vec![vec![], vec![deleted], vec![]]);
    world.require("a", vec![at_least("vision accuracy ≥ 75%", 0, vec![clean], 0.75)]);
    world.require("b", vec![at_least("vision accuracy ≥ 60% at FGSM ε=0.1", 0, vec![broken], 0.6)]);
    world.require("c", vec![at_least("language accuracy ≥ 70% under 50% deletion", 1, vec![deleted], 0.7)]);
    world
}

#[test]
fn a_clear_cut_spec_takes_a_fifth_of_the_cases_and_has_the_same_verdicts() {
    let world = clear_cut(960);
    let evidence = early(&world);
    let (taken, all) = (counted(&evidence).iter().sum::<usize>(), 4 * 960);
    eprintln!("{taken} of {all} cases: {:?}", counted(&evidence));
    assert!(taken * 5 <= all, "{taken} of {all}");
    assert_eq!(verdicts(&world, &evidence), verdicts(&world, &world.evidence));
    assert_eq!(verdicts(&world, &evidence), [Verdict::Pass, Verdict::Fail, Verdict::Pass]);
    // a model's clean cell is the last to end
    let counts = counted(&evidence);
    assert!(counts[0] >= counts[1] && counts[2] >= counts[3], "{counts:?}");
}

#[test]
fn a_spec_at_its_thresholds_hardly_ever_passes() {
    // patients of one case, and patients whose four cases always agree
    for clump in [1, 4] {
        let mut passes = 0;
        for run in 0..200 {
            let mut rng = stream(&["thresholds", &clump.to_string(), &run.to_string()]);
            let mut draw = |share: f64| -> Vec<bool> {
                let patients: Vec<bool> =
                    (0..480 / clump).map(|_| f64::from(uniform(&mut rng)) < share).collect();
                (0..480).map(|place| patients[place / clump]).collect()
            };
            let (first, second) = (draw(0.8), draw(0.7));
            let mut world = World::new(&even(480));
            world.cases_a_patient(clump);
            let vision = world.cell(0, Attack::default(), |place, _| first[place]);
            let language = world.cell(1, Attack::default(), |place, _| second[place]);
            world.require("a", vec![at_least("vision accuracy ≥ 80%", 0, vec![vision], 0.8)]);
            world.require("b", vec![at_least("language accuracy ≥ 70%", 1, vec![language], 0.7)]);
            let evidence = early(&world);
            passes += usize::from(verdicts(&world, &evidence).contains(&Verdict::Pass));
        }
        eprintln!("{passes} of 200 with {clump} cases a patient");
        assert!(passes <= 17, "{passes} of 200 passed; one in twenty may");
    }
}

#[test]
fn the_whole_is_the_same_however_it_was_cut() {
    let world = clear_cut(320);
    let evidence = early(&world);
    // a run that ended its cells as it went, put together again
    let mut ended = world.evidence.clone();
    ended.cells = evidence.cells.clone();
    let (head, mut pieces) = cut(&World { plan: world.plan.clone(), evidence: ended });
    for (_, _, piece) in &mut pieces {
        for cell in &mut piece.cells {
            *cell = cell.take().filter(|cell| !cell.outcomes.is_empty());
        }
    }
    pieces.reverse();
    assert_eq!(whole(&world.plan, head, pieces).expect("evidence"), evidence);
}

#[test]
fn what_needs_every_case_runs_in_full() {
    let mut world = clear_cut(320);
    let words = "language accuracy ≥ vision accuracy";
    world.require(words, vec![beside(0, vec![0], 0.0, at_least(words, 1, vec![2], 0.0))]);
    assert_eq!(world.plan.in_full(), [0, 2]);
    let counts = counted(&early(&world));
    assert_eq!((counts[0], counts[2]), (320, 320));
    assert!(counts[1] < 320 && counts[3] < 320, "{counts:?}");
    // and a comparison with what was accepted
    let mut world = clear_cut(320);
    world.require("no regression", vec![]);
    let last = world.plan.requirements.last_mut().expect("a sentence");
    last.regression = Some(no_regression(vec![1], 0.01));
    assert_eq!(counted(&early(&world))[1], 320);
    // judged by a sentence that it was not run for
    let mut world = clear_cut(320);
    let evidence = early(&world);
    let words = "vision auroc ≥ 80%";
    world.require(words, vec![measuring(Metric::Auroc, at_least(words, 0, vec![0], 0.8))]);
    let finding = judge(&world.plan, &evidence).pop().expect("a finding");
    assert_eq!(finding.verdict, Verdict::Error);
    assert!(finding.clauses[0].reason.contains("it needs every case"), "{}", finding.clauses[0].reason);
}

#[test]
fn few_cases_make_nothing_vacuous() {
    // seven of ten are abnormal: 85 % passes 60 % long before it can be told from the majority
    let labels: Vec<bool> = (0..960).map(|place| place % 10 < 7).collect();
    let mut world = World::new(&labels);
    let clean = world.cell(0, Attack::default(), |place, _| place % 20 > 2);
    world.require("a", vec![at_least("vision accuracy ≥ 60%", 0, vec![clean], 0.6)]);
    let evidence = early(&world);
    let told = counted(&evidence)[0];
    assert!((96..960).contains(&told), "{told}");
    let judgement = World { plan: world.plan.clone(), evidence }.judged();
    assert_eq!(judgement.findings[0].verdict, Verdict::Pass, "{judgement:?}");
    // the clean cell goes on until it is told from a trivial baseline, and an attacked one does not
    let mut world = World::new(&even(960));
    let _ = world.cell(2, Attack::default(), |place, _| place % 25 != 3);
    let attacked = world.cell(2, fgsm(0.1), |place, _| place % 10 != 3 && place % 25 != 3);
    world.evidence.baselines.push(medcert::evidence::Baseline {
        name: "bag of words, findings".into(),
        right: (0..960).map(|place| if place % 8 == 1 { '0' } else { '1' }).collect(),
        finding: None,
    });
    world.require("a", vec![at_least("fusion accuracy ≥ 70%", 2, vec![attacked], 0.7)]);
    let evidence = early(&world);
    let counts = counted(&evidence);
    assert!(counts[1] <= 128 && counts[0] > counts[1], "{counts:?}");
    assert_eq!(World { plan: world.plan.clone(), evidence }.judged().exit_code(), 0);
}

#[test]
fn a_cell_that_is_short_for_no_reason_is_an_error() {
    let world = clear_cut(320);
    let mut evidence = early(&world);
    evidence.run.early = false;
    assert!(verdicts(&world, &evidence).iter().all(|verdict| *verdict == Verdict::Error));
    // an attack on cases that were not seen clean
    let mut evidence = early(&world);
    evidence.cells[0].outcomes.truncate(32);
    evidence.cells[1].outcomes.truncate(33);
    evidence.cells[1].outcomes.resize(64, world.evidence.cells[1].outcomes[0]);
    assert!(verdicts(&world, &evidence).iter().all(|verdict| *verdict == Verdict::Error));
    let mut evidence = early(&world);
    evidence.cells[1].outcomes.clear();
    assert!(verdicts(&world, &evidence).iter().all(|verdict| *verdict == Verdict::Error));
}

#[test]
fn what_was_accepted_is_compared_on_the_cases_of_both() {
    let world = clear_cut(320);
    let (evidence, full) = (early(&world), Evidence { run: early(&world).run, ..world.evidence.clone() });
    let of = |evidence: &Evidence| World { plan: world.plan.clone(), evidence: evidence.clone() };
    let then = of(&evidence);
    let judgement = then.judged();
    let result = report::ReportInput {
        plan: &then.plan,
        evidence: &then.evidence,
        judgement: &judgement,
        accepted: None,
    };
    let baseline = outcomes::parse(&snapshot::render(result)).expect("sound").expect("there");
    assert_eq!(baseline.cells, Baseline::of(&evidence).expect("sound").cells);
    let comparison = Comparison::new(&baseline, &full).expect("comparable");
    let trials: Vec<usize> = comparison.cells.iter().map(|cell| cell.trials).collect();
    assert_eq!(trials, counted(&evidence));
    assert!(comparison.cells.iter().all(|cell| !cell.is_changed()));
}

#[test]
fn the_table_says_where_a_cell_ended() {
    let world = clear_cut(320);
    let evidence = early(&world);
    let world = World { plan: world.plan, evidence };
    let judgement = world.judged();
    let result = report::ReportInput {
        plan: &world.plan,
        evidence: &world.evidence,
        judgement: &judgement,
        accepted: None,
    };
    insta::assert_snapshot!(table::render(result, Style { width: 120, color: false }));
}
