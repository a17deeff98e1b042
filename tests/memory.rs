//! Long attacks keep no memory: what is resident after ten thousand steps is what it was after the first.
#![cfg(all(feature = "torch", target_os = "linux"))]

#[path = "support/golden_network.rs"]
mod golden_network;

use medcert::lab::attack::image::{Problem, Space, pgd};
use medcert::lab::tensor;
use medcert::lab::victim::Victim;
use medcert::spec::Norm;

/// Mebibytes that the process holds in memory.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process has a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("resident memory");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
}

#[test]
fn ten_thousand_steps_keep_no_memory() {
    tensor::set_threads(1);
    let model = golden_network::model(0.0);
    let images = golden_network::images(2);
    let cases = 2;
    let problem = Problem {
        victim: Victim::new(&model, vec![true; cases]).expect("a victim"),
        images,
        text: None,
        cases: vec!["case"; cases],
        seed: 0,
        space: Space::ball(Norm::Linf, 0.01),
    };
    let steps = |times: u32| {
        for _ in 0..times {
            drop(pgd::propose(&problem, 100, 1).expect("a proposal"));
        }
    };
    steps(5);
    let warm = resident();
    steps(100);
    let grown = resident() - warm;
    println!("{grown:.2} MiB more after 10,000 steps than after the first 500 ({warm:.0} MiB)");
    assert!(grown < 5.0, "{grown:.2} MiB more");
}
