//! What is said of a verdict, and of any variant of an enum, wherever it is explained: the comment above it in its source, so
//! that it is written once.

use crate::judge::Verdict;

/// Where the verdicts are defined.
const VERDICT: &str = include_str!("../judge/finding.rs");

/// What a verdict means, in a line.
pub fn of_verdict(verdict: Verdict) -> String {
    in_a_line(&lines_of_verdict(verdict))
}

/// What a verdict means, in the lines of its comment.
pub fn lines_of_verdict(verdict: Verdict) -> String {
    comment(VERDICT, &format!("{verdict:?}")).unwrap_or_default()
}

/// A text of some lines in one.
pub fn in_a_line(text: &str) -> String {
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
        let told = Verdict::ALL.map(of_verdict);
        assert!(told.iter().all(|text| text.len() > 20 && text.ends_with('.')), "{told:?}");
        assert!(told[5].starts_with("The requirement could not be judged: "), "{told:?}");
    }
}
