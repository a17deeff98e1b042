//! Shrinking of a perturbed report: edits are undone one by one until the counterexample needs every edit that is
//! left (1-minimal, as in delta debugging; Zeller & Hildebrandt, IEEE TSE 2002).
//!
//! Later steps refer to the document after the undone edit. The origin of each word maps their positions to the new
//! document; an edit of a word that no longer exists is dropped as well.

use std::collections::HashMap;

use proptest::strategy::ValueTree;

use super::Perturbed;
use super::document::Document;
use super::edit::{Edit, Laid, Origin, lay};

/// Most calls of a shrink, per edit at its start.
const CALLS_PER_EDIT: usize = 4;

/// A perturbed report that shrinks by undoing its edits.
#[derive(Debug, Clone)]
pub struct EditsTree {
    document: Document,
    steps: Vec<Vec<Edit>>,
    /// The next edit to undo, counted over all steps.
    next: usize,
    /// The steps before the last edit was undone.
    before: Option<Vec<Vec<Edit>>>,
}

impl EditsTree {
    /// Makes the tree of a perturbation. Its steps must fit the document.
    pub fn new(document: Document, perturbed: Perturbed) -> Self {
        Self { document, steps: perturbed.steps, next: 0, before: None }
    }
}

impl ValueTree for EditsTree {
    type Value = Perturbed;

    fn current(&self) -> Perturbed {
        let untouched = || Perturbed { text: self.document.text(), edits: 0, steps: Vec::new() };
        Perturbed::new(&self.document, self.steps.clone()).unwrap_or_else(|_| untouched())
    }

    fn simplify(&mut self) -> bool {
        let mut place = self.next;
        for step in 0..self.steps.len() {
            if let Some(index) = (place < self.steps[step].len()).then_some(place) {
                let less = without(&self.document, &self.steps, step, index);
                self.before = Some(std::mem::replace(&mut self.steps, less));
                return true;
            }
            place -= self.steps[step].len();
        }
        false
    }

    fn complicate(&mut self) -> bool {
        let Some(before) = self.before.take() else { return false };
        self.steps = before;
        self.next += 1;
        true
    }
}

/// Reduces a perturbation while `breaks` holds, until no single edit can be undone. If `breaks` does not hold at
/// first, or after four calls per edit, the result is the perturbation at that point.
pub fn shrink(perturbed: &Perturbed, document: &Document, mut breaks: impl FnMut(&str) -> bool) -> Perturbed {
    let mut left = CALLS_PER_EDIT * perturbed.edits as usize;
    let mut best = perturbed.clone();
    loop {
        let edits = best.edits;
        let mut tree = EditsTree::new(document.clone(), best.clone());
        while left > 0 && tree.simplify() {
            left -= 1;
            let less = tree.current();
            if breaks(&less.text) {
                best = less;
            } else {
                tree.complicate();
            }
        }
        // another round, because an edit may become needless once others are undone
        if left == 0 || best.edits == edits {
            return best;
        }
    }
}

/// The steps without one edit.
fn without(document: &Document, steps: &[Vec<Edit>], step: usize, index: usize) -> Vec<Vec<Edit>> {
    let mut less = steps.to_vec();
    less[step].remove(index);
    if carry(document, steps, step, &mut less).is_none() {
        // the steps fitted when the tree was made; if they do not, there is nothing to shrink
        less.iter_mut().for_each(Vec::clear);
    }
    less
}

/// Maps the positions in the steps after `step`, which `less` changed, to the new documents.
fn carry(document: &Document, steps: &[Vec<Edit>], step: usize, less: &mut [Vec<Edit>]) -> Option<()> {
    if steps[step + 1..].iter().all(Vec::is_empty) {
        return Some(());
    }
    let mut before = document.clone();
    for edits in &steps[..step] {
        before = lay(&before, edits).ok()?.document;
    }
    let (mut old, mut new) = (lay(&before, &steps[step]).ok()?, lay(&before, &less[step]).ok()?);
    let mut moved = Moved::between(&old, &new, Some, Some);
    for later in step + 1..steps.len() {
        let carried: Vec<Edit> = steps[later].iter().filter_map(|edit| moved.edit(edit)).collect();
        less[later] = fitting(&new.document, carried);
        let next = (lay(&old.document, &steps[later]).ok()?, lay(&new.document, &less[later]).ok()?);
        moved = Moved::between(&next.0, &next.1, |word| moved.word(word), |section| moved.section(section));
        (old, new) = next;
    }
    Some(())
}

/// The edits that fit a document together.
fn fitting(document: &Document, edits: Vec<Edit>) -> Vec<Edit> {
    if lay(document, &edits).is_ok() {
        return edits;
    }
    let mut kept = Vec::with_capacity(edits.len());
    for edit in edits {
        kept.push(edit);
        if lay(document, &kept).is_err() {
            kept.pop();
        }
    }
    kept
}

/// Maps the words and sections of one document to another.
struct Moved {
    words: Vec<Option<usize>>,
    sections: Vec<Option<usize>>,
    /// Sections of the other document.
    count: usize,
}

impl Moved {
    /// The map between two documents after a step, from the map (`word`, `section`) between the two before it.
    fn between(
        old: &Laid,
        new: &Laid,
        word: impl Fn(usize) -> Option<usize>,
        section: impl Fn(usize) -> Option<usize>,
    ) -> Self {
        let places: HashMap<Origin, usize> = new.words.iter().enumerate().map(|(at, of)| (*of, at)).collect();
        let carried = |origin: &Origin| match *origin {
            Origin::Word(of, part) => Some(Origin::Word(word(of)?, part)),
            Origin::Before(of, part) => Some(Origin::Before(word(of)?, part)),
            Origin::Heading(of, part) => Some(Origin::Heading(section(of)?, part)),
            Origin::Number(of, part) => Some(Origin::Number(section(of)?, part)),
        };
        let words = old.words.iter().map(|of| places.get(&carried(of)?).copied()).collect();
        let stands = |of: &usize| section(*of).and_then(|of| new.sections.iter().position(|own| *own == of));
        Self { words, sections: old.sections.iter().map(stands).collect(), count: new.sections.len() }
    }

    fn word(&self, word: usize) -> Option<usize> {
        self.words.get(word).copied().flatten()
    }

    fn section(&self, section: usize) -> Option<usize> {
        self.sections.get(section).copied().flatten()
    }

    /// The same edit for the other document, if that has its word or section.
    fn edit(&self, edit: &Edit) -> Option<Edit> {
        let mut edit = edit.clone();
        match &mut edit {
            Edit::Delete { word }
            | Edit::Replace { word, .. }
            | Edit::Rewrite { word, .. }
            | Edit::Insert { before: word, .. }
            | Edit::SwapWithNext { word }
            | Edit::Letters { word, .. } => *word = self.word(*word)?,
            Edit::DropSection { section }
            | Edit::Heading { section, .. }
            | Edit::Enumerate { section }
            | Edit::Capitals { section } => *section = self.section(*section)?,
            Edit::Order(order) => {
                let mut carried: Vec<usize> =
                    order.iter().filter_map(|section| self.section(*section)).collect();
                carried.extend((0..self.count).filter(|own| !carried.contains(own)).collect::<Vec<_>>());
                *order = carried;
            }
        }
        Some(edit)
    }
}

#[cfg(test)]
mod tests {
    use super::super::replay;
    use super::*;

    #[test]
    fn a_later_edit_keeps_its_word_when_an_earlier_one_is_taken_back() {
        let document = Document::of("the lungs are clear today");
        let by = |by: &str| by.to_string();
        let steps = vec![
            vec![Edit::Delete { word: 0 }, Edit::Replace { word: 1, words: 1, by: by("lung fields") }],
            vec![Edit::Delete { word: 3 }, Edit::Replace { word: 1, words: 1, by: by("zones") }],
        ];
        assert_eq!(replay(&document, &steps).as_deref(), Ok("lung zones are today"));
        let less = without(&document, &steps, 0, 0);
        assert_eq!(replay(&document, &less).as_deref(), Ok("the lung zones are today"));
        let less = without(&document, &steps, 0, 1);
        assert_eq!(replay(&document, &less).as_deref(), Ok("lungs are today"));
        assert_eq!(less[1], [Edit::Delete { word: 2 }]);
    }
}
