//! Bounds that hold at every number of cases: how often they are ever crossed, exactly and by simulation.

use medcert::random::{stream, uniform};
use medcert::stats::{Sequence, log_wealth, lower_bound};
use proptest::prelude::*;

const ALPHA: f64 = 0.05;

/// Probability that the lower bound is above the true share at any of the first `most` cases, over all paths: states
/// (cases, successes) that have not crossed, one case after the other.
fn crossing(share: f64, alpha: f64, most: u64) -> f64 {
    let mut alive = vec![1.0_f64];
    let (mut crossed, mut boundary, mut first) = (0.0, 1_u64, 0_usize);
    for n in 1..=most {
        alive.push(0.0);
        for k in (first + 1..alive.len()).rev() {
            alive[k] = alive[k] * (1.0 - share) + alive[k - 1] * share;
        }
        alive[first] *= 1.0 - share;
        while alive.get(first).is_some_and(|&chance| chance < 1e-18) && first + 1 < alive.len() {
            first += 1;
        }
        while boundary <= n && log_wealth(boundary, n, share) < -alpha.ln() {
            boundary += 1;
        }
        while alive.len() as u64 > boundary {
            crossed += alive.pop().unwrap_or_default();
        }
        first = first.min(alive.len().saturating_sub(1));
    }
    crossed
}

#[test]
fn ten_thousand_looks_cross_with_probability_alpha_at_most() {
    for share in [0.05, 0.5, 0.8, 0.9, 0.95, 0.99] {
        let crossed = crossing(share, ALPHA, 10_000);
        eprintln!("share {share}: crossed with probability {crossed:.4}");
        assert!(crossed <= ALPHA, "{share}: {crossed}");
        assert!(crossed > 0.005, "{share}: {crossed}, so wide that it shows nothing");
    }
}

#[test]
fn peeking_at_a_fixed_bound_crosses_far_more_often() {
    let (runs, looks, share) = (400, 400, 0.9);
    let mut rng = stream(&["peeking"]);
    let (mut fixed, mut anytime) = (0, 0);
    for _ in 0..runs {
        let mut sequence = Sequence::new(ALPHA);
        let (mut successes, mut peeked) = (0, false);
        for n in 1..=looks {
            let success = f64::from(uniform(&mut rng)) < share;
            successes += u64::from(success);
            sequence.push(success);
            peeked = peeked || (n % 20 == 0 && lower_bound(successes, n, ALPHA) > share);
        }
        fixed += u32::from(peeked);
        anytime += u32::from(sequence.lower() > share);
        assert!(sequence.lower() <= sequence.upper());
    }
    let exact = crossing(share, ALPHA, looks);
    let deviation = (exact * (1.0 - exact) / f64::from(runs)).sqrt();
    assert!(
        (f64::from(anytime) / f64::from(runs) - exact).abs() < 4.0 * deviation,
        "{anytime} against {exact}"
    );
    assert!(f64::from(fixed) / f64::from(runs) > 2.0 * ALPHA, "{fixed} of {runs}");
}

#[test]
fn a_good_model_is_told_early_and_a_bad_one_too() {
    let stops = |share: f64| {
        let mut rng = stream(&["stopping", &share.to_string()]);
        let mut sequence = Sequence::new(ALPHA);
        let decided = (1..2000).find(|_| {
            sequence.push(f64::from(uniform(&mut rng)) < share);
            sequence.lower() >= 0.9 || sequence.upper() < 0.9
        });
        (decided, sequence.lower() >= 0.9)
    };
    assert!(matches!(stops(0.99), (Some(30..=300), true)), "{:?}", stops(0.99));
    assert!(matches!(stops(0.7), (Some(10..=300), false)), "{:?}", stops(0.7));
}

proptest! {
    #[test]
    fn the_bounds_only_close_in(cases in prop::collection::vec(prop::bool::weighted(0.8), 1..80)) {
        let (mut there, mut turned) = (Sequence::new(ALPHA), Sequence::new(ALPHA));
        let (mut lower, mut upper) = (0.0, 1.0);
        for case in cases {
            there.push(case);
            turned.push(!case);
            prop_assert!(there.lower() >= lower && there.upper() <= upper);
            prop_assert!((there.lower() + turned.upper() - 1.0).abs() < 1e-9);
            (lower, upper) = (there.lower(), there.upper());
        }
    }

    #[test]
    fn what_is_below_the_bound_is_ruined(successes in 1_u64..200, failures in 0_u64..200) {
        // the wealth against a share falls as the share rises, up to the rate
        let n = successes + failures;
        let rate = successes as f64 / n as f64;
        let wealth: Vec<f64> = (1..40).map(|part| log_wealth(successes, n, rate * f64::from(part) / 40.0)).collect();
        prop_assert!(wealth.windows(2).all(|pair| pair[0] >= pair[1] - 1e-6), "{wealth:?}");
    }
}
