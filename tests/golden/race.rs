//! Times the victim on the networks of `tests/golden/race.py`, which compares them with eager torch's. No
//! bound is tested here: a time is no fact about the code alone.

use std::time::Instant;

use medcert::lab::attack::image::{Problem, Space, fgsm};
use medcert::lab::model::params::Params;
use medcert::lab::model::residual::Residual;
use medcert::lab::model::vision::Vision;
use medcert::lab::model::{Answers, Architecture, Network};
use medcert::lab::settings::settle;
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::{Classifier, Victim};
use medcert::spec::{DeviceChoice, Norm};

use crate::weight_formula;

const STRENGTHS: [f64; 4] = [0.01, 0.05, 0.1, 0.2];

/// Seconds of an action, the median of some runs after one that is not counted.
fn median(runs: usize, mut action: impl FnMut()) -> f64 {
    action();
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            action();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

fn race(name: &str, residual: Residual, (cases, side): (usize, usize), runs: usize) {
    let vision = Vision { trunk: residual.into(), views: 1, answers: Answers::TWO };
    let architecture = Architecture::Vision(vision);
    let mut params =
        Params::make(&architecture.declare(), |d| Ok(weight_formula::fill(d))).expect("parameters");
    params.fold().expect("folded");
    let network = Network {
        name: name.into(),
        architecture,
        params,
        tokenizer: None,
        side: None,
        source: None,
        masked: None,
    };
    let pixels: Vec<f32> =
        (0..cases * side * side).map(|place| (place * 40503 % 65536) as f32 / 65536.0).collect();
    let images = tensor::floats(&pixels, &[cases, 1, side, side]).expect("images");
    let victim = Victim::new(&network, (0..cases).map(|case| case % 2 == 1)).expect("a victim");
    let problem = Problem {
        victim: victim.clone(),
        images: images.shallow_clone(),
        text: None,
        cases: vec!["race"; cases],
        seed: 0,
        space: Space::ball(Norm::Linf, 0.0),
    };
    let forward = |images: &Tensor| {
        victim.answer(Some(&victim.read_images(images).expect("features")), None).expect("answers");
    };
    let told = |what: &str, value: f64| println!("race: {name} / {what} = {value}");
    told("forward", median(runs, || forward(&images)));
    told("gradient", median(runs, || drop(victim.gradient(&images, None).expect("a gradient"))));
    let fgsm = || {
        let (_, gradient) = victim.gradient(&images, None).expect("a gradient"); // the clean answers too
        for epsilon in STRENGTHS {
            let problem = problem.with_epsilon(epsilon);
            let proposal = fgsm::propose(&problem, &gradient).expect("a proposal");
            forward(&problem.project(&proposal).expect("images"));
        }
    };
    told("FGSM at four ε", median(runs, fgsm));
    let features = victim.read_images(&images).expect("features");
    let logits = tensor::values(&network.decide(Some(&features), None).expect("logits")).expect("values");
    told("logits", logits.chunks_exact(2).map(|pair| f64::from(pair[1])).sum());
}

#[test]
#[ignore = "times, for tests/golden/race.py: cargo test --release --test golden -- --ignored --nocapture"]
fn race_with_eager_pytorch() {
    settle(DeviceChoice::Cpu).expect("a CPU");
    medcert::lab::tensor::set_threads(2);
    race("senet154", Residual::SENET154, (8, 224), 3);
    race("se_resnet18", Residual { width: 64, ..Residual::SMALL }, (16, 128), 9);
}
