//! RoBERTa in Hugging Face's layout: its ids, answers and proposed words are those of transformers, and a folder that is
//! broken gets its error.

use std::path::{Path, PathBuf};

use medcert::lab::checkpoint::{Checkpoint, read_vocabulary};
use medcert::lab::model::bert::Bert;
use medcert::lab::model::masked::Masked;
use medcert::lab::model::{Answers, Architecture, Network, TokenizerOf};
use medcert::lab::victim::Classifier;
use medcert::lab::weights::WeightsFile;
use medcert::lab::{tensor, weights_form};
use medcert::text::{Scheme, Tokenizer};
use safetensors::SafeTensors;
use serde_json::{Value, json};

/// Tokens of a text at most.
const MOST: usize = 40;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A copy of the golden folder without some of its files.
fn copy(without: &[&str]) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(golden().join("roberta")).expect("the golden folder").flatten() {
        if !without.iter().any(|name| entry.file_name() == *name) {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("a copy");
        }
    }
    copy
}

/// What transformers made: integers and floats by name.
struct Golden(Vec<u8>);

impl Golden {
    fn open() -> Self {
        Self(std::fs::read(golden().join("roberta.safetensors")).expect("golden values"))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        let file = SafeTensors::deserialize(&self.0).expect("golden values");
        file.tensor(&format!("golden.{name}")).expect(name).data().to_vec()
    }

    fn integers(&self, name: &str) -> Vec<u32> {
        let numbers = self.bytes(name);
        let number = |b: &[u8]| i64::from_le_bytes(b.try_into().expect("eight bytes"));
        numbers.chunks_exact(8).map(|b| u32::try_from(number(b)).expect("an id")).collect()
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        let numbers = self.bytes(name);
        numbers.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four bytes"))).collect()
    }
}

fn asked() -> (Vec<String>, String) {
    let text = std::fs::read_to_string(golden().join("roberta.json")).expect("golden texts");
    let asked: Value = serde_json::from_str(&text).expect("golden texts");
    let texts = asked["texts"].as_array().expect("texts");
    let text = |value: &Value| value.as_str().expect("a text").to_string();
    (texts.iter().map(text).collect(), text(&asked["masked"]))
}

fn network(folder: &Path) -> Network {
    let checkpoint = Checkpoint::read(folder, None).expect("a checkpoint");
    let bert = Bert { answers: Answers::TWO, ..checkpoint.bert };
    let mut params = checkpoint.classifier(2).expect("parameters");
    params.freeze();
    Network {
        name: "golden".into(),
        architecture: Architecture::Language(bert),
        params,
        tokenizer: Some(TokenizerOf::new(checkpoint.vocabulary, MOST).expect("a tokenizer")),
        side: None,
        source: None,
        masked: None,
    }
}

#[test]
fn texts_have_the_ids_and_answers_of_transformers() {
    let (golden, (texts, _)) = (Golden::open(), asked());
    let (ids, lengths) = (golden.integers("ids"), golden.integers("lengths"));
    let longest = ids.len() / texts.len();
    let (whole, pairs) = (copy(&["vocab.json", "merges.txt"]), copy(&["tokenizer.json"]));
    for folder in [whole.path(), pairs.path()] {
        let network = network(folder);
        let tokenizer = &network.tokenizer.as_ref().expect("a tokenizer").tokenizer;
        for (place, text) in texts.iter().enumerate() {
            let theirs = &ids[place * longest..][..lengths[place] as usize];
            assert_eq!(tokenizer.encode(text, MOST), theirs, "{text:?}");
        }
        let features = network.read_texts(&texts).expect("features");
        let logits = network.decide(None, Some(&features)).expect("logits");
        for (ours, theirs) in tensor::values(&logits).expect("values").iter().zip(golden.floats("logits")) {
            assert!((ours - theirs).abs() <= 1e-4 * theirs.abs().max(1.0), "{ours} is not {theirs}");
        }
    }
    assert!(lengths.iter().any(|length| *length as usize == MOST), "no text was cut");
}

#[test]
fn a_masked_word_is_proposed_as_transformers_does() {
    let (golden, (_, text)) = (Golden::open(), asked());
    let checkpoint = Checkpoint::read(&golden_folder(), None).expect("a checkpoint");
    let vocabulary = checkpoint.vocabulary.clone();
    let masked = Masked::of(checkpoint).expect("a tokenizer").expect("a head");
    assert!(text.contains(masked.mask()));
    let mut theirs: Vec<(f32, &str)> = golden
        .floats("masked.logits")
        .into_iter()
        .zip(&vocabulary.entries)
        .filter_map(|(logit, entry)| Some((logit, entry.strip_prefix('Ġ')?)))
        .collect();
    theirs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let theirs: Vec<&str> = theirs.into_iter().map(|(_, word)| word).collect();
    assert!(theirs.len() > 20, "{theirs:?}");
    assert_eq!(masked.words(&text, theirs.len(), |_| true).expect("words"), theirs);
    let first = masked.words(&text, 3, |word| word.len() > 3).expect("words");
    assert!(first.len() == 3 && first.iter().all(|word| word.len() > 3), "{first:?}");
    assert!(masked.words("No mask.", 3, |_| true).expect("words").is_empty());
}

fn golden_folder() -> PathBuf {
    golden().join("roberta")
}

#[test]
fn training_starts_from_the_encoder_without_a_pooler() {
    let names = |folder: &Path| {
        let trunk = Checkpoint::read(folder, None).and_then(|of| of.trunk()).expect("a trunk");
        trunk.into_iter().map(|(name, ..)| name).collect::<Vec<_>>()
    };
    let own = names(&golden_folder());
    assert!(own.iter().all(|name| name.starts_with("bert.") && !name.contains("pooler")), "{own:?}");
    assert_eq!(own.len(), 5 + 2 * 16);
    // a bare encoder has a pooler, which RoBERTa's classifier never reads
    let bare = copy(&[]);
    let path = bare.path().join("model.safetensors");
    let bytes = std::fs::read(&path).expect("weights");
    let file = SafeTensors::deserialize(&bytes).expect("weights");
    let renamed = file.iter().filter(|(name, _)| !name.starts_with("lm_head")).map(|(name, view)| {
        let name = name.replace("classifier.dense", "pooler.dense");
        (name.strip_prefix("roberta.").map(str::to_string).unwrap_or(name), view)
    });
    let renamed: Vec<_> = renamed.filter(|(name, _)| !name.starts_with("classifier")).collect();
    std::fs::write(&path, safetensors::serialize(renamed, None).expect("a file")).expect("written");
    assert_eq!(names(bare.path()), own);
}

#[test]
fn a_vocabulary_of_byte_pairs_goes_through_medcerts_own_file() {
    let network = network(&golden_folder());
    let vocabulary = &network.tokenizer.as_ref().expect("a tokenizer").vocabulary;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.safetensors");
    weights_form::write(&path, &network.params, Some(vocabulary)).expect("written");
    let file = WeightsFile::read(&path).expect("a sound file");
    assert_eq!(file.vocabulary().as_ref(), Some(vocabulary));
    let Scheme::BytePairs { merges, .. } = &vocabulary.scheme else { panic!("{vocabulary:?}") };
    assert!(merges.len() > 50);
}

#[test]
fn a_byte_order_mark_before_the_merges_is_no_part_of_them() {
    let folder = copy(&["tokenizer.json"]);
    let path = folder.path().join("merges.txt");
    let plain = read_vocabulary(folder.path(), None).expect("a vocabulary");
    let text = std::fs::read_to_string(&path).expect("merges");
    std::fs::write(&path, format!("\u{feff}{text}")).expect("written");
    assert_eq!(read_vocabulary(folder.path(), None).expect("a vocabulary"), plain);
}

#[test]
fn each_token_is_found_at_its_place() {
    let network = network(&golden_folder());
    let tokenizer = &network.tokenizer.as_ref().expect("a tokenizer").tokenizer;
    let text = "No  effusion.\nHeart normal.";
    let places = tokenizer.places(text, MOST);
    assert_eq!(places.len(), tokenizer.encode(text, MOST).len());
    let spelt: String = places.iter().map(|place| &text[place.clone()]).collect();
    assert_eq!(spelt, text.split_whitespace().collect::<String>());
    let at = places.iter().position(|place| &text[place.clone()] == "normal").expect("one piece");
    assert_eq!(tokenizer.piece("normal"), Some(tokenizer.encode(text, MOST)[at]));
    assert_eq!(tokenizer.piece("cardiomegaly"), None);
    assert_eq!(tokenizer.places(text, 4).len(), 4);
}

/// Takes tensors whose names begin so out of a folder.
fn leave_out(folder: &Path, beginning: &str) {
    let path = folder.join("model.safetensors");
    let bytes = std::fs::read(&path).expect("weights");
    let file = SafeTensors::deserialize(&bytes).expect("weights");
    let kept: Vec<_> = file.iter().filter(|(name, _)| !name.starts_with(beginning)).collect();
    assert!(kept.len() < file.len(), "{beginning}");
    std::fs::write(&path, safetensors::serialize(kept, None).expect("a file")).expect("written");
}

/// Why a folder is refused, without its name.
fn refusal(folder: &Path) -> String {
    let read = || {
        let vocabulary = read_vocabulary(folder, None)?;
        let _ = Tokenizer::new(&vocabulary)?;
        Checkpoint::read(folder, None)?.classifier(2)
    };
    let error = read().expect_err("a refusal");
    assert_eq!(error.exit_code(), 4);
    error.to_string().replace(&folder.display().to_string(), "FOLDER")
}

#[test]
fn broken_folders_get_their_errors() {
    let edit = |file: &str, change: &dyn Fn(&mut Value)| {
        let folder = copy(&[]);
        let path = folder.path().join(file);
        let mut value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
        change(&mut value);
        std::fs::write(&path, value.to_string()).expect("written");
        refusal(folder.path())
    };
    let of_tokenizer = |change: &dyn Fn(&mut Value)| edit("tokenizer.json", change);
    let of_config = |change: &dyn Fn(&mut Value)| edit("config.json", change);
    let mut told = vec![
        of_config(&|config| config["model_type"] = json!("xlm-roberta")),
        of_config(&|config| config["architectures"] = json!(["BertForSequenceClassification"])),
        of_config(&|config| config["type_vocab_size"] = json!(2)),
        of_config(&|config| config["max_position_embeddings"] = json!(3)),
        of_config(&|config| config["max_position_embeddings"] = json!(62)),
        of_tokenizer(&|file| file["model"]["type"] = json!("Unigram")),
        of_tokenizer(&|file| file["model"]["byte_fallback"] = json!(true)),
        of_tokenizer(&|file| file["model"]["end_of_word_suffix"] = json!("</w>")),
        of_tokenizer(&|file| file["pre_tokenizer"] = json!({"type": "Metaspace"})),
        of_tokenizer(&|file| file["pre_tokenizer"]["use_regex"] = json!(false)),
        of_tokenizer(&|file| file["normalizer"] = json!({"type": "NFC"})),
        of_tokenizer(&|file| file["model"]["merges"][3] = json!(["a"])),
        of_tokenizer(&|file| file["model"]["merges"][3] = json!("xyzzy l")),
        of_tokenizer(&|file| file["model"]["vocab"]["<mask>"] = json!(7)),
        of_tokenizer(&|file| file["model"]["vocab"]["a\nb"] = json!(380)),
        of_tokenizer(&|file| {
            let entries = file["model"]["vocab"].as_object_mut().expect("entries");
            let id = entries.remove("<mask>").expect("a mask");
            let _ = entries.insert("[MASK]".into(), id);
            file["added_tokens"] = json!([]);
        }),
        of_config(&|config| config["id2label"] = json!({"0": "Abnormal", "1": "Normal"})),
    ];
    let spaced = copy(&[]);
    std::fs::write(spaced.path().join("tokenizer_config.json"), r#"{"add_prefix_space": true}"#)
        .expect("written");
    told.push(refusal(spaced.path()));
    for without in
        ["roberta.encoder.layer.0.output.dense.bias", "classifier.dense.weight", "classifier.out_proj"]
    {
        let folder = copy(&[]);
        leave_out(folder.path(), without);
        told.push(refusal(folder.path()));
    }
    let pairs = copy(&["tokenizer.json"]);
    for (name, content) in [("merges.txt", "#version: 0.2\nĠ a\nal\n"), ("vocab.json", "[]")] {
        std::fs::write(pairs.path().join(name), content).expect("written");
        told.push(refusal(pairs.path()));
    }
    std::fs::remove_file(pairs.path().join("merges.txt")).expect("removed");
    std::fs::copy(golden_folder().join("vocab.json"), pairs.path().join("vocab.json")).expect("a copy");
    told.push(refusal(pairs.path()));
    std::fs::remove_file(pairs.path().join("vocab.json")).expect("removed");
    told.push(refusal(pairs.path()));
    insta::assert_snapshot!(told.join("\n\n"));
}
