//! medcert certifies how robust a medical model is: a specification says in sentences what must hold,
//! and every sentence gets a verdict with its evidence.
//!
//! The modules are the pipeline, in the order in which data flows through it, once:
//!
//! ```text
//! specs/x.yaml ─ spec ─▶ Spec ─ plan ─▶ Plan ─ lab ─▶ Evidence ─ judge ─▶ Findings ─ report ─▶ exit code
//! ```
//!
//! Everything but [`lab`] is pure: it needs no libtorch and compiles with `--no-default-features`.
#![warn(missing_docs)]

pub mod error;
pub mod files;
mod listed;
pub mod random;
pub mod sanitize;
pub mod seal;

pub mod data;
pub mod picture;
pub mod spec;
pub mod stats;
pub mod text;

pub mod autopsy;
pub mod evidence;
pub mod judge;
pub mod plan;
pub mod report;

pub mod cli;

#[cfg(feature = "torch")]
pub mod lab;

pub use error::{Error, Result};
