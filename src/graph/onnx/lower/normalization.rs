//! Normalisations and softmax.

use super::super::build::Build;
use super::super::node::{Call, Lowered};
use super::super::values::Known;
use super::{axis_of, one, shape_of, value};
use crate::graph::{Argument, ValueId, Whole};

pub(in super::super) fn batch(build: &mut Build, call: &Call<'_>) -> Lowered {
    call.ignore(&["momentum", "consumed_inputs"]);
    let trains = call.flag("training_mode", false)?
        || (call.opset < 7 && !call.flag("is_test", false)?)
        || (1..5).any(|place| call.returns(place));
    if trains {
        return Err(
            "statistics of the other cases (training mode); export it after `model.eval()`".to_string()
        );
    }
    if call.opset < 9 && !call.flag("spatial", true)? {
        return Err("`spatial: 0`".to_string());
    }
    let x = call.input(0)?;
    let epsilon = call.float_or("epsilon", 1e-5)?;
    let names = ["input", "weight", "bias", "running_mean", "running_var"];
    let mut arguments = Vec::new();
    for (place, name) in names.into_iter().enumerate() {
        arguments.push((name, call.tensor(build, place)?));
    }
    arguments.extend([
        ("training", Argument::Truth(false)),
        ("momentum", Argument::Real(0.0)),
        ("eps", Argument::Real(epsilon)),
        ("cudnn_enabled", Argument::Truth(true)),
    ]);
    let id = build.call("batch_norm", &arguments);
    one(x.kind, x.sizes.clone(), id)
}

pub(in super::super) fn instance(build: &mut Build, call: &Call<'_>) -> Lowered {
    call.ignore(&["consumed_inputs"]);
    let x = call.input(0)?;
    let epsilon = call.float_or("epsilon", 1e-5)?;
    let arguments = [
        ("input", build.given(x)),
        ("weight", call.tensor(build, 1)?),
        ("bias", call.tensor(build, 2)?),
        ("running_mean", Argument::None),
        ("running_var", Argument::None),
        ("use_input_stats", Argument::Truth(true)),
        ("momentum", Argument::Real(0.0)),
        ("eps", Argument::Real(epsilon)),
        ("cudnn_enabled", Argument::Truth(true)),
    ];
    let id = build.call("instance_norm", &arguments);
    one(x.kind, x.sizes.clone(), id)
}

/// The sizes from an axis on.
fn rest(build: &mut Build, x: &Known, axis: usize) -> Vec<Whole> {
    (axis..x.rank()).map(|axis| build.size(x, axis)).collect()
}

/// A weight that libtorch's normalisations take: one of exactly the normalised shape.
fn fits(known: Option<&Known>, sizes: &[Option<i64>]) -> bool {
    known.is_none_or(|known| known.sizes == sizes && known.sizes.iter().all(Option::is_some))
}

pub(in super::super) fn layer(build: &mut Build, call: &Call<'_>) -> Lowered {
    call.ignore(&["stash_type"]);
    let x = call.input(0)?;
    let axis = Call::axis(call.int_or("axis", -1)?, x.rank())?;
    let epsilon = call.float_or("epsilon", 1e-5)?;
    let (weight, bias) = (call.optional(1), call.optional(2));
    let is_plain = fits(weight, &x.sizes[axis..]) && fits(bias, &x.sizes[axis..]);
    let shape = rest(build, x, axis);
    let mut given = |known: Option<&Known>| match known.filter(|_| is_plain) {
        Some(known) => build.given(known),
        None => Argument::None,
    };
    let (inner_weight, inner_bias) = (given(weight), given(bias));
    let arguments = [
        ("input", build.given(x)),
        ("normalized_shape", shape_of(&shape)),
        ("weight", inner_weight),
        ("bias", inner_bias),
        ("eps", Argument::Real(epsilon)),
    ];
    let ids = build.call_several("native_layer_norm", &arguments, 3);
    let id = if is_plain { ids[0] } else { scaled(build, ids[0], weight, bias) };
    let mut statistics = x.sizes.clone();
    statistics[axis..].fill(Some(1));
    Ok(vec![
        Known::tensor(x.kind, x.sizes.clone(), id),
        Known::tensor(x.kind, statistics.clone(), ids[1]),
        Known::tensor(x.kind, statistics, ids[2]),
    ])
}

/// Multiplies and adds by broadcasting.
fn scaled(build: &mut Build, id: ValueId, weight: Option<&Known>, bias: Option<&Known>) -> ValueId {
    let mut id = id;
    for (target, known) in [("mul.Tensor", weight), ("add.Tensor", bias)] {
        if let Some(known) = known {
            let other = build.given(known);
            id = build.call(target, &[("self", value(id)), ("other", other)]);
        }
    }
    id
}

pub(in super::super) fn root_mean_square(build: &mut Build, call: &Call<'_>) -> Lowered {
    call.ignore(&["stash_type"]);
    let x = call.input(0)?;
    let axis = Call::axis(call.int_or("axis", -1)?, x.rank())?;
    let epsilon = call.float_or("epsilon", 1e-5)?;
    let weight = call.optional(1);
    let is_plain = fits(weight, &x.sizes[axis..]);
    let shape = rest(build, x, axis);
    let inner = match weight.filter(|_| is_plain) {
        Some(weight) => build.given(weight),
        None => Argument::None,
    };
    let arguments = [
        ("input", build.given(x)),
        ("normalized_shape", shape_of(&shape)),
        ("weight", inner),
        ("eps", Argument::Real(epsilon)),
    ];
    let id = build.call("rms_norm", &arguments);
    let id = if is_plain { id } else { scaled(build, id, weight, None) };
    one(x.kind, x.sizes.clone(), id)
}

pub(in super::super) fn group(build: &mut Build, call: &Call<'_>) -> Lowered {
    call.ignore(&["stash_type"]);
    let x = call.input(0)?;
    let groups = call.int("num_groups")?.ok_or("no `num_groups`")?;
    let epsilon = call.float_or("epsilon", 1e-5)?;
    let arguments = [
        ("input", build.given(x)),
        ("num_groups", Argument::Whole(groups)),
        ("weight", call.tensor(build, 1)?),
        ("bias", call.tensor(build, 2)?),
        ("eps", Argument::Real(epsilon)),
    ];
    let id = build.call("group_norm", &arguments);
    one(x.kind, x.sizes.clone(), id)
}

/// Softmax or its logarithm. Before opset 13 it runs over all dimensions from the axis on.
pub(in super::super) fn softmax(build: &mut Build, call: &Call<'_>, target: &str) -> Lowered {
    let x = call.input(0)?;
    let usual = if call.opset < 13 { 1 } else { -1 };
    let axis = Call::axis(call.int_or("axis", usual)?, x.rank())?;
    let id = build.tensor(x);
    if call.opset >= 13 || axis + 1 == x.rank() {
        let id = build.call(target, &[("self", value(id)), ("dim", axis_of(axis))]);
        return one(x.kind, x.sizes.clone(), id);
    }
    let flat = build.call("flatten.using_ints", &[("self", value(id)), ("start_dim", axis_of(axis))]);
    let flat = build.call(target, &[("self", value(flat)), ("dim", axis_of(axis))]);
    let id = build.call("reshape_as", &[("self", value(flat)), ("other", value(id))]);
    one(x.kind, x.sizes.clone(), id)
}
