//! Examines a model before its results are trusted (checks M7 and M8). It must give the same answer when asked again,
//! and when a case is alone; return logits and not probabilities; and have gradients that are not zero, agree with
//! finite differences along random directions, and raise the loss (Athalye, Carlini, Wagner, Obfuscated gradients
//! give a false sense of security, ICML 2018, arXiv 1802.00420; Carlini et al., On evaluating adversarial robustness,
//! 2019, arXiv 1902.06705).

use rand_chacha::rand_core::Rng;

use super::Chunk;
use crate::evidence::{GradientHealth, Health};
use crate::lab::loss;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::margin;
use crate::random::stream;
use crate::spec::{Access, AttackLoss};
use crate::{Class, Result};

/// Number of cases that are also asked alone.
const ALONE: usize = 4;
/// Number of random directions for finite differences.
const DIRECTIONS: usize = 8;
/// Half of a finite difference, with pixels in [0, 1]: small enough to stay in a linear piece, large enough for
/// 32-bit floats.
const HALF_STEP: f64 = 1e-3;
/// The step that must raise the loss: half a gray level of an 8-bit film.
const STEP: f64 = 0.5 / 255.0;
/// Relative tolerance between answers to the same case that differ by rounding.
const ROUNDING: f32 = 1e-3;

impl Chunk<'_> {
    /// Examines the model's answers and gradients on the clean cases.
    pub fn health(&self) -> Result<Health> {
        let cases = self.indices.len();
        let (first, again) = (self.logits(None)?, self.logits(None)?);
        let classes = first.len() / cases.max(1);
        // a model behind a command may run on another machine, so its answers are compared up to rounding
        let is_ours = self.scene.reader.access() == Access::Gradient;
        let same = |pair: &(&[f32], &[f32])| {
            let same_bits = || pair.0.iter().zip(pair.1).all(|(a, b)| a.to_bits() == b.to_bits());
            if is_ours { same_bits() } else { !differ(pair.0, pair.1) }
        };
        let pairs = first.chunks_exact(classes).zip(again.chunks_exact(classes));
        let unrepeatable = pairs.filter(|pair| !same(pair)).count() as u32;
        let alone = ALONE.min(cases);
        let mut dependent = 0;
        for row in 0..alone {
            let lonely = self.logits(Some(row))?;
            dependent += u32::from(differ(&first[classes * row..classes * (row + 1)], &lonely));
        }
        let in_unit = |one: &[f32]| {
            one.iter().all(|value| (0.0..=1.0).contains(value))
                && (one.iter().sum::<f32>() - 1.0).abs() < 1e-4
        };
        let gradient =
            self.images.as_ref().filter(|_| is_ours).map(|images| self.gradients(images)).transpose()?;
        let passes = 2 * cases + alone + gradient.map_or(0, |_| (2 + 2 * DIRECTIONS + 2) * cases);
        Ok(Health {
            model: self.scene.reader.name().to_string(),
            cases: cases as u32,
            evaluations: passes as u64,
            unrepeatable,
            alone: alone as u32,
            dependent,
            probabilities: first.chunks_exact(classes).all(in_unit),
            gradient,
            noise: None,
        })
    }

    /// The margins of the model's first answers to the clean cases.
    pub(in crate::lab) fn first_margins(&self) -> &[Option<f32>] {
        &self.first
    }

    /// Asks about the clean cases again. Returns how many margins differ from `first` by more than rounding.
    pub(in crate::lab) fn changed_answers(&self, first: &[Option<f32>]) -> Result<usize> {
        if let Some(answers) = self.settled_clean()? {
            // a repeated vote has the same noise, so its answer must be exactly the same
            return Ok(answers.iter().zip(first).filter(|(answer, first)| answer.margin != **first).count());
        }
        let logits = self.logits(None)?;
        let classes = (logits.len() / self.indices.len().max(1)).max(1);
        let is_other = |((logits, &label), first): ((&[f32], &Class), &Option<f32>)| {
            let margin = margin(logits, label);
            let scale = logits.iter().fold(1e-6_f32, |most, value| most.max(value.abs()));
            match first.filter(|_| margin.is_finite()) {
                Some(first) => (first - margin).abs() > ROUNDING * scale,
                None => first.is_some() || margin.is_finite(),
            }
        };
        let answers = logits.chunks_exact(classes).zip(self.victim.truth()).zip(first);
        Ok(answers.filter(|answer| is_other(*answer)).count())
    }

    /// The logits of the clean cases, or of one of them alone, computed anew; one a class and case.
    fn logits(&self, alone: Option<usize>) -> Result<Vec<f32>> {
        let _guard = tensor::no_grad_guard();
        let image = match (&self.images, alone) {
            (None, _) => None,
            (Some(images), None) => Some(self.scene.reader.read_images(images)?),
            (Some(images), Some(row)) => {
                Some(self.scene.reader.read_images(&images.f_narrow(0, row as i64, 1)?)?)
            }
        };
        let chosen = alone.map_or(0..self.indices.len(), |row| row..row + 1);
        let texts: Vec<String> =
            self.indices[chosen].iter().map(|&index| self.scene.inputs.texts[index].clone()).collect();
        let text =
            if self.scene.reader.reads_text() { Some(self.scene.reader.read_texts(&texts)?) } else { None };
        tensor::values(&self.scene.reader.decide(image.as_ref(), text.as_ref())?)
    }

    fn gradients(&self, images: &Tensor) -> Result<GradientHealth> {
        let text = self.variants[0].features.as_ref();
        // the margin does not saturate as the cross-entropy does, so its gradient is compared with differences
        let (_, slope) = self.victim.gradient_of(images, text, AttackLoss::Margin)?;
        let (_, steepest) = self.victim.gradient_of(images, text, AttackLoss::CrossEntropy)?;
        let cases = self.indices.len();
        let each = tensor::values(&steepest)?;
        let of = |case: usize| &each[case * each.len() / cases..(case + 1) * each.len() / cases];
        let zero = (0..cases).filter(|&case| of(case).iter().all(|value| *value == 0.0)).count();
        let not_finite = (0..cases).filter(|&case| of(case).iter().any(|value| !value.is_finite())).count();
        let (told, seen) = self.along_directions(images, &slope, text)?;
        let mut cosines: Vec<f32> = told.iter().zip(&seen).map(|(told, seen)| cosine(told, seen)).collect();
        cosines.sort_by(f32::total_cmp);
        let step = steepest.f_sign()?.f_mul_scalar(STEP)?;
        let (before, after) = (self.losses(images, text)?, self.losses(&images.f_add(&step)?, text)?);
        let rising = before.iter().zip(&after).filter(|(before, after)| after > before).count();
        Ok(GradientHealth {
            zero: zero as u32,
            not_finite: not_finite as u32,
            cosine: cosines.get(cases / 2).copied().unwrap_or(0.0),
            rising: rising as u32,
        })
    }

    /// For each case, the slopes along random directions according to its gradient, and according to finite
    /// differences of the margin.
    #[allow(clippy::type_complexity)]
    fn along_directions(
        &self,
        images: &Tensor,
        slope: &Tensor,
        text: Option<&Tensor>,
    ) -> Result<(Vec<Vec<f32>>, Vec<Vec<f32>>)> {
        let (cases, shape) = (self.indices.len(), images.size());
        let length = images.numel() / cases;
        let (mut told, mut seen) = (vec![Vec::new(); cases], vec![Vec::new(); cases]);
        for direction in 0..DIRECTIONS {
            let mut signs = Vec::with_capacity(cases * length);
            for case in &self.cases {
                let mut rng = stream(&["finite difference", case, &direction.to_string()]);
                let sign = |_| if rng.next_u32() & 1 == 0 { 1.0 } else { -1.0 };
                signs.extend((0..length).map(sign));
            }
            let shape: Vec<usize> = shape.iter().map(|&side| side as usize).collect();
            let along = tensor::floats(&signs, &shape)?;
            let product = slope.f_mul(&along)?.f_reshape([cases as i64, -1])?;
            let product = tensor::values(&product.f_sum_dim_intlist([1_i64].as_slice(), false, None)?)?;
            let step = along.f_mul_scalar(HALF_STEP)?;
            let (up, down) =
                (self.margins(&images.f_add(&step)?, text)?, self.margins(&images.f_sub(&step)?, text)?);
            for case in 0..cases {
                told[case].push(product[case]);
                seen[case].push((up[case] - down[case]) / (2.0 * HALF_STEP as f32));
            }
        }
        Ok((told, seen))
    }

    /// The margin by which each case is wrong.
    fn margins(&self, images: &Tensor, text: Option<&Tensor>) -> Result<Vec<f32>> {
        let _guard = tensor::no_grad_guard();
        let logits = self.scene.reader.decide(Some(&self.scene.reader.read_images(images)?), text)?;
        tensor::values(&loss::margin(&logits, &self.truth()?)?)
    }

    /// The cross-entropy of each case.
    fn losses(&self, images: &Tensor, text: Option<&Tensor>) -> Result<Vec<f32>> {
        let _guard = tensor::no_grad_guard();
        let logits = self.scene.reader.decide(Some(&self.scene.reader.read_images(images)?), text)?;
        tensor::values(&loss::cross_entropy(&logits, &self.truth()?)?)
    }

    fn truth(&self) -> Result<Tensor> {
        let labels: Vec<i64> = self.victim.truth().iter().map(|&label| label.place() as i64).collect();
        tensor::integers(&labels, &[labels.len()])
    }
}

/// Whether two answers differ by more than rounding; one that is not finite differs from everything.
fn differ(one: &[f32], other: &[f32]) -> bool {
    let scale = one.iter().chain(other).fold(1e-6_f32, |most, value| most.max(value.abs()));
    let agree = |(one, other): (&f32, &f32)| (one - other).abs() <= ROUNDING * scale;
    !one.iter().zip(other).all(agree)
}

/// The cosine of two vectors; 0 if one is zero or not finite.
fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let product =
        |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let length = (product(one, one) * product(other, other)).sqrt();
    let cosine = product(one, other) / length;
    if cosine.is_finite() { cosine as f32 } else { 0.0 }
}
