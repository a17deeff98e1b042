//! A fuzzer of weights files: no input may panic, take more than a second or fill the memory. A few thousand inputs run
//! with the tests; a million run with
//!
//! ```text
//! cargo test --release --test golden fuzz -- --ignored --nocapture
//! ```

use std::path::Path;
use std::time::Duration;

use medcert::lab::model::params::{Declarations, Init, Params};
use medcert::lab::weights::WeightsFile;
use medcert::lab::weights_form;

use crate::mutations::{mutated, peak_mebibytes, read_all};

fn files(inputs: usize, most: Duration) {
    let mut declared = Declarations::default();
    declared.within("block", |block| block.linear("fc1", 2, 3, 0.1));
    declared.weight("scale", &[5], Init::Constant(1.0));
    let declared = declared.list;
    let params = Params::random(&declared, 1).expect("parameters");
    let samples = [weights_form::encode(&params, None).expect("a file")];
    read_all(
        "weights",
        inputs,
        most,
        |name| mutated(&samples, name),
        |bytes| {
            let file = WeightsFile::of_bytes(Path::new("a.safetensors"), bytes.to_vec());
            drop(file.and_then(|file| file.load(&declared)));
        },
    );
}

#[test]
fn a_few_thousand_weights_files() {
    files(2_000, Duration::from_secs(20));
}

#[test]
#[ignore = "takes minutes; the command is above"]
fn a_million_weights_files() {
    files(1_000_000, Duration::from_secs(1));
    assert!(peak_mebibytes() < 1024);
}
