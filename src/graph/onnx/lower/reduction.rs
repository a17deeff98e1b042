//! Reductions: sums, means, norms, and the places of the greatest numbers.

use super::super::build::Build;
use super::super::node::{Call, Lowered};
use super::super::values::{Known, Number, whole};
use super::{axes_of, axis_of, flip, is_real, one, value};
use crate::graph::{Argument, ElementType, ValueId, Whole};

/// What a reduction computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Reduction {
    Sum,
    Mean,
    Most,
    Least,
    Product,
    L1,
    L2,
    LogSum,
    LogSumExp,
    SumSquare,
}

/// The axes of a reduction; None if nothing is reduced.
fn axes(call: &Call<'_>, x: &Known) -> Result<Option<Vec<usize>>, String> {
    let keeps_all = call.flag("noop_with_empty_axes", false)?;
    match call.constants("axes", 1)? {
        Some(axes) if !axes.is_empty() => {
            let mut axes = Call::axes(&axes, x.rank())?;
            axes.sort_unstable();
            Ok(Some(axes))
        }
        Some(_) | None if keeps_all => Ok(None),
        Some(_) | None => Ok(Some((0..x.rank()).collect())),
    }
}

fn reduced(sizes: &[Option<i64>], axes: &[usize], keeps: bool) -> Vec<Option<i64>> {
    let kept = |(axis, size): (usize, &Option<i64>)| {
        if axes.contains(&axis) { keeps.then_some(Some(1)) } else { Some(*size) }
    };
    sizes.iter().enumerate().filter_map(kept).collect()
}

pub(in super::super) fn reduce(build: &mut Build, call: &Call<'_>, kind: Reduction) -> Lowered {
    let x = call.input(0)?;
    let keeps = call.flag("keepdims", true)?;
    let axes = axes(call, x)?;
    if let Some(known) = folded(x, kind, axes.as_deref(), keeps) {
        return Ok(vec![known]);
    }
    let mut id = build.tensor(x);
    // the part that works element by element comes before, even if no axis is reduced
    id = match kind {
        Reduction::SumSquare => build.call("mul.Tensor", &[("self", value(id)), ("other", value(id))]),
        Reduction::L1 => build.call("abs", &[("self", value(id))]),
        Reduction::Sum
        | Reduction::Mean
        | Reduction::Most
        | Reduction::Least
        | Reduction::Product
        | Reduction::L2
        | Reduction::LogSum
        | Reduction::LogSumExp => id,
    };
    let axes = axes.unwrap_or_default();
    let is_empty = axes.iter().any(|axis| x.sizes[*axis] == Some(0));
    let id = match kind {
        Reduction::Most | Reduction::Least if is_empty => return nothing(build, x, kind, &axes, keeps),
        _ if axes.is_empty() => elementwise(build, kind, id),
        _ => on_axes(build, kind, x.kind, id, &axes, keeps),
    };
    one(x.kind, reduced(&x.sizes, &axes, keeps), id)
}

/// The reduction of a tensor without axes.
fn elementwise(build: &mut Build, kind: Reduction, id: ValueId) -> ValueId {
    match kind {
        Reduction::LogSum => build.call("log", &[("self", value(id))]),
        Reduction::L2 => build.call("abs", &[("self", value(id))]),
        Reduction::Sum
        | Reduction::Mean
        | Reduction::Most
        | Reduction::Least
        | Reduction::Product
        | Reduction::L1
        | Reduction::LogSumExp
        | Reduction::SumSquare => id,
    }
}

fn on_axes(
    build: &mut Build,
    kind: Reduction,
    of: ElementType,
    id: ValueId,
    axes: &[usize],
    keeps: bool,
) -> ValueId {
    let keepdim = ("keepdim", Argument::Truth(keeps));
    let dim = ("dim", axes_of(axes));
    let x = ("self", value(id));
    let is_bool = of == ElementType::Bool;
    match kind {
        Reduction::Sum | Reduction::L1 | Reduction::SumSquare => {
            build.call("sum.dim_IntList", &[x, dim, keepdim, ("dtype", Argument::Kind(of))])
        }
        Reduction::Mean if is_real(of) => build.call("mean.dim", &[x, dim, keepdim]),
        Reduction::Mean => {
            let real = super::elementwise::cast(build, id, ElementType::Double);
            let mean = build.call("mean.dim", &[("self", value(real)), dim, keepdim]);
            super::elementwise::cast(build, mean, of)
        }
        Reduction::Most if is_bool => build.call("any.dims", &[x, dim, keepdim]),
        Reduction::Least if is_bool => build.call("all.dims", &[x, dim, keepdim]),
        Reduction::Most => build.call("amax", &[x, dim, keepdim]),
        Reduction::Least => build.call("amin", &[x, dim, keepdim]),
        Reduction::Product => axes.iter().rev().fold(id, |id, axis| {
            let arguments =
                [("self", value(id)), ("dim", axis_of(*axis)), ("keepdim", Argument::Truth(keeps))];
            build.call("prod.dim_int", &[&arguments[..], &[("dtype", Argument::Kind(of))]].concat())
        }),
        // its gradient at 0 is 0, where that of a square root of squares is not a number
        Reduction::L2 => build.call("linalg_vector_norm", &[x, ("ord", Argument::Whole(2)), dim, keepdim]),
        Reduction::LogSum => {
            let sum = build.call("sum.dim_IntList", &[x, dim, keepdim]);
            build.call("log", &[("self", value(sum))])
        }
        Reduction::LogSumExp => build.call("logsumexp", &[x, dim, keepdim]),
    }
}

/// The greatest or least of no numbers.
fn nothing(build: &mut Build, x: &Known, kind: Reduction, axes: &[usize], keeps: bool) -> Lowered {
    let least = match x.kind {
        ElementType::Float | ElementType::Double => Argument::Real(f64::NEG_INFINITY),
        ElementType::Bool => Argument::Truth(false),
        other => return Err(format!("no elements of the type {}", other.name())),
    };
    let fill = match (kind, least) {
        (Reduction::Least, Argument::Real(value)) => Argument::Real(-value),
        (Reduction::Least, Argument::Truth(truth)) => Argument::Truth(!truth),
        (_, least) => least,
    };
    let sizes = reduced(&x.sizes, axes, keeps);
    let shape = sizes.iter().copied().collect::<Option<Vec<i64>>>();
    let shape = shape.ok_or("a shape that is not known before the model runs")?;
    let arguments = [
        ("size", super::wholes(&shape)),
        ("fill_value", fill),
        ("dtype", Argument::Kind(x.kind)),
        ("device", Argument::Device),
    ];
    let id = build.call("full", &arguments);
    one(x.kind, sizes, id)
}

/// A reduction of all of a few whole constants, as of a shape.
fn folded(x: &Known, kind: Reduction, axes: Option<&[usize]>, keeps: bool) -> Option<Known> {
    let all = x.whole_constants().filter(|_| x.rank() == 1 && x.kind == ElementType::Long)?;
    axes.filter(|axes| axes.len() == 1)?;
    let result = match kind {
        Reduction::Sum => all.iter().try_fold(0_i64, |sum, value| sum.checked_add(*value)),
        Reduction::Product => all.iter().try_fold(1_i64, |product, value| product.checked_mul(*value)),
        Reduction::Most => all.iter().copied().max(),
        Reduction::Least => all.iter().copied().min(),
        Reduction::Mean
        | Reduction::L1
        | Reduction::L2
        | Reduction::LogSum
        | Reduction::LogSumExp
        | Reduction::SumSquare => None,
    }?;
    let sizes: &[i64] = if keeps { &[1] } else { &[] };
    Some(Known::numbers(x.kind, sizes, vec![whole(result)]))
}

/// The place of the greatest or the least number along an axis.
pub(in super::super) fn place_of(build: &mut Build, call: &Call<'_>, target: &str) -> Lowered {
    let x = call.input(0)?;
    let axis = Call::axis(call.int_or("axis", 0)?, x.rank())?;
    let keeps = call.flag("keepdims", true)?;
    let is_last = call.flag("select_last_index", false)?;
    let id = build.tensor(x);
    let id = if is_last { flip(build, id, axis) } else { id };
    let arguments = [("self", value(id)), ("dim", axis_of(axis)), ("keepdim", Argument::Truth(keeps))];
    let mut id = build.call(target, &arguments);
    if is_last {
        let size = build.size(x, axis);
        let last = build.whole(crate::graph::WholeOperator::Subtract, size, Whole::Known(1))?;
        let last = Known {
            kind: ElementType::Long,
            sizes: vec![],
            place: super::super::values::Place::Numbers,
            numbers: Some(vec![Number::Whole(last)]),
        };
        let last = build.given(&last);
        id = build.call("sub.Tensor", &[("self", last), ("other", value(id))]);
    }
    one(ElementType::Long, reduced(&x.sizes, &[axis], keeps), id)
}
