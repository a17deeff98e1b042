//! The class of a case: its label, and what a model answers. Two classes are normal and abnormal; several exclusive
//! classes are numbered from 0, in the order in which the spec names them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A class. Evidence holds a truth value where there are two classes, and a number where there are more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Class {
    /// One of two: true if abnormal, or if the finding that is asked about is present.
    Two(bool),
    /// One of more than two, by its place among them.
    Several(u16),
}

impl Class {
    /// The class at a place among so many.
    pub fn at(place: usize, count: usize) -> Self {
        if count > 2 { Self::Several(place as u16) } else { Self::Two(place > 0) }
    }

    /// Its place: the index of its logit.
    pub fn place(self) -> usize {
        match self {
            Self::Two(is_abnormal) => usize::from(is_abnormal),
            Self::Several(place) => usize::from(place),
        }
    }

    /// Whether it is the abnormal one of two.
    pub fn is_abnormal(self) -> bool {
        self == Self::Two(true)
    }

    /// The other one of two, if asked for. Several classes have no opposite; a spec that needs one is refused.
    #[must_use]
    pub fn turned(self, is_turned: bool) -> Self {
        match self {
            Self::Two(is_abnormal) => Self::Two(is_abnormal != is_turned),
            Self::Several(_) => self,
        }
    }
}

impl From<bool> for Class {
    fn from(is_abnormal: bool) -> Self {
        Self::Two(is_abnormal)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Two(is_abnormal) => write!(f, "{is_abnormal}"),
            Self::Several(place) => write!(f, "{place}"),
        }
    }
}

/// The share of each of so many classes; 0 where there is no case.
pub fn shares(count: usize, classes: impl IntoIterator<Item = Class>) -> Vec<f64> {
    let mut counts = vec![0_usize; count];
    for class in classes {
        if let Some(counted) = counts.get_mut(class.place()) {
            *counted += 1;
        }
    }
    let all = counts.iter().sum::<usize>().max(1) as f64;
    counts.into_iter().map(|counted| counted as f64 / all).collect()
}

/// How often the most frequent class occurs, and which it is; of two that occur equally often, the later one. None if
/// there is none.
pub fn most_frequent(classes: impl IntoIterator<Item = Class>) -> Option<(Class, usize)> {
    let mut counts = std::collections::BTreeMap::<Class, usize>::new();
    for class in classes {
        *counts.entry(class).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count)
}
