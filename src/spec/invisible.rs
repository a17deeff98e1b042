//! Characters that look like a space or like nothing; word processors and web pages put them into copied text.

/// What a character is called, if it is one of them.
pub(super) fn name(c: char) -> Option<&'static str> {
    match c {
        '\u{a0}' => Some("no-break space"),
        '\u{ad}' => Some("soft hyphen"),
        '\u{2007}' => Some("figure space"),
        '\u{200b}' => Some("zero-width space"),
        '\u{200c}' => Some("zero-width non-joiner"),
        '\u{200d}' => Some("zero-width joiner"),
        '\u{202f}' => Some("narrow no-break space"),
        '\u{2060}' => Some("word joiner"),
        '\u{feff}' => Some("byte-order mark"),
        _ => None,
    }
}

/// The character as a sentence reads it: those that cannot be seen are spaces.
pub(super) fn as_space(c: char) -> char {
    if name(c).is_some() { ' ' } else { c }
}

/// A hint that a line holds one of them, with its column.
pub(super) fn hint(line: &str) -> Option<String> {
    let (at, c, name) = line.chars().enumerate().find_map(|(at, c)| name(c).map(|name| (at, c, name)))?;
    let code = u32::from(c);
    Some(format!(
        "column {} holds a {name} (U+{code:04X}), which cannot be seen; type a space or nothing",
        at + 1
    ))
}
