//! Products of matrices.

use super::super::build::Build;
use super::super::node::{Call, Lowered};
use super::super::values::broadcast;
use super::{one, value, values};
use crate::graph::{Argument, ElementType};

pub(in super::super) fn matmul(build: &mut Build, call: &Call<'_>) -> Lowered {
    let (a, b) = (call.input(0)?, call.input(1)?);
    if a.rank() == 0 || b.rank() == 0 {
        return Err("a number instead of a matrix".to_string());
    }
    // a vector is a row on the left and a column on the right
    let rows = (a.rank() > 1).then(|| a.sizes[a.rank() - 2]);
    let columns = (b.rank() > 1).then(|| b.sizes[b.rank() - 1]);
    let batch = |sizes: &[Option<i64>]| sizes[..sizes.len().saturating_sub(2)].to_vec();
    let mut sizes = broadcast(&batch(&a.sizes), &batch(&b.sizes))?;
    sizes.extend(rows);
    sizes.extend(columns);
    let inner = (a.sizes[a.rank() - 1], b.sizes[b.rank().saturating_sub(2)]);
    if let (Some(one), Some(other)) = inner
        && one != other
    {
        return Err(format!("{one} columns and {other} rows"));
    }
    let arguments = [("self", build.given(a)), ("other", build.given(b))];
    let id = build.call("matmul", &arguments);
    one(a.kind, sizes, id)
}

/// `alpha · A · B + beta · C`, with A and B transposed if the node says so.
pub(in super::super) fn gemm(build: &mut Build, call: &Call<'_>) -> Lowered {
    call.ignore(&["broadcast"]);
    let (a, b) = (call.input(0)?, call.input(1)?);
    if a.rank() != 2 || b.rank() != 2 {
        return Err(format!("matrices of {} and {} dimensions", a.rank(), b.rank()));
    }
    let (alpha, beta) = (call.float_or("alpha", 1.0)?, call.float_or("beta", 1.0)?);
    let number = |value: f64| match a.kind {
        ElementType::Float | ElementType::Double => Argument::Real(value),
        ElementType::Long
        | ElementType::Int
        | ElementType::Byte
        | ElementType::Char
        | ElementType::Short
        | ElementType::Half
        | ElementType::Bool
        | ElementType::BFloat16 => Argument::Whole(value as i64),
    };
    let mut side = |place: usize, turned: bool| -> Result<(Argument, [Option<i64>; 2]), String> {
        let known = call.input(place)?;
        let id = build.given(known);
        let sizes = [known.sizes[0], known.sizes[1]];
        if turned {
            return Ok((value(build.call("t", &[("self", id)])), [sizes[1], sizes[0]]));
        }
        Ok((id, sizes))
    };
    let (left, [rows, _]) = side(0, call.flag("transA", false)?)?;
    let (right, [_, columns]) = side(1, call.flag("transB", false)?)?;
    let id = if let Some(added) = call.optional(2) {
        let added = build.given(added);
        let arguments = [
            ("self", added),
            ("mat1", left),
            ("mat2", right),
            ("beta", number(beta)),
            ("alpha", number(alpha)),
        ];
        build.call("addmm", &arguments)
    } else {
        let id = build.call("mm", &[("self", left), ("mat2", right)]);
        if (alpha - 1.0).abs() < f64::EPSILON {
            id
        } else {
            build.call("mul.Scalar", &[("self", value(id)), ("other", number(alpha))])
        }
    };
    one(a.kind, vec![rows, columns], id)
}

pub(in super::super) fn einsum(build: &mut Build, call: &Call<'_>) -> Lowered {
    let equation: String = call.text_or("equation", "")?.split_whitespace().collect();
    let mut ids = Vec::new();
    let mut dots = 0;
    let terms: Vec<&str> = equation.split("->").next().unwrap_or_default().split(',').collect();
    if terms.len() != call.inputs.len() {
        return Err(format!(
            "{} inputs for the equation {}",
            call.inputs.len(),
            super::super::short(&equation)
        ));
    }
    let mut sizes = std::collections::BTreeMap::new();
    for (place, term) in terms.iter().enumerate() {
        let x = call.input(place)?;
        let letters: Vec<char> = term.chars().filter(|letter| *letter != '.').collect();
        let hidden = if term.contains("...") { x.rank().checked_sub(letters.len()) } else { Some(0) };
        let hidden = hidden.filter(|hidden| letters.len() + hidden == x.rank());
        dots = dots.max(hidden.ok_or_else(|| format!("the equation {}", super::super::short(&equation)))?);
        if !term.contains("...") {
            for (letter, size) in letters.iter().zip(&x.sizes) {
                let known: &mut Option<i64> = sizes.entry(*letter).or_default();
                *known = known.filter(|known| *known != 1).or(*size);
            }
        }
        ids.push(build.tensor(x));
    }
    let written = if let Some((_, written)) = equation.split_once("->") {
        written.to_string()
    } else {
        // without an arrow: the letters that occur once, in alphabetical order, after the dots
        let all: Vec<char> = terms.concat().chars().filter(|letter| *letter != '.').collect();
        let occurs_once = |one: &char| all.iter().filter(|other| *other == one).count() == 1;
        let mut once: Vec<char> = all.iter().copied().filter(occurs_once).collect();
        once.sort_unstable();
        let start = if equation.contains("...") { "..." } else { "" };
        start.chars().chain(once).collect()
    };
    let mut shape: Vec<Option<i64>> = Vec::new();
    if written.contains("...") {
        shape.extend(vec![None; dots]);
    }
    let letters = written.chars().filter(|letter| *letter != '.');
    shape.extend(letters.map(|letter| sizes.get(&letter).copied().flatten()));
    // the dots may come anywhere: with them only the rank is known
    if written.contains("...") {
        shape.fill(None);
    }
    let full = format!("{}->{written}", terms.join(","));
    let id = build.call("einsum", &[("equation", Argument::Text(full)), ("tensors", values(&ids))]);
    one(call.input(0)?.kind, shape, id)
}
