//! Marks when the memory of a program's values can be freed.

use std::collections::HashSet;

use super::{Node, Program, ValueId};

/// Notes at each call which values no later call reads, so that their memory is freed. Weights and outputs are kept.
pub(super) fn mark(program: &mut Program) {
    let outputs: Vec<ValueId> = program.outputs.iter().map(|returned| returned.value).collect();
    mark_in(&mut program.nodes, program.weights.len(), &outputs);
}

/// The same for calls that compute these outputs; the first values are `weights` weights.
pub(super) fn mark_in(nodes: &mut [Node], weights: usize, outputs: &[ValueId]) {
    let mut seen: HashSet<ValueId> = outputs.iter().copied().collect();
    for node in nodes.iter_mut().rev() {
        for id in [node.reads(), node.makes()].concat() {
            if id >= weights && seen.insert(id) {
                node.last_uses.push(id);
            }
        }
    }
}
