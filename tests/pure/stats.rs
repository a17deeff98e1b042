//! The promises of the statistics, by exact enumeration.

use medcert::stats::{
    binomial, cases_needed, lower_bound, mcnemar_exact, paired_difference_bounds, paired_score_lower,
    upper_bound, wilson,
};
use proptest::prelude::*;

const ALPHA: f64 = 0.05;

/// Probability that a bound computed from k of n keeps its promise at p.
fn coverage(n: u64, p: f64, keeps: impl Fn(u64) -> bool) -> f64 {
    (0..=n).filter(|&k| keeps(k)).map(|k| binomial(k, n, p)).sum()
}

#[test]
fn the_bounds_cover_at_least_as_promised() {
    for n in (1..=40).chain([101, 270, 540]) {
        for p in (1..100).map(|percent| f64::from(percent) / 100.0) {
            let lower = coverage(n, p, |k| lower_bound(k, n, ALPHA) <= p);
            let upper = coverage(n, p, |k| upper_bound(k, n, ALPHA) >= p);
            assert!(
                lower >= 1.0 - ALPHA - 1e-9 && upper >= 1.0 - ALPHA - 1e-9,
                "n {n}, p {p}: {lower}, {upper}"
            );
        }
    }
}

#[test]
fn a_gate_on_the_bound_passes_a_model_at_the_threshold_one_time_in_twenty_at_most() {
    let mut worst_estimate = 0.0_f64;
    for n in [100, 270, 540] {
        for threshold in [0.8, 0.9, 0.95] {
            let by_bound = coverage(n, threshold, |k| lower_bound(k, n, ALPHA) >= threshold);
            let by_estimate = coverage(n, threshold, |k| k as f64 / n as f64 >= threshold);
            assert!(by_bound <= ALPHA + 1e-9, "n {n}, threshold {threshold}: {by_bound}");
            worst_estimate = worst_estimate.max(by_estimate);
        }
    }
    assert!(worst_estimate > 0.5, "the point estimate passes it about every other time: {worst_estimate}");
}

#[test]
fn the_bounds_are_the_inverse_beta_of_another_library() {
    for n in [1, 2, 7, 50, 540, 5000] {
        for k in (0..=n).step_by((n / 7).max(1) as usize) {
            if k > 0 {
                let other = puruspe::invbetai(ALPHA, k as f64, (n - k) as f64 + 1.0);
                assert!((lower_bound(k, n, ALPHA) - other).abs() < 1e-7, "{k} of {n}");
            }
        }
    }
}

#[test]
fn known_values() {
    // the deletion cell of Mozhegova et al.: 81.28 % of 721
    assert!((lower_bound(586, 721, ALPHA) - 0.787).abs() < 0.0005);
    assert!((lower_bound(10, 10, ALPHA) - ALPHA.powf(0.1)).abs() < 1e-9);
    assert!((mcnemar_exact(8, 2) - 0.109_375).abs() < 1e-12);
    assert!((mcnemar_exact(3, 3) - 1.0).abs() < 1e-12 && (mcnemar_exact(0, 0) - 1.0).abs() < 1e-12);
    let (low, high) = wilson(81, 100);
    assert!((low - 0.7222).abs() < 0.0005 && (high - 0.8749).abs() < 0.0005, "{low} {high}");
}

#[test]
fn the_cases_needed_are_the_fewest_from_which_on_the_power_stays() {
    // rough numbers by another reckoning: 1500, 600, 239 and 400
    for (threshold, truth, rough) in [(0.9, 0.92, 1500), (0.9, 0.93, 600), (0.9, 0.95, 239), (0.8, 0.85, 400)]
    {
        let needed = cases_needed(threshold, truth, 0.8, ALPHA).expect("a number");
        assert!(needed.abs_diff(rough) * 5 <= rough, "{threshold} {truth}: {needed}");
        let power = |n: u64| coverage(n, truth, |k| lower_bound(k, n, ALPHA) >= threshold);
        assert!(power(needed - 1) < 0.8);
        assert!((needed..needed + 40).all(|n| power(n) >= 0.8));
    }
    assert_eq!(cases_needed(0.9, 0.9, 0.8, ALPHA), None);
}

#[test]
fn no_trial_shows_nothing() {
    assert_eq!((lower_bound(0, 0, ALPHA), upper_bound(0, 0, ALPHA)), (0.0, 1.0));
    let (low, high) = paired_difference_bounds(0, 0, 0, ALPHA);
    assert!(low <= -1.0 && high >= 1.0);
}

#[test]
fn the_paired_bound_covers_at_least_as_promised() {
    // every (gained, lost) of n pairs, from a trinomial of two discordant kinds
    for n in [5_u64, 12, 30] {
        for (gain, loss) in [(0.1, 0.1), (0.3, 0.1), (0.05, 0.4), (0.02, 0.01), (0.5, 0.5 - 1e-9)] {
            let mut covered = 0.0;
            for gained in 0..=n {
                for lost in 0..=n - gained {
                    let chance = binomial(gained, n, gain) * binomial(lost, n - gained, loss / (1.0 - gain));
                    let (low, _) = paired_difference_bounds(gained, lost, n, ALPHA);
                    if low <= gain - loss {
                        covered += chance;
                    }
                }
            }
            assert!(covered >= 1.0 - ALPHA - 1e-9, "n {n}, {gain} against {loss}: {covered}");
        }
    }
}

proptest! {
    #[test]
    fn bounds_are_monotone_and_hold_the_estimate(n in 1_u64..2000, share in 0.0..=1.0_f64) {
        let k = (share * n as f64) as u64;
        let (low, high) = (lower_bound(k, n, ALPHA), upper_bound(k, n, ALPHA));
        let estimate = k as f64 / n as f64;
        prop_assert!(0.0 <= low && low <= estimate && estimate <= high && high <= 1.0);
        if k < n {
            prop_assert!(lower_bound(k + 1, n, ALPHA) > low && upper_bound(k + 1, n, ALPHA) >= high);
        }
    }

    #[test]
    fn the_paired_bounds_mirror(gained in 0_u64..100, lost in 0_u64..100, more in 0_u64..300) {
        let n = gained + lost + more;
        let (low, high) = paired_difference_bounds(gained, lost, n, ALPHA);
        let (mirrored_low, mirrored_high) = paired_difference_bounds(lost, gained, n, ALPHA);
        prop_assert!((low + mirrored_high).abs() < 1e-9 && (high + mirrored_low).abs() < 1e-9);
    }
}

/// The truth of a paired difference: P(gained), P(lost).
fn misses(gained: f64, lost: f64, trials: u64) -> f64 {
    let truth = gained - lost;
    let mut missed = 0.0;
    for b in 0..=trials {
        let first = binomial(b, trials, gained);
        if first < 1e-9 {
            continue;
        }
        for c in 0..=trials - b {
            let both = first * binomial(c, trials - b, lost / (1.0 - gained));
            if both > 1e-12 && paired_score_lower(b, c, trials, 0.05) > truth {
                missed += both;
            }
        }
    }
    missed
}

/// Exact enumeration of how often the score bound lies above the truth.
#[test]
fn the_score_bound_of_a_paired_difference_nearly_keeps_its_level() {
    let mut worst = (0.0, String::new());
    for trials in [60, 150, 400] {
        for (gained, lost) in [(0.02, 0.01), (0.05, 0.05), (0.1, 0.03), (0.12, 0.06), (0.2, 0.1), (0.15, 0.3)]
        {
            let missed = misses(gained, lost, trials);
            if missed > worst.0 {
                worst = (missed, format!("{trials} cases, {gained} gained, {lost} lost"));
            }
        }
    }
    eprintln!("the score bound misses {:.4} of the time at worst: {}", worst.0, worst.1);
    assert!(worst.0 < 0.06, "{worst:?}");
    assert!(worst.0 > 0.03, "a bound that never misses is not the one that was meant");
    // without a discordant pair it has a closed form: z² / (n + z²)
    let squared = 1.644_853_626_951_472_f64.powi(2);
    assert!((paired_score_lower(0, 0, 100, 0.05) + squared / (100.0 + squared)).abs() < 1e-9);
}
