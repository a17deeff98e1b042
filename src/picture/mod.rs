//! Image corruptions as they occur in clinics, in physical units, one family a file.
//!
//! Each has five severities (after Hendrycks and Dietterich, Benchmarking Neural Network Robustness to
//! Common Corruptions and Perturbations, ICLR 2019, arXiv 1903.12261): a radiologist hardly notices 1, and
//! would have the film repeated at 5. Where no ladder is published, the steps between are ours. Random choices
//! (signs, angles, positions, noise) do not depend on the severity, so that a case differs between severities
//! by strength alone. Every corruption costs one model evaluation per case. It is not an attack, because
//! nothing is optimised.

pub mod bits;
pub mod blur;
pub mod collimation;
pub mod device;
pub mod exposure;
pub mod film;
pub mod geometry;
pub mod marker;
pub mod noise;
pub mod scatter;
pub mod window;

use std::f32::consts::{PI, TAU};

use rand_chacha::ChaCha12Rng;

pub use film::Film;

use crate::random::uniform;
use crate::spec::Corruption;
use crate::{Error, Result};

/// The greatest severity.
pub const WORST: u8 = 5;

/// Corrupts one view: side × side pixels in [0, 1], row-major, 0 black to 1 white. Severity 0 returns the same
/// bits.
///
/// # Errors
/// The pixels are not side × side or not in [0, 1], or the severity is above 5.
pub fn corrupt(
    pixels: &[f32],
    side: usize,
    corruption: Corruption,
    severity: u8,
    rng: &mut ChaCha12Rng,
) -> Result<Vec<f32>> {
    let film = Film::new(pixels, side)?;
    match severity {
        0 => Ok(pixels.to_vec()),
        1..=WORST => apply(film, corruption, usize::from(severity) - 1, rng),
        _ => Err(Error::Input(format!("severity {severity} is not known; write 1 to {WORST}"))),
    }
}

/// Draws the random choices, then corrupts at a row of the severity table.
fn apply(film: Film<'_>, corruption: Corruption, level: usize, rng: &mut ChaCha12Rng) -> Result<Vec<f32>> {
    Ok(match corruption {
        Corruption::Exposure => exposure::expose(film, sign(rng) * exposure::DEVIATION[level]),
        Corruption::Gamma => exposure::gamma(film, exposure::GAMMA[level].powf(sign(rng))),
        Corruption::QuantumNoise => noise::quantum(film, noise::QUANTA[level], rng),
        Corruption::ElectronicNoise => noise::electronic(film, noise::LEVELS[level], rng),
        Corruption::Scatter => scatter::scatter(film, scatter::RATIO[level]),
        Corruption::MotionBlur => blur::motion(film, blur::MOTION_MM[level], PI * uniform(rng)),
        Corruption::FocusBlur => blur::focus(film, blur::FOCUS_MM[level]),
        Corruption::Rotation => geometry::rotate(film, sign(rng) * geometry::DEGREES[level]),
        Corruption::Shift => {
            let (down, right) = (TAU * uniform(rng)).sin_cos();
            geometry::shift(film, right * geometry::SHIFT_MM[level], down * geometry::SHIFT_MM[level])
        }
        Corruption::Window => window::window(film, (window::WIDTH[level] / 100.0).powf(sign(rng)), 0.5),
        Corruption::Level => window::window(film, 1.0, 0.5 + sign(rng) * window::LEVEL[level] / 100.0),
        Corruption::BitDepth => bits::depth(film, bits::BITS[level]),
        Corruption::Jpeg => bits::jpeg(film, bits::QUALITY[level])?,
        Corruption::Collimation => {
            let tilt = collimation::MOST_TILT * (2.0 * uniform(rng) - 1.0);
            collimation::collimate(film, collimation::BORDER_MM[level], tilt)
        }
        Corruption::Marker => marker::Stamp::marker(rng).burn(film, marker::MARKER_MM[level]),
        Corruption::BurnedText => marker::Stamp::words(rng).burn(film, marker::TEXT_MM[level]),
        Corruption::Leads => device::leads(film, device::LEADS[level], rng),
        Corruption::Device => device::devices(film, device::DEVICES[level], rng),
    })
}

/// +1 or −1.
fn sign(rng: &mut ChaCha12Rng) -> f32 {
    if uniform(rng) < 0.5 { -1.0 } else { 1.0 }
}

/// The strength of a corruption at a severity, with its unit, such as `5 mm`; None outside 1 to 5.
pub fn amount(corruption: Corruption, severity: u8) -> Option<String> {
    let level = usize::from(severity.checked_sub(1).filter(|level| *level < WORST)?);
    Some(match corruption {
        Corruption::Exposure => format!("deviation index ±{}", exposure::DEVIATION[level]),
        Corruption::Gamma => format!("{0} or 1/{0}", exposure::GAMMA[level]),
        Corruption::QuantumNoise => format!("{} quanta a black pixel", noise::QUANTA[level]),
        Corruption::ElectronicNoise => format!("{} of 255 grey levels", noise::LEVELS[level]),
        Corruption::Scatter => format!("scatter-to-primary ratio {}", scatter::RATIO[level]),
        Corruption::MotionBlur => format!("{} mm", blur::MOTION_MM[level]),
        Corruption::FocusBlur => format!("{} mm wide at half maximum", blur::FOCUS_MM[level]),
        Corruption::Rotation => format!("±{}°", geometry::DEGREES[level]),
        Corruption::Shift => format!("{} mm", geometry::SHIFT_MM[level]),
        Corruption::Window => format!("{}% of full scale or its inverse", window::WIDTH[level]),
        Corruption::Level => format!("±{}% of full scale", window::LEVEL[level]),
        Corruption::BitDepth => format!("{} bits", bits::BITS[level]),
        Corruption::Jpeg => format!("quality {}", bits::QUALITY[level]),
        Corruption::Collimation => format!("{} mm on each side", collimation::BORDER_MM[level]),
        Corruption::Marker => format!("{} mm high", marker::MARKER_MM[level]),
        Corruption::BurnedText => format!("{} mm high", marker::TEXT_MM[level]),
        Corruption::Leads => format!("{} of 8", device::LEADS[level]),
        Corruption::Device => format!("{} of 5", device::DEVICES[level]),
    })
}
