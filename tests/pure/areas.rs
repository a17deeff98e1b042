//! The areas of findings against scikit-learn's, on values that `tests/golden/auroc.py` wrote.

use medcert::stats::Auroc;
use serde_json::Value;

fn golden() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/auroc.json");
    serde_json::from_slice(&std::fs::read(path).expect("golden values")).expect("JSON")
}

#[test]
fn areas_are_those_of_scikit_learn() {
    let golden = golden();
    let number = |value: &Value| value.as_f64().expect("a number");
    let mut all = Vec::new();
    for finding in golden["findings"].as_array().expect("findings") {
        let labels = finding["labels"].as_array().expect("labels");
        let scores = finding["scores"].as_array().expect("scores");
        let known = labels.iter().zip(scores).enumerate();
        let cases: Vec<(usize, bool, f64)> = known
            .filter_map(|(place, (label, score))| Some((place, label.as_f64()? > 0.5, number(score))))
            .collect();
        let area = Auroc::of(&cases).expect("both classes").area;
        assert!((area - number(&finding["area"])).abs() < 1e-12, "{area} {}", finding["area"]);
        all.push(cases);
    }
    assert_eq!(all.len(), 14);
    let mean = Auroc::mean_of(&all).expect("areas").area;
    assert!((mean - number(&golden["mean"])).abs() < 1e-12, "{mean}");
}
