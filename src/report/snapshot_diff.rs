//! What changed since the accepted snapshot: verdicts that turned, lines that differ, cases that were lost and gained,
//! and whether chance explains that. [`Changes`] is free of any medium: every report shows it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::snapshot::{self, outcomes};
use super::terminal::wrapped;
use super::{ReportInput, counted, evidence_diff, plain};
use crate::evidence::Evidence;
use crate::judge::{Baseline, Change, Comparison};

/// Cells that are listed; `medcert compare` lists all.
const LISTED: usize = 12;

/// The accepted snapshot of a spec, if there is one.
#[derive(Debug)]
pub struct Accepted {
    path: PathBuf,
    spec: String,
    /// Its body, or why it cannot be read.
    body: std::result::Result<Option<String>, String>,
    /// What holds case by case, or why that is not known and what to do.
    baseline: std::result::Result<Baseline, String>,
}

impl Accepted {
    /// Reads it. What is wrong with the file is reported by [`Self::baseline`] and [`Self::changes`].
    pub fn read(path: &Path, spec: &Path) -> Self {
        Self::with(path, spec, snapshot::read(path))
    }

    /// The same from the text of a snapshot file, if there is one; the paths are for messages.
    pub fn of(path: &Path, spec: &Path, text: Option<&str>) -> Self {
        Self::with(path, spec, text.map(|text| snapshot::parse(path, text)).transpose())
    }

    fn with(path: &Path, spec: &Path, body: crate::Result<Option<String>>) -> Self {
        let (name, spec) = (path.display(), spec.display().to_string());
        let body = body.map_err(|why| why.to_string());
        let baseline = match &body {
            Err(why) => Err(why.clone()),
            Ok(None) => Err(format!(
                "there is no baseline in {name}; `medcert accept {spec}` makes a result the baseline"
            )),
            Ok(Some(body)) => match outcomes::parse(body) {
                Ok(Some(baseline)) => Ok(baseline),
                Ok(None) => Err(format!(
                    "{name} was written by an older medcert; accept it again to compare case by case \
                     (`medcert accept {spec}`)"
                )),
                Err(why) => Err(format!(
                    "the baseline in {name} cannot be used: {why}; restore the file, or accept a new result \
                     (`medcert accept {spec}`)"
                )),
            },
        };
        Self { path: path.to_path_buf(), spec, body, baseline }
    }

    /// What holds case by case.
    ///
    /// # Errors
    /// Why that is not known, and what to do.
    pub fn baseline(&self) -> std::result::Result<&Baseline, &str> {
        self.baseline.as_ref().map_err(String::as_str)
    }

    /// What changed since it was accepted.
    pub fn changes(&self, result: ReportInput<'_>) -> Changes {
        let mut changes = Changes {
            snapshot: self.path.display().to_string(),
            spec: self.spec.clone(),
            is_compared: false,
            notes: vec![],
            verdicts: vec![],
            lines: vec![],
            comparison: None,
        };
        let body = match &self.body {
            Ok(Some(body)) => body,
            Ok(None) => {
                changes.notes.push(format!(
                    "no accepted snapshot yet; `medcert accept {}` stores this result in {}",
                    self.spec, changes.snapshot
                ));
                return changes;
            }
            Err(why) => {
                changes.notes.push(why.clone());
                return changes;
            }
        };
        let now = snapshot::render(result);
        let compared = self.baseline().map_err(str::to_string);
        let compared = compared.and_then(|baseline| {
            Comparison::new(baseline, result.evidence)
                .map_err(|why| format!("cases are not compared one by one: {why}"))
        });
        if result.evidence.run.early && compared.is_err() {
            // counts of other cases prove nothing about each other
            changes.notes.push(format!(
                "a run that stops early is not compared with {}: their cases differ",
                changes.snapshot
            ));
            return changes;
        }
        changes.is_compared = true;
        if snapshot::processor_of(body) != snapshot::processor_of(&now) {
            changes.notes.push(self.elsewhere(compared.as_ref().ok()));
        }
        changes.verdicts = changed_verdicts(body, &now);
        changes.lines = snapshot::difference(body, &now);
        match compared {
            Ok(comparison) => changes.comparison = Some(comparison),
            Err(why) => changes.notes.push(why),
        }
        changes
    }

    /// What evidence changes against it, in a line; none if the cases cannot be compared.
    pub fn summary(&self, evidence: &Evidence) -> Option<String> {
        Comparison::new(self.baseline().ok()?, evidence).ok().map(|changed| evidence_diff::summary(&changed))
    }

    /// What another kind of processor means for the comparison.
    fn elsewhere(&self, comparison: Option<&Comparison>) -> String {
        let taken = format!("{} was accepted on another kind of processor", self.path.display());
        match comparison {
            Some(comparison) if comparison.tolerates => {
                format!("{taken} with the same weights: verdicts and cases are compared")
            }
            Some(comparison) if !comparison.same_weights => format!(
                "{taken}, where training gives other weights: only verdicts count, and the cases are listed for \
                 information"
            ),
            _ => format!("{taken}: only verdicts are compared"),
        }
    }
}

/// What changed since the accepted snapshot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changes {
    /// The snapshot's file.
    pub snapshot: String,
    #[serde(skip)]
    spec: String,
    /// Whether there is a snapshot that the result can be compared with.
    #[serde(rename = "compared")]
    is_compared: bool,
    /// Why nothing is compared, or what limits the comparison.
    pub notes: Vec<String>,
    /// The requirements whose verdict changed.
    pub verdicts: Vec<ChangedVerdict>,
    /// The lines of the snapshot that differ: `- ` as accepted, `+ ` as now.
    pub lines: Vec<String>,
    /// The cells, case by case; none if the cases cannot be compared.
    pub comparison: Option<Comparison>,
}

/// A requirement whose verdict changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedVerdict {
    /// The requirement.
    pub requirement: String,
    /// Its verdict as accepted; none if it is new.
    pub before: Option<String>,
    /// Its verdict now; none if it is gone.
    pub now: Option<String>,
}

impl ChangedVerdict {
    /// `PASS → FAIL: fusion accuracy ≥ 80%`.
    pub(super) fn line(&self) -> String {
        let [before, now] = [(&self.before, "new"), (&self.now, "gone")]
            .map(|(verdict, none)| verdict.as_deref().unwrap_or(none));
        format!("{before} → {now}: {}", self.requirement)
    }
}

impl Changes {
    /// Whether the result is as accepted: nothing differs and no cell is missing.
    pub fn is_same(&self) -> bool {
        let is_same = |comparison: &Comparison| {
            let is_changed = comparison.cells.iter().any(Change::is_changed);
            !is_changed && comparison.gone.is_empty() && comparison.new.is_empty()
        };
        self.is_compared && self.lines.is_empty() && self.comparison.as_ref().is_none_or(is_same)
    }

    /// The comparison in a line.
    pub fn summary(&self) -> String {
        if !self.is_compared {
            return self.notes.join("; ");
        }
        let cells = self.comparison.as_ref().map(evidence_diff::summary);
        let path = &self.snapshot;
        let verdicts = match self.verdicts.len() {
            0 => None,
            count => Some(format!("{} changed", counted(count, "verdict", "verdicts"))),
        };
        match (self.is_same(), cells) {
            (true, Some(cells)) => format!("as accepted in {path}: {cells}"),
            (true, None) => format!("counts and verdicts are as accepted in {path}"),
            (false, cells) => {
                let lines = || Some(format!("{} differ", counted(self.lines.len(), "line", "lines")));
                let gone = self.comparison.as_ref().map_or(0, |comparison| comparison.gone.len());
                let gone =
                    (gone > 0).then(|| format!("{} no longer computed", counted(gone, "cell", "cells")));
                let parts: Vec<String> =
                    verdicts.into_iter().chain(gone).chain(cells.or_else(lines)).collect();
                format!("changed since {path}: {}", parts.join("; "))
            }
        }
    }

    /// Whether there is more to say than the [`summary`](Self::summary).
    pub(super) fn has_details(&self) -> bool {
        self.is_compared && (!self.is_same() || !self.notes.is_empty())
    }

    /// The changed cells, the least likely by chance first, and how many more there are.
    pub(super) fn changed_cells(&self) -> (Vec<&Change>, usize) {
        let cells = self.comparison.iter().flat_map(|comparison| &comparison.cells);
        let mut changed: Vec<&Change> = cells.filter(|cell| cell.is_changed()).collect();
        changed.sort_by(|a, b| a.p.total_cmp(&b.p));
        let more = changed.len().saturating_sub(LISTED);
        changed.truncate(LISTED);
        (changed, more)
    }

    /// What else differs: which part of the question, and cells that only one of the two has.
    pub(super) fn differences(&self) -> Vec<String> {
        let Some(comparison) = &self.comparison else { return vec![] };
        let mut lines = comparison.differs.clone();
        for (what, cells) in
            [("no longer computed", &comparison.gone), ("not in the snapshot", &comparison.new)]
        {
            if !cells.is_empty() {
                lines.push(format!("{what}: {}", cells.join(", ")));
            }
        }
        lines
    }

    /// Everything that changed, in lines of at most `width` characters but for the snapshot's own.
    pub fn details(&self, width: usize) -> String {
        let mut text = String::new();
        let mut say = |indent: usize, line: &str| {
            text.push_str(&wrapped(&plain(line), indent, width));
            text.push('\n');
        };
        for note in &self.notes {
            say(0, note);
        }
        for changed in &self.verdicts {
            say(0, &changed.line());
        }
        let (cells, more) = self.changed_cells();
        for line in self.differences().into_iter().chain(cells.into_iter().map(evidence_diff::line)) {
            say(2, &line);
        }
        if more > 0 {
            say(2, &format!("and {more} more cells; `medcert compare` lists all of two evidence files"));
        }
        if !self.lines.is_empty() {
            say(0, "lines of the snapshot (- accepted, + now):");
            text.extend(self.lines.iter().map(|line| format!("  {}\n", plain(line))));
        }
        if !self.is_same() {
            let line = format!("`medcert accept {}` makes this result the snapshot", self.spec);
            text.push_str(&(wrapped(&plain(&line), 0, width) + "\n"));
        }
        text
    }
}

/// The requirements whose verdicts differ between two bodies of snapshots.
fn changed_verdicts(accepted: &str, now: &str) -> Vec<ChangedVerdict> {
    let read = |body: &str| -> Vec<(String, String)> {
        let line = |line: &String| {
            let (verdict, requirement) = line.trim_start().split_once(' ')?;
            snapshot::is_verdict(verdict).then(|| (requirement.to_string(), verdict.to_string()))
        };
        snapshot::verdicts(body).iter().filter_map(line).collect()
    };
    let (accepted, now) = (read(accepted), read(now));
    let verdict = |some: &[(String, String)], requirement: &str| {
        some.iter().find(|(known, _)| known == requirement).map(|(_, verdict)| verdict.clone())
    };
    let gone = accepted.iter().filter(|(requirement, _)| verdict(&now, requirement).is_none());
    let all = now.iter().chain(gone).map(|(requirement, _)| ChangedVerdict {
        requirement: requirement.clone(),
        before: verdict(&accepted, requirement),
        now: verdict(&now, requirement),
    });
    all.filter(|changed| changed.before != changed.now).collect()
}
