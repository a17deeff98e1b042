//! The terms of reports that no file of its own explains, for `medcert explain TERM`.

/// Every term: its names, and what it means.
const TERMS: [(&[&str], &str); 8] = [
    (
        &["holm"],
        "A spec tests several requirements at once, so a requirement that does not hold could pass by chance. Holm's \
         correction (Scandinavian Journal of Statistics 1979) raises the confidence of the bounds that decide a pass: if \
         no requirement holds, the chance that any passes is at most 5 %. FAIL is not corrected.\n\n\
         What to do: nothing. With more requirements, more cases are needed; `medcert plan SPEC` shows how many.",
    ),
    (
        &["patient", "effective-sample-size", "independent-cases"],
        "Cases of one patient resemble each other and carry less information than cases of as many patients. The bounds \
         take this into account: `worth 93 independent cases` is the effective sample size.\n\n\
         What to do: test more patients rather than more studies of the same patients.",
    ),
    (
        &["margin"],
        "The score of the true class minus the score of the other class, as logits. A positive margin is a right answer. \
         A margin close to 0 may change its sign by rounding on another device.\n\nIn `no regression against baseline \
         (margin 1%)`: the loss of accuracy that is still accepted, in percentage points.",
    ),
    (
        &["snapshot", "baseline"],
        "The accepted result of a spec: counts, verdicts and which cases hold. `medcert accept SPEC` writes it to \
         snapshots/NAME.snap, and later runs report what changed since. Commit it with the spec.",
    ),
    (
        &["waiver"],
        "A signed exception in the spec: a raised check, its owner, a reason and a last day. The check then fails nothing \
         until that day. A waiver that has expired or covers nothing fails the run.",
    ),
    (
        &["+"],
        "Joins attacks on the image and on the report: `FGSM ε=0.1 + 40% synonyms` attacks both, in either order, and a \
         case counts as broken if any order breaks it.",
    ),
    (
        &["then"],
        "Joins attacks one after the other: in `40% synonyms then FGSM ε=0.1` the second attack starts from the result of \
         the first.",
    ),
    (
        &["×"],
        "Joins attacks in turns: the search alternates between the image and the report and keeps the worst \
         (`medcert explain cross`).",
    ),
];

/// The first name of every term.
pub(super) fn names() -> Vec<&'static str> {
    TERMS.iter().filter_map(|(names, _)| names.first().copied()).collect()
}

/// What a term means, by any of its names.
pub(super) fn of_term(wanted: &str) -> Option<&'static str> {
    TERMS.iter().find(|(names, _)| names.contains(&wanted)).map(|(_, text)| *text)
}
