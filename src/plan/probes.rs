//! The attacks that the checks of `judge/checks` need beside the spec's own: replaced inputs (V2, V3), an unbounded
//! attack (M4) and, in the ball of each requirement at its largest strength, attacks that follow no gradient (M5:
//! fixed moves, squares and a search) and attacks of one, few and more steps (M6).

use std::ops::Range;

use super::{Attack, Cell, ImageAttack, Requirement, Subject};
use crate::random::{below, stream};
use crate::spec::{
    Absence, CheckPolicy, ImageMethod, ImageSearch, Joint, Norm, Region, Spec, TextAttack, TextMethod,
};

/// Cases that a probe is tried on, rounded up to whole chunks; a replaced input is tried on all cases.
pub const PROBED_CASES: usize = 32;
/// The ε at which an attack on the pixels must succeed: every image can be made uniformly grey.
pub const UNBOUNDED: f64 = 0.5;
/// The steps of the two PGD probes: few, and more.
const STEPS: [u32; 2] = [5, 20];
/// Queries of the probe without a gradient.
const QUERIES: u32 = 50;

/// A model under an attack that only the checks ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The model and the attack.
    pub cell: Cell,
    /// Whether it runs on all test cases; else on about [`PROBED_CASES`], see [`probed_chunks`].
    pub whole: bool,
}

/// The chunks that a model's probes are tried on. They are drawn by the digests of the data and the model, so neither
/// can be prepared to behave well on just these. Where cells end early, the cases are in a random order and only the
/// first chunks are sure to be computed, so these are taken.
pub fn probed_chunks(cases: usize, chunk: usize, early: bool, digests: [&str; 2]) -> Range<usize> {
    let chunk = chunk.max(1);
    // the last chunk may be short and show little, so only full ones are drawn
    let (wanted, full) = (PROBED_CASES.div_ceil(chunk), cases / chunk);
    if early || full <= wanted {
        return 0..wanted.min(cases.div_ceil(chunk));
    }
    let start = below(&mut stream(&["probed", digests[0], digests[1]]), full - wanted + 1);
    start..start + wanted
}

/// An input replaced by another patient's or by a blank one.
pub fn replaced(image: bool, absence: Absence) -> Attack {
    if image {
        let method = ImageMethod::Absent(absence);
        return Attack { image: Some(ImageAttack { method, strength: 1.0 }), ..Attack::default() };
    }
    Attack { text: vec![TextAttack::usual(TextMethod::Absent(absence), 1.0)], ..Attack::default() }
}

/// PGD so strong that it must succeed; with a blank report if the model reads one.
pub fn unbounded(reads_text: bool) -> Attack {
    let search = ImageSearch::Pgd { steps: STEPS[1], restarts: 1 };
    let image = Some(Ball::everywhere(UNBOUNDED).image(search));
    if !reads_text {
        return Attack { image, ..Attack::default() };
    }
    Attack { image, joint: Joint::TextFirst, ..replaced(false, Absence::Blank) }
}

/// Which pixels an attack may move, and how far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ball {
    /// What a change is measured by.
    pub norm: Norm,
    /// The pixels that may move.
    pub region: Region,
    /// How far, in the norm.
    pub epsilon: f64,
}

impl Ball {
    /// All pixels, each by at most `epsilon`.
    pub fn everywhere(epsilon: f64) -> Self {
        Self { norm: Norm::Linf, region: Region::Everywhere, epsilon }
    }

    fn image(self, search: ImageSearch) -> ImageAttack {
        let Self { norm, region, epsilon } = self;
        ImageAttack { method: ImageMethod::Search { search, norm, region }, strength: epsilon }
    }
}

/// What an attack on the pixels may do at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reach {
    /// It moves pixels within a ball.
    Ball(Ball),
    /// It paints a square.
    Square {
        /// Its share of the image.
        share: f64,
        /// The pixels that it may cover.
        region: Region,
    },
}

impl Reach {
    /// How far an attack may go; None if it looks for nothing, as a corruption does.
    pub fn of(attack: &Attack) -> Option<Self> {
        let ImageAttack { method, strength } = attack.image?;
        match method {
            ImageMethod::Search { norm, region, .. } => {
                Some(Self::Ball(Ball { norm, region, epsilon: strength }))
            }
            ImageMethod::Patch { region, .. } | ImageMethod::NaivePatch { region } => {
                Some(Self::Square { share: strength, region })
            }
            ImageMethod::Corruption(_) | ImageMethod::Absent(_) => None,
        }
    }

    /// The same at another strength.
    fn at(self, strength: f64) -> Self {
        match self {
            Self::Ball(ball) => Self::Ball(Ball { epsilon: strength, ..ball }),
            Self::Square { region, .. } => Self::Square { share: strength, region },
        }
    }

    fn strength(self) -> f64 {
        match self {
            Self::Ball(ball) => ball.epsilon,
            Self::Square { share, .. } => share,
        }
    }
}

/// The probes within a requirement's reach. In a ball these are the searches that know its norm among FGSM, PGD with
/// few and with more steps, fixed moves, and Square. For a square they are squares that need no gradient.
pub fn ladder(reach: Reach) -> Vec<Attack> {
    let alone = |image| Attack { image: Some(image), ..Attack::default() };
    match reach {
        Reach::Ball(ball) => {
            let [few, more] = STEPS.map(|steps| ImageSearch::Pgd { steps, restarts: 1 });
            let square = ImageSearch::Square { queries: QUERIES };
            let all = [ImageSearch::Fgsm, few, more, ImageSearch::Naive, square];
            let known = all.into_iter().filter(|search| search.norms().contains(&ball.norm));
            known.map(|search| alone(ball.image(search))).collect()
        }
        Reach::Square { share, region } => {
            vec![alone(ImageAttack { method: ImageMethod::NaivePatch { region }, strength: share })]
        }
    }
}

/// The reaches of the attacks in requirements on a model, each at the largest strength of its clause.
fn claimed(model: usize, cells: &[Cell], requirements: &[Requirement]) -> Vec<Reach> {
    let mut all: Vec<Reach> = Vec::new();
    let mut claim = |places: &[usize]| {
        let own = places.iter().filter_map(|&place| cells.get(place)).filter(|cell| cell.model == model);
        let mut strongest: Vec<Reach> = Vec::new();
        for reach in own.filter_map(|cell| Reach::of(&cell.attack)) {
            // equal except for the strength
            let is_kin = |known: &&mut Reach| known.at(1.0) == reach.at(1.0);
            match strongest.iter_mut().find(is_kin) {
                Some(known) => *known = known.at(known.strength().max(reach.strength())),
                None => strongest.push(reach),
            }
        }
        strongest.retain(|reach| !all.contains(reach));
        all.extend(strongest);
    };
    for requirement in requirements {
        for clause in &requirement.clauses {
            clause.subjects().for_each(|(_, cells)| claim(cells));
            claim(&clause.others);
        }
        if let Some(regression) = &requirement.regression {
            claim(&regression.cells);
        }
    }
    all
}

/// The probes that the checks need beside the cells; none under `checks: cheap`.
pub(super) fn probes(
    spec: &Spec,
    subjects: &[Subject],
    cells: &[Cell],
    requirements: &[Requirement],
) -> Vec<Probe> {
    let mut probes: Vec<Probe> = Vec::new();
    if spec.checks.policy == CheckPolicy::Cheap {
        return probes;
    }
    for (model, subject) in subjects.iter().enumerate() {
        let (_, kind) = &spec.models[subject.model];
        let own = || cells.iter().filter(move |cell| cell.model == model).map(|cell| &cell.attack);
        let shown = super::access::shown(spec, kind);
        let mut probe = |attack: Attack, whole| {
            if attack.access() > shown {
                return;
            }
            let is_new = probes.iter().all(|known| known.cell.model != model || known.cell.attack != attack);
            if is_new && own().all(|known| *known != attack) {
                probes.push(Probe { cell: Cell { model, attack }, whole });
            }
        };
        for (reads, image) in [(kind.reads_image(), true), (kind.reads_text(), false)] {
            if reads {
                probe(replaced(image, Absence::Blank), true);
                probe(replaced(image, Absence::WrongPatient), true);
            }
        }
        let reaches = if kind.reads_image() { claimed(model, cells, requirements) } else { vec![] };
        reaches.iter().flat_map(|&reach| ladder(reach)).for_each(|attack| probe(attack, false));
        if !reaches.is_empty() {
            probe(unbounded(kind.reads_text()), false);
        }
    }
    probes
}
