//! The findings that models are asked about, such as effusion and pneumothorax: an image may have several, and each is a
//! question of its own. Without findings there is one question: is the study abnormal.
//!
//! What becomes of uncertain and blank labels are the choices of Irvin et al., `CheXpert` (AAAI 2019, arXiv 1901.07031):
//! U-Ignore, U-Ones and U-Zeros.

use crate::listed::listed;

/// Where the columns of a manifest say what findings a study has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingColumns {
    /// The name of each finding in sentences, and its column; where a column lists findings, its word in the list.
    pub named: Vec<(String, String)>,
    /// Whether the label column lists them; else each has a column.
    pub is_list: bool,
    /// Values that mean uncertain (default `-1` and `-1.0`).
    pub unsure: Vec<String>,
    /// What an uncertain label is taken for; None where the spec does not say, and no label may be uncertain.
    pub uncertain: Option<Taken>,
    /// What an empty label is taken for; None where the spec does not say, and no label may be empty.
    pub empty: Option<Taken>,
    /// The column that says that there is none of the findings: where it is positive, empty labels mean absent.
    pub none: Option<String>,
    /// The findings, by name, about which that column says nothing, such as devices.
    pub apart: Vec<String>,
}

/// What a label is taken for that is neither positive nor negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is not known: the study is no case of this finding.
    LeaveOut,
    /// The finding is present.
    Positive,
    /// The finding is absent.
    Negative,
}

impl Taken {
    /// Its name in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeaveOut => "leave out",
            Self::Positive => "positive",
            Self::Negative => "negative",
        }
    }
}

listed! {
    /// What the pictures of phantoms show, and may be asked for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    #[allow(missing_docs)] // the names say it
    pub enum PhantomFinding {
        Opacity,
        Effusion,
        Nodule,
        Cardiomegaly,
        RightOpacity,
        LeftOpacity,
        RightEffusion,
        LeftEffusion,
        RightNodule,
        LeftNodule,
        Device,
        Pacemaker,
        Wires,
        Port,
    }
}

impl PhantomFinding {
    /// Whether it is a lesion, and no device.
    pub fn is_lesion(self) -> bool {
        !matches!(self, Self::Device | Self::Pacemaker | Self::Wires | Self::Port)
    }

    /// Its name in a spec and in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opacity => "opacity",
            Self::Effusion => "effusion",
            Self::Nodule => "nodule",
            Self::Cardiomegaly => "cardiomegaly",
            Self::RightOpacity => "right-opacity",
            Self::LeftOpacity => "left-opacity",
            Self::RightEffusion => "right-effusion",
            Self::LeftEffusion => "left-effusion",
            Self::RightNodule => "right-nodule",
            Self::LeftNodule => "left-nodule",
            Self::Device => "device",
            Self::Pacemaker => "pacemaker",
            Self::Wires => "wires",
            Self::Port => "port",
        }
    }
}
