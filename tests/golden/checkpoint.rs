//! Language models in Hugging Face's layout: what transformers wrote is read as transformers reads it, older
//! names included, and a folder that is broken gets its error.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use medcert::evidence::{Evidence, Silent};
use medcert::lab::checkpoint::Checkpoint;
use medcert::lab::model::{Architecture, Network, TokenizerOf};
use medcert::lab::victim::Classifier;
use medcert::lab::{self, Options, tensor};
use medcert::text::{Tokenizer, Vocabulary};
use medcert::{data, plan, spec};
use safetensors::SafeTensors;
use safetensors::tensor::{TensorView, serialize};
use sha2::{Digest, Sha256};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A copy of the golden folder that a test may break.
fn copy() -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(golden().join("checkpoint")).expect("the golden folder").flatten() {
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("a copy");
    }
    copy
}

/// Why a folder is refused, without its name.
fn refusal(folder: &Path) -> String {
    let error = Checkpoint::read(folder, None).and_then(|of| of.classifier(2)).expect_err("a refusal");
    assert_eq!(error.exit_code(), 4);
    error.to_string().replace(&folder.display().to_string(), "FOLDER")
}

/// All tensors of the golden folder, renamed, in one file.
fn write_whole(folder: &Path, rename: impl Fn(&str) -> String) {
    let shards: Vec<Vec<u8>> = (1..=3)
        .map(|part| folder.join(format!("model-0000{part}-of-00003.safetensors")))
        .map(|path| {
            let bytes = std::fs::read(&path).expect("a shard");
            std::fs::remove_file(&path).expect("removed");
            bytes
        })
        .collect();
    let files: Vec<SafeTensors<'_>> =
        shards.iter().map(|bytes| SafeTensors::deserialize(bytes).expect("a shard")).collect();
    let mut all: HashMap<String, TensorView<'_>> = HashMap::new();
    for (name, view) in files.iter().flat_map(SafeTensors::iter) {
        all.insert(rename(name), view);
    }
    std::fs::write(folder.join("model.safetensors"), serialize(all, None).expect("a file")).expect("written");
}

#[test]
fn a_folder_in_several_files_answers_as_transformers_does() {
    let checkpoint = Checkpoint::read(&golden().join("checkpoint"), None).expect("a checkpoint");
    let params = checkpoint.classifier(2).expect("parameters");
    let tokenizer = TokenizerOf::new(checkpoint.vocabulary, 16).expect("a tokenizer");
    let architecture = Architecture::Language(checkpoint.bert);
    let mut network = Network {
        name: "golden".into(),
        architecture,
        params,
        tokenizer: Some(tokenizer),
        side: None,
        source: None,
        masked: None,
    };
    network.params.freeze();
    let texts = ["The lungs are CLEAR. No effusions, heart size normal.".to_string(), "Effusion".into()];
    let bytes = std::fs::read(golden().join("checkpoint.safetensors")).expect("golden values");
    let file = SafeTensors::deserialize(&bytes).expect("golden values");
    let ids: Vec<u32> = file
        .tensor("golden.ids")
        .expect("ids")
        .data()
        .chunks_exact(8)
        .map(|b| u32::try_from(i64::from_le_bytes(b.try_into().expect("eight bytes"))).expect("an id"))
        .collect();
    let ours = network.tokenizer.as_ref().expect("a tokenizer").tokenizer.encode(&texts[0], 16);
    assert_eq!(ours, ids[..ours.len()]);
    let features = network.read_texts(&texts).expect("features");
    let logits = tensor::values(&network.decide(None, Some(&features)).expect("logits")).expect("values");
    let theirs = file.tensor("golden.logits").expect("logits").data().to_vec();
    for (ours, theirs) in logits.iter().zip(theirs.chunks_exact(4)) {
        let theirs = f32::from_le_bytes(theirs.try_into().expect("four bytes"));
        assert!((ours - theirs).abs() <= 1e-4 * theirs.abs().max(1.0), "{ours} is not {theirs}");
    }
}

#[test]
fn older_names_and_a_bare_encoder_are_the_same_trunk() {
    let plain = Checkpoint::read(&golden().join("checkpoint"), None).expect("a checkpoint");
    let plain = plain.trunk().expect("a trunk");
    let old = copy();
    write_whole(old.path(), |name| {
        let name = name.strip_prefix("bert.").unwrap_or(name);
        match (name.contains("LayerNorm"), name.rsplit_once('.')) {
            (true, Some((norm, "weight"))) => format!("{norm}.gamma"),
            (true, Some((norm, _))) => format!("{norm}.beta"),
            _ => name.to_string(),
        }
    });
    let renamed = Checkpoint::read(old.path(), None).expect("a checkpoint").trunk().expect("a trunk");
    assert!(plain == renamed);
    // an encoder without a pooler starts the rest
    let bare = copy();
    write_whole(bare.path(), |name| name.replace("bert.pooler", "cls.pooler"));
    let bare = Checkpoint::read(bare.path(), None).expect("a checkpoint").trunk().expect("a trunk");
    assert_eq!(bare.len() + 2, plain.len());
    assert!(plain.iter().filter(|(name, ..)| !name.contains("pooler")).eq(bare.iter()));
}

#[test]
fn a_tokenizer_file_means_the_same_as_its_vocabulary() {
    let folder = copy();
    let listed = Checkpoint::read(folder.path(), None).expect("a checkpoint").vocabulary;
    let ids = listed.entries.iter().enumerate().map(|(id, entry)| (entry.clone(), id.into()));
    let ids = serde_json::Value::Object(ids.collect());
    let tokenizer = |normalizer: &str, ids: &serde_json::Value| {
        serde_json::json!({
            "model": {"type": "WordPiece", "vocab": ids},
            "normalizer": {"type": normalizer, "lowercase": true, "strip_accents": null, "handle_chinese_chars": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
        })
        .to_string()
    };
    let path = folder.path().join("tokenizer.json");
    std::fs::write(&path, tokenizer("BertNormalizer", &ids)).expect("written");
    assert_eq!(Checkpoint::read(folder.path(), None).expect("a checkpoint").vocabulary, listed);
    // transformers may follow tokenizer_config.json where the two differ, so the spec must decide
    std::fs::write(folder.path().join("tokenizer_config.json"), r#"{"do_lower_case": false}"#)
        .expect("written");
    insta::assert_snapshot!("case_said_twice", refusal(folder.path()));
    let decided = Checkpoint::read(folder.path(), Some(false)).expect("a checkpoint").vocabulary;
    assert!(!decided.lowercase && decided.entries == listed.entries);
    std::fs::write(folder.path().join("tokenizer_config.json"), r#"{"strip_accents": true}"#)
        .expect("written");
    Checkpoint::read(folder.path(), None).expect("tokenizer.json leaves it open");
    std::fs::write(&path, tokenizer("NFC", &ids)).expect("written");
    insta::assert_snapshot!("other_normalizer", refusal(folder.path()));
    let mut twice = ids;
    twice["no"] = 0.into();
    std::fs::write(&path, tokenizer("BertNormalizer", &twice)).expect("written");
    insta::assert_snapshot!("id_twice", refusal(folder.path()));
}

#[test]
fn broken_folders_get_their_errors() {
    let edit = |file: &str, from: &str, to: &str| {
        let folder = copy();
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from), "{file} holds no {from}");
        std::fs::write(&path, text.replace(from, to)).expect("written");
        refusal(folder.path())
    };
    let mut told = vec![
        edit("config.json", "\"bert\"", "\"camembert\""),
        edit("config.json", "\"hidden_size\": 16", "\"hidden_size\": -1"),
        edit("config.json", "\"num_attention_heads\": 2", "\"num_attention_heads\": 3"),
        edit("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1"),
        edit("config.json", "\"vocab_size\": 18", "\"vocab_size\": 17"),
        edit("config.json", "{", "["),
        edit("config.json", "\"is_decoder\": false", "\"is_decoder\": true"),
        edit("config.json", "\"vocab_size\": 18", "\"vocab_size\": 518"),
        edit("config.json", "BertForSequenceClassification", "RobertaForSequenceClassification"),
        edit(
            "config.json",
            "\"use_cache\"",
            "\"id2label\": {\"0\": \"Abnormal\", \"1\": \"Normal\"}, \"use_cache\"",
        ),
        edit(
            "config.json",
            "\"use_cache\"",
            "\"id2label\": {\"0\": \"a\", \"1\": \"b\", \"2\": \"c\"}, \"use_cache\"",
        ),
        edit("model.safetensors.index.json", "model-00002", "../model-00002"),
        edit("model.safetensors.index.json", "model-00002", "model-00009"),
        edit("model.safetensors.index.json", "weight_map", "weights"),
    ];
    let gone = |name: &str| {
        let folder = copy();
        std::fs::remove_file(folder.path().join(name)).expect("removed");
        refusal(folder.path())
    };
    told.extend(["config.json", "vocab.txt", "model-00001-of-00003.safetensors"].map(gone));
    let pickled = copy();
    std::fs::remove_file(pickled.path().join("model.safetensors.index.json")).expect("removed");
    std::fs::write(pickled.path().join("pytorch_model.bin"), b"PK").expect("written");
    told.push(refusal(pickled.path()));
    told.push(refusal(Path::new("no/such/folder")));
    // a file of a folder in its place
    let (folder, file) = (copy(), "vocab.txt");
    let why = refusal(&folder.path().join(file)).replace("FOLDER", &format!("HERE/{file}"));
    told.push(why.replace(&folder.path().display().to_string(), "HERE"));
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn weights_whose_names_have_a_prefix_too_many_are_refused_with_the_rule() {
    for prefix in ["module.", "_orig_mod.", "model."] {
        let folder = copy();
        write_whole(folder.path(), |name| format!("{prefix}{name}"));
        let why = refusal(folder.path());
        assert!(why.contains(&format!("its names begin with `{prefix}`")), "{why}");
        assert!(why.contains(&format!("k.removeprefix('{prefix}')")), "{why}");
    }
}

#[test]
fn a_cased_vocabulary_needs_a_word_about_case() {
    let folder = copy();
    std::fs::remove_file(folder.path().join("tokenizer_config.json")).expect("removed");
    assert!(Checkpoint::read(folder.path(), None).expect("no capital letter").vocabulary.lowercase);
    let path = folder.path().join("vocab.txt");
    let text = std::fs::read_to_string(&path).expect("a vocabulary").replace("heart", "Heart");
    std::fs::write(&path, text).expect("written");
    assert!(refusal(folder.path()).contains("lowercase: false"));
    for said in [true, false] {
        let read = Checkpoint::read(folder.path(), Some(said)).expect("a checkpoint");
        assert_eq!(read.vocabulary.lowercase, said);
    }
}

#[test]
fn a_pinned_checkpoint_must_be_the_pinned_one() {
    let file = Checkpoint::read(&golden().join("checkpoint"), None).expect("a checkpoint").file;
    let mut whole = Sha256::new();
    for part in 1..=3 {
        let path = golden().join(format!("checkpoint/model-0000{part}-of-00003.safetensors"));
        whole.update(std::fs::read(path).expect("a shard"));
    }
    let digest = format!("{:x}", whole.finalize());
    assert_eq!(file.sha256(), digest);
    file.check_pin(None).expect("no pin");
    file.check_pin(Some(&digest.to_uppercase())).expect("the pin");
    let error = file.check_pin(Some(&digest.replace(&digest[..1], "x"))).expect_err("another");
    assert!(error.to_string().contains("is not the file that the spec pins"), "{error}");
}

/// The vocabularies, cased and uncased, that real reports are tokenised with, if they are there.
fn vocabularies(data: &Path) -> Option<[Vocabulary; 2]> {
    let cased = std::fs::read_to_string(data.join("lexicons/bert-base-cased-vocab.txt")).ok()?;
    let weights = std::env::var_os("MEDCERT_WEIGHTS").map(PathBuf::from);
    let weights = weights.or_else(|| Some(medcert::cli::cache_folder(None).ok()?.join("weights")))?;
    let cased = Vocabulary::uncased(cased.lines().map(str::to_string).collect());
    let uncased = Checkpoint::read(&weights.join("minilm"), None).ok()?.vocabulary;
    Some([Vocabulary { lowercase: false, ..cased }, uncased])
}

#[test]
fn a_thousand_real_reports_have_the_ids_of_transformers() {
    let named = std::env::var_os("MEDCERT_DATA").map(PathBuf::from);
    let data = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    let Some(vocabularies) = vocabularies(&data) else {
        eprintln!(
            "skipped: a_thousand_real_reports_have_the_ids_of_transformers (no reports, or no ci/weights minilm)"
        );
        return;
    };
    let tokenizers = vocabularies.map(|vocabulary| Tokenizer::new(&vocabulary).expect("a tokenizer"));
    let mut reports = csv::Reader::from_path(data.join("iu_xray/indiana_reports.csv")).expect("reports");
    let header = reports.headers().expect("a header").clone();
    let column = |name: &str| header.iter().position(|column| column == name).expect(name);
    let columns = ["indication", "findings", "impression"].map(column);
    let golden = std::fs::read_to_string(golden().join("tokens.txt")).expect("golden tokens");
    let mut compared = 0;
    for (line, record) in golden.lines().zip(reports.records()) {
        let record = record.expect("a report");
        let text = columns.map(|column| &record[column]).join(" ");
        let digests = tokenizers.each_ref().map(|tokenizer| {
            let ids: Vec<String> = tokenizer.encode(&text, 512).iter().map(ToString::to_string).collect();
            format!("{:x}", Sha256::digest(ids.join(" ")))[..16].to_string()
        });
        assert_eq!(digests.join(" "), line, "report {}", &record[0]);
        compared += 1;
    }
    assert_eq!(compared, 1000);
}

/// The evidence of a small spec with one language model, given as YAML.
fn run(cache: &Path, model: &str) -> medcert::Result<Evidence> {
    run_at(cache, &golden(), true, model)
}

/// The same with the folders of models in another place, or with what an earlier run has left.
fn run_at(cache: &Path, root: &Path, fresh: bool, model: &str) -> medcert::Result<Evidence> {
    let text = format!(
        "claim: It keeps reading
data:  {{phantom: {{studies: 60, seed: 7, views: none}}}}
split: {{test: 40%, seed: 1}}
models: {{language: {{bert: {model}}}}}
table: [clean, 50% deletion]
require: [language accuracy ≥ 0%]
"
    );
    let plan = plan::build(spec::parse(Path::new("folder.yaml"), &text).expect("a sound spec"));
    let dataset = data::load(&plan.spec, None).expect("data");
    let partition = data::split(&dataset.studies, &plan.spec.split).expect("a division");
    let options = Options {
        cache: cache.to_path_buf(),
        roots: vec![cache.join("none"), root.to_path_buf()],
        threads: None,
        device: plan.spec.device,
        plain: false,
        fresh,
    };
    lab::run(&plan, &dataset, &partition, &options, &Silent)
}

#[test]
fn a_spec_loads_a_folder_and_fine_tunes_from_one() {
    let cache = tempfile::tempdir().expect("a folder");
    let loaded = run(cache.path(), "{weights: checkpoint}").expect("evidence");
    let source = loaded.models[0].source.clone().expect("a source");
    let pinned = format!("{{path: checkpoint, sha256: {source}}}");
    let again = run(cache.path(), &format!("{{weights: {pinned}}}")).expect("evidence");
    assert_eq!((&again.models, &again.cells), (&loaded.models, &loaded.cells));
    let other =
        run(cache.path(), &format!("{{weights: {{path: checkpoint, sha256: \"{}\"}}}}", "0".repeat(64)));
    assert!(other.expect_err("another pin").to_string().contains("is not the file that the spec pins"));
    let missing = run(cache.path(), "{weights: elsewhere}").expect_err("no such folder");
    assert!(missing.to_string().contains("is in none of these folders"), "{missing}");

    let model = format!("{{start: {pinned}, max_tokens: 12, train: {{lr: 1e-3, epochs: 1}}}}");
    let tuned = run(cache.path(), &model).expect("evidence");
    assert_ne!(tuned.models[0].weights, loaded.models[0].weights);
    assert_eq!(tuned.models[0].source, Some(source));
    assert_eq!(run(cache.path(), &model).expect("evidence"), tuned, "what was trained is what is loaded");
    let frozen = model.replace("epochs: 1", "epochs: 1, freeze: all");
    let frozen = run(cache.path(), &frozen).expect("evidence");
    assert_ne!(frozen.models[0].weights, tuned.models[0].weights);
}

/// With another vocabulary the same weights are another model, and nothing that was kept of the first is taken for it.
#[test]
fn a_changed_tokenizer_makes_another_model() {
    let changes: [(&str, &str, &str, &str); 2] = [
        ("roberta", "tokenizer.json", "\"normalizer\": null", "\"normalizer\": {\"type\": \"Lowercase\"}"),
        ("checkpoint", "vocab.txt", "\n##s\n", "\n##z\n"),
    ];
    for (name, file, from, to) in changes {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("reader");
        std::fs::create_dir(&folder).expect("a folder");
        for entry in std::fs::read_dir(golden().join(name)).expect("the golden folder").flatten() {
            std::fs::copy(entry.path(), folder.join(entry.file_name())).expect("a copy");
        }
        let text = std::fs::read_to_string(folder.join(file)).expect("a file");
        assert!(text.contains(from), "{file} holds no {from:?}");
        for model in ["{weights: reader}", "{start: reader, max_tokens: 12, train: {lr: 1e-3, epochs: 1}}"] {
            let (cache, other) =
                (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
            std::fs::write(folder.join(file), &text).expect("written");
            let first = run_at(cache.path(), root.path(), false, model).expect("evidence");
            std::fs::write(folder.join(file), text.replace(from, to)).expect("written");
            let second = run_at(cache.path(), root.path(), false, model).expect("evidence");
            assert_ne!(first.models[0].weights, second.models[0].weights, "{name} {model}");
            let alone = run_at(other.path(), root.path(), false, model).expect("evidence");
            assert_eq!(second, alone, "{name} {model}");
        }
    }
}
