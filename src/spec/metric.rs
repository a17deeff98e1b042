//! What a clause measures, and the words for it.

/// What a clause measures, over the test cases; a case that is wrong when clean counts as broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Share of the cases that are right, abnormal called abnormal and normal called normal. A case that is wrong without
    /// an attack counts as wrong under every attack. `fusion accuracy ≥ 90% at FGSM ε≤0.1` passes if the one-sided lower
    /// bound (Clopper and Pearson, Biometrika 1934) reaches 90 %.
    Accuracy,
    /// Share of the abnormal cases that are right; its cases are the abnormal ones alone, so that fewer tell less.
    /// `vision sensitivity ≥ 70% under steady`. 1 − sensitivity is `missed`.
    Sensitivity,
    /// Share of the normal cases that are right; its cases are the normal ones alone. `fusion specificity ≥ 80%`.
    /// 1 − specificity is `overcalled`.
    Specificity,
    /// Area under the ROC curve: the probability that an abnormal case scores above a normal one, ties for half. Its
    /// variance is that of `DeLong` et al. (Biometrics 1988), by patient. Areas of two models are not compared.
    Auroc,
    /// Share of the cases that are right when clean that the attack turns, so that clean mistakes do not count.
    /// `fusion flips ≤ 5% under 50% deletion` passes if the upper bound stays within 5 %; it needs an attack.
    Flips,
    /// Share of the abnormal cases that are called normal: 1 − sensitivity. `fusion missed ≤ 3%` passes if the upper bound
    /// stays within 3 %.
    Missed,
    /// Share of the normal cases that are called abnormal: overcalls, or false alarms; 1 − specificity.
    /// `fusion false alarms ≤ 10%`.
    Overcalled,
    /// Expected calibration error: how far probabilities are from the share that is abnormal, over bins of equal width
    /// (Naeini, Cooper and Hauskrecht, AAAI 2015). It is biased upwards; its upper bound is safe and far from tight.
    Ece,
    /// Brier score (Monthly Weather Review 1950): mean squared distance of the probability of abnormal from the truth, 0
    /// at best, 0.25 for always saying one half. `fusion brier ≤ 0.1`.
    Brier,
    /// Mean cost of a case, by the spec's `costs`: `{missed: 10, overcalled: 1}` says that a missed case costs as much as
    /// ten false alarms. `fusion cost ≤ 0.5`, in the unit of `costs`.
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
