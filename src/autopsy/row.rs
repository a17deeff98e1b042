//! The meaning of a row of a published table, from its name or its stated meaning: no attack, an attack on pixels or on
//! words, or several at once. The names are those of the spec language and short forms that tables use: `DEL` for
//! deletion, `BIM` for iterated gradient steps.

use crate::spec::{Corruption, EditKind, ImageSearch, Number, Steps, TextSearch};

/// Names of a row without an attack.
const CLEAN: [&str; 11] = [
    "none",
    "clean",
    "no attack",
    "original",
    "baseline",
    "benign",
    "natural",
    "unperturbed",
    "standard",
    "no perturbation",
    "without attack",
];

/// Iterated attacks under names that the spec language does not use.
const ITERATED: [&str; 6] = ["bim", "i-fgsm", "pgm", "c&w", "aa", "jsma"];

/// The input that an attack perturbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// Pixels.
    Image,
    /// Words.
    Text,
}

/// How an attack searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// Not at all: it is random, or a corruption.
    Random,
    /// One step along the gradient.
    OneStep,
    /// Many steps or queries.
    Many,
}

/// One attack.
#[derive(Debug, Clone, PartialEq)]
pub struct Attack {
    /// The word that names it, in lower case.
    pub name: String,
    /// The perturbed input.
    pub input: Input,
    /// How it searches.
    pub search: Search,
    /// Whether the attack can change the correct answer.
    pub can_change_label: bool,
}

/// The meaning of a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meaning {
    /// Whether the row is clean.
    pub clean: bool,
    /// The attacks that act together; empty if clean or unknown.
    pub attacks: Vec<Attack>,
    /// The name without its strength.
    pub family: String,
    /// The strength, if the name contains exactly one, or one after `ε`.
    pub strength: Option<f64>,
}

impl Meaning {
    /// Reads a row's name and its stated meaning.
    pub fn read(name: &str, stands_for: &[String]) -> Self {
        let clean = CLEAN.contains(&name.trim().to_lowercase().as_str());
        let said = if stands_for.is_empty() { name.to_string() } else { stands_for.join(" ") };
        let attacks = if clean { vec![] } else { attacks(&said) };
        let (family, strength) = family(name);
        Self { clean, attacks, family, strength }
    }

    /// Whether the row has an attack on this input.
    pub fn touches(&self, input: Input) -> bool {
        self.attacks.iter().any(|attack| attack.input == input)
    }

    /// Whether the row has attacks on both inputs.
    pub fn is_joint(&self) -> bool {
        self.touches(Input::Image) && self.touches(Input::Text)
    }

    /// Whether one of its attacks searches.
    pub fn is_searched(&self) -> bool {
        self.attacks.iter().any(|attack| attack.search != Search::Random)
    }
}

/// The words of a name, split at numbers and signs.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let divides = |c: char| c.is_whitespace() || "=≤(),;+×:/".contains(c);
    name.split(divides).filter(|word| !word.is_empty())
}

/// The attacks in a name.
fn attacks(name: &str) -> Vec<Attack> {
    let mut found: Vec<Attack> = Vec::new();
    for attack in words(name).filter_map(attack) {
        if found.iter().all(|other| other.name != attack.name) {
            found.push(attack);
        }
    }
    found
}

/// The attack that a word names.
fn attack(word: &str) -> Option<Attack> {
    let name = word.to_lowercase();
    let of = |input, search, can_change_label| {
        Some(Attack { name: name.clone(), input, search, can_change_label })
    };
    if let Some((search, _)) = ImageSearch::at_start_of(&name) {
        let search = if search.facts().steps == Steps::Single { Search::OneStep } else { Search::Many };
        return of(Input::Image, search, false);
    }
    if ITERATED.contains(&name.as_str()) || name == "patch" {
        return of(Input::Image, Search::Many, false);
    }
    if Corruption::named(&name).is_some() {
        return of(Input::Image, Search::Random, false);
    }
    if let Some(search) = TextSearch::named(&name) {
        let can_change_label = search.facts().edits.iter().any(|kind| kind.facts().can_change_label);
        return of(Input::Text, Search::Many, can_change_label);
    }
    let kind = EditKind::ALL.iter().find(|kind| is_short_for(&name, kind.name()))?;
    of(Input::Text, Search::Random, kind.facts().can_change_label)
}

/// Whether a word is a name, its singular or plural, or its first letters (three or more).
fn is_short_for(word: &str, name: &str) -> bool {
    let stem = name.trim_end_matches("ion").trim_end_matches('s');
    let is_start = word.len() >= 3 && name.starts_with(word);
    is_start || (word.starts_with(stem) && word.len() <= name.len() + 1 && stem.len() >= 3)
}

/// A name without its strength, and the strength.
fn family(name: &str) -> (String, Option<f64>) {
    let divides = |c: char| c.is_whitespace() || "=≤(),;".contains(c);
    let parts: Vec<&str> = name.split(divides).filter(|part| !part.is_empty()).collect();
    let is_sign = |part: &str| ["ε", "ϵ", "eps", "epsilon"].contains(&part.to_lowercase().as_str());
    let number = |part: &str| Number::read(part.trim_start_matches(['ε', 'ϵ'])).map(|number| number.value);
    let after_sign = parts.windows(2).find(|pair| is_sign(pair[0])).and_then(|pair| number(pair[1]));
    let numbers: Vec<f64> = parts.iter().filter_map(|part| number(part)).collect();
    let strength = after_sign.or(match numbers.as_slice() {
        [only] => Some(*only),
        _ => None,
    });
    let rest = parts.iter().filter(|part| !is_sign(part) && (number(part).is_none() || numbers.len() > 1));
    let rest: Vec<&str> = rest.copied().collect();
    let family = if rest.is_empty() { name.trim().to_string() } else { rest.join(" ") };
    (family, strength)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_tables_write_them() {
        let read = |name: &str| Meaning::read(name, &[]);
        assert!(read("None").clean && read("no attack").clean && !read("FGSM 0.1").clean);
        let fgsm = read("FGSM (ε = 8/255)");
        assert_eq!((fgsm.family.as_str(), fgsm.strength), ("FGSM", Some(8.0 / 255.0)));
        assert_eq!(fgsm.attacks[0].search, Search::OneStep);
        assert_eq!(read("PGD-20 ε=0.1").attacks[0].search, Search::Many);
        assert_eq!(read("FGSM ε0.1").strength, Some(0.1));
        for name in ["DEL", "del 50%", "50% deletions", "word deletion"] {
            let del = read(name);
            assert!(del.attacks[0].can_change_label && del.touches(Input::Text), "{name}");
        }
        for name in ["SYN", "40% synonyms", "synonym"] {
            assert!(!read(name).attacks[0].can_change_label, "{name}");
        }
        assert!(read("FGSM 0.1 + DEL").is_joint());
        assert!(read("attack A").attacks.is_empty());
        let said = Meaning::read("A", &["20% synonyms".into(), "40% synonyms".into()]);
        assert_eq!(said.attacks.len(), 1);
    }
}
