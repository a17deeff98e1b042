//! The program of a model while it is read: its weights, its calls, and the values that become weights or calls where
//! something reads them.

use std::collections::HashMap;

use super::tensors::Tensor;
use super::values::{Known, Number, Place, bytes_of};
use crate::graph::{
    Argument, ElementType, Input, Node, Operator, Output, Program, Returned, ValueId, Weight, Whole,
    WholeOperator, last_uses,
};

/// While a model is read, weights, inputs and results are numbered from these, because how many there are is not known.
const FIRST_INPUT: ValueId = 1 << 28;
const FIRST_RESULT: ValueId = 1 << 29;
/// Limit on the bytes of constants that the file does not hold.
const MOST_MADE: usize = 1 << 27;
/// Limit on the whole numbers that are read from a tensor while the model runs.
const MOST_READ: i64 = 64;

/// A program while it is read.
#[derive(Debug, Default)]
pub(super) struct Build {
    initializers: Vec<Tensor>,
    /// Initializers that became weights.
    loaded: HashMap<usize, ValueId>,
    weights: Vec<Weight>,
    /// The bytes of all weights.
    bytes: Vec<u8>,
    /// Bytes of constants that the file does not hold.
    made: usize,
    inputs: Vec<Input>,
    nodes: Vec<Node>,
    results: usize,
    /// Sizes that a call already reads, by value and dimension.
    sizes: HashMap<(ValueId, usize), ValueId>,
}

impl Build {
    /// Adds an input of the model.
    pub fn input(&mut self, name: &str, kind: ElementType, sizes: Vec<Option<i64>>) -> Known {
        let id = FIRST_INPUT + self.inputs.len();
        let known = sizes.iter().map(|size| size.map(|size| size as u64)).collect();
        self.inputs.push(Input { name: name.to_string(), kind, sizes: known });
        Known::tensor(kind, sizes, id)
    }

    /// Adds a tensor of the file.
    pub fn initializer(&mut self, tensor: Tensor) -> Known {
        let numbers = super::values::numbers_of(&tensor);
        let sizes = tensor.sizes.iter().map(|size| Some(*size as i64)).collect();
        let place = Place::Initializer(self.initializers.len());
        let kind = tensor.kind;
        self.initializers.push(tensor);
        Known { kind, sizes, place, numbers }
    }

    /// The number of calls so far.
    pub fn calls(&self) -> usize {
        self.nodes.len()
    }

    /// The value as a tensor of the program.
    pub fn tensor(&mut self, known: &Known) -> ValueId {
        match known.place {
            Place::Value(id) => id,
            Place::Initializer(place) => {
                if let Some(id) = self.loaded.get(&place) {
                    return *id;
                }
                let tensor = self.initializers[place].clone();
                let is_parameter = super::values::is_parameter(&tensor);
                let id = self.weight(&tensor.name, is_parameter, tensor.kind, tensor.sizes, &tensor.bytes);
                self.loaded.insert(place, id);
                id
            }
            Place::Numbers => self.tensor_of_numbers(known),
        }
    }

    /// The value as an argument.
    pub fn given(&mut self, known: &Known) -> Argument {
        Argument::Value(self.tensor(known))
    }

    fn weight(
        &mut self,
        name: &str,
        is_parameter: bool,
        kind: ElementType,
        sizes: Vec<u64>,
        bytes: &[u8],
    ) -> ValueId {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let strides = (0..sizes.len())
            .map(|axis| sizes[axis + 1..].iter().fold(1_u64, |product, size| product.saturating_mul(*size)))
            .collect();
        let name = name.to_string();
        let bytes = start..self.bytes.len();
        self.weights.push(Weight { name, is_parameter, kind, sizes, strides, offset: 0, bytes });
        self.weights.len() - 1
    }

    /// A constant tensor, made while the model is read.
    pub fn constant(&mut self, kind: ElementType, sizes: &[i64], numbers: &[f64]) -> Result<ValueId, String> {
        let number = |value: &f64| match kind {
            ElementType::Float | ElementType::Double => Number::Real(*value),
            ElementType::Long
            | ElementType::Int
            | ElementType::Bool
            | ElementType::Byte
            | ElementType::Char
            | ElementType::Short
            | ElementType::Half
            | ElementType::BFloat16 => super::values::whole(*value as i64),
        };
        let numbers: Vec<Number> = numbers.iter().map(number).collect();
        let bytes = numbers.iter().map(|number| bytes_of(kind, *number)).collect::<Option<Vec<Vec<u8>>>>();
        let bytes = bytes.ok_or("a number that does not fit its type")?.concat();
        self.made += bytes.len();
        if self.made > MOST_MADE {
            return Err("more constants than a reasonable model needs".to_string());
        }
        let sizes = sizes.iter().map(|size| *size as u64).collect();
        Ok(self.weight("a constant", false, kind, sizes, &bytes))
    }

    fn tensor_of_numbers(&mut self, known: &Known) -> ValueId {
        let numbers = known.numbers.clone().unwrap_or_default();
        let sizes = known.shape().unwrap_or_default();
        if let Some(bytes) =
            numbers.iter().map(|number| bytes_of(known.kind, *number)).collect::<Option<Vec<Vec<u8>>>>()
        {
            let sizes = sizes.iter().map(|size| *size as u64).collect();
            return self.weight("a constant", false, known.kind, sizes, &bytes.concat());
        }
        let mut scalars = Vec::new();
        for number in numbers {
            let value = match number {
                Number::Whole(whole) => argument(whole),
                Number::Real(value) => Argument::Real(value),
            };
            scalars.push(Some(self.call(
                "scalar_tensor",
                &[("s", value), ("dtype", Argument::Kind(known.kind)), ("device", Argument::Device)],
            )));
        }
        let stacked =
            self.call("stack", &[("tensors", Argument::Values(scalars)), ("dim", Argument::Whole(0))]);
        self.call("reshape", &[("self", Argument::Value(stacked)), ("shape", wholes(&sizes))])
    }

    /// Adds a call with one result. `target` is the operator's name, and its overload after a dot.
    pub fn call(&mut self, target: &str, arguments: &[(&str, Argument)]) -> ValueId {
        let id = self.new_result();
        self.push(target, arguments, vec![Output::One(id)]);
        id
    }

    /// Adds a call that returns several tensors.
    pub fn call_several(
        &mut self,
        target: &str,
        arguments: &[(&str, Argument)],
        count: usize,
    ) -> Vec<ValueId> {
        let ids: Vec<ValueId> = (0..count).map(|_| self.new_result()).collect();
        self.push(target, arguments, ids.iter().map(|id| Output::One(*id)).collect());
        ids
    }

    /// Adds a call that returns a list of tensors.
    pub fn call_list(&mut self, target: &str, arguments: &[(&str, Argument)], count: usize) -> Vec<ValueId> {
        let ids: Vec<ValueId> = (0..count).map(|_| self.new_result()).collect();
        self.push(target, arguments, vec![Output::Several(ids.clone())]);
        ids
    }

    fn new_result(&mut self) -> ValueId {
        self.results += 1;
        FIRST_RESULT + self.results - 1
    }

    fn push(&mut self, target: &str, arguments: &[(&str, Argument)], outputs: Vec<Output>) {
        let (name, overload) = target.split_once('.').unwrap_or((target, ""));
        let operator = Operator::Aten { name: name.to_string(), overload: overload.to_string() };
        let arguments =
            arguments.iter().map(|(name, argument)| ((*name).to_string(), argument.clone())).collect();
        self.nodes.push(Node { operator, arguments, outputs, last_uses: vec![] });
    }

    /// A size of a value: a constant, or what a call finds.
    pub fn size(&mut self, known: &Known, axis: usize) -> Whole {
        if let Some(size) = known.sizes.get(axis).copied().flatten() {
            return Whole::Known(size);
        }
        let id = self.tensor(known);
        if let Some(size) = self.sizes.get(&(id, axis)) {
            return Whole::Value(*size);
        }
        let size = self
            .call("sym_size.int", &[("self", Argument::Value(id)), ("dim", Argument::Whole(axis as i64))]);
        self.sizes.insert((id, axis), size);
        Whole::Value(size)
    }

    /// Arithmetic on whole numbers, done now if they are constants.
    pub fn whole(&mut self, operator: WholeOperator, one: Whole, other: Whole) -> Result<Whole, String> {
        use WholeOperator::{Add, Divide, Multiply, Subtract};
        match (operator, one, other) {
            (_, Whole::Known(a), Whole::Known(b)) => operator
                .apply(&[a, b])
                .map(Whole::Known)
                .ok_or_else(|| format!("the whole numbers {a} and {b}, which have no result")),
            (Add | Subtract, whole, Whole::Known(0))
            | (Multiply | Divide, whole, Whole::Known(1))
            | (Add, Whole::Known(0), whole)
            | (Multiply, Whole::Known(1), whole) => Ok(whole),
            (_, one, other) => {
                let id = self.new_result();
                let arguments = vec![("a".to_string(), argument(one)), ("b".to_string(), argument(other))];
                let outputs = vec![Output::One(id)];
                let operator = Operator::Whole(operator);
                self.nodes.push(Node { operator, arguments, outputs, last_uses: vec![] });
                Ok(Whole::Value(id))
            }
        }
    }

    /// The whole numbers in a tensor of one dimension or none, such as a shape. Those that the model computes in a
    /// tensor are read from it while it runs.
    pub fn wholes(&mut self, known: &Known) -> Result<Vec<Whole>, String> {
        if let Some(numbers) = &known.numbers {
            let whole = |number: &Number| match number {
                Number::Whole(whole) => Ok(*whole),
                Number::Real(_) => Err("numbers where whole numbers are needed".to_string()),
            };
            return numbers.iter().map(whole).collect();
        }
        let count = known.elements().filter(|count| known.rank() <= 1 && *count <= MOST_READ);
        let Some(count) = count.filter(|_| known.is_whole()) else {
            return Err("a shape or axes whose number is not known before the model runs".to_string());
        };
        let flat = self.tensor(known);
        let flat = self.call("reshape", &[("self", Argument::Value(flat)), ("shape", wholes(&[-1]))]);
        let item = |place: i64| {
            let arguments = [
                ("self", Argument::Value(flat)),
                ("dim", Argument::Whole(0)),
                ("index", Argument::Whole(place)),
            ];
            let one = self.call("select.int", &arguments);
            Whole::Value(self.call("item", &[("self", Argument::Value(one))]))
        };
        Ok((0..count).map(item).collect())
    }

    /// A tensor of one element as a number of a call.
    pub fn scalar(&mut self, known: &Known) -> Result<Argument, String> {
        match known.numbers.as_deref() {
            Some([Number::Whole(whole)]) => Ok(argument(*whole)),
            Some([Number::Real(value)]) => Ok(Argument::Real(*value)),
            Some(_) => Err("several numbers where one is needed".to_string()),
            None => {
                let id = self.tensor(known);
                Ok(Argument::Value(self.call("item", &[("self", Argument::Value(id))])))
            }
        }
    }

    /// The whole program and the bytes of its weights.
    pub fn finish(self, outputs: Vec<(ValueId, Vec<Option<i64>>)>) -> (Program, Vec<u8>) {
        let (weights, inputs) = (self.weights.len(), self.inputs.len());
        let place = |id: ValueId| match id {
            id if id >= FIRST_RESULT => id - FIRST_RESULT + weights + inputs,
            id if id >= FIRST_INPUT => id - FIRST_INPUT + weights,
            id => id,
        };
        let mut nodes = self.nodes;
        for node in &mut nodes {
            for (_, argument) in &mut node.arguments {
                renumber(argument, place);
            }
            for output in &mut node.outputs {
                match output {
                    Output::One(id) => *id = place(*id),
                    Output::Several(ids) => ids.iter_mut().for_each(|id| *id = place(*id)),
                    Output::Unread => {}
                }
            }
        }
        let returned = |(id, sizes): (ValueId, Vec<Option<i64>>)| Returned {
            value: place(id),
            sizes: sizes.into_iter().map(|size| size.and_then(|size| u64::try_from(size).ok())).collect(),
        };
        let outputs = outputs.into_iter().map(returned).collect();
        let values = weights + inputs + self.results;
        let mut program = Program { weights: self.weights, inputs: self.inputs, nodes, outputs, values };
        last_uses::mark(&mut program);
        (program, self.bytes)
    }
}

fn renumber(argument: &mut Argument, place: impl Fn(ValueId) -> ValueId) {
    for id in argument.values_mut() {
        *id = place(*id);
    }
}

/// A whole number as an argument.
pub(super) fn argument(whole: Whole) -> Argument {
    match whole {
        Whole::Known(value) => Argument::Whole(value),
        Whole::Value(id) => Argument::Value(id),
    }
}

/// Constant whole numbers as an argument.
pub(super) fn wholes(values: &[i64]) -> Argument {
    Argument::Wholes(values.iter().map(|value| Whole::Known(*value)).collect())
}
