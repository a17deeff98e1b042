//! Attacks on pixels and words together: the orders, and the search that takes turns.

use crate::known_scene;

use std::sync::LazyLock;

use known_scene::{Bench, Fused, both, pgd};
use medcert::evidence::Outcome;
use medcert::lab::chunk::Chunk;
use medcert::plan::Attack;
use medcert::spec::{EditKind, Joint, Mode, TextAttack, TextMethod};
use medcert::text::meaning::preserves;
use medcert::text::perturb::count;
use proptest::prelude::*;

const WORDS: [(&str, f32); 5] =
    [("effusion", 0.08), ("mass", 0.04), ("clear", -0.08), ("normal", -0.04), ("lungs", 0.0)];
const REPORTS: [(&str, bool); 8] = [
    ("effusion effusion mass lungs", true),
    ("clear lungs normal clear", false),
    ("mass lungs effusion effusion", true),
    ("lungs normal clear clear", false),
    ("effusion mass effusion lungs", true),
    ("clear clear normal lungs", false),
    ("lungs mass effusion effusion", true),
    ("clear normal lungs clear", false),
];

static BENCH: LazyLock<Bench> = LazyLock::new(|| Bench::new(&REPORTS));

fn outcomes(bench: &Bench, model: &Fused, attack: &Attack) -> Vec<Outcome> {
    let scene = bench.scene(model);
    let mut chunk = Chunk::new(&scene, &bench.test).expect("a chunk");
    chunk.attack(attack).expect("an attack").outcomes
}

fn broken(outcomes: &[Outcome]) -> Vec<bool> {
    outcomes.iter().map(|outcome| outcome.held == 0).collect()
}

fn margin(outcome: &Outcome) -> f32 {
    outcome.margin.expect("an answer")
}

/// The least margin of a linear model: every pixel moves against the label, and the words of the largest weights go.
fn least(bench: &Bench, model: &Fused, case: usize, epsilon: f32, deletions: usize) -> f32 {
    let sign = if bench.inputs.labels[case].is_abnormal() { 1.0 } else { -1.0 };
    let text = &bench.inputs.texts[case];
    let mut weights: Vec<f32> = text.split(' ').map(|word| sign * model.weight(word)).collect();
    weights.sort_by(|a, b| b.total_cmp(a));
    let kept: f32 =
        weights.iter().enumerate().map(|(at, w)| if at < deletions && *w > 0.0 { 0.0 } else { *w }).sum();
    let moved = |(x, w): (f32, &f32)| {
        let weight = sign * w;
        weight * if weight > 0.0 { (x - epsilon).max(0.0) } else { (x + epsilon).min(1.0) }
    };
    kept + bench.pixels(case).into_iter().zip(&model.weights).map(moved).sum::<f32>()
}

#[test]
fn what_neither_source_breaks_alone_breaks_in_turns() {
    let (bench, model) = (&*BENCH, Fused::new(1, &WORDS));
    let text = TextAttack::deletion(0.5);
    let cross = both(pgd(0.1), text, Joint::Cross);
    let (image, words) = cross.sources().expect("two sources");
    for alone in [&image, &words] {
        assert_eq!(broken(&outcomes(bench, &model, alone)), [false; 8], "{alone}");
    }
    // even the best words alone leave every case standing
    assert!((0..8).all(|case| least(bench, &model, case, 0.0, 2) > 0.0));
    let found = outcomes(bench, &model, &cross);
    assert_eq!(broken(&found), [true; 8]);
    assert!(found.iter().all(|outcome| outcome.edits <= 2 && outcome.change <= 0.1 + 1e-6));
    assert!(found.iter().all(|outcome| outcome.queries > 12));
    assert_eq!(found, outcomes(bench, &model, &cross), "the same search has the same bits");
}

#[test]
fn a_search_in_turns_keeps_its_share_and_its_contract() {
    let reports = [
        ("The heart is enlarged. There is a large left pleural effusion. No pneumothorax.", true),
        ("The lungs are clear. No pleural effusion. The heart is normal in size.", false),
        ("Stable moderate cardiomegaly with mild edema. Small right effusion.", true),
        ("No acute abnormality. Clear lungs without focal opacity.", false),
    ];
    let weights = [("large", 0.05), ("effusion", 0.05), ("enlarged", 0.05), ("clear", -0.05), ("no", -0.05)];
    let (bench, model) = (Bench::new(&reports), Fused::new(2, &weights));
    let mut edited = 0;
    for kind in [EditKind::Synonyms, EditKind::Deletion] {
        for mode in [Mode::Preserving, Mode::Free] {
            let text = TextAttack { mode, ..TextAttack::usual(TextMethod::Sampled(kind), 0.3) };
            // a small ε leaves the words their part
            let attack = both(pgd(0.01), text, Joint::Cross);
            let clean = outcomes(&bench, &model, &Attack::default());
            let found = outcomes(&bench, &model, &attack);
            for (case, (outcome, clean)) in found.iter().zip(&clean).enumerate() {
                assert!(margin(outcome) <= margin(clean), "{attack} {case}");
                assert!(
                    outcome.edits as usize <= count(&bench.inputs.documents[case], 0.3),
                    "{attack} {case}"
                );
                assert!(mode == Mode::Free || outcome.meaning_changed == Some(false), "{attack} {case}");
                edited += outcome.edits;
            }
        }
    }
    assert!(edited > 4, "words were edited: {edited}");
    assert!(!preserves(reports[1].0, reports[0].0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn the_search_in_turns_finds_what_a_linear_model_can_be_broken_by(
        seed in 0..1000_u64,
        epsilon in 0.01..0.2_f64,
        share in 0.0..1.0_f64,
    ) {
        let (bench, model) = (&*BENCH, Fused::new(seed, &WORDS));
        let text = TextAttack::deletion(share.max(0.01));
        let found = outcomes(bench, &model, &both(pgd(epsilon), text, Joint::Cross));
        for (case, outcome) in found.iter().enumerate() {
            let deletions = count(&bench.inputs.documents[case], text.share);
            let least = least(bench, &model, case, epsilon as f32, deletions);
            prop_assert!(margin(outcome) >= least - 1e-5, "never better than the optimum");
            if least.abs() > 1e-3 {
                prop_assert_eq!(outcome.held == 0, least < 0.0, "case {}: {} and {}", case, least, margin(outcome));
            }
        }
    }

    #[test]
    fn a_joint_attack_is_never_weaker_than_its_parts(
        seed in 0..1000_u64,
        twist in -30.0..30.0_f64,
        deletion in 0.2..0.8_f64,
        join in 0..JOINS.len(),
    ) {
        let (bench, mut model) = (&*BENCH, Fused::new(seed, &WORDS));
        model.twist = twist;
        let words = |kind, share, draws| TextAttack { draws, ..TextAttack::usual(TextMethod::Sampled(kind), share) };
        let one = words(EditKind::Deletion, deletion, 2);
        let other = words(EditKind::Swap, 0.5, 2);
        let (joint, text) = match JOINS[join] {
            (joint, false) => (joint, vec![one]),
            (joint, true) => (joint, vec![one, other]),
        };
        let of = |image, text: &[TextAttack], joint| {
            outcomes(bench, &model, &Attack { image, text: text.to_vec(), joint })
        };
        let image = Some(pgd(0.1));
        let mut parts = vec![of(image, &[], Joint::default()), of(None, &text, Joint::default())];
        parts.extend(text.chunks(1).map(|text| of(None, text, Joint::default())));
        if joint == Joint::EitherOrder {
            parts.extend([Joint::ImageFirst, Joint::TextFirst].map(|order| of(image, &text, order)));
        }
        for (case, worst) in of(image, &text, joint).iter().enumerate() {
            for part in parts.iter().map(|part| &part[case]) {
                prop_assert!(margin(worst) <= margin(part), "{joint:?}, case {case}: {worst:?} {part:?}");
                // of as many draws, no more hold; a part that draws nothing holds or not
                prop_assert!(worst.held * part.draws <= part.held * worst.draws, "{worst:?} {part:?}");
            }
        }
    }

    #[test]
    fn edits_in_either_order_break_what_each_of_them_breaks(seed in 0..1000_u64, deletion in 0.2..0.8_f64) {
        let (bench, model) = (&*BENCH, Fused::new(seed, &WORDS));
        let words = |kind, share| TextAttack { draws: 1, ..TextAttack::usual(TextMethod::Sampled(kind), share) };
        let (one, other) = (words(EditKind::Deletion, deletion), words(EditKind::Insertion, 0.5));
        let of = |text: &[TextAttack]| outcomes(bench, &model, &Attack { text: text.to_vec(), ..Attack::default() });
        let parts = [of(&[one]), of(&[other])];
        for text in [[one, other], [other, one]] {
            for (case, worst) in of(&text).iter().enumerate() {
                prop_assert!(parts.iter().all(|part| margin(worst) <= margin(&part[case])), "case {case}");
            }
        }
    }
}

/// Every way to join an attack on the image with one on the report, or with two.
const JOINS: [(Joint, bool); 7] = [
    (Joint::EitherOrder, false),
    (Joint::EitherOrder, true),
    (Joint::ImageFirst, false),
    (Joint::ImageFirst, true),
    (Joint::TextFirst, false),
    (Joint::TextFirst, true),
    (Joint::Cross, false),
];

#[test]
fn the_orders_differ_where_one_input_changes_what_the_other_means() {
    let (bench, mut model) = (&*BENCH, Fused::new(3, &WORDS));
    // beside the whole report the image counts the other way round than beside half of it
    model.twist = -8.0;
    let text = TextAttack::deletion(0.5);
    let of = |joint| outcomes(bench, &model, &both(pgd(0.1), text, joint));
    let (image, words) = (of(Joint::ImageFirst), of(Joint::TextFirst));
    let worse = |one: &[Outcome], other: &[Outcome]| {
        one.iter().zip(other).filter(|(one, other)| margin(one) < margin(other) - 1e-4).count()
    };
    assert!(worse(&words, &image) > 0, "the image's attack sees the attacked report when it comes last");
}

#[test]
fn draws_count_how_often_a_case_held() {
    let (bench, model) = (&*BENCH, Fused::new(1, &WORDS));
    let text = TextAttack { draws: 6, ..TextAttack::deletion(0.5) };
    let found = outcomes(bench, &model, &both(pgd(0.1), text, Joint::EitherOrder));
    assert!(found.iter().all(|outcome| outcome.draws == 6));
    assert!(
        found.iter().any(|outcome| outcome.held > 0 && outcome.held < 6),
        "some draws break and some do not"
    );
    let held = |outcome: &Outcome| outcome.held == 6;
    assert!(found.iter().all(|outcome| held(outcome) == (margin(outcome) > 0.0)));
}
