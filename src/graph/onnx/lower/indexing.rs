//! Operators that pick elements by their places.

use super::super::build::{Build, argument, wholes};
use super::super::node::{Call, Lowered};
use super::super::values::{Known, MOST_NUMBERS, Number, Place};
use super::elementwise::cast;
use super::{axis_of, flip, one, value};
use crate::graph::{Argument, ElementType, ValueId, Whole};

/// The starts, ends, axes and steps of a slice.
struct Cut {
    axis: usize,
    start: Whole,
    end: Whole,
    step: i64,
}

fn cuts(build: &mut Build, call: &Call<'_>, x: &Known) -> Result<Vec<Cut>, String> {
    let known = |all: Vec<i64>| all.into_iter().map(Whole::Known).collect::<Vec<Whole>>();
    let (starts, ends) = if call.opset < 10 {
        let [starts, ends] = ["starts", "ends"].map(|name| call.ints(name));
        (known(starts.unwrap_or_default()), known(ends.unwrap_or_default()))
    } else {
        (build.wholes(call.input(1)?)?, build.wholes(call.input(2)?)?)
    };
    let axes = call.constants("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let axes = Call::axes(&axes, x.rank())?;
    let steps = match call.optional(4) {
        None => vec![1; starts.len()],
        Some(steps) => steps.whole_constants().ok_or("steps that the model computes")?,
    };
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] || steps.contains(&0) {
        return Err("starts, ends, axes and steps that do not fit each other".to_string());
    }
    let cut = |(((axis, start), end), step)| Cut { axis, start, end, step };
    Ok(axes.into_iter().zip(starts).zip(ends).zip(steps).map(cut).collect())
}

/// The places that a slice takes of an axis of a known size: the first, and how many.
fn extent(cut: &Cut, size: i64) -> Option<(i64, i64)> {
    let (Whole::Known(start), Whole::Known(end)) = (cut.start, cut.end) else { return None };
    let from_end = |at: i64| if at < 0 { at.saturating_add(size) } else { at };
    let (start, end) = (from_end(start), from_end(end));
    if cut.step > 0 {
        let (start, end) = (start.clamp(0, size), end.clamp(0, size));
        return Some((start, (end - start + cut.step - 1).max(0) / cut.step));
    }
    let (start, end) = (start.clamp(-1, size - 1), end.clamp(-1, size - 1));
    let step = cut.step.checked_neg()?;
    Some((start, (start - end).max(0).checked_add(step - 1)? / step))
}

pub(in super::super) fn slice(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let cuts = cuts(build, call, x)?;
    if let (Some(numbers), [cut], 1) = (&x.numbers, cuts.as_slice(), x.rank())
        && let Some((start, count)) = extent(cut, numbers.len() as i64)
    {
        let at = |place: i64| numbers.get(usize::try_from(start + place * cut.step).ok()?).copied();
        let taken = (0..count).map(at).collect::<Option<Vec<Number>>>();
        let taken = taken.ok_or("places outside its input")?;
        return Ok(vec![Known::numbers(x.kind, &[count], taken)]);
    }
    let mut sizes = x.sizes.clone();
    let mut id = build.tensor(x);
    for cut in cuts {
        let size = x.sizes[cut.axis];
        let known = size.and_then(|size| extent(&cut, size));
        sizes[cut.axis] = known.map(|(_, count)| count);
        let (start, end, step) = match (known, cut.step > 0) {
            (Some((start, count)), true) => (
                Whole::Known(start),
                Whole::Known(start + (count - 1).max(0) * cut.step + count.min(1)),
                cut.step,
            ),
            (None, true) => (cut.start, cut.end, cut.step),
            // libtorch has no negative steps: take the places of the reversed axis
            (Some((start, count)), false) => {
                id = flip(build, id, cut.axis);
                let (first, step) = (size.unwrap_or(0) - 1 - start, -cut.step);
                (Whole::Known(first), Whole::Known(first + (count - 1).max(0) * step + count.min(1)), step)
            }
            (None, false) => {
                return Err("a negative step on a size that is not known before the model runs".to_string());
            }
        };
        let arguments = [
            ("self", value(id)),
            ("dim", axis_of(cut.axis)),
            ("start", argument(start)),
            ("end", argument(end)),
            ("step", Argument::Whole(step)),
        ];
        id = build.call("slice.Tensor", &arguments);
    }
    one(x.kind, sizes, id)
}

/// An index as libtorch takes it.
fn long(build: &mut Build, index: &Known) -> Result<ValueId, String> {
    let id = build.tensor(index);
    match index.kind {
        ElementType::Long => Ok(id),
        ElementType::Int => Ok(cast(build, id, ElementType::Long)),
        other => Err(format!("places of the type {}", other.name())),
    }
}

pub(in super::super) fn gather(build: &mut Build, call: &Call<'_>) -> Lowered {
    let (x, index) = (call.input(0)?, call.input(1)?);
    let axis = Call::axis(call.int_or("axis", 0)?, x.rank())?;
    let places = index.whole_constants();
    if let (Some(numbers), Some(places), 1) = (&x.numbers, &places, x.rank())
        && places.len() <= MOST_NUMBERS
    {
        let count = numbers.len() as i64;
        let at = |place: &i64| {
            numbers.get(usize::try_from(if *place < 0 { place + count } else { *place }).ok()?).copied()
        };
        let taken =
            places.iter().map(at).collect::<Option<Vec<Number>>>().ok_or("a place outside its input")?;
        let sizes = index.sizes.clone();
        return Ok(vec![Known { kind: x.kind, sizes, place: Place::Numbers, numbers: Some(taken) }]);
    }
    let mut sizes = x.sizes[..axis].to_vec();
    sizes.extend(&index.sizes);
    sizes.extend(&x.sizes[axis + 1..]);
    let id = build.tensor(x);
    // one constant place needs no index in memory
    if let (Some([place]), 0) = (places.as_deref(), index.rank()) {
        let arguments = [("self", value(id)), ("dim", axis_of(axis)), ("index", Argument::Whole(*place))];
        let id = build.call("select.int", &arguments);
        return one(x.kind, sizes, id);
    }
    let index = long(build, index)?;
    let mut indices = vec![None; axis];
    indices.push(Some(index));
    let id = build.call("index.Tensor", &[("self", value(id)), ("indices", Argument::Values(indices))]);
    one(x.kind, sizes, id)
}

pub(in super::super) fn gather_elements(build: &mut Build, call: &Call<'_>) -> Lowered {
    let (x, index) = (call.input(0)?, call.input(1)?);
    let axis = Call::axis(call.int_or("axis", 0)?, x.rank())?;
    let id = build.tensor(x);
    let places = long(build, index)?;
    // negative places count from the end, which libtorch refuses here
    let size = argument(build.size(x, axis));
    let shifted = build.call("add.Scalar", &[("self", value(places)), ("other", size)]);
    let is_below = build.call("lt.Scalar", &[("self", value(places)), ("other", Argument::Whole(0))]);
    let arguments = [("condition", value(is_below)), ("self", value(shifted)), ("other", value(places))];
    let places = build.call("where.self", &arguments);
    let arguments = [("self", value(id)), ("dim", axis_of(axis)), ("index", value(places))];
    let id = build.call("gather", &arguments);
    one(x.kind, index.sizes.clone(), id)
}

/// The index of each of the first axes of `x`, from places `[…, axes]`; and how many axes they are.
fn by_axis(
    build: &mut Build,
    x: &Known,
    index: &Known,
    batch: usize,
) -> Result<(Vec<Option<ValueId>>, usize), String> {
    let rank = index.rank().checked_sub(1).ok_or("places without a dimension")?;
    let count = index.sizes[rank].and_then(|count| usize::try_from(count).ok());
    let count = count.filter(|count| batch + count <= x.rank());
    let count = count.ok_or("places of more dimensions than its input has")?;
    let places = long(build, index)?;
    let pick = |place| {
        let arguments = [("self", value(places)), ("dim", Argument::Whole(-1)), ("index", axis_of(place))];
        Some(build.call("select.int", &arguments))
    };
    Ok(((0..count).map(pick).collect(), count))
}

pub(in super::super) fn scatter_nd(build: &mut Build, call: &Call<'_>) -> Lowered {
    let (x, index, updates) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let accumulates = match call.text_or("reduction", "none")?.as_str() {
        "none" => false,
        "add" => true,
        other => return Err(format!("`reduction` {other:?}")),
    };
    let (id, updates) = (build.tensor(x), build.tensor(updates));
    let (indices, _) = by_axis(build, x, index, 0)?;
    let arguments = [
        ("self", value(id)),
        ("indices", Argument::Values(indices)),
        ("values", value(updates)),
        ("accumulate", Argument::Truth(accumulates)),
    ];
    let id = build.call("index_put", &arguments);
    one(x.kind, x.sizes.clone(), id)
}

pub(in super::super) fn gather_nd(build: &mut Build, call: &Call<'_>) -> Lowered {
    let (x, index) = (call.input(0)?, call.input(1)?);
    let batch = usize::try_from(call.int_or("batch_dims", 0)?).unwrap_or(usize::MAX);
    let rank = index.rank().checked_sub(1).filter(|rank| batch <= *rank).ok_or("too many `batch_dims`")?;
    let id = build.tensor(x);
    let (picked, count) = by_axis(build, x, index, batch)?;
    let mut indices = Vec::new();
    for axis in 0..batch {
        // each case picks from itself
        let size = argument(build.size(x, axis));
        let dtype = ("dtype", Argument::Kind(ElementType::Long));
        let own = build.call("arange", &[("end", size), dtype, ("device", Argument::Device)]);
        let mut shape = vec![1; rank];
        shape[axis] = -1;
        indices.push(Some(build.call("reshape", &[("self", value(own)), ("shape", wholes(&shape))])));
    }
    indices.extend(picked);
    let mut sizes = index.sizes[..rank].to_vec();
    sizes.extend(&x.sizes[batch + count..]);
    let id = build.call("index.Tensor", &[("self", value(id)), ("indices", Argument::Values(indices))]);
    one(x.kind, sizes, id)
}
