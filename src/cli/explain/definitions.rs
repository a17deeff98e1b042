//! The words of specs and results that no file of their own explains: exit codes, and what a sentence may say
//! besides; from the comments where they are defined.

use crate::report::verdict_text::comment as doc;

/// Where each kind of word is defined.
const ABSENCE: &str = include_str!("../../spec/threat.rs");
const MODE: &str = include_str!("../../spec/edit.rs");
const CORRUPTION: &str = include_str!("../../spec/corruption.rs");
const SEARCH: &str = include_str!("../../spec/pixels.rs");
const ERROR: &str = include_str!("../../error.rs");

/// The exit codes.
pub(super) const EXITS: [&str; 7] = ["0", "1", "2", "3", "4", "5", "101"];

/// What stands for an input that is absent.
pub(super) fn of_absence(variant: &str) -> Option<String> {
    doc(ABSENCE.split_once("pub enum Absence")?.1, variant)
}

/// A mode of attacks on words.
pub(super) fn of_mode(variant: &str) -> Option<String> {
    doc(MODE.split_once("pub enum Mode")?.1, variant)
}

/// In a line, what an attack does, by its name in the source.
pub(super) fn of_attack(variant: &str) -> Option<String> {
    [CORRUPTION, MODE, SEARCH, ABSENCE].iter().find_map(|source| doc(source, variant))
}

/// An exit code, as the head of the errors lists it.
pub(super) fn of_exit(code: &str) -> Option<String> {
    let head: String = super::text(ERROR);
    let item = format!("- {code}: ");
    let mut lines = head.lines().skip_while(|line| !line.starts_with(&item));
    let first = lines.next()?.strip_prefix(&item)?.to_string() + "\n";
    Some(lines.map_while(|line| line.strip_prefix("  ")).fold(first, |text, line| text + line + "\n"))
}
