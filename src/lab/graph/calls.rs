//! Runs a list of calls on numbered values: the weights, the inputs, and the results of earlier calls.

use std::ffi::CString;

use super::call::{Called, Given, Value};
use crate::graph::operators::{self, RANDOM_ON_DEMAND};
use crate::graph::{Argument, MemoryFormat, Node, Operator, Output, Part, ValueId, Whole, WholeOperator};
use crate::lab::tensor::Tensor;
use crate::{Error, Result};

/// Dense storage (`c10::Layout::Strided`).
const STRIDED: i64 = 0;

/// Calls with their operators looked up.
#[derive(Debug)]
pub(super) struct Calls {
    inputs: Vec<ValueId>,
    steps: Vec<Step>,
    outputs: Vec<ValueId>,
    /// Number of values that are no weights.
    others: usize,
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

impl Calls {
    /// Looks up the operators of a part of a program, which has `values` values of which the first `weights` are weights.
    ///
    /// # Errors
    /// libtorch lacks an operator, or an operator needs something that a user's network may not use. The message
    /// lists all such calls, one a line.
    pub fn new(part: Part, weights: usize, values: usize) -> Result<Self> {
        let mut faults: Vec<String> = Vec::new();
        let mut steps = Vec::with_capacity(part.nodes.len());
        for node in part.nodes {
            match action(&node) {
                Ok(action) => steps.push(Step { node, action }),
                Err(fault) if faults.contains(&fault) => {}
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(Error::Input(format!("cannot be used:\n- {}", faults.join("\n- "))));
        }
        Ok(Self { inputs: part.inputs, steps, outputs: part.outputs, others: values - weights })
    }

    /// The outputs for some inputs.
    ///
    /// # Errors
    /// There are too few or too many inputs, or libtorch refuses a call; the message names the call as the file does.
    pub fn run(&self, weights: &[Tensor], inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
        if inputs.len() != self.inputs.len() {
            return Err(Error::Input(format!(
                "takes {} tensors, and is given {}",
                self.inputs.len(),
                inputs.len()
            )));
        }
        let mut values = Values { weights, others: Vec::new() };
        values.others.resize_with(self.others, || Value::Nothing);
        for (id, input) in self.inputs.iter().zip(inputs) {
            let place = values.place(*id)?;
            values.others[place] = Value::Tensor(input.shallow_clone());
        }
        for step in &self.steps {
            values.advance(step)?;
        }
        self.outputs.iter().map(|id| values.tensor(*id).map(Tensor::shallow_clone)).collect()
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
