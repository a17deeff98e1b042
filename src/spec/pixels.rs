//! What may be done to the pixels: the attacks that a spec names, with their parameters. Each one's definition,
//! with its citation, stands in the file of its name under `lab/attack/image` or `picture`.

use super::{Absence, Corruption};

/// What is done to the images of a case, without its strength.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ImageMethod {
    /// A search within a ball round the image; the strength is ε, in the ball's norm.
    Search {
        /// How it searches.
        search: ImageSearch,
        /// What the ball is measured by.
        norm: Norm,
        /// Which pixels may move.
        region: Region,
    },
    /// A square of free pixels at a place of the adversary's choice; the strength is its share of the image.
    Patch {
        /// Gradient steps a place (default 40).
        steps: u32,
        /// Which pixels it may cover.
        region: Region,
    },
    /// What happens to films in hospitals; the strength is its severity, 1 to 5.
    Corruption(Corruption),
    /// The image is not the patient's, or no image; it has no strength.
    Absent(Absence),
}

/// What the size of a change is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Norm {
    /// The largest change of a pixel, over all views.
    Linf,
    /// The root of the summed squares of all changes, over all views.
    L2,
}

/// Which pixels an attack may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Region {
    /// All of them.
    Everywhere,
    /// Those of a mask.
    Inside(Mask),
    /// All but those of a mask.
    Outside(Mask),
}

/// A set of pixels, a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mask {
    /// The lesion, as the data marks it in the frontal view; nothing where it marks none.
    Lesion,
    /// A file of the spec's `masks`, by its place there: white is in it; the same for every case and view.
    File(usize),
    /// The tenth of the pixels that the model looks at most: the largest |gradient|, smoothed.
    Attribution,
}

/// How an attack searches within its ball.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ImageSearch {
    /// Fast gradient sign method.
    Fgsm,
    /// One gradient step from a random point.
    RandomFgsm,
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
    /// Fast adaptive boundary: the nearest input of the other class.
    Fab {
        /// Gradient steps (default 100).
        steps: u32,
        /// Starts: the image, then random ones (default 1).
        restarts: u32,
    },
    /// Steps to the linearised boundary.
    DeepFool {
        /// Gradient steps (default 50).
        steps: u32,
    },
    /// Carlini and Wagner's: distance and margin weighed by a constant that is searched for.
    CarliniWagner {
        /// Gradient steps a constant (default 200).
        steps: u32,
        /// Constants that are tried (default 9).
        searches: u32,
    },
    /// The binary-safe suite, each attack over the cases that still stand.
    AutoAttack {
        /// Gradient steps of each of its gradient attacks (default 100).
        steps: u32,
        /// Queries of its black-box attack (default 1000).
        queries: u32,
    },
    /// Fixed moves without a gradient or a search: all pixels up, all down, exposure, contrast, random signs.
    Naive,
    /// Random search over scores by squares of one colour, without a gradient.
    Square {
        /// Evaluations of a case at most (default 1000; its authors use 5000).
        queries: u32,
    },
    /// Simultaneous perturbation: a gradient estimated from scores, random signs.
    Spsa {
        /// Steps (default 50).
        steps: u32,
        /// Evaluations a step (default 64).
        samples: u32,
    },
    /// Natural evolution strategies: a gradient estimated from scores, Gaussian.
    Nes {
        /// Steps (default 50).
        steps: u32,
        /// Evaluations a step (default 50).
        samples: u32,
    },
    /// Decisions alone: walks along the boundary.
    HopSkipJump {
        /// Evaluations of a case at most (default 2000).
        queries: u32,
    },
    /// The images that momentum FGSM makes against another model of the spec.
    Transfer {
        /// The other model's place in the spec.
        from: usize,
        /// Gradient steps (default 10).
        steps: u32,
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

/// What an attack may ask of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing: it does not look at the model.
    None,
    /// The predicted class.
    Decision,
    /// The logits.
    Score,
    /// The gradient too.
    Gradient,
}

impl ImageSearch {
    /// PGD as a sentence means it that says no more.
    pub const PGD: Self = Self::Pgd { steps: 40, restarts: 5 };
    /// Auto-PGD as a sentence means it that says no more.
    pub const APGD: Self = Self::Apgd { loss: AttackLoss::CrossEntropy, steps: 100, restarts: 1 };
    /// The same with the margin as its loss.
    pub const APGD_MARGIN: Self = Self::Apgd { loss: AttackLoss::Margin, steps: 100, restarts: 1 };

    /// Every search by the name that a sentence gives it, with its defaults; the longer of two names that
    /// begin alike comes first. A transfer has to name its model, so it has no such name.
    pub const NAMED: [(&'static str, Self); 15] = [
        ("FGSM", Self::Fgsm),
        ("R-FGSM", Self::RandomFgsm),
        ("PGD", Self::PGD),
        ("MI-FGSM", Self::Momentum { steps: 10 }),
        ("APGD-margin", Self::APGD_MARGIN),
        ("APGD", Self::APGD),
        ("FAB", Self::Fab { steps: 100, restarts: 1 }),
        ("DeepFool", Self::DeepFool { steps: 50 }),
        ("CW", Self::CarliniWagner { steps: 200, searches: 9 }),
        ("AutoAttack", Self::AutoAttack { steps: 100, queries: 1000 }),
        ("naive", Self::Naive),
        ("Square", Self::Square { queries: 1000 }),
        ("SPSA", Self::Spsa { steps: 50, samples: 64 }),
        ("NES", Self::Nes { steps: 50, samples: 50 }),
        ("HopSkipJump", Self::HopSkipJump { queries: 2000 }),
    ];

    /// The name that a sentence gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fgsm => "FGSM",
            Self::RandomFgsm => "R-FGSM",
            Self::Pgd { .. } => "PGD",
            Self::Momentum { .. } => "MI-FGSM",
            Self::Apgd { loss: AttackLoss::CrossEntropy, .. } => "APGD",
            Self::Apgd { loss: AttackLoss::Margin, .. } => "APGD-margin",
            Self::Fab { .. } => "FAB",
            Self::DeepFool { .. } => "DeepFool",
            Self::CarliniWagner { .. } => "CW",
            Self::AutoAttack { .. } => "AutoAttack",
            Self::Naive => "naive",
            Self::Square { .. } => "Square",
            Self::Spsa { .. } => "SPSA",
            Self::Nes { .. } => "NES",
            Self::HopSkipJump { .. } => "HopSkipJump",
            Self::Transfer { .. } => "transfer",
        }
    }

    /// The norms that it searches in; the first is meant where none is named.
    pub fn norms(self) -> &'static [Norm] {
        match self {
            Self::Pgd { .. } | Self::Fab { .. } | Self::HopSkipJump { .. } | Self::Naive => {
                &[Norm::Linf, Norm::L2]
            }
            Self::DeepFool { .. } => &[Norm::L2, Norm::Linf],
            Self::CarliniWagner { .. } => &[Norm::L2],
            _ => &[Norm::Linf],
        }
    }

    /// Whether it looks for the nearest input of the other class, whatever ε: then the accuracy at every ε
    /// is read off the same norms.
    pub fn is_minimal(self) -> bool {
        matches!(
            self,
            Self::Fab { .. } | Self::DeepFool { .. } | Self::CarliniWagner { .. } | Self::HopSkipJump { .. }
        )
    }

    /// What it asks of the model that it attacks.
    pub fn access(self) -> Access {
        match self {
            Self::Transfer { .. } => Access::None,
            Self::HopSkipJump { .. } => Access::Decision,
            Self::Naive | Self::Square { .. } | Self::Spsa { .. } | Self::Nes { .. } => Access::Score,
            _ => Access::Gradient,
        }
    }

    /// Its numbers for a person: steps, restarts, queries; empty if it has none.
    pub fn numbers(self) -> String {
        match self {
            Self::Fgsm | Self::RandomFgsm | Self::Naive => String::new(),
            Self::Pgd { steps, restarts }
            | Self::Apgd { steps, restarts, .. }
            | Self::Fab { steps, restarts } => {
                format!("{steps}×{restarts}")
            }
            Self::CarliniWagner { steps, searches: times }
            | Self::Spsa { steps, samples: times }
            | Self::Nes { steps, samples: times }
            | Self::AutoAttack { steps, queries: times } => format!("{steps}×{times}"),
            Self::Momentum { steps } | Self::DeepFool { steps } | Self::Transfer { steps, .. } => {
                steps.to_string()
            }
            Self::Square { queries } | Self::HopSkipJump { queries } => queries.to_string(),
        }
    }

    /// The most steps, or queries, that a spec may ask for; 0 if it takes none.
    pub fn most(self) -> u32 {
        match self {
            Self::Fgsm | Self::RandomFgsm | Self::Naive => 0,
            Self::Square { .. } | Self::HopSkipJump { .. } => 100_000,
            Self::CarliniWagner { .. } => 10_000,
            _ => 1000,
        }
    }

    /// With so many steps, or queries; None if it does not take that number.
    pub fn with_number(self, number: u32) -> Option<Self> {
        if !(1..=self.most()).contains(&number) {
            return None;
        }
        let steps = number;
        Some(match self {
            Self::Fgsm | Self::RandomFgsm | Self::Naive => return None,
            Self::Pgd { restarts, .. } => Self::Pgd { steps, restarts },
            Self::Momentum { .. } => Self::Momentum { steps },
            Self::Apgd { loss, restarts, .. } => Self::Apgd { loss, steps, restarts },
            Self::Fab { restarts, .. } => Self::Fab { steps, restarts },
            Self::DeepFool { .. } => Self::DeepFool { steps },
            Self::CarliniWagner { searches, .. } => Self::CarliniWagner { steps, searches },
            Self::AutoAttack { queries, .. } => Self::AutoAttack { steps, queries },
            Self::Square { .. } => Self::Square { queries: number },
            Self::Spsa { samples, .. } => Self::Spsa { steps, samples },
            Self::Nes { samples, .. } => Self::Nes { steps, samples },
            Self::HopSkipJump { .. } => Self::HopSkipJump { queries: number },
            Self::Transfer { from, .. } => Self::Transfer { from, steps },
        })
    }
}

impl Norm {
    /// The name that a spec gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linf => "linf",
            Self::L2 => "l2",
        }
    }
}
