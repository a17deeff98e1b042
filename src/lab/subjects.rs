//! The plan's subjects as readers, made in steps: a loaded model, asked about one finding if its subject is one, at its
//! operating point if the spec fixes one; then the defended models around these.

use super::defend::of_spec::{self, Surroundings};
use super::inputs::Inputs;
use super::load_models::LoadedModel;
use super::model::Reader;
use super::model::one_finding::OneFinding;
use super::model::operating::Operated;
use super::model::params::digest;
use crate::data::Partition;
use crate::evidence::ModelFacts;
use crate::plan::{Plan, Subject};
use crate::spec::{Model, Operating};
use crate::{Error, Result};

/// A subject that is not defended.
pub(super) struct Base<'a> {
    subject: &'a Subject,
    /// What answers, at its operating point.
    pub reader: &'a dyn Reader,
    /// What it is.
    pub facts: ModelFacts,
}

/// What the loaded models are, before anything is folded.
pub(super) fn facts(plan: &Plan, loaded: &[LoadedModel]) -> Result<Vec<ModelFacts>> {
    let of = |(loaded, (name, model)): (&LoadedModel, &(String, Model))| {
        let (weights, parameters, source) = match loaded {
            LoadedModel::Network(of) => (digest(&of.params)?, of.params.count(), of.source.clone()),
            LoadedModel::Script(script) => {
                (script.digest.clone(), script.parameters, model.pin().map(str::to_string))
            }
        };
        let architecture = model.architecture().to_string();
        let (name, finding, threshold) = (name.clone(), None, None);
        Ok(ModelFacts { name, finding, architecture, weights, parameters, source, threshold })
    };
    // the defended models, which are not loaded, come last in a spec
    loaded.iter().zip(&plan.spec.models).map(of).collect()
}

/// For each subject, the loaded model as it answers about the subject's finding; None where it answers about the whole
/// study, and for a defended model.
pub(super) fn about_findings<'a>(plan: &'a Plan, loaded: &'a [LoadedModel]) -> Vec<Option<OneFinding<'a>>> {
    let about = |subject: &'a Subject| {
        Some(OneFinding::new(loaded.get(subject.model)?.reader(), &subject.name, subject.finding?))
    };
    plan.subjects.iter().map(about).collect()
}

/// The subjects that are not defended, before their operating points.
pub(super) fn undefended<'a>(
    plan: &'a Plan,
    loaded: &'a [LoadedModel],
    about: &'a [Option<OneFinding<'a>>],
) -> Vec<(&'a Subject, &'a dyn Reader)> {
    let asked = |(subject, about): (&'a Subject, &'a Option<OneFinding<'a>>)| {
        let whole = loaded.get(subject.model)?.reader();
        Some((subject, about.as_ref().map_or(whole, |one| one)))
    };
    plan.subjects.iter().zip(about).filter_map(asked).collect()
}

/// Those of them that have an operating point, at it.
///
/// # Errors
/// The validation cases do not fix a threshold.
pub(super) fn operated<'a>(
    plan: &Plan,
    asked: &[(&'a Subject, &'a dyn Reader)],
    inputs: &Inputs,
    partition: &Partition,
) -> Result<Vec<Option<Operated<'a>>>> {
    let at = |(subject, asked): &(&Subject, &'a dyn Reader)| {
        let is_its = |(model, point): &&(usize, Operating)| {
            *model == subject.model && point.finding == subject.finding
        };
        let point = plan.spec.thresholds.iter().find(is_its);
        point.map(|(_, point)| Operated::fix(*asked, *point, inputs, partition)).transpose()
    };
    asked.iter().map(at).collect()
}

/// The subjects that are not defended, with what they are.
pub(super) fn bases<'a>(
    asked: &[(&'a Subject, &'a dyn Reader)],
    operated: &'a [Option<Operated<'a>>],
    of_models: &[ModelFacts],
    inputs: &Inputs,
) -> Vec<Base<'a>> {
    let base = |((subject, asked), at): (&(&'a Subject, &'a dyn Reader), &'a Option<Operated<'a>>)| Base {
        subject,
        reader: at.as_ref().map_or(*asked, |at| at),
        facts: ModelFacts {
            name: subject.name.clone(),
            finding: subject.finding.map(|place| inputs.findings[place].clone()),
            threshold: at.as_ref().map(|at| at.threshold),
            ..of_models[subject.model].clone()
        },
    };
    asked.iter().zip(operated).map(base).collect()
}

/// The defended subjects, in order, each around its base.
///
/// # Errors
/// A mask was not prepared.
pub(super) fn defended<'a>(
    plan: &'a Plan,
    bases: &'a [Base<'a>],
    around: Surroundings<'a>,
) -> Result<Vec<(Box<dyn Reader + 'a>, ModelFacts)>> {
    let mut defended = Vec::new();
    for subject in &plan.subjects {
        let (_, model) = &plan.spec.models[subject.model];
        let Some(own) = model.defended() else { continue };
        let is_base = |base: &&Base<'_>| {
            plan.spec.models[base.subject.model].0 == own.base && base.subject.finding == subject.finding
        };
        let base = bases.iter().find(is_base);
        let base =
            base.ok_or_else(|| Error::Bug(format!("{} wraps a model that was not loaded", subject.name)))?;
        let facts = ModelFacts {
            name: subject.name.clone(),
            architecture: model.architecture().to_string(),
            ..base.facts.clone()
        };
        defended.push((of_spec::reader(&subject.name, &own.defence, base.reader, around)?, facts));
    }
    Ok(defended)
}
