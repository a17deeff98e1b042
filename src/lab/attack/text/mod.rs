//! Searches for words: attacks on the report that look at what the model answers. Each gets the [`Reports`] and
//! proposes edits; every proposal is tokenised and judged anew by the laboratory.

pub mod bae;
pub mod beam;
pub mod deepwordbug;
pub mod hotflip;
pub mod importance;
pub mod pwws;
pub mod textfooler;

mod search;

use crate::Result;
use crate::lab::model::Reader;
use crate::lab::tensor::Tensor;
use crate::lab::victim::Victim;
use crate::spec::TextSearch;
use crate::text::{Document, Edit, Lexicon};

/// The reports that a search starts from, the model that it is to fool, and what it may do.
pub struct Reports<'a> {
    /// The model.
    pub victim: Victim<'a>,
    /// What the image branch gave beside them; none if the model reads no image.
    pub image: Option<&'a Tensor>,
    /// The reports as they are.
    pub documents: Vec<&'a Document>,
    /// The reports as they were before any attack: what an edit must preserve.
    pub originals: Vec<&'a str>,
    /// Identifiers of the cases.
    pub cases: &'a [&'a str],
    /// Seed of the spec.
    pub seed: u64,
    /// Which words may stand for which.
    pub lexicon: &'a Lexicon,
    /// The model's text branch, for searches that look inside.
    pub reader: &'a dyn Reader,
    /// Whether an edit that changes what the report says is rejected.
    pub preserving: bool,
}

/// The edits that a search proposes for each report: steps, each a list of edits on what the step before left. At
/// most round(`share` · words) words are edited, with at most `queries` evaluations of a case. A case that is wrong
/// already stays as it is.
///
/// # Errors
/// The model does not have what the search needs.
pub fn propose(
    reports: &Reports<'_>,
    search: TextSearch,
    share: f64,
    queries: u32,
) -> Result<Vec<Vec<Vec<Edit>>>> {
    match search {
        TextSearch::Importance => importance::propose(reports, share, queries),
        TextSearch::Pwws => pwws::propose(reports, share, queries),
        TextSearch::TextFooler => textfooler::propose(reports, share, queries),
        TextSearch::DeepWordBug => deepwordbug::propose(reports, share, queries),
        TextSearch::HotFlip => hotflip::propose(reports, share, queries),
        TextSearch::Beam => beam::propose(reports, share, queries),
        TextSearch::Bae => bae::propose(reports, share, queries),
    }
}
