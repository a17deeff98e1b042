//! Constants, and tensors that are made from a shape.

use super::super::build::Build;
use super::super::node::{Call, Lowered};
use super::super::tensors::{self, Beside};
use super::super::values::{Known, MOST_NUMBERS, Number, Place, bytes_of, numbers_of, whole};
use super::{known_sizes, one, shape_of};
use crate::graph::{Argument, ElementType, Whole};

/// The nodes `Constant`; their tensors may lie in another file.
pub(in super::super) fn constant(build: &mut Build, call: &Call<'_>, beside: &Beside) -> Lowered {
    if let Some(proto) = call.tensor_attribute("value")? {
        return Ok(vec![
            build.initializer(tensors::read(proto, beside).map_err(|what| format!("a value: it {what}"))?),
        ]);
    }
    let reals = |values: &[f64]| values.iter().map(|value| Number::Real(*value)).collect::<Vec<Number>>();
    let known = if let Some(value) = call.float("value_float")? {
        Known::numbers(ElementType::Float, &[], reals(&[value]))
    } else if let Some(values) = call.floats("value_floats") {
        Known::numbers(ElementType::Float, &[values.len() as i64], reals(&values))
    } else if let Some(value) = call.int("value_int")? {
        Known::numbers(ElementType::Long, &[], vec![whole(value)])
    } else if let Some(values) = call.ints("value_ints") {
        let numbers = values.iter().map(|value| whole(*value)).collect();
        Known::numbers(ElementType::Long, &[values.len() as i64], numbers)
    } else {
        return Err("a value that is no tensor and no number".to_string());
    };
    Ok(vec![known])
}

/// Lowered by [`constant`], which also needs the files beside the model.
pub(in super::super) fn constant_elsewhere(_: &mut Build, _: &Call<'_>) -> Lowered {
    Err("a value in another file".to_string())
}

pub(in super::super) fn constant_of_shape(build: &mut Build, call: &Call<'_>) -> Lowered {
    let (kind, number) = match call.tensor_attribute("value")? {
        None => (ElementType::Float, Number::Real(0.0)),
        Some(proto) => {
            let tensor =
                tensors::read(proto, &Beside::new()).map_err(|what| format!("a value: it {what}"))?;
            match numbers_of(&tensor).as_deref() {
                Some([number]) => (tensor.kind, *number),
                Some(_) | None => return Err("a value of several numbers".to_string()),
            }
        }
    };
    let shape = build.wholes(call.input(0)?)?;
    filled(build, kind, &shape, number)
}

/// A tensor of one number.
fn filled(build: &mut Build, kind: ElementType, shape: &[Whole], number: Number) -> Lowered {
    let sizes = known_sizes(shape);
    if sizes.iter().flatten().any(|size| *size < 0) {
        return Err("a negative size".to_string());
    }
    let elements = sizes.iter().try_fold(1_i64, |product, size| product.checked_mul((*size)?));
    if let Some(count) = elements.filter(|count| *count <= MOST_NUMBERS as i64) {
        let numbers = Some(vec![number; count as usize]);
        return Ok(vec![Known { kind, sizes, place: Place::Numbers, numbers }]);
    }
    let fill = match (number, kind) {
        (Number::Whole(Whole::Known(value)), ElementType::Bool) => Argument::Truth(value != 0),
        (Number::Whole(Whole::Known(value)), _) => Argument::Whole(value),
        (Number::Whole(Whole::Value(id)), _) => Argument::Value(id),
        (Number::Real(value), _) => Argument::Real(value),
    };
    let arguments = [
        ("size", shape_of(shape)),
        ("fill_value", fill),
        ("dtype", Argument::Kind(kind)),
        ("device", Argument::Device),
    ];
    let id = build.call("full", &arguments);
    one(kind, sizes, id)
}

pub(in super::super) fn range(build: &mut Build, call: &Call<'_>) -> Lowered {
    let [start, end, step] = [call.input(0)?, call.input(1)?, call.input(2)?];
    let kind = start.kind;
    let known = [start, end, step].map(|known| known.constants().and_then(|all| all.first().copied()));
    if let [Some(start), Some(end), Some(step)] = known {
        if step == 0.0 {
            return Err("a step of 0".to_string());
        }
        let count = ((end - start) / step).ceil().max(0.0);
        let is_whole = !super::is_real(kind);
        if count <= MOST_NUMBERS as f64 {
            let number = |place: i64| {
                let value = start + place as f64 * step;
                if is_whole { whole(value as i64) } else { Number::Real(value) }
            };
            let numbers: Vec<Number> = (0..count as i64).map(number).collect();
            if numbers.iter().all(|number| bytes_of(kind, *number).is_some()) {
                return Ok(vec![Known::numbers(kind, &[count as i64], numbers)]);
            }
        }
    }
    let arguments = [
        ("start", build.scalar(start)?),
        ("end", build.scalar(end)?),
        ("step", build.scalar(step)?),
        ("dtype", Argument::Kind(kind)),
        ("device", Argument::Device),
    ];
    let id = build.call("arange.start_step", &arguments);
    one(kind, vec![None], id)
}
