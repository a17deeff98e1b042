//! The suite after AutoAttack: Croce and Hein, Reliable Evaluation of Adversarial Robustness with an
//! Ensemble of Diverse Parameter-free Attacks (ICML 2020, arXiv 2003.01690). It runs its attacks in turn, each on the
//! cases that the earlier ones did not break: APGD on cross-entropy, APGD on a loss that does not saturate, FAB and Square.
//!
//! With four classes and more it is the published standard: the second attack raises the targeted difference-of-logits
//! ratio towards each of the nine most likely other classes in turn, and FAB walks to the boundary of each of them. With
//! three classes the targeted ratio is undefined, so the plain one is raised. With two classes neither is defined: the
//! margin takes its place, which does not saturate either, and a sign gradient has no scale; a targeted attack is then
//! the untargeted one.
//!
//! Defaults: 100 steps of each gradient attack from 1 start, 1000 queries of Square (its authors take 5000). Needs: the
//! gradient. Cost a case: 1 evaluation, and for each attack until one breaks it, that attack's cost and 1 evaluation;
//! with more than two classes 1 evaluation more, and the targeted attacks as often as there are targets.

use super::boundary::Others;
use super::{Problem, apgd, fab, propose};
use crate::Result;
use crate::lab::loss::Objective;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::Answer;
use crate::spec::{AttackLoss, ImageSearch};

/// Classes from which the targeted difference-of-logits ratio is defined.
const TARGETED_FROM: usize = 4;

/// One attack of the suite.
enum Member {
    Search(ImageSearch),
    /// APGD on the plain difference-of-logits ratio.
    Dlr,
    /// The same towards the other class of a rank.
    DlrTowards(usize),
    /// FAB, to the boundary of the other class of a rank.
    FabTowards(usize),
}

/// The first broken image of each case; the clean one where all attacks fail.
pub fn search(problem: &Problem<'_>, steps: u32, queries: u32) -> Result<Tensor> {
    let found = problem.images.f_detach_copy()?;
    let mut standing =
        right(&problem.answer(&problem.images)?, &(0..problem.cases.len()).collect::<Vec<_>>());
    let others = Others::of(problem)?;
    for member in members(others.count() + 1, steps, queries) {
        if standing.is_empty() {
            break;
        }
        let rest = problem.select(&standing)?;
        let images = rest.project(&proposal(&rest, &member, &others.select(&standing), steps)?)?;
        let still = right(&rest.answer(&images)?, &standing);
        let _guard = tensor::no_grad_guard();
        for (row, &case) in standing.iter().enumerate().filter(|(_, case)| !still.contains(case)) {
            found.f_get(case as i64)?.f_copy_(&images.f_get(row as i64)?)?;
        }
        standing = still;
    }
    Ok(found)
}

/// The attacks for so many classes, in their order.
fn members(classes: usize, steps: u32, queries: u32) -> Vec<Member> {
    let apgd = |loss| Member::Search(ImageSearch::Apgd { loss, steps, restarts: 1 });
    let targets = 0..classes - 1;
    let second: Vec<Member> = match classes {
        2 => vec![apgd(AttackLoss::Margin)],
        few if few < TARGETED_FROM => vec![Member::Dlr],
        _ => targets.clone().map(Member::DlrTowards).collect(),
    };
    let third: Vec<Member> = match classes {
        2 => vec![Member::Search(ImageSearch::Fab { steps, restarts: 1 })],
        _ => targets.map(Member::FabTowards).collect(),
    };
    let first = std::iter::once(apgd(AttackLoss::CrossEntropy));
    first.chain(second).chain(third).chain([Member::Search(ImageSearch::Square { queries })]).collect()
}

/// The images that an attack proposes.
fn proposal(rest: &Problem<'_>, member: &Member, others: &Others, steps: u32) -> Result<Tensor> {
    Ok(match member {
        Member::Search(search) => propose(rest, *search)?,
        Member::Dlr => apgd::climb(rest, &Objective::Dlr, steps, 0)?.images,
        Member::DlrTowards(rank) => {
            apgd::climb(rest, &Objective::DlrTowards(others.ranked(*rank)), steps, 0)?.images
        }
        Member::FabTowards(rank) => rest.within(&fab::towards(rest, (steps, 1), &others.only(*rank))?)?,
    })
}

/// The cases with right answers.
fn right(answers: &[Answer], cases: &[usize]) -> Vec<usize> {
    cases.iter().zip(answers).filter(|(_, answer)| !answer.is_broken()).map(|(&case, _)| case).collect()
}
