//! What is said of a verdict, and of any variant of an enum, wherever it is explained: the comment above it in its source, so
//! that it is written once.

use crate::judge::Verdict;

/// Where the verdicts are defined.
pub const VERDICT: &str = include_str!("../judge/mod.rs");

/// What a verdict means, in a line.
pub fn of_verdict(verdict: Verdict) -> String {
    let text = comment(VERDICT, &format!("{verdict:?}")).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The comment on a variant of an enum, in its lines, from the enum's source.
pub fn comment(source: &str, variant: &str) -> Option<String> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let is_it = |line: &&str| {
        let rest = line.strip_prefix(variant);
        rest.is_some_and(|rest| rest == "," || rest == " {" || rest.starts_with('('))
    };
    let at = lines.iter().position(is_it)?;
    let comment: Vec<&str> = lines[..at].iter().rev().map_while(|line| line.strip_prefix("///")).collect();
    let line = |line: &&str| line.strip_prefix(' ').unwrap_or(line).replace('`', "") + "\n";
    let text: String = comment.iter().rev().map(line).collect();
    (!text.is_empty()).then_some(text)
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
