//! How an attack is written in evidence, as a sentence would say it: `clean`, `FGSM ε=0.1 + 50% deletion`,
//! `PGD-L2 ε=0.5 20×2 inside lesion`. Different attacks are written differently.

use std::fmt;

use super::{Attack, ImageAttack};
use crate::spec::{ImageMethod, ImageSearch, Joint, Mask, Region, TextAttack, TextMethod};

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let image = self.image.map(written_image);
        let text = self.text.iter().map(written_text);
        let (separator, image_first) = match self.joint {
            Joint::EitherOrder => (" + ", true),
            Joint::ImageFirst => (" then ", true),
            Joint::TextFirst => (" then ", false),
            Joint::Cross => (" × ", true),
        };
        let parts: Vec<String> =
            if image_first { image.into_iter().chain(text).collect() } else { text.chain(image).collect() };
        f.write_str(if parts.is_empty() { "clean" } else { "" })?;
        f.write_str(&parts.join(separator))
    }
}

fn written_image(ImageAttack { method, strength }: ImageAttack) -> String {
    match method {
        ImageMethod::Search { search, norm, region } => {
            let is_usual = search.norms().first() == Some(&norm);
            let norm = if is_usual { String::new() } else { format!("-{}", norm.name().to_uppercase()) };
            let from = match search {
                ImageSearch::Transfer { from, .. } => format!(" from model {}", from + 1),
                _ => String::new(),
            };
            let numbers = search.numbers();
            let space = if numbers.is_empty() { "" } else { " " };
            let name = search.name();
            format!("{name}{norm}{from} ε={}{space}{numbers}{}", short(strength), written_region(region))
        }
        ImageMethod::Patch { steps, region } => {
            format!("{}% patch {steps}{}", short(strength * 100.0), written_region(region))
        }
        ImageMethod::Corruption(corruption) => format!("{} severity {}", corruption.name(), short(strength)),
        ImageMethod::Absent(absence) => format!("{} image", absence.name()),
    }
}

fn written_region(region: Region) -> String {
    let mask = |mask| match mask {
        Mask::Lesion => "lesion".to_string(),
        Mask::File(place) => format!("mask {}", place + 1),
        Mask::Attribution => "attribution".to_string(),
    };
    match region {
        Region::Everywhere => String::new(),
        Region::Inside(of) => format!(" inside {}", mask(of)),
        Region::Outside(of) => format!(" outside {}", mask(of)),
    }
}

fn written_text(attack: &TextAttack) -> String {
    let TextAttack { method, share, mode, draws } = *attack;
    let mode = if mode == method.usual_mode() { String::new() } else { format!("{} ", mode.name()) };
    let share = if method.takes_share() { format!("{}% ", short(share * 100.0)) } else { String::new() };
    let (name, queries) = match method {
        TextMethod::Sampled(kind) => (kind.name().to_string(), String::new()),
        TextMethod::Searched { search, queries } => (search.name().to_string(), format!(" {queries}")),
        TextMethod::Absent(absence) => (format!("{} report", absence.name()), String::new()),
    };
    let draws = if draws == 1 { String::new() } else { format!(" ×{draws}") };
    format!("{mode}{share}{name}{queries}{draws}")
}

/// At most eight decimals, and none that is needless.
fn short(value: f64) -> String {
    let text = format!("{value:.8}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}
