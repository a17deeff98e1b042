//! Plans: what is computed for a spec, each once, and what it costs.

use std::path::Path;

use medcert::plan::{Attack, ImageAttack, Plan, build, estimate};
use medcert::spec::{Bound, ImageMethod, ImageSearch, parse, read};
use proptest::prelude::*;

const HEAD: &str = "claim: It keeps reading
data:  {phantom: {studies: 900, seed: 7}}
split: {by: patient, test: 30%, seed: 7}
models:
  vision:   {se_resnet18: {image: 64, train: {lr: 1e-3, epochs: 2}}}
  language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 2}}}
  fusion:   {early_fusion: {vision: vision, language: language, train: {lr: 1e-4, epochs: 2}}}
threats:
  steady: {pgd: {epsilon: 8/255, steps: 20, restarts: 2}}
";

fn plan(rest: &str) -> Plan {
    build(parse(Path::new("a.yaml"), &format!("{HEAD}{rest}")).unwrap_or_else(|faults| panic!("{faults}")))
}

fn cells(plan: &Plan) -> Vec<String> {
    plan.cells.iter().map(|cell| format!("{} {}", plan.spec.models[cell.model].0, cell.attack)).collect()
}

#[test]
fn the_main_job_has_these_cells() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/specs/fusion.yaml");
    insta::assert_snapshot!(cells(&build(read(Path::new(path)).expect("a spec"))).join("\n"));
}

#[test]
fn up_to_a_strength_means_the_grid_and_the_strength_itself() {
    let plan = plan(
        "grid: [0.2, 0.05, 0.01]\nrequire:\n  - vision accuracy ≥ 9% at FGSM ε≤0.1, ≥ 9% at FGSM ε≤0.05\n",
    );
    let at = |clause: usize| -> Vec<String> {
        plan.requirements[0].clauses[clause]
            .cells
            .iter()
            .map(|&cell| plan.cells[cell].attack.to_string())
            .collect()
    };
    assert_eq!(at(0), ["FGSM ε=0.01", "FGSM ε=0.05", "FGSM ε=0.1"]);
    assert_eq!(at(1), ["FGSM ε=0.01", "FGSM ε=0.05"]);
    assert_eq!(plan.cells.len(), 3 + 3, "each model when clean, and three strengths once");
}

#[test]
fn a_strength_of_zero_is_refused_at_its_place() {
    for (threat, sentence) in [
        ("none: {deletion: {fraction: 0}}", "fusion accuracy ≥ 9%"),
        ("none: {pgd: {epsilon: 0}}", "fusion accuracy ≥ 9%"),
        ("none: {pgd: {epsilon: ≤0, norm: l2}}", "fusion accuracy ≥ 9%"),
        ("some: {deletion: {fraction: 10%}}", "fusion accuracy ≥ 9% at FGSM ε=0 + some"),
        ("some: {deletion: {fraction: 10%}}", "fusion accuracy ≥ 9% at PGD ε≤0"),
        ("some: {deletion: {fraction: 10%}}", "fusion accuracy ≥ 9% under 0% synonyms"),
    ] {
        let text = format!("{HEAD}  {threat}\nrequire: [{sentence}]\n");
        let faults = parse(Path::new("a.yaml"), &text).expect_err("a threat that does nothing").to_string();
        assert!(faults.contains("a strength of 0 is no attack"), "{threat}, {sentence}: {faults}");
    }
}

#[test]
fn searches_that_read_a_part_of_the_network_are_refused_where_it_has_none() {
    let refusal = |models: &str, table: &str| {
        let text = format!(
            "claim: c\ndata: {{phantom: {{studies: 900, seed: 7}}}}\nsplit: {{test: 30%}}\nmodels:\n  {models}\ntable: [{table}]\n\
             require: [m accuracy ≥ 9%]\n"
        );
        let plan = build(parse(Path::new("a.yaml"), &text).unwrap_or_else(|faults| panic!("{faults}")));
        plan.check_access().err().map(|why| why.to_string())
    };
    let pin = "0".repeat(64);
    let own =
        format!("m: {{pt2: {{file: m.pt2, sha256: {pin}, reads: text, tokenizer: words, outputs: logits}}}}");
    let tiny = "m: {bert: {config: tiny, train: {lr: 1e-3, epochs: 1}}}";
    let folder = "m: {bert: {start: folder, train: {lr: 1e-3, epochs: 1}}}";
    let told = [(own.as_str(), "20% HotFlip"), (own.as_str(), "20% BAE"), (tiny, "20% BAE")];
    insta::assert_snapshot!(told.map(|(model, table)| refusal(model, table).expect("refused")).join("\n\n"));
    for (model, table) in
        [(own.as_str(), "20% PWWS"), (tiny, "20% HotFlip"), (folder, "20% HotFlip"), (folder, "20% BAE")]
    {
        assert_eq!(refusal(model, table), None, "{model} {table}");
    }
}

#[test]
fn a_row_is_empty_for_a_model_that_its_threat_cannot_touch() {
    let plan =
        plan("table: [steady, 50% deletion, steady + 50% deletion]\nrequire: [fusion accuracy ≥ 9%]\n");
    let counts: Vec<Vec<usize>> =
        plan.rows.iter().map(|row| row.cells.iter().map(Vec::len).collect()).collect();
    assert_eq!(counts, [[1, 0, 1], [0, 1, 1], [0, 0, 1]]);
    assert!(
        cells(&plan).contains(&"fusion PGD ε=8/255 steps=20 restarts=2 + 50% deletion".to_string()),
        "{:?}",
        cells(&plan)
    );
}

#[test]
fn the_other_model_of_a_relation_meets_what_can_touch_it() {
    let plan = plan(
        "require:\n  - fusion accuracy ≥ language accuracy − 2% under FGSM ε=0.1 + 50% deletion, ≥ vision accuracy under 40% synonyms\n",
    );
    let others: Vec<String> = plan.requirements[0]
        .clauses
        .iter()
        .map(|clause| match &clause.bound {
            Bound::Model { model, .. } => {
                format!("{} {}", plan.spec.models[*model].0, plan.cells[clause.others[0]].attack)
            }
            Bound::Rate(_) | Bound::AtMost(_) => String::new(),
        })
        .collect();
    assert_eq!(others, ["language 50% deletion", "vision clean"]);
}

#[test]
fn evaluations_are_counted_with_what_is_shared() {
    let cost = estimate(
        &plan("table: [clean, FGSM ε=0.1, FGSM ε=0.2]\nrequire: [vision accuracy ≥ 9%]\n"),
        [100, 10, 10],
    );
    // vision and fusion: clean, one gradient, two attacked; language: clean
    assert_eq!((cost.evaluations, cost.gradients), (10 * (4 + 1 + 4), 20));
    // one gradient of vision and one of fusion serve both strengths; alone each would take its own
    assert_eq!(cost.unshared, cost.evaluations + cost.checks + 20);
    let cost = estimate(&plan("table: [steady]\nrequire: [vision accuracy ≥ 9%]\n"), [100, 10, 10]);
    assert_eq!((cost.evaluations, cost.gradients), (10 * (2 * (1 + 40 + 2 + 1) + 1), 800));
}

#[test]
fn small_models_are_estimated_side_by_side_and_fusions_after_their_parts() {
    let seconds = |models: &str| {
        let text = format!(
            "claim: It keeps reading
data:  {{phantom: {{studies: 900, seed: 7}}}}
split: {{test: 30%, seed: 7}}
models:
  words: {{bert: {{config: tiny, train: {{lr: 5e-4, epochs: 2}}}}}}
{models}require: [words accuracy ≥ 9%]
"
        );
        let plan = build(parse(Path::new("a.yaml"), &text).unwrap_or_else(|faults| panic!("{faults}")));
        estimate(&plan, [500, 100, 300]).training_seconds
    };
    let films = |names: &[&str], rest: &str| -> String {
        let line = |name: &&str| {
            format!(
                "  {name}: {{se_resnet18: {{image: 64, width: 16, train: {{lr: 1e-3, epochs: 20{rest}}}}}}}\n"
            )
        };
        names.iter().map(line).collect()
    };
    let words = seconds("");
    let one = seconds(&films(&["a"], ""));
    assert!(one > 10.0 * words, "{one} {words}");
    // the words beside the films take no time of their own, nor does a second model of films
    let (two, three) = (seconds(&films(&["a", "b"], "")), seconds(&films(&["a", "b", "c"], "")));
    assert!(
        (two - one).abs() < 2.0 * words && (three - 2.0 * one).abs() < 2.0 * words,
        "{one} {two} {three}"
    );
    let fusion =
        "  both: {late_fusion: {vision: a, language: words, train: {lr: 1e-3, epochs: 2, noise: 0.25}}}\n";
    let joined = seconds(&format!("{}{fusion}", films(&["a"], "")));
    assert!(joined > one && joined < 2.0 * one, "{one} {joined}");
    // ten steps of PGD on every validation case come on top of the steps of training
    let attacked = seconds(&films(&["a"], ", adversarial: {epsilon: 4/255, steps: 4}"));
    assert!((3.0..8.0).contains(&(attacked / one)), "{one} {attacked}");
}

proptest! {
    #[test]
    fn every_cell_is_computed_once_and_the_clean_one_first(rows in prop::collection::vec((1..4_u32, 1..4_u32, 1..4_u32), 1..8)) {
        let row = |(image, deletion, synonyms): &(u32, u32, u32)| {
            format!("FGSM ε≤{} + {}% deletion + {}% synonyms", f64::from(*image) / 10.0, deletion * 30, synonyms * 30)
        };
        let table: Vec<String> = rows.iter().map(row).collect();
        let plan = plan(&format!("table: [{}]\nrequire: [fusion accuracy ≥ 9%]\n", table.join(", ")));
        let names = cells(&plan);
        for (place, name) in names.iter().enumerate() {
            prop_assert!(!names[..place].contains(name), "{name} stands twice");
        }
        for model in 0..3 {
            let first = plan.cells.iter().find(|cell| cell.model == model).expect("each model has cells");
            prop_assert_eq!(&first.attack, &Attack::default());
        }
        for row in &plan.rows {
            for (model, cells) in row.cells.iter().enumerate() {
                prop_assert!(cells.iter().all(|&cell| plan.cells[cell].model == model));
            }
        }
        for cell in &plan.cells {
            let fgsm = ImageMethod::usual(ImageSearch::Fgsm);
            let strong = |image: ImageAttack| image.method == fgsm && image.strength > 0.0;
            prop_assert!(cell.attack.image.is_none_or(strong));
            prop_assert!(cell.attack.text.iter().all(|text| text.share > 0.0));
        }
    }
}

#[test]
fn a_regression_is_about_the_cells_that_it_names_or_all() {
    let plan = plan(
        "table: [clean, steady]\nrequire:
  - no regression against baseline (margin 1%)
  - fusion no regression against baseline (margin 2%)
  - no regression against baseline (margin 1%) under 50% deletion
  - vision no regression against baseline (margin 1%) at FGSM ε≤0.05\n",
    );
    let about = |sentence: usize| {
        let regression = plan.requirements[sentence].regression.as_ref().expect("a regression");
        regression.cells.iter().map(|&cell| cells(&plan)[cell].clone()).collect::<Vec<_>>()
    };
    assert_eq!(about(0), cells(&plan));
    let fusion: Vec<String> = cells(&plan).into_iter().filter(|cell| cell.starts_with("fusion")).collect();
    assert!(fusion.len() == 3 && about(1) == fusion, "{fusion:?}");
    assert_eq!(about(2), ["language 50% deletion", "fusion 50% deletion"]);
    assert_eq!(about(3), ["vision FGSM ε=0.01", "vision FGSM ε=0.05"]);
    assert_eq!(plan.requirements[1].regression.as_ref().map(|one| one.margin), Some(0.02));
}

/// A sentence names the model, the class and `certified` once for all its clauses.
#[test]
fn each_clause_is_planned_in_words_that_can_be_read_alone() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/specs/certified.yaml");
    let text = medcert::report::plan::render(&build(read(Path::new(path)).expect("a spec")), None);
    assert!(text.contains("    guarded certified accuracy ≥ 10% within l2 0.25 and 2 words: "), "{text}");
    let classes = "claim: c
data: {phantom: {studies: 400, seed: 3, classes: [normal, effusion, cardiomegaly]}}
split: {test: 30%, seed: 1}
models: {vision: {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 2}}}}
require: [\"vision effusion sensitivity ≥ 60%, ≥ 40% at FGSM ε=0.02\"]
";
    let spec = parse(Path::new("a.yaml"), classes).unwrap_or_else(|faults| panic!("{faults}"));
    let text = medcert::report::plan::render(&build(spec), None);
    assert!(text.contains("    vision effusion sensitivity ≥ 40% at FGSM ε=0.02: "), "{text}");
}
