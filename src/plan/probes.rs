//! The attacks that the checks of `judge/checks` need beside the spec's own: what a model answers without an input
//! (V2, V3), an attack that must win (M4), and, within the ball of each requirement and at its largest strength, fixed
//! moves and a search that follow no gradient (M5), one step, few steps and more (M6).

use super::{Attack, Bound, Cell, ImageAttack, Plan, Requirement};
use crate::spec::{
    Absence, CheckPolicy, ImageMethod, ImageSearch, Joint, Norm, Region, TextAttack, TextMethod,
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

    /// The ball that an attack searches; None if it searches none.
    pub fn of(attack: &Attack) -> Option<Self> {
        match attack.image? {
            ImageAttack { method: ImageMethod::Search { norm, region, .. }, strength } => {
                Some(Self { norm, region, epsilon: strength })
            }
            ImageAttack {
                method: ImageMethod::Patch { .. } | ImageMethod::Corruption(_) | ImageMethod::Absent(_),
                ..
            } => None,
        }
    }

    fn image(self, search: ImageSearch) -> ImageAttack {
        let Self { norm, region, epsilon } = self;
        ImageAttack { method: ImageMethod::Search { search, norm, region }, strength: epsilon }
    }
}

/// One step, few steps, more steps, fixed moves and a search without a gradient, within the same ball: those that know
/// its norm.
pub fn ladder(ball: Ball) -> Vec<Attack> {
    let [few, more] = STEPS.map(|steps| ImageSearch::Pgd { steps, restarts: 1 });
    let all = [ImageSearch::Fgsm, few, more, ImageSearch::Naive, ImageSearch::Square { queries: QUERIES }];
    let known = all.into_iter().filter(|search| search.norms().contains(&ball.norm));
    known.map(|search| Attack { image: Some(ball.image(search)), ..Attack::default() }).collect()
}

/// The balls in which requirements claim something of a model, each at the largest strength of a clause.
fn claimed(model: usize, cells: &[Cell], requirements: &[Requirement]) -> Vec<Ball> {
    let mut balls: Vec<Ball> = Vec::new();
    let mut claim = |places: &[usize]| {
        let own = places.iter().filter_map(|&place| cells.get(place)).filter(|cell| cell.model == model);
        let mut strongest: Vec<Ball> = Vec::new();
        for ball in own.filter_map(|cell| Ball::of(&cell.attack)) {
            let alike = |known: &&mut Ball| (known.norm, known.region) == (ball.norm, ball.region);
            match strongest.iter_mut().find(alike) {
                Some(known) => known.epsilon = known.epsilon.max(ball.epsilon),
                None => strongest.push(ball),
            }
        }
        strongest.retain(|ball| !balls.contains(ball));
        balls.extend(strongest);
    };
    for requirement in requirements {
        for clause in &requirement.clauses {
            clause.subjects().for_each(|(_, cells)| claim(cells));
            if let Bound::Model { cells, .. } = &clause.bound {
                claim(cells);
            }
        }
        if let Some(regression) = &requirement.regression {
            claim(&regression.cells);
        }
    }
    balls
}

/// What the checks need beside the cells; nothing under `checks: cheap`.
pub(super) fn probes(plan: &Plan) -> Vec<Probe> {
    let Plan { spec, cells, requirements, .. } = plan;
    let mut probes: Vec<Probe> = Vec::new();
    if spec.checks.policy == CheckPolicy::Cheap {
        return probes;
    }
    for (model, subject) in plan.subjects.iter().enumerate() {
        let (_, kind) = &spec.models[subject.model];
        let own = || cells.iter().filter(move |cell| cell.model == model).map(|cell| &cell.attack);
        let mut probe = |attack: Attack, whole| {
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
        let balls = if kind.reads_image() { claimed(model, cells, requirements) } else { vec![] };
        balls.iter().flat_map(|&ball| ladder(ball)).for_each(|attack| probe(attack, false));
        if !balls.is_empty() {
            probe(unbounded(kind.reads_text()), false);
        }
    }
    probes
}
