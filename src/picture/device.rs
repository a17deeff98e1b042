//! Leads and devices on or in the patient, drawn over the film. Cost: one model evaluation.
//!
//! Everything is drawn as strokes. A stroke is a path with a radius in mm that adds to the grey level, because
//! attenuations add on a logarithmic scale; where a stroke crosses itself it adds once. Positions vary by a
//! few mm, and the side is random. Sizes are typical. Positions are those of a frontal film (Mathew et al.,
//! Chest radiographs of cardiac devices, SA Journal of Radiology 23, 2019); on a lateral film they are only
//! approximate. Networks mistake drains and leads for the disease (Oakden-Rayner et al., CHIL 2020, arXiv
//! 1909.12475).
//!
//! Leads: a number of electrodes on the chest, each with a wire that leaves the film. Devices: severity 1 is a
//! venous catheter; severities 2 to 5 add a gastric tube, a port, a pacemaker with two leads, and two pads of a
//! defibrillator, one after the other.
//!
//! | severity | 1 | 2 | 3 | 4 | 5 |
//! |---|---|---|---|---|---|
//! | leads | 1 | 2 | 3 | 5 | 8 |
//! | devices | 1 | 2 | 3 | 4 | 5 |

use rand_chacha::ChaCha12Rng;

use super::film::{Film, SIDE_MM};
use crate::random::uniform;

/// Leads at each severity.
pub const LEADS: [u8; 5] = [1, 2, 3, 5, 8];
/// Devices at each severity.
pub const DEVICES: [u8; 5] = [1, 2, 3, 4, 5];

/// Number of straight pieces in a drawn curve.
const PIECES: u16 = 24;

/// A position in mm, right of and below the middle of the film.
type Place = (f32, f32);

/// A path drawn with one thickness.
struct Stroke {
    path: Vec<Place>,
    radius: f32,
    density: f32,
}

/// Draws this many leads, at most 8.
pub fn leads(film: Film<'_>, count: u8, rng: &mut ChaCha12Rng) -> Vec<f32> {
    let all: Vec<Vec<Stroke>> = (0..8).map(|_| lead(rng)).collect();
    overlay(film, all.iter().take(usize::from(count)).flatten())
}

/// Draws this many devices, at most 5.
pub fn devices(film: Film<'_>, count: u8, rng: &mut ChaCha12Rng) -> Vec<f32> {
    let side = if uniform(rng) < 0.5 { -1.0 } else { 1.0 };
    let mut near = |x: f32, y: f32| (x + 8.0 * uniform(rng) - 4.0, y + 8.0 * uniform(rng) - 4.0);
    let vein = near(-15.0, -5.0);
    let entry = near(-side * 105.0, -85.0);
    let can = near(side * 105.0, -85.0);
    let all = [
        vec![wire([(side * 175.0, -60.0), (side * 130.0, -120.0), (side * 30.0, -110.0), vein], 1.0, 0.25)],
        vec![wire([near(2.0, -178.0), near(4.0, 0.0), near(-6.0, 110.0), near(70.0, 120.0)], 1.6, 0.12)],
        vec![
            Stroke { path: vec![entry], radius: 13.0, density: 0.2 },
            Stroke { path: vec![entry], radius: 7.0, density: 0.2 },
            wire(
                [entry, (-side * 80.0, -130.0), (-side * 20.0, -110.0), (vein.0 + 3.0, vein.1 + 12.0)],
                1.2,
                0.25,
            ),
        ],
        vec![
            Stroke { path: vec![(can.0, can.1 - 5.0), (can.0, can.1 + 5.0)], radius: 21.0, density: 0.5 },
            wire([can, (side * 60.0, -125.0), (-40.0, -90.0), near(-28.0, 40.0)], 1.0, 0.4),
            wire([can, (side * 60.0, -120.0), (-60.0, 20.0), near(45.0, 85.0)], 1.0, 0.4),
        ],
        [near(-75.0, -60.0), near(95.0, 65.0)].into_iter().flat_map(pad).collect(),
    ];
    overlay(film, all.iter().take(usize::from(count)).flatten())
}

/// An electrode with its wire, which leaves the film at the bottom or at a side.
fn lead(rng: &mut ChaCha12Rng) -> Vec<Stroke> {
    let mut within = |low: f32, high: f32| low + (high - low) * uniform(rng);
    let (x, y) = (within(-120.0, 120.0), within(-110.0, 110.0));
    let edge = SIDE_MM / 2.0 + 5.0;
    let along = within(-edge, edge);
    let exit = if within(0.0, 1.0) < 0.5 { (along, edge) } else { (edge.copysign(x), along) };
    let (first, second) =
        ((within(-70.0, 70.0), within(-20.0, 90.0)), (within(-50.0, 50.0), within(-50.0, 50.0)));
    let bend = |place: Place, by: Place| (place.0 + by.0, place.1 + by.1);
    let middle = (f32::midpoint(x, exit.0), f32::midpoint(y, exit.1));
    vec![
        Stroke { path: vec![(x, y)], radius: 8.0, density: 0.08 },
        Stroke { path: vec![(x, y)], radius: 3.0, density: 0.5 },
        wire([(x, y), bend((x, y), first), bend(middle, second), exit], 0.8, 0.35),
    ]
}

/// A pad of a defibrillator and its cable.
fn pad((x, y): Place) -> Vec<Stroke> {
    let cable = [(x, y + 55.0), (x, y + 90.0), (x * 1.6, y + 60.0), (SIDE_MM.copysign(x) * 0.52, y + 80.0)];
    vec![
        Stroke { path: vec![(x, y - 18.0), (x, y + 18.0)], radius: 36.0, density: 0.18 },
        wire(cable, 1.5, 0.35),
    ]
}

/// A cubic Bézier curve.
fn wire(points: [Place; 4], radius: f32, density: f32) -> Stroke {
    let at = |piece: u16| {
        let t = f32::from(piece) / f32::from(PIECES);
        let weights = [(1.0 - t).powi(3), 3.0 * t * (1.0 - t).powi(2), 3.0 * t * t * (1.0 - t), t.powi(3)];
        points
            .iter()
            .zip(weights)
            .fold((0.0, 0.0), |sum, (point, weight)| (sum.0 + weight * point.0, sum.1 + weight * point.1))
    };
    Stroke { path: (0..=PIECES).map(at).collect(), radius, density }
}

/// Adds the strokes to the film.
fn overlay<'a>(film: Film<'_>, strokes: impl Iterator<Item = &'a Stroke>) -> Vec<f32> {
    let mut added = vec![0.0; film.pixels().len()];
    for stroke in strokes {
        for (sum, cover) in added.iter_mut().zip(stroke.cover(film)) {
            *sum += stroke.density * cover;
        }
    }
    film.pixels().iter().zip(added).map(|(value, added)| (value + added).clamp(0.0, 1.0)).collect()
}

impl Stroke {
    /// The approximate share of each pixel that the stroke covers.
    fn cover(&self, film: Film<'_>) -> Vec<f32> {
        let (side, pixel) = (film.side(), film.pixel_mm());
        let mut cover = vec![0.0_f32; side * side];
        let reach = self.radius + pixel;
        let range = |low: f32, high: f32| {
            let place = |mm: f32| ((mm + SIDE_MM / 2.0) / pixel).clamp(0.0, side as f32) as usize;
            place(low.min(high) - reach)..place(low.max(high) + reach)
        };
        let ends = self.path.iter().zip(self.path.iter().skip(1).chain(self.path.last()));
        for (&from, &to) in ends {
            for row in range(from.1, to.1) {
                for column in range(from.0, to.0) {
                    let mm = |place: usize| (place as f32 + 0.5) * pixel - SIDE_MM / 2.0;
                    let depth = self.radius - distance((mm(column), mm(row)), from, to);
                    // a stroke thinner than a pixel cannot cover the whole pixel
                    let share = (depth / pixel + 0.5).clamp(0.0, (2.0 * self.radius / pixel).min(1.0));
                    let pixel = &mut cover[row * side + column];
                    *pixel = pixel.max(share);
                }
            }
        }
        cover
    }
}

/// Distance from a position to the nearest point of a straight piece.
fn distance(place: Place, from: Place, to: Place) -> f32 {
    let (along, away) = ((to.0 - from.0, to.1 - from.1), (place.0 - from.0, place.1 - from.1));
    let length = along.0 * along.0 + along.1 * along.1;
    let share = if length > 0.0 { (along.0 * away.0 + along.1 * away.1) / length } else { 0.0 };
    let share = share.clamp(0.0, 1.0);
    (away.0 - share * along.0).hypot(away.1 - share * along.1)
}
