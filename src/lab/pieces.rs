//! The digest of everything that determines what is seen of a model over a chunk: the program and the machine's kind,
//! the model and those that it takes attacks from, the attacks, the cases with their inputs, and what attacks take
//! from other cases. Not the thresholds, not the table's words, not the number of threads, which change no bit.

use super::chunk::Scene;
use super::settings::library;
use super::tensor;
use crate::Result;
use crate::evidence::{Counterexample, ModelFacts, SCHEMA, processor};
use crate::plan::Plan;
use crate::spec::{Absence, ImageMethod, ImageSearch, TextMethod};

/// Raised where the same question may have other outcomes than before.
const VERSION: u32 = 1;

/// What makes the keys of a model's chunks.
pub struct Keys {
    common: blake3::Hasher,
    takes_others: bool,
}

impl Keys {
    /// What is common to a model's chunks.
    ///
    /// # Errors
    /// Images were not prepared.
    pub fn of(
        plan: &Plan,
        model: usize,
        facts: &[ModelFacts],
        scene: &Scene<'_>,
        folded: bool,
    ) -> Result<Self> {
        let mut hasher = blake3::Hasher::new();
        let mut put = |text: &str| {
            hasher.update(text.as_bytes());
            hasher.update(b"\n");
        };
        let device = if tensor::device().is_cuda() { "cuda" } else { "cpu" };
        put(&format!("piece {VERSION} {SCHEMA} {} {}", env!("CARGO_PKG_VERSION"), library().version));
        put(&format!("{} {device} folded {folded}", processor()));
        put(&format!("{:?}", plan.spec.models[model]));
        let attacks = || {
            let probes = plan.probes.iter().map(|probe| &probe.cell);
            plan.cells.iter().chain(probes).filter(move |cell| cell.model == model).map(|cell| &cell.attack)
        };
        let (mut transfers, mut takes_others) = (false, false);
        for attack in attacks() {
            put(&format!("{attack:?}"));
            let image = attack.image.map(|image| image.method);
            transfers |=
                matches!(image, Some(ImageMethod::Search { search: ImageSearch::Transfer { .. }, .. }));
            takes_others |= matches!(image, Some(ImageMethod::Absent(Absence::WrongPatient)))
                || attack.text.iter().any(|text| text.method == TextMethod::Absent(Absence::WrongPatient));
        }
        for (place, facts) in facts.iter().enumerate().filter(|(place, _)| transfers || *place == model) {
            put(&format!("{place} {} {} {:?}", facts.architecture, facts.weights, facts.threshold));
        }
        put(&format!("{} {}", plan.spec.seed, plan.spec.counterexamples));
        // the vocabulary, the mean image and the typical report come from the training cases
        for &index in scene.train {
            put(&scene.inputs.texts[index]);
        }
        if let Some(side) = scene.reader.side() {
            for &index in scene.train {
                hasher.update(scene.inputs.image(side, index)?);
            }
            for place in 0..plan.spec.masks.len() {
                hasher.update(scene.inputs.mask_file(side, place).unwrap_or_default());
            }
        }
        Ok(Self { common: hasher, takes_others })
    }

    /// The key of a chunk; `probed` and `first` say what else is looked at there.
    ///
    /// # Errors
    /// Images were not prepared.
    pub fn chunk(
        &self,
        scene: &Scene<'_>,
        indices: &[usize],
        known: &[Counterexample],
        (probed, first): (bool, bool),
    ) -> Result<String> {
        let mut hasher = self.common.clone();
        hasher.update(format!("{probed} {first}\n").as_bytes());
        let mut put = |index: usize| -> Result<()> {
            let (id, patient) = (scene.ids[index], scene.patients[index]);
            let (text, label) = (&scene.inputs.texts[index], scene.inputs.labels[index]);
            hasher.update(format!("{id}\0{patient}\0{label}\0{text}\0").as_bytes());
            if let Some(side) = scene.reader.side() {
                hasher.update(scene.inputs.image(side, index)?);
                hasher.update(scene.inputs.lesion(side, index).unwrap_or_default());
            }
            Ok(())
        };
        for &index in indices {
            put(index)?;
            if self.takes_others {
                put(scene.other_patient(index))?;
            }
        }
        let ids: Vec<&str> = indices.iter().map(|&index| scene.ids[index]).collect();
        let name = scene.reader.name();
        for found in known.iter().filter(|found| found.model == name && ids.contains(&found.case.as_str())) {
            hasher.update(serde_json::to_string(found).unwrap_or_default().as_bytes());
        }
        Ok(hasher.finalize().to_hex().to_string())
    }
}
