//! The film: a square detector of 35 cm and what its grey levels mean.
//!
//! A pixel is grey in [0, 1], 0 black (air) to 1 white (bone). What happens before the detector happens to
//! the signal, which grey levels show on a logarithmic scale, as DICOM's pixel intensity relationship LOG
//! (PS3.3 C.8.11.3) has it: s = 10^(−2 v), so that black receives 100 times the quanta of white. Pictures
//! that were processed further (unsharp masks, curves of the vendor) follow it roughly; it is a model.

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
    /// A picture of side × side pixels in [0, 1].
    ///
    /// # Errors
    /// The pixels are not side × side, there is none, or one is outside [0, 1].
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

    /// The grey levels.
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

    /// Every grey level changed on its own, then clipped to [0, 1].
    pub fn map(self, change: impl Fn(f32) -> f32) -> Vec<f32> {
        self.pixels.iter().map(|&value| change(value).clamp(0.0, 1.0)).collect()
    }

    /// Every grey level changed by what it is and where its centre lies, in mm right of and below the middle.
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

/// The signal that a grey level shows, 0.01 (white) to 1 (black).
pub fn signal(grey: f32) -> f32 {
    10_f32.powf(-LATITUDE * grey)
}

/// The grey level that shows a signal, clipped to [0, 1].
pub fn grey(signal: f32) -> f32 {
    (-signal.log10() / LATITUDE).clamp(0.0, 1.0)
}
