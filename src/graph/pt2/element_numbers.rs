//! The file's numbers of element types and memory formats.

use crate::graph::{ElementType, MemoryFormat};

/// Dense storage, in the file's numbering.
pub(super) const STRIDED: i64 = 7;

/// The element type with a number.
pub(super) fn element_type(number: i64) -> Option<ElementType> {
    ElementType::ALL.iter().copied().find(|kind| kind.exported() == number)
}

/// The memory format with a number.
pub(super) fn memory_format(number: i64) -> Option<MemoryFormat> {
    match number {
        1 => Some(MemoryFormat::Contiguous),
        2 => Some(MemoryFormat::ChannelsLast),
        3 => Some(MemoryFormat::ChannelsLast3d),
        4 => Some(MemoryFormat::Preserve),
        _ => None,
    }
}
