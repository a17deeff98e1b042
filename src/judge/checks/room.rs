//! Maps each check to its procedure, and to the file whose head explains it.

use super::{Field, Look};
use crate::evidence::Evidence;
use crate::plan::Plan;
use crate::spec::Check;

/// What runs a check.
pub(super) enum Procedure {
    /// It reads evidence that need not fit its plan.
    Unread(fn(&Plan, &Evidence) -> Look),
    /// It reads evidence that fits its plan.
    Read(fn(&Field<'_>) -> Look),
}

/// A check's procedure and its source.
pub(super) struct Room {
    pub(super) procedure: Procedure,
    pub(super) source: &'static str,
}

/// The room of a check. The match has no default arm, so the compiler reports a check without a room.
pub(super) fn room(check: Check) -> Room {
    macro_rules! room {
        ($kind:ident $file:ident) => {
            Room {
                procedure: Procedure::$kind(super::$file::check),
                source: include_str!(concat!(stringify!($file), ".rs")),
            }
        };
    }
    match check {
        Check::ConstantPredictor => room!(Read constant_predictor),
        Check::NoLift => room!(Read no_lift),
        Check::ModalityIgnored => room!(Read modality_ignored),
        Check::VacuousCertificate => room!(Read vacuous_certificate),
        Check::Monotone => room!(Read monotone),
        Check::AboveClean => room!(Read above_clean),
        Check::Flat => room!(Read flat),
        Check::Unbounded => room!(Read unbounded),
        Check::BlackBox => room!(Read black_box),
        Check::MoreSteps => room!(Read more_steps),
        Check::Gradient => room!(Read gradient_health),
        Check::AdaptiveBeaten => room!(Read adaptive_beaten),
        Check::Mode => room!(Read evaluation_mode),
        Check::Applied => room!(Read applied),
        Check::Unit => room!(Read epsilon_unit),
        Check::TextValidity => room!(Read text_validity),
        Check::PatientSplit => room!(Read patient_split),
        Check::Duplicates => room!(Read duplicates),
        Check::TextLeak => room!(Read text_leak),
        Check::Denominators => room!(Unread denominators),
        Check::NoiseUnseen => room!(Read noise_unseen),
        Check::UnnamedTestSet => room!(Read unnamed_test_set),
        Check::Coverage => room!(Read coverage),
        Check::Completeness => room!(Unread completeness),
        Check::Contradicted => room!(Read contradicted),
        Check::Noise => room!(Read noise),
    }
}

/// The source of a check, whose head explains it.
pub fn source(check: Check) -> &'static str {
    room(check).source
}

/// The `//!` head of a source file as plain text.
pub fn head(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line).replace('`', "") + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_says_what_raises_it_and_what_to_do() {
        for &check in Check::ALL {
            let text = head(source(check));
            assert!(text.starts_with(&format!("{check}: ")), "{check}: {text}");
            let raises = text.to_lowercase().contains("raised") || text.contains("Warned of");
            assert!(
                raises && text.replace(char::is_whitespace, " ").contains("What to do")
                    || check == Check::Unit,
                "{check}: {text}"
            );
        }
    }
}
