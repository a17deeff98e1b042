//! BAE: Garg & Ramakrishnan, BAE: BERT-based Adversarial Examples for Text Classification (EMNLP 2020, arXiv
//! 2004.01970), in its variant R: words become what a masked language model expects in their place.
//!
//! Words are ranked by how much p, the probability of the true class, falls without them. In that order each word is
//! masked in the current report. Of the 50 words that the language model finds most likely, the one with the least p
//! is taken, if p falls, until the answer flips. A candidate is a vocabulary entry of two or more letters and nothing
//! else; stop words, including negations, are neither replaced nor inserted. (The authors count the 50 before they
//! exclude such entries. They also exclude words of another part of speech and texts that a sentence encoder finds
//! dissimilar. Neither filter is implemented here: `preserving` takes their role.)
//!
//! The language model comes from the folder from which the text branch was loaded or fine-tuned, as published. The
//! folder must contain its head (`cls.predictions`, as in `BertForMaskedLM` and `BertForPreTraining`); otherwise the run
//! ends with an error that names it. For a fusion the folder is that of its language part.
//!
//! Defaults: 50 words, 500 evaluations a case. Needs: scores, and that head. Cost a case: one evaluation for the
//! report, one for each word that is not a stop word, and 50 a word until the answer flips. One call of the language
//! model per word is not counted.

use super::Reports;
use super::search::{Case, Search, is_stop_word, is_word, places, rank, replace};
use crate::lab::model::masked::Masked;
use crate::spec::Access;
use crate::text::Edit;
use crate::text::perturb::cased_as;
use crate::{Error, Result};

/// Words that the language model proposes for a place.
const PROPOSED: usize = 50;

/// The replacements of each report.
///
/// # Errors
/// The model has no head that proposes words, or its weights do not fit.
pub fn propose(reports: &Reports<'_>, share: f64, queries: u32) -> Result<Vec<Vec<Vec<Edit>>>> {
    let masked = reports.reader.masked().ok_or_else(|| {
        Error::Input(format!(
            "BAE asks a masked language model for words, and {} has no such head (BERT's \
             `cls.predictions`, RoBERTa's `lm_head`); start its text branch from a folder that holds one, or take a search \
             over synonyms, such as PWWS or TextFooler",
            reports.reader.name()
        ))
    })?;
    let mut search = Search::start(reports, share, queries, Access::Score)?;
    let drops = search
        .drops(|_, case, word| (!is_stop_word(case.words[word].core)).then_some(Edit::Delete { word }))?;
    let orders = drops.into_iter().map(|drops| places(rank(drops))).collect();
    search.walk(orders, |_, case, word| expected(masked, case, word))?;
    Ok(search.finish())
}

/// The words that a language model predicts for a masked word, in its letter case.
fn expected(masked: &Masked, case: &Case<'_>, word: usize) -> Result<Vec<Edit>> {
    if case.is_spent() {
        return Ok(Vec::new());
    }
    let core = case.words[word].core;
    let text = case.text(&case.with(replace(word, masked.mask().to_string())))?;
    let is_other = |entry: &str| is_word(entry) && entry.to_lowercase() != core.to_lowercase();
    let words = masked.words(&text, PROPOSED, is_other)?;
    Ok(words.into_iter().map(|entry| replace(word, cased_as(core, entry))).collect())
}
