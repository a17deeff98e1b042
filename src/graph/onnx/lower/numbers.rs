//! Arithmetic on small tensors whose numbers are known while the model is read, such as shapes.

use super::super::build::Build;
use super::super::values::{Known, MOST_NUMBERS, Number, Place, broadcast};
use crate::graph::{ElementType, Whole, WholeOperator};

/// Applies a function element by element, if the numbers of all inputs are known and the function has a result for all.
pub(super) fn map(
    build: &mut Build,
    inputs: &[&Known],
    kind: ElementType,
    function: impl Fn(&mut Build, &[Number]) -> Result<Option<Number>, String>,
) -> Result<Option<Known>, String> {
    let mut sizes: Vec<Option<i64>> = vec![];
    for input in inputs {
        if input.numbers.is_none() {
            return Ok(None);
        }
        sizes = broadcast(&sizes, &input.sizes)?;
    }
    let Some(shape) = sizes.iter().copied().collect::<Option<Vec<i64>>>() else { return Ok(None) };
    let count = shape.iter().try_fold(1_i64, |product, size| product.checked_mul(*size)).unwrap_or(i64::MAX);
    if count > MOST_NUMBERS as i64 {
        return Ok(None);
    }
    let mut numbers = Vec::new();
    for place in 0..count {
        let arguments: Vec<Number> =
            inputs.iter().filter_map(|input| element(input, &shape, place)).collect();
        match function(build, &arguments)? {
            Some(number) if arguments.len() == inputs.len() => numbers.push(rounded(kind, number)),
            Some(_) | None => return Ok(None),
        }
    }
    Ok(Some(Known { kind, sizes, place: Place::Numbers, numbers: Some(numbers) }))
}

/// The element of an input that a place of the broadcast shape reads.
fn element(input: &Known, shape: &[i64], place: i64) -> Option<Number> {
    let (mut left, mut at, mut step) = (place, 0, 1);
    for axis in (0..shape.len()).rev() {
        let index = left % shape[axis];
        left /= shape[axis];
        if let Some(own) = (axis + input.rank()).checked_sub(shape.len()) {
            let size = input.sizes[own]?;
            at += if size == 1 { 0 } else { index * step };
            step *= size;
        }
    }
    input.numbers.as_ref()?.get(usize::try_from(at).ok()?).copied()
}

/// A number as its type holds it.
fn rounded(kind: ElementType, number: Number) -> Number {
    match number {
        Number::Real(value) if kind == ElementType::Float => Number::Real(f64::from(value as f32)),
        Number::Real(_) | Number::Whole(_) => number,
    }
}

/// Arithmetic on two numbers; None if it has to be done on tensors.
pub(super) fn arithmetic(
    build: &mut Build,
    operator: Arithmetic,
    kind: ElementType,
    numbers: &[Number],
) -> Result<Option<Number>, String> {
    use Arithmetic::{Add, Divide, Least, Most, Multiply, Power, Remainder, Subtract};
    let (one, other) = match numbers {
        [one, other] => (*one, *other),
        _ => return Ok(None),
    };
    if let (Number::Whole(a), Number::Whole(b)) = (one, other) {
        let whole = match operator {
            Add => WholeOperator::Add,
            Subtract => WholeOperator::Subtract,
            Multiply => WholeOperator::Multiply,
            Remainder => WholeOperator::Remainder,
            Most => WholeOperator::Most,
            Least => WholeOperator::Least,
            // ONNX rounds towards zero, and a size may be less than another by a number
            Divide | Power => return Ok(known_pair(a, b).and_then(|(a, b)| exact(operator, a, b))),
        };
        let result = build.whole(whole, a, b)?;
        // an int32 that overflows is left to libtorch
        let fits = |value: i64| kind != ElementType::Int || i32::try_from(value).is_ok();
        return Ok(match result {
            Whole::Known(value) if !fits(value) => None,
            Whole::Known(_) | Whole::Value(_) => Some(Number::Whole(result)),
        });
    }
    let (Number::Real(a), Number::Real(b)) = (one, other) else { return Ok(None) };
    Ok(match operator {
        Add => Some(a + b),
        Subtract => Some(a - b),
        Multiply => Some(a * b),
        Divide => Some(a / b),
        Most => Some(a.max(b)).filter(|_| !a.is_nan() && !b.is_nan()),
        Least => Some(a.min(b)).filter(|_| !a.is_nan() && !b.is_nan()),
        // other libraries' last bits
        Power | Remainder => None,
    }
    .map(Number::Real))
}

fn known_pair(a: Whole, b: Whole) -> Option<(i64, i64)> {
    match (a, b) {
        (Whole::Known(a), Whole::Known(b)) => Some((a, b)),
        (Whole::Value(_), _) | (_, Whole::Value(_)) => None,
    }
}

fn exact(operator: Arithmetic, a: i64, b: i64) -> Option<Number> {
    let result = match operator {
        Arithmetic::Divide => a.checked_div(b),
        Arithmetic::Power => a.checked_pow(u32::try_from(b).ok()?),
        Arithmetic::Add
        | Arithmetic::Subtract
        | Arithmetic::Multiply
        | Arithmetic::Remainder
        | Arithmetic::Most
        | Arithmetic::Least => None,
    };
    result.map(super::super::values::whole)
}

/// Arithmetic on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Most,
    Least,
}
