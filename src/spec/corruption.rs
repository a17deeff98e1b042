//! What may go wrong when a chest is filmed: the corruptions that a spec names. Each one's definition, with
//! its source and its five severities, stands in the file of its family under `picture`.

/// A clinical corruption of a chest X-ray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Corruption {
    /// Too much or too little exposure.
    Exposure,
    /// A display of another gamma.
    Gamma,
    /// Too few X-ray quanta.
    QuantumNoise,
    /// Noise of the amplifier.
    ElectronicNoise,
    /// A veil of scattered radiation.
    Scatter,
    /// The patient moved or breathed.
    MotionBlur,
    /// The edges are not sharp.
    FocusBlur,
    /// The patient is tilted in the picture.
    Rotation,
    /// The patient is off the centre.
    Shift,
    /// A narrower or wider window.
    Window,
    /// A higher or lower level.
    Level,
    /// Fewer grey levels.
    BitDepth,
    /// Lossy compression.
    Jpeg,
    /// The collimator's blades cover the borders.
    Collimation,
    /// A side marker is burned in.
    Marker,
    /// Words are burned in.
    BurnedText,
    /// Electrodes and wires of a monitor.
    Leads,
    /// Catheters, tubes and implants.
    Device,
}

impl Corruption {
    /// Every corruption by the name that a sentence gives it.
    pub const NAMED: [(&'static str, Self); 18] = [
        ("exposure", Self::Exposure),
        ("gamma", Self::Gamma),
        ("quantum-noise", Self::QuantumNoise),
        ("electronic-noise", Self::ElectronicNoise),
        ("scatter", Self::Scatter),
        ("motion-blur", Self::MotionBlur),
        ("focus-blur", Self::FocusBlur),
        ("rotation", Self::Rotation),
        ("shift", Self::Shift),
        ("window", Self::Window),
        ("level", Self::Level),
        ("bit-depth", Self::BitDepth),
        ("jpeg", Self::Jpeg),
        ("collimation", Self::Collimation),
        ("marker", Self::Marker),
        ("burned-text", Self::BurnedText),
        ("leads", Self::Leads),
        ("device", Self::Device),
    ];

    /// The name that a sentence gives it.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, corruption)| *corruption == self).map_or("", |(name, _)| name)
    }
}
