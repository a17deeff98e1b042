//! What a requirement assumes of its adversary, in the terms of NIST AI 100-2, Adversarial Machine Learning: A Taxonomy and
//! Terminology of Attacks and Mitigations (Vassilev, Oprea, Fordyce, Anderson, 2024): the stage of learning, the goal, the
//! capability and the knowledge. The plan's attacks give the terms.

use crate::plan::{Attack, Plan, Requirement};
use crate::spec::{Access, ImageMethod, Norm, TextMethod};

/// An adversary of a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreatModel {
    /// When it acts, and against what kind of system.
    pub stage: &'static str,
    /// What it wants.
    pub goal: &'static str,
    /// What it can change.
    pub capability: String,
    /// What it knows of the model.
    pub knowledge: &'static str,
}

/// The adversary of a requirement: the strongest of its attacks; none if nothing attacks.
pub fn of(plan: &Plan, requirement: &Requirement) -> Option<ThreatModel> {
    let cells = requirement.clauses.iter().flat_map(crate::plan::Clause::rests_on);
    let compared = requirement.regression.iter().flat_map(|one| one.cells.iter().copied());
    let attacks: Vec<&Attack> = cells
        .chain(compared)
        .map(|cell| &plan.cells[cell].attack)
        .filter(|attack| !attack.is_clean())
        .collect();
    let access = attacks.iter().map(|attack| access(attack)).max()?;
    let mut capabilities: Vec<Capability> = Vec::new();
    for capability in attacks.iter().flat_map(|attack| capabilities_of(attack)) {
        let is_it =
            |known: &&mut Capability| (&known.before, known.after) == (&capability.before, capability.after);
        match capabilities.iter_mut().find(is_it) {
            Some(known) => known.most = known.most.max(capability.most),
            None => capabilities.push(capability),
        }
    }
    let capabilities: Vec<String> = capabilities.iter().map(Capability::words).collect();
    Some(ThreatModel {
        stage: "deployment stage of predictive AI (evasion)",
        goal: match access {
            Access::None => "none: integrity is violated by chance, not by an adversary",
            Access::Decision | Access::Score | Access::Gradient => {
                "integrity violation, untargeted: any wrong answer"
            }
        },
        capability: capabilities.join("; "),
        knowledge: match access {
            Access::None => "none: the change does not look at the model",
            Access::Decision => "black-box: query access to the predicted class",
            Access::Score => "black-box: query access to the scores",
            Access::Gradient => "white-box: the model and its parameters",
        },
    })
}

/// The most that an attack asks of the model.
fn access(attack: &Attack) -> Access {
    let image = attack.image.and_then(|image| image.method.access()).unwrap_or(Access::None);
    let text = attack.text.iter().map(|text| match text.method {
        TextMethod::Searched { search, .. } => search.facts().access,
        // the worst of several draws counts, which takes an answer to each
        TextMethod::Sampled(_) if text.draws > 1 => Access::Decision,
        TextMethod::Sampled(_) | TextMethod::Absent(_) => Access::None,
    });
    text.fold(image, Access::max)
}

/// What an adversary can change, and by how much at most.
struct Capability {
    before: String,
    most: f64,
    after: &'static str,
}

impl Capability {
    fn of(before: &str, most: f64, after: &'static str) -> Self {
        Self { before: before.to_string(), most, after }
    }

    /// In words; what has no strength has no number.
    fn words(&self) -> String {
        let Self { before, most, after } = self;
        if *most > 0.0 { format!("{before} {}{after}", short(*most)) } else { before.clone() }
    }
}

/// What an attack changes, in each input.
fn capabilities_of(attack: &Attack) -> Vec<Capability> {
    let image = attack.image.map(|image| match image.method {
        ImageMethod::Search { norm: Norm::Linf, .. } => {
            Capability::of("testing data control: every pixel of the image by up to", image.strength, "")
        }
        ImageMethod::Search { norm: Norm::L2, .. } => {
            Capability::of("testing data control: the pixels of the image by up to", image.strength, " in L2")
        }
        ImageMethod::Patch { .. } | ImageMethod::NaivePatch { .. } => {
            Capability::of("testing data control: a square of", image.strength * 100.0, " % of the image")
        }
        ImageMethod::Corruption(corruption) => {
            let name = corruption.facts().name;
            Capability::of(&format!("no control: {name} of severity"), image.strength, "")
        }
        ImageMethod::Absent(_) => {
            Capability::of("no control: the image is missing or another patient's", 0.0, "")
        }
    });
    let text = attack.text.iter().map(|text| match text.method {
        TextMethod::Searched { .. } => Capability::of(
            "testing data control: chosen words of the report, up to",
            text.share * 100.0,
            " %",
        ),
        TextMethod::Sampled(_) => {
            Capability::of("random edits of up to", text.share * 100.0, " % of the report's words")
        }
        TextMethod::Absent(_) => {
            Capability::of("no control: the report is missing or another patient's", 0.0, "")
        }
    });
    image.into_iter().chain(text).collect()
}

/// At most four decimals, and none that is needless.
fn short(value: f64) -> String {
    format!("{value:.4}").trim_end_matches('0').trim_end_matches('.').to_string()
}
