//! The values that a key of a spec takes: how each is read, and what the JSON Schema says of it.

use serde_json::{Value as Json, json};

use super::node::Node;
use super::schema::parts;

/// The values that a key takes.
pub(super) trait Takes {
    /// What a value is read as.
    type Value;

    /// Reads a value; None after a fault, which is reported at its place.
    fn read(&self, node: &Node<'_>) -> Option<Self::Value>;

    /// Its schema, with what the key means.
    fn schema(&self, about: &str) -> Json;
}

/// Values that can be a default.
pub(super) trait Writes: Takes {
    /// A value as a spec writes it.
    fn written(&self, value: &Self::Value) -> Json;
}

/// A whole number.
#[derive(Clone, Copy)]
pub(super) struct Whole<T> {
    least: u64,
    most: u64,
    as_type: std::marker::PhantomData<T>,
}

/// A whole number from the least to the most.
pub(super) const fn whole<T>(least: u64, most: u64) -> Whole<T> {
    Whole { least, most, as_type: std::marker::PhantomData }
}

impl<T: TryFrom<u64>> Takes for Whole<T> {
    type Value = T;

    fn read(&self, node: &Node<'_>) -> Option<T> {
        node.whole(self.least, self.most)
    }

    fn schema(&self, about: &str) -> Json {
        // a schema's numbers are not held to what 64 bits hold
        parts::integer(about, self.least, (self.most < u64::MAX).then_some(self.most), None)
    }
}

impl<T: TryFrom<u64> + serde::Serialize> Writes for Whole<T> {
    fn written(&self, value: &T) -> Json {
        json!(value)
    }
}

/// A number, however it is written.
#[derive(Clone, Copy)]
pub(super) struct Real {
    least: f64,
    most: f64,
    examples: &'static [f64],
}

/// A number from the least to the most, written as `0.1`, `10%`, `1/10` or `1e-1`.
pub(super) const fn real(least: f64, most: f64, examples: &'static [f64]) -> Real {
    Real { least, most, examples }
}

impl Takes for Real {
    type Value = f64;

    fn read(&self, node: &Node<'_>) -> Option<f64> {
        node.real(self.least, self.most)
    }

    fn schema(&self, about: &str) -> Json {
        parts::real(about, self.least, self.most, self.examples)
    }
}

impl Writes for Real {
    fn written(&self, value: &f64) -> Json {
        // four decimals are enough for a reader
        json!((value * 1e4).round() / 1e4)
    }
}

/// Text that is not blank.
pub(super) struct Text(&'static [&'static str]);

/// Text that is not blank, such as these.
pub(super) const fn text(examples: &'static [&'static str]) -> Text {
    Text(examples)
}

impl Takes for Text {
    type Value = String;

    fn read(&self, node: &Node<'_>) -> Option<String> {
        node.words()
    }

    fn schema(&self, about: &str) -> Json {
        parts::text(about, self.0)
    }
}

/// A path that stays under the folder that it starts from.
pub(super) struct Path(&'static str);

/// A path that stays under the folder that it starts from, such as this.
pub(super) const fn path(example: &'static str) -> Path {
    Path(example)
}

impl Takes for Path {
    type Value = std::path::PathBuf;

    fn read(&self, node: &Node<'_>) -> Option<std::path::PathBuf> {
        node.path()
    }

    fn schema(&self, about: &str) -> Json {
        parts::path(about, self.0)
    }
}

/// `true` or `false`.
pub(super) struct Truth;

impl Takes for Truth {
    type Value = bool;

    fn read(&self, node: &Node<'_>) -> Option<bool> {
        node.truth()
    }

    fn schema(&self, about: &str) -> Json {
        parts::truth(about)
    }
}

/// The SHA-256 of a file.
pub(super) struct Sha256;

impl Sha256 {
    /// What a message gives as an example where it is missing.
    pub(super) const EXAMPLE: &'static str = "the 64 hexadecimal digits that sha256sum prints";
}

impl Takes for Sha256 {
    type Value = String;

    fn read(&self, node: &Node<'_>) -> Option<String> {
        node.sha256()
    }

    fn schema(&self, about: &str) -> Json {
        json!({"description": about, "type": "string", "pattern": "^\\s*[0-9A-Fa-f]{64}\\s*$"})
    }
}

/// One of a few words.
pub(super) struct Word<T: 'static> {
    what: &'static str,
    words: &'static [(&'static str, T)],
}

/// One of a few words; `what` names them in messages: "`x` is no WHAT".
pub(super) const fn word<T>(what: &'static str, words: &'static [(&'static str, T)]) -> Word<T> {
    Word { what, words }
}

impl<T: Clone> Takes for Word<T> {
    type Value = T;

    fn read(&self, node: &Node<'_>) -> Option<T> {
        node.one_of(self.what, self.words)
    }

    fn schema(&self, about: &str) -> Json {
        json!({"description": about, "enum": self.words.iter().map(|(word, _)| *word).collect::<Vec<_>>()})
    }
}

impl<T: Clone + PartialEq> Writes for Word<T> {
    fn written(&self, value: &T) -> Json {
        json!(self.words.iter().find(|(_, known)| known == value).map(|(word, _)| *word))
    }
}

/// Values with a reader and a schema of their own.
pub(super) struct Own<T> {
    read: fn(&Node<'_>) -> Option<T>,
    schema: fn(&str) -> Json,
}

/// Values with a reader and a schema of their own.
pub(super) const fn own<T>(read: fn(&Node<'_>) -> Option<T>, schema: fn(&str) -> Json) -> Own<T> {
    Own { read, schema }
}

impl<T> Takes for Own<T> {
    type Value = T;

    fn read(&self, node: &Node<'_>) -> Option<T> {
        (self.read)(node)
    }

    fn schema(&self, about: &str) -> Json {
        (self.schema)(about)
    }
}

impl<T: serde::Serialize> Writes for Own<T> {
    fn written(&self, value: &T) -> Json {
        json!(value)
    }
}
