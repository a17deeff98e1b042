//! Phantom studies: drawings of chest X-rays in two views, with reports; no real patient is behind them.
//!
//! A patient has an anatomy and may have lesions; a study of the patient shows them at its own exposure, and
//! its report speaks of them as radiologists do: negated findings, hedges, laterality, chronic findings,
//! findings that were missed. A share of the labels is wrong. So no model is perfect, and neither view,
//! section nor modality tells everything. What holds on phantoms shows that the tool works, and nothing
//! about a real model.

mod draw;
mod labels;
mod report;

use std::sync::Arc;

use rand_chacha::ChaCha12Rng;

pub use labels::{classify, label};

use super::{ImageSource, Study, groups};
use crate::Class;
use crate::random::{below, stream, uniform};
use crate::spec::PhantomFinding;

/// Which picture of a phantom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
    /// From the front.
    Frontal,
    /// From the side.
    Lateral,
    /// The lesions of the frontal view, white on black.
    FrontalMask,
}

/// Everything that determines a drawing. Lengths are in half widths of the film: x and y run from −1 to 1,
/// right and down; the patient's right is on the left of the film.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    anatomy: Anatomy,
    lesions: Vec<Lesion>,
    device: Option<Device>,
    exposure: Exposure,
}

/// What differs between patients.
#[derive(Debug, Clone, PartialEq)]
struct Anatomy {
    /// Scale of the chest's width and of its height.
    width: f32,
    height: f32,
    /// Half width of the heart, of the chest's.
    heart: f32,
    /// Height of the diaphragm.
    diaphragm: f32,
    /// Strength of ribs and of vessels.
    ribs: f32,
    vessels: f32,
    /// Names the pattern of the vessels.
    pattern: u64,
}

/// A lesion in the chest: x right, y down, z back, in half widths.
#[derive(Debug, Clone, PartialEq)]
struct Lesion {
    kind: Kind,
    side: Side,
    zone: Zone,
    at: [f32; 3],
    radius: f32,
    /// How strongly it shows, 0 to 1.
    strength: f32,
}

/// Kinds of lesion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Opacity,
    Effusion,
    Nodule,
    Cardiomegaly,
}

/// The patient's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Right,
    Left,
}

/// Height in the lung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    Upper,
    Middle,
    Lower,
}

/// Something that was put there, which says nothing about the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Device {
    Pacemaker,
    Wires,
    Port,
}

/// What differs between films of a patient.
#[derive(Debug, Clone, PartialEq)]
struct Exposure {
    gain: f32,
    lift: f32,
    gamma: f32,
    noise: f32,
    tilt: f32,
    shift: [f32; 2],
    /// Names the film's noise.
    grain: u64,
}

impl Plane {
    /// Its name in the keys of random streams and digests; a new name would draw new pictures.
    fn key(self) -> &'static str {
        match self {
            Self::Frontal => "Frontal",
            Self::Lateral => "Lateral",
            Self::FrontalMask => "FrontalMask",
        }
    }
}

impl Drawing {
    /// A picture of it in writing: everything that decides the pixels, for digests and keys of caches.
    pub fn key(&self, plane: Plane) -> String {
        let Self { anatomy, lesions, device, exposure } = self;
        let Anatomy { width, height, heart, diaphragm, ribs, vessels, pattern } = anatomy;
        let Exposure { gain, lift, gamma, noise, tilt, shift: [across, down], grain } = exposure;
        let mut parts = vec![format!(
            "{} anatomy {width} {height} {heart} {diaphragm} {ribs} {vessels} {pattern} exposure {gain} {lift} {gamma} \
             {noise} {tilt} {across} {down} {grain}",
            plane.key()
        )];
        for Lesion { kind, side, zone, at: [x, y, z], radius, strength } in lesions {
            let kind = match kind {
                Kind::Opacity => "opacity",
                Kind::Effusion => "effusion",
                Kind::Nodule => "nodule",
                Kind::Cardiomegaly => "cardiomegaly",
            };
            let side = match side {
                Side::Right => "right",
                Side::Left => "left",
            };
            let zone = match zone {
                Zone::Upper => "upper",
                Zone::Middle => "middle",
                Zone::Lower => "lower",
            };
            parts.push(format!("{kind} {side} {zone} {x} {y} {z} {radius} {strength}"));
        }
        let device = device.map(|device| match device {
            Device::Pacemaker => "pacemaker",
            Device::Wires => "wires",
            Device::Port => "port",
        });
        parts.extend(device.map(str::to_string));
        parts.join(" ")
    }

    /// Whether its pictures show a finding.
    fn shows(&self, finding: PhantomFinding) -> bool {
        let any = |kind: Kind, side: Option<Side>| {
            self.lesions
                .iter()
                .any(|lesion| lesion.kind == kind && side.is_none_or(|side| lesion.side == side))
        };
        match finding {
            PhantomFinding::Opacity => any(Kind::Opacity, None),
            PhantomFinding::Effusion => any(Kind::Effusion, None),
            PhantomFinding::Nodule => any(Kind::Nodule, None),
            PhantomFinding::Cardiomegaly => any(Kind::Cardiomegaly, None),
            PhantomFinding::RightOpacity => any(Kind::Opacity, Some(Side::Right)),
            PhantomFinding::LeftOpacity => any(Kind::Opacity, Some(Side::Left)),
            PhantomFinding::RightEffusion => any(Kind::Effusion, Some(Side::Right)),
            PhantomFinding::LeftEffusion => any(Kind::Effusion, Some(Side::Left)),
            PhantomFinding::RightNodule => any(Kind::Nodule, Some(Side::Right)),
            PhantomFinding::LeftNodule => any(Kind::Nodule, Some(Side::Left)),
            PhantomFinding::Device => self.device.is_some(),
            PhantomFinding::Pacemaker => self.device == Some(Device::Pacemaker),
            PhantomFinding::Wires => self.device == Some(Device::Wires),
            PhantomFinding::Port => self.device == Some(Device::Port),
        }
    }
}

/// What is wrong with the studies, as shares from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mistakes {
    /// Labels that are wrong.
    pub labels: f64,
    /// Lesions that the report misses, the faint ones more often.
    pub missed: f64,
}

/// `count` studies of about two thirds as many patients, whose reports miss few lesions.
pub fn studies(count: usize, seed: u64, label_noise: f64) -> Vec<Study> {
    studies_with(count, seed, Mistakes { labels: label_noise, missed: crate::spec::MISSED })
}

/// `count` studies of about two thirds as many patients.
pub fn studies_with(count: usize, seed: u64, mistakes: Mistakes) -> Vec<Study> {
    let mut studies = Vec::with_capacity(count);
    let mut patient = 0;
    while studies.len() < count {
        let name = format!("p{patient:05}");
        let mut rng = stream(&["phantom", &seed.to_string(), &name]);
        let about = groups(&name, seed);
        let anatomy = Anatomy::draw(&mut rng);
        let chronic = Chronic::draw(&mut rng);
        let is_ill = chance(&mut rng, 0.62);
        let visits = 1 + usize::from(chance(&mut rng, 0.35)) + usize::from(chance(&mut rng, 0.12));
        for visit in 0..visits.min(count - studies.len()) {
            // an illness comes and goes between visits
            let ill_now = is_ill != chance(&mut rng, 0.12);
            let lesions = if ill_now { lesions(&anatomy, &mut rng) } else { vec![] };
            let report = report::write(&lesions, &chronic, mistakes.missed as f32, &mut rng);
            let exposure = Exposure::draw(&mut rng);
            let drawing =
                Arc::new(Drawing { anatomy: anatomy.clone(), lesions, device: chronic.device, exposure });
            let wrong = f64::from(uniform(&mut rng)) < mistakes.labels;
            let plane = |plane| Some(ImageSource::Phantom(Arc::clone(&drawing), plane));
            let view = if chance(&mut rng, 0.7) { "PA" } else { "AP" };
            studies.push(Study {
                id: format!("{name}-{}", visit + 1).into(),
                patient: name.as_str().into(),
                frontal: plane(Plane::Frontal),
                lateral: plane(Plane::Lateral).map(Box::new),
                report,
                label: Class::Two(drawing.lesions.is_empty() == wrong),
                findings: vec![],
                view: Some(view.into()),
                mask: plane(Plane::FrontalMask).map(Box::new),
                fold: None,
                groups: [groups::view(view)].into_iter().chain(about.clone()).collect(),
            });
        }
        patient += 1;
    }
    studies
}

/// Sex and age band of a patient, which say nothing about the label. They have a stream of their own, so that
/// pictures and reports are those of earlier versions.
fn groups(name: &str, seed: u64) -> [(String, String); 2] {
    let mut rng = stream(&["phantom groups", &seed.to_string(), name]);
    let sex = if chance(&mut rng, 0.5) { "F" } else { "M" };
    [("sex".to_string(), sex.to_string()), groups::age(below(&mut rng, 95) as f64)]
}

/// What a patient has had for long; it is reported, and it is no lesion.
#[derive(Debug, Clone, PartialEq)]
struct Chronic {
    granuloma: Option<Side>,
    degenerative: bool,
    scarring: bool,
    device: Option<Device>,
}

impl Chronic {
    fn draw(rng: &mut ChaCha12Rng) -> Self {
        let granuloma = chance(rng, 0.18).then(|| side(rng));
        let degenerative = chance(rng, 0.3);
        let scarring = chance(rng, 0.12);
        let device =
            chance(rng, 0.15).then(|| [Device::Pacemaker, Device::Wires, Device::Port][below(rng, 3)]);
        Self { granuloma, degenerative, scarring, device }
    }
}

impl Anatomy {
    fn draw(rng: &mut ChaCha12Rng) -> Self {
        Self {
            width: between(rng, 0.92, 1.06),
            height: between(rng, 0.92, 1.06),
            heart: between(rng, 0.40, 0.49),
            diaphragm: between(rng, 0.50, 0.60),
            ribs: between(rng, 0.03, 0.065),
            vessels: between(rng, 0.03, 0.07),
            pattern: u64::from(rng_bits(rng)),
        }
    }
}

impl Exposure {
    fn draw(rng: &mut ChaCha12Rng) -> Self {
        Self {
            gain: between(rng, 0.85, 1.15),
            lift: between(rng, -0.05, 0.05),
            gamma: between(rng, 0.85, 1.2),
            noise: between(rng, 0.012, 0.035),
            tilt: between(rng, -0.05, 0.05),
            shift: [between(rng, -0.05, 0.05), between(rng, -0.05, 0.05)],
            grain: u64::from(rng_bits(rng)),
        }
    }
}

/// One lesion, sometimes two or three of different kinds.
fn lesions(anatomy: &Anatomy, rng: &mut ChaCha12Rng) -> Vec<Lesion> {
    let mut kinds = vec![Kind::Opacity, Kind::Effusion, Kind::Nodule, Kind::Cardiomegaly];
    crate::random::shuffle(&mut kinds, rng);
    let count = 1 + usize::from(chance(rng, 0.3)) + usize::from(chance(rng, 0.1));
    kinds.truncate(count);
    kinds.into_iter().map(|kind| lesion(kind, anatomy, rng)).collect()
}

fn lesion(kind: Kind, anatomy: &Anatomy, rng: &mut ChaCha12Rng) -> Lesion {
    let side = side(rng);
    let zone = match kind {
        Kind::Effusion | Kind::Cardiomegaly => Zone::Lower,
        _ => [Zone::Upper, Zone::Middle, Zone::Lower][below(rng, 3)],
    };
    let sign = if side == Side::Right { -1.0 } else { 1.0 };
    let height = match zone {
        Zone::Upper => between(rng, -0.45, -0.2),
        Zone::Middle => between(rng, -0.15, 0.12),
        Zone::Lower => between(rng, 0.15, anatomy.diaphragm - 0.12),
    };
    let radius = match kind {
        Kind::Nodule => between(rng, 0.055, 0.09),
        _ => between(rng, 0.12, 0.22),
    };
    let at = [sign * between(rng, 0.3, 0.52) * anatomy.width, height, between(rng, -0.3, 0.4)];
    Lesion { kind, side, zone, at, radius, strength: between(rng, 0.25, 1.0) }
}

fn side(rng: &mut ChaCha12Rng) -> Side {
    if chance(rng, 0.5) { Side::Right } else { Side::Left }
}

fn chance(rng: &mut ChaCha12Rng, probability: f32) -> bool {
    uniform(rng) < probability
}

fn between(rng: &mut ChaCha12Rng, low: f32, high: f32) -> f32 {
    low + (high - low) * uniform(rng)
}

fn rng_bits(rng: &mut ChaCha12Rng) -> u32 {
    rand_chacha::rand_core::Rng::next_u32(rng)
}
