//! Evidence files: canonical JSON (RFC 8259), sealed, written whole or not at all.
//!
//! Canonical means that equal evidence has equal bytes: keys in the order of the types, one case or outcome per line,
//! the shortest decimal of each number, a newline at the end. The difference of two files is then the difference of
//! what was observed, and a person can read it.
//!
//! Two members follow the evidence. `digests` names every part (the spec, the data, the models, the cases, each cell,
//! each probe and so on), each with a digest over itself and all parts before it. So a part cannot be exchanged
//! alone, and a message can say which part was altered. `seal` is the digest of the whole text before it. Both
//! protect against damage and careless edits, not against somebody who computes them anew ([`crate::seal`]).

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Counterexample, Evidence, Health, SCHEMA};
use crate::files::{bounded_read, write_whole};
use crate::seal::{self, Broken};
use crate::{Error, Result};

/// Largest evidence file that is read, in bytes (1 GiB).
pub const LARGEST_BYTES: u64 = 1 << 30;
/// The kind of file, which enters the seal.
const KIND: &str = "evidence";
/// Characters of a part's digest. 64 bits of blake3 show which part differs; the seal decides whether one does.
const DIGITS: usize = 16;
/// The beginning of the members that follow the evidence.
const DIGESTS: &[u8] = b",\n\"digests\": [";

/// Writes evidence under a temporary name in the same folder, which is created if it is missing, and renames it: a
/// reader sees the old file or the whole new one.
///
/// # Errors
/// The file cannot be written, or the evidence has a number that is not finite or contradicts itself, which is a bug.
pub fn write(path: &Path, evidence: &Evidence) -> Result<()> {
    finite(evidence)?;
    if let Some(why) = evidence.contradiction() {
        return Err(Error::Bug(format!("the evidence contradicts itself: {why}")));
    }
    let text = print(evidence).map_err(|why| Error::Bug(format!("evidence has no text form: {why}")))?;
    write_whole(path, |file| file.write_all(&text))
}

/// Reads evidence.
///
/// # Errors
/// The file is missing, larger than [`LARGEST_BYTES`], not evidence, cut off, altered, of another schema version, or
/// contradicts itself.
pub fn read(path: &Path) -> Result<Evidence> {
    let remedy = "`medcert check` writes evidence";
    let failed = |why: std::io::Error| Error::unreadable(path, &why, remedy);
    parse(path, bounded_read(path, LARGEST_BYTES).map_err(failed)?)
}

/// Reads evidence from the bytes of a file; `path` is for messages.
///
/// # Errors
/// As for [`read`], except that the file is already read.
pub fn parse(path: &Path, mut text: Vec<u8>) -> Result<Evidence> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(refused(path, "it is empty"));
    }
    let head: Head = serde_json::from_slice(&text).map_err(|why| malformed(path, &why))?;
    match head.schema {
        None => return Err(refused(path, "it has no \"schema\", so it is not medcert's evidence")),
        Some(schema) if schema != u64::from(SCHEMA) => {
            return Err(refused(path, &format!("its schema is {schema} and this medcert reads {SCHEMA}")));
        }
        Some(_) => {}
    }
    let body = match seal::open_json(KIND, &text) {
        Ok(body) => body.len(),
        Err(Broken::Absent) => {
            return Err(refused(path, "it does not end with a seal, so something was cut off or added"));
        }
        Err(Broken::Differs) => {
            let part = altered_part(&text).map_or(String::new(), |part| format!(" (in its part `{part}`)"));
            return Err(refused(path, &format!("it was altered since it was written{part}")));
        }
    };
    text.truncate(body);
    // what the seal covers was written by `print`, where the digests follow the evidence
    let evidence = text.windows(DIGESTS.len()).rposition(|window| window == DIGESTS);
    text.truncate(evidence.ok_or_else(|| refused(path, "it has no digests"))?);
    text.push(b'}');
    let evidence: Evidence = serde_json::from_slice(&text).map_err(|why| malformed(path, &why))?;
    match evidence.contradiction() {
        Some(why) => Err(refused(path, &format!("it contradicts itself: {why}"))),
        None => Ok(evidence),
    }
}

/// The first part that does not match its digest; None if the parts do not show what differs.
fn altered_part(text: &[u8]) -> Option<String> {
    let mut whole: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(text).ok()?;
    whole.remove("seal")?;
    let written: Vec<(String, String)> = serde_json::from_value(whole.remove("digests")?).ok()?;
    let evidence: Evidence = serde_json::from_value(whole.into()).ok()?;
    let now = digests(&parts(&evidence).ok()?);
    now.into_iter().zip(written).find(|(now, written)| now != written).map(|(now, _)| now.0)
}

/// The part that is read first, because a file of another version may have other keys.
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

/// Refuses numbers that are not finite. JSON has no NaN, so it would be read back as "no answer", which is not what
/// was observed.
fn finite(evidence: &Evidence) -> Result<()> {
    for found in &evidence.counterexamples {
        if found.epsilon.is_some_and(|epsilon| !epsilon.is_finite()) {
            let Counterexample { model, attack, case, .. } = found;
            return Err(not_finite(&format!("the counterexample {case} of {model} under {attack}")));
        }
    }
    for Health { model, gradient, noise, .. } in &evidence.health {
        if noise.is_some_and(|noise| !noise.sum.is_finite() || !noise.squares.is_finite()) {
            return Err(not_finite(&format!("the noise of {model}")));
        }
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

/// The text of an evidence file.
fn print(evidence: &Evidence) -> std::io::Result<Vec<u8>> {
    let parts = parts(evidence)?;
    let mut text = b"{\n".to_vec();
    for part in &parts {
        text.extend_from_slice(part.text.as_bytes());
    }
    text.extend_from_slice(DIGESTS);
    text.push(b'\n');
    list(&mut text, &digests(&parts))?;
    text.extend_from_slice(b"]\n}\n");
    seal::close_json(KIND, &mut text);
    Ok(text)
}

/// A part of evidence that has a digest of its own; the texts of all parts, one after the other, are the evidence.
struct Part {
    name: String,
    text: String,
}

/// The name of each part, with the digest of this and all parts before it.
fn digests(parts: &[Part]) -> Vec<(String, String)> {
    let mut before = seal::digest("evidence parts", &[]);
    let mut digest = |part: &Part| {
        before =
            seal::digest("evidence part", &[before.as_bytes(), part.name.as_bytes(), part.text.as_bytes()]);
        (part.name.clone(), before.to_hex().as_str()[..DIGITS].to_string())
    };
    parts.iter().map(&mut digest).collect()
}

fn parts(evidence: &Evidence) -> std::io::Result<Vec<Part>> {
    let Evidence { schema, medcert, spec, run, data, models, cases, .. } = evidence;
    let mut parts = Vec::new();
    let mut put = |name: &str, text: String| parts.push(Part { name: name.to_string(), text });
    put("version", format!("\"schema\": {schema},\n\"medcert\": {}", line(medcert)?));
    for (name, value) in [("spec", line(spec)?), ("run", line(run)?), ("data", line(data)?)] {
        put(name, format!(",\n\"{name}\": {value}"));
    }
    for (name, elements) in
        [("models", lines(models)?), ("baselines", lines(&evidence.baselines)?), ("cases", lines(cases)?)]
    {
        put(name, format!(",\n\"{name}\": [\n{elements}]"));
    }
    for (name, cells) in [("cells", &evidence.cells), ("probes", &evidence.probes)] {
        // each cell is a part, so the brackets around all cells belong to other parts
        put(name, format!(",\n\"{name}\": [\n"));
        for (place, cell) in cells.iter().enumerate() {
            let super::Cell { model, attack, outcomes } = cell;
            let (written, comma) = (lines(outcomes)?, comma(place, cells.len()));
            put(
                &format!("{name}: {model} under {attack}"),
                format!(
                    "{{\"model\": {}, \"attack\": {}, \"outcomes\": [\n{written}]}}{comma}\n",
                    line(model)?,
                    line(attack)?
                ),
            );
        }
        put(&format!("{name}: end"), "]".to_string());
    }
    // evidence without certificates keeps the bytes that it had before there were any
    if !evidence.certificates.is_empty() {
        put("certificates", ",\n\"certificates\": [\n".to_string());
        for (place, certificate) in evidence.certificates.iter().enumerate() {
            let super::Certificate { model, ball, seed, votes } = certificate;
            let (written, comma) = (lines(votes)?, comma(place, evidence.certificates.len()));
            let (model_text, ball_text) = (line(model)?, line(ball)?);
            put(
                &format!("certificates: {model} within {ball}"),
                format!(
                    "{{\"model\": {model_text}, \"ball\": {ball_text}, \"seed\": {seed}, \"votes\": [\n{written}]}}{comma}\n"
                ),
            );
        }
        put("certificates: end", "]".to_string());
    }
    for (name, elements) in
        [("health", lines(&evidence.health)?), ("counterexamples", lines(&evidence.counterexamples)?)]
    {
        put(name, format!(",\n\"{name}\": [\n{elements}]"));
    }
    put("regressions", format!(",\n\"regressions\": {}", line(&evidence.regressions)?));
    Ok(parts)
}

/// Elements, one per line.
fn lines<T: Serialize>(elements: &[T]) -> std::io::Result<String> {
    let mut text = Vec::new();
    list(&mut text, elements)?;
    String::from_utf8(text).map_err(|why| std::io::Error::other(why.utf8_error()))
}

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
