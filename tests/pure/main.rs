//! What needs no libtorch: the spec language, data, text, statistics, verdicts and reports.

#[path = "../support/made_evidence.rs"]
mod made_evidence;

mod audit;
mod autopsy;
mod baseline;
mod certificates;
mod checks;
mod clusters;
mod data;
mod early;
mod evidence;
mod hostile;
mod house;
mod html;
mod judge;
mod manual;
mod meaning;
mod metrics;
mod perturb;
mod picture;
mod plan;
mod report;
mod reports;
mod schema;
mod sequence;
mod spec;
mod stats;
mod terminal;
mod text;
