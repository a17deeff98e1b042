//! Certifies finite threats by listing them: every report in which up to N words are replaced by synonyms of the
//! lexicon, every report without up to N of its sections, or a missing input. The certificate is exact, needs no
//! defence, and holds for the model as it is. Cost a case: an evaluation a variant, until the first one breaks it.

use std::collections::BTreeSet;

use super::{Vote, are_label};
use crate::Result;
use crate::lab::inputs::Inputs;
use crate::lab::model::Reader;
use crate::lab::tensor::{self, Tensor};
use crate::spec::EditKind;
use crate::stats::vote::State;
use crate::text::perturb::{Edit, Rules, apply, singles};
use crate::text::{Document, Lexicon};

/// Reports that are read at once.
const AT_ONCE: usize = 32;

/// A threat with finitely many variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threat {
    /// What may happen to the report.
    pub words: Listed,
    /// Whether the image may be missing too.
    pub image_missing: bool,
}

/// What may happen to a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Nothing.
    Same,
    /// The report may be missing.
    Missing,
    /// At most so many words are replaced by synonyms of the lexicon.
    Synonyms(u32),
    /// At most so many sections are dropped.
    Sections(u32),
}

/// The reports of a threat, each once, the clean one first; None if there are more than `most`. A missing report is
/// not in the list.
pub fn variants(document: &Document, threat: Listed, lexicon: &Lexicon, most: usize) -> Option<Vec<String>> {
    let (kind, rounds) = match threat {
        Listed::Same | Listed::Missing => return Some(vec![document.text()]),
        Listed::Synonyms(words) => (EditKind::Synonyms, words),
        Listed::Sections(sections) => (EditKind::SectionDrop, sections),
    };
    let choices = singles(document, kind, &Rules::free(lexicon));
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut all = vec![document.text()];
    seen.insert(document.text());
    // each round adds one edit after the last edited place, so that no set of edits is listed twice
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

/// The word or section that an edit changes.
fn place(edit: &Edit) -> usize {
    match edit {
        Edit::Replace { word, .. } => *word,
        Edit::DropSection { section } => *section,
        _ => 0,
    }
}

/// Certifies a case if the answer to every variant is the label, refutes it at the first variant where it is not, and
/// leaves it undecided if there are more than `most` reports.
pub fn case(
    model: &dyn Reader,
    (inputs, index): (&Inputs, usize),
    threat: Threat,
    (lexicon, most): (&Lexicon, usize),
) -> Result<Vote> {
    let label = inputs.labels[index];
    let words = inputs.texts[index].split_whitespace().count() as u64;
    let Some(texts) = variants(&inputs.documents[index], threat.words, lexicon, most) else {
        return Ok(Vote { state: State::Undecided, successes: 0, samples: 0, words });
    };
    let _guard = tensor::no_grad_guard();
    let image = model.side().map(|side| inputs.images(side, &[index])).transpose()?;
    let image = image.map(|image| model.read_images(&image)).transpose()?;
    // a missing input means zero features, as in the attack `missing image`
    let mut images = vec![image.as_ref().map(Tensor::shallow_clone)];
    if let (Some(image), true) = (&image, threat.image_missing) {
        images.push(Some(image.f_zeros_like()?));
    }
    let (mut successes, mut samples) = (0, 0);
    let mut ask = |text: Option<Tensor>, count: usize| -> Result<bool> {
        let rows = tensor::rows(&vec![0; count])?;
        for image in &images {
            let image = image.as_ref().map(|image| image.f_index_select(0, &rows)).transpose()?;
            for is_label in are_label(&model.decide(image.as_ref(), text.as_ref())?, label)? {
                samples += 1;
                if !is_label {
                    return Ok(false);
                }
                successes += 1;
            }
        }
        Ok(true)
    };
    let mut holds = true;
    for batch in texts.chunks(AT_ONCE) {
        let text = if model.reads_text() { Some(model.read_texts(batch)?) } else { None };
        let missing = match (&text, threat.words) {
            (Some(text), Listed::Missing) => Some(text.f_zeros_like()?),
            _ => None,
        };
        holds = ask(text, batch.len())? && missing.map_or(Ok(true), |text| ask(Some(text), batch.len()))?;
        if !holds {
            break;
        }
    }
    let state = if holds { State::Certified } else { State::Refuted };
    Ok(Vote { state, successes, samples, words })
}
