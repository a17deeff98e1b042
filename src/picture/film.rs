//! The film: a square detector of 35 cm and what its grey levels mean.
//!
//! A pixel is grey in [0, 1], from 0 black (air) to 1 white (bone). Effects before the detector act on the
//! signal. Grey levels show the signal on a logarithmic scale (DICOM's pixel intensity relationship LOG, PS3.3
//! C.8.11.3): s = 10^(−2 v), so black receives 100 times the quanta of white. This is a model: pictures that
//! were processed further (unsharp masks, the vendor's curves) follow it only roughly.

use crate::{Error, Result};

/// Side of the detector, in mm: 35 cm, the width of the common chest format.
pub const SIDE_MM: f32 = 350.0;
/// Decades of signal between black and white.
const LATITUDE: f32 = 2.0;

/// One view of a study: a square picture, row-major.
#[derive(Debug, Clone, Copy)]
pub struct Film<'a> {
    pixels: &'a [f32],
    side: usize,
}

impl<'a> Film<'a> {
    /// Makes a picture of side × side pixels in [0, 1].
    ///
    /// # Errors
    /// There are no pixels, their number is not side × side, or one is outside [0, 1].
    pub fn new(pixels: &'a [f32], side: usize) -> Result<Self> {
        if side == 0 || side.checked_mul(side) != Some(pixels.len()) {
            let count = pixels.len();
            return Err(Error::Input(format!(
                "a picture of {count} pixels is not {side} × {side}; give a square one"
            )));
        }
        match pixels.iter().find(|value| !(0.0..=1.0).contains(*value)) {
            Some(value) => Err(Error::Input(format!("a pixel is {value}; scale the picture to 0…1"))),
            None => Ok(Self { pixels, side }),
        }
    }

    /// Grey levels, row-major.
    pub fn pixels(self) -> &'a [f32] {
        self.pixels
    }

    /// Pixels along a side.
    pub fn side(self) -> usize {
        self.side
    }

    /// Side of a pixel, in mm.
    pub fn pixel_mm(self) -> f32 {
        SIDE_MM / self.side as f32
    }

    /// Maps every grey level on its own, then clips to [0, 1].
    pub fn map(self, change: impl Fn(f32) -> f32) -> Vec<f32> {
        self.pixels.iter().map(|&value| change(value).clamp(0.0, 1.0)).collect()
    }

    /// Maps every grey level by its value and the position of its centre, in mm right of and below the middle.
    pub fn map_with_place(self, change: impl Fn(f32, f32, f32) -> f32) -> Vec<f32> {
        let mm = |place: usize| (place as f32 + 0.5) * self.pixel_mm() - SIDE_MM / 2.0;
        let changed = self.pixels.iter().enumerate().map(|(place, &value)| {
            change(value, mm(place % self.side), mm(place / self.side)).clamp(0.0, 1.0)
        });
        changed.collect()
    }

    /// The signal of every pixel.
    pub fn signals(self) -> Vec<f32> {
        self.pixels.iter().map(|&value| signal(value)).collect()
    }
}

/// The signal at a grey level, 0.01 (white) to 1 (black).
pub fn signal(grey: f32) -> f32 {
    10_f32.powf(-LATITUDE * grey)
}

/// The grey level of a signal, clipped to [0, 1].
pub fn grey(signal: f32) -> f32 {
    (-signal.log10() / LATITUDE).clamp(0.0, 1.0)
}
