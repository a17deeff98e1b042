//! A user's network as data: a list of calls of ATen operators over named values, and weights.
//!
//! A file of torch.export ([`pt2`]) becomes a [`Program`] here, without libtorch: names, shapes, sizes and operators are
//! checked, and everything that medcert refuses is reported at once. `lab::graph` runs the program.

pub mod archive;
pub mod operators;
pub mod pt2;

use std::ops::Range;

/// Most calls in a program.
pub const MOST_NODES: usize = 100_000;
/// Most bytes of all weights together, and of a file.
pub const MOST_BYTES: u64 = 8 << 30;
/// Most dimensions of a tensor; libtorch's own limit for most operators.
pub const MOST_DIMENSIONS: usize = 64;

/// Number of a value: weights come first, then the inputs, then what the calls return.
pub type ValueId = usize;

/// A network that was read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// Parameters, buffers and constants; the values 0, 1, ….
    pub weights: Vec<Weight>,
    /// What the caller gives, in this order; the values after the weights.
    pub inputs: Vec<Input>,
    /// The calls, each after those that it depends on.
    pub nodes: Vec<Node>,
    /// What the network returns.
    pub outputs: Vec<Returned>,
    /// Number of values.
    pub values: usize,
}

impl Program {
    /// Number of elements of all parameters.
    pub fn parameters(&self) -> u64 {
        self.weights.iter().filter(|weight| weight.is_parameter).map(Weight::elements).sum()
    }

    /// What it reads: images `[cases, channels, side, side]` of floats, one a view, then the ids and the mask of a text,
    /// `[cases, length]` of int64.
    ///
    /// # Errors
    /// Its inputs are others; the message shows them.
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
                self.inputs.iter().map(|input| format!("{} {}", input.kind.name(), pt2::shape(&input.sizes)));
            return Err(format!(
                "it reads {}, and medcert gives square images, float32 [cases, channels, side, side] for each view, then the \
                 ids and the mask of a text, int64 [cases, length] each; export a module with such a `forward`",
                inputs.collect::<Vec<String>>().join(", ")
            ));
        }
        let image = self.inputs.first().filter(|_| views > 0).map(|input| (input.sizes[1], input.sizes[2]));
        Ok(Reads { views, image, text: texts.first().map(|input| input.sizes[1]) })
    }
}

/// A tensor that the network returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Which value.
    pub value: ValueId,
    /// Its shape; None is a dimension that may change from call to call.
    pub sizes: Vec<Option<u64>>,
}

/// What a network reads, by the shapes of its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    /// Views of a case.
    pub views: usize,
    /// Channels and side of an image, if it reads any; None is a size that may change.
    pub image: Option<(Option<u64>, Option<u64>)>,
    /// Tokens of a text, if it reads one; None is a length that may change.
    pub text: Option<Option<u64>>,
}

/// A tensor of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// Its name in the module, such as `conv1.weight`.
    pub name: String,
    /// Whether it was trained; else it is a buffer or a constant.
    pub is_parameter: bool,
    /// Type of its elements.
    pub kind: ElementType,
    /// Its shape.
    pub sizes: Vec<u64>,
    /// Steps between elements, in elements.
    pub strides: Vec<u64>,
    /// Place of its first element in its bytes, in elements.
    pub offset: u64,
    /// Its bytes in the file; several weights may share them.
    pub bytes: Range<usize>,
}

impl Weight {
    /// Number of elements.
    pub fn elements(&self) -> u64 {
        self.sizes.iter().product()
    }
}

/// A tensor that the caller gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name in the file.
    pub name: String,
    /// Type of its elements.
    pub kind: ElementType,
    /// Its shape; None is a dimension that may change from call to call.
    pub sizes: Vec<Option<u64>>,
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What is called.
    pub operator: Operator,
    /// What it is called with, by the names of the operator's schema.
    pub arguments: Vec<(String, Argument)>,
    /// What it returns.
    pub outputs: Vec<Output>,
    /// Values that no later call reads.
    pub last_uses: Vec<ValueId>,
}

/// What a call names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operator {
    /// An operator of libtorch's namespace `aten`.
    Aten {
        /// Its name, without the namespace.
        name: String,
        /// Its overload; `default` is written as an empty text, as libtorch does.
        overload: String,
    },
    /// Arithmetic on sizes.
    Whole(WholeOperator),
}

crate::listed::listed! {
    /// Arithmetic on sizes, with Python's meaning.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum WholeOperator {
        /// a + b
        Add,
        /// a − b
        Subtract,
        /// a · b
        Multiply,
        /// a // b, rounded down
        Divide,
        /// a % b, with the sign of b
        Remainder,
        /// −a
        Negate,
        /// The larger one.
        Most,
        /// The smaller one.
        Least,
    }
}

impl WholeOperator {
    /// Its name in a file of torch.export.
    pub fn target(self) -> &'static str {
        match self {
            Self::Add => "_operator.add",
            Self::Subtract => "_operator.sub",
            Self::Multiply => "_operator.mul",
            Self::Divide => "_operator.floordiv",
            Self::Remainder => "_operator.mod",
            Self::Negate => "_operator.neg",
            Self::Most => "torch.sym_max",
            Self::Least => "torch.sym_min",
        }
    }

    /// Number of arguments.
    pub fn arity(self) -> usize {
        match self {
            Self::Negate => 1,
            Self::Add
            | Self::Subtract
            | Self::Multiply
            | Self::Divide
            | Self::Remainder
            | Self::Most
            | Self::Least => 2,
        }
    }

    /// The result; None where the arguments are too few, it overflows or divides by zero.
    pub fn apply(self, arguments: &[i64]) -> Option<i64> {
        let (&a, b) = (arguments.first()?, arguments.get(1).copied());
        match self {
            Self::Negate => a.checked_neg(),
            Self::Add => a.checked_add(b?),
            Self::Subtract => a.checked_sub(b?),
            Self::Multiply => a.checked_mul(b?),
            Self::Divide => {
                let quotient = a.checked_div(b?)?;
                // Rust rounds towards zero
                if a.checked_rem(b?)? != 0 && (a < 0) != (b? < 0) {
                    quotient.checked_sub(1)
                } else {
                    Some(quotient)
                }
            }
            Self::Remainder => {
                let remainder = a.checked_rem(b?)?;
                if remainder != 0 && (remainder < 0) != (b? < 0) {
                    remainder.checked_add(b?)
                } else {
                    Some(remainder)
                }
            }
            Self::Most => Some(a.max(b?)),
            Self::Least => Some(a.min(b?)),
        }
    }
}

/// What an operator is called with.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// Nothing.
    None,
    /// A value: a tensor, or a size.
    Value(ValueId),
    /// Tensors; an absent one is None.
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
    /// Several of them.
    Truths(Vec<bool>),
    /// A text.
    Text(String),
    /// A type of elements.
    Kind(ElementType),
    /// The device that everything is computed on, whatever the file names.
    Device,
    /// Dense storage, the only one.
    Strided,
    /// An order of elements in memory.
    MemoryFormat(MemoryFormat),
}

/// A whole number of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// Known.
    Known(i64),
    /// A value.
    Value(ValueId),
}

/// What a call returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A tensor or a number.
    One(ValueId),
    /// A list of tensors.
    Several(Vec<ValueId>),
    /// Nothing, or something that no call reads.
    Unread,
}

/// Order of elements in memory, as libtorch names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryFormat {
    /// Row by row.
    Contiguous,
    /// As it is.
    Preserve,
    /// Channels last.
    ChannelsLast,
    /// Channels last, of five dimensions.
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
