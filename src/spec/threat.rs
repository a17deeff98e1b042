//! What an adversary may do to an input: the attacks that a spec names, with their parameters.

/// What an adversary may do: one attack with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Threat {
    /// An attack on all views, within a ball of the largest norm.
    Image {
        /// How it searches.
        method: ImageMethod,
        /// Largest change of a pixel, in pixel units.
        epsilon: Strength,
    },
    /// A share of the words is removed at random.
    Deletion {
        /// Share of the words, 0 to 1.
        fraction: f64,
    },
    /// A share of the words is replaced by synonyms at random.
    Synonyms {
        /// Share of the words, 0 to 1.
        fraction: f64,
    },
}

impl Threat {
    /// Whether it changes pixels (else it changes words).
    pub fn on_image(&self) -> bool {
        matches!(self, Self::Image { .. })
    }
}

/// How an attack searches the pixels. Its definition, with the citation, stands in the file of its name under
/// `lab/attack`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ImageMethod {
    /// Fast gradient sign method.
    Fgsm,
    /// Projected gradient descent.
    Pgd {
        /// Gradient steps (default 40).
        steps: u32,
        /// Random starts (default 5).
        restarts: u32,
    },
    /// Momentum iterative FGSM.
    Momentum {
        /// Gradient steps (default 10).
        steps: u32,
    },
    /// Auto-PGD, which chooses its own step size.
    Apgd {
        /// What it raises.
        loss: AttackLoss,
        /// Gradient steps (default 100).
        steps: u32,
        /// Random starts (default 1).
        restarts: u32,
    },
    /// Square attack: random search over scores, without a gradient.
    Square {
        /// Evaluations of a case at most (default 1000; its authors use 5000).
        queries: u32,
    },
}

/// What a gradient attack raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttackLoss {
    /// Cross-entropy with the true label; its gradient vanishes where the model is sure.
    CrossEntropy,
    /// The other class's logit less the true one's; never saturated. With two classes it stands for the
    /// difference-of-logits-ratio loss of the published suite, which needs three.
    Margin,
}

/// A strength ε, or every point of the grid up to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strength {
    /// `ε=0.1`: this strength.
    At(f64),
    /// `ε≤0.1`: every point of the grid up to 0.1, and 0.1 itself; a case counts if it holds at all of them.
    UpTo(f64),
}

impl ImageMethod {
    /// PGD as a sentence means it that says no more.
    pub const PGD: Self = Self::Pgd { steps: 40, restarts: 5 };
    /// Momentum iterative FGSM as a sentence means it that says no more.
    pub const MOMENTUM: Self = Self::Momentum { steps: 10 };
    /// Auto-PGD as a sentence means it that says no more.
    pub const APGD: Self = Self::Apgd { loss: AttackLoss::CrossEntropy, steps: 100, restarts: 1 };
    /// The same with the margin as its loss.
    pub const APGD_MARGIN: Self = Self::Apgd { loss: AttackLoss::Margin, steps: 100, restarts: 1 };
    /// Square as a sentence means it that says no more.
    pub const SQUARE: Self = Self::Square { queries: 1000 };

    /// Every method by the name that a sentence gives it, with its defaults; the longer of two names that
    /// begin alike comes first.
    pub const NAMED: [(&'static str, Self); 6] = [
        ("FGSM", Self::Fgsm),
        ("PGD", Self::PGD),
        ("MI-FGSM", Self::MOMENTUM),
        ("APGD-margin", Self::APGD_MARGIN),
        ("APGD", Self::APGD),
        ("Square", Self::SQUARE),
    ];

    /// The method of a word such as `PGD`, `pgd-20` (steps) or `Square-500` (queries); None if it names none,
    /// Some(None) if its number is not from 1 to the most that the method takes.
    #[allow(clippy::option_option)]
    pub fn of_word(word: &str) -> Option<Option<Self>> {
        let word = word.to_lowercase();
        let (name, number) = Self::NAMED.iter().find_map(|(name, method)| {
            let rest = word.strip_prefix(&name.to_lowercase())?;
            match rest.strip_prefix('-') {
                None if rest.is_empty() => Some((*method, None)),
                None => None,
                Some(number) => Some((*method, Some(number.to_string()))),
            }
        })?;
        match number {
            None => Some(Some(name)),
            Some(number) => Some(number.parse().ok().and_then(|number| name.with_number(number))),
        }
    }

    /// The most steps, or queries, that a spec may ask for.
    pub fn most(self) -> u32 {
        match self {
            Self::Fgsm => 0,
            Self::Square { .. } => 100_000,
            Self::Pgd { .. } | Self::Momentum { .. } | Self::Apgd { .. } => 1000,
        }
    }

    /// With so many steps, or queries.
    fn with_number(self, number: u32) -> Option<Self> {
        if !(1..=self.most()).contains(&number) {
            return None;
        }
        Some(match self {
            Self::Fgsm => return None,
            Self::Pgd { restarts, .. } => Self::Pgd { steps: number, restarts },
            Self::Momentum { .. } => Self::Momentum { steps: number },
            Self::Apgd { loss, restarts, .. } => Self::Apgd { loss, steps: number, restarts },
            Self::Square { .. } => Self::Square { queries: number },
        })
    }
}
