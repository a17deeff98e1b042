//! Files of torch.export: sound ones are read, and hostile ones are refused, each for its own reason. The sound files are
//! made by `tests/golden/graphs.py`; the hostile ones are made here from one of them.
//!
//! ```text
//! cargo test --release --test pure graphs -- --ignored --nocapture --test-threads 1     (a million damaged files)
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use medcert::graph::archive::Archive;
use medcert::graph::{
    Argument, Cut, ElementType, Input, Node, Operator, Output, Part, Program, Returned, WholeOperator, pt2,
    shape,
};
use serde_json::{Value, json};

use crate::mutations::{mutated, peak_mebibytes, read_all};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/graphs")
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).expect(name)
}

/// An entry of an archive, with what may be wrong about it.
#[derive(Clone)]
pub struct Entry {
    name: Vec<u8>,
    data: Vec<u8>,
    method: u16,
    flags: u16,
    /// Added to the unpacked size that the archive states, and to the packed one.
    larger: (u32, u32),
}

pub fn entry(name: &str, data: &[u8]) -> Entry {
    Entry { name: name.into(), data: data.to_vec(), method: 0, flags: 0, larger: (0, 0) }
}

/// The entries of a sound file, in the folder `m`.
fn sound() -> Vec<Entry> {
    entries(&file("image.pt2"))
}

fn entries(bytes: &[u8]) -> Vec<Entry> {
    let archive = Archive::open(bytes).expect("an archive");
    archive.names().map(|name| entry(&format!("m/{name}"), archive.read(name).expect("bytes"))).collect()
}

fn local(entry: &Entry) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04\x14\0".to_vec();
    bytes.extend([entry.flags.to_le_bytes(), entry.method.to_le_bytes()].concat());
    bytes.extend([0; 8]);
    let size = entry.data.len() as u32;
    bytes.extend([(size + entry.larger.1).to_le_bytes(), (size + entry.larger.0).to_le_bytes()].concat());
    bytes.extend([(entry.name.len() as u16).to_le_bytes(), [0; 2]].concat());
    bytes.extend(&entry.name);
    bytes.extend(&entry.data);
    bytes
}

fn central(entry: &Entry, start: usize) -> Vec<u8> {
    let mut bytes = b"PK\x01\x02\x14\0\x14\0".to_vec();
    bytes.extend([entry.flags.to_le_bytes(), entry.method.to_le_bytes()].concat());
    bytes.extend([0; 8]);
    let size = entry.data.len() as u32;
    bytes.extend([(size + entry.larger.1).to_le_bytes(), (size + entry.larger.0).to_le_bytes()].concat());
    bytes.extend((entry.name.len() as u16).to_le_bytes());
    bytes.extend([0; 12]);
    bytes.extend((start as u32).to_le_bytes());
    bytes.extend(&entry.name);
    bytes
}

fn end(count: u16, size: usize, start: usize) -> Vec<u8> {
    let mut bytes = b"PK\x05\x06\0\0\0\0".to_vec();
    bytes.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    bytes.extend([(size as u32).to_le_bytes(), (start as u32).to_le_bytes()].concat());
    bytes.extend([0; 2]);
    bytes
}

/// An archive as it is written; `hidden` entries lie inside the bytes of the first.
fn zip_with(entries: &[Entry], hidden: &[Entry]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (place, entry) in entries.iter().enumerate() {
        let mut entry = entry.clone();
        if place == 0 {
            let mut at = bytes.len() + 30 + entry.name.len();
            entry.data = hidden.iter().flat_map(local).collect::<Vec<u8>>();
            for inner in hidden {
                directory.extend(central(inner, at));
                at += local(inner).len();
            }
        }
        directory.extend(central(&entry, bytes.len()));
        bytes.extend(local(&entry));
    }
    let (size, start) = (directory.len(), bytes.len());
    bytes.extend(directory);
    bytes.extend(end((entries.len() + hidden.len()) as u16, size, start));
    bytes
}

pub fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        directory.extend(central(entry, bytes.len()));
        bytes.extend(local(entry));
    }
    let (size, start) = (directory.len(), bytes.len());
    bytes.extend(directory);
    bytes.extend(end(entries.len() as u16, size, start));
    bytes
}

/// The sound file with one entry more.
fn with(name: &str, data: &[u8]) -> Vec<u8> {
    let mut entries = sound();
    entries.push(entry(name, data));
    zip(&entries)
}

/// The sound file with one entry changed.
fn changed(name: &str, change: impl FnOnce(&mut Entry)) -> Vec<u8> {
    let mut entries = sound();
    let found = entries.iter_mut().find(|entry| entry.name == format!("m/{name}").as_bytes()).expect(name);
    change(found);
    zip(&entries)
}

/// The sound file with another JSON in one entry.
fn rewritten(name: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    changed(name, |entry| {
        let mut value: Value = serde_json::from_slice(&entry.data).expect("JSON");
        change(&mut value);
        entry.data = value.to_string().into_bytes();
    })
}

fn graph(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    rewritten("models/model.json", change)
}

/// The sound file with another call in the place of its `relu_`.
fn calling(target: &str, more: &Value) -> Vec<u8> {
    graph(|model| {
        let nodes = model["graph_module"]["graph"]["nodes"].as_array_mut().expect("nodes");
        let relu =
            nodes.iter_mut().find(|node| node["target"] == "torch.ops.aten.relu_.default").expect("a relu");
        relu["target"] = target.into();
        if let Some(more) = more.as_object() {
            let inputs = relu["inputs"].as_array_mut().expect("inputs");
            inputs.extend(more.iter().map(|(name, arg)| json!({"name": name, "arg": arg, "kind": 1})));
        }
    })
}

fn weights(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    rewritten("data/weights/model_weights_config.json", |table| change(&mut table["config"]["conv.weight"]))
}

#[test]
fn sound_files_are_read() {
    let mut told = Vec::new();
    for name in ["image.pt2", "views.pt2", "text.pt2", "both.pt2"] {
        let program = pt2::read(&file(name)).unwrap_or_else(|why| panic!("{name} {why}"));
        let reads = program.reads().expect("inputs");
        told.push(format!(
            "{name}: {} parameters, {} calls, {reads:?}, returns {:?}",
            program.parameters(),
            program.nodes.len(),
            program.outputs.iter().map(|returned| shape(&returned.sizes)).collect::<Vec<String>>()
        ));
        let is_aten = |node: &medcert::graph::Node| matches!(node.operator, Operator::Aten { .. });
        assert!(program.nodes.iter().all(is_aten), "{name} needs no arithmetic on sizes");
    }
    insta::assert_snapshot!(told.join("\n"));
    // the writer of these tests writes what the reader reads
    assert_eq!(pt2::read(&zip(&sound())).expect("a program").nodes.len(), 11);
}

#[test]
fn what_pytorch_exports_and_medcert_does_not_run_is_refused_with_a_remedy() {
    let told = ["noise", "counter", "branch", "quiet", "training", "fixed"].map(|name| {
        let name = format!("refused-{name}.pt2");
        format!("{name} {}", pt2::read(&file(&name)).expect_err(&name))
    });
    insta::assert_snapshot!(told.join("\n\n"));
}

/// Archives at fault as archives, by what is wrong with them.
fn hostile_archives() -> Vec<(&'static str, Vec<u8>)> {
    let whole = file("image.pt2");
    let first_name = |change: fn(&mut Entry)| {
        let mut entries = sound();
        change(&mut entries[0]);
        zip(&entries)
    };
    let inner = entry("m/inner", b"data");
    let far = {
        let mut bytes = zip(&sound());
        let last = bytes.len() - 22;
        let mut locator = b"PK\x06\x07\0\0\0\0".to_vec();
        locator.extend(u64::MAX.to_le_bytes());
        locator.extend([1, 0, 0, 0]);
        bytes.splice(last..last, locator);
        bytes
    };
    let many = {
        let mut bytes = zip(&sound());
        let last = bytes.len() - 22;
        bytes[last + 10..last + 12].copy_from_slice(&u16::MAX.to_le_bytes());
        bytes
    };
    vec![
        ("empty", vec![]),
        ("text", b"weights".to_vec()),
        ("cut in half", whole[..whole.len() / 2].to_vec()),
        ("cut by a byte", whole[..whole.len() - 1].to_vec()),
        ("compressed", first_name(|entry| entry.method = 8)),
        ("encrypted", first_name(|entry| entry.flags = 1)),
        ("a bomb: unpacked it is larger", first_name(|entry| entry.larger = (1 << 30, 0))),
        ("larger than the file", first_name(|entry| entry.larger = (1 << 30, 1 << 30))),
        ("one name twice", with("m/byteorder", b"little")),
        ("parent folder", with("m/../../etc/passwd", b"x")),
        ("absolute path", with("/etc/passwd", b"x")),
        ("path of another system", with("m/..\\x", b"x")),
        ("drive letter", with("C:/x", b"x")),
        ("another folder", with("n/x", b"x")),
        ("name that is no text", first_name(|entry| entry.name[2] = 0xff)),
        ("one entry inside another", zip_with(&sound(), &[inner])),
        ("more entries than there are", many),
        ("directory outside the file", far),
        ("other format", changed("archive_format", |entry| entry.data = b"pt3".to_vec())),
        ("other byte order", changed("byteorder", |entry| entry.data = b"big".to_vec())),
        ("compiled code", with("m/data/aotinductor/model/a.so", b"\x7fELF")),
        ("two models", with("m/models/other.json", b"{}")),
        ("a pickled object", with("m/data/constants/custom_obj_0", b"x")),
        ("old weights", with("m/serialized_state_dict.pt", b"x")),
        ("a pickle", with("m/data.pkl", b"x")),
        ("TorchScript", with("m/code/__torch__.py", b"x")),
    ]
}

/// Sound archives with a hostile graph or hostile weights, by what is wrong with them.
fn hostile_graphs() -> Vec<(&'static str, Vec<u8>)> {
    let value = |name: &str| json!({"as_tensor": {"name": name}});
    let none = json!({});
    vec![
        ("no graph", changed("models/model.json", |entry| entry.name = b"m/extra/model.json".to_vec())),
        ("a graph that is no JSON", changed("models/model.json", |entry| entry.data.truncate(900))),
        ("deep JSON", changed("models/model.json", |entry| entry.data = b"[".repeat(100_000))),
        ("other version", graph(|model| model["schema_version"]["major"] = 9.into())),
        ("pickled weight", weights(|weight| weight["use_pickle"] = true.into())),
        ("huge weight", weights(|weight| weight["tensor_meta"]["sizes"][0]["as_int"] = (1_i64 << 40).into())),
        ("huge stride", weights(|weight| weight["tensor_meta"]["strides"][0]["as_int"] = i64::MAX.into())),
        ("negative size", weights(|weight| weight["tensor_meta"]["sizes"][0]["as_int"] = (-4).into())),
        ("offset outside", weights(|weight| weight["tensor_meta"]["storage_offset"]["as_int"] = 1.into())),
        ("unknown type", weights(|weight| weight["tensor_meta"]["dtype"] = 99.into())),
        ("wider type", weights(|weight| weight["tensor_meta"]["dtype"] = 8.into())),
        ("sparse weight", weights(|weight| weight["tensor_meta"]["layout"] = 1.into())),
        ("fewer strides", weights(|weight| weight["tensor_meta"]["strides"] = json!([]))),
        ("weight elsewhere", weights(|weight| weight["path_name"] = "../../models/model.json".into())),
        ("a file", calling("torch.ops.aten.from_file.default", &none)),
        ("memory replaced", calling("torch.ops.aten.set_.source_Tensor", &none)),
        ("memory by address", calling("torch.ops.aten.as_strided.default", &none)),
        ("result of the caller's", calling("torch.ops.aten.relu.out", &none)),
        ("random", calling("torch.ops.aten.bernoulli.default", &none)),
        (
            "dropout",
            calling(
                "torch.ops.aten.dropout.default",
                &json!({"p": {"as_float": 0.5}, "train": {"as_bool": true}}),
            ),
        ),
        ("inner part", calling("torch.ops.aten._sparse_coo_tensor_unsafe.default", &none)),
        ("another library", calling("torch.ops.evil.run.default", &none)),
        ("Python", calling("os.system", &none)),
        ("control flow", calling("torch.ops.higher_order.while_loop", &none)),
        ("a value from nowhere", calling("torch.ops.aten.add.Tensor", &json!({"other": value("later")}))),
        ("a graph as argument", calling("torch.ops.aten.add.Tensor", &json!({"other": {"as_graph": {}}}))),
        (
            "weight changed in place",
            graph(|model| {
                let text = model.to_string().replace(
                    "{\"as_tensor\":{\"name\":\"batch_norm\"}},\"kind\"",
                    "{\"as_tensor\":{\"name\":\"p_conv_weight\"}},\"kind\"",
                );
                *model = serde_json::from_str(&text).expect("JSON");
            }),
        ),
    ]
}

#[test]
fn hostile_archives_are_refused_by_name() {
    let hostile = [hostile_archives(), hostile_graphs()].concat();
    assert!(hostile.len() >= 30);
    let told = hostile.iter().map(|(name, bytes)| {
        let why = pt2::read(bytes).expect_err(name);
        assert!(why.starts_with("cannot be used:") && why.contains("; "), "{name}: {why}");
        format!("{name}: it {}", why.replace(pt2::EXPORT, "EXPORT"))
    });
    insta::assert_snapshot!(told.collect::<Vec<String>>().join("\n"));
}

#[test]
fn arithmetic_on_sizes_is_pythons() {
    let cases = [
        (WholeOperator::Divide, [-7, 2], Some(-4)),
        (WholeOperator::Divide, [7, -2], Some(-4)),
        (WholeOperator::Divide, [7, 2], Some(3)),
        (WholeOperator::Divide, [7, 0], None),
        (WholeOperator::Divide, [i64::MIN, -1], None),
        (WholeOperator::Remainder, [-7, 2], Some(1)),
        (WholeOperator::Remainder, [7, -2], Some(-1)),
        (WholeOperator::Remainder, [7, 0], None),
        (WholeOperator::Multiply, [i64::MAX, 2], None),
        (WholeOperator::Add, [i64::MAX, 1], None),
        (WholeOperator::Subtract, [3, 5], Some(-2)),
        (WholeOperator::Most, [3, 5], Some(5)),
        (WholeOperator::Least, [3, 5], Some(3)),
    ];
    for (operator, arguments, result) in cases {
        assert_eq!(operator.apply(&arguments), result, "{operator:?} {arguments:?}");
        assert_eq!(operator.apply(&[]), None);
    }
    assert_eq!(WholeOperator::Negate.apply(&[3]), Some(-3));
}

/// An archive without checksums, so that damage reaches what reads its entries.
pub fn without_checksums(bytes: &[u8]) -> Vec<u8> {
    zip(&entries(bytes))
}

fn damaged(inputs: usize, most: Duration) {
    let samples = ["image.pt2", "both.pt2", "refused-branch.pt2"].map(|name| without_checksums(&file(name)));
    read_all("graph", inputs, most, |name| mutated(&samples, name), |bytes| drop(pt2::read(bytes)));
}

#[test]
fn a_few_hundred_damaged_files() {
    damaged(500, Duration::from_secs(20));
}

#[test]
#[ignore = "takes minutes; the command is above"]
fn a_million_damaged_files() {
    damaged(1_000_000, Duration::from_secs(1));
    assert!(peak_mebibytes() < 1024);
}

/// How often a part calls an operator.
fn calls(part: &Part, operator: &str) -> usize {
    let is_it = |node: &&Node| match &node.operator {
        Operator::Aten { name, .. } => name == operator,
        Operator::Whole(_) => false,
    };
    part.nodes.iter().filter(is_it).count()
}

#[test]
fn a_network_of_images_and_text_is_cut_where_they_meet() {
    let program = pt2::read(&file("both.pt2")).expect("a program");
    let Cut { images, text, joint } = program.cut().expect("parts");
    assert_eq!((calls(&images, "batch_norm"), calls(&images, "embedding")), (1, 0));
    assert_eq!((calls(&text, "batch_norm"), calls(&text, "embedding")), (0, 1));
    assert_eq!(
        (calls(&joint, "cat"), joint.nodes.len()),
        (1, 2),
        "what joins is a concatenation and a linear layer"
    );
    assert_eq!((images.inputs.len(), text.inputs.len(), joint.inputs.len()), (1, 2, 2));
    for name in ["image.pt2", "views.pt2", "text.pt2"] {
        assert_eq!(pt2::read(&file(name)).expect("a program").cut(), None, "{name}");
    }
}

#[test]
fn batch_norms_behind_convolutions_are_folded() {
    for (name, norms) in [("image.pt2", 1), ("views.pt2", 2), ("both.pt2", 1), ("text.pt2", 0)] {
        let program = pt2::read(&file(name)).expect("a program");
        let (folded, folds) = program.folded();
        assert_eq!((calls(&program.whole(), "batch_norm"), folds.len()), (norms, norms), "{name}");
        assert_eq!(calls(&folded.whole(), "batch_norm"), 0, "{name}");
        assert_eq!(folded.nodes.len() + norms, program.nodes.len(), "{name}");
        assert_eq!(folded.values, program.values + 2 * norms, "{name}");
        assert!(folds.iter().all(|fold| program.weights[fold.weight].sizes.len() == 4), "{name}");
        assert_eq!(folded.cut().is_some(), program.cut().is_some(), "{name}");
    }
}

#[test]
fn a_convolution_that_something_else_reads_is_not_folded() {
    let program = pt2::read(&file("image.pt2")).expect("a program");
    let place = |operator: &str| {
        let is_it = |node: &Node| matches!(&node.operator, Operator::Aten { name, .. } if name == operator);
        program.nodes.iter().position(is_it).expect("a call")
    };
    let (convolution, norm) = (place("conv2d"), place("batch_norm"));
    let [Output::One(made)] = program.nodes[convolution].outputs[..] else { panic!("one result") };
    let folds = |change: &dyn Fn(&mut Program)| {
        let mut other = program.clone();
        change(&mut other);
        other.folded().1.len()
    };
    assert_eq!(folds(&|_| {}), 1);
    assert_eq!(folds(&|other| other.outputs[0].value = made), 0, "its result is returned");
    let again =
        Node { arguments: vec![("self".into(), Argument::Value(made))], ..program.nodes[norm].clone() };
    assert_eq!(folds(&|other| other.nodes.push(again.clone())), 0, "its result is read twice");
    let set = |key: &str, value: Argument| {
        let key = key.to_string();
        move |other: &mut Program| {
            let arguments = other.nodes[norm].arguments.iter_mut();
            arguments.filter(|(name, _)| *name == key).for_each(|(_, argument)| *argument = value.clone());
        }
    };
    assert_eq!(folds(&set("training", Argument::Truth(true))), 0, "it takes its statistics from the cases");
    assert_eq!(folds(&set("running_mean", Argument::Value(made))), 0, "its mean is computed");
    assert_eq!(folds(&set("running_var", Argument::None)), 0, "it has no variance");
}

/// A program of an image, ids and a mask, whose calls are (operator, what it reads, what it makes).
fn program(calls: &[(&str, &[usize], usize)], output: usize) -> Program {
    let input =
        |kind: ElementType, sizes: &[Option<u64>]| Input { name: "x".into(), kind, sizes: sizes.to_vec() };
    let node = |(name, reads, makes): &(&str, &[usize], usize)| Node {
        operator: Operator::Aten { name: (*name).into(), overload: String::new() },
        arguments: if *name == "sym_size" {
            vec![("self".into(), Argument::Value(reads[0])), ("dim".into(), Argument::Whole(reads[1] as i64))]
        } else {
            reads.iter().map(|id| ("self".into(), Argument::Value(*id))).collect()
        },
        outputs: vec![Output::One(*makes)],
        last_uses: vec![],
    };
    let image = input(ElementType::Float, &[None, Some(1), Some(8), Some(8)]);
    let tokens = input(ElementType::Long, &[None, None]);
    Program {
        weights: vec![],
        inputs: vec![image, tokens.clone(), tokens],
        nodes: calls.iter().map(node).collect(),
        outputs: vec![Returned { value: output, sizes: vec![None, Some(2)] }],
        values: 3 + calls.len(),
    }
}

#[test]
fn the_number_of_cases_belongs_to_neither_path() {
    // the text's path reads the number of cases from the images, and so does what joins them
    let calls: [(&str, &[usize], usize); 5] = [
        ("sym_size", &[0, 0], 3),
        ("relu", &[0], 4),
        ("expand", &[1, 2, 3], 5),
        ("cat", &[4, 5], 6),
        ("view", &[6, 3], 7),
    ];
    let Cut { images, text, joint } = program(&calls, 7).cut().expect("parts");
    let reads = |part: &Part| part.nodes[0].arguments[0].1.clone();
    assert_eq!((images.inputs, images.outputs), (vec![0], vec![4]));
    assert_eq!((reads(&text), &text.outputs), (Argument::Value(1), &vec![5]));
    assert_eq!((reads(&joint), &joint.inputs), (Argument::Value(4), &vec![4, 5]));
    assert_eq!(joint.nodes.iter().flat_map(|node| node.last_uses.clone()).collect::<Vec<usize>>().len(), 4);
}

#[test]
fn a_network_whose_parts_would_answer_otherwise_is_not_cut() {
    let is_cut = |calls: &[(&str, &[usize], usize)], output: usize| program(calls, output).cut().is_some();
    assert!(is_cut(&[("relu", &[0], 3), ("tanh", &[1, 2], 4), ("cat", &[3, 4], 5)], 5));
    // a value that is overwritten and read again by its old name
    assert!(!is_cut(&[("relu_", &[0], 3), ("tanh", &[1, 2], 4), ("cat", &[0, 4], 5)], 5));
    assert!(!is_cut(
        &[("abs", &[0], 3), ("relu_", &[3], 4), ("tanh", &[1, 2], 5), ("cat", &[3, 4, 5], 6)],
        6
    ));
    // features that the joint part overwrites
    assert!(!is_cut(&[("relu", &[0], 3), ("tanh", &[1, 2], 4), ("add_", &[3, 4], 5)], 5));
    // the length of a text is no feature
    assert!(!is_cut(&[("relu", &[0], 3), ("sym_size", &[1, 1], 4), ("expand", &[3, 4], 5)], 5));
    // an answer from the images alone
    assert!(!is_cut(&[("relu", &[0], 3), ("tanh", &[1, 2], 4), ("abs", &[3], 5)], 5));
    // no call before they meet
    assert!(!is_cut(&[("cat", &[0, 1, 2], 3)], 3));
}
