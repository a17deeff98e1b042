//! The maps of a spec as tables. A row says everything about a key: its name, what it means, which values it takes,
//! and whether it is needed, has a default, or may be left out. The reader, the JSON Schema and the manual's page of
//! keys all read the row, so a new key is one row and the code that uses its value.
//!
//! ```text
//! table! {
//!     /// The map `phantom`.
//!     Phantom {
//!         studies: usize = needed("Number of studies.", whole(20, 100_000), "900"),
//!         seed: u64 = usual("Seed of the generator.", whole(0, u64::MAX), 0),
//!         views: Option<Views> = optional("Which views are read.", word("choice of views", &VIEWS)),
//!     }
//! }
//! ```

use std::borrow::Cow;

use serde_json::Value as Json;

use super::node::{Map, Node};
use super::schema::parts;
pub(super) use super::takes::{Own, Real, Sha256, Takes, Truth, Writes, own, path, real, text, whole, word};

/// Says in a line what an attack or a check is, by its name.
pub(super) type About<'a> = &'a dyn Fn(&str) -> String;

/// A row of a table.
pub(super) trait Row {
    /// What the key's value is read as.
    type Value;

    /// The value of the key in a map.
    fn entry<'a>(&self, map: &Map<'a>, key: &str) -> Entry<'a, Self::Value>;

    /// The schema of its values.
    fn schema(&self, about: About<'_>) -> Json;

    /// Whether every map has the key.
    fn is_needed(&self) -> bool;
}

/// A key of a map that was read.
pub(super) struct Entry<'a, T> {
    /// Where the spec gives it; None where it does not.
    pub(super) node: Option<Node<'a>>,
    /// Its value, or the default; None after a fault, which has been reported.
    pub(super) value: Option<T>,
}

impl<T> Entry<'_, T> {
    /// Whether the spec gives it.
    pub(super) fn is_given(&self) -> bool {
        self.node.is_some()
    }
}

/// A key that every map has.
pub(super) struct Needed<K> {
    about: &'static str,
    takes: K,
    example: &'static str,
}

/// A key that every map has. The example follows `key:` in the message where it is missing.
pub(super) fn needed<K: Takes>(about: &'static str, takes: K, example: &'static str) -> Needed<K> {
    Needed { about, takes, example }
}

impl<K: Takes> Row for Needed<K> {
    type Value = K::Value;

    fn entry<'a>(&self, map: &Map<'a>, key: &str) -> Entry<'a, K::Value> {
        let node = map.need(key, self.example);
        Entry { value: node.as_ref().and_then(|node| self.takes.read(node)), node }
    }

    fn schema(&self, _: About<'_>) -> Json {
        self.takes.schema(self.about)
    }

    fn is_needed(&self) -> bool {
        true
    }
}

/// A key with a default.
pub(super) struct Usual<K: Takes> {
    about: &'static str,
    takes: K,
    default: K::Value,
}

/// A key with a default.
pub(super) fn usual<K: Writes>(about: &'static str, takes: K, usual: K::Value) -> Usual<K> {
    Usual { about, takes, default: usual }
}

impl<K: Writes> Row for Usual<K>
where
    K::Value: Clone,
{
    type Value = K::Value;

    fn entry<'a>(&self, map: &Map<'a>, key: &str) -> Entry<'a, K::Value> {
        let node = map.get(key);
        let value = node.as_ref().map_or_else(|| Some(self.default.clone()), |node| self.takes.read(node));
        Entry { node, value }
    }

    fn schema(&self, _: About<'_>) -> Json {
        let mut schema = self.takes.schema(self.about);
        schema["default"] = self.takes.written(&self.default);
        schema
    }

    fn is_needed(&self) -> bool {
        false
    }
}

/// A key that may be left out.
pub(super) struct Optional<K> {
    about: &'static str,
    takes: K,
}

/// A key that may be left out; its value is None then.
pub(super) fn optional<K: Takes>(about: &'static str, takes: K) -> Optional<K> {
    Optional { about, takes }
}

impl<K: Takes> Row for Optional<K> {
    type Value = Option<K::Value>;

    fn entry<'a>(&self, map: &Map<'a>, key: &str) -> Entry<'a, Option<K::Value>> {
        let node = map.get(key);
        let value = match &node {
            None => Some(None),
            Some(node) => self.takes.read(node).map(Some),
        };
        Entry { node, value }
    }

    fn schema(&self, _: About<'_>) -> Json {
        self.takes.schema(self.about)
    }

    fn is_needed(&self) -> bool {
        false
    }
}

/// A key whose value its table's reader reads, since that takes more than the value: names, or the map's other keys.
pub(super) struct Block {
    about: &'static str,
    schema: fn(&str, About<'_>) -> Json,
    need: Need,
}

/// Whether every map has a block.
enum Need {
    /// It may be left out, or is needed only beside some other key.
    No,
    /// It has it, such as this.
    Such(&'static str),
    /// It has it, and the table's reader reports where it is missing.
    Reported,
}

/// A block that may be left out, or that is needed only beside some other key. `schema` describes it.
pub(super) fn block(about: &'static str, schema: fn(&str, About<'_>) -> Json) -> Block {
    Block { about, schema, need: Need::No }
}

/// A block that every map has, such as the example.
pub(super) fn needed_block(
    about: &'static str,
    schema: fn(&str, About<'_>) -> Json,
    example: &'static str,
) -> Block {
    Block { about, schema, need: Need::Such(example) }
}

/// A block that every map has; the table's reader reports where it is missing, in words of its own.
pub(super) fn expected_block(about: &'static str, schema: fn(&str, About<'_>) -> Json) -> Block {
    Block { about, schema, need: Need::Reported }
}

impl Row for Block {
    type Value = ();

    fn entry<'a>(&self, map: &Map<'a>, key: &str) -> Entry<'a, ()> {
        let node = match self.need {
            Need::Such(example) => map.need(key, example),
            Need::No | Need::Reported => map.get(key),
        };
        Entry { node, value: Some(()) }
    }

    fn schema(&self, about: About<'_>) -> Json {
        (self.schema)(self.about, about)
    }

    fn is_needed(&self) -> bool {
        match self.need {
            Need::No => false,
            Need::Such(_) | Need::Reported => true,
        }
    }
}

/// One of the things that a map of one key chooses from: `{phantom: …}`.
pub(super) struct Choice<R> {
    /// The key.
    pub(super) name: &'static str,
    /// What it is.
    pub(super) about: Cow<'static, str>,
    /// The schema of the value behind the key.
    pub(super) schema: fn(About<'_>) -> Json,
    /// What reads the value behind the key.
    pub(super) read: R,
}

impl<R> Choice<R> {
    /// What a map chooses, and the value behind its key; None after a fault.
    pub(super) fn of<'c, 'a>(node: &Node<'a>, what: &str, all: &'c [Self]) -> Option<(&'c Self, Node<'a>)> {
        let names: Vec<&str> = all.iter().map(|choice| choice.name).collect();
        let (name, node) = node.choice(what, &names)?;
        Some((all.iter().find(|choice| choice.name == name)?, node))
    }

    /// The schema of such a map.
    pub(super) fn schema(all: &[Self], about: About<'_>) -> Json {
        let of = |choice: &Self| (choice.name, parts::described((choice.schema)(about), &choice.about));
        parts::choice(all.iter().map(of))
    }
}

/// A row whose values are read as this type.
pub(super) fn row_of<V, R: Row<Value = V>>(row: R) -> R {
    row
}

/// The key of a row. One that is also a word of Rust is written with `r#` before it.
pub(super) fn key(written: &'static str) -> &'static str {
    written.strip_prefix("r#").unwrap_or(written)
}

/// The rows of a table as the schema lists them: each key, its schema, and whether every map has it.
pub(super) type Listed = Vec<(&'static str, Json, bool)>;

/// Declares the table of a map: a struct with an [`Entry`] for each key, its reader and its schema. `..name: Table`
/// after the rows adds those of another table, which several share.
macro_rules! table {
    (
        $(#[doc = $doc:literal])+
        $table:ident {
            $($key:ident: $value:ty = $row:expr,)+
            $(..$shared:ident: $from:ident,)*
        }
    ) => {
        $(#[doc = $doc])+
        pub(in crate::spec) struct $table<'a> {
            $(pub(in crate::spec) $key: $crate::spec::table::Entry<'a, $value>,)+
            $(pub(in crate::spec) $shared: $from<'a>,)*
        }

        impl<'a> $table<'a> {
            /// Every key.
            pub(in crate::spec) fn keys() -> Vec<&'static str> {
                #[allow(unused_mut)]
                let mut keys = vec![$($crate::spec::table::key(stringify!($key))),+];
                $(keys.extend($from::keys());)*
                keys
            }

            /// The entries of a map whose keys were checked; faults of values are reported.
            pub(in crate::spec) fn of(map: &$crate::spec::node::Map<'a>) -> Self {
                Self {
                    $($key: $crate::spec::table::Row::entry(
                        &$crate::spec::table::row_of::<$value, _>($row), map, $crate::spec::table::key(stringify!($key)),
                    ),)+
                    $($shared: $from::of(map),)*
                }
            }

            /// Reads a map and reports its faults; None if it is no map.
            #[allow(dead_code)]
            pub(in crate::spec) fn read(node: &$crate::spec::node::Node<'a>) -> Option<Self> {
                Some(Self::of(&node.map(&Self::keys())?))
            }

            /// Every row, for the schema.
            pub(in crate::spec) fn rows(about: $crate::spec::table::About<'_>) -> $crate::spec::table::Listed {
                #[allow(unused_mut)]
                let mut rows = vec![$({
                    let row = $crate::spec::table::row_of::<$value, _>($row);
                    let schema = $crate::spec::table::Row::schema(&row, about);
                    ($crate::spec::table::key(stringify!($key)), schema, $crate::spec::table::Row::is_needed(&row))
                }),+];
                $(rows.extend($from::rows(about));)*
                rows
            }

            /// The schema of the map.
            #[allow(dead_code)]
            pub(in crate::spec) fn schema(about: $crate::spec::table::About<'_>) -> serde_json::Value {
                $crate::spec::schema::parts::object($table::rows(about))
            }
        }
    };
}

pub(super) use table;
