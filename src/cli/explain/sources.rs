//! The source file of each attack; its first lines explain it.

use crate::spec::{Corruption, EditKind, ImageSearch, TextSearch};

/// A source file.
macro_rules! head {
    ($path:literal) => {
        include_str!(concat!("../../", $path, ".rs"))
    };
}

/// The attacks that no type names.
pub(super) fn of_other(name: &str) -> Option<&'static str> {
    match name {
        "transfer" => Some(head!("lab/attack/image/transfer")),
        "patch" => Some(head!("lab/attack/image/patch")),
        "mask" => Some(head!("lab/attack/image/mask")),
        "cross" => Some(head!("lab/attack/joint/cross")),
        _ => None,
    }
}

pub(super) fn of_search(search: ImageSearch) -> &'static str {
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
        ImageSearch::Naive => head!("lab/attack/image/naive"),
        ImageSearch::Square { .. } => head!("lab/attack/image/square"),
        ImageSearch::Spsa { .. } => head!("lab/attack/image/spsa"),
        ImageSearch::Nes { .. } => head!("lab/attack/image/nes"),
        ImageSearch::HopSkipJump { .. } => head!("lab/attack/image/hop_skip_jump"),
        ImageSearch::Transfer { .. } => head!("lab/attack/image/transfer"),
    }
}

pub(super) fn of_corruption(corruption: Corruption) -> &'static str {
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

pub(super) fn of_edit(kind: EditKind) -> &'static str {
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

pub(super) fn of_words(search: TextSearch) -> &'static str {
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
