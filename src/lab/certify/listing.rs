//! Finite threats are certified by listing them: every report in which up to N words became a synonym of the lexicon, every
//! report without one of its sections, a missing input. The certificate is exact, needs no defence, and holds for the model
//! as it is. Cost a case: an evaluation a variant, until the first that breaks it.

use std::collections::BTreeSet;

use super::{Vote, is_label};
use crate::Result;
use crate::lab::inputs::Inputs;
use crate::lab::model::Reader;
use crate::lab::tensor;
use crate::spec::EditKind;
use crate::stats::vote::State;
use crate::text::perturb::{Edit, Rules, apply, singles};
use crate::text::{Document, Lexicon};

/// Reports that are read at once.
const AT_ONCE: usize = 32;

/// A threat with finitely many variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// At most so many words become a synonym of the lexicon.
    Synonyms(u32),
    /// At most one section is dropped.
    Section,
}

/// The reports of a threat, each once, the clean one first; None if there are more than `most`.
pub fn variants(document: &Document, threat: Listed, lexicon: &Lexicon, most: usize) -> Option<Vec<String>> {
    let (kind, rounds) = match threat {
        Listed::Synonyms(words) => (EditKind::Synonyms, words),
        Listed::Section => (EditKind::SectionDrop, 1),
    };
    let choices = singles(document, kind, &Rules::free(lexicon));
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut all = vec![document.text()];
    seen.insert(document.text());
    // each round adds one edit at a word behind the last, so that no set of words is listed twice
    let mut frontier: Vec<Vec<Edit>> = vec![vec![]];
    for _ in 0..rounds {
        let mut next = Vec::new();
        for edits in &frontier {
            for choice in &choices {
                if edits.last().is_some_and(|last| place(last) >= place(choice)) {
                    continue;
                }
                let mut edits = edits.clone();
                edits.push(choice.clone());
                let Ok(text) = apply(document, &edits) else { continue };
                if seen.insert(text.clone()) {
                    all.push(text);
                    if all.len() > most {
                        return None;
                    }
                }
                next.push(edits);
            }
        }
        frontier = next;
    }
    Some(all)
}

/// The word at which an edit begins.
fn place(edit: &Edit) -> usize {
    if let Edit::Replace { word, .. } = edit { *word } else { 0 }
}

/// Whether every variant of a study's report leaves the label: certified if so, refuted at the first that does not, and
/// undecided if there are more variants than `most`.
///
/// # Errors
/// libtorch fails.
pub fn case(
    base: &dyn Reader,
    (inputs, index): (&Inputs, usize),
    threat: Listed,
    (lexicon, most): (&Lexicon, usize),
) -> Result<Vote> {
    let label = inputs.labels[index];
    let words = inputs.texts[index].split_whitespace().count() as u64;
    let Some(texts) = variants(&inputs.documents[index], threat, lexicon, most) else {
        return Ok(Vote { state: State::Undecided, successes: 0, samples: 0, words });
    };
    let _guard = tensor::no_grad_guard();
    let image = base.side().map(|side| inputs.images(side, &[index])).transpose()?;
    let image = image.map(|image| base.read_images(&image)).transpose()?;
    let (mut successes, mut samples) = (0, 0);
    for batch in texts.chunks(AT_ONCE) {
        let rows = tensor::rows(&vec![0; batch.len()])?;
        let image = image.as_ref().map(|image| image.f_index_select(0, &rows)).transpose()?;
        let text = if base.reads_text() { Some(base.read_texts(batch)?) } else { None };
        for pair in tensor::values(&base.decide(image.as_ref(), text.as_ref())?)?.chunks_exact(2) {
            samples += 1;
            if !is_label(pair, label) {
                return Ok(Vote { state: State::Refuted, successes, samples, words });
            }
            successes += 1;
        }
    }
    Ok(Vote { state: State::Certified, successes, samples, words })
}
