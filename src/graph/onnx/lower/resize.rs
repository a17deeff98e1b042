//! Resizing. Each axis is resized by itself: by selecting places where the nearest one counts, and otherwise by a matrix
//! that holds the weights of the places, so that all of ONNX's coordinates and filters have exact gradients.
//!
//! Definition: `onnx/docs/Operators.md`, Resize; cubic weights: R. Keys, "Cubic convolution interpolation for digital
//! image processing", IEEE Transactions on Acoustics, Speech, and Signal Processing 29 (1981).

use super::super::build::Build;
use super::super::node::{Call, Lowered};
use super::super::values::{Known, Number};
use super::convolution::along;
use super::{check_count, one, select, value};
use crate::graph::{ElementType, ValueId, Whole};

/// Limit on a size before and after.
const MOST: i64 = 1 << 14;

/// How an axis is resized.
struct Axis {
    index: usize,
    before: i64,
    after: i64,
    scale: f64,
    /// The part of the input that is taken, from 0 to 1.
    part: (f64, f64),
}

/// How places are filtered.
struct Filter {
    mode: String,
    coordinates: String,
    nearest: String,
    cubic: f64,
    smooths: bool,
    excludes: bool,
}

pub(in super::super) fn resize(build: &mut Build, call: &Call<'_>) -> Lowered {
    let is_first = call.opset < 11; // the first version has only scales
    let usual = if is_first { "asymmetric" } else { "half_pixel" };
    let filter = Filter {
        mode: call.text_or("mode", "nearest")?,
        coordinates: call.text_or("coordinate_transformation_mode", usual)?,
        nearest: call.text_or("nearest_mode", if is_first { "floor" } else { "round_prefer_floor" })?,
        cubic: call.float_or("cubic_coeff_a", -0.75)?,
        smooths: call.flag("antialias", false)?,
        excludes: call.flag("exclude_outside", false)?,
    };
    let policy = call.text_or("keep_aspect_ratio_policy", "stretch")?;
    let outside = call.float_or("extrapolation_value", 0.0)?;
    let x = call.input(0)?;
    let axes = match call.ints("axes") {
        Some(axes) => Call::axes(&axes, x.rank())?,
        None => (0..x.rank()).collect(),
    };
    let given = |place: usize| call.optional(place).filter(|known| known.elements() != Some(0));
    let (roi, scales, sizes) = if is_first { (None, given(1), None) } else { (given(1), given(2), given(3)) };
    let parts = roi.filter(|_| filter.coordinates == "tf_crop_and_resize").map(|roi| {
        roi.constants().filter(|roi| roi.len() == 2 * axes.len()).ok_or("a `roi` that the model computes")
    });
    let parts = parts.transpose()?;
    let part = |place: usize| match &parts {
        Some(parts) => (parts[place], parts[place + axes.len()]),
        None => (0.0, 1.0),
    };
    let pairs = pairs(x, &axes, scales, sizes, &policy)?;
    let mut plan = Vec::new();
    for (place, (scale, after)) in pairs.into_iter().enumerate() {
        let axis = axes[place];
        let Some(after) = after else { continue };
        let before = x.sizes[axis].ok_or("a resized size that is not known before the model runs")?;
        if !(1..=MOST).contains(&before) || !(1..=MOST).contains(&after) || !scale.is_finite() || scale <= 0.0
        {
            return Err(format!("the sizes {before} and {after}"));
        }
        plan.push(Axis { index: axis, before, after, scale, part: part(place) });
    }
    apply(build, x, &plan, &filter, outside)
}

/// The old operator: scales alone.
pub(in super::super) fn upsample(build: &mut Build, call: &Call<'_>) -> Lowered {
    let filter = Filter {
        mode: call.text_or("mode", "nearest")?,
        coordinates: "asymmetric".to_string(),
        nearest: "floor".to_string(),
        cubic: -0.75,
        smooths: false,
        excludes: false,
    };
    let x = call.input(0)?;
    let scales = match call.floats("scales") {
        Some(scales) => Some(Known::numbers(
            ElementType::Float,
            &[scales.len() as i64],
            scales.into_iter().map(Number::Real).collect(),
        )),
        None => Some(call.input(1)?.clone()),
    };
    let axes: Vec<usize> = (0..x.rank()).collect();
    let mut plan = Vec::new();
    for (axis, (scale, after)) in pairs(x, &axes, scales.as_ref(), None, "stretch")?.into_iter().enumerate() {
        let Some(after) = after else { continue };
        let before = x.sizes[axis].ok_or("a resized size that is not known before the model runs")?;
        if !(1..=MOST).contains(&before) || !(1..=MOST).contains(&after) {
            return Err(format!("the sizes {before} and {after}"));
        }
        plan.push(Axis { index: axis, before, after, scale, part: (0.0, 1.0) });
    }
    apply(build, x, &plan, &filter, 0.0)
}

/// The scale of each axis and its size afterwards; None for an axis that keeps its size.
fn pairs(
    x: &Known,
    axes: &[usize],
    scales: Option<&Known>,
    sizes: Option<&Known>,
    policy: &str,
) -> Result<Vec<(f64, Option<i64>)>, String> {
    if let Some(scales) = scales {
        let scales = scales.constants().filter(|scales| scales.len() == axes.len());
        let scales = scales.ok_or("`scales` that the model computes, or too few")?;
        return Ok(axes
            .iter()
            .zip(scales)
            .map(|(axis, scale)| match x.sizes[*axis] {
                // an axis of scale 1 stays as it is, whatever its size
                _ if (scale - 1.0).abs() < f64::EPSILON => (scale, None),
                Some(size) => (scale, Some((size as f64 * scale).floor() as i64)),
                None => (scale, Some(0)),
            })
            .collect());
    }
    let sizes = sizes.and_then(|sizes| sizes.numbers.clone()).filter(|sizes| sizes.len() == axes.len());
    let sizes = sizes.ok_or("neither `scales` nor `sizes`, or such as the model computes")?;
    let wanted = |(axis, size): (&usize, &Number)| match (size, x.sizes[*axis]) {
        (Number::Whole(Whole::Known(after)), Some(before)) => Some((before, *after)),
        _ => None,
    };
    let known: Vec<Option<(i64, i64)>> = axes.iter().zip(&sizes).map(wanted).collect();
    let ratio = |(before, after): (i64, i64)| after as f64 / before as f64;
    let ratios = known.iter().flatten().copied().map(ratio);
    let common = match policy {
        "stretch" => None,
        "not_larger" => Some(ratios.fold(f64::INFINITY, f64::min)),
        "not_smaller" => Some(ratios.fold(0.0, f64::max)),
        other => return Err(format!("`keep_aspect_ratio_policy: {other}`")),
    };
    let pair = |known: Option<(i64, i64)>| match (known, common) {
        // a size that the model copies from its input
        (None, _) => (1.0, None),
        (Some((before, after)), None) if before == after => (1.0, None),
        (Some(pair), None) => (ratio(pair), Some(pair.1)),
        (Some((before, _)), Some(scale)) => (scale, Some((scale * before as f64 + 0.5).floor() as i64)),
    };
    Ok(known.into_iter().map(pair).collect())
}

fn apply(build: &mut Build, x: &Known, plan: &[Axis], filter: &Filter, outside: f64) -> Lowered {
    let mut sizes = x.sizes.clone();
    let mut id = build.tensor(x);
    let mut inside = Vec::new();
    for axis in plan {
        sizes[axis.index] = Some(axis.after);
        let places: Vec<f64> =
            (0..axis.after).map(|place| place_before(axis, place, filter)).collect::<Result<_, _>>()?;
        if filter.coordinates == "tf_crop_and_resize" {
            let is_inside =
                |place: &f64| f64::from(u8::from((0.0..=(axis.before - 1) as f64).contains(place)));
            inside.push((axis.index, places.iter().map(is_inside).collect::<Vec<f64>>()));
        }
        id = if filter.mode == "nearest" {
            let nearest = places.iter().map(|place| nearest(*place, &filter.nearest, axis.before));
            select(build, id, axis.index, &nearest.collect::<Result<Vec<i64>, _>>()?)?
        } else {
            check_count(axis.after * axis.before)?;
            let rows = places.iter().map(|place| weights(*place, axis, filter));
            let rows = rows.collect::<Result<Vec<Vec<f64>>, _>>()?.concat();
            let matrix = build.constant(x.kind, &[axis.after, axis.before], &rows)?;
            multiply(build, id, axis.index, matrix)
        };
    }
    if inside.iter().any(|(_, inside)| inside.contains(&0.0)) {
        id = replace_outside(build, x, id, &inside, outside)?;
    }
    one(x.kind, sizes, id)
}

/// Multiplies an axis by a matrix.
fn multiply(build: &mut Build, id: ValueId, axis: usize, matrix: ValueId) -> ValueId {
    let moved = |build: &mut Build, id: ValueId, from: i64, to: i64| {
        let [from, to] = [from, to].map(crate::graph::Argument::Whole);
        build.call("movedim.int", &[("self", value(id)), ("source", from), ("destination", to)])
    };
    let id = moved(build, id, axis as i64, -1);
    let id = build.call("linear", &[("input", value(id)), ("weight", value(matrix))]);
    moved(build, id, -1, axis as i64)
}

/// Puts a number where places lie outside the input.
fn replace_outside(
    build: &mut Build,
    x: &Known,
    id: ValueId,
    inside: &[(usize, Vec<f64>)],
    outside: f64,
) -> Result<ValueId, String> {
    let mut mask: Option<ValueId> = None;
    for (axis, inside) in inside {
        let one = along(build, ElementType::Float, *axis, x.rank(), inside);
        mask = Some(match mask {
            None => one,
            Some(mask) => build.call("mul.Tensor", &[("self", value(mask)), ("other", value(one))]),
        });
    }
    let Some(mask) = mask else { return Ok(id) };
    let zero = crate::graph::Argument::Whole(0);
    let mask = build.call("gt.Scalar", &[("self", value(mask)), ("other", zero)]);
    let fill = build.constant(x.kind, &[], &[outside])?;
    let arguments = [("condition", value(mask)), ("self", value(id)), ("other", value(fill))];
    Ok(build.call("where.self", &arguments))
}

/// Where a place of the output lies on the input.
fn place_before(axis: &Axis, place: i64, filter: &Filter) -> Result<f64, String> {
    let (before, after, scale) = (axis.before as f64, axis.after as f64, axis.scale);
    let place = place as f64;
    let exact = scale * before; // the size afterwards, before it is rounded
    let is_one = (exact - 1.0).abs() < f64::EPSILON;
    let found = match filter.coordinates.as_str() {
        "pytorch_half_pixel" if is_one => -0.5,
        "half_pixel" | "pytorch_half_pixel" => (place + 0.5) / scale - 0.5,
        "half_pixel_symmetric" => before / 2.0 * (1.0 - after / exact) + (place + 0.5) / scale - 0.5,
        "align_corners" if is_one => 0.0,
        "align_corners" => place * (before - 1.0) / (exact - 1.0),
        "asymmetric" => place / scale,
        "tf_half_pixel_for_nn" => (place + 0.5) / scale,
        "tf_crop_and_resize" => {
            let (start, end) = axis.part;
            let step = if is_one { 0.5 } else { place / (exact - 1.0) };
            (start + step * (end - start)) * (before - 1.0)
        }
        other => return Err(format!("`coordinate_transformation_mode: {other}`")),
    };
    // far outside, every place gives the number at the edge
    let far = (4 * MOST) as f64;
    if found.is_nan() { Err("a place that is no number".to_string()) } else { Ok(found.clamp(-far, far)) }
}

/// The place that counts, cut to the input.
fn nearest(place: f64, mode: &str, before: i64) -> Result<i64, String> {
    let chosen = match mode {
        "round_prefer_floor" => (place - 0.5).ceil(),
        "round_prefer_ceil" => (place + 0.5).floor(),
        "floor" => place.floor(),
        "ceil" => place.ceil(),
        other => return Err(format!("`nearest_mode: {other}`")),
    };
    Ok((chosen as i64).clamp(0, before - 1))
}

/// The weight of each place of the input.
fn weights(place: f64, axis: &Axis, filter: &Filter) -> Result<Vec<f64>, String> {
    let before = axis.before;
    // smoothing widens the filter where the image becomes smaller
    let narrow = if filter.smooths { axis.scale.min(1.0) } else { 1.0 };
    let reach = match filter.mode.as_str() {
        "linear" | "bilinear" | "trilinear" => 1.0,
        "cubic" => 2.0,
        other => return Err(format!("`mode: {other}`")),
    };
    let weight = |distance: f64| {
        let d = distance.abs();
        let a = filter.cubic;
        match reach as i64 {
            1 => (1.0 - d).max(0.0),
            _ if d <= 1.0 => ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0,
            _ if d < 2.0 => ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a,
            _ => 0.0,
        }
    };
    let width = (reach / narrow).ceil() as i64 + 1;
    let middle = place.floor() as i64;
    let mut row = vec![0.0; before as usize];
    let mut total = 0.0;
    for at in middle - width..=middle + width {
        let share = weight((at as f64 - place) * narrow);
        let is_inside = (0..before).contains(&at);
        if is_inside || !filter.excludes {
            row[at.clamp(0, before - 1) as usize] += share;
            total += share;
        }
    }
    if total != 0.0 {
        for share in &mut row {
            *share /= total;
        }
    }
    Ok(row)
}
