//! Marks when the memory of a program's values can be freed.

use std::collections::HashSet;

use super::{Output, Program, ValueId};

/// Notes at each call which values no later call reads, so that their memory is freed. Weights and outputs are kept.
pub(super) fn mark(program: &mut Program) {
    let kept = program.weights.len();
    let mut seen: HashSet<ValueId> = program.outputs.iter().map(|returned| returned.value).collect();
    for node in program.nodes.iter_mut().rev() {
        let mut values: Vec<ValueId> =
            node.arguments.iter_mut().flat_map(|(_, argument)| argument.values_mut()).map(|id| *id).collect();
        values.extend(node.outputs.iter().flat_map(|output| match output {
            Output::One(id) => vec![*id],
            Output::Several(ids) => ids.clone(),
            Output::Unread => vec![],
        }));
        for id in values {
            if id >= kept && seen.insert(id) {
                node.last_uses.push(id);
            }
        }
    }
}
