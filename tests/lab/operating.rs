//! A model at an operating point: the threshold keeps its share on the cases that it was fixed on, and attacks meet it.

use crate::known_scene;

use known_scene::{Bench, Fused};
use medcert::data::Partition;
use medcert::lab::chunk::Chunk;
use medcert::lab::model::operating::Operated;
use medcert::plan::Attack;
use medcert::spec::{Metric, Operating};

#[test]
fn a_threshold_keeps_its_share_and_decides() {
    let reports: Vec<(&str, bool)> =
        (0..40)
            .map(|case| {
                if case % 3 == 0 {
                    ("There is an opacity.", case % 2 == 0)
                } else {
                    ("Clear.", case % 5 == 0)
                }
            })
            .collect();
    let bench = Bench::new(&reports);
    let model = Fused::new(3, &[("opacity", 0.8), ("Clear", -0.2)]);
    let all: Vec<usize> = (0..reports.len()).collect();
    let partition = Partition { train: vec![], validation: all.clone(), test: all.clone() };
    for (metric, of_class) in [(Metric::Sensitivity, true), (Metric::Specificity, false)] {
        for share in [0.5, 0.8, 1.0] {
            let point = Operating { finding: None, metric, share };
            let at = Operated::fix(&model, point, &bench.inputs, &partition).expect("a threshold");
            let scene = bench.scene(&at);
            let mut chunk = Chunk::new(&scene, &all).expect("a chunk");
            let outcomes = chunk.attack(&Attack::default()).expect("outcomes").outcomes;
            let class: Vec<bool> = outcomes
                .iter()
                .zip(&bench.inputs.labels)
                .filter(|(_, label)| label.is_abnormal() == of_class)
                .map(|(outcome, _)| outcome.predicted == Some(of_class.into()))
                .collect();
            let kept = class.iter().filter(|&&right| right).count() as f64 / class.len() as f64;
            assert!(kept >= share, "{metric:?} {share}: {kept}");
        }
    }
    let one_class = Partition { validation: vec![], ..partition };
    let point = Operating { finding: None, metric: Metric::Sensitivity, share: 0.9 };
    assert!(Operated::fix(&model, point, &bench.inputs, &one_class).is_err());
}
