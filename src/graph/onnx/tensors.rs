//! Reads the tensors of a file: their bytes, wherever the file keeps them, and checks that the shape fits them.

use std::collections::BTreeMap;

use prost::bytes::Bytes;

use super::schema::TensorProto;
use crate::graph::{ElementType, MOST_BYTES, MOST_DIMENSIONS};

/// `TensorProto.DataLocation.EXTERNAL`.
const EXTERNAL: i32 = 1;

/// The bytes of the files beside a model, by the location that the model states.
pub(super) type Beside = BTreeMap<String, Bytes>;

/// A tensor with its elements, row by row, the lowest byte first.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Its name in the file.
    pub name: String,
    /// Type of its elements.
    pub kind: ElementType,
    /// Its shape.
    pub sizes: Vec<u64>,
    /// Its elements.
    pub bytes: Bytes,
}

impl Tensor {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.bytes.len() / self.kind.size() as usize
    }
}

/// The element type with ONNX's number; the error names a type that medcert does not read.
pub(super) fn element_type(number: i32) -> Result<ElementType, String> {
    match number {
        1 => Ok(ElementType::Float),
        6 => Ok(ElementType::Int),
        7 => Ok(ElementType::Long),
        9 => Ok(ElementType::Bool),
        11 => Ok(ElementType::Double),
        other => Err(match other {
            2 => "uint8".to_string(),
            3 => "int8".to_string(),
            4 => "uint16".to_string(),
            5 => "int16".to_string(),
            8 => "string".to_string(),
            10 => "float16".to_string(),
            12 => "uint32".to_string(),
            13 => "uint64".to_string(),
            16 => "bfloat16".to_string(),
            other => format!("number {other}"),
        }),
    }
}

/// Whether a tensor lies in another file.
pub(super) fn is_external(proto: &TensorProto) -> bool {
    proto.data_location == Some(EXTERNAL)
}

/// What a tensor in another file says about its place.
pub(super) fn external<'t>(proto: &'t TensorProto, key: &str) -> Option<&'t str> {
    let entry = proto.external_data.iter().find(|entry| entry.key.as_deref() == Some(key))?;
    entry.value.as_deref()
}

/// Reads a tensor.
///
/// # Errors
/// Its type is one that medcert does not read, or its bytes do not fit its shape. The message is the end of a sentence
/// whose subject is the file.
pub(super) fn read(proto: &TensorProto, beside: &Beside) -> Result<Tensor, String> {
    let name = proto.name.clone().unwrap_or_default();
    let shown = super::short(&name);
    let number = proto.data_type.unwrap_or(0);
    let kind = element_type(number).map_err(|kind| {
        format!("holds the tensor {shown} in the type {kind}, which medcert does not read")
    })?;
    if proto.segment.is_some() {
        return Err(format!("holds the tensor {shown} in several parts"));
    }
    let sizes = proto.dims.iter().map(|size| u64::try_from(*size)).collect::<Result<Vec<u64>, _>>();
    let sizes = sizes.map_err(|_| format!("states a negative size for the tensor {shown}"))?;
    if sizes.len() > MOST_DIMENSIONS {
        return Err(format!("states {} dimensions for the tensor {shown}", sizes.len()));
    }
    let wanted = sizes.iter().try_fold(kind.size(), |product, size| product.checked_mul(*size));
    let wanted = wanted.filter(|bytes| *bytes <= MOST_BYTES);
    let misfit = |held: usize| {
        format!(
            "states the shape {:?} for the tensor {shown}, which its {held} bytes do not hold",
            proto.dims
        )
    };
    let bytes = if is_external(proto) { outside(proto, beside, wanted)? } else { inside(proto, kind) };
    if wanted != Some(bytes.len() as u64) {
        return Err(misfit(bytes.len()));
    }
    if kind == ElementType::Bool && bytes.iter().any(|byte| *byte > 1) {
        return Err(format!("holds a truth value that is neither 0 nor 1 in the tensor {shown}"));
    }
    Ok(Tensor { name, kind, sizes, bytes })
}

/// The bytes of a tensor in the model's own file.
fn inside(proto: &TensorProto, kind: ElementType) -> Bytes {
    if let Some(raw) = &proto.raw_data {
        return raw.clone();
    }
    let bytes: Vec<u8> = match kind {
        ElementType::Float => proto.float_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ElementType::Double => proto.double_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ElementType::Long => proto.int64_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        // a number that is neither 0 nor 1 stays one, so that it is refused
        ElementType::Bool => {
            proto.int32_data.iter().map(|value| u8::try_from(*value).unwrap_or(u8::MAX)).collect()
        }
        ElementType::Int
        | ElementType::Byte
        | ElementType::Char
        | ElementType::Short
        | ElementType::Half
        | ElementType::BFloat16 => proto.int32_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
    };
    bytes.into()
}

/// The bytes of a tensor in a file beside the model.
fn outside(proto: &TensorProto, beside: &Beside, wanted: Option<u64>) -> Result<Bytes, String> {
    let shown = super::short(proto.name.as_deref().unwrap_or_default());
    let location = external(proto, "location").unwrap_or_default();
    let file = beside.get(location).ok_or_else(|| format!("keeps the tensor {shown} in no file"))?;
    let number = |key: &str| {
        external(proto, key).map(|text| {
            text.parse::<u64>().map_err(|_| format!("states no number as the {key} of the tensor {shown}"))
        })
    };
    let start = number("offset").transpose()?.unwrap_or(0);
    let length = number("length").transpose()?.or(wanted).unwrap_or(u64::MAX);
    let end = start.checked_add(length).filter(|end| *end <= file.len() as u64);
    let end = end.ok_or_else(|| {
        format!(
            "keeps the tensor {shown} at the byte {start} of {}, which has {} bytes",
            super::short(location),
            file.len()
        )
    })?;
    Ok(file.slice(start as usize..end as usize))
}
