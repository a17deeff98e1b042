//! Text that is a part of a longer one. The identifiers and reports of millions of studies are parts of their table, so
//! that a study needs no memory of its own for each.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A part of a text that others share, or a text of its own.
#[derive(Clone, Default)]
pub struct SharedText {
    /// None where it is empty, as most sections of a report are.
    whole: Option<Arc<String>>,
    start: u32,
    end: u32,
}

impl SharedText {
    /// A part of `whole`; empty if `part` is no range of its letters.
    pub(super) fn part(whole: &Arc<String>, part: Range<u32>) -> Self {
        match whole.get(part.start as usize..part.end as usize) {
            None | Some("") => Self::default(),
            Some(_) => Self { whole: Some(Arc::clone(whole)), start: part.start, end: part.end },
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let whole = self.whole.as_ref().map_or("", |whole| whole.as_str());
        whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        let end = text.len() as u32; // files are read up to sizes far below 4 GiB
        Self::part(&Arc::new(text), 0..end)
    }
}

impl From<&str> for SharedText {
    fn from(text: &str) -> Self {
        text.to_string().into()
    }
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for SharedText {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for SharedText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for SharedText {}

impl PartialEq<str> for SharedText {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for SharedText {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for SharedText {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

// what `Borrow` asks for: the hash of the text
impl Hash for SharedText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
