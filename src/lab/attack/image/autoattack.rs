//! The suite for two classes, after AutoAttack: Croce and Hein, Reliable Evaluation of Adversarial Robustness with an
//! Ensemble of Diverse Parameter-free Attacks (ICML 2020, arXiv 2003.01690). It runs APGD on cross-entropy, APGD on
//! the margin, FAB and Square in turn, each on the cases that the earlier ones did not break.
//!
//! The published suite is undefined for two classes: its second attack raises the targeted difference-of-logits ratio,
//! which needs four classes (the plain one needs three). The margin takes its place: it does not saturate either,
//! and a sign gradient has no scale. With one other class a targeted attack is the untargeted one.
//!
//! Defaults: 100 steps of each gradient attack from 1 start, 1000 queries of Square. Needs: the gradient. Cost a
//! case: 1 evaluation, and for each attack until one breaks it, that attack's cost and 1 evaluation.

use super::{Problem, propose};
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::Answer;
use crate::spec::{AttackLoss, ImageSearch};

/// The first broken image of each case; the clean one where all attacks fail.
pub fn search(problem: &Problem<'_>, steps: u32, queries: u32) -> Result<Tensor> {
    let found = problem.images.f_detach_copy()?;
    let mut standing =
        right(&problem.answer(&problem.images)?, &(0..problem.cases.len()).collect::<Vec<_>>());
    for attack in [
        ImageSearch::Apgd { loss: AttackLoss::CrossEntropy, steps, restarts: 1 },
        ImageSearch::Apgd { loss: AttackLoss::Margin, steps, restarts: 1 },
        ImageSearch::Fab { steps, restarts: 1 },
        ImageSearch::Square { queries },
    ] {
        if standing.is_empty() {
            break;
        }
        let rest = problem.select(&standing)?;
        let images = rest.project(&propose(&rest, attack)?)?;
        let still = right(&rest.answer(&images)?, &standing);
        let _guard = tensor::no_grad_guard();
        for (row, &case) in standing.iter().enumerate().filter(|(_, case)| !still.contains(case)) {
            found.f_get(case as i64)?.f_copy_(&images.f_get(row as i64)?)?;
        }
        standing = still;
    }
    Ok(found)
}

/// The cases with right answers.
fn right(answers: &[Answer], cases: &[usize]) -> Vec<usize> {
    cases.iter().zip(answers).filter(|(_, answer)| !answer.is_broken()).map(|(&case, _)| case).collect()
}
