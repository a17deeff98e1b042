//! The losses that gradient attacks raise, one value a case, on logits `[cases, classes]` with labels `[cases]`:
//! cross-entropy; the margin maxᵢ≠ᵧ zᵢ − zᵧ of Carlini and Wagner (S&P 2017, arXiv 1608.04644); and the
//! difference-of-logits ratio of Croce and Hein (ICML 2020, arXiv 2003.01690), plain and targeted. With the logits
//! sorted, z₍₁₎ the largest, DLR = −(zᵧ − maxᵢ≠ᵧ zᵢ) / (z₍₁₎ − z₍₃₎) needs three classes, and DLR targeted = −(zᵧ −
//! zₜ) / (z₍₁₎ − ½ (z₍₃₎ + z₍₄₎)) needs four.

use crate::lab::tensor::{self, Kind, Tensor};
use crate::spec::AttackLoss;
use crate::{Class, Error, Result};

/// Added to denominators so that they are not zero, as in the published code.
const TINY: f64 = 1e-12;

/// What a gradient attack raises, one value a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objective {
    /// Cross-entropy with the label.
    CrossEntropy,
    /// The largest other logit minus the label's.
    Margin,
    /// The difference-of-logits ratio, which needs three classes.
    Dlr,
    /// The logit of a target minus the label's; the targets are given, one a case.
    Towards(Vec<Class>),
    /// The targeted difference-of-logits ratio, which needs four classes.
    DlrTowards(Vec<Class>),
}

impl From<AttackLoss> for Objective {
    fn from(loss: AttackLoss) -> Self {
        match loss {
            AttackLoss::CrossEntropy => Self::CrossEntropy,
            AttackLoss::Margin => Self::Margin,
        }
    }
}

impl Objective {
    /// Its values for logits with labels.
    ///
    /// # Errors
    /// There are too few classes for it.
    pub fn of(&self, logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
        match self {
            Self::CrossEntropy => cross_entropy(logits, labels),
            Self::Margin => margin(logits, labels),
            Self::Dlr => dlr(logits, labels),
            Self::Towards(targets) => towards(logits, labels, &indices(targets)?),
            Self::DlrTowards(targets) => dlr_targeted(logits, labels, &indices(targets)?),
        }
    }
}

/// The places of classes, as a tensor.
pub fn indices(classes: &[Class]) -> Result<Tensor> {
    let places: Vec<i64> = classes.iter().map(|class| class.place() as i64).collect();
    tensor::integers(&places, &[places.len()])
}

/// The target's logit minus the label's.
fn towards(logits: &Tensor, labels: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let of = |classes: &Tensor| logits.f_gather(1, &classes.f_unsqueeze(1)?, false)?.f_squeeze_dim(1);
    Ok(of(targets)?.f_sub(&of(labels)?)?)
}

/// Cross-entropy with the label.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    Ok(logits.f_cross_entropy_loss::<Tensor>(labels, None, tch::Reduction::None, -100, 0.0)?)
}

/// The largest logit of another class minus the label's: positive where the answer is wrong.
pub fn margin(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let own = logits.f_gather(1, &labels.f_unsqueeze(1)?, false)?.f_squeeze_dim(1)?;
    let is_own = labels.f_one_hot(classes(logits))?.f_to_kind(Kind::Bool)?;
    let other = logits.f_masked_fill(&is_own, f64::NEG_INFINITY)?.f_amax([1_i64].as_slice(), false)?;
    Ok(other.f_sub(&own)?)
}

/// The margin, divided by the distance from the largest logit to the third.
///
/// # Errors
/// There are fewer than three classes.
pub fn dlr(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    needs(logits, 3)?;
    let (sorted, _) = logits.f_sort(1, true)?;
    let scale = sorted.f_select(1, 0)?.f_sub(&sorted.f_select(1, 2)?)?;
    Ok(margin(logits, labels)?.f_div(&scale.f_add_scalar(TINY)?)?)
}

/// The target's logit minus the label's, divided by the distance from the largest logit to the mean of the third and
/// fourth.
///
/// # Errors
/// There are fewer than four classes.
pub fn dlr_targeted(logits: &Tensor, labels: &Tensor, targets: &Tensor) -> Result<Tensor> {
    needs(logits, 4)?;
    let (sorted, _) = logits.f_sort(1, true)?;
    let low = sorted.f_select(1, 2)?.f_add(&sorted.f_select(1, 3)?)?.f_mul_scalar(0.5)?;
    let scale = sorted.f_select(1, 0)?.f_sub(&low)?.f_add_scalar(TINY)?;
    Ok(towards(logits, labels, targets)?.f_div(&scale)?)
}

fn classes(logits: &Tensor) -> i64 {
    logits.size().get(1).copied().unwrap_or(0)
}

fn needs(logits: &Tensor, least: i64) -> Result<()> {
    let given = classes(logits);
    if given >= least {
        return Ok(());
    }
    Err(Error::Input(format!(
        "this difference-of-logits ratio needs {least} classes and the model has {given}; raise the margin instead"
    )))
}
