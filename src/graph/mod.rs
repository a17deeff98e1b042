//! A user's network as data: weights, and a list of calls of ATen operators on numbered values.
//!
//! This module turns a file of torch.export ([`pt2`]) or of ONNX ([`onnx`]) into a [`Program`] without libtorch. It checks names, shapes,
//! sizes and operators, and reports everything that medcert refuses in one message. `lab::graph` runs the program.

pub mod archive;
mod cut;
mod faults;
mod fold;
mod last_uses;
pub mod onnx;
pub mod operators;
pub mod pt2;
mod whole_operator;

use std::ops::Range;

pub use cut::{Cut, Part};
pub use fold::Fold;
pub use whole_operator::WholeOperator;

/// Limit on the calls of a program.
pub const MOST_NODES: usize = 100_000;
/// Limit on the bytes of a weight.
pub const MOST_BYTES: u64 = 8 << 30;
/// Limit on the dimensions of a tensor; libtorch has the same limit for most operators.
pub const MOST_DIMENSIONS: usize = 64;

/// Number of a value. Weights have the first numbers, then come the inputs, then the results of calls.
pub type ValueId = usize;

/// A network that was read from a file and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// Parameters, buffers and constants: values 0, 1, ….
    pub weights: Vec<Weight>,
    /// The inputs in the order of the arguments: the values after the weights.
    pub inputs: Vec<Input>,
    /// The calls, each after those whose results it needs.
    pub nodes: Vec<Node>,
    /// The tensors that the network returns.
    pub outputs: Vec<Returned>,
    /// Number of values, weights and inputs included.
    pub values: usize,
}

impl Program {
    /// Number of elements of all parameters together.
    pub fn parameters(&self) -> u64 {
        self.weights.iter().filter(|weight| weight.is_parameter).map(Weight::elements).sum()
    }

    /// Which inputs the network takes. medcert supplies images, float32 `[cases, channels, side, side]`, one tensor a
    /// view, then the ids and the mask of a text, int64 `[cases, length]` each.
    ///
    /// # Errors
    /// The network takes other inputs; the message shows them.
    pub fn reads(&self) -> Result<Reads, String> {
        let is_image = |input: &&Input| input.kind == ElementType::Float && input.sizes.len() == 4;
        let is_text = |input: &Input| input.kind == ElementType::Long && input.sizes.len() == 2;
        let views = self.inputs.iter().take_while(is_image).count();
        let texts = &self.inputs[views..];
        let is_square = |input: &Input| input.sizes[2] == input.sizes[3];
        let is_alike =
            self.inputs[..views].iter().all(|input| input.sizes == self.inputs[0].sizes && is_square(input));
        if !is_alike || !matches!(texts.len(), 0 | 2) || !texts.iter().all(is_text) || self.inputs.is_empty()
        {
            let inputs =
                self.inputs.iter().map(|input| format!("{} {}", input.kind.name(), shape(&input.sizes)));
            return Err(format!(
                "it reads {}, and medcert gives square images, float32 [cases, channels, side, side] for each view, then the \
                 ids and the mask of a text, int64 [cases, length] each; export a module with such a `forward`",
                inputs.collect::<Vec<String>>().join(", ")
            ));
        }
        if let Some(input) = self.inputs.iter().find(|input| input.sizes[0].is_some()) {
            return Err(format!(
                "was exported for a fixed number of cases (its input {:?} is {}); export it with a dynamic first dimension",
                input.name,
                shape(&input.sizes)
            ));
        }
        let image = self.inputs.first().filter(|_| views > 0).map(|input| (input.sizes[1], input.sizes[2]));
        Ok(Reads { views, image, text: texts.first().map(|input| input.sizes[1]) })
    }
}

/// A shape for messages, with `?` for a dimension that may differ from call to call.
pub fn shape(sizes: &[Option<u64>]) -> String {
    let sizes: Vec<String> =
        sizes.iter().map(|size| size.map_or("?".to_string(), |size| size.to_string())).collect();
    format!("[{}]", sizes.join(", "))
}

/// A tensor that the network returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Which value.
    pub value: ValueId,
    /// Its shape; None is a dimension that may differ from call to call.
    pub sizes: Vec<Option<u64>>,
}

/// What a network reads, from the shapes of its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    /// Views of a case.
    pub views: usize,
    /// Channels and side of an image, if it reads any; None inside is a size that may differ from call to call.
    pub image: Option<(Option<u64>, Option<u64>)>,
    /// Tokens of a text, if it reads one; None inside is a length that may differ from call to call.
    pub text: Option<Option<u64>>,
}

/// A tensor that the file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// Its name in the module, such as `conv1.weight`.
    pub name: String,
    /// Whether it is a parameter; otherwise it is a buffer or a constant.
    pub is_parameter: bool,
    /// Type of its elements.
    pub kind: ElementType,
    /// Its shape.
    pub sizes: Vec<u64>,
    /// Steps between neighbouring elements of each dimension, in elements.
    pub strides: Vec<u64>,
    /// Index of its first element in its bytes, in elements.
    pub offset: u64,
    /// Its range in the file; several weights may share one.
    pub bytes: Range<usize>,
}

impl Weight {
    /// Number of elements.
    pub fn elements(&self) -> u64 {
        self.sizes.iter().product()
    }
}

/// An input of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name in the file.
    pub name: String,
    /// Type of its elements.
    pub kind: ElementType,
    /// Its shape; None is a dimension that may differ from call to call.
    pub sizes: Vec<Option<u64>>,
}

/// A call of an operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The operator.
    pub operator: Operator,
    /// The arguments, with their names in the operator's schema.
    pub arguments: Vec<(String, Argument)>,
    /// The results.
    pub outputs: Vec<Output>,
    /// Values that no later call reads, so that their memory can be freed after this one.
    pub last_uses: Vec<ValueId>,
}

impl Node {
    /// The argument of a name, if it is given.
    pub(crate) fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|(key, _)| key == name).map(|(_, argument)| argument)
    }

    /// The values that it reads.
    pub(crate) fn reads(&self) -> Vec<ValueId> {
        self.arguments.iter().flat_map(|(_, argument)| argument.values()).collect()
    }

    /// The values that it makes.
    pub(crate) fn makes(&self) -> Vec<ValueId> {
        self.outputs.iter().flat_map(Output::values).collect()
    }
}

/// What a call can call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operator {
    /// An operator of libtorch's namespace `aten`.
    Aten {
        /// Its name, without the namespace.
        name: String,
        /// Its overload; empty for `default`, as in libtorch.
        overload: String,
    },
    /// Arithmetic on whole numbers, such as sizes.
    Whole(WholeOperator),
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// Nothing.
    None,
    /// A value: a tensor, or a size.
    Value(ValueId),
    /// Tensors; None is an optional tensor that is absent.
    Values(Vec<Option<ValueId>>),
    /// A whole number.
    Whole(i64),
    /// Whole numbers, some of which are values.
    Wholes(Vec<Whole>),
    /// A number.
    Real(f64),
    /// Numbers.
    Reals(Vec<f64>),
    /// True or false.
    Truth(bool),
    /// Several truth values.
    Truths(Vec<bool>),
    /// A text.
    Text(String),
    /// An element type.
    Kind(ElementType),
    /// The device of the run, whatever device the file names.
    Device,
    /// Dense storage, the only layout that is accepted.
    Strided,
    /// A memory format.
    MemoryFormat(MemoryFormat),
}

impl Argument {
    /// The values of the program that it names.
    pub(crate) fn values(&self) -> Vec<ValueId> {
        self.clone().values_mut().into_iter().map(|id| *id).collect()
    }

    /// The same, to be renumbered.
    pub(crate) fn values_mut(&mut self) -> Vec<&mut ValueId> {
        match self {
            Self::Value(id) => vec![id],
            Self::Values(ids) => ids.iter_mut().flatten().collect(),
            Self::Wholes(wholes) => wholes
                .iter_mut()
                .filter_map(|whole| match whole {
                    Whole::Value(id) => Some(id),
                    Whole::Known(_) => None,
                })
                .collect(),
            Self::None
            | Self::Whole(_)
            | Self::Real(_)
            | Self::Reals(_)
            | Self::Truth(_)
            | Self::Truths(_)
            | Self::Text(_)
            | Self::Kind(_)
            | Self::Device
            | Self::Strided
            | Self::MemoryFormat(_) => vec![],
        }
    }
}

/// An element of a list of whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// A constant.
    Known(i64),
    /// A value.
    Value(ValueId),
}

/// A result of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A tensor or a number.
    One(ValueId),
    /// A list of tensors.
    Several(Vec<ValueId>),
    /// Nothing, or something that no call reads.
    Unread,
}

impl Output {
    /// The values that it makes.
    pub(crate) fn values(&self) -> Vec<ValueId> {
        match self {
            Self::One(id) => vec![*id],
            Self::Several(ids) => ids.clone(),
            Self::Unread => vec![],
        }
    }

    /// The same, to be renumbered.
    pub(crate) fn values_mut(&mut self) -> Vec<&mut ValueId> {
        match self {
            Self::One(id) => vec![id],
            Self::Several(ids) => ids.iter_mut().collect(),
            Self::Unread => vec![],
        }
    }
}

/// The memory formats of libtorch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryFormat {
    /// Row by row.
    Contiguous,
    /// The format of the input.
    Preserve,
    /// Channels last.
    ChannelsLast,
    /// Channels last, for tensors of five dimensions.
    ChannelsLast3d,
}

crate::listed::listed! {
    /// Type of a tensor's elements.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum ElementType {
        /// u8
        Byte,
        /// i8
        Char,
        /// i16
        Short,
        /// i32
        Int,
        /// i64
        Long,
        /// f16
        Half,
        /// f32
        Float,
        /// f64
        Double,
        /// Truth values, a byte each.
        Bool,
        /// bf16
        BFloat16,
    }
}

impl ElementType {
    /// Bytes of an element.
    pub fn size(self) -> u64 {
        match self {
            Self::Byte | Self::Char | Self::Bool => 1,
            Self::Short | Self::Half | Self::BFloat16 => 2,
            Self::Int | Self::Float => 4,
            Self::Long | Self::Double => 8,
        }
    }

    /// Its number in libtorch (`c10::ScalarType`).
    pub fn libtorch(self) -> i64 {
        match self {
            Self::Byte => 0,
            Self::Char => 1,
            Self::Short => 2,
            Self::Int => 3,
            Self::Long => 4,
            Self::Half => 5,
            Self::Float => 6,
            Self::Double => 7,
            Self::Bool => 11,
            Self::BFloat16 => 15,
        }
    }

    /// Its number in a file of torch.export.
    pub fn exported(self) -> i64 {
        match self {
            Self::Byte => 1,
            Self::Char => 2,
            Self::Short => 3,
            Self::Int => 4,
            Self::Long => 5,
            Self::Half => 6,
            Self::Float => 7,
            Self::Double => 8,
            Self::Bool => 12,
            Self::BFloat16 => 13,
        }
    }

    /// Its name in Python.
    pub fn name(self) -> &'static str {
        match self {
            Self::Byte => "uint8",
            Self::Char => "int8",
            Self::Short => "int16",
            Self::Int => "int32",
            Self::Long => "int64",
            Self::Half => "float16",
            Self::Float => "float32",
            Self::Double => "float64",
            Self::Bool => "bool",
            Self::BFloat16 => "bfloat16",
        }
    }
}
