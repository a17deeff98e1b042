//! P3 text-validity: reports under attack say something else than before.
//!
//! An edit that removes a negation, a finding or a side changes the right answer, so the model's answer to it is no
//! measure of robustness. Raised as a warning where less than 95 % of the reports (the trigger) keep their meaning
//! under an attack of the mode `free`; the table's notes give the accuracy on the changed reports and on the others.
//! In the mode `preserving` no report may change, and one that does is an ERROR. What to do: write `preserving`
//! before the attack.

use super::{Field, Look, Raised, of_cases};
use crate::spec::{Check, Mode, TextAttack, TextMethod};

pub(super) fn check(field: &Field<'_>) -> Look {
    let mut raised: Vec<Raised> = Vec::new();
    let mut looked = 0;
    let models =
        field.models().flat_map(|model| field.seen(model).into_iter().map(move |seen| (model, seen)));
    for (model, seen) in models {
        let text = &seen.attack.text;
        let is = |mode: Mode| text.iter().any(|attack| attack.mode == mode);
        let replaced = |attack: &TextAttack| matches!(attack.method, TextMethod::Absent(_));
        if text.is_empty() || text.iter().any(replaced) || is(Mode::Directional) {
            continue;
        }
        looked += 1;
        let changed = seen.outcomes.iter().filter(|outcome| outcome.meaning_changed == Some(true)).count();
        let all = seen.outcomes.len();
        let saying = format!(
            "{}: {} say something else",
            seen.attack,
            of_cases(changed, all).replace("case", "report")
        );
        if !is(Mode::Free) && changed > 0 {
            let message = format!("{saying}, and the mode allows none");
            let found = Raised::new(Check::TextValidity, Some(model), message);
            raised.push(found.about(seen.cell.into_iter().collect()));
        } else if ((all - changed) as f64) < field.trigger(Check::TextValidity) * all as f64
            && seen.attack.image.is_none()
            && raised.iter().all(|earlier| earlier.message != saying)
        {
            raised.push(Raised::new(Check::TextValidity, None, saying).warning());
        }
    }
    Look { looked, raised, gaps: vec![] }
        .or_else_inapplicable("no attack of the spec edits words at random or by search")
}
