//! Modules that users bring: a sound one answers and is attacked as in torch, and each planted fault is
//! found before anything is counted. The modules are made by `tests/golden/make.py`.

use std::path::{Path, PathBuf};

use medcert::evidence::{Evidence, Silent};
use medcert::judge::{exit_code, judge};
use medcert::lab::model::Answers;
use medcert::lab::script::Script;
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::{Classifier, Victim};
use medcert::lab::{self, Options};
use medcert::spec::{Behind, ModuleFile, ModuleFormat, Outputs, ScriptModel, Source};
use medcert::{Result, data, plan, spec};
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn sha256(path: &Path) -> String {
    format!("{:x}", Sha256::digest(std::fs::read(path).expect("a file")))
}

fn about(file: &str, outputs: Outputs) -> ScriptModel {
    let path = PathBuf::from("scripts").join(file);
    of_file(Source { sha256: Some(sha256(&golden().join(&path))), path }, outputs)
}

fn of_file(source: Source, outputs: Outputs) -> ScriptModel {
    let file = ModuleFile {
        format: ModuleFormat::TorchScript,
        source,
        mean: vec![0.5],
        deviation: vec![0.25],
        tokenizer: Some("checkpoint".into()),
        max_tokens: 16,
        lowercase: None,
    };
    ScriptModel { behind: Behind::File(file), image: Some(32), reads_text: true, outputs, expect: None }
}

fn load(about: &ScriptModel) -> Result<Script> {
    Script::load("theirs", about, (&[], Answers::TWO), |path| Ok(golden().join(path)))
}

fn cases() -> (Tensor, Vec<String>) {
    let pixels: Vec<f32> = (0..8 * 32 * 32).map(|x| (x * 37 % 101) as f32 / 101.0).collect();
    let texts = ["The lungs are clear.", "Effusion.", "No effusion", "heart size normal"].repeat(2);
    let images = tensor::floats(&pixels, &[8, 1, 32, 32]).expect("images");
    (images, texts.iter().map(ToString::to_string).collect())
}

/// What the probe says of a module, without where it lies.
fn probe(about: &ScriptModel) -> std::result::Result<(), String> {
    let (images, texts) = cases();
    let told = load(about).and_then(|script| script.probe(Some(&images), &texts)).map(drop);
    told.map_err(|why| {
        assert_eq!(why.exit_code(), 4);
        let told = why.to_string().replace(&golden().display().to_string(), "FOLDER");
        told.lines().next().unwrap_or_default().to_string()
    })
}

#[test]
fn a_sound_module_answers_and_lets_gradients_through_as_in_pytorch() {
    let bytes = std::fs::read(golden().join("scripts.safetensors")).expect("golden values");
    let file = SafeTensors::deserialize(&bytes).expect("golden values");
    let floats = |name: &str| -> Vec<f32> {
        let view = file.tensor(name).expect(name);
        view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four"))).collect()
    };
    let script = load(&about("sound-logits.pt", Outputs::Logits)).expect("a module");
    let images = tensor::floats(&floats("golden.frontal"), &[3, 1, 32, 32]).expect("images");
    let texts = ["the"; 3]; // the ids are given
    assert_eq!(script.read_texts(&texts.map(String::from)).expect("ids").size(), [3, 3, 2]);
    let ids: Vec<i64> = file
        .tensor("golden.ids")
        .expect("ids")
        .data()
        .chunks_exact(8)
        .map(|b| i64::from_le_bytes(b.try_into().expect("eight")))
        .flat_map(|id| [id, i64::from(id > 0)])
        .collect();
    let text = tensor::integers(&ids, &[3, 4, 2]).expect("ids");
    let victim = Victim::new(&script, vec![true; 3]).expect("a victim");
    let (answers, gradient) = victim.gradient(&images, Some(&text)).expect("a gradient");
    let logits = floats("golden.logits");
    for (answer, pair) in answers.iter().zip(logits.chunks_exact(2)) {
        let margin = answer.margin.expect("a finite answer");
        assert!((margin - (pair[1] - pair[0])).abs() < 1e-5, "{margin}");
    }
    assert!(tensor::values(&gradient).expect("values").iter().any(|&value| value != 0.0));
    let leaf = images.f_detach_copy().and_then(|x| x.f_set_requires_grad(true)).expect("a leaf");
    let abnormal =
        script.decide(Some(&leaf), Some(&text)).and_then(|z| Ok(z.f_select(1, 1)?)).expect("logits");
    let sum = abnormal.f_sum(tensor::Kind::Float).expect("a sum");
    let gradient = Tensor::f_run_backward(&[sum], &[&leaf], false, false).expect("a gradient").remove(0);
    let theirs = floats("golden.gradient");
    let scale = theirs.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    for (a, b) in tensor::values(&gradient).expect("values").iter().zip(&theirs) {
        assert!((a - b).abs() <= 1e-3 * scale, "{a} is not {b}");
    }
}

#[test]
fn the_probe_is_silent_on_sound_modules_and_finds_each_planted_fault() {
    for (file, outputs) in [("sound-logits.pt", Outputs::Logits), ("sound-logit.pt", Outputs::Logit)] {
        probe(&about(file, outputs)).expect("a sound module");
    }
    let mut told = Vec::new();
    for (file, outputs) in [
        ("probabilities-logits.pt", Outputs::Logits),
        ("probabilities-logit.pt", Outputs::Logit),
        ("noise-logits.pt", Outputs::Logits),
        ("neighbours-logits.pt", Outputs::Logits),
        ("detached-logits.pt", Outputs::Logits),
        ("sound-logits.pt", Outputs::Logit),
        ("sound-logit.pt", Outputs::Logits),
    ] {
        told.push(probe(&about(file, outputs)).expect_err(file));
    }
    let said = probe(&about("counts-logits.pt", Outputs::Logits)).expect_err("it counts its calls");
    assert!(said.contains("changes its own attributes or buffers while it is called"), "{said}");
    let sound = about("sound-logits.pt", Outputs::Logits);
    let other = Source { sha256: Some("0".repeat(64)), path: "scripts/sound-logits.pt".into() };
    told.push(probe(&of_file(other, Outputs::Logits)).expect_err("another file"));
    let no_module = PathBuf::from("checkpoint/vocab.txt");
    let source = Source { sha256: Some(sha256(&golden().join(&no_module))), path: no_module };
    let said = probe(&of_file(source, Outputs::Logits)).expect_err("no module");
    assert!(said.contains("is no TorchScript module"), "{said}");
    let said = probe(&ScriptModel { reads_text: false, ..sound }).expect_err("too few arguments");
    assert!(said.contains("cannot be called with tensors of the shapes [8, 1, 32, 32]"), "{said}");
    let told = told.join("\n\n");
    let digest = sha256(&golden().join("scripts/sound-logits.pt"));
    insta::assert_snapshot!(told.replace(&digest, "DIGEST"));
}

fn run(cache: &Path) -> (plan::Plan, Evidence) {
    let digest = sha256(&golden().join("scripts/sound-logit.pt"));
    let text = format!(
        "claim: Somebody's own model keeps reading
data:  {{phantom: {{studies: 60, seed: 7, views: frontal}}}}
split: {{test: 40%, seed: 1}}
models:
  theirs:
    torchscript:
      {{file: scripts/sound-logit.pt, sha256: {digest}, trusted: true, reads: both, image: 32, mean: [0.5],
       deviation: [0.25], tokenizer: checkpoint, outputs: logit}}
table: [clean, FGSM ε=0.05, 50% deletion, PGD-5 ε=0.05 + 50% deletion]
require: [theirs accuracy ≥ 99%]
"
    );
    let plan = plan::build(spec::parse(Path::new("theirs.yaml"), &text).expect("a sound spec"));
    let dataset = data::load(&plan.spec, None).expect("data");
    let partition = data::split(&dataset.studies, &plan.spec.split).expect("a division");
    let options = Options {
        cache: cache.to_path_buf(),
        roots: vec![golden()],
        threads: None,
        device: plan.spec.device,
        plain: false,
        fresh: true,
    };
    let evidence = lab::run(&plan, &dataset, &partition, &options, &Silent).expect("evidence");
    (plan, evidence)
}

#[test]
fn a_module_runs_through_a_whole_spec() {
    let cache = tempfile::tempdir().expect("a folder");
    let (plan, evidence) = run(cache.path());
    assert_eq!(evidence, run(cache.path()).1);
    assert_eq!(evidence.models[0].architecture, "torchscript");
    assert_eq!(evidence.models[0].source, Some(sha256(&golden().join("scripts/sound-logit.pt"))));
    let margins = |cell: usize| evidence.cells[cell].outcomes.iter().filter_map(|outcome| outcome.margin);
    let lower = |cell| margins(cell).zip(margins(0)).filter(|(attacked, clean)| attacked <= clean).count();
    assert_eq!(lower(1), evidence.cases.len(), "FGSM lowers every margin of a nearly linear model");
    assert_ne!(margins(2).collect::<Vec<f32>>(), margins(0).collect::<Vec<f32>>());
    assert_eq!(exit_code(&judge(&plan, &evidence)), 1);
}
