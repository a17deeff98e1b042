//! Exact intervals, paired tests, clusters, families and sample sizes, with their sources: one idea a file.

mod auroc;
mod calibration;
pub mod certificate;
mod cluster;
mod family;
mod normal;
mod paired;
mod power;
mod proportion;
mod sequence;
pub mod threshold;
pub mod vote;
mod weighted_shares;

pub use auroc::Auroc;
pub use calibration::{BINS, Calibration, Mean};
pub use cluster::{Differences, Proportion};
pub use family::{Step, holm, holm_adjusted};
pub use paired::{mcnemar_by_cluster, mcnemar_exact, paired_difference_bounds, paired_score_lower};
pub use power::{cases_needed, least_successes};
pub use proportion::{binomial, lower_bound, upper_bound, wilson};
pub use sequence::Sequence;
pub use weighted_shares::WeightedShares;
