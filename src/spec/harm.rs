//! What errors do to patients, as costs in a unit of the user's: the block `harm`, and which of them a question has.

/// What an error costs, in the user's unit; 0 or more, and not both 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// An abnormal case that is called normal; a finding that is missed.
    pub missed: f64,
    /// A normal case that is called abnormal; a finding that is not there.
    pub overcalled: f64,
}

/// What errors cost.
#[derive(Debug, Clone, PartialEq)]
pub enum Harm {
    /// The same for whether a study is abnormal and for every finding.
    Alike(Costs),
    /// By finding; the findings that are not named have no costs.
    ByFinding(Vec<(String, Costs)>),
}

impl Harm {
    /// What errors about a finding cost, or about whether a study is abnormal where there is none.
    pub fn of(&self, finding: Option<&str>) -> Option<Costs> {
        match (self, finding) {
            (Self::Alike(costs), _) => Some(*costs),
            (Self::ByFinding(named), Some(finding)) => {
                named.iter().find(|(name, _)| name == finding).map(|(_, costs)| *costs)
            }
            (Self::ByFinding(_), None) => None,
        }
    }
}
