//! The certificates of one model over a chunk of cases, in the form that evidence keeps.

use super::contradiction::{Adversary, AdverseWords, Attacked, Reach};
use super::listing::{Listed, Threat};
use super::{Smoothed, listing, masking, record, region};
use crate::evidence;
use crate::lab::chunk::Scene;
use crate::lab::defend::of_spec;
use crate::lab::model::Reader;
use crate::plan::Certificate;
use crate::spec::{Ball, Certifier, Norm, PixelChange, Region, Smoothing, WordChange, WordUnit};
use crate::stats::certificate::Question;
use crate::stats::vote::Rules;
use crate::{Error, Result};

/// Number of test cases, from the first on, whose certificates are attacked.
pub const ATTACKED_CASES: usize = 64;
/// Limit on the listed reports of a finite threat.
const MOST_LISTED: usize = 20_000;

/// For each certificate, the votes on each case of a chunk. `first` is the place of the chunk's first case among the
/// test cases. The votes of a smoothed model share their copies.
///
/// # Errors
/// A certificate is contradicted, which is a bug in medcert, or the run was stopped.
pub fn votes(
    scene: &Scene<'_>,
    certificates: &[Certificate],
    indices: &[usize],
    first: usize,
) -> Result<Vec<Vec<evidence::Vote>>> {
    let mut all: Vec<Vec<evidence::Vote>> = vec![Vec::with_capacity(indices.len()); certificates.len()];
    let votes: Vec<(usize, Smoothing, Ball)> = certificates
        .iter()
        .enumerate()
        .filter_map(|(place, one)| match one.certifier {
            Certifier::Vote(smoothing) => Some((place, smoothing, one.ball)),
            Certifier::TwoMasks { .. } | Certifier::Listing => None,
        })
        .collect();
    for &index in indices {
        for (place, vote) in voted(scene, &votes, index)? {
            all[place].push(vote);
        }
        for (place, certificate) in certificates.iter().enumerate() {
            match certificate.certifier {
                Certifier::Vote(_) => {}
                Certifier::TwoMasks { patch, grid } => {
                    let base = base(scene)?;
                    let vote = masking::case(base, scene.inputs, index, (patch, grid as usize))?;
                    let pixels = (scene.inputs.views() * base.side().unwrap_or(0).pow(2) as usize) as u64;
                    all[place].push(kept(vote, 0, pixels));
                }
                Certifier::Listing => {
                    let threat = threat(&certificate.ball)?;
                    let about = (scene.inputs, index);
                    let vote = listing::case(scene.reader, about, threat, (scene.lexicon, MOST_LISTED))?;
                    all[place].push(kept(vote, 0, 0));
                }
            }
        }
    }
    for (place, smoothing, ball) in &votes {
        attack(scene, (indices, first), (smoothing, ball), &mut all[*place])?;
    }
    Ok(all)
}

/// The votes of a smoothed model on a case, with the places of their certificates.
fn voted(
    scene: &Scene<'_>,
    votes: &[(usize, Smoothing, Ball)],
    index: usize,
) -> Result<Vec<(usize, evidence::Vote)>> {
    let Some((_, smoothing, _)) = votes.first() else { return Ok(vec![]) };
    let smoothed = smoothed(scene, smoothing, index)?;
    let words = scene.inputs.texts[index].split_whitespace().count() as u64;
    let mut asked = Vec::new();
    for (_, smoothing, ball) in votes {
        let pixels = changed_pixels(scene, ball, index)?;
        asked.push((question(smoothing, ball, pixels)?, pixels));
    }
    let rules: Vec<Option<Rules>> = asked.iter().map(|(question, _)| question.rules(words)).collect();
    let point = smoothed.point(scene.inputs, index)?;
    let found = smoothed.votes(&point, scene.inputs.labels[index], &["smooth", scene.ids[index]], &rules)?;
    let kept = votes.iter().zip(found).zip(asked).map(|(((place, smoothing, _), vote), (_, pixels))| {
        let words = if smoothing.words.is_some() { words } else { 0 };
        (*place, kept(vote, words, pixels))
    });
    Ok(kept.collect())
}

/// Attacks the certificates of the first test cases, and records the results.
fn attack(
    scene: &Scene<'_>,
    (indices, first): (&[usize], usize),
    (smoothing, ball): (&Smoothing, &Ball),
    votes: &mut [evidence::Vote],
) -> Result<()> {
    let is_attacked = |(row, vote): (usize, &evidence::Vote)| {
        (first + row < ATTACKED_CASES && vote.state == evidence::Decision::Certified).then_some(row)
    };
    let rows: Vec<usize> = votes.iter().enumerate().filter_map(is_attacked).collect();
    if rows.is_empty() {
        return Ok(());
    }
    // adverse words do not depend on the region, which differs from case to case
    let views = scene.inputs.views();
    let plain = of_spec::smoothed(scene.reader.name(), smoothing, base(scene)?, views, scene.seed);
    let words = AdverseWords::of(&plain, scene.inputs, scene.train)?;
    for row in rows {
        let (index, vote) = (indices[row], &mut votes[row]);
        let smoothed = smoothed(scene, smoothing, index)?;
        let adversary = Adversary { smoothed: &smoothed, inputs: scene.inputs, words: &words };
        let question = question(smoothing, ball, vote.pixels)?;
        let found = adversary.attack(index, scene.ids[index], &question, &reach(scene, ball, index)?)?;
        vote.attacked = Some(match found {
            Attacked::Held => evidence::Attacked::Held,
            Attacked::Withdrawn => evidence::Attacked::Withdrawn,
        });
    }
    Ok(())
}

/// The noise that reaches the wrapped model in copies of a study; None if the pixels get no noise.
///
/// # Errors
/// Images or masks were not prepared.
pub fn noise(
    scene: &Scene<'_>,
    smoothing: &Smoothing,
    index: usize,
) -> Result<Option<evidence::NoiseHealth>> {
    record::noise(&smoothed(scene, smoothing, index)?, scene.inputs, index, scene.ids[index])
}

/// How far the pixels of a case may move within a ball.
fn reach(scene: &Scene<'_>, ball: &Ball, index: usize) -> Result<Reach> {
    let (Some((norm, radius, inside)), Some(side)) = (ball.within(), scene.reader.side()) else {
        return Ok(Reach { norm: Norm::L2, radius: 0.0, inside: None });
    };
    let inside = match inside {
        Region::Everywhere => None,
        Region::Inside(_) | Region::Outside(_) => Some(region::pixels(inside, scene.inputs, side, index)?),
    };
    Ok(Reach { norm, radius, inside })
}

/// The model that the scene's defended model wraps.
fn base<'s>(scene: &'s Scene<'_>) -> Result<&'s dyn Reader> {
    scene.reader.undefended().ok_or_else(|| bug("a certificate of a defence met a model without one"))
}

/// The scene's smoothed model with the noise of a case.
fn smoothed<'s>(scene: &'s Scene<'_>, smoothing: &Smoothing, index: usize) -> Result<Smoothed<'s>> {
    let views = scene.inputs.views();
    let mut smoothed = of_spec::smoothed(scene.reader.name(), smoothing, base(scene)?, views, scene.seed);
    if let (Some(noise), Some(side)) = (smoothing.pixels, scene.reader.side())
        && noise.region != Region::Everywhere
    {
        smoothed.noise.region = Some(region::pixels(noise.region, scene.inputs, side, index)?);
    }
    Ok(smoothed)
}

/// Number of pixels, over all views, that a ball lets change.
fn changed_pixels(scene: &Scene<'_>, ball: &Ball, index: usize) -> Result<u64> {
    let (Some((.., inside)), Some(side)) = (ball.within(), scene.reader.side()) else { return Ok(0) };
    let pixels = region::pixels(inside, scene.inputs, side, index)?;
    Ok(pixels.into_iter().filter(|&inside| inside).count() as u64)
}

fn question(smoothing: &Smoothing, ball: &Ball, pixels: u64) -> Result<Question> {
    smoothing.question(ball, pixels).map_err(|_| bug("a smoothing met a ball that it cannot certify"))
}

/// The threat that a ball describes, if its variants can be listed.
fn threat(ball: &Ball) -> Result<Threat> {
    let words = match ball.words {
        None => Listed::Same,
        Some(WordChange::Missing) => Listed::Missing,
        Some(WordChange::Changed { unit: WordUnit::Synonym, count }) => Listed::Synonyms(count),
        Some(WordChange::Changed { unit: WordUnit::Section, count }) => Listed::Sections(count),
        Some(WordChange::Changed { unit: WordUnit::Word | WordUnit::Edit, .. }) => {
            return Err(bug("changes of words by any others were to be listed"));
        }
    };
    let image_missing = match ball.pixels {
        None => false,
        Some(PixelChange::Missing) => true,
        Some(PixelChange::Within { .. } | PixelChange::Patch { .. }) => {
            return Err(bug("changes of the pixels were to be listed"));
        }
    };
    Ok(Threat { words, image_missing })
}

/// Converts a vote to the form that evidence keeps.
fn kept(vote: super::Vote, words: u64, pixels: u64) -> evidence::Vote {
    evidence::Vote {
        state: evidence::Decision::of(vote.state),
        samples: vote.samples,
        successes: vote.successes,
        words,
        pixels,
        attacked: None,
    }
}

fn bug(what: &str) -> Error {
    Error::Bug(what.to_string())
}
