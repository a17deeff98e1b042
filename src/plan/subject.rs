//! Subjects: a model that is asked about one finding, or whether a study is abnormal. The findings of a model share
//! its weights. Each is a question with two answers, so attacks, bounds and checks treat each finding on its own.

use super::Plan;
use crate::spec::{Asked, Costs, Figure, Model, Spec};

/// A model with the question that it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its name in evidence and reports: the model's, or `MODEL/FINDING`.
    pub name: String,
    /// Index into the spec's models.
    pub model: usize,
    /// Index into the data's findings; None where the question is whether a study is abnormal.
    pub finding: Option<usize>,
}

impl Subject {
    /// Whether a published figure is about this subject.
    pub fn is_of(&self, figure: &Figure, spec: &Spec) -> bool {
        let is_asked = match (&figure.asked, self.finding) {
            (Asked::Abnormal | Asked::Class(_), None) => true,
            (Asked::Finding(name), Some(place)) => spec.data.findings().get(place) == Some(name),
            (
                Asked::Abnormal
                | Asked::Class(_)
                | Asked::Finding(_)
                | Asked::EveryFinding
                | Asked::MeanOfFindings
                | Asked::SumOfFindings,
                _,
            ) => false,
        };
        is_asked && self.model == figure.model
    }
}

/// The subjects of a spec: its models in their order, each about every finding in their order.
pub fn subjects(spec: &Spec) -> Vec<Subject> {
    let findings = spec.data.findings();
    let models = spec.models.iter().enumerate();
    models
        .flat_map(|(model, (name, _))| {
            let whole = findings.is_empty().then(|| Subject { name: name.clone(), model, finding: None });
            let each = findings.iter().enumerate().map(move |(place, finding)| Subject {
                name: format!("{name}/{finding}"),
                model,
                finding: Some(place),
            });
            whole.into_iter().chain(each)
        })
        .collect()
}

impl Plan {
    /// A subject's name; `?` if there is none.
    pub fn name(&self, subject: usize) -> &str {
        self.subjects.get(subject).map_or("?", |subject| subject.name.as_str())
    }

    /// The model that a subject asks.
    pub fn kind(&self, subject: usize) -> Option<&Model> {
        self.spec.models.get(self.subjects.get(subject)?.model).map(|(_, model)| model)
    }

    /// What the errors of a subject cost, if the spec says so.
    pub fn costs(&self, subject: usize) -> Option<Costs> {
        let findings = self.spec.data.findings();
        let finding = self.subjects.get(subject)?.finding.and_then(|place| findings.get(place));
        self.spec.harm.as_ref()?.of(finding.map(String::as_str))
    }

    /// The subject that asks a given model, by its place in the spec, the question of another subject.
    pub fn asks_the_same(&self, subject: usize, model: usize) -> Option<usize> {
        let finding = self.subjects.get(subject)?.finding;
        self.subjects.iter().position(|one| one.model == model && one.finding == finding)
    }

    /// The subjects of a model, by its name in the spec.
    pub fn subjects_of<'p>(&'p self, model: &'p str) -> impl Iterator<Item = usize> + 'p {
        let is_of = move |subject: &usize| {
            let place = self.subjects[*subject].model;
            self.spec.models.get(place).is_some_and(|(name, _)| name == model)
        };
        (0..self.subjects.len()).filter(is_of)
    }
}
