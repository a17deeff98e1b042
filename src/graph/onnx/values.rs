//! What is known of a value while a model is read: its type, its shape, and for small ones the numbers in it. Sizes and
//! the arithmetic on them are numbers here, so that they are computed once, as whole numbers, and on no device.

use super::tensors::Tensor;
use crate::graph::{ElementType, ValueId, Whole};

/// Limit on the elements of a tensor whose numbers are kept.
pub(super) const MOST_NUMBERS: usize = 256;

/// A number of a small tensor. Truth values are 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// A whole number: a constant, or a value of the program such as a size.
    Whole(Whole),
    /// A constant.
    Real(f64),
}

impl Number {
    /// The number, if it is a constant.
    pub fn known(self) -> Option<f64> {
        match self {
            Self::Whole(Whole::Known(value)) => Some(value as f64),
            Self::Whole(Whole::Value(_)) => None,
            Self::Real(value) => Some(value),
        }
    }

    /// The number, if it is a whole constant.
    pub fn known_whole(self) -> Option<i64> {
        match self {
            Self::Whole(Whole::Known(value)) => Some(value),
            Self::Whole(Whole::Value(_)) | Self::Real(_) => None,
        }
    }
}

/// A constant whole number.
pub(super) fn whole(value: i64) -> Number {
    Number::Whole(Whole::Known(value))
}

/// Where the elements of a value come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A value of the program.
    Value(ValueId),
    /// A tensor of the file, which becomes a weight where a call reads it.
    Initializer(usize),
    /// The numbers alone, which become a tensor where a call reads them.
    Numbers,
}

/// What is known of a value.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub kind: ElementType,
    /// The shape; None is a size that may differ from call to call.
    pub sizes: Vec<Option<i64>>,
    pub place: Place,
    /// The elements, row by row, if they are few and computed while the model is read.
    pub numbers: Option<Vec<Number>>,
}

impl Known {
    /// A tensor of the program.
    pub fn tensor(kind: ElementType, sizes: Vec<Option<i64>>, id: ValueId) -> Self {
        Self { kind, sizes, place: Place::Value(id), numbers: None }
    }

    /// A small tensor of numbers.
    pub fn numbers(kind: ElementType, sizes: &[i64], numbers: Vec<Number>) -> Self {
        let sizes = sizes.iter().map(|size| Some(*size)).collect();
        Self { kind, sizes, place: Place::Numbers, numbers: Some(numbers) }
    }

    pub fn rank(&self) -> usize {
        self.sizes.len()
    }

    /// The shape, if all of it is known.
    pub fn shape(&self) -> Option<Vec<i64>> {
        self.sizes.iter().copied().collect()
    }

    /// Number of elements, if it is known.
    pub fn elements(&self) -> Option<i64> {
        self.sizes.iter().try_fold(1_i64, |product, size| product.checked_mul((*size)?))
    }

    /// The numbers, if all are constants.
    pub fn constants(&self) -> Option<Vec<f64>> {
        self.numbers.as_ref()?.iter().map(|number| number.known()).collect()
    }

    /// The numbers, if all are whole constants.
    pub fn whole_constants(&self) -> Option<Vec<i64>> {
        self.numbers.as_ref()?.iter().map(|number| number.known_whole()).collect()
    }

    pub fn is_whole(&self) -> bool {
        matches!(self.kind, ElementType::Long | ElementType::Int)
    }
}

/// The numbers of a tensor of the file, if it is small.
pub(super) fn numbers_of(tensor: &Tensor) -> Option<Vec<Number>> {
    if tensor.elements() > MOST_NUMBERS {
        return None;
    }
    let size = tensor.kind.size() as usize;
    let number = |bytes: &[u8]| -> Option<Number> {
        Some(match tensor.kind {
            ElementType::Float => Number::Real(f64::from(f32::from_le_bytes(bytes.try_into().ok()?))),
            ElementType::Double => Number::Real(f64::from_le_bytes(bytes.try_into().ok()?)),
            ElementType::Long => whole(i64::from_le_bytes(bytes.try_into().ok()?)),
            ElementType::Int => whole(i64::from(i32::from_le_bytes(bytes.try_into().ok()?))),
            ElementType::Bool => whole(i64::from(*bytes.first()? != 0)),
            ElementType::Byte
            | ElementType::Char
            | ElementType::Short
            | ElementType::Half
            | ElementType::BFloat16 => return None,
        })
    };
    tensor.bytes.chunks_exact(size).map(number).collect()
}

/// Whether a tensor of the file counts as a parameter. A file does not say so; masks of infinities are none.
pub(super) fn is_parameter(tensor: &Tensor) -> bool {
    let is_finite = |bytes: &[u8]| match bytes.try_into() {
        Ok(bytes) => !f32::from_le_bytes(bytes).is_infinite(),
        Err(_) => true,
    };
    match tensor.kind {
        ElementType::Float => !tensor.sizes.is_empty() && tensor.bytes.chunks_exact(4).all(is_finite),
        ElementType::Double => !tensor.sizes.is_empty(),
        ElementType::Byte
        | ElementType::Char
        | ElementType::Short
        | ElementType::Int
        | ElementType::Long
        | ElementType::Half
        | ElementType::Bool
        | ElementType::BFloat16 => false,
    }
}

/// The bytes of an element; None for a number that does not fit its type, or that is not known.
pub(super) fn bytes_of(kind: ElementType, number: Number) -> Option<Vec<u8>> {
    Some(match kind {
        ElementType::Float => (number.known()? as f32).to_le_bytes().to_vec(),
        ElementType::Double => number.known()?.to_le_bytes().to_vec(),
        ElementType::Long => number.known_whole()?.to_le_bytes().to_vec(),
        ElementType::Int => i32::try_from(number.known_whole()?).ok()?.to_le_bytes().to_vec(),
        ElementType::Bool => vec![u8::from(number.known_whole()? != 0)],
        ElementType::Byte
        | ElementType::Char
        | ElementType::Short
        | ElementType::Half
        | ElementType::BFloat16 => return None,
    })
}

/// The shape of tensors that are broadcast against each other, as numpy does it.
pub(super) fn broadcast(one: &[Option<i64>], other: &[Option<i64>]) -> Result<Vec<Option<i64>>, String> {
    let rank = one.len().max(other.len());
    let at = |sizes: &[Option<i64>], axis: usize| match (axis + sizes.len()).checked_sub(rank) {
        Some(place) => sizes[place],
        None => Some(1),
    };
    let sizes = (0..rank).map(|axis| match (at(one, axis), at(other, axis)) {
        (Some(1), size) | (size, Some(1)) => Ok(size),
        (Some(a), Some(b)) if a != b => Err(format!("tensors of the sizes {a} and {b}, which do not fit")),
        (Some(size), _) | (None, Some(size)) => Ok(Some(size)),
        (None, None) => Ok(None),
    });
    sizes.collect()
}
