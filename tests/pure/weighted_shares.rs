//! The promise of the bounds of expected harm: exactly, by summing over every outcome of independent cases, and by simulation
//! where patients have several cases and two findings go together.

use medcert::random::{stream, uniform};
use medcert::stats::WeightedShares;
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;

const ALPHA: f64 = 0.05;

fn chance(rng: &mut ChaCha12Rng) -> f64 {
    f64::from(uniform(rng))
}

/// So many independent cases: missed, overcalled, and the rest right.
fn independent([missed, overcalled, cases]: [usize; 3]) -> Vec<(usize, Option<usize>)> {
    let error = |place: usize| match place {
        _ if place < missed => Some(0),
        _ if place < missed + overcalled => Some(1),
        _ => None,
    };
    (0..cases).map(|place| (place, error(place))).collect()
}

/// How often the upper bound is below the truth: the sum over every number of missed and overcalled cases, each with its
/// probability.
fn misses([missed, overcalled]: [f64; 2], costs: [f64; 2], cases: usize) -> f64 {
    let truth = missed * costs[0] + overcalled * costs[1];
    let choose = |all: usize, some: usize| -> f64 {
        (0..some).map(|place| ((all - place) as f64 / (place + 1) as f64).ln()).sum()
    };
    let times = |share: f64, count: usize| if count == 0 { 0.0 } else { count as f64 * share.ln() };
    let mut sum = 0.0;
    for m in 0..=cases {
        for o in 0..=cases - m {
            let rest = times(1.0 - missed - overcalled, cases - m - o);
            let log =
                choose(cases, m) + choose(cases - m, o) + times(missed, m) + times(overcalled, o) + rest;
            if log > -30.0 {
                let bound = WeightedShares::of(&costs, &independent([m, o, cases])).upper(ALPHA);
                sum += log.exp() * f64::from(bound < truth - 1e-9);
            }
        }
    }
    sum
}

#[test]
fn the_upper_bound_of_independent_cases_holds_exactly() {
    let mut worst = 0.0_f64;
    for shares in [[0.02, 0.98], [0.02, 0.2], [0.1, 0.1], [0.005, 0.05], [0.3, 0.3], [0.02, 0.0]] {
        for costs in [[20.0, 1.0], [1.0, 1.0], [1.0, 0.0], [1000.0, 1.0]] {
            let found = misses(shares, costs, 40);
            assert!(found <= ALPHA, "{shares:?} {costs:?}: {found}");
            worst = worst.max(found);
        }
    }
    assert!(worst > 0.01, "wider than it needs to be: {worst}");
}

/// The harm of patients with several cases and two findings. A patient's draws agree with the given correlation, and so do those
/// of the two findings.
fn drawn(rng: &mut ChaCha12Rng, patients: usize, correlation: f64, costs: [f64; 2]) -> WeightedShares {
    let mut cases: [Vec<(usize, Option<usize>)>; 2] = Default::default();
    for patient in 0..patients {
        let shared = chance(rng);
        for _ in 0..=(chance(rng) * 4.0) as usize {
            for finding in &mut cases {
                let draw = if chance(rng) < correlation { shared } else { chance(rng) };
                finding.push((patient, error(draw)));
            }
        }
    }
    WeightedShares::sum(cases.iter().map(|cases| WeightedShares::of(&costs, cases)))
}

/// One case in twenty is missed, one in five is overcalled.
fn error(draw: f64) -> Option<usize> {
    match draw {
        _ if draw < 0.05 => Some(0),
        _ if draw < 0.25 => Some(1),
        _ => None,
    }
}

#[test]
fn the_bounds_of_a_sum_hold_by_patients() {
    let (runs, costs) = (100, [20.0, 1.0]);
    let truth = 2.0 * (0.05 * 20.0 + 0.2);
    for correlation in [0.0, 0.5, 0.9] {
        let mut rng = stream(&["harm by patients", &correlation.to_string()]);
        let mut missed = [0.0; 2];
        for _ in 0..runs {
            let found = drawn(&mut rng, 60, correlation, costs);
            missed[0] += f64::from(found.lower(ALPHA) > truth);
            missed[1] += f64::from(found.upper(ALPHA) < truth);
        }
        let allowed = ALPHA + 3.0 * (ALPHA * (1.0 - ALPHA) / f64::from(runs)).sqrt();
        let missed = missed.map(|count| count / f64::from(runs));
        assert!(missed[0] <= allowed && missed[1] <= allowed, "{correlation}: {missed:?}");
    }
}

proptest! {
    /// The bounds stand around the value, scale with the unit of the costs, and decide as the p-value does.
    #[test]
    fn the_bounds_are_of_one_piece(
        missed in 0_usize..40, overcalled in 0_usize..40, more in 1_usize..60,
        costs in prop::array::uniform2(0.0..50.0_f64), alpha in 0.001..0.2_f64,
    ) {
        let cases = independent([missed, overcalled, missed + overcalled + more]);
        let found = WeightedShares::of(&costs, &cases);
        let (lower, value, upper) = (found.lower(alpha), found.value(), found.upper(alpha));
        prop_assert!(lower <= value + 1e-9 && value <= upper + 1e-9);
        prop_assert!(upper <= costs[0].max(costs[1]) + 1e-9);
        let double = WeightedShares::of(&costs.map(|cost| cost * 2.0), &cases);
        prop_assert!((double.upper(alpha) - 2.0 * upper).abs() < 1e-9);
        prop_assert!(found.p_at_most(upper * 1.001 + 1e-9) <= alpha * 1.01);
        prop_assert!(found.p_at_most(upper * 0.999 - 1e-6) >= alpha * 0.99);
        let all = cases.len() as u64;
        let among = found.among(all, alpha, alpha);
        prop_assert!((among.0 - lower).abs() < 1e-9 && (among.1 - upper).abs() < 1e-9);
    }
}

#[test]
fn nothing_counted_shows_nothing() {
    let none = WeightedShares::of(&[20.0, 1.0], &Vec::<(usize, Option<usize>)>::new());
    assert_eq!(
        (none.value(), none.lower(ALPHA), none.upper(ALPHA), none.p_at_most(20.0)),
        (0.0, 0.0, 20.0, 1.0)
    );
}
