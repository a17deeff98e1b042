//! Makes the plan's subjects in steps: a loaded model, then the model as it is asked about one finding, then at its
//! operating point if the spec fixes one, and last the defended models around these.

use super::defend::of_spec::{self, Surroundings};
use super::inputs::Inputs;
use super::load_models::LoadedModel;
use super::model::Reader;
use super::model::one_finding::OneFinding;
use super::model::operating::Operated;
use super::model::params::digest;
use super::weights_form::with_vocabulary;
use crate::data::Partition;
use crate::evidence::ModelFacts;
use crate::plan::{Plan, Subject};
use crate::spec::{Model, Operating};
use crate::{Error, Result};

/// A subject without a defence.
pub(super) struct Base<'a> {
    subject: &'a Subject,
    /// The model, at its operating point if it has one.
    pub reader: &'a dyn Reader,
    /// Facts about it, for the evidence.
    pub facts: ModelFacts,
}

/// Facts about the loaded models. Call it before networks are folded, because folding changes the weights and so
/// their digest.
pub(super) fn facts(plan: &Plan, loaded: &[LoadedModel]) -> Result<Vec<ModelFacts>> {
    let of = |(loaded, (name, model)): (&LoadedModel, &(String, Model))| {
        let (weights, parameters, source, tokenizer) = match loaded {
            LoadedModel::Network(of) => {
                (digest(&of.params)?, of.params.count(), of.source.clone(), of.tokenizer.as_ref())
            }
            LoadedModel::Script(script) => {
                let pin = model.pin().map(str::to_string);
                (script.digest.clone(), script.parameters, pin, script.tokenizer())
            }
        };
        let brought = tokenizer.filter(|_| model.brings_vocabulary(&plan.spec.models));
        let weights = brought.map_or(weights.clone(), |of| with_vocabulary(&weights, &of.vocabulary));
        let architecture = model.architecture().to_string();
        let (name, finding, threshold) = (name.clone(), None, None);
        Ok(ModelFacts { name, finding, architecture, weights, parameters, source, threshold })
    };
    // the defended models are not loaded; they come last in a spec, so `zip` leaves them out
    loaded.iter().zip(&plan.spec.models).map(of).collect()
}

/// For each subject about one finding, the loaded model as it answers about that finding; None for other subjects and
/// for defended models.
pub(super) fn about_findings<'a>(plan: &'a Plan, loaded: &'a [LoadedModel]) -> Vec<Option<OneFinding<'a>>> {
    let about = |subject: &'a Subject| {
        Some(OneFinding::new(loaded.get(subject.model)?.reader(), &subject.name, subject.finding?))
    };
    plan.subjects.iter().map(about).collect()
}

/// The subjects without a defence, before their operating points are fixed.
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

/// Fixes the operating point of each subject that has one.
///
/// # Errors
/// The validation cases do not determine a threshold.
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

/// The subjects without a defence, with their facts.
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

/// The subjects with a defence, in order, each around the base that it wraps.
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
            base.subject.model == own.base.place && base.subject.finding == subject.finding
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
