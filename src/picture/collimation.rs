//! Collimation: the collimator's blades cover the borders, which are black. Cost: one model evaluation.
//!
//! A pixel is black if its centre lies closer to an edge of the film than the width in mm. The blades are
//! first turned about the middle of the film by a random angle of up to 4 degrees. Cut-off anatomy and wrong
//! positioning are the most frequent reasons for rejecting a film (Foos et al., Journal of Digital Imaging
//! 22, 2009). Severity 5 leaves 24 cm of 35.
//!
//! | severity | 1 | 2 | 3 | 4 | 5 |
//! |---|---|---|---|---|---|
//! | width of the border, mm | 8 | 16 | 26 | 40 | 55 |

use super::film::{Film, SIDE_MM};

/// Width of the border in mm at each severity.
pub const BORDER_MM: [f32; 5] = [8.0, 16.0, 26.0, 40.0, 55.0];
/// The largest rotation of the blades, in degrees.
pub const MOST_TILT: f32 = 4.0;

/// Blackens borders of this width in mm, turned clockwise by this many degrees.
pub fn collimate(film: Film<'_>, border_mm: f32, tilt: f32) -> Vec<f32> {
    let (sine, cosine) = tilt.to_radians().sin_cos();
    let open = SIDE_MM / 2.0 - border_mm;
    film.map_with_place(|value, x, y| {
        let (x, y) = (cosine * x + sine * y, cosine * y - sine * x);
        if x.abs() > open || y.abs() > open { 0.0 } else { value }
    })
}
