//! A trivial reader: logistic regression on the words of a text, whatever their order, with a ridge penalty (le
//! Cessie and van Houwelingen, Applied Statistics 1992), fitted by a truncated Newton method (Lin, Weng and
//! Keerthi, "Trust region Newton method for large-scale logistic regression", JMLR 2008; here with halved steps
//! in place of a region).
//!
//! Each word that at least two training texts hold is a feature, valued by how rare it is (Spärck Jones, 1972) and
//! scaled so that every text has length 1. A model that does not beat this reader shows no understanding of
//! reports; a reader that is nearly always right shows that the text carries the label.

use std::collections::{BTreeMap, BTreeSet};

use crate::Class;

/// Weight of the penalty, beside a sum over the training texts.
const RIDGE: f64 = 0.2;
/// Texts that must hold a word for it to count.
const LEAST_TEXTS: usize = 2;
/// Newton steps, and steps of conjugate gradients in each, at most.
const STEPS: usize = 30;
const INNER_STEPS: usize = 60;
/// The gradient at which the fit is done, as a share of the first.
const DONE: f64 = 1e-5;

/// A text as the features that it has: place and value.
type Row = Vec<(usize, f64)>;

/// Learns from `train` and gives the class of each text of `test`. Of several classes each is learned against the others,
/// and the one with the highest score is the answer. Deterministic.
pub(super) fn predict(train: &[(&str, Class)], test: &[&str]) -> Vec<Class> {
    let features = Features::of(train.iter().map(|(text, _)| *text));
    let rows: Vec<Row> = train.iter().map(|(text, _)| features.row(text)).collect();
    let against = |class: Class| {
        let labels: Vec<f64> = train.iter().map(|(_, label)| f64::from(u8::from(*label == class))).collect();
        fit(&rows, &labels, features.weights.len() + 1)
    };
    let several: BTreeSet<Class> =
        train.iter().map(|(_, label)| *label).filter(|label| matches!(label, Class::Several(_))).collect();
    if several.is_empty() {
        let weights = against(Class::Two(true));
        return test.iter().map(|text| Class::Two(score(&features.row(text), &weights) > 0.0)).collect();
    }
    let weights: Vec<(Class, Vec<f64>)> = several.into_iter().map(|class| (class, against(class))).collect();
    let answer = |text: &&str| {
        let row = features.row(text);
        let scores = weights.iter().map(|(class, weights)| (*class, score(&row, weights)));
        scores.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(Class::Several(0), |(class, _)| class)
    };
    test.iter().map(answer).collect()
}

/// The words of a text in lower case: its runs of letters and digits.
pub(super) fn words(text: &str) -> Vec<String> {
    let runs = text.split(|letter: char| !letter.is_alphanumeric()).filter(|run| !run.is_empty());
    runs.map(str::to_lowercase).collect()
}

/// The words that count, and how much each does.
struct Features {
    places: BTreeMap<String, usize>,
    weights: Vec<f64>,
}

impl Features {
    fn of<'t>(texts: impl ExactSizeIterator<Item = &'t str>) -> Self {
        let all = texts.len() as f64;
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for text in texts {
            let mut held = words(text);
            held.sort_unstable();
            held.dedup();
            for word in held {
                *counts.entry(word).or_default() += 1;
            }
        }
        counts.retain(|_, count| *count >= LEAST_TEXTS);
        let weights = counts.values().map(|&count| 1.0 + (all / count as f64).ln()).collect();
        let places = counts.into_keys().enumerate().map(|(place, word)| (word, place)).collect();
        Self { places, weights }
    }

    /// The features of a text, of length 1, and a last one that all texts have.
    fn row(&self, text: &str) -> Row {
        let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
        for place in words(text).iter().filter_map(|word| self.places.get(word)) {
            *counts.entry(*place).or_default() += self.weights[*place];
        }
        let length = counts.values().map(|value| value * value).sum::<f64>().sqrt();
        let mut row: Row = counts.into_iter().map(|(place, value)| (place, value / length)).collect();
        row.push((self.weights.len(), 1.0));
        row
    }
}

/// The weights at which the penalised likelihood is highest. The last is the intercept.
fn fit(rows: &[Row], labels: &[f64], count: usize) -> Vec<f64> {
    let mut weights = vec![0.0; count];
    let mut first = None;
    for _ in 0..STEPS {
        let chances: Vec<f64> = rows.iter().map(|row| chance(score(row, &weights))).collect();
        let misses: Vec<f64> = chances.iter().zip(labels).map(|(chance, label)| chance - label).collect();
        let gradient = pulled(spread(rows, &misses, count), &weights);
        let size = dot(&gradient, &gradient).sqrt();
        if size <= DONE * *first.get_or_insert(size) {
            break;
        }
        let curvatures: Vec<f64> = chances.iter().map(|chance| chance * (1.0 - chance)).collect();
        let step = newton(rows, &curvatures, &gradient);
        let slope = dot(&gradient, &step);
        let now = loss(rows, labels, &weights);
        let mut share = 1.0;
        let after = |share: f64| -> Vec<f64> {
            weights.iter().zip(&step).map(|(weight, step)| weight + share * step).collect()
        };
        while share > 1e-6 && loss(rows, labels, &after(share)) > now + 1e-4 * share * slope {
            share /= 2.0;
        }
        weights = after(share);
    }
    weights
}

/// Solves `H step = -gradient` roughly, by conjugate gradients (Hestenes and Stiefel, 1952).
fn newton(rows: &[Row], curvatures: &[f64], gradient: &[f64]) -> Vec<f64> {
    let mut step = vec![0.0; gradient.len()];
    let mut residual: Vec<f64> = gradient.iter().map(|value| -value).collect();
    let mut direction = residual.clone();
    let mut size = dot(&residual, &residual);
    let enough = size * 0.01;
    for _ in 0..INNER_STEPS {
        if size <= enough {
            break;
        }
        let along: Vec<f64> =
            rows.iter().zip(curvatures).map(|(row, curvature)| curvature * score(row, &direction)).collect();
        let bent = pulled(spread(rows, &along, direction.len()), &direction);
        let length = size / dot(&direction, &bent);
        for (place, (step, residual)) in step.iter_mut().zip(&mut residual).enumerate() {
            *step += length * direction[place];
            *residual -= length * bent[place];
        }
        let next = dot(&residual, &residual);
        for (direction, residual) in direction.iter_mut().zip(&residual) {
            *direction = residual + next / size * *direction;
        }
        size = next;
    }
    step
}

/// Adds the penalty's pull.
fn pulled(mut gradient: Vec<f64>, weights: &[f64]) -> Vec<f64> {
    for (gradient, weight) in gradient.iter_mut().zip(weights) {
        *gradient += RIDGE * weight;
    }
    gradient
}

/// What the penalised likelihood lacks: lower is better.
fn loss(rows: &[Row], labels: &[f64], weights: &[f64]) -> f64 {
    let miss = |(row, label): (&Row, &f64)| {
        let away = if *label > 0.5 { -score(row, weights) } else { score(row, weights) };
        away.max(0.0) + (-away.abs()).exp().ln_1p()
    };
    rows.iter().zip(labels).map(miss).sum::<f64>() + RIDGE / 2.0 * dot(weights, weights)
}

/// Each text's value put on its features.
fn spread(rows: &[Row], values: &[f64], count: usize) -> Vec<f64> {
    let mut sums = vec![0.0; count];
    for (row, value) in rows.iter().zip(values) {
        for (place, feature) in row {
            sums[*place] += value * feature;
        }
    }
    sums
}

fn score(row: &Row, weights: &[f64]) -> f64 {
    row.iter().map(|(place, value)| value * weights[*place]).sum()
}

fn chance(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{stream, uniform};

    /// Rows of four features with labels that lean on the first.
    fn case(seed: &str) -> (Vec<Row>, Vec<f64>) {
        let mut rng = stream(&[seed]);
        let mut row = || -> Row {
            (0..4).map(|place| (place, f64::from(uniform(&mut rng)) - 0.5)).chain([(4, 1.0)]).collect()
        };
        let rows: Vec<Row> = (0..200).map(|_| row()).collect();
        let mut rng = stream(&[seed, "labels"]);
        let leans =
            |row: &Row| f64::from(u8::from(3.0 * row[0].1 + 1.0 > 2.0 * f64::from(uniform(&mut rng))));
        let labels = rows.iter().map(leans).collect();
        (rows, labels)
    }

    #[test]
    fn no_other_weights_fit_better() {
        for seed in ["a", "b", "c"] {
            let (rows, labels) = case(seed);
            let weights = fit(&rows, &labels, 5);
            assert!(weights[0] > 1.0, "{weights:?}");
            let best = loss(&rows, &labels, &weights);
            for place in 0..5 {
                for change in [-1e-3, 1e-3] {
                    let mut other = weights.clone();
                    other[place] += change;
                    assert!(loss(&rows, &labels, &other) > best, "{seed} {place} {change}");
                }
            }
        }
    }

    #[test]
    fn an_intercept_alone_is_the_log_odds_less_the_penalty() {
        // stationary: n (chance - share) + RIDGE weight = 0
        let rows: Vec<Row> = vec![vec![(0, 1.0)]; 100];
        let labels: Vec<f64> = (0..100).map(|place| f64::from(u8::from(place < 80))).collect();
        let weight = fit(&rows, &labels, 1)[0];
        assert!((100.0 * (chance(weight) - 0.8) + RIDGE * weight).abs() < 1e-3, "{weight}");
    }
}
