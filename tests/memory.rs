//! Long attacks keep no memory: what is resident after ten thousand steps is what it was after the first. Nor do many images:
//! a set that is twice as large needs no more.
#![cfg(all(feature = "torch", target_os = "linux"))]

#[path = "support/golden_network.rs"]
mod golden_network;

use std::sync::{Arc, Mutex, PoisonError};

use medcert::data::{Dataset, ImageSource, Report, Study};
use medcert::lab::attack::image::{Problem, Space, pgd};
use medcert::lab::inputs::Inputs;
use medcert::lab::tensor;
use medcert::lab::victim::Victim;
use medcert::seal::Cache;
use medcert::spec::{Norm, Views};

/// One test at a time, because each measures the process.
static ALONE: Mutex<()> = Mutex::new(());

/// Mebibytes that the process holds in memory.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process has a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("resident memory");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
}

#[test]
fn ten_thousand_steps_keep_no_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
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

/// So many studies of one image.
fn studies(image: &ImageSource, count: usize) -> Dataset {
    let study = |place: usize| Study {
        id: format!("s{place}").into(),
        patient: format!("p{place}").into(),
        frontal: Some(image.clone()),
        lateral: None,
        report: Report::default(),
        label: place.is_multiple_of(2).into(),
        findings: vec![],
        view: None,
        mask: None,
        groups: Arc::default(),
        fold: None,
    };
    Dataset {
        studies: (0..count).map(study).collect(),
        findings: vec![],
        classes: vec![],
        left_out: vec![],
        remarks: vec![],
        digest: String::new(),
        sections: vec![],
        views: Views::Frontal,
    }
}

#[test]
fn many_images_take_no_more_memory_than_some() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("image.png");
    image::GrayImage::from_fn(160, 160, |x, y| image::Luma([((x * y) % 256) as u8]))
        .save(&path)
        .expect("saved");
    let (image, cache) = (ImageSource::file(path), Cache::at(folder.path()));
    let held = |count: usize| {
        let data = studies(&image, count);
        let before = resident();
        let inputs = Inputs::prepare(&data, &[160], &cache).expect("inputs");
        let more = resident() - before;
        assert_eq!(inputs.image(160, count - 1).expect("an image").len(), 160 * 160);
        println!("{count} images: {more:.1} MiB more");
        more
    };
    // these are 98 and 293 MiB of pixels, and texts and labels of each study
    let (some, many) = (held(4_000), held(12_000));
    assert!(some < 40.0 && many < 40.0, "{some:.1} and {many:.1} MiB more");
}
