//! BAE: the head of a published folder proposes what its formula says, and the search puts in nothing else.

use crate::word_classifier;

use std::collections::HashMap;
use std::path::Path;

use medcert::Result;
use medcert::evidence::{Evidence, Silent};
use medcert::lab::checkpoint::{Checkpoint, declare_masked_head};
use medcert::lab::model::Reader;
use medcert::lab::model::bert::Bert;
use medcert::lab::model::masked::Masked;
use medcert::lab::model::params::{Declarations, Params};
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::Classifier;
use medcert::lab::{self, Options};
use medcert::spec::{BertConfig, TextSearch};
use medcert::text::meaning::preserves;
use medcert::text::perturb::replay;
use medcert::text::{Document, Edit, Vocabulary, learn_vocabulary};
use medcert::{data, plan, spec};
use safetensors::tensor::{Dtype, TensorView, serialize};
use word_classifier::{Adds, lexicon, run};

const REPORTS: [&str; 6] = [
    "There is a small effusion in the left base. The heart is normal.",
    "No pneumothorax or large effusion. Mild edema is seen, heart enlarged.",
    "The lungs are CLEAR. No focal consolidation is identified.",
    "Stable cardiomegaly. The spine is intact, without acute fracture.",
    "Small nodule at the right apex; the lungs are otherwise clear.",
    "The heart is enlarged. There is mild congestion at both bases.",
];
const OTHERS: &str = "tiny little minor big unremarkable ordinary swollen widened lesion mass scar opacity nodes \
    ribs aorta hilum trachea airway vessel diffuse patchy subtle severe chronic healed old new upper lower middle";
const DENSE: &str = "cls.predictions.transform.dense.weight";
const NORM: &str = "cls.predictions.transform.LayerNorm";
const BIAS: &str = "cls.predictions.bias";
const DECODER: &str = "cls.predictions.decoder";
const TABLE: &str = "bert.embeddings.word_embeddings.weight";

type Weights = HashMap<String, (Vec<usize>, Vec<f32>)>;

fn entries() -> Vec<String> {
    learn_vocabulary(&REPORTS.iter().copied().chain([OTHERS]).collect::<Vec<_>>(), 400)
}

fn config() -> BertConfig {
    let vocabulary = entries().len() as u32;
    BertConfig { hidden: 16, layers: 2, heads: 2, intermediate: 32, max_tokens: 40, vocabulary }
}

/// Weights of a masked language model whose decoder is tied, large enough that words matter.
fn weights() -> Weights {
    let bert = Bert::of(config());
    let mut d = Declarations::default();
    bert.declare_trunk(&mut d);
    declare_masked_head(bert, &mut d);
    d.list.retain(|p| !p.name.contains("decoder") && !p.name.contains("pooler"));
    let values = Params::random(&d.list, 5).and_then(|params| params.values()).expect("weights");
    let grow = |name: &str| if name.contains("LayerNorm") { 1.0 } else { 12.0 };
    let grown = values.into_iter().map(|(name, shape, values)| {
        let factor = grow(&name);
        (name, (shape, values.into_iter().map(|value| value * factor).collect()))
    });
    let mut all: Weights = grown.collect();
    // every entry has a bias of its own, in no order
    let biases = (0..entries().len()).map(|id| ((id * 37) % 101) as f32 / 20.0).collect();
    all.insert(BIAS.into(), (vec![entries().len()], biases));
    all
}

/// A head that looks at nothing: its logits are its biases.
fn blind() -> Weights {
    let mut all = weights();
    all.insert(format!("{NORM}.weight"), (vec![16], vec![0.0; 16]));
    all
}

/// A folder in Hugging Face's layout.
fn folder(weights: &Weights) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), weights);
    folder
}

fn write(folder: &Path, weights: &Weights) {
    let of = config();
    let about = format!(
        r#"{{"model_type": "bert", "hidden_size": {}, "num_hidden_layers": {}, "num_attention_heads": {},
        "intermediate_size": {}, "max_position_embeddings": {}, "vocab_size": {}}}"#,
        of.hidden, of.layers, of.heads, of.intermediate, of.max_tokens, of.vocabulary
    );
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join("config.json"), about).expect("written");
    std::fs::write(folder.join("vocab.txt"), entries().join("\n")).expect("written");
    let bytes: Vec<(&String, &Vec<usize>, Vec<u8>)> = weights
        .iter()
        .map(|(name, (shape, values))| (name, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect()))
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        (name.as_str(), TensorView::new(Dtype::F32, (*shape).clone(), bytes).expect("a view"))
    });
    std::fs::write(folder.join("model.safetensors"), serialize(views, None).expect("a file"))
        .expect("written");
}

fn masked(folder: &Path) -> Masked {
    let checkpoint = Checkpoint::read(folder, None).expect("a checkpoint");
    Masked::of(checkpoint).expect("a tokenizer").expect("a head")
}

fn is_word(entry: &str) -> bool {
    entry.len() > 1 && entry.chars().all(char::is_alphabetic)
}

fn proposals(weights: &Weights, text: &str, most: usize) -> Vec<String> {
    let folder = folder(weights);
    let masked = masked(folder.path());
    let words = masked.words(text, most, is_word).expect("words");
    words.into_iter().map(str::to_string).collect()
}

/// The words of the vocabulary by descending score.
fn ranked(scores: impl IntoIterator<Item = f64>) -> Vec<String> {
    let mut words: Vec<(f64, String)> = scores.into_iter().zip(entries()).collect();
    words.retain(|(_, entry)| is_word(entry));
    words.sort_by(|a, b| b.0.total_cmp(&a.0));
    words.into_iter().map(|(_, entry)| entry).collect()
}

fn biases(weights: &Weights) -> Vec<f64> {
    weights[BIAS].1.iter().map(|&bias| f64::from(bias)).collect()
}

/// The logits of all entries at a place of a text, by the formula, over the last hidden state of the trunk.
fn logits(weights: &Weights, ids: &[u32], at: usize) -> Vec<f64> {
    let bert = Bert::of(config());
    let mut d = Declarations::default();
    bert.declare_trunk(&mut d);
    d.list.retain(|p| !p.name.contains("pooler"));
    let trunk = Params::make(&d.list, |p| Ok(weights[&p.name].1.clone())).expect("a trunk");
    let tokens = medcert::lab::model::bert::Tokens::new(&[ids], 0).expect("tokens");
    let states = tensor::values(&bert.words(&trunk.scope(""), &tokens).expect("states")).expect("values");
    let state = &states[at * 17..at * 17 + 16];
    let dense = &weights[DENSE].1;
    let gelu = |x: f64| x * 0.5 * puruspe::erfc(-x / std::f64::consts::SQRT_2);
    let dot = |row: &[f32], x: &[f64]| row.iter().zip(x).map(|(a, b)| f64::from(*a) * b).sum::<f64>();
    let state: Vec<f64> = state.iter().map(|&x| f64::from(x)).collect();
    let x: Vec<f64> = dense.chunks(16).map(|row| gelu(dot(row, &state))).collect();
    let mean = x.iter().sum::<f64>() / 16.0;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 16.0;
    let x: Vec<f64> = x.iter().map(|x| (x - mean) / variance.sqrt()).collect();
    weights[TABLE].1.chunks(16).zip(biases(weights)).map(|(row, bias)| dot(row, &x) + bias).collect()
}

#[test]
fn a_blind_head_proposes_the_largest_biases() {
    let weights = blind();
    let largest = ranked(biases(&weights));
    assert_eq!(proposals(&weights, "The [MASK] is normal.", 9), largest[..9]);
    assert_eq!(proposals(&weights, "([MASK])", 900), largest);
    for unclear in ["The heart is normal.", "[MASK] [MASK]", &format!("{}[MASK]", "heart ".repeat(50))] {
        assert!(proposals(&weights, unclear, 9).is_empty(), "{unclear}");
    }
}

#[test]
fn a_head_proposes_what_its_formula_says() {
    let weights = weights();
    let mut firsts = Vec::new();
    for (text, ids, at) in [
        ("The [MASK] is normal.", vec!["[CLS]", "the", "[MASK]", "is", "normal", ".", "[SEP]"], 2),
        (
            "Mild edema, [MASK]; heart",
            vec!["[CLS]", "mild", "edema", ",", "[MASK]", ";", "heart", "[SEP]"],
            4,
        ),
        ("[MASK] effusion", vec!["[CLS]", "[MASK]", "effusion", "[SEP]"], 1),
    ] {
        let id = |piece: &str| entries().iter().position(|entry| entry == piece).expect("an entry") as u32;
        let ids: Vec<u32> = ids.into_iter().map(id).collect();
        let mut rest = weights.clone();
        rest.insert(BIAS.into(), (vec![entries().len()], vec![0.0; entries().len()]));
        let scores = logits(&rest, &ids, at);
        let found = proposals(&rest, text, 20);
        assert_eq!(found, ranked(scores)[..20], "{text}");
        assert_ne!(proposals(&weights, text, 20), found, "the bias counts");
        firsts.push(found);
    }
    assert!(firsts[0] != firsts[1] && firsts[1] != firsts[2], "the context counts");
}

#[test]
fn a_decoder_of_its_own_and_older_names_are_read() {
    let text = "The [MASK] is normal.";
    let plain = weights();
    let whole = proposals(&plain, text, 30);
    let mut written_out = plain.clone();
    written_out.insert(format!("{DECODER}.weight"), plain[TABLE].clone());
    let bias = written_out.remove(BIAS).expect("a bias");
    written_out.insert(format!("{DECODER}.bias"), bias);
    written_out.insert("cls.seq_relationship.bias".into(), (vec![2], vec![0.0; 2]));
    assert_eq!(proposals(&written_out, text, 30), whole);
    let mut other = written_out.clone();
    let turned = plain[TABLE].1.iter().map(|x| -x).collect();
    other.insert(format!("{DECODER}.weight"), (plain[TABLE].0.clone(), turned));
    assert_ne!(proposals(&other, text, 30), whole);
    let old = plain.iter().map(|(name, of)| match name.strip_suffix("LayerNorm.weight") {
        Some(start) => (format!("{start}LayerNorm.gamma"), of.clone()),
        None => (name.clone(), of.clone()),
    });
    assert_eq!(proposals(&old.collect(), text, 30), whole);
}

#[test]
fn a_broken_head_is_refused_by_name() {
    let refusal = |weights: &Weights| {
        let folder = folder(weights);
        let error = masked(folder.path()).words("[MASK]", 9, is_word).expect_err("a refusal");
        assert_eq!(error.exit_code(), 4);
        error.to_string()
    };
    let mut short = weights();
    short.insert(BIAS.into(), (vec![3], vec![0.0; 3]));
    assert!(refusal(&short).contains("cls.predictions.bias has shape [3]"));
    let mut holed = weights();
    holed.remove(BIAS);
    assert!(refusal(&holed).contains("cls.predictions.bias is missing"));
    let mut wild = weights();
    wild.insert(format!("{NORM}.bias"), (vec![16], vec![f32::NAN; 16]));
    assert!(refusal(&wild).contains("holds a NaN"));
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoint");
    let headless = Checkpoint::read(&golden, None).expect("a checkpoint");
    assert!(Masked::of(headless).expect("a tokenizer").is_none());
}

/// A model that adds up weights of words, beside a masked language model.
struct Asked {
    adds: Adds,
    masked: Masked,
}

impl Classifier for Asked {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        self.adds.read_images(images)
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        self.adds.read_texts(texts)
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        self.adds.decide(image, text)
    }
}

impl Reader for Asked {
    fn name(&self) -> &'static str {
        "asked"
    }

    fn side(&self) -> Option<u32> {
        None
    }

    fn reads_text(&self) -> bool {
        true
    }

    fn masked(&self) -> Option<&Masked> {
        Some(&self.masked)
    }
}

fn asked(seed: u64, weights: &Weights) -> Asked {
    let texts: Vec<String> = REPORTS.iter().copied().chain([OTHERS]).map(str::to_string).collect();
    Asked { adds: Adds::drawn(seed, &texts), masked: masked(folder(weights).path()) }
}

#[test]
fn it_keeps_its_contract_and_puts_in_words_of_the_vocabulary() {
    let (lexicon, documents) = (lexicon(), REPORTS.map(Document::of));
    let words = Vocabulary::uncased(entries()).entries;
    let mut edited = 0;
    for seed in 0..3 {
        let model = asked(seed, &weights());
        for (share, queries, preserving) in
            [(0.3, 500, true), (0.3, 40, false), (1.0, 1, false), (0.0, 500, false), (1.0, 700, false)]
        {
            let settings = (share, queries, preserving);
            let found = run(&model, &documents, &lexicon, TextSearch::Bae, settings);
            let again = run(&model, &documents, &lexicon, TextSearch::Bae, settings);
            assert_eq!((&found.steps, &found.queries), (&again.steps, &again.queries));
            for (case, document) in documents.iter().enumerate() {
                let after = replay(document, &found.steps[case]).expect("steps that fit");
                assert!(found.queries[case] <= queries, "{} queries", found.queries[case]);
                let edits = found.steps[case].concat();
                let spoken = document.words().iter().filter(|word| !word.core.is_empty()).count();
                assert!(edits.len() as f64 <= (share * spoken as f64 + 0.5).floor());
                assert!(!preserving || preserves(REPORTS[case], &after), "{after}");
                for edit in &edits {
                    let Edit::Replace { words: 1, by, .. } = edit else { panic!("{edit:?}") };
                    assert!(words.contains(&by.to_lowercase()), "{by}");
                    edited += 1;
                }
                let truth = found.truth[case];
                let (clean, margin) =
                    (model.adds.margin(REPORTS[case], truth), model.adds.margin(&after, truth));
                assert!(if edits.is_empty() { after == REPORTS[case] } else { margin < clean });
            }
        }
    }
    assert!(edited > 30, "only {edited} words were edited");
}

#[test]
fn one_word_becomes_the_worst_of_the_fifty_that_are_expected() {
    let (lexicon, weights) = (lexicon(), blind());
    let biases = biases(&weights);
    let mut checked = 0;
    for seed in 0..8 {
        let model = asked(seed, &weights);
        for report in REPORTS {
            let document = [Document::of(report)];
            let cores: Vec<&str> = document[0].words().iter().map(|word| word.core).collect();
            let found =
                run(&model, &document, &lexicon, TextSearch::Bae, (1.0 / cores.len() as f64, 500, false));
            let Some([Edit::Replace { word, by, .. }]) = found.steps[0].first().map(Vec::as_slice) else {
                continue;
            };
            let share = |core: &str| model.adds.share_of(core, found.truth[0]);
            let stops = "there is a in the no or are at without";
            let is_stop = |core: &str| stops.split(' ').any(|stop| stop == core.to_lowercase());
            let heaviest =
                cores.iter().filter(|core| !is_stop(core)).map(|core| share(core)).fold(0.0, f64::max);
            assert!((share(cores[*word]) - heaviest).abs() < 1e-6, "{by} for {}", cores[*word]);
            let mut expected = ranked(biases.iter().copied());
            expected.retain(|entry| !is_stop(entry) && *entry != cores[*word].to_lowercase());
            let worst = expected[..50].iter().map(|entry| share(entry)).fold(f64::INFINITY, f64::min);
            assert!(
                expected.len() > 55 && (share(by) - worst).abs() < 1e-6,
                "{by}: {} for {worst}",
                share(by)
            );
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked}");
}

/// The evidence of a small spec whose language model starts from a folder.
fn evidence(root: &Path, folder: &str) -> Result<Evidence> {
    let text = format!(
        "claim: It keeps reading
data:  {{phantom: {{studies: 40, seed: 7}}}}
split: {{test: 20%, seed: 1}}
models:
  vision:   {{se_resnet18: {{image: 32, width: 8, train: {{lr: 1e-3, epochs: 1}}}}}}
  language: {{bert: {{start: {folder}, train: {{lr: 1e-2, epochs: 4}}}}}}
  fusion:   {{early_fusion: {{vision: vision, language: language, train: {{lr: 1e-2, epochs: 2}}}}}}
threats: {{few: {{bae: {{fraction: 30%, queries: 90}}}}}}
table: [clean, few]
require: [language accuracy ≥ 0%]
"
    );
    let plan = plan::build(spec::parse(Path::new("bae.yaml"), &text).expect("a sound spec"));
    let dataset = data::load(&plan.spec, None).expect("data");
    let partition = data::split(&dataset.studies, &plan.spec.split).expect("a division");
    let options = Options {
        cache: root.join("cache"),
        roots: vec![root.to_path_buf()],
        threads: None,
        device: plan.spec.device,
        plain: false,
        fresh: true,
    };
    lab::run(&plan, &dataset, &partition, &options, &Silent)
}

#[test]
fn a_spec_attacks_what_started_from_a_folder_with_a_head_and_its_fusion() {
    let root = tempfile::tempdir().expect("a folder");
    write(&root.path().join("whole"), &weights());
    let mut headless = weights();
    headless.retain(|name, _| !name.starts_with("cls."));
    write(&root.path().join("headless"), &headless);
    let found = evidence(root.path(), "whole").expect("evidence");
    assert_eq!(evidence(root.path(), "whole").expect("evidence"), found, "also from the cache");
    for name in ["language", "fusion"] {
        let cell = found.cells.iter().find(|cell| cell.model == name && cell.attack != "clean");
        let outcomes = &cell.expect("a cell").outcomes;
        assert!(outcomes.iter().all(|outcome| outcome.queries <= 91));
        assert!(outcomes.iter().any(|outcome| outcome.edits > 0), "{name}: {outcomes:?}");
    }
    let why = evidence(root.path(), "headless").expect_err("no head").to_string();
    assert!(why.contains("cls.predictions") && why.contains("language"), "{why}");
}
