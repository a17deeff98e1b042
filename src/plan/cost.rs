//! What a plan costs: model evaluations and a rough time.

use super::Plan;

/// What a plan costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Test cases.
    pub cases: usize,
    /// Forward passes of a model over a case.
    pub forwards: u64,
    /// Gradients of a model over a case.
    pub gradients: u64,
    /// Rough time on two cores, training included, in seconds.
    pub seconds: f64,
}

/// The cost of a plan over `train` training and `test` test cases.
pub fn estimate(plan: &Plan, train: usize, test: usize) -> Cost {
    let _ = (plan, train, test);
    todo!()
}
