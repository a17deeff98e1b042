//! Exposure and gamma: the whole picture darker or lighter. Cost: one model evaluation.
//!
//! Exposure: the film receives f = 10^(DI / 10) times the intended quanta, where DI is the deviation index of
//! AAPM Task Group 116 (Shepard et al., An exposure indicator for digital radiography, Medical Physics 36,
//! 2009). The response follows the S-shaped curve of Hurter and Driffield (1890), modelled as logistic: the
//! odds (1 − v) / v grow by f, so that lungs or mediastinum burn out without clipping. Digital systems that
//! rescale their pictures hide this; it occurs on film and where rescaling fails. The task group recommends
//! a repeat below −3. Whether the film is over- or underexposed is random.
//!
//! Gamma: v^γ or v^(1/γ), chosen at random, as on a display that departs from the curve of DICOM PS3.14. AAPM
//! Task Group 18 (Samei et al., Medical Physics 32, 2005) tolerates a contrast error of 10 % on a primary
//! display and 20 % on a secondary one.
//!
//! | severity | 1 | 2 | 3 | 4 | 5 |
//! |---|---|---|---|---|---|
//! | deviation index, ± | 1 | 2 | 3 | 4.5 | 6 |
//! | γ | 1.1 | 1.2 | 1.4 | 1.7 | 2.2 |

use super::film::Film;

/// Deviation index at each severity.
pub const DEVIATION: [f32; 5] = [1.0, 2.0, 3.0, 4.5, 6.0];
/// Gamma at each severity.
pub const GAMMA: [f32; 5] = [1.1, 1.2, 1.4, 1.7, 2.2];

/// Applies a deviation index. Above 0 is overexposure, which is darker.
pub fn expose(film: Film<'_>, deviation: f32) -> Vec<f32> {
    let factor = 10_f32.powf(deviation / 10.0);
    film.map(|value| value / (value + factor * (1.0 - value)))
}

/// Applies a display gamma. Above 1 is darker.
pub fn gamma(film: Film<'_>, gamma: f32) -> Vec<f32> {
    film.map(|value| value.powf(gamma))
}
