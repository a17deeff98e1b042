//! Studies: images, report sections, label, patient and view, from a phantom generator, the Indiana
//! University layout, a manifest or an array file; their division by patient.

mod audit;
mod cells;
mod csv_preview;
mod dataset;
pub mod dicom;
mod dicom_folder;
mod digest;
mod expected;
mod findings;
mod groups;
mod identifying;
mod image_source;
mod images;
mod iu_xray;
mod jpeg;
mod language;
mod layout;
mod load;
mod manifest;
mod medmnist;
mod npz;
mod open_i;
mod pattern;
pub mod phantom;
mod pseudonyms;
mod root;
mod rows;
pub(crate) mod sets;
mod split;
mod study;
mod table;

pub use audit::{Audit, Baseline, SIDE as AUDIT_SIDE, Twins, audit, audit_kept};
pub use csv_preview::{Column, SEPARATOR, glance};
pub use dataset::{Dataset, LeftOut};
pub use expected::{ExpectedAnswer, expected_answers};
pub use findings::{FindingCounts, Presence};
pub use image_source::{ArrayImage, Decoding, ImageArray, ImageFile, ImageSource, Naming};
pub use images::{LARGEST_SIDE, Pixels, picture, pixels, stream};
pub use language::{LEAST_KNOWN, cut};
pub use load::{load, load_from};
pub use npz::names as npz_names;
pub use open_i::is_folder as is_open_i;
pub use root::Roots;
pub use split::{Partition, divide, leaks, split};
pub use study::{Report, Study};
