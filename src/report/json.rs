//! The result as JSON (RFC 8259), for programs.

use jiff::civil::Date;
use serde::Serialize;

use super::certified::{CertifiedRow, rows};
use super::gate::Gate;
use super::snapshot_diff::Changes;
use super::{ReportInput, by_finding};
use crate::evidence::{DataFacts, ModelFacts};
use crate::judge::{Examined, Finding, Judgement, Loosened, Raised, Tally, Waiving, notes};
use crate::plan::Plan;
use crate::sanitize;
use crate::spec::{Check, Metric, Place, Product, Waiver};

/// Version of the format.
pub const VERSION: u32 = 3;

/// The format's JSON Schema (draft 2020-12).
pub const SCHEMA: &str = include_str!("report.schema.json");

#[derive(Serialize)]
struct JsonReport<'a> {
    schema: u32,
    medcert: &'a str,
    spec: String,
    claim: &'a str,
    /// Whose result it is, if the spec says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'a Product>,
    /// The word of the gate.
    gate: &'static str,
    data: &'a DataFacts,
    models: &'a [ModelFacts],
    table: Vec<JsonRow<'a>>,
    /// A row for each finding of each model; nothing where the data have no findings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<OfFinding>,
    /// What is certified; nothing where the spec asks for no certificate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<CertifiedBall>,
    requirements: &'a [Finding],
    checks: &'a [Raised],
    examined: &'a [Examined],
    loosened: &'a [Loosened],
    waivers: Vec<Waived<'a>>,
    /// What changed since the accepted snapshot; none if no snapshot was looked for.
    changes: Option<Changes>,
    /// Evaluations of a model over a case that only the checks asked for.
    evaluations_of_checks: u64,
    exit: u8,
}

/// A finding of a model.
#[derive(Serialize)]
struct OfFinding {
    model: String,
    /// Cases that have it, and cases whose label is known: `92 of 300`.
    present: String,
    left_out: usize,
    /// Area under the ROC curve without an attack, with its 95 % bounds, in per cent.
    auroc: Option<[f64; 3]>,
}

/// A waiver, and what became of it.
#[derive(Serialize)]
pub struct Waived<'a> {
    check: Check,
    model: Option<&'a str>,
    owner: &'a str,
    reason: &'a str,
    expires: Date,
    place: Place,
    state: Waiving,
}

/// The waivers of a plan's spec, with what became of them in a judgement.
pub fn waived<'a>(plan: &'a Plan, judgement: &'a Judgement) -> Vec<Waived<'a>> {
    let waived = |(waiver, state): (&'a Waiver, &Waiving)| Waived {
        check: waiver.check,
        model: waiver.model.map(|model| plan.spec.name_of(model)),
        owner: &waiver.owner,
        reason: &waiver.reason,
        expires: waiver.expires,
        place: waiver.place,
        state: *state,
    };
    plan.spec.waivers.iter().zip(&judgement.waivers).map(waived).collect()
}

#[derive(Serialize)]
struct JsonRow<'a> {
    threat: &'a str,
    cells: Vec<JsonCell<'a>>,
    /// Notes on the row: meaning, draws, sources, shortcuts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// What is certified of a model within a ball.
#[derive(Serialize)]
struct CertifiedBall {
    model: String,
    ball: String,
    /// The name of the certificate.
    by: &'static str,
    certified: u64,
    refuted: u64,
    undecided: u64,
    withdrawn: u64,
    cases: u64,
    /// One-sided 95 % bounds of the share of certifiable cases.
    lower: f64,
    upper: f64,
    /// Probability that a case's certificate is wrong, at most; 0 if it is exact.
    alpha: f64,
    /// The most wrong certificates that are expected.
    expected_wrong: f64,
    /// Mean samples a case.
    samples: f64,
    /// The change of every pixel at once that the ball holds; none without a radius.
    #[serde(skip_serializing_if = "Option::is_none")]
    linf: Option<f64>,
}

impl From<CertifiedRow> for CertifiedBall {
    fn from(row: CertifiedRow) -> Self {
        let (expected_wrong, votes) = (row.expected_wrong(), row.score.votes);
        Self {
            model: row.model,
            ball: row.ball,
            by: row.by,
            certified: votes.certified,
            refuted: votes.refuted,
            undecided: votes.undecided,
            withdrawn: votes.withdrawn,
            cases: votes.cases(),
            lower: row.score.lower,
            upper: row.score.upper,
            alpha: row.alpha,
            expected_wrong,
            samples: votes.mean_samples(),
            linf: row.linf,
        }
    }
}

/// What a model reaches under a threat that can touch it.
#[derive(Serialize)]
struct JsonCell<'a> {
    model: &'a str,
    successes: u64,
    trials: u64,
    lower: f64,
    upper: f64,
    vacuous: Option<&'a str>,
    /// Cases decided by a margin within rounding.
    near: usize,
    /// What others published for it, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<f64>,
}

fn of_finding(row: by_finding::FindingRow) -> OfFinding {
    let by_finding::FindingRow { name: model, present, left_out, area, .. } = row;
    OfFinding { model, present, left_out, auroc: area }
}

/// The whole result; ends with a newline.
pub fn render(result: ReportInput<'_>) -> String {
    let ReportInput { plan, evidence, judgement, accepted } = result;
    let tally = Tally::new(plan, evidence).ok();
    let cell = |row: usize, model: usize, cells: &[usize]| {
        let tally = tally.as_ref()?;
        let score = tally.score(model, cells, Metric::Accuracy).ok()?;
        Some(JsonCell {
            model: plan.name(model),
            successes: score.estimate.successes,
            trials: score.estimate.trials,
            lower: score.lower,
            upper: score.upper,
            vacuous: result.vacuous(model, cells),
            near: tally.near(model, cells).unwrap_or_default(),
            published: result.published(row, model),
        })
    };
    let row = |(place, row): (usize, &'_ crate::plan::Row)| -> Vec<JsonCell<'_>> {
        row.cells.iter().enumerate().filter_map(|(model, cells)| cell(place, model, cells)).collect()
    };
    let beside = |row: &crate::plan::Row| tally.as_ref().map_or(vec![], |tally| notes(plan, tally, row));
    let report = JsonReport {
        schema: VERSION,
        medcert: &evidence.medcert,
        spec: plan.spec.path.display().to_string(),
        claim: &plan.spec.claim,
        product: plan.spec.product.as_ref(),
        gate: Gate::of(judgement).word(),
        data: &evidence.data,
        models: &evidence.models,
        table: plan
            .rows
            .iter()
            .enumerate()
            .map(|each| JsonRow { threat: &each.1.words, cells: row(each), notes: beside(each.1) })
            .collect(),
        certificates: tally.as_ref().map_or(vec![], |tally| {
            rows(plan, tally).into_iter().flatten().map(CertifiedBall::from).collect()
        }),
        findings: tally
            .as_ref()
            .map_or(vec![], |tally| by_finding::rows(result, tally))
            .into_iter()
            .map(of_finding)
            .collect(),
        requirements: &judgement.findings,
        checks: &judgement.checks,
        examined: &judgement.examined,
        loosened: &judgement.loosened,
        waivers: waived(plan, judgement),
        changes: accepted.map(|accepted| accepted.changes(result)),
        evaluations_of_checks: judgement.evaluations,
        exit: judgement.exit_code(),
    };
    // plain data with text keys always has a JSON form
    sanitize::json(&serde_json::to_string_pretty(&report).unwrap_or_default()) + "\n"
}
