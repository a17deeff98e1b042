//! The pixels that an attack may move: those inside or outside a mask. A mask comes from the data (the lesion, in the
//! frontal view), from a file of the spec, or from the model itself: the tenth of the pixels with the largest
//! |gradient| of the loss (Simonyan, Vedaldi, Zisserman, Deep Inside Convolutional Networks, ICLR
//! workshop 2014, arXiv 1312.6034), averaged over 5 × 5 pixels, a case at a time.

use super::Problem;
use crate::Result;
use crate::lab::inputs::Inputs;
use crate::lab::tensor::{self, Tensor};
use crate::spec::{AttackLoss, Mask, Region};

/// Share of the pixels in the mask of largest attributions.
const LOOKED_AT: f64 = 0.1;
/// Side of the square over which attributions are averaged.
const SMOOTHED: i64 = 5;

/// 1 where a pixel may move and 0 elsewhere, `[cases, views, side, side]`; `indices` are indices of studies.
///
/// # Errors
/// The mask was not prepared (a bug in medcert).
pub fn of_region(
    problem: &Problem<'_>,
    inputs: &Inputs,
    indices: &[usize],
    region: Region,
) -> Result<Tensor> {
    let (mask, is_inside) = match region {
        Region::Everywhere => return Ok(problem.images.f_ones_like()?),
        Region::Inside(mask) => (mask, true),
        Region::Outside(mask) => (mask, false),
    };
    let inside = match mask {
        Mask::Lesion | Mask::File(_) => given(problem, inputs, indices, mask)?,
        Mask::Attribution => attribution(problem)?,
    };
    let _guard = tensor::no_grad_guard();
    Ok(if is_inside { inside } else { inside.f_neg()?.f_add_scalar(1.0)? })
}

/// A mask of the data or of a file.
fn given(problem: &Problem<'_>, inputs: &Inputs, indices: &[usize], mask: Mask) -> Result<Tensor> {
    let shape: Vec<usize> = problem.images.size().iter().map(|&n| n as usize).collect();
    let (views, side) = (shape[1], shape[3]);
    let mut values = Vec::with_capacity(shape.iter().product());
    for &index in indices {
        for view in 0..views {
            let bytes = match mask {
                Mask::File(file) => inputs.mask_file(side as u32, file.place)?,
                // the data marks lesions only in the frontal view
                Mask::Lesion if view == 0 => inputs.lesion(side as u32, index)?,
                Mask::Lesion | Mask::Attribution => &[],
            };
            values.extend((0..side * side).map(|pixel| f32::from(u8::from(bytes.get(pixel) > Some(&127)))));
        }
    }
    tensor::floats(&values, &shape)
}

/// The pixels with the largest attributions, over all views of a case.
fn attribution(problem: &Problem<'_>) -> Result<Tensor> {
    let (_, gradient) =
        problem.victim.gradient_of(&problem.images, problem.text.as_ref(), AttackLoss::Margin)?;
    let _guard = tensor::no_grad_guard();
    let margin = SMOOTHED / 2;
    let smooth =
        gradient.f_abs()?.f_avg_pool2d([SMOOTHED, SMOOTHED], [1, 1], [margin, margin], false, true, None)?;
    let flat = smooth.f_flatten(1, -1)?;
    let most = (flat.size()[1] as f64 * LOOKED_AT).ceil() as i64;
    let (_, places) = flat.f_topk(most.max(1), 1, true, false)?;
    let mask = flat.f_zeros_like()?.f_scatter_value(1, &places, 1.0)?;
    Ok(mask.f_view_as(&problem.images)?)
}
