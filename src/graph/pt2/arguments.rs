//! Reads the arguments and results of calls.

use super::element_numbers::{STRIDED, element_type, memory_format};
use super::program::ProgramReader;
use super::schema::{self, OptionalTensor, SymBool, SymFloat, SymInt};
use crate::graph::{Argument, Output, Whole};

impl ProgramReader<'_> {
    /// Reads an argument of a call. The error names the kind of argument that medcert does not support.
    pub(super) fn argument(&self, argument: schema::Argument) -> Result<Argument, String> {
        use schema::Argument as Written;
        let optional = |tensor: &OptionalTensor| match tensor {
            OptionalTensor::AsTensor(of) => self.value(&of.name).map(Some),
            OptionalTensor::AsNone(_) => Ok(None),
        };
        Ok(match argument {
            Written::AsNone(_) => Argument::None,
            Written::AsTensor(of) => Argument::Value(self.value(&of.name)?),
            Written::AsTensors(names) => Argument::Values(
                names.iter().map(|of| self.value(&of.name).map(Some)).collect::<Result<_, _>>()?,
            ),
            Written::AsOptionalTensors(tensors) => {
                Argument::Values(tensors.iter().map(optional).collect::<Result<_, _>>()?)
            }
            Written::AsOptionalTensor(tensor) => optional(&tensor)?.map_or(Argument::None, Argument::Value),
            Written::AsInts(values) => Argument::Wholes(values.into_iter().map(Whole::Known).collect()),
            Written::AsInt(value) | Written::AsSymInt(SymInt::AsInt(value)) => Argument::Whole(value),
            Written::AsSymInt(SymInt::AsName(name))
            | Written::AsSymFloat(SymFloat::AsName(name))
            | Written::AsSymBool(SymBool::AsName(name)) => Argument::Value(self.value(&name)?),
            Written::AsSymInts(values) => {
                let whole = |value: &SymInt| match value {
                    SymInt::AsInt(value) => Ok(Whole::Known(*value)),
                    SymInt::AsName(name) => self.value(name).map(Whole::Value),
                };
                Argument::Wholes(values.iter().map(whole).collect::<Result<_, String>>()?)
            }
            Written::AsFloat(real) | Written::AsSymFloat(SymFloat::AsFloat(real)) => Argument::Real(real.0),
            Written::AsFloats(reals) => Argument::Reals(reals.iter().map(|real| real.0).collect()),
            Written::AsSymFloats(reals) => {
                let known = |real: &SymFloat| match real {
                    SymFloat::AsFloat(real) => Some(real.0),
                    SymFloat::AsName(_) => None,
                };
                Argument::Reals(
                    reals.iter().map(known).collect::<Option<_>>().ok_or("computed numbers in a list")?,
                )
            }
            Written::AsBool(truth) | Written::AsSymBool(SymBool::AsBool(truth)) => Argument::Truth(truth),
            Written::AsBools(truths) => Argument::Truths(truths),
            Written::AsString(text) => Argument::Text(text),
            Written::AsScalarType(number) => Argument::Kind(
                element_type(number).ok_or_else(|| format!("the type of elements number {number}"))?,
            ),
            Written::AsMemoryFormat(number) => Argument::MemoryFormat(
                memory_format(number).ok_or_else(|| format!("the memory format number {number}"))?,
            ),
            Written::AsLayout(STRIDED) => Argument::Strided,
            Written::AsLayout(_) => return Err("sparse storage".into()),
            Written::AsDevice(_) => Argument::Device,
            Written::AsSymBools(_) => return Err("computed truth values in a list".into()),
            Written::AsStrings(_) => return Err("a list of texts".into()),
            Written::AsGraph(_) => return Err("a graph of its own".into()),
            Written::AsCustomObj(_) => return Err("a custom object".into()),
            Written::AsOperator(name) => return Err(format!("the operator {name}")),
            Written::AsComplex(_) => return Err("a complex number".into()),
            Written::AsNestedTensors(_) | Written::AsIntLists(_) | Written::AsFloatLists(_) => {
                return Err("lists in a list".into());
            }
            Written::AsStringToArgument(_) => return Err("a table of arguments".into()),
        })
    }

    /// Reads a result of a call. The error names what it is instead of a tensor or number.
    pub(super) fn output(&mut self, output: schema::Argument) -> Result<Output, String> {
        use schema::Argument as Written;
        match output {
            Written::AsTensor(of) | Written::AsOptionalTensor(OptionalTensor::AsTensor(of)) => {
                Ok(Output::One(self.define(&of.name)))
            }
            Written::AsSymInt(SymInt::AsName(name))
            | Written::AsSymFloat(SymFloat::AsName(name))
            | Written::AsSymBool(SymBool::AsName(name)) => Ok(Output::One(self.define(&name))),
            Written::AsTensors(names) => {
                Ok(Output::Several(names.iter().map(|of| self.define(&of.name)).collect()))
            }
            Written::AsNone(_)
            | Written::AsOptionalTensor(OptionalTensor::AsNone(_))
            | Written::AsInt(_)
            | Written::AsFloat(_)
            | Written::AsBool(_)
            | Written::AsSymInt(SymInt::AsInt(_))
            | Written::AsSymFloat(SymFloat::AsFloat(_))
            | Written::AsSymBool(SymBool::AsBool(_)) => Ok(Output::Unread),
            other => Err(format!("something that is no tensor ({other:?})").chars().take(120).collect()),
        }
    }
}
