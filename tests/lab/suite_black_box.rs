//! The black-box attacks against torchattacks', ART's and Foolbox's on one small network: how many cases they
//! break, and how far their inputs lie from the clean ones. The values are made by `tests/golden/attacks.py`.

use crate::golden_network;

use golden_network::{Centred, golden, images, model, values};
use medcert::lab::attack::image::{Problem, Space, nearest, propose};
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::Victim;
use medcert::spec::{ImageSearch, Norm};

/// Cases that are attacked.
const CASES: usize = 64;
const EPSILON: f64 = 0.008;

/// A problem over the first cases.
fn problem<'a>(model: &'a Centred, ids: &'a [String], seed: u64, space: Space) -> Problem<'a> {
    tensor::set_threads(1); // the network is small
    let labels = values(&golden("suite.safetensors"), "golden.labels");
    let labels: Vec<bool> = labels.iter().take(ids.len()).map(|&label| label > 0.5).collect();
    let victim = Victim::new(model, labels).expect("a victim");
    let images = images(ids.len());
    Problem { victim, images, text: None, cases: ids.iter().map(String::as_str).collect(), seed, space }
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|case| case.to_string()).collect()
}

fn margins(problem: &Problem<'_>, images: &Tensor) -> Vec<f32> {
    problem.answer(images).expect("answers").iter().map(|answer| answer.margin.expect("a margin")).collect()
}

fn median(mut norms: Vec<f32>) -> f32 {
    norms.sort_by(f32::total_cmp);
    f32::midpoint(norms[(norms.len() - 1) / 2], norms[norms.len() / 2])
}

#[test]
fn scores_break_as_many_cases_as_others_break() {
    let (norms, shift) =
        (golden("norms.safetensors"), values(&golden("suite.safetensors"), "golden.shift")[0]);
    let (model, ids) = (model(shift), ids(CASES));
    for (name, search) in [
        ("spsa", ImageSearch::Spsa { steps: 8, samples: 32 }),
        ("nes", ImageSearch::Nes { steps: 8, samples: 32 }),
    ] {
        let known = values(&norms, &format!("golden.{name}.broken")).iter().sum::<f32>() as usize;
        let mut mine = 0;
        for seed in 0..2 {
            let problem = problem(&model, &ids, seed, Space::ball(Norm::Linf, 2.0 * EPSILON));
            let attacked = problem.project(&propose(&problem, search).expect("a proposal")).expect("images");
            let spent = problem.victim.take_queries();
            assert!(spent.iter().all(|&spent| spent <= 8 * 33 + 1), "{name} spent {spent:?}");
            mine += problem.answer(&attacked).expect("answers").iter().filter(|a| a.is_broken()).count();
        }
        eprintln!("{name}: {mine} of {} broken, by others {known}", 2 * CASES);
        // the draws differ, and so does the length of NES's step: 2.5 ε / steps here, ε / 4 there
        assert!(mine + 6 >= known && mine <= known + 12, "{name}: {mine} broken, by others {known}");
    }
}

#[test]
fn decisions_find_inputs_as_near_as_others_find() {
    let norms = golden("norms.safetensors");
    let model = model(values(&golden("suite.safetensors"), "golden.shift")[0]);
    let ids = ids(16);
    let other = |name: &str| values(&norms, &format!("golden.{name}"));
    let found = |cases: usize, queries: u32, norm: Norm| {
        let problem = problem(&model, &ids[..cases], 0, Space::ball(norm, 1.0));
        let found = nearest(&problem, ImageSearch::HopSkipJump { queries }).expect("norms");
        assert!(problem.victim.take_queries().iter().all(|&spent| spent <= queries), "over its budget");
        let (clean, after) = (margins(&problem, &problem.images), margins(&problem, &found.images));
        // a case whose clean margin is within a few roundings may fall to either side
        let is_sure = |case: &usize| clean[*case] > 1e-4;
        assert!(
            (0..cases).filter(is_sure).all(|case| after[case] < 0.0),
            "they are read as before: {after:?}"
        );
        assert_eq!(found.norms, problem.space.distance(&problem.images, &found.images).expect("norms"));
        found.norms
    };
    for (name, slack) in [("hop", 1.1), ("boundary", 0.5)] {
        let queries = other(&format!("{name}.queries"))[0];
        let (mine, known) =
            (median(found(16, queries as u32, Norm::L2)), median(other(&format!("{name}.norm"))));
        eprintln!("{name}, {queries} queries: median norm {mine}, by others {known}");
        assert!(mine <= slack * known, "{name}: {mine}, by others {known}");
    }
    // with its whole budget it comes near what the gradient finds, and no input of it is much nearer
    for (norm, name) in [(Norm::L2, "fab.l2.norm"), (Norm::Linf, "fab.linf.norm")] {
        let (mine, known) = (found(8, 2000, norm), other(name));
        let ratios: Vec<f32> = mine.iter().zip(&known).map(|(mine, known)| mine / known).collect();
        eprintln!(
            "{norm:?}: {} of FAB's norm, the least {:?}",
            median(ratios.clone()),
            ratios.iter().copied().reduce(f32::min)
        );
        let is_near = ratios.iter().all(|&ratio| ratio > 0.97) && median(ratios.clone()) < 2.6;
        assert!(is_near, "{norm:?}: {ratios:?} of FAB's norms");
    }
}
