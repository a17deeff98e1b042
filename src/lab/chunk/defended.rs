//! Attacks on a model behind a defence. The attack of a cell knows the defence (see [`defend`](crate::lab::defend)).
//! In addition, the images are tried that the same attack makes against the wrapped model; and, if the attack uses
//! the gradient, Square and `HopSkipJump` run on the defended answer. The worst result counts for each case, and the
//! evidence says which of the attacks broke it.

use super::pixels::Attacked;
use super::{Chunk, bug};
use crate::Result;
use crate::evidence::Routes;
use crate::lab::attack::image::{self, Problem, Space, copy_rows};
use crate::lab::model::Reader;
use crate::lab::tensor::Tensor;
use crate::lab::victim::{Answer, Victim};
use crate::plan::ImageAttack;
use crate::spec::{Access, ImageSearch, Region};

/// Selects the flag of one of the attacks in a case's routes.
type Route = fn(&mut Routes) -> &mut bool;

/// Evaluations of the wrapped model that each black-box attack may spend on a case.
const EVALUATIONS: usize = 400;
/// Least and largest number of evaluations of the defended model by each black-box attack.
const FEWEST: usize = 20;
const MOST: usize = 100;

impl Chunk<'_> {
    /// The worst result of all attacks on a defended model, for each case.
    pub(super) fn against_defence(
        &mut self,
        (attack, search, region): (ImageAttack, ImageSearch, Region),
        space: &Space,
        place: usize,
        base: &dyn Reader,
    ) -> Result<Attacked> {
        let known: Route = |routes| &mut routes.adaptive;
        let proposal = self.search(search, region, space, place)?;
        let mut worst = self.admit(&proposal, space, attack.method)?;
        let mut margins = self.tallied(&mut worst, place, known)?;
        let mut others: Vec<(Tensor, Route)> = Vec::new();
        if !matches!(search, ImageSearch::Transfer { .. }) {
            others.push((self.unaware(search, space, place, base)?, |routes| &mut routes.unaware));
        }
        if search.access() == Access::Gradient {
            let problem = self.problem(space.clone(), place)?;
            let queries = (EVALUATIONS / self.scene.reader.draws()).clamp(FEWEST, MOST) as u32;
            let square = ImageSearch::Square { queries };
            if square.facts().norms.contains(&space.norm) {
                others.push((image::propose(&problem, square)?, |routes| &mut routes.square));
            }
            let boundary = image::propose(&problem, ImageSearch::HopSkipJump { queries })?;
            others.push((boundary, |routes| &mut routes.hop_skip_jump));
        }
        for (proposal, route) in others {
            let mut other = self.admit(&proposal, space, attack.method)?;
            let found = self.tallied(&mut other, place, route)?;
            let worse: Vec<bool> = found.iter().zip(&margins).map(|(new, old)| new < old).collect();
            copy_rows(&worst.images, &other.images, &worse)?;
            copy_rows(&worst.features, &other.features, &worse)?;
            for case in 0..worse.len() {
                worst.acted[case] |= other.acted[case];
                *route(&mut worst.routes[case]) = *route(&mut other.routes[case]);
                if worse[case] {
                    (worst.changes[case], margins[case]) = (other.changes[case], found[case]);
                }
            }
        }
        Ok(worst)
    }

    /// The images that an attack makes against the wrapped model, without the defence.
    fn unaware(&self, search: ImageSearch, space: &Space, place: usize, base: &dyn Reader) -> Result<Tensor> {
        let variant = &self.variants[place];
        let texts: Vec<String> = variant.words.iter().map(|words| words.document.text()).collect();
        let own = self.problem(space.clone(), place)?;
        let problem = Problem {
            victim: Victim::new(base, variant.victim.truth().to_vec())?,
            images: own.images.shallow_clone(),
            text: if base.reads_text() { Some(base.read_texts(&texts)?) } else { None },
            cases: own.cases.clone(),
            seed: own.seed,
            space: space.clone(),
        };
        image::propose(&problem, search)
    }

    /// The margins of the answers that count; also sets the route's flag for each broken case.
    fn tallied(
        &self,
        attacked: &mut Attacked,
        place: usize,
        route: fn(&mut Routes) -> &mut bool,
    ) -> Result<Vec<f32>> {
        let variant = &self.variants[place];
        let answers = variant.victim.answer(Some(&attacked.features), variant.features.as_ref())?;
        let answers = self.settled(answers, Some(attacked), place)?;
        for (routes, answer) in attacked.routes.iter_mut().zip(&answers) {
            *route(routes) = answer.is_broken();
        }
        Ok(answers.iter().map(|answer| answer.margin.unwrap_or(f32::NEG_INFINITY)).collect())
    }

    /// The answers that count, where they differ from those that attacks see: votes, or double masking. A missing
    /// input has no pixels or words to vote on, so the answer stays.
    pub(super) fn settled(
        &self,
        answers: Vec<Answer>,
        attacked: Option<&Attacked>,
        place: usize,
    ) -> Result<Vec<Answer>> {
        let variant = &self.variants[place];
        if variant.is_cut_off() || attacked.is_some_and(|attacked| attacked.is_cut_off) {
            return Ok(answers);
        }
        let images = attacked.map(|attacked| &attacked.images).or(self.images.as_ref());
        let settle = |(case, seen): (usize, Answer)| {
            let image = images.map(|images| images.f_narrow(0, case as i64, 1)).transpose()?;
            let text = variant.words[case].document.text();
            let truth = variant.victim.truth()[case];
            let settled = self.scene.reader.settled(self.cases[case], image.as_ref(), &text, truth)?;
            Ok(settled.unwrap_or(seen))
        };
        answers.into_iter().enumerate().map(settle).collect()
    }

    /// The answers that count for the clean cases; None if they are those that attacks see.
    pub(super) fn settled_clean(&self) -> Result<Option<Vec<Answer>>> {
        if !self.is_settled_apart() {
            return Ok(None);
        }
        let variant = self.variants.first().ok_or_else(|| bug("a chunk has no clean reports"))?;
        let blank = Answer { margin: None, predicted: None };
        let blank = vec![blank; variant.words.len()];
        self.settled(blank, None, 0).map(Some)
    }

    /// Whether the answers that count differ from those that attacks see.
    pub(super) fn is_settled_apart(&self) -> bool {
        self.scene.reader.draws() > 1
    }
}
