//! The networks and attacks against timm, transformers and torchattacks, on the same weights and inputs.
//! The values are made by `tests/golden/make.py`.
#![cfg(feature = "torch")]

use std::path::Path;

use medcert::lab::attack::{fgsm, project};
use medcert::lab::model::bert::{Bert, Tokens};
use medcert::lab::model::params::Params;
use medcert::lab::model::se_resnet::SeResnet;
use medcert::lab::model::{Architecture, Network};
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::{Classifier, Victim};
use medcert::spec::BertConfig;
use safetensors::SafeTensors;

struct Golden(Vec<u8>);

impl Golden {
    fn open(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        Self(std::fs::read(path).expect("run tests/golden/make.py"))
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        let file = SafeTensors::deserialize(&self.0).expect("a golden file");
        let view = file.tensor(name).expect(name);
        view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }

    fn integers(&self, name: &str) -> Vec<i64> {
        let file = SafeTensors::deserialize(&self.0).expect("a golden file");
        let view = file.tensor(name).expect(name);
        view.data().chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().expect("eight bytes"))).collect()
    }

    /// The weights of an architecture; every name must be in the file, and no other.
    fn network(&self, architecture: Architecture) -> Network {
        let declared = architecture.declare();
        let file = SafeTensors::deserialize(&self.0).expect("a golden file");
        let published = file.names().iter().filter(|name| name.starts_with("weights.")).count();
        assert_eq!(published, declared.len(), "the published network has other parameters");
        let fill = |d: &medcert::lab::model::params::Declared| Ok(self.floats(&format!("weights.{}", d.name)));
        let mut params = Params::make(&declared, fill).expect("parameters");
        params.freeze();
        Network { name: "golden".into(), architecture, params, tokenizer: None, side: None }
    }
}

/// Every value within `relative` of the largest golden one.
fn assert_close(ours: &[f32], golden: &[f32], relative: f32) {
    assert_eq!(ours.len(), golden.len());
    let scale = golden.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
    for (place, (a, b)) in ours.iter().zip(golden).enumerate() {
        assert!((a - b).abs() <= relative * scale, "value {place}: {a} is not {b} (scale {scale})");
    }
}

#[test]
fn se_resnet_agrees_with_timm_and_its_attacks_with_torchattacks() {
    let golden = Golden::open("se_resnet.safetensors");
    let network = golden.network(Architecture::Vision(SeResnet { width: 4, views: 2 }));
    let images = tensor::floats(&golden.floats("golden.images"), &[3, 2, 32, 32]).expect("images");
    let labels = golden.integers("golden.labels").iter().map(|&label| label == 1).collect();
    let logits = |images: &Tensor| {
        let features = network.read_images(images).expect("features");
        tensor::values(&network.decide(Some(&features), None).expect("logits")).expect("values")
    };
    assert_close(&logits(&images), &golden.floats("golden.logits"), 1e-4);

    let victim = Victim::new(&network, labels).expect("a victim");
    let (_, gradient) = victim.gradient(&images, None).expect("a gradient");
    assert_close(&tensor::values(&gradient).expect("values"), &golden.floats("golden.gradient"), 1e-3);

    let attacked = fgsm::propose(&images, &gradient, 0.05).expect("a proposal");
    let attacked = project(&images, &attacked, 0.05).expect("images");
    let (ours, theirs) = (tensor::values(&attacked).expect("values"), golden.floats("golden.fgsm.images"));
    let differing = ours.iter().zip(&theirs).filter(|(a, b)| (**a - **b).abs() > 1e-5).count();
    assert!(differing * 1000 <= ours.len(), "{differing} of {} pixels moved otherwise", ours.len());
    assert_close(&logits(&attacked), &golden.floats("golden.fgsm.logits"), 1e-2);

    let mut x = images.shallow_clone();
    for _ in 0..10 {
        let (_, gradient) = victim.gradient(&x, None).expect("a gradient");
        x = project(&images, &fgsm::propose(&x, &gradient, 0.0125).expect("a step"), 0.05).expect("images");
    }
    assert_close(&logits(&x), &golden.floats("golden.pgd.logits"), 1e-2);
}

#[test]
fn bert_agrees_with_transformers_padding_included() {
    let golden = Golden::open("bert.safetensors");
    let config = BertConfig { hidden: 16, layers: 2, heads: 2, intermediate: 32, max_tokens: 12, vocabulary: 40 };
    let network = golden.network(Architecture::Language(Bert { config }));
    let ids: Vec<u32> = golden.integers("golden.ids").iter().map(|&id| id as u32).collect();
    let lengths = golden.integers("golden.lengths");
    let texts: Vec<&[u32]> = ids.chunks(12).zip(&lengths).map(|(row, &length)| &row[..length as usize]).collect();
    let tokens = Tokens::new(&texts).expect("tokens");
    let features = network.architecture.text_branch(&network.params, &tokens).expect("features");
    let logits = network.decide(None, Some(&features)).expect("logits");
    assert_close(&tensor::values(&logits).expect("values"), &golden.floats("golden.logits"), 1e-4);
}
