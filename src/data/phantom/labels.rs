//! The labels of phantoms beside normal and abnormal: their findings, or their class among several.

use crate::Class;
use crate::data::{ImageSource, LeftOut, Presence, Study};
use crate::random::{below, stream, uniform};
use crate::spec::PhantomFinding;

/// Gives each study its labels of findings: what its pictures show, but for a share of labels that are wrong and a share
/// that are not known. They have streams of their own, so that more findings change no label of the others.
pub fn label(studies: &mut [Study], findings: &[PhantomFinding], seed: u64, (wrong, unlabelled): (f64, f64)) {
    if findings.is_empty() {
        return;
    }
    for study in studies {
        let Some(ImageSource::Phantom(drawing, _)) = &study.frontal else { continue };
        let presence = |finding: &PhantomFinding| {
            let mut rng = stream(&["phantom finding", &seed.to_string(), &study.id, finding.name()]);
            let is_wrong = f64::from(uniform(&mut rng)) < wrong;
            if f64::from(uniform(&mut rng)) < unlabelled {
                Presence::Empty
            } else if drawing.shows(*finding) == is_wrong {
                Presence::Absent
            } else {
                Presence::Present
            }
        };
        study.findings = findings.iter().map(presence).collect();
        study.label = study.findings.contains(&Presence::Present).into();
    }
}

/// Gives each study its class: normal without a lesion, else the one of the named lesions that its pictures show, but for
/// a share of labels that are wrong. Drops and counts the studies that show several of the named lesions, or only others.
pub fn classify(studies: &mut Vec<Study>, lesions: &[PhantomFinding], seed: u64, wrong: f64) -> LeftOut {
    if lesions.is_empty() {
        return vec![];
    }
    let count = lesions.len() + 1;
    let (mut several, mut other) = (0, 0);
    studies.retain_mut(|study| {
        let Some(ImageSource::Phantom(drawing, _)) = &study.frontal else { return false };
        let shown: Vec<usize> = (1..count).filter(|&place| drawing.shows(lesions[place - 1])).collect();
        let place = match shown[..] {
            [] if drawing.lesions.is_empty() => 0,
            [place] => place,
            [] => {
                other += 1;
                return false;
            }
            [_, _, ..] => {
                several += 1;
                return false;
            }
        };
        let mut rng = stream(&["phantom class", &seed.to_string(), &study.id]);
        let is_wrong = f64::from(uniform(&mut rng)) < wrong;
        // of the other classes, each is as likely
        let label = if is_wrong { (place + 1 + below(&mut rng, count - 1)) % count } else { place };
        study.label = Class::at(label, count);
        true
    });
    let reasons = [("with several of the classes' lesions", several), ("with another lesion alone", other)];
    reasons.into_iter().filter(|(_, count)| *count > 0).map(|(why, count)| (why.to_string(), count)).collect()
}
