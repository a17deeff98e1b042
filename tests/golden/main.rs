//! Values that published implementations computed, and files as other programs write them.
#![cfg(feature = "torch")]

#[path = "../support/mutations.rs"]
mod mutations;
#[path = "../support/weight_formula.rs"]
mod weight_formula;
#[path = "../support/word_classifier.rs"]
mod word_classifier;

mod checkpoint;
mod fuzz_weights;
mod graphs;
mod networks;
mod onnx;
mod race;
mod roberta;
mod script;
mod text_searches;
mod weights;
