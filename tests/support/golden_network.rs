//! The small golden network and its images, which other libraries attacked too: the values are made by
//! `tests/golden/make.py` and `tests/golden/attacks.py`.
#![allow(dead_code)] // each test program uses a part of it

use std::path::Path;

use medcert::Result;
use medcert::lab::model::params::{Declared, Params};
use medcert::lab::model::residual::Residual;
use medcert::lab::model::vision::Vision;
use medcert::lab::model::{Answers, Architecture, Network};
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::Classifier;
use safetensors::SafeTensors;

pub fn golden(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    std::fs::read(path).expect("run tests/golden/make.py and attacks.py")
}

/// Values of 4 or 8 bytes as floats.
pub fn values(bytes: &[u8], name: &str) -> Vec<f32> {
    let file = SafeTensors::deserialize(bytes).expect("a golden file");
    let view = file.tensor(name).expect(name);
    match view.dtype() {
        safetensors::Dtype::I64 => view
            .data()
            .chunks_exact(8)
            .map(|b| i64::from_le_bytes(b.try_into().expect("eight bytes")) as f32)
            .collect(),
        _ => view
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().expect("four bytes")))
            .collect(),
    }
}

/// The golden network, its answers centred so that both classes occur among noise images.
pub struct Centred {
    network: Network,
    shift: Tensor,
}

impl Classifier for Centred {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        self.network.read_images(images)
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        Ok(self.network.decide(image, text)?.f_sub(&self.shift)?)
    }
}

pub fn model(shift: f32) -> Centred {
    let bytes = golden("se_resnet.safetensors");
    let trunk = Residual { width: 4, ..Residual::SMALL }.into();
    let architecture = Architecture::Vision(Vision { trunk, views: 2, answers: Answers::TWO });
    let fill = |d: &Declared| Ok(values(&bytes, &format!("weights.{}", d.name)));
    let mut params = Params::make(&architecture.declare(), fill).expect("parameters");
    params.freeze();
    let network = Network {
        name: "golden".into(),
        architecture,
        params,
        tokenizer: None,
        side: None,
        source: None,
        masked: None,
    };
    Centred { network, shift: tensor::floats(&[0.0, shift], &[1, 2]).expect("a shift") }
}

/// The first images of `make.py`'s `suite`, `[cases, 2, 32, 32]`.
pub fn images(cases: usize) -> Tensor {
    let count = cases * 2 * 32 * 32;
    let pixel = |place: usize| {
        let mixed = (place as u64).wrapping_mul(2_654_435_761) % (1 << 32);
        (mixed >> 8) as f32 / (1 << 24) as f32
    };
    tensor::floats(&(0..count).map(pixel).collect::<Vec<f32>>(), &[cases, 2, 32, 32]).expect("images")
}
