//! The certificates: a table, and for each ball of pixels the certified share against the radius beside the accuracy under
//! attacks in l2 or linf. The truth lies between the two.

use std::fmt::Write as _;

use super::super::ReportInput;
use super::super::certified::{CertifiedRow, rows};
use super::chart::{HEIGHT, grid, short};
use super::svg::{Markup, Scale, anchor, bar, image, key, mark, series};
use super::tied;
use crate::judge::{Tally, percent};
use crate::plan::{Attack, Certificate, ImageAttack};
use crate::spec::{ImageMethod, Metric, Norm, Region};

/// How far the drawing goes beyond the radius of the ball, and its steps.
const BEYOND: f64 = 1.5;
const STEPS: usize = 60;

/// A certificate in the table, with its drawing.
pub(super) struct CertifiedPanel {
    pub(super) words: String,
    pub(super) share: String,
    pub(super) bounds: String,
    pub(super) bar: Markup,
    pub(super) levels: String,
    pub(super) undecided: u64,
    pub(super) samples: String,
    /// What it means, in a sentence.
    pub(super) note: String,
    pub(super) curve: Option<Curve>,
}

/// The certified share against the radius.
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) across: String,
    pub(super) picture: Markup,
    pub(super) key: Markup,
    /// Whether attacks of the spec are marked in it.
    pub(super) is_attacked: bool,
}

/// A row for each certificate, or why there is none.
pub(super) fn certified(result: ReportInput<'_>, tally: &Tally<'_>) -> Vec<Result<CertifiedPanel, String>> {
    let row = |row: CertifiedRow| CertifiedPanel {
        words: format!("{} within {}", row.model, row.ball),
        share: row.share(),
        bounds: row.bounds(),
        bar: bar(row.score.share()),
        levels: row.levels().unwrap_or_else(|| "·".to_string()),
        undecided: row.score.votes.undecided,
        samples: format!("{:.0}", row.score.votes.mean_samples()),
        note: tied(&row.sentence()),
        curve: curve(result, tally, &row),
    };
    rows(result.plan, tally).into_iter().map(|each| each.map(row)).collect()
}

fn curve(result: ReportInput<'_>, tally: &Tally<'_>, row: &CertifiedRow) -> Option<Curve> {
    let certificate = result.plan.certificates.get(row.place)?;
    let (norm, radius, region) = certificate.ball.within()?;
    let parts: Vec<f64> = (0..=STEPS).map(|step| BEYOND * step as f64 / STEPS as f64).collect();
    let shares = tally.certified_at(row.place, &parts).ok()??;
    let proof: Vec<(f64, f64)> = parts.iter().map(|part| part * radius).zip(shares).collect();
    let attacked = attacked(result, tally, certificate, (norm, region), BEYOND * radius);
    let shows = |points: &[(f64, f64)]| {
        let each = points.iter().map(|(radius, share)| format!("{} at {}", percent(*share), short(*radius)));
        each.collect::<Vec<_>>().join(", ")
    };
    let told = format!(
        "Certified: {}. Under attack: {}.",
        shows(&[(0.0, proof[0].1), (radius, row.score.share())]),
        shows(&attacked)
    );
    let title = format!("Certified share of {}", row.model);
    let body = body(certificate.model, &proof, &attacked, radius);
    Some(Curve {
        name: format!("{} within {}", row.model, row.ball),
        across: format!("radius in {}", norm.name()),
        picture: image("chart", &format!("certified{}", row.place), HEIGHT, (&title, &told), &body),
        key: key("mark", certificate.model),
        is_attacked: attacked.len() > 1,
    })
}

/// The accuracy of the model under every attack of the spec in the norm and region of a ball: the least at each radius, with
/// the clean accuracy at 0, ascending.
fn attacked(
    result: ReportInput<'_>,
    tally: &Tally<'_>,
    certificate: &Certificate,
    (norm, region): (Norm, Region),
    most: f64,
) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (place, cell) in result.plan.cells.iter().enumerate() {
        let radius = match &cell.attack {
            attack if attack.is_clean() => 0.0,
            Attack { image: Some(ImageAttack { method, strength }), text, .. } if text.is_empty() => {
                match method {
                    ImageMethod::Search { norm: own, region: within, .. }
                        if (*own, *within) == (norm, region) =>
                    {
                        *strength
                    }
                    _ => continue,
                }
            }
            _ => continue,
        };
        if cell.model != certificate.model || radius > most {
            continue;
        }
        let Ok(score) = tally.score(cell.model, &[place], Metric::Accuracy) else { continue };
        let share = score.estimate.share();
        match points.iter_mut().find(|(known, _)| known.to_bits() == radius.to_bits()) {
            Some((_, least)) => *least = least.min(share),
            None => points.push((radius, share)),
        }
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// The proof as a line, the attacks as hollow marks, and what is unknown between them as a band.
fn body(model: usize, proof: &[(f64, f64)], attacked: &[(f64, f64)], radius: f64) -> String {
    let (across, up) = (Scale { from: 0.0, to: BEYOND * radius }, Scale { from: 1.0, to: 0.0 });
    let mut body = grid(up);
    for at in [0.0, radius, BEYOND * radius] {
        let x = across.at(at);
        let (y, shown, side) = (HEIGHT + 18, short(at), anchor(x));
        let _ = write!(
            body,
            "<line class=\"tick\" x1=\"{x:.3}%\" x2=\"{x:.3}%\" y1=\"100%\" y2=\"{}\"/>\
             <text x=\"{x:.3}%\" y=\"{y}\" text-anchor=\"{side}\">{shown}</text>",
            HEIGHT + 5
        );
    }
    let join = |points: &mut dyn Iterator<Item = &(f64, f64)>| {
        let each = points.map(|(x, y)| format!("{:.3},{:.3}", across.at(*x), up.at(*y)));
        each.collect::<Vec<_>>().join(" ")
    };
    let class = series(model);
    let (there, back) = (join(&mut proof.iter()), join(&mut attacked.iter().rev()));
    body.push_str(
        "<svg width=\"100%\" height=\"100%\" viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\">",
    );
    if attacked.len() > 1 {
        // the band ends where the last attack does
        let last = attacked.last().map_or(0.0, |(x, _)| *x);
        let under = join(&mut proof.iter().filter(|(x, _)| *x <= last));
        let _ = write!(body, "<polygon class=\"band s{class}\" points=\"{under} {back}\"/>");
    }
    let _ = write!(body, "<polyline class=\"line s{class}\" points=\"{there}\"/></svg>");
    for (at, share) in attacked {
        body.push_str(&mark("mark hollow", model, (across.at(*at), up.at(*share))));
    }
    body
}
