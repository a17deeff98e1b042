//! Every vision network of the spec, alone and in every fusion: its answers, gradients and features.

use medcert::lab::model::bert::{Bert, Tokens};
use medcert::lab::model::cross::Cross;
use medcert::lab::model::params::{Named, Params};
use medcert::lab::model::vision::{Trunk, Vision};
use medcert::lab::model::{Answers, Architecture};
use medcert::lab::tensor::{self, Kind, Tensor};
use medcert::spec::{BertConfig, VisionNetwork};

const CASES: usize = 2;
const SIDE: usize = 32;

/// Checks that the answers depend on every view, and that folding changes little: the golden tests are strict.
fn assert_sound(name: &str, architecture: Architecture) {
    let mut params = Params::random(&architecture.declare(), 3).expect("parameters");
    params.freeze();
    let views = 2;
    let pixels: Vec<f32> = (0..CASES * views * SIDE * SIDE).map(|x| (x * 40503 % 97) as f32 / 97.0).collect();
    let shape = [CASES, views, SIDE, SIDE];
    let images = tensor::floats(&pixels, &shape).and_then(|x| Ok(x.f_set_requires_grad(true)?));
    let images = images.expect("images");
    let tokens = Tokens::new(&[&[2, 7, 3][..], &[2, 9, 8, 7, 3]], 0).expect("tokens");
    // the statistics of a random network are far from its maps', which saturates a gate
    for _ in 0..4 {
        let _guard = tensor::no_grad_guard();
        let _ = architecture.image_branch(&params, &images, true).expect("features");
    }
    let answers = |params: &Params| {
        let image = architecture.image_branch(params, &images, false).expect("features");
        let text = match architecture {
            Architecture::Vision(_) => None,
            Architecture::Language(_)
            | Architecture::Early(..)
            | Architecture::Late(..)
            | Architecture::Cross(..)
            | Architecture::Gated(..) => Some(architecture.text_branch(params, &tokens).expect("features")),
        };
        architecture.head(params, Some(&image), text.as_ref()).expect("answers")
    };
    let plain = answers(&params);
    assert_eq!(plain.size(), [CASES as i64, architecture.answers().count() as i64], "{name}");
    let sum = plain.f_square().and_then(|x| x.f_sum(Kind::Float)).expect("a sum");
    let gradient = Tensor::f_run_backward(&[sum], &[&images], false, false).expect("a gradient").remove(0);
    let gradient = tensor::values(&gradient).expect("values");
    assert!(gradient.iter().all(|value| value.is_finite()), "{name}");
    assert!(gradient.chunks(SIDE * SIDE).all(|view| view.iter().any(|&value| value != 0.0)), "{name}");
    let plain = tensor::values(&plain).expect("values");
    params.fold().expect("folded");
    let folded = tensor::values(&answers(&params)).expect("values");
    let scale = plain.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    for (a, b) in plain.iter().zip(&folded) {
        assert!((a - b).abs() <= 1e-2 * scale, "{name}: {plain:?} became {folded:?}");
    }
}

#[test]
fn every_network_works_alone_and_in_every_fusion() {
    let config =
        BertConfig { hidden: 16, layers: 1, heads: 2, intermediate: 32, max_tokens: 16, vocabulary: 40 };
    let cross = Cross { width: 16, heads: 2 };
    let kinds = [Answers::TWO, Answers::Classes(3), Answers::Findings(4)];
    for (place, &network) in VisionNetwork::ALL.iter().enumerate() {
        let of = |fusion: usize| {
            // each fusion meets every kind of answer, but with another network
            let answers = kinds[(place + fusion) % kinds.len()];
            let trunk = Trunk::of(network, 8, SIDE);
            (Vision { trunk, views: 2, answers }, Bert { answers, ..Bert::of(config) })
        };
        let ((early, early_text), (late, late_text)) = (of(1), of(2));
        let ((crossed, crossed_text), (gated, gated_text)) = (of(3), of(4));
        for architecture in [
            Architecture::Vision(of(0).0),
            Architecture::Early(early, early_text),
            Architecture::Late(late, late_text),
            Architecture::Cross(crossed, crossed_text, cross),
            Architecture::Gated(gated, gated_text),
        ] {
            assert_sound(&format!("{} {architecture:?}", network.name()), architecture);
        }
    }
}

#[test]
fn training_changes_every_statistic_and_parameter_of_every_network() {
    for &network in VisionNetwork::ALL {
        let vision = Vision { trunk: Trunk::of(network, 8, 64), views: 1, answers: Answers::TWO };
        let architecture = Architecture::Vision(vision);
        let declared = architecture.declare();
        let params = Params::random(&declared, 5).expect("parameters");
        let before = params.values().expect("values");
        let pixels: Vec<f32> = (0..4 * 64 * 64).map(|x| (x * 40503 % 101) as f32 / 101.0).collect();
        let images = tensor::floats(&pixels, &[4, 1, 64, 64]).expect("images");
        let features = architecture.image_branch(&params, &images, true).expect("features");
        let logits = architecture.head(&params, Some(&features), None).expect("logits");
        let loss = logits.f_square().and_then(|x| x.f_sum(Kind::Float)).expect("a loss");
        loss.f_backward().expect("gradients");
        for (parameter, (name, _, values)) in declared.iter().map(|d| (d, find(&before, &d.name))) {
            let now = params.get(name).expect(name);
            if parameter.trained {
                assert!(now.grad().defined(), "{}: {name} has no gradient", network.name());
            } else {
                let changed = &tensor::values(now).expect("values") != values;
                assert!(changed, "{}: {name} stays", network.name());
            }
        }
    }
}

fn find<'a>(values: &'a [Named], name: &str) -> &'a Named {
    values.iter().find(|(other, ..)| other == name).expect(name)
}
