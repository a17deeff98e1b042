//! The section of a snapshot that holds which cases hold in each cell, so that the accepted snapshot is the baseline
//! of later runs by itself, however it was accepted:
//!
//! ```text
//! outcomes 2: cells 2, cases 402, order 3fa92b01c7d8, question data=9d8e7f6a5b4c split=…
//!   tolerance: outcomes within a margin of 0.001 may turn on another kind of processor
//!   fusion clean: ff7f…
//!   fusion FGSM ε=0.1: 3d02…
//! ```
//!
//! A hexadecimal digit is four cases, the first in its highest bit, in the order of the test cases; the last digit
//! is filled with zeros. A cell that ended early has `, first 64` before the colon. `order` is a digest of the cases'
//! identifiers and labels; `question` holds the digests of what decides the evidence, by part of the spec.

use crate::judge::{Baseline, Held, ROUNDING};
use crate::plan::Plan;

/// Version of the section.
const VERSION: &str = "2";
const HEAD: &str = "outcomes ";
/// Between the attack and the number of cases, where the cell ended early.
const FIRST: &str = ", first ";
const TOLERANCE: (&str, &str) =
    ("  tolerance: outcomes within a margin of ", " may turn on another kind of processor");

/// The section in lines: the plan's cells in their order, and the tolerance that is declared.
pub fn render(plan: &Plan, baseline: &Baseline) -> Vec<String> {
    let held = |cell: &crate::plan::Cell| {
        let (model, attack) = (&plan.subjects.get(cell.model)?.name, cell.attack.to_string());
        let held = baseline.held(model, &attack)?;
        let first =
            if held.len() < baseline.trials { format!("{FIRST}{}", held.len()) } else { String::new() };
        Some(format!("  {model} {attack}{first}: {}", digits(held)))
    };
    let cells: Vec<String> = plan.cells.iter().filter_map(held).collect();
    let Baseline { trials, order, question, .. } = baseline;
    let head =
        format!("{HEAD}{VERSION}: cells {}, cases {trials}, order {order}, question {question}", cells.len());
    let tolerance = format!("{}{ROUNDING}{}", TOLERANCE.0, TOLERANCE.1);
    [head, tolerance].into_iter().chain(cells).collect()
}

/// A body without the section.
pub fn before(body: &str) -> &str {
    body.rfind(&format!("\n{HEAD}")).map_or(body, |at| body[..at].trim_end())
}

/// The baseline that the body of a snapshot holds; none if it has no such section.
///
/// # Errors
/// Why it cannot be read, in a sentence: it is cut, damaged, or of another version.
pub fn parse(body: &str) -> Result<Option<Baseline>, String> {
    let Some(at) = body.rfind(&format!("\n{HEAD}")) else { return Ok(None) };
    let mut lines = body[at + 1..].lines();
    let head = lines.next().unwrap_or_default();
    let (count, mut baseline) = read_head(head)?;
    let mut lines = lines.peekable();
    if let Some(line) = lines.next_if(|line| line.starts_with(TOLERANCE.0)) {
        baseline.tolerance = Some(read_tolerance(line)?);
    }
    for line in lines {
        let held = read_cell(line, baseline.trials)?;
        if baseline.held(&held.model, &held.attack).is_some() {
            return Err(format!("it has {} twice", crate::judge::cell_name(&held.model, &held.attack)));
        }
        baseline.cells.push(held);
    }
    if baseline.cells.len() != count {
        return Err(format!("it says that it has {count} cells, and it has {}", baseline.cells.len()));
    }
    let facts = super::facts(before(body)).ok_or("it lacks the processor, the data or the models")?;
    Ok(Some(Baseline { processor: facts.processor, data: facts.data, models: facts.models, ..baseline }))
}

/// The number of cells, and what else the first line says.
fn read_head(line: &str) -> Result<(usize, Baseline), String> {
    let rest = line.strip_prefix(HEAD).unwrap_or_default();
    let Some((version, rest)) = rest.split_once(": ") else { return Err(no_head(line)) };
    if version != VERSION {
        return Err(format!("its outcomes are of version {version}, and this medcert reads {VERSION}"));
    }
    let field = |(field, name): (&str, &str)| Some(field.strip_prefix(name)?.strip_prefix(' ')?.to_string());
    let fields: Vec<Option<String>> =
        rest.split(", ").zip(["cells", "cases", "order", "question"]).map(field).collect();
    let [Some(cells), Some(cases), Some(order), Some(question)] = fields.as_slice() else {
        return Err(no_head(line));
    };
    let (Ok(cells), Ok(trials)) = (cells.parse(), cases.parse()) else { return Err(no_head(line)) };
    let baseline = Baseline {
        processor: String::new(),
        question: question.parse().map_err(|()| no_head(line))?,
        data: String::new(),
        trials,
        order: order.clone(),
        models: vec![],
        tolerance: None,
        cells: vec![],
    };
    Ok((cells, baseline))
}

fn no_head(line: &str) -> String {
    format!("the line `{line}` does not say what its outcomes are")
}

/// More than rounding is no tolerance.
fn read_tolerance(line: &str) -> Result<f32, String> {
    let number = line.strip_prefix(TOLERANCE.0).and_then(|rest| rest.strip_suffix(TOLERANCE.1));
    match number.and_then(|number| number.parse::<f32>().ok()) {
        Some(tolerance) if (0.0..=ROUNDING).contains(&tolerance) => Ok(tolerance),
        Some(tolerance) => Err(format!("it declares a tolerance of {tolerance}, and rounding is {ROUNDING}")),
        None => Err(format!("the line `{}` declares no tolerance", line.trim_start())),
    }
}

fn read_cell(line: &str, trials: usize) -> Result<Held, String> {
    let cell = line.strip_prefix("  ").and_then(|line| {
        let (cell, digits) = line.rsplit_once(": ")?;
        let (model, attack) = cell.split_once(' ')?;
        Some((model, attack, digits))
    });
    let Some((model, attack, digits)) = cell else {
        return Err(format!("the line `{}` is no cell's outcomes", line.trim_start()));
    };
    let (attack, trials) = match attack.rsplit_once(FIRST) {
        Some((attack, first)) => match first.parse() {
            Ok(first) if first < trials => (attack, first),
            _ => return Err(format!("the line `{}` has not {first} cases", line.trim_start())),
        },
        None => (attack, trials),
    };
    let holds = cases(digits, trials).ok_or_else(|| {
        let (needed, name) = (trials.div_ceil(4), crate::judge::cell_name(model, attack));
        format!("the outcomes of {name} are not {needed} digits for {trials} cases")
    })?;
    Ok(Held { model: model.to_string(), attack: attack.to_string(), holds })
}

/// Four cases a digit.
fn digits(holds: &[bool]) -> String {
    let digit = |four: &[bool]| {
        let bits = (0..4).map(|place| u32::from(four.get(place).copied().unwrap_or_default()) << (3 - place));
        char::from_digit(bits.sum(), 16).unwrap_or_default()
    };
    holds.chunks(4).map(digit).collect()
}

/// The cases of digits; None if they are not as many, or the last digit holds more.
fn cases(text: &str, trials: usize) -> Option<Vec<bool>> {
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if text.chars().count() != trials.div_ceil(4) || !text.chars().all(is_digit) {
        return None;
    }
    let bits = |digit: char| digit.to_digit(16).unwrap_or_default();
    let all: Vec<bool> =
        text.chars().flat_map(|digit| [3, 2, 1, 0].map(|place| bits(digit) >> place & 1 == 1)).collect();
    let (holds, filling) = all.split_at(trials.min(all.len()));
    filling.iter().all(|bit| !bit).then(|| holds.to_vec())
}
