//! Operators that move, join, split or repeat the elements of tensors.

use super::super::build::{Build, wholes};
use super::super::node::{Call, Lowered};
use super::super::values::{Known, MOST_NUMBERS, Number};
use super::{axes_of, axis_of, check_count, flip, one, select, shape_of, value, values};
use crate::graph::{Argument, Whole, WholeOperator};

/// Limit on the numbers that are padded to an end.
const MOST_PAD: u64 = 1 << 16;

pub(in super::super) fn transpose(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let order = match call.ints("perm") {
        Some(order) if order.len() == x.rank() => Call::axes(&order, x.rank())?,
        Some(order) => return Err(format!("`perm: {order:?}` for a tensor of {} dimensions", x.rank())),
        None => (0..x.rank()).rev().collect(),
    };
    let sizes = order.iter().map(|axis| x.sizes[*axis]).collect();
    let id = build.given(x);
    let id = build.call("permute", &[("self", id), ("dims", axes_of(&order))]);
    one(x.kind, sizes, id)
}

pub(in super::super) fn concat(build: &mut Build, call: &Call<'_>) -> Lowered {
    let first = call.input(0)?.clone();
    let axis = Call::axis(call.int_or("axis", 1)?, first.rank())?;
    let mut sizes = first.sizes.clone();
    let mut numbers: Option<Vec<Number>> = first.numbers.clone().filter(|_| first.rank() == 1);
    for place in 1..call.inputs.len() {
        let next = call.input(place)?;
        if next.kind != first.kind || next.rank() != first.rank() {
            return Err(format!(
                "inputs of the types {} and {}, or of other ranks",
                first.kind.name(),
                next.kind.name()
            ));
        }
        let joined = sizes[axis].zip(next.sizes[axis]).and_then(|(a, b)| a.checked_add(b));
        for (size, other) in sizes.iter_mut().zip(&next.sizes) {
            *size = size.or(*other);
        }
        sizes[axis] = joined;
        numbers = numbers.zip(next.numbers.as_ref()).map(|(all, more)| [all.as_slice(), more].concat());
        numbers = numbers.filter(|all| all.len() <= MOST_NUMBERS);
    }
    if let Some(numbers) = numbers {
        return Ok(vec![Known::numbers(first.kind, &[numbers.len() as i64], numbers)]);
    }
    let mut ids = Vec::new();
    for place in 0..call.inputs.len() {
        ids.push(build.tensor(call.input(place)?));
    }
    let id = build.call("cat", &[("tensors", values(&ids)), ("dim", axis_of(axis))]);
    one(first.kind, sizes, id)
}

pub(in super::super) fn split(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let axis = Call::axis(call.int_or("axis", 0)?, x.rank())?;
    let stated = call.int_or("num_outputs", call.node.output.len() as i64)?;
    let count = call.node.output.len();
    if stated != count as i64 {
        return Err(format!("`num_outputs: {stated}` for {count} outputs"));
    }
    let parts: Option<Vec<i64>> = match call.constants("split", 1)? {
        Some(parts) => Some(parts),
        None => x.sizes[axis].map(|size| {
            // the last part may be smaller
            let part = size.div_euclid(stated.max(1)) + i64::from(size.rem_euclid(stated.max(1)) != 0);
            (0..stated).map(|place| part.min((size - place * part).max(0))).collect()
        }),
    };
    let id = build.given(x);
    let ids = match &parts {
        Some(parts) if parts.len() != count || parts.iter().any(|part| *part < 0) => {
            return Err(format!("the parts {parts:?} for {count} outputs"));
        }
        Some(parts) => build.call_list(
            "split_with_sizes",
            &[("self", id), ("split_sizes", wholes(parts)), ("dim", axis_of(axis))],
            count,
        ),
        None => build.call_list(
            "tensor_split.sections",
            &[("self", id), ("sections", Argument::Whole(stated)), ("dim", axis_of(axis))],
            count,
        ),
    };
    let part = |(place, id): (usize, usize)| {
        let mut sizes = x.sizes.clone();
        sizes[axis] = parts.as_ref().and_then(|parts| parts.get(place).copied());
        Known::tensor(x.kind, sizes, id)
    };
    Ok(ids.into_iter().enumerate().map(part).collect())
}

pub(in super::super) fn tile(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let repeats = build.wholes(call.input(1)?)?;
    if repeats.len() != x.rank() {
        return Err(format!("{} repeats of {} dimensions", repeats.len(), x.rank()));
    }
    let size = |(size, times): (&Option<i64>, &Whole)| match (size, times) {
        (Some(size), Whole::Known(times)) => size.checked_mul(*times),
        (_, Whole::Known(_) | Whole::Value(_)) => None,
    };
    let sizes = x.sizes.iter().zip(&repeats).map(size).collect();
    let id = build.given(x);
    let id = build.call("repeat", &[("self", id), ("repeats", shape_of(&repeats))]);
    one(x.kind, sizes, id)
}

/// How the two halves of a channel's number are ordered in blocks of pixels.
fn block(call: &Call<'_>, x: &Known) -> Result<i64, String> {
    let block = call.int_or("blocksize", 0)?;
    if x.rank() != 4 || !(1..=64).contains(&block) {
        return Err(format!("`blocksize: {block}` of a tensor of {} dimensions", x.rank()));
    }
    Ok(block)
}

pub(in super::super) fn depth_to_space(build: &mut Build, call: &Call<'_>) -> Lowered {
    let input = call.input(0)?;
    let block = block(call, input)?;
    let [cases, channels, height, width] = all_sizes(build, input);
    let side = Whole::Known(block);
    let rest = build.whole(WholeOperator::Divide, channels, Whole::Known(block * block))?;
    let (split, order) = match call.text_or("mode", "DCR")?.as_str() {
        "DCR" => ([cases, side, side, rest, height, width], [0, 3, 4, 1, 5, 2]),
        "CRD" => ([cases, rest, side, side, height, width], [0, 1, 4, 2, 5, 3]),
        other => return Err(format!("`mode: {other}`")),
    };
    let tall = build.whole(WholeOperator::Multiply, height, side)?;
    let wide = build.whole(WholeOperator::Multiply, width, side)?;
    rearranged(build, input, &split, &order, &[cases, rest, tall, wide])
}

pub(in super::super) fn space_to_depth(build: &mut Build, call: &Call<'_>) -> Lowered {
    let input = call.input(0)?;
    let block = block(call, input)?;
    let [cases, channels, height, width] = all_sizes(build, input);
    let side = Whole::Known(block);
    let low = build.whole(WholeOperator::Divide, height, side)?;
    let narrow = build.whole(WholeOperator::Divide, width, side)?;
    let deep = build.whole(WholeOperator::Multiply, channels, Whole::Known(block * block))?;
    let split = [cases, channels, low, side, narrow, side];
    rearranged(build, input, &split, &[0, 3, 5, 1, 2, 4], &[cases, deep, low, narrow])
}

/// The sizes of a tensor of four dimensions.
fn all_sizes(build: &mut Build, input: &Known) -> [Whole; 4] {
    [0, 1, 2, 3].map(|axis| build.size(input, axis))
}

fn rearranged(build: &mut Build, x: &Known, split: &[Whole], order: &[usize], shape: &[Whole]) -> Lowered {
    let id = build.given(x);
    let id = build.call("reshape", &[("self", id), ("shape", shape_of(split))]);
    let id = build.call("permute", &[("self", value(id)), ("dims", axes_of(order))]);
    let id = build.call("reshape", &[("self", value(id)), ("shape", shape_of(shape))]);
    one(x.kind, super::known_sizes(shape), id)
}

/// Pads a tensor. Other modes than the constant one select places by their index, which has exact gradients in any
/// number of dimensions.
pub(in super::super) fn pad(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let mode = call.text_or("mode", "constant")?;
    let pads = call.constants("pads", 1)?.ok_or("no `pads`")?;
    let axes = match call.optional(3) {
        None => (0..x.rank()).collect(),
        Some(axes) => Call::axes(&axes.whole_constants().ok_or("axes that the model computes")?, x.rank())?,
    };
    if pads.len() != 2 * axes.len() {
        return Err(format!("{} pads for {} axes", pads.len(), axes.len()));
    }
    let mut sides = vec![(0, 0); x.rank()];
    for (place, axis) in axes.iter().enumerate() {
        sides[*axis] = (pads[place], pads[place + axes.len()]);
    }
    if pads.iter().any(|pad| pad.unsigned_abs() > MOST_PAD) {
        return Err(format!("`pads: {pads:?}`"));
    }
    let sized = |(size, (before, after)): (&Option<i64>, &(i64, i64))| {
        size.map(|size| size.saturating_add(before + after))
    };
    let sizes: Vec<Option<i64>> = x.sizes.iter().zip(&sides).map(sized).collect();
    if sizes.iter().flatten().any(|size| *size < 0) {
        return Err(format!("`pads: {pads:?}`, which leave nothing"));
    }
    let id = build.tensor(x);
    if mode == "constant" {
        let fill = match (call.float("value")?, call.optional(2)) {
            (Some(fill), _) => Argument::Real(fill),
            (None, Some(fill)) => build.scalar(fill)?,
            (None, None) => Argument::Whole(0),
        };
        let list: Vec<i64> = sides.iter().rev().flat_map(|(before, after)| [*before, *after]).collect();
        let arguments = [("self", value(id)), ("pad", wholes(&list)), ("value", fill)];
        let id = build.call("constant_pad_nd", &arguments);
        return one(x.kind, sizes, id);
    }
    let mut id = id;
    for (axis, (before, after)) in sides.into_iter().enumerate().filter(|(_, sides)| *sides != (0, 0)) {
        let size = x.sizes[axis].filter(|size| *size > 0);
        let size = size.ok_or("a padded size that is not known before the model runs")?;
        check_count(size + before + after)?;
        let place = |at: i64| match mode.as_str() {
            "edge" => Some(at.clamp(0, size - 1)),
            "wrap" => Some(at.rem_euclid(size)),
            "reflect" => {
                let period = (2 * size - 2).max(1);
                let at = at.rem_euclid(period);
                Some(at.min(period - at))
            }
            _ => None,
        };
        let places = (-before..size + after).map(place).collect::<Option<Vec<i64>>>();
        id = select(build, id, axis, &places.ok_or_else(|| format!("`mode: {mode}`"))?)?;
    }
    one(x.kind, sizes, id)
}

/// Sums along an axis.
pub(in super::super) fn cumulative_sum(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let axis = call.input(1)?.whole_constants().and_then(|all| all.first().copied());
    let axis = Call::axis(axis.ok_or("an axis that the model computes")?, x.rank())?;
    let (is_reverse, is_exclusive) = (call.flag("reverse", false)?, call.flag("exclusive", false)?);
    let start = build.tensor(x);
    let start = if is_reverse { flip(build, start, axis) } else { start };
    let dtype = ("dtype", Argument::Kind(x.kind));
    let mut id = build.call("cumsum", &[("self", value(start)), ("dim", axis_of(axis)), dtype]);
    if is_exclusive {
        id = build.call("sub.Tensor", &[("self", value(id)), ("other", value(start))]);
    }
    let id = if is_reverse { flip(build, id, axis) } else { id };
    one(x.kind, x.sizes.clone(), id)
}

/// The upper or the lower triangle of matrices.
pub(in super::super) fn triangle(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let diagonal = match call.optional(1) {
        None => Argument::Whole(0),
        Some(k) => build.scalar(k)?,
    };
    let target = if call.flag("upper", true)? { "triu" } else { "tril" };
    let id = build.given(x);
    let id = build.call(target, &[("self", id), ("diagonal", diagonal)]);
    one(x.kind, x.sizes.clone(), id)
}
