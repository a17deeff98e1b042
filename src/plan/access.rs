//! The access that attacks need, and the access that a model gives: a model that is asked may show its scores or its
//! decision alone. And the machines that a spec asks, which the command line must allow.

use super::{Attack, Plan};
use crate::spec::{
    Access, Behind, ImageMethod, ImageSearch, Mask, Model, NetworkPart, OtherAttack, Referent, Region,
    ScriptModel, Spec, TextMethod, TextSearch,
};
use crate::{Error, Result};

/// The names of the searches that need exactly this access to the model that they attack.
pub fn searches_at(access: Access) -> Vec<&'static str> {
    let images =
        ImageSearch::ALL.iter().filter(|search| search.access() == access).map(|search| search.name());
    let patches = [
        (
            OtherAttack::Patch,
            ImageMethod::Patch { steps: ImageMethod::USUAL_PATCH_STEPS, region: Region::Everywhere },
        ),
        (OtherAttack::NaivePatch, ImageMethod::NaivePatch { region: Region::Everywhere }),
    ];
    let patches =
        patches.iter().filter(|(_, method)| method.access() == Some(access)).map(|(patch, _)| patch.name());
    let texts =
        TextSearch::ALL.iter().filter(|search| search.facts().access == access).map(|search| search.name());
    images.chain(patches).chain(texts).collect()
}

impl Attack {
    /// The most that it asks of a model.
    pub fn access(&self) -> Access {
        let image = self.image.map_or(Access::None, |image| match image.method.mask() {
            Some(Mask::Attribution) => Access::Gradient,
            Some(Mask::Lesion | Mask::File(_)) | None => image.method.access().unwrap_or(Access::None),
        });
        let text = self.text.iter().map(|text| match text.method {
            TextMethod::Searched { search, .. } => search.facts().access,
            TextMethod::Sampled(_) | TextMethod::Absent(_) => Access::None,
        });
        text.fold(image, Access::max)
    }
}

/// What a model of a spec shows; a defended one shows what its base does.
pub(super) fn shown(spec: &Spec, model: &Model) -> Access {
    let of = match model {
        Model::Defended(defended) => spec.models.get(defended.base.place).map(|(_, base)| base),
        Model::Vision { .. } | Model::Bert { .. } | Model::Fusion { .. } | Model::Script(_) => Some(model),
    };
    match of {
        Some(Model::Script(script)) => script.access(),
        Some(Model::Vision { .. } | Model::Bert { .. } | Model::Fusion { .. } | Model::Defended(_))
        | None => Access::Gradient,
    }
}

/// Whether the language model of a model has a part that a search reads, as far as the spec tells.
fn has_part(spec: &Spec, model: &Model, part: NetworkPart) -> bool {
    let of =
        |model: Referent| spec.models.get(model.place).is_some_and(|(_, model)| has_part(spec, model, part));
    match (model, part) {
        (Model::Bert { .. }, NetworkPart::Embeddings) => true,
        (Model::Bert { config, .. }, NetworkPart::MaskedHead) => config.is_none(),
        (Model::Fusion { language, .. }, _) => of(*language),
        (Model::Defended(defended), _) => of(defended.base),
        (Model::Vision { .. } | Model::Script(_), _) => false,
    }
}

impl Plan {
    /// The access that attacks have to a subject.
    pub fn shows(&self, subject: usize) -> Access {
        let model = self.subjects.get(subject).and_then(|subject| self.spec.models.get(subject.model));
        model.map_or(Access::None, |(_, model)| shown(&self.spec, model))
    }

    /// Refuses attacks that ask a model for more than it shows, each by name.
    ///
    /// # Errors
    /// There are some; the message says what works instead.
    pub fn check_access(&self) -> Result<()> {
        let mut faults: Vec<String> = Vec::new();
        for (place, subject) in self.subjects.iter().enumerate() {
            let (name, shown) = (&subject.name, shown(&self.spec, &self.spec.models[subject.model].1));
            let own = self.cells.iter().filter(|cell| cell.model == place && cell.attack.access() > shown);
            let attacks: Vec<String> = own.map(|cell| cell.attack.to_string()).collect();
            faults.extend(self.hidden_source(place));
            faults.extend(self.hidden_parts(place, shown));
            if attacks.is_empty() {
                continue;
            }
            let (shows, levels): (_, &[Access]) = match shown {
                Access::None | Access::Decision => ("its decision alone", &[Access::Decision]),
                Access::Score | Access::Gradient => {
                    ("scores and no gradient", &[Access::Score, Access::Decision])
                }
            };
            let works: Vec<&str> = levels.iter().copied().flat_map(searches_at).collect();
            faults.push(format!(
                "{name} shows {shows}, and these attacks need more: {}; what works: {}, transfer from a model that is \
                 loaded, corruptions and random edits",
                attacks.join(", "),
                works.join(", ")
            ));
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Usage(faults.join("\n"))) }
    }

    /// What is wrong with the transfer attacks on a subject: one starts from a model that shows no gradient.
    fn hidden_source(&self, subject: usize) -> Option<String> {
        self.cells.iter().filter(|cell| cell.model == subject).find_map(|cell| {
            let Some(ImageMethod::Search { search: ImageSearch::Transfer { from, .. }, .. }) =
                cell.attack.image.map(|image| image.method)
            else {
                return None;
            };
            let (source, model) = self.spec.models.get(from.place)?;
            (shown(&self.spec, model) < Access::Gradient).then(|| {
                format!(
                    "{} starts from {source}, which shows no gradient; transfer from a model that is loaded",
                    cell.attack
                )
            })
        })
    }

    /// What is wrong with the searches for words on a subject that shows so much: those that read a part of the network
    /// that the model does not have.
    fn hidden_parts(&self, subject: usize, shown: Access) -> Vec<String> {
        let name = &self.subjects[subject].name;
        let (_, model) = &self.spec.models[self.subjects[subject].model];
        let is_shown = |search: &TextSearch| search.facts().access <= shown;
        let cells = self.cells.iter().filter(|cell| cell.model == subject);
        let mut searches: Vec<TextSearch> = cells
            .flat_map(|cell| &cell.attack.text)
            .filter_map(|text| match text.method {
                TextMethod::Searched { search, .. } => Some(search),
                TextMethod::Sampled(_) | TextMethod::Absent(_) => None,
            })
            .filter(is_shown)
            .collect();
        searches.sort_by_key(|search| search.name());
        searches.dedup();
        let works = TextSearch::ALL.iter().filter(|search| search.facts().part.is_none() && is_shown(search));
        let works: Vec<&str> = works.map(|search| search.name()).collect();
        let fault = |search: TextSearch| {
            let part = search.facts().part.filter(|part| !has_part(&self.spec, model, *part))?;
            let search = search.name();
            Some(format!(
                "{search} reads {}, and {name} shows none; what works: {}",
                part.what(),
                works.join(", ")
            ))
        };
        searches.into_iter().filter_map(fault).collect()
    }

    /// Refuses endpoints on other machines, unless the command line allows them by name: the spec alone must not be able
    /// to send images and reports away.
    ///
    /// # Errors
    /// There are some; the message names the option.
    pub fn check_hosts(&self) -> Result<()> {
        for (name, model) in &self.spec.models {
            let Model::Script(ScriptModel { behind: Behind::Endpoint(endpoint), .. }) = model else {
                continue;
            };
            let host = &endpoint.url.host;
            let is_allowed = self.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host));
            if !endpoint.url.is_local() && !is_allowed {
                return Err(Error::Usage(format!(
                    "{name} is asked on another machine, {host}, which would receive the images and reports, unencrypted; \
                     if it may, add `--allow-host {host}`"
                )));
            }
        }
        Ok(())
    }
}
