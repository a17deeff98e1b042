//! Which paragraphs of rules and standards a result has evidence about. It claims no conformity: a row says what the result holds,
//! and what it does not. Sources: Regulation (EU) 2024/1689 (AI Act), Article 15; FDA, Marketing Submission Recommendations for a
//! Predetermined Change Control Plan for Artificial Intelligence-Enabled Device Software Functions; FDA, Health Canada and MHRA,
//! Good Machine Learning Practice: Guiding Principles; ISO/IEC TR 24029-1 and ISO/IEC 24029-2.

use std::fmt::Write as _;

use super::{ReportInput, counted};
use crate::judge::CheckState;
use crate::sanitize::markdown as shown;

/// How far a result has evidence about a paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// The result holds evidence.
    Evidence,
    /// It holds a part of what the paragraph asks for.
    Partly,
    /// It holds nothing.
    Gap,
}

impl Coverage {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Partly => "partly",
            Self::Gap => "gap",
        }
    }

    fn of(is_there: bool) -> Self {
        if is_there { Self::Evidence } else { Self::Gap }
    }
}

/// A paragraph and what the result says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClauseRow {
    /// The document.
    pub source: &'static str,
    /// The paragraph.
    pub paragraph: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// How far there is evidence.
    pub coverage: Coverage,
    /// What the result holds, or what is missing.
    pub holds: String,
}

/// What a table of clauses means, for a reader.
pub const MEANING: &str = "This table points from paragraphs to evidence. It is no claim of conformity: a manufacturer decides \
                           what a paragraph asks for, and a gap is something that this result says nothing about.";

/// Every paragraph, in the order of the documents.
pub fn rows(result: ReportInput<'_>) -> Vec<ClauseRow> {
    let facts = Facts::of(result);
    [ai_act(&facts), change_control(&facts), good_practice(&facts), iso(&facts)].concat()
}

/// The table as Markdown.
pub fn markdown(result: ReportInput<'_>) -> String {
    let mut text = format!(
        "# Clause map\n\n{MEANING}\n\n| document | paragraph | about | here | what the result holds |\n|---|---|---|---|---|\n"
    );
    for row in rows(result) {
        let (source, paragraph, about) = (shown(row.source), shown(row.paragraph), shown(row.about));
        let _ = writeln!(
            text,
            "| {source} | {paragraph} | {about} | **{}** | {} |",
            row.coverage.word(),
            shown(&row.holds)
        );
    }
    text
}

/// What of a result decides the rows.
#[allow(clippy::struct_excessive_bools)] // independent facts
struct Facts {
    requirements: String,
    /// Sentences under an attack, and sentences about groups of patients.
    attacked: usize,
    grouped: usize,
    certified: bool,
    /// Whether a certificate has no error rate.
    exact: bool,
    has_baseline: bool,
    is_compared: bool,
    shared_patients: usize,
    leak_checks_ran: bool,
    checks: String,
    /// The attributes that the cases are grouped by.
    groups: Vec<String>,
    corrupted: bool,
}

impl Facts {
    fn of(result: ReportInput<'_>) -> Self {
        let plan = result.plan;
        let clauses = || plan.requirements.iter().flat_map(|one| &one.clauses);
        let is_attacked = |cells: &[usize]| cells.iter().any(|&cell| !plan.cells[cell].attack.is_clean());
        let mut groups: Vec<String> = result
            .evidence
            .cases
            .iter()
            .flat_map(|case| &case.groups)
            .map(|(name, _)| name.clone())
            .collect();
        groups.sort();
        groups.dedup();
        let examined = &result.judgement.examined;
        let is_corruption =
            |image: crate::plan::ImageAttack| matches!(image.method, crate::spec::ImageMethod::Corruption(_));
        Self {
            requirements: counted(plan.requirements.len(), "requirement", "requirements"),
            attacked: clauses().filter(|clause| is_attacked(&clause.cells)).count(),
            grouped: clauses().filter(|clause| clause.group.is_some()).count(),
            certified: !plan.certificates.is_empty(),
            exact: plan.certificates.iter().any(|one| one.certifier.alpha() <= 0.0),
            has_baseline: plan.requirements.iter().any(|one| one.regression.is_some()),
            is_compared: result.accepted.is_some_and(|accepted| accepted.baseline().is_ok()),
            shared_patients: result.evidence.data.patients_in_two_parts,
            leak_checks_ran: examined.iter().any(|one| {
                one.check.name().contains("leak")
                    && matches!(one.state, CheckState::Passed | CheckState::Raised)
            }),
            checks: super::summary::examined(result),
            groups,
            corrupted: plan.cells.iter().any(|cell| cell.attack.image.is_some_and(is_corruption)),
        }
    }
}

fn row(
    source: &'static str,
    (paragraph, about): (&'static str, &'static str),
    coverage: Coverage,
    holds: impl Into<String>,
) -> ClauseRow {
    ClauseRow { source, paragraph, about, coverage, holds: holds.into() }
}

fn ai_act(facts: &Facts) -> Vec<ClauseRow> {
    let source = "EU AI Act";
    let attacked = counted(facts.attacked, "clause", "clauses");
    vec![
        row(
            source,
            ("Article 15(1)", "appropriate accuracy, robustness and cybersecurity throughout the lifecycle"),
            Coverage::Partly,
            format!(
                "{} with bounds, on one test set at one time; nothing about the rest of the lifecycle",
                facts.requirements
            ),
        ),
        row(
            source,
            ("Article 15(3)", "levels and metrics of accuracy in the instructions for use"),
            Coverage::Evidence,
            "metrics with their bounds in the table of accuracies; the instructions themselves are not here",
        ),
        row(
            source,
            ("Article 15(4), first subparagraph", "resilience to errors, faults and inconsistencies"),
            if facts.corrupted { Coverage::Partly } else { Coverage::Gap },
            if facts.corrupted {
                "corruptions as in hospitals are measured; faults of the surrounding system are not"
            } else {
                "no corruption of images is measured; `medcert explain` lists them"
            },
        ),
        row(
            source,
            ("Article 15(4), third subparagraph", "feedback loops of systems that learn after deployment"),
            Coverage::Gap,
            "the model does not change during a run",
        ),
        row(
            source,
            ("Article 15(5)", "adversarial examples and model evasion"),
            Coverage::of(facts.attacked > 0),
            format!("{attacked} under attack; a fixed set of attacks bounds robustness from above"),
        ),
        row(
            source,
            ("Article 15(5)", "data poisoning and model poisoning"),
            Coverage::Gap,
            "training is trusted",
        ),
        row(
            source,
            ("Article 15(5)", "confidentiality attacks"),
            Coverage::Gap,
            "no extraction or inference attack is run",
        ),
    ]
}

fn change_control(facts: &Facts) -> Vec<ClauseRow> {
    let source = "FDA PCCP guidance";
    vec![
        row(
            source,
            ("Description of Modifications", "what will change"),
            Coverage::Gap,
            "the plan of the manufacturer says that",
        ),
        row(
            source,
            ("Modification Protocol", "performance evaluation with acceptance criteria"),
            Coverage::Evidence,
            format!(
                "{} with thresholds; `medcert plan --register` fixes them before a run",
                facts.requirements
            ),
        ),
        row(
            source,
            ("Modification Protocol", "data management: test data kept apart"),
            Coverage::of(facts.shared_patients == 0),
            format!("{} patients have studies in more than one part", facts.shared_patients),
        ),
        row(
            source,
            ("Modification Protocol", "comparison with the version before"),
            Coverage::of(facts.has_baseline || facts.is_compared),
            if facts.is_compared {
                "compared case by case with the accepted snapshot"
            } else {
                "no snapshot is accepted; `medcert accept` makes a result the baseline"
            },
        ),
        row(
            source,
            ("Impact Assessment", "benefits and risks of each change"),
            Coverage::Gap,
            "figures only; a person assesses the impact",
        ),
    ]
}

fn good_practice(facts: &Facts) -> Vec<ClauseRow> {
    let source = "GMLP principles";
    let groups = if facts.groups.is_empty() {
        "no attribute of the cases is known".to_string()
    } else {
        facts.groups.join(", ")
    };
    vec![
        row(
            source,
            ("Principle 3", "data sets represent the intended patients"),
            if facts.groups.is_empty() { Coverage::Gap } else { Coverage::Partly },
            format!(
                "the population table counts cases by: {groups}; whether that is the intended population is not judged"
            ),
        ),
        row(
            source,
            ("Principle 4", "training data are independent of test sets"),
            if facts.shared_patients == 0 { Coverage::Evidence } else { Coverage::Gap },
            format!(
                "{} patients in two parts; leak checks {}",
                facts.shared_patients,
                if facts.leak_checks_ran { "looked for copies" } else { "did not look for copies" }
            ),
        ),
        row(
            source,
            ("Principle 7", "performance of the human with the model"),
            Coverage::Gap,
            "the model is measured alone",
        ),
        row(
            source,
            ("Principle 8", "testing under clinically relevant conditions, with subgroups"),
            if facts.grouped > 0 { Coverage::Partly } else { Coverage::Gap },
            format!("{} about groups of patients", counted(facts.grouped, "clause", "clauses")),
        ),
        row(
            source,
            ("Principle 9", "clear information for users"),
            Coverage::Partly,
            "this report and the model card",
        ),
        row(source, ("Principle 10", "monitoring after deployment"), Coverage::Gap, "nothing is monitored"),
    ]
}

fn iso(facts: &Facts) -> Vec<ClauseRow> {
    let (overview, formal) = ("ISO/IEC TR 24029-1", "ISO/IEC 24029-2");
    let (proved, stable) = match (facts.exact, facts.certified) {
        (true, _) => (Coverage::Partly, "certificates without an error rate, of the defended models alone"),
        (false, true) => {
            (Coverage::Gap, "certificates hold with a stated error rate each, which is no formal proof")
        }
        (false, false) => (Coverage::Gap, "no requirement is certified"),
    };
    let stability = if facts.certified { Coverage::Partly } else { Coverage::Gap };
    vec![
        row(
            overview,
            ("Clause 5", "statistical methods"),
            Coverage::Evidence,
            "exact bounds by patient, corrected for several requirements",
        ),
        row(overview, ("Clause 6", "formal methods"), proved, stable),
        row(
            overview,
            ("Clause 7", "empirical methods"),
            Coverage::of(facts.attacked > 0),
            facts.checks.clone(),
        ),
        row(formal, ("5.3", "stability in a domain"), stability, stable),
        row(formal, ("5.4", "sensitivity"), Coverage::Gap, "no bound on the change of the output is given"),
        row(
            formal,
            ("5.5", "relevance of inputs"),
            Coverage::Partly,
            "inputs are replaced one by one; pixels are not attributed",
        ),
        row(formal, ("5.6", "reachability"), Coverage::Gap, "the model is no controller"),
    ]
}
