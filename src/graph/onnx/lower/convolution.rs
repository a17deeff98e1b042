//! Convolutions, and the windows that they share with poolings.

use super::super::build::{Build, wholes};
use super::super::node::{Call, Lowered};
use super::super::values::{Known, Number};
use super::{one, value};
use crate::graph::{Argument, ValueId};

/// Limit on a kernel's side, a stride, a dilation and a padding.
const MOST: i64 = 1 << 16;

/// A window that moves over the spatial dimensions; each list has one number a dimension.
pub(super) struct Window {
    pub kernel: Vec<i64>,
    pub strides: Vec<i64>,
    pub dilations: Vec<i64>,
    /// Zeros before and after.
    pub pads: Vec<(i64, i64)>,
    /// Whether an incomplete window at the end counts too.
    pub ceil: bool,
}

impl Window {
    /// Reads a node's window; `sizes` are the spatial sizes of its input.
    pub fn of(call: &Call<'_>, sizes: &[Option<i64>], kernel: Option<Vec<i64>>) -> Result<Self, String> {
        let rank = sizes.len();
        let stated = call.ints("kernel_shape");
        let kernel = kernel.or(stated).ok_or("no `kernel_shape`")?;
        let list = |name: &str| Ok::<_, String>(call.ints(name).unwrap_or_else(|| vec![1; rank]));
        let (strides, dilations) = (list("strides")?, list("dilations")?);
        let is_sound = |all: &[i64]| all.len() == rank && all.iter().all(|one| (1..=MOST).contains(one));
        if ![&kernel, &strides, &dilations].into_iter().all(|all| is_sound(all)) {
            return Err(format!(
                "a kernel {kernel:?}, `strides: {strides:?}` and `dilations: {dilations:?}`"
            ));
        }
        let ceil = call.flag("ceil_mode", false)?;
        let mut window = Self { kernel, strides, dilations, pads: vec![(0, 0); rank], ceil };
        let pads = call.ints("pads");
        let auto = call.text_or("auto_pad", "NOTSET")?;
        match auto.as_str() {
            "NOTSET" | "" => {
                let pads = pads.unwrap_or_else(|| vec![0; 2 * rank]);
                if pads.len() != 2 * rank || pads.iter().any(|pad| !(0..=MOST).contains(pad)) {
                    return Err(format!("`pads: {pads:?}`"));
                }
                window.pads = (0..rank).map(|axis| (pads[axis], pads[axis + rank])).collect();
            }
            "VALID" => {}
            "SAME_UPPER" | "SAME_LOWER" => {
                for (axis, size) in sizes.iter().enumerate().take(rank) {
                    let total = window.same(*size, axis)?;
                    let (less, more) = (total / 2, total - total / 2);
                    window.pads[axis] = if auto == "SAME_UPPER" { (less, more) } else { (more, less) };
                }
            }
            other => return Err(format!("`auto_pad: {other}`")),
        }
        Ok(window)
    }

    /// The part of an axis that a window covers.
    pub fn extent(&self, axis: usize) -> i64 {
        (self.kernel[axis] - 1) * self.dilations[axis] + 1
    }

    /// The padding that gives an output of the input's size, divided by the stride.
    fn same(&self, size: Option<i64>, axis: usize) -> Result<i64, String> {
        let (extent, stride) = (self.extent(axis), self.strides[axis]);
        match size {
            _ if stride == 1 => Ok(extent - 1),
            Some(size) => Ok(((size + stride - 1) / stride * stride - stride + extent - size).max(0)),
            None => Err("`auto_pad` on a size that is not known before the model runs".to_string()),
        }
    }

    /// The number of windows on an axis.
    pub fn count(&self, size: i64, axis: usize) -> Option<i64> {
        let (before, after) = self.pads[axis];
        let (extent, stride) = (self.extent(axis), self.strides[axis]);
        let room = size.checked_add(before)?.checked_add(after)? - extent;
        if room < 0 {
            return None;
        }
        let mut count = room / stride + 1;
        if self.ceil && room % stride != 0 {
            count += 1;
            // a window that starts behind the input is left out
            if (count - 1) * stride >= size + before {
                count -= 1;
            }
        }
        Some(count)
    }

    /// The numbers of windows, where the sizes are known.
    pub fn counts(&self, sizes: &[Option<i64>]) -> Result<Vec<Option<i64>>, String> {
        let count = |(axis, size): (usize, &Option<i64>)| match size {
            None => Ok(None),
            Some(size) => self
                .count(*size, axis)
                .map(Some)
                .ok_or_else(|| format!("a window of {} on a size of {size}", self.extent(axis))),
        };
        sizes.iter().enumerate().map(count).collect()
    }

    /// The padding, if it is the same before and after.
    pub fn even(&self) -> Option<Vec<i64>> {
        self.pads.iter().map(|(before, after)| (before == after).then_some(*before)).collect()
    }
}

/// Pads the spatial dimensions with a number.
pub(super) fn padded(build: &mut Build, id: ValueId, pads: &[(i64, i64)], fill: f64) -> ValueId {
    if pads.iter().all(|pads| *pads == (0, 0)) {
        return id;
    }
    let list: Vec<i64> = pads.iter().rev().flat_map(|(before, after)| [*before, *after]).collect();
    let arguments = [("self", value(id)), ("pad", wholes(&list)), ("value", Argument::Real(fill))];
    build.call("constant_pad_nd", &arguments)
}

/// The sides of a kernel, which must be known.
fn kernel_of(weight: &Known) -> Result<Vec<i64>, String> {
    let sides = weight.sizes.get(2..).unwrap_or_default().iter().copied().collect::<Option<Vec<i64>>>();
    sides.ok_or_else(|| "a kernel whose size is not known before the model runs".to_string())
}

fn check_ranks(x: &Known, weight: &Known) -> Result<(), String> {
    if (3..=5).contains(&x.rank()) && x.rank() == weight.rank() {
        return Ok(());
    }
    Err(format!("an input of {} dimensions and a kernel of {}", x.rank(), weight.rank()))
}

pub(in super::super) fn convolution(build: &mut Build, call: &Call<'_>) -> Lowered {
    let (x, weight) = (call.input(0)?, call.input(1)?);
    check_ranks(x, weight)?;
    let window = Window::of(call, &x.sizes[2..], Some(kernel_of(weight)?))?;
    call.ignore(&["kernel_shape"]); // the weight has it
    let groups = call.int_or("group", 1)?;
    let mut sizes = vec![x.sizes[0], weight.sizes[0]];
    sizes.extend(window.counts(&x.sizes[2..])?);
    let id = build.tensor(x);
    let even = window.even();
    let id = if even.is_some() { id } else { padded(build, id, &window.pads, 0.0) };
    let bias = call.optional(2).map_or(Argument::None, |bias| build.given(bias));
    let none = vec![0; window.kernel.len()];
    let arguments = [
        ("input", value(id)),
        ("weight", build.given(weight)),
        ("bias", bias),
        ("stride", wholes(&window.strides)),
        ("padding", wholes(even.as_ref().unwrap_or(&none))),
        ("dilation", wholes(&window.dilations)),
        ("transposed", Argument::Truth(false)),
        ("output_padding", wholes(&none)),
        ("groups", Argument::Whole(groups)),
    ];
    let id = build.call("convolution", &arguments);
    one(x.kind, sizes, id)
}

/// A transposed convolution: the whole one, from which the padding is cut, or to which zeros are added.
pub(in super::super) fn transposed(build: &mut Build, call: &Call<'_>) -> Lowered {
    let (x, weight) = (call.input(0)?, call.input(1)?);
    check_ranks(x, weight)?;
    let kernel = kernel_of(weight)?;
    let rank = kernel.len();
    let groups = call.int_or("group", 1)?;
    let extra = call.ints("output_padding").unwrap_or_else(|| vec![0; rank]);
    let wanted = call.ints("output_shape");
    let auto = call.text_or("auto_pad", "NOTSET")?;
    let spatial: Vec<Option<i64>> = vec![Some(1); rank]; // the padding is computed below
    let window = Window::of(call, &spatial, Some(kernel))?;
    let is_sound = |all: &[i64]| all.len() == rank && all.iter().all(|one| (0..=MOST).contains(one));
    if !is_sound(&extra) || wanted.as_ref().is_some_and(|wanted| wanted.len() != rank) {
        return Err(format!("`output_padding: {extra:?}` and `output_shape: {wanted:?}`"));
    }
    let (mut cut, mut counts) = (window.pads.clone(), vec![]);
    for axis in 0..rank {
        let size = x.sizes[axis + 2];
        let whole = size.map(|size| (size - 1) * window.strides[axis] + window.extent(axis));
        let is_same = auto.starts_with("SAME");
        let target = match &wanted {
            Some(wanted) => Some(wanted[axis]),
            None if is_same => Some(size.ok_or("`auto_pad` on an unknown size")? * window.strides[axis]),
            None => None,
        };
        if let Some(target) = target {
            let whole = whole.ok_or("`output_shape` on a size that is not known before the model runs")?;
            let total = whole + extra[axis] - target;
            let (less, more) = (total.div_euclid(2), total - total.div_euclid(2));
            cut[axis] = if auto == "SAME_UPPER" { (less, more) } else { (more, less) };
        }
        counts.push(whole.map(|whole| whole + extra[axis] - cut[axis].0 - cut[axis].1));
    }
    if counts.iter().flatten().any(|count| *count < 0) {
        return Err(format!("`pads` that leave the sizes {counts:?}"));
    }
    let outputs = weight.sizes[1].and_then(|each| each.checked_mul(groups));
    let sizes = [vec![x.sizes[0], outputs], counts].concat();
    let ends: Vec<(i64, i64)> =
        cut.iter().zip(&extra).map(|((before, after), extra)| (-before, extra - after)).collect();
    let id = transposed_and_cut(build, call, &window, &ends, groups)?;
    one(x.kind, sizes, id)
}

fn transposed_and_cut(
    build: &mut Build,
    call: &Call<'_>,
    window: &Window,
    ends: &[(i64, i64)],
    groups: i64,
) -> Result<ValueId, String> {
    let rank = window.kernel.len();
    // libtorch cuts the same number from both ends itself
    let even: Option<Vec<i64>> =
        ends.iter().map(|(before, after)| (before == after && *before <= 0).then_some(-before)).collect();
    let bias = call.optional(2).map(|bias| build.tensor(bias));
    let none = vec![0; rank];
    let inner = bias.filter(|_| even.is_some()).map_or(Argument::None, Argument::Value);
    let arguments = [
        ("input", call.tensor(build, 0)?),
        ("weight", call.tensor(build, 1)?),
        ("bias", inner),
        ("stride", wholes(&window.strides)),
        ("padding", wholes(even.as_ref().unwrap_or(&none))),
        ("dilation", wholes(&window.dilations)),
        ("transposed", Argument::Truth(true)),
        ("output_padding", wholes(&none)),
        ("groups", Argument::Whole(groups)),
    ];
    let id = build.call("convolution", &arguments);
    if even.is_some() {
        return Ok(id);
    }
    let id = padded(build, id, ends, 0.0);
    let Some(bias) = bias else { return Ok(id) };
    let shape: Vec<i64> = std::iter::once(-1).chain(vec![1; rank]).collect();
    let bias = build.call("reshape", &[("self", value(bias)), ("shape", wholes(&shape))]);
    Ok(build.call("add.Tensor", &[("self", value(id)), ("other", value(bias))]))
}

/// A vector that is broadcast along one of the spatial dimensions.
pub(super) fn along(
    build: &mut Build,
    kind: crate::graph::ElementType,
    axis: usize,
    rank: usize,
    numbers: &[f64],
) -> ValueId {
    let mut shape = vec![1; rank];
    shape[axis] = numbers.len() as i64;
    let known = Known::numbers(kind, &shape, numbers.iter().map(|value| Number::Real(*value)).collect());
    build.tensor(&known)
}
