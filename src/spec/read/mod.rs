//! From YAML to a [`Spec`].

pub(super) mod checks;
mod data;
mod defend;
mod device;
mod grid;
mod harm;
mod masks;
mod model_classes;
mod model_expectations;
mod model_findings;
pub(super) mod models;
mod naming;
mod product;
mod root;
pub(super) mod sentences;
mod split;
pub(super) mod threats;

use std::path::Path;

use serde_yaml::Value;

use super::invisible;
use super::node::{Faults, Node};
use super::place::Tree;
use super::{Diagnostic, Diagnostics, Place, Spec};
use crate::{Error, Result};
pub(super) use root::Root;

/// A spec is a page; a file larger than this is none.
const MOST_BYTES: u64 = 1 << 20;

/// Reads and checks a spec file.
///
/// # Errors
/// The file cannot be read, or has faults (all are reported together).
pub fn read(path: &Path) -> Result<Spec> {
    let remedy = "name a spec, such as specs/fusion.yaml";
    let failed = |why: std::io::Error| match Error::unreadable(path, &why, remedy) {
        Error::Input(message) => Error::Usage(message),
        other => other,
    };
    let text = crate::files::bounded_text(path, MOST_BYTES).map_err(failed)?;
    parse(path, &text).map_err(Error::Spec)
}

/// Checks the text of a spec; `path` is for its messages and for relative paths.
///
/// # Errors
/// Every fault of the text.
pub fn parse(path: &Path, text: &str) -> std::result::Result<Spec, Diagnostics> {
    // editors on Windows put a byte-order mark before a text
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let refuse = |mut faults: Vec<Diagnostic>| {
        name_invisible(text, &mut faults);
        Diagnostics { path: path.to_path_buf(), text: text.to_string(), faults }
    };
    // the places come first: they are refused where aliases would fill the memory
    let tree = Tree::of(text).map_err(|why| refuse(vec![malformed(text, &why)]))?;
    let root: Value = serde_yaml::from_str(text).map_err(|why| refuse(vec![malformed(text, &why)]))?;
    let faults = Faults::new(text);
    let spec = root::read(path, &Node::root(&root, &tree, &faults));
    match spec {
        Some(spec) if faults.is_empty() => Ok(spec),
        Some(_) | None => Err(refuse(faults.in_order())),
    }
}

/// Adds to each fault that its line holds a character that cannot be seen: it may be all that is wrong.
fn name_invisible(text: &str, faults: &mut [Diagnostic]) {
    let lines: Vec<&str> = text.lines().collect();
    for fault in faults {
        let line = lines.get(fault.place.line.saturating_sub(1)).copied().unwrap_or_default();
        if let Some(hint) = invisible::hint(line) {
            let help = fault.help.take().map_or(hint.clone(), |help| format!("{help}; {hint}"));
            fault.help = Some(help);
        }
    }
}

/// What the YAML reader says of text that is no YAML, or more than a spec may hold.
fn malformed(text: &str, why: &serde_yaml::Error) -> Diagnostic {
    let place = why
        .location()
        .map_or(Place { line: 1, column: 1 }, |at| Place { line: at.line(), column: at.column() });
    let message = why.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    // a limit names the path to where it was reached, which says nothing
    let message = message.find("more than").map_or(message, |at| &message[at..]);
    let lines: Vec<&str> = text.lines().take(place.line).collect();
    let line = lines.last().copied().unwrap_or_default();
    let is_limit = message.contains("more than") || message.contains("limit exceeded");
    let hidden = lines.iter().enumerate().rev().find_map(|(at, line)| Some((at + 1, invisible::hint(line)?)));
    let help = if line.contains('\t') {
        "YAML is indented with spaces; replace the tab"
    } else if message.contains("duplicate") {
        "a key may appear only once; remove one of the two"
    } else if message.contains("recursion limit") {
        "a spec nests maps and lists at most 128 deep"
    } else if is_limit {
        "a spec is a page or two; is this a spec, and do its aliases (`*NAME`) lead where they should?"
    } else {
        "check the indentation, the brackets and the quotes up to here; a text that holds `: ` needs quotes"
    };
    Diagnostic {
        place,
        word: String::new(),
        message: format!("this is no {}: {message}", if is_limit { "spec" } else { "YAML" }),
        help: Some(match hidden {
            // that of its own line is named for every fault
            Some((at, hint)) if at < place.line => format!("{help}; in line {at}, {hint}"),
            Some(_) | None => help.to_string(),
        }),
    }
}
