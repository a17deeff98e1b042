//! Collimation: the collimator's blades cover the borders, which are black. Cost: one model evaluation.
//!
//! A pixel is black if its centre is less than the width, in mm, from an edge of the film, after the blades
//! are turned about the middle of the film by an angle of up to 4 degrees that is drawn. Anatomy that is
//! cut off is with wrong positions the most frequent reason for rejecting a film (Foos et al., Journal of
//! Digital Imaging 22, 2009); severity 5 leaves 24 cm of 35.
//!
//! | severity | 1 | 2 | 3 | 4 | 5 |
//! |---|---|---|---|---|---|
//! | width of the border, mm | 8 | 16 | 26 | 40 | 55 |

use super::film::{Film, SIDE_MM};

/// Width of the border in mm at each severity.
pub const BORDER_MM: [f32; 5] = [8.0, 16.0, 26.0, 40.0, 55.0];
/// Most that the blades are turned, in degrees.
pub const MOST_TILT: f32 = 4.0;

/// The film with black borders of this width in mm, turned clockwise by so many degrees.
pub fn collimate(film: Film<'_>, border_mm: f32, tilt: f32) -> Vec<f32> {
    let (sine, cosine) = tilt.to_radians().sin_cos();
    let open = SIDE_MM / 2.0 - border_mm;
    film.map_with_place(|value, x, y| {
        let (x, y) = (cosine * x + sine * y, cosine * y - sine * x);
        if x.abs() > open || y.abs() > open { 0.0 } else { value }
    })
}
