//! Marks when the memory of a program's values can be freed.

use std::collections::HashSet;

use super::{Argument, Output, Program, ValueId, Whole};

/// Notes at each call which values no later call reads, so that their memory is freed. Weights and outputs are kept.
pub(super) fn mark(program: &mut Program) {
    let kept = program.weights.len();
    let mut seen: HashSet<ValueId> = program.outputs.iter().map(|returned| returned.value).collect();
    for node in program.nodes.iter_mut().rev() {
        let mut values: Vec<ValueId> =
            node.arguments.iter().flat_map(|(_, argument)| read_by(argument)).collect();
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

fn read_by(argument: &Argument) -> Vec<ValueId> {
    match argument {
        Argument::Value(id) => vec![*id],
        Argument::Values(ids) => ids.iter().flatten().copied().collect(),
        Argument::Wholes(wholes) => wholes
            .iter()
            .filter_map(|whole| match whole {
                Whole::Value(id) => Some(*id),
                Whole::Known(_) => None,
            })
            .collect(),
        Argument::None
        | Argument::Whole(_)
        | Argument::Real(_)
        | Argument::Reals(_)
        | Argument::Truth(_)
        | Argument::Truths(_)
        | Argument::Text(_)
        | Argument::Kind(_)
        | Argument::Device
        | Argument::Strided
        | Argument::MemoryFormat(_) => vec![],
    }
}
