//! Which pixels of a case get noise, or may change within a ball: all, or those of a mask that is known beforehand. A mask
//! that the model draws from the image itself would move with an attack, so it certifies nothing.

use crate::lab::inputs::Inputs;
use crate::spec::{Mask, Region};
use crate::{Error, Result};

/// Whether each pixel of all views of a study lies in a region, `[views, side, side]`. A lesion is marked in the frontal view
/// alone, and a study without one has none of its pixels inside.
///
/// # Errors
/// The mask comes from the model, or was not prepared.
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
