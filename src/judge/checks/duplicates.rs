//! D2 duplicates: test cases have a report or an image that training or validation has too.
//!
//! Reports count as the same if their words are the same, or nine tenths of their word triples are (Broder, On the
//! resemblance and containment of documents, 1997); images if their pixels are the same, or nearly. A report of so
//! few words that it recurs by chance is not counted. A split by image puts another view of the same study, with the
//! same report, into training. Raised as a warning where more than 1 % of the test cases (the trigger) have such a
//! twin in an input that the model reads. Each requirement on the model is then judged on the other cases, too. It is
//! SUSPECT if its share reaches the threshold with the twins and even the upper 95 % bound misses it without them.
//! What to do: name the patient, remove the copies.

use super::{Field, Look, Raised, of_cases};
use crate::plan::Clause;
use crate::spec::{Bound, Check, Metric};

pub(super) fn check(field: &Field<'_>) -> Look {
    Look::each(field.models(), |model| Ok(twins(field, model)))
}

fn twins(field: &Field<'_>, model: usize) -> Vec<Raised> {
    // `short report` is left out: a report of few words recurs by chance
    let reads = |input: &String| match input.as_str() {
        "report" => field.reads(model, false),
        "image" => field.reads(model, true),
        _ => false,
    };
    let cases: Vec<_> =
        field.tally.known(model).iter().map(|(place, _)| &field.evidence.cases[*place]).collect();
    let has_twin: Vec<bool> = cases.iter().map(|case| case.seen.iter().any(reads)).collect();
    let twins = has_twin.iter().filter(|&&twin| twin).count();
    if twins as f64 <= field.trigger(Check::Duplicates) * cases.len() as f64 {
        return vec![];
    }
    let of = |input: &str| {
        cases.iter().filter(|case| case.seen.iter().any(|seen| seen == input && reads(seen))).count()
    };
    let message = format!(
        "{} of {} have a twin in training or validation ({} by the report, {} by the image)",
        of_cases(twins, cases.len()),
        field.name(model),
        of("report"),
        of("image")
    );
    let warning = Raised::new(Check::Duplicates, Some(model), message).warning();
    let clauses = field.plan.requirements.iter().flat_map(|sentence| &sentence.clauses);
    let clauses = clauses.filter(|clause| clause.model == model);
    let suspect = clauses.filter_map(|clause| fails_without(field, clause, &has_twin));
    std::iter::once(warning).chain(suspect).collect()
}

/// Raised if a clause's share reaches its threshold with the twins and even the upper bound misses it without them.
fn fails_without(field: &Field<'_>, clause: &Clause, has_twin: &[bool]) -> Option<Raised> {
    if clause.metric == Metric::MacroAccuracy {
        return None; // no share of cases
    }
    let Bound::Rate(threshold) = clause.bound else { return None };
    let all = field.tally.score(clause.model, &clause.cells, clause.measure()).ok()?;
    let (right, rest) =
        field.tally.score_of(clause.model, &clause.cells, clause.measure(), |case| !has_twin[case]).ok()?;
    let upper = crate::stats::upper_bound(right, rest, crate::judge::LEVEL);
    (all.estimate.share() >= threshold && upper < threshold).then(|| {
        let message = format!(
            "`{}` holds with the twins and not on the other {rest} cases ({right} right)",
            clause.words
        );
        let raised = Raised::new(Check::Duplicates, Some(clause.model), message);
        raised.about(clause.cells.clone())
    })
}
