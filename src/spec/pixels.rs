//! What may be done to the pixels: how, in which ball and region. The searches and corruptions have their own files.

use super::kinds::kinds;
use super::parameter::{Parameter, Referent, Takes, Value};
use super::{Absence, Access, Corruption, ImageSearch};

/// What is done to the images of a case, without its strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// Squares of one grey or of noise on a grid of places, without a gradient; the strength is as a patch's.
    NaivePatch {
        /// Which pixels they may cover.
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
    /// A file of the spec's `masks`: white is in it; the same for every case and view.
    File(Referent),
    /// The tenth of the pixels that the model looks at most: the largest |gradient|, smoothed.
    Attribution,
}

/// What must be known about a loss.
#[derive(Debug, Clone, Copy)]
pub struct LossFacts {
    /// The name that a spec gives it.
    pub name: &'static str,
}

kinds! {
    /// What a gradient attack raises.
    pub enum AttackLoss of LossFacts {
        /// Cross-entropy with the true label; its gradient vanishes where the model is sure.
        CrossEntropy = LossFacts { name: "cross-entropy" };
        /// The other class's logit less the true one's; never saturated. With two classes it replaces the
        /// difference-of-logits-ratio loss of the published suite, which needs three.
        Margin = LossFacts { name: "margin" };
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

impl Mask {
    /// The name that a spec gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lesion => "lesion",
            Self::File(mask) => mask.name(),
            Self::Attribution => "attribution",
        }
    }
}

impl Region {
    /// What a sentence says of it, with a space before: ` inside lesion`; nothing for all pixels.
    pub fn written(self) -> String {
        match self {
            Self::Everywhere => String::new(),
            Self::Inside(mask) => format!(" inside {}", mask.name()),
            Self::Outside(mask) => format!(" outside {}", mask.name()),
        }
    }

    /// The mask that it needs.
    pub fn mask(self) -> Option<Mask> {
        match self {
            Self::Everywhere => None,
            Self::Inside(mask) | Self::Outside(mask) => Some(mask),
        }
    }
}

impl ImageMethod {
    /// The parameter of a patch.
    pub const PATCH_STEPS: Parameter = Parameter {
        key: "steps",
        about: "Gradient steps a place.",
        takes: Takes::Count { least: 1, most: 1000 },
    };
    /// The patch's steps, if a spec does not say.
    pub const USUAL_PATCH_STEPS: u32 = 40;

    /// What a sentence calls a patch without a gradient.
    pub const NAIVE_PATCH: &'static str = "naive-patch";

    /// A search as a sentence means it that says no more.
    pub fn usual(search: ImageSearch) -> Self {
        Self::Search { search, norm: search.usual_norm(), region: Region::Everywhere }
    }

    /// Which pixels it may move.
    pub fn region(self) -> Region {
        match self {
            Self::Search { region, .. } | Self::Patch { region, .. } | Self::NaivePatch { region } => region,
            Self::Corruption(_) | Self::Absent(_) => Region::Everywhere,
        }
    }

    /// The same in a region; None if it acts on whole images only.
    pub fn within(self, region: Region) -> Option<Self> {
        match self {
            Self::Search { search, norm, .. } => Some(Self::Search { search, norm, region }),
            Self::Patch { steps, .. } => Some(Self::Patch { steps, region }),
            Self::NaivePatch { .. } => Some(Self::NaivePatch { region }),
            Self::Corruption(_) | Self::Absent(_) => None,
        }
    }

    /// The access to the model that it needs; None if it does not search.
    pub fn access(self) -> Option<Access> {
        match self {
            Self::Search { search, .. } => Some(search.access()),
            Self::Patch { .. } => Some(Access::Gradient),
            Self::NaivePatch { .. } => Some(Access::Score),
            Self::Corruption(_) | Self::Absent(_) => None,
        }
    }

    /// The mask that it asks for, if any.
    pub fn mask(self) -> Option<Mask> {
        self.region().mask()
    }

    /// Its parameters with their values.
    pub fn settings(self) -> Vec<(Parameter, Value)> {
        match self {
            Self::Search { search, .. } => search.settings(),
            Self::Patch { steps, .. } => vec![(Self::PATCH_STEPS, Value::Count(steps))],
            Self::NaivePatch { .. } | Self::Corruption(_) | Self::Absent(_) => vec![],
        }
    }

    /// Its parameters with their defaults.
    pub fn usual_settings(self) -> Vec<(Parameter, Value)> {
        match self {
            Self::Search { search, .. } => search.usual().settings(),
            Self::Patch { .. } => vec![(Self::PATCH_STEPS, Value::Count(Self::USUAL_PATCH_STEPS))],
            Self::NaivePatch { .. } | Self::Corruption(_) | Self::Absent(_) => vec![],
        }
    }

    /// The same with another value of a parameter; None if it does not take it.
    pub fn with(self, parameter: &str, value: Value) -> Option<Self> {
        match (self, value) {
            (Self::Search { search, norm, region }, value) => {
                Some(Self::Search { search: search.with(parameter, value)?, norm, region })
            }
            (Self::Patch { region, .. }, Value::Count(steps)) if parameter == Self::PATCH_STEPS.key => {
                Some(Self::Patch { steps, region })
            }
            (Self::Patch { .. } | Self::NaivePatch { .. } | Self::Corruption(_) | Self::Absent(_), _) => None,
        }
    }
}
