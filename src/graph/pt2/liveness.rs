//! Finds which values are read, and drops calls whose results are not needed.

use std::collections::HashSet;

use super::schema::{self, OptionalTensor, SymBool, SymFloat, SymInt};

/// Calls that only check computed values.
const ASSERTIONS: [&str; 4] =
    ["_assert_scalar", "_assert_tensor_metadata", "sym_constrain_range", "sym_constrain_range_for_size"];

/// Drops assertions, and the arithmetic on sizes that only they or nothing reads.
pub(super) fn without_idle(nodes: Vec<schema::Node>, outputs: &[schema::OutputSpec]) -> Vec<schema::Node> {
    let mut read: HashSet<String> = HashSet::new();
    for output in outputs {
        if let schema::OutputSpec::UserOutput { arg } = output {
            read.extend(names(arg).map(str::to_string));
        }
    }
    let mut kept: Vec<schema::Node> = Vec::with_capacity(nodes.len());
    for node in nodes.into_iter().rev() {
        let aten = node.target.strip_prefix("torch.ops.aten.").and_then(|rest| rest.split('.').next());
        let is_idle = match aten {
            Some(name) => ASSERTIONS.contains(&name),
            None => {
                !node.target.starts_with("torch.ops.")
                    && !node.outputs.iter().flat_map(names).any(|name| read.contains(name))
            }
        };
        if !is_idle {
            read.extend(node.inputs.iter().flat_map(|input| names(&input.arg)).map(str::to_string));
            kept.push(node);
        }
    }
    kept.reverse();
    kept
}

/// The values that an argument names.
fn names(argument: &schema::Argument) -> Box<dyn Iterator<Item = &str> + '_> {
    use schema::Argument as Written;
    match argument {
        Written::AsTensor(of) | Written::AsOptionalTensor(OptionalTensor::AsTensor(of)) => {
            Box::new(std::iter::once(of.name.as_str()))
        }
        Written::AsTensors(all) => Box::new(all.iter().map(|of| of.name.as_str())),
        Written::AsOptionalTensors(all) => Box::new(all.iter().filter_map(|tensor| match tensor {
            OptionalTensor::AsTensor(of) => Some(of.name.as_str()),
            OptionalTensor::AsNone(_) => None,
        })),
        Written::AsSymInt(SymInt::AsName(name))
        | Written::AsSymFloat(SymFloat::AsName(name))
        | Written::AsSymBool(SymBool::AsName(name)) => Box::new(std::iter::once(name.as_str())),
        Written::AsSymInts(all) => Box::new(all.iter().filter_map(|size| match size {
            SymInt::AsName(name) => Some(name.as_str()),
            SymInt::AsInt(_) => None,
        })),
        Written::AsSymBools(all) => Box::new(all.iter().filter_map(|truth| match truth {
            SymBool::AsName(name) => Some(name.as_str()),
            SymBool::AsBool(_) => None,
        })),
        Written::AsSymFloats(all) => Box::new(all.iter().filter_map(|real| match real {
            SymFloat::AsName(name) => Some(name.as_str()),
            SymFloat::AsFloat(_) => None,
        })),
        Written::AsNone(_)
        | Written::AsOptionalTensor(OptionalTensor::AsNone(_))
        | Written::AsInt(_)
        | Written::AsInts(_)
        | Written::AsFloat(_)
        | Written::AsFloats(_)
        | Written::AsString(_)
        | Written::AsStrings(_)
        | Written::AsSymInt(SymInt::AsInt(_))
        | Written::AsScalarType(_)
        | Written::AsMemoryFormat(_)
        | Written::AsLayout(_)
        | Written::AsDevice(_)
        | Written::AsBool(_)
        | Written::AsBools(_)
        | Written::AsSymBool(SymBool::AsBool(_))
        | Written::AsGraph(_)
        | Written::AsCustomObj(_)
        | Written::AsOperator(_)
        | Written::AsSymFloat(SymFloat::AsFloat(_))
        | Written::AsComplex(_)
        | Written::AsNestedTensors(_)
        | Written::AsIntLists(_)
        | Written::AsStringToArgument(_)
        | Written::AsFloatLists(_) => Box::new(std::iter::empty()),
    }
}
