//! Checks that a user's model can be examined at all. A module is refused if attacks on it would look weak or could
//! not be judged: it returns probabilities instead of logits, its answers change or depend on the other cases, or no
//! gradient reaches its images. A model that is asked is refused if its answers change or depend on the other cases.

use super::{Loaded, Script};
use crate::Result;
use crate::lab::tensor::{self, Kind, Tensor};
use crate::lab::victim::Classifier;
use crate::spec::Outputs;

/// Tolerance between answers to a case alone and among others: absolute below 1, relative above.
pub(super) const ALONE: f32 = 1e-3;
/// Factor on pixels that takes them far outside [0, 1].
const EXTREME: f64 = 1e4;
/// Tolerance of the sum of a case's two probabilities.
const SUM: f32 = 1e-4;
/// Answers that go into the digest of a model that is asked are rounded to multiples of this, so that another processor gives the same
/// digest.
const ROUNDED: f64 = 1e-4;

impl Script {
    /// Probes a model with some clean cases, and refuses it if its answers cannot be attacked or judged; its answers to
    /// them. Of a model that is asked, only the answers are looked at.
    ///
    /// # Errors
    /// The model is refused; the message says why, and what to do.
    pub fn probe(&self, images: Option<&Tensor>, texts: &[String]) -> Result<Vec<f32>> {
        let leaf = images.map(|x| x.f_detach_copy().and_then(|x| x.f_set_requires_grad(true))).transpose()?;
        let text = self.text(texts)?;
        let first = self.decide(leaf.as_ref(), text.as_ref())?;
        let values = tensor::values(&first)?;
        let module = match &self.behind {
            Loaded::Module(of) => &of.module,
            Loaded::Remote(_) => {
                self.check_repeats(&values, leaf.as_ref(), text.as_ref())?;
                return Ok(values);
            }
        };
        // taken after the first call, which may fill a cache that later calls only read
        let state = module.state()?;
        self.check_repeats(&values, leaf.as_ref(), text.as_ref())?;
        self.check_logits(&values, images, text.as_ref())?;
        if module.state()? != state {
            return Err(self.refused(
                "changes its own attributes or buffers while it is called",
                "save it after `model.eval()`, without counters or running statistics: what is judged must be what was \
                 saved",
            ));
        }
        if let Some(leaf) = leaf {
            self.check_gradient(&first, &leaf)?;
        }
        Ok(values)
    }

    /// Sets the digest of a model that is asked from its answers to some clean cases, rounded, because its weights are not
    /// visible.
    pub fn pin_answers(&mut self, answers: &[f32]) {
        if let Loaded::Module(_) = self.behind {
            return;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.place.as_bytes());
        for value in answers {
            hasher.update(&((f64::from(*value) / ROUNDED).round() as i64).to_le_bytes());
        }
        self.digest = hasher.finalize().to_hex().to_string();
    }

    /// Checks that the same cases get the same finite answers again, to the bit if medcert computes them, and that the
    /// first case gets its answer alone too.
    fn check_repeats(&self, values: &[f32], images: Option<&Tensor>, text: Option<&Tensor>) -> Result<()> {
        let is_asked = self.spec.asking().is_some();
        let is_far = |(one, other): (&f32, &f32)| (one - other).abs() > ALONE * other.abs().max(1.0);
        let again = tensor::values(&self.decide(images, text)?)?;
        let differs = if is_asked { again.iter().zip(values).any(is_far) } else { again != values };
        if differs {
            let remedy = if is_asked {
                "take its noise out"
            } else {
                "save it after `model.eval()`, without dropout or noise"
            };
            return Err(self.refused("answers the same cases differently the second time", remedy));
        }
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(self.refused(&format!("answers {value} for a clean case"), "mend the model"));
        }
        let row = |x: Option<&Tensor>| x.map(|x| x.f_narrow(0, 0, 1)).transpose();
        let alone = tensor::values(&self.decide(row(images)?.as_ref(), row(text)?.as_ref())?)?;
        if alone.iter().zip(values).any(is_far) {
            let remedy = if is_asked {
                "let no case change another's answer"
            } else {
                "save it after `model.eval()`: a batch norm in training mode looks at the other cases"
            };
            return Err(self.refused("answers a case differently when it is alone", remedy));
        }
        Ok(())
    }

    /// Checks that answers are logits. For pixels far outside their range a logit leaves [0, 1], while a probability
    /// stays inside.
    fn check_logits(&self, values: &[f32], images: Option<&Tensor>, text: Option<&Tensor>) -> Result<()> {
        let mut probed = values.to_vec();
        for factor in [EXTREME, -EXTREME] {
            let far = images.map(|x| x.f_mul_scalar(factor)).transpose()?;
            probed.extend(tensor::values(&self.decide(far.as_ref(), text)?)?);
        }
        match self.probabilities(&probed) {
            None => Ok(()),
            Some(how) => Err(self.refused(
                &format!("returns probabilities, not logits: {how}"),
                "save it without its last softmax or sigmoid, behind which gradients vanish and attacks look weak",
            )),
        }
    }

    /// Checks that a gradient of the answers reaches the images.
    fn check_gradient(&self, answers: &Tensor, images: &Tensor) -> Result<()> {
        let gradient = if answers.requires_grad() {
            let margin = match self.spec.outputs {
                // use the margin: the sum of the logits [−z, z] is 0 for every z, and so is its gradient
                Outputs::Logits if self.classes > 2 => {
                    answers.f_narrow(1, 1, self.classes - 1)?.f_sub(&answers.f_narrow(1, 0, 1)?)?
                }
                Outputs::Logits | Outputs::Logit | Outputs::Probability => {
                    answers.f_select(1, 1)?.f_sub(&answers.f_select(1, 0)?)?
                }
                Outputs::Findings(_) => answers.shallow_clone(),
            };
            Tensor::f_run_backward(&[margin.f_sum(Kind::Float)?], &[images], false, false)?.pop()
        } else {
            None
        };
        let flows = match gradient.filter(Tensor::defined) {
            Some(gradient) => tensor::values(&gradient)?.iter().any(|&value| value != 0.0),
            None => false,
        };
        if flows {
            return Ok(());
        }
        Err(self.refused(
            "lets no gradient reach its images",
            "save it without `no_grad`, `detach` or rounding; a model whose gradient is masked needs black-box attacks",
        ))
    }

    /// If all answers look like probabilities, says in which way.
    fn probabilities(&self, values: &[f32]) -> Option<String> {
        let in_unit = |value: f32| (0.0..=1.0).contains(&value);
        let mut pairs = values.chunks_exact(2);
        match &self.spec.outputs {
            Outputs::Logits if self.classes > 2 => values
                .chunks_exact(self.classes as usize)
                .all(|one| {
                    one.iter().all(|&value| in_unit(value)) && (one.iter().sum::<f32>() - 1.0).abs() < SUM
                })
                .then(|| "those of every case add up to 1".to_string()),
            Outputs::Logits => pairs
                .all(|pair| in_unit(pair[0]) && in_unit(pair[1]) && (pair[0] + pair[1] - 1.0).abs() < SUM)
                .then(|| "the two of every case add up to 1".to_string()),
            Outputs::Logit => {
                pairs.all(|pair| in_unit(pair[1])).then(|| "all lie between 0 and 1".to_string())
            }
            // the spec says so
            Outputs::Probability => None,
            Outputs::Findings(_) => {
                values.iter().all(|&value| in_unit(value)).then(|| "all lie between 0 and 1".to_string())
            }
        }
    }
}
