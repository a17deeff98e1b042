//! The attacks that the checks of `judge/checks` need beside the spec's own: what a model answers without an input
//! (V2, V3), an attack that must win (M4), one that sees no gradient (M5), and one step, few steps and more (M6).

use super::{Attack, Cell, ImageAttack};
use crate::spec::{
    Absence, Access, ImageMethod, ImageSearch, Joint, Norm, Region, Spec, TextAttack, TextMethod,
};

/// Cases that an attack of the checks is tried on, rounded up to whole chunks; all where an input is replaced.
pub const PROBED_CASES: usize = 32;
/// The ε at which an attack on the pixels must win: every image can be made uniformly grey.
pub const UNBOUNDED: f64 = 0.5;
/// Few steps, and more.
const STEPS: [u32; 2] = [5, 20];
/// Evaluations of the attack without a gradient.
const QUERIES: u32 = 50;

/// A model under an attack that only the checks ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The model and the attack.
    pub cell: Cell,
    /// Whether it is on all test cases; else on the first [`PROBED_CASES`].
    pub whole: bool,
}

/// An input replaced by another patient's or by a blank one.
pub fn replaced(image: bool, absence: Absence) -> Attack {
    if image {
        let method = ImageMethod::Absent(absence);
        return Attack { image: Some(ImageAttack { method, strength: 1.0 }), ..Attack::default() };
    }
    Attack { text: vec![TextAttack::usual(TextMethod::Absent(absence), 1.0)], ..Attack::default() }
}

/// PGD so strong that it must win; beside a blank report, where the model reads one.
pub fn unbounded(reads_text: bool) -> Attack {
    let image = Some(search(ImageSearch::Pgd { steps: STEPS[1], restarts: 1 }, UNBOUNDED));
    if !reads_text {
        return Attack { image, ..Attack::default() };
    }
    Attack { image, joint: Joint::TextFirst, ..replaced(false, Absence::Blank) }
}

/// One step, few steps, more steps, and no gradient, within the same ball.
pub fn ladder(epsilon: f64) -> [Attack; 4] {
    let [few, more] = STEPS.map(|steps| ImageSearch::Pgd { steps, restarts: 1 });
    [ImageSearch::Fgsm, few, more, ImageSearch::Square { queries: QUERIES }]
        .map(|of| Attack { image: Some(search(of, epsilon)), ..Attack::default() })
}

fn search(search: ImageSearch, strength: f64) -> ImageAttack {
    ImageAttack {
        method: ImageMethod::Search { search, norm: Norm::Linf, region: Region::Everywhere },
        strength,
    }
}

/// The least ε at which a gradient attack on all pixels is asked for; None if none is.
pub fn least_epsilon<'c>(attacks: impl Iterator<Item = &'c Attack>) -> Option<f64> {
    let epsilon = |attack: &Attack| match attack.image? {
        ImageAttack {
            method: ImageMethod::Search { search, norm: Norm::Linf, region: Region::Everywhere },
            strength,
        } => (search.access() == Access::Gradient).then_some(strength),
        _ => None,
    };
    attacks.filter_map(epsilon).min_by(f64::total_cmp)
}

/// What the checks need beside the cells.
pub(super) fn probes(spec: &Spec, cells: &[Cell]) -> Vec<Probe> {
    let mut probes = Vec::new();
    for (model, (_, kind)) in spec.models.iter().enumerate() {
        let own = || cells.iter().filter(move |cell| cell.model == model).map(|cell| &cell.attack);
        let mut probe = |attack: Attack, whole| {
            if own().all(|known| *known != attack) {
                probes.push(Probe { cell: Cell { model, attack }, whole });
            }
        };
        for (reads, image) in [(kind.reads_image(), true), (kind.reads_text(), false)] {
            if reads {
                probe(replaced(image, Absence::Blank), true);
                probe(replaced(image, Absence::WrongPatient), true);
            }
        }
        if let (true, Some(epsilon)) = (kind.reads_image(), least_epsilon(own())) {
            for attack in ladder(epsilon) {
                probe(attack, false);
            }
            probe(unbounded(kind.reads_text()), false);
        }
    }
    probes
}
