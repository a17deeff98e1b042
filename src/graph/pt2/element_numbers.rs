//! The numbers that stand in the file for types of elements and their order in memory.

use crate::graph::{ElementType, MemoryFormat};

/// Dense storage, in the file's numbering.
pub(super) const STRIDED: i64 = 7;

/// The type of elements of a number.
pub(super) fn element_type(number: i64) -> Option<ElementType> {
    ElementType::ALL.iter().copied().find(|kind| kind.exported() == number)
}

/// The order of elements of a number.
pub(super) fn memory_format(number: i64) -> Option<MemoryFormat> {
    match number {
        1 => Some(MemoryFormat::Contiguous),
        2 => Some(MemoryFormat::ChannelsLast),
        3 => Some(MemoryFormat::ChannelsLast3d),
        4 => Some(MemoryFormat::Preserve),
        _ => None,
    }
}
