//! Where each key and value of a YAML document is, found in one pass.
//!
//! `serde_yaml` tells a place only with an error. So each scalar is answered with an error, whose place is kept, and the
//! pass goes on: a scalar has been consumed when its visitor fails. A map or list begins before its first entry; its
//! bracket or dash is looked up in the text.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::Place;

/// A spec has some hundreds of keys and values. The limits hold after aliases have been followed, so that a page of
/// aliases cannot fill the memory.
const MOST_NODES: usize = 20_000;
const MOST_SCALAR_BYTES: usize = 4 << 20;
/// `serde_yaml` writes the keys that lead to a value into each error; longer ones would take minutes.
const MOST_KEY_BYTES: usize = 256;

/// A value's place, and those of what is in it.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) place: Place,
    /// Of a map: the place of each key, and its value's tree.
    pub(super) entries: HashMap<String, (Place, Tree)>,
    /// Of a list.
    pub(super) items: Vec<Tree>,
}

impl Tree {
    /// The places of a document.
    pub(super) fn of(text: &str) -> Result<Self, serde_yaml::Error> {
        let pass = Pass {
            lines: text.lines().map(|line| line.chars().collect()).collect(),
            nodes: Cell::new(0),
            bytes: Cell::new(0),
            latest: Cell::new(Place { line: 1, column: 1 }),
        };
        Value { pass: &pass }.deserialize(serde_yaml::Deserializer::from_str(text))
    }
}

struct Pass {
    lines: Vec<Vec<char>>,
    nodes: Cell<usize>,
    bytes: Cell<usize>,
    /// The place of the scalar that was read last.
    latest: Cell<Place>,
}

impl Pass {
    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        self.nodes.set(self.nodes.get() + 1);
        if self.nodes.get() > MOST_NODES {
            return Err(E::custom(format_args!("more than {MOST_NODES} keys and values")));
        }
        if self.bytes.get() > MOST_SCALAR_BYTES {
            return Err(E::custom(format_args!(
                "more than {MOST_SCALAR_BYTES} bytes of text, aliases followed"
            )));
        }
        Ok(())
    }

    /// The bracket or dash before the first entry of a list or map, or the entry itself where nothing stands before it.
    fn start(&self, first: Place, openers: &[char]) -> Place {
        let (mut line, mut column) = (first.line.saturating_sub(1), first.column.saturating_sub(1));
        loop {
            let before = self.lines.get(line).map_or(&[][..], |line| &line[..column.min(line.len())]);
            match before.iter().rposition(|c| !c.is_whitespace()) {
                Some(at) if openers.contains(&before[at]) => return Place { line: line + 1, column: at + 1 },
                Some(_) => return first,
                None if line == 0 => return first,
                None => {
                    line -= 1;
                    column = usize::MAX;
                }
            }
        }
    }

    /// The brackets of an empty list or map, after the scalar that was read last.
    fn empty(&self, opener: char) -> Place {
        let Place { line, column } = self.latest.get();
        let lines = self.lines.iter().enumerate().skip(line.saturating_sub(1));
        for (number, chars) in lines {
            let from = if number + 1 == line { column } else { 0 };
            let found = chars.iter().skip(from).position(|c| *c == opener);
            if let Some(at) = found {
                let place = Place { line: number + 1, column: from + at + 1 };
                self.latest.set(place);
                return place;
            }
        }
        self.latest.get()
    }
}

/// Reads a value's tree.
#[derive(Clone, Copy)]
struct Value<'p> {
    pass: &'p Pass,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        self.pass.count()?;
        let scalar = RefCell::new(None);
        match deserializer.deserialize_any(Shape { pass: self.pass, scalar: &scalar }) {
            Err(error) if scalar.borrow().is_some() => {
                let place = place_of(&error);
                self.pass.latest.set(place);
                Ok(Tree { place, ..Tree::default() })
            }
            other => other,
        }
    }
}

/// Reads a key, as text, with its place.
struct Key<'p> {
    pass: &'p Pass,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = (String, Place);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(String, Place), D::Error> {
        self.pass.count()?;
        let scalar = RefCell::new(None);
        match deserializer.deserialize_any(Shape { pass: self.pass, scalar: &scalar }) {
            Ok(tree) => Ok((String::new(), tree.place)),
            Err(error) => match scalar.take() {
                Some(key) if key.len() > MOST_KEY_BYTES => {
                    Err(D::Error::custom(format_args!("a key of more than {MOST_KEY_BYTES} bytes")))
                }
                Some(key) => {
                    let place = place_of(&error);
                    self.pass.latest.set(place);
                    Ok((key, place))
                }
                None => Err(error),
            },
        }
    }
}

/// The place at the end of an error's text: behind serde's trait, an error of `serde_yaml` shows it nowhere else. It names
/// none at the very beginning.
fn place_of(error: &impl fmt::Display) -> Place {
    let text = error.to_string();
    let place = text.rsplit_once(" at line ").and_then(|(_, place)| {
        let (line, column) = place.split_once(" column ")?;
        Some(Place { line: line.parse().ok()?, column: column.parse().ok()? })
    });
    place.unwrap_or(Place { line: 1, column: 1 })
}

/// Walks through maps and lists, and fails on a scalar, whose text it leaves behind.
struct Shape<'p> {
    pass: &'p Pass,
    scalar: &'p RefCell<Option<String>>,
}

impl Shape<'_> {
    fn scalar<E: serde::de::Error>(&self, text: impl fmt::Display) -> Result<Tree, E> {
        let text = text.to_string();
        self.pass.bytes.set(self.pass.bytes.get() + text.len());
        *self.scalar.borrow_mut() = Some(text);
        Err(E::custom("here"))
    }
}

impl<'de> Visitor<'de> for Shape<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut tree = Tree::default();
        let mut first = None;
        while let Some((key, place)) = map.next_key_seed(Key { pass: self.pass })? {
            first.get_or_insert(place);
            let value = map.next_value_seed(Value { pass: self.pass })?;
            tree.entries.insert(key, (place, value));
        }
        tree.place = first.map_or_else(|| self.pass.empty('{'), |first| self.pass.start(first, &['{']));
        Ok(tree)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut tree = Tree::default();
        while let Some(item) = items.next_element_seed(Value { pass: self.pass })? {
            tree.items.push(item);
        }
        let first = tree.items.first().map(|item| item.place);
        tree.place = first.map_or_else(|| self.pass.empty('['), |first| self.pass.start(first, &['[', '-']));
        Ok(tree)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Tree, A::Error> {
        let (_, content) = tagged.variant::<String>()?;
        content.newtype_variant_seed(Value { pass: self.pass })
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Tree, E> {
        self.scalar(text)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Tree, E> {
        self.scalar(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Tree, E> {
        self.scalar(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Tree, E> {
        self.scalar(value)
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Tree, E> {
        self.scalar(value)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Tree, E> {
        self.scalar(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree, E> {
        self.scalar(value)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Tree, E> {
        self.scalar("")
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Tree, E> {
        self.scalar("")
    }
}
