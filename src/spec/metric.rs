//! What a clause measures: one row a metric, with its names, its direction and its documentation.

use crate::listed::listed;

listed! {
    /// What a clause measures, over the test cases; a case that is wrong when clean counts as broken.
    /// [`Metric::about`] says what each is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    #[allow(missing_docs)] // `about` documents each
    pub enum Metric {
        Accuracy,
        MacroAccuracy,
        Sensitivity,
        Specificity,
        Ppv,
        Npv,
        F1,
        Auroc,
        Flips,
        Missed,
        Overcalled,
        Ece,
        Brier,
        Cost,
    }
}

/// On which side of a threshold a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More is better: a requirement says `≥`.
    AtLeast,
    /// Less is better: a requirement says `≤`.
    AtMost,
}

impl Direction {
    /// Its sign in a sentence.
    pub fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => "≥",
            Self::AtMost => "≤",
        }
    }

    /// The other side.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::AtLeast => Self::AtMost,
            Self::AtMost => Self::AtLeast,
        }
    }
}

/// What a sentence needs to know of a metric.
#[derive(Debug, Clone, Copy)]
pub struct MetricRow {
    /// Its name in reports.
    pub name: &'static str,
    /// Other words for it; an alias may have two words.
    pub aliases: &'static [&'static str],
    /// On which side of a threshold it must be.
    pub direction: Direction,
    /// Example of a threshold.
    pub example: &'static str,
    /// Whether two models are compared by it: they are on the same cases, each right or not.
    pub compares: bool,
}

/// What a metric is about where there are more than two classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfClasses {
    /// All classes together.
    All,
    /// One of them.
    One,
    /// Nothing: it is defined for two classes.
    None,
}

/// What expected harm is.
const HARM: &str = "Expected harm of a case: the mean of what its errors cost, by the spec's block `harm`. With `harm: {missed: 10, \
    overcalled: 1}` a missed case costs as much as ten false alarms. Costs may differ by finding (`harm: \
    {pneumothorax: {missed: 20, overcalled: 1}}`): `vision pneumothorax harm ≤ 0.8 at PGD ε≤2/255` is about one \
    finding, `vision harm ≤ 3` about the sum over all that `harm` names. Its bound adds the bounds of the shares of \
    missed and of overcalled cases, which hold together (Bonferroni), by patient. Also called `cost`.";

impl Metric {
    /// All facts of the metric but its meaning.
    pub const fn row(self) -> MetricRow {
        use Direction::{AtLeast, AtMost};
        let (name, aliases, direction, example): (_, &[&str], _, _) = match self {
            Self::Accuracy => ("accuracy", &[], AtLeast, "90%"),
            Self::MacroAccuracy => ("macro accuracy", &["balanced accuracy"], AtLeast, "85%"),
            Self::Sensitivity => ("sensitivity", &["recall"], AtLeast, "90%"),
            Self::Specificity => ("specificity", &[], AtLeast, "80%"),
            Self::Ppv => ("ppv", &["precision"], AtLeast, "80%"),
            Self::Npv => ("npv", &[], AtLeast, "90%"),
            Self::F1 => ("f1", &[], AtLeast, "80%"),
            Self::Auroc => ("auroc", &["auc"], AtLeast, "90%"),
            Self::Flips => ("flips", &[], AtMost, "5%"),
            Self::Missed => ("missed", &[], AtMost, "5%"),
            Self::Overcalled => ("overcalled", &["overcalls", "false alarms"], AtMost, "5%"),
            Self::Ece => ("ece", &[], AtMost, "5%"),
            Self::Brier => ("brier", &[], AtMost, "0.1"),
            Self::Cost => ("harm", &["cost"], AtMost, "0.8"),
        };
        // predictive values and F1 are about other cases for either model, an area is about pairs, and a mean of shares
        // is none
        let compares = !matches!(self, Self::MacroAccuracy | Self::Ppv | Self::Npv | Self::F1 | Self::Auroc);
        MetricRow { name, aliases, direction, example, compares }
    }

    /// What it is, for `medcert explain` and the manual.
    pub fn about(self) -> &'static str {
        match self {
            Self::Accuracy => {
                "Share of the cases that are right: abnormal called abnormal, normal called normal. A case that is \
                        wrong without an attack counts as wrong under every attack. `fusion accuracy ≥ 90% at FGSM ε≤0.1` \
                        passes if the one-sided lower bound (Clopper and Pearson, Biometrika 1934) is at least 90 %."
            }
            Self::MacroAccuracy => {
                "Mean over the classes of the share of right cases, also called balanced accuracy. Its lower bound is the mean \
                        of the classes' bounds by patient, each at its part of the error (Bonferroni). Example: `vision \
                        macro accuracy ≥ 80% at FGSM ε≤0.01`."
            }
            Self::Sensitivity => {
                "Share of the abnormal cases that are right, also called recall. Only abnormal cases count, so its \
                        bounds are wider than those of the accuracy. Example: `vision sensitivity ≥ 70% under steady`. 1 − \
                        sensitivity is `missed`. Of one of several `classes`: `vision covid sensitivity ≥ 80%`."
            }
            Self::Specificity => {
                "Share of the normal cases that are right. Only normal cases count. Example: `fusion specificity ≥ \
                        80%`. 1 − specificity is `overcalled`."
            }
            Self::Ppv => {
                "Positive predictive value, also called precision: share of the cases called abnormal that are abnormal. It \
                        hangs on how many of the test cases are abnormal. Under attack a normal case counts as called \
                        abnormal if the attack makes it so. Its bounds are those of a share of the cases called abnormal, \
                        given how many there are. Example: `vision ppv ≥ 80%`."
            }
            Self::Npv => {
                "Negative predictive value: share of the cases called normal that are normal; otherwise as `ppv`. Example: \
                        `vision npv ≥ 90% under 50% deletion`."
            }
            Self::F1 => {
                "Harmonic mean of sensitivity and positive predictive value (van Rijsbergen, Information Retrieval, 1979). \
                        Of the cases that are abnormal or called abnormal a share p is right, and F1 is 2p / (1 + p), so its \
                        bounds are those of that share. Example: `fusion f1 ≥ 80% at FGSM ε≤0.05`."
            }
            Self::Auroc => {
                "Area under the ROC curve: the probability that an abnormal case scores above a normal one, where a \
                        tie counts half. Its variance is that of DeLong et al. (Biometrics 1988), by patient. Areas of two \
                        models are not compared."
            }
            Self::Flips => {
                "Share of the cases that are right without the attack and wrong under it, so that mistakes without an \
                        attack do not count. `fusion flips ≤ 5% under 50% deletion` passes if the upper bound is at most 5 \
                        %. It needs an attack."
            }
            Self::Missed => {
                "Share of the abnormal cases that are called normal: 1 − sensitivity. `fusion missed ≤ 3%` passes if \
                        the upper bound is at most 3 %."
            }
            Self::Overcalled => {
                "Share of the normal cases that are called abnormal (overcalls, or false alarms): 1 − specificity. \
                        Example: `fusion false alarms ≤ 10%`."
            }
            Self::Ece => {
                "Expected calibration error: the mean distance of the predicted probability from the share of \
                        abnormal cases, over bins of equal width (Naeini, Cooper and Hauskrecht, AAAI 2015). The estimate is \
                        biased upwards; its upper bound holds and is not tight."
            }
            Self::Brier => {
                "Brier score (Monthly Weather Review 1950): mean squared distance of the predicted probability of \
                        abnormal from the truth. 0 is best; a model that always answers one half has 0.25. Example: `fusion \
                        brier ≤ 0.1`."
            }
            Self::Cost => HARM,
        }
    }

    /// Its usual name.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// On which side of a threshold it must be.
    pub fn direction(self) -> Direction {
        self.row().direction
    }

    /// The metric that a name or an alias of it means, in any letter case.
    pub fn of_word(word: &str) -> Option<Self> {
        let is = |known: &&str| known.eq_ignore_ascii_case(word);
        Self::ALL.iter().copied().find(|metric| is(&metric.row().name) || metric.row().aliases.iter().any(is))
    }

    /// Whether it has a meaning for more than two classes: for all of them, or for one that a sentence names.
    pub const fn of_classes(self) -> OfClasses {
        match self {
            Self::Accuracy | Self::MacroAccuracy | Self::Flips => OfClasses::All,
            Self::Sensitivity | Self::Missed => OfClasses::One,
            Self::Specificity
            | Self::Ppv
            | Self::Npv
            | Self::F1
            | Self::Auroc
            | Self::Overcalled
            | Self::Ece
            | Self::Brier
            | Self::Cost => OfClasses::None,
        }
    }

    /// Whether a name or an alias begins with this word.
    pub(super) fn begins_with(word: &str) -> bool {
        Self::words().iter().any(|name| name.split(' ').next() == Some(word))
    }

    /// Every name and alias.
    pub fn words() -> Vec<&'static str> {
        Self::ALL
            .iter()
            .flat_map(|metric| [metric.row().name].into_iter().chain(metric.row().aliases.iter().copied()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Metric;

    #[test]
    fn a_word_means_one_metric() {
        let words = Metric::words();
        assert_eq!(words.iter().collect::<HashSet<_>>().len(), words.len());
        for &metric in Metric::ALL {
            for word in [metric.name()].iter().chain(metric.row().aliases) {
                assert_eq!(Metric::of_word(&word.to_uppercase()), Some(metric));
            }
        }
    }
}
