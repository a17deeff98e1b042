//! The checks that catch vacuous or wrong robustness results, by code, with the triggers that a spec may change,
//! and the waivers that a person signs for.

use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use super::Place;

/// A check. What it looks for, and why, stands in the file of its name under `judge/checks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// V1: one class is always answered, or the accuracy is the majority's.
    ConstantPredictor,
    /// V2: no better than a trivial baseline.
    NoLift,
    /// V3: an input does not matter.
    ModalityIgnored,
    /// M1: the accuracy rises with the strength.
    Monotone,
    /// M2: the attack makes wrong cases right.
    AboveClean,
    /// M3: the strength makes no difference.
    Flat,
    /// M4: an attack without bounds does not win.
    Unbounded,
    /// M5: an attack without the gradient beats one with it.
    BlackBox,
    /// M6: more steps break fewer cases.
    MoreSteps,
    /// M7: gradients are absent, wrong or do not raise the loss.
    Gradient,
    /// M8: answers are random, depend on the neighbours, or are no logits.
    Mode,
    /// P1: nothing was perturbed, or too much.
    Applied,
    /// P2: an ε is not in pixel units.
    Unit,
    /// P3: reports under attack say something else.
    TextValidity,
    /// D1: a patient is in two parts of the split.
    PatientSplit,
    /// D2: test cases are in training too.
    Duplicates,
    /// D3: words alone give the label.
    TextLeak,
    /// D4: cells count different cases.
    Denominators,
    /// C1: cases were not answered.
    Coverage,
    /// C2: a cell is missing.
    Completeness,
}

/// A check's code, name and usual trigger.
type Entry = (Check, &'static str, &'static str, Option<f64>);

impl Check {
    /// Every check with its code, its name, and what triggers it if a spec does not say; None where nothing can
    /// be set.
    pub const NAMED: [Entry; 20] = [
        (Self::ConstantPredictor, "V1", "constant-predictor", Some(0.98)),
        (Self::NoLift, "V2", "no-lift", Some(0.02)),
        (Self::ModalityIgnored, "V3", "modality-ignored", Some(0.01)),
        (Self::Monotone, "M1", "monotone-epsilon", Some(0.05)),
        (Self::AboveClean, "M2", "above-clean", Some(0.01)),
        (Self::Flat, "M3", "flat-epsilon", Some(3.0)),
        (Self::Unbounded, "M4", "unbounded-attack", Some(0.01)),
        (Self::BlackBox, "M5", "black-box-wins", Some(0.002)),
        (Self::MoreSteps, "M6", "more-steps", Some(0.05)),
        (Self::Gradient, "M7", "gradient-health", Some(0.95)),
        (Self::Mode, "M8", "evaluation-mode", None),
        (Self::Applied, "P1", "perturbation-applied", Some(0.9)),
        (Self::Unit, "P2", "epsilon-unit", None),
        (Self::TextValidity, "P3", "text-validity", Some(0.95)),
        (Self::PatientSplit, "D1", "patient-split", None),
        (Self::Duplicates, "D2", "duplicates", Some(0.01)),
        (Self::TextLeak, "D3", "text-leak", Some(0.02)),
        (Self::Denominators, "D4", "denominators", None),
        (Self::Coverage, "C1", "coverage", None),
        (Self::Completeness, "C2", "completeness", None),
    ];

    fn entry(self) -> Entry {
        // every check stands in the list once, which a test holds
        Self::NAMED.into_iter().find(|(check, ..)| *check == self).unwrap_or(Self::NAMED[0])
    }

    /// Its code, such as `V1`; it never changes its meaning.
    pub fn code(self) -> &'static str {
        self.entry().1
    }

    /// Its name, such as `constant-predictor`.
    pub fn name(self) -> &'static str {
        self.entry().2
    }

    /// The check of a code or name, in any letter case.
    pub fn of_word(word: &str) -> Option<Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(word);
        Self::NAMED.into_iter().find(|(_, code, name, _)| is(code) || is(name)).map(|(check, ..)| check)
    }

    /// What triggers it if a spec does not say.
    pub fn usual_trigger(self) -> Option<f64> {
        self.entry().3
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

/// A check that may be raised until a day, because a person says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiver {
    /// The check.
    pub check: Check,
    /// The model that it is waived for; every model if none is named.
    pub model: Option<String>,
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
    fn every_check_has_one_code_and_one_name() {
        let codes: HashSet<&str> = Check::NAMED.iter().map(|entry| entry.1).collect();
        let checks: HashSet<Check> = Check::NAMED.iter().map(|entry| entry.0).collect();
        assert_eq!((codes.len(), checks.len()), (Check::NAMED.len(), Check::NAMED.len()));
        for (check, code, name, _) in Check::NAMED {
            assert_eq!((check.code(), check.name()), (code, name));
            assert_eq!([Check::of_word(&code.to_lowercase()), Check::of_word(name)], [Some(check); 2]);
        }
    }
}
