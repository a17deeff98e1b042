//! The words of specs and results that no file of their own explains: exit codes, and what a sentence may say
//! besides; from the comments where they are defined.

/// The file whose head lists the exit codes.
const ERROR: &str = include_str!("../../error.rs");

/// The exit codes.
pub(super) const EXITS: [&str; 7] = ["0", "1", "2", "3", "4", "5", "101"];

/// An exit code, as the head of the errors lists it.
pub(super) fn of_exit(code: &str) -> Option<String> {
    let head: String = super::text(ERROR);
    let item = format!("- {code}: ");
    let mut lines = head.lines().skip_while(|line| !line.starts_with(&item));
    let first = lines.next()?.strip_prefix(&item)?.to_string() + "\n";
    Some(lines.map_while(|line| line.strip_prefix("  ")).fold(first, |text, line| text + line + "\n"))
}
