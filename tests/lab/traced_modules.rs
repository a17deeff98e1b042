//! Modules that users bring, traced here: what the probe says of each.

use std::path::Path;

use medcert::lab::model::Answers;
use medcert::lab::script::Script;
use medcert::lab::tensor::{self, Kind, Tensor};
use medcert::spec::{Behind, ModuleFile, ModuleFormat, Outputs, ScriptModel, Source};
use sha2::{Digest, Sha256};
use tch::CModule;

const SIDE: usize = 8;

/// Loads and probes a module that answers images `[cases, 1, 8, 8]`.
fn probed(answer: impl Fn(&Tensor) -> Tensor) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("traced.pt");
    let example = images(8);
    let mut closure = |inputs: &[Tensor]| vec![answer(&inputs[0])];
    let module = CModule::create_by_tracing("theirs", "forward", &[example], &mut closure).expect("a module");
    module.save(&path).expect("saved");
    let digest = format!("{:x}", Sha256::digest(std::fs::read(&path).expect("a file")));
    let file = ModuleFile {
        format: ModuleFormat::TorchScript,
        source: Source { sha256: Some(digest), path: path.clone() },
        mean: vec![0.5],
        deviation: vec![0.25],
        tokenizer: None,
        max_tokens: 16,
        lowercase: None,
    };
    let about = ScriptModel {
        behind: Behind::File(file),
        image: Some(SIDE as u32),
        reads_text: false,
        outputs: Outputs::Logits,
        expect: None,
    };
    let script = Script::load("theirs", &about, (&[], Answers::TWO), |path: &Path| Ok(path.to_path_buf()))
        .expect("a module");
    script.probe(Some(&images(8)), &[]).map(drop).map_err(|why| why.to_string())
}

fn images(cases: usize) -> Tensor {
    let pixels: Vec<f32> = (0..cases * SIDE * SIDE).map(|at| (at * 37 % 101) as f32 / 101.0).collect();
    tensor::floats(&pixels, &[cases, 1, SIDE, SIDE]).expect("images")
}

/// A score of each case, `[cases, 1]`.
fn score(images: &Tensor) -> Tensor {
    images.flatten(1, -1).mean_dim([1_i64].as_slice(), true, Kind::Float)
}

#[test]
fn logits_that_sum_to_zero_are_sound() {
    probed(|images| {
        let z = score(images);
        Tensor::cat(&[-&z, z], 1)
    })
    .expect("a sound module");
}

#[test]
fn a_margin_that_no_pixel_moves_is_found_though_the_sum_moves() {
    let why = probed(|images| {
        let z = score(images);
        Tensor::cat(&[z.shallow_clone(), z], 1)
    });
    assert!(why.expect_err("refused").contains("lets no gradient reach its images"));
}
