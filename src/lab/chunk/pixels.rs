//! The image side of a chunk: attacks on the pixels beside a variant of the texts. Their images are projected onto
//! the threat model and checked before they count.

use super::price::Price;
use super::{Chunk, Sought, bug};
use crate::Result;
use crate::evidence::Routes;
use crate::lab::attack::image::{self, Minimal, Space, fgsm, mask};
use crate::lab::tensor::{self, Tensor};
use crate::plan::ImageAttack;
use crate::spec::{Absence, ImageMethod, ImageSearch, Norm, Region};

/// Tolerance of an ε-ball in linf for the rounding of 32-bit pixels.
const ROUNDING: f32 = 1e-6;
/// The same in l2, relative to ε.
const ROUNDING_L2: f32 = 1e-5;

/// Images after an attack, checked to be within its threat model.
pub struct Attacked {
    /// The images, `[cases, views, side, side]`.
    pub images: Tensor,
    /// Their image features.
    pub features: Tensor,
    /// The size of each case's change in the attack's norm, or the largest change of a pixel if the attack has no
    /// norm.
    pub changes: Vec<f32>,
    /// Whether the attack changed each case, or tried to.
    pub acted: Vec<bool>,
    /// Whether the image is missing, so that its features are zero whatever the pixels are.
    pub is_cut_off: bool,
    /// Which attacks broke each case of a defended model; no flag is set for an undefended one.
    pub routes: Vec<Routes>,
}

impl Attacked {
    fn shallow_clone(&self) -> Self {
        Self {
            images: self.images.shallow_clone(),
            features: self.features.shallow_clone(),
            changes: self.changes.clone(),
            acted: self.acted.clone(),
            is_cut_off: self.is_cut_off,
            routes: self.routes.clone(),
        }
    }
}

impl Chunk<'_> {
    /// Attacks images beside a variant of the texts. Results beside the clean texts are kept if joint attacks need
    /// them again.
    ///
    /// # Errors
    /// The attack left its threat model, which is a bug in medcert.
    pub(in crate::lab) fn pixels(&mut self, attack: ImageAttack, place: usize) -> Result<Attacked> {
        let turn = self.turn;
        if place == 0
            && let Some((_, known, price)) = self.attacked.iter_mut().find(|(known, ..)| *known == attack)
        {
            self.victim.charge(price.due(turn));
            return Ok(known.shallow_clone());
        }
        let (attacked, price) = self.priced(|chunk| chunk.attacked_pixels(attack, place))?;
        if place == 0 && self.scene.kept.contains(&attack) {
            self.attacked.push((attack, attacked.shallow_clone(), price));
        }
        Ok(attacked)
    }

    fn attacked_pixels(&mut self, attack: ImageAttack, place: usize) -> Result<Attacked> {
        let space = self.space(attack, place)?;
        if let (ImageMethod::Search { search, region, .. }, Some(base)) =
            (attack.method, self.scene.reader.undefended())
        {
            return self.against_defence((attack, search, region), &space, place, base);
        }
        let mut tried = None;
        let proposal = match attack.method {
            ImageMethod::Search { search, region, .. } => {
                let proposal = self.search(search, region, &space, place)?;
                tried = self.tried(search, region, &space, place);
                proposal
            }
            ImageMethod::Patch { steps, .. } => {
                image::patch::propose(&self.problem(space.clone(), place)?, attack.strength, steps)?
            }
            ImageMethod::NaivePatch { .. } => {
                image::naive_patch::propose(&self.problem(space.clone(), place)?, attack.strength)?
            }
            ImageMethod::Corruption(corruption) => image::corruption::propose(
                &self.problem(space.clone(), place)?,
                corruption,
                attack.strength as u8,
            )?,
            ImageMethod::Absent(absence) => self.absent_image(absence)?,
        };
        let mut attacked = self.admit(&proposal, &space, attack.method)?;
        attacked.acted.iter_mut().zip(tried.into_iter().flatten()).for_each(|(acted, tried)| *acted |= tried);
        Ok(attacked)
    }

    /// Whether a search for the least change has moved away from each clean image; None for other searches.
    fn tried(&self, search: ImageSearch, region: Region, space: &Space, place: usize) -> Option<Vec<bool>> {
        let sought = (search, space.norm, region, place);
        let known = self.nearest.iter().find(|(known, ..)| *known == sought);
        known.map(|(_, minimal, _)| minimal.moved.clone())
    }

    /// The threat model of an attack.
    ///
    /// # Errors
    /// A mask was not prepared.
    pub(in crate::lab) fn space(&self, attack: ImageAttack, place: usize) -> Result<Space> {
        let (norm, epsilon, region) = match attack.method {
            ImageMethod::Search { norm, region, .. } => (norm, attack.strength, region),
            ImageMethod::Patch { region, .. } | ImageMethod::NaivePatch { region } => {
                (Norm::Linf, f64::INFINITY, region)
            }
            ImageMethod::Corruption(_) | ImageMethod::Absent(_) => {
                (Norm::Linf, f64::INFINITY, Region::Everywhere)
            }
        };
        let open = Space::ball(norm, epsilon);
        match region {
            Region::Everywhere => Ok(open),
            Region::Inside(_) | Region::Outside(_) => {
                let problem = self.problem(open.clone(), place)?;
                let mask = mask::of_region(&problem, self.scene.inputs, self.indices, region)?;
                Ok(Space { mask: Some(mask), ..open })
            }
        }
    }

    /// The images that a search proposes. Gradients and least changes are computed once for every ε.
    pub(super) fn search(
        &mut self,
        search: ImageSearch,
        region: Region,
        space: &Space,
        place: usize,
    ) -> Result<Tensor> {
        let problem = self.problem(space.clone(), place)?;
        if search == ImageSearch::Fgsm {
            return fgsm::propose(&problem, &space.masked(&self.gradient(place)?)?);
        }
        if let ImageSearch::Transfer { from, steps } = search {
            let other =
                self.scene.readers.get(from.place).ok_or_else(|| bug("a transfer starts from no model"))?;
            return image::transfer::propose(&problem, *other, steps);
        }
        if !search.is_minimal() {
            return image::propose(&problem, search);
        }
        let sought = (search, space.norm, region, place);
        let turn = self.turn;
        let is_it = |(known, ..): &(Sought, Minimal, Price)| *known == sought;
        let known = if let Some(known) = self.nearest.iter().position(is_it) {
            self.victim.charge(self.nearest[known].2.due(turn));
            known
        } else {
            let (minimal, price) = self.priced(|_| image::nearest(&problem, search))?;
            self.nearest.push((sought, minimal, price));
            self.nearest.len() - 1
        };
        problem.within(&self.nearest[known].1)
    }

    /// The gradient of the loss with respect to the clean pixels beside a variant of the texts; it serves every ε.
    fn gradient(&mut self, place: usize) -> Result<Tensor> {
        let turn = self.turn;
        if let Some((gradient, price)) = &mut self.variants[place].gradient {
            self.victim.charge(price.due(turn));
            return Ok(gradient.shallow_clone());
        }
        let (gradient, price) = self.priced(|chunk| {
            let clean =
                chunk.clean.as_ref().ok_or_else(|| bug("no clean image was read before a gradient"))?;
            let variant = &chunk.variants[place];
            Ok(variant.victim.slope(clean, variant.features.as_ref())?.1)
        })?;
        let given = gradient.shallow_clone();
        self.variants[place].gradient = Some((gradient, price));
        Ok(given)
    }

    /// Projects the proposed images onto the threat model, checks that they are within it, and computes their
    /// features.
    pub(in crate::lab) fn admit(
        &self,
        proposal: &Tensor,
        space: &Space,
        method: ImageMethod,
    ) -> Result<Attacked> {
        let clean = self.images.as_ref().ok_or_else(|| bug("an image attack met a model without images"))?;
        let images = space.project(clean, proposal)?;
        let changes = space.distance(clean, &images)?;
        let most = match space.norm {
            Norm::Linf => space.epsilon as f32 + ROUNDING,
            Norm::L2 => space.epsilon as f32 * (1.0 + ROUNDING_L2),
        };
        if !changes.iter().all(|&change| change.is_finite() && change <= most) {
            return Err(bug("an attack left its threat model"));
        }
        let features = if method == ImageMethod::Absent(Absence::Missing) {
            let clean = self.clean.as_ref().ok_or_else(|| bug("no clean image was read"))?;
            clean.features.f_zeros_like()?
        } else {
            self.victim.read_images(&images)?
        };
        // a missing image acts on the model even if its pixels did not change
        let is_cut_off = method == ImageMethod::Absent(Absence::Missing);
        let acted: Vec<bool> = changes.iter().map(|&change| is_cut_off || change > 0.0).collect();
        let routes = vec![Routes::default(); acted.len()];
        Ok(Attacked { images, features, changes, acted, is_cut_off, routes })
    }

    /// The images that replace the patient's.
    fn absent_image(&self, absence: Absence) -> Result<Tensor> {
        let clean = self.images.as_ref().ok_or_else(|| bug("an image attack met a model without images"))?;
        let _guard = tensor::no_grad_guard();
        match absence {
            Absence::Missing | Absence::Blank => Ok(clean.f_zeros_like()?),
            Absence::Mean => Ok(self.scene.mean_image()?.f_expand_as(clean)?),
            Absence::WrongPatient => {
                let side = self.scene.reader.side().ok_or_else(|| bug("a model without images lost one"))?;
                let others: Vec<usize> =
                    self.indices.iter().map(|&index| self.scene.other_patient(index)).collect();
                self.scene.inputs.images(side, &others)
            }
        }
    }
}
