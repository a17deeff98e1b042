//! Tries counterexamples of an earlier run again. Edits that the attack could still make are replayed on the case's
//! report, and the model judges the result; no outcome in the file is trusted. Changes of pixels, of letters or of
//! whole reports are not stored; for these the attack runs as usual.

use super::shrink::can_be_told;
use super::{Attempt, Chunk};
use crate::Result;
use crate::evidence::{Counterexample, Outcome, Regressions};
use crate::plan::Attack;
use crate::spec::{EditKind, TextAttack, TextMethod};
use crate::text::meaning::preserves;
use crate::text::perturb::{Rules, after, count, singles};
use crate::text::{Document, Edit};

impl Chunk<'_> {
    /// Tries the counterexamples of this attack on cases of this chunk. A case that one still breaks counts as
    /// broken, whatever the attack found. Returns the replayed ones that still break, and how many were tried and
    /// still break.
    pub fn retry(
        &self,
        attack: &Attack,
        attempt: &mut Attempt,
        known: &[Counterexample],
    ) -> Result<(Vec<Counterexample>, Regressions)> {
        let (name, written) = (self.scene.reader.name(), attack.to_string());
        let (mut replayed, mut counts) = (Vec::new(), Regressions::default());
        for found in known.iter().filter(|found| found.model == name && found.attack == written) {
            let Some(case) = self.cases.iter().position(|case| *case == found.case) else { continue };
            counts.tried += 1;
            if !self.right[case] {
                continue;
            }
            let outcome = &mut attempt.outcomes[case];
            if let Some(text) = self.replayed(attack, case, &found.edits)
                && let Some(broken) = self.broken_by(case, &text, found.size() as u32, outcome)?
            {
                // keep the outcome of a case that the attack broke itself
                if outcome.held == outcome.draws {
                    *outcome = broken;
                }
                replayed.push(found.clone());
            }
            counts.still_break += u32::from(outcome.held < outcome.draws);
        }
        Ok((replayed, counts))
    }

    /// The outcome of a case with a text that breaks it; None if it does not.
    fn broken_by(&self, case: usize, text: &str, edits: u32, found: &Outcome) -> Result<Option<Outcome>> {
        let place = crate::lab::tensor::rows(&[case])?;
        let clean = self.clean.as_ref().map(|clean| clean.features.f_index_select(0, &place)).transpose()?;
        let answers = self.victim.select(&[case])?.ask(clean.as_ref(), &[(0, text.to_string())])?;
        let Some(answer) = answers.first().filter(|answer| answer.is_broken()) else { return Ok(None) };
        let changed = !preserves(self.original(case), text);
        Ok(Some(Outcome {
            predicted: answer.predicted,
            margin: answer.margin,
            edits,
            acted: true,
            held: found.held.min(found.draws.saturating_sub(1)),
            meaning_changed: Some(changed),
            ..*found
        }))
    }

    /// The text of a case's report after edits; None if the attack could not make them.
    fn replayed(&self, attack: &Attack, case: usize, steps: &[Vec<Edit>]) -> Option<String> {
        if attack.image.is_some() || !can_be_told(attack) || steps.is_empty() {
            return None;
        }
        let mut document = self.document(case).clone();
        let (mut place, mut left) = (0, count(&document, attack.text.first()?.share));
        for step in steps {
            while !self.is_by(attack.text.get(place)?, &document, step) {
                place += 1;
                left = count(&document, attack.text.get(place)?.share);
            }
            left = left.checked_sub(step.len())?;
            document = after(&document, std::slice::from_ref(step)).ok()?;
        }
        let text = document.text();
        self.may_say(attack, case, &text).then_some(text)
    }

    /// Whether an attack could make every edit of a step.
    fn is_by(&self, attack: &TextAttack, document: &Document, step: &[Edit]) -> bool {
        let rules = Rules::free(self.scene.lexicon);
        let listed: Vec<Edit> =
            kinds(attack.method).iter().flat_map(|&kind| singles(document, kind, &rules)).collect();
        step.iter().all(|edit| listed.contains(edit))
    }
}

/// The kinds of edits of a method, if its edits can be listed.
fn kinds(method: TextMethod) -> Vec<EditKind> {
    match method {
        TextMethod::Sampled(kind) if kind.takes_share() => vec![kind],
        TextMethod::Searched { search, .. } => search.facts().edits.to_vec(),
        TextMethod::Sampled(_) | TextMethod::Absent(_) => vec![],
    }
}
