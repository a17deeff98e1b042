//! Random perturbations of a report: kinds of edits as proptest strategies, with a seed per case and draw. Kinds
//! are applied one after the other, stored as steps that can be replayed, and shrunk by undoing edits.
//!
//! A share b of n words means round(b · n) edits, halves up, at places drawn uniformly without replacement;
//! where a kind finds fewer places, it edits all of them. Kinds that take no share act once, or (a template)
//! wherever they can, unless their share is 0. Under a contract, an edit that violates it is rejected and the
//! next place is drawn, until the share is reached or no place is left.

mod abbreviations;
mod deidentification;
mod deletion;
mod document;
mod edit;
mod homophones;
mod insertion;
mod kind;
mod negation;
mod ocr;
mod phrases;
mod section_drop;
mod section_order;
mod shrink;
mod swap;
mod synonyms;
mod template;
mod typos;
mod units;

use std::fmt;

use proptest::strategy::{NewTree, Strategy};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

pub use document::Document;
pub use edit::{Edit, after, apply, replay};
pub use shrink::{EditsTree, shrink};

use super::lexicon::Lexicon;
use crate::spec::EditKind;
use document::Page;
use edit::lay;
use kind::{Amount, Kind, Noise};

pub use kind::cased_as;

/// A perturbed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Perturbed {
    /// The text; without edits, byte for byte the original.
    pub text: String,
    /// Number of edits over all steps.
    pub edits: u32,
    /// The edits of each kind, in the order of drawing; [`replay`] turns them into the text.
    pub steps: Vec<Vec<Edit>>,
}

impl Perturbed {
    /// Applies steps to a document that they fit.
    fn new(document: &Document, steps: Vec<Vec<Edit>>) -> Result<Self, String> {
        let edits = steps.iter().map(Vec::len).sum::<usize>() as u32;
        Ok(Self { text: replay(document, &steps)?, edits, steps })
    }
}

/// Whether a perturbed text (the second argument) keeps the contract with the original (the first).
pub type Contract<'a> = &'a dyn Fn(&str, &str) -> bool;

/// The opposite of a text, if the rules can express it.
pub type Flip<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The resources and contract that the kinds use.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The synonyms.
    pub lexicon: &'a Lexicon,
    /// The contract of an edit; None allows any edit.
    pub contract: Option<Contract<'a>>,
    /// Gives the opposite of a text; without it, the kind `negation` does nothing.
    pub flip: Option<Flip<'a>>,
}

impl<'a> Rules<'a> {
    /// Rules that allow every edit and have no opposite.
    pub fn free(lexicon: &'a Lexicon) -> Self {
        Self { lexicon, contract: None, flip: None }
    }
}

impl fmt::Debug for Rules<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (contract, flip) = (self.contract.is_some(), self.flip.is_some());
        f.debug_struct("Rules").field("contract", &contract).field("flip", &flip).finish_non_exhaustive()
    }
}

/// The implementation of a kind.
fn editor<'a>(kind: EditKind, rules: &Rules<'a>) -> Box<dyn Kind + 'a> {
    match kind {
        EditKind::Deletion => Box::new(deletion::Deletion),
        EditKind::Synonyms => Box::new(synonyms::Synonyms(rules.lexicon)),
        EditKind::Insertion => Box::new(insertion::Insertion),
        EditKind::Swap => Box::new(swap::Swap),
        EditKind::Typos => Box::new(typos::Typos),
        EditKind::Ocr => Box::new(ocr::Ocr),
        EditKind::Homophones => Box::new(homophones::Homophones),
        EditKind::Abbreviations => Box::new(abbreviations::Abbreviations),
        EditKind::Deidentification => Box::new(deidentification::Deidentification),
        EditKind::SectionDrop => Box::new(section_drop::SectionDrop),
        EditKind::SectionOrder => Box::new(section_order::SectionOrder),
        EditKind::Template => Box::new(template::Template),
        EditKind::Units => Box::new(units::Units),
        EditKind::Negation => Box::new(negation::Negation(rules.flip)),
    }
}

/// Draws a perturbation: the kinds one after the other, each with its share of the words (0 to 1). The noise of
/// a kind depends on it, its share, `seed`, `case` and `draw` alone.
pub fn perturb(
    document: &Document,
    kinds: &[(EditKind, f64)],
    rules: &Rules<'_>,
    seed: u64,
    case: &str,
    draw: u32,
) -> Perturbed {
    draw_all(document, kinds, rules, |kind, share, step| {
        let hash = blake3::hash(purpose(kind, share, seed, case, draw).as_bytes());
        step(&mut TestRng::from_seed(RngAlgorithm::ChaCha, hash.as_bytes()));
    })
}

/// What the noise of a kind is keyed by, such as `Deletion { fraction: 0.5 } 7 p00001-1`; every draw but the
/// first (number 0) adds its number.
pub fn purpose(kind: EditKind, share: f64, seed: u64, case: &str, draw: u32) -> String {
    let first = format!("{} {{ fraction: {share:?} }} {seed} {case}", kind.facts().stream);
    if draw == 0 { first } else { format!("{first} {draw}") }
}

/// How many words a share of a report's words is (0 to 1), halves up.
pub fn count(document: &Document, share: f64) -> usize {
    round(Page::new(document).spoken().count(), share)
}

/// Every single edit of a kind, by the places of the words: a search tries them. Where a kind draws what it does
/// to a place, only deletion and synonyms list it.
pub fn singles(document: &Document, kind: EditKind, rules: &Rules<'_>) -> Vec<Edit> {
    let page = Page::new(document);
    let kind = editor(kind, rules);
    let places = kind.places(&page, 0).into_iter();
    places
        .flat_map(|place| place.edit.map_or_else(|| kind.choices(&page, &place.words), |edit| vec![edit]))
        .collect()
}

/// A strategy that perturbs a report by some kinds; its values shrink by taking edits back.
#[derive(Debug, Clone)]
pub struct Edits<'a> {
    /// The report.
    pub document: Document,
    /// The kinds, one after the other, and their shares.
    pub kinds: Vec<(EditKind, f64)>,
    /// What they need to know.
    pub rules: Rules<'a>,
}

impl Strategy for Edits<'_> {
    type Tree = EditsTree;
    type Value = Perturbed;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let drawn = draw_all(&self.document, &self.kinds, &self.rules, |_, _, step| step(runner.rng()));
        Ok(EditsTree::new(self.document.clone(), drawn))
    }
}

/// Draws the kinds one after the other; `with_noise` hands each its noise.
fn draw_all(
    document: &Document,
    kinds: &[(EditKind, f64)],
    rules: &Rules<'_>,
    mut with_noise: impl FnMut(EditKind, f64, &mut dyn FnMut(&mut TestRng)),
) -> Perturbed {
    let original = document.text();
    let mut current = document.clone();
    let mut steps = Vec::with_capacity(kinds.len());
    for (kind, share) in kinds {
        let mut edits = Vec::new();
        with_noise(*kind, *share, &mut |rng| {
            edits = draw(&current, *kind, *share, rules, &original, &mut Noise(rng));
        });
        match lay(&current, &edits) {
            Ok(laid) => current = laid.document,
            // drawn edits fit; were one not to, the step would be none
            Err(_) => edits.clear(),
        }
        steps.push(edits);
    }
    let edits = steps.iter().map(Vec::len).sum::<usize>() as u32;
    Perturbed { text: current.text(), edits, steps }
}

/// Draws the edits of one kind.
fn draw(
    document: &Document,
    kind: EditKind,
    share: f64,
    rules: &Rules<'_>,
    original: &str,
    noise: &mut Noise<'_>,
) -> Vec<Edit> {
    let page = Page::new(document);
    let kind = editor(kind, rules);
    let count = match kind.amount() {
        _ if share.is_nan() || share <= 0.0 => 0,
        Amount::Share => round(page.spoken().count(), share),
        Amount::Once => 1,
        Amount::Everywhere => usize::MAX,
    };
    if count == 0 {
        return Vec::new();
    }
    let style = if kind.styles() > 1 { noise.below(kind.styles()) } else { 0 };
    let mut places = kind.places(&page, style);
    let mut touched = vec![false; page.words.len()];
    let mut edits: Vec<Edit> = Vec::new();
    for drawn in 0..places.len() {
        if edits.len() >= count {
            break;
        }
        let chosen = drawn + noise.below(places.len() - drawn);
        places.swap(drawn, chosen);
        let place = &places[drawn];
        let edit = place.edit.clone().or_else(|| kind.draw(&page, &place.words, style, noise));
        let Some(edit) = edit.filter(|_| !touched[place.words.clone()].contains(&true)) else { continue };
        edits.push(edit);
        let holds = rules.contract.is_none_or(|contract| {
            lay(document, &edits).is_ok_and(|laid| contract(original, &laid.document.text()))
        });
        if holds {
            touched[place.words.clone()].fill(true);
        } else {
            edits.pop();
        }
    }
    edits
}

/// round(share · words), halves up.
pub(crate) fn round(words: usize, share: f64) -> usize {
    ((words as f64 * share + 0.5).floor() as usize).min(words)
}
