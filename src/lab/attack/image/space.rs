//! The threat model of an attack on pixels: a ball around the clean images, in linf or l2, within [0, 1], and a mask of
//! the pixels that may move. All geometry is here.

use super::zeroed;
use crate::Result;
use crate::lab::tensor::{self, Kind, Tensor};
use crate::spec::Norm;

/// Smaller lengths are replaced by this before a division.
const TINY: f64 = 1e-12;
/// Largest rounding error of a 32-bit pixel in [0, 1]: half the spacing of numbers just below 1, 2⁻²⁵.
const GRAIN: f64 = 1.0 / (1_u64 << 25) as f64;

/// The set of images that an attack may use.
#[derive(Debug)]
pub struct Space {
    /// The norm of a change.
    pub norm: Norm,
    /// Its largest size; infinite for a patch, whose pixels are free within its mask.
    pub epsilon: f64,
    /// 1 where a pixel may move and 0 elsewhere, `[cases, views, side, side]`; everywhere if there is none.
    pub mask: Option<Tensor>,
}

impl Clone for Space {
    fn clone(&self) -> Self {
        Self { norm: self.norm, epsilon: self.epsilon, mask: self.mask.as_ref().map(Tensor::shallow_clone) }
    }
}

impl Space {
    /// A ball in which every pixel may move.
    pub fn ball(norm: Norm, epsilon: f64) -> Self {
        Self { norm, epsilon, mask: None }
    }

    /// The ball for some of the cases.
    pub fn select(&self, places: &Tensor) -> Result<Self> {
        let mask = self.mask.as_ref().map(|mask| mask.f_index_select(0, places)).transpose()?;
        Ok(Self { mask, ..self.clone() })
    }

    /// The nearest admissible images: moved only within the mask, by at most ε, within [0, 1].
    pub fn project(&self, images: &Tensor, proposal: &Tensor) -> Result<Tensor> {
        let _guard = tensor::no_grad_guard();
        let allowed = match &self.mask {
            None => proposal.shallow_clone(),
            Some(mask) => proposal.f_where_self(&mask.f_gt(0.5)?, images)?,
        };
        if self.epsilon.is_infinite() {
            return Ok(allowed.f_clamp(0.0, 1.0)?);
        }
        match self.norm {
            Norm::Linf => {
                let low = images.f_sub_scalar(self.epsilon)?.f_clamp_min(0.0)?;
                let high = images.f_add_scalar(self.epsilon)?.f_clamp_max(1.0)?;
                Ok(allowed.f_maximum(&low)?.f_minimum(&high)?)
            }
            Norm::L2 => {
                // clamping moves a pixel towards the clean one, so it cannot lengthen a change
                let moved = allowed.f_clamp(0.0, 1.0)?.f_sub(images)?;
                let length = per_case(&self.lengths(&moved)?)?;
                // adding the change to the clean pixels rounds each by up to GRAIN, which a small ε does not hide
                let pixels = moved.numel() as f64 / moved.size()[0].max(1) as f64;
                let reach = (self.epsilon - GRAIN * pixels.sqrt()).max(0.0);
                let scale = length.f_clamp_min(TINY)?.f_pow_tensor_scalar(-1.0)?.f_mul_scalar(reach)?;
                let inside = length.f_le(self.epsilon)?;
                let shortened = images.f_add(&moved.f_mul(&scale)?)?;
                Ok(allowed.f_clamp(0.0, 1.0)?.f_where_self(&inside, &shortened)?.f_clamp(0.0, 1.0)?)
            }
        }
    }

    /// The size of each case's change.
    pub fn distance(&self, images: &Tensor, attacked: &Tensor) -> Result<Vec<f32>> {
        let _guard = tensor::no_grad_guard();
        tensor::values(&self.lengths(&attacked.f_sub(images)?)?)
    }

    /// The length of each case's change, `[cases]`.
    fn lengths(&self, change: &Tensor) -> Result<Tensor> {
        let flat = change.f_flatten(1, -1)?;
        Ok(match self.norm {
            Norm::Linf => flat.f_abs()?.f_amax([1_i64].as_slice(), false)?,
            Norm::L2 => {
                flat.f_square()?.f_sum_dim_intlist([1_i64].as_slice(), false, Kind::Float)?.f_sqrt()?
            }
        })
    }

    /// Sets a gradient to 0 where pixels may not move and where it is not finite.
    pub fn masked(&self, gradient: &Tensor) -> Result<Tensor> {
        let _guard = tensor::no_grad_guard();
        match &self.mask {
            None => zeroed(gradient),
            Some(mask) => Ok(zeroed(gradient)?.f_mul(mask)?),
        }
    }

    /// The direction of length 1 in which a linear loss rises most: the sign in linf, the normalised gradient in
    /// l2; 0 where the gradient is.
    pub fn steepest(&self, gradient: &Tensor) -> Result<Tensor> {
        let _guard = tensor::no_grad_guard();
        match self.norm {
            Norm::Linf => Ok(gradient.f_sign()?),
            Norm::L2 => {
                // a gradient of an almost saturated loss has a direction although its squares underflow to 0
                let largest = gradient.f_abs()?.f_amax([1_i64, 2, 3].as_slice(), true)?;
                let gradient = gradient.f_div(&largest.f_clamp_min(f64::from(f32::MIN_POSITIVE))?)?;
                let length = per_case(&self.lengths(&gradient)?)?;
                Ok(gradient.f_div(&length.f_clamp_min(TINY)?)?)
            }
        }
    }
}

/// `[cases]` as `[cases, 1, 1, 1]`.
pub(super) fn per_case(values: &Tensor) -> Result<Tensor> {
    Ok(values.f_view([-1, 1, 1, 1])?)
}
