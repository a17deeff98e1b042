//! The boundary of a class that attacks by least change walk to, to first order. Between two classes there is one. Among
//! more, every other class has one, and the nearest is meant: the class j with the least |zⱼ − zᵧ| / ‖∇(zⱼ − zᵧ)‖, in the
//! dual norm, as `DeepFool` (algorithm 2) and FAB have it.

use super::{Problem, copy_rows};
use crate::lab::loss::Objective;
use crate::lab::tensor::{Kind, Tensor};
use crate::lab::victim::Answer;
use crate::spec::{AttackLoss, Norm};
use crate::{Class, Result};

/// Other classes that are tried at most, those with the largest logits on the clean image: nine, as in `AutoAttack`.
const MOST: usize = 9;

/// The other classes of each case, the most likely first.
pub(super) struct Others(Vec<Vec<Class>>);

impl Others {
    /// Ranks them on the clean images: an evaluation where there are more than two classes, and none else.
    pub(super) fn of(problem: &Problem<'_>) -> Result<Self> {
        let truth = problem.victim.truth();
        if truth.iter().all(|label| matches!(label, Class::Two(_))) {
            return Ok(Self(truth.iter().map(|label| vec![label.turned(true)]).collect()));
        }
        let mut others = problem.others()?;
        for classes in &mut others {
            classes.truncate(MOST);
        }
        Ok(Self(others))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// Those of a rank, one a case.
    pub(super) fn ranked(&self, rank: usize) -> Vec<Class> {
        self.0.iter().filter_map(|classes| classes.get(rank).copied()).collect()
    }

    /// Those of a rank alone.
    pub(super) fn only(&self, rank: usize) -> Self {
        Self(self.ranked(rank).into_iter().map(|class| vec![class]).collect())
    }

    /// Those of some cases.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        Self(rows.iter().filter_map(|&row| self.0.get(row).cloned()).collect())
    }
}

/// The nearest boundary of each case.
pub(super) struct Boundary {
    pub(super) answers: Vec<Answer>,
    /// The gradient of the other class's logit minus the true one's.
    pub(super) gradient: Tensor,
    /// The true class's logit minus the other's; 0 where it is not finite.
    pub(super) gaps: Vec<f32>,
}

/// Finds it at some points. A gradient for each of the other classes.
pub(super) fn nearest(problem: &Problem<'_>, x: &Tensor, others: &Others) -> Result<Boundary> {
    if problem.victim.truth().iter().all(|label| matches!(label, Class::Two(_))) {
        let (answers, gradient) = problem.gradient(x, AttackLoss::Margin)?;
        let gaps = answers.iter().map(|answer| answer.margin.unwrap_or(0.0)).collect();
        return Ok(Boundary { answers, gradient, gaps });
    }
    let towards = |rank: usize| problem.raised(x, &Objective::Towards(others.ranked(rank)));
    let (answers, gradient, losses) = towards(0)?;
    let gap = |loss: &f32| if loss.is_finite() { -loss } else { 0.0 };
    let mut found = Boundary { answers, gaps: losses.iter().map(gap).collect(), gradient };
    let mut distances = distances(problem, &found.gradient, &found.gaps)?;
    for rank in 1..others.count() {
        let (_, gradient, losses) = towards(rank)?;
        let gaps: Vec<f32> = losses.iter().map(gap).collect();
        let own = self::distances(problem, &gradient, &gaps)?;
        let nearer: Vec<bool> = own.iter().zip(&distances).map(|(own, known)| own < known).collect();
        copy_rows(&found.gradient, &gradient, &nearer)?;
        for case in (0..nearer.len()).filter(|&case| nearer[case]) {
            (found.gaps[case], distances[case]) = (gaps[case], own[case]);
        }
    }
    Ok(found)
}

/// The distance of each case to a boundary; infinite where its gradient is 0.
fn distances(problem: &Problem<'_>, gradient: &Tensor, gaps: &[f32]) -> Result<Vec<f32>> {
    let slopes = crate::lab::tensor::values(&slope(problem.space.norm, gradient)?)?;
    Ok(gaps
        .iter()
        .zip(slopes)
        .map(|(gap, slope)| if slope > 0.0 { gap.abs() / slope } else { f32::INFINITY })
        .collect())
}

/// The slope along the steepest direction of a norm: the dual norm of a gradient, one a case.
pub(super) fn slope(norm: Norm, gradient: &Tensor) -> Result<Tensor> {
    let flat = gradient.f_flatten(1, -1)?;
    let sum = |flat: Tensor| flat.f_sum_dim_intlist([1_i64].as_slice(), false, Kind::Float);
    Ok(match norm {
        Norm::Linf => sum(flat.f_abs()?)?,
        Norm::L2 => sum(flat.f_square()?)?.f_sqrt()?,
    })
}
