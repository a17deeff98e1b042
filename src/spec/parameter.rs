//! The parameters of attacks: what a sentence writes as `steps=20`, and the block `threats` as `steps: 20`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::AttackLoss;

/// A parameter of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its key, in sentences and in `threats`.
    pub key: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Which values it takes.
    pub takes: Takes,
}

/// The values that a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A whole number from the least to the most.
    Count {
        /// The least with which the attack can act at all.
        least: u32,
        /// The most that a spec may ask for.
        most: u32,
    },
    /// What a gradient attack raises.
    Loss,
    /// A model of the spec that reads images alone; there is no default.
    Model,
}

/// The value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    Count(u32),
    /// What a gradient attack raises.
    Loss(AttackLoss),
    /// A model.
    Model(Referent),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Loss(loss) => f.write_str(loss.name()),
            Self::Model(model) => f.write_str(model.name()),
        }
    }
}

/// A type of a parameter's value.
pub(super) trait Setting: Copy {
    /// As a value.
    fn value(self) -> Value;
    /// The value, if it is of this type.
    fn of(value: Value) -> Option<Self>;
    /// How often it multiplies the work of an attack; 0 where it does not.
    fn times(self) -> u64;
}

impl Setting for u32 {
    fn value(self) -> Value {
        Value::Count(self)
    }

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Count(count) => Some(count),
            Value::Loss(_) | Value::Model(_) => None,
        }
    }

    fn times(self) -> u64 {
        u64::from(self)
    }
}

impl Setting for AttackLoss {
    fn value(self) -> Value {
        Value::Loss(self)
    }

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Loss(loss) => Some(loss),
            Value::Count(_) | Value::Model(_) => None,
        }
    }

    fn times(self) -> u64 {
        0
    }
}

impl Setting for Referent {
    fn value(self) -> Value {
        Value::Model(self)
    }

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Model(model) => Some(model),
            Value::Count(_) | Value::Loss(_) => None,
        }
    }

    fn times(self) -> u64 {
        0
    }
}

/// A model or mask that an attack names: its name in the spec, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Referent {
    name: &'static str,
    /// Its place among the spec's models or masks, from 0.
    pub place: usize,
}

/// The names that attacks refer to. Attacks are small values that are copied, so they hold names for ever; a spec
/// has few, and each is kept once.
static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

impl Referent {
    /// No model: the default of a parameter that every spec has to give.
    pub const UNNAMED: Self = Self { name: "", place: usize::MAX };

    /// What has a name, at its place in the spec.
    pub fn new(name: &str, place: usize) -> Self {
        // a set of names is whole whenever the lock is free, whoever panicked
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        let known = names.get(name).copied();
        let name = known.unwrap_or_else(|| {
            let kept: &'static str = Box::leak(name.into());
            names.insert(kept);
            kept
        });
        Self { name, place }
    }

    /// Its name in the spec.
    pub fn name(self) -> &'static str {
        self.name
    }
}
