//! Activations with parameters.

use super::super::build::Build;
use super::super::node::{Call, Lowered};
use super::super::values::broadcast;
use super::{one, value};
use crate::graph::Argument;

/// An operator with parameters: attributes with their usual values, and the names that libtorch gives them.
fn with_numbers(
    build: &mut Build,
    call: &Call<'_>,
    target: &str,
    parameters: &[(&str, f64, &str)],
) -> Lowered {
    let x = call.input(0)?;
    let mut arguments = vec![("self", build.given(x))];
    for (name, usual, given) in parameters {
        arguments.push((*given, Argument::Real(call.float_or(name, *usual)?)));
    }
    let id = build.call(target, &arguments);
    one(x.kind, x.sizes.clone(), id)
}

pub(in super::super) fn leaky_relu(build: &mut Build, call: &Call<'_>) -> Lowered {
    with_numbers(build, call, "leaky_relu", &[("alpha", 0.01, "negative_slope")])
}

pub(in super::super) fn elu(build: &mut Build, call: &Call<'_>) -> Lowered {
    with_numbers(build, call, "elu", &[("alpha", 1.0, "alpha")])
}

pub(in super::super) fn celu(build: &mut Build, call: &Call<'_>) -> Lowered {
    with_numbers(build, call, "celu", &[("alpha", 1.0, "alpha")])
}

pub(in super::super) fn selu(build: &mut Build, call: &Call<'_>) -> Lowered {
    let parameters =
        [("alpha", 1.673_263_192_176_818_8, "alpha"), ("gamma", 1.050_701_022_148_132_3, "scale")];
    with_numbers(build, call, "elu", &parameters)
}

pub(in super::super) fn thresholded_relu(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let alpha = Argument::Real(call.float_or("alpha", 1.0)?);
    let id = build.given(x);
    let id = build.call("threshold", &[("self", id), ("threshold", alpha), ("value", Argument::Real(0.0))]);
    one(x.kind, x.sizes.clone(), id)
}

pub(in super::super) fn hard_sigmoid(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let (alpha, beta) = (call.float_or("alpha", 0.2)?, call.float_or("beta", 0.5)?);
    let id = build.given(x);
    // PyTorch's own, whose gradient is 0 at both ends
    let id = if (alpha - 1.0 / 6.0).abs() < 1e-6 && (beta - 0.5).abs() < 1e-9 {
        build.call("hardsigmoid", &[("self", id)])
    } else {
        let id = build.call("mul.Scalar", &[("self", id), ("other", Argument::Real(alpha))]);
        let id = build.call("add.Scalar", &[("self", value(id)), ("other", Argument::Real(beta))]);
        let bounds = [("min", Argument::Real(0.0)), ("max", Argument::Real(1.0))];
        build.call("clamp", &[&[("self", value(id))], &bounds[..]].concat())
    };
    one(x.kind, x.sizes.clone(), id)
}

pub(in super::super) fn gelu(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let how = Argument::Text(call.text_or("approximate", "none")?);
    let id = build.given(x);
    let id = build.call("gelu", &[("self", id), ("approximate", how)]);
    one(x.kind, x.sizes.clone(), id)
}

pub(in super::super) fn softsign(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let id = build.given(x);
    let below = build.call("abs", &[("self", id.clone())]);
    let below = build.call("add.Scalar", &[("self", value(below)), ("other", Argument::Real(1.0))]);
    let id = build.call("div.Tensor", &[("self", id), ("other", value(below))]);
    one(x.kind, x.sizes.clone(), id)
}

/// A slope for negative numbers, broadcast against them.
pub(in super::super) fn prelu(build: &mut Build, call: &Call<'_>) -> Lowered {
    let (x, slope) = (call.input(0)?, call.input(1)?);
    let (id, mut by) = (build.given(x), build.tensor(slope));
    let mut sizes = slope.sizes.clone();
    // before opset 7 the slope has one number a channel
    if call.opset < 7 && slope.rank() == 1 && sizes[0] != Some(1) {
        for _ in 2..x.rank() {
            by = build.call("unsqueeze", &[("self", value(by)), ("dim", Argument::Whole(-1))]);
            sizes.push(Some(1));
        }
    }
    let sizes = broadcast(&x.sizes, &sizes)?;
    let scaled = build.call("mul.Tensor", &[("self", id.clone()), ("other", value(by))]);
    let is_below = build.call("lt.Scalar", &[("self", id.clone()), ("other", Argument::Real(0.0))]);
    let id =
        build.call("where.self", &[("condition", value(is_below)), ("self", value(scaled)), ("other", id)]);
    one(x.kind, sizes, id)
}
