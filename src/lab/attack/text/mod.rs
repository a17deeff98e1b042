//! Text searches: attacks on the report that use the model's answers. Each gets the [`Reports`] and proposes edits; the
//! laboratory tokenises and evaluates every proposal again.

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

/// The input of a search: the reports, the model and the rules.
pub struct Reports<'a> {
    /// The model.
    pub victim: Victim<'a>,
    /// Features of the image branch for the same cases; None if the model reads no image.
    pub image: Option<&'a Tensor>,
    /// The current reports.
    pub documents: Vec<&'a Document>,
    /// The reports before any attack, whose meaning an edit must preserve.
    pub originals: Vec<&'a str>,
    /// Identifiers of the cases.
    pub cases: &'a [&'a str],
    /// Seed of the spec.
    pub seed: u64,
    /// The synonyms.
    pub lexicon: &'a Lexicon,
    /// The model's text branch, for searches that use its internals.
    pub reader: &'a dyn Reader,
    /// Whether edits that change the meaning are rejected.
    pub preserving: bool,
}

/// The edits that a search proposes for each report: steps, each a list of edits of the result of the step before. At
/// most round(`share` · words) words are edited, with at most `queries` evaluations of a case. A case whose answer is
/// already wrong is not edited.
///
/// # Errors
/// The model does not provide the access that the search needs.
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
