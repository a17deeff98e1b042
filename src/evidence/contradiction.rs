//! Finds what no run can observe: an outcome whose answer, margin and counts disagree, or a record of a case that is
//! not there. medcert did not write such evidence as it is, so nothing is judged from it.

use std::collections::HashSet;

use super::{Evidence, Outcome, Vote};
use crate::Class;

impl Evidence {
    /// The first contradiction, in a sentence.
    pub fn contradiction(&self) -> Option<String> {
        let probes = self.probes.iter().map(|probe| (self.probed_from(probe), probe));
        for (first, cell) in self.cells.iter().map(|cell| (0, cell)).chain(probes) {
            let is_clean = cell.attack == "clean";
            for ((place, label), outcome) in
                self.cases_of(&cell.model).into_iter().skip(first).zip(&cell.outcomes)
            {
                let case = &self.cases[place];
                if let Some(why) = of_outcome(outcome, label, is_clean) {
                    let (model, attack) = (&cell.model, &cell.attack);
                    return Some(format!("the case {} of {model} under {attack} {why}", case.id));
                }
            }
        }
        for certificate in &self.certificates {
            let (model, ball, votes) = (&certificate.model, &certificate.ball, certificate.votes.len());
            if votes != self.cases.len() {
                return Some(format!(
                    "{model} within {ball} has {votes} votes for {} cases",
                    self.cases.len()
                ));
            }
            let is_impossible = |vote: &Vote| vote.successes > vote.samples;
            let found = self.cases.iter().zip(&certificate.votes).find(|(_, vote)| is_impossible(vote));
            if let Some((case, _)) = found {
                return Some(format!("{} has more right copies than copies within {ball}", case.id));
            }
        }
        self.of_baselines().or_else(|| self.of_counterexamples())
    }

    fn of_baselines(&self) -> Option<String> {
        let cases = self.cases.len();
        let is_sound = |right: &str| right.len() == cases && right.bytes().all(|byte| b"01-".contains(&byte));
        let baseline = self.baselines.iter().find(|baseline| !is_sound(&baseline.right))?;
        Some(format!(
            "the baseline {} does not say of each of {cases} cases whether it is right",
            baseline.name
        ))
    }

    fn of_counterexamples(&self) -> Option<String> {
        let known: HashSet<&str> = self.cases.iter().map(|case| case.id.as_str()).collect();
        let is_known = |case: &str, model: &str, attack: &str| {
            known.contains(case) && self.cell(model, attack).is_some()
        };
        let found = self.counterexamples.iter().find(|one| !is_known(&one.case, &one.model, &one.attack))?;
        Some(format!(
            "a counterexample is of the case {} of {} under {}, which is not in the evidence",
            found.case, found.model, found.attack
        ))
    }
}

/// How an outcome of a case with this label contradicts itself.
fn of_outcome(outcome: &Outcome, label: Class, is_clean: bool) -> Option<&'static str> {
    let Outcome { predicted, margin, edits, change, draws, held, meaning_changed, flipped, .. } = *outcome;
    if predicted.is_some() != margin.is_some() && !outcome.abstains() {
        return Some("has a class without a margin, or a margin without a class");
    }
    if draws == 0 || held > draws {
        return Some("held in more draws than were judged");
    }
    if change < 0.0 {
        return Some("was changed by less than nothing");
    }
    // at a margin of 0 both classes are equally likely, and either may be printed
    let is_right = predicted == Some(label.turned(flipped));
    let says_right = margin.is_some_and(|margin| margin > 0.0);
    if margin.is_some_and(|margin| margin != 0.0) && says_right != is_right {
        return Some("has a class and a margin of which one says right and the other wrong");
    }
    // the outcome is that of the worst draw, so it is right only where all draws held
    if says_right != (held == draws) {
        return Some(
            "has a margin and a number of draws that held of which one says right and the other wrong",
        );
    }
    if is_clean && (edits > 0 || change > 0.0 || meaning_changed.is_some() || flipped) {
        return Some("was changed, although there was no attack");
    }
    None
}
