//! Feature squeezing (Xu, Evans and Qi, NDSS 2018, arXiv 1704.01155): it reduces the bits of each pixel and applies a
//! median filter. Alone it does not withstand attacks that know it; medcert has it so that this can be measured.

use super::Filter;
use crate::Result;
use crate::lab::tensor::Tensor;

/// Fewer gray levels and a median filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Squeeze {
    /// Bits of a pixel, 1 to 8; 8 leaves 8-bit images as they are.
    pub bits: u32,
    /// Side of the median filter, odd; 1 leaves the image as it is.
    pub median: u32,
}

impl Filter for Squeeze {
    fn filter(&self, images: &Tensor) -> Result<Tensor> {
        let levels = f64::from((1_u32 << self.bits.clamp(1, 8)) - 1);
        let rounded = images.f_clamp(0.0, 1.0)?.f_mul_scalar(levels)?.f_round()?.f_div_scalar(levels)?;
        if self.median <= 1 { Ok(rounded) } else { median(&rounded, i64::from(self.median)) }
    }
}

/// The median of the square around each pixel; edges repeat.
fn median(images: &Tensor, side: i64) -> Result<Tensor> {
    let reach = side / 2;
    let (height, width) = (images.size()[2], images.size()[3]);
    let padded = images.f_pad([reach; 4], "replicate", None)?;
    let mut shifted = Vec::new();
    for down in 0..side {
        for right in 0..side {
            shifted.push(padded.f_narrow(2, down, height)?.f_narrow(3, right, width)?);
        }
    }
    let (sorted, _) = Tensor::f_stack(&shifted, 0)?.f_sort(0, false)?;
    Ok(sorted.f_select(0, side * side / 2)?)
}
