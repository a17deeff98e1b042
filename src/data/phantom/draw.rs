//! The picture: attenuation as a sum of soft shapes, then exposure, gamma and grain.

use super::{Anatomy, Device, Drawing, Exposure, Kind, Lesion, Plane};
use crate::random::{normals, stream, uniform};

/// Half widths over which an edge fades.
const SOFT: f32 = 0.03;

impl Drawing {
    /// A square picture, row-major, 0 black to 255 white.
    pub fn draw(&self, plane: Plane, side: u32) -> Vec<u8> {
        let pixels = Grid { side, exposure: &self.exposure };
        if plane == Plane::FrontalMask {
            let inside = |x, y| if self.mask(x, y) { 1.0 } else { 0.0 };
            return pixels.each(inside).into_iter().map(|value| if value > 0.5 { 255 } else { 0 }).collect();
        }
        let vessels = Vessels::new(self.anatomy.pattern, plane);
        let film = match plane {
            Plane::Lateral => pixels.each(|x, y| self.lateral(x, y, &vessels)),
            _ => pixels.each(|x, y| self.frontal(x, y, &vessels)),
        };
        let Exposure { gain, lift, gamma, noise, grain, .. } = self.exposure;
        let mut rng = stream(&["grain", &grain.to_string(), plane.key(), &side.to_string()]);
        let grain = normals(&mut rng, film.len());
        // grain is per pixel of a film of 64; a finer film has more of it
        let noise = noise * (side as f32 / 64.0).sqrt();
        let expose = |(value, grain): (f32, f32)| {
            let value = (value.clamp(0.0, 1.0).powf(gamma) - 0.5) * gain + 0.5 + lift + noise * grain;
            (value * 255.0).round().clamp(0.0, 255.0) as u8
        };
        film.into_iter().zip(grain).map(expose).collect()
    }

    fn frontal(&self, x: f32, y: f32, vessels: &Vessels) -> f32 {
        let Anatomy { width, height, heart, diaphragm, ribs, vessels: strength, .. } = self.anatomy;
        let body = inside(ellipse(x, y - 0.25, 0.92 * width, 1.35 * height));
        let lung = frontal_lungs(x, y, &self.anatomy);
        let grown = self.lesions.iter().find(|lesion| lesion.kind == Kind::Cardiomegaly);
        let heart = heart + grown.map_or(0.0, |lesion| 0.08 + 0.12 * lesion.strength);
        let heart = inside(ellipse(
            x - 0.10 * width,
            y - diaphragm + 0.24,
            heart * 0.80 * width,
            0.30 + 0.2 * (heart - 0.4),
        ));
        let dome = if x < 0.0 { 0.0 } else { 0.05 };
        let belly = inside(diaphragm + dome + 0.35 * (x.abs() - 0.4).powi(2) - y);
        let spine = bell(x, 0.09);
        let clavicle = bell(y + 0.58 * height + 0.25 * (x.abs() - 0.35), 0.022) * inside(x.abs() - 0.62);
        let air = lung * (1.0 - belly);
        let mut value = 0.05 + body * 0.62 - air * 0.40 * body;
        value += heart * (0.06 * (1.0 - belly) + 0.2 * air) + belly * body * 0.12 + spine * 0.12 * body;
        value += body * ribs * rib_pattern(x, y, height) + clavicle * ribs * 1.6 * body;
        value += lung * strength * vessels.at(x, y) * (1.0 - 0.6 * (x.abs() / 0.6).min(1.0));
        value += lung * strength * 1.3 * (bell(x.abs() - 0.2, 0.07) * bell(y + 0.02, 0.12));
        value += self.lesions.iter().map(|lesion| frontal_lesion(lesion, x, y, &self.anatomy)).sum::<f32>()
            * (0.1 + 0.9 * air);
        value + device(self.device, x, y)
    }

    fn lateral(&self, x: f32, y: f32, vessels: &Vessels) -> f32 {
        let Anatomy { height, heart, diaphragm, ribs, vessels: strength, .. } = self.anatomy;
        let body = inside(ellipse(x, y - 0.25, 0.72, 1.35 * height));
        let lung = inside(ellipse(x - 0.02, y + 0.05, 0.52, 0.72 * height));
        let grown = self.lesions.iter().find(|lesion| lesion.kind == Kind::Cardiomegaly);
        let heart = heart + grown.map_or(0.0, |lesion| 0.05 + 0.08 * lesion.strength);
        let heart = inside(ellipse(x + 0.2, y - diaphragm + 0.26, heart * 0.62, 0.28));
        let belly = inside(diaphragm - 0.05 + 0.25 * (x + 0.1).powi(2) + 0.08 * x - y);
        let spine = bell(x - 0.42, 0.08) * (0.8 + 0.2 * (y * 21.0).sin());
        let sternum = bell(x + 0.55 - 0.1 * y, 0.03);
        let air = lung * (1.0 - belly);
        let mut value = 0.05 + body * 0.66 - air * 0.36 * body;
        value += heart * (0.06 * (1.0 - belly) + 0.16 * air)
            + belly * body * 0.12
            + (spine * 0.18 + sternum * 0.12) * body;
        value += body * ribs * 0.8 * rib_pattern(x * 0.7 + 0.3, y + 0.2 * x, height);
        value += lung * strength * vessels.at(x, y);
        value
            + self.lesions.iter().map(|lesion| lateral_lesion(lesion, x, y, &self.anatomy)).sum::<f32>()
                * (0.1 + 0.9 * air)
    }

    /// Whether a lesion shows there in the frontal view.
    fn mask(&self, x: f32, y: f32) -> bool {
        self.lesions.iter().any(|lesion| match lesion.kind {
            Kind::Cardiomegaly => {
                let grown = self.anatomy.heart + 0.08 + 0.12 * lesion.strength;
                let diaphragm = self.anatomy.diaphragm;
                ellipse(
                    x - 0.10 * self.anatomy.width,
                    y - diaphragm + 0.24,
                    grown * 0.80 * self.anatomy.width,
                    0.34,
                ) < 0.0
            }
            _ => frontal_lesion(lesion, x, y, &self.anatomy) > 0.5 * peak(lesion),
        })
    }
}

/// The pixels of a film, in film coordinates, tilted and shifted by the exposure.
struct Grid<'a> {
    side: u32,
    exposure: &'a Exposure,
}

impl Grid<'_> {
    fn each(&self, value: impl Fn(f32, f32) -> f32) -> Vec<f32> {
        let (sin, cos) = self.exposure.tilt.sin_cos();
        let place = |step: u32| (step as f32 + 0.5) / self.side as f32 * 2.0 - 1.0;
        let mut values = Vec::with_capacity((self.side as usize).pow(2));
        for row in 0..self.side {
            for column in 0..self.side {
                let (x, y) = (place(column) - self.exposure.shift[0], place(row) - self.exposure.shift[1]);
                values.push(value(cos * x - sin * y, sin * x + cos * y));
            }
        }
        values
    }
}

/// A smooth random pattern: a few waves.
struct Vessels(Vec<[f32; 4]>);

impl Vessels {
    fn new(pattern: u64, plane: Plane) -> Self {
        let mut rng = stream(&["vessels", &pattern.to_string(), plane.key()]);
        let wave = |_| {
            let angle = std::f32::consts::TAU * uniform(&mut rng);
            let rate = 8.0 + 18.0 * uniform(&mut rng);
            [
                rate * angle.cos(),
                rate * angle.sin(),
                std::f32::consts::TAU * uniform(&mut rng),
                0.3 + uniform(&mut rng),
            ]
        };
        Self((0..6).map(wave).collect())
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        self.0
            .iter()
            .map(|[right, down, phase, strength]| strength * (right * x + down * y + phase).sin())
            .sum::<f32>()
            * 0.4
    }
}

fn frontal_lungs(x: f32, y: f32, anatomy: &Anatomy) -> f32 {
    let lung = |centre: f32| {
        inside(ellipse(x - centre * anatomy.width, y + 0.03, 0.29 * anatomy.width, 0.68 * anatomy.height))
    };
    lung(-0.40).max(lung(0.40))
}

/// Pairs of ribs: dark gaps and light arcs that fall outwards.
fn rib_pattern(x: f32, y: f32, height: f32) -> f32 {
    let fall = 0.32 * x.abs() - 0.25 * x * x;
    let phase = (y / height - fall) * 22.0;
    let chest = inside(y.abs() - 0.72) * inside(x.abs() - 0.78) * (1.0 - bell(x, 0.1));
    chest * phase.sin().max(-0.2)
}

/// How much a lesion adds at its densest.
fn peak(lesion: &Lesion) -> f32 {
    match lesion.kind {
        Kind::Opacity => 0.06 + 0.16 * lesion.strength,
        Kind::Nodule => 0.10 + 0.18 * lesion.strength,
        Kind::Effusion => 0.32,
        Kind::Cardiomegaly => 0.0, // it is drawn as the heart
    }
}

fn frontal_lesion(lesion: &Lesion, x: f32, y: f32, anatomy: &Anatomy) -> f32 {
    let [at_x, at_y, _] = lesion.at;
    let (dx, dy) = (x - at_x, y - at_y);
    match lesion.kind {
        Kind::Opacity => {
            // uneven, as an infiltrate is
            let uneven = 1.0 + 0.25 * (19.0 * dx + 7.0 * at_y).sin() * (17.0 * dy).cos();
            peak(lesion) * bell((dx * dx + 0.7 * dy * dy).sqrt(), lesion.radius) * uneven
        }
        Kind::Nodule => peak(lesion) * inside((dx * dx + dy * dy).sqrt() - lesion.radius),
        Kind::Effusion => {
            // a meniscus: higher at the chest wall
            let wall = (x * at_x.signum() / anatomy.width - 0.15).max(0.0);
            let level = anatomy.diaphragm - (0.05 + 0.22 * lesion.strength) * (0.3 + 1.8 * wall * wall);
            let lung = inside(ellipse(
                x - 0.40 * at_x.signum() * anatomy.width,
                y + 0.03,
                0.29 * anatomy.width,
                0.68,
            ));
            peak(lesion) * inside(level - y) * inside(y - anatomy.diaphragm - 0.05) * lung
        }
        Kind::Cardiomegaly => 0.0,
    }
}

fn lateral_lesion(lesion: &Lesion, x: f32, y: f32, anatomy: &Anatomy) -> f32 {
    let [_, at_y, at_z] = lesion.at;
    let (dx, dy) = (x - at_z, y - at_y);
    match lesion.kind {
        Kind::Opacity => 0.7 * peak(lesion) * bell((dx * dx + 0.7 * dy * dy).sqrt(), lesion.radius),
        Kind::Nodule => 0.8 * peak(lesion) * inside((dx * dx + dy * dy).sqrt() - lesion.radius),
        Kind::Effusion => {
            let back = (x - 0.1).max(0.0);
            let level = anatomy.diaphragm - 0.05 - (0.05 + 0.2 * lesion.strength) * (0.3 + 3.0 * back * back);
            0.8 * peak(lesion)
                * inside(level - y)
                * inside(y - anatomy.diaphragm)
                * inside(ellipse(x, y, 0.52, 0.72))
        }
        Kind::Cardiomegaly => 0.0,
    }
}

fn device(device: Option<Device>, x: f32, y: f32) -> f32 {
    match device {
        None => 0.0,
        Some(Device::Pacemaker) => {
            0.3 * inside(ellipse(x - 0.42, y + 0.42, 0.09, 0.07))
                + 0.12 * bell(x - 0.25 + 0.3 * y, 0.012) * inside(y.abs() - 0.4)
        }
        Some(Device::Wires) => (0..4)
            .map(|wire| {
                0.25 * bell(
                    ((x - 0.02).powi(2) + (y + 0.3 - 0.18 * wire as f32).powi(2)).sqrt() - 0.03,
                    0.012,
                )
            })
            .sum(),
        Some(Device::Port) => {
            0.28 * inside(ellipse(x + 0.42, y + 0.36, 0.055, 0.055))
                + 0.1 * bell(x + 0.25, 0.012) * inside(y.abs() - 0.36)
        }
    }
}

/// Distance from an ellipse round the origin, roughly: negative inside.
fn ellipse(x: f32, y: f32, a: f32, b: f32) -> f32 {
    (((x / a).powi(2) + (y / b).powi(2)).sqrt() - 1.0) * a.min(b)
}

/// 1 inside (a negative distance), 0 outside, with a soft edge.
fn inside(distance: f32) -> f32 {
    let t = (0.5 - distance / (2.0 * SOFT)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// A bell of height 1.
fn bell(distance: f32, width: f32) -> f32 {
    let t = distance / width;
    if t.abs() > 4.0 { 0.0 } else { (-0.5 * t * t).exp() }
}
