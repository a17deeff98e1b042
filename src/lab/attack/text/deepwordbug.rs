//! `DeepWordBug`: Gao, Lanchantin, Soffa & Qi, Black-box Generation of Adversarial Text Sequences to Evade Deep
//! Learning Classifiers (SPW 2018, arXiv 1801.04354).
//!
//! Words are ranked by how much p, the probability of the true class, falls when `[UNK]` replaces them. In that order
//! each word gets the misspelling with the least p, if p falls, until the answer flips. A misspelling swaps two
//! neighbouring letters, or replaces, omits or inserts a letter, at any position of the word. The new letter is drawn
//! for each word from the letters that it lacks. The misspellings of a report change at most 30 letters (the authors'
//! bound on the Levenshtein distance); stop words are not changed.
//!
//! Defaults: 500 evaluations a case. Needs: scores. Cost a case: one evaluation for the report, one a word, and
//! about four a letter of the words that it tries.

use super::Reports;
use super::search::{Case, Search, is_stop_word, place, places, rank, replace};
use crate::Result;
use crate::random::{below, stream};
use crate::spec::Access;
use crate::text::Edit;

/// The largest number of letters that the misspellings of a report change.
const DISTANCE: usize = 30;

/// The misspellings of each report.
pub fn propose(reports: &Reports<'_>, share: f64, queries: u32) -> Result<Vec<Vec<Vec<Edit>>>> {
    let mut search = Search::start(reports, share, queries, Access::Score)?;
    let seed = reports.seed.to_string();
    let letter = |row: usize, case: &Case<'_>, word: usize| {
        let lacked: Vec<char> =
            ('a'..='z').filter(|letter| !case.words[word].core.contains(*letter)).collect();
        let mut noise = stream(&["deepwordbug", &seed, reports.cases[row], &word.to_string()]);
        lacked.get(below(&mut noise, lacked.len().max(1))).copied().unwrap_or('x')
    };
    let drops = search.drops(|row, case, word| {
        let slips = slips(case, word, letter(row, case, word));
        let is_misspelt = slips.into_iter().any(|edit| case.admits(&[edit]));
        is_misspelt.then(|| replace(word, "[UNK]".to_string()))
    })?;
    let orders = drops.into_iter().map(|drops| places(rank(drops))).collect();
    search.walk(orders, |row, case, word| {
        let spent: usize = case.edits.iter().map(|edit| distance(case, edit)).sum();
        let mut slips = slips(case, word, letter(row, case, word));
        slips.retain(|edit| spent + distance(case, edit) <= DISTANCE);
        Ok(slips)
    })?;
    Ok(search.finish())
}

/// Number of letters that an edit changes.
fn distance(case: &Case<'_>, edit: &Edit) -> usize {
    match edit {
        Edit::Replace { by, .. } => strsim::levenshtein(case.words[place(edit)].core, by),
        _ => 0,
    }
}

/// All misspellings of a word that is not a stop word, without duplicates, in alphabetical order.
fn slips(case: &Case<'_>, word: usize, new: char) -> Vec<Edit> {
    let core = case.words[word].core;
    if is_stop_word(core) {
        return Vec::new();
    }
    let letters: Vec<char> = core.chars().collect();
    let spelt = |start: usize, by: &[char], end: usize| -> String {
        letters[..start].iter().chain(by).chain(&letters[end..]).collect()
    };
    let mut all = Vec::with_capacity(4 * letters.len());
    for (at, &letter) in letters.iter().enumerate() {
        all.extend([spelt(at, &[new], at + 1), spelt(at, &[new], at)]);
        if letters.len() > 1 {
            all.push(spelt(at, &[], at + 1));
        }
        if let Some(&next) = letters.get(at + 1) {
            all.push(spelt(at, &[next, letter], at + 2));
        }
    }
    all.sort_unstable();
    all.dedup();
    all.into_iter().filter(|by| by != core).map(|by| replace(word, by)).collect()
}
