//! Thresholds of certificates: closed forms, worst cases that attain them, every case of toy worlds, and unsound
//! certificates that the toy worlds must expose. Votes and verdicts on data sets: their errors, exactly.

use std::collections::{BTreeSet, HashMap};

use medcert::random::{below, stream, uniform};
use medcert::stats::threshold::{certified_share, edited, kept_a_changed_word, masked, masked_radius};
use medcert::stats::vote::{Count, Rules, State, log_evidence};
use medcert::stats::{Proportion, binomial, least_successes, lower_bound};
use proptest::prelude::*;
use puruspe::{erfc, inverfc};
use rand_chacha::ChaCha12Rng;

/// Φ, from another library than the code under test uses.
fn phi(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

fn quantile(p: f64) -> f64 {
    -std::f64::consts::SQRT_2 * inverfc(2.0 * p)
}

/// The radius that conditioning on unseen changes gives without the division by their probability: sound, but loose.
fn loose_radius(share: f64, seen: f64) -> Option<f64> {
    (share - seen > 0.5).then(|| quantile(share - seen))
}

#[test]
fn radii_equal_the_published_formula_and_the_reference() {
    // Cohen et al.: lower bound of Clopper and Pearson, then σ Φ⁻¹
    for (successes, copies, sigma, radius) in [
        (100, 100, 0.25, 0.375_118_756_0),
        (99_000, 100_000, 0.25, 0.572_499_988_8),
        (100_000, 100_000, 0.5, 1.905_728_281_7),
        (6_000, 10_000, 1.0, 0.214_054_369_0),
        (9_990, 10_000, 0.25, 0.704_649_575_1),
    ] {
        let share = lower_bound(successes, copies, 0.001);
        let found = sigma * masked_radius(share, 0.0).expect("it certifies");
        assert!((found - radius).abs() < 2e-9, "{successes} of {copies}: {found} and not {radius}");
    }
    assert_eq!(masked_radius(lower_bound(501, 1_000, 0.001), 0.0), None, "501 of 1,000 abstains");
    for (changed, radius) in [(1, 2.14), (2, 1.93), (3, 1.68), (4, 1.36), (5, 0.89)] {
        let found = masked_radius(0.99, kept_a_changed_word(39, 4, changed)).expect("it certifies");
        assert!((found - radius).abs() < 0.01, "{changed} words: {found} σ and not {radius} σ");
    }
    for (edits, pixels_alone, with_sigma) in [
        (0, 0.50, 0.841),
        (1, 0.60, 0.886),
        (2, 0.69, 0.921),
        (3, 0.771, 0.950),
        (4, 0.844, 0.972),
        (5, 0.910, 0.987),
    ] {
        let of = |radius| edited(radius, 0.9, edits).expect("a threshold");
        assert!(
            (of(0.0) - pixels_alone).abs() < 0.001 && (of(1.0) - with_sigma).abs() < 0.001,
            "{edits} edits"
        );
        // without a change of pixels, substitutions are the worst edits: p > 3/2 − ρ^e
        assert!((of(0.0) - (1.5 - 0.9_f64.powi(edits as i32))).abs() < 1e-12, "{edits} edits");
    }
}

#[test]
fn a_mask_keeps_a_changed_word_as_often_as_counting_says() {
    for words in 1..=8_u64 {
        for kept in 0..=words {
            for changed in 0..=words {
                let masks = (0_u32..1 << words).filter(|mask| u64::from(mask.count_ones()) == kept);
                let (seen, all) = masks.fold((0, 0), |(seen, all), mask| {
                    (seen + u32::from(mask & ((1 << changed) - 1) != 0), all + 1)
                });
                let share = f64::from(seen) / f64::from(all);
                let found = kept_a_changed_word(words, kept, changed);
                assert!(
                    (found - share).abs() < 1e-12,
                    "{changed} of {words} words, {kept} kept: {found}, {share}"
                );
            }
        }
    }
    assert!(kept_a_changed_word(3, 1, 4) >= 1.0, "more words than there are");
}

#[test]
fn what_cannot_be_certified_has_no_threshold() {
    assert_eq!(masked(0.0, 0.5), None);
    assert_eq!(masked_radius(1.0, 0.5), None);
    assert_eq!(edited(0.0, 0.5, 1), None);
    assert_eq!(masked(f64::NAN, f64::NAN), None);
    assert_eq!(masked(40.0, 0.0), None, "no share below 1 shows 40 σ");
}

proptest! {
    #[test]
    fn the_tight_radius_is_never_less_than_the_loose_one(share in 0.5..1.0_f64, seen in 0.0..0.5_f64) {
        let (tight, loose) = (masked_radius(share, seen), loose_radius(share, seen));
        if let Some(loose) = loose {
            prop_assert!(tight.is_some_and(|tight| tight >= loose - 1e-9), "{tight:?} {loose}");
        }
    }

    #[test]
    fn a_radius_and_its_threshold_are_inverse(radius in 0.0..5.0_f64, seen in 0.0..0.49_f64) {
        if let Some(threshold) = masked(radius, seen).filter(|threshold| *threshold < 1.0 - 1e-9) {
            let back = masked_radius(threshold + 1e-12, seen);
            prop_assert!(back.is_some_and(|back| (back - radius).abs() < 1e-3), "{back:?} {radius}");
        }
    }

    #[test]
    fn a_larger_ball_needs_a_larger_share(radius in 0.0..3.0_f64, more in 0.0..1.0_f64, seen in 0.0..0.4_f64, edits in 0..4_u32) {
        let least = |threshold: Option<f64>| threshold.unwrap_or(1.0);
        prop_assert!(least(masked(radius, seen)) <= least(masked(radius + more, seen)));
        prop_assert!(least(masked(radius, seen)) <= least(masked(radius, seen + more / 10.0)));
        prop_assert!(least(edited(radius, 0.9, edits)) <= least(edited(radius + more, 0.9, edits)));
        prop_assert!(least(edited(radius, 0.9, edits)) <= least(edited(radius, 0.9, edits + 1)));
    }
}

#[test]
fn a_worst_case_attains_the_threshold_of_masked_words() {
    for (words, kept, changed, share) in [(5, 2, 1, 0.95), (6, 1, 2, 0.9), (8, 2, 1, 0.8), (39, 4, 4, 0.99)] {
        let seen = kept_a_changed_word(words, kept, changed);
        // masks that show a word of S answer y on the original and otherwise on the changed report; the rest is a half-space
        let reach = quantile((share - seen) / (1.0 - seen));
        let original = seen + (1.0 - seen) * phi(reach);
        let radius = masked_radius(share, seen).expect("it certifies");
        let attacked = (1.0 - seen) * phi(reach - radius);
        assert!((original - share).abs() < 1e-9 && (attacked - 0.5).abs() < 1e-9, "{attacked} at {radius} σ");
    }
}

/// A report of a toy world: letters stand for words.
type Text = Vec<u8>;

/// How a base model of a toy world answers a randomised report: y if the pixel, noise included, is to the `upper` side of
/// `bound` (σ is 1); an infinite bound answers alike everywhere.
#[derive(Clone, Copy)]
struct HalfLine {
    bound: f64,
    upper: bool,
}

impl HalfLine {
    /// The probability of y at a pixel.
    fn share(self, pixel: f64) -> f64 {
        let above =
            if self.bound.is_infinite() { f64::from(self.bound < 0.0) } else { phi(pixel - self.bound) };
        if self.upper { above } else { 1.0 - above }
    }
}

/// A base model of a toy world: an answer for every randomised report, drawn when it is first asked. It favours y on what
/// the original shows and the other class on everything else, as the worst base models do.
struct BaseModel {
    rng: ChaCha12Rng,
    original: BTreeSet<Vec<(usize, u8)>>,
    answers: HashMap<Vec<(usize, u8)>, HalfLine>,
    doubt: f32,
}

impl BaseModel {
    fn new(seed: &str, original: BTreeSet<Vec<(usize, u8)>>) -> Self {
        let mut rng = stream(&["toy", seed]);
        let doubt = uniform(&mut rng) * 0.5;
        Self { rng, original, answers: HashMap::new(), doubt }
    }

    fn answer(&mut self, shown: &[(usize, u8)]) -> HalfLine {
        if let Some(known) = self.answers.get(shown) {
            return *known;
        }
        let is_original = self.original.contains(shown);
        let random = HalfLine {
            bound: f64::from(uniform(&mut self.rng)) * 4.0 - 3.0,
            upper: below(&mut self.rng, 2) == 0,
        };
        let sure =
            |yes: bool| HalfLine { bound: if yes { f64::NEG_INFINITY } else { f64::INFINITY }, upper: true };
        let answer = if uniform(&mut self.rng) < self.doubt { random } else { sure(is_original) };
        self.answers.insert(shown.to_vec(), answer);
        answer
    }
}

/// What a mask that keeps some places shows.
fn shown(text: &[u8], mask: u32) -> Vec<(usize, u8)> {
    text.iter()
        .enumerate()
        .filter(|(place, _)| mask >> place & 1 == 1)
        .map(|(place, word)| (place, *word))
        .collect()
}

fn masks(words: usize, kept: usize) -> impl Iterator<Item = u32> {
    (0_u32..1 << words).filter(move |mask| mask.count_ones() as usize == kept)
}

/// The share of y of a model whose masks keep `kept` words.
fn masked_share(model: &mut BaseModel, text: &[u8], kept: usize, pixel: f64) -> f64 {
    let shares: Vec<f64> =
        masks(text.len(), kept).map(|mask| model.answer(&shown(text, mask)).share(pixel)).collect();
    shares.iter().sum::<f64>() / shares.len() as f64
}

/// The share of y of a model whose words are deleted with probability `deletion`; it sees only what is left, in order.
fn deleted_share(model: &mut BaseModel, text: &[u8], deletion: f64, pixel: f64) -> f64 {
    (0_u32..1 << text.len())
        .map(|mask| {
            let left: Vec<(usize, u8)> =
                shown(text, mask).into_iter().enumerate().map(|(place, (_, word))| (place, word)).collect();
            let (kept, gone) = (left.len() as i32, (text.len() - left.len()) as i32);
            deletion.powi(gone) * (1.0 - deletion).powi(kept) * model.answer(&left).share(pixel)
        })
        .sum()
}

/// Every report with at most so many substituted words of three.
fn substituted(text: &[u8], changes: usize) -> BTreeSet<Text> {
    let mut all = BTreeSet::from([text.to_vec()]);
    for _ in 0..changes {
        for known in all.clone() {
            for place in 0..known.len() {
                for word in 0..3 {
                    let mut changed = known.clone();
                    changed[place] = word;
                    all.insert(changed);
                }
            }
        }
    }
    all
}

/// Every report within so many insertions, deletions and substitutions of two words.
fn edits_of(text: &[u8], edits: u32) -> BTreeSet<Text> {
    let mut all = BTreeSet::from([text.to_vec()]);
    for _ in 0..edits {
        for known in all.clone() {
            for place in 0..=known.len() {
                for word in 0..2 {
                    let mut longer = known.clone();
                    longer.insert(place, word);
                    all.insert(longer);
                    if place < known.len() {
                        let mut changed = known.clone();
                        changed[place] = word;
                        all.insert(changed);
                    }
                }
                if place < known.len() {
                    let mut shorter = known.clone();
                    shorter.remove(place);
                    all.insert(shorter);
                }
            }
        }
    }
    all
}

/// Where the share of y falls to one half or under at the ends of a ball; the share is monotone between for each mask, so the
/// ends and a few points between are looked at.
fn holds(radius: f64, mut share: impl FnMut(f64) -> f64) -> bool {
    (-4..=4).all(|step| share(radius * (1.0 - 1e-9) * f64::from(step) / 4.0) > 0.5 - 1e-12)
}

/// How many of the certificates that a rule gives in toy worlds of masked words hold and do not.
fn masked_toys(count: usize, rule: impl Fn(f64, f64) -> Option<f64>) -> (usize, usize) {
    let (mut sound, mut broken) = (0, 0);
    let mut number = 0;
    while sound + broken < count {
        number += 1;
        let mut rng = stream(&["words", &number.to_string()]);
        let (words, kept, changes) = (5 + below(&mut rng, 2), 1 + below(&mut rng, 2), 1 + below(&mut rng, 2));
        let text: Text = (0..words).map(|_| below(&mut rng, 3) as u8).collect();
        let original = masks(words, kept).map(|mask| shown(&text, mask)).collect();
        let mut model = BaseModel::new(&number.to_string(), original);
        let share = masked_share(&mut model, &text, kept, 0.0);
        let seen = kept_a_changed_word(words as u64, kept as u64, changes as u64);
        let Some(radius) = rule(share, seen) else { continue };
        let radius = radius.min(8.0);
        let is_sound = substituted(&text, changes)
            .iter()
            .all(|changed| holds(radius, |pixel| masked_share(&mut model, changed, kept, pixel)));
        *(if is_sound { &mut sound } else { &mut broken }) += 1;
    }
    (sound, broken)
}

/// The same in toy worlds of deleted words; the rule says whether a share is certified at a radius.
fn deleted_toys(count: usize, rule: impl Fn(f64, f64, f64, u32) -> bool) -> (usize, usize) {
    let (mut sound, mut broken) = (0, 0);
    let mut number = 0;
    while sound + broken < count {
        number += 1;
        let mut rng = stream(&["edits", &number.to_string()]);
        let (words, edits) = (2 + below(&mut rng, 2), 1 + below(&mut rng, 2) as u32);
        let deletion = 0.72 + 0.25 * f64::from(uniform(&mut rng));
        let radius = f64::from(uniform(&mut rng)) * 0.8;
        let text: Text = (0..words).map(|_| below(&mut rng, 2) as u8).collect();
        let left = |mask: u32| {
            shown(&text, mask).into_iter().enumerate().map(|(place, (_, word))| (place, word)).collect()
        };
        let original = (0..1 << words).map(left).collect();
        let mut model = BaseModel::new(&number.to_string(), original);
        let share = deleted_share(&mut model, &text, deletion, 0.0);
        if !rule(share, radius, deletion, edits) {
            continue;
        }
        let is_sound = edits_of(&text, edits)
            .iter()
            .all(|changed| holds(radius, |pixel| deleted_share(&mut model, changed, deletion, pixel)));
        *(if is_sound { &mut sound } else { &mut broken }) += 1;
    }
    (sound, broken)
}

#[test]
fn no_toy_world_breaks_a_certificate_of_masked_words() {
    assert_eq!(masked_toys(2_000, masked_radius), (2_000, 0));
}

#[test]
fn no_toy_world_breaks_a_certificate_of_deleted_words() {
    let rule =
        |share, radius, deletion, edits| edited(radius, deletion, edits).is_some_and(|least| share > least);
    assert_eq!(deleted_toys(2_000, rule), (2_000, 0));
}

#[test]
fn the_toy_worlds_expose_a_share_of_seen_words_that_is_estimated_from_the_sample() {
    // RanMASK as released: subtracts β Δ with β estimated by the share itself
    let rule = |share: f64, seen: f64| (share - share * seen > 0.5).then_some(0.0);
    let (_, broken) = masked_toys(1_000, rule);
    assert!(broken > 0, "an unsound certificate was never broken");
}

#[test]
fn the_toy_worlds_expose_exchanged_insertions_and_deletions() {
    // the released rules of RS-Del, each under the other's name: log(2(1 − μ))/log ρ insertions
    let (share, deletion) = (0.95_f64, 0.9_f64);
    let claimed = ((2.0 * (1.0 - share)).ln() / deletion.ln()).floor() as u32;
    assert_eq!(claimed, 21);
    // answers y with probability 0.95 unless an inserted word is seen
    let after = |inserted: u32| share * deletion.powi(inserted as i32);
    let true_radius = (1..=claimed).take_while(|&inserted| after(inserted) > 0.5).count() as u32;
    assert_eq!(true_radius, 6);
    assert!(after(claimed) < 0.5, "the claim is broken");
    // ours claims no more than what holds
    let ours = (1..=claimed)
        .take_while(|&edits| edited(0.0, deletion, edits).is_some_and(|least| share > least))
        .count();
    assert!(ours as u32 <= true_radius, "{ours}");
}

#[test]
fn the_toy_worlds_expose_a_mask_that_keeps_a_share_of_the_words_where_words_are_inserted() {
    let kept = |words: f64| (0.24 * words).round() as u64;
    assert_eq!((kept(6.0), kept(7.0)), (1, 2));
    // answers y where one word is seen: the original's share is 1, and after one insertion it is 0
    let claims = masked_radius(1.0, kept_a_changed_word(6, kept(6.0), 1)).is_some();
    let share_after = f64::from(u8::from(kept(7.0) == 1));
    assert!(claims && share_after < 0.5, "a rule for substitutions does not hold for insertions");
}

#[test]
fn the_toy_worlds_expose_noise_in_other_units_than_the_radius() {
    // noise behind the normalisation by the deviation 0.2, and noise of pixels in [−1, 1]: the pixels get less than σ
    for scale in [0.2, 0.5] {
        let (sigma, distance) = (0.25_f64, 0.1_f64);
        let share_at = |pixel: f64| phi((distance - pixel) / (sigma * scale));
        let claimed = sigma * masked_radius(share_at(0.0), 0.0).expect("it certifies");
        assert!(share_at(claimed * 0.999) < 0.5, "the claim of {claimed} is broken at {distance}");
        let sound = sigma * scale * masked_radius(share_at(0.0), 0.0).expect("it certifies");
        assert!(
            (sound - distance).abs() < 1e-6,
            "a linear model is certified at exactly its distance: {sound}"
        );
    }
}

/// How a vote ends and what it costs if the label's share is `share`, over all paths.
#[derive(Debug, Default)]
struct Ends {
    certified: f64,
    refuted: f64,
    undecided: f64,
    mean: f64,
}

/// How a vote ends if the label's share is each of `shares`, by dynamic programming over the number of successes of the
/// votes that are still open. `state` is what a count shows.
fn ends<const N: usize>(limit: u64, shares: [f64; N], state: impl Fn(Count) -> State) -> [Ends; N] {
    let mut found = [(); N].map(|()| Ends::default());
    // the probability that a vote is open with so many successes, for each share
    let mut open = vec![[1.0_f64; N]];
    for copies in 0..=limit {
        for (successes, masses) in (0..).zip(&mut open) {
            if masses.iter().all(|mass| *mass < 1e-30) {
                continue;
            }
            let state = state(Count { successes, failures: copies - successes });
            for (found, mass) in found.iter_mut().zip(masses) {
                let end = match state {
                    State::Open => {
                        found.mean += *mass;
                        continue;
                    }
                    State::Certified => &mut found.certified,
                    State::Refuted => &mut found.refuted,
                    State::Undecided => &mut found.undecided,
                };
                *end += std::mem::take(mass);
            }
        }
        open.push([0.0; N]);
        for successes in (0..open.len()).rev() {
            let before = successes.checked_sub(1).map_or([0.0; N], |before| open[before]);
            for (place, share) in shares.iter().enumerate() {
                open[successes][place] = open[successes][place] * (1.0 - share) + before[place] * share;
            }
        }
    }
    found
}

fn vote<const N: usize>(rules: Rules, shares: [f64; N]) -> [Ends; N] {
    ends(rules.limit, shares, |count| rules.look(count))
}

#[test]
fn a_vote_errs_no_more_often_than_it_says_on_either_side() {
    for threshold in [0.5, 0.655, 0.8413, 0.95] {
        for alpha in [0.001, 0.01, 0.05] {
            for (limit, patience) in
                [(50, None), (50, Some(12)), (400, None), (400, Some(100)), (1_500, Some(375))]
            {
                let [found] = vote(Rules { threshold, alpha, limit, patience }, [threshold]);
                let all = found.certified + found.refuted + found.undecided;
                assert!((all - 1.0).abs() < 1e-9, "{threshold} {alpha} {limit}: {found:?}");
                assert!(
                    found.certified <= alpha && found.refuted <= alpha,
                    "{threshold} {alpha} {limit}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn a_clear_vote_takes_few_copies() {
    for (radius, most) in [(0.4, 30.0), (1.0, 70.0)] {
        let threshold = masked(radius, 0.0).expect("a threshold");
        let rules = Rules { threshold, alpha: 0.001, limit: 10_000, patience: Some(2_500) };
        let [found] = vote(rules, [0.99]);
        assert!(found.mean <= most && found.certified > 0.999, "{radius} σ: {found:?}");
    }
}

/// `cargo test --release --test pure certificates -- --ignored --nocapture` prints the table of the manual.
#[test]
#[ignore = "ten thousand copies: a minute"]
fn a_vote_near_its_threshold() {
    for radius in [0.4, 1.0, 2.0] {
        let threshold = masked(radius, 0.0).expect("a threshold");
        let rules = Rules { threshold, alpha: 0.001, limit: 10_000, patience: None };
        let [at, clear, below] = vote(rules, [threshold, 0.99, f64::midpoint(threshold, 0.5)]);
        println!(
            "{radius} σ: {:.5} wrong at the threshold; {:.0} copies at 0.99; {:.0} half-way below",
            at.certified, clear.mean, below.mean
        );
        assert!(at.certified <= 0.001 && clear.mean <= 1_800.0);
    }
}

#[test]
fn giving_up_halves_the_copies_near_a_threshold_and_loses_few_certificates() {
    let shares: [f64; 20] = std::array::from_fn(|place| 0.6 + 0.02 * place as f64);
    for threshold in [0.655, 0.8413] {
        let rules = Rules { threshold, alpha: 0.001, limit: 2_000, patience: None };
        let stubborn = vote(rules, shares);
        let patient = vote(Rules { patience: Some(500), ..rules }, shares);
        let mean = |of: fn(&Ends) -> f64, ends: &[Ends]| ends.iter().map(of).sum::<f64>() / ends.len() as f64;
        let lost = mean(|end| end.certified, &stubborn) - mean(|end| end.certified, &patient);
        let copies = mean(|end| end.mean, &patient) / mean(|end| end.mean, &stubborn);
        println!("{threshold}: {lost:.4} of the cases lose their certificate, {copies:.2} of the copies");
        assert!((0.0..0.01).contains(&lost) && copies < 0.7, "{threshold}: {lost} {copies}");
        for (one, other) in stubborn.iter().zip(&patient) {
            assert!(other.certified <= one.certified + 1e-12 && other.refuted <= one.refuted + 1e-12);
        }
    }
}

#[test]
fn looking_at_bounds_of_a_fixed_number_of_cases_is_exposed() {
    // Clopper and Pearson's bound, looked at every 100 copies
    let (threshold, alpha) = (0.8413, 0.001);
    let least: Vec<Option<u64>> =
        (0..=20).map(|look| least_successes(look * 100, threshold, alpha)).collect();
    let [found] = ends(2_000, [threshold], |count| {
        let copies = count.successes + count.failures;
        let look = (copies > 0 && copies % 100 == 0).then(|| least[copies as usize / 100]).flatten();
        if look.is_some_and(|least| count.successes >= least) { State::Certified } else { State::Open }
    });
    assert!(found.certified > 3.0 * alpha, "peeking was not seen: {found:?}");
}

#[test]
fn a_vote_counts_up_to_its_decision_and_no_further() {
    let rules = Rules { threshold: 0.8, alpha: 0.001, limit: 500, patience: Some(125) };
    let (state, count) = rules.run(std::iter::repeat(true));
    assert_eq!((state, rules.look(count)), (State::Certified, State::Certified));
    assert!(log_evidence(count.successes - 1, 0, 0.8) < 1000_f64.ln(), "one copy earlier it was open");
    let (state, count) = rules.run(std::iter::repeat(false));
    assert_eq!((state, count.successes), (State::Refuted, 0));
    assert_eq!(rules.run([true, false]).0, State::Open, "too few answers");
    let short = Rules { limit: 20, ..rules };
    assert!(!short.can_certify() && rules.can_certify(), "20 copies cannot show 0.8 at 0.001");
    assert_eq!(short.run([]), (State::Undecided, Count::default()));
}

#[test]
fn a_data_set_passes_wrongly_one_time_in_twenty_at_most() {
    for cases in [100, 300, 500, 2_000_u64] {
        for share in [0.5, 0.7, 0.9] {
            for alpha in [0.001, 0.01, 0.05] {
                // the worst case: certifiable cases are always certified, the others with probability α
                let certified = certified_share(share, alpha);
                let passes = |least: Option<u64>| {
                    least.map_or(0.0, |least| {
                        (least..=cases).map(|one| binomial(one, cases, certified)).sum::<f64>()
                    })
                };
                let ours = passes(least_successes(cases, certified, 0.05));
                assert!(ours <= 0.05 + 1e-9, "{cases} {share} {alpha}: {ours}");
                if (cases, share, alpha) == (2_000, 0.5, 0.05) {
                    let naive = passes(least_successes(cases, share, 0.05));
                    assert!(naive > 0.7, "without the shift false passes go through: {naive}");
                }
            }
        }
    }
}

#[test]
fn a_data_set_of_patients_with_several_cases_passes_wrongly_one_time_in_twenty_at_most() {
    let (patients, runs, share, alpha) = (100, 600, 0.7, 0.01);
    let mut rng = stream(&["certified", "patients"]);
    let mut passed = 0;
    for _ in 0..runs {
        let mut cases = Vec::new();
        for patient in 0..patients {
            let of_patient = f64::from(uniform(&mut rng)) < share;
            for _ in 0..=below(&mut rng, 4) {
                // nine cases in ten are as the patient is
                let is_certifiable =
                    if uniform(&mut rng) < 0.9 { of_patient } else { f64::from(uniform(&mut rng)) < share };
                cases.push((patient, is_certifiable || f64::from(uniform(&mut rng)) < alpha));
            }
        }
        passed += usize::from(Proportion::of(cases).lower(0.05) >= certified_share(share, alpha));
    }
    // 5 % of 600 and three standard errors
    assert!(passed <= 46, "{passed} of {runs} pass");
}
