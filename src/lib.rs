//! medcert measures how robust a medical model is under attack: a spec says in sentences what must hold, and each requirement
//! gets a verdict with its evidence.
//!
//! The library is five functions; each does what the command of its name does:
//!
//! ```no_run
//! # #[cfg(feature = "torch")]
//! # fn example() -> medcert::Result<()> {
//! use medcert::{ReportFormat, RunOptions};
//!
//! let plan = medcert::plan(medcert::read("specs/fusion.yaml")?);
//! let evidence = medcert::run(&plan, &RunOptions::default())?;
//! let judgement = medcert::judge(&plan, &evidence);
//! let text = medcert::report(&plan, &evidence, &judgement, ReportFormat::Markdown);
//! assert_eq!(judgement.exit_code(), 0, "{text}");
//! # Ok(())
//! # }
//! ```
//!
//! The modules are the pipeline, in the order in which data flows through it, once. They are public for medcert's own tests
//! and hidden here: they may change at any time.
//!
//! ```text
//! specs/x.yaml ─ spec ─▶ Spec ─ plan ─▶ Plan ─ lab ─▶ Evidence ─ judge ─▶ Findings ─ report ─▶ exit code
//! ```
//!
//! Everything but `lab` is pure: it needs no libtorch and compiles with `--no-default-features`.
#![warn(missing_docs)]

#[doc(hidden)]
pub mod class;
#[doc(hidden)]
pub mod error;
#[doc(hidden)]
pub mod files;
#[doc(hidden)]
pub mod libtorch;
mod listed;
#[doc(hidden)]
pub mod placeholder;
#[doc(hidden)]
pub mod random;
#[doc(hidden)]
pub mod sanitize;
#[doc(hidden)]
pub mod seal;

#[doc(hidden)]
pub mod data;
#[doc(hidden)]
pub mod graph;
#[doc(hidden)]
pub mod pickle;
#[doc(hidden)]
pub mod picture;
#[doc(hidden)]
pub mod protocol;
#[doc(hidden)]
pub mod spec;
#[doc(hidden)]
pub mod stats;
#[doc(hidden)]
pub mod text;

#[doc(hidden)]
pub mod autopsy;
#[doc(hidden)]
pub mod evidence;
#[doc(hidden)]
pub mod judge;
#[doc(hidden)]
pub mod plan;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod review;

#[doc(hidden)]
pub mod bundle;

#[doc(hidden)]
pub mod cli;

#[cfg(feature = "torch")]
#[doc(hidden)]
pub mod lab;

mod library;

pub use class::Class;
pub use error::{Error, Result};
pub use evidence::Evidence;
pub use judge::{Finding, Judgement, Verdict};
pub use library::{ReportFormat, judge, plan, read, report};
#[cfg(feature = "torch")]
pub use library::{RunOptions, run};
pub use plan::Plan;
pub use spec::Spec;
