//! Phantom studies: drawings of chest X-rays in two views, with reports.

/// Everything that determines a drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {}
