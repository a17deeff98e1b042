//! M1 monotone-epsilon: the accuracy rises with the strength of an attack.
//!
//! Whatever breaks a case within ε breaks it within a larger ε, so a stronger attack that breaks fewer cases is a
//! bad attack and no sign of robustness: one step that overshoots, a masked gradient, noise. Raised where, from one
//! strength to the next, more cases are regained than lost, by the exact test of McNemar with Holm's correction
//! over all pairs of the spec, p < 0.05 (the trigger). It makes SUSPECT what rests on the stronger cell without the
//! weaker one; `ε≤` counts a case only if it holds at every strength, and so is not concerned. What to do: write
//! `ε≤`, or use an iterated attack (`PGD`, `APGD`).

use super::{Field, Raised, Seen};
use crate::judge::Verdict;
use crate::spec::Check;
use crate::stats;

pub(super) fn check(field: &Field<'_>) -> Vec<Raised> {
    let mut pairs: Vec<(usize, Seen<'_>, Seen<'_>, (u64, u64))> = Vec::new();
    for model in field.models() {
        for sweep in super::sweeps(&field.seen(model)) {
            for pair in sweep.windows(2) {
                let holds = |seen: &Seen<'_>| field.robust(model, seen.outcomes);
                let counts = super::discordant(&holds(&pair[1]), &holds(&pair[0]));
                pairs.push((model, pair[0], pair[1], counts));
            }
        }
    }
    let chances: Vec<f64> =
        pairs.iter().map(|(.., (gained, lost))| super::more_than_chance(*gained, *lost)).collect();
    let trigger = field.trigger(Check::Monotone);
    let rises = pairs.into_iter().zip(stats::holm_adjusted(&chances)).filter(|(_, chance)| *chance < trigger);
    rises
        .map(|((model, weaker, stronger, (gained, lost)), _)| {
            let message = format!(
                "{}: {} breaks fewer cases than {}: {gained} are regained and {lost} lost",
                field.name(model),
                stronger.attack,
                weaker.attack
            );
            let raised = Raised::new(Check::Monotone, Verdict::Suspect, Some(model), message);
            Raised {
                excused_by: weaker.cell.into_iter().collect(),
                ..raised.about(stronger.cell.into_iter().collect())
            }
        })
        .collect()
}
