//! The programs that people and machines start: the command line, the set-up and the files of `ci/`.

mod cli;
mod pipelines;
mod setup;
