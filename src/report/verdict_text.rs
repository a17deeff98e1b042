//! What a verdict means, in words: the comment on its variant, without the marks of code.

use crate::judge::Verdict;

/// What a verdict means, in a line.
pub fn of_verdict(verdict: Verdict) -> String {
    in_a_line(&lines_of_verdict(verdict))
}

/// What a verdict means, in the lines of its comment.
pub fn lines_of_verdict(verdict: Verdict) -> String {
    let line = |line: &str| line.strip_prefix(' ').unwrap_or(line).replace('`', "") + "\n";
    verdict.about().lines().map(line).collect()
}

/// A text of some lines in one.
pub fn in_a_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_says_what_it_means() {
        let told: Vec<String> = Verdict::ALL.iter().copied().map(of_verdict).collect();
        assert!(told.iter().all(|text| text.len() > 20 && text.ends_with('.')), "{told:?}");
        assert!(told[5].starts_with("The requirement could not be judged: "), "{told:?}");
    }
}
