//! The attacks that search within a ball round an image: one variant and one row each. Its definition, with its
//! citation, is the head of the file that the row names.

use super::parameter::{Parameter, Referent, Setting, Takes, Value};
use super::search_facts::{Access, Evaluations, SearchFacts, Seeks, Steps};
use super::{AttackLoss, Norm};

/// The head of an attack's file.
macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../lab/attack/image/", $name, ".rs"))
    };
}

/// Declares the searches. A parameter is `key: type = default, what it takes;`; `costs` may use the parameters.
macro_rules! searches {
    ($(
        $(#[doc = $about:literal])+
        $variant:ident $({
            $($(#[doc = $meaning:literal])+ $key:ident: $type:ty = $usual:expr, $takes:expr;)+
        })? costs $answers:expr, $gradients:expr => $row:expr;
    )+) => {
        /// How an attack searches within its ball.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ImageSearch {
            $($(#[doc = $about])+ $variant $({ $($(#[doc = $meaning])+ $key: $type,)+ })?,)+
        }

        impl ImageSearch {
            /// Every search with its defaults.
            pub const ALL: &'static [Self] = &[$(Self::$variant $({ $($key: $usual),+ })?),+];

            /// What is known about it.
            pub fn facts(self) -> &'static SearchFacts {
                match self {
                    $(Self::$variant { .. } => {
                        const ROW: &SearchFacts = &$row;
                        ROW
                    })+
                }
            }

            /// What it does, in a sentence: the comment on its variant.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => concat!($($about),+).trim_ascii(),)+
                }
            }

            /// Its parameters, with their values, in the order in which they are written.
            pub fn settings(self) -> Vec<(Parameter, Value)> {
                match self {
                    $(Self::$variant $({ $($key),+ })? => vec![$($((
                        Parameter {
                            key: stringify!($key),
                            about: concat!($($meaning),+).trim_ascii(),
                            takes: $takes,
                        },
                        $key.value(),
                    )),+)?],)+
                }
            }

            /// The same search with another value of a parameter; None if it does not take it.
            pub fn with(self, parameter: &str, value: Value) -> Option<Self> {
                self.settings().iter().find(|(known, _)| known.key == parameter)?;
                match self {
                    $(Self::$variant $({ $($key),+ })? => Some(Self::$variant $({
                        $($key: if parameter == stringify!($key) { Setting::of(value)? } else { $key },)+
                    })?),)+
                }
            }

            /// The same search with its defaults.
            #[must_use]
            pub fn usual(self) -> Self {
                match self {
                    $(Self::$variant { .. } => Self::$variant $({ $($key: $usual),+ })?,)+
                }
            }

            /// What it spends on a case at most.
            #[allow(unused_variables)] // a parameter may cost nothing
            pub fn cost(self) -> Evaluations {
                match self {
                    $(Self::$variant $({ $($key),+ })? => {
                        $($(let $key = $key.times();)+)?
                        Evaluations { answers: $answers, gradients: $gradients }
                    })+
                }
            }
        }
    };
}

/// A count with its range.
const fn count(least: u32, most: u32) -> Takes {
    Takes::Count { least, most }
}

searches! {
    /// Fast gradient sign method.
    Fgsm costs 1, 1 => SearchFacts {
        name: "FGSM",
        norms: &[Norm::Linf],
        access: Access::Gradient,
        seeks: Seeks::AlongCleanGradient,
        steps: Steps::Single,
        fills_ball: true,
        source: file!("fgsm"),
    };
    /// One gradient step from a random point.
    RandomFgsm costs 1, 1 => SearchFacts {
        name: "R-FGSM",
        norms: &[Norm::Linf],
        access: Access::Gradient,
        seeks: Seeks::WithinBall,
        steps: Steps::Single,
        fills_ball: false,
        source: file!("random_fgsm"),
    };
    /// Projected gradient descent.
    Pgd {
        /// Gradient steps.
        steps: u32 = 40, count(1, 1000);
        /// Random starts.
        restarts: u32 = 5, count(1, 100);
    } costs 1 + restarts, steps * restarts => SearchFacts {
        name: "PGD",
        norms: &[Norm::Linf, Norm::L2],
        access: Access::Gradient,
        seeks: Seeks::WithinBall,
        steps: Steps::MoreIsStronger,
        fills_ball: true,
        source: file!("pgd"),
    };
    /// Momentum iterative FGSM.
    Momentum {
        /// Gradient steps.
        steps: u32 = 10, count(1, 1000);
    } costs 2, steps => SearchFacts {
        name: "MI-FGSM",
        norms: &[Norm::Linf],
        access: Access::Gradient,
        seeks: Seeks::WithinBall,
        steps: Steps::Many,
        fills_ball: true,
        source: file!("momentum"),
    };
    /// Auto-PGD, which chooses its own step size.
    Apgd {
        /// What it raises.
        loss: AttackLoss = AttackLoss::CrossEntropy, Takes::Loss;
        /// Gradient steps.
        steps: u32 = 100, count(1, 1000);
        /// Random starts.
        restarts: u32 = 1, count(1, 100);
    } costs 1 + restarts, steps * restarts => SearchFacts {
        name: "APGD",
        norms: &[Norm::Linf],
        access: Access::Gradient,
        seeks: Seeks::WithinBall,
        steps: Steps::Many,
        fills_ball: false,
        source: file!("apgd"),
    };
    /// Fast adaptive boundary: the nearest input of the other class.
    Fab {
        /// Gradient steps.
        steps: u32 = 100, count(1, 1000);
        /// Starts: the image, then random ones.
        restarts: u32 = 1, count(1, 100);
    } costs 1 + steps * restarts, steps * restarts => SearchFacts {
        name: "FAB",
        norms: &[Norm::Linf, Norm::L2],
        access: Access::Gradient,
        seeks: Seeks::Nearest,
        steps: Steps::Incomparable,
        fills_ball: false,
        source: file!("fab"),
    };
    /// Steps to the linearised boundary.
    DeepFool {
        /// Gradient steps.
        steps: u32 = 50, count(1, 1000);
    } costs 2, steps => SearchFacts {
        name: "DeepFool",
        norms: &[Norm::L2, Norm::Linf],
        access: Access::Gradient,
        seeks: Seeks::Nearest,
        steps: Steps::Incomparable,
        fills_ball: false,
        source: file!("deepfool"),
    };
    /// Carlini and Wagner's attack: distance and margin, weighed by a constant that is searched for.
    CarliniWagner {
        /// Gradient steps for each constant; the first sees the clean image.
        steps: u32 = 200, count(2, 10_000);
        /// Constants that are tried.
        searches: u32 = 9, count(1, 20);
    } costs 1, steps * searches => SearchFacts {
        name: "CW",
        norms: &[Norm::L2],
        access: Access::Gradient,
        seeks: Seeks::Nearest,
        steps: Steps::Incomparable,
        fills_ball: false,
        source: file!("carlini"),
    };
    /// The binary-safe suite, each attack over the cases that still stand.
    AutoAttack {
        /// Steps of each of its gradient attacks.
        steps: u32 = 100, count(1, 1000);
        /// Queries of its black-box attack.
        queries: u32 = 1000, count(2, 100_000);
    } costs 3 + steps + queries, 3 * steps => SearchFacts {
        name: "AutoAttack",
        norms: &[Norm::Linf],
        access: Access::Gradient,
        seeks: Seeks::WithinBall,
        steps: Steps::Incomparable,
        fills_ball: false,
        source: file!("autoattack"),
    };
    /// Fixed moves without a gradient or a search: all pixels up, all down, exposure, contrast, halves, random signs.
    Naive costs 15, 0 => SearchFacts {
        name: "naive",
        norms: &[Norm::Linf, Norm::L2],
        access: Access::Score,
        seeks: Seeks::WithinBall,
        steps: Steps::Incomparable,
        fills_ball: false,
        source: file!("naive"),
    };
    /// Random search over scores by squares of one colour, without a gradient.
    Square {
        /// Evaluations of a case at most; its authors use 5000.
        queries: u32 = 1000, count(2, 100_000);
    } costs 1 + queries, 0 => SearchFacts {
        name: "Square",
        norms: &[Norm::Linf],
        access: Access::Score,
        seeks: Seeks::WithinBall,
        steps: Steps::Incomparable,
        fills_ball: false,
        source: file!("square"),
    };
    /// Simultaneous perturbation: a gradient estimated from scores, with random signs.
    Spsa {
        /// Steps.
        steps: u32 = 50, count(1, 1000);
        /// Evaluations a step.
        samples: u32 = 64, count(2, 10_000);
    } costs 2 + steps * (samples + 1), 0 => SearchFacts {
        name: "SPSA",
        norms: &[Norm::Linf],
        access: Access::Score,
        seeks: Seeks::WithinBall,
        steps: Steps::Incomparable,
        fills_ball: false,
        source: file!("spsa"),
    };
    /// Natural evolution strategies: a gradient estimated from scores, with Gaussian noise.
    Nes {
        /// Steps.
        steps: u32 = 50, count(1, 1000);
        /// Evaluations a step.
        samples: u32 = 50, count(2, 10_000);
    } costs 2 + steps * (samples + 1), 0 => SearchFacts {
        name: "NES",
        norms: &[Norm::Linf],
        access: Access::Score,
        seeks: Seeks::WithinBall,
        steps: Steps::Incomparable,
        fills_ball: false,
        source: file!("nes"),
    };
    /// A walk along the boundary that sees decisions alone.
    HopSkipJump {
        /// Evaluations of a case at most.
        queries: u32 = 2000, count(20, 100_000);
    } costs 1 + queries, 0 => SearchFacts {
        name: "HopSkipJump",
        norms: &[Norm::Linf, Norm::L2],
        access: Access::Decision,
        seeks: Seeks::Nearest,
        steps: Steps::Incomparable,
        fills_ball: false,
        source: file!("hop_skip_jump"),
    };
    /// The images that momentum FGSM makes against another model of the spec.
    Transfer {
        /// The model that the images are made against; it reads images alone.
        from: Referent = Referent::UNNAMED, Takes::Model;
        /// Gradient steps.
        steps: u32 = 10, count(1, 1000);
    } costs 1, 0 => SearchFacts { // its gradients are the other model's
        name: "transfer",
        norms: &[Norm::Linf],
        access: Access::None,
        seeks: Seeks::WithinBall,
        steps: Steps::Incomparable,
        fills_ball: false,
        source: file!("transfer"),
    };
}

impl ImageSearch {
    /// PGD as a sentence means it that says no more.
    pub const PGD: Self = Self::Pgd { steps: 40, restarts: 5 };
    /// Auto-PGD as a sentence means it that says no more.
    pub const APGD: Self = Self::Apgd { loss: AttackLoss::CrossEntropy, steps: 100, restarts: 1 };
    /// The same with the margin as its loss.
    pub const APGD_MARGIN: Self = Self::Apgd { loss: AttackLoss::Margin, steps: 100, restarts: 1 };

    /// The name that a sentence gives it.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The norms that it searches in; the first is meant where none is named.
    pub fn norms(self) -> &'static [Norm] {
        self.facts().norms
    }

    /// The norm that is meant where none is named.
    pub fn usual_norm(self) -> Norm {
        // every row has a norm; a test holds that
        self.norms().first().copied().unwrap_or(Norm::Linf)
    }

    /// What it asks of the model that it attacks.
    pub fn access(self) -> Access {
        self.facts().access
    }

    /// Whether it looks for the nearest input of the other class, whatever ε.
    pub fn is_minimal(self) -> bool {
        self.facts().seeks == Seeks::Nearest
    }

    /// The search whose name begins a word such as `PGD-L2-20`, in any letter case, and the rest of the word, which
    /// is empty or begins with `-`.
    pub fn at_start_of(word: &str) -> Option<(Self, &str)> {
        let rest_of = |search: &Self| {
            let (start, rest) = word.split_at_checked(search.name().len())?;
            let is_whole = rest.is_empty() || rest.starts_with('-');
            (start.eq_ignore_ascii_case(search.name()) && is_whole).then_some((*search, rest))
        };
        // of two names that begin alike, the longer is meant
        Self::ALL.iter().filter_map(rest_of).min_by_key(|(_, rest)| rest.len())
    }

    /// Whether `more` takes more steps of the same kind than `self`, from at least as many starts, or many where
    /// this takes one, so that in the same ball it must break no fewer cases.
    pub fn must_not_beat(self, more: Self) -> bool {
        match (self.facts().steps, more.facts().steps) {
            (Steps::Single, Steps::Many | Steps::MoreIsStronger) => true,
            (Steps::MoreIsStronger, Steps::MoreIsStronger) if self.name() == more.name() => {
                let (few, more) = (self.settings(), more.settings());
                let pairs =
                    || few.iter().zip(&more).map(|((parameter, few), (_, more))| (parameter, few, more));
                let no_less = pairs().all(|(_, few, more)| match (few, more) {
                    (Value::Count(few), Value::Count(more)) => few <= more,
                    (few, more) => few == more,
                });
                let further = pairs().any(|(parameter, few, more)| parameter.key == "steps" && few != more);
                no_less && further
            }
            (Steps::Single | Steps::Many | Steps::MoreIsStronger | Steps::Incomparable, _) => false,
        }
    }
}
