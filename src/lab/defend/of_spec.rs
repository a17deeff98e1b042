//! Makes the defended models of a spec.

use std::collections::BTreeMap;

use super::Filtered;
use super::jpeg::Jpeg;
use super::masking::Masking;
use super::smoothing::Defended;
use super::squeeze::Squeeze;
use crate::Result;
use crate::lab::certify::{Smoothed, WordNoise, gaussian, region};
use crate::lab::inputs::Inputs;
use crate::lab::model::Reader;
use crate::spec::{self, Defence, PixelNoise, Region, Smoothing};

/// What a defended model needs from a run.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The inputs of all studies, with the masks that the spec names.
    pub inputs: &'a Inputs,
    /// The studies' identifiers, by their places.
    pub ids: &'a [&'a str],
    /// Places of the test cases.
    pub test: &'a [usize],
    /// Seed of the spec.
    pub seed: u64,
}

/// Wraps a model in a defence.
///
/// # Errors
/// A mask was not prepared.
pub fn reader<'a>(
    name: &'a str,
    defence: &Defence,
    base: &'a dyn Reader,
    around: Surroundings<'a>,
) -> Result<Box<dyn Reader + 'a>> {
    let views = around.inputs.views();
    Ok(match *defence {
        Defence::Smoothing(smoothing) => Box::new(Defended {
            of: smoothed(name, &smoothing, base, views, around.seed),
            views,
            alpha: smoothing.alpha,
            samples: smoothing.samples,
            regions: regions(&smoothing, base, around)?,
        }),
        Defence::Masking { patch, grid } => {
            Box::new(Masking { base, name, views, patch, grid: grid as usize })
        }
        Defence::Squeeze { bits, median } => {
            Box::new(Filtered { base, name, filter: Squeeze { bits, median } })
        }
        Defence::Jpeg { quality } => {
            let quality = quality.clamp(1, 100) as u8;
            Box::new(Filtered { base, name, filter: Jpeg { quality } })
        }
    })
}

/// A base model with the noise of a smoothing, everywhere. The caller adds a region, which differs from case to case.
pub fn smoothed<'a>(
    name: &'a str,
    smoothing: &Smoothing,
    base: &'a dyn Reader,
    views: usize,
    seed: u64,
) -> Smoothed<'a> {
    // views are in this order, and a single view is the frontal one
    let sigma = smoothing.pixels.map_or(vec![], |PixelNoise { frontal, lateral, .. }| {
        [frontal, lateral].into_iter().take(views).collect()
    });
    let words = match smoothing.words {
        None => WordNoise::None,
        Some(spec::WordNoise::Keep(share)) => WordNoise::Keep(share),
        Some(spec::WordNoise::Delete(probability)) => WordNoise::Delete(probability),
    };
    Smoothed { base, name, noise: gaussian::Noise { sigma, region: None }, words, seed }
}

/// Where each test case gets noise; empty if everywhere.
fn regions(
    smoothing: &Smoothing,
    base: &dyn Reader,
    around: Surroundings<'_>,
) -> Result<BTreeMap<String, Vec<bool>>> {
    let (Some(noise), Some(side)) = (smoothing.pixels, base.side()) else { return Ok(BTreeMap::new()) };
    if noise.region == Region::Everywhere {
        return Ok(BTreeMap::new());
    }
    let mut regions = BTreeMap::new();
    for &index in around.test {
        let inside = region::pixels(noise.region, around.inputs, side, index)?;
        regions.insert(around.ids[index].to_string(), inside);
    }
    Ok(regions)
}
