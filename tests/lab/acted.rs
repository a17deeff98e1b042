//! An attack is credited only where it acted: what the model does not read, and pixels that may not move, do not count.

use crate::known_scene;

use known_scene::{Bench, Fused, both, pgd};
use medcert::Result;
use medcert::evidence::Outcome;
use medcert::lab::chunk::Chunk;
use medcert::lab::model::Reader;
use medcert::lab::tensor::Tensor;
use medcert::lab::victim::Classifier;
use medcert::plan::{Attack, ImageAttack};
use medcert::spec::{
    Absence, Corruption, EditKind, ImageMethod, ImageSearch, Joint, Mask, Mode, Norm, Region, TextAttack,
    TextMethod, TextSearch, Value,
};

const WORDS: [(&str, f32); 3] = [("effusion", 0.08), ("clear", -0.08), ("lungs", 0.0)];
const REPORTS: [(&str, bool); 4] = [
    ("effusion effusion mass lungs", true),
    ("clear lungs normal clear", false),
    ("mass lungs effusion effusion", true),
    ("lungs normal clear clear", false),
];

/// Reads so many words of a report and no more.
struct Cut(Fused, usize);

impl Cut {
    fn cut(&self, text: &str) -> String {
        text.split(' ').take(self.1).collect::<Vec<_>>().join(" ")
    }
}

impl Classifier for Cut {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        self.0.read_images(images)
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        self.0.read_texts(&texts.iter().map(|text| self.cut(text)).collect::<Vec<_>>())
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        self.0.decide(image, text)
    }
}

impl Reader for Cut {
    fn name(&self) -> &'static str {
        "cut"
    }

    fn side(&self) -> Option<u32> {
        self.0.side()
    }

    fn reads_text(&self) -> bool {
        true
    }

    fn reads_alike(&self, one: &str, other: &str) -> bool {
        self.cut(one) == self.cut(other)
    }
}

fn outcomes(bench: &Bench, model: &dyn Reader, attack: &Attack) -> Vec<Outcome> {
    let scene = bench.scene(model);
    let mut chunk = Chunk::new(&scene, &bench.test).expect("a chunk");
    chunk.attack(attack).expect("an attack").outcomes
}

fn image(method: ImageMethod, strength: f64) -> Attack {
    Attack { image: Some(ImageAttack { method, strength }), ..Attack::default() }
}

fn report(method: TextMethod) -> Attack {
    let text = TextAttack { draws: 1, ..TextAttack::usual(method, 0.5) };
    Attack { text: vec![text], ..Attack::default() }
}

fn search(search: ImageSearch, norm: Norm, region: Region) -> ImageMethod {
    ImageMethod::Search { search, norm, region }
}

fn acted(outcomes: &[Outcome]) -> Vec<bool> {
    outcomes.iter().map(|outcome| outcome.acted).collect()
}

#[test]
fn what_alters_a_case_has_acted_and_what_is_clean_has_not() {
    let (bench, model) = (Bench::new(&REPORTS), Fused::new(1, &WORDS));
    assert_eq!(acted(&outcomes(&bench, &model, &Attack::default())), [false; 4]);
    let fgsm = search(ImageSearch::Fgsm, Norm::Linf, Region::Everywhere);
    for attack in [
        image(fgsm, 0.01),
        image(ImageMethod::Corruption(Corruption::QuantumNoise), 3.0),
        image(ImageMethod::Absent(Absence::Blank), 1.0),
        image(ImageMethod::Absent(Absence::Missing), 1.0),
        report(TextMethod::Sampled(EditKind::Deletion)),
        report(TextMethod::Absent(Absence::Missing)),
        both(pgd(0.01), TextAttack::deletion(0.5), Joint::EitherOrder),
    ] {
        let found = outcomes(&bench, &model, &attack);
        assert_eq!(acted(&found), [true; 4], "{attack}: {found:?}");
    }
}

#[test]
fn a_search_for_the_least_change_has_acted_where_it_finds_nothing_within_its_radius() {
    let (bench, model) = (Bench::new(&REPORTS), Fused::new(1, &WORDS));
    for (method, norm) in [
        (ImageSearch::DeepFool { steps: 5 }, Norm::L2),
        (ImageSearch::Fab { steps: 5, restarts: 1 }, Norm::Linf),
        (ImageSearch::CarliniWagner { steps: 20, searches: 2 }, Norm::L2),
        (ImageSearch::HopSkipJump { queries: 200 }, Norm::L2),
    ] {
        let found = outcomes(&bench, &model, &image(search(method, norm, Region::Everywhere), 1e-6));
        assert!(
            found.iter().all(|outcome| outcome.change == 0.0 && outcome.held == 1),
            "{method:?}: {found:?}"
        );
        assert_eq!(acted(&found), [true; 4], "{method:?}");
    }
}

#[test]
fn edits_behind_the_cut_of_the_tokenizer_are_none() {
    let bench = Bench::new(&REPORTS);
    let attack = report(TextMethod::Sampled(EditKind::Deletion));
    let of = |words| outcomes(&bench, &Cut(Fused::new(1, &WORDS), words), &attack);
    assert!(of(0).iter().all(|outcome| !outcome.acted && outcome.edits == 0));
    assert!(of(4).iter().all(|outcome| outcome.acted && outcome.edits == 2));
}

#[test]
fn where_no_pixel_may_move_nothing_has_acted() {
    let mut bench = Bench::new(&REPORTS);
    let cache = tempfile::tempdir().expect("a folder");
    bench.inputs.prepare_lesions(&bench.data, &medcert::seal::Cache::at(cache.path())).expect("lesions");
    let model = Fused::new(1, &WORDS);
    let has_lesion: Vec<bool> =
        bench.test.iter().map(|&case| bench.inputs.lesion_share(case) > Some(0.0)).collect();
    assert!(has_lesion.contains(&true) && has_lesion.contains(&false), "{has_lesion:?}");
    for (method, norm) in [
        (ImageSearch::Fgsm, Norm::Linf),
        (ImageSearch::Pgd { steps: 5, restarts: 1 }, Norm::L2),
        (ImageSearch::Square { queries: 20 }, Norm::Linf),
        (ImageSearch::DeepFool { steps: 5 }, Norm::L2),
        (ImageSearch::HopSkipJump { queries: 100 }, Norm::L2),
    ] {
        let inside = search(method, norm, Region::Inside(Mask::Lesion));
        let found = acted(&outcomes(&bench, &model, &image(inside, 0.1)));
        for (case, (acted, has_lesion)) in found.into_iter().zip(&has_lesion).enumerate() {
            assert!(*has_lesion || !acted, "{method:?}, case {case}");
        }
    }
}

#[test]
fn no_attack_acts_where_no_pixel_and_no_word_is_its_own() {
    let reports: Vec<(&str, bool)> = (0..8).map(|case| ("", case % 2 == 0)).collect();
    let mut bench = Bench::new(&reports);
    let cache = tempfile::tempdir().expect("a folder");
    bench.inputs.prepare_lesions(&bench.data, &medcert::seal::Cache::at(cache.path())).expect("lesions");
    // those of the films that have no lesion; their reports have no word
    let without: Vec<usize> = bench
        .test
        .iter()
        .copied()
        .filter(|&case| bench.inputs.lesion_share(case).unwrap_or(0.0) == 0.0)
        .collect();
    assert!(without.len() > 1, "films without a lesion");
    bench.test = without;
    let none = vec![false; bench.test.len()];
    let model = Fused::new(1, &WORDS);
    let inside = Region::Inside(Mask::Lesion);
    let searches = ImageSearch::ALL
        .iter()
        // a transfer needs another model
        .filter(|search| !matches!(search, ImageSearch::Transfer { .. }))
        .flat_map(|&one| one.norms().iter().map(move |&norm| search(cheap(one), norm, inside)));
    let patches =
        [ImageMethod::Patch { steps: 2, region: inside }, ImageMethod::NaivePatch { region: inside }];
    for method in searches.chain(patches) {
        let found = acted(&outcomes(&bench, &model, &image(method, 0.1)));
        assert_eq!(found, none, "{method:?}");
    }
    let edits = EditKind::ALL.iter().map(|&kind| TextMethod::Sampled(kind));
    let of_words = TextSearch::ALL
        .iter()
        // these need the model's own pieces
        .filter(|search| !matches!(search, TextSearch::HotFlip | TextSearch::Bae))
        .map(|&search| TextMethod::Searched { search, queries: 20 });
    for method in edits.chain(of_words) {
        for &mode in Mode::ALL {
            let attack = TextAttack { draws: 1, mode, ..TextAttack::usual(method, 0.5) };
            let attack = Attack { text: vec![attack], ..Attack::default() };
            assert_eq!(acted(&outcomes(&bench, &model, &attack)), none, "{attack}");
        }
    }
}

/// The same search with few steps, queries and restarts.
fn cheap(search: ImageSearch) -> ImageSearch {
    let few = |key: &str| match key {
        "queries" => 20,
        "steps" | "samples" | "searches" => 2,
        _ => 1,
    };
    let settings = search.settings().into_iter();
    let counts = settings.filter(|(_, value)| matches!(value, Value::Count(_)));
    counts.fold(search, |search, (parameter, _)| {
        search.with(parameter.key, Value::Count(few(parameter.key))).expect("its own parameter")
    })
}
