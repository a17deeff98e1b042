//! Reads an ONNX model into a program of `ATen` calls (the format: `onnx/onnx.proto`; the operators:
//! `onnx/docs/Operators.md`, opsets 6 to 25).
//!
//! Each node becomes one or several calls, as its row in [`table`] says. Sizes and the arithmetic on them are computed
//! while the model is read wherever they do not depend on its inputs, and otherwise as whole numbers beside the
//! tensors. Everything that medcert does not run is reported in one message, each with a remedy.

mod build;
mod external;
mod lower;
mod node;
pub mod schema;
pub mod table;
mod tensors;
mod values;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;

use prost::Message as _;
use prost::bytes::Bytes;

use self::build::Build;
use self::node::{Call, Lowered};
use self::schema::{GraphProto, ModelProto, NodeProto, ValueInfoProto};
use self::tensors::Beside;
pub use self::tensors::Tensor;
use self::values::Known;
use super::faults::Faults;
use super::{MOST_DIMENSIONS, MOST_NODES, Program};

/// The line of Python that exports a model in the form that medcert reads.
pub const EXPORT: &str = "torch.onnx.export(model.eval(), (x,), \"model.onnx\", dynamo=True, \
                          dynamic_shapes=({0: torch.export.Dim.DYNAMIC},))";
/// Limit on the bytes of a model's own file, which is protobuf's; larger models keep their tensors in other files.
pub const MOST_BYTES: usize = 2 << 30;
/// The opsets that medcert reads.
pub const OPSETS: std::ops::RangeInclusive<i64> = 6..=25;
/// Length to which names of the file are cut in messages.
const MOST_SHOWN: usize = 80;

/// An ONNX model with the files beside it.
#[derive(Debug)]
pub struct Model {
    proto: ModelProto,
    beside: Beside,
}

impl Model {
    /// Reads a model's bytes, and the files below `folder` that hold its larger tensors.
    ///
    /// # Errors
    /// The bytes are no ONNX model, or a file beside it is missing, not regular, or not below the folder.
    pub fn open(bytes: Vec<u8>, folder: &Path) -> Result<Self, String> {
        let refused = |what: &str| format!("cannot be used: it {what}; save it again with {EXPORT}");
        if bytes.len() > MOST_BYTES {
            return Err(refused("is larger than 2 GiB, which protobuf does not allow"));
        }
        let proto = ModelProto::decode(Bytes::from(bytes))
            .map_err(|why| refused(&format!("is no ONNX model, or it is cut off ({why})")))?;
        if proto.graph.is_none() {
            return Err(refused("is no ONNX model, or it is cut off (it has no graph)"));
        }
        let beside = external::read(&proto, folder).map_err(|what| {
            format!(
                "cannot be used: it {what}; put the model's files side by side, and save them again together"
            )
        })?;
        Ok(Self { proto, beside })
    }

    /// The bytes of the files beside the model, in the order of their names. A pin covers the model's bytes and then these.
    pub fn beside(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.beside.iter().map(|(name, bytes)| (name.as_str(), bytes.as_ref()))
    }

    /// The model's program, and the bytes of its weights.
    ///
    /// # Errors
    /// The model holds something that medcert does not run. The message lists all faults, one a line.
    pub fn program(&self) -> Result<(Program, Vec<u8>), String> {
        let mut faults = Faults::default();
        let opset = check_model(&self.proto, &mut faults);
        let empty = GraphProto::default();
        let graph = self.proto.graph.as_ref().unwrap_or(&empty);
        if graph.node.len() > MOST_NODES {
            let what = format!("has {} nodes, more than {MOST_NODES}", graph.node.len());
            faults.add(&what, "bring a smaller model");
        }
        faults.check()?;
        let mut reader =
            Reader { build: Build::default(), values: HashMap::new(), faults, opset: opset.unwrap_or(0) };
        reader.read(graph, &self.beside)
    }
}

/// Reads one tensor, in the form of the files that ONNX's own tests keep their values in.
///
/// # Errors
/// The bytes are no such tensor.
pub fn tensor(bytes: &[u8]) -> Result<Tensor, String> {
    let proto = schema::TensorProto::decode(bytes).map_err(|why| why.to_string())?;
    tensors::read(&proto, &Beside::new())
}

/// Checks what a model is beside its graph, and returns its opset.
fn check_model(proto: &ModelProto, faults: &mut Faults) -> Option<i64> {
    if !proto.functions.is_empty() {
        let names: Vec<&str> = proto.functions.iter().filter_map(|one| one.name.as_deref()).take(3).collect();
        faults.add(
            &format!(
                "defines {} functions of its own, such as {}",
                proto.functions.len(),
                short(&names.join(", "))
            ),
            "inline them: onnx.save(onnx.inliner.inline_local_functions(onnx.load(FILE)), FILE)",
        );
    }
    let graph = proto.graph.as_ref()?;
    if !graph.sparse_initializer.is_empty() {
        faults.add("holds sparse tensors", "save it with dense ones");
    }
    if !graph.quantization_annotation.is_empty() {
        faults.add("is quantised", "bring the model from before it was quantised");
    }
    let standard = |domain: &Option<String>| matches!(domain.as_deref(), None | Some("" | "ai.onnx"));
    let opset = proto.opset_import.iter().find(|one| standard(&one.domain)).and_then(|one| one.version);
    match opset {
        Some(opset) if OPSETS.contains(&opset) => {}
        Some(opset) => faults.add(
            &format!("uses opset {opset}, and medcert reads opsets {} to {}", OPSETS.start(), OPSETS.end()),
            "convert it: onnx.save(onnx.version_converter.convert_version(onnx.load(FILE), 20), FILE)",
        ),
        None => faults.add("does not say which opset it uses", &format!("save it again with {EXPORT}")),
    }
    opset
}

/// A model's graph while it is read.
struct Reader {
    build: Build,
    /// Values by their names in the file; None for those of nodes that are refused.
    values: HashMap<String, Option<Rc<Known>>>,
    faults: Faults,
    opset: i64,
}

impl Reader {
    fn read(&mut self, graph: &GraphProto, beside: &Beside) -> Result<(Program, Vec<u8>), String> {
        for proto in &graph.initializer {
            let name = proto.name.clone().unwrap_or_default();
            let known = tensors::read(proto, beside).map(|tensor| self.build.initializer(tensor));
            let known = known
                .map_err(|what| self.faults.add(&what, "save it in float32, float64, int32, int64 or bool"))
                .ok();
            self.define(&name, known);
        }
        let weights: HashSet<&str> =
            graph.initializer.iter().filter_map(|proto| proto.name.as_deref()).collect();
        for info in &graph.input {
            let name = info.name.clone().unwrap_or_default();
            // a file of an old version lists its weights among the inputs too
            if weights.contains(name.as_str()) {
                continue;
            }
            let known = input(info).map(|(kind, sizes)| self.build.input(&name, kind, sizes));
            let known =
                known.map_err(|what| self.faults.add(&what, &format!("export it with {EXPORT}"))).ok();
            self.define(&name, known);
        }
        for node in &graph.node {
            self.node(node, beside);
            if self.build.calls() > MOST_NODES {
                self.faults.add(&format!("needs more than {MOST_NODES} calls"), "bring a smaller model");
                break;
            }
        }
        let outputs = self.outputs(graph);
        self.faults.check()?;
        Ok(std::mem::take(&mut self.build).finish(outputs))
    }

    fn define(&mut self, name: &str, known: Option<Known>) {
        if !name.is_empty() && self.values.insert(name.to_string(), known.map(Rc::new)).is_some() {
            self.faults.add(&format!("names two values {}", short(name)), "save it again");
        }
    }

    fn node(&mut self, node: &NodeProto, beside: &Beside) {
        let mut results = self.lowered(node, beside).unwrap_or_default().into_iter();
        for name in &node.output {
            let known = results.next();
            self.define(name, known);
        }
    }

    /// What a node returns; None if it is refused, or reads a value of a refused node.
    fn lowered(&mut self, node: &NodeProto, beside: &Beside) -> Option<Vec<Known>> {
        let name = node.op_type.as_deref().unwrap_or_default();
        let domain = node.domain.as_deref().unwrap_or_default();
        let row = match table::find(domain, name, self.opset) {
            Ok(row) => Some(row),
            Err(refusal) => {
                self.faults.add(&refusal.what, &refusal.remedy);
                None
            }
        };
        let mut inputs = Vec::new();
        let mut complete = true;
        for input in &node.input {
            match self.values.get(input) {
                _ if input.is_empty() => inputs.push(None),
                Some(Some(known)) => inputs.push(Some(Rc::clone(known))),
                Some(None) => complete = false,
                None => {
                    complete = false;
                    let what = format!("reads the value {}, which nothing before it returns", short(input));
                    self.faults.add(&what, "save it again, with its nodes in their order");
                }
            }
        }
        let row = row.filter(|_| complete)?;
        let call = Call::new(node, inputs, self.opset);
        let lowered: Lowered = if name == "Constant" {
            lower::constants::constant(&mut self.build, &call, beside)
        } else {
            row.lower(&mut self.build, &call)
        };
        let needed = node.output.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        let checked = lowered.and_then(|results| {
            call.check_attributes()?;
            if results.len() < needed {
                return Err(format!("{needed} outputs, of which medcert computes {}", results.len()));
            }
            let most = |known: &Known| known.rank() <= MOST_DIMENSIONS;
            if results.iter().all(most) { Ok(results) } else { Err("too many dimensions".to_string()) }
        });
        match checked {
            Ok(results) => Some(results),
            Err(what) => {
                // some say what to do themselves
                let (what, remedy) = what
                    .split_once("; ")
                    .unwrap_or((&what, "write the model without it, or bring it as `pt2`"));
                self.faults.add(&format!("uses {name} with {what}"), remedy);
                None
            }
        }
    }

    fn outputs(&mut self, graph: &GraphProto) -> Vec<(usize, Vec<Option<i64>>)> {
        let mut outputs = Vec::new();
        for info in &graph.output {
            let name = info.name.as_deref().unwrap_or_default();
            match self.values.get(name).cloned() {
                Some(Some(known)) => outputs.push((self.build.tensor(&known), known.sizes.clone())),
                Some(None) => {}
                None => {
                    let what = format!("returns the value {}, which no node returns", short(name));
                    self.faults.add(&what, "save it again");
                }
            }
        }
        if graph.output.is_empty() {
            self.faults.add("returns no tensor", "export a module that returns its logits");
        }
        outputs
    }
}

/// The type and shape of an input; the error is the end of a sentence whose subject is the file.
fn input(info: &ValueInfoProto) -> Result<(super::ElementType, Vec<Option<i64>>), String> {
    let shown = short(info.name.as_deref().unwrap_or_default());
    let tensor = info.r#type.as_ref().and_then(|of| of.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| format!("takes the input {shown}, which is no tensor"))?;
    let kind = tensors::element_type(tensor.elem_type.unwrap_or(0))
        .map_err(|kind| format!("takes the input {shown} in the type {kind}, which medcert does not give"))?;
    let shape =
        tensor.shape.as_ref().ok_or_else(|| format!("does not state the shape of its input {shown}"))?;
    if shape.dim.len() > MOST_DIMENSIONS {
        return Err(format!("states {} dimensions for its input {shown}", shape.dim.len()));
    }
    // a negative number is an old way to say that a size may differ, and so is 0 for the number of cases
    let size =
        |(axis, dim): (usize, &schema::Dimension)| dim.dim_value.filter(|size| *size >= i64::from(axis == 0));
    let sizes = shape.dim.iter().enumerate().map(size).collect();
    Ok((kind, sizes))
}

/// A name of the file for messages: quoted, and cut.
fn short(name: &str) -> String {
    if name.chars().count() <= MOST_SHOWN {
        return format!("{name:?}");
    }
    format!("{:?}", name.chars().take(MOST_SHOWN).chain(['…']).collect::<String>())
}
