//! Motion and focus blur. Cost: one model evaluation.
//!
//! Both average the signal, because blur moves quanta, not grey levels. The film is mirrored beyond its edges.
//!
//! Motion: a uniform line of a length in mm at a random angle, as from breathing or an uneasy patient. The
//! diaphragm moves 10 to 20 mm in a quiet breath.
//!
//! Focus: a Gaussian whose full width at half maximum is given in mm, as from a wide focal spot far from the
//! detector, a loose screen or a reader out of focus. A sharp system has 0.2 to 0.4 mm. A picture of 224
//! pixels (1.6 mm each) cannot show so little, so the widths here are larger.
//!
//! | severity | 1 | 2 | 3 | 4 | 5 |
//! |---|---|---|---|---|---|
//! | length of motion, mm | 2 | 4 | 7 | 11 | 16 |
//! | width of focus, mm | 1.5 | 2.5 | 4 | 6 | 9 |

use super::film::{Film, grey};

/// Length of the motion in mm at each severity.
pub const MOTION_MM: [f32; 5] = [2.0, 4.0, 7.0, 11.0, 16.0];
/// Full width at half maximum in mm at each severity.
pub const FOCUS_MM: [f32; 5] = [1.5, 2.5, 4.0, 6.0, 9.0];

/// Samples along the motion, per pixel of its length.
const SAMPLES: f32 = 4.0;

/// Blurs the film along a line of this length in mm, at an angle in radians (0 points right).
pub fn motion(film: Film<'_>, length_mm: f32, angle: f32) -> Vec<f32> {
    let (signals, side) = (film.signals(), film.side());
    let length = length_mm / film.pixel_mm();
    let samples = (SAMPLES * length).ceil().max(1.0) as usize;
    let steps: Vec<(f32, f32)> = (0..samples)
        .map(|step| ((step as f32 + 0.5) / samples as f32 - 0.5) * length)
        .map(|along| (along * angle.cos(), along * angle.sin()))
        .collect();
    let blurred = (0..signals.len()).map(|place| {
        let (x, y) = ((place % side) as f32, (place / side) as f32);
        let sum: f32 = steps.iter().map(|step| mirrored(&signals, side, x + step.0, y + step.1)).sum();
        grey(sum / samples as f32)
    });
    blurred.collect()
}

/// Blurs the film by a Gaussian with this full width at half maximum in mm.
pub fn focus(film: Film<'_>, width_mm: f32) -> Vec<f32> {
    let blurred = gaussian(&film.signals(), film.side(), width_mm / film.pixel_mm());
    blurred.into_iter().map(grey).collect()
}

/// Averages a plane with a Gaussian of this full width at half maximum, in pixels. The mean is kept.
pub(super) fn gaussian(plane: &[f32], side: usize, width: f32) -> Vec<f32> {
    let deviation = width / (8.0 * std::f32::consts::LN_2).sqrt();
    let reach = (3.5 * deviation).ceil() as isize;
    let weights: Vec<f32> =
        (-reach..=reach).map(|step| (-0.5 * (step as f32 / deviation).powi(2)).exp()).collect();
    let total: f32 = weights.iter().sum();
    let along = |plane: &[f32], across: bool| -> Vec<f32> {
        let mean = |place: usize| {
            let (column, row) = (place % side, place / side);
            let at = |step: isize| {
                if across {
                    plane[row * side + mirror(column as isize + step, side)]
                } else {
                    plane[mirror(row as isize + step, side) * side + column]
                }
            };
            (-reach..=reach).zip(&weights).map(|(step, weight)| weight * at(step)).sum::<f32>() / total
        };
        (0..plane.len()).map(mean).collect()
    };
    along(&along(plane, true), false)
}

/// Interpolates the plane between pixel centres (bilinear).
fn mirrored(plane: &[f32], side: usize, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (right, down) = (x - left, y - top);
    let at = |column: isize, row: isize| plane[mirror(row, side) * side + mirror(column, side)];
    let (column, row) = (left as isize, top as isize);
    let line = |row| (1.0 - right) * at(column, row) + right * at(column + 1, row);
    (1.0 - down) * line(row) + down * line(row + 1)
}

/// Reflects a coordinate beyond the edge back into the film.
fn mirror(place: isize, side: usize) -> usize {
    let place = place.rem_euclid(2 * side as isize) as usize;
    place.min(2 * side - 1 - place)
}
