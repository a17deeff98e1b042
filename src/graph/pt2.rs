//! Reads a file of torch.export (`torch.export.save`, `PyTorch` 2.9 and later): a zip archive with a JSON graph and the raw
//! bytes of the weights.
//!
//! Pickled parts (the sample inputs) are never opened. Everything that is refused is said at once, each fault with the
//! line of Python that exports the model rightly. Format: `PyTorch`'s `torch/export/pt2_archive` and
//! `torch/_export/serde/schema.py`.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::archive::Archive;
use super::operators::{self, Refusal};
use super::pt2_schema::{
    self as schema, Named, OptionalTensor, Payload, Payloads, SymBool, SymFloat, SymInt,
};
use super::{
    Argument, ElementType, Input, MOST_BYTES, MOST_DIMENSIONS, MOST_NODES, MemoryFormat, Node, Operator,
    Output, Program, Returned, ValueId, Weight, Whole, WholeOperator,
};

/// The line of Python that exports a model as medcert reads it.
pub const EXPORT: &str = "torch.export.save(torch.export.export(model.eval(), (x,), dynamic_shapes=({0: \
                          torch.export.Dim.DYNAMIC},)), \"model.pt2\")";
const GRAPH: &str = "models/model.json";
const WEIGHTS: &str = "data/weights/";
const CONSTANTS: &str = "data/constants/";
/// Most bytes of the graph; those of today's largest image models take 10 MiB.
const MOST_JSON: usize = 256 << 20;
/// Faults that a message lists.
const MOST_SHOWN: usize = 20;
/// Calls that only check what is computed.
const ASSERTIONS: [&str; 4] =
    ["_assert_scalar", "_assert_tensor_metadata", "sym_constrain_range", "sym_constrain_range_for_size"];

/// Reads a file's bytes.
///
/// # Errors
/// The archive is broken or holds what medcert does not run; all of it, in lines.
pub fn read(bytes: &[u8]) -> Result<Program, String> {
    let refused = |what: String, remedy: &str| format!("cannot be used: {what}; {remedy}");
    let again = format!("save it again with {EXPORT}");
    let archive = Archive::open(bytes).map_err(|what| refused(what, &again))?;
    let mut faults = Faults::default();
    check_kind(&archive, &mut faults);
    faults.check()?;
    let text = archive.read(GRAPH).ok_or_else(|| refused(format!("it has no {GRAPH}"), &again))?;
    let exported: schema::ExportedProgram = json(GRAPH, text).map_err(|what| refused(what, &again))?;
    if exported.schema_version.major != schema::MAJOR {
        let major = exported.schema_version.major;
        let what = format!(
            "PyTorch {} wrote it with version {major} of the format, and this medcert reads version {}",
            exported.torch_version,
            schema::MAJOR
        );
        return Err(refused(what, "save it again with PyTorch 2.9 to 2.13"));
    }
    let payloads = |folder: &str, table: &str| -> Result<HashMap<String, Payload>, String> {
        let name = format!("{folder}{table}");
        let text = archive.read(&name).ok_or_else(|| refused(format!("it has no {name}"), &again))?;
        let table: Payloads = json(&name, text).map_err(|what| refused(what, &again))?;
        Ok(table.config)
    };
    let weights = payloads(WEIGHTS, "model_weights_config.json")?;
    let constants = payloads(CONSTANTS, "model_constants_config.json")?;
    let reader =
        Reader { archive: &archive, weights, constants, values: HashMap::new(), program: empty(), faults };
    reader.program(exported.graph_module)
}

fn empty() -> Program {
    Program { weights: vec![], inputs: vec![], nodes: vec![], outputs: vec![], values: 0 }
}

fn json<'t, T: serde::Deserialize<'t>>(name: &str, text: &'t [u8]) -> Result<T, String> {
    if text.len() > MOST_JSON {
        return Err(format!("{name} is larger than {} MiB", MOST_JSON >> 20));
    }
    serde_json::from_slice(text).map_err(|why| format!("{name} is not as torch.export writes it ({why})"))
}

/// Refuses archives of other kinds, and parts that hold code or pickles.
fn check_kind(archive: &Archive<'_>, faults: &mut Faults) {
    let names: Vec<&str> = archive.names().collect();
    if names.iter().any(|name| name.starts_with("code/")) || archive.has("constants.pkl") {
        faults.add("is a TorchScript module", &format!("use `torchscript:` for it, or {EXPORT}"));
        return;
    }
    if archive.has("data.pkl") {
        let remedy = format!("load it in Python where you trust it, then {EXPORT}");
        faults.add("is a pickle of PyTorch, which can run code when it is read", &remedy);
        return;
    }
    if names.iter().any(|name| name.starts_with("serialized_")) {
        faults.add(
            "holds pickled weights, as PyTorch 2.8 and earlier wrote them",
            "save it again with PyTorch 2.9 or later",
        );
        return;
    }
    let is = |name: &str, wanted: &[u8]| archive.read(name).is_some_and(|text| text.trim_ascii() == wanted);
    if !is("archive_format", b"pt2") || !is("archive_version", b"0") {
        faults.add(
            "is no archive of torch.export, or one of another version",
            &format!("save it with PyTorch 2.9 to 2.13: {EXPORT}"),
        );
        return;
    }
    if !is("byteorder", b"little") {
        faults.add("was written with the highest byte first", "save it again on an x86 or ARM machine");
    }
    if names.iter().any(|name| name.starts_with("data/aotinductor/")) {
        faults.add(
            "holds compiled code (data/aotinductor)",
            "save the exported program itself, not the package of AOTInductor",
        );
    }
    if names.iter().filter(|name| name.starts_with("models/")).count() > 1 {
        faults.add("holds several models", "save each in a file of its own");
    }
    let custom = |name: &&str| name.starts_with("data/constants/") && name.contains("obj_");
    if let Some(name) = names.iter().find(|name| custom(name)) {
        faults.add(&format!("holds a pickled object ({name})"), "export the model without custom objects");
    }
}

/// What is wrong with a file, each fault once, with the number of times.
#[derive(Debug, Default)]
struct Faults(BTreeMap<Refusal, usize>);

impl Faults {
    fn add(&mut self, what: &str, remedy: &str) {
        *self.0.entry(Refusal::new(what, remedy)).or_default() += 1;
    }

    fn check(&self) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        let lines = self.0.iter().take(MOST_SHOWN).map(|(Refusal { what, remedy }, times)| {
            let times = if *times > 1 { format!(" ({times} times)") } else { String::new() };
            format!("\n- it {what}{times}; {remedy}")
        });
        let left = self.0.len().saturating_sub(MOST_SHOWN);
        let more = if left > 0 { format!("\n- and {left} more faults") } else { String::new() };
        Err(format!("cannot be used:{}{more}", lines.collect::<String>()))
    }
}

struct Reader<'a> {
    archive: &'a Archive<'a>,
    weights: HashMap<String, Payload>,
    constants: HashMap<String, Payload>,
    /// Values by their names in the file.
    values: HashMap<String, ValueId>,
    program: Program,
    faults: Faults,
}

impl Reader<'_> {
    fn program(mut self, module: schema::GraphModule) -> Result<Program, String> {
        let schema::GraphModule { graph, signature } = module;
        if graph.nodes.len() > MOST_NODES {
            self.faults.add(
                &format!("has {} calls, more than {MOST_NODES}", graph.nodes.len()),
                "bring a smaller model",
            );
            self.faults.check()?;
        }
        self.inputs(&signature.input_specs, &graph.tensor_values);
        let nodes = without_idle(graph.nodes, &signature.output_specs);
        for node in nodes {
            if let Some(node) = self.node(node) {
                self.program.nodes.push(node);
            }
        }
        self.outputs(&signature.output_specs, &graph.tensor_values);
        self.faults.check()?;
        mark_last_uses(&mut self.program);
        Ok(self.program)
    }

    fn define(&mut self, name: &str) -> ValueId {
        let id = self.program.values;
        self.program.values += 1;
        if self.values.insert(name.to_string(), id).is_some() {
            self.faults.add(&format!("names two values {name:?}"), "export it again");
        }
        id
    }

    /// Weights are numbered before inputs, wherever the file lists them.
    fn inputs(&mut self, specs: &[schema::InputSpec], shapes: &HashMap<String, schema::TensorMeta>) {
        use schema::InputSpec;
        for spec in specs {
            match spec {
                InputSpec::Parameter { arg, parameter_name } => self.weight(arg, parameter_name, true),
                InputSpec::Buffer { arg, buffer_name } => self.weight(arg, buffer_name, false),
                InputSpec::TensorConstant { arg, tensor_constant_name } => {
                    self.weight(arg, tensor_constant_name, false);
                }
                InputSpec::UserInput { .. } => {}
                InputSpec::CustomObj {} => {
                    self.faults.add("needs a custom object", "export the model without it");
                }
                InputSpec::Token {} => self
                    .faults
                    .add("orders its side effects by tokens", "export the model without side effects"),
                InputSpec::ConstantInput { name } => {
                    let what = format!("was exported with a fixed value for its argument {name:?}");
                    self.faults.add(&what, "export a module whose `forward` takes only tensors");
                }
            }
        }
        for spec in specs {
            let InputSpec::UserInput { arg } = spec else { continue };
            let schema::Argument::AsTensor(Named { name }) = arg else {
                self.faults.add(
                    "takes an argument that is no tensor",
                    "export a module whose `forward` takes only tensors",
                );
                continue;
            };
            self.define(name);
            let meta = shapes.get(name);
            let kind = meta.and_then(|meta| element_type(meta.dtype));
            let (Some(meta), Some(kind)) = (meta, kind) else {
                self.faults.add(&format!("does not say what its input {name:?} is"), "export it again");
                continue;
            };
            let sizes: Vec<Option<u64>> = meta.sizes.iter().map(schema::Size::known).collect();
            if !sizes.first().is_some_and(Option::is_none) {
                let what = format!(
                    "was exported for a fixed number of cases (its input {name:?} is {})",
                    shape(&sizes)
                );
                self.faults.add(&what, &format!("export it with a dynamic first dimension: {EXPORT}"));
            }
            self.program.inputs.push(Input { name: name.clone(), kind, sizes });
        }
    }

    fn weight(&mut self, arg: &Named, name: &str, is_parameter: bool) {
        self.define(&arg.name);
        match self.checked_weight(name, is_parameter) {
            Ok(weight) => self.program.weights.push(weight),
            Err(what) => self.faults.add(&what, "save it again"),
        }
    }

    fn checked_weight(&self, name: &str, is_parameter: bool) -> Result<Weight, String> {
        let tables = [(WEIGHTS, &self.weights), (CONSTANTS, &self.constants)];
        let (folder, payload) = tables
            .iter()
            .find_map(|(folder, table)| table.get(name).map(|payload| (folder, payload)))
            .ok_or_else(|| format!("lacks the weight {name:?}"))?;
        if payload.use_pickle {
            return Err(format!("holds the weight {name:?} as a pickle, which can run code when it is read"));
        }
        let meta = payload
            .tensor_meta
            .as_ref()
            .ok_or_else(|| format!("does not say what the weight {name:?} is"))?;
        let kind = element_type(meta.dtype).ok_or_else(|| {
            format!("has the weight {name:?} in a type that medcert does not read (number {})", meta.dtype)
        })?;
        if meta.layout != STRIDED {
            return Err(format!("has the weight {name:?} in sparse storage"));
        }
        let path = format!("{folder}{}", payload.path_name);
        let bytes = self.archive.place(&path).ok_or_else(|| format!("lacks {path}, the weight {name:?}"))?;
        let known =
            |sizes: &[schema::Size]| sizes.iter().map(schema::Size::known).collect::<Option<Vec<u64>>>();
        let (sizes, strides) = (known(&meta.sizes), known(&meta.strides));
        let (Some(sizes), Some(strides), Some(offset)) = (sizes, strides, meta.storage_offset.known()) else {
            return Err(format!("has no shape of whole numbers for the weight {name:?}"));
        };
        if sizes.len() != strides.len() || sizes.len() > MOST_DIMENSIONS {
            return Err(format!(
                "has {} sizes and {} strides for the weight {name:?}",
                sizes.len(),
                strides.len()
            ));
        }
        let elements = sizes.iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
        let span = sizes.iter().zip(&strides).try_fold(offset, |last, (size, stride)| {
            last.checked_add(size.saturating_sub(1).checked_mul(*stride)?)
        });
        let held = bytes.len() as u64 / kind.size();
        let fits = match (elements, span) {
            (Some(0), Some(_)) => true,
            (Some(elements), Some(last)) => elements <= MOST_BYTES / kind.size() && last < held,
            (None, _) | (_, None) => false,
        };
        if !fits {
            return Err(format!(
                "states the shape {sizes:?} for the weight {name:?}, which its {} bytes do not hold",
                bytes.len()
            ));
        }
        Ok(Weight { name: name.to_string(), is_parameter, kind, sizes, strides, offset, bytes })
    }

    fn node(&mut self, node: schema::Node) -> Option<Node> {
        let operator = self.operator(&node.target);
        if operator.is_none() {
            // what it returns is known, so that later calls are not blamed
            for output in node.outputs {
                drop(self.output(output));
            }
            return None;
        }
        let mut arguments = Vec::with_capacity(node.inputs.len());
        for schema::NamedArgument { name, arg } in node.inputs {
            match self.argument(arg) {
                Ok(argument) => arguments.push((name, argument)),
                Err(what) => self
                    .faults
                    .add(&format!("calls {} with {what}", node.target), "write the model without it"),
            }
        }
        if let Some(Operator::Aten { name, overload }) = &operator {
            if let Some(Refusal { what, remedy }) = operators::refusal(name, overload, &arguments) {
                self.faults.add(&what, &remedy);
            }
            let kept = self.program.weights.len() + self.program.inputs.len();
            if operators::writes(name)
                && matches!(arguments.first(), Some((_, Argument::Value(id))) if *id < kept)
            {
                let what = format!("changes a weight or an input in place ({})", node.target);
                self.faults.add(&what, "export it after `model.eval()`, without counters");
            }
        }
        let mut outputs = Vec::with_capacity(node.outputs.len());
        for output in node.outputs {
            match self.output(output) {
                Ok(output) => outputs.push(output),
                Err(what) => self.faults.add(
                    &format!("calls {}, which returns {what}", node.target),
                    "write the model without it",
                ),
            }
        }
        if let Some(Operator::Whole(whole)) = &operator
            && (arguments.len() != whole.arity() || outputs.len() != 1)
        {
            self.faults
                .add(&format!("calls {} with {} arguments", node.target, arguments.len()), "export it again");
        }
        Some(Node { operator: operator?, arguments, outputs, last_uses: vec![] })
    }

    fn operator(&mut self, target: &str) -> Option<Operator> {
        if let Some(whole) = WholeOperator::ALL.iter().find(|whole| whole.target() == target) {
            return Some(Operator::Whole(*whole));
        }
        if let Some((name, overload)) =
            target.strip_prefix("torch.ops.aten.").and_then(|rest| rest.split_once('.'))
        {
            let overload = if overload == "default" { "" } else { overload };
            return Some(Operator::Aten { name: name.to_string(), overload: overload.to_string() });
        }
        let remedy = if let Some(order) = target.strip_prefix("torch.ops.higher_order.") {
            match order {
                "wrap_with_set_grad_enabled" => "export it without `torch.no_grad()` inside `forward`",
                "wrap_with_autocast" => "export it without `torch.autocast` inside `forward`",
                _ => "write the model without control flow inside `forward`",
            }
        } else if target.starts_with("torch.ops.") {
            "write the model with PyTorch's own operators; those of other libraries are code that medcert does not have"
        } else {
            "write the model with PyTorch's own operators on tensors"
        };
        self.faults.add(&format!("calls {target}"), remedy);
        None
    }

    fn value(&self, name: &str) -> Result<ValueId, String> {
        self.values
            .get(name)
            .copied()
            .ok_or_else(|| format!("the value {name:?}, which nothing before it returns"))
    }

    fn argument(&self, argument: schema::Argument) -> Result<Argument, String> {
        use schema::Argument as Written;
        let optional = |tensor: &OptionalTensor| match tensor {
            OptionalTensor::AsTensor(of) => self.value(&of.name).map(Some),
            OptionalTensor::AsNone(_) => Ok(None),
        };
        Ok(match argument {
            Written::AsNone(_) => Argument::None,
            Written::AsTensor(of) => Argument::Value(self.value(&of.name)?),
            Written::AsTensors(names) => Argument::Values(
                names.iter().map(|of| self.value(&of.name).map(Some)).collect::<Result<_, _>>()?,
            ),
            Written::AsOptionalTensors(tensors) => {
                Argument::Values(tensors.iter().map(optional).collect::<Result<_, _>>()?)
            }
            Written::AsOptionalTensor(tensor) => optional(&tensor)?.map_or(Argument::None, Argument::Value),
            Written::AsInts(values) => Argument::Wholes(values.into_iter().map(Whole::Known).collect()),
            Written::AsInt(value) | Written::AsSymInt(SymInt::AsInt(value)) => Argument::Whole(value),
            Written::AsSymInt(SymInt::AsName(name))
            | Written::AsSymFloat(SymFloat::AsName(name))
            | Written::AsSymBool(SymBool::AsName(name)) => Argument::Value(self.value(&name)?),
            Written::AsSymInts(values) => {
                let whole = |value: &SymInt| match value {
                    SymInt::AsInt(value) => Ok(Whole::Known(*value)),
                    SymInt::AsName(name) => self.value(name).map(Whole::Value),
                };
                Argument::Wholes(values.iter().map(whole).collect::<Result<_, String>>()?)
            }
            Written::AsFloat(real) | Written::AsSymFloat(SymFloat::AsFloat(real)) => Argument::Real(real.0),
            Written::AsFloats(reals) => Argument::Reals(reals.iter().map(|real| real.0).collect()),
            Written::AsSymFloats(reals) => {
                let known = |real: &SymFloat| match real {
                    SymFloat::AsFloat(real) => Some(real.0),
                    SymFloat::AsName(_) => None,
                };
                Argument::Reals(
                    reals.iter().map(known).collect::<Option<_>>().ok_or("computed numbers in a list")?,
                )
            }
            Written::AsBool(truth) | Written::AsSymBool(SymBool::AsBool(truth)) => Argument::Truth(truth),
            Written::AsBools(truths) => Argument::Truths(truths),
            Written::AsString(text) => Argument::Text(text),
            Written::AsScalarType(number) => Argument::Kind(
                element_type(number).ok_or_else(|| format!("the type of elements number {number}"))?,
            ),
            Written::AsMemoryFormat(number) => Argument::MemoryFormat(
                memory_format(number).ok_or_else(|| format!("the memory format number {number}"))?,
            ),
            Written::AsLayout(STRIDED) => Argument::Strided,
            Written::AsLayout(_) => return Err("sparse storage".into()),
            Written::AsDevice(_) => Argument::Device,
            Written::AsSymBools(_) => return Err("computed truth values in a list".into()),
            Written::AsStrings(_) => return Err("a list of texts".into()),
            Written::AsGraph(_) => return Err("a graph of its own".into()),
            Written::AsCustomObj(_) => return Err("a custom object".into()),
            Written::AsOperator(name) => return Err(format!("the operator {name}")),
            Written::AsComplex(_) => return Err("a complex number".into()),
            Written::AsNestedTensors(_) | Written::AsIntLists(_) | Written::AsFloatLists(_) => {
                return Err("lists in a list".into());
            }
            Written::AsStringToArgument(_) => return Err("a table of arguments".into()),
        })
    }

    fn output(&mut self, output: schema::Argument) -> Result<Output, String> {
        use schema::Argument as Written;
        match output {
            Written::AsTensor(of) | Written::AsOptionalTensor(OptionalTensor::AsTensor(of)) => {
                Ok(Output::One(self.define(&of.name)))
            }
            Written::AsSymInt(SymInt::AsName(name))
            | Written::AsSymFloat(SymFloat::AsName(name))
            | Written::AsSymBool(SymBool::AsName(name)) => Ok(Output::One(self.define(&name))),
            Written::AsTensors(names) => {
                Ok(Output::Several(names.iter().map(|of| self.define(&of.name)).collect()))
            }
            Written::AsNone(_)
            | Written::AsOptionalTensor(OptionalTensor::AsNone(_))
            | Written::AsInt(_)
            | Written::AsFloat(_)
            | Written::AsBool(_)
            | Written::AsSymInt(SymInt::AsInt(_))
            | Written::AsSymFloat(SymFloat::AsFloat(_))
            | Written::AsSymBool(SymBool::AsBool(_)) => Ok(Output::Unread),
            other => Err(format!("something that is no tensor ({other:?})").chars().take(120).collect()),
        }
    }

    fn outputs(&mut self, specs: &[schema::OutputSpec], shapes: &HashMap<String, schema::TensorMeta>) {
        use schema::OutputSpec;
        for spec in specs {
            match spec {
                OutputSpec::UserOutput { arg: schema::Argument::AsTensor(of) } => {
                    match self.value(&of.name) {
                        Ok(value) => {
                            let meta = shapes.get(&of.name);
                            let sizes = meta.map(|meta| meta.sizes.iter().map(schema::Size::known).collect());
                            self.program.outputs.push(Returned { value, sizes: sizes.unwrap_or_default() });
                        }
                        Err(what) => self.faults.add(&format!("returns {what}"), "export it again"),
                    }
                }
                OutputSpec::UserOutput { .. } => {
                    self.faults.add(
                        "returns something that is no tensor",
                        "export a module that returns its logits alone",
                    );
                }
                OutputSpec::BufferMutation { buffer_name: name }
                | OutputSpec::ParameterMutation { parameter_name: name } => {
                    let what = format!("changes its own weights while it is called ({name})");
                    self.faults
                        .add(&what, "export it after `model.eval()`, without counters or running statistics");
                }
                OutputSpec::UserInputMutation { user_input_name: name } => {
                    let what = format!("changes its input {name:?}");
                    self.faults.add(&what, "write `forward` without operations in place on its arguments");
                }
                OutputSpec::LossOutput {}
                | OutputSpec::GradientToParameter {}
                | OutputSpec::GradientToUserInput {} => {
                    self.faults.add(
                        "was exported for training, with its loss",
                        "export the model alone, after `model.eval()`",
                    );
                }
                OutputSpec::Token {} => self
                    .faults
                    .add("orders its side effects by tokens", "export the model without side effects"),
            }
        }
        if self.program.outputs.is_empty() {
            self.faults.add("returns no tensor", "export a module that returns its logits");
        }
    }
}

/// Dense storage, in the file's numbering.
const STRIDED: i64 = 7;

fn element_type(number: i64) -> Option<ElementType> {
    ElementType::ALL.iter().copied().find(|kind| kind.exported() == number)
}

fn memory_format(number: i64) -> Option<MemoryFormat> {
    match number {
        1 => Some(MemoryFormat::Contiguous),
        2 => Some(MemoryFormat::ChannelsLast),
        3 => Some(MemoryFormat::ChannelsLast3d),
        4 => Some(MemoryFormat::Preserve),
        _ => None,
    }
}

/// A shape in words, with `?` for what may change.
pub fn shape(sizes: &[Option<u64>]) -> String {
    let sizes: Vec<String> =
        sizes.iter().map(|size| size.map_or("?".to_string(), |size| size.to_string())).collect();
    format!("[{}]", sizes.join(", "))
}

/// The calls without assertions, and without the arithmetic that only they read.
fn without_idle(nodes: Vec<schema::Node>, outputs: &[schema::OutputSpec]) -> Vec<schema::Node> {
    let mut read: HashSet<String> = HashSet::new();
    for output in outputs {
        if let schema::OutputSpec::UserOutput { arg } = output {
            read.extend(names(arg).map(str::to_string));
        }
    }
    let mut kept: Vec<schema::Node> = Vec::with_capacity(nodes.len());
    for node in nodes.into_iter().rev() {
        let aten = node.target.strip_prefix("torch.ops.aten.").and_then(|rest| rest.split('.').next());
        let is_idle = match aten {
            Some(name) => ASSERTIONS.contains(&name),
            None => {
                !node.target.starts_with("torch.ops.")
                    && !node.outputs.iter().flat_map(names).any(|name| read.contains(name))
            }
        };
        if !is_idle {
            read.extend(node.inputs.iter().flat_map(|input| names(&input.arg)).map(str::to_string));
            kept.push(node);
        }
    }
    kept.reverse();
    kept
}

/// The values that an argument names.
fn names(argument: &schema::Argument) -> Box<dyn Iterator<Item = &str> + '_> {
    use schema::Argument as Written;
    match argument {
        Written::AsTensor(of) | Written::AsOptionalTensor(OptionalTensor::AsTensor(of)) => {
            Box::new(std::iter::once(of.name.as_str()))
        }
        Written::AsTensors(all) => Box::new(all.iter().map(|of| of.name.as_str())),
        Written::AsOptionalTensors(all) => Box::new(all.iter().filter_map(|tensor| match tensor {
            OptionalTensor::AsTensor(of) => Some(of.name.as_str()),
            OptionalTensor::AsNone(_) => None,
        })),
        Written::AsSymInt(SymInt::AsName(name))
        | Written::AsSymFloat(SymFloat::AsName(name))
        | Written::AsSymBool(SymBool::AsName(name)) => Box::new(std::iter::once(name.as_str())),
        Written::AsSymInts(all) => Box::new(all.iter().filter_map(|size| match size {
            SymInt::AsName(name) => Some(name.as_str()),
            SymInt::AsInt(_) => None,
        })),
        Written::AsSymBools(all) => Box::new(all.iter().filter_map(|truth| match truth {
            SymBool::AsName(name) => Some(name.as_str()),
            SymBool::AsBool(_) => None,
        })),
        Written::AsSymFloats(all) => Box::new(all.iter().filter_map(|real| match real {
            SymFloat::AsName(name) => Some(name.as_str()),
            SymFloat::AsFloat(_) => None,
        })),
        Written::AsNone(_)
        | Written::AsOptionalTensor(OptionalTensor::AsNone(_))
        | Written::AsInt(_)
        | Written::AsInts(_)
        | Written::AsFloat(_)
        | Written::AsFloats(_)
        | Written::AsString(_)
        | Written::AsStrings(_)
        | Written::AsSymInt(SymInt::AsInt(_))
        | Written::AsScalarType(_)
        | Written::AsMemoryFormat(_)
        | Written::AsLayout(_)
        | Written::AsDevice(_)
        | Written::AsBool(_)
        | Written::AsBools(_)
        | Written::AsSymBool(SymBool::AsBool(_))
        | Written::AsGraph(_)
        | Written::AsCustomObj(_)
        | Written::AsOperator(_)
        | Written::AsSymFloat(SymFloat::AsFloat(_))
        | Written::AsComplex(_)
        | Written::AsNestedTensors(_)
        | Written::AsIntLists(_)
        | Written::AsStringToArgument(_)
        | Written::AsFloatLists(_) => Box::new(std::iter::empty()),
    }
}

/// Writes beside each call which values no later call reads, so that their memory is freed.
fn mark_last_uses(program: &mut Program) {
    let kept = program.weights.len();
    let mut seen: HashSet<ValueId> = program.outputs.iter().map(|returned| returned.value).collect();
    for node in program.nodes.iter_mut().rev() {
        let mut values: Vec<ValueId> =
            node.arguments.iter().flat_map(|(_, argument)| read_by(argument)).collect();
        values.extend(node.outputs.iter().flat_map(|output| match output {
            Output::One(id) => vec![*id],
            Output::Several(ids) => ids.clone(),
            Output::Unread => vec![],
        }));
        for id in values {
            if id >= kept && seen.insert(id) {
                node.last_uses.push(id);
            }
        }
    }
}

fn read_by(argument: &Argument) -> Vec<ValueId> {
    match argument {
        Argument::Value(id) => vec![*id],
        Argument::Values(ids) => ids.iter().flatten().copied().collect(),
        Argument::Wholes(wholes) => wholes
            .iter()
            .filter_map(|whole| match whole {
                Whole::Value(id) => Some(*id),
                Whole::Known(_) => None,
            })
            .collect(),
        Argument::None
        | Argument::Whole(_)
        | Argument::Real(_)
        | Argument::Reals(_)
        | Argument::Truth(_)
        | Argument::Truths(_)
        | Argument::Text(_)
        | Argument::Kind(_)
        | Argument::Device
        | Argument::Strided
        | Argument::MemoryFormat(_) => vec![],
    }
}
