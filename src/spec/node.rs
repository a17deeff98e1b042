//! A YAML document as nodes that know their place, and the faults found on the way. `serde_yaml` stops at the first fault
//! of a type; so the document is read into a plain value and, in a second pass, into the places of its parts.

use std::cell::RefCell;

use serde_yaml::Value;

use super::place::Tree;
use super::{Diagnostic, Place};

/// The faults of a document.
pub(super) struct Faults {
    found: RefCell<Vec<Diagnostic>>,
    lines: Vec<Vec<char>>,
}

impl Faults {
    pub(super) fn new(text: &str) -> Self {
        Self { found: RefCell::default(), lines: text.lines().map(|line| line.chars().collect()).collect() }
    }

    /// The faults in the order of the file.
    pub(super) fn in_order(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|fault| fault.place);
        found
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// A place some characters into a scalar, if the word really is there: a scalar that is folded over several lines keeps
    /// its start.
    fn within(&self, place: Place, offset: usize, word: &str) -> Place {
        let Some(line) = self.lines.get(place.line.saturating_sub(1)).filter(|_| offset > 0) else {
            return place;
        };
        let quote = usize::from(matches!(line.get(place.column.saturating_sub(1)), Some('"' | '\'')));
        let start = place.column.saturating_sub(1) + quote + offset;
        let is_there = word.chars().enumerate().all(|(at, c)| line.get(start + at) == Some(&c));
        if is_there { Place { line: place.line, column: start + 1 } } else { place }
    }
}

/// The tree of a value that the second pass did not find.
static UNKNOWN: std::sync::LazyLock<Tree> = std::sync::LazyLock::new(Tree::default);

/// A value with its place; readers report what is wrong with it and go on.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    tree: &'a Tree,
    /// The key that leads here, and its place; none for an item of a list and for the whole file.
    key: Option<(&'a str, Place)>,
    faults: &'a Faults,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value, tree: &'a Tree, faults: &'a Faults) -> Self {
        Self { value, tree, key: None, faults }
    }

    fn add(&self, place: Place, word: String, message: String, help: Option<String>) {
        self.faults.found.borrow_mut().push(Diagnostic { place, word, message, help });
    }

    /// Reports a fault of this value.
    pub(super) fn fault(&self, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.add(self.place(), self.word(), message.into(), help.into());
    }

    /// Reports a fault of the key that leads here.
    pub(super) fn fault_of_key(&self, message: String, help: Option<String>) {
        let (word, place) = self.key.unwrap_or(("", self.place()));
        self.add(place, word.to_string(), message, help);
    }

    /// Reports a fault some characters into this value.
    pub(super) fn fault_within(&self, offset: usize, word: String, message: String, help: Option<String>) {
        let place = self.faults.within(self.place(), offset, &word);
        self.add(place, word, message, help);
    }

    /// The place of this value.
    pub(super) fn place(&self) -> Place {
        self.tree.place
    }

    /// The value as it was written, if it is a scalar.
    pub(super) fn word(&self) -> String {
        match self.value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => String::new(),
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
        let tree = |at: usize| self.tree.items.get(at).unwrap_or(&UNKNOWN);
        let node = |(at, value)| Self { value, tree: tree(at), key: None, faults: self.faults };
        Some(items.iter().enumerate().map(node).collect())
    }

    /// The entries of a map, whatever their keys; those that `<<` merges into it come after its own.
    pub(super) fn entries(&self) -> Option<Vec<(String, Self)>> {
        let Value::Mapping(map) = self.value else {
            self.fault(format!("this must be a map of keys and values, and it is {}", self.kind()), None);
            return None;
        };
        let mut entries = Vec::new();
        let mut merged = Vec::new();
        for (key, value) in map {
            let Value::String(name) = key else {
                let word = Self { value: key, ..self.clone() }.word();
                self.fault(format!("keys must be text, and one is `{word}`"), "put it in quotes".to_string());
                continue;
            };
            let (place, tree) = match self.tree.entries.get(name) {
                Some((place, tree)) => (*place, tree),
                None => (self.place(), &*UNKNOWN),
            };
            let node = Self { value, tree, key: Some((name, place)), faults: self.faults };
            if name == MERGE {
                merged = node.merged()?;
            } else {
                entries.push((name.clone(), node));
            }
        }
        for (name, node) in merged {
            // a map's own keys win, then those of the first map that is merged
            if entries.iter().all(|(known, _)| *known != name) {
                entries.push((name, node));
            }
        }
        Some(entries)
    }

    /// What `<<: *shared` or `<<: [*first, *second]` stands for.
    fn merged(&self) -> Option<Vec<(String, Self)>> {
        match self.value {
            Value::Mapping(_) => self.entries(),
            Value::Sequence(_) => {
                let maps: Option<Vec<_>> = self.items()?.iter().map(Self::entries).collect();
                Some(maps?.into_iter().flatten().collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Tagged(_) => {
                let help = "write `<<: *NAME`, where `&NAME` stands before the shared map".to_string();
                self.fault(format!("`<<` merges a map into this one, and it is {}", self.kind()), help);
                None
            }
        }
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

    /// Reports that a key is missing from this map; always None.
    pub(super) fn missing<T>(&self, key: &str, example: &str) -> Option<T> {
        let help = format!("add it, for example `{key}: {example}`");
        self.fault_within(0, String::new(), format!("`{key}` is missing here"), Some(help));
        None
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
        self.get(key).or_else(|| self.node.missing(key, example))
    }
}

/// The key that merges shared maps (YAML 1.1, <https://yaml.org/type/merge.html>).
const MERGE: &str = "<<";

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
    // no name is so long, and to compare it would take long
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase();
    let likeness = |name: &&str| strsim::jaro_winkler(&word, &name.to_lowercase());
    let best = known.iter().map(|name| (likeness(name), *name)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > 0.75).map(|(_, name)| name)
}
