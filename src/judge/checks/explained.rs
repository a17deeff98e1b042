//! What a check says of itself: the head of its file, which `medcert explain CODE` and the reports print.

use crate::spec::Check;

/// The source of a check, whose head explains it.
pub fn source(check: Check) -> &'static str {
    match check {
        Check::ConstantPredictor => include_str!("constant_predictor.rs"),
        Check::NoLift => include_str!("no_lift.rs"),
        Check::ModalityIgnored => include_str!("modality_ignored.rs"),
        Check::Monotone => include_str!("monotone.rs"),
        Check::AboveClean => include_str!("above_clean.rs"),
        Check::Flat => include_str!("flat.rs"),
        Check::Unbounded => include_str!("unbounded.rs"),
        Check::BlackBox => include_str!("black_box.rs"),
        Check::MoreSteps => include_str!("more_steps.rs"),
        Check::Gradient => include_str!("gradient_health.rs"),
        Check::Mode => include_str!("evaluation_mode.rs"),
        Check::Applied => include_str!("applied.rs"),
        Check::Unit => include_str!("epsilon_unit.rs"),
        Check::TextValidity => include_str!("text_validity.rs"),
        Check::PatientSplit => include_str!("patient_split.rs"),
        Check::Duplicates => include_str!("duplicates.rs"),
        Check::TextLeak => include_str!("text_leak.rs"),
        Check::Denominators => include_str!("denominators.rs"),
        Check::UnnamedTestSet => include_str!("unnamed_test_set.rs"),
        Check::Coverage => include_str!("coverage.rs"),
        Check::Completeness => include_str!("completeness.rs"),
    }
}

/// The lines that a source file starts with, as plain text.
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
