//! Counts the cases of a clause, group by group. The level comes later, because Holm's correction needs the p-values
//! of all requirements.

use super::acted::Untouched;
use super::counts::Tally;
use super::sample::{Part, Sample};
use super::{Estimate, certified, figure, harm, percent, percent_beside};
use crate::Class;
use crate::plan::Clause;
use crate::spec::{Bound, Metric};
use crate::stats::{Auroc, Calibration, Differences, Mean, Proportion};

/// The counts of a clause.
pub(super) struct Measured {
    /// One part per group; a single one if the clause has no groups.
    pub(super) parts: Vec<Part>,
    /// The cell whose attack altered the smallest share of the clean-right cases, if one did not alter all of them.
    pub(super) untouched: Option<Untouched>,
}

impl Measured {
    /// p-value of the hypothesis that the clause is false. The clause must hold in every group, so it is the largest
    /// one.
    pub(super) fn p(&self) -> f64 {
        self.parts.iter().map(|part| part.p).reduce(f64::max).unwrap_or(1.0)
    }
}

/// Counts the cases of a clause.
///
/// # Errors
/// The clause cannot be judged; the message says why, in a sentence.
pub(super) fn measure(tally: &Tally<'_>, clause: &Clause) -> Result<Measured, String> {
    in_full(tally, clause)?;
    let about = tally.about(clause.model, &clause.cells, clause.measure())?;
    for (model, cells) in clause.subjects() {
        tally.all_acted(model, cells)?;
    }
    let untouched = tally.untouched(clause.subjects())?;
    if let Bound::Model { model, .. } = clause.bound {
        tally.all_acted(model, &clause.others)?;
    }
    let mut parts = Vec::new();
    match &clause.group {
        None => parts.push(part(tally, clause, &about, None)?),
        Some(attribute) => {
            for (value, cases) in tally.groups(clause.model, attribute)? {
                let places: Vec<usize> =
                    about.iter().copied().filter(|place| cases.contains(place)).collect();
                if places.is_empty() {
                    let noun = tally.noun(clause.measure(), 1);
                    return Err(format!("there is no {noun} to count where {attribute} is {value}"));
                }
                parts.push(part(tally, clause, &places, Some(value))?);
            }
        }
    }
    Ok(Measured { parts, untouched })
}

/// Refuses a clause that needs every case if one of its cells ended early. The first cases suffice only for a share
/// of the cases of one model.
fn in_full(tally: &Tally<'_>, clause: &Clause) -> Result<(), String> {
    if clause.may_end_early() {
        return Ok(());
    }
    for (model, cells) in clause.subjects() {
        let (counted, all) = (tally.counted(model, cells)?, tally.known(model).len());
        if counted < all {
            return Err(format!(
                "it needs every case, and a cell of it ended after {counted}; run the spec in full"
            ));
        }
    }
    let mut counted = tally.counted(clause.model, &clause.cells)?;
    if let Bound::Model { model, .. } = clause.bound {
        counted = counted.min(tally.counted(model, &clause.others)?);
    }
    if counted == tally.known(clause.model).len() {
        return Ok(());
    }
    Err(format!("it needs every case, and a cell of it ended after {counted}; run the spec in full"))
}

/// Counts the cases of a clause among the given ones.
fn part(tally: &Tally<'_>, clause: &Clause, places: &[usize], group: Option<String>) -> Result<Part, String> {
    if let Some(certificate) = clause.certificate {
        return certified::part(tally, clause, certificate, places, group);
    }
    let (threshold, direction) = (clause.bound.threshold(), clause.bound.direction());
    let right = tally.right(clause.model, &clause.cells)?;
    let estimate = count(&right, places);
    let (sample, other, counted) = match &clause.bound {
        Bound::Model { model, .. } => relation(tally, clause, places, *model)?,
        Bound::Rate(_) | Bound::AtMost(_) => value(tally, clause, places, &right, threshold)?,
    };
    let p = sample.p(threshold, direction);
    // metrics of errors count the wrong cases
    let turned = matches!(clause.metric, Metric::Flips | Metric::Missed | Metric::Overcalled);
    let estimate = if turned {
        Estimate { successes: estimate.trials - estimate.successes, ..estimate }
    } else {
        estimate
    };
    Ok(Part { group, sample, estimate, other, p, counted, short: None })
}

fn count(right: &[bool], places: &[usize]) -> Estimate {
    let successes = places.iter().filter(|&&place| right[place]).count() as u64;
    Estimate { successes, trials: places.len() as u64 }
}

/// The sample behind a metric's value, and the counts in words.
fn value(
    tally: &Tally<'_>,
    clause: &Clause,
    places: &[usize],
    right: &[bool],
    threshold: f64,
) -> Result<(Sample, Option<Estimate>, String), String> {
    let metric = clause.metric;
    let cases = format!("{} {}", places.len(), tally.noun(clause.measure(), places.len() as u64));
    let sample = match metric {
        Metric::Accuracy | Metric::Sensitivity | Metric::Specificity | Metric::Ppv | Metric::Npv => {
            share(tally, clause, (places, right.len()), |place| right[place])
        }
        Metric::Flips | Metric::Missed | Metric::Overcalled => {
            share(tally, clause, (places, right.len()), |place| !right[place])
        }
        Metric::MacroAccuracy => macro_accuracy(tally, clause, places, right)?,
        Metric::F1 => {
            let cluster = |place| tally.cluster(&[clause.model], place);
            Sample::Harmonic(Proportion::of(places.iter().map(|&place| (cluster(place), right[place]))))
        }
        Metric::Cost => harm::sample(tally, clause, places, right)?,
        Metric::Auroc if !clause.mean_with.is_empty() => mean_area(tally, clause)?,
        Metric::Auroc | Metric::Ece | Metric::Brier => {
            let margins = tally.margins(clause.model, &clause.cells)?;
            scored(tally, clause, places, &margins)?
        }
    };
    let counted = match &sample {
        Sample::Share(_) | Sample::Watched(..) | Sample::Certified(_) => format!(
            "{} of {cases} {} ({}{})",
            sample.estimate().successes,
            counts(metric),
            percent_beside(sample.value(), threshold),
            worth(sample.effective(), sample.estimate().trials)
        ),
        Sample::Harm(_) => harm::counted(tally, clause, (places, right), sample.value()),
        Sample::Area(_) if !clause.mean_with.is_empty() => {
            let area = figure(metric, sample.value(), threshold);
            format!("a mean area of {area} over {} findings", clause.mean_with.len() + 1)
        }
        Sample::Macro(each) => format!(
            "a mean share of right of {} over {} classes and {cases}",
            percent_beside(sample.value(), threshold),
            each.len()
        ),
        Sample::Harmonic(found) => format!(
            "an F1 of {} from {} right of {cases}{}",
            figure(metric, sample.value(), threshold),
            found.successes(),
            worth(found.effective(), found.trials())
        ),
        Sample::Area(_) => {
            let abnormal =
                places.iter().filter(|&&place| tally.label(clause.model, place).is_abnormal()).count();
            let normal = places.len() - abnormal;
            let area = figure(metric, sample.value(), threshold);
            format!("an area of {area} over {abnormal} abnormal and {normal} normal cases")
        }
        _ => format!("{} {} over {cases}", metric.name(), figure(metric, sample.value(), threshold)),
    };
    Ok((sample, None, counted))
}

/// What the cases are that a share counts.
fn counts(metric: Metric) -> &'static str {
    match metric {
        Metric::Flips => "turned",
        Metric::Missed => "missed",
        Metric::Overcalled => "overcalled",
        Metric::Accuracy
        | Metric::MacroAccuracy
        | Metric::Sensitivity
        | Metric::Specificity
        | Metric::Ppv
        | Metric::Npv
        | Metric::F1
        | Metric::Auroc
        | Metric::Ece
        | Metric::Brier
        | Metric::Cost => "right",
    }
}

/// The sample of a share of cases. A clause that cannot end early has counted every case, so the bounds for a fixed
/// number of cases hold for it.
fn share(
    tally: &Tally<'_>,
    clause: &Clause,
    (places, seen): (&[usize], usize),
    counts: impl Fn(usize) -> bool,
) -> Sample {
    if clause.may_end_early() {
        return tally.share(clause.model, places, seen, counts);
    }
    let cluster = |place| tally.cluster(&[clause.model], place);
    Sample::Share(Proportion::of(places.iter().map(|&place| (cluster(place), counts(place)))))
}

/// The mean over the classes of the share of their cases that are right.
fn macro_accuracy(
    tally: &Tally<'_>,
    clause: &Clause,
    places: &[usize],
    right: &[bool],
) -> Result<Sample, String> {
    let count = tally.plan.spec.data.class_count();
    let mut each = Vec::with_capacity(count);
    for class in (0..count).map(|place| Class::at(place, count)) {
        let own = places.iter().copied().filter(|&place| tally.label(clause.model, place) == class);
        let own: Vec<usize> = own.collect();
        if own.is_empty() {
            return Err(format!("there is no {} case to count", tally.class_name(class)));
        }
        let cluster = |place| tally.cluster(&[clause.model], place);
        each.push(Proportion::of(own.iter().map(|&place| (cluster(place), right[place]))));
    }
    Ok(Sample::Macro(each))
}

/// Area, Brier score or calibration error, from the margins of the true class.
fn scored(tally: &Tally<'_>, clause: &Clause, places: &[usize], margins: &[f64]) -> Result<Sample, String> {
    let (metric, threshold) = (clause.metric, tally.threshold(clause.model));
    let each = places.iter().map(|&place| {
        let label = tally.label(clause.model, place).is_abnormal();
        // margins are relative to the operating point, probabilities follow from the log-odds
        (
            tally.cluster(&[clause.model], place),
            label,
            threshold + if label { margins[place] } else { -margins[place] },
        )
    });
    let probability = |score: f64| 1.0 / (1.0 + (-score).exp());
    match metric {
        Metric::Auroc => Auroc::of(&each.collect::<Vec<_>>()).map(Sample::Area),
        Metric::Brier => {
            let squared = |label: bool, score| (probability(score) - f64::from(label)).powi(2);
            let found = Mean::of(each.map(|(patient, label, score)| (patient, squared(label, score))));
            found.map(Sample::Mean)
        }
        _ => Calibration::of(each.map(|(patient, label, score)| (patient, probability(score), label)))
            .map(Sample::Calibration),
    }
    .ok_or_else(|| "there are not both abnormal and normal cases to compare".to_string())
}

/// The mean ROC area over several findings.
fn mean_area(tally: &Tally<'_>, clause: &Clause) -> Result<Sample, String> {
    let mut findings = Vec::new();
    for (model, cells) in clause.subjects() {
        let (margins, threshold) = (tally.margins(model, cells)?, tally.threshold(model));
        let score = |(place, margin): (usize, f64)| {
            let label = tally.label(model, place).is_abnormal();
            (tally.cluster(&[model], place), label, threshold + if label { margin } else { -margin })
        };
        findings.push(margins.into_iter().enumerate().map(score).collect::<Vec<_>>());
    }
    let found = Auroc::mean_of(&findings).map(Sample::Area);
    found.ok_or_else(|| "a finding has not both classes to compare".to_string())
}

/// Compares two models on the same cases.
fn relation(
    tally: &Tally<'_>,
    clause: &Clause,
    places: &[usize],
    other: usize,
) -> Result<(Sample, Option<Estimate>, String), String> {
    if !clause.metric.row().compares {
        let name = clause.metric.name();
        return Err(format!(
            "the {name} of two models are not compared; ask for the accuracy, or for each {name}"
        ));
    }
    let subject = tally.right(clause.model, &clause.cells)?;
    let object = tally.right(other, &clause.others)?;
    let models = [clause.model, other];
    let pairs = places.iter().map(|&place| (tally.cluster(&models, place), subject[place], object[place]));
    let found = Differences::of(pairs);
    let trials = found.trials();
    let (ours, theirs) = (count(&subject, places), count(&object, places));
    let counted = format!(
        "{} {} of {trials} {} right ({}{}), {} {} ({}), {} by the first alone and {} by the second alone",
        tally.name(clause.model),
        ours.successes,
        tally.noun(clause.measure(), trials),
        percent(ours.share()),
        worth(found.effective(), trials),
        tally.name(other),
        theirs.successes,
        percent(theirs.share()),
        found.gained(),
        found.lost(),
    );
    Ok((Sample::Difference(found), Some(theirs), counted))
}

/// `, worth 214 independent cases`; empty if all cases are independent.
fn worth(effective: Option<f64>, trials: u64) -> String {
    match effective.map(f64::round).filter(|&effective| effective < trials as f64) {
        Some(effective) => format!(", worth {effective} independent cases"),
        None => String::new(),
    }
}
