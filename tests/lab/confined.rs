//! Attacks on a model whose noise is confined to a region see the noise that its votes draw: a region for each case.

use std::collections::BTreeMap;

use medcert::Result;
use medcert::lab::certify::{Smoothed, WordNoise, gaussian};
use medcert::lab::defend::smoothing::{DRAWS, Defended};
use medcert::lab::model::Reader;
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::{Classifier, Victim};

const SIDE: usize = 8;
const PIXELS: usize = SIDE * SIDE;

/// Its features are the pixels themselves.
struct Pixels;

impl Classifier for Pixels {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        Ok(images.f_flatten(1, -1)?)
    }

    fn decide(&self, image: Option<&Tensor>, _text: Option<&Tensor>) -> Result<Tensor> {
        Ok(image.expect("pixels").f_narrow(1, 0, 2)?)
    }
}

impl Reader for Pixels {
    fn name(&self) -> &'static str {
        "pixels"
    }

    fn side(&self) -> Option<u32> {
        Some(SIDE as u32)
    }

    fn reads_text(&self) -> bool {
        false
    }
}

/// Which pixels of each case change in some draw.
fn moved(victim: &Victim<'_>, cases: usize) -> Vec<Vec<bool>> {
    let images = tensor::floats(&vec![0.5; cases * PIXELS], &[cases, 1, SIDE, SIDE]).expect("images");
    let seen = victim.read_images(&images).expect("features");
    // the gradient passes through the same draws
    let traced = victim.trace(&images).expect("a trace").features;
    let seen = tensor::values(&seen).expect("values");
    assert_eq!(seen, tensor::values(&traced.detach()).expect("values"));
    seen.chunks_exact(DRAWS * PIXELS)
        .map(|draws| {
            (0..PIXELS)
                .map(|at| draws.chunks_exact(PIXELS).any(|draw| (draw[at] - 0.5).abs() > 0.0))
                .collect()
        })
        .collect()
}

#[test]
fn attacks_see_noise_only_in_the_region_of_each_case() {
    let noise = gaussian::Noise { sigma: vec![0.25], region: None };
    let of = Smoothed { base: &Pixels, name: "guarded", noise, words: WordNoise::None, seed: 3 };
    let region = |modulus: usize| (0..PIXELS).map(|at| at % modulus == 0).collect::<Vec<bool>>();
    let regions = BTreeMap::from([("thirds".to_string(), region(3)), ("fifths".to_string(), region(5))]);
    let model = Defended { of, views: 1, alpha: 0.001, samples: 100, regions };
    let everywhere = vec![true; PIXELS];

    let victim = Victim::new(&model, vec![true, false, true]).expect("a victim");
    assert_eq!(moved(&victim, 3), vec![everywhere.clone(); 3], "cases without a name get noise everywhere");
    let victim = victim.identified(&["thirds", "other", "fifths"]);
    assert_eq!(moved(&victim, 3), [region(3), everywhere, region(5)]);
    let few = victim.select(&[2, 0]).expect("some of them");
    assert_eq!(moved(&few, 2), [region(5), region(3)]);
}
