//! Text from data, specs, evidence and file names, made harmless for each medium: what a terminal would obey, what
//! reorders or hides letters (Boucher and Anderson, Trojan Source, USENIX Security 2023, arXiv 2111.00169; Unicode
//! UAX 9), what a runner takes for a command (GitHub's workflow commands: a line that begins with `::`, and `##[`
//! anywhere), and what Markdown and XML 1.0 give a meaning. What was changed is seen: U+FFFD stands there.
//!
//! HTML is escaped by its templates, and no format is a CSV file.

use std::fmt::Write;

/// What stands where something could not stay.
const GONE: char = '\u{fffd}';

/// Whether a character acts on the others or cannot be seen.
fn is_hidden(c: char) -> bool {
    let acts = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    c.is_control() || acts || u32::from(c) & 0xfffe == 0xfffe
}

/// One line that shows what is there, and that neither a terminal nor a runner obeys, wherever it is wrapped. It has as
/// many characters as before.
pub fn plain(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    // whether a word begins here, and the character before
    let (mut begins, mut before) = (true, ' ');
    for c in text.chars() {
        let commands = (c == ':' && before == ':' && begins) || (c == '#' && before == '#');
        told.push(if is_hidden(c) || commands { GONE } else { c });
        begins = c.is_whitespace() || is_hidden(c) || (begins && c == ':' && before != ':');
        before = c;
    }
    told
}

/// The same for a text of several lines, which stay apart.
pub fn lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// A page whose markup gives the rest its meaning: what acts or hides is seen, and nothing else is changed but tabs, which
/// are spaces.
pub fn shown(page: &str) -> String {
    let shown = |c| match c {
        '\n' => c,
        '\t' => ' ',
        c if is_hidden(c) => GONE,
        c => c,
    };
    page.chars().map(shown).collect()
}

/// Markdown (GitHub's) that shows the text within a line or a table's cell: no markup, no HTML, no mention, no
/// reference to an issue and no link.
pub fn markdown(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let chars: Vec<char> = plain(text).chars().collect();
    for (place, &c) in chars.iter().enumerate() {
        match c {
            '<' => told.push_str("&lt;"),
            '>' => told.push_str("&gt;"),
            '&' => told.push_str("&amp;"),
            // a dollar sign may begin a formula, and a space without width keeps the others from what follows
            '$' => told.push_str("&#36;"),
            '@' => told.push_str("@&#8203;"),
            '#' => told.push_str("\\#&#8203;"),
            ':' if chars.get(place + 1) == Some(&'/') => told.push_str(":&#8203;"),
            '.' if place >= 3 && chars[place - 3..place].iter().all(|c| c.eq_ignore_ascii_case(&'w')) => {
                told.push_str("&#8203;.");
            }
            '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '|' | '!' => told.extend(['\\', c]),
            // what begins a list, a heading, or a spreadsheet's formula
            '=' | '+' | '-' if place == 0 => told.extend(['\\', c]),
            c => told.push(c),
        }
    }
    told
}

/// The message of a workflow command, of several lines.
pub fn message(text: &str) -> String {
    lines(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a workflow command's property.
pub fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

/// JSON of the same value, in which nothing acts on a terminal or a runner. Such characters stand in strings alone,
/// where an escape means the same.
pub fn json(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        if (is_hidden(c) && c != '\n') || (c == '#' && before == '#') {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // a string takes whatever is written to it
                let _ = write!(told, "\\u{unit:04x}");
            }
        } else {
            told.push(c);
        }
        before = c;
    }
    told
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_acts_is_shown_as_gone() {
        assert_eq!(
            plain("a\u{1b}[31mb\u{202e}c\r\n\u{9b}2J"),
            "a\u{fffd}[31mb\u{fffd}c\u{fffd}\u{fffd}\u{fffd}2J"
        );
        assert_eq!(
            plain("::error::x and ::y, std::fmt, 1::2"),
            ":\u{fffd}error::x and :\u{fffd}y, std::fmt, 1::2"
        );
        assert_eq!(plain("##[add-mask]x"), "#\u{fffd}[add-mask]x");
        assert_eq!(plain("ε≤0.1 − 2 %, Ärztin, عربي"), "ε≤0.1 − 2 %, Ärztin, عربي");
    }

    #[test]
    fn markdown_shows_the_text_and_nothing_else() {
        assert_eq!(markdown("=cmd|' /C calc'!A0"), "\\=cmd\\|' /C calc'\\!A0");
        assert_eq!(markdown("<b> @all #1 `x` se_net"), "&lt;b&gt; @&#8203;all \\#&#8203;1 \\`x\\` se\\_net");
        assert_eq!(markdown("http://a www.b 90.5"), "http:&#8203;//a www&#8203;.b 90.5");
    }

    #[test]
    fn a_workflow_command_ends_where_it_ends() {
        assert_eq!(message("100%\n::error::x"), "100%25%0A:\u{fffd}error::x");
        assert_eq!(property("a,b: c\n"), "a%2Cb%3A c%0A");
    }

    proptest! {
        #[test]
        fn json_keeps_its_value(text in "[\\PC\u{202e}\u{9b}\u{feff}#\n\u{e0001}]{0,40}") {
            let written = serde_json::to_string_pretty(&[&text]).expect("JSON");
            let told = json(&written);
            prop_assert!(!told.contains("##") && told.chars().all(|c| c == '\n' || !is_hidden(c)), "{}", told);
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&told).expect("JSON"), vec![text]);
        }

        #[test]
        fn a_line_keeps_its_length_and_begins_no_command(text in "[ :#a\u{a0}\u{1b}\r\n\u{202e}]{0,12}") {
            let told = plain(&text);
            prop_assert_eq!(told.chars().count(), text.chars().count());
            prop_assert!(told.split(char::is_whitespace).all(|word| !word.starts_with("::")), "{:?}", told);
            prop_assert!(!told.contains("##") && told.chars().all(|c| !is_hidden(c)), "{:?}", told);
            prop_assert_eq!(plain(&told), told);
        }
    }
}
