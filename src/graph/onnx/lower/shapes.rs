//! Operators on shapes, and those that change nothing but the shape. Small tensors of numbers keep their numbers.

use super::super::build::Build;
use super::super::node::{Call, Lowered};
use super::super::values::{Known, Number, Place, broadcast};
use super::{known_sizes, one, shape_of, value, values};
use crate::graph::{Argument, ElementType, Whole};

pub(in super::super) fn shape(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let rank = x.rank() as i64;
    // unlike other axes these are cut to the shape
    let place = |axis: i64| (if axis < 0 { axis + rank } else { axis }).clamp(0, rank) as usize;
    let (start, end) = (place(call.int_or("start", 0)?), place(call.int_or("end", rank)?));
    let numbers: Vec<Number> = (start..end).map(|axis| Number::Whole(build.size(x, axis))).collect();
    Ok(vec![Known::numbers(ElementType::Long, &[numbers.len() as i64], numbers)])
}

/// The same elements in another shape.
fn with_shape(build: &mut Build, x: &Known, shape: &[Whole], sizes: Vec<Option<i64>>) -> Lowered {
    if let (Some(numbers), Some(_)) = (&x.numbers, sizes.iter().copied().collect::<Option<Vec<i64>>>()) {
        let place = Place::Numbers;
        return Ok(vec![Known { kind: x.kind, sizes, place, numbers: Some(numbers.clone()) }]);
    }
    let id = build.given(x);
    let id = build.call("reshape", &[("self", id), ("shape", shape_of(shape))]);
    one(x.kind, sizes, id)
}

pub(in super::super) fn reshape(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let keeps_zeros = call.flag("allowzero", false)?;
    let mut shape = build.wholes(call.input(1)?)?;
    let mut copied = Vec::new();
    for (axis, whole) in shape.iter_mut().enumerate() {
        if *whole == Whole::Known(0) && !keeps_zeros {
            if axis >= x.rank() {
                return Err(format!(
                    "a size that is that of dimension {axis}, which its input does not have"
                ));
            }
            *whole = build.size(x, axis);
            copied.push(axis);
        }
    }
    let mut sizes = known_sizes(&shape);
    let inferred: Vec<usize> = (0..sizes.len()).filter(|axis| sizes[*axis] == Some(-1)).collect();
    if inferred.len() > 1 || sizes.iter().flatten().any(|size| *size < -1) {
        return Err(format!("the shape {sizes:?}"));
    }
    if let Some(axis) = inferred.first() {
        sizes[*axis] = rest_of(x, &sizes, *axis, &copied);
    }
    let wanted = sizes.iter().try_fold(1_i64, |product, size| product.checked_mul((*size)?));
    if let Some(elements) = x.elements()
        && sizes.iter().all(Option::is_some)
        && wanted != Some(elements)
    {
        return Err(format!("{elements} elements for the shape {sizes:?}"));
    }
    with_shape(build, x, &shape, sizes)
}

/// The size that a shape leaves to the number of elements, if it is known. Unknown sizes that are copied cancel out.
fn rest_of(x: &Known, sizes: &[Option<i64>], axis: usize, copied: &[usize]) -> Option<i64> {
    let (mut elements, mut others) = (1_i64, 1_i64);
    for (place, size) in x.sizes.iter().enumerate() {
        match size {
            Some(size) => elements = elements.checked_mul(*size)?,
            None if copied.contains(&place) => {}
            None => return None,
        }
    }
    for (place, size) in sizes.iter().enumerate().filter(|(place, _)| *place != axis) {
        match size {
            Some(size) => others = others.checked_mul(*size)?,
            None if copied.contains(&place) => {}
            None => return None,
        }
    }
    (others > 0 && elements % others == 0).then(|| elements / others)
}

pub(in super::super) fn flatten(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let axis = call.int_or("axis", 1)?;
    let rank = x.rank();
    let axis = if axis == rank as i64 { rank } else { Call::axis(axis, rank.max(1))? };
    let product =
        |sizes: &[Option<i64>]| sizes.iter().try_fold(1_i64, |product, size| product.checked_mul((*size)?));
    let sizes = vec![product(&x.sizes[..axis]), product(&x.sizes[axis..])];
    let mut rows = Whole::Known(1);
    for place in 0..axis {
        let size = build.size(x, place);
        rows = build.whole(crate::graph::WholeOperator::Multiply, rows, size)?;
    }
    let columns = sizes[1].map_or(Whole::Known(-1), Whole::Known);
    with_shape(build, x, &[rows, columns], sizes)
}

pub(in super::super) fn unsqueeze(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let axes = call.constants("axes", 1)?.ok_or("no axes")?;
    let mut axes = Call::axes(&axes, x.rank() + axes.len())?;
    axes.sort_unstable();
    let mut sizes = x.sizes.clone();
    for axis in &axes {
        sizes.insert(*axis, Some(1));
    }
    if x.numbers.is_some() {
        return with_shape(build, x, &[], sizes);
    }
    let mut id = build.tensor(x);
    for axis in axes {
        id = build.call("unsqueeze", &[("self", value(id)), ("dim", super::axis_of(axis))]);
    }
    one(x.kind, sizes, id)
}

pub(in super::super) fn squeeze(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let mut axes = match call.constants("axes", 1)? {
        Some(axes) => Call::axes(&axes, x.rank())?,
        None if x.sizes.iter().all(Option::is_some) => {
            (0..x.rank()).filter(|axis| x.sizes[*axis] == Some(1)).collect()
        }
        None => return Err("no axes, and a shape that is not known before the model runs".to_string()),
    };
    if let Some(axis) = axes.iter().find(|axis| x.sizes[**axis].is_some_and(|size| size != 1)) {
        return Err(format!("the axis {axis}, whose size is not 1"));
    }
    axes.sort_unstable_by_key(|axis| std::cmp::Reverse(*axis));
    let mut sizes = x.sizes.clone();
    for axis in &axes {
        sizes.remove(*axis);
    }
    if x.numbers.is_some() {
        return with_shape(build, x, &[], sizes);
    }
    let mut id = build.tensor(x);
    for axis in axes {
        id = build.call("squeeze.dim", &[("self", value(id)), ("dim", super::axis_of(axis))]);
    }
    one(x.kind, sizes, id)
}

/// Broadcasts a tensor against a shape.
pub(in super::super) fn expand(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let shape = build.wholes(call.input(1)?)?;
    expanded(build, x, &shape)
}

pub(super) fn expanded(build: &mut Build, x: &Known, shape: &[Whole]) -> Lowered {
    let wanted = known_sizes(shape);
    let mut sizes = broadcast(&x.sizes, &wanted)?;
    // a size of the file's own that is not known may be 1, and then the other's counts
    for axis in 0..sizes.len() {
        let at = |of: &[Option<i64>]| (axis + of.len()).checked_sub(sizes.len()).map_or(Some(1), |at| of[at]);
        if let (None, Some(1)) | (Some(1), None) = (at(&x.sizes), at(&wanted)) {
            sizes[axis] = None;
        }
    }
    let id = build.given(x);
    if let Some(shape) = sizes.iter().copied().collect::<Option<Vec<i64>>>() {
        let size = super::wholes(&shape);
        let id = build.call("expand", &[("self", id), ("size", size)]);
        return one(x.kind, sizes, id);
    }
    let dtype = ("dtype", Argument::Kind(x.kind));
    let zero = if x.kind == ElementType::Bool { Argument::Truth(false) } else { Argument::Whole(0) };
    let zero = build.call("scalar_tensor", &[("s", zero), dtype, ("device", Argument::Device)]);
    let other = build.call("expand", &[("self", value(zero)), ("size", shape_of(shape))]);
    let x_id = build.tensor(x);
    let ids = build.call_list("broadcast_tensors", &[("tensors", values(&[x_id, other]))], 2);
    one(x.kind, sizes, ids[0])
}
