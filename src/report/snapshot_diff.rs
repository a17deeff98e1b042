//! A result beside the snapshot that was accepted: lines that differ, cases that were lost and gained, and whether
//! that is more than chance.

use std::path::{Path, PathBuf};

use super::table::wrapped;
use super::{ReportInput, evidence_diff, outcomes, snapshot};
use crate::evidence::Evidence;
use crate::judge::{Baseline, Change, Comparison};

/// Cells that are listed; `medcert compare` lists all.
const LISTED: usize = 12;

/// The snapshot that was accepted for a spec, as far as there is one.
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
    /// Reads it; what is wrong with it is told when it is asked for.
    pub fn read(path: &Path, spec: &Path) -> Self {
        let (name, spec) = (path.display(), spec.display().to_string());
        let body = snapshot::read(path).map_err(|why| why.to_string());
        let baseline = match &body {
            Err(why) => Err(why.clone()),
            Ok(None) => {
                Err(format!("there is no baseline in {name}; `medcert accept {spec}` takes a result as one"))
            }
            Ok(Some(body)) => match outcomes::parse(body) {
                Ok(Some(baseline)) => Ok(baseline),
                Ok(None) => Err(format!(
                    "{name} was accepted by an older medcert: accept it again to compare case by case \
                     (`medcert accept {spec}`)"
                )),
                Err(why) => Err(format!(
                    "{name} holds no baseline that can be used: {why}; restore it, or take a result anew \
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

    /// What changed against it, in lines of at most `width` characters but for the snapshot's own.
    pub fn render(&self, result: ReportInput<'_>, width: usize) -> String {
        let (path, spec) = (self.path.display(), &self.spec);
        let said = |lines: &[String]| {
            lines.iter().map(|line| wrapped(&super::plain(line), 0, width) + "\n").collect()
        };
        let body = match &self.body {
            Err(why) => return said(std::slice::from_ref(why)),
            Ok(None) => {
                let line = format!("no snapshot in {path}; `medcert accept {spec}` takes this result as one");
                return said(&[line]);
            }
            Ok(Some(body)) => body,
        };
        let now = snapshot::render(result);
        let difference = snapshot::difference(body, &now);
        let compared = self.baseline().map_err(str::to_string);
        let compared = compared.and_then(|baseline| {
            Comparison::new(baseline, result.evidence)
                .map_err(|why| format!("cases are not compared one by one: {why}"))
        });
        if result.evidence.run.early && compared.is_err() {
            // counts of other cases say nothing of each other
            return said(&[format!(
                "a run that ends early is not compared with {path}, whose cases are others"
            )]);
        }
        let mut lines = Vec::new();
        if snapshot::processor_of(body) != snapshot::processor_of(&now) {
            lines.push(self.elsewhere(compared.as_ref().ok()));
        }
        if !difference.is_empty() {
            lines.push(format!("changed against {path} (- accepted, + now):"));
        }
        let mut text: String = said(&lines);
        text.extend(difference.iter().map(|line| format!("  {}\n", super::plain(line))));
        text.push_str(&match &compared {
            Err(why) => said(std::slice::from_ref(why)),
            Ok(comparison) => changes(comparison, width),
        });
        text.push_str(&said(&[match &compared {
            Ok(comparison) if difference.is_empty() && is_same(comparison) => {
                format!("as accepted in {path}")
            }
            Err(_) if difference.is_empty() => format!("counts and verdicts are as accepted in {path}"),
            _ => format!("`medcert accept {spec}` takes the new result"),
        }]));
        text
    }

    /// What evidence changes against it, in a line; none if the cases cannot be compared.
    pub fn summary(&self, evidence: &Evidence) -> Option<String> {
        Comparison::new(self.baseline().ok()?, evidence).ok().map(|changed| evidence_diff::summary(&changed))
    }

    /// What another kind of processor means for the comparison.
    fn elsewhere(&self, comparison: Option<&Comparison>) -> String {
        let path = self.path.display();
        let taken = format!("{path} was taken on another kind of processor");
        match comparison {
            Some(comparison) if comparison.tolerates => {
                format!("{taken}, with the same weights: verdicts and cases are compared")
            }
            Some(comparison) if !comparison.same_weights => format!(
                "{taken}, where training ends in other weights: only verdicts are compared, and the cases are for \
                 information"
            ),
            _ => format!("{taken}: only verdicts are compared"),
        }
    }
}

/// Whether nothing turned and no cell is missing.
fn is_same(comparison: &Comparison) -> bool {
    let is_changed = comparison.cells.iter().any(Change::is_changed);
    !is_changed && comparison.gone.is_empty() && comparison.new.is_empty()
}

/// The cells that changed, those that changed least by chance first to be kept, and the line that sums them up.
fn changes(comparison: &Comparison, width: usize) -> String {
    let mut changed: Vec<&Change> = comparison.cells.iter().filter(|cell| cell.is_changed()).collect();
    let more = changed.len().saturating_sub(LISTED);
    changed.sort_by(|a, b| a.p.total_cmp(&b.p));
    let mut lines: Vec<String> = Vec::new();
    if !comparison.differs.is_empty() {
        lines.push(super::plain(&comparison.differs.join("; ")));
    }
    lines.extend(changed.iter().take(LISTED).map(|cell| evidence_diff::line(cell)));
    if more > 0 {
        lines.push(format!(
            "and {more} more cells, by more chance; `medcert compare` lists all of two evidence files"
        ));
    }
    for (what, cells) in [("no longer computed", &comparison.gone), ("not in the snapshot", &comparison.new)]
    {
        if !cells.is_empty() {
            lines.push(super::plain(&format!("{what}: {}", cells.join(", "))));
        }
    }
    let mut text: String = lines.iter().map(|line| wrapped(line, 2, width) + "\n").collect();
    text.push_str(&wrapped(&evidence_diff::summary(comparison), 0, width));
    text.push('\n');
    text
}
