//! What is said of a check or a verdict wherever it is explained: the head of a check's source file, and the line above
//! a verdict in its enum. They are written once.

use crate::judge::Verdict;
use crate::spec::Check;

/// The head of a check's source file.
macro_rules! head {
    ($path:literal) => {
        include_str!(concat!("../judge/checks/", $path, ".rs"))
    };
}

/// What a check looks for, what raises it, and what to do.
pub fn of_check(check: Check) -> String {
    text(match check {
        Check::ConstantPredictor => head!("constant_predictor"),
        Check::NoLift => head!("no_lift"),
        Check::ModalityIgnored => head!("modality_ignored"),
        Check::Monotone => head!("monotone"),
        Check::AboveClean => head!("above_clean"),
        Check::Flat => head!("flat"),
        Check::Unbounded => head!("unbounded"),
        Check::BlackBox => head!("black_box"),
        Check::MoreSteps => head!("more_steps"),
        Check::Gradient => head!("gradient_health"),
        Check::Mode => head!("evaluation_mode"),
        Check::Applied => head!("applied"),
        Check::Unit => head!("epsilon_unit"),
        Check::TextValidity => head!("text_validity"),
        Check::PatientSplit => head!("patient_split"),
        Check::Duplicates => head!("duplicates"),
        Check::TextLeak => head!("text_leak"),
        Check::Denominators => head!("denominators"),
        Check::Coverage => head!("coverage"),
        Check::Completeness => head!("completeness"),
    })
}

/// What a verdict means, in a sentence.
pub fn of_verdict(verdict: Verdict) -> String {
    let source = include_str!("../judge/mod.rs");
    let variant = format!("{verdict:?},");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let place = lines.iter().position(|line| *line == variant).unwrap_or_default();
    let above: Vec<&str> = lines[..place].iter().rev().map_while(|line| line.strip_prefix("/// ")).collect();
    above.into_iter().rev().collect::<Vec<_>>().join(" ").replace('`', "")
}

/// The lines that a source file starts with, as plain text.
pub fn text(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line).replace('`', "") + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_says_what_raises_it_and_what_to_do() {
        for (check, code, name, _) in Check::NAMED {
            let text = of_check(check);
            assert!(text.starts_with(&format!("{code} {name}: ")), "{check}: {text}");
            let raises = text.to_lowercase().contains("raised") || text.contains("Warned of");
            assert!(
                raises && text.replace(char::is_whitespace, " ").contains("What to do")
                    || check == Check::Unit,
                "{check}: {text}"
            );
        }
    }

    #[test]
    fn every_verdict_says_what_it_means() {
        let all = [Verdict::Pass, Verdict::Inconclusive, Verdict::Fail, Verdict::Suspect, Verdict::Vacuous];
        let told: Vec<String> = all.into_iter().chain([Verdict::Error]).map(of_verdict).collect();
        assert!(told.iter().all(|text| text.len() > 20 && text.ends_with('.')), "{told:?}");
        assert_eq!(told[5], "It could not be judged.");
    }
}
