//! `medcert explain NAME`: what an attack is, where it comes from, its defaults and its cost; what a check looks for;
//! what a metric, a verdict or an exit code means. It says what the sources say of themselves.

mod definitions;
mod terms;

use clap::Args;

use super::write_out;
use crate::autopsy::Code;
use crate::judge::Verdict;
use crate::judge::checks::{head as text, source as of_check};
use crate::report::verdict_text::{in_a_line, lines_of_verdict};
use crate::spec::{
    Absence, Check, Corruption, EditKind, ImageSearch, Metric, Mode, OtherAttack, TextSearch, suggest,
};
use crate::{Error, Result};

/// Explain an attack, check, metric, verdict, exit code or term
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Attack (FGSM, motion-blur), check (V1), metric, verdict or exit code (exit-4) [default: list everything]
    name: Vec<String>,
}

impl Explain {
    pub(super) fn run(&self) -> Result<u8> {
        let name = self.name.join("-");
        if name.is_empty() {
            write_out(&list())?;
            return Ok(0);
        }
        let Some(text) = explained(&name) else {
            let names: Vec<String> = kinds().into_iter().flat_map(|(_, names)| names).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let help = suggest(&name, &names);
            let help = if help.starts_with("known") { String::new() } else { format!("{help} ") };
            let name = self.name.join(" ");
            let why =
                format!("`{name}` is nothing that is explained; {help}`medcert explain` lists all of it");
            return Err(Error::Usage(why));
        };
        write_out(&text)?;
        Ok(0)
    }
}

/// In a few lines, what an attack or a check is, for the schema.
pub(super) fn about(name: &str) -> Option<String> {
    if let Some(check) = Check::of_word(name) {
        let head = text(of_check(check));
        let first = head.split("\n\n").next()?;
        return Some(in_a_line(first.split_once(": ").map_or(first, |(_, rest)| rest)));
    }
    Attack::named(name).map(|attack| in_a_line(&attack.about.replace('`', "")))
}

/// Whether a word is one of the terms of reports.
pub(super) fn is_term(word: &str) -> bool {
    terms::names().contains(&word)
}

/// Everything that is explained, by kind.
pub(super) fn kinds() -> Vec<(&'static str, Vec<String>)> {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_string).collect::<Vec<_>>();
    let names = |attacks: Vec<Attack>| attacks.iter().map(|attack| attack.name.to_string()).collect();
    let attacks = attacks().into_iter().map(|(kind, attacks)| (kind, names(attacks)));
    attacks
        .chain([
            (
                "inputs that are absent or another patient's",
                owned(Absence::ALL.iter().map(|absence| absence.name()).collect()),
            ),
            ("modes of attacks on words", owned(Mode::ALL.iter().map(|mode| mode.name()).collect())),
            ("metrics", owned(Metric::words())),
            ("in sentences", owned(vec!["in-every", "no-regression"])),
            ("terms", owned(terms::names())),
            ("verdicts", Verdict::ALL.iter().map(ToString::to_string).collect()),
            ("exit codes", definitions::EXITS.map(|code| format!("exit-{code}")).to_vec()),
            ("checks", Check::ALL.iter().map(|check| check.code().to_string()).collect()),
            ("checks, by name", Check::ALL.iter().map(|check| check.name().to_string()).collect()),
            (
                "what `medcert autopsy` sees in tables",
                Code::ALL.iter().map(|kind| kind.code().to_string()).collect(),
            ),
        ])
        .collect()
}

/// The attacks by what they act on.
fn attacks() -> [(&'static str, Vec<Attack>); 5] {
    let searches = ImageSearch::ALL.iter().map(|search| Attack {
        name: search.name(),
        about: search.about(),
        source: search.facts().source,
    });
    let corruptions = Corruption::ALL.iter().map(|kind| Attack {
        name: kind.name(),
        about: kind.about(),
        source: kind.facts().source,
    });
    let edits = EditKind::ALL.iter().map(|kind| Attack {
        name: kind.name(),
        about: kind.about(),
        source: kind.facts().source,
    });
    let words = TextSearch::ALL.iter().map(|search| Attack {
        name: search.name(),
        about: search.about(),
        source: search.facts().source,
    });
    let other = |attack: OtherAttack| Attack {
        name: attack.name(),
        about: attack.about(),
        source: attack.facts().source,
    };
    let on_pixels = |attack: &OtherAttack| match attack {
        OtherAttack::Patch | OtherAttack::NaivePatch | OtherAttack::Mask => true,
        OtherAttack::Cross => false,
    };
    let (pixels, both): (Vec<OtherAttack>, Vec<OtherAttack>) =
        OtherAttack::ALL.iter().copied().partition(on_pixels);
    [
        ("pixels, searched", searches.chain(pixels.into_iter().map(other)).collect()),
        ("pixels, as in hospitals", corruptions.collect()),
        ("words, at random", edits.collect()),
        ("words, searched", words.collect()),
        ("both at once", both.into_iter().map(other).collect()),
    ]
}

fn list() -> String {
    let group = |(kind, names): (&str, Vec<String>)| {
        let names = crate::report::terminal::wrapped(&names.join(", "), 2, 100);
        format!("{kind}\n{names}\n")
    };
    let groups: String = kinds().into_iter().map(group).collect();
    format!("{groups}`medcert explain NAME` says what one is, where it comes from and what it costs.\n")
}

/// What a word means, under its name.
pub(super) fn explained(wanted: &str) -> Option<String> {
    let wanted = wanted.to_lowercase();
    let titled = |name: &str, text: String| format!("{name}\n\n{text}");
    if let Some(check) = Check::of_word(&wanted) {
        return Some(text(of_check(check)));
    }
    if let Some(code) = Code::named(&wanted) {
        return Some(titled(&format!("{} {}", code.code(), code.title()), text(code.source())));
    }
    if let Some(attack) = Attack::named(&wanted) {
        return Some(titled(attack.name, text(attack.source)));
    }
    // words of the command line arrive joined by a hyphen
    let metric = Metric::of_word(&wanted.replace('-', " "));
    let metric = metric.map(|metric| titled(metric.name(), metric.about().to_string()));
    let verdict = Verdict::ALL.iter().copied().find(|one| one.to_string().eq_ignore_ascii_case(&wanted));
    let verdict = verdict.map(|verdict| titled(&verdict.to_string(), lines_of_verdict(verdict)));
    let line = |about: &str| format!("{about}\n");
    let absence = Absence::named(&wanted).map(|absence| titled(absence.name(), line(absence.about())));
    let mode = Mode::named(&wanted).map(|mode| titled(mode.name(), line(mode.about())));
    let code = wanted.strip_prefix("exit-").or(wanted.strip_prefix("exit-code-")).unwrap_or(&wanted);
    let exit = definitions::of_exit(code).map(|text| titled(&format!("exit code {code}"), text));
    let said = match wanted.as_str() {
        "no-regression" => Some(include_str!("../judge/regression.rs")),
        every if every.starts_with("in-every") || every.starts_with("in-each") => {
            Some(include_str!("../data/groups.rs"))
        }
        _ => None,
    };
    let term = terms::of_term(&wanted).map(|text| titled(&wanted, format!("{text}\n")));
    metric
        .or(term)
        .or(verdict)
        .or(absence)
        .or(mode)
        .or(exit)
        .or(said.map(|source| titled(&wanted, text(source))))
}

/// An attack that is explained.
struct Attack {
    /// As a sentence calls it.
    name: &'static str,
    /// What it does, in a sentence.
    about: &'static str,
    /// The source file whose head documents it.
    source: &'static str,
}

impl Attack {
    /// The attack of a name; a norm, loss or count after it, as in `PGD-L2-20`, makes no difference.
    fn named(wanted: &str) -> Option<Self> {
        let search = ImageSearch::at_start_of(wanted).map_or(wanted, |(search, _)| search.name());
        let mut all = attacks().into_iter().flat_map(|(_, attacks)| attacks);
        all.find(|attack| attack.name.eq_ignore_ascii_case(search))
    }
}

#[cfg(test)]
mod tests {
    use super::{Check, about, attacks, explained, kinds, text};

    #[test]
    fn whatever_is_listed_is_explained() {
        for name in kinds().into_iter().flat_map(|(_, names)| names) {
            let text = explained(&name).unwrap_or_else(|| panic!("{name} is not explained"));
            assert!(text.len() > name.len() + 30, "{name} is hardly explained: {text}");
        }
        assert_eq!(explained("exit-4"), explained("4"));
        assert!(explained("In-Every-Sex").is_some() && explained("nothing").is_none());
    }

    #[test]
    fn an_editor_is_told_of_every_attack_and_check_in_a_line() {
        let names = attacks()
            .into_iter()
            .flat_map(|(_, attacks)| attacks)
            .map(|attack| attack.name)
            .chain(Check::ALL.iter().map(|check| check.code()));
        for name in names {
            let line = about(name).unwrap_or_default();
            assert!(line.len() > 10 && !line.contains('\n') && !line.starts_with(name), "{name}: {line}");
        }
    }

    #[test]
    fn every_code_is_explained_where_it_is_seen() {
        for code in crate::autopsy::Code::ALL.iter().copied() {
            let head = text(code.source());
            assert!(head.contains(code.code()) && head.len() > 80, "{code:?}: {head}");
        }
    }

    #[test]
    fn every_attack_says_where_it_comes_from_and_what_it_costs() {
        for attack in attacks().into_iter().flat_map(|(_, attacks)| attacks) {
            let name = attack.name;
            let text = text(attack.source);
            assert!(text.len() > 80, "{name} says hardly anything");
            assert!(
                name == "mask" || text.to_lowercase().contains("cost"),
                "{name} does not say what it costs"
            );
        }
    }
}
