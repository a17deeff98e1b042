//! How text is set on a terminal: its width, its lines, its colours. `--color` decides about colour, then `NO_COLOR`
//! (no-color.org), `CLICOLOR_FORCE` and `CLICOLOR` (bixense.com/clicolors), then whether it is a terminal with colours.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU8, Ordering};

use comfy_table::Table;

use crate::judge::Verdict;

/// No line is longer, however wide the terminal is.
pub(super) const WIDEST: usize = 120;

/// What `--color` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` or `CLICOLOR=0` is set; everywhere if `CLICOLOR_FORCE` is.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// The choice of the process.
static CHOICE: AtomicU8 = AtomicU8::new(0);

/// Makes the choice for everything that is printed from now on.
pub fn choose(color: Color) {
    CHOICE.store(color as u8, Ordering::Relaxed);
}

/// Whether standard output is coloured.
pub fn colors_stdout() -> bool {
    colors(chosen(), &environment, std::io::stdout().is_terminal())
}

/// Whether standard error is coloured.
pub fn colors_stderr() -> bool {
    colors(chosen(), &environment, std::io::stderr().is_terminal())
}

/// Writes a line to standard error. A line that cannot be written is dropped: notes and errors go there, and neither may
/// change the exit code.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn chosen() -> Color {
    let choice = CHOICE.load(Ordering::Relaxed);
    [Color::Always, Color::Never].into_iter().find(|color| *color as u8 == choice).unwrap_or_default()
}

fn environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().to_string())
}

fn colors(color: Color, variable: &dyn Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    let is = |name, value: &str| variable(name).is_some_and(|found| found == value);
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if is_set("NO_COLOR") => false,
        Color::Auto if is_set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") => true,
        Color::Auto => is_terminal && !is("CLICOLOR", "0") && !is("TERM", "dumb"),
    }
}

/// How a text is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Characters in a line.
    pub width: usize,
    /// Whether verdicts are coloured.
    pub color: bool,
}

impl Style {
    /// The style of standard output: its width, and whether it is coloured.
    pub fn of_stdout() -> Self {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
        let width = Table::new().width().filter(|_| is_terminal).map_or(WIDEST, usize::from);
        Self { width, color: colors_stdout() }
    }
}

/// A verdict's colour: green, yellow, red or magenta.
pub(super) fn painted(text: &str, verdict: Verdict, style: Style) -> String {
    if !style.color {
        return text.to_string();
    }
    let code = match verdict {
        Verdict::Pass => "32",
        Verdict::Inconclusive => "33",
        Verdict::Fail => "31",
        Verdict::Suspect | Verdict::Vacuous => "35",
        Verdict::Error => "1;31",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Lines of at most `width` characters, each indented.
pub(crate) fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let margin = " ".repeat(indent);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    // a number and its unit stay together
    let text = text.replace(" %", "\u{a0}%");
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    let whole = lines.iter().map(|line| format!("{margin}{line}")).collect::<Vec<_>>().join("\n");
    whole.replace('\u{a0}', " ")
}

#[cfg(test)]
mod tests {
    use super::{Color, colors};

    #[test]
    fn the_flag_goes_before_the_variables_and_these_before_the_terminal() {
        let of = |color, variables: &[(&str, &str)], is_terminal| {
            let variable = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string())
            };
            colors(color, &variable, is_terminal)
        };
        let auto = Color::Auto;
        assert!(of(auto, &[], true) && !of(auto, &[], false));
        assert!(!of(auto, &[("NO_COLOR", "1")], true) && of(auto, &[("NO_COLOR", "")], true));
        assert!(of(auto, &[("CLICOLOR_FORCE", "1")], false) && !of(auto, &[("CLICOLOR_FORCE", "0")], false));
        assert!(!of(auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true));
        assert!(!of(auto, &[("CLICOLOR", "0")], true) && of(auto, &[("CLICOLOR", "1")], true));
        assert!(of(auto, &[("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")], true));
        assert!(!of(auto, &[("TERM", "dumb")], true));
        assert!(of(Color::Always, &[("NO_COLOR", "1")], false));
        assert!(!of(Color::Never, &[("CLICOLOR_FORCE", "1")], true));
    }
}
