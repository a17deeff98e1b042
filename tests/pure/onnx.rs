//! ONNX files: sound ones are read, and hostile ones are refused, each for its own reason. The sound files are made by
//! `tests/golden/onnx.py`; the hostile ones are made here.
//!
//! ```text
//! cargo test --release --test pure onnx -- --ignored --nocapture --test-threads 1     (a million damaged files)
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use medcert::graph::onnx::schema::{
    AttributeProto, Dimension, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, Skipped,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use medcert::graph::onnx::{self, EXPORT, Model};
use medcert::graph::shape;
use prost::Message as _;

use crate::mutations::{mutated, peak_mebibytes, read_all};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/onnx")
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).expect(name)
}

fn read(bytes: Vec<u8>, folder: &Path) -> Result<(medcert::graph::Program, Vec<u8>), String> {
    Model::open(bytes, folder)?.program()
}

fn node(name: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    let texts = |all: &[&str]| all.iter().map(|one| (*one).to_string()).collect();
    NodeProto {
        op_type: Some(name.into()),
        input: texts(inputs),
        output: texts(outputs),
        ..NodeProto::default()
    }
}

fn ints(name: &str, values: &[i64]) -> AttributeProto {
    let ints = values.to_vec();
    AttributeProto { name: Some(name.into()), ints, r#type: Some(7), ..AttributeProto::default() }
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: Some(name.into()), i: Some(value), r#type: Some(2), ..AttributeProto::default() }
}

fn with(mut node: NodeProto, attributes: &[AttributeProto]) -> NodeProto {
    node.attribute.extend_from_slice(attributes);
    node
}

fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: dims.to_vec(),
        data_type: Some(1),
        float_data: values.to_vec(),
        ..TensorProto::default()
    }
}

fn longs(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: vec![values.len() as i64],
        data_type: Some(7),
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

fn value(name: &str, kind: i32, sizes: &[i64]) -> ValueInfoProto {
    let dim = |size: &i64| Dimension { dim_value: (*size > 0).then_some(*size), dim_param: None };
    let shape = Some(TensorShapeProto { dim: sizes.iter().map(dim).collect() });
    let tensor_type = Some(TensorTypeProto { elem_type: Some(kind), shape });
    ValueInfoProto { name: Some(name.into()), r#type: Some(TypeProto { tensor_type }) }
}

/// A model that reads images `x` and returns `y`.
fn model(nodes: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
    ModelProto {
        ir_version: Some(8),
        opset_import: vec![OperatorSetIdProto { domain: None, version: Some(18) }],
        graph: Some(GraphProto {
            node: nodes,
            initializer,
            input: vec![value("x", 1, &[0, 1, 8, 8])],
            output: vec![value("y", 1, &[])],
            ..GraphProto::default()
        }),
        functions: vec![],
    }
}

/// The sound model that the hostile ones are made from.
fn sound() -> ModelProto {
    let nodes = vec![
        node("Flatten", &["x"], &["flat"]),
        node("Gemm", &["flat", "weight"], &["z"]),
        node("Relu", &["z"], &["y"]),
    ];
    model(nodes, vec![floats("weight", &[64, 2], &[0.5; 128])])
}

fn changed(change: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    let mut model = sound();
    change(model.graph.as_mut().expect("a graph"));
    model.encode_to_vec()
}

/// The sound model with another node in the place of its `Relu`.
fn calling(other: NodeProto, initializer: Vec<TensorProto>) -> Vec<u8> {
    changed(|graph| {
        graph.node[2] = other;
        graph.initializer.extend(initializer);
    })
}

fn weight(change: impl FnOnce(&mut TensorProto)) -> Vec<u8> {
    changed(|graph| change(&mut graph.initializer[0]))
}

/// The sound model with its weight in another file.
fn beside(location: &str, more: &[(&str, &str)]) -> Vec<u8> {
    weight(|tensor| {
        tensor.float_data.clear();
        tensor.data_location = Some(1);
        let entry = |key: &str, value: &str| StringStringEntryProto {
            key: Some(key.into()),
            value: Some(value.into()),
        };
        tensor.external_data.push(entry("location", location));
        tensor.external_data.extend(more.iter().map(|(key, value)| entry(key, value)));
    })
}

#[test]
fn sound_files_are_read() {
    let mut told = Vec::new();
    let names = [
        "image-new",
        "image-old",
        "image-beside",
        "shapes-old",
        "views-new",
        "text-new",
        "text-old",
        "both-new",
    ];
    for name in names {
        let (program, _) =
            read(file(&format!("{name}.onnx")), &folder()).unwrap_or_else(|why| panic!("{name} {why}"));
        told.push(format!(
            "{name}: {} parameters, {} calls, {:?}, returns {:?}",
            program.parameters(),
            program.nodes.len(),
            program.reads().expect("inputs"),
            program.outputs.iter().map(|returned| shape(&returned.sizes)).collect::<Vec<String>>()
        ));
    }
    insta::assert_snapshot!(told.join("\n"));
    read(sound().encode_to_vec(), Path::new("")).expect("a sound model");
}

/// Files that are no ONNX models, or whose tensors do not hold what they state.
fn hostile_files() -> Vec<(&'static str, Vec<u8>)> {
    let whole = sound().encode_to_vec();
    let with_model = |change: fn(&mut ModelProto)| {
        let mut model = sound();
        change(&mut model);
        model.encode_to_vec()
    };
    vec![
        ("empty", vec![]),
        ("text", b"weights of a model".to_vec()),
        ("cut in half", whole[..whole.len() / 2].to_vec()),
        ("a graph of graphs without end", b"\x3a\x7f".repeat(1000)),
        ("no opset", with_model(|model| model.opset_import.clear())),
        ("an opset of the future", with_model(|model| model.opset_import[0].version = Some(99))),
        ("an opset of the past", with_model(|model| model.opset_import[0].version = Some(1))),
        ("functions", with_model(|model| model.functions.push(FunctionProto { name: Some("evil".into()) }))),
        ("no outputs", changed(|graph| graph.output.clear())),
        ("an output from nowhere", changed(|graph| graph.output[0].name = Some("nowhere".into()))),
        ("sparse weights", changed(|graph| graph.sparse_initializer.push(Skipped {}))),
        ("quantised", changed(|graph| graph.quantization_annotation.push(Skipped {}))),
        ("float16", weight(|tensor| tensor.data_type = Some(10))),
        ("unknown type", weight(|tensor| tensor.data_type = Some(99))),
        ("wider type", weight(|tensor| tensor.data_type = Some(11))),
        ("huge weight", weight(|tensor| tensor.dims = vec![1 << 40, 1 << 40])),
        ("negative size", weight(|tensor| tensor.dims = vec![-64, -2])),
        ("too many dimensions", weight(|tensor| tensor.dims = vec![1; 100])),
        ("a weight in parts", weight(|tensor| tensor.segment = Some(Skipped {}))),
        (
            "truth values of 7",
            weight(|tensor| {
                tensor.data_type = Some(9);
                tensor.float_data.clear();
                tensor.int32_data = vec![7; 128];
            }),
        ),
        ("an input of texts", changed(|graph| graph.input[0] = value("x", 8, &[0, 1, 8, 8]))),
        ("an input that is no tensor", changed(|graph| graph.input[0].r#type = None)),
    ]
}

/// Sound files with hostile nodes.
fn hostile_nodes() -> Vec<(&'static str, Vec<u8>)> {
    let other = |name: &str| calling(node(name, &["z"], &["y"]), vec![]);
    let mut foreign = node("FusedConv", &["z"], &["y"]);
    foreign.domain = Some("com.microsoft".into());
    let shaped = |shape: &[i64]| calling(node("Reshape", &["weight", "s"], &["y"]), vec![longs("s", shape)]);
    let conv = |attributes: &[AttributeProto]| {
        calling(
            with(node("Conv", &["x", "k"], &["y"]), attributes),
            vec![floats("k", &[1, 1, 3, 3], &[1.0; 9])],
        )
    };
    vec![
        ("a cycle", changed(|graph| graph.node[0].input[0] = "y".into())),
        ("one name twice", changed(|graph| graph.node[0].output[0] = "z".into())),
        ("control flow", calling(with(node("If", &["z"], &["y"]), &[int("then_branch", 1)]), vec![])),
        ("a loop", other("Loop")),
        ("random", other("RandomNormalLike")),
        ("quantised operator", other("DequantizeLinear")),
        ("another library", calling(foreign, vec![])),
        ("no such operator", other("from_file")),
        (
            "several faults",
            changed(|graph| {
                graph.node.extend([
                    node("Scan", &["z"], &["a"]),
                    node("Evil", &["a"], &["b"]),
                    node("Evil", &["b"], &["c"]),
                ]);
            }),
        ),
        (
            "training",
            calling(
                with(
                    node("BatchNormalization", &["x", "o", "o", "o", "o"], &["y"]),
                    &[int("training_mode", 1)],
                ),
                vec![floats("o", &[1], &[1.0])],
            ),
        ),
        ("too few inputs", calling(node("Gemm", &["z"], &["y"]), vec![])),
        ("an unknown attribute", calling(with(node("Relu", &["z"], &["y"]), &[int("evil", 1)]), vec![])),
        (
            "an attribute of another type",
            calling(with(node("Concat", &["z"], &["y"]), &[ints("axis", &[0])]), vec![]),
        ),
        ("an axis outside", calling(with(node("Softmax", &["z"], &["y"]), &[int("axis", i64::MIN)]), vec![])),
        ("a shape that does not fit", shaped(&[3, 5])),
        ("a negative shape", shaped(&[-7, -1])),
        (
            "a huge shape",
            calling(node("Reshape", &["weight", "s"], &["y"]), vec![longs("s", &[i64::MAX, i64::MAX])]),
        ),
        ("huge pads", conv(&[ints("pads", &[i64::MAX, 0, 0, 0])])),
        ("a stride of 0", conv(&[ints("strides", &[0, 1])])),
        ("a dilation that is too large", conv(&[ints("dilations", &[1 << 40, 1])])),
        ("a window larger than its input", conv(&[ints("dilations", &[9, 9])])),
        (
            "a huge resizing",
            calling(node("Resize", &["x", "", "", "s"], &["y"]), vec![longs("s", &[1, 1, 1 << 60, 1 << 60])]),
        ),
        (
            "endless steps",
            calling(
                node("Range", &["a", "b", "c"], &["y"]),
                ["a", "b", "c"].map(|name| TensorProto { dims: vec![], ..longs(name, &[0]) }).to_vec(),
            ),
        ),
        (
            "an element outside",
            calling(node("Gather", &["s", "i"], &["y"]), vec![longs("s", &[1, 2]), longs("i", &[1 << 50])]),
        ),
    ]
}

#[test]
fn hostile_files_are_refused_by_name() {
    let hostile = [hostile_files(), hostile_nodes()].concat();
    let told = hostile.iter().map(|(name, bytes)| {
        let why = read(bytes.clone(), Path::new("")).expect_err(name);
        assert!(why.starts_with("cannot be used:") && why.contains("; "), "{name}: {why}");
        format!("{name}: it {}", why.replace(EXPORT, "EXPORT"))
    });
    insta::assert_snapshot!(told.collect::<Vec<String>>().join("\n"));
}

#[test]
fn files_beside_a_model_are_read_below_its_folder_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("model");
    std::fs::create_dir_all(own.join("deep")).expect("a folder");
    std::fs::write(own.join("deep/weights"), [0; 512]).expect("written");
    std::fs::write(folder.path().join("outside"), [0; 512]).expect("written");
    let pairs = [("offset", "0"), ("length", "512")];
    read(beside("deep/weights", &pairs), &own).expect("a sound model");
    read(beside("deep/weights", &[]), &own).expect("a sound model");
    #[cfg(unix)]
    std::os::unix::fs::symlink("../outside", own.join("link")).expect("a link");
    let hostile = [
        ("parent folder", beside("../outside", &pairs)),
        ("hidden parent folder", beside("deep/../../outside", &pairs)),
        ("absolute path", beside("/etc/passwd", &pairs)),
        ("another system's path", beside("..\\outside", &pairs)),
        ("drive letter", beside("C:/outside", &pairs)),
        ("no path", beside("", &pairs)),
        ("a folder", beside("deep", &pairs)),
        ("a device", beside("/dev/zero", &pairs)),
        ("a link", beside("link", &pairs)),
        ("missing", beside("nowhere", &pairs)),
        (
            "an offset outside",
            beside("deep/weights", &[("offset", "18446744073709551615"), ("length", "512")]),
        ),
        ("a length outside", beside("deep/weights", &[("length", "513")])),
        ("too short", beside("deep/weights", &[("length", "511")])),
        ("no number", beside("deep/weights", &[("offset", "-1")])),
    ];
    let told = hostile.iter().map(|(name, bytes)| {
        let why = read(bytes.clone(), &own).expect_err(name);
        assert!(why.starts_with("cannot be used:") && why.contains("; "), "{name}: {why}");
        format!("{name}: it {}", why.replace(EXPORT, "EXPORT"))
    });
    insta::assert_snapshot!(told.collect::<Vec<String>>().join("\n"));
}

#[test]
fn the_table_is_in_order() {
    let names: Vec<&str> = onnx::table::ROWS.iter().map(|row| row.name).collect();
    assert!(names.is_sorted() && names.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(onnx::table::ROWS.iter().all(|row| row.since <= row.last()));
    let refused = onnx::table::REFUSED.iter().flat_map(|(names, ..)| names.iter());
    assert!(refused.clone().all(|name| !names.contains(name)));
}

fn damaged(inputs: usize, most: Duration) {
    let names = ["image-old.onnx", "shapes-old.onnx", "text-new.onnx", "text-old.onnx", "image-beside.onnx"];
    let mut samples: Vec<Vec<u8>> = names.iter().map(|name| file(name)).collect();
    samples.extend(hostile_nodes().into_iter().map(|(_, bytes)| bytes));
    let folder = folder();
    read_all(
        "onnx",
        inputs,
        most,
        |name| mutated(&samples, name),
        |bytes| drop(read(bytes.to_vec(), &folder)),
    );
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
