//! Shows a case before and after an attack, as pictures and text for a person.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ExtendedColorType, ImageEncoder};

use super::tried::row;
use super::{Chunk, bug};
use crate::evidence::{Answered, Exhibit, Outcome, Pictures, Wording};
use crate::lab::tensor::{self, Tensor};
use crate::plan::Attack;
use crate::{Error, Result};

impl Chunk<'_> {
    /// Repeats an attack and shows a case, given by its place in the chunk, in its worst draw.
    pub fn show(&mut self, attack: &Attack, case: usize) -> Result<Exhibit> {
        self.shown = true;
        let attempt = self.attack(attack);
        self.shown = false;
        let attempt = attempt?;
        let end = attempt.ends[case].as_ref().ok_or_else(|| bug("an attack kept no input"))?;
        let clean = self.judge(None, 0)?;
        let text = &self.variants[end.place].words[case];
        let image = match (&self.images, &end.image) {
            (Some(images), Some((moved, _))) => Some(pictures(&row(images, case)?, moved)?),
            _ => None,
        };
        let wording = || Wording { before: self.original(case).to_string(), after: text.document.text() };
        Ok(Exhibit {
            model: self.scene.reader.name().to_string(),
            attack: attack.to_string(),
            case: self.cases[case].to_string(),
            label: self.scene.label(self.indices[case])?,
            before: answered(&clean.outcomes[case]),
            after: answered(&attempt.outcomes[case]),
            image,
            text: (text.edits > 0).then(wording),
        })
    }
}

fn answered(outcome: &Outcome) -> Answered {
    Answered { predicted: outcome.predicted, margin: outcome.margin }
}

/// Pictures of the frontal view of images `[1, views, side, side]` before and after an attack, and of their
/// difference.
fn pictures(before: &Tensor, after: &Tensor) -> Result<Pictures> {
    let side = before.size().last().copied().unwrap_or(0) as usize;
    let view = |images: &Tensor| -> Result<Vec<f32>> {
        let mut values = tensor::values(images)?;
        values.truncate(side * side);
        Ok(values)
    };
    let (before, after) = (view(before)?, view(after)?);
    let moved: Vec<f32> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
    let change = moved.iter().fold(0.0, |most: f32, change| most.max(change.abs()));
    let scale = change.max(f32::MIN_POSITIVE);
    let difference: Vec<f32> = moved.iter().map(|moved| 0.5 + 0.5 * moved / scale).collect();
    let side = side as u32;
    let png = |values: &[f32]| png(values, side);
    Ok(Pictures { side, before: png(&before)?, after: png(&after)?, difference: png(&difference)?, change })
}

/// Encodes gray values from 0 to 1 as a PNG file in base64.
fn png(values: &[f32], side: u32) -> Result<String> {
    let bytes: Vec<u8> = values.iter().map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
    let mut file = Vec::new();
    image::codecs::png::PngEncoder::new(&mut file)
        .write_image(&bytes, side, side, ExtendedColorType::L8)
        .map_err(|why| Error::Bug(format!("a picture has no PNG form: {why}")))?;
    Ok(STANDARD.encode(file))
}
