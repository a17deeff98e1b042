//! Scalars with rules: shares, counts, strengths, names and paths.

use std::path::{Component, Path, PathBuf};

use serde_yaml::Value;

use super::node::Node;
use super::number::Number;
use super::{Norm, Strength};

impl Node<'_> {
    /// A number, however it is written.
    fn number(&self) -> Option<Number> {
        let number = match self.value {
            Value::Number(number) => number.as_f64().map(|value| Number { value, percent: false }),
            Value::String(text) => Number::read(text),
            _ => None,
        };
        if number.is_none_or(|number| !number.value.is_finite()) {
            let help = "write a number such as `0.1`, `50%`, `8/255` or `1e-4`".to_string();
            self.fault("this must be a number", help);
            return None;
        }
        number
    }

    /// A number within a range.
    pub(super) fn real(&self, least: f64, most: f64) -> Option<f64> {
        let number = self.number()?;
        if (least..=most).contains(&number.value) {
            return Some(number.value);
        }
        self.fault(format!("this must be from {least} to {most}"), None);
        None
    }

    /// A whole number within a range.
    pub(super) fn whole<T: TryFrom<u64>>(&self, least: u64, most: u64) -> Option<T> {
        let whole = self.value.as_u64().filter(|value| (least..=most).contains(value));
        let whole = whole.and_then(|value| T::try_from(value).ok());
        if whole.is_none() {
            self.fault(format!("this must be a whole number from {least} to {most}"), None);
        }
        whole
    }

    /// A share, 0 to 1.
    pub(super) fn share(&self) -> Option<f64> {
        self.checked(Number::share)
    }

    /// The share of the words that an attack changes, above 0.
    pub(super) fn changed_share(&self) -> Option<f64> {
        self.checked(Number::changed_share)
    }

    /// A share above 0 and below 1.
    pub(super) fn part(&self) -> Option<f64> {
        let share = self.share()?;
        if share > 0.0 && share < 1.0 {
            return Some(share);
        }
        self.fault("this must be above 0% and below 100%", None);
        None
    }

    /// A strength ε of a ball.
    pub(super) fn radius(&self, norm: Norm) -> Option<f64> {
        self.checked(|number| number.radius(norm))
    }

    /// A strength ε of a ball, or with `≤` every point of the grid up to it.
    pub(super) fn radii(&self, norm: Norm) -> Option<Strength> {
        self.up_to(|number| number.radius(norm))
    }

    /// A severity, or with `≤` every one up to it.
    pub(super) fn severity(&self) -> Option<Strength> {
        self.up_to(Number::severity)
    }

    /// A number that a rule accepts, or with `≤` every point up to it.
    fn up_to(&self, rule: impl Fn(Number) -> Result<f64, (String, String)>) -> Option<Strength> {
        let bound = self
            .value
            .as_str()
            .and_then(|text| text.trim().strip_prefix('≤').or_else(|| text.trim().strip_prefix("<=")));
        let Some(bound) = bound else { return self.checked(rule).map(Strength::At) };
        match Number::read(bound).map(rule) {
            Some(Ok(value)) => Some(Strength::UpTo(value)),
            Some(Err((message, help))) => {
                self.fault(message, help);
                None
            }
            None => {
                self.fault("a number is expected after `≤`", "write `≤0.1` or `≤8/255`".to_string());
                None
            }
        }
    }

    fn checked(&self, rule: impl Fn(Number) -> Result<f64, (String, String)>) -> Option<f64> {
        match rule(self.number()?) {
            Ok(value) => Some(value),
            Err((message, help)) => {
                self.fault(message, help);
                None
            }
        }
    }

    /// Text that is not blank.
    pub(super) fn words(&self) -> Option<String> {
        let text = self.text()?.trim();
        if text.is_empty() {
            self.fault("this must not be empty", None);
            return None;
        }
        Some(text.to_string())
    }

    /// A path that stays under the folder that it is relative to.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let text = self.words()?;
        let path = Path::new(&text);
        let stays = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !stays {
            let help = "write it relative to the spec, without `..`; `--data-root FOLDER` and `--weights-root FOLDER` \
                        move the places that paths start from";
            self.fault("this path leaves the spec's folder", help.to_string());
            return None;
        }
        Some(path.to_path_buf())
    }

    /// A SHA-256, in lower case.
    pub(super) fn sha256(&self) -> Option<String> {
        let digest = self.text()?.trim().to_lowercase();
        if digest.len() == 64 && digest.chars().all(|digit| digit.is_ascii_hexdigit()) {
            return Some(digest);
        }
        let help = "write the 64 hexadecimal digits that sha256sum prints, in quotes".to_string();
        self.fault("this is no sha256", help);
        None
    }

    /// `true` or `false`.
    pub(super) fn truth(&self) -> Option<bool> {
        let truth = self.value.as_bool();
        if truth.is_none() {
            self.fault(format!("this must be true or false, and it is {}", self.kind()), None);
        }
        truth
    }

    /// One of the kinds of an enum, by its name.
    pub(super) fn kind_of<T: Copy>(
        &self,
        what: &str,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let named: Vec<(&str, T)> = all.iter().map(|kind| (name(*kind), *kind)).collect();
        self.one_of(what, &named)
    }

    /// One of a few words.
    pub(super) fn one_of<T: Clone>(&self, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.fault(format!("`{text}` is no {what}"), super::node::suggest(text, &known));
        }
        found.map(|(_, value)| value.clone())
    }
}
