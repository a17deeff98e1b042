//! What every report says of certificates: a row for each model and ball, and what such a figure means.

use super::counted;
use crate::judge::{Certified, Tally};
use crate::plan::{Certificate, Plan};
use crate::spec::{Certifier, Norm, PixelChange};

/// What a report says of one certificate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CertifiedRow {
    /// The certificate's place in the plan.
    pub(super) place: usize,
    pub(super) model: String,
    /// What may change, as a sentence writes it.
    pub(super) ball: String,
    /// The name of the certificate.
    pub(super) by: &'static str,
    /// What was counted, with the bounds of the share of certifiable cases.
    pub(super) score: Certified,
    /// Error rate of a case; 0 where the certificate is exact.
    pub(super) alpha: f64,
    /// The largest change of every pixel at once that the ball holds; None without a radius.
    pub(super) linf: Option<f64>,
}

/// The rows of all certificates, each a row or why there is none.
pub(super) fn rows(plan: &Plan, tally: &Tally<'_>) -> Vec<Result<CertifiedRow, String>> {
    let row = |(place, certificate): (usize, &Certificate)| {
        let score = tally.certified(place)?;
        Ok(CertifiedRow {
            place,
            model: plan.name(certificate.model).to_string(),
            ball: certificate.ball.to_string(),
            by: certificate.certifier.name(),
            alpha: certificate.certifier.alpha(),
            linf: linf(certificate, score.pixels),
            score,
        })
    };
    plan.certificates.iter().enumerate().map(row).collect()
}

/// The change of every pixel at once that a ball over so many pixels holds.
fn linf(certificate: &Certificate, pixels: u64) -> Option<f64> {
    match certificate.ball.pixels? {
        PixelChange::Within { norm: Norm::Linf, radius, .. } => Some(radius),
        PixelChange::Within { norm: Norm::L2, radius, .. } => {
            (pixels > 0).then(|| radius / (pixels as f64).sqrt())
        }
        PixelChange::Patch { .. } | PixelChange::Missing => None,
    }
}

impl CertifiedRow {
    /// `62.3 %`, of all cases.
    pub(super) fn share(&self) -> String {
        format!("{:.1}", self.score.share() * 100.0)
    }

    /// `(57.0–81.2)`: 95 % bounds of the share of certifiable cases.
    pub(super) fn bounds(&self) -> String {
        format!("({:.1}–{:.1})", self.score.lower * 100.0, self.score.upper * 100.0)
    }

    /// The change of every pixel at once, in grey levels: `1.14/255`.
    pub(super) fn levels(&self) -> Option<String> {
        self.linf.map(|linf| format!("{:.2}/255", linf * 255.0))
    }

    /// The most wrong certificates that are expected.
    pub(super) fn expected_wrong(&self) -> f64 {
        self.alpha * self.score.votes.cases() as f64
    }

    /// The row in a sentence: counts, the size of the ball, and how sure it is.
    pub(super) fn sentence(&self) -> String {
        let votes = self.score.votes;
        let undecided = if votes.undecided > 0 {
            format!(", {} undecided (abstained)", votes.undecided)
        } else {
            String::new()
        };
        let cases = counted(votes.cases() as usize, "case", "cases");
        let size = self.levels().map_or(String::new(), |levels| {
            format!("; of the model's pixels, such as {levels} on every pixel")
        });
        let sure = if self.alpha > 0.0 {
            format!(
                "; each case at {} %, so at most {:.1} certificates are expected to be wrong; of the smoothed model, \
                 not of its base",
                super::hundredths_of_per_cent(1.0 - self.alpha),
                self.expected_wrong(),
            )
        } else {
            "; exact".to_string()
        };
        format!(
            "{} within {}: {} of {cases} certified, {} refuted{undecided}; {:.0} samples a case{size}{sure}",
            self.model,
            self.ball,
            votes.certified,
            votes.refuted,
            votes.mean_samples(),
        )
    }
}

/// What a model has to change to be certified: for the plan's listing.
pub(super) fn planned(plan: &Plan, model: usize) -> Vec<String> {
    let of = |place: usize| {
        let Certificate { ball, certifier, .. } = plan.certificates[place];
        let how = match certifier {
            Certifier::Vote(smoothing) => {
                format!("at most {} samples a case, α = {}", smoothing.samples, smoothing.alpha)
            }
            Certifier::TwoMasks { grid, .. } => {
                let masks = u64::from(grid).pow(2);
                format!("{} pairs of masks a case, exact", masks * (masks + 1) / 2)
            }
            Certifier::Listing => "every change is tried, exact".to_string(),
        };
        format!("certified within {ball} by {}: {how}", certifier.name())
    };
    plan.certificates_of(model).map(of).collect()
}
