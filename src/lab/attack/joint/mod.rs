//! Attacks on the pixels and the words of a case at once.

pub mod cross;
