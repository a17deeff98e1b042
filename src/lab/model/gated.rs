//! Gated fusion after the odd-one-out network of Yang et al., Defending Multimodal Fusion Models against
//! Single-Source Adversaries (CVPR 2021). A gate estimates which input looks inconsistent. The answer is a weighted
//! sum of three experts, one for both inputs and one for each alone, with weights that leave the odd input out.
//!
//! With two inputs no majority can tell which one was attacked. The gate has to recognise the trace that a
//! perturbation leaves, so it is trained on perturbed inputs
//! ([`gated_augmentation`](crate::lab::gated_augmentation)). An attacker who knows the gate may hide that trace.

use super::params::{Declarations, Scope};
use crate::Result;
use crate::lab::tensor::{Kind, Tensor};

/// Width of the gate's hidden layer.
const GATE: usize = 64;

/// The answer of a gated fusion.
#[derive(Debug)]
pub struct Gated {
    /// The mixture of the experts, `[cases, answers]`.
    pub logits: Tensor,
    /// The gate's logits, `[cases, 3]`: neither input is odd, the image is, the text is.
    pub gate: Tensor,
    /// The experts for the image alone and for the text alone, `[cases, answers]` each.
    pub experts: [Tensor; 2],
}

/// Declares everything above the branches, which give `image` and `text` numbers a case.
pub fn declare(d: &mut Declarations, (image, text): (usize, usize), answers: usize) {
    let deviation = |into: usize| (1.0 / into as f32).sqrt();
    d.linear("both", answers, image + text, 0.01);
    d.linear("image", answers, image, 0.01);
    d.linear("text", answers, text, 0.01);
    d.linear("gate.0", GATE, image + text, deviation(image + text));
    d.linear("gate.2", 3, GATE, deviation(GATE));
}

/// The answer for features `[cases, …]` of both branches.
pub fn forward(p: &Scope<'_>, image: &Tensor, text: &Tensor) -> Result<Gated> {
    let both = Tensor::f_cat(&[image, text], 1)?;
    let gate = p.linear("gate.2", &p.linear("gate.0", &both)?.f_relu()?)?;
    let weights = gate.f_softmax(1, Kind::Float)?;
    let experts = [p.linear("image", image)?, p.linear("text", text)?];
    // if the image is odd, the text's expert answers, and the other way round
    let answers = [&p.linear("both", &both)?, &experts[1], &experts[0]];
    let mut logits = answers[0].f_mul(&weights.f_narrow(1, 0, 1)?)?;
    for (place, answer) in answers.iter().enumerate().skip(1) {
        logits = logits.f_add(&answer.f_mul(&weights.f_narrow(1, place as i64, 1)?)?)?;
    }
    Ok(Gated { logits, gate, experts })
}
