//! The notation of attacks in plans, evidence and reports. It is that of requirements, so an attack can be pasted
//! into a spec and means the same: `clean`, `FGSM ε=0.1 + 50% deletion`, `PGD-L2 ε=0.5 steps=20 inside lesion`. A
//! parameter is written only if it is not the default. [`parse_attack`] reads this notation.

use std::fmt;

use super::{Attack, ImageAttack};
use crate::spec::{
    Complaint, ImageMethod, Joint, ModelInputs, Names, Parameter, Spec, Strength, TextAttack, TextMethod,
    Threat, Value, parse_condition, written_percent, written_radius,
};

/// How much is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// Only what is not the default.
    Unusual,
    /// Everything, so that a new default changes what is written.
    All,
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(self, Detail::Unusual))
    }
}

impl Attack {
    /// A stable key with every parameter, defaults included: two attacks share a key only if they do the same. Caches
    /// use it.
    pub fn key(&self) -> String {
        written(self, Detail::All)
    }
}

/// Reads an attack at one strength, as it is written in plans, evidence and reports.
///
/// # Errors
/// The first fault of the text.
pub fn parse_attack(text: &str, spec: &Spec) -> Result<Attack, Complaint> {
    let models: Vec<ModelInputs> = ModelInputs::all(&spec.models);
    let masks: Vec<String> = spec.masks.iter().map(|(name, _)| name.clone()).collect();
    let condition = parse_condition(
        text,
        Names { models: &models, findings: &[], classes: &[], threats: &spec.threats, masks: &masks },
    )?;
    let mut attack = Attack::default();
    for threat in condition.threats {
        match threat {
            Threat::Text(text) => attack.text.push(text),
            Threat::Image { method, strength: Strength::At(strength) } => {
                attack.image = Some(ImageAttack { method, strength });
            }
            Threat::Image { strength: Strength::UpTo(_), .. } => {
                return Err(Complaint {
                    offset: 0,
                    word: condition.words,
                    message: "one attack has one strength".to_string(),
                    help: "write `=` instead of `≤`".to_string(),
                });
            }
        }
    }
    if attack.sources().is_some() {
        attack.joint = condition.joint;
    }
    Ok(attack)
}

fn written(attack: &Attack, detail: Detail) -> String {
    let image = attack.image.map(|image| written_image(image, detail));
    let text = attack.text.iter().map(|text| written_text(text, detail));
    let (separator, image_first) = match attack.joint {
        Joint::EitherOrder => (" + ", true),
        Joint::ImageFirst => (" then ", true),
        Joint::TextFirst => (" then ", false),
        Joint::Cross => (" × ", true),
    };
    let parts: Vec<String> =
        if image_first { image.into_iter().chain(text).collect() } else { text.chain(image).collect() };
    if parts.is_empty() { "clean".to_string() } else { parts.join(separator) }
}

fn written_image(ImageAttack { method, strength }: ImageAttack, detail: Detail) -> String {
    let settings = settings(&method.settings(), &method.usual_settings(), detail);
    match method {
        ImageMethod::Search { search, norm, region } => {
            let is_usual = search.norms().first() == Some(&norm) && detail == Detail::Unusual;
            let norm = if is_usual { String::new() } else { format!("-{}", norm.name().to_uppercase()) };
            format!("{}{norm} ε={}{settings}{}", search.name(), written_radius(strength), region.written())
        }
        ImageMethod::Patch { region, .. } => {
            format!("{} patch{settings}{}", written_percent(strength), region.written())
        }
        ImageMethod::NaivePatch { region } => {
            format!("{} {}{}", written_percent(strength), ImageMethod::NAIVE_PATCH, region.written())
        }
        ImageMethod::Corruption(corruption) => format!("{} severity {strength}", corruption.name()),
        ImageMethod::Absent(absence) => format!("{} image", absence.name()),
    }
}

fn written_text(attack: &TextAttack, detail: Detail) -> String {
    let TextAttack { method, share, mode, .. } = *attack;
    let is_usual = mode == method.usual_mode() && detail == Detail::Unusual;
    let mode = if is_usual || matches!(method, TextMethod::Absent(_)) {
        String::new()
    } else {
        format!("{} ", mode.name())
    };
    let share = if method.takes_share() { format!("{} ", written_percent(share)) } else { String::new() };
    let report = if matches!(method, TextMethod::Absent(_)) { " report" } else { "" };
    let settings = settings(&attack.settings(), &attack.usual_settings(), detail);
    format!("{mode}{share}{}{report}{settings}", method.name())
}

/// Parameters as ` steps=20 restarts=2`.
fn settings(own: &[(Parameter, Value)], usual: &[(Parameter, Value)], detail: Detail) -> String {
    let written = own.iter().filter(|setting| detail == Detail::All || !usual.contains(setting));
    let written = written.map(|(parameter, value)| format!(" {}={value}", parameter.key));
    written.collect::<Vec<_>>().concat()
}
