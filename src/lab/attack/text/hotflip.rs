//! `HotFlip`: Ebrahimi, Rao, Lowd & Dou, White-Box Adversarial Examples for Text Classification (ACL 2018, arXiv
//! 1712.06751), here with whole words.
//!
//! The gradient ∇ of the loss by the embedding of a word's piece predicts to first order how much a replacement raises
//! the loss: `(e_b − e_a) · ∇`. A word of one piece may become a synonym of one piece, or any word of the vocabulary
//! whose embedding has a cosine of at least 0.8 with its own. The ten replacements with the largest predicted rise are
//! tried. The one with the least p, the probability of the true class, is kept if p falls; then the gradient is
//! computed again, until the answer flips. Stop words are neither replaced nor inserted. (The authors also require the
//! same part of speech, and keep a beam of ten instead.)
//!
//! Defaults: ten tries a step, 500 evaluations a case. Needs: the gradient by the embeddings, which a `TorchScript`
//! module does not provide. Cost a case: one evaluation for the report, and up to eleven a word.

use std::collections::HashMap;

use super::Reports;
use super::search::{Case, Search, is_stop_word, is_word, place, replace};
use crate::lab::model::{Pieces, Reader, TokenizerOf};
use crate::lab::tensor::{self, Kind, Tensor};
use crate::spec::Access;
use crate::text::perturb::cased_as;
use crate::text::{Edit, Lexicon};
use crate::{Error, Result};

/// Replacements tried in a step.
const TRIES: usize = 10;
/// Least cosine between the embeddings of a word and its replacement.
const COSINE: f32 = 0.8;

/// The replacements of each report.
///
/// # Errors
/// The model does not provide its embeddings.
pub fn propose(reports: &Reports<'_>, share: f64, queries: u32) -> Result<Vec<Vec<Vec<Edit>>>> {
    let mut table = Table::of(reports.reader, reports.lexicon)?;
    let mut search = Search::start(reports, share, queries, Access::Gradient)?;
    let mut goes_on = vec![true; search.cases.len()];
    loop {
        let rows: Vec<usize> = search.standing().into_iter().filter(|&row| goes_on[row]).collect();
        if rows.is_empty() {
            return Ok(search.finish());
        }
        let slopes = search.slopes(&rows)?;
        let mut proposals = Vec::new();
        for (&row, slope) in rows.iter().zip(slopes) {
            let Some((text, slope)) = slope else { continue };
            let case = &search.cases[row];
            let flips = table.flips(case, &text, &slope)?.into_iter().map(|(_, edit)| case.with(edit));
            let admitted = flips.filter(|edits| case.admits(edits)).take(TRIES);
            proposals.extend(admitted.map(|edits| (row, edits)));
        }
        let seen = search.ask(&proposals)?;
        goes_on = search.take_best(proposals, &seen);
    }
}

/// The embeddings of pieces, and the neighbours among them.
struct Table<'a> {
    pieces: Pieces<'a>,
    lexicon: &'a Lexicon,
    /// Embeddings of length 1, `[vocabulary, hidden]`.
    directions: Tensor,
    /// Neighbours of the pieces looked up so far.
    near: HashMap<u32, Vec<u32>>,
}

impl<'a> Table<'a> {
    fn of(reader: &'a dyn Reader, lexicon: &'a Lexicon) -> Result<Self> {
        let pieces = reader.pieces().ok_or_else(|| {
            Error::Input(format!(
                "HotFlip needs the gradient by the embeddings of words, and {} does not give it, because \
                 only medcert's own networks show their embeddings; take a search that asks for scores alone, such as \
                 TextFooler",
                reader.name()
            ))
        })?;
        let _guard = tensor::no_grad_guard();
        let lengths = pieces.embeddings.f_norm_scalaropt_dim(2.0, [1_i64].as_slice(), true)?;
        let directions = pieces.embeddings.f_div(&lengths.f_clamp_min(1e-12)?)?;
        Ok(Self { pieces, lexicon, directions, near: HashMap::new() })
    }

    /// The words of the vocabulary that are near a piece, by id.
    fn near(&mut self, piece: u32) -> Result<&[u32]> {
        if !self.near.contains_key(&piece) {
            let direction = self.directions.f_select(0, i64::from(piece))?;
            let cosines = tensor::values(&self.directions.f_mv(&direction)?)?;
            let vocabulary = &self.pieces.of.vocabulary;
            let near = cosines.into_iter().enumerate().filter(|(id, cosine)| {
                *cosine >= COSINE && *id != piece as usize && vocabulary.word(*id).is_some_and(is_word)
            });
            let near = near.map(|(id, _)| id as u32).collect();
            self.near.insert(piece, near);
        }
        Ok(self.near.get(&piece).map_or(&[], Vec::as_slice))
    }

    /// The possible replacements of a word's piece: words with their pieces.
    fn others(&mut self, case: &Case<'_>, word: usize, piece: u32) -> Result<Vec<(String, u32)>> {
        let core = case.words[word].core;
        let mut others: Vec<(String, u32)> = Vec::new();
        for edit in case.synonyms(word, self.lexicon) {
            let Edit::Replace { by, .. } = edit else { continue };
            if let Some(id) = self.pieces.of.tokenizer.piece(&by) {
                others.push((by, id));
            }
        }
        for id in self.near(piece)?.to_vec() {
            if let Some(entry) = self.pieces.of.vocabulary.word(id as usize) {
                others.push((cased_as(core, entry), id));
            }
        }
        others.sort();
        others.dedup();
        others.retain(|(by, id)| *id != piece && by != core);
        Ok(others)
    }

    /// The replacements of a case with a predicted rise of the loss, the largest first.
    fn flips(&mut self, case: &Case<'_>, text: &str, slope: &Tensor) -> Result<Vec<(f32, Edit)>> {
        let _guard = tensor::no_grad_guard();
        let TokenizerOf { tokenizer, max_tokens, .. } = self.pieces.of;
        let ids = tokenizer.encode(text, *max_tokens);
        let places = tokenizer.places(text, *max_tokens);
        let (mut flips, mut read) = (Vec::new(), 0);
        for (word, spelt) in case.words.iter().enumerate() {
            let own = case.edits.iter().find(|edit| place(edit) == word);
            let core = match own {
                Some(Edit::Replace { by, .. }) => by,
                _ => spelt.core,
            };
            let whole = format!("{}{core}{}", spelt.leading, spelt.trailing);
            let Some(start) = text[read..].find(&whole).map(|found| read + found) else { continue };
            read = start + whole.len();
            let place = start + spelt.leading.len()..start + spelt.leading.len() + core.len();
            // one piece must spell the word, as it would spell it in another report
            let Some(at) = places.iter().position(|of| *of == place) else { continue };
            let piece = ids[at];
            if own.is_some() || is_stop_word(core) || tokenizer.piece(core) != Some(piece) {
                continue;
            }
            let others = self.others(case, word, piece)?;
            let into: Vec<i64> = others.iter().map(|(_, id)| i64::from(*id)).collect();
            let into = self.pieces.embeddings.f_index_select(0, &tensor::integers(&into, &[into.len()])?)?;
            let from = self.pieces.embeddings.f_select(0, i64::from(piece))?;
            let slope = slope.f_select(0, at as i64)?.f_to_kind(Kind::Float)?;
            let scores = tensor::values(&into.f_sub(&from)?.f_mv(&slope)?)?;
            let edits = others.into_iter().map(|(by, _)| replace(word, by));
            flips.extend(scores.into_iter().zip(edits).filter(|(score, _)| *score > 0.0));
        }
        flips.sort_by(|a, b| b.0.total_cmp(&a.0));
        Ok(flips)
    }
}
