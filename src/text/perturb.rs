//! Perturbations of a text as proptest strategies, seeded a case at a time: deletion and synonyms, as in the
//! study (a share of the words, uniformly, without replacement). A strategy shrinks by taking edits back, so
//! that a counterexample ends with the fewest.
//!
//! A share b of n words means round(b · n) edits; synonyms are drawn among the words that have one, and
//! where they are fewer than that, all of them are replaced.

use proptest::prelude::Rng as _;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::lexicon::Lexicon;
use super::words::{Word, words};
use crate::plan::TextAttack;

/// A perturbed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Perturbed {
    /// The text; as it was, to the byte, if there is no edit.
    pub text: String,
    /// Words removed or replaced.
    pub edits: u32,
}

/// Applies the attacks one after the other. The noise depends on (`seed`, attack, `case`) alone.
pub fn perturb(text: &str, attacks: &[TextAttack], lexicon: &Lexicon, seed: u64, case: &str) -> Perturbed {
    let mut perturbed = Perturbed { text: text.to_string(), edits: 0 };
    for attack in attacks {
        let strategy = strategy(&perturbed.text, *attack, lexicon);
        let mut runner = runner(&format!("{attack:?} {seed} {case}"));
        if let Ok(tree) = strategy.new_tree(&mut runner) {
            let next = tree.current();
            perturbed = Perturbed { text: next.text, edits: perturbed.edits + next.edits };
        }
    }
    perturbed
}

/// The strategy of an attack on a text.
pub fn strategy(text: &str, attack: TextAttack, lexicon: &Lexicon) -> Edits {
    match attack {
        TextAttack::Deletion { fraction } => Edits::deletion(text, fraction),
        TextAttack::Synonyms { fraction } => Edits::synonyms(text, fraction, lexicon),
    }
}

/// A runner whose noise depends on the purpose alone.
fn runner(purpose: &str) -> TestRunner {
    let seed = blake3::hash(purpose.as_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, seed.as_bytes());
    TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng)
}

/// What may become of a word: it is removed, or becomes one of these.
#[derive(Debug, Clone)]
struct Candidate {
    place: usize,
    /// Empty: the word is removed.
    replacements: Vec<String>,
}

/// A strategy that edits a fixed number of a text's words.
#[derive(Debug, Clone)]
pub struct Edits {
    text: String,
    candidates: Vec<Candidate>,
    count: usize,
}

impl Edits {
    /// Removes a share of the words.
    pub fn deletion(text: &str, fraction: f64) -> Self {
        let all = words(text);
        let places = all.iter().enumerate().filter(|(_, word)| !word.core.is_empty());
        let candidates: Vec<Candidate> =
            places.map(|(place, _)| Candidate { place, replacements: Vec::new() }).collect();
        Self { text: text.to_string(), count: share(candidates.len(), fraction), candidates }
    }

    /// Replaces a share of the words by synonyms.
    pub fn synonyms(text: &str, fraction: f64, lexicon: &Lexicon) -> Self {
        let all = words(text);
        let count = share(all.iter().filter(|word| !word.core.is_empty()).count(), fraction);
        let candidates: Vec<Candidate> = all
            .iter()
            .enumerate()
            .map(|(place, word)| Candidate { place, replacements: replacements(word, lexicon) })
            .filter(|candidate| !candidate.replacements.is_empty())
            .collect();
        Self { text: text.to_string(), count: count.min(candidates.len()), candidates }
    }
}

/// round(fraction · words), halves up.
fn share(words: usize, fraction: f64) -> usize {
    ((words as f64 * fraction + 0.5).floor() as usize).min(words)
}

fn replacements(word: &Word<'_>, lexicon: &Lexicon) -> Vec<String> {
    let known = lexicon.of(&word.core.to_lowercase());
    known
        .iter()
        .map(|other| format!("{}{}{}", word.leading, cased_as(word.core, other), word.trailing))
        .collect()
}

/// A word in the letter case of another: UPPER, Capitalised or as it is.
fn cased_as(model: &str, word: &str) -> String {
    let mut letters = model.chars().filter(|c| c.is_alphabetic());
    let first_is_upper = letters.next().is_some_and(char::is_uppercase);
    let (mut rest, has_rest) = (letters.clone(), letters.next().is_some());
    if first_is_upper && has_rest && rest.all(char::is_uppercase) {
        return word.to_uppercase();
    }
    let mut letters = word.chars();
    match letters.next() {
        Some(first) if first_is_upper => first.to_uppercase().chain(letters).collect(),
        _ => word.to_string(),
    }
}

impl Strategy for Edits {
    type Tree = EditsTree;
    type Value = Perturbed;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let rng = runner.rng();
        let mut below = |bound: usize| ((u128::from(rng.next_u64()) * bound as u128) >> 64) as usize;
        let mut order: Vec<usize> = (0..self.candidates.len()).collect();
        let mut edits = Vec::with_capacity(self.count);
        for drawn in 0..self.count {
            let chosen = drawn + below(order.len() - drawn);
            order.swap(drawn, chosen);
            let candidate = &self.candidates[order[drawn]];
            let replacement = match candidate.replacements.as_slice() {
                [] => None,
                options => Some(options[below(options.len())].clone()),
            };
            edits.push((candidate.place, replacement));
        }
        Ok(EditsTree { text: self.text.clone(), edits, next: 0, taken_back: None })
    }
}

/// A perturbed text that shrinks by taking its edits back, one after the other.
#[derive(Debug, Clone)]
pub struct EditsTree {
    text: String,
    /// Place of the word, and what it becomes (nothing if it is removed).
    edits: Vec<(usize, Option<String>)>,
    /// The next edit to take back.
    next: usize,
    /// The edit that was taken back last.
    taken_back: Option<(usize, Option<String>)>,
}

impl ValueTree for EditsTree {
    type Value = Perturbed;

    fn current(&self) -> Perturbed {
        if self.edits.is_empty() {
            return Perturbed { text: self.text.clone(), edits: 0 };
        }
        let all = words(&self.text);
        let mut kept: Vec<Option<String>> = all.iter().map(|word| Some(word.whole())).collect();
        for (place, replacement) in &self.edits {
            kept[*place].clone_from(replacement);
        }
        let text = kept.into_iter().flatten().collect::<Vec<_>>().join(" ");
        Perturbed { text, edits: self.edits.len() as u32 }
    }

    fn simplify(&mut self) -> bool {
        if self.next >= self.edits.len() {
            return false;
        }
        self.taken_back = Some(self.edits.remove(self.next));
        true
    }

    fn complicate(&mut self) -> bool {
        let Some(edit) = self.taken_back.take() else { return false };
        self.edits.insert(self.next, edit);
        self.next += 1;
        true
    }
}
