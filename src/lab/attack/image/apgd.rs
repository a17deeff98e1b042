//! Auto-PGD: Croce and Hein, Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse
//! Parameter-free Attacks (ICML 2020, arXiv 2003.01690), algorithm 1.
//!
//! z = Π(xᵗ + η sign ∇L), xᵗ⁺¹ = Π(xᵗ + a (z − xᵗ) + (1 − a)(xᵗ − xᵗ⁻¹)) with a = 0.75 (1 in the first step), from
//! η = 2ε. At checkpoints, 0.22 N steps apart at first and then ever closer, η is halved and the case goes
//! back to its best point if fewer than 0.75 of the steps since the last one helped, or if neither η nor
//! the best changed since. With two classes both losses are monotone in the margin, so progress is measured
//! by it, free of saturation; only their gradients differ. With more classes progress is measured by the loss, as
//! published, and the iterate with the least margin is kept.
//!
//! Defaults: 100 steps, 1 random start. Needs: the gradient. Cost a case: a gradient a step and start, and an
//! evaluation more a start.

use super::{Best, Problem, copy_rows};
use crate::lab::loss::Objective;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::Answer;
use crate::spec::AttackLoss;
use crate::{Class, Result};

const MOMENTUM: f64 = 0.75;
const HELPFUL: f64 = 0.75;

/// Parameters of the attack.
#[derive(Debug, Clone, Copy)]
pub struct Apgd {
    /// The loss that it raises.
    pub loss: AttackLoss,
    /// Gradient steps.
    pub steps: u32,
    /// Random starts.
    pub restarts: u32,
}

/// The best iterate of each case.
pub fn propose(problem: &Problem<'_>, attack: Apgd) -> Result<Tensor> {
    let mut best = Best::new(&problem.images)?;
    let objective = attack.loss.into();
    for restart in 0..attack.restarts {
        let found = climb(problem, &objective, attack.steps, restart)?;
        best.keep_margins(&found.images, &found.margins)?;
    }
    Ok(best.images)
}

/// The steps at which η is reviewed.
fn checkpoints(steps: u32) -> Vec<u32> {
    let of = |share: f64| ((share * f64::from(steps)) as u32).max(1);
    let (mut gap, shrink, least) = (of(0.22), of(0.03), of(0.06));
    let mut all = vec![gap];
    while let Some(&last) = all.last().filter(|&&last| last < steps) {
        gap = gap.saturating_sub(shrink).max(least);
        all.push(last + gap);
    }
    all
}

/// The progress of a case between two checkpoints.
#[derive(Clone)]
struct Pace {
    step: f32,
    helped: u32,
    halved: bool,
    best: f32,
    last: f32,
}

/// What counts as progress of each case, the less the better: the loss or, with two classes, the margin.
fn progress(problem: &Problem<'_>, answers: &[Answer], losses: &[f32]) -> Vec<f32> {
    let of = |((answer, loss), label): ((&Answer, &f32), &Class)| match label {
        Class::Two(_) => answer.margin.unwrap_or(f32::NEG_INFINITY),
        Class::Several(_) if loss.is_nan() => f32::NEG_INFINITY,
        Class::Several(_) => -loss,
    };
    answers.iter().zip(losses).zip(problem.victim.truth()).map(of).collect()
}

/// Steps from a random start that raise an objective; the iterate with the least margin.
pub(super) fn climb(problem: &Problem<'_>, objective: &Objective, steps: u32, restart: u32) -> Result<Best> {
    let mut best = Best::new(&problem.images)?;
    let mut peak = Best::new(&problem.images)?;
    let mut x = problem.random_start("apgd", restart)?;
    let mut before = x.shallow_clone();
    let (answers, mut gradient, losses) = problem.raised(&x, objective)?;
    best.keep(&x, &answers)?;
    peak.keep_margins(&x, &progress(problem, &answers, &losses))?;
    let at_best = gradient.f_detach_copy()?;
    let start = 2.0 * problem.space.epsilon as f32;
    let pace = |margin: &f32| Pace { step: start, helped: 0, halved: true, best: *margin, last: *margin };
    let mut paces: Vec<Pace> = peak.margins.iter().map(pace).collect();
    let (checkpoints, mut last_checkpoint) = (checkpoints(steps), 0);
    for step in 1..=steps {
        let next = advance(problem, &x, &before, &gradient, &paces, step == 1)?;
        before = std::mem::replace(&mut x, next);
        if step == steps {
            best.keep(&x, &problem.answer(&x)?)?; // the last step needs no gradient
            break;
        }
        let (answers, rising, losses) = problem.raised(&x, objective)?;
        gradient = rising;
        best.keep(&x, &answers)?;
        let reached = progress(problem, &answers, &losses);
        let better = peak.keep_margins(&x, &reached)?;
        copy_rows(&at_best, &gradient, &better)?;
        for (pace, reached) in paces.iter_mut().zip(reached) {
            pace.helped += u32::from(reached < pace.last);
            pace.last = reached;
        }
        if checkpoints.contains(&step) {
            let back = halve(&mut paces, &peak.margins, step - last_checkpoint);
            copy_rows(&x, &peak.images, &back)?;
            copy_rows(&gradient, &at_best, &back)?;
            last_checkpoint = step;
        }
    }
    Ok(best)
}

/// One step of every case, with its own η.
fn advance(
    problem: &Problem<'_>,
    x: &Tensor,
    before: &Tensor,
    gradient: &Tensor,
    paces: &[Pace],
    is_first: bool,
) -> Result<Tensor> {
    let _guard = tensor::no_grad_guard();
    let steps: Vec<f32> = paces.iter().map(|pace| pace.step).collect();
    let steps = tensor::floats(&steps, &[steps.len(), 1, 1, 1])?;
    let ahead = problem.project(&x.f_add(&gradient.f_sign()?.f_mul(&steps)?)?)?;
    let share = if is_first { 1.0 } else { MOMENTUM };
    let forward = ahead.f_sub(x)?.f_mul_scalar(share)?;
    let drift = x.f_sub(before)?.f_mul_scalar(1.0 - share)?;
    problem.project(&x.f_add(&forward)?.f_add(&drift)?)
}

/// Halves η for the cases without progress; returns which go back to their best point.
fn halve(paces: &mut [Pace], best: &[f32], steps: u32) -> Vec<bool> {
    let decide = |(pace, &best): (&mut Pace, &f32)| {
        let few = f64::from(pace.helped) < HELPFUL * f64::from(steps);
        let stuck = !pace.halved && best >= pace.best;
        pace.halved = few || stuck;
        if pace.halved {
            pace.step /= 2.0;
            pace.last = best;
        }
        (pace.helped, pace.best) = (0, best);
        pace.halved
    };
    paces.iter_mut().zip(best).map(decide).collect()
}

#[cfg(test)]
mod tests {
    use super::checkpoints;

    #[test]
    fn checkpoints_of_a_hundred_steps_are_the_published_ones() {
        assert_eq!(checkpoints(100)[..9], [22, 41, 57, 70, 80, 87, 93, 99, 105]);
        assert!(checkpoints(1).iter().all(|&step| step >= 1));
    }
}
