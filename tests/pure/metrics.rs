//! Metrics of which less is better, areas and scores, and the worst of several groups: what is counted for each.

use crate::made_evidence;

use made_evidence::{World, at_least, bounded, even, fgsm, grouped, measuring};
use medcert::judge::{ClauseFinding, Estimate, Verdict, judge};
use medcert::plan::{Attack, Clause};
use medcert::spec::{Bound, Costs, Harm, Metric};

/// The finding on one clause.
fn judged(world: &World, clause: Clause) -> ClauseFinding {
    let mut plan = world.plan.clone();
    plan.requirements.clear();
    let world = &mut World { plan, evidence: world.evidence.clone() };
    world.require("s", vec![clause]);
    judge(&world.plan, &world.evidence).remove(0).clauses.remove(0)
}

fn at_most(metric: Metric, cell: usize, most: f64) -> Clause {
    measuring(metric, bounded(Bound::AtMost(most), at_least("c", 2, vec![cell], 0.0)))
}

/// 400 cases, every other one abnormal; wrong when clean on the first 20, and under the attack on the first 60 too.
fn attacked() -> (World, usize) {
    let mut world = World::new(&even(400));
    world.cell(2, Attack::default(), |place, _| place >= 20);
    let cell = world.cell(2, fgsm(0.1), |place, label| place >= 60 || (place >= 20 && !label));
    (world, cell)
}

#[test]
fn errors_are_counted_by_their_direction() {
    let (world, cell) = attacked();
    let count = |metric| judged(&world, at_most(metric, cell, 0.2)).estimate;
    assert_eq!(count(Metric::Flips), Estimate { successes: 20, trials: 380 });
    assert_eq!(count(Metric::Missed), Estimate { successes: 30, trials: 200 });
    assert_eq!(count(Metric::Overcalled), Estimate { successes: 10, trials: 200 });
    let reasons: Vec<String> =
        [(Metric::Flips, 0.1), (Metric::Missed, 0.15), (Metric::Overcalled, 0.01), (Metric::Overcalled, 0.2)]
            .into_iter()
            .map(|(metric, most)| judged(&world, at_most(metric, cell, most)))
            .map(|finding| format!("{} {}", finding.verdict, finding.reason))
            .collect();
    insta::assert_snapshot!(reasons.join("\n"));
}

#[test]
fn errors_mirror_what_is_right() {
    let (world, cell) = attacked();
    for threshold in [0.7, 0.8, 0.85, 0.9] {
        let right = measuring(Metric::Sensitivity, at_least("c", 2, vec![cell], threshold));
        let (right, missed) =
            (judged(&world, right), judged(&world, at_most(Metric::Missed, cell, 1.0 - threshold)));
        assert_eq!(right.verdict, missed.verdict, "{threshold}");
        assert!((right.lower + missed.upper - 1.0).abs() < 1e-9 && (right.p - missed.p).abs() < 1e-9);
    }
}

#[test]
fn costs_weigh_the_errors() {
    let (mut world, cell) = attacked();
    let without = judged(&world, at_most(Metric::Cost, cell, 0.5));
    assert_eq!((without.verdict, without.p), (Verdict::Error, 1.0));
    world.plan.spec.harm = Some(Harm::Alike(Costs { missed: 10.0, overcalled: 1.0 }));
    let found = judged(&world, at_most(Metric::Cost, cell, 2.0));
    assert!((found.value - (30.0 * 10.0 + 10.0) / 400.0).abs() < 1e-12, "{}", found.value);
    assert!(found.lower < found.value && found.value < found.upper && found.upper < 2.0);
    assert_eq!(found.verdict, Verdict::Pass);
    assert_eq!(judged(&world, at_most(Metric::Cost, cell, 0.1)).verdict, Verdict::Fail);
    // what errors cost has no unit
    world.plan.spec.harm = Some(Harm::Alike(Costs { missed: 20.0, overcalled: 2.0 }));
    let double = judged(&world, at_most(Metric::Cost, cell, 4.0));
    assert!((double.upper - 2.0 * found.upper).abs() < 1e-9 && double.verdict == Verdict::Pass);
}

/// Margins that rise with the place, so that the first cases of either class are the worst.
fn scored() -> (World, usize) {
    let (mut world, cell) = attacked();
    for cell in &mut world.evidence.cells {
        for (place, outcome) in cell.outcomes.iter_mut().enumerate() {
            let is_right = outcome.margin.is_some_and(|margin| margin > 0.0);
            outcome.margin = Some(if is_right { 1.0 + place as f32 / 100.0 } else { -1.0 });
        }
    }
    (world, cell)
}

#[test]
fn scores_are_ranked_and_calibrated() {
    let (world, cell) = scored();
    let area = measuring(Metric::Auroc, at_least("c", 2, vec![cell], 0.8));
    let found = judged(&world, area.clone());
    assert_eq!(found.verdict, Verdict::Pass, "{}", found.reason);
    // by hand: 30 of 200 abnormal score −1 and 10 of 200 normal score 1; the others are at least 2 apart
    let area_by_hand = (170.0 * 200.0 + 30.0 * 190.0 - 170.0 * 10.0) / 40_000.0;
    assert!(found.value > area_by_hand - 0.05 && found.value < 1.0, "{} {area_by_hand}", found.value);
    let mut told = vec![found];
    for (metric, most) in
        [(Metric::Brier, 0.2), (Metric::Brier, 0.05), (Metric::Ece, 0.2), (Metric::Ece, 0.001)]
    {
        let found = judged(&world, at_most(metric, cell, most));
        assert!(found.lower <= found.value && found.value <= found.upper);
        told.push(found);
    }
    let told: Vec<String> = told.iter().map(|one| format!("{} {}", one.verdict, one.reason)).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn an_answer_that_is_not_finite_is_the_worst_score() {
    let (mut world, cell) = scored();
    let area = measuring(Metric::Auroc, at_least("c", 2, vec![cell], 0.8));
    let brier = at_most(Metric::Brier, cell, 0.5);
    let before = (judged(&world, area.clone()).value, judged(&world, brier.clone()).value);
    world.evidence.cells[cell].outcomes[200].margin = None;
    world.evidence.cells[cell].outcomes[200].predicted = None;
    assert!(judged(&world, area.clone()).value < before.0 && judged(&world, brier).value > before.1);
    world.evidence.cells[cell].outcomes[3].flipped = true;
    assert_eq!(judged(&world, area).verdict, Verdict::Error);
}

#[test]
fn every_group_has_to_hold() {
    let (mut world, cell) = attacked();
    let clause = grouped("View", at_least("c", 2, vec![cell], 0.8));
    let lacking = judged(&world, clause.clone());
    assert_eq!(lacking.verdict, Verdict::Error);
    let mut told = vec![lacking.reason];
    for (place, case) in world.evidence.cases.iter_mut().enumerate() {
        let view = if place < 80 { "AP" } else { "PA" };
        case.groups = vec![("sex".into(), "F".into()), ("view".into(), view.into())];
    }
    let found = judged(&world, clause.clone());
    assert_eq!((found.group.as_deref(), found.verdict), (Some("AP"), Verdict::Fail));
    assert_eq!(found.estimate, Estimate { successes: 40, trials: 80 });
    told.push(found.reason);
    let whole = judged(&world, grouped("sex", clause.clone()));
    assert_eq!((whole.verdict, whole.estimate.trials), (Verdict::Pass, 400));
    // a group of its own: cases that lack the attribute
    world.evidence.cases[399].groups.clear();
    let missing = judged(&world, clause.clone());
    assert_eq!((missing.group.as_deref(), missing.verdict), (Some("AP"), Verdict::Fail));
    let other = judged(&world, grouped("age band", clause.clone()));
    told.push(other.reason);
    // a group in which there is nothing to count is no pass
    for (place, case) in world.evidence.cases.iter_mut().enumerate() {
        case.groups = vec![("view".into(), if place == 1 { "LL" } else { "PA" }.into())];
    }
    let none = judged(&world, measuring(Metric::Sensitivity, clause));
    assert_eq!(none.verdict, Verdict::Error);
    told.push(none.reason);
    insta::assert_snapshot!(told.join("\n"));
}
