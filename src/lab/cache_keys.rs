//! Cache keys: digests of everything that determines the results of a model over a chunk. What all attacks share
//! names the journal: the program, the kind of machine, the model, and the cases with their inputs. What else an
//! attack depends on names its line in the journal. Requirements' thresholds, the wording of tables and the number of
//! threads change no result, so they are left out.

use std::cell::OnceCell;

use super::certify::chunk::ATTACKED_CASES;
use super::chunk::Scene;
use super::settings::{computed_on, library};
use super::tensor;
use crate::Result;
use crate::evidence::{Counterexample, ModelFacts, SCHEMA};
use crate::plan::{Attack, Certificate, Plan};
use crate::spec::{Absence, ImageMethod, ImageSearch, Mask, Model, TextMethod};

/// Raise this when the same key may have other outcomes than before.
const VERSION: u32 = 6;
/// The same, for certificates alone.
const CERTIFICATES: u32 = 2;

/// Computes the keys of a model's journals and of their lines.
pub struct Keys<'a> {
    scene: &'a Scene<'a>,
    /// The hash of what all journals of the model share, without the cases.
    common: blake3::Hasher,
    /// Facts about all models, because a transfer attack starts from another one.
    models: String,
    /// The digest of the training images, computed when an attack first needs their mean.
    train: OnceCell<blake3::Hash>,
    /// Counterexamples of an earlier run.
    known: &'a [Counterexample],
    /// Limit on the counterexamples that are kept of a cell and chunk.
    counterexamples: usize,
    /// The mask that confines a smoothed model's noise; None if it has no such mask.
    region: Option<Mask>,
}

/// A unit of work over a chunk; its result is a line of the journal.
#[derive(Debug, Clone, Copy)]
pub enum WorkItem<'a> {
    /// A cell of the plan, with its counterexamples.
    Cell(&'a Attack),
    /// A probe, which only the checks need.
    Probe(&'a Attack),
    /// A certificate of the plan, and the place of the chunk's first case among the test cases.
    Certificate(&'a Certificate, usize),
    /// The model's health.
    Health,
}

impl<'a> Keys<'a> {
    /// Prepares the keys of a model of the plan.
    pub fn of(
        plan: &Plan,
        model: usize,
        facts: &[ModelFacts],
        scene: &'a Scene<'a>,
        (known, folded): (&'a [Counterexample], bool),
    ) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mut put = |text: &str| {
            hasher.update(text.as_bytes());
            hasher.update(b"\n");
        };
        let device = if tensor::device().is_cuda() { "cuda" } else { "cpu" };
        put(&format!("journal {VERSION} {SCHEMA} {} {}", env!("CARGO_PKG_VERSION"), library().version));
        put(&format!("{} {device} folded {folded}", computed_on()));
        let (name, written) = (plan.name(model), plan.kind(model).map(Model::written).unwrap_or_default());
        put(&format!("{name} {written} seed {}", plan.spec.seed));
        let about = |facts: &ModelFacts| {
            let threshold = facts.threshold.map_or("none".to_string(), |threshold| threshold.to_string());
            format!("{} {} {threshold}", facts.architecture, facts.weights)
        };
        put(&about(&facts[model]));
        put(&format!("lexicon {}", scene.lexicon.digest()));
        // the vocabulary and the typical report come from the training cases
        for &index in scene.train {
            put(&scene.inputs.texts[index]);
        }
        let models = facts.iter().map(about).collect::<Vec<_>>().join("\n");
        Self {
            scene,
            common: hasher,
            models,
            train: OnceCell::new(),
            known,
            counterexamples: plan.spec.kept_counterexamples(),
            region: plan.kind(model).and_then(Model::defended).and_then(|own| own.defence.region().mask()),
        }
    }

    /// The key of a chunk's journal.
    ///
    /// # Errors
    /// Images were not prepared.
    pub fn journal(&self, indices: &[usize]) -> Result<String> {
        let mut hasher = self.common.clone();
        for &index in indices {
            self.case(&mut hasher, index)?;
        }
        self.mask(&mut hasher, self.region, indices);
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// Hashes a case with its inputs.
    fn case(&self, hasher: &mut blake3::Hasher, index: usize) -> Result<()> {
        let scene = self.scene;
        let (id, patient) = (scene.ids[index], scene.patients[index]);
        let (text, label) = (&scene.inputs.texts[index], scene.label(index)?);
        hasher.update(format!("{id}\0{patient}\0{label}\0{text}\0").as_bytes());
        if let Some(side) = scene.reader.side() {
            hasher.update(&scene.inputs.image(side, index)?);
        }
        Ok(())
    }

    /// The key of a line in a chunk's journal.
    ///
    /// # Errors
    /// Images or masks were not prepared.
    pub fn line(&self, look: WorkItem<'_>, indices: &[usize]) -> Result<String> {
        let mut hasher = blake3::Hasher::new();
        match look {
            WorkItem::Health => drop(hasher.update(b"health")),
            WorkItem::Certificate(certificate, first) => {
                // how many cases of the chunk the attack on certificates tries
                let attacked = ATTACKED_CASES.saturating_sub(first).min(indices.len());
                hasher
                    .update(format!("certificate {CERTIFICATES} {attacked} {}", certificate.ball).as_bytes());
                self.mask(&mut hasher, certificate.ball.mask(), indices);
            }
            WorkItem::Probe(attack) => {
                hasher.update(b"probe");
                self.attack(&mut hasher, attack, indices)?;
            }
            WorkItem::Cell(attack) => {
                hasher.update(format!("cell, {} counterexamples", self.counterexamples).as_bytes());
                self.attack(&mut hasher, attack, indices)?;
                let (model, written) = (self.scene.reader.name(), attack.to_string());
                for found in self.known.iter().filter(|found| found.model == model && found.attack == written)
                {
                    if indices.iter().any(|&index| self.scene.ids[index] == found.case) {
                        hasher.update(serde_json::to_string(found).unwrap_or_default().as_bytes());
                    }
                }
            }
        }
        Ok(hasher.finalize().to_hex().as_str()[..32].to_string())
    }

    fn training_images(&self, side: u32) -> Result<blake3::Hash> {
        if let Some(known) = self.train.get() {
            return Ok(*known);
        }
        let mut hasher = blake3::Hasher::new();
        for &index in self.scene.train {
            hasher.update(&self.scene.inputs.image(side, index)?);
        }
        Ok(*self.train.get_or_init(|| hasher.finalize()))
    }

    /// Hashes an attack, with what it takes from other models or cases.
    fn attack(&self, hasher: &mut blake3::Hasher, attack: &Attack, indices: &[usize]) -> Result<()> {
        hasher.update(format!("{}\n", attack.key()).as_bytes());
        let image = attack.image.map(|image| image.method);
        let absent = |absence| {
            image == Some(ImageMethod::Absent(absence))
                || attack.text.iter().any(|text| text.method == TextMethod::Absent(absence))
        };
        if let Some(ImageMethod::Search { search: ImageSearch::Transfer { .. }, .. }) = image {
            hasher.update(self.models.as_bytes());
        }
        if absent(Absence::WrongPatient) {
            for &index in indices {
                self.case(hasher, self.scene.other_patient(index))?;
            }
        }
        if let (true, Some(side)) = (absent(Absence::Mean), self.scene.reader.side()) {
            hasher.update(self.training_images(side)?.as_bytes());
        }
        self.mask(hasher, image.and_then(ImageMethod::mask), indices);
        Ok(())
    }

    /// Hashes the pixels of a mask. A mask by attribution follows from the model and its inputs, which are hashed
    /// elsewhere.
    fn mask(&self, hasher: &mut blake3::Hasher, mask: Option<Mask>, indices: &[usize]) {
        let Some(side) = self.scene.reader.side() else { return };
        match mask {
            Some(Mask::Lesion) => indices.iter().for_each(|&index| {
                hasher.update(self.scene.inputs.lesion(side, index).unwrap_or_default());
            }),
            Some(Mask::File(mask)) => {
                hasher.update(self.scene.inputs.mask_file(side, mask.place).unwrap_or_default());
            }
            Some(Mask::Attribution) | None => {}
        }
    }
}
