//! Counterexamples: as small as can be, still breaking, and stored without a report.

use crate::known_scene;

use known_scene::{Bench, Fused, PIXELS, both, pgd};
use medcert::evidence::{Counterexample, regressions, smallest};
use medcert::lab::chunk::{Attempt, Chunk};
use medcert::plan::{Attack, ImageAttack};
use medcert::spec::{
    Absence, EditKind, ImageMethod, ImageSearch, Joint, Mode, Norm, Region, TextAttack, TextMethod,
};
use medcert::text::Edit;
use medcert::text::perturb::{after, count};
use proptest::prelude::*;

const WORDS: [(&str, f32); 4] = [("effusion", 0.05), ("mass", 0.05), ("clear", -0.05), ("normal", -0.05)];
const REPORTS: [(&str, bool); 4] = [
    ("effusion with mass and effusion of lungs", true),
    ("clear lungs and normal heart with clear bones", false),
    ("large mass and effusion beside a mass of heart", true),
    ("normal heart and clear lungs and clear bones", false),
];

/// Reports that also say the contrary: some words outweigh the others.
const MIXED: [(&str, bool); 4] = [
    ("effusion with mass and effusion of normal clear lungs", true),
    ("clear lungs normal heart clear bones effusion mass", false),
    ("mass normal effusion beside a clear mass of heart", true),
    ("normal effusion and clear mass and clear bones", false),
];

/// What an attack does to each case, and all counterexamples.
fn tried(bench: &Bench, model: &Fused, attack: &Attack) -> (Attempt, Vec<Counterexample>) {
    let scene = bench.scene(model);
    let mut chunk = Chunk::new(&scene, &bench.test).expect("a chunk");
    let attempt = chunk.attack(attack).expect("an attack");
    let found = chunk.shrink(attack, &attempt, usize::MAX).expect("counterexamples");
    (attempt, found)
}

fn case_of(bench: &Bench, found: &Counterexample) -> usize {
    bench.data.studies.iter().position(|study| study.id == found.case).expect("a case")
}

/// The margin of a case's clean images beside a text.
fn margin(bench: &Bench, model: &Fused, case: usize, pixels: &[f32], text: &str) -> f32 {
    let score = model.image(pixels) + model.text(text);
    if bench.inputs.labels[case].is_abnormal() { score } else { -score }
}

fn image(search: ImageSearch, norm: Norm, epsilon: f64) -> Attack {
    let method = ImageMethod::Search { search, norm, region: Region::Everywhere };
    Attack { image: Some(ImageAttack { method, strength: epsilon }), ..Attack::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn the_least_change_of_a_linear_model_is_the_closed_form(seed in 0..1000_u64, epsilon in 0.15..0.4_f64) {
        let (bench, model) = (Bench::new(&REPORTS), Fused::new(seed, &WORDS));
        let (attempt, found) = tried(&bench, &model, &image(ImageSearch::Fgsm, Norm::Linf, epsilon));
        let broken = attempt.outcomes.iter().filter(|outcome| outcome.held == 0).count();
        prop_assert_eq!(found.len(), broken);
        for found in &found {
            let case = case_of(&bench, found);
            let clean = bench.pixels(case);
            let sign = if bench.inputs.labels[case].is_abnormal() { -1.0 } else { 1.0 };
            let moved: Vec<f32> =
                clean.iter().zip(&model.weights).map(|(x, w)| (x + sign * epsilon as f32 * w.signum()).clamp(0.0, 1.0)).collect();
            let text = &bench.inputs.texts[case];
            let (before, after) =
                (margin(&bench, &model, case, &clean, text), margin(&bench, &model, case, &moved, text));
            // the margin falls along a straight line
            let part = f64::from(before / (before - after));
            let least = f64::from(found.epsilon.expect("a change"));
            prop_assert!(least >= part * epsilon - 1e-4 && least <= (part + 1.0 / 512.0) * epsilon + 1e-4,
                "{} of {}", least, part * epsilon);
            let mut shares: Vec<f32> =
                (0..PIXELS).map(|pixel| ((moved[pixel] - clean[pixel]) * model.weights[pixel]).abs()).collect();
            shares.sort_by(|a, b| b.total_cmp(a));
            let mut left = before;
            let fewest = shares.iter().take_while(|share| { let stands = left > 0.0; left -= **share; stands }).count();
            let pixels = i64::from(found.pixels.expect("pixels"));
            prop_assert!((pixels - fewest as i64).abs() <= 1, "{} of {}", pixels, fewest);
            prop_assert!(found.edits.is_empty() && found.queries <= 9 + 1 + 1 + 9);
        }
    }

    #[test]
    fn the_fewest_edits_are_those_of_brute_force(seed in 0..1000_u64, share in 0.5..0.9_f64) {
        let (bench, mut model) = (Bench::new(&MIXED), Fused::new(seed, &WORDS));
        // the words decide
        model.weights.iter_mut().for_each(|weight| *weight *= 0.01);
        let text = TextAttack { draws: 40, ..TextAttack::deletion(share) };
        let attack = Attack { text: vec![text], ..Attack::default() };
        let (_, found) = tried(&bench, &model, &attack);
        prop_assert_eq!(found.len(), 4);
        for found in &found {
            let case = case_of(&bench, found);
            let document = &bench.inputs.documents[case];
            let pixels = bench.pixels(case);
            let deleted = |word: &Edit| if let Edit::Delete { word } = word { *word } else { panic!("{word:?}") };
            let breaks = |edits: &[usize]| {
                let step = vec![edits.iter().map(|&word| Edit::Delete { word }).collect::<Vec<_>>()];
                let text = after(document, &step).expect("edits that fit").text();
                margin(&bench, &model, case, &pixels, &text) <= 0.0
            };
            let own: Vec<usize> = found.edits.iter().flatten().map(deleted).collect();
            prop_assert!(breaks(&own), "a counterexample replays and breaks");
            prop_assert!(own.len() <= count(document, share));
            // words weigh alike, so the fewest of all are the fewest of these
            let words = document.text().split(' ').count();
            let fewest = (0..1_u32 << words).filter(|set| {
                let set: Vec<usize> = (0..words).filter(|word| set >> word & 1 == 1).collect();
                breaks(&set)
            }).map(u32::count_ones).min().expect("a set that breaks");
            prop_assert_eq!(own.len(), fewest as usize);
            prop_assert!(found.epsilon.is_none() && found.pixels.is_none());
        }
    }
}

#[test]
fn both_sources_shrink_the_words_first() {
    let (bench, model) = (Bench::new(&REPORTS), Fused::new(4, &WORDS));
    let attack = both(pgd(0.12), TextAttack::deletion(0.8), Joint::Cross);
    let (attempt, found) = tried(&bench, &model, &attack);
    assert_eq!(found.len(), attempt.outcomes.iter().filter(|outcome| outcome.held == 0).count());
    assert!(!found.is_empty());
    for found in &found {
        let case = case_of(&bench, found);
        let outcome = &attempt.outcomes[case];
        assert!(found.size() <= outcome.edits as usize && found.epsilon.expect("a change") <= outcome.change);
        assert!(found.queries > 0);
    }
    assert!(found.iter().any(|found| found.size() > 0 && found.epsilon > Some(0.0)), "some need both");
    let again = tried(&bench, &model, &attack);
    assert_eq!((found, attempt.outcomes), (again.1, again.0.outcomes), "the same bits");
}

#[test]
fn the_outcomes_do_not_count_what_shrinking_took() {
    let (bench, model) = (Bench::new(&REPORTS), Fused::new(4, &WORDS));
    let scene = bench.scene(&model);
    let attack = image(ImageSearch::Fgsm, Norm::Linf, 0.4);
    let mut chunk = Chunk::new(&scene, &bench.test).expect("a chunk");
    let first = chunk.attack(&attack).expect("an attack");
    assert_eq!(
        chunk.shrink(&attack, &first, 1).expect("counterexamples").len(),
        1,
        "as many as are asked for"
    );
    chunk.shrink(&attack, &first, usize::MAX).expect("counterexamples");
    let queries =
        |attempt: &Attempt| attempt.outcomes.iter().map(|outcome| outcome.queries).collect::<Vec<_>>();
    assert_eq!(queries(&first), [2; 4]);
    // nor does it matter that the gradient is known by now
    assert_eq!(queries(&chunk.attack(&attack).expect("an attack")), [2; 4]);
}

#[test]
fn what_is_replaced_is_named_without_a_size() {
    let (bench, model) = (Bench::new(&REPORTS), Fused::new(4, &WORDS));
    let method = TextMethod::Absent(Absence::WrongPatient);
    let report = Attack { text: vec![TextAttack::usual(method, 1.0)], ..Attack::default() };
    let method = ImageMethod::Absent(Absence::WrongPatient);
    let image = Attack {
        image: Some(ImageAttack { method, strength: 1.0 }),
        text: report.text.clone(),
        ..Attack::default()
    };
    for attack in [report, image] {
        let (_, found) = tried(&bench, &model, &attack);
        assert!(!found.is_empty(), "{attack}");
        let is_unsized = |found: &Counterexample| {
            found.edits.is_empty() && found.epsilon.is_none() && found.pixels.is_none()
        };
        assert!(found.iter().all(is_unsized), "{attack}");
    }
}

#[test]
fn the_least_change_is_measured_in_the_attacks_norm() {
    let (bench, model) = (Bench::new(&REPORTS), Fused::new(4, &WORDS));
    let search = ImageSearch::Pgd { steps: 10, restarts: 1 };
    let (attempt, found) = tried(&bench, &model, &image(search, Norm::L2, 6.0));
    assert!(!found.is_empty());
    for found in &found {
        let outcome = &attempt.outcomes[case_of(&bench, found)];
        let least = found.epsilon.expect("a change");
        // one pixel changes by 1 at most, so a change this long is one of l2
        assert!(least > 1.0 && least <= outcome.change, "{least} of {}", outcome.change);
    }
}

#[test]
fn a_preserving_counterexample_preserves() {
    let reports = [
        ("There is a large left pleural effusion. The heart is enlarged.", true),
        ("There is a small right pleural effusion. The heart is enlarged.", true),
    ];
    let weights = [("large", 0.02), ("small", 0.02), ("enlarged", 0.02), ("pleural", -0.03)];
    let (bench, mut model) = (Bench::new(&reports), Fused::new(4, &weights));
    model.weights.iter_mut().for_each(|weight| *weight *= 0.001);
    let method = TextMethod::Sampled(EditKind::Synonyms);
    let text = TextAttack { mode: Mode::Preserving, draws: 8, ..TextAttack::usual(method, 0.9) };
    let attack = Attack { text: vec![text], ..Attack::default() };
    let (_, found) = tried(&bench, &model, &attack);
    assert!(!found.is_empty());
    for found in found {
        let case = case_of(&bench, &found);
        let said = after(&bench.inputs.documents[case], &found.edits).expect("edits that fit").text();
        assert!(medcert::text::meaning::preserves(&bench.inputs.texts[case], &said), "{said}");
    }
}

fn same_run(
    bench: &Bench,
    model: &Fused,
    attack: &Attack,
    known: &[Counterexample],
) -> (Attempt, u32, u32, usize) {
    let scene = bench.scene(model);
    let mut chunk = Chunk::new(&scene, &bench.test).expect("a chunk");
    let mut attempt = chunk.attack(attack).expect("an attack");
    let (again, counts) = chunk.retry(attack, &mut attempt, known).expect("tries");
    (attempt, counts.tried, counts.still_break, again.len())
}

#[test]
fn an_earlier_counterexample_breaks_its_case_whatever_the_attack_finds() {
    let (bench, model) = (Bench::new(&MIXED), Fused::new(4, &WORDS));
    let text = |draws| TextAttack { draws, ..TextAttack::deletion(0.5) };
    let lucky = Attack { text: vec![text(40)], ..Attack::default() };
    let one_draw = Attack { text: vec![text(1)], ..Attack::default() };
    let (_, mut known) = tried(&bench, &model, &lucky);
    for found in &mut known {
        found.attack = one_draw.to_string();
    }
    assert_eq!(known.len(), 4);
    let (alone, ..) = same_run(&bench, &model, &one_draw, &[]);
    let standing = alone.outcomes.iter().filter(|outcome| outcome.held == 1).count();
    assert!(standing > 0, "one draw does not break all");
    let (attempt, tried, still, again) = same_run(&bench, &model, &one_draw, &known);
    assert_eq!((tried, still, again), (4, 4, 4));
    for (outcome, alone) in attempt.outcomes.iter().zip(&alone.outcomes) {
        assert_eq!((outcome.held, outcome.draws, outcome.queries), (0, 1, alone.queries));
        assert!(outcome.margin <= alone.margin);
    }
}

#[test]
fn what_the_attack_may_not_do_is_not_believed() {
    let (bench, model) = (Bench::new(&MIXED), Fused::new(4, &WORDS));
    let attack = Attack { text: vec![TextAttack::deletion(0.3)], ..Attack::default() };
    let (alone, ..) = same_run(&bench, &model, &attack, &[]);
    let standing = alone.outcomes.iter().position(|outcome| outcome.held == 1).expect("a case that stands");
    let entry = |edits: Vec<Vec<Edit>>| Counterexample {
        model: "fused".into(),
        attack: attack.to_string(),
        case: bench.data.studies[standing].id.to_string(),
        edits,
        epsilon: None,
        pixels: None,
        queries: 1,
    };
    let delete = |words: std::ops::Range<usize>| words.map(|word| Edit::Delete { word }).collect::<Vec<_>>();
    let by = |by: &str| by.to_string();
    for edits in [
        vec![delete(0..8)],                                               // more than its share
        vec![delete(0..2), delete(0..2)],                                 // more than its share, in two steps
        vec![vec![Edit::Replace { word: 0, words: 1, by: by("clear") }]], // no deletion
        vec![vec![Edit::Rewrite { word: 0, words: 6, by: by("clear clear") }]], // no deletion
        vec![vec![Edit::Delete { word: 90 }]],                            // no such word
        vec![vec![Edit::Delete { word: 0 }, Edit::Delete { word: 0 }]],   // twice the same
        vec![],
    ] {
        let (attempt, tried, still, again) = same_run(&bench, &model, &attack, &[entry(edits.clone())]);
        assert_eq!((tried, still, again), (1, 0, 0), "{edits:?}");
        assert_eq!(attempt.outcomes, alone.outcomes);
    }
    let other = Counterexample { case: "nobody".into(), ..entry(vec![]) };
    assert_eq!(same_run(&bench, &model, &attack, &[other]).1, 0, "a case that is gone is not tried");
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0..90_usize).prop_map(|word| Edit::Delete { word }),
        (0..90_usize, 1..4_usize, "\\PC{0,9}").prop_map(|(word, words, by)| Edit::Replace {
            word,
            words,
            by
        }),
        (0..90_usize, "\\PC{0,9}").prop_map(|(before, what)| Edit::Insert { before, what }),
        Just(Edit::Order(vec![1, 0])),
    ]
}

fn counterexample() -> impl Strategy<Value = Counterexample> {
    let steps = prop::collection::vec(prop::collection::vec(edit(), 1..4), 0..3);
    let size = prop::option::of(0.0..3.0_f32);
    ("\\PC{0,9}", "\\PC{0,9}", steps, size, prop::option::of(any::<u32>()), any::<u32>()).prop_map(
        |(case, attack, edits, epsilon, pixels, queries)| Counterexample {
            model: "fused".into(),
            attack,
            case,
            edits,
            epsilon,
            pixels,
            queries,
        },
    )
}

proptest! {
    #[test]
    fn a_regressions_file_comes_back_as_it_was(found in prop::collection::vec(counterexample(), 0..6)) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/a.regressions");
        prop_assert_eq!(regressions::read(&path).expect("read"), None);
        regressions::write(&path, &found).expect("written");
        let bytes = std::fs::read(&path).expect("bytes");
        let back = regressions::read(&path).expect("read").expect("a file");
        prop_assert_eq!(&back.counterexamples, &found);
        prop_assert!(!back.is_edited);
        regressions::write(&path, &back.counterexamples).expect("written");
        prop_assert_eq!(std::fs::read(&path).expect("bytes"), bytes);
    }

    #[test]
    fn the_smallest_are_kept_in_whatever_order_they_come(found in prop::collection::vec(counterexample(), 0..9), turn in 0..9_usize) {
        let mut other = found.clone();
        other.rotate_left(turn % found.len().max(1));
        let key = |found: &Counterexample| (found.size(), found.epsilon.map(f32::to_bits), found.case.clone());
        let keys = |found: Vec<Counterexample>| smallest(found).iter().map(key).collect::<Vec<_>>();
        let kept = keys(found.clone());
        prop_assert_eq!(kept.len(), found.len().min(3));
        let least = found.iter().map(Counterexample::size).min();
        prop_assert_eq!(kept.first().map(|key| key.0), least);
        prop_assert_eq!(kept, keys(other));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60), headed in any::<bool>()) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.regressions");
        let head: &[u8] = if headed { b"# medcert regressions 1:\n" } else { b"" };
        std::fs::write(&path, [head, &bytes].concat()).expect("written");
        match regressions::read(&path) {
            Ok(found) => prop_assert!(found.is_some_and(|found| found.counterexamples.is_empty() && found.is_edited), "nothing can be in it"),
            Err(why) => prop_assert_eq!(why.exit_code(), 4),
        }
    }
}

#[test]
fn bad_regressions_files_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.regressions");
    let found = Counterexample {
        model: "fused".into(),
        attack: "50% deletion".into(),
        case: "p1".into(),
        edits: vec![vec![Edit::Delete { word: 3 }]],
        epsilon: None,
        pixels: None,
        queries: 4,
    };
    regressions::write(&path, &[found.clone(), found]).expect("written");
    let whole = std::fs::read_to_string(&path).expect("text");
    let bad = [
        String::new(),
        "---\nsource: tests/specs.rs\n".into(),
        whole.replace("regressions 1:", "regressions 2:"),
        whole.replacen("\"queries\"", "\"query\"", 1),
        whole.replace("delete", "erase"),
        whole.replacen("\"case\":\"p1\"", "\"case\":1", 1),
        whole[..whole.len() - 1].to_string(),
        format!("{whole}<<<<<<< HEAD\n"),
        format!("{whole}\n"),
    ];
    let told = bad.map(|text| {
        std::fs::write(&path, text).expect("written");
        let why = regressions::read(&path).expect_err("refused");
        assert_eq!(why.exit_code(), 4);
        why.to_string().replace(&folder.path().display().to_string(), "FOLDER")
    });
    insta::assert_snapshot!(told.join("\n"));
}
