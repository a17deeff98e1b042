//! What must be known about an attack that searches within a ball: the columns of the rows in
//! [`ImageSearch`](super::ImageSearch). The grammar, the plan, the laboratory and the checks ask them.

use super::Norm;

/// What must be known about a search.
#[derive(Debug, Clone, Copy)]
pub struct SearchFacts {
    /// The name that a sentence gives it; `threats` writes `MI-FGSM` as `mi_fgsm`.
    pub name: &'static str,
    /// The norms that it searches in; the first is meant where none is named.
    pub norms: &'static [Norm],
    /// What it asks of the model.
    pub access: Access,
    /// What it looks for, which says what one run of it serves.
    pub seeks: Seeks,
    /// How its strength depends on its steps.
    pub steps: Steps,
    /// Whether it moves every pixel that it may move by ε, in linf.
    pub fills_ball: bool,
    /// The source file whose head documents it.
    pub source: &'static str,
}

/// What an attack may ask of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing: it does not look at the model.
    None,
    /// The predicted class.
    Decision,
    /// The logits.
    Score,
    /// The gradient too.
    Gradient,
}

impl Access {
    /// Its name in a spec and in digests.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Decision => "decision",
            Self::Score => "score",
            Self::Gradient => "gradient",
        }
    }
}

/// What a search looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeks {
    /// A wrong answer within the ball; each ε needs its own search.
    WithinBall,
    /// The same, along the gradient of the clean image, which serves every ε.
    AlongCleanGradient,
    /// The nearest input of the other class, whatever ε; the accuracy at every ε is read off the distances.
    Nearest,
}

/// How the strength of a search depends on its steps, for the checks that compare attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steps {
    /// One gradient step; it must not beat attacks that take many.
    Single,
    /// Many gradient steps in the ball; they must break no fewer cases than a single step.
    Many,
    /// The same, and more of them, from at least as many starts, must break no fewer than few.
    MoreIsStronger,
    /// It is not compared by its steps.
    Incomparable,
}

/// Evaluations that an attack on pixels spends on a case at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evaluations {
    /// Answers, the judge's own included.
    pub answers: u64,
    /// Gradients.
    pub gradients: u64,
}
