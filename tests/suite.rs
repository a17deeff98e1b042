//! The attacks against torchattacks' on one small network and 256 images, case by case where nothing is drawn,
//! and within a percentage point where something is. The values are made by `tests/golden/make.py`.
#![cfg(feature = "torch")]

use std::path::Path;

use medcert::Result;
use medcert::lab::attack::{Ball, apgd, fgsm, momentum, pgd, project, square};
use medcert::lab::model::params::{Declared, Params};
use medcert::lab::model::residual::Residual;
use medcert::lab::model::{Architecture, Network};
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::{Classifier, Victim};
use medcert::spec::AttackLoss;
use safetensors::SafeTensors;

const CASES: usize = 256;
const EPSILON: f64 = 0.008;

fn golden(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    std::fs::read(path).expect("run tests/golden/make.py")
}

/// Values of 4 or 8 bytes as floats.
fn values(bytes: &[u8], name: &str) -> Vec<f32> {
    let file = SafeTensors::deserialize(bytes).expect("a golden file");
    let view = file.tensor(name).expect(name);
    match view.dtype() {
        safetensors::Dtype::I64 => view
            .data()
            .chunks_exact(8)
            .map(|b| i64::from_le_bytes(b.try_into().expect("eight bytes")) as f32)
            .collect(),
        _ => view
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().expect("four bytes")))
            .collect(),
    }
}

/// The golden network, its answers centred so that both classes occur among noise images.
struct Centred {
    network: Network,
    shift: Tensor,
}

impl Classifier for Centred {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        self.network.read_images(images)
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        Ok(self.network.decide(image, text)?.f_sub(&self.shift)?)
    }
}

fn model(shift: f32) -> Centred {
    let bytes = golden("se_resnet.safetensors");
    let architecture = Architecture::Vision(Residual { width: 4, ..Residual::SMALL });
    let fill = |d: &Declared| Ok(values(&bytes, &format!("weights.{}", d.name)));
    let mut params = Params::make(&architecture.declare(), fill).expect("parameters");
    params.freeze();
    let network =
        Network { name: "golden".into(), architecture, params, tokenizer: None, side: None, source: None };
    Centred { network, shift: tensor::floats(&[0.0, shift], &[1, 2]).expect("a shift") }
}

/// The images of `make.py`'s `suite`.
fn images() -> Tensor {
    let count = CASES * 2 * 32 * 32;
    let pixel = |place: usize| {
        let mixed = (place as u64).wrapping_mul(2_654_435_761) % (1 << 32);
        (mixed >> 8) as f32 / (1 << 24) as f32
    };
    tensor::floats(&(0..count).map(pixel).collect::<Vec<f32>>(), &[CASES, 2, 32, 32]).expect("images")
}

#[test]
fn the_attacks_break_what_torchattacks_breaks() {
    let bytes = golden("suite.safetensors");
    let model = model(values(&bytes, "golden.shift")[0]);
    let labels: Vec<bool> = values(&bytes, "golden.labels").iter().map(|&label| label > 0.5).collect();
    let victim = Victim::new(&model, labels).expect("a victim");
    let x = images();
    let answers =
        |x: &Tensor| victim.answer(Some(&victim.read_images(x).expect("features")), None).expect("answers");
    assert!(answers(&x).iter().all(|answer| answer.margin.is_some_and(|margin| margin > 0.0)), "labels");
    let ids: Vec<String> = (0..CASES).map(|case| case.to_string()).collect();
    let cases: Vec<&str> = ids.iter().map(String::as_str).collect();
    let ball = Ball { images: &x, epsilon: EPSILON, seed: 0, cases: &cases };
    let (_, gradient) = victim.gradient(&x, None).expect("a gradient");
    let ce = apgd::Apgd { loss: AttackLoss::CrossEntropy, steps: 100, restarts: 1 };
    for (name, proposal, is_drawn) in [
        ("fgsm", fgsm::propose(&x, &gradient, EPSILON), false),
        ("momentum", momentum::propose(ball, &victim, None, 10), false),
        ("pgd", pgd::propose(ball, &victim, None, 40, 1), true),
        ("apgd", apgd::propose(ball, &victim, None, ce), true),
        ("apgd", apgd::propose(ball, &victim, None, apgd::Apgd { loss: AttackLoss::Margin, ..ce }), true),
    ] {
        let ours = broken(&victim, &x, &proposal.expect("a proposal"));
        let theirs = published(&bytes, name);
        let (mine, known) = (count(&ours), count(&theirs));
        eprintln!("{name}: {mine} of {CASES} broken, by torchattacks {known}");
        let missed = ours.iter().zip(&theirs).filter(|(ours, theirs)| **theirs && !**ours).count();
        // a case whose margin is within rounding may fall to either side
        assert!(is_drawn || missed <= 1, "{name} misses {missed} cases that torchattacks breaks");
        assert!(mine.abs_diff(known) * 100 <= CASES, "{name}: {mine} broken, by torchattacks {known}");
    }
    // a search at random is compared by the mean of four
    let (mut mine, mut known) = (0, 0);
    for seed in 0..4 {
        let proposal = square::propose(Ball { seed, ..ball }, &victim, None, 300).expect("a proposal");
        mine += count(&broken(&victim, &x, &proposal));
        known += count(&published(&bytes, &format!("square{seed}")));
    }
    eprintln!("square: {mine} of {} broken, by torchattacks {known}", 4 * CASES);
    assert!(mine.abs_diff(known) * 100 <= 4 * CASES, "square: {mine} broken, by torchattacks {known}");
}

fn count(broken: &[bool]) -> usize {
    broken.iter().filter(|&&broken| broken).count()
}

/// Which cases torchattacks broke.
fn published(bytes: &[u8], name: &str) -> Vec<bool> {
    values(bytes, &format!("golden.{name}.broken")).iter().map(|&broken| broken > 0.5).collect()
}

/// Which cases a proposal breaks, once projected.
fn broken(victim: &Victim<'_>, images: &Tensor, proposal: &Tensor) -> Vec<bool> {
    let attacked = project(images, proposal, EPSILON).expect("images");
    let features = victim.read_images(&attacked).expect("features");
    let answers = victim.answer(Some(&features), None).expect("answers");
    answers.iter().map(|answer| answer.margin.is_none_or(|margin| margin <= 0.0)).collect()
}
