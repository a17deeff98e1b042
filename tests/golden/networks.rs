//! The networks and attacks against timm, transformers and torchattacks, on the same weights and inputs.
//! The values are made by `tests/golden/make.py`.

use std::path::Path;

use medcert::lab::attack::image::{Problem, Space, fgsm};
use medcert::lab::model::bert::{Bert, Tokens};
use medcert::lab::model::cross::Cross;
use medcert::lab::model::params::{Declarations, Declared, Params};
use medcert::lab::model::residual::Residual;
use medcert::lab::model::vision::{Trunk, Vision};
use medcert::lab::model::{Answers, Architecture, Network};
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::{Classifier, Victim};
use medcert::spec::{BertConfig, Norm, VisionNetwork};
use safetensors::SafeTensors;

use crate::weight_formula;

use weight_formula::fill;

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
        let fill = |d: &Declared| Ok(self.floats(&format!("weights.{}", d.name)));
        let mut params = Params::make(&declared, fill).expect("parameters");
        params.freeze();
        Network {
            name: "golden".into(),
            architecture,
            params,
            tokenizer: None,
            side: None,
            source: None,
            masked: None,
        }
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
    let trunk = Residual { width: 4, ..Residual::SMALL }.into();
    let network = golden.network(Architecture::Vision(Vision { trunk, views: 2, answers: Answers::TWO }));
    let images = tensor::floats(&golden.floats("golden.images"), &[3, 2, 32, 32]).expect("images");
    let labels: Vec<bool> = golden.integers("golden.labels").iter().map(|&label| label == 1).collect();
    let logits = |images: &Tensor| {
        let features = network.read_images(images).expect("features");
        tensor::values(&network.decide(Some(&features), None).expect("logits")).expect("values")
    };
    assert_close(&logits(&images), &golden.floats("golden.logits"), 1e-4);

    let victim = Victim::new(&network, labels).expect("a victim");
    let (_, gradient) = victim.gradient(&images, None).expect("a gradient");
    assert_close(&tensor::values(&gradient).expect("values"), &golden.floats("golden.gradient"), 1e-3);

    let problem = Problem {
        victim: victim.clone(),
        images: images.shallow_clone(),
        text: None,
        cases: vec!["a", "b", "c"],
        seed: 0,
        space: Space::ball(Norm::Linf, 0.05),
    };
    let attacked = fgsm::propose(&problem, &gradient).expect("a proposal");
    let attacked = problem.project(&attacked).expect("images");
    let (ours, theirs) = (tensor::values(&attacked).expect("values"), golden.floats("golden.fgsm.images"));
    let differing = ours.iter().zip(&theirs).filter(|(a, b)| (**a - **b).abs() > 1e-5).count();
    assert!(differing * 1000 <= ours.len(), "{differing} of {} pixels moved otherwise", ours.len());
    assert_close(&logits(&attacked), &golden.floats("golden.fgsm.logits"), 1e-2);

    let mut x = images.shallow_clone();
    for _ in 0..10 {
        let (_, gradient) = victim.gradient(&x, None).expect("a gradient");
        let step = fgsm::step(&problem, &x, &gradient, 0.0125).expect("a step");
        x = problem.project(&step).expect("images");
    }
    assert_close(&logits(&x), &golden.floats("golden.pgd.logits"), 1e-2);
}

/// A published network at full size, plain and folded, against timm.
fn assert_published(name: &str, shape: Residual) {
    assert_formula_agrees("published.safetensors", name, shape.into(), (1e-4, 1e-3));
}

/// A network with weights by formula, plain and folded, against the logits and the gradient in a golden file.
fn assert_formula_agrees(file: &str, name: &str, trunk: Trunk, (of_logits, of_gradient): (f32, f32)) {
    let golden = Golden::open(file);
    let architecture = Architecture::Vision(Vision { trunk, views: 1, answers: Answers::TWO });
    let image = tensor::floats(&golden.floats("golden.image"), &[1, 1, 64, 64]).expect("an image");
    let mut params = Params::make(&architecture.declare(), |d| Ok(fill(d))).expect("parameters");
    params.freeze();
    let mut network = Network {
        name: name.into(),
        architecture,
        params,
        tokenizer: None,
        side: None,
        source: None,
        masked: None,
    };
    for folded in [false, true] {
        if folded {
            network.params.fold().expect("folded");
        }
        let leaf = image.f_detach_copy().and_then(|x| x.f_set_requires_grad(true)).expect("a leaf");
        let logits =
            network.decide(Some(&network.read_images(&leaf).expect("features")), None).expect("logits");
        let one = logits.f_get(0).and_then(|row| row.f_get(1)).expect("a logit");
        let gradient = Tensor::f_run_backward(&[one], &[&leaf], false, false).expect("a gradient").remove(0);
        assert_close(
            &tensor::values(&logits).expect("values"),
            &golden.floats(&format!("golden.{name}.logits")),
            of_logits,
        );
        let theirs = golden.floats(&format!("golden.{name}.gradient"));
        assert_close(&tensor::values(&gradient).expect("values"), &theirs, of_gradient);
    }
}

#[test]
fn the_dense_networks_agree_with_torchvision_and_torchxrayvision_plain_and_folded() {
    for (name, network, growth) in [
        ("densenet121.narrow", VisionNetwork::Densenet121, 4),
        ("densenet121", VisionNetwork::Densenet121, 32),
        ("xrv_densenet121.narrow", VisionNetwork::XrvDensenet121, 4),
        ("xrv_densenet121", VisionNetwork::XrvDensenet121, 32),
    ] {
        assert_formula_agrees("densenet.safetensors", name, Trunk::of(network, growth, 64), (1e-5, 1e-5));
    }
}

#[test]
fn the_vision_transformers_agree_with_timm() {
    for (name, network, width) in [
        ("vit.narrow", VisionNetwork::VitTiny, 64),
        ("vit_tiny_patch16_224", VisionNetwork::VitTiny, 192),
        ("deit_small_patch16_224", VisionNetwork::DeitSmall, 384),
    ] {
        assert_formula_agrees("vit.safetensors", name, Trunk::of(network, width, 64), (1e-5, 1e-5));
    }
}

#[test]
fn the_residual_networks_agree_with_timm_plain_and_folded() {
    assert_published("resnet18", Residual::RESNET18);
    assert_published("resnet50", Residual::RESNET50);
    assert_published("legacy_seresnet50", Residual::SE_RESNET50);
    assert_published("legacy_seresnext50_32x4d", Residual::SE_RESNEXT50);
}

#[test]
#[ignore = "the largest networks: cargo test --release --test golden -- --ignored"]
fn the_deep_networks_agree_with_timm_plain_and_folded() {
    for (name, network) in [
        ("legacy_seresnet101", VisionNetwork::SeResnet101),
        ("legacy_seresnet152", VisionNetwork::SeResnet152),
        ("legacy_seresnext101_32x4d", VisionNetwork::SeResnext101),
        ("legacy_senet154", VisionNetwork::Senet154),
    ] {
        assert_formula_agrees("published.safetensors", name, Trunk::of(network, 64, 64), (1e-4, 1e-3));
    }
}

#[test]
#[ignore = "110 million parameters: cargo test --release --test golden -- --ignored"]
fn bert_base_agrees_with_transformers() {
    let golden = Golden::open("published.safetensors");
    let config = BertConfig {
        hidden: 768,
        layers: 12,
        heads: 12,
        intermediate: 3072,
        max_tokens: 512,
        vocabulary: 28_996,
    };
    let architecture = Architecture::Language(Bert::of(config));
    let params = Params::make(&architecture.declare(), |d| Ok(fill(d))).expect("parameters");
    let ids: Vec<u32> = golden.integers("golden.bert.ids").iter().map(|&id| id as u32).collect();
    let tokens = Tokens::new(&[&ids[..24], &ids[24..33]], 0).expect("tokens");
    let text = architecture.text_branch(&params, &tokens).expect("features");
    let logits = architecture.head(&params, None, Some(&text)).expect("logits");
    assert_close(&tensor::values(&logits).expect("values"), &golden.floats("golden.bert.logits"), 1e-4);
}

#[test]
fn bert_agrees_with_transformers_plain_and_folded_padding_included() {
    let golden = Golden::open("bert.safetensors");
    let config =
        BertConfig { hidden: 16, layers: 2, heads: 2, intermediate: 32, max_tokens: 12, vocabulary: 40 };
    let mut network = golden.network(Architecture::Language(Bert::of(config)));
    let ids: Vec<u32> = golden.integers("golden.ids").iter().map(|&id| id as u32).collect();
    let lengths = golden.integers("golden.lengths");
    let texts: Vec<&[u32]> =
        ids.chunks(12).zip(&lengths).map(|(row, &length)| &row[..length as usize]).collect();
    let tokens = Tokens::new(&texts, 0).expect("tokens");
    for folded in [false, true] {
        if folded {
            network.params.fold().expect("folded");
        }
        let features = network.architecture.text_branch(&network.params, &tokens).expect("features");
        let logits = network.decide(None, Some(&features)).expect("logits");
        assert_close(&tensor::values(&logits).expect("values"), &golden.floats("golden.logits"), 1e-4);
    }
}

#[test]
fn cross_attention_agrees_with_torch_padding_included() {
    let golden = Golden::open("cross.safetensors");
    let cross = Cross { width: 8, heads: 2 };
    let mut d = Declarations::default();
    cross.declare(&mut d, (6, 10), 2);
    let fill = |d: &Declared| Ok(golden.floats(&format!("weights.{}", d.name)));
    let mut params = Params::make(&d.list, fill).expect("parameters");
    params.freeze();
    let leaf = |name: &str, shape: &[usize]| {
        let tensor = tensor::floats(&golden.floats(name), shape).expect(name);
        tensor.f_set_requires_grad(true).expect(name)
    };
    let regions = leaf("golden.regions", &[3, 5, 6]);
    let words = leaf("golden.words", &[3, 7, 10]);
    let mask: Vec<f32> =
        golden.floats("golden.mask").iter().map(|&m| if m > 0.0 { 0.0 } else { f32::MIN / 2.0 }).collect();
    let mask = tensor::floats(&mask, &[3, 7, 1]).expect("a mask");
    let masked = Tensor::f_cat(&[words.shallow_clone(), mask], 2).expect("words");
    let logits = cross.forward(&params.scope(""), &regions, &masked).expect("logits");
    assert_close(&tensor::values(&logits).expect("values"), &golden.floats("golden.logits"), 1e-4);
    let abnormal = logits.f_select(1, 1).and_then(|x| x.f_sum(tensor::Kind::Float)).expect("a sum");
    let gradients =
        Tensor::f_run_backward(&[abnormal], &[&regions, &words], false, false).expect("gradients");
    for (gradient, name) in gradients.iter().zip(["regions", "words"]) {
        let theirs = golden.floats(&format!("golden.{name}.gradient"));
        assert_close(&tensor::values(gradient).expect("values"), &theirs, 1e-3);
    }
}
