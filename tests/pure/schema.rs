//! The JSON Schema of the spec: it accepts what the readers accept, and refuses what has another shape.

use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use medcert::spec;
use serde_json::Value;

fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What `medcert schema` prints.
fn printed() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_medcert")).arg("schema").output().expect("medcert runs");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(&printed()).expect("JSON");
    jsonschema::meta::validate(&schema).expect("a schema of draft 2020-12");
    jsonschema::draft202012::new(&schema).expect("a schema")
}

/// A spec's text as an editor sees it.
fn read(text: &str) -> Option<Value> {
    serde_yaml::from_str(text).ok()
}

fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home().join(folder)).expect("a folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    files
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a text")
}

#[test]
fn the_specs_of_this_repository_fit() {
    let validator = validator();
    let readme = text(&home().join("README.md"));
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let whole = blocks
        .filter(|block| block.starts_with("claim:"))
        .map(|block| ("README.md".into(), block.to_string()));
    let specs = files("specs").into_iter().map(|path| (path.display().to_string(), text(&path)));
    let mut count = 0;
    for (name, text) in specs.chain(whole) {
        let value = read(&text).unwrap_or_else(|| panic!("{name} is no YAML"));
        assert_eq!(faults(&validator, &value), Vec::<String>::new(), "{name}");
        count += 1;
    }
    assert!(count > 5);
}

/// Faults of these are of the language, not of the shape: sentences, names that refer to each other, metrics.
const OF_SENSE: [&str; 14] = [
    "sentences",
    "metrics",
    "groups",
    "no-report",
    "regression",
    "twice",
    "certificates",
    "thresholds",
    "harm-by-finding",
    "harm-of-nothing",
    "classes",
    "classes_and_positive",
    "expect_findings",
    "max_tokens",
];

#[test]
fn what_has_another_shape_does_not_fit() {
    let validator = validator();
    let mut refused = Vec::new();
    for path in files("tests/bad/spec") {
        let name = path.file_stem().expect("a name").to_string_lossy().to_string();
        let Some(value) = std::fs::read_to_string(&path).ok().and_then(|text| read(&text)) else { continue };
        let fits = validator.is_valid(&value);
        assert!(!fits || OF_SENSE.contains(&name.as_str()), "{name} fits");
        if !fits {
            refused.push(name);
        }
    }
    assert!(refused.len() > 8, "{refused:?}");
}

/// The keys that the reader names where one is not known, by the place of a map.
#[test]
fn the_reader_accepts_the_keys_of_the_schema_and_no_other() {
    let schema: Value = serde_json::from_str(&printed()).expect("JSON");
    let keys = |at: &str| {
        let found =
            schema.pointer(at).and_then(Value::as_object).unwrap_or_else(|| panic!("nothing at {at}"));
        found.keys().cloned().collect::<Vec<_>>()
    };
    let base = "claim: c\ndata: {phantom: {studies: 60}}\nsplit: {test: 30%}\nmodels:\n  v: {resnet18: {image: 64, train: {lr: 1e-3, epochs: 1}}}\nrequire: [v accuracy ≥ 1%]\n";
    let models = "/properties/models/additionalProperties/properties";
    let threats = "/properties/threats/additionalProperties/properties";
    let mut maps = vec![
        (String::new(), String::new(), base.to_string() + "KEY: 1\n"),
        ("/properties/split".into(), String::new(), base.replace("{test: 30%}", "{test: 30%, KEY: 1}")),
        ("/$defs/train".into(), String::new(), base.replace("lr: 1e-3", "lr: 1e-3, KEY: 1")),
    ];
    for source in keys("/properties/data/properties") {
        let at = format!("/properties/data/properties/{source}");
        maps.push((
            at,
            String::new(),
            base.replace("{phantom: {studies: 60}}", &format!("{{{source}: {{KEY: 1}}}}")),
        ));
    }
    for name in keys(models) {
        let text = base.replace("{resnet18: {image: 64,", &format!("{{{name}: {{KEY: 1,"));
        maps.push((format!("{models}/{name}"), String::new(), text));
    }
    for name in keys(threats).into_iter().filter(|name| name != "absent") {
        let text = format!("{base}threats: {{t: {{{name}: {{KEY: 1}}}}}}\n");
        maps.push((format!("{threats}/{name}"), String::new(), text));
    }
    assert!(maps.len() > 60);
    for (at, _, text) in maps {
        let is_key = |key: &str| {
            let text = text.replace("KEY", key);
            let told =
                spec::parse(Path::new("a.yaml"), &text).map_or_else(|why| why.to_string(), |_| String::new());
            !told.contains(&format!("`{key}` is no key here"))
        };
        let properties = keys(&format!("{at}/properties"));
        assert!(!is_key("nonsense"), "{at}: another key is accepted: {text}");
        for key in &properties {
            // a key that stands twice is no YAML
            assert!(
                text.contains(&format!("{key}: ")) || is_key(key),
                "{at}: the reader does not know {key}"
            );
        }
        // and the other way round: every key that any map has is told apart as the reader does
        for key in [
            "image", "steps", "queries", "seed", "views", "mode", "width", "heads", "norm", "loss", "columns",
        ] {
            if !text.contains(&format!("{key}: ")) {
                assert_eq!(is_key(key), properties.iter().any(|known| known == key), "{at}: {key}");
            }
        }
    }
}

#[test]
fn the_file_beside_the_specs_is_what_the_command_prints() {
    let path = home().join("specs/medcert.schema.json");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == printed(), "run `cargo run --release -- schema > specs/medcert.schema.json`");
    for path in files("specs") {
        let first = text(&path).lines().next().unwrap_or_default().to_string();
        assert_eq!(first, "# yaml-language-server: $schema=medcert.schema.json", "{}", path.display());
    }
}

#[test]
fn a_comment_changes_no_digest() {
    let path = home().join("specs/fusion.yaml");
    let text = text(&path);
    let bare: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let bare = bare.join(
        "
",
    );
    let digest = |text: &str| spec::parse(&path, text).expect("a sound spec").fingerprint();
    assert!(bare.len() < text.len());
    assert_eq!(digest(&text), digest(&bare));
}
