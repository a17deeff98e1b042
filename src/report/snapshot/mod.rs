//! The accepted result of a spec: counts, verdicts and which cases hold, without floats or times, in a snapshot file of
//! insta's, so that `cargo insta review` shows a difference. Later runs are compared with it, so nothing in it depends
//! on an earlier run. [`outcomes`] is its section of cases; the facts that both need are read here.

pub mod outcomes;

use std::path::Path;

use super::ReportInput;
use crate::evidence::processor_of as kind_of;
use crate::files::bounded_text;
use crate::judge::{Baseline, Raised, Tally};
use crate::plan::Plan;
use crate::spec::Metric;
use crate::{Error, Result};

/// Largest snapshot that is read, in bytes (64 MiB).
const LARGEST_BYTES: u64 = 64 << 20;
/// What to do about a snapshot that cannot be read.
const REMEDY: &str = "restore it, or remove it and run `medcert accept`";
/// How the last line begins.
const SEAL: &str = "seal: ";
const PROCESSOR: &str = "processor: ";
const MODELS: &str = "models";
const REQUIREMENTS: &str = "requirements";
/// How the section was headed before.
const SENTENCES: &str = "sentences";

/// The body of a snapshot.
pub fn render(result: ReportInput<'_>) -> String {
    let ReportInput { plan, evidence, judgement, accepted: _ } = result;
    let data = &evidence.data;
    let mut lines = vec![format!("{PROCESSOR}{}", kind_of(&evidence.run))];
    lines.push(format!(
        "data: {} studies, {} training, {} validation, {} test, digest {}",
        data.studies,
        data.train,
        data.validation,
        data.test,
        short(&data.digest)
    ));
    lines.extend(data.left_out.iter().map(|(why, count)| format!("left out: {count} {}", super::plain(why))));
    lines.extend(data.remarks.iter().map(|remark| super::plain(remark)));
    lines.push(String::new());
    lines.push(MODELS.to_string());
    let name = |name: &str| format!("{name:<12}");
    lines.extend(evidence.models.iter().map(|model| {
        let (weights, size) = (short(&model.weights), model.parameters);
        format!("  {} {} {size} parameters, weights {weights}", name(&model.name), model.architecture)
    }));
    lines.push(String::new());
    lines.push(format!("right of {}", data.test));
    if let Ok(tally) = Tally::new(plan, evidence) {
        for row in &plan.rows {
            let counts =
                row.cells.iter().enumerate().filter(|(_, cells)| !cells.is_empty()).map(|(model, cells)| {
                    let right = tally
                        .score(model, cells, Metric::Accuracy)
                        .map_or(0, |score| score.estimate.successes);
                    format!("{} {right}", plan.name(model))
                });
            lines.push(format!("  {}: {}", row.words, counts.collect::<Vec<_>>().join(", ")));
        }
    }
    lines.push(String::new());
    lines.push("checks".to_string());
    lines.extend(judgement.checks.iter().map(|raised| checked(plan, raised)));
    lines.push(String::new());
    lines.push(REQUIREMENTS.to_string());
    for finding in &judgement.findings {
        let compares = |one: &&crate::plan::Requirement| one.sentence == finding.sentence;
        if plan.requirements.iter().find(compares).is_some_and(|one| one.regression.is_some()) {
            lines.push(format!("  (this is the baseline) {}", finding.sentence));
            continue;
        }
        lines.push(format!("  {} {}", finding.verdict, finding.sentence));
        for clause in &finding.clauses {
            let other = clause.other.map_or(String::new(), |other| format!(" against {}", other.successes));
            lines.push(format!("    {} {}{other}: {}", clause.verdict, clause.estimate, clause.words));
        }
    }
    if let Ok(baseline) = Baseline::of(evidence) {
        lines.push(String::new());
        lines.extend(outcomes::render(plan, &baseline));
    }
    lines.join("\n")
}

/// What a check raised, and of what; no figure that another run may turn in its last digit.
fn checked(plan: &Plan, raised: &Raised) -> String {
    let model = raised.model.map_or("all", |model| plan.name(model));
    let attacks = raised.cells.iter().flatten().map(|&cell| plan.cells[cell].attack.to_string());
    let attacks = attacks.collect::<Vec<_>>().join(", ");
    let under = if attacks.is_empty() { String::new() } else { format!(" under {attacks}") };
    format!("  {} {}: {model}{under}", raised.word(), raised.check)
}

/// The body of a snapshot file; none if there is no file.
///
/// # Errors
/// The file cannot be read or is no snapshot.
pub fn read(path: &Path) -> Result<Option<String>> {
    match bounded_text(path, LARGEST_BYTES) {
        Ok(text) => parse(path, &text).map(Some),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Error::unreadable(path, &why, REMEDY)),
    }
}

/// The body in the text of a snapshot file; `path` is for messages.
///
/// # Errors
/// The text is no snapshot.
pub fn parse(path: &Path, text: &str) -> Result<String> {
    let body = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map(|(_, body)| body);
    match body.map(|body| unsealed(body.trim_end())) {
        Some(Ok(body)) => Ok(body.to_string()),
        Some(Err(why)) => Err(Error::Input(format!("{} is no snapshot: {why}; {REMEDY}", path.display()))),
        None => Err(Error::Input(format!(
            "{} is no snapshot, as it does not start with `---`; {REMEDY}",
            path.display()
        ))),
    }
}

/// A body with its seal as the last line, as files hold it.
pub fn sealed(body: &str) -> String {
    format!("{body}\n{SEAL}{}", seal_of(body))
}

/// A body without its seal, which is checked.
fn unsealed(text: &str) -> std::result::Result<&str, &'static str> {
    match text.rsplit_once('\n').map(|(body, last)| (body, last.strip_prefix(SEAL))) {
        Some((body, Some(seal))) if seal == seal_of(body) => Ok(body),
        Some((_, Some(_))) => Err("it was altered since it was accepted"),
        Some((_, None)) | None => {
            Err("it does not end with its seal, so its end is missing or an older medcert wrote it")
        }
    }
}

fn seal_of(body: &str) -> String {
    crate::seal::digest("snapshot", &[body.as_bytes()]).to_hex().to_string()
}

/// Writes a snapshot file, whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, spec: &Path, body: &str) -> Result<()> {
    let failed = |why: std::io::Error| Error::unwritable(path, &why);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let spec = spec.display();
    // insta wants a source: the spec is where the snapshot comes from
    let text = format!("---\nsource: {spec}\nexpression: medcert check {spec}\n---\n{}\n", sealed(body));
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(failed)?;
    }
    file.persist(path).map_err(|why| failed(why.error))?;
    Ok(())
}

/// The kind of processor that a snapshot was taken on. Training differs between kinds in its last bits, so
/// on another kind only the [`verdicts`] can be compared.
pub fn processor_of(body: &str) -> Option<&str> {
    body.lines().find_map(|line| line.strip_prefix(PROCESSOR))
}

/// The lines of the requirements' verdicts.
pub fn verdicts(body: &str) -> Vec<String> {
    let sentences =
        outcomes::before(body).lines().skip_while(|line| ![REQUIREMENTS, SENTENCES].contains(line)).skip(1);
    sentences.filter(|line| !line.starts_with("    ")).map(str::to_string).collect()
}

/// Where a snapshot comes from.
pub(super) struct Facts {
    pub(super) processor: String,
    /// Digest of the data.
    pub(super) data: String,
    /// The models' names and the digests of their weights.
    pub(super) models: Vec<(String, String)>,
}

/// Reads them from a body; None if they are not all there.
pub(super) fn facts(body: &str) -> Option<Facts> {
    let data = body.lines().find(|line| line.starts_with("data: "))?.rsplit_once(", digest ")?.1;
    let models = body.lines().skip_while(|line| *line != MODELS).skip(1).take_while(|line| !line.is_empty());
    let model = |line: &str| {
        let (about, weights) = line.rsplit_once(", weights ")?;
        Some((about.split_whitespace().next()?.to_string(), weights.to_string()))
    };
    Some(Facts {
        processor: processor_of(body)?.to_string(),
        data: data.to_string(),
        models: models.map(model).collect::<Option<Vec<_>>>().filter(|models| !models.is_empty())?,
    })
}

/// What differs between what was accepted and what is now but for the outcomes of single cases: removed lines with
/// `-`, added lines with `+`.
pub fn difference(accepted: &str, now: &str) -> Vec<String> {
    let lines = |body: &str| outcomes::before(body).lines().map(str::to_string).collect();
    let (accepted, now): (Vec<String>, Vec<String>) = if processor_of(accepted) == processor_of(now) {
        (lines(accepted), lines(now))
    } else {
        (verdicts(accepted), verdicts(now))
    };
    let lacking = |lines: &[String], line: &String| !lines.contains(line);
    let removed =
        accepted.iter().filter(|line| lacking(&now, line)).map(|line| format!("- {}", line.trim_start()));
    let added =
        now.iter().filter(|line| lacking(&accepted, line)).map(|line| format!("+ {}", line.trim_start()));
    // a changed line stands beside what it was, as far as both start alike
    let mut lines: Vec<String> = removed.collect();
    for line in added {
        let subject = subject(&line).to_string();
        let place = lines.iter().rposition(|other| other.starts_with('-') && self::subject(other) == subject);
        lines.insert(place.map_or(lines.len(), |place| place + 1), line);
    }
    lines
}

/// What a line is about: the row or model that it begins with, or the sentence behind its verdict.
fn subject(line: &str) -> &str {
    let line = line.get(2..).unwrap_or_default();
    if line.starts_with(|first: char| first.is_ascii_uppercase())
        && line.split(' ').next().is_some_and(is_verdict)
    {
        return line.rsplit(": ").next().unwrap_or(line).split_once(' ').map_or(line, |(_, rest)| rest);
    }
    let model = || line.split(' ').next().unwrap_or(line);
    line.split_once(": ").map_or_else(model, |(row, _)| row)
}

pub(super) fn is_verdict(word: &str) -> bool {
    ["PASS", "FAIL", "INCONCLUSIVE", "VACUOUS", "SUSPECT", "ERROR"].contains(&word)
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
