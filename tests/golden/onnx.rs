//! ONNX models: ONNX's own tests, which its wheel holds up to version 1.20.1, and small networks with the answers and
//! gradients of `PyTorch`, made by `tests/golden/onnx.py`. ONNX's tests are read from the folder that `MEDCERT_ONNX`
//! names, and are skipped without it:
//!
//! ```text
//! pip download onnx==1.20.1 --no-deps && unzip onnx-*.whl -d wheel
//! MEDCERT_ONNX=wheel/onnx/backend/test/data cargo test --release --test golden onnx -- --nocapture
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use medcert::graph::ElementType;
use medcert::graph::onnx::schema::ModelProto;
use medcert::graph::onnx::{self, Model, table};
use medcert::lab::graph::Graph;
use medcert::lab::model::Answers;
use medcert::lab::script::Script;
use medcert::lab::tensor::{self, Kind, Tensor};
use medcert::spec::{Behind, ModuleFile, ModuleFormat, Outputs, ScriptModel, Source};
use prost::Message as _;
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

use crate::graphs::tensor_of as tensor_of_golden;

/// What ONNX's own runner allows.
const RELATIVE: f64 = 1e-3;
const ABSOLUTE: f64 = 1e-7;
/// Numbers of ONNX for float32, int32, int64, bool and float64.
const PLAIN: [i32; 5] = [1, 6, 7, 9, 11];

fn kind_of(kind: ElementType) -> Kind {
    match kind {
        ElementType::Float => Kind::Float,
        ElementType::Double => Kind::Double,
        ElementType::Long => Kind::Int64,
        ElementType::Int => Kind::Int,
        ElementType::Bool => Kind::Bool,
        other => panic!("{other:?}"),
    }
}

fn tensor_of(of: &onnx::Tensor) -> Tensor {
    let sizes: Vec<i64> = of.sizes.iter().map(|size| *size as i64).collect();
    if of.bytes.is_empty() {
        return Tensor::zeros(sizes, (kind_of(of.kind), tch::Device::Cpu));
    }
    Tensor::from_data_size(&of.bytes, &sizes, kind_of(of.kind))
}

/// The files `NAME_0.pb`, `NAME_1.pb`, … of a folder.
fn values(folder: &Path, name: &str) -> Vec<Vec<u8>> {
    (0..).map_while(|place| std::fs::read(folder.join(format!("{name}_{place}.pb"))).ok()).collect()
}

/// What is different about two tensors, if anything.
fn difference(found: &Tensor, wanted: &Tensor) -> Option<String> {
    if found.kind() != wanted.kind() || found.size() != wanted.size() {
        let about = |x: &Tensor| format!("{:?} {:?}", x.kind(), x.size());
        return Some(format!("{} instead of {}", about(found), about(wanted)));
    }
    let flat = |x: &Tensor| Vec::<f64>::try_from(&x.to_kind(Kind::Double).reshape([-1])).expect("values");
    let is_same = |(a, b): (&f64, &f64)| {
        a.total_cmp(b).is_eq() || (a.is_nan() && b.is_nan()) || (a - b).abs() <= ABSOLUTE + RELATIVE * b.abs()
    };
    let (found, wanted) = (flat(found), flat(wanted));
    let first = found.iter().zip(&wanted).find(|pair| !is_same(*pair));
    first.map(|(found, wanted)| format!("{found} instead of {wanted}"))
}

/// Makes the inputs that state a shape, axes or the like into weights, as a model that medcert attacks has them: its own
/// inputs are images and words.
fn fixed(model: &ModelProto, inputs: &[Vec<u8>]) -> (ModelProto, Vec<usize>) {
    let mut model = model.clone();
    let graph = model.graph.as_mut().expect("a graph");
    let firsts: BTreeSet<&String> = graph.node.iter().filter_map(|node| node.input.first()).collect();
    let (mut kept, mut weights) = (Vec::new(), Vec::new());
    for (place, info) in graph.input.iter().enumerate() {
        let proto = onnx::schema::TensorProto::decode(inputs[place].as_slice()).expect("a tensor");
        if proto.dims.len() <= 1 && !info.name.as_ref().is_some_and(|name| firsts.contains(name)) {
            weights.push(onnx::schema::TensorProto { name: info.name.clone(), ..proto });
        } else {
            kept.push(place);
        }
    }
    graph.initializer.extend(weights);
    (model, kept)
}

/// Runs a model on the inputs of a test: what is wrong, if anything.
fn run(model: &ModelProto, inputs: &[Vec<u8>], outputs: &[Vec<u8>]) -> Result<(), String> {
    let (program, bytes) = Model::open(model.encode_to_vec(), Path::new("."))?.program()?;
    let graph = Graph::new(program, &bytes).map_err(|why| why.to_string())?;
    let tensor = |bytes: &Vec<u8>| onnx::tensor(bytes).map(|tensor| tensor_of(&tensor));
    let inputs = inputs.iter().map(tensor).collect::<Result<Vec<Tensor>, String>>()?;
    let found = graph.run(&inputs.iter().collect::<Vec<&Tensor>>()).map_err(|why| why.to_string())?;
    assert_eq!(found.len(), outputs.len());
    for (found, wanted) in found.iter().zip(outputs) {
        if let Some(what) = difference(found, &tensor(wanted)?) {
            return Err(what);
        }
    }
    Ok(())
}

/// Whether a test is one of medcert's operators on plain types, in an opset that medcert reads.
fn is_ours(model: &ModelProto) -> bool {
    let Some(graph) = &model.graph else { return false };
    let opset = model.opset_import.iter().find(|one| one.domain.as_deref().unwrap_or_default().is_empty());
    let known: BTreeSet<&str> = table::ROWS.iter().map(|row| row.name).collect();
    let is_known = |node: &onnx::schema::NodeProto| {
        node.domain.as_deref().unwrap_or_default().is_empty()
            && node.op_type.as_deref().is_some_and(|name| known.contains(name))
    };
    let is_plain = |info: &onnx::schema::ValueInfoProto| {
        let tensor = info.r#type.as_ref().and_then(|of| of.tensor_type.as_ref());
        tensor.is_some_and(|tensor| PLAIN.contains(&tensor.elem_type.unwrap_or(0)))
    };
    opset.and_then(|one| one.version).is_some_and(|version| onnx::OPSETS.contains(&version))
        && graph.node.iter().all(is_known)
        && graph.input.iter().chain(&graph.output).all(is_plain)
}

/// The result of each test of a folder that medcert should pass.
fn results(folder: &Path) -> BTreeMap<String, Result<(), String>> {
    let mut results = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder of tests").flatten() {
        let data = entry.path().join("test_data_set_0");
        let bytes = std::fs::read(entry.path().join("model.onnx")).expect("a model");
        let model = ModelProto::decode(bytes.as_slice()).expect("a model");
        if !is_ours(&model) {
            continue;
        }
        let (inputs, outputs) = (values(&data, "input"), values(&data, "output"));
        let mut told = run(&model, &inputs, &outputs);
        if told.is_err() {
            let (model, kept) = fixed(&model, &inputs);
            let inputs: Vec<Vec<u8>> = kept.into_iter().map(|place| inputs[place].clone()).collect();
            told = told.or_else(|_| run(&model, &inputs, &outputs));
        }
        results.insert(entry.file_name().to_string_lossy().to_string(), told);
    }
    results
}

fn onnx_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("MEDCERT_ONNX").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: MEDCERT_ONNX names no folder onnx/backend/test/data of the wheel onnx 1.20.1");
    }
    folder
}

#[test]
fn onnxs_own_tests_pass() {
    let Some(folder) = onnx_folder() else { return };
    let (mut failed, mut refused) = (BTreeMap::new(), 0);
    for kind in ["node", "pytorch-operator", "pytorch-converted", "simple"] {
        let results = results(&folder.join(kind));
        let passed = results.values().filter(|told| told.is_ok()).count();
        println!("{kind}: {passed} of {} pass", results.len());
        for (name, told) in results {
            let Err(why) = told else { continue };
            // what medcert refuses on purpose, as the manual says
            let is_training = name.contains("training_dropout") || name.ends_with("_training_mode");
            let is_reduction = name.starts_with("test_scatternd_") && why.contains("`reduction`");
            if (is_training && why.contains("export it after `model.eval()`")) || is_reduction {
                refused += 1;
            } else {
                println!("{kind}/{name}: {why}");
                failed.insert(format!("{kind}/{name}"), why);
            }
        }
    }
    println!("{refused} are refused by name, in training mode or for a reduction");
    assert!(failed.is_empty(), "{} failed", failed.len());
}

/// Whole networks, whose weights are single numbers, on the input that ONNX's own runner makes.
#[test]
fn onnxs_networks_pass() {
    let Some(folder) = onnx_folder() else { return };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder.join("light"))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "onnx"));
    paths.sort();
    assert_eq!(paths.len(), 9);
    let mut failed = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().display().to_string();
        let told = whole(&path);
        println!("{name}: {told:?}");
        if told.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

fn whole(path: &Path) -> Result<(), String> {
    let bytes = std::fs::read(path).expect("a model");
    let (program, weights) = Model::open(bytes, Path::new("."))?.program()?;
    let sizes: Vec<i64> = program.inputs[0].sizes.iter().map(|size| size.unwrap_or(1) as i64).collect();
    let count: i64 = sizes.iter().product();
    let input = (Tensor::arange(count, (Kind::Double, tch::Device::Cpu)) / count as f64).to_kind(Kind::Float);
    let graph = Graph::new(program, &weights).map_err(|why| why.to_string())?;
    let found = graph.run(&[&input.reshape(&sizes)]).map_err(|why| why.to_string())?.remove(0);
    let stem = path.file_stem().unwrap_or_default().display().to_string();
    let wanted = std::fs::read(path.with_file_name(format!("{stem}_output_0.pb"))).expect("an output");
    difference(&found, &tensor_of(&onnx::tensor(&wanted)?)).map_or(Ok(()), Err)
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/onnx")
}

/// The largest difference to golden numbers beyond a tolerance, relative to it; at most 1 is equal.
fn beyond(found: &Tensor, wanted: &Tensor, relative: f32, absolute: f32) -> f32 {
    assert_eq!(found.size(), wanted.size());
    let values = |x: &Tensor| tensor::values(x).expect("values");
    let pairs = values(found).into_iter().zip(values(wanted));
    pairs.map(|(a, b)| (a - b).abs() / (absolute + relative * b.abs())).fold(0.0, f32::max)
}

/// Runs a network on its golden inputs: how far its output is from onnxruntime's, and its gradient from `PyTorch`'s, in
/// units of what is allowed.
fn compare(path: &Path) -> Result<(f32, f32), String> {
    let folder = path.parent().expect("a folder");
    let (program, bytes) = Model::open(std::fs::read(path).expect("a model"), folder)?.program()?;
    program.reads()?;
    let graph = Graph::new(program, &bytes).map_err(|why| why.to_string())?;
    let file = std::fs::read(path.with_extension("safetensors")).expect("golden values");
    let file = SafeTensors::deserialize(&file).expect("golden values");
    let mut inputs: Vec<Tensor> =
        (0..).map_while(|place| tensor_of_golden(&file, &format!("input.{place}"))).collect();
    let wanted = tensor_of_golden(&file, "gradient");
    if wanted.is_some() {
        inputs[0] = inputs[0].set_requires_grad(true);
    }
    let output =
        graph.run(&inputs.iter().collect::<Vec<&Tensor>>()).map_err(|why| why.to_string())?.remove(0);
    let other = tensor_of_golden(&file, "onnxruntime").expect("an output");
    let largest =
        |x: &Tensor| tensor::values(x).expect("values").into_iter().map(f32::abs).fold(0.0, f32::max);
    // where rounding grows from layer to layer, PyTorch is as far from onnxruntime
    let apart = tensor_of_golden(&file, "output").map_or(0.0, |theirs| largest(&(theirs - &other)));
    let by_output = beyond(&output, &other, 1e-4, (2.0 * apart).max(1e-5));
    let Some(wanted) = wanted else { return Ok((by_output, 0.0)) };
    let first = output.log_softmax(1, Kind::Float).select(1, 0).sum(Kind::Float);
    let gradient =
        Tensor::f_run_backward(&[first], &[&inputs[0]], false, false).expect("a gradient").remove(0);
    // small numbers beside the largest one carry its error; and where PyTorch's own gradient jumps under rounding, so may this
    let noise = tensor_of_golden(&file, "noise").map_or(0.0, |noise| largest(&noise));
    let absolute = (1e-3 * largest(&wanted)).max(2.0 * noise);
    Ok((by_output, beyond(&gradient, &wanted, 1e-3, absolute)))
}

#[test]
fn small_models_have_the_answers_of_onnxruntime_and_the_gradients_of_pytorch() {
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
        let (output, gradient) =
            compare(&golden().join(format!("{name}.onnx"))).unwrap_or_else(|why| panic!("{name} {why}"));
        assert!(output <= 1.0 && gradient <= 1.0, "{name}: {output} {gradient}");
    }
}

#[test]
fn published_models_have_the_answers_of_onnxruntime_and_the_gradients_of_pytorch() {
    let Some(folder) = std::env::var_os("MEDCERT_ONNX_GRAPHS") else {
        eprintln!("skipped: MEDCERT_ONNX_GRAPHS names no folder of tests/golden/onnx.py");
        return;
    };
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.extension().is_some_and(|ending| ending == "onnx") && path.with_extension("safetensors").exists()
    });
    paths.sort();
    let (mut failed, mut refused) = (Vec::new(), 0);
    for path in &paths {
        let told = compare(path);
        println!("{}: {told:?}", path.file_stem().unwrap_or_default().display());
        match told {
            Ok((output, gradient)) if output <= 1.0 && gradient <= 1.0 => {}
            Err(why) if why.starts_with("cannot be used:") => refused += 1,
            Ok(_) | Err(_) => failed.push(path.clone()),
        }
    }
    let agree = paths.len() - failed.len() - refused;
    println!("{agree} of {} agree, and {refused} are refused by name", paths.len());
    assert!(failed.is_empty(), "{failed:?}");
    assert!(refused * 10 <= agree, "{refused} are refused");
}

/// A model of a spec, pinned over its file and the file beside it.
fn about(name: &str, beside: &[&str]) -> ScriptModel {
    let mut hasher = Sha256::new();
    for name in [&[name], beside].concat() {
        hasher.update(std::fs::read(golden().join(name)).expect("a file"));
    }
    let pin = format!("{:x}", hasher.finalize());
    let file = ModuleFile {
        format: ModuleFormat::Onnx,
        source: Source { sha256: Some(pin), path: name.into() },
        mean: vec![0.5],
        deviation: vec![0.25],
        tokenizer: None,
        max_tokens: 16,
        lowercase: None,
    };
    ScriptModel {
        behind: Behind::File(file),
        image: Some(32),
        reads_text: false,
        outputs: Outputs::Logits,
        expect: None,
    }
}

fn load(about: &ScriptModel) -> medcert::Result<Script> {
    Script::load("theirs", about, (&[], Answers::TWO), |path| Ok(golden().join(path)))
}

#[test]
fn a_model_is_loaded_with_the_file_beside_it_and_its_pin_covers_both() {
    let sound = about("image-beside.onnx", &["image-beside.onnx.data"]);
    let script = load(&sound).expect("a model");
    let images = (0..8 * 32 * 32).map(|place| (place % 97) as f32 / 97.0).collect::<Vec<f32>>();
    let images = tensor::floats(&images, &[8, 1, 32, 32]).expect("images");
    script.probe(Some(&images), &[]).expect("a sound model");
    let why = load(&about("image-beside.onnx", &[])).expect_err("another pin").to_string();
    assert!(why.contains("is not the file that the spec pins"), "{why}");
    let other = ScriptModel { image: Some(64), ..about("image-new.onnx", &[]) };
    let why = load(&other).expect_err("another size").to_string();
    assert!(why.contains("was exported for images of `image: 32`"), "{why}");
}
