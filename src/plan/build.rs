//! Binds a spec's names, resolves its threats to points and lists the cells.

use super::Plan;
use crate::spec::Spec;

/// The plan of a spec. A spec that was parsed always has one.
pub fn build(spec: Spec) -> Plan {
    let _ = spec;
    todo!()
}
