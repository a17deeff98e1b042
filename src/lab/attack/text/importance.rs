//! Word importance: removes the words that matter most. Li, Monroe & Jurafsky, Understanding Neural Networks through
//! Representation Erasure (2016, arXiv 1612.08220).
//!
//! The importance of a word is how much p, the probability of the true class, falls without it. Words are removed by
//! descending importance until the answer flips; a removal that does not lower p is undone. (In the paper the rise of
//! the other class is added for a word whose removal flips the answer. With two classes this is the same fall again,
//! and such a word comes first in any case.) In `preserving` mode only words are removed that do not change the
//! meaning.
//!
//! Defaults: 500 evaluations a case. Needs: scores. Cost a case: one evaluation for the report, one a word, and
//! one a removal beyond the first.

use super::Reports;
use super::search::{Search, places, rank};
use crate::Result;
use crate::spec::Access;
use crate::text::Edit;

/// The removals of each report.
pub fn propose(reports: &Reports<'_>, share: f64, queries: u32) -> Result<Vec<Vec<Vec<Edit>>>> {
    let mut search = Search::start(reports, share, queries, Access::Score)?;
    let drops = search.drops(|_, case, word| case.admissible([Edit::Delete { word }]).pop())?;
    let orders = drops.into_iter().map(|drops| places(rank(drops))).collect();
    search.walk(orders, |_, _, word| Ok(vec![Edit::Delete { word }]))?;
    Ok(search.finish())
}
