//! The report of a phantom study, in three sections. The sentences are our own, in the style of the
//! radiologists whose reports are public: negations, hedges, chronic findings, de-identified words.

use rand_chacha::ChaCha12Rng;

use super::super::Report;
use super::{Chronic, Device, Kind, Lesion, Side, Zone, chance};
use crate::random::{below, shuffle};

/// Writes the report. A share of the lesions is missed, the faint ones more often, and a normal film is over-read now
/// and then.
pub(super) fn write(lesions: &[Lesion], chronic: &Chronic, missed: f32, rng: &mut ChaCha12Rng) -> Report {
    // the mean strength is 0.625, where this is the share itself
    let is_missed = |lesion: &Lesion| missed * (2.4 - 2.25 * lesion.strength);
    let seen: Vec<&Lesion> = lesions.iter().filter(|lesion| !chance(rng, is_missed(lesion))).collect();
    let mut findings = vec![heart(&seen, rng), lungs(&seen, rng), pleura(&seen, rng)];
    findings.extend(long_standing(chronic, rng));
    if chance(rng, 0.5) {
        findings.push(pick(rng, &NOT_THERE).to_string());
    }
    let is_over_read = seen.is_empty() && chance(rng, 0.03);
    if is_over_read {
        findings.push(pick(rng, &OVER_READ).to_string());
    }
    if seen.is_empty() && chance(rng, 0.12) {
        findings.push(pick(rng, &RESOLVED).to_string());
    }
    shuffle(&mut findings, rng);
    let impression = impression(&seen, is_over_read, rng);
    // an impression alone, or findings alone, as real reports sometimes have
    let (findings, impression) = match below(rng, 20) {
        0 | 1 if !impression.is_empty() => (String::new(), impression),
        2 => (findings.join(" "), String::new()),
        _ => (findings.join(" "), impression),
    };
    let indication = indication(lesions, rng);
    Report {
        indication: masked(&indication, rng).into(),
        findings: masked(&findings, rng).into(),
        impression: masked(&impression, rng).into(),
    }
}

const NORMAL_HEART: [&str; 8] = [
    "Heart size is normal.",
    "The cardiac silhouette is within normal limits.",
    "Normal cardiomediastinal contours.",
    "The heart is not enlarged.",
    "Heart size is at the upper limits of normal.",
    "No cardiomegaly.",
    "The heart and mediastinum appear unremarkable.",
    "Heart size within normal limits; the aorta is tortuous.",
];
const LARGE_HEART: [&str; 7] = [
    "The heart is enlarged.",
    "There is mild cardiomegaly.",
    "Moderate cardiomegaly is present.",
    "The cardiac silhouette is prominent.",
    "Stable cardiomegaly, unchanged from the prior exam.",
    "The heart size is borderline enlarged.",
    "Increased heart size compared with XXXX.",
];
const CLEAR_LUNGS: [&str; 8] = [
    "The lungs are clear.",
    "No focal consolidation.",
    "There is no focal airspace opacity or suspicious pulmonary nodule.",
    "Lungs are clear bilaterally without evidence of pneumonia.",
    "No focal infiltrate is identified.",
    "Low lung volumes with bronchovascular crowding but no consolidation.",
    "The lungs are hyperexpanded and otherwise clear.",
    "No mass or nodule is seen.",
];
const CLEAR_PLEURA: [&str; 6] = [
    "No pleural effusion or pneumothorax.",
    "The costophrenic angles are sharp.",
    "There is no effusion.",
    "No evidence of pleural fluid.",
    "Pleural spaces are clear.",
    "No pneumothorax or large effusion is identified.",
];
const NOT_THERE: [&str; 6] = [
    "No acute bony abnormality.",
    "No free air under the diaphragm.",
    "Osseous structures are intact.",
    "Pulmonary vascularity is within normal limits.",
    "No displaced rib fracture is seen.",
    "The trachea is midline.",
];
const OVER_READ: [&str; 5] = [
    "Questionable opacity at the left base, which may be due to overlapping structures.",
    "A small effusion cannot be excluded.",
    "Possible nodular density in the right midlung, likely a nipple shadow.",
    "Mild prominence of the heart may be due to technique.",
    "Increased markings at the right base may represent atelectasis or infiltrate.",
];
const RESOLVED: [&str; 5] = [
    "The previously seen right lower lobe opacity has resolved.",
    "Interval resolution of the left pleural effusion.",
    "The nodular density described on the prior study is no longer seen.",
    "Heart size has returned to normal since XXXX.",
    "Previously noted consolidation has cleared.",
];

fn heart(seen: &[&Lesion], rng: &mut ChaCha12Rng) -> String {
    let is_large = seen.iter().any(|lesion| lesion.kind == Kind::Cardiomegaly);
    pick(rng, if is_large { &LARGE_HEART[..] } else { &NORMAL_HEART[..] }).to_string()
}

fn lungs(seen: &[&Lesion], rng: &mut ChaCha12Rng) -> String {
    let in_lung: Vec<String> = seen
        .iter()
        .filter(|lesion| matches!(lesion.kind, Kind::Opacity | Kind::Nodule))
        .map(|lesion| describe(lesion, rng))
        .collect();
    if in_lung.is_empty() { pick(rng, &CLEAR_LUNGS).to_string() } else { in_lung.join(" ") }
}

fn pleura(seen: &[&Lesion], rng: &mut ChaCha12Rng) -> String {
    match seen.iter().find(|lesion| lesion.kind == Kind::Effusion) {
        Some(effusion) => describe(effusion, rng),
        None => pick(rng, &CLEAR_PLEURA).to_string(),
    }
}

/// A sentence about a lesion that was seen.
fn describe(lesion: &Lesion, rng: &mut ChaCha12Rng) -> String {
    let side = name(lesion.side);
    let place = match lesion.zone {
        Zone::Upper => format!("{side} upper lobe"),
        Zone::Middle => format!("{side} midlung"),
        Zone::Lower => format!("{side} lower lobe"),
    };
    let size = if lesion.strength > 0.65 { "large" } else { "small" };
    let text = match (lesion.kind, below(rng, 5)) {
        (Kind::Opacity, 0) => format!("There is a patchy opacity in the {place}."),
        (Kind::Opacity, 1) => format!("Airspace disease in the {place}, concerning for pneumonia."),
        (Kind::Opacity, 2) => format!("{place} infiltrate may represent pneumonia or atelectasis."),
        (Kind::Opacity, 3) => format!("Increased density is noted within the {place}."),
        (Kind::Opacity, _) => format!("Consolidation of the {place} is again seen."),
        (Kind::Nodule, 0) => format!("A nodular density projects over the {place}."),
        (Kind::Nodule, 1) => format!("There is a {size} nodule in the {place}, not clearly calcified."),
        (Kind::Nodule, 2) => format!("{size} rounded density of the {place}; CT is recommended."),
        (Kind::Nodule, 3) => format!("Pulmonary nodule, {place}, cannot be excluded to be malignant."),
        (Kind::Nodule, _) => format!("Stable {size} nodule in the {place}."),
        (Kind::Effusion, 0) => format!("{size} {side} pleural effusion."),
        (Kind::Effusion, 1) => format!("Blunting of the {side} costophrenic angle suggests pleural fluid."),
        (Kind::Effusion, 2) => format!("There is a {size} effusion on the {side}."),
        (Kind::Effusion, 3) => format!("A {side} effusion with adjacent atelectasis is present."),
        (Kind::Effusion, _) => format!("The {side} costophrenic angle is obscured."),
        (Kind::Cardiomegaly, _) => pick(rng, &LARGE_HEART).to_string(),
    };
    capital(&text)
}

fn long_standing(chronic: &Chronic, rng: &mut ChaCha12Rng) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(side) = chronic.granuloma {
        let side = name(side);
        found.push(match below(rng, 3) {
            0 => format!("Calcified granuloma in the {side} upper lobe."),
            1 => format!("A calcified nodule in the {side} lung is compatible with an old granuloma."),
            _ => format!("Stable calcified granuloma of the {side} lower lobe, unchanged."),
        });
    }
    if chronic.degenerative {
        let said = [
            "Degenerative changes of the thoracic spine.",
            "There are mild degenerative changes in the spine.",
            "Spondylosis of the thoracic spine is noted.",
        ];
        found.push(pick(rng, &said).to_string());
    }
    if chronic.scarring {
        let said = [
            "Mild chronic scarring at the left base.",
            "Biapical scarring is stable.",
            "Scattered chronic interstitial markings, unchanged.",
        ];
        found.push(pick(rng, &said).to_string());
    }
    found.extend(chronic.device.map(|device| match device {
        Device::Pacemaker => "A left-sided pacemaker is in place with intact leads.".to_string(),
        Device::Wires => "Median sternotomy XXXX are intact.".to_string(),
        Device::Port => "Right chest port with its tip in the SVC.".to_string(),
    }));
    found
}

const NO_DISEASE: [&str; 7] = [
    "No acute cardiopulmonary abnormality.",
    "No acute disease.",
    "Normal chest x-XXXX.",
    "No evidence of active disease.",
    "No acute cardiopulmonary process.",
    "Negative for acute abnormality.",
    "Stable exam without acute findings.",
];

fn impression(seen: &[&Lesion], is_over_read: bool, rng: &mut ChaCha12Rng) -> String {
    if seen.is_empty() {
        let hedge = "No definite acute abnormality; follow-up is suggested if symptoms persist.";
        return if is_over_read { hedge } else { pick(rng, &NO_DISEASE) }.to_string();
    }
    // a finding that has long been there is often not repeated
    if chance(rng, 0.3) {
        return pick(rng, &NO_DISEASE).to_string();
    }
    let said: Vec<String> = seen
        .iter()
        .map(|lesion| {
            let side = name(lesion.side);
            match lesion.kind {
                Kind::Opacity => format!("{} opacity, possibly pneumonia.", capital(side)),
                Kind::Nodule => {
                    format!("{} pulmonary nodule; comparison with prior films is advised.", capital(side))
                }
                Kind::Effusion => format!("{} pleural effusion.", capital(side)),
                Kind::Cardiomegaly => "Cardiomegaly without overt edema.".to_string(),
            }
        })
        .collect();
    said.join(" ")
}

fn indication(lesions: &[Lesion], rng: &mut ChaCha12Rng) -> String {
    const COMMON: [&str; 8] = [
        "Chest pain.",
        "Shortness of breath.",
        "Cough.",
        "XXXX-year-old male with chest pain.",
        "XXXX-year-old female, preoperative evaluation.",
        "Dyspnea on exertion.",
        "Pre-employment physical.",
        "Trauma, rule out fracture.",
    ];
    const ILL: [&str; 4] = [
        "Fever and productive cough.",
        "Congestive heart failure.",
        "Weight loss, smoker.",
        "Follow-up of pneumonia.",
    ];
    let leans = if lesions.is_empty() { 0.12 } else { 0.3 };
    if chance(rng, leans) { pick(rng, &ILL) } else { pick(rng, &COMMON) }.to_string()
}

/// De-identification takes a word now and then.
fn masked(text: &str, rng: &mut ChaCha12Rng) -> String {
    let words =
        text.split(' ').map(|word| if chance(rng, 0.025) && !word.is_empty() { "XXXX" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Right => "right",
        Side::Left => "left",
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn pick<'t>(rng: &mut ChaCha12Rng, texts: &[&'t str]) -> &'t str {
    texts[below(rng, texts.len())]
}
