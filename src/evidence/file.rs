//! Evidence files: canonical JSON (RFC 8259), written whole or not at all.
//!
//! Canonical means that equal evidence has equal bytes: keys in the order of the types, a case and an
//! outcome a line, the shortest decimal of each number, a newline at the end. A difference of two files is
//! then a difference of what was observed, and a person can read it.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Counterexample, Evidence, Health, SCHEMA};
use crate::files::{bounded_read, write_whole};
use crate::{Error, Result};

/// Largest evidence file that is read, in bytes (1 GiB).
pub const LARGEST_BYTES: u64 = 1 << 30;

/// Writes evidence under a temporary name in the same folder, which is made if need be, and renames it: a
/// reader sees all of it or none, and what lay there before stays until then.
///
/// # Errors
/// The file cannot be written, or a number of the evidence is not finite.
pub fn write(path: &Path, evidence: &Evidence) -> Result<()> {
    finite(evidence)?;
    write_whole(path, |file| print(file, evidence))
}

/// Reads evidence.
///
/// # Errors
/// The file is missing, larger than [`LARGEST_BYTES`], not evidence, cut off, or of another schema version.
pub fn read(path: &Path) -> Result<Evidence> {
    let remedy = "`medcert check` writes evidence";
    let failed = |why: std::io::Error| Error::unreadable(path, &why, remedy);
    let text = bounded_read(path, LARGEST_BYTES).map_err(failed)?;
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(refused(path, "it is empty"));
    }
    let head: Head = serde_json::from_slice(&text).map_err(|why| malformed(path, &why))?;
    match head.schema {
        None => Err(refused(path, "it has no \"schema\", so it is not medcert's evidence")),
        Some(schema) if schema == u64::from(SCHEMA) => {
            serde_json::from_slice(&text).map_err(|why| malformed(path, &why))
        }
        Some(schema) => {
            Err(refused(path, &format!("its schema is {schema} and this medcert reads {SCHEMA}")))
        }
    }
}

/// What is read first: a file of another version may have other keys.
#[derive(Deserialize)]
struct Head {
    schema: Option<u64>,
}

fn refused(path: &Path, why: &str) -> Error {
    let path = path.display();
    Error::Input(format!("{path} is no evidence that can be used: {why}; `medcert check` writes it anew"))
}

fn malformed(path: &Path, why: &serde_json::Error) -> Error {
    if why.is_eof() {
        let (line, column) = (why.line(), why.column());
        return refused(path, &format!("it ends in the middle, at line {line}, column {column}"));
    }
    refused(path, &why.to_string())
}

/// JSON knows no NaN; it would come back as "no answer", which is not what was seen.
fn finite(evidence: &Evidence) -> Result<()> {
    for found in &evidence.counterexamples {
        if found.epsilon.is_some_and(|epsilon| !epsilon.is_finite()) {
            let Counterexample { model, attack, case, .. } = found;
            return Err(not_finite(&format!("the counterexample {case} of {model} under {attack}")));
        }
    }
    for Health { model, gradient, .. } in &evidence.health {
        if gradient.is_some_and(|gradient| !gradient.cosine.is_finite()) {
            return Err(not_finite(&format!("the gradient of {model}")));
        }
    }
    for cell in evidence.cells.iter().chain(&evidence.probes) {
        for (place, outcome) in cell.outcomes.iter().enumerate() {
            if !outcome.change.is_finite() || outcome.margin.is_some_and(|margin| !margin.is_finite()) {
                let super::Cell { model, attack, .. } = cell;
                return Err(not_finite(&format!("case {} of {model} under {attack}", place + 1)));
            }
        }
    }
    Ok(())
}

fn not_finite(what: &str) -> Error {
    Error::Bug(format!("{what} has a number that is not finite"))
}

fn print(out: &mut impl Write, evidence: &Evidence) -> std::io::Result<()> {
    let Evidence { schema, medcert, spec, run, data, models, cases, .. } = evidence;
    writeln!(out, "{{")?;
    writeln!(out, "\"schema\": {schema},")?;
    writeln!(out, "\"medcert\": {},", line(medcert)?)?;
    writeln!(out, "\"spec\": {},", line(spec)?)?;
    writeln!(out, "\"run\": {},", line(run)?)?;
    writeln!(out, "\"data\": {},", line(data)?)?;
    writeln!(out, "\"models\": [")?;
    list(out, models)?;
    writeln!(out, "],\n\"baselines\": [")?;
    list(out, &evidence.baselines)?;
    writeln!(out, "],\n\"cases\": [")?;
    list(out, cases)?;
    for (name, cells) in [("cells", &evidence.cells), ("probes", &evidence.probes)] {
        writeln!(out, "],\n\"{name}\": [")?;
        print_cells(out, cells)?;
    }
    writeln!(out, "],\n\"health\": [")?;
    list(out, &evidence.health)?;
    writeln!(out, "],\n\"counterexamples\": [")?;
    list(out, &evidence.counterexamples)?;
    writeln!(out, "],\n\"regressions\": {}\n}}", line(&evidence.regressions)?)
}

fn print_cells(out: &mut impl Write, cells: &[super::Cell]) -> std::io::Result<()> {
    for (place, cell) in cells.iter().enumerate() {
        let super::Cell { model, attack, outcomes } = cell;
        writeln!(out, "{{\"model\": {}, \"attack\": {}, \"outcomes\": [", line(model)?, line(attack)?)?;
        list(out, outcomes)?;
        writeln!(out, "]}}{}", comma(place, cells.len()))?;
    }
    Ok(())
}

/// Elements, one a line.
fn list<T: Serialize>(out: &mut impl Write, elements: &[T]) -> std::io::Result<()> {
    for (place, element) in elements.iter().enumerate() {
        writeln!(out, "{}{}", line(element)?, comma(place, elements.len()))?;
    }
    Ok(())
}

fn line<T: Serialize + ?Sized>(value: &T) -> std::io::Result<String> {
    Ok(serde_json::to_string(value)?)
}

fn comma(place: usize, length: usize) -> &'static str {
    if place + 1 < length { "," } else { "" }
}
