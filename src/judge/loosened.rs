//! Triggers that a spec loosens: each acts as a waiver of its check, so it needs a signature with a last day.

use jiff::civil::Date;
use serde::Serialize;

use crate::plan::Plan;
use crate::spec::ChangedTrigger;

/// A trigger that raises its check less often than the usual one. It acts as a waiver, so it needs a signature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loosened {
    /// The trigger, with its signature.
    pub trigger: ChangedTrigger,
    /// Whether a person signs for it.
    pub state: Signed,
}

/// The state of a loosened trigger's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Signed {
    /// A person signs for it.
    Signed,
    /// Nobody signs for it: its check counts as raised.
    Unsigned,
    /// The last day of its signature has passed: its check counts as raised.
    Expired,
}

/// The loosened triggers of a spec.
pub(super) fn loosened(plan: &Plan, today: Date) -> Vec<Loosened> {
    let loosened = plan.spec.checks.triggers.iter().filter(|trigger| trigger.is_loosened());
    let state = |trigger: &ChangedTrigger| match &trigger.signature {
        Some(signature) if signature.expires >= today => Signed::Signed,
        Some(_) => Signed::Expired,
        None => Signed::Unsigned,
    };
    loosened.map(|trigger| Loosened { trigger: trigger.clone(), state: state(trigger) }).collect()
}
