//! M9 adaptive-beaten: an attack that does not know a defence beats those that do.
//!
//! An attack that knows a defence is at least as strong as one that does not. Attacks that do not know it are images
//! made against the undefended base (`transfer`) and searches over answers (`Square`, `HopSkipJump`). If one of these
//! breaks more cases of a defended model than every gradient attack on it in the same ball, the gradient attack does
//! not see through the defence: it masks gradients (Athalye, Carlini and Wagner, ICML 2018; Tramèr, Carlini, Brendel
//! and Madry, NeurIPS 2020).
//!
//! A gradient attack on a defended model by itself counts the worst of four: the attack that knows the defence, the
//! same attack on the base, Square and `HopSkipJump`. Its evidence records which of them broke a case, and these are
//! compared, too.
//!
//! Raised where an attack that does not know the defence breaks over 2 % of the cases (the trigger) that no gradient
//! attack in the ball breaks. It makes every requirement on the ball SUSPECT, unless the requirement counts that
//! attack too and fails by it. What to do: raise the steps of the gradient attack; believe the weaker figure, which
//! counts a case as broken if any of these attacks breaks it.

use super::{Field, Look, Raised, Seen, of_cases, search_of};
use crate::evidence::Routes;
use crate::spec::{Access, Check};

pub(super) fn check(field: &Field<'_>) -> Look {
    let most = field.trigger(Check::AdaptiveBeaten);
    let defended = || {
        field.models().filter(|&model| field.plan.kind(model).is_some_and(|kind| kind.defended().is_some()))
    };
    let routed = defended().flat_map(|model| {
        let seen = field.seen(model).into_iter();
        let by_route =
            seen.filter(|seen| seen.outcomes.iter().any(|outcome| outcome.routes != Routes::default()));
        by_route.map(|seen| Compared::Routes(model, seen)).collect::<Vec<_>>()
    });
    let balls = defended().flat_map(|model| {
        let seen = field.seen(model);
        balls(&seen).into_iter().map(|ball| Compared::Ball(model, ball)).collect::<Vec<_>>()
    });
    let look = Look::each(balls.chain(routed), |compared| {
        let (model, Attacks { aware, unaware }) = match compared {
            Compared::Ball(model, attacks) => (model, attacks),
            Compared::Routes(model, seen) => {
                let broken = seen.outcomes.iter().filter(|outcome| is_unaware_alone(outcome.routes)).count();
                let cases = seen.outcomes.len();
                return Ok((broken as f64 > most * cases as f64).then(|| {
                    let message = format!(
                        "under {}, attacks that do not know the defence break {} of {} that the one which knows it does not",
                        seen.attack,
                        of_cases(broken, cases),
                        field.name(model)
                    );
                    Raised::new(Check::AdaptiveBeaten, Some(model), message).about(seen.cell.into_iter().collect())
                }));
            }
        };
        let cases = aware.iter().chain(&unaware).map(|seen| seen.outcomes.len()).min().unwrap_or(0);
        let holds = |seen: &Seen<'_>| field.robust(model, &seen.outcomes[..cases]);
        let survives: Vec<bool> = aware.iter().map(holds).fold(vec![true; cases], both);
        let beaten = unaware.iter().map(|seen| {
            let broken = holds(seen).iter().zip(&survives).filter(|(own, aware)| !**own && **aware).count();
            (broken, seen)
        });
        let Some((broken, seen)) = beaten.max_by_key(|(broken, _)| *broken) else { return Ok(None) };
        Ok((broken as f64 > most * cases as f64).then(|| {
            let message = format!(
                "{} breaks {} of {} that no gradient attack in the same ball breaks",
                seen.attack,
                of_cases(broken, cases),
                field.name(model)
            );
            let cells = aware.iter().chain(&unaware).filter_map(|seen| seen.cell).collect();
            Raised::new(Check::AdaptiveBeaten, Some(model), message).about(cells)
        }))
    });
    look.or_else_inapplicable("no defended model is attacked both with and without knowledge of its defence")
}

/// A comparison of attacks that know the defence with attacks that do not.
enum Compared<'a> {
    /// The attacks of the spec in one ball.
    Ball(usize, Attacks<'a>),
    /// The four attacks of one cell, which counts the worst of them.
    Routes(usize, Seen<'a>),
}

/// Whether only attacks that do not know the defence broke a case.
fn is_unaware_alone(routes: Routes) -> bool {
    let Routes { adaptive, unaware, square, hop_skip_jump } = routes;
    !adaptive && (unaware || square || hop_skip_jump)
}

/// The attacks on pixels in one ball.
struct Attacks<'a> {
    /// Those that follow the gradient of the defended model.
    aware: Vec<Seen<'a>>,
    /// Those that do not.
    unaware: Vec<Seen<'a>>,
}

/// The balls in which a model meets both kinds.
fn balls<'a>(seen: &[Seen<'a>]) -> Vec<Attacks<'a>> {
    let mut balls = Vec::new();
    for one in seen {
        let Some((search, norm, region, strength)) = search_of(one.attack) else { continue };
        let key = (norm, region, strength.to_bits());
        let place = balls.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            balls.push((key, Attacks { aware: vec![], unaware: vec![] }));
            balls.len() - 1
        });
        match search.access() {
            Access::Gradient => balls[place].1.aware.push(*one),
            Access::Score | Access::Decision | Access::None => balls[place].1.unaware.push(*one),
        }
    }
    let has_both = |attacks: &Attacks<'_>| !attacks.aware.is_empty() && !attacks.unaware.is_empty();
    balls.into_iter().map(|(_, attacks)| attacks).filter(has_both).collect()
}

fn both(first: Vec<bool>, second: Vec<bool>) -> Vec<bool> {
    first.into_iter().zip(second).map(|(first, second)| first && second).collect()
}
