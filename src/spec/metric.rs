//! What a clause measures, and the words for it.

/// What a clause measures, over the test cases; a case that is wrong when clean counts as broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Share of the cases that are right.
    Accuracy,
    /// Share of the abnormal cases that are right.
    Sensitivity,
    /// Share of the normal cases that are right.
    Specificity,
    /// Probability that an abnormal case scores above a normal one.
    Auroc,
    /// Share of the cases that are right when clean that the attack turns.
    Flips,
    /// Share of the abnormal cases that are called normal.
    Missed,
    /// Share of the normal cases that are called abnormal: overcalls, or false alarms.
    Overcalled,
    /// Expected calibration error.
    Ece,
    /// Brier score: mean squared distance of the probability of abnormal from the truth.
    Brier,
    /// Mean cost of a case, by the spec's `costs`.
    Cost,
}

impl Metric {
    /// Every metric by its name; the first name of each is the usual one.
    pub const NAMED: [(&'static str, Self); 11] = [
        ("accuracy", Self::Accuracy),
        ("sensitivity", Self::Sensitivity),
        ("specificity", Self::Specificity),
        ("auroc", Self::Auroc),
        ("flips", Self::Flips),
        ("missed", Self::Missed),
        ("overcalled", Self::Overcalled),
        ("overcalls", Self::Overcalled),
        ("ece", Self::Ece),
        ("brier", Self::Brier),
        ("cost", Self::Cost),
    ];

    /// Its usual name.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, metric)| *metric == self).map_or("?", |(name, _)| name)
    }

    /// Whether less of it is better, so that a sentence says `≤`.
    pub fn less_is_better(self) -> bool {
        match self {
            Self::Accuracy | Self::Sensitivity | Self::Specificity | Self::Auroc => false,
            Self::Flips | Self::Missed | Self::Overcalled | Self::Ece | Self::Brier | Self::Cost => true,
        }
    }
}
