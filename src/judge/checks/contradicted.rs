//! C3 certificate-contradicted: an attack inside a certified ball succeeds.
//!
//! A certificate says that no change within its ball changes the right answer. So every certified case must be right
//! without an attack, and under every attack of the spec that stays inside the ball. medcert also attacks certified
//! cases inside the ball, and these attacks must fail. A certificate of a vote is wrong with probability α at most,
//! and so is a vote on an attacked case. Raised where more certified cases are answered wrongly inside their ball, or
//! a second vote withdrew more certificates, than these errors explain (at 99.9 %); if a certificate is exact, one is
//! too many. It makes every requirement on the certificate an ERROR. If both votes stand against a successful attack,
//! the run itself ends with exit code 101. What to do: report it, with the case and the seed that the message names;
//! certificates of this model cannot be believed until then.

use super::{Field, Look, Raised, of_cases};
use crate::evidence::{Attacked, Vote};
use crate::plan::{Attack, ImageAttack};
use crate::spec::{Ball, Check, ImageMethod, PixelChange};
use crate::stats;

/// Error rate at which more contradictions than α explains count as a fault.
const CHANCE: f64 = 0.001;

pub(super) fn check(field: &Field<'_>) -> Look {
    let look = Look::each(0..field.plan.certificates.len(), |place| {
        let votes = field.votes(place)?;
        let broken = broken(field, place, votes);
        Ok(broken.into_iter().chain(withdrawn(field, place, votes)).collect::<Vec<_>>())
    });
    look.or_else_inapplicable("the spec has no certificate")
}

/// Certified cases that an attack of the spec inside their ball breaks.
fn broken(field: &Field<'_>, place: usize, votes: &[Vote]) -> Option<Raised> {
    let certificate = field.plan.certificates[place];
    let inside =
        field.seen(certificate.model).into_iter().filter(|seen| is_inside(seen.attack, &certificate.ball));
    let broken = inside.filter_map(|seen| {
        let cases = field.evidence.cases.iter().zip(votes).zip(seen.outcomes);
        // a smoothed model may abstain inside its ball; only another answer contradicts
        let is_wrong =
            |((case, vote), outcome): &((&crate::evidence::Case, &Vote), &crate::evidence::Outcome)| {
                vote.is_certified() && outcome.predicted.is_some_and(|answer| answer != case.label)
            };
        let wrong: Vec<&str> = cases.filter(is_wrong).map(|((case, _), _)| case.id.as_str()).collect();
        let first = (*wrong.first()?).to_string();
        Some((seen.attack.to_string(), wrong.len(), first))
    });
    let (attack, count, first) = broken.max_by_key(|(_, count, _)| *count)?;
    let certified = votes.iter().filter(|vote| vote.is_certified()).count();
    // either vote may be wrong: the certificate, or the vote on the attacked case
    let chance = 2.0 * certificate.certifier.alpha();
    if stats::lower_bound(count as u64, certified as u64, CHANCE) <= chance {
        return None;
    }
    let under = if attack == "clean" { "without an attack".to_string() } else { format!("under {attack}") };
    let message = format!(
        "{} certified within {} are answered wrongly {under}, such as {first}",
        of_cases(count, certified),
        certificate.ball,
    );
    Some(Raised::new(Check::Contradicted, Some(certificate.model), message).certificate(place))
}

/// Whether every input that an attack may make lies in a ball.
fn is_inside(attack: &Attack, ball: &Ball) -> bool {
    if attack.is_clean() {
        return true;
    }
    let Some(ImageAttack { method: ImageMethod::Search { norm, region, .. }, strength }) = attack.image
    else {
        return false;
    };
    let holds = |change: PixelChange| match change {
        PixelChange::Within { norm: own, radius, region: within } => {
            own == norm
                && (within == region || within == crate::spec::Region::Everywhere)
                && strength <= radius
        }
        PixelChange::Patch { .. } | PixelChange::Missing => false,
    };
    attack.text.is_empty() && ball.pixels.is_some_and(holds)
}

/// Raised if more certificates were withdrawn than α explains.
fn withdrawn(field: &Field<'_>, place: usize, votes: &[Vote]) -> Option<Raised> {
    let certificate = field.plan.certificates[place];
    let tried = votes.iter().filter(|vote| vote.attacked.is_some()).count() as u64;
    let fell = votes.iter().filter(|vote| vote.attacked == Some(Attacked::Withdrawn)).count() as u64;
    let alpha = certificate.certifier.alpha();
    (stats::lower_bound(fell, tried, CHANCE) > alpha).then(|| {
        let message = format!(
            "{fell} of {tried} certificates within {} were withdrawn after an attack, and at most {:.2} % may be wrong",
            certificate.ball,
            alpha * 100.0
        );
        Raised::new(Check::Contradicted, Some(certificate.model), message).certificate(place)
    })
}
