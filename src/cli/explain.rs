//! `medcert explain NAME`: what an attack is, where it comes from, its defaults and its cost; what a check looks for;
//! as the head of the source file says.

use clap::Args;

use super::write_out;
use crate::autopsy::Code;
use crate::judge::checks::{head as text, source as of_check};
use crate::spec::{Check, Corruption, EditKind, ImageSearch, TextSearch, suggest};
use crate::{Error, Result};

/// Explains an attack.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The attack, as a sentence calls it, such as FGSM or motion-blur, or the code of a check, such as V1; all of
    /// them if none is given
    name: Option<String>,
}

/// The head of a source file of the attacks.
macro_rules! head {
    ($path:literal) => {
        include_str!(concat!("../", $path, ".rs"))
    };
}

impl Explain {
    pub(super) fn run(&self) -> Result<u8> {
        let Some(name) = &self.name else {
            write_out(&list());
            return Ok(0);
        };
        if let Some(check) = Check::of_word(name) {
            write_out(&text(of_check(check)));
            return Ok(0);
        }
        if let Some(code) = Code::named(name) {
            write_out(&format!("{code:?} {}\n\n{}", code.title(), text(code.source())));
            return Ok(0);
        }
        let Some((name, source)) = source(name) else {
            let checks = Check::NAMED.map(|(_, _, name, _)| name);
            let attacks = groups().into_iter().flat_map(|(_, names)| names);
            let known: Vec<&str> = attacks.chain(checks).collect();
            let help = suggest(name, &known);
            let help = if help.starts_with("known") { String::new() } else { format!("{help} ") };
            return Err(Error::Usage(format!(
                "`{name}` is no attack and no check; {help}`medcert explain` lists all of them"
            )));
        };
        write_out(&format!("{name}\n\n{}", text(source)));
        Ok(0)
    }
}

/// The attacks by what they act on.
fn groups() -> [(&'static str, Vec<&'static str>); 5] {
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
    let group = |(title, names): (&str, Vec<&str>)| format!("{title}: {}\n", names.join(", "));
    let groups: String = groups().into_iter().map(group).collect();
    let checks = Check::NAMED.map(|(check, ..)| check.to_string()).join(", ");
    let codes = format!("checks: {checks}\ntables, by `medcert autopsy`: A1 to A16\n");
    format!(
        "{groups}{codes}`medcert explain NAME` says what one is, where it comes from and what it costs.\n"
    )
}

/// An attack's name as a sentence writes it, and its source.
fn source(wanted: &str) -> Option<(&'static str, &'static str)> {
    let same = |name: &str| name.eq_ignore_ascii_case(wanted);
    let names = groups();
    let name = names.iter().flat_map(|(_, names)| names).find(|name| same(name))?;
    let search =
        ImageSearch::NAMED.iter().find(|(other, _)| other == name).map(|(_, search)| of_search(*search));
    let film =
        Corruption::NAMED.iter().find(|(other, _)| other == name).map(|(_, kind)| of_corruption(*kind));
    let edit = EditKind::NAMED.iter().find(|(other, _)| other == name).map(|(_, kind)| of_edit(*kind));
    let words =
        TextSearch::NAMED.iter().find(|(other, _)| other == name).map(|(_, search)| of_words(*search));
    let other = match *name {
        "transfer" => Some(head!("lab/attack/image/transfer")),
        "patch" => Some(head!("lab/attack/image/patch")),
        "mask" => Some(head!("lab/attack/image/mask")),
        "cross" => Some(head!("lab/attack/joint/cross")),
        _ => None,
    };
    search.or(film).or(edit).or(words).or(other).map(|source| (*name, source))
}

fn of_search(search: ImageSearch) -> &'static str {
    match search {
        ImageSearch::Fgsm => head!("lab/attack/image/fgsm"),
        ImageSearch::RandomFgsm => head!("lab/attack/image/random_fgsm"),
        ImageSearch::Pgd { .. } => head!("lab/attack/image/pgd"),
        ImageSearch::Momentum { .. } => head!("lab/attack/image/momentum"),
        ImageSearch::Apgd { .. } => head!("lab/attack/image/apgd"),
        ImageSearch::Fab { .. } => head!("lab/attack/image/fab"),
        ImageSearch::DeepFool { .. } => head!("lab/attack/image/deepfool"),
        ImageSearch::CarliniWagner { .. } => head!("lab/attack/image/carlini"),
        ImageSearch::AutoAttack { .. } => head!("lab/attack/image/autoattack"),
        ImageSearch::Square { .. } => head!("lab/attack/image/square"),
        ImageSearch::Spsa { .. } => head!("lab/attack/image/spsa"),
        ImageSearch::Nes { .. } => head!("lab/attack/image/nes"),
        ImageSearch::HopSkipJump { .. } => head!("lab/attack/image/hop_skip_jump"),
        ImageSearch::Transfer { .. } => head!("lab/attack/image/transfer"),
    }
}

fn of_corruption(corruption: Corruption) -> &'static str {
    match corruption {
        Corruption::Exposure | Corruption::Gamma => head!("picture/exposure"),
        Corruption::QuantumNoise | Corruption::ElectronicNoise => head!("picture/noise"),
        Corruption::Scatter => head!("picture/scatter"),
        Corruption::MotionBlur | Corruption::FocusBlur => head!("picture/blur"),
        Corruption::Rotation | Corruption::Shift => head!("picture/geometry"),
        Corruption::Window | Corruption::Level => head!("picture/window"),
        Corruption::BitDepth | Corruption::Jpeg => head!("picture/bits"),
        Corruption::Collimation => head!("picture/collimation"),
        Corruption::Marker | Corruption::BurnedText => head!("picture/marker"),
        Corruption::Leads | Corruption::Device => head!("picture/device"),
    }
}

fn of_edit(kind: EditKind) -> &'static str {
    match kind {
        EditKind::Deletion => head!("text/perturb/deletion"),
        EditKind::Synonyms => head!("text/perturb/synonyms"),
        EditKind::Insertion => head!("text/perturb/insertion"),
        EditKind::Swap => head!("text/perturb/swap"),
        EditKind::Typos => head!("text/perturb/typos"),
        EditKind::Ocr => head!("text/perturb/ocr"),
        EditKind::Homophones => head!("text/perturb/homophones"),
        EditKind::Abbreviations => head!("text/perturb/abbreviations"),
        EditKind::Deidentification => head!("text/perturb/deidentification"),
        EditKind::SectionDrop => head!("text/perturb/section_drop"),
        EditKind::SectionOrder => head!("text/perturb/section_order"),
        EditKind::Template => head!("text/perturb/template"),
        EditKind::Units => head!("text/perturb/units"),
        EditKind::Negation => head!("text/perturb/negation"),
    }
}

fn of_words(search: TextSearch) -> &'static str {
    match search {
        TextSearch::Importance => head!("lab/attack/text/importance"),
        TextSearch::Pwws => head!("lab/attack/text/pwws"),
        TextSearch::TextFooler => head!("lab/attack/text/textfooler"),
        TextSearch::DeepWordBug => head!("lab/attack/text/deepwordbug"),
        TextSearch::HotFlip => head!("lab/attack/text/hotflip"),
        TextSearch::Beam => head!("lab/attack/text/beam"),
        TextSearch::Bae => head!("lab/attack/text/bae"),
    }
}

#[cfg(test)]
mod tests {
    use super::{groups, source, text};

    #[test]
    fn every_code_is_explained_where_it_is_seen() {
        for code in crate::autopsy::Code::ALL {
            let head = text(code.source());
            assert!(head.contains(&format!("{code:?}")) && head.len() > 80, "{code:?}: {head}");
        }
    }

    #[test]
    fn every_attack_says_where_it_comes_from_and_what_it_costs() {
        for name in groups().iter().flat_map(|(_, names)| names.clone()) {
            let (_, source) = source(name).unwrap_or_else(|| panic!("{name} has no source"));
            let text = text(source);
            assert!(text.len() > 80, "{name} says hardly anything");
            assert!(
                name == "mask" || text.to_lowercase().contains("cost"),
                "{name} does not say what it costs"
            );
        }
    }
}
