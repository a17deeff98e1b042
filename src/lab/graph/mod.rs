//! Runs a user's network that is data ([`crate::graph`]). Its calls go to libtorch's dispatcher by name, so that no
//! operator has to be implemented here, and libtorch computes the gradient.

mod call;

use std::ffi::CString;

use call::{Called, Given, Value};

use super::tensor::{self, Device, Kind, Tensor};
use crate::graph::operators::{self, RANDOM_ON_DEMAND};
use crate::graph::{
    Argument, ElementType, MemoryFormat, Node, Operator, Output, Program, Returned, ValueId, Weight, Whole,
    WholeOperator,
};
use crate::{Error, Result};

/// Dense storage (`c10::Layout::Strided`).
const STRIDED: i64 = 0;

/// A network, ready to run.
#[derive(Debug)]
pub struct Graph {
    weights: Vec<Tensor>,
    inputs: usize,
    steps: Vec<Step>,
    outputs: Vec<Returned>,
    values: usize,
    /// Number of elements of all parameters.
    pub parameters: u64,
}

/// A call with its operator looked up.
#[derive(Debug)]
struct Step {
    node: Node,
    action: Action,
}

#[derive(Debug)]
enum Action {
    /// An operator, the names of its arguments, and its name for messages.
    Call(Called, Vec<CString>, String),
    Whole(WholeOperator),
}

impl Graph {
    /// Prepares a program; `bytes` is its file.
    ///
    /// # Errors
    /// libtorch lacks an operator, or an operator needs something that a user's network may not use. The message
    /// lists all such calls, one a line. Or a weight is not valid.
    pub fn new(program: Program, bytes: &[u8]) -> Result<Self> {
        let parameters = program.parameters();
        let weights =
            program.weights.iter().map(|weight| load(weight, bytes)).collect::<Result<Vec<Tensor>>>()?;
        let mut faults: Vec<String> = Vec::new();
        let mut steps = Vec::with_capacity(program.nodes.len());
        for node in program.nodes {
            match action(&node) {
                Ok(action) => steps.push(Step { node, action }),
                Err(fault) if faults.contains(&fault) => {}
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(Error::Input(format!("cannot be used:\n- {}", faults.join("\n- "))));
        }
        let (inputs, outputs, values) = (program.inputs.len(), program.outputs, program.values);
        Ok(Self { weights, inputs, steps, outputs, values, parameters })
    }

    /// Runs the network on its inputs.
    ///
    /// # Errors
    /// There are too few or too many inputs, or libtorch refuses a call; the message names the call as the file does.
    pub fn run(&self, inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
        if inputs.len() != self.inputs {
            return Err(Error::Input(format!(
                "takes {} tensors, and is given {}",
                self.inputs,
                inputs.len()
            )));
        }
        let mut values = Values { weights: &self.weights, others: Vec::new() };
        values.others.resize_with(self.values - self.weights.len(), || Value::Nothing);
        for (place, input) in inputs.iter().enumerate() {
            values.others[place] = Value::Tensor(input.shallow_clone());
        }
        for step in &self.steps {
            values.advance(step)?;
        }
        self.outputs.iter().map(|returned| values.tensor(returned.value).map(Tensor::shallow_clone)).collect()
    }

    /// A digest of all weights, which shows whether a call has changed one.
    pub fn state(&self) -> Result<blake3::Hash> {
        let mut hasher = blake3::Hasher::new();
        for weight in &self.weights {
            let flat = weight.f_to_device(Device::Cpu)?.f_contiguous()?.f_reshape([-1])?;
            // f64 holds every element exactly, except the largest numbers of i64
            for value in Vec::<f64>::try_from(&flat.f_to_kind(Kind::Double)?)? {
                hasher.update(&value.to_bits().to_le_bytes());
            }
        }
        Ok(hasher.finalize())
    }
}

fn action(node: &Node) -> std::result::Result<Action, String> {
    let (name, overload) = match &node.operator {
        Operator::Whole(operator) => return Ok(Action::Whole(*operator)),
        Operator::Aten { name, overload } => (name, overload),
    };
    let shown = operators::shown(name, overload);
    let called = Called::find(name, overload).map_err(|_| {
        format!("it calls {shown}, which this libtorch does not have; export it with PyTorch {}", "2.13")
    })?;
    let draws = called.may_be_random && !RANDOM_ON_DEMAND.contains(&name.as_str());
    if called.takes_state || draws {
        return Err(format!(
            "it calls {shown}, which takes a generator, a storage or a stream; export it after `model.eval()`, without \
             dropout or noise"
        ));
    }
    let names = node.arguments.iter().map(|(name, _)| CString::new(name.as_str()));
    let names = names.collect::<std::result::Result<Vec<CString>, _>>();
    let names = names.map_err(|_| {
        format!("it calls {shown} with an argument whose name holds a zero byte; export it again")
    })?;
    Ok(Action::Call(called, names, shown))
}

/// Makes a weight's tensor on the device, without a gradient.
fn load(weight: &Weight, bytes: &[u8]) -> Result<Tensor> {
    let lost = || Error::Bug(format!("the weight {} lies outside its file", weight.name));
    let bytes = bytes.get(weight.bytes.clone()).ok_or_else(lost)?;
    let kind = kind_of(weight.kind);
    let whole = |values: &[u64]| values.iter().map(|value| *value as i64).collect::<Vec<i64>>();
    let elements = bytes.len() / weight.kind.size() as usize;
    let bytes = &bytes[..elements * weight.kind.size() as usize];
    if weight.elements() == 0 {
        return Ok(Tensor::f_zeros(whole(&weight.sizes), (kind, tensor::device()))?);
    }
    // libtorch's truth values are bytes of 0 or 1; any other byte is undefined
    if weight.kind == ElementType::Bool && bytes.iter().any(|byte| *byte > 1) {
        return Err(Error::Input(format!(
            "has a truth value that is neither 0 nor 1 in {:?}; save it again",
            weight.name
        )));
    }
    let storage = Tensor::f_from_data_size(bytes, &[elements as i64], kind)?;
    let view = storage.f_as_strided(whole(&weight.sizes), whole(&weight.strides), weight.offset as i64)?;
    let tensor = view.f_to_device(tensor::device())?;
    let is_finite = !weight.is_parameter || !weight_is_real(weight.kind) || finite(&tensor)?;
    if !is_finite {
        return Err(Error::Input(format!("holds NaN or infinity in {:?}; save finite weights", weight.name)));
    }
    Ok(tensor)
}

fn finite(tensor: &Tensor) -> Result<bool> {
    Ok(tensor::value(&tensor.f_isfinite()?.f_all()?)? != 0.0)
}

fn weight_is_real(kind: ElementType) -> bool {
    match kind {
        ElementType::Half | ElementType::Float | ElementType::Double | ElementType::BFloat16 => true,
        ElementType::Byte
        | ElementType::Char
        | ElementType::Short
        | ElementType::Int
        | ElementType::Long
        | ElementType::Bool => false,
    }
}

fn kind_of(kind: ElementType) -> Kind {
    match kind {
        ElementType::Byte => Kind::Uint8,
        ElementType::Char => Kind::Int8,
        ElementType::Short => Kind::Int16,
        ElementType::Int => Kind::Int,
        ElementType::Long => Kind::Int64,
        ElementType::Half => Kind::Half,
        ElementType::Float => Kind::Float,
        ElementType::Double => Kind::Double,
        ElementType::Bool => Kind::Bool,
        ElementType::BFloat16 => Kind::BFloat16,
    }
}

/// The values of one run: the weights, and results that are still to be read.
struct Values<'g> {
    weights: &'g [Tensor],
    others: Vec<Value>,
}

impl Values<'_> {
    fn advance(&mut self, step: &Step) -> Result<()> {
        match &step.action {
            Action::Whole(operator) => {
                let arguments = step.node.arguments.iter().map(|(_, argument)| self.whole(argument));
                let arguments = arguments.collect::<Result<Vec<i64>>>()?;
                let result = operator.apply(&arguments).ok_or_else(|| {
                    Error::Input(format!(
                        "calls {} with {arguments:?}, which has no result",
                        operator.target()
                    ))
                })?;
                self.keep(&step.node.outputs, vec![Value::Whole(result)])?;
            }
            Action::Call(called, names, shown) => {
                let given = step.node.arguments.iter().map(|(_, argument)| self.given(argument));
                let given = given.collect::<Result<Vec<Given<'_>>>>()?;
                let results = called.call(names, &given).map_err(|why| refused(shown, &why))?;
                drop(given);
                self.keep(&step.node.outputs, results)?;
            }
        }
        for id in &step.node.last_uses {
            let place = self.place(*id)?;
            self.others[place] = Value::Nothing;
        }
        Ok(())
    }

    fn keep(&mut self, outputs: &[Output], results: Vec<Value>) -> Result<()> {
        let odd = || {
            Error::Input("holds a call that returns other values than the file says; export it again".into())
        };
        // the file gives an operator without results either no output or one that is nothing
        if results.len() < outputs.iter().filter(|output| **output != Output::Unread).count() {
            return Err(odd());
        }
        for (output, result) in outputs.iter().zip(results) {
            match (output, result) {
                (Output::Unread, _) => {}
                (Output::One(id), result) => {
                    let place = self.place(*id)?;
                    self.others[place] = result;
                }
                (Output::Several(ids), Value::Tensors(tensors)) if ids.len() == tensors.len() => {
                    for (id, tensor) in ids.iter().zip(tensors) {
                        let place = self.place(*id)?;
                        self.others[place] = Value::Tensor(tensor);
                    }
                }
                (Output::Several(_), _) => return Err(odd()),
            }
        }
        Ok(())
    }

    /// The place of a value that is not a weight.
    fn place(&self, id: ValueId) -> Result<usize> {
        let place = id.checked_sub(self.weights.len()).filter(|place| *place < self.others.len());
        place.ok_or_else(|| Error::Bug("a value of a graph has no place".into()))
    }

    fn value(&self, id: ValueId) -> Result<Given<'_>> {
        if let Some(weight) = self.weights.get(id) {
            return Ok(Given::Tensor(weight));
        }
        Ok(match &self.others[self.place(id)?] {
            Value::Nothing => Given::None,
            Value::Tensor(tensor) => Given::Tensor(tensor),
            Value::Tensors(tensors) => Given::Tensors(tensors.iter().map(Some).collect()),
            Value::Whole(value) => Given::Whole(*value),
            Value::Real(value) => Given::Real(*value),
            Value::Truth(value) => Given::Truth(*value),
        })
    }

    fn tensor(&self, id: ValueId) -> Result<&Tensor> {
        if let Some(weight) = self.weights.get(id) {
            return Ok(weight);
        }
        match &self.others[self.place(id)?] {
            Value::Tensor(tensor) => Ok(tensor),
            Value::Nothing | Value::Tensors(_) | Value::Whole(_) | Value::Real(_) | Value::Truth(_) => {
                Err(Error::Input("reads a tensor where the file has none; export it again".into()))
            }
        }
    }

    fn whole(&self, argument: &Argument) -> Result<i64> {
        let given = self.given(argument)?;
        let Given::Whole(value) = given else {
            return Err(Error::Input(
                "computes a size from something that is no whole number; export it again".into(),
            ));
        };
        Ok(value)
    }

    fn given<'v>(&'v self, argument: &'v Argument) -> Result<Given<'v>> {
        Ok(match argument {
            Argument::None => Given::None,
            Argument::Value(id) => self.value(*id)?,
            Argument::Values(ids) => {
                let tensor = |id: &Option<ValueId>| id.map(|id| self.tensor(id)).transpose();
                Given::Tensors(ids.iter().map(tensor).collect::<Result<_>>()?)
            }
            Argument::Whole(value) => Given::Whole(*value),
            Argument::Wholes(values) => {
                let whole = |value: &Whole| match value {
                    Whole::Known(value) => Ok(*value),
                    Whole::Value(id) => self.whole(&Argument::Value(*id)),
                };
                Given::Wholes(values.iter().map(whole).collect::<Result<_>>()?)
            }
            Argument::Real(value) => Given::Real(*value),
            Argument::Reals(values) => Given::Reals(values),
            Argument::Truth(value) => Given::Truth(*value),
            Argument::Truths(values) => Given::Truths(values),
            Argument::Text(text) => Given::Text(text),
            Argument::Kind(kind) => Given::Whole(kind.libtorch()),
            Argument::Device => Given::Device,
            Argument::Strided => Given::Whole(STRIDED),
            // c10::MemoryFormat's numbers
            Argument::MemoryFormat(format) => Given::Whole(match format {
                MemoryFormat::Contiguous => 0,
                MemoryFormat::Preserve => 1,
                MemoryFormat::ChannelsLast => 2,
                MemoryFormat::ChannelsLast3d => 3,
            }),
        })
    }
}

/// Turns libtorch's message about a call into an error: the memory or the device failed, or the call does not fit its
/// arguments.
fn refused(shown: &str, why: &str) -> Error {
    match Error::from(tch::TchError::Torch(why.to_string())) {
        Error::Bug(_) => Error::Input(format!("calls {shown}, which libtorch refuses ({why})")),
        other => other,
    }
}
