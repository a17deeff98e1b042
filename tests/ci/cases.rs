//! Inputs that were once read wrongly without a word, given to the program as a user gives them. Each kind has the case
//! of the collection that `MEDCERT_CASES` names (skipped where there is none), and two more that are written here.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A table of English reports, each label half of the time.
const TABLE: [(&str, &str); 4] = [
    ("0", "Lungs are clear bilaterally. There is no focal consolidation."),
    ("1", "There is a left pleural effusion. Opacity in the right lower lobe."),
    ("0", "Normal chest. No effusion or pneumothorax is seen. Heart size normal."),
    ("1", "Bibasilar atelectasis and a moderate left effusion. The heart is enlarged."),
];

/// The folder of the collected cases, if there is one.
fn collected() -> Option<PathBuf> {
    let named = std::env::var_os("MEDCERT_CASES").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases");
    Some(named.unwrap_or_else(beside)).filter(|folder| folder.is_dir())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (own, other) = (entry.path(), to.join(entry.file_name()));
        if own.is_dir() {
            copy(&own, &other);
        } else {
            std::fs::write(&other, std::fs::read(&own).expect("a file")).expect("written");
        }
    }
}

/// A folder to work in.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// A copy of a collected case; None, said by name, where there is none.
    fn of(case: &str) -> Option<Self> {
        let Some(folder) = collected() else {
            eprintln!("skipped: the collected case {case} (MEDCERT_CASES names no folder)");
            return None;
        };
        let desk = Self::new();
        copy(&folder.join(case), desk.0.path());
        Some(desk)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), bytes).expect("written");
        self
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a text")
    }

    /// The exit code, and what medcert says on both streams, as one line.
    fn medcert(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_medcert"))
            .args(arguments)
            .current_dir(self.0.path())
            .env("MEDCERT_CACHE", self.path("cache"))
            .env_remove("MEDCERT_DATA")
            .output()
            .expect("medcert runs");
        let text =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
        assert!(!text.contains("panicked"), "{text}");
        (output.status.code(), text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Calls medcert, and looks at its exit code and for what it has to say.
    fn says(&self, arguments: &[&str], code: i32, words: &[&str]) -> String {
        let (found, text) = self.medcert(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {text}");
        for word in words {
            assert!(text.contains(word), "{arguments:?} does not say `{word}`: {text}");
        }
        text
    }
}

/// A spec over `cases.csv`, with more keys in its data block and this requirement.
fn spec(keys: &str, requirement: &str) -> String {
    format!(
        "claim: c\ndata: {{manifest: {{file: cases.csv, columns: {{id: case, findings: findings}}{keys}}}}}\n\
         split: {{test: 50%, validation: 20%, seed: 1}}\nmodels:\n  language: {{bert: {{config: tiny, train: {{lr: 5e-4, \
         epochs: 1}}}}}}\ntable: [clean]\nrequire: [language accuracy ≥ 30% {requirement}]\n"
    )
}

/// A spec over phantoms, whose second model is `two`.
fn phantoms(head: &str, two: &str, requirement: &str) -> String {
    format!(
        "{head}claim: c\ndata: {{phantom: {{studies: 60, seed: 7}}}}\nsplit: {{test: 40%, validation: 10%}}\n{two}\n\
         require: [{requirement}]\n"
    )
}

const TWO: &str = "models:\n  vision: {se_resnet18: {image: 32, width: 8, train: &train {lr: 2e-3, epochs: 1}}}\n  \
                   two: {se_resnet18: {image: 32, width: 8, train: *train}}";

/// The header and 24 rows of a table, each made from its place, label and report.
fn table(header: &str, row: impl Fn(usize, &str, &str) -> String) -> String {
    let rows = (0..24).map(|case| row(case, TABLE[case % 4].0, TABLE[case % 4].1) + "\n");
    format!("{header}\n{}", rows.collect::<String>())
}

#[test]
fn marks_that_nobody_sees_in_a_spec() {
    if let Some(desk) = Desk::of("bom-spec") {
        desk.says(&["plan", "spec.yaml"], 0, &["vision accuracy ≥ 80%"]);
    }
    let desk = Desk::new();
    let spaced = phantoms("", TWO, "vision\u{a0}accuracy\u{202f}≥\u{a0}80\u{202f}%");
    desk.write("a.yaml", spaced).says(&["plan", "a.yaml"], 0, &["1 requirement"]);
    let hidden = phantoms("", &TWO.replace("two:", "tw\u{200b}o:"), "two accuracy ≥ 80%");
    let (code, text) = desk.write("b.yaml", hidden).medcert(&["plan", "b.yaml"]);
    assert!(code == Some(0) || text.contains("U+200B"), "{code:?}: {text}");
    // the other way in which Windows saves a text
    let wide: Vec<u8> = "\u{feff}claim: c\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    desk.write("c.yaml", wide).says(&["plan", "c.yaml"], 2, &["UTF-8"]);
}

#[test]
fn a_column_name_that_stands_twice() {
    if let Some(desk) = Desk::of("duplicate-column") {
        desk.says(&["plan", "spec.yaml"], 4, &["cases.csv:1:", "columns 4 and 5", "`findings`"]);
    }
    let desk = Desk::new();
    desk.write("a.yaml", spec("", ""));
    let twice = table("case;patient;label;findings;label", |case, label, report| {
        format!("c{case};p{case};{label};{report};{label}")
    });
    desk.write("cases.csv", twice).says(&["plan", "a.yaml"], 4, &["columns 3 and 5", "`label`"]);
    let quoted = table("\"case\",patient,label,findings, case", |case, label, report| {
        format!("c{case},p{case},{label},\"{report}\",x")
    });
    desk.write("cases.csv", quoted).says(&["plan", "a.yaml"], 4, &["columns 1 and 5", "`case`"]);
}

#[test]
fn labels_that_are_uncertain_blank_or_lists() {
    if let Some(desk) = Desk::of("labels-left-out") {
        desk.says(&["plan", "spec.yaml"], 4, &["the label `-1.0` is not known", "leave_out: [\"-1.0\"]"]);
        desk.says(&["plan", "spec-empty.yaml"], 4, &["the label `-1.0` is not known"]);
        let leave = |spec: &str, labels: &str| {
            desk.read(spec).replace("views: none", &format!("leave_out: [{labels}], views: none"))
        };
        desk.write("named.yaml", leave("spec-empty.yaml", "'-1.0'"));
        desk.says(&["plan", "named.yaml"], 0, &["left out", "with the label `-1.0`"]);
        // without the uncertain and the blank ones there is no normal case, and none is made
        desk.write("neither.yaml", leave("spec.yaml", "'-1.0', ''"));
        desk.says(&["plan", "neither.yaml"], 4, &["test cases are abnormal"]);
        let listed = desk.read("spec.yaml").replace("cases.csv", "nih.csv");
        desk.write(
            "nih.yaml",
            listed.replace(
                "positive: [\"1.0\"], negative: [\"0.0\"]",
                "positive: [Mass], negative: [No Finding]",
            ),
        );
        desk.says(&["plan", "nih.yaml"], 4, &["separator"]);
        // uncertain is no class
        let (code, text) = desk.medcert(&["init", "--data", "cases.csv", "--out", "new.yaml"]);
        let written = std::fs::read_to_string(desk.path("new.yaml")).unwrap_or_default();
        let positive =
            written.lines().find(|line| line.trim_start().starts_with("positive:")).unwrap_or_default();
        assert!(!positive.contains("-1.0"), "{code:?}: {text}\n{written}");
    }
    let desk = Desk::new();
    let unsure = table("case,patient,label,findings", |case, label, report| {
        let label = if case % 6 == 5 { "u" } else { label };
        format!("c{case},p{case},{label},\"{report}\"")
    });
    desk.write("cases.csv", unsure).write("a.yaml", spec(", positive: ['1'], negative: ['0']", ""));
    desk.says(&["plan", "a.yaml"], 4, &["cases.csv:7:", "the label `u` is not known"]);
    desk.write("b.yaml", spec(", positive: ['1', u], negative: ['0']", ""));
    desk.says(&["plan", "b.yaml"], 0, &["24 studies"]);
    let several = table("case,patient,label,findings", |case, label, report| {
        let sure = if label == "1" { "Effusion|Unsure" } else { "No Finding" };
        let label = if case % 6 == 0 { "Unsure" } else { sure };
        format!("c{case},p{case},{label},\"{report}\"")
    });
    let keys = ", positive: [Effusion], negative: [No Finding], leave_out: [Unsure], separator: '|'";
    desk.write("cases.csv", several).write("c.yaml", spec(keys, ""));
    desk.says(&["plan", "c.yaml"], 0, &["20 studies", "4 with the label `Unsure`"]);
}

#[test]
fn words_that_stand_for_nothing() {
    if let Some(desk) = Desk::of("nan-reports") {
        desk.says(
            &["plan", "spec.yaml"],
            4,
            &["cases.csv:2:", "`nan` in 14 cells of `findings`", "missing:"],
        );
        let literal =
            desk.read("spec.yaml").replace("views: none", "literal: [nan, None, N/A, 'NULL'], views: none");
        desk.write("literal.yaml", literal).says(&["plan", "literal.yaml"], 0, &["studies"]);
    }
    let desk = Desk::new();
    desk.write("a.yaml", spec(", positive: ['1'], negative: ['0']", ""));
    for (place, says) in [("patient", "of `patient`"), ("label", "of `label`")] {
        let absent = table("case,patient,label,findings", |case, label, report| {
            let [patient, label] = if case % 3 > 0 {
                [format!("p{case}"), label.to_string()]
            } else if place == "patient" {
                ["NULL".to_string(), label.to_string()]
            } else {
                [format!("p{case}"), "None".to_string()]
            };
            format!("c{case},{patient},{label},\"{report}\"")
        });
        desk.write("cases.csv", absent).says(&["plan", "a.yaml"], 4, &["missing value", says]);
    }
}

#[test]
fn shared_settings_by_a_merge_key() {
    if let Some(desk) = Desk::of("merge-key") {
        desk.says(&["plan", "spec.yaml"], 0, &["trained unless cached, 2 epochs"]);
        desk.says(&["plan", "models.yaml"], 0, &["vision", "two"]);
    }
    let desk = Desk::new();
    let list = TWO.replace("train: *train", "train: {<<: [*train, {seed: 5}], epochs: 3}");
    desk.write("a.yaml", phantoms("", &list, "two accuracy ≥ 80%"));
    desk.says(&["plan", "a.yaml"], 0, &["trained unless cached, 3 epochs"]);
    let number = TWO.replace("train: *train", "train: {<<: 5, epochs: 3}");
    desk.write("b.yaml", phantoms("", &number, "two accuracy ≥ 80%")).says(&["plan", "b.yaml"], 2, &["`<<`"]);
}

#[test]
fn reports_in_a_language_that_the_rules_do_not_know() {
    if let Some(desk) = Desk::of("no-room-de") {
        desk.says(&["check", "spec.yaml"], 4, &["`preserving`", "they are for English", "7 %"]);
    }
    let desk = Desk::new();
    let others = [
        [
            "Pas d'épanchement pleural. Pas de pneumothorax.",
            "Opacité du lobe inférieur droit. Petit épanchement à gauche.",
        ],
        ["双肺野清晰，未见明显实变影。心影大小正常。", "右下肺见斑片状密度增高影，考虑肺炎。"],
    ];
    for reports in others {
        let foreign = table("case,patient,label,findings", |case, label, _| {
            format!("c{case},p{case},{label},\"{}\"", reports[case % 2])
        });
        desk.write("cases.csv", foreign).write("a.yaml", spec("", "under negation"));
        let (code, text) = desk.medcert(&["plan", "a.yaml"]);
        assert_eq!(code, Some(4), "{text}");
    }
}

/// What lies in a file's place while its content is elsewhere, and a word of the remedy.
const PLACEHOLDERS: [(&[u8], &str); 3] = [
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 90000\n", "git lfs pull"),
    (b"/annex/objects/SHA256E-s90000--00.bin\n", "git annex get"),
    (b"<!DOCTYPE html>\n<html><title>Sign in</title></html>\n", "sign in"),
];

#[test]
fn placeholders_wherever_a_file_is_read() {
    let english = table("case,patient,label,findings", |case, label, report| {
        format!("c{case},p{case},{label},\"{report}\"")
    });
    let data = |block: &str| {
        let one = "models:\n  m: {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 1}}}";
        let whole = phantoms("", one, "m accuracy ≥ 80%");
        whole.replace("phantom: {studies: 60, seed: 7}", block)
    };
    let files: [(&str, &str, &[&str]); 11] = [
        ("spec.yaml", "", &["plan", "spec.yaml"]),
        ("cases.csv", &spec("", ""), &["plan", "a.yaml"]),
        ("set.npz", &data("medmnist: {file: set.npz}"), &["plan", "a.yaml"]),
        (
            "scans/1.dcm",
            &data("dicom: {folder: scans, labels: cases.csv, by: StudyInstanceUID}"),
            &["plan", "a.yaml"],
        ),
        ("cases.csv", "", &["init", "--data", "cases.csv", "--out", "new.yaml"]),
        ("model.safetensors", "", &["init", "--weights", "model.safetensors", "--data", "cases.csv"]),
        ("model.pt2", "", &["init", "--weights", "model.pt2", "--data", "cases.csv"]),
        ("model.onnx", "", &["init", "--weights", "model.onnx", "--data", "cases.csv"]),
        ("table.csv", "", &["autopsy", "table.csv"]),
        ("evidence.mce", &spec("", ""), &["judge", "--spec", "a.yaml", "evidence.mce"]),
        ("claims.bundle", "", &["verify", "claims.bundle"]),
    ];
    for (name, spec, arguments) in files {
        for (content, remedy) in PLACEHOLDERS {
            let desk = Desk::new();
            std::fs::create_dir(desk.path("scans")).expect("a folder");
            desk.write("cases.csv", &english).write("a.yaml", spec).write(name, content);
            let (code, text) = desk.medcert(arguments);
            let named = matches!(code, Some(2 | 4)) && text.contains(name) && text.contains(remedy);
            assert!(named, "{arguments:?} with a placeholder: {code:?}: {text}");
        }
    }
}

#[cfg(feature = "torch")]
mod with_models {
    use super::*;

    #[test]
    fn reports_that_are_longer_than_the_model_reads() {
        if let Some(desk) = Desk::of("long-reports") {
            let cut = "64 of 64 test reports are longer";
            desk.says(&["plan", "spec.yaml"], 0, &[cut]);
            let arguments =
                ["check", "spec.yaml", "--report", "markdown=report.md", "--report", "html=report.html"];
            let (code, text) = desk.medcert(&arguments);
            assert!(code == Some(1) && text.contains(cut), "{code:?}: {text}");
            for report in ["report.md", "report.html"] {
                assert!(desk.read(report).contains(cut), "{report}");
            }
        }
        let long = |words: usize| {
            table("case,patient,label,findings", move |case, label, report| {
                format!("c{case},p{case},{label},\"{}{report}\"", "Two views were obtained. ".repeat(words))
            })
        };
        let desk = Desk::new();
        desk.write("a.yaml", spec("", "").replace("config: tiny", "config: tiny, max_tokens: 16"));
        desk.write("cases.csv", long(4)).says(
            &["plan", "a.yaml"],
            0,
            &["reads 16 tokens", "test reports are longer"],
        );
        // every word that an edit finds lies behind the cut, so nothing was attacked
        let behind = spec("", "under negation").replace("config: tiny", "config: tiny, max_tokens: 16");
        let (code, text) =
            desk.write("cases.csv", long(8)).write("b.yaml", behind).medcert(&["check", "b.yaml"]);
        assert!(code != Some(0) && text.contains("altered none of"), "{code:?}: {text}");
    }

    #[test]
    fn placeholders_of_what_a_model_is_made_of() {
        let model = |block: &str| {
            let models = format!("models:\n  m: {block}");
            phantoms("", &models, "m accuracy ≥ 30%")
        };
        let config = r#"{"model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 32, "vocab_size": 6, "max_position_embeddings": 32, "type_vocab_size": 2}"#;
        let folder = "{bert: {weights: bert}}";
        let module = |kind: &str, file: &str| {
            format!(
                "{{{kind}: {{file: {file}, sha256: {}, reads: image, image: 32, outputs: logits, mean: [0.5], \
                 deviation: [0.5]}}}}",
                "0".repeat(64)
            )
        };
        let files = [
            ("w.safetensors", "{se_resnet18: {image: 32, width: 8, weights: w.safetensors}}".to_string()),
            ("bert/config.json", folder.to_string()),
            ("bert/vocab.txt", folder.to_string()),
            ("bert/model.safetensors", folder.to_string()),
            ("bert/model.safetensors.index.json", folder.to_string()),
            ("m.pt", module("torchscript", "m.pt").replace("reads", "trusted: true, reads")),
            ("m.pt2", module("pt2", "m.pt2")),
            ("m.onnx", module("onnx", "m.onnx")),
        ];
        for ((name, block), (content, remedy)) in files.into_iter().zip(PLACEHOLDERS.into_iter().cycle()) {
            let desk = Desk::new();
            std::fs::create_dir(desk.path("bert")).expect("a folder");
            desk.write("bert/config.json", config)
                .write("bert/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nlung\n");
            desk.write("a.yaml", model(&block)).write(name, content);
            let text = desk.says(&["check", "a.yaml"], 4, &[remedy]);
            assert!(text.contains(name) && !text.contains("pin the new one"), "{name}: {text}");
        }
    }

    /// A safetensors file whose tensors have other names.
    fn renamed(bytes: &[u8], name: impl Fn(&str) -> String) -> Vec<u8> {
        let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
        let header: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&bytes[8..8 + length]).expect("a header");
        let renamed: serde_json::Map<String, serde_json::Value> = header
            .into_iter()
            .map(|(key, value)| (if key == "__metadata__" { key } else { name(&key) }, value))
            .collect();
        let header = serde_json::to_vec(&renamed).expect("a header");
        [&(header.len() as u64).to_le_bytes()[..], &header, &bytes[8 + length..]].concat()
    }

    #[test]
    fn weights_whose_names_differ_by_one_rule() {
        let Some(desk) = Desk::of("weights-prefix") else { return };
        let file = desk.path("weights/model.safetensors");
        let own = std::fs::read(&file).expect("weights");
        desk.says(&["check", "spec.yaml"], 4, &["begin with `module.`", "removeprefix('module.')"]);
        for prefix in ["_orig_mod.", "model."] {
            let other = renamed(&own, |name| name.replacen("module.", prefix, 1));
            std::fs::write(&file, other).expect("written");
            desk.says(&["check", "spec.yaml"], 4, &[&format!("begin with `{prefix}`")]);
        }
        // without the prefix they are the model's
        std::fs::write(&file, renamed(&own, |name| name.replacen("module.", "", 1))).expect("written");
        let (code, text) = desk.medcert(&["check", "spec.yaml"]);
        assert!(code != Some(4), "{code:?}: {text}");
    }

    #[test]
    fn images_that_were_cut_off() {
        if let Some(desk) = Desk::of("truncated-jpeg") {
            desk.says(&["check", "spec.yaml"], 4, &["images/c0003.jpg", "it was cut off"]);
        }
        let desk = Desk::new();
        std::fs::create_dir(desk.path("images")).expect("a folder");
        let film = |case: usize| {
            image::GrayImage::from_fn(48, 48, |x, y| image::Luma([(x * y + 7 * case as u32) as u8]))
        };
        for ending in ["png", "jpg"] {
            let name = |case: usize| format!("images/c{case}.{ending}");
            for case in 0..24 {
                film(case).save(desk.path(&name(case))).expect("saved");
            }
            let bytes = std::fs::read(desk.path(&name(9))).expect("a film");
            desk.write(&name(9), &bytes[..bytes.len() - bytes.len() / 4]);
            desk.write(
                "cases.csv",
                table("case,patient,label,frontal,findings", |case, label, report| {
                    format!("c{case},p{case},{label},{},\"{report}\"", name(case))
                }),
            );
            let vision = "vision: {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 1}}}";
            let (start, end) = (spec(", views: frontal", ""), "table");
            let (head, rest) = start.split_once("models:\n").expect("models");
            let (_, tail) = rest.split_once(end).expect("a table");
            let head = head.replace("findings: findings", "frontal: frontal");
            desk.write(
                "a.yaml",
                format!("{head}models:\n  {vision}\n{end}{}", tail.replace("language", "vision")),
            );
            desk.says(&["check", "a.yaml"], 4, &[&name(9)]);
        }
    }
}
