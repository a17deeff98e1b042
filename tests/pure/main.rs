//! What needs no libtorch: the spec language, data, text, statistics, verdicts and reports.

#[path = "../support/dicom_file.rs"]
mod dicom_file;
#[path = "../support/made_evidence.rs"]
mod made_evidence;
#[path = "../support/mutations.rs"]
mod mutations;

mod acted_law;
mod altered;
mod areas;
mod arrays;
mod audit;
mod autopsy;
mod baseline;
mod bundle;
mod certificates;
mod certified;
mod certified_reports;
mod certified_verdicts;
mod checks;
mod classes;
mod clusters;
mod data;
mod dicom;
mod early;
mod endpoints;
mod evidence;
mod findings;
mod fuzz;
mod graphs;
mod hostile;
mod house;
mod html;
mod images;
mod judge;
mod language;
mod layouts;
mod manual;
mod meaning;
mod metrics;
mod notation;
mod onnx;
mod perturb;
mod pickles;
mod picture;
mod plan;
mod protocol;
mod public_sets;
mod report;
mod reports;
mod review;
mod schema;
mod sequence;
mod spec;
mod stats;
mod tables;
mod terminal;
mod text;
mod torchxrayvision;
mod weighted_shares;
