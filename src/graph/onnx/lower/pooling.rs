//! Poolings. Windows that libtorch's poolings lack, such as uneven padding, are made from padding and their numbers of
//! elements.

use super::super::build::{Build, wholes};
use super::super::node::{Call, Lowered};
use super::super::values::Known;
use super::convolution::{Window, along, padded};
use super::{axes_of, axis_of, check_count, one, value};
use crate::graph::{Argument, ElementType, ValueId};

fn spatial(x: &Known) -> Result<&[Option<i64>], String> {
    if (3..=5).contains(&x.rank()) {
        Ok(&x.sizes[2..])
    } else {
        Err(format!("an input of {} dimensions", x.rank()))
    }
}

/// The padding after an axis so that complete windows alone give the number that the node wants.
fn complete(window: &Window, sizes: &[Option<i64>]) -> Result<Vec<(i64, i64)>, String> {
    if !window.ceil {
        return Ok(window.pads.clone());
    }
    let pads = (0..sizes.len()).map(|axis| {
        let size = sizes[axis].ok_or("`ceil_mode` on a size that is not known before the model runs")?;
        let count = window.count(size, axis).ok_or("a window larger than its input")?;
        let (before, _) = window.pads[axis];
        Ok((before, (count - 1) * window.strides[axis] + window.extent(axis) - size - before))
    });
    pads.collect()
}

pub(in super::super) fn maximum(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let sizes = spatial(x)?;
    let window = Window::of(call, sizes, None)?;
    let is_by_column = call.flag("storage_order", false)?;
    let counts = window.counts(sizes)?;
    let shape = [x.sizes[..2].to_vec(), counts].concat();
    let even = window
        .even()
        .filter(|even| !window.ceil && even.iter().zip(&window.kernel).all(|(pad, side)| 2 * pad <= *side));
    let id = build.tensor(x);
    let (id, pads) = match &even {
        Some(even) => (id, even.clone()),
        None => (padded(build, id, &complete(&window, sizes)?, f64::NEG_INFINITY), vec![0; sizes.len()]),
    };
    let arguments = [
        ("self", value(id)),
        ("kernel_size", wholes(&window.kernel)),
        ("stride", wholes(&window.strides)),
        ("padding", wholes(&pads)),
        ("dilation", wholes(&window.dilations)),
    ];
    let rank = sizes.len();
    if !call.returns(1) {
        let id = build.call(&format!("max_pool{rank}d"), &arguments);
        return one(x.kind, shape, id);
    }
    if even.is_none() || rank == 1 {
        return Err("the places of the greatest numbers, with such `pads`".to_string());
    }
    let ids = build.call_several(&format!("max_pool{rank}d_with_indices"), &arguments, 2);
    let places = places(build, x, ids[1], is_by_column)?;
    Ok(vec![Known::tensor(x.kind, shape.clone(), ids[0]), Known::tensor(ElementType::Long, shape, places)])
}

/// The places of the greatest numbers in the whole tensor, from those in each channel.
fn places(build: &mut Build, x: &Known, id: ValueId, is_by_column: bool) -> Result<ValueId, String> {
    let shape = x.shape().ok_or("the places of the greatest numbers, in a tensor of unknown sizes")?;
    let per_channel = shape[2..].iter().fold(1_i64, |product, size| product.saturating_mul(*size));
    let mut id = id;
    if is_by_column {
        let [_, _, height, width] = shape[..] else {
            return Err("`storage_order: 1` on a tensor that has not 4 dimensions".to_string());
        };
        let scalar = |value: i64| Argument::Whole(value);
        let column = build.call("remainder.Scalar", &[("self", value(id)), ("other", scalar(width))]);
        let column = build.call("mul.Scalar", &[("self", value(column)), ("other", scalar(height))]);
        let rounding = ("rounding_mode", Argument::Text("floor".to_string()));
        let row = build.call("div.Scalar_mode", &[("self", value(id)), ("other", scalar(width)), rounding]);
        id = build.call("add.Tensor", &[("self", value(column)), ("other", value(row))]);
    }
    check_count(shape[0].saturating_mul(shape[1]))?;
    let starts: Vec<f64> = (0..shape[0] * shape[1]).map(|plane| (plane * per_channel) as f64).collect();
    let mut of_planes = vec![shape[0], shape[1]];
    of_planes.resize(shape.len(), 1);
    let starts = build.constant(ElementType::Long, &of_planes, &starts)?;
    Ok(build.call("add.Tensor", &[("self", value(id)), ("other", value(starts))]))
}

pub(in super::super) fn average(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let sizes = spatial(x)?;
    let window = Window::of(call, sizes, None)?;
    let counts_pads = call.flag("count_include_pad", false)?;
    let counts = window.counts(sizes)?;
    let shape = [x.sizes[..2].to_vec(), counts.clone()].concat();
    let rank = sizes.len();
    let is_dense = window.dilations.iter().all(|dilation| *dilation == 1);
    let even = window.even().filter(|even| {
        is_dense && !window.ceil && even.iter().zip(&window.kernel).all(|(pad, side)| 2 * pad <= *side)
    });
    let id = build.tensor(x);
    if let Some(even) = even {
        let arguments = [
            ("self", value(id)),
            ("kernel_size", wholes(&window.kernel)),
            ("stride", wholes(&window.strides)),
            ("padding", wholes(&even)),
            ("ceil_mode", Argument::Truth(false)),
            ("count_include_pad", Argument::Truth(counts_pads)),
        ];
        let id = build.call(&format!("avg_pool{rank}d"), &arguments);
        return one(x.kind, shape, id);
    }
    let id = padded(build, id, &complete(&window, sizes)?, 0.0);
    let mut id = if is_dense { dense(build, id, &window) } else { dilated(build, x, id, &window)? };
    for axis in 0..rank {
        let (size, count) = sizes[axis].zip(counts[axis]).ok_or("`pads` on an unknown size")?;
        check_count(count)?;
        let weights: Vec<f64> =
            (0..count).map(|place| share(&window, axis, size, place, counts_pads)).collect();
        let weights = along(build, x.kind, axis, rank, &weights);
        id = build.call("mul.Tensor", &[("self", value(id)), ("other", value(weights))]);
    }
    one(x.kind, shape, id)
}

/// The side of a window divided by the number of its elements that count.
fn share(window: &Window, axis: usize, size: i64, place: i64, counts_pads: bool) -> f64 {
    let (before, after) = window.pads[axis];
    let start = place * window.strides[axis] - before;
    let (first, last) = if counts_pads { (-before, size + after) } else { (0, size) };
    let counts = |step: &i64| (first..last).contains(&(start + step * window.dilations[axis]));
    let count = (0..window.kernel[axis]).filter(counts).count();
    window.kernel[axis] as f64 / count.max(1) as f64
}

/// Means over complete windows.
fn dense(build: &mut Build, id: ValueId, window: &Window) -> ValueId {
    let arguments =
        [("self", value(id)), ("kernel_size", wholes(&window.kernel)), ("stride", wholes(&window.strides))];
    build.call(&format!("avg_pool{}d", window.kernel.len()), &arguments)
}

/// Means over windows with gaps: a convolution channel by channel.
fn dilated(build: &mut Build, x: &Known, id: ValueId, window: &Window) -> Result<ValueId, String> {
    let channels = x.sizes[1].ok_or("`dilations` on an unknown number of channels")?;
    let elements = window.kernel.iter().fold(1_i64, |product, side| product.saturating_mul(*side));
    let total = channels
        .checked_mul(elements)
        .filter(|total| *total < 1 << 20)
        .ok_or("a kernel that is too large")?;
    let shape = [vec![channels, 1], window.kernel.clone()].concat();
    let weight = build.constant(x.kind, &shape, &vec![1.0 / elements as f64; total as usize])?;
    let none = vec![0; window.kernel.len()];
    let arguments = [
        ("input", value(id)),
        ("weight", value(weight)),
        ("bias", Argument::None),
        ("stride", wholes(&window.strides)),
        ("padding", wholes(&none)),
        ("dilation", wholes(&window.dilations)),
        ("transposed", Argument::Truth(false)),
        ("output_padding", wholes(&none)),
        ("groups", Argument::Whole(channels)),
    ];
    Ok(build.call("convolution", &arguments))
}

/// The mean or the greatest number of each channel.
pub(in super::super) fn global(build: &mut Build, call: &Call<'_>, target: &str) -> Lowered {
    let x = call.input(0)?;
    if x.rank() < 2 {
        return Err(format!("an input of {} dimensions", x.rank()));
    }
    let axes: Vec<usize> = (2..x.rank()).collect();
    let mut sizes = x.sizes.clone();
    sizes[2..].fill(Some(1));
    let id = build.given(x);
    if axes.is_empty() {
        return Ok(vec![x.clone()]);
    }
    let id = build.call(target, &[("self", id), ("dim", axes_of(&axes)), ("keepdim", Argument::Truth(true))]);
    one(x.kind, sizes, id)
}

/// Local response normalisation: each number by the squares of its neighbours in other channels.
pub(in super::super) fn local_response(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let size = call.int("size")?.filter(|size| (1..=4096).contains(size)).ok_or("no sound `size`")?;
    let (alpha, beta, bias) =
        (call.float_or("alpha", 1e-4)?, call.float_or("beta", 0.75)?, call.float_or("bias", 1.0)?);
    if x.rank() < 3 {
        return Err(format!("an input of {} dimensions", x.rank()));
    }
    let id = build.tensor(x);
    let square = build.call("mul.Tensor", &[("self", value(id)), ("other", value(id))]);
    // [cases, 1, channels, places], so that a pooling runs over the channels
    let mut mean = build.call("flatten.using_ints", &[("self", value(square)), ("start_dim", axis_of(2))]);
    mean = build.call("unsqueeze", &[("self", value(mean)), ("dim", axis_of(1))]);
    mean = padded(build, mean, &[((size - 1) / 2, size / 2), (0, 0)], 0.0);
    let arguments = [("self", value(mean)), ("kernel_size", wholes(&[size, 1])), ("stride", wholes(&[1, 1]))];
    mean = build.call("avg_pool2d", &arguments);
    mean = build.call("reshape_as", &[("self", value(mean)), ("other", value(id))]);
    for (target, by) in [("mul.Scalar", alpha), ("add.Scalar", bias)] {
        mean = build.call(target, &[("self", value(mean)), ("other", Argument::Real(by))]);
    }
    let arguments = [("self", value(mean)), ("exponent", Argument::Real(beta))];
    let below = build.call("pow.Tensor_Scalar", &arguments);
    let id = build.call("div.Tensor", &[("self", value(id)), ("other", value(below))]);
    one(x.kind, x.sizes.clone(), id)
}
