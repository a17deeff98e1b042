//! A classifier that adds up weights of words, and how a search is run on it.
#![allow(dead_code, clippy::missing_panics_doc, missing_docs)]

use std::collections::BTreeMap;

use medcert::Result;
use medcert::lab::attack::text::{Reports, propose};
use medcert::lab::model::Reader;
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::{Classifier, Victim};
use medcert::random::{stream, uniform};
use medcert::spec::TextSearch;
use medcert::text::words::words;
use medcert::text::{Document, Edit, Lexicon};

/// The logits are (0, bias + the weights of the words + what the image branch gave); an unknown word weighs nothing.
pub struct Adds {
    pub weights: BTreeMap<String, f32>,
    pub bias: f32,
}

impl Adds {
    pub fn of(weights: impl IntoIterator<Item = (String, f32)>, bias: f32) -> Self {
        Self { weights: weights.into_iter().collect(), bias }
    }

    /// A weight of its own for every word of some texts and every synonym.
    pub fn drawn(seed: u64, texts: &[String]) -> Self {
        let mut rng = stream(&["word weights", &seed.to_string()]);
        let lexicon = lexicon();
        let mut weights = BTreeMap::new();
        for word in texts.iter().flat_map(|text| words(text)) {
            let word = word.core.to_lowercase();
            for other in lexicon.of(&word).iter().flat_map(|other| words(other)) {
                weights.entry(other.core.to_lowercase()).or_insert_with(|| uniform(&mut rng) * 1.5 - 0.5);
            }
            weights.entry(word).or_insert_with(|| uniform(&mut rng) * 1.5 - 0.5);
        }
        weights.remove("");
        Self { weights, bias: 0.0 }
    }

    fn score(&self, text: &str) -> f32 {
        let weight = |core: &str| self.weights.get(&core.to_lowercase()).copied().unwrap_or(0.0);
        self.bias + words(text).iter().map(|word| weight(word.core)).sum::<f32>()
    }

    /// The margin of a text.
    pub fn margin(&self, text: &str, truth: bool) -> f64 {
        let score = f64::from(self.score(text));
        if truth { score } else { -score }
    }

    /// What some words add to the margin.
    pub fn share_of(&self, words: &str, truth: bool) -> f64 {
        self.margin(words, truth) - self.margin("", truth)
    }
}

impl Classifier for Adds {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        Ok(images.shallow_clone())
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        let scores: Vec<f32> = texts.iter().map(|text| self.score(text)).collect();
        tensor::floats(&scores, &[scores.len(), 1])
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let text = text.expect("it reads text");
        let score = image.map_or_else(|| Ok(text.shallow_clone()), |image| text.f_add(image))?;
        Ok(Tensor::f_cat(&[score.f_zeros_like()?, score], 1)?)
    }
}

impl Reader for Adds {
    fn name(&self) -> &'static str {
        "adds"
    }

    fn side(&self) -> Option<u32> {
        None
    }

    fn reads_text(&self) -> bool {
        true
    }
}

pub fn lexicon() -> Lexicon {
    Lexicon::embedded()
}

/// What a search found.
pub struct Found {
    pub truth: Vec<bool>,
    pub truth_after: Vec<bool>,
    pub steps: Vec<Vec<Vec<Edit>>>,
    pub queries: Vec<u32>,
}

/// Runs a search (share, queries, preserving) on reports; the labels are the clean answers, but the third's is wrong.
pub fn run(
    model: &dyn Reader,
    documents: &[Document],
    lexicon: &Lexicon,
    search: TextSearch,
    (share, queries, preserving): (f64, u32, bool),
) -> Found {
    let texts: Vec<String> = documents.iter().map(Document::text).collect();
    let clean = model.decide(None, Some(&model.read_texts(&texts).expect("features"))).expect("logits");
    let clean = tensor::values(&clean).expect("values");
    let mut truth: Vec<bool> = clean.chunks_exact(2).map(|pair| pair[1] > pair[0]).collect();
    if let Some(third) = truth.get_mut(2).filter(|_| documents.len() == 6) {
        *third = !*third;
    }
    let ids: Vec<String> = (0..documents.len()).map(|case| format!("case {case}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let victim = Victim::new(model, truth.clone()).expect("a victim");
    let reports = Reports {
        victim: victim.clone(),
        image: None,
        documents: documents.iter().collect(),
        originals: texts.iter().map(String::as_str).collect(),
        cases: &ids,
        seed: 7,
        lexicon,
        reader: model,
        preserving,
    };
    let steps = propose(&reports, search, share, queries).expect("edits");
    Found {
        truth_after: victim.truth().iter().map(|label| label.is_abnormal()).collect(),
        truth,
        steps,
        queries: victim.queries(),
    }
}
