//! Operators that work element by element.

use super::super::build::Build;
use super::super::node::{Call, Lowered};
use super::super::values::{Known, Number, Place, broadcast, whole};
use super::numbers::{self, Arithmetic};
use super::{is_real, one, value};
use crate::graph::{Argument, ElementType, ValueId, Whole};

/// A call of an operator on the first input, with a result of the same type and shape.
pub(in super::super) fn map(build: &mut Build, call: &Call<'_>, target: &str) -> Lowered {
    let x = call.input(0)?;
    let exact = |number: f64| match target {
        "neg" => Some(-number),
        "abs" => Some(number.abs()),
        "ceil" => Some(number.ceil()),
        "floor" => Some(number.floor()),
        "sqrt" => {
            Some(if x.kind == ElementType::Float { f64::from((number as f32).sqrt()) } else { number.sqrt() })
        }
        _ => None,
    };
    let folded = numbers::map(build, &[x], x.kind, |_, all| {
        Ok(match all {
            [Number::Real(number)] => exact(*number).map(Number::Real),
            [Number::Whole(Whole::Known(number))] if target == "neg" => number.checked_neg().map(whole),
            _ => None,
        })
    })?;
    if let Some(known) = folded {
        return Ok(vec![known]);
    }
    let id = build.given(x);
    let id = build.call(target, &[("self", id)]);
    one(x.kind, x.sizes.clone(), id)
}

pub(in super::super) fn identity(_: &mut Build, call: &Call<'_>) -> Lowered {
    Ok(vec![call.input(0)?.clone()])
}

/// The two inputs of an operator that broadcasts. Before opset 7 an attribute says how the second one lies on the first.
fn pair(build: &mut Build, call: &Call<'_>) -> Result<(Known, Known), String> {
    let (a, mut b) = (call.input(0)?.clone(), call.input(1)?.clone());
    if call.opset < 7 {
        let axis = call.int("axis")?;
        if call.flag("broadcast", false)?
            && let Some(axis) = axis
        {
            let axis = Call::axis(axis, a.rank())?;
            let after = a.rank().checked_sub(axis + b.rank()).ok_or("a second input that is too large")?;
            let mut id = build.tensor(&b);
            for _ in 0..after {
                id = build.call("unsqueeze", &[("self", value(id)), ("dim", Argument::Whole(-1))]);
            }
            b.sizes.extend(vec![Some(1); after]);
            b = Known::tensor(b.kind, b.sizes, id);
        }
    }
    if a.kind != b.kind {
        return Err(format!("inputs of the types {} and {}", a.kind.name(), b.kind.name()));
    }
    Ok((a, b))
}

/// Arithmetic on two tensors of one type.
pub(in super::super) fn arithmetic(build: &mut Build, call: &Call<'_>, operator: Arithmetic) -> Lowered {
    let (a, b) = pair(build, call)?;
    let folded = numbers::map(build, &[&a, &b], a.kind, |build, all| {
        numbers::arithmetic(build, operator, a.kind, all)
    })?;
    if let Some(known) = folded {
        return Ok(vec![known]);
    }
    let sizes = broadcast(&a.sizes, &b.sizes)?;
    let id = on_tensors(build, operator, &a, &b)?;
    one(a.kind, sizes, id)
}

fn on_tensors(build: &mut Build, operator: Arithmetic, a: &Known, b: &Known) -> Result<ValueId, String> {
    let (x, y) = (build.given(a), build.given(b));
    let both = [("self", x.clone()), ("other", y.clone())];
    Ok(match operator {
        Arithmetic::Add => build.call("add.Tensor", &both),
        Arithmetic::Subtract => build.call("sub.Tensor", &both),
        Arithmetic::Multiply => build.call("mul.Tensor", &both),
        Arithmetic::Divide if is_real(a.kind) => build.call("div.Tensor", &both),
        Arithmetic::Divide => {
            let rounding = ("rounding_mode", Argument::Text("trunc".to_string()));
            build.call("div.Tensor_mode", &[("self", x), ("other", y), rounding])
        }
        Arithmetic::Remainder => build.call("remainder.Tensor", &both),
        Arithmetic::Most => build.call("maximum", &both),
        Arithmetic::Least => build.call("minimum", &both),
        Arithmetic::Power => return Err("types that do not fit".to_string()),
    })
}

pub(in super::super) fn modulo(build: &mut Build, call: &Call<'_>) -> Lowered {
    if !call.flag("fmod", false)? {
        return arithmetic(build, call, Arithmetic::Remainder);
    }
    let (a, b) = pair(build, call)?;
    let arguments = [("self", build.given(&a)), ("other", build.given(&b))];
    let id = build.call("fmod.Tensor", &arguments);
    one(a.kind, broadcast(&a.sizes, &b.sizes)?, id)
}

pub(in super::super) fn power(build: &mut Build, call: &Call<'_>) -> Lowered {
    if call.opset < 7 {
        call.ignore(&["broadcast", "axis"]);
    }
    let (a, b) = (call.input(0)?, call.input(1)?);
    if a.kind == b.kind {
        let folded = numbers::map(build, &[a, b], a.kind, |build, all| {
            numbers::arithmetic(build, Arithmetic::Power, a.kind, all)
        })?;
        if let Some(known) = folded {
            return Ok(vec![known]);
        }
    }
    let sizes = broadcast(&a.sizes, &b.sizes)?;
    let x = build.given(a);
    let constant = b.constants().filter(|all| all.len() == 1 && b.rank() <= a.rank() && is_real(a.kind));
    // a constant exponent has the better gradient: that of x² at 0 is 0
    let id = if let Some([exponent]) = constant.as_deref() {
        build.call("pow.Tensor_Scalar", &[("self", x), ("exponent", Argument::Real(*exponent))])
    } else {
        let exponent = build.given(b);
        build.call("pow.Tensor_Tensor", &[("self", x), ("exponent", exponent)])
    };
    // the result has the type of the base
    let id = if is_real(b.kind) && !is_real(a.kind) { cast(build, id, a.kind) } else { id };
    one(a.kind, sizes, id)
}

/// A comparison or a logical operator on two tensors.
// ONNX compares floats exactly
#[allow(clippy::float_cmp)]
pub(in super::super) fn compare(build: &mut Build, call: &Call<'_>, target: &str) -> Lowered {
    let (a, b) = pair(build, call)?;
    let told = |a: f64, b: f64| match target {
        "eq.Tensor" => Some(a == b),
        "gt.Tensor" => Some(a > b),
        "ge.Tensor" => Some(a >= b),
        "lt.Tensor" => Some(a < b),
        "le.Tensor" => Some(a <= b),
        "logical_and" => Some(a != 0.0 && b != 0.0),
        "logical_or" => Some(a != 0.0 || b != 0.0),
        "logical_xor" => Some((a != 0.0) != (b != 0.0)),
        _ => None,
    };
    let folded = numbers::map(build, &[&a, &b], ElementType::Bool, |_, all| {
        let known: Option<Vec<f64>> = all.iter().map(|number| number.known()).collect();
        Ok(match known.as_deref() {
            Some([a, b]) => told(*a, *b).map(|truth| whole(i64::from(truth))),
            Some(_) | None => None,
        })
    })?;
    if let Some(known) = folded {
        return Ok(vec![known]);
    }
    let arguments = [("self", build.given(&a)), ("other", build.given(&b))];
    let id = build.call(target, &arguments);
    one(ElementType::Bool, broadcast(&a.sizes, &b.sizes)?, id)
}

pub(in super::super) fn not(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let folded = numbers::map(build, &[x], ElementType::Bool, |_, all| {
        Ok(all.first().and_then(|one| one.known_whole()).map(|truth| whole(i64::from(truth == 0))))
    })?;
    if let Some(known) = folded {
        return Ok(vec![known]);
    }
    let id = build.given(x);
    let id = build.call("logical_not", &[("self", id)]);
    one(ElementType::Bool, x.sizes.clone(), id)
}

pub(in super::super) fn is_nan(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let id = build.given(x);
    let id = build.call("isnan", &[("self", id)]);
    one(ElementType::Bool, x.sizes.clone(), id)
}

pub(in super::super) fn is_infinite(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let (negative, positive) = (call.flag("detect_negative", true)?, call.flag("detect_positive", true)?);
    let target = match (negative, positive) {
        (true, true) => "isinf",
        (true, false) => "isneginf",
        (false, true) => "isposinf",
        (false, false) => return Err("neither kind of infinity".to_string()),
    };
    let id = build.given(x);
    let id = build.call(target, &[("self", id)]);
    one(ElementType::Bool, x.sizes.clone(), id)
}

/// The sum, the greatest or the least of any number of tensors.
pub(in super::super) fn several(build: &mut Build, call: &Call<'_>, operator: Arithmetic) -> Lowered {
    let mut total = call.input(0)?.clone();
    for place in 1..call.inputs.len() {
        let next = call.input(place)?;
        let folded = numbers::map(build, &[&total, next], total.kind, |build, all| {
            numbers::arithmetic(build, operator, next.kind, all)
        })?;
        total = if let Some(known) = folded {
            known
        } else {
            let sizes = broadcast(&total.sizes, &next.sizes)?;
            let id = on_tensors(build, operator, &total, next)?;
            Known::tensor(total.kind, sizes, id)
        };
    }
    Ok(vec![total])
}

pub(in super::super) fn mean_of_several(build: &mut Build, call: &Call<'_>) -> Lowered {
    let sum = several(build, call, Arithmetic::Add)?.remove(0);
    let id = build.given(&sum);
    let count = Argument::Real(call.inputs.len() as f64);
    let id = build.call("div.Scalar", &[("self", id), ("other", count)]);
    one(sum.kind, sum.sizes, id)
}

/// A conversion of a tensor.
pub(super) fn cast(build: &mut Build, id: ValueId, kind: ElementType) -> ValueId {
    build.call("_to_copy", &[("self", value(id)), ("dtype", Argument::Kind(kind))])
}

pub(in super::super) fn cast_to(build: &mut Build, call: &Call<'_>) -> Lowered {
    call.ignore(&["saturate", "round_mode"]); // they concern 8-bit floats
    let number = call.int("to")?.ok_or("no type to convert to")?;
    let kind = i32::try_from(number).map_err(|_| format!("the type number {number}"));
    let kind =
        kind.and_then(super::super::tensors::element_type).map_err(|kind| format!("the type {kind}"))?;
    converted(build, call.input(0)?, kind)
}

pub(in super::super) fn cast_like(build: &mut Build, call: &Call<'_>) -> Lowered {
    call.ignore(&["saturate", "round_mode"]);
    let kind = call.input(1)?.kind;
    converted(build, call.input(0)?, kind)
}

fn converted(build: &mut Build, x: &Known, kind: ElementType) -> Lowered {
    if x.kind == kind {
        return Ok(vec![x.clone()]);
    }
    let folded = numbers::map(build, &[x], kind, |_, all| {
        Ok(match (all, kind) {
            ([Number::Whole(Whole::Known(value))], ElementType::Bool) => Some(whole(i64::from(*value != 0))),
            ([Number::Whole(value)], ElementType::Long) => Some(Number::Whole(*value)),
            ([Number::Whole(Whole::Known(value))], ElementType::Int) if i32::try_from(*value).is_ok() => {
                Some(whole(*value))
            }
            ([Number::Whole(Whole::Known(value))], ElementType::Float | ElementType::Double) => {
                Some(Number::Real(*value as f64))
            }
            ([Number::Real(value)], ElementType::Float | ElementType::Double) => Some(Number::Real(*value)),
            ([Number::Real(value)], ElementType::Long | ElementType::Int) if value.abs() < 2e9 => {
                Some(whole(value.trunc() as i64))
            }
            ([Number::Real(value)], ElementType::Bool) => Some(whole(i64::from(*value != 0.0))),
            _ => None,
        })
    })?;
    if let Some(known) = folded {
        return Ok(vec![known]);
    }
    let id = build.tensor(x);
    let id = cast(build, id, kind);
    one(kind, x.sizes.clone(), id)
}

pub(in super::super) fn choose(build: &mut Build, call: &Call<'_>) -> Lowered {
    let [condition, a, b] = [call.input(0)?, call.input(1)?, call.input(2)?];
    if a.kind != b.kind {
        return Err(format!("inputs of the types {} and {}", a.kind.name(), b.kind.name()));
    }
    let folded = numbers::map(build, &[condition, a, b], a.kind, |_, all| {
        Ok(match all {
            [condition, a, b] => condition.known_whole().map(|truth| if truth != 0 { *a } else { *b }),
            _ => None,
        })
    })?;
    if let Some(known) = folded {
        return Ok(vec![known]);
    }
    let sizes = broadcast(&broadcast(&condition.sizes, &a.sizes)?, &b.sizes)?;
    let arguments =
        [("condition", build.given(condition)), ("self", build.given(a)), ("other", build.given(b))];
    let id = build.call("where.self", &arguments);
    one(a.kind, sizes, id)
}

pub(in super::super) fn clip(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let id = build.given(x);
    let bounds = if call.opset < 11 {
        ["min", "max"].map(|name| call.float(name).map(|bound| bound.map(Argument::Real)))
    } else {
        [1, 2].map(|place| call.optional(place).map(|bound| build.scalar(bound)).transpose())
    };
    let [least, most] = bounds;
    let (least, most) = (least?, most?);
    if least.is_none() && most.is_none() {
        return Ok(vec![x.clone()]);
    }
    let bound = |bound: Option<Argument>| bound.unwrap_or(Argument::None);
    let id = build.call("clamp", &[("self", id), ("min", bound(least)), ("max", bound(most))]);
    one(x.kind, x.sizes.clone(), id)
}

/// Nothing is dropped when a model is used; dropping at random is refused.
pub(in super::super) fn dropout(build: &mut Build, call: &Call<'_>) -> Lowered {
    call.ignore(&["ratio", "seed"]);
    if call.opset < 7 && !call.flag("is_test", false)? {
        return Err("random values (`is_test` is 0); export it after `model.eval()`".to_string());
    }
    if let Some(training) = call.optional(2)
        && training.whole_constants().as_deref() != Some(&[0])
    {
        return Err("random values (`training_mode`); export it after `model.eval()`".to_string());
    }
    let x = call.input(0)?;
    let mut results = vec![x.clone()];
    if call.returns(1) {
        let id = build.given(x);
        let id = build.call("ones_like", &[("self", id), ("dtype", Argument::Kind(ElementType::Bool))]);
        results.push(Known::tensor(ElementType::Bool, x.sizes.clone(), id));
    }
    Ok(results)
}

/// The number of elements.
pub(in super::super) fn size(build: &mut Build, call: &Call<'_>) -> Lowered {
    let x = call.input(0)?;
    let mut count = Whole::Known(1);
    for axis in 0..x.rank() {
        let size = build.size(x, axis);
        count = build.whole(crate::graph::WholeOperator::Multiply, count, size)?;
    }
    let numbers = Some(vec![Number::Whole(count)]);
    Ok(vec![Known { kind: ElementType::Long, sizes: vec![], place: Place::Numbers, numbers }])
}
