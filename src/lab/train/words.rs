//! Hardens a model by changing the words of its reports in every epoch.
//!
//! `keep: 10%` keeps that share of the words, chosen uniformly. A model behind smoothing reads such reports: words
//! are masked (Zeng et al., Computational Linguistics 2023, arXiv 2105.03743) or deleted (Huang et al., NeurIPS 2023,
//! arXiv 2302.01757). `words: 15%` replaces that share of the words by words of other training reports, as an attack
//! by substitution may.

use super::Lesson;
use crate::random::{below, choose, stream};
use crate::stats::certificate::kept;

impl Lesson<'_> {
    /// The reports of some cases in an epoch; epoch 0 stands for validation.
    pub(super) fn hardened_texts(self, indices: &[usize], epoch: u32, copy: u32) -> Vec<String> {
        indices.iter().map(|&index| self.hardened_text(index, epoch, copy)).collect()
    }

    fn hardened_text(self, index: usize, epoch: u32, copy: u32) -> String {
        let (text, hardening) = (self.inputs.texts[index].as_str(), &self.train.hardening);
        if !hardening.on_text() {
            return text.to_string();
        }
        let seed = self.train.seed.to_string();
        let mut rng =
            stream(&["training words", &seed, &epoch.to_string(), &index.to_string(), &copy.to_string()]);
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let substituted = (hardening.words * words.len() as f64).round() as usize;
        for place in choose(&mut rng, words.len(), substituted) {
            let other = self.partition.train[below(&mut rng, self.partition.train.len())];
            let others: Vec<&str> = self.inputs.texts[other].split_whitespace().collect();
            if !others.is_empty() {
                words[place] = others[below(&mut rng, others.len())];
            }
        }
        if let Some(share) = hardening.keep {
            let count = kept(share, words.len() as u64) as usize;
            words = choose(&mut rng, words.len(), count).into_iter().map(|place| words[place]).collect();
        }
        words.join(" ")
    }
}
