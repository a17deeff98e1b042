//! Shared parts of the text searches: reports with the best edits so far, evaluations within a budget, and the greedy
//! walk over words.
//!
//! All scores are p, the model's probability of the true class. No text is evaluated twice: a text that was evaluated
//! before costs nothing.

use std::collections::HashMap;

use super::Reports;
use crate::lab::tensor::Tensor;
use crate::lab::victim::{Answer, Victim};
use crate::spec::Access;
use crate::text::meaning::{Meaning, meaning};
use crate::text::perturb::{apply, cased_as, round};
use crate::text::words::Word;
use crate::text::{Document, Edit, Lexicon};
use crate::{Error, Result};

/// Words of grammar or negation, which no search replaces or misspells. Sorted.
const STOP_WORDS: [&str; 61] = [
    "a", "an", "and", "any", "are", "as", "at", "be", "been", "being", "but", "by", "can", "cannot", "could",
    "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "his", "if", "in", "into", "is",
    "it", "its", "may", "might", "neither", "never", "no", "nor", "not", "of", "on", "or", "she", "should",
    "so", "than", "that", "the", "their", "there", "these", "they", "this", "those", "to", "was", "were",
    "which", "with", "without", "would",
];

/// Whether a word is a stop word.
pub(super) fn is_stop_word(core: &str) -> bool {
    STOP_WORDS.binary_search(&core.to_lowercase().as_str()).is_ok()
}

/// Whether a vocabulary entry is a word that a search may insert.
pub(super) fn is_word(entry: &str) -> bool {
    entry.chars().count() > 1 && entry.chars().all(char::is_alphabetic) && !is_stop_word(entry)
}

/// The margin of a text: the logit of the true class minus that of the other; −∞ if the answer is not finite.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub margin: f64,
}

impl Seen {
    fn of(answer: &Answer) -> Self {
        Self { margin: answer.margin.map_or(f64::NEG_INFINITY, f64::from) }
    }

    /// The probability of the true class.
    pub fn belief(self) -> f64 {
        1.0 / (1.0 + (-self.margin).exp())
    }

    fn is_broken(self) -> bool {
        self.margin <= 0.0
    }
}

/// A report under search.
pub(super) struct Case<'a> {
    pub document: &'a Document,
    /// Its words, in the order in which edits count them.
    pub words: Vec<Word<'a>>,
    /// The best edits so far, by ascending position.
    pub edits: Vec<Edit>,
    /// The margin of the report after them.
    pub now: Seen,
    /// Words that may be edited.
    most: usize,
    /// The meaning that the report must keep, in `preserving` mode.
    says: Option<Meaning>,
    /// Remaining evaluations.
    left: u32,
    /// The margins of evaluated texts; None while an evaluation is pending.
    known: HashMap<String, Option<Seen>>,
}

impl<'a> Case<'a> {
    fn new(document: &'a Document, original: Option<&str>, share: f64, queries: u32) -> Self {
        let words = document.words();
        let spoken = words.iter().filter(|word| !word.core.is_empty()).count();
        Self {
            document,
            words,
            edits: Vec::new(),
            now: Seen { margin: f64::INFINITY },
            most: round(spoken, share),
            says: original.map(meaning),
            left: queries,
            known: HashMap::new(),
        }
    }

    /// The positions of the words that are more than punctuation.
    pub fn spoken(&self) -> Vec<usize> {
        (0..self.words.len()).filter(|&word| !self.words[word].core.is_empty()).collect()
    }

    /// Whether the answer is still right and more words may be edited.
    pub fn stands(&self) -> bool {
        !self.now.is_broken() && self.edits.len() < self.most
    }

    /// Whether no evaluation is left.
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// The largest number of words that may be edited.
    pub fn most(&self) -> usize {
        self.most
    }

    /// The edits so far with one more.
    pub fn with(&self, edit: Edit) -> Vec<Edit> {
        joined(&self.edits, edit)
    }

    /// Whether the report keeps its meaning after edits.
    pub fn admits(&self, edits: &[Edit]) -> bool {
        let Some(says) = &self.says else { return true };
        apply(self.document, edits).is_ok_and(|text| meaning(&text) == *says)
    }

    /// The edits that are admissible on their own.
    pub fn admissible(&self, edits: impl IntoIterator<Item = Edit>) -> Vec<Edit> {
        edits.into_iter().filter(|edit| self.admits(std::slice::from_ref(edit))).collect()
    }

    /// Synonyms of a word that is not a stop word, in its letter case and in alphabetical order.
    pub fn synonyms(&self, word: usize, lexicon: &Lexicon) -> Vec<Edit> {
        let core = self.words[word].core;
        if is_stop_word(core) {
            return Vec::new();
        }
        let others = lexicon.of(&core.to_lowercase()).iter().map(|other| cased_as(core, other));
        others.filter(|by| by != core).map(|by| replace(word, by)).collect()
    }

    /// The report after edits.
    pub fn text(&self, edits: &[Edit]) -> Result<String> {
        apply(self.document, edits).map_err(|why| Error::Bug(format!("a search broke a report: {why}")))
    }
}

/// Replaces one word.
pub(super) fn replace(word: usize, by: String) -> Edit {
    Edit::Replace { word, words: 1, by }
}

/// The position of the word that a search edits.
pub(super) fn place(edit: &Edit) -> usize {
    match edit {
        Edit::Delete { word } | Edit::Replace { word, .. } => *word,
        _ => usize::MAX, // no search proposes another edit
    }
}

/// Edits with one more, by ascending position.
pub(super) fn joined(edits: &[Edit], edit: Edit) -> Vec<Edit> {
    let mut all = edits.to_vec();
    all.insert(all.partition_point(|known| place(known) < place(&edit)), edit);
    all
}

/// Words of a report with their scores.
pub(super) type Ranking = Vec<(usize, f64)>;

/// Sorts by descending score, then by position.
pub(super) fn rank(mut ranking: Ranking) -> Ranking {
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranking
}

/// The positions of a ranking.
pub(super) fn places(ranking: Ranking) -> Vec<usize> {
    ranking.into_iter().map(|(word, _)| word).collect()
}

/// The reports of a chunk under search.
pub(super) struct Search<'a> {
    victim: Victim<'a>,
    image: Option<&'a Tensor>,
    /// The reports.
    pub cases: Vec<Case<'a>>,
}

impl<'a> Search<'a> {
    /// Evaluates the current reports.
    pub fn start(reports: &Reports<'a>, share: f64, queries: u32, access: Access) -> Result<Self> {
        let originals = reports.originals.iter().map(|original| reports.preserving.then_some(*original));
        let documents = reports.documents.iter().zip(originals);
        let cases = documents.map(|(document, says)| Case::new(document, says, share, queries)).collect();
        let mut search = Self { victim: reports.victim.limited(access), image: reports.image, cases };
        let clean: Vec<_> = (0..search.cases.len()).map(|row| (row, Vec::new())).collect();
        let seen = search.ask(&clean)?;
        for (case, seen) in search.cases.iter_mut().zip(seen) {
            match seen {
                Some(seen) => case.now = seen,
                None => case.most = 0, // the budget allows no evaluation
            }
        }
        Ok(search)
    }

    /// The rows of the unbroken cases.
    pub fn standing(&self) -> Vec<usize> {
        (0..self.cases.len()).filter(|&row| self.cases[row].stands()).collect()
    }

    /// The margins of edited reports, each given by its case's row and all its edits; None where the budget is spent.
    /// One batch.
    pub fn ask(&mut self, proposals: &[(usize, Vec<Edit>)]) -> Result<Vec<Option<Seen>>> {
        let mut texts = Vec::with_capacity(proposals.len());
        let mut new = Vec::new();
        for (row, edits) in proposals {
            let case = &mut self.cases[*row];
            let text = case.text(edits)?;
            if case.left > 0 && !case.known.contains_key(&text) {
                case.left -= 1;
                case.known.insert(text.clone(), None);
                new.push((*row, text.clone()));
            }
            texts.push((*row, text));
        }
        let answers = self.victim.ask(self.image, &new)?;
        for ((row, text), answer) in new.into_iter().zip(&answers) {
            self.cases[row].known.insert(text, Some(Seen::of(answer)));
        }
        Ok(texts.iter().map(|(row, text)| self.cases[*row].known.get(text).copied().flatten()).collect())
    }

    /// The gradient of the loss by the embeddings of a report's pieces, `[pieces, hidden]`, for each of the cases
    /// as they are now; None where the budget is spent. An evaluation each.
    ///
    /// # Errors
    /// The model does not provide its embeddings.
    pub fn slopes(&mut self, rows: &[usize]) -> Result<Vec<Option<(String, Tensor)>>> {
        let mut texts = Vec::new();
        for &row in rows {
            let case = &mut self.cases[row];
            if case.left > 0 {
                case.left -= 1;
                texts.push((row, case.text(&case.edits)?));
            }
        }
        let mut slopes = self.victim.text_slopes(self.image, &texts)?.into_iter();
        let mut texts = texts.into_iter().peekable();
        let of_row = |&row: &usize| {
            let (_, text) = texts.next_if(|(asked, _)| *asked == row)?;
            Some((text, slopes.next()?))
        };
        Ok(rows.iter().map(of_row).collect())
    }

    /// Keeps for each case the best evaluated edits if they improve on the current ones; returns the improved cases.
    pub fn take_best(&mut self, proposals: Vec<(usize, Vec<Edit>)>, seen: &[Option<Seen>]) -> Vec<bool> {
        let mut is_better = vec![false; self.cases.len()];
        for ((row, edits), seen) in proposals.into_iter().zip(seen) {
            let case = &mut self.cases[row];
            if let Some(seen) = seen.filter(|seen| seen.margin < case.now.margin) {
                (case.edits, case.now, is_better[row]) = (edits, seen, true);
            }
        }
        is_better
    }

    /// The fall of p when `probe` changes one word: for each unbroken case, the probed words in the order of the
    /// report. A probe is never proposed, so it may change the meaning.
    pub fn drops(&mut self, probe: impl Fn(usize, &Case<'a>, usize) -> Option<Edit>) -> Result<Vec<Ranking>> {
        let mut proposals = Vec::new();
        for row in self.standing() {
            let case = &self.cases[row];
            let probes = case.spoken().into_iter().filter_map(|word| probe(row, case, word));
            proposals.extend(probes.map(|edit| (row, vec![edit])));
        }
        let seen = self.ask(&proposals)?;
        let mut rankings = vec![Vec::new(); self.cases.len()];
        for ((row, edits), seen) in proposals.iter().zip(seen) {
            if let (Some(seen), Some(edit)) = (seen, edits.first()) {
                rankings[*row].push((place(edit), self.cases[*row].now.belief() - seen.belief()));
            }
        }
        Ok(rankings)
    }

    /// Goes over each case's words in the given order. At each word it takes the edit with the least p among those that
    /// `options` lists and the contract allows, if p falls. It stops when the case is broken, or when the budget or the
    /// words are used up.
    pub fn walk(
        &mut self,
        orders: Vec<Vec<usize>>,
        options: impl Fn(usize, &Case<'a>, usize) -> Result<Vec<Edit>>,
    ) -> Result<()> {
        let mut orders: Vec<_> = orders.into_iter().map(Vec::into_iter).collect();
        loop {
            let mut proposals: Vec<(usize, Vec<Edit>)> = Vec::new();
            for row in self.standing() {
                let case = &self.cases[row];
                for word in orders[row].by_ref() {
                    let options = options(row, case, word)?.into_iter().map(|edit| case.with(edit));
                    let before = proposals.len();
                    proposals.extend(options.filter(|edits| case.admits(edits)).map(|edits| (row, edits)));
                    if proposals.len() > before {
                        break;
                    }
                }
            }
            if proposals.is_empty() {
                return Ok(());
            }
            let seen = self.ask(&proposals)?;
            self.take_best(proposals, &seen);
        }
    }

    /// The edits of each case, as one step.
    pub fn finish(self) -> Vec<Vec<Vec<Edit>>> {
        let step = |case: Case<'_>| if case.edits.is_empty() { Vec::new() } else { vec![case.edits] };
        self.cases.into_iter().map(step).collect()
    }
}
