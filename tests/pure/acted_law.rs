//! The law that an attack is credited only where it acted, over every attack that a sentence may name and every metric.

use crate::made_evidence::{World, at_least, bounded, even, measuring};
use crate::notation::attack;

use medcert::judge::Verdict;
use medcert::plan::Attack;
use medcert::spec::{Bound, Costs, Direction, Harm, Metric};
use proptest::prelude::*;
use proptest::sample::select;

const CASES: usize = 200;
const FUSION: usize = 2;

/// A world in which the fusion is right on every case, clean and under an attack; `acted` says of each case whether the
/// attack altered it, and `parts` the same of a joint attack's sources.
fn world(attack: &Attack, metric: Metric, acted: impl Fn(usize) -> bool, parts: [bool; 2]) -> World {
    let mut world = World::new(&even(CASES));
    world.plan.spec.harm = Some(Harm::Alike(Costs { missed: 1.0, overcalled: 1.0 }));
    world.cell(FUSION, Attack::default(), |_, _| true);
    let mut cell = |attack: &Attack, acted: &dyn Fn(usize) -> bool| {
        let place = world.cell(FUSION, attack.clone(), |_, _| true);
        for (case, outcome) in world.evidence.cells[place].outcomes.iter_mut().enumerate() {
            outcome.acted = acted(case);
        }
        place
    };
    if let Some((image, text)) = attack.sources() {
        cell(&image, &|_| parts[0]);
        cell(&text, &|_| parts[1]);
    }
    let place = cell(attack, &acted);
    let bound = match metric.direction() {
        Direction::AtLeast => Bound::Rate(0.01),
        Direction::AtMost => Bound::AtMost(0.99),
    };
    let clause = measuring(metric, bounded(bound, at_least("it holds", FUSION, vec![place], 0.01)));
    world.require("it holds", vec![clause]);
    world.evidence.spec = world.plan.spec.fingerprint();
    world
}

fn verdict(world: &World) -> (Verdict, String) {
    let judgement = world.judged();
    let finding = &judgement.findings[0];
    (finding.verdict, finding.clauses[0].reason.clone())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nothing_passes_on_an_attack_that_altered_no_case(attack in attack(), metric in select(Metric::ALL)) {
        prop_assume!(!attack.is_clean());
        let (verdict, reason) = verdict(&world(&attack, metric, |_| false, [false; 2]));
        prop_assert_eq!(verdict, Verdict::Error, "{}: {}", attack, reason);
    }

    #[test]
    fn nothing_passes_on_a_joint_attack_of_which_a_source_altered_no_case(attack in attack(), metric in select(Metric::ALL), image: bool) {
        prop_assume!(attack.sources().is_some());
        let (verdict, reason) = verdict(&world(&attack, metric, |_| true, [image, !image]));
        prop_assert_eq!(verdict, Verdict::Error, "{}: {}", attack, reason);
    }

    #[test]
    fn nothing_passes_on_fewer_than_a_tenth_of_the_cases(attack in attack(), metric in select(Metric::ALL), acted in 1..20_usize) {
        let is_searched = |text: &medcert::spec::TextAttack| matches!(text.method, medcert::spec::TextMethod::Searched { .. });
        // a search over words has tried where it returns the report as it was
        prop_assume!(!attack.is_clean() && !attack.text.iter().any(is_searched));
        let (verdict, reason) = verdict(&world(&attack, metric, |case| case < acted, [true; 2]));
        prop_assert!(verdict != Verdict::Pass, "{}: {}", attack, reason);
    }
}

#[test]
fn how_many_cases_were_altered_is_said() {
    let attack = crate::made_evidence::fgsm(0.1);
    let (verdict, reason) = verdict(&world(&attack, Metric::Accuracy, |case| case < 5, [true; 2]));
    assert_eq!(verdict, Verdict::Inconclusive);
    assert!(
        reason.contains("FGSM ε=0.1 on fusion altered 5 of the 200 cases that are right when clean"),
        "{reason}"
    );
}
