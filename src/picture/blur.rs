//! Motion and focus blur. Cost: one model evaluation.
//!
//! Both average the signal, since it is quanta that land elsewhere; beyond its edge the film is mirrored.
//!
//! Motion: a uniform line of a length in mm, at an angle that is drawn: breathing or an uneasy patient. The
//! diaphragm moves 10 to 20 mm in a quiet breath.
//!
//! Focus: a Gaussian of a full width at half maximum in mm: the penumbra of a wide focal spot far from the
//! detector, a loose screen, a reader out of focus. A sharp system has 0.2 to 0.4 mm, which a picture of
//! 224 pixels (1.6 mm each) cannot show: widths are large because pictures are small.
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

/// Samples of the motion a pixel of its length.
const SAMPLES: f32 = 4.0;

/// The film of a patient who moved so many mm, at an angle in radians (0 is to the right).
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

/// The film at a full width at half maximum in mm.
pub fn focus(film: Film<'_>, width_mm: f32) -> Vec<f32> {
    let blurred = gaussian(&film.signals(), film.side(), width_mm / film.pixel_mm());
    blurred.into_iter().map(grey).collect()
}

/// A plane averaged by a Gaussian of this full width at half maximum, in pixels. It keeps the mean.
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

/// The plane between its pixels' centres, bilinear.
fn mirrored(plane: &[f32], side: usize, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (right, down) = (x - left, y - top);
    let at = |column: isize, row: isize| plane[mirror(row, side) * side + mirror(column, side)];
    let (column, row) = (left as isize, top as isize);
    let line = |row| (1.0 - right) * at(column, row) + right * at(column + 1, row);
    (1.0 - down) * line(row) + down * line(row + 1)
}

/// A place beyond the edge, seen in a mirror at the edge.
fn mirror(place: isize, side: usize) -> usize {
    let place = place.rem_euclid(2 * side as isize) as usize;
    place.min(2 * side - 1 - place)
}
