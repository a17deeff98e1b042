//! One notation for attacks: what is printed can be pasted into a spec and means the same; keys never change.

use std::path::Path;

use medcert::plan::{Attack, ImageAttack, build, parse_attack};
use medcert::spec::{
    Absence, AttackLoss, Corruption, EditKind, ImageMethod, ImageSearch, Joint, Mask, Mode, Norm, Parameter,
    Referent, Region, Spec, Takes, TextAttack, TextMethod, TextSearch, Value, parse, read,
};
use proptest::prelude::*;
use proptest::sample::select;

/// A spec with a model for a transfer and a mask file.
fn spec() -> Spec {
    let text = "claim: It keeps reading
data:  {phantom: {studies: 900, seed: 7}}
split: {by: patient, test: 30%, seed: 7}
models:
  language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 2}}}
  vision:   {se_resnet18: {image: 64, train: {lr: 1e-3, epochs: 2}}}
  fusion:   {early_fusion: {vision: vision, language: language, train: {lr: 1e-4, epochs: 2}}}
masks: {field: masks/field.png}
require: [fusion accuracy ≥ 90%]
";
    parse(Path::new("a.yaml"), text).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A value that a parameter takes.
fn value(parameter: Parameter) -> BoxedStrategy<Value> {
    match parameter.takes {
        Takes::Count { least, most } => (least..=most).prop_map(Value::Count).boxed(),
        Takes::Loss => select(AttackLoss::ALL).prop_map(Value::Loss).boxed(),
        Takes::Model => Just(Value::Model(Referent::new("vision", 1))).boxed(),
    }
}

/// A share of the words or pixels.
fn share() -> impl Strategy<Value = f64> {
    prop_oneof![(1..=100_u32).prop_map(|percent| f64::from(percent) / 100.0), 1e-9..1.0_f64]
}

fn radius() -> impl Strategy<Value = f64> {
    prop_oneof![(1..=255_u32).prop_map(|levels| f64::from(levels) / 255.0), 1e-9..1.0_f64, Just(0.1)]
}

fn region() -> impl Strategy<Value = Region> {
    let mask = || select(vec![Mask::Lesion, Mask::Attribution, Mask::File(Referent::new("field", 0))]);
    prop_oneof![Just(Region::Everywhere), mask().prop_map(Region::Inside), mask().prop_map(Region::Outside)]
}

fn search() -> impl Strategy<Value = ImageSearch> {
    select(ImageSearch::ALL).prop_flat_map(|search| {
        let values: Vec<_> = search
            .settings()
            .into_iter()
            .map(|(parameter, _)| value(parameter).prop_map(move |value| (parameter.key, value)))
            .collect();
        values.prop_map(move |values| {
            let with = |search: ImageSearch, (key, value)| search.with(key, value).expect("it takes its own");
            values.into_iter().fold(search, with)
        })
    })
}

fn image() -> impl Strategy<Value = ImageAttack> {
    let ball = (search(), any::<prop::sample::Index>(), region(), radius());
    let ball = ball.prop_map(|(search, norm, region, strength)| {
        let norm = *norm.get(search.norms());
        ImageAttack { method: ImageMethod::Search { search, norm, region }, strength }
    });
    let patch = (1..=1000_u32, region(), share()).prop_map(|(steps, region, strength)| ImageAttack {
        method: ImageMethod::Patch { steps, region },
        strength,
    });
    let naive_patch = (region(), share())
        .prop_map(|(region, strength)| ImageAttack { method: ImageMethod::NaivePatch { region }, strength });
    let film = (select(Corruption::ALL), 1..=5_u32).prop_map(|(corruption, severity)| ImageAttack {
        method: ImageMethod::Corruption(corruption),
        strength: f64::from(severity),
    });
    let absent = select(Absence::ALL)
        .prop_map(|absence| ImageAttack { method: ImageMethod::Absent(absence), strength: 1.0 });
    prop_oneof![6 => ball, 1 => patch, 1 => naive_patch, 1 => film, 1 => absent]
}

fn text() -> impl Strategy<Value = TextAttack> {
    let method = prop_oneof![
        3 => select(EditKind::ALL).prop_map(TextMethod::Sampled),
        3 => (select(TextSearch::ALL), 2..=100_000_u32)
            .prop_map(|(search, queries)| TextMethod::Searched { search, queries }),
        1 => select(Absence::ALL).prop_map(TextMethod::Absent),
    ];
    (method, share(), select(Mode::ALL), 1..=1000_u32).prop_map(|(method, share, mode, draws)| {
        let usual = TextAttack::usual(method, if method.takes_share() { share } else { 1.0 });
        let is_refused = match method {
            TextMethod::Sampled(EditKind::Negation) | TextMethod::Absent(_) => mode != usual.mode,
            TextMethod::Searched { .. } => mode == Mode::Directional,
            TextMethod::Sampled(_) => false,
        };
        let draws = if matches!(method, TextMethod::Sampled(_)) { draws } else { 1 };
        TextAttack { mode: if is_refused { usual.mode } else { mode }, draws, ..usual }
    })
}

/// Any attack that a sentence may name.
pub fn attack() -> impl Strategy<Value = Attack> {
    let joints = [Joint::EitherOrder, Joint::ImageFirst, Joint::TextFirst, Joint::Cross];
    let parts = (prop::option::of(image()), prop::collection::vec(text(), 0..3), select(joints.to_vec()));
    parts.prop_map(|(image, mut text, joint)| {
        if text.len() == 2 {
            let is_directional = text.iter().any(|one| one.mode == Mode::Directional);
            if is_directional || text[0].method == text[1].method {
                text.pop();
            }
        }
        let searches = |one: &TextAttack| match one.method {
            TextMethod::Sampled(kind) => kind.facts().is_listed,
            TextMethod::Searched { .. } => true,
            TextMethod::Absent(_) => false,
        };
        let is_pgd = |image: ImageAttack| {
            matches!(image.method, ImageMethod::Search { search: ImageSearch::Pgd { .. }, .. })
        };
        let joint = match joint {
            _ if image.is_none() || text.is_empty() => Joint::default(),
            Joint::Cross if !(image.is_some_and(is_pgd) && text.iter().all(searches)) => Joint::default(),
            other => other,
        };
        Attack { image, text, joint }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_printed_is_read_as_the_same_attack(attack in attack()) {
        let spec = spec();
        for written in [attack.to_string(), attack.key()] {
            let read = parse_attack(&written, &spec);
            prop_assert_eq!(read.as_ref(), Ok(&attack), "{}", written);
        }
    }
}

#[test]
fn every_cell_and_probe_of_the_specs_can_be_pasted_into_them() {
    let mut cells = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/specs")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let plan = build(read(&path).unwrap_or_else(|why| panic!("{why}")));
        for cell in plan.cells.iter().chain(plan.probes.iter().map(|probe| &probe.cell)) {
            let written = cell.attack.to_string();
            let read = parse_attack(&written, &plan.spec);
            assert_eq!(read.as_ref(), Ok(&cell.attack), "{written} of {}", path.display());
            cells += 1;
        }
    }
    assert!(cells > 100, "{cells}");
}

#[test]
fn short_forms_mean_the_same() {
    let spec = spec();
    for (short, whole) in [
        ("PGD-20×2 ε=0.1", "PGD ε=0.1 steps=20 restarts=2"),
        ("pgd-20x2 eps = 0.1", "PGD ε=0.1 steps=20 restarts=2"),
        ("PGD-20 restarts=3 ε=0.1", "PGD ε=0.1 steps=20 restarts=3"),
        ("PGD-L2-20 inside the lesion ε=1", "PGD-L2 ε=1 steps=20 inside lesion"),
        ("APGD-margin-40 ε=0.1", "APGD ε=0.1 loss=margin steps=40"),
        ("CW-50×5 ε=0.3", "CW ε=0.3 steps=50 searches=5"),
        ("deepfool-linf epsilon=8/255", "DeepFool-LINF ε=8/255"),
        ("transfer from vision ε=0.1", "transfer ε=0.1 from=vision"),
        ("4% patch-20 outside=field", "4% patch steps=20 outside field"),
        ("0.2 word TextFooler-200", "20% TextFooler queries=200"),
        ("10% typo draws=5", "10% typos draws=5"),
        ("jpeg severity=3", "jpeg severity 3"),
        ("PGD-20×2 ε=0.1 x 20% TextFooler", "PGD ε=0.1 steps=20 restarts=2 × 20% TextFooler"),
    ] {
        let read = parse_attack(short, &spec).unwrap_or_else(|complaint| panic!("{short}: {complaint:?}"));
        assert_eq!(read.to_string(), whole, "{short}");
    }
}

#[test]
fn a_setting_that_means_nothing_is_refused_at_its_word() {
    let spec = spec();
    let told = [
        "FGSM ε=0.1 steps=20",
        "PGD steps=20",
        "PGD ε=0.1 ε=0.2",
        "PGD ε=0.1 steps=20 steps=30",
        "PGD ε=0.1 steps=0",
        "PGD ε=0.1 steps=many",
        "PGD-20-30 ε=0.1",
        "PGD-20×2×3 ε=0.1",
        "PGD ε≤0.1",
        "APGD ε=0.1 loss=hinge",
        "transfer ε=0.1",
        "transfer ε=0.1 from=fusion",
        "CW-L2 ε=0.1 steps=1",
        "Square ε=0.1 queries=1",
        "20% TextFooler queries=1",
        "20% TextFooler draws=3",
        "10% typos draws=2 draws=3",
        "deletion-10",
        "10% typos-10",
        "4% patch ε=0.1",
        "PGD ε=0.1 inside lesion outside lesion",
        "FGSM ε=0",
        "FGSM ε=0/255",
        "0% deletion",
        "0% patch",
        "jpeg severity 0",
    ]
    .map(|written| match parse_attack(written, &spec) {
        Ok(attack) => panic!("{written} is read as {attack}"),
        Err(complaint) => {
            format!("{written}\n  `{}` {}; {}", complaint.word, complaint.message, complaint.help)
        }
    });
    insta::assert_snapshot!(told.join("\n"));
}

/// Caches, random streams and evidence are keyed by these. A change here is a change of what attacks do, or of all
/// their noise.
#[test]
fn keys_and_defaults_are_as_they_have_always_been() {
    let usual =
        |method, strength| Attack { image: Some(ImageAttack { method, strength }), ..Attack::default() };
    let searches = ImageSearch::ALL.iter().map(|search| usual(ImageMethod::usual(*search), 0.1).key());
    let words = |method| Attack { text: vec![TextAttack::usual(method, 0.5)], ..Attack::default() }.key();
    let edits = EditKind::ALL.iter().map(|kind| words(TextMethod::Sampled(*kind)));
    let texts = TextSearch::ALL
        .iter()
        .map(|search| words(TextMethod::Searched { search: *search, queries: TextMethod::QUERIES }));
    let all: Vec<String> = searches.chain(edits).chain(texts).collect();
    insta::assert_snapshot!(all.join("\n"));
    let streams: Vec<&str> = EditKind::ALL.iter().map(|kind| kind.facts().stream).collect();
    insta::assert_snapshot!(streams.join(" "));
    let films: Vec<&str> = Corruption::ALL.iter().map(|corruption| corruption.name()).collect();
    insta::assert_snapshot!(films.join(" "));
    let l2 = ImageMethod::Search {
        search: ImageSearch::Fab { steps: 20, restarts: 2 },
        norm: Norm::L2,
        region: Region::Inside(Mask::Lesion),
    };
    let joint =
        Attack { text: vec![TextAttack::deletion(0.5)], joint: Joint::ImageFirst, ..usual(l2, 8.0 / 255.0) };
    assert_eq!(
        joint.key(),
        "FAB-L2 ε=8/255 steps=20 restarts=2 inside lesion then free 50% deletion draws=1"
    );
}

#[test]
fn every_row_is_told_from_every_other_and_its_file_states_its_defaults() {
    let mut names: Vec<String> = ImageSearch::ALL.iter().map(|one| one.name().to_lowercase()).collect();
    names.extend(Corruption::ALL.iter().map(|one| one.name().to_lowercase()));
    names.extend(EditKind::ALL.iter().map(|one| one.name().to_lowercase()));
    names.extend(TextSearch::ALL.iter().map(|one| one.name().to_lowercase()));
    names.extend(Absence::ALL.iter().map(|one| one.name().to_lowercase()));
    names.extend(Mode::ALL.iter().map(|one| one.name().to_lowercase()));
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "two kinds have one name");
    for search in ImageSearch::ALL {
        assert!(!search.norms().is_empty(), "{} has no norm", search.name());
        let head: String = search.facts().source.lines().take_while(|line| line.starts_with("//!")).collect();
        for (parameter, value) in search.settings() {
            if let Value::Count(usual) = value {
                let key = parameter.key;
                assert!(
                    head.contains(&usual.to_string()),
                    "the head of {} lacks {key} = {usual}",
                    search.name()
                );
            }
        }
    }
}
