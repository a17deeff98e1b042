//! The programs that people and machines start: the command line, the set-up and the files of `ci/`.

#[path = "../support/dicom_file.rs"]
mod dicom_file;

mod cases;
mod cli;
mod import;
mod many_rows;
#[cfg(feature = "torch")]
mod own_data;
mod pipelines;
mod private;
mod setup;
