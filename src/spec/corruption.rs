//! What may go wrong when a chest is filmed: one variant and one row for each corruption that a spec names. Its
//! definition, with its source and its five severities, is in the file of its family under `picture`.

use super::kinds::kinds;

/// What must be known about a corruption.
#[derive(Debug, Clone, Copy)]
pub struct CorruptionFacts {
    /// The name that a sentence gives it.
    pub name: &'static str,
    /// The source file whose head documents its family.
    pub source: &'static str,
}

macro_rules! row {
    ($name:literal, $family:literal) => {
        CorruptionFacts { name: $name, source: include_str!(concat!("../picture/", $family, ".rs")) }
    };
}

kinds! {
    /// A clinical corruption of a chest X-ray.
    pub enum Corruption of CorruptionFacts {
        /// Too much or too little exposure.
        Exposure = row!("exposure", "exposure");
        /// A display of another gamma.
        Gamma = row!("gamma", "exposure");
        /// Too few X-ray quanta.
        QuantumNoise = row!("quantum-noise", "noise");
        /// Noise of the amplifier.
        ElectronicNoise = row!("electronic-noise", "noise");
        /// A veil of scattered radiation.
        Scatter = row!("scatter", "scatter");
        /// The patient moved or breathed.
        MotionBlur = row!("motion-blur", "blur");
        /// The edges are not sharp.
        FocusBlur = row!("focus-blur", "blur");
        /// The patient is tilted in the picture.
        Rotation = row!("rotation", "geometry");
        /// The patient is off the centre.
        Shift = row!("shift", "geometry");
        /// A narrower or wider window.
        Window = row!("window", "window");
        /// A higher or lower level.
        Level = row!("level", "window");
        /// Fewer grey levels.
        BitDepth = row!("bit-depth", "bits");
        /// Lossy compression.
        Jpeg = row!("jpeg", "bits");
        /// The collimator's blades cover the borders.
        Collimation = row!("collimation", "collimation");
        /// A side marker is burned in.
        Marker = row!("marker", "marker");
        /// Words are burned in.
        BurnedText = row!("burned-text", "marker");
        /// Electrodes and wires of a monitor.
        Leads = row!("leads", "device");
        /// Catheters, tubes and implants.
        Device = row!("device", "device");
    }
}
