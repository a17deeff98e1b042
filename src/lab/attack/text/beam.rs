//! Beam search over sets of edits (Morris et al., `TextAttack`, EMNLP 2020, arXiv 2005.05909). The edits are removals of
//! words and synonyms. A beam finds edits that break the answer only together.
//!
//! Every single edit is tried first. Then each of the best four sets is extended by every edit of another word, in the
//! order of the falls of p after single edits, and the best four extended sets continue, until the answer flips or the
//! permitted share of words is reached. Any word may be removed; stop words are not replaced.
//!
//! Defaults: a beam of 4, 500 evaluations a case. Needs: scores. Cost a case: one evaluation for the report, one
//! a single edit, and up to four times as many for each further word.

use std::collections::HashSet;

use super::Reports;
use super::search::{Case, Search, Seen, joined, place};
use crate::Result;
use crate::spec::Access;
use crate::text::{Edit, Lexicon};

const WIDTH: usize = 4;

/// The edits of each report.
pub fn propose(reports: &Reports<'_>, share: f64, queries: u32) -> Result<Vec<Vec<Vec<Edit>>>> {
    let mut search = Search::start(reports, share, queries, Access::Score)?;
    let mut beams: Vec<Beam> = search.cases.iter().map(|case| Beam::of(case, reports.lexicon)).collect();
    loop {
        let mut proposals = Vec::new();
        for row in search.standing() {
            let extended = beams[row].extended(&search.cases[row]);
            proposals.extend(extended.into_iter().map(|edits| (row, edits)));
        }
        if proposals.is_empty() {
            return Ok(search.finish());
        }
        let seen = search.ask(&proposals)?;
        for (row, beam) in beams.iter_mut().enumerate() {
            let own = proposals.iter().zip(&seen).filter(|((of, _), _)| *of == row);
            beam.go_on(own.filter_map(|((_, edits), seen)| Some((edits.clone(), (*seen)?))).collect());
        }
        search.take_best(proposals, &seen);
    }
}

/// The single edits of a case, and the sets in the beam.
struct Beam {
    /// Every edit, with the margin after it alone, once known.
    single: Vec<(Edit, f64)>,
    /// The best sets, best first, with the margins after them.
    sets: Vec<(Vec<Edit>, f64)>,
}

impl Beam {
    fn of(case: &Case<'_>, lexicon: &Lexicon) -> Self {
        let mut single = Vec::new();
        if case.stands() {
            for word in case.spoken() {
                let edits = [Edit::Delete { word }].into_iter().chain(case.synonyms(word, lexicon));
                single.extend(case.admissible(edits).into_iter().map(|edit| (edit, 0.0)));
            }
        }
        Self { single, sets: vec![(Vec::new(), case.now.margin)] }
    }

    /// Each set extended by each edit of another word, without duplicates, the most promising first.
    fn extended(&self, case: &Case<'_>) -> Vec<Vec<Edit>> {
        let mut promised: Vec<(f64, Vec<Edit>)> = Vec::new();
        for (set, margin) in self.sets.iter().filter(|(set, _)| set.len() < case.most()) {
            let free = self.single.iter().filter(|(edit, _)| set.iter().all(|own| place(own) != place(edit)));
            promised.extend(free.map(|(edit, alone)| (margin + alone, joined(set, edit.clone()))));
        }
        promised.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut once = HashSet::new();
        promised.retain(|(_, edits)| once.insert(edits.clone()) && case.admits(edits));
        promised.into_iter().map(|(_, edits)| edits).collect()
    }

    /// Continues with the best of the evaluated sets.
    fn go_on(&mut self, asked: Vec<(Vec<Edit>, Seen)>) {
        for (edits, seen) in &asked {
            if let [edit] = edits.as_slice() {
                let known = self.single.iter_mut().filter(|(own, _)| own == edit);
                known.for_each(|(_, alone)| *alone = seen.margin);
            }
        }
        self.sets = asked.into_iter().map(|(edits, seen)| (edits, seen.margin)).collect();
        self.sets.sort_by(|a, b| a.1.total_cmp(&b.1));
        self.sets.truncate(WIDTH);
    }
}
