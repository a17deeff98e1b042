//! The two-mask certificate against a patch: Xiang, Mahloujifar and Mittal, `PatchCleanser` (USENIX Security 2022,
//! arXiv 2108.09135). The masks are chosen so that every patch lies within one of them. If the model answers the
//! label under every pair of masks, no patch changes the answer of the double-masking defence: the mask over the
//! patch removes it, whatever it shows. The certificate is exact, and the report stays as it is.
//!
//! The patch is a square that covers the given share of the image, in the same place of one view. Let p be its side
//! and n the image's. With k masks along a side, the stride is s = ⌈(n − p + 1)/k⌉ and the side of a mask p + s − 1.
//! A mask is gray, about the mean of a film. Cost a case: k²(k² + 1)/2 evaluations a view, until the first one fails.

use super::{Vote, are_label};
use crate::lab::inputs::Inputs;
use crate::lab::model::Reader;
use crate::lab::tensor::{self, Tensor};
use crate::stats::vote::State;
use crate::{Class, Result};

/// The value of a masked pixel.
const GRAY: u8 = 128;
/// Masked images that are read at once.
const AT_ONCE: usize = 32;

/// The masks of an image, squares `(left, top, side)`. Every possible patch lies within one of them.
pub fn masks(side: usize, share: f64, grid: usize) -> Vec<(usize, usize, usize)> {
    let patch = patch_side(side, share);
    let places = side - patch + 1;
    let stride = places.div_ceil(grid.max(1));
    let mask = patch + stride - 1;
    let starts: Vec<usize> = (0..places.div_ceil(stride)).map(|at| at * stride).collect();
    let square = |top: usize| starts.iter().map(move |&left| (left, top, mask));
    starts.iter().flat_map(|&top| square(top)).collect()
}

/// The side of a square patch that covers a share of the image, at least 1.
pub fn patch_side(side: usize, share: f64) -> usize {
    ((share.max(0.0).sqrt() * side as f64).round() as usize).clamp(1, side)
}

/// The bytes `[views, side, side]` of an image after masking squares of one view.
pub fn covered(image: &[u8], side: usize, view: usize, squares: &[(usize, usize, usize)]) -> Vec<u8> {
    let mut bytes = image.to_vec();
    for &(left, top, length) in squares {
        for y in top..(top + length).min(side) {
            let row = view * side * side + y * side;
            bytes[row + left..row + (left + length).min(side)].fill(GRAY);
        }
    }
    bytes
}

/// Certifies a case if the answer is the label under every pair of masks, and refutes it at the first pair where it
/// is not. A refutation means that the proof fails, not that there is such a patch.
///
/// # Errors
/// The model reads no images, which is a bug in medcert.
pub fn case(base: &dyn Reader, inputs: &Inputs, index: usize, (share, grid): (f64, usize)) -> Result<Vote> {
    let side = base.side().ok_or_else(|| super::bug("a patch certificate met a model without images"))?;
    let (image, label) = (inputs.image(side, index)?, inputs.labels[index]);
    let (side, views) = (side as usize, inputs.views());
    let words = inputs.texts[index].split_whitespace().count() as u64;
    let text = if base.reads_text() {
        Some(base.read_texts(std::slice::from_ref(&inputs.texts[index]))?)
    } else {
        None
    };
    let masks = masks(side, share, grid);
    let mut pairs = Vec::new();
    for view in 0..views {
        for (place, &first) in masks.iter().enumerate() {
            pairs.extend(masks[place..].iter().map(|&second| (view, [first, second])));
        }
    }
    let (mut successes, mut samples) = (0, 0);
    for batch in pairs.chunks(AT_ONCE) {
        let bytes: Vec<u8> =
            batch.iter().flat_map(|(view, squares)| covered(&image, side, *view, squares)).collect();
        let images = tensor::images(&bytes, batch.len(), views, side)?;
        for answer in answers(base, &images, text.as_ref(), label)? {
            samples += 1;
            if !answer {
                return Ok(Vote { state: State::Refuted, successes, samples, words });
            }
            successes += 1;
        }
    }
    Ok(Vote { state: State::Certified, successes, samples, words })
}

/// Whether the answer to each image, beside the same report, is the label.
pub(super) fn answers(
    base: &dyn Reader,
    images: &Tensor,
    text: Option<&Tensor>,
    label: Class,
) -> Result<Vec<bool>> {
    let _guard = tensor::no_grad_guard();
    let image = base.read_images(images)?;
    let rows = tensor::rows(&vec![0; images.size()[0] as usize])?;
    let text = text.map(|text| text.f_index_select(0, &rows)).transpose()?;
    are_label(&base.decide(Some(&image), text.as_ref())?, label)
}
