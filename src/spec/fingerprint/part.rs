//! A part of a spec in writing, from which its digest is taken.

use std::fmt;
use std::path::Path;

use crate::spec::Source;

/// A part in writing: a line a key. The length before each value keeps two values from reading like one.
pub(super) struct Part(String);

impl Part {
    pub(super) fn new(name: &str) -> Self {
        Self(format!("{name}\n"))
    }

    /// All that was put into it.
    pub(super) fn written(self) -> String {
        self.0
    }

    pub(super) fn put(&mut self, key: &str, value: impl fmt::Display) -> &mut Self {
        let value = value.to_string();
        for part in [key, " ", &value.len().to_string(), ":", &value, "\n"] {
            self.0.push_str(part);
        }
        self
    }

    /// A value that may be absent is left out then.
    pub(super) fn maybe(&mut self, key: &str, value: Option<impl fmt::Display>) -> &mut Self {
        match value {
            Some(value) => self.put(key, value),
            None => self,
        }
    }

    pub(super) fn path(&mut self, key: &str, path: &Path) -> &mut Self {
        // a spec has the same digest on every system
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        self.put(key, parts.join("/"))
    }

    pub(super) fn all<T: fmt::Display>(
        &mut self,
        key: &str,
        values: impl IntoIterator<Item = T>,
    ) -> &mut Self {
        for value in values {
            self.put(key, value);
        }
        self
    }

    pub(super) fn source(&mut self, key: &str, source: &Source) -> &mut Self {
        let Source { path, sha256 } = source;
        self.path(key, path).maybe("sha256", sha256.as_ref())
    }
}
