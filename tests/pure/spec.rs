//! The spec language: what is understood, and what is said of what is not.

use std::path::Path;

use medcert::spec::{
    Absence, Bound, Corruption, EditKind, ImageMethod, ImageSearch, Joint, Mask, Metric, Mode, Model,
    ModelInputs, Names, Norm, Parts, Referent, Region, Spec, Strength, TextAttack, TextMethod, TextSearch,
    Threat, Views, VisionNetwork, Weights, parse, parse_condition, parse_sentence, read,
};
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

fn spec(rest: &str) -> Spec {
    parse(Path::new("specs/a.yaml"), &format!("{HEAD}{rest}")).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn every_fault_of_a_file_is_told_at_once_at_its_place() {
    insta::glob!("../bad/spec", "*.yaml", |path| {
        let name = Path::new(path.file_name().expect("a file"));
        let text = std::fs::read_to_string(path).expect("a text");
        let faults = parse(name, &text).expect_err("a bad spec");
        // a line of brackets need not be shown whole
        insta::assert_snapshot!(faults.to_string().replace(&"[".repeat(1000), "["));
    });
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.yaml");
    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("written");
        let error = read(&path).expect_err("refused");
        assert_eq!(error.exit_code(), 2);
        error.to_string().replace(&path.display().to_string(), "a.yaml")
    };
    insta::assert_snapshot!(refused(b"claim: It\ndata: \xff\n"));
    insta::assert_snapshot!(refused(&vec![b' '; (1 << 20) + 1]));
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(read(&path).expect_err("missing").exit_code(), 2);
    assert_eq!(read(folder.path()).expect_err("a folder").exit_code(), 2);
}

#[test]
fn the_users_own_sentence_is_understood_as_it_stands() {
    let sentence = "fusion accuracy ≥ 90% at FGSM ε≤0.1, ≥ 80% under 50% deletion";
    let spec = spec(&format!("require:\n  - {sentence}\n"));
    let requirement = &spec.require[0];
    assert_eq!(requirement.sentence, sentence);
    assert_eq!((requirement.place.line, requirement.place.column), (11, 5));
    let [first, second] = requirement.clauses.as_slice() else { panic!("two clauses") };
    let names = [first.model, second.model].map(|model| spec.models[model].0.as_str());
    assert_eq!(names, ["fusion", "fusion"]);
    assert_eq!((first.metric, second.metric), (Metric::Accuracy, Metric::Accuracy));
    assert_eq!((&first.bound, &second.bound), (&Bound::Rate(0.9), &Bound::Rate(0.8)));
    assert_eq!(first.condition.threats, [image(ImageSearch::Fgsm, Strength::UpTo(0.1))]);
    assert_eq!(second.condition.threats, [Threat::Text(TextAttack::deletion(0.5))]);
    assert_eq!(
        (first.words.as_str(), second.words.as_str()),
        ("fusion accuracy ≥ 90% at FGSM ε≤0.1", "≥ 80% under 50% deletion")
    );
}

#[test]
fn metrics_of_which_less_is_better_and_groups() {
    use Metric::{Accuracy, Auroc, Brier, Cost, Ece, Flips, Missed, Overcalled};
    let spec = spec(
        "costs: {missed: 10, overcalled: 1}\nrequire:\n  - fusion flips ≤ 5% under 50% deletion, missed ≤ 3%, false alarms <= 0.05\n  \
         - fusion accuracy ≥ 80% in every age band under 50% deletion, ≥ 70% at steady in each view\n  \
         - fusion auroc ≥ 90%, ece ≤ 5%, brier ≤ 0.1, cost ≤ 2.5\n",
    );
    let clauses: Vec<_> = spec.require.iter().flat_map(|one| &one.clauses).collect();
    let metrics: Vec<Metric> = clauses.iter().map(|clause| clause.metric).collect();
    assert_eq!(metrics, [Flips, Missed, Overcalled, Accuracy, Accuracy, Auroc, Ece, Brier, Cost]);
    let bounds: Vec<_> = clauses.iter().map(|clause| clause.bound.clone()).collect();
    assert_eq!(bounds[..3], [Bound::AtMost(0.05), Bound::AtMost(0.03), Bound::AtMost(0.05)]);
    assert_eq!((&bounds[5], &bounds[8]), (&Bound::Rate(0.9), &Bound::AtMost(2.5)));
    let groups: Vec<_> = clauses.iter().map(|clause| clause.group.as_deref()).collect();
    assert_eq!(groups[2..5], [None, Some("age band"), Some("view")]);
    assert_eq!(clauses[3].condition.threats, [Threat::Text(TextAttack::deletion(0.5))]);
}

#[test]
fn what_is_left_out_has_its_default() {
    let spec = spec("require: [fusion accuracy ≥ 90%]\n");
    assert_eq!(spec.grid, [0.01, 0.05, 0.1, 0.2]);
    assert_eq!(
        (spec.seed, &spec.split.parts, spec.data.views()),
        (0, &Parts::Drawn { test: 0.3, validation: 0.15 }, Views::Both)
    );
    assert_eq!(spec.table.iter().map(|row| row.words.as_str()).collect::<Vec<_>>(), ["clean"]);
    let Model::Vision { width: 64, weights: Weights::Train(train), .. } = &spec.models[0].1 else {
        panic!("{:?}", spec.models[0])
    };
    assert_eq!((train.batch, train.seed), (16, 0));
    assert!(spec.require[0].clauses[0].condition.threats.is_empty());
}

#[test]
fn every_network_is_read_by_its_name_at_its_usual_width() {
    for &network in VisionNetwork::ALL {
        let named = |keys: &str| {
            let model = format!("{}: {{image: 64{keys}", network.name());
            let text = HEAD.replace("se_resnet18: {image: 64", &model);
            parse(Path::new("a.yaml"), &format!("{text}require: [fusion accuracy ≥ 90%]\n"))
        };
        let read = |keys: &str| match named(keys).map(|spec| spec.models[0].1.clone()) {
            Ok(Model::Vision { network, width, .. }) => Some((network, width)),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        };
        assert_eq!(read(""), Some((network, network.usual_width())));
        let has_width = match network {
            VisionNetwork::SeResnet18
            | VisionNetwork::Densenet121
            | VisionNetwork::XrvDensenet121
            | VisionNetwork::VitTiny
            | VisionNetwork::VitSmall
            | VisionNetwork::VitBase
            | VisionNetwork::DeitTiny
            | VisionNetwork::DeitSmall
            | VisionNetwork::DeitBase => true,
            VisionNetwork::Resnet18
            | VisionNetwork::Resnet50
            | VisionNetwork::SeResnet50
            | VisionNetwork::SeResnet101
            | VisionNetwork::SeResnet152
            | VisionNetwork::SeResnext50
            | VisionNetwork::SeResnext101
            | VisionNetwork::Senet154 => false,
        };
        assert_eq!(read(", width: 8"), has_width.then_some((network, 8)));
    }
}

#[test]
fn the_specs_of_this_repository_are_without_a_fault() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/specs")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        read(&path).unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn the_spec_in_the_readme_is_without_a_fault() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("a README");
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let specs: Vec<&str> = blocks.filter(|block| block.starts_with("claim:")).collect();
    assert_eq!(specs.len(), 1);
    parse(Path::new("README.md"), specs[0]).unwrap_or_else(|faults| panic!("{faults}"));
}

fn readers() -> [ModelInputs; 3] {
    [("vision", true, false), ("language", false, true), ("fusion", true, true)].map(|(name, image, text)| {
        ModelInputs { name: name.into(), image, text, side: image.then_some(64), defence: None }
    })
}

/// A search as a sentence means it that says no more.
fn image(search: ImageSearch, strength: Strength) -> Threat {
    Threat::Image { method: ImageMethod::usual(search), strength }
}

/// Two spellings of the same.
fn same(one: &str, other: &str) {
    let threats = [("steady".to_string(), Threat::Text(TextAttack::deletion(0.1)))];
    let names = Names { models: &readers(), findings: &[], classes: &[], threats: &threats, masks: &[] };
    let read = |sentence: &str| {
        let mut clauses =
            parse_sentence(sentence, names).unwrap_or_else(|faults| panic!("{sentence}: {faults:?}"));
        for clause in &mut clauses {
            clause.words.clear();
            clause.condition.words.clear();
        }
        clauses
    };
    assert_eq!(read(one), read(other), "{one}");
}

#[test]
fn a_sentence_may_be_spelt_in_several_ways() {
    same("fusion accuracy ≥ 90% at FGSM ε≤0.1", "Fusion ACCURACY >= 0.9 under fgsm EPS <= 0.1");
    same("fusion accuracy ≥ 90% at FGSM ε≤8/255", "fusion accuracy>=90 % with FGSM epsilon≤8/255");
    same(
        "fusion accuracy ≥ 90%, ≥ 80% under 50% deletion",
        "fusion accuracy ≥ 90% and ≥ 80% under 50% word deletion",
    );
    same(
        "fusion accuracy ≥ 90%, fusion specificity ≥ 80%",
        "fusion accuracy ≥ 90%, and specificity ≥ 80% under clean",
    );
    same("fusion accuracy ≥ language accuracy − 2%", "fusion accuracy ≥ language accuracy - 2%");
    same(
        "fusion accuracy ≥ 9% under steady + 40% synonyms",
        "fusion accuracy ≥ .09 with STEADY+40% synonym substitution",
    );
    same("fusion accuracy ≥ 9% at PGD ε=0.1", "fusion accuracy ≥ 9% at PGD-40 ε=1e-1");
}

#[test]
fn a_relation_names_another_model_and_a_margin() {
    let spec = spec("require: [fusion accuracy ≥ language accuracy + 1.5% under steady + 40% synonyms]\n");
    let clause = &spec.require[0].clauses[0];
    assert_eq!(clause.bound, Bound::Model { model: 1, offset: 0.015 });
    let steady = image(ImageSearch::Pgd { steps: 20, restarts: 2 }, Strength::At(8.0 / 255.0));
    assert_eq!(clause.condition.threats, [steady, Threat::Text(TextAttack::synonyms(0.4))]);
}

/// Any condition, with its spelling.
fn condition() -> impl Strategy<Value = (String, Vec<Threat>)> {
    let percent = 1..=100_u32;
    let epsilon = (1..=255_u32, any::<bool>()).prop_map(|(gray, up_to)| {
        let value = f64::from(gray) / 255.0;
        (
            format!("ε{}{gray}/255", if up_to { "≤" } else { "=" }),
            if up_to { Strength::UpTo(value) } else { Strength::At(value) },
        )
    });
    let image = (epsilon, any::<bool>()).prop_map(|((words, epsilon), pgd)| {
        if pgd {
            (format!("PGD {words}"), image(ImageSearch::PGD, epsilon))
        } else {
            (format!("FGSM {words}"), image(ImageSearch::Fgsm, epsilon))
        }
    });
    let deletion = percent.clone().prop_map(|share| {
        (
            format!("{share}% deletion"),
            Threat::Text(TextAttack::deletion(format!("{share}e-2").parse().expect("a number"))),
        )
    });
    let synonyms = percent.prop_map(|share| {
        (
            format!("{share}% synonyms"),
            Threat::Text(TextAttack::synonyms(format!("{share}e-2").parse().expect("a number"))),
        )
    });
    let any = (prop::option::of(image), prop::option::of(deletion), prop::option::of(synonyms));
    any.prop_map(|(image, deletion, synonyms)| {
        let (words, threats): (Vec<_>, Vec<_>) = [image, deletion, synonyms].into_iter().flatten().unzip();
        (if words.is_empty() { "clean".to_string() } else { words.join(" + ") }, threats)
    })
}

proptest! {
    #[test]
    fn a_condition_is_read_as_it_was_written((words, threats) in condition()) {
        let read = parse_condition(&words, Names { models: &[], findings: &[], classes: &[], threats: &[], masks: &[] }).expect("a condition");
        prop_assert_eq!(read.threats, threats);
        prop_assert_eq!(read.words, words);
    }

    #[test]
    fn no_sentence_panics_and_every_complaint_points_into_it(sentence in "(fusion|language|accuracy|≥|>=|90%|, |FGSM|ε|≤|0.1|\\+|−|under|at|deletion|clean|[ -~]{1,3}| ){0,14}") {
        if let Err(complaints) = parse_sentence(&sentence, Names { models: &readers(), findings: &[], classes: &[], threats: &[], masks: &[] }) {
            prop_assert!(!complaints.is_empty());
            for complaint in complaints {
                let rest: String = sentence.chars().skip(complaint.offset).collect();
                prop_assert!(rest.starts_with(&complaint.word), "{complaint:?}");
                prop_assert!(!complaint.help.is_empty() && !complaint.message.is_empty());
            }
        }
    }

    #[test]
    fn a_damaged_spec_is_refused_with_places_in_the_file(at in 0..HEAD.len(), cut in 0..40_usize, put in "[ -~\n\t≥]{0,3}") {
        let whole = format!("{HEAD}require: [fusion accuracy ≥ 90%]\n");
        let at = (0..=at).rev().find(|&at| whole.is_char_boundary(at)).expect("the start is one");
        let end = (at + cut..whole.len()).find(|&end| whole.is_char_boundary(end)).unwrap_or(whole.len());
        let damaged = format!("{}{put}{}", &whole[..at], &whole[end..]);
        if let Err(faults) = parse(Path::new("a.yaml"), &damaged) {
            prop_assert!(!faults.faults.is_empty());
            let lines = damaged.lines().count() + 1;
            for fault in &faults.faults {
                prop_assert!(fault.place.line >= 1 && fault.place.line <= lines && fault.place.column >= 1, "{faults}");
            }
        }
    }
}

/// A condition of a spec with a mask file `field`.
fn condition_of(words: &str) -> medcert::spec::Condition {
    let masks = ["field".to_string()];
    let names = Names { models: &[], findings: &[], classes: &[], threats: &[], masks: &masks };
    parse_condition(words, names).unwrap_or_else(|complaint| panic!("{words}: {complaint:?}"))
}

#[test]
fn every_threat_can_be_said_in_a_sentence() {
    let only = |words: &str| condition_of(words).threats.remove(0);
    let ball = |search, norm, region, epsilon| Threat::Image {
        method: ImageMethod::Search { search, norm, region },
        strength: Strength::At(epsilon),
    };
    let (steps, restarts) = (20, 5);
    assert_eq!(
        only("PGD-L2-20 ε=1.5 inside lesion"),
        ball(ImageSearch::Pgd { steps, restarts }, Norm::L2, Region::Inside(Mask::Lesion), 1.5)
    );
    assert_eq!(
        only("DeepFool eps=2 outside the attribution"),
        ball(ImageSearch::DeepFool { steps: 50 }, Norm::L2, Region::Outside(Mask::Attribution), 2.0)
    );
    assert_eq!(
        only("HopSkipJump-Linf-500 ε=0.1 inside field"),
        ball(
            ImageSearch::HopSkipJump { queries: 500 },
            Norm::Linf,
            Region::Inside(Mask::File(Referent::new("field", 0))),
            0.1
        )
    );
    let blur = ImageMethod::Corruption(Corruption::MotionBlur);
    assert_eq!(only("motion-blur severity 3"), Threat::Image { method: blur, strength: Strength::At(3.0) });
    assert_eq!(only("motion-blur severity≤5"), Threat::Image { method: blur, strength: Strength::UpTo(5.0) });
    let patch = ImageMethod::Patch { steps: 10, region: Region::Everywhere };
    assert_eq!(only("5% patch-10"), Threat::Image { method: patch, strength: Strength::At(0.05) });
    let blank = ImageMethod::Absent(Absence::Blank);
    assert_eq!(only("blank image"), Threat::Image { method: blank, strength: Strength::At(1.0) });
    let wrong = TextMethod::Absent(Absence::WrongPatient);
    assert_eq!(only("wrong-patient report"), Threat::Text(TextAttack::usual(wrong, 1.0)));
    let pwws = TextMethod::Searched { search: TextSearch::Pwws, queries: 300 };
    assert_eq!(
        only("free 20% PWWS-300"),
        Threat::Text(TextAttack { mode: Mode::Free, ..TextAttack::usual(pwws, 0.2) })
    );
    let typos = TextAttack::usual(TextMethod::Sampled(EditKind::Typos), 0.1);
    assert_eq!((only("10% typos"), typos.mode), (Threat::Text(typos), Mode::Preserving));
    let drop = TextAttack::usual(TextMethod::Sampled(EditKind::SectionDrop), 1.0);
    assert_eq!(only("section-drop"), Threat::Text(drop));
    let negation = TextAttack::usual(TextMethod::Sampled(EditKind::Negation), 1.0);
    assert_eq!((only("negation"), negation.mode), (Threat::Text(negation), Mode::Directional));
}

#[test]
fn threats_are_joined_in_three_ways() {
    let joint = |words: &str| condition_of(words).joint;
    assert_eq!(joint("PGD ε=0.1 + 50% deletion"), Joint::EitherOrder);
    assert_eq!(joint("PGD ε=0.1 then 50% deletion"), Joint::ImageFirst);
    assert_eq!(joint("50% deletion then 20% synonyms then PGD ε=0.1"), Joint::TextFirst);
    assert_eq!(joint("PGD ε=0.1 × 50% deletion"), Joint::Cross);
    assert_eq!(joint("PGD ε=0.1 x 20% TextFooler"), Joint::Cross);
    assert_eq!(joint("50% deletion then 20% synonyms"), Joint::EitherOrder);
}

#[test]
fn every_threat_of_a_spec_is_said_as_a_sentence_says_it() {
    let spec = spec("masks: {field: masks/field.png}\nrequire: [fusion accuracy ≥ 9% at steady]\n");
    assert_eq!(spec.masks, [("field".to_string(), "masks/field.png".into())]);
    let text = "  t1: {r_fgsm: {epsilon: 8/255, inside: lesion}}
  t2: {fab: {epsilon: 0.5, norm: l2, steps: 20}}
  t3: {transfer: {epsilon: 0.1, from: vision}}
  t4: {motion_blur: {severity: ≤3}}
  t5: {absent: {report: missing}}
  t6: {typos: {fraction: 10%, draws: 20, mode: free}}
  t7: {textfooler: {fraction: 20%, queries: 50}}
  t8: {patch: {share: 4%}}
  t9: {section_order: }
  t10: {hopskipjump: {epsilon: 1, norm: l2, queries: 50}}
  t11: {apgd: {epsilon: 0.1, loss: margin}}
";
    let table: Vec<String> = (1..=11).map(|number| format!("t{number}")).collect();
    let whole = format!("{HEAD}{text}table: [{}]\nrequire: [fusion accuracy ≥ 9%]\n", table.join(", "));
    let spec = parse(Path::new("specs/a.yaml"), &whole).unwrap_or_else(|faults| panic!("{faults}"));
    let plan = medcert::plan::build(spec);
    let fusion: Vec<String> =
        plan.cells.iter().filter(|cell| cell.model == 2).map(|cell| cell.attack.to_string()).collect();
    insta::assert_snapshot!(fusion.join("\n"));
}

#[test]
fn a_regression_is_a_sentence_of_its_own() {
    let read = |sentence: &str| spec(&format!("require:\n  - {sentence}\n")).require.remove(0);
    let all = read("no regression against baseline (margin 1%)");
    let regression = all.regression.expect("a regression");
    assert!(all.clauses.is_empty());
    assert_eq!((regression.model, regression.margin, regression.condition), (None, 0.01, None));
    let one =
        read("Fusion no regression against the baseline (margin 0.5 %) under FGSM eps=0.1 + 50% deletion");
    let regression = one.regression.expect("a regression");
    assert_eq!((regression.model, regression.margin), (Some(2), 0.005));
    assert_eq!(regression.condition.expect("a condition").threats.len(), 2);
    assert!(read("fusion accuracy ≥ 90%").regression.is_none());
}

/// What a faulty text is told.
fn told(text: &str) -> String {
    parse(Path::new("a.yaml"), text).map_or_else(|faults| faults.to_string(), |_| String::new())
}

#[test]
fn characters_that_cannot_be_seen_are_spaces_or_are_named() {
    let sound = format!("{HEAD}require: [fusion accuracy ≥ 90% at FGSM ε≤0.1]\n");
    let requirements = |text: &str| {
        let mut spec = parse(Path::new("a.yaml"), text).unwrap_or_else(|faults| panic!("{faults}"));
        for requirement in &mut spec.require {
            requirement.sentence.clear();
            requirement.clauses[0].words.clear();
        }
        spec.require
    };
    assert_eq!(requirements(&format!("\u{feff}{sound}")), requirements(&sound));
    for space in ['\u{a0}', '\u{202f}', '\u{2007}', '\u{200b}'] {
        let spaced = sound
            .replace("fusion accuracy ≥ 90% at", &format!("fusion{space}accuracy ≥ 90{space}% at{space}"));
        assert_eq!(requirements(&spaced), requirements(&sound), "{space:?}");
    }
    let key = told(&sound.replace("claim:", "claim\u{200b}:"));
    assert!(
        key.contains("is no key here") && key.contains("column 6 holds a zero-width space (U+200B)"),
        "{key}"
    );
    let indented = told(&sound.replace("  vision: ", "\u{a0} vision: "));
    assert!(indented.contains("no-break space (U+00A0)"), "{indented}");
}

#[test]
fn maps_are_merged_and_own_keys_win() {
    let text = "claim: c
defaults: {first: &first {lr: 1e-3, epochs: 1, batch: 8}, second: &second {lr: 5e-1, seed: 3}}
data: {phantom: {studies: 200, seed: 7}}
split: {test: 40%}
models:
  one: {se_resnet18: {image: 32, train: &own {<<: *first, epochs: 2}}}
  two: {se_resnet18: {image: 32, train: {<<: [*first, *second]}}}
  three: {se_resnet18: {image: 32, train: {<<: *own, seed: 5}}}
require: [one accuracy ≥ 80%]
";
    let spec = parse(Path::new("a.yaml"), text).unwrap_or_else(|faults| panic!("{faults}"));
    let train = |place: usize| match spec.models[place].1.weights() {
        Some(Weights::Train(train)) => (train.lr.to_string(), train.epochs, train.batch, train.seed),
        other => panic!("{other:?}"),
    };
    assert_eq!(train(0), ("0.001".into(), 2, 8, 0));
    assert_eq!(train(1), ("0.001".into(), 1, 8, 3));
    assert_eq!(train(2), ("0.001".into(), 2, 8, 5));
    let wrong = told(&text.replace("second: &second {lr: 5e-1,", "second: &second {lr: 5e-1, nonsense: 1,"));
    assert!(wrong.contains("`nonsense` is no key here") && wrong.contains("a.yaml:2:"), "{wrong}");
    assert!(told(&text.replace("<<: *own", "<<: 3")).contains("`<<` merges a map into this one"));
}

#[test]
fn what_is_said_of_a_long_file_is_short() {
    let require = "require: [fusion accuracy ≥ 90%]\n";
    let keys: Vec<String> = (0..4000).map(|number| format!("k{number}: 1")).collect();
    let block = told(&format!("{HEAD}{require}{}\n", keys.join("\n")));
    let flow = told(&format!("{HEAD}{require}x: 1\ncosts: {{{}}}\n", keys.join(", ")));
    for (said, rest) in [(&block, "3950 further"), (&flow, "further errors")] {
        assert_eq!(said.matches("error: ").count(), 50);
        assert!(said.contains(rest) && said.len() < 40_000, "{} bytes", said.len());
    }
    assert!(block.contains("a.yaml:14:1\n"), "{block}");
    let long = told(&format!("{HEAD}require: [{}]\n", "fusion accuracy ≥ 90% and ".repeat(30_000)));
    assert!(long.contains("a sentence at most 2000") && long.len() < 2000, "{long}");
    let many = told(&format!("{HEAD}require:\n{}", "  - fusion accuracy ≥ 90%\n".repeat(1001)));
    assert!(many.contains("a list has at most 1000"), "{many}");
    let word = told(&format!("{HEAD}require: [fusion {} ≥ 90%]\n", "x".repeat(1900)));
    assert!(word.contains("is no metric") && word.len() < 3000, "{} bytes", word.len());
}

#[test]
fn aliases_cannot_fill_the_memory() {
    let shared = (0..1000).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    let text = format!("claim: &a [{shared}]\ndata: [{}]\n", ["*a"; 500].join(", "));
    assert!(told(&text).contains("more than 20000 keys and values"), "{}", told(&text));
    let text = format!("claim: &a {}\ndata: [{}]\n", "x".repeat(100_000), ["*a"; 500].join(", "));
    assert!(told(&text).contains("bytes of text, aliases followed"), "{}", told(&text));
}

#[cfg(unix)]
#[test]
fn a_fifo_is_refused_without_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
    let error = read(&path).expect_err("refused");
    assert!(error.exit_code() == 2 && error.to_string().contains("not a regular file"), "{error}");
}

#[test]
fn a_column_may_name_the_parts() {
    let manifest = HEAD.replace(
        "{phantom: {studies: 900, seed: 7}}",
        "{manifest: {file: c.csv, columns: {frontal: f, lateral: l, findings: r}}}",
    );
    let split = |head: &str, split: &str| {
        let text = format!("{head}require: [fusion accuracy ≥ 90%]\n")
            .replace("{by: patient, test: 30%, seed: 7}", split);
        parse(Path::new("a.yaml"), &text).map(|spec| spec.split.parts).map_err(|faults| faults.to_string())
    };
    let named = split(&manifest, "{column: fold, test: [test, 2], validation: [val]}").expect("a split");
    let values = |values: &[&str]| values.iter().map(|value| (*value).to_string()).collect::<Vec<_>>();
    assert_eq!(
        named,
        Parts::Named { column: "fold".into(), test: values(&["test", "2"]), validation: values(&["val"]) }
    );
    for (head, text, says) in [
        (manifest.as_str(), "{column: fold, test: [test]}", "nothing chooses the best epoch of `vision`"),
        (
            &manifest,
            "{column: fold, test: [a], validation: [a]}",
            "`a` names test cases and validation cases",
        ),
        (&manifest, "{test: [test]}", "a list of values needs the column"),
        (HEAD, "{column: fold, test: [t], validation: [v]}", "only a manifest has columns"),
        (HEAD, "{test: 100%}", "leaves no case to train `vision`"),
        (HEAD, "{test: 0}", "without a test case nothing can be judged"),
    ] {
        let why = split(head, text).expect_err("refused");
        assert!(why.contains(says), "{text}: {why}");
    }
    let loaded = "claim: c\ndata: {phantom: {studies: 60}}\nsplit: {test: 100%}\nmodels: {v: {resnet18: {image: 64, weights: w.safetensors}}}\nrequire: [v accuracy ≥ 1%]\n";
    let spec = parse(Path::new("a.yaml"), loaded).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(spec.split.parts, Parts::Drawn { test: 1.0, validation: 0.15 });
    let threshold = told(&format!("{loaded}thresholds: {{v: {{sensitivity: 95%}}}}\n"));
    assert!(threshold.contains("a threshold is chosen on validation cases"), "{threshold}");
}

/// Literals: what is computed and cached hangs on them, so a change of names in the source must not change them.
#[test]
fn the_parts_of_the_default_spec_have_these_digests() {
    let spec = read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/specs/fusion.yaml"))).expect("a spec");
    let parts = "data=a727e1b4a900b6a4eb372eab12bebed3 split=a1ba8690bb078b31e00c6566778f2a66 \
                 models.vision=eb0a13069e695f152453cc982613deba models.language=66770508c0dc681efd43225ac1ad08d9 \
                 models.fusion=08387eed1930dbc1bdf571458ff5dfac models.late=992a17ba9f82da15d98e6fbc471d3236 \
                 models.hardened=e4827237a96b0742b81f185f9576ed28 \
                 masks=4baa4dff9bbaefd9ec7925d1159cc597 thresholds=8b87875d0cbd2d19120d120238178c40 seed=0 chunk=32";
    assert_eq!(spec.fingerprint().to_string(), parts);
}

#[test]
fn a_fingerprint_says_which_part_differs() {
    let base = format!("{HEAD}require: [fusion accuracy ≥ 90%]\n");
    let print = |text: &str| {
        parse(Path::new("a.yaml"), text).unwrap_or_else(|faults| panic!("{faults}")).fingerprint()
    };
    let first = print(&base);
    assert_eq!(first.to_string().parse(), Ok(first.clone()));
    for (from, to, parts) in [
        ("claim: It keeps reading", "claim: another\nwaivers: []\ndevice: cpu\ngrid: [0.1]", &[][..]),
        ("require:", "chunk: 64\nrequire:", &["`chunk` (32, not 64)"]),
        ("require:", "seed: 3\nrequire:", &["`seed` (0, not 3)"]),
        ("seed: 7}}", "seed: 8}}", &["`data`"]),
        ("test: 30%", "test: 40%", &["`split`"]),
        ("1e-4, epochs: 2", "1e-4, epochs: 3", &["`models.fusion`"]),
        ("lr: 1e-4,", "lr: 1e-4, batch: 16, seed: 0,", &[]),
        ("require:", "thresholds: {fusion: {sensitivity: 95%}}\nrequire:", &["`thresholds`"]),
        ("require:", "masks: {m: m.png}\nrequire:", &["`masks`"]),
    ] {
        let other = print(&base.replace(from, to));
        assert_eq!(first.differences(&other), parts, "{to}");
        assert_eq!(first.whole() == other.whole(), parts.is_empty());
    }
}
