//! Whether what is printed is coloured: `--color`, then `NO_COLOR` (no-color.org), `CLICOLOR_FORCE` and `CLICOLOR`
//! (bixense.com/clicolors), then whether it is a terminal that can.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU8, Ordering};

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
