//! `TextFooler`: Jin, Jin, Zhou & Szolovits, Is BERT Really Robust? (AAAI 2020, arXiv 1907.11932), over our lexicon's
//! synonyms instead of neighbours among word vectors.
//!
//! Words are ranked by how much p, the probability of the true class, falls without them. In that order each word is
//! replaced by the synonym with the least p, if p falls, until the answer flips. Stop words, including negations, are
//! never replaced. Among synonyms that flip the answer, the authors take the one that a sentence encoder finds closest;
//! here all synonyms of a set count as equally close.
//!
//! Defaults: 500 evaluations a case. Needs: scores. Cost a case: one evaluation for the report, one a word with
//! synonyms, and one a synonym until the answer flips.

use super::Reports;
use super::search::{Search, places, rank};
use crate::Result;
use crate::spec::Access;
use crate::text::Edit;

/// The replacements of each report.
pub fn propose(reports: &Reports<'_>, share: f64, queries: u32) -> Result<Vec<Vec<Vec<Edit>>>> {
    let mut search = Search::start(reports, share, queries, Access::Score)?;
    let drops = search.drops(|_, case, word| {
        let is_replaceable = !case.admissible(case.synonyms(word, reports.lexicon)).is_empty();
        is_replaceable.then_some(Edit::Delete { word })
    })?;
    let orders = drops.into_iter().map(|drops| places(rank(drops))).collect();
    search.walk(orders, |_, case, word| Ok(case.synonyms(word, reports.lexicon)))?;
    Ok(search.finish())
}
