//! The pixels of a case that get noise, or that may change within a ball: all, or those of a mask that is fixed
//! beforehand. A mask that the model computes from the image would move with an attack, so it cannot be used for a
//! certificate.

use crate::lab::inputs::Inputs;
use crate::spec::{Mask, Region};
use crate::{Error, Result};

/// Whether each pixel of all views of a study is in a region, `[views, side, side]`. A lesion is marked in the
/// frontal view only; a study without a mask has no pixel inside.
///
/// # Errors
/// The mask is computed by the model, or was not prepared.
pub fn pixels(region: Region, inputs: &Inputs, side: u32, index: usize) -> Result<Vec<bool>> {
    let view = (side as usize).pow(2);
    let (mask, is_inside) = match region {
        Region::Everywhere => return Ok(vec![true; inputs.views() * view]),
        Region::Inside(mask) => (mask, true),
        Region::Outside(mask) => (mask, false),
    };
    let mut all = Vec::with_capacity(inputs.views() * view);
    for place in 0..inputs.views() {
        let bytes = match mask {
            Mask::File(file) => inputs.mask_file(side, file.place)?,
            Mask::Lesion if place == 0 => inputs.lesion(side, index)?,
            Mask::Lesion => &[],
            Mask::Attribution => {
                return Err(Error::Input(
                    "nothing is certified in the pixels that a model looks at most: they move with the image; name \
                     `lesion`, or a file under `masks`"
                        .into(),
                ));
            }
        };
        all.extend((0..view).map(|pixel| (bytes.get(pixel) > Some(&127)) == is_inside));
    }
    Ok(all)
}
