//! The checks that catch vacuous or wrong robustness results: one row a check, with its code, its name, what triggers it
//! and what it does to a requirement; the triggers that a spec changes; and the waivers that a person signs.
//!
//! What a check looks for, and why, is in the file of its name under `judge/checks`.

use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use super::Place;

/// The facts of a check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckRow {
    /// Its code, such as `V1`; a code never changes its meaning.
    pub code: &'static str,
    /// Its name, such as `constant-predictor`.
    pub name: &'static str,
    /// What triggers it; None where nothing can be set.
    pub trigger: Option<Trigger>,
    /// What it does to a requirement that rests on the cells it is about.
    pub effect: Effect,
}

/// The number that triggers a check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trigger {
    /// If a spec does not set it.
    pub usual: f64,
    /// The largest that a spec may set; the least is 0.
    pub most: f64,
    /// Which values raise the check less often than the usual one.
    pub looser: Looser,
    /// What the number is.
    pub meaning: &'static str,
}

/// Which triggers are looser than the usual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looser {
    /// The larger ones.
    Above,
    /// The smaller ones.
    Below,
}

/// The most that a check does to a requirement. Several checks only warn where the fault is a small one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It changes no verdict.
    Warning,
    /// It makes PASS and INCONCLUSIVE SUSPECT: the figure cannot be believed.
    Suspect,
    /// It makes PASS and INCONCLUSIVE VACUOUS: the figure means nothing.
    Vacuous,
    /// It makes every verdict ERROR: the evidence cannot be judged.
    Error,
}

/// Declares the checks. One table makes the enum, the list of all and the rows, so that none of them can lack a check.
macro_rules! checks {
    ($($(#[$doc:meta])* $check:ident => $code:literal $name:literal $effect:ident $trigger:expr;)*) => {
        /// A check.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Check { $($(#[$doc])* $check,)* }

        impl Check {
            /// Every check, in the order of the reports.
            pub const ALL: &'static [Self] = &[$(Self::$check,)*];

            /// Its facts.
            pub fn row(self) -> CheckRow {
                match self {
                    $(Self::$check => CheckRow {
                        code: $code, name: $name, trigger: $trigger, effect: Effect::$effect,
                    },)*
                }
            }
        }
    };
}

checks! {
    /// One class is always answered, or the accuracy is the majority's.
    ConstantPredictor => "V1" "constant-predictor" Vacuous
        Some(share(0.98, Looser::Above, "share of the answers that are of one class"));
    /// The model is no better than a trivial baseline.
    NoLift => "V2" "no-lift" Vacuous
        Some(share(0.02, Looser::Below, "lift over the best baseline that has to be exceeded"));
    /// An input does not matter.
    ModalityIgnored => "V3" "modality-ignored" Vacuous
        Some(share(0.01, Looser::Below, "share of the answers that a replaced input has to turn"));
    /// The certified cases are of one class.
    VacuousCertificate => "V4" "vacuous-certificate" Vacuous
        Some(share(0.98, Looser::Above, "share of the certified cases that are of one class"));
    /// The accuracy rises with the strength.
    Monotone => "M1" "monotone-epsilon" Suspect
        Some(share(0.05, Looser::Below, "p-value below which a rise is more than chance"));
    /// The attack makes wrong cases right.
    AboveClean => "M2" "above-clean" Suspect
        Some(share(0.01, Looser::Above, "share of the cases that an attack may make right"));
    /// The strength makes no difference.
    Flat => "M3" "flat-epsilon" Suspect
        Some(Trigger {
            usual: 3.0, most: 100.0, looser: Looser::Above,
            meaning: "number of strengths that break exactly the same cases",
        });
    /// An attack without bounds does not win.
    Unbounded => "M4" "unbounded-attack" Suspect
        Some(share(0.01, Looser::Above, "share of the cases by which the accuracy may exceed the majority's"));
    /// An attack without the gradient beats one with it.
    BlackBox => "M5" "black-box-wins" Suspect
        Some(share(0.002, Looser::Above, "share of the cases that an attack without a gradient may break beyond the others"));
    /// More steps break fewer cases.
    MoreSteps => "M6" "more-steps" Suspect
        Some(share(0.05, Looser::Below, "p-value below which a loss by more steps is more than chance"));
    /// Gradients are absent, wrong or do not raise the loss.
    Gradient => "M7" "gradient-health" Suspect
        Some(share(0.95, Looser::Below, "share of the cases whose gradient has to be sound"));
    /// An attack that does not know a defence beats those that do.
    AdaptiveBeaten => "M9" "adaptive-beaten" Suspect
        Some(share(0.02, Looser::Above, "share of the cases that an attack without knowledge of the defence may break beyond the others"));
    /// Answers are random, depend on the other cases, or are no logits.
    Mode => "M8" "evaluation-mode" Error None;
    /// Nothing was perturbed, or too much.
    Applied => "P1" "perturbation-applied" Error
        Some(share(0.9, Looser::Below, "share of the cases that an attack has to change in full"));
    /// An ε is not in pixel units.
    Unit => "P2" "epsilon-unit" Error None;
    /// Reports under attack say something else.
    TextValidity => "P3" "text-validity" Error
        Some(share(0.95, Looser::Below, "share of the reports that have to say the same"));
    /// A patient is in two parts of the split.
    PatientSplit => "D1" "patient-split" Error None;
    /// Test cases are in training too.
    Duplicates => "D2" "duplicates" Suspect
        Some(share(0.01, Looser::Above, "share of the test cases that may have a twin in training"));
    /// Words alone give the label.
    TextLeak => "D3" "text-leak" Warning
        Some(share(0.02, Looser::Below, "accuracy by which a model has to exceed a bag of words"));
    /// Cells count different cases.
    Denominators => "D4" "denominators" Error None;
    /// A smoothed model answers much worse than its base.
    NoiseUnseen => "D5" "noise-unseen" Warning
        Some(share(0.1, Looser::Above, "share of the cases by which a smoothed model may be right less often than its base"));
    /// A model that was trained elsewhere is judged on a random part of the data.
    UnnamedTestSet => "D6" "unnamed-test-set" Suspect None;
    /// Cases were not answered.
    Coverage => "C1" "coverage" Error None;
    /// A cell is missing.
    Completeness => "C2" "completeness" Error None;
    /// An attack inside a certified ball succeeds.
    Contradicted => "C3" "certificate-contradicted" Error None;
    /// What reaches a smoothed model is not the declared noise.
    Noise => "C4" "noise" Error None;
}

const fn share(usual: f64, looser: Looser, meaning: &'static str) -> Trigger {
    Trigger { usual, most: 1.0, looser, meaning }
}

impl Trigger {
    /// Whether a value raises the check less often than the usual one.
    pub fn is_loosened(&self, value: f64) -> bool {
        match self.looser {
            Looser::Above => value > self.usual,
            Looser::Below => value < self.usual,
        }
    }
}

impl Check {
    /// Its code, such as `V1`.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// Its name, such as `constant-predictor`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The check of a code or name, in any letter case.
    pub fn of_word(word: &str) -> Option<Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(word);
        Self::ALL.iter().copied().find(|check| is(check.code()) || is(check.name()))
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code(), self.name())
    }
}

impl Serialize for Check {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// The `checks` block of a spec.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checks {
    /// Which checks are run, and what they block.
    pub policy: CheckPolicy,
    /// Triggers that differ from the usual ones.
    pub triggers: Vec<ChangedTrigger>,
}

/// Which checks are run, and what they block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CheckPolicy {
    /// All of them; one that is raised counts against the requirements that rest on its cells.
    #[default]
    Usual,
    /// `strict`: all of them; one that is raised fails the run, whatever rests on its cells.
    Strict,
    /// `cheap`: only those that need no evaluation beyond the spec's own cells.
    Cheap,
}

/// A trigger that a spec changes. One that is looser than the usual one is a waiver: it needs a signature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangedTrigger {
    /// The check.
    pub check: Check,
    /// Its trigger.
    pub value: f64,
    /// Who signs for it.
    pub signature: Option<Signature>,
    /// Its place in the spec.
    pub place: Place,
}

impl ChangedTrigger {
    /// Whether it raises the check less often than the usual trigger does.
    pub fn is_loosened(&self) -> bool {
        self.check.row().trigger.is_some_and(|trigger| trigger.is_loosened(self.value))
    }
}

/// A person's signature below an exception, for some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// Who answers for it.
    pub owner: String,
    /// Why it is allowed.
    pub reason: String,
    /// The last day on which it counts.
    pub expires: Date,
}

/// A check that may be raised until a day, because a person says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The check.
    pub check: Check,
    /// Index of the model that it is waived for; None for every model.
    pub model: Option<usize>,
    /// Who answers for it.
    pub owner: String,
    /// Why it may be raised.
    pub reason: String,
    /// The last day on which it counts.
    pub expires: Date,
    /// Its place in the spec.
    pub place: Place,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Check;

    #[test]
    fn no_two_checks_share_a_code_or_a_name() {
        let codes: HashSet<&str> = Check::ALL.iter().map(|check| check.code()).collect();
        let names: HashSet<&str> = Check::ALL.iter().map(|check| check.name()).collect();
        assert_eq!((codes.len(), names.len()), (Check::ALL.len(), Check::ALL.len()));
        for &check in Check::ALL {
            for word in [check.code().to_lowercase(), check.name().to_uppercase()] {
                assert_eq!(Check::of_word(&word), Some(check));
            }
        }
    }
}
