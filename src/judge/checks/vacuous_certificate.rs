//! V4 vacuous-certificate: the certified cases are those of a model that always answers one class.
//!
//! A model that always answers one class is certified at every radius, on every case of that class. A large σ turns a
//! smoothed model into such a model. Raised where at least 98 % of the certified cases (the trigger) are of one
//! class, and at least ten are certified; it makes every requirement on the certificate VACUOUS. Only a warning where
//! no more cases are certified than the majority class has, since a constant model would reach the same figure.
//! What to do: require `certified sensitivity` and `certified specificity`; lower σ, or train with the noise
//! (`train: {noise: 0.25}`).

use super::{Field, Look, Raised, of_cases};
use crate::Class;
use crate::class::most_frequent;
use crate::spec::Check;

/// Fewest certified cases that raise the check: among fewer, a single class is no surprise.
const LEAST: usize = 10;

pub(super) fn check(field: &Field<'_>) -> Look {
    let most = field.trigger(Check::VacuousCertificate);
    let look = Look::each(0..field.plan.certificates.len(), |place| {
        let votes = field.votes(place)?;
        let certificate = field.plan.certificates[place];
        let cases = field.evidence.cases.iter().zip(votes);
        let labels: Vec<Class> =
            cases.filter(|(_, vote)| vote.is_certified()).map(|(case, _)| case.label).collect();
        let (class, largest) = most_frequent(labels.iter().copied()).unwrap_or((Class::Two(true), 0));
        let majority = field.majority(certificate.model, 0..votes.len());
        let raise = |message: String| {
            Raised::new(Check::VacuousCertificate, Some(certificate.model), message).certificate(place)
        };
        if labels.len() >= LEAST && largest as f64 >= most * labels.len() as f64 {
            return Ok(Some(raise(format!(
                "{} certified within {} are {}",
                of_cases(largest, labels.len()),
                certificate.ball,
                field.tally.class_name(class),
            ))));
        }
        let is_few = labels.len() as f64 <= majority * votes.len() as f64;
        Ok((is_few && !labels.is_empty()).then(|| {
            raise(format!(
                "{} are certified within {}, and a model that always answers one class reaches {}",
                of_cases(labels.len(), votes.len()),
                certificate.ball,
                crate::judge::percent(majority),
            ))
            .warning()
        }))
    });
    look.or_else_inapplicable("the spec has no certificate")
}
