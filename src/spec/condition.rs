//! The grammar of conditions: what a clause must hold under. It stands in [`sentence`](super::sentence).

use super::node::suggest;
use super::number::Number;
use super::sentence::{Complaint, Names, Parsed, Parser};
use super::token::Kind;
use super::{Condition, ImageMethod, Strength, Threat};

/// Parses a condition such as `FGSM ε≤0.1 + 50% deletion` or `clean`.
///
/// # Errors
/// The first fault of the condition.
pub fn parse_condition(words: &str, names: Names<'_>) -> Result<Condition, Complaint> {
    let mut parser = Parser::new(words, names);
    let condition = parser.condition()?;
    match parser.peek() {
        None => Ok(condition),
        Some(_) => Err(parser.complain("nothing more is expected here", "join threats with `+`")),
    }
}

impl Parser<'_> {
    pub(super) fn condition(&mut self) -> Parsed<Condition> {
        let start = self.at;
        if self.take_word(&["clean"]) {
            if self.peek() == Some(&Kind::Plus) {
                return Err(
                    self.complain("`clean` means no threat, so nothing can join it", "leave `clean` out")
                );
            }
            return Ok(Condition { words: self.written(start), threats: vec![] });
        }
        let mut threats: Vec<Threat> = Vec::new();
        loop {
            let first = self.at;
            let threat = self.threat()?;
            if let Some(clash) = threats.iter().find_map(|earlier| clash(earlier, &threat)) {
                self.at = first;
                return Err(self.complain(clash, "leave one of the two out"));
            }
            threats.push(threat);
            if !self.take(&Kind::Plus) {
                return Ok(Condition { words: self.written(start), threats });
            }
        }
    }

    fn threat(&mut self) -> Parsed<Threat> {
        match self.peek() {
            Some(Kind::Number(number)) => {
                let number = *number;
                let fraction = number.share().map_err(|(message, help)| self.complain(message, help))?;
                self.at += 1;
                self.edits(fraction)
            }
            Some(Kind::Word(word)) => {
                let word = word.clone();
                self.named_threat(&word)
            }
            _ => {
                let help =
                    "write `clean`, `FGSM ε=0.1`, `50% deletion`, `40% synonyms` or a name from `threats`";
                Err(self.complain("an attack is expected here", help))
            }
        }
    }

    /// What follows a share of the words.
    fn edits(&mut self, fraction: f64) -> Parsed<Threat> {
        self.take_word(&["word"]);
        if self.take_word(&["deletion", "deletions"]) {
            return Ok(Threat::Deletion { fraction });
        }
        if self.take_word(&["synonyms", "synonym"]) {
            self.take_word(&["substitution", "substitutions"]);
            return Ok(Threat::Synonyms { fraction });
        }
        let word = self.word().unwrap_or_default();
        let help = suggest(&word, &["deletion", "synonyms"]);
        Err(self.complain("after a share of the words comes what happens to them", help))
    }

    fn named_threat(&mut self, word: &str) -> Parsed<Threat> {
        let lower = word.to_lowercase();
        if let Some((_, threat)) = self.names.threats.iter().find(|(name, _)| name.eq_ignore_ascii_case(word))
        {
            self.at += 1;
            return Ok(threat.clone());
        }
        match lower.as_str() {
            "clean" => {
                return Err(self.complain("`clean` means no threat, so it joins none", "leave `clean` out"));
            }
            "deletion" | "synonyms" | "synonym" => {
                let help = format!("write the share of the words first, such as `50% {lower}`");
                return Err(self.complain("the share of the words is missing", help));
            }
            _ => {}
        }
        let method = match ImageMethod::of_word(word) {
            Some(Some(method)) => method,
            Some(None) => {
                let help =
                    "write `PGD-20` for 20 steps (1 to 1000), `Square-500` for 500 queries (1 to 100000)";
                return Err(self.complain("this attack does not take that number", help));
            }
            None => return Err(self.unknown_attack(word)),
        };
        self.at += 1;
        Ok(Threat::Image { method, epsilon: self.strength()? })
    }

    fn unknown_attack(&self, word: &str) -> Complaint {
        let named = self.names.threats.iter().map(|(name, _)| name.as_str());
        let attacks = ImageMethod::NAMED.iter().map(|(name, _)| *name).chain(["deletion", "synonyms"]);
        let known: Vec<&str> = attacks.chain(["clean"]).chain(named).collect();
        self.complain(format!("`{word}` is no attack and no name from `threats`"), suggest(word, &known))
    }

    fn strength(&mut self) -> Parsed<Strength> {
        const HELP: &str = "write `ε=0.1` for one strength, or `ε≤0.1` for every point of the grid up to it";
        if !self.take_word(&["ε", "ϵ", "eps", "epsilon"]) {
            return Err(self.complain("the attack's strength is missing", HELP));
        }
        let up_to = self.take(&Kind::AtMost);
        if !up_to && !self.take(&Kind::Equals) {
            return Err(self.complain("`=` or `≤` is expected after `ε`", HELP));
        }
        let Some(Kind::Number(number)) = self.peek() else {
            return Err(
                self.complain("a strength is expected here", "write a number such as `0.1` or `8/255`")
            );
        };
        let number: Number = *number;
        let value = number.strength().map_err(|(message, help)| self.complain(message, help))?;
        self.at += 1;
        Ok(if up_to { Strength::UpTo(value) } else { Strength::At(value) })
    }
}

/// Why two threats cannot act together, if so.
fn clash(earlier: &Threat, later: &Threat) -> Option<String> {
    match (earlier, later) {
        (Threat::Deletion { .. }, Threat::Deletion { .. }) => Some("words are deleted twice".to_string()),
        (Threat::Synonyms { .. }, Threat::Synonyms { .. }) => Some("words are replaced twice".to_string()),
        _ if earlier.on_image() && later.on_image() => {
            Some("two attacks on the image cannot be joined".to_string())
        }
        _ => None,
    }
}
