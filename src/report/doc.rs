//! What is said of a verdict wherever it is explained: the line above it in its enum, so that it is written once.

use crate::judge::Verdict;

/// What a verdict means, in a sentence.
pub fn of_verdict(verdict: Verdict) -> String {
    let source = include_str!("../judge/mod.rs");
    let variant = format!("{verdict:?},");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let place = lines.iter().position(|line| *line == variant).unwrap_or_default();
    let above: Vec<&str> = lines[..place].iter().rev().map_while(|line| line.strip_prefix("/// ")).collect();
    above.into_iter().rev().collect::<Vec<_>>().join(" ").replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_says_what_it_means() {
        let all = [Verdict::Pass, Verdict::Inconclusive, Verdict::Fail, Verdict::Suspect, Verdict::Vacuous];
        let told: Vec<String> = all.into_iter().chain([Verdict::Error]).map(of_verdict).collect();
        assert!(told.iter().all(|text| text.len() > 20 && text.ends_with('.')), "{told:?}");
        assert!(told[5].starts_with("It could not be judged: "), "{told:?}");
    }
}
