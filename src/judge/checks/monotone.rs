//! M1 monotone-epsilon: the accuracy rises with the strength of an attack.
//!
//! A change within ε also lies within a larger ε, so a stronger attack that breaks fewer cases is a bad attack and no
//! sign of robustness: its gradient is masked, or it only adds noise. Raised where more cases are regained than lost
//! from one strength to the next, by the exact test of McNemar with Holm's correction over all pairs of the spec,
//! p < 0.05 (the trigger). It makes a requirement on the stronger cell without the weaker one SUSPECT. `ε≤` is not
//! affected, because it counts a case only if it holds at every strength. A single gradient step (`FGSM`, `R-FGSM`)
//! may overshoot, which is a property of that attack, so there it only warns. What to do: write `ε≤`, or use an
//! iterated attack (`PGD`, `APGD`).

use super::{Discordant, Field, Look, Raised, Seen, unless_one_step};
use crate::spec::Check;
use crate::stats;

pub(super) fn check(field: &Field<'_>) -> Look {
    let mut pairs: Vec<(usize, Seen<'_>, Seen<'_>, Discordant)> = Vec::new();
    for model in field.models() {
        for sweep in super::sweeps(&field.seen(model)) {
            for pair in sweep.windows(2) {
                let holds = |seen: &Seen<'_>| field.robust(model, seen.outcomes);
                let found = Discordant::of(field, model, 0, [&holds(&pair[1]), &holds(&pair[0])]);
                pairs.push((model, pair[0], pair[1], found));
            }
        }
    }
    let chances: Vec<f64> = pairs.iter().map(|(.., found)| found.chance).collect();
    let trigger = field.trigger(Check::Monotone);
    let looked = pairs.len();
    let rises = pairs.into_iter().zip(stats::holm_adjusted(&chances)).filter(|(_, chance)| *chance < trigger);
    let raised = rises
        .map(|((model, weaker, stronger, Discordant { gained, lost, .. }), _)| {
            let message = format!(
                "{}: {} breaks fewer cases than {}: {gained} are regained and {lost} lost",
                field.name(model),
                stronger.attack,
                weaker.attack
            );
            let raised = Raised::new(Check::Monotone, Some(model), message);
            let raised = Raised {
                excused_by: weaker.cell.into_iter().collect(),
                ..raised.about(stronger.cell.into_iter().collect())
            };
            unless_one_step(raised, stronger.attack)
        })
        .collect();
    Look { looked, raised, gaps: vec![] }.or_else_inapplicable("no attack of the spec has two strengths")
}
