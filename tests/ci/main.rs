//! The programs that people and machines start: the command line, the set-up and the files of `ci/`.

mod cases;
mod cli;
mod own_data;
mod pipelines;
mod setup;
