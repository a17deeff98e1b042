//! PWWS: Ren, Deng, He & Che, Generating Natural Language Adversarial Examples through Probability Weighted Word
//! Saliency (ACL 2019), over our lexicon's synonyms.
//!
//! The saliency S of a word is how much p, the probability of the true class, falls when `[UNK]` replaces it. Its best
//! synonym is the one with the least p, and Δp is the fall of p with it. Words are replaced by their best synonyms by
//! descending softmax(S) · Δp until the answer flips; a replacement that does not lower p is undone. The authors also
//! replace named entities, which reports do not have. Only words with synonyms are scored: the others would divide all
//! scores by the same number.
//!
//! Defaults: 500 evaluations a case. Needs: scores. Cost a case: one evaluation for the report, one a word with
//! synonyms, one a synonym, and one a replacement beyond the first.

use super::Reports;
use super::search::{Search, places, rank, replace};
use crate::Result;
use crate::spec::Access;
use crate::text::Edit;

/// The replacements of each report.
pub fn propose(reports: &Reports<'_>, share: f64, queries: u32) -> Result<Vec<Vec<Vec<Edit>>>> {
    let mut search = Search::start(reports, share, queries, Access::Score)?;
    let saliency = search.drops(|_, case, word| {
        let is_replaceable = !case.admissible(case.synonyms(word, reports.lexicon)).is_empty();
        is_replaceable.then(|| replace(word, "[UNK]".to_string()))
    })?;
    let mut proposals = Vec::new();
    for (row, ranking) in saliency.iter().enumerate() {
        let case = &search.cases[row];
        for &(word, saliency) in ranking {
            let options = case.admissible(case.synonyms(word, reports.lexicon));
            proposals.extend(options.into_iter().map(|edit| (row, word, saliency, edit)));
        }
    }
    let asked: Vec<_> = proposals.iter().map(|(row, _, _, edit)| (*row, vec![edit.clone()])).collect();
    let seen = search.ask(&asked)?;
    // the best synonym of each word, with the word's score
    let mut best: Vec<Vec<(usize, f64, Edit)>> = vec![Vec::new(); search.cases.len()];
    for ((row, word, saliency, edit), seen) in proposals.into_iter().zip(seen) {
        let Some(seen) = seen else { continue };
        let score = saliency.exp() * (search.cases[row].now.belief() - seen.belief());
        match best[row].last_mut() {
            Some(known) if known.0 == word && known.1 >= score => (),
            Some(known) if known.0 == word => *known = (word, score, edit),
            _ => best[row].push((word, score, edit)),
        }
    }
    let order = |best: &Vec<(usize, f64, Edit)>| {
        let gains = best.iter().filter(|(_, score, _)| *score > 0.0);
        places(rank(gains.map(|(word, score, _)| (*word, *score)).collect()))
    };
    let orders = best.iter().map(order).collect();
    search.walk(orders, |row, _, word| {
        let own = best[row].iter().filter(|(place, _, _)| *place == word);
        Ok(own.map(|(_, _, edit)| edit.clone()).collect())
    })?;
    Ok(search.finish())
}
