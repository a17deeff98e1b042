//! What each operator becomes: one file a family. A lowering adds calls to the program and says what is known of their
//! results.

pub(super) mod activations;
pub(super) mod constants;
pub(super) mod convolution;
pub(super) mod elementwise;
pub(super) mod indexing;
pub(super) mod layout;
pub(super) mod normalization;
pub(super) mod numbers;
pub(super) mod pooling;
pub(super) mod products;
pub(super) mod reduction;
pub(super) mod resize;
pub(super) mod shapes;

use super::build::{Build, wholes};
use super::node::{Call, Lowered};
use super::values::Known;
use crate::graph::{Argument, ElementType, ValueId, Whole};

/// Limit on the numbers of a constant that a lowering makes.
const MOST_MADE: i64 = 1 << 20;

/// A lowering.
pub(super) type Lower = fn(&mut Build, &Call<'_>) -> Lowered;

/// A tensor as an argument.
fn value(id: ValueId) -> Argument {
    Argument::Value(id)
}

/// Tensors as an argument.
fn values(ids: &[ValueId]) -> Argument {
    Argument::Values(ids.iter().copied().map(Some).collect())
}

fn axis_of(axis: usize) -> Argument {
    Argument::Whole(axis as i64)
}

fn axes_of(axes: &[usize]) -> Argument {
    wholes(&axes.iter().map(|axis| *axis as i64).collect::<Vec<i64>>())
}

fn shape_of(shape: &[Whole]) -> Argument {
    Argument::Wholes(shape.to_vec())
}

/// The sizes of a shape as they are known.
fn known_sizes(shape: &[Whole]) -> Vec<Option<i64>> {
    let known = |whole: &Whole| match whole {
        Whole::Known(size) => Some(*size),
        Whole::Value(_) => None,
    };
    shape.iter().map(known).collect()
}

/// One tensor as what a node returns.
// every lowering ends with what this returns
#[allow(clippy::unnecessary_wraps)]
fn one(kind: ElementType, sizes: Vec<Option<i64>>, id: ValueId) -> Lowered {
    Ok(vec![Known::tensor(kind, sizes, id)])
}

fn is_real(kind: ElementType) -> bool {
    matches!(kind, ElementType::Float | ElementType::Double)
}

/// Refuses to make more numbers than a reasonable model needs.
fn check_count(count: i64) -> Result<(), String> {
    if count <= MOST_MADE { Ok(()) } else { Err(format!("a size of {count}")) }
}

/// Selects places of an axis; the places are constants.
fn select(build: &mut Build, of: ValueId, axis: usize, places: &[i64]) -> Result<ValueId, String> {
    let numbers: Vec<f64> = places.iter().map(|place| *place as f64).collect();
    let index = build.constant(ElementType::Long, &[places.len() as i64], &numbers)?;
    Ok(build.call("index_select", &[("self", value(of)), ("dim", axis_of(axis)), ("index", value(index))]))
}

/// Reverses an axis.
fn flip(build: &mut Build, of: ValueId, axis: usize) -> ValueId {
    build.call("flip", &[("self", value(of)), ("dims", axes_of(&[axis]))])
}
