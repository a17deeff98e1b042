//! Bounds that hold at every number of cases: how often they are ever crossed, exactly and by simulation.

use medcert::random::{stream, uniform};
use medcert::stats::{Sequence, lower_bound};
use proptest::prelude::*;

const ALPHA: f64 = 0.05;

/// The sequence of patients of one case each.
fn single(cases: &[bool]) -> Sequence {
    Sequence::of(cases.iter().map(|&success| (u64::from(success), 1)), 1)
}

/// Logarithm of the wealth after so many cases, whatever their order: the mean over 64 bets.
fn log_wealth(successes: u64, trials: u64, share: f64) -> f64 {
    let bets = (0..64).map(|bet| (f64::from(bet) + 0.5) / 64.0);
    let log = |f: f64| {
        successes as f64 * (f * (1.0 / share - 1.0)).ln_1p() + (trials - successes) as f64 * (-f).ln_1p()
    };
    let logs: Vec<f64> = bets.map(log).collect();
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + (logs.iter().map(|one| (one - most).exp()).sum::<f64>() / 64.0).ln()
}

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
        let cases: Vec<bool> = (0..looks).map(|_| f64::from(uniform(&mut rng)) < share).collect();
        let (mut successes, mut peeked) = (0, false);
        for (n, success) in (1..).zip(&cases) {
            successes += u64::from(*success);
            peeked = peeked || (n % 20 == 0 && lower_bound(successes, n, ALPHA) > share);
        }
        fixed += u32::from(peeked);
        anytime += u32::from(single(&cases).p_at_least(share) <= ALPHA);
    }
    // a little less often than at every look
    let exact = crossing(share, ALPHA, looks);
    let deviation = (exact * (1.0 - exact) / f64::from(runs)).sqrt();
    let rate = f64::from(anytime) / f64::from(runs);
    assert!(rate < exact + 4.0 * deviation && rate > exact / 3.0, "{anytime} against {exact}");
    assert!(f64::from(fixed) / f64::from(runs) > 2.0 * ALPHA, "{fixed} of {runs}");
}

#[test]
fn a_good_model_is_told_early_and_a_bad_one_too() {
    let stops = |share: f64| {
        let mut rng = stream(&["stopping", &share.to_string()]);
        let cases: Vec<bool> = (0..2000).map(|_| f64::from(uniform(&mut rng)) < share).collect();
        let decided = (10..2000).step_by(10).find(|&n| {
            let seen = single(&cases[..n]);
            seen.p_at_least(0.9) <= ALPHA || seen.p_at_most(0.9) <= ALPHA
        });
        (decided, decided.is_some_and(|n| single(&cases[..n]).lower(ALPHA) >= 0.9))
    };
    assert!(matches!(stops(0.99), (Some(30..=300), true)), "{:?}", stops(0.99));
    assert!(matches!(stops(0.7), (Some(10..=300), false)), "{:?}", stops(0.7));
}

#[test]
fn patients_whose_cases_agree_are_worth_one_case_each() {
    let draws = |rng: &mut _| -> Vec<bool> { (0..300).map(|_| f64::from(uniform(rng)) < 0.8).collect() };
    let mut rng = stream(&["clumps"]);
    let runs = 300;
    let (mut clumped, mut taken_apart) = (0, 0);
    for _ in 0..runs {
        let patients = draws(&mut rng);
        let five = Sequence::of(patients.iter().map(|&success| (5 * u64::from(success), 5)), 5);
        clumped += u32::from(five.p_at_least(0.8) <= ALPHA);
        let cases: Vec<bool> = patients.iter().flat_map(|&success| [success; 5]).collect();
        taken_apart += u32::from(single(&cases).p_at_least(0.8) <= ALPHA);
        assert!((five.p_at_least(0.8) - single(&patients).p_at_least(0.8)).abs() < 1e-9);
    }
    assert!(f64::from(clumped) <= ALPHA * f64::from(runs) + 11.0, "{clumped}");
    assert!(f64::from(taken_apart) > 3.0 * ALPHA * f64::from(runs), "{taken_apart}");
}

proptest! {
    #[test]
    fn the_bounds_only_close_in(
        patients in prop::collection::vec((1_u64..4).prop_flat_map(|cases| (0..=cases, Just(cases))), 1..60),
        share in 0.05_f64..0.95,
    ) {
        let turned = |n: usize| {
            Sequence::of(patients[..n].iter().map(|&(successes, cases)| (cases - successes, cases)), 4)
        };
        let (mut lower, mut upper, mut p) = (0.0, 1.0, 1.0);
        for n in 1..=patients.len() {
            let there = Sequence::of(patients[..n].iter().copied(), 4);
            let (low, high) = (there.lower(ALPHA), there.upper(ALPHA));
            prop_assert!(low >= lower - 1e-9 && high <= upper + 1e-9);
            prop_assert!((low + turned(n).upper(ALPHA) - 1.0).abs() < 1e-9);
            let now = there.p_at_least(share);
            prop_assert!(now <= p + 1e-12);
            // what the bound excludes is what the p-value rejects
            prop_assert!((now <= ALPHA) == (low >= share) || (low - share).abs() < 1e-9);
            (lower, upper, p) = (low, high, now);
        }
    }

    #[test]
    fn what_is_below_the_bound_is_ruined(cases in prop::collection::vec(any::<bool>(), 1..200)) {
        // the wealth against a share falls as the share rises
        let sequence = single(&cases);
        let wealth: Vec<f64> = (1..40).map(|part| sequence.log_wealth(f64::from(part) / 40.0)).collect();
        prop_assert!(wealth.windows(2).all(|pair| pair[0] >= pair[1] - 1e-9), "{wealth:?}");
    }

    #[test]
    fn the_wealth_is_the_largest_mean_over_the_bets(cases in prop::collection::vec(any::<bool>(), 1..16)) {
        let mut successes = 0;
        let mut most = 0.0_f64;
        for (n, success) in (1..).zip(&cases) {
            successes += u64::from(*success);
            most = most.max(log_wealth(successes, n, 0.6));
        }
        prop_assert!((single(&cases).log_wealth(0.6) - most).abs() < 1e-9);
    }
}
