//! Exact intervals, paired tests, clusters, families and sample sizes, with their sources: one idea a file.

mod cluster;
mod family;
mod paired;
mod power;
mod proportion;

pub use cluster::{Differences, Proportion};
pub use family::{Step, holm};
pub use paired::{mcnemar_exact, paired_difference_bounds};
pub use power::{cases_needed, least_successes};
pub use proportion::{binomial, lower_bound, upper_bound, wilson};
