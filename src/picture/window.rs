//! Window and level: the part of the grey scale that is displayed, as in DICOM's linear VOI LUT (PS3.3
//! C.11.2). Cost: one model evaluation.
//!
//! A window of width w about a level c maps v to (v − c) / w + ½, clipped. Window: at random, w is a percentage
//! of full scale (hard) or full scale is that percentage of w (flat); c = 50 %. Level: c moves up or down at
//! random by a percentage of full scale; w = 100 %. No severity ladder is published: 1 is what a radiologist
//! does with the mouse, 5 clips a third of the scale or more.
//!
//! | severity | 1 | 2 | 3 | 4 | 5 |
//! |---|---|---|---|---|---|
//! | window, % | 90 | 80 | 65 | 50 | 35 |
//! | level, ± % | 4 | 8 | 14 | 22 | 32 |

use super::film::Film;

/// Width of the window in % of full scale at each severity.
pub const WIDTH: [f32; 5] = [90.0, 80.0, 65.0, 50.0, 35.0];
/// Shift of the level in % of full scale at each severity.
pub const LEVEL: [f32; 5] = [4.0, 8.0, 14.0, 22.0, 32.0];

/// Displays the film in a window of this width and level, both as shares of full scale (the width above 0).
pub fn window(film: Film<'_>, width: f32, level: f32) -> Vec<f32> {
    film.map(|value| (value - level) / width + 0.5)
}
