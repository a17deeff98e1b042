//! `medcert explain NAME`: what an attack is, where it comes from, its defaults and its cost; what a check looks for;
//! what a metric, a verdict or an exit code means. It says what the sources say of themselves.

mod definitions;
mod sources;

use clap::Args;

use super::write_out;
use crate::autopsy::Code;
use crate::judge::Verdict;
use crate::judge::checks::{head as text, source as of_check};
use crate::report::verdict_text::{in_a_line, lines_of_verdict};
use crate::spec::{Absence, Check, Corruption, EditKind, ImageSearch, Metric, Mode, TextSearch, suggest};
use crate::{Error, Result};

/// Explains a word.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// An attack, as a sentence calls it, such as FGSM or motion-blur; a check, such as V1; a metric, a verdict, or an
    /// exit code, such as exit-4; all of them are listed if none is given
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
    let attack = Attack::named(name)?;
    let comment = attack.variant.as_deref().and_then(definitions::of_attack);
    comment
        .or_else(|| text(attack.source).split("\n\n").next().map(str::to_string))
        .map(|text| in_a_line(&text))
}

/// Everything that is explained, by kind.
pub(super) fn kinds() -> Vec<(&'static str, Vec<String>)> {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_string).collect::<Vec<_>>();
    let attacks = attacks().into_iter().map(|(kind, names)| (kind, owned(names)));
    attacks
        .chain([
            ("inputs that are not the patient's", owned(Absence::NAMED.map(|(name, _)| name).to_vec())),
            ("modes of attacks on words", owned(Mode::NAMED.map(|(name, _)| name).to_vec())),
            ("metrics", owned(Metric::NAMED.map(|(name, _)| name).to_vec())),
            ("in sentences", owned(vec!["in-every", "no-regression"])),
            ("verdicts", Verdict::ALL.map(|verdict| verdict.to_string()).to_vec()),
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
fn attacks() -> [(&'static str, Vec<&'static str>); 5] {
    let images = ImageSearch::NAMED.iter().map(|(name, _)| *name).chain(["transfer", "patch", "mask"]);
    [
        ("pixels, searched", images.collect()),
        ("pixels, as in hospitals", Corruption::NAMED.iter().map(|(name, _)| *name).collect()),
        ("words, at random", EditKind::NAMED.iter().map(|(name, _)| *name).collect()),
        ("words, searched", TextSearch::NAMED.iter().map(|(name, _)| *name).collect()),
        ("both at once", vec!["cross"]),
    ]
}

fn list() -> String {
    let group = |(kind, names): (&str, Vec<String>)| {
        let names = crate::report::table::wrapped(&names.join(", "), 2, 100);
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
    let metric = Metric::NAMED.iter().find(|(name, _)| *name == wanted);
    let metric =
        metric.and_then(|(name, metric)| Some(titled(name, definitions::of_metric(&format!("{metric:?}"))?)));
    let verdict = Verdict::ALL.into_iter().find(|one| one.to_string().eq_ignore_ascii_case(&wanted));
    let verdict = verdict.map(|verdict| titled(&verdict.to_string(), lines_of_verdict(verdict)));
    let absence = Absence::NAMED.iter().find(|(name, _)| *name == wanted);
    let absence =
        absence.and_then(|(name, kind)| Some(titled(name, definitions::of_absence(&format!("{kind:?}"))?)));
    let mode = Mode::NAMED.iter().find(|(name, _)| *name == wanted);
    let mode = mode.and_then(|(name, mode)| Some(titled(name, definitions::of_mode(&format!("{mode:?}"))?)));
    let code = wanted.strip_prefix("exit-").or(wanted.strip_prefix("exit-code-")).unwrap_or(&wanted);
    let exit = definitions::of_exit(code).map(|text| titled(&format!("exit code {code}"), text));
    let said = match wanted.as_str() {
        "no-regression" => Some(include_str!("../judge/regression.rs")),
        every if every.starts_with("in-every") || every.starts_with("in-each") => {
            Some(include_str!("../data/groups.rs"))
        }
        _ => None,
    };
    metric.or(verdict).or(absence).or(mode).or(exit).or(said.map(|source| titled(&wanted, text(source))))
}

/// An attack that is explained.
struct Attack {
    /// As a sentence calls it.
    name: &'static str,
    /// As its enum calls it, such as `MotionBlur`, where it is of one.
    variant: Option<String>,
    source: &'static str,
}

impl Attack {
    fn named(wanted: &str) -> Option<Self> {
        let same = |name: &str| name.eq_ignore_ascii_case(wanted);
        let name = attacks().into_iter().flat_map(|(_, names)| names).find(|name| same(name))?;
        Self::of(name, &ImageSearch::NAMED, sources::of_search)
            .or_else(|| Self::of(name, &Corruption::NAMED, sources::of_corruption))
            .or_else(|| Self::of(name, &EditKind::NAMED, sources::of_edit))
            .or_else(|| Self::of(name, &TextSearch::NAMED, sources::of_words))
            .or_else(|| Some(Self { name, variant: None, source: sources::of_other(name)? }))
    }

    /// One of an enum's, by its name.
    fn of<K: Copy + std::fmt::Debug>(
        name: &'static str,
        named: &[(&str, K)],
        source: impl Fn(K) -> &'static str,
    ) -> Option<Self> {
        let (_, kind) = named.iter().find(|(other, _)| *other == name)?;
        let shown = format!("{kind:?}");
        let variant = shown.split(' ').next().map(str::to_string);
        Some(Self { name, variant, source: source(*kind) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Attack, Check, about, attacks, explained, kinds, text};

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
            .flat_map(|(_, names)| names)
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
        for name in attacks().iter().flat_map(|(_, names)| names.clone()) {
            let attack = Attack::named(name).unwrap_or_else(|| panic!("{name} has no source"));
            let text = text(attack.source);
            assert!(text.len() > 80, "{name} says hardly anything");
            assert!(
                name == "mask" || text.to_lowercase().contains("cost"),
                "{name} does not say what it costs"
            );
        }
    }
}
