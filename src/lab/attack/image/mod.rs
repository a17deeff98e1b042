//! Attacks on the pixels. Each gets a [`Problem`] (cases, victim, threat model) and proposes images.

pub mod apgd;
pub mod autoattack;
mod boundary;
pub mod carlini;
pub mod corruption;
pub mod deepfool;
mod estimate;
pub mod fab;
pub mod fgsm;
pub mod hop_skip_jump;
pub mod mask;
pub mod momentum;
pub mod naive;
pub mod naive_patch;
pub mod nes;
pub mod patch;
pub mod pgd;
pub mod random_fgsm;
pub mod space;
pub mod spsa;
pub mod square;
pub mod transfer;

pub use space::Space;

use rand_chacha::ChaCha12Rng;

use crate::lab::loss::Objective;
use crate::lab::tensor::{self, Kind, Tensor};
use crate::lab::victim::{Answer, Victim};
use crate::random::{below, normals, stream, uniform};
use crate::spec::{AttackLoss, ImageSearch, Norm};
use crate::{Class, Error, Result};

/// The input of an attack: the cases, the model and the threat model.
pub struct Problem<'a> {
    /// The model, with the access that the attack has.
    pub victim: Victim<'a>,
    /// The clean images, `[cases, views, side, side]`.
    pub images: Tensor,
    /// Features of the text branch for the same cases; None if the model reads no text.
    pub text: Option<Tensor>,
    /// Identifiers of the cases: each has its own noise.
    pub cases: Vec<&'a str>,
    /// Seed of the spec.
    pub seed: u64,
    /// The threat model.
    pub space: Space,
}

/// The nearest inputs of the other class that an attack found, for any ε.
#[derive(Debug)]
pub struct Minimal {
    /// The inputs, or the clean ones where none was found.
    pub images: Tensor,
    /// Their distances in the norm of the threat model; infinite where none was found.
    pub norms: Vec<f32>,
    /// Whether an input other than the clean one was tried.
    pub moved: Vec<bool>,
}

impl Minimal {
    /// Starts without any.
    pub fn new(images: &Tensor) -> Result<Self> {
        let Best { images, margins: norms } = Best::new(images)?;
        let moved = vec![false; norms.len()];
        Ok(Self { images, norms, moved })
    }

    /// Keeps broken inputs that are nearer; returns for each case whether the new input was broken.
    pub fn keep(&mut self, problem: &Problem<'_>, x: &Tensor, answers: &[Answer]) -> Result<Vec<bool>> {
        let distances = problem.space.distance(&problem.images, x)?;
        let broken: Vec<bool> = answers.iter().map(Answer::is_broken).collect();
        let mut nearer = vec![false; broken.len()];
        for (case, distance) in distances.into_iter().enumerate() {
            self.moved[case] |= distance > 0.0;
            nearer[case] = broken[case] && distance < self.norms[case];
            if nearer[case] {
                self.norms[case] = distance;
            }
        }
        copy_rows(&self.images, x, &nearer)?;
        Ok(broken)
    }

    /// Whether one was found for every case.
    pub fn is_complete(&self) -> bool {
        self.norms.iter().all(|norm| norm.is_finite())
    }
}

impl Clone for Problem<'_> {
    fn clone(&self) -> Self {
        Self {
            victim: self.victim.clone(),
            images: self.images.shallow_clone(),
            text: self.text.as_ref().map(Tensor::shallow_clone),
            cases: self.cases.clone(),
            seed: self.seed,
            space: self.space.clone(),
        }
    }
}

impl Problem<'_> {
    /// A random sign per pixel, in the shape of the images. The noise depends on the attack's name and the case.
    fn random_signs(&self, attack: &str) -> Result<Tensor> {
        self.noise(attack, &[], |rng, pixels| {
            (0..pixels).map(|_| if below(rng, 2) == 0 { -1.0 } else { 1.0 }).collect()
        })
    }

    /// Noise in the shape of the images: `draw` gives that of a case's pixels. Each case has a stream of its own, named
    /// after the attack, the seed, the case and `more`.
    fn noise(
        &self,
        attack: &str,
        more: &[&str],
        draw: impl Fn(&mut ChaCha12Rng, usize) -> Vec<f32>,
    ) -> Result<Tensor> {
        let shape: Vec<usize> = self.images.size().iter().map(|&n| n as usize).collect();
        let pixels: usize = shape[1..].iter().product();
        let seed = self.seed.to_string();
        let mut noise = Vec::with_capacity(self.cases.len() * pixels);
        for case in &self.cases {
            let names = [&[attack, &seed, case], more].concat();
            noise.extend(draw(&mut stream(&names), pixels));
        }
        tensor::floats(&noise, &shape)
    }

    /// The problem for some of the cases, by row, in that order.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        let places = tensor::rows(rows)?;
        Ok(Self {
            victim: self.victim.select(rows)?,
            images: self.images.f_index_select(0, &places)?,
            text: self.text.as_ref().map(|text| text.f_index_select(0, &places)).transpose()?,
            cases: rows.iter().map(|&row| self.cases[row]).collect(),
            seed: self.seed,
            space: self.space.select(&places)?,
        })
    }

    /// The problem with another ε.
    #[must_use]
    pub fn with_epsilon(&self, epsilon: f64) -> Self {
        Self { space: Space { epsilon, ..self.space.clone() }, ..self.clone() }
    }

    /// The problem without an ε: only the box [0, 1] and the mask limit the change.
    #[must_use]
    pub fn unbounded(&self) -> Self {
        self.with_epsilon(f64::INFINITY)
    }

    /// The model's answers to images.
    pub fn answer(&self, images: &Tensor) -> Result<Vec<Answer>> {
        self.victim.answer(Some(&self.victim.read_images(images)?), self.text.as_ref())
    }

    /// The model's answers, and the gradient of the summed loss by the pixels (0 where they may not move).
    pub fn gradient(&self, images: &Tensor, loss: AttackLoss) -> Result<(Vec<Answer>, Tensor)> {
        let (answers, gradient) = self.victim.gradient_of(images, self.text.as_ref(), loss)?;
        Ok((answers, self.space.masked(&gradient)?))
    }

    /// The same for any objective, with the loss of each case.
    fn raised(&self, images: &Tensor, objective: &Objective) -> Result<(Vec<Answer>, Tensor, Vec<f32>)> {
        let (answers, gradient, losses) = self.victim.raised(images, self.text.as_ref(), objective)?;
        Ok((answers, self.space.masked(&gradient)?, losses))
    }

    /// The other classes of each case, those with the largest logits on the clean image first.
    fn others(&self) -> Result<Vec<Vec<Class>>> {
        self.victim.others(Some(&self.victim.read_images(&self.images)?), self.text.as_ref())
    }

    /// The nearest admissible images.
    pub fn project(&self, proposal: &Tensor) -> Result<Tensor> {
        self.space.project(&self.images, proposal)
    }

    /// Random admissible images: x + U(−ε, ε) a pixel in linf; in l2 a normal direction, of a length drawn from
    /// U(0, ε).
    pub fn random_start(&self, attack: &str, restart: u32) -> Result<Tensor> {
        let epsilon = self.space.epsilon as f32;
        let noise = self.noise(attack, &[&restart.to_string()], |rng, pixels| match self.space.norm {
            Norm::Linf => (0..pixels).map(|_| (2.0 * uniform(rng) - 1.0) * epsilon).collect(),
            Norm::L2 => {
                let direction = normals(rng, pixels);
                let length = direction.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
                let scale = uniform(rng) * epsilon / length;
                direction.into_iter().map(|x| x * scale).collect()
            }
        })?;
        let _guard = tensor::no_grad_guard();
        self.project(&self.images.f_add(&noise)?)
    }

    /// The images of a minimum-norm attack whose distance is within ε; the clean ones elsewhere.
    pub fn within(&self, minimal: &Minimal) -> Result<Tensor> {
        let _guard = tensor::no_grad_guard();
        let inside: Vec<f32> = minimal
            .norms
            .iter()
            .map(|&norm| f32::from(u8::from(norm <= self.space.epsilon as f32)))
            .collect();
        let inside = tensor::floats(&inside, &[inside.len(), 1, 1, 1])?.f_to_kind(Kind::Bool)?;
        Ok(minimal.images.f_where_self(&inside, &self.images)?)
    }
}

/// The input with the least margin so far, for each case.
#[derive(Debug)]
pub struct Best {
    /// The inputs.
    pub images: Tensor,
    /// Their margins.
    pub margins: Vec<f32>,
}

impl Best {
    /// Starts with the clean images, with unknown margins.
    pub fn new(images: &Tensor) -> Result<Self> {
        let margins = vec![f32::INFINITY; images.size().first().map_or(0, |&cases| cases as usize)];
        Ok(Self { images: images.f_detach_copy()?, margins })
    }

    /// Keeps inputs with a lower margin; returns which cases improved.
    pub fn keep(&mut self, x: &Tensor, answers: &[Answer]) -> Result<Vec<bool>> {
        // a case without a finite answer counts as broken
        let margins: Vec<f32> =
            answers.iter().map(|answer| answer.margin.unwrap_or(f32::NEG_INFINITY)).collect();
        self.keep_margins(x, &margins)
    }

    /// Like `keep`, from margins.
    pub fn keep_margins(&mut self, x: &Tensor, margins: &[f32]) -> Result<Vec<bool>> {
        let better: Vec<bool> = margins.iter().zip(&self.margins).map(|(new, old)| new < old).collect();
        for (case, _) in better.iter().enumerate().filter(|(_, better)| **better) {
            self.margins[case] = margins[case];
        }
        copy_rows(&self.images, x, &better)?;
        Ok(better)
    }
}

/// Replaces entries that are not finite by 0.
pub(super) fn zeroed(values: &Tensor) -> Result<Tensor> {
    Ok(values.f_nan_to_num(0.0, 0.0, 0.0)?)
}

/// Overwrites the chosen cases.
pub(in crate::lab) fn copy_rows(into: &Tensor, from: &Tensor, chosen: &[bool]) -> Result<()> {
    let _guard = tensor::no_grad_guard();
    for case in chosen.iter().enumerate().filter(|(_, chosen)| **chosen).map(|(case, _)| case as i64) {
        into.f_get(case)?.f_copy_(&from.f_get(case)?)?;
    }
    Ok(())
}

/// The result of a search.
enum Found {
    /// Images that may be within the ball.
    Images(Tensor),
    /// The nearest inputs of the other class, for any ε.
    Nearest(Minimal),
}

/// Runs a search. The victim enforces the access that the search's row states.
fn run(problem: &Problem<'_>, search: ImageSearch) -> Result<Found> {
    let problem = &Problem { victim: problem.victim.limited(search.access()), ..problem.clone() };
    Ok(match search {
        ImageSearch::Fgsm => {
            let (_, gradient) = problem.gradient(&problem.images, AttackLoss::CrossEntropy)?;
            Found::Images(fgsm::propose(problem, &gradient)?)
        }
        ImageSearch::RandomFgsm => Found::Images(random_fgsm::propose(problem)?),
        ImageSearch::Pgd { steps, restarts } => Found::Images(pgd::propose(problem, steps, restarts)?),
        ImageSearch::Momentum { steps } => Found::Images(momentum::propose(problem, steps)?),
        ImageSearch::Apgd { loss, steps, restarts } => {
            Found::Images(apgd::propose(problem, apgd::Apgd { loss, steps, restarts })?)
        }
        ImageSearch::AutoAttack { steps, queries } => {
            Found::Images(autoattack::search(problem, steps, queries)?)
        }
        ImageSearch::Naive => Found::Images(naive::propose(problem)?),
        ImageSearch::Square { queries } => Found::Images(square::propose(problem, queries)?),
        ImageSearch::Spsa { steps, samples } => Found::Images(spsa::propose(problem, steps, samples)?),
        ImageSearch::Nes { steps, samples } => Found::Images(nes::propose(problem, steps, samples)?),
        ImageSearch::Fab { steps, restarts } => Found::Nearest(fab::search(problem, steps, restarts)?),
        ImageSearch::DeepFool { steps } => Found::Nearest(deepfool::search(problem, steps)?),
        ImageSearch::CarliniWagner { steps, searches } => {
            Found::Nearest(carlini::search(problem, steps, searches)?)
        }
        ImageSearch::HopSkipJump { queries } => Found::Nearest(hop_skip_jump::nearest(problem, queries)?),
        // only the chunk knows the other models, so it runs the transfer
        ImageSearch::Transfer { .. } => {
            return Err(Error::Bug("a transfer has no model to start from".into()));
        }
    })
}

/// The images that a search proposes. For a minimum-norm search they follow from its distances.
///
/// # Errors
/// The search is a transfer, which only a chunk can run (a bug in medcert).
pub fn propose(problem: &Problem<'_>, search: ImageSearch) -> Result<Tensor> {
    match run(problem, search)? {
        Found::Images(images) => Ok(images),
        Found::Nearest(minimal) => problem.within(&minimal),
    }
}

/// The result of a minimum-norm search, for any ε.
///
/// # Errors
/// The search is of another kind (a bug in medcert).
pub fn nearest(problem: &Problem<'_>, search: ImageSearch) -> Result<Minimal> {
    match run(problem, search)? {
        Found::Nearest(minimal) => Ok(minimal),
        Found::Images(_) => Err(Error::Bug("this search keeps no least change".into())),
    }
}
