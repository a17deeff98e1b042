//! The promises of the statistics where a patient has several cases, of areas and means, and of families: closed
//! forms, an oracle by brute force, and simulation with a fixed seed.

use medcert::random::{normals, stream, uniform};
use medcert::stats::{
    Auroc, Calibration, Differences, Mean, Proportion, holm, lower_bound, mcnemar_by_cluster, mcnemar_exact,
    paired_difference_bounds, upper_bound,
};
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;

const ALPHA: f64 = 0.05;

fn chance(rng: &mut ChaCha12Rng) -> f64 {
    f64::from(uniform(rng))
}

/// How many cases the patients have.
#[derive(Debug, Clone, Copy)]
enum Sizes {
    /// One to three, 1.5 on average.
    Few,
    /// One to eight alike.
    Many,
}

/// The patients of `cases` cases.
fn patients(rng: &mut ChaCha12Rng, sizes: Sizes, cases: usize) -> Vec<usize> {
    let mut patients = Vec::new();
    for patient in 0.. {
        let draw = chance(rng);
        let size = match sizes {
            Sizes::Few => 1 + usize::from(draw >= 0.6) + usize::from(draw >= 0.9),
            Sizes::Many => 1 + (draw * 8.0) as usize,
        };
        patients.extend(std::iter::repeat_n(patient, size));
        if patients.len() >= cases {
            break;
        }
    }
    patients.truncate(cases);
    patients
}

/// How the cases of a patient agree.
#[derive(Debug, Clone, Copy)]
enum Agreement {
    /// Each case by itself takes the patient's answer or its own.
    Mixed,
    /// All cases of a patient take its answer, or none.
    Whole,
}

/// Uniform draws of which those of a patient have an intra-class correlation.
fn draws(rng: &mut ChaCha12Rng, patients: &[usize], correlation: f64, agreement: Agreement) -> Vec<f64> {
    let (mut last, mut shared, mut whole) = (usize::MAX, 0.0, false);
    let mut draw = |&patient: &usize| {
        if patient != last {
            (last, shared, whole) = (patient, chance(rng), chance(rng) < correlation);
        }
        let takes = match agreement {
            Agreement::Mixed => chance(rng) < correlation.sqrt(),
            Agreement::Whole => whole,
        };
        if takes { shared } else { chance(rng) }
    };
    patients.iter().map(&mut draw).collect()
}

/// How often the lower bound is above the truth, the upper bound below it, and Clopper and Pearson's lower bound
/// above it as if every case were another patient.
fn misses(
    sizes: Sizes,
    agreement: Agreement,
    correlation: f64,
    share: f64,
    cases: usize,
    runs: usize,
) -> [f64; 3] {
    let name = format!("{sizes:?} {agreement:?} {correlation} {share} {cases}");
    let mut rng = stream(&["clusters", &name]);
    let mut misses = [0.0; 3];
    for _ in 0..runs {
        let of = patients(&mut rng, sizes, cases);
        let holds = draws(&mut rng, &of, correlation, agreement).into_iter().map(|draw| draw < share);
        let found = Proportion::of(of.iter().zip(holds));
        misses[0] += f64::from(found.lower(ALPHA) > share);
        misses[1] += f64::from(found.upper(ALPHA) < share);
        misses[2] += f64::from(lower_bound(found.successes(), found.trials(), ALPHA) > share);
    }
    misses.map(|count| count / runs as f64)
}

/// Five per cent and three standard deviations of a simulation.
fn allowed(runs: usize) -> f64 {
    ALPHA + 3.0 * (ALPHA * (1.0 - ALPHA) / runs as f64).sqrt()
}

#[test]
fn a_model_at_the_threshold_passes_one_time_in_twenty_at_most_with_clusters_too() {
    let runs = 400;
    let mut naive = 0.0_f64;
    for (sizes, agreement, share, cases) in [
        (Sizes::Few, Agreement::Mixed, 0.8, 240),
        (Sizes::Few, Agreement::Whole, 0.9, 120),
        (Sizes::Few, Agreement::Mixed, 0.95, 240),
        (Sizes::Many, Agreement::Mixed, 0.9, 240),
        (Sizes::Many, Agreement::Whole, 0.8, 120),
    ] {
        let [lower, upper, plain] = misses(sizes, agreement, 0.5, share, cases, runs);
        assert!(
            lower.max(upper) <= allowed(runs),
            "{sizes:?} {agreement:?} {share} {cases}: {lower} {upper}"
        );
        naive = naive.max(plain);
    }
    assert!(naive > 0.15, "cases taken as patients pass it too often: {naive}");
}

#[test]
#[ignore = "minutes with --release: the whole grid of the table in src/stats/cluster.rs"]
fn the_bounds_by_patient_cover_over_the_whole_grid() {
    let runs = 1000;
    for sizes in [Sizes::Few, Sizes::Many] {
        for correlation in [0.0, 0.2, 0.5, 0.9] {
            let mut worst = [0.0_f64; 3];
            for agreement in [Agreement::Mixed, Agreement::Whole] {
                for share in [0.8, 0.9, 0.95, 0.98] {
                    for cases in [60, 120, 240, 400] {
                        let found = misses(sizes, agreement, correlation, share, cases, runs);
                        worst = [0, 1, 2].map(|place| worst[place].max(found[place]));
                    }
                }
            }
            eprintln!("{sizes:?} {correlation}: {worst:?}");
            assert!(worst[0].max(worst[1]) <= allowed(runs), "{sizes:?} {correlation}: {worst:?}");
        }
    }
}

#[test]
fn a_difference_at_the_margin_passes_one_time_in_twenty_at_most() {
    let runs = 400;
    for (sizes, correlation) in [(Sizes::Few, 0.5), (Sizes::Many, 0.5), (Sizes::Few, 0.0)] {
        let mut rng = stream(&["differences", &format!("{sizes:?} {correlation}")]);
        let (mut passed, mut failed) = (0.0, 0.0);
        for _ in 0..runs {
            let of = patients(&mut rng, sizes, 240);
            let draws = draws(&mut rng, &of, correlation, Agreement::Whole);
            // 6 % are right for the second alone, 4 % for the first alone
            let cases = of
                .iter()
                .zip(&draws)
                .map(|(patient, &draw)| (patient, draw > 0.06, !(0.06..0.1).contains(&draw)));
            let (lower, upper) = Differences::of(cases).bounds(ALPHA);
            passed += f64::from(lower > -0.02);
            failed += f64::from(upper < -0.02);
        }
        let (passed, failed) = (passed / f64::from(runs), failed / f64::from(runs));
        assert!(passed.max(failed) <= allowed(runs as usize), "{sizes:?} {correlation}: {passed} {failed}");
    }
}

/// How often `no regression` passes where the model is worse by exactly the margin: by the bound that knows patients, and
/// by the one that takes every case for another patient. Each patient has one to eight cases.
fn false_passes(patients: usize, correlation: f64, margin: f64, runs: usize) -> [f64; 2] {
    let mut rng = stream(&["no regression", &format!("{patients} {correlation} {margin}")]);
    let mut passes = [0.0; 2];
    for _ in 0..runs {
        let sizes =
            (0..patients).map(|patient| (patient, 1 + (chance(&mut rng) * 8.0) as usize)).collect::<Vec<_>>();
        let of: Vec<usize> =
            sizes.iter().flat_map(|&(patient, size)| std::iter::repeat_n(patient, size)).collect();
        // a twentieth is gained, and the margin more is lost
        let (gained, lost) = (0.05, 0.05 + margin);
        let turned = draws(&mut rng, &of, correlation, Agreement::Whole)
            .into_iter()
            .map(|draw| (draw < gained, (gained..gained + lost).contains(&draw)));
        let pairs = of.iter().zip(turned).map(|(patient, (gained, lost))| (*patient, !lost, !gained));
        let found = Differences::of(pairs);
        let plain = paired_difference_bounds(found.gained(), found.lost(), found.trials(), ALPHA).0;
        passes[0] += f64::from(found.bounds(ALPHA).0 >= -margin);
        passes[1] += f64::from(plain >= -margin);
    }
    passes.map(|count| count / runs as f64)
}

/// Prints a row a number of patients and a correlation, and holds the clustered bound to its level.
fn no_regression(patients: &[usize], correlations: &[f64], margins: &[f64], runs: usize) -> f64 {
    eprintln!("patients  correlation  margin  by patient  plain");
    let mut worst_plain = 0.0_f64;
    for &patients in patients {
        for &correlation in correlations {
            for &margin in margins {
                let [clustered, plain] = false_passes(patients, correlation, margin, runs);
                eprintln!("{patients:8}  {correlation:11.2}  {margin:6.2}  {clustered:10.3}  {plain:.3}");
                assert!(clustered <= allowed(runs), "{patients} {correlation} {margin}: {clustered}");
                worst_plain = worst_plain.max(plain);
            }
        }
    }
    worst_plain
}

#[test]
fn no_regression_passes_at_its_margin_one_time_in_twenty_at_most() {
    let plain = no_regression(&[20, 80], &[0.0, 0.5], &[0.05], 300);
    assert!(plain > 0.05, "cases taken as patients pass it too often: {plain}");
}

#[test]
#[ignore = "an hour with --release: the table of docs/src/method.md"]
fn no_regression_keeps_its_level_over_the_whole_grid() {
    no_regression(&[20, 50, 100, 200, 300], &[0.0, 0.1, 0.2, 0.5], &[0.02, 0.05, 0.1], 1000);
}

#[test]
fn the_ends_of_the_scale() {
    // one patient has all normal cases, and all scores are equal: nothing is known of how patients differ
    let tied =
        Auroc::of(&[(0, false, 1.0), (0, false, 1.0), (0, true, 1.0), (1, true, 1.0)]).expect("both classes");
    assert_eq!((tied.lower(ALPHA), tied.upper(ALPHA)), (0.0, 1.0));
    let of = |patients: usize, cases: usize, holds: bool| {
        Proportion::of((0..cases).map(move |case| (case % patients, holds)))
    };
    assert!((of(1, 50, true).lower(ALPHA) - ALPHA).abs() < 1e-9, "one patient is one case");
    assert!((of(1, 50, false).upper(ALPHA) - (1.0 - ALPHA)).abs() < 1e-9);
    assert_eq!((of(1, 50, false).lower(ALPHA), of(1, 50, true).upper(ALPHA)), (0.0, 1.0));
    // without a failure, patients of two cases count as one case each
    let clean = of(60, 120, true);
    assert!((clean.lower(ALPHA) - lower_bound(60, 60, ALPHA)).abs() < 1e-9);
    assert!(clean.effective().is_some_and(|effective| (59.0..=60.0).contains(&effective)));
    let none = Proportion::of(std::iter::empty::<(usize, bool)>());
    assert_eq!((none.lower(ALPHA), none.upper(ALPHA), none.p_at_least(0.0)), (0.0, 1.0, 1.0));
    assert_eq!((none.effective(), of(9, 9, true).effective()), (None, None));
}

/// Cases of up to 40 patients.
fn cases() -> impl Strategy<Value = Vec<(u8, bool)>> {
    prop::collection::vec((0_u8..40, prop::bool::weighted(0.8)), 1..120)
}

#[test]
fn signs_flipped_by_cluster() {
    // one case a cluster: the exact test of McNemar
    let alone = |gained: usize, lost: usize| {
        let pairs =
            (0..gained + lost + 7).map(|case| (case, case < gained || case >= gained + lost, case >= gained));
        mcnemar_by_cluster(pairs)
    };
    for (gained, lost) in [(0, 0), (3, 3), (8, 2), (1, 25)] {
        assert!((alone(gained, lost) - mcnemar_exact(gained as u64, lost as u64)).abs() < 1e-12);
    }
    // four patients who each lose all of their five cases: two of sixteen signs are as far
    let lost = (0..20).map(|case| (case / 5, false, true));
    assert!((mcnemar_by_cluster(lost) - 0.125).abs() < 1e-12);
    // sums of 3 and −1: 4, 2, −2 and −4, all as far as 2
    let mixed = [(0, true, false), (0, true, false), (0, true, false), (1, false, true)];
    assert!((mcnemar_by_cluster(mixed) - 1.0).abs() < 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_case_a_patient_is_clopper_and_pearson(holds in prop::collection::vec(prop::bool::weighted(0.8), 1..200), alpha in 0.001..0.2_f64) {
        let found = Proportion::of(holds.iter().enumerate().map(|(patient, &holds)| (patient, holds)));
        let (k, n) = (found.successes(), found.trials());
        prop_assert_eq!(found.lower(alpha).to_bits(), lower_bound(k, n, alpha).to_bits());
        prop_assert_eq!(found.upper(alpha).to_bits(), upper_bound(k, n, alpha).to_bits());
        let second: Vec<bool> = holds.iter().enumerate().map(|(place, holds)| holds ^ (place % 7 == 0)).collect();
        let pairs = holds.iter().zip(&second).enumerate().map(|(patient, (&a, &b))| (patient, a, b));
        let found = Differences::of(pairs);
        prop_assert_eq!(found.bounds(alpha), paired_difference_bounds(found.gained(), found.lost(), n, alpha));
    }

    #[test]
    fn patients_never_narrow_a_bound(cases in cases(), alpha in 0.001..0.2_f64) {
        let found = Proportion::of(cases);
        let (k, n) = (found.successes(), found.trials());
        prop_assert!(found.lower(alpha) <= lower_bound(k, n, alpha) + 1e-9);
        prop_assert!(found.upper(alpha) >= upper_bound(k, n, alpha) - 1e-9);
    }

    #[test]
    fn a_failure_that_becomes_a_success_lowers_nothing(cases in cases(), place in any::<prop::sample::Index>(), threshold in 0.05..0.99_f64) {
        let mut better = cases.clone();
        better[place.index(cases.len())].1 = true;
        let (worse, better) = (Proportion::of(cases), Proportion::of(better));
        prop_assert!(better.lower(ALPHA) >= worse.lower(ALPHA) - 1e-12);
        prop_assert!(better.upper(ALPHA) >= worse.upper(ALPHA) - 1e-12);
        prop_assert!(better.p_at_least(threshold) <= worse.p_at_least(threshold) + 1e-9);
        prop_assert!(better.p_at_most(threshold) >= worse.p_at_most(threshold) - 1e-9);
    }

    #[test]
    fn the_p_value_is_the_least_level_that_passes(cases in cases(), threshold in 0.05..0.99_f64) {
        let found = Proportion::of(cases.iter().copied());
        let p = found.p_at_least(threshold);
        if p < 0.3 {
            prop_assert!(found.lower(p * 1.001) >= threshold - 1e-6);
            prop_assert!(p <= 1e-11 || found.lower(p * 0.999) < threshold);
        }
        let pairs = cases.iter().enumerate().map(|(place, &(patient, holds))| (patient, holds, place % 3 == 0));
        let found = Differences::of(pairs);
        let p = found.p_at_least(threshold - 0.5);
        if p < 0.3 {
            prop_assert!(found.bounds(p * 1.001).0 >= threshold - 0.5 - 1e-6);
            prop_assert!(p <= 1e-11 || found.bounds(p * 0.999).0 < threshold - 0.5);
        }
    }

    #[test]
    fn the_area_and_its_error_are_those_of_all_pairs(cases in prop::collection::vec((0_u8..30, any::<bool>(), 0_i8..20), 8..60)) {
        let cases: Vec<(u8, bool, f64)> = cases.into_iter().map(|(patient, abnormal, score)| (patient, abnormal, f64::from(score))).collect();
        let found = Auroc::of(&cases);
        let (high, low): (Vec<(u8, bool, f64)>, Vec<_>) = cases.iter().copied().partition(|case| case.1);
        prop_assert_eq!(found.is_none(), high.is_empty() || low.is_empty());
        let Some(found) = found else { return Ok(()) };
        let wins = |a: f64, b: f64| if a > b { 1.0 } else if a < b { 0.0 } else { 0.5 };
        let pairs = (high.len() * low.len()) as f64;
        let area: f64 = high.iter().map(|a| low.iter().map(|b| wins(a.2, b.2)).sum::<f64>()).sum::<f64>() / pairs;
        prop_assert!((found.area - area).abs() < 1e-12);
        // Obuchowski's three sums, straight from the pairs
        let ids: std::collections::BTreeSet<u8> = cases.iter().map(|case| case.0).collect();
        let (mut sums, mut with_high, mut with_low) = ([0.0; 3], 0.0, 0.0);
        for id in &ids {
            let own = |side: &Vec<(u8, bool, f64)>| side.iter().filter(|case| case.0 == *id).copied().collect::<Vec<_>>();
            let (a, b) = (own(&high), own(&low));
            let above: f64 = a.iter().map(|a| low.iter().map(|b| wins(a.2, b.2)).sum::<f64>() / low.len() as f64 - area).sum();
            let under: f64 = b.iter().map(|b| high.iter().map(|a| wins(a.2, b.2)).sum::<f64>() / high.len() as f64 - area).sum();
            with_high += f64::from(!a.is_empty());
            with_low += f64::from(!b.is_empty());
            sums = [sums[0] + above * above, sums[1] + under * under, sums[2] + above * under];
        }
        if with_high < 2.0 || with_low < 2.0 {
            prop_assert_eq!((found.lower(ALPHA), found.upper(ALPHA)), (0.0, 1.0));
            return Ok(());
        }
        let (m, n, all) = (high.len() as f64, low.len() as f64, ids.len() as f64);
        let variance = sums[0] * with_high / (with_high - 1.0) / (m * m)
            + sums[1] * with_low / (with_low - 1.0) / (n * n)
            + 2.0 * sums[2] * all / (all - 1.0) / (m * n);
        prop_assert!((found.error - variance.max(0.0).sqrt()).abs() < 1e-12);
        prop_assert!(found.lower(ALPHA) <= area && area <= found.upper(ALPHA));
    }

    #[test]
    fn a_mean_of_zeros_and_ones_is_a_share(holds in prop::collection::vec(prop::bool::weighted(0.8), 20..200)) {
        let values = holds.iter().enumerate().map(|(patient, &holds)| (patient, f64::from(holds)));
        let found = Mean::of(values).expect("cases");
        let (k, n) = (holds.iter().filter(|holds| **holds).count() as u64, holds.len() as u64);
        // as wide as Clopper and Pearson's and at most by the correction for few failures wider
        prop_assert!(found.upper(ALPHA) >= upper_bound(k, n, ALPHA) - 0.01);
        prop_assert!(found.lower(ALPHA) <= lower_bound(k, n, ALPHA) + 0.01);
        prop_assert!(found.lower(ALPHA) <= found.value && found.value <= found.upper(ALPHA));
    }

    #[test]
    fn holm_rejects_a_smaller_p_value_first(p in prop::collection::vec(0.0..0.1_f64, 1..12)) {
        let steps = holm(&p, ALPHA);
        for (step, value) in steps.iter().zip(&p) {
            prop_assert_eq!(step.rejected, *value <= step.level);
            prop_assert!(step.level <= ALPHA && step.level >= ALPHA / p.len() as f64 - 1e-15);
            for (other, other_value) in steps.iter().zip(&p) {
                prop_assert!(value > other_value || !other.rejected || step.rejected);
            }
        }
    }
}

#[test]
fn holm_by_hand() {
    let steps = holm(&[0.01, 0.04, 0.03, 0.005], ALPHA);
    let rejected: Vec<bool> = steps.iter().map(|step| step.rejected).collect();
    assert_eq!(rejected, [true, false, false, true]);
    let over: Vec<f64> = steps.iter().map(|step| ALPHA / step.level).collect();
    assert!(over.iter().zip([3.0, 2.0, 2.0, 4.0]).all(|(a, b)| (a - b).abs() < 1e-9), "{over:?}");
    assert!(!holm(&[f64::NAN], ALPHA)[0].rejected);
    assert!(holm(&[], ALPHA).is_empty());
}

#[test]
fn a_family_at_its_thresholds_passes_anything_one_time_in_twenty_at_most() {
    let (runs, sentences, cases, share) = (200, 6, 240_usize, 0.9);
    let [mut by_holm, mut by_bound, mut by_estimate] = [0.0; 3];
    let mut rng = stream(&["family"]);
    for _ in 0..runs {
        let of = patients(&mut rng, Sizes::Few, cases);
        let found: Vec<Proportion> = (0..sentences)
            .map(|_| {
                let draws = draws(&mut rng, &of, 0.5, Agreement::Mixed);
                Proportion::of(of.iter().zip(draws.into_iter().map(|draw| draw < share)))
            })
            .collect();
        let p: Vec<f64> = found.iter().map(|found| found.p_at_least(share)).collect();
        by_holm += f64::from(holm(&p, ALPHA).iter().any(|step| step.rejected));
        by_bound += f64::from(p.iter().any(|&p| p <= ALPHA));
        let reaches = |found: &Proportion| found.successes() as f64 >= share * found.trials() as f64;
        by_estimate += f64::from(found.iter().any(reaches));
    }
    let [by_holm, by_bound, by_estimate] =
        [by_holm, by_bound, by_estimate].map(|count| count / f64::from(runs));
    eprintln!("a family of {sentences}: Holm {by_holm}, each at 5 % {by_bound}, estimates {by_estimate}");
    assert!(by_holm <= allowed(runs as usize), "{by_holm}");
    assert!(by_bound > 0.08 && by_estimate > 0.9, "without Holm {by_bound}, by the estimate {by_estimate}");
}

#[test]
fn areas_keep_their_promise() {
    let runs = 400;
    // the distance of two normal distributions with these areas
    for (area, distance, cases) in [(0.8, 1.190_2, 120), (0.9, 1.812_4, 270), (0.95, 2.326_2, 270)] {
        let mut rng = stream(&["area", &area.to_string()]);
        let (mut above, mut below) = (0.0, 0.0);
        for _ in 0..runs {
            let of = patients(&mut rng, Sizes::Few, cases);
            let (mut last, mut shared) = (usize::MAX, (false, 0.0));
            let mut case = |&patient: &usize| {
                if patient != last {
                    (last, shared) = (patient, (chance(&mut rng) < 0.5, normals(&mut rng, 1)[0]));
                }
                let abnormal = if chance(&mut rng) < 0.7 { shared.0 } else { chance(&mut rng) < 0.5 };
                let noise = f64::from(0.5_f32.sqrt() * (shared.1 + normals(&mut rng, 1)[0]));
                (patient, abnormal, noise + if abnormal { distance } else { 0.0 })
            };
            let cases: Vec<_> = of.iter().map(&mut case).collect();
            let found = Auroc::of(&cases).expect("both classes");
            above += f64::from(found.lower(ALPHA) > area);
            below += f64::from(found.upper(ALPHA) < area);
        }
        let (above, below) = (above / f64::from(runs), below / f64::from(runs));
        assert!(above.max(below) <= allowed(runs as usize), "{area}: {above} {below}");
    }
}

#[test]
fn a_perfect_area_shows_no_more_than_its_pairs() {
    let cases: Vec<(u32, bool, f64)> =
        (0..100).map(|case| (case, case % 5 == 0, f64::from(u8::from(case % 5 == 0)))).collect();
    let found = Auroc::of(&cases).expect("both classes");
    assert_eq!((found.area, found.pairs), (1.0, 20));
    assert!((found.lower(ALPHA) - ALPHA.powf(1.0 / 20.0)).abs() < 1e-9 && found.upper(ALPHA) > 1.0 - 1e-12);
    let p = found.p_at_least(0.9);
    assert!((p - 0.9_f64.powi(20)).abs() < 1e-6, "{p}");
    let turned: Vec<_> = cases.iter().map(|&(id, abnormal, score)| (id, abnormal, -score)).collect();
    assert_eq!(Auroc::of(&turned).map(|found| (found.area, found.lower(ALPHA))), Some((0.0, 0.0)));
    assert!(Auroc::of(&[(0, true, f64::NAN), (1, false, 0.0)]).is_none());
}

/// Cases with the probability that a model says and the truth: logits `sharpness` times too large.
fn probabilities(rng: &mut ChaCha12Rng, sharpness: f64, cases: usize) -> Vec<(usize, f64, bool)> {
    let of = patients(rng, Sizes::Few, cases);
    let sigmoid = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    let (mut last, mut shared) = (usize::MAX, 0.0);
    of.into_iter()
        .map(|patient| {
            if patient != last {
                (last, shared) = (patient, normals(rng, 1)[0]);
            }
            let logit = 3.0 * f64::from(0.5_f32.sqrt() * (shared + normals(rng, 1)[0]));
            (patient, sigmoid(sharpness * logit), chance(rng) < sigmoid(logit))
        })
        .collect()
}

fn brier(cases: &[(usize, f64, bool)]) -> Mean {
    let squared = |&(patient, probability, abnormal): &(usize, f64, bool)| {
        (patient, (probability - f64::from(abnormal)).powi(2))
    };
    Mean::of(cases.iter().map(squared)).expect("cases")
}

#[test]
fn brier_scores_keep_their_promise() {
    let runs = 400;
    for (sharpness, cases) in [(1.0, 120), (3.0, 270)] {
        let mut rng = stream(&["brier", &sharpness.to_string()]);
        let truth = brier(&probabilities(&mut rng, sharpness, 200_000)).value;
        let (mut above, mut below) = (0.0, 0.0);
        for _ in 0..runs {
            let found = brier(&probabilities(&mut rng, sharpness, cases));
            above += f64::from(found.lower(ALPHA) > truth);
            below += f64::from(found.upper(ALPHA) < truth);
        }
        let (above, below) = (above / f64::from(runs), below / f64::from(runs));
        assert!(above.max(below) <= allowed(runs as usize), "{sharpness}: {above} {below}");
    }
    let wide = brier(&[(0, 0.9, true), (1, 0.2, false)]);
    assert!((wide.value - 0.025).abs() < 1e-12 && wide.upper(ALPHA) > 0.6, "two cases show little");
    assert!(Mean::of(std::iter::empty::<(usize, f64)>()).is_none());
}

#[test]
fn calibration_errors_are_bounded_from_above() {
    let mut rng = stream(&["calibration"]);
    // sharp by 3: the error of so many cases is the truth
    let truth = Calibration::of(probabilities(&mut rng, 3.0, 50_000)).expect("cases").error;
    assert!(truth > 0.05, "{truth}");
    let runs = 12;
    for _ in 0..runs {
        let found = Calibration::of(probabilities(&mut rng, 3.0, 200)).expect("cases");
        assert!(found.lower(ALPHA) <= found.error && found.error <= found.upper(ALPHA));
        assert!(found.upper(ALPHA) >= truth, "{} against {truth}", found.upper(ALPHA));
        let p = found.p_at_most(found.upper(ALPHA));
        assert!(p <= ALPHA && found.p_at_most(found.error * 0.5) > 0.5, "{p}");
        assert!(found.upper(1e-9) >= 1.0, "more than the resamples can tell");
    }
    // ten cases at 0.95 of which nine are abnormal, and ten at 0.15 of which none is
    let by_hand = (0..20).map(|case| (case, if case < 10 { 0.95 } else { 0.15 }, case < 9));
    let found = Calibration::of(by_hand).expect("cases");
    assert!((found.error - (0.5 * 0.05 + 0.5 * 0.15)).abs() < 1e-12, "{}", found.error);
}
