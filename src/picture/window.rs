//! Window and level: the part of the scale that is shown, as DICOM's linear VOI LUT (PS3.3 C.11.2). Cost:
//! one model evaluation.
//!
//! A window of width w about a level c shows v as (v − c) / w + ½, clipped. Window: w is so many % of full
//! scale, or full scale is so many % of w (flat instead of hard), which of them is drawn; c = 50 %. Level:
//! c moves by so many % of full scale, up or down is drawn; w = 100 %. Severities: no published ladder; 1
//! is a radiologist's own touch at the mouse, 5 clips a third of the scale or more.
//!
//! | severity | 1 | 2 | 3 | 4 | 5 |
//! |---|---|---|---|---|---|
//! | window, % | 90 | 80 | 65 | 50 | 35 |
//! | level, ± % | 4 | 8 | 14 | 22 | 32 |

use super::film::Film;

/// Width of the window in % of full scale at each severity.
pub const WIDTH: [f32; 5] = [90.0, 80.0, 65.0, 50.0, 35.0];
/// Move of the level in % of full scale at each severity.
pub const LEVEL: [f32; 5] = [4.0, 8.0, 14.0, 22.0, 32.0];

/// The film in a window of this width and level, both shares of full scale (the width above 0).
pub fn window(film: Film<'_>, width: f32, level: f32) -> Vec<f32> {
    film.map(|value| (value - level) / width + 0.5)
}
