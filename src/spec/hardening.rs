//! What a training adds so that the model withstands noise, lost words or attacks; by default nothing.

/// What a training adds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Hardening {
    /// Deviation of the Gaussian noise on the pixels, which are in [0, 1]; 0 for none.
    pub noise: f64,
    /// Weight of the consistency between two noisy copies of a case; 0 for one copy.
    pub consistency: f64,
    /// Share of a report's words that stay, above 0 and below 1, the others left out at random; None for all.
    pub keep: Option<f64>,
    /// Share of a report's words that become other words of the training reports; 0 for none.
    pub words: f64,
    /// The attack on the images of every batch.
    pub attack: Option<TrainingAttack>,
}

/// An attack on the images of a batch while a model is trained, in linf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrainingAttack {
    /// The loss of attacked images takes the place of the clean one's.
    Pgd {
        /// Largest change of a pixel.
        epsilon: f64,
        /// Gradient steps.
        steps: u32,
    },
    /// The same with one step from a random start.
    Fgsm {
        /// Largest change of a pixel.
        epsilon: f64,
    },
    /// The clean loss, and how far attacked answers lie from the clean ones.
    Trades {
        /// Largest change of a pixel.
        epsilon: f64,
        /// Weight of the distance.
        beta: f64,
        /// Gradient steps.
        steps: u32,
    },
}

impl Hardening {
    /// Whether training is the plain one.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether something happens to the images.
    pub fn on_images(&self) -> bool {
        self.noise > 0.0 || self.attack.is_some()
    }

    /// Whether something happens to the reports.
    pub fn on_text(&self) -> bool {
        self.words > 0.0 || self.keep.is_some()
    }
}

impl TrainingAttack {
    /// Its key in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pgd { .. } => "adversarial",
            Self::Fgsm { .. } => "fgsm",
            Self::Trades { .. } => "trades",
        }
    }

    /// Largest change of a pixel.
    pub fn epsilon(self) -> f64 {
        match self {
            Self::Pgd { epsilon, .. } | Self::Fgsm { epsilon } | Self::Trades { epsilon, .. } => epsilon,
        }
    }

    /// Gradient steps on a batch.
    pub fn steps(self) -> u32 {
        match self {
            Self::Pgd { steps, .. } | Self::Trades { steps, .. } => steps,
            Self::Fgsm { .. } => 1,
        }
    }
}
