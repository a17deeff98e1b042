//! A YAML document as nodes that know their path, and the faults found on the way. `serde_yaml` stops at the
//! first fault of a type; so the document is read into a plain value, every fault is collected by its path,
//! and the path's line and column are asked of `serde_yaml` afterwards.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_yaml::Value;

use super::{Diagnostic, Place};

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Item(usize),
}

/// A fault whose place is still a path.
struct Fault {
    path: Vec<Step>,
    /// The key at the end of the path is at fault, not its value.
    at_key: bool,
    /// Characters into the value, for a fault within a sentence.
    offset: usize,
    word: String,
    message: String,
    help: Option<String>,
}

/// The faults of a document.
#[derive(Default)]
pub(super) struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    /// The faults with their places, in the order of the file.
    pub(super) fn locate(self, text: &str) -> Vec<Diagnostic> {
        let mut found: Vec<Diagnostic> =
            self.0.into_inner().into_iter().map(|fault| fault.locate(text)).collect();
        found.sort_by_key(|fault| fault.place);
        found
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

impl Fault {
    fn locate(self, text: &str) -> Diagnostic {
        let place = locate(text, &self.path, self.at_key);
        let place = shifted(text, place, self.offset, &self.word);
        Diagnostic { place, word: self.word, message: self.message, help: self.help }
    }
}

/// A place some characters into a scalar, if the word really stands there (a scalar folded over several
/// lines keeps its start).
fn shifted(text: &str, place: Place, offset: usize, word: &str) -> Place {
    if offset == 0 {
        return place;
    }
    let line: Vec<char> =
        text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default().chars().collect();
    let quote = usize::from(matches!(line.get(place.column.saturating_sub(1)), Some('"' | '\'')));
    let start = place.column.saturating_sub(1) + quote + offset;
    let stands = word.chars().enumerate().all(|(at, c)| line.get(start + at) == Some(&c));
    if stands { Place { line: place.line, column: start + 1 } } else { place }
}

/// The line and column of a path.
pub(super) fn locate(text: &str, path: &[Step], at_key: bool) -> Place {
    let probe = Probe { path, at_key };
    let Err(error) = probe.deserialize(serde_yaml::Deserializer::from_str(text)) else {
        return Place::default();
    };
    error.location().map_or(Place { line: 1, column: 1 }, |at| Place { line: at.line(), column: at.column() })
}

/// Fails on purpose at the end of a path: the error's location is that of the node.
#[derive(Clone, Copy)]
struct Probe<'p> {
    path: &'p [Step],
    at_key: bool,
}

impl<'de> DeserializeSeed<'de> for Probe<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Probe<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a place")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key(wanted), rest)) = self.path.split_first() else {
            return Err(A::Error::custom("here"));
        };
        while let Some(is_wanted) = map.next_key_seed(Key { wanted, fail: self.at_key && rest.is_empty() })? {
            if is_wanted {
                return map.next_value_seed(Probe { path: rest, at_key: self.at_key });
            }
            map.next_value::<IgnoredAny>()?;
        }
        Err(A::Error::custom("here"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Item(wanted), rest)) = self.path.split_first() else {
            return Err(A::Error::custom("here"));
        };
        for _ in 0..*wanted {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(Probe { path: rest, at_key: self.at_key })?;
        Err(A::Error::custom("here"))
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Err(E::custom("here"))
    }
}

/// Whether a key is the wanted one; fails there if asked to.
struct Key<'p> {
    wanted: &'p str,
    fail: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<bool, E> {
        let is_wanted = key == self.wanted;
        if is_wanted && self.fail { Err(E::custom("here")) } else { Ok(is_wanted) }
    }
}

/// A value with its path; readers report what is wrong with it and go on.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    path: Vec<Step>,
    faults: &'a Faults,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value, faults: &'a Faults) -> Self {
        Self { value, path: Vec::new(), faults }
    }

    fn sub(&self, step: Step, value: &'a Value) -> Self {
        let mut path = self.path.clone();
        path.push(step);
        Self { value, path, faults: self.faults }
    }

    /// Reports a fault of this value.
    pub(super) fn fault(&self, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.fault_within(0, self.word(), message.into(), help.into());
    }

    /// Reports a fault of the key that leads here.
    pub(super) fn fault_of_key(&self, message: String, help: Option<String>) {
        let word = match self.path.last() {
            Some(Step::Key(key)) => key.clone(),
            _ => String::new(),
        };
        let path = self.path.clone();
        self.faults.0.borrow_mut().push(Fault { path, at_key: true, offset: 0, word, message, help });
    }

    /// Reports a fault some characters into this value.
    pub(super) fn fault_within(&self, offset: usize, word: String, message: String, help: Option<String>) {
        let path = self.path.clone();
        self.faults.0.borrow_mut().push(Fault { path, at_key: false, offset, word, message, help });
    }

    /// The place of this value.
    pub(super) fn place(&self, text: &str) -> Place {
        locate(text, &self.path, false)
    }

    /// The value as it was written, if it is a scalar.
    pub(super) fn word(&self) -> String {
        match self.value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            _ => String::new(),
        }
    }

    /// What kind of value this is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a map",
            Value::Tagged(_) => "a tagged value",
        }
    }

    /// Text.
    pub(super) fn text(&self) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.fault(format!("this must be text, and it is {}", self.kind()), None);
        }
        text
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let Value::Sequence(items) = self.value else {
            let help = "write it as a list: one item a line after `- `, or [a, b]".to_string();
            self.fault(format!("this must be a list, and it is {}", self.kind()), help);
            return None;
        };
        Some(items.iter().enumerate().map(|(at, value)| self.sub(Step::Item(at), value)).collect())
    }

    /// The entries of a map, whatever their keys.
    pub(super) fn entries(&self) -> Option<Vec<(String, Self)>> {
        let Value::Mapping(map) = self.value else {
            self.fault(format!("this must be a map of keys and values, and it is {}", self.kind()), None);
            return None;
        };
        let mut entries = Vec::new();
        for (key, value) in map {
            match key {
                Value::String(key) => entries.push((key.clone(), self.sub(Step::Key(key.clone()), value))),
                other => self.fault(format!("keys must be text, and one is {other:?}"), None),
            }
        }
        Some(entries)
    }

    /// A map whose keys are known.
    pub(super) fn map(&self, keys: &[&str]) -> Option<Map<'a>> {
        let entries = self.entries()?;
        for (key, node) in &entries {
            if !keys.contains(&key.as_str()) {
                node.fault_of_key(format!("`{key}` is no key here"), Some(suggest(key, keys)));
            }
        }
        Some(Map { node: self.clone(), entries })
    }

    /// A choice: a map of one key, which names what is chosen.
    pub(super) fn choice(&self, what: &str, names: &[&str]) -> Option<(String, Self)> {
        let entries = self.entries()?;
        let mut entries = entries.into_iter();
        match (entries.next(), entries.next()) {
            (Some((name, node)), None) if names.contains(&name.as_str()) => Some((name, node)),
            (Some((name, node)), None) => {
                node.fault_of_key(format!("`{name}` is no {what}"), Some(suggest(&name, names)));
                None
            }
            (None, _) => {
                self.fault(
                    format!("a {what} is missing here"),
                    Some(format!("name one: {}", names.join(", "))),
                );
                None
            }
            (_, Some((name, node))) => {
                let help = if names.len() > READABLE {
                    "keep one key".to_string()
                } else {
                    format!("keep one key; the {what}s are {}", names.join(", "))
                };
                node.fault_of_key(
                    format!("`{name}` is a second choice; a {what} is a map of one key"),
                    Some(help),
                );
                None
            }
        }
    }
}

/// A map whose keys were checked.
pub(super) struct Map<'a> {
    pub(super) node: Node<'a>,
    entries: Vec<(String, Node<'a>)>,
}

impl<'a> Map<'a> {
    /// The value of a key, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node.clone())
    }

    /// The value of a key that must be there.
    pub(super) fn need(&self, key: &str, example: &str) -> Option<Node<'a>> {
        let found = self.get(key);
        if found.is_none() {
            self.node.fault_within(
                0,
                String::new(),
                format!("`{key}` is missing here"),
                Some(format!("add it, for example `{key}: {example}`")),
            );
        }
        found
    }
}

/// A list of more words than this is not read.
const READABLE: usize = 16;

/// What to do about a word that is none of these.
pub(crate) fn suggest(word: &str, known: &[&str]) -> String {
    let all = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match nearest(word, known) {
        Some(best) if known.len() > READABLE => format!("did you mean `{best}`?"),
        Some(best) if known.len() > 1 => format!("did you mean `{best}`? known here: {all}"),
        Some(best) => format!("did you mean `{best}`?"),
        None if known.is_empty() => "none is known here".to_string(),
        None => format!("known here: {all}"),
    }
}

/// The known word that is most like this one, if one is like it at all.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.to_lowercase();
    let likeness = |name: &&str| strsim::jaro_winkler(&word, &name.to_lowercase());
    let best = known.iter().map(|name| (likeness(name), *name)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > 0.75).map(|(_, name)| name)
}
