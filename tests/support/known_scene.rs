//! A chunk of hand-written reports over phantom images, before a model whose weights are known.
#![allow(dead_code)] // each test program uses a part of it

use std::cell::OnceCell;

use medcert::Result;
use medcert::data::{Dataset, Report, phantom};
use medcert::lab::chunk::Scene;
use medcert::lab::inputs::Inputs;
use medcert::lab::model::Reader;
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::Classifier;
use medcert::plan::{Attack, ImageAttack};
use medcert::random::{stream, uniform};
use medcert::seal::Cache;
use medcert::spec::{ImageMethod, ImageSearch, Joint, Norm, Region, Section, TextAttack, Views};
use medcert::text::Lexicon;
use medcert::text::words::words;

pub const SIDE: usize = 16;
pub const PIXELS: usize = SIDE * SIDE;

/// The score for abnormal: `image + text + twist · image · text`, where the image's part is a weighted sum of
/// pixels and the text's one of words.
pub struct Fused {
    pub weights: Vec<f32>,
    pub words: Vec<(String, f32)>,
    pub twist: f64,
}

impl Fused {
    /// Weights of pixels of about 1 / [`PIXELS`], of either sign, that sum to 0.
    pub fn new(seed: u64, words: &[(&str, f32)]) -> Self {
        let mut rng = stream(&["hand", &seed.to_string()]);
        let draw = |pixel: usize| {
            let size = (0.5 + uniform(&mut rng)) / PIXELS as f32;
            if pixel.is_multiple_of(2) { size } else { -size }
        };
        let mut weights: Vec<f32> = (0..PIXELS).map(draw).collect();
        let mean = weights.iter().sum::<f32>() / PIXELS as f32;
        for weight in &mut weights {
            *weight -= mean;
        }
        let words = words.iter().map(|(word, weight)| ((*word).to_string(), *weight)).collect();
        Self { weights, words, twist: 0.0 }
    }

    pub fn weight(&self, word: &str) -> f32 {
        let known = self.words.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
        known.map_or(0.0, |(_, weight)| *weight)
    }

    pub fn text(&self, text: &str) -> f32 {
        words(text).iter().map(|word| self.weight(word.core)).sum()
    }

    pub fn image(&self, pixels: &[f32]) -> f32 {
        pixels.iter().zip(&self.weights).map(|(x, w)| x * w).sum()
    }
}

impl Classifier for Fused {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        let weights = tensor::floats(&self.weights, &[PIXELS, 1])?;
        Ok(images.f_flatten(1, -1)?.f_matmul(&weights)?)
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        let scores: Vec<f32> = texts.iter().map(|text| self.text(text)).collect();
        tensor::floats(&scores, &[scores.len(), 1])
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let (image, text) = (image.expect("an image"), text.expect("a text"));
        let score = image.f_add(text)?.f_add(&image.f_mul(text)?.f_mul_scalar(self.twist)?)?;
        Ok(Tensor::f_cat(&[score.f_zeros_like()?, score], 1)?)
    }
}

impl Reader for Fused {
    fn name(&self) -> &'static str {
        "fused"
    }

    fn side(&self) -> Option<u32> {
        Some(SIDE as u32)
    }

    fn reads_text(&self) -> bool {
        true
    }
}

/// The inputs of some cases.
pub struct Bench {
    pub data: Dataset,
    pub inputs: Inputs,
    pub lexicon: Lexicon,
    pub test: Vec<usize>,
}

impl Bench {
    /// One phantom a report, with the report's label.
    pub fn new(reports: &[(&str, bool)]) -> Self {
        let mut studies = phantom::studies(reports.len().max(20), 7, 0.0);
        studies.truncate(reports.len());
        for (study, (findings, label)) in studies.iter_mut().zip(reports) {
            study.report = Report { findings: (*findings).into(), ..Report::default() };
            study.label = (*label).into();
        }
        let test = (0..studies.len()).collect();
        let data = Dataset {
            classes: vec![],
            findings: vec![],
            studies,
            left_out: vec![],
            remarks: vec![],
            digest: String::new(),
            sections: vec![Section::Findings],
            views: Views::Frontal,
        };
        let cache = tempfile::tempdir().expect("a folder");
        let inputs = Inputs::prepare(&data, &[SIDE as u32], &Cache::at(cache.path())).expect("inputs");
        Self { data, inputs, lexicon: Lexicon::embedded(), test }
    }

    pub fn scene<'a>(&'a self, model: &'a dyn Reader) -> Scene<'a> {
        Scene {
            reader: model,
            finding: None,
            readers: vec![model],
            inputs: &self.inputs,
            ids: self.data.studies.iter().map(|study| study.id.as_str()).collect(),
            patients: self.data.studies.iter().map(|study| study.patient.as_str()).collect(),
            train: &[],
            test: &self.test,
            seed: 5,
            lexicon: &self.lexicon,
            kept: vec![],
            mean: OnceCell::new(),
            typical: OnceCell::new(),
        }
    }

    /// A case's clean pixels.
    pub fn pixels(&self, case: usize) -> Vec<f32> {
        let bytes = self.inputs.image(SIDE as u32, case).expect("an image");
        bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect()
    }
}

pub fn pgd(epsilon: f64) -> ImageAttack {
    let search = ImageSearch::Pgd { steps: 12, restarts: 2 };
    let method = ImageMethod::Search { search, norm: Norm::Linf, region: Region::Everywhere };
    ImageAttack { method, strength: epsilon }
}

pub fn both(image: ImageAttack, text: TextAttack, joint: Joint) -> Attack {
    Attack { image: Some(image), text: vec![text], joint }
}
