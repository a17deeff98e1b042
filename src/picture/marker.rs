//! Burned-in side markers and text. Cost: one model evaluation.
//!
//! White letters of 5 × 7 cells each, 8 mm from a corner of the film: a side marker (L or R) or words such as
//! PORTABLE. The corner and the text are random, so a marker may be on the wrong side. The severity sets the
//! height of the letters. Networks infer the hospital and the patient's state from such letters (Zech et al.,
//! PLoS Medicine 15, 2018, arXiv 1807.00431; DeGrave, Janizek, Lee, Nature Machine Intelligence 3, 2021). Lead
//! markers are 10 to 20 mm high; the largest letters hide a shoulder or a costophrenic angle.
//!
//! | severity | 1 | 2 | 3 | 4 | 5 |
//! |---|---|---|---|---|---|
//! | marker, mm high | 8 | 13 | 20 | 32 | 48 |
//! | text, mm high | 5 | 8 | 12 | 18 | 26 |

use rand_chacha::ChaCha12Rng;

use super::film::{Film, SIDE_MM};
use crate::random::below;

/// Height of a marker in mm at each severity.
pub const MARKER_MM: [f32; 5] = [8.0, 13.0, 20.0, 32.0, 48.0];
/// Height of the text in mm at each severity.
pub const TEXT_MM: [f32; 5] = [5.0, 8.0, 12.0, 18.0, 26.0];

/// Distance of the letters from the edges of the film, in mm.
const MARGIN_MM: f32 = 8.0;
/// Sampling points per side of a pixel, to estimate its share of ink.
const POINTS: usize = 4;
// cells of a letter, and columns from one letter to the next
const ROWS: usize = 7;
const COLUMNS: usize = 5;
const PITCH: usize = 6;

/// The letters on a film, and their corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The letters.
    pub text: &'static str,
    /// Whether the letters are on the right of the picture.
    pub right: bool,
    /// Whether the letters are at the bottom of the picture.
    pub bottom: bool,
}

impl Stamp {
    /// Draws a side marker at random.
    pub fn marker(rng: &mut ChaCha12Rng) -> Self {
        Self::any(&["L", "R"], rng)
    }

    /// Draws a text at random.
    pub fn words(rng: &mut ChaCha12Rng) -> Self {
        Self::any(&["PORTABLE", "AP ERECT", "AP SUPINE", "PA", "ICU"], rng)
    }

    fn any(texts: &[&'static str], rng: &mut ChaCha12Rng) -> Self {
        let text = texts[below(rng, texts.len())];
        Self { text, right: below(rng, 2) == 1, bottom: below(rng, 2) == 1 }
    }

    /// Left, top, width and height of the letters, in mm from the upper left corner of the film.
    pub fn frame(self, height_mm: f32) -> [f32; 4] {
        let columns = (self.text.len() * PITCH).saturating_sub(PITCH - COLUMNS);
        let width = columns as f32 * height_mm / ROWS as f32;
        let left = if self.right { SIDE_MM - MARGIN_MM - width } else { MARGIN_MM };
        let top = if self.bottom { SIDE_MM - MARGIN_MM - height_mm } else { MARGIN_MM };
        [left, top, width, height_mm]
    }

    /// Writes the letters on the film, at this height in mm.
    pub fn burn(self, film: Film<'_>, height_mm: f32) -> Vec<f32> {
        let [left, top, ..] = self.frame(height_mm);
        let cell = height_mm / ROWS as f32;
        let step = film.pixel_mm() / POINTS as f32;
        let start = SIDE_MM / 2.0 - film.pixel_mm() / 2.0 + step / 2.0;
        film.map_with_place(|value, x, y| {
            let points = (0..POINTS * POINTS).map(|point| {
                let (across, down) = ((point % POINTS) as f32 * step, (point / POINTS) as f32 * step);
                ((x + start + across - left) / cell, (y + start + down - top) / cell)
            });
            let ink = points.filter(|&(column, row)| self.is_ink(column, row)).count();
            value + (1.0 - value) * ink as f32 / (POINTS * POINTS) as f32
        })
    }

    /// Whether the letters have ink at a position, in cells.
    fn is_ink(self, column: f32, row: f32) -> bool {
        if column < 0.0 || !(0.0..ROWS as f32).contains(&row) {
            return false;
        }
        let (column, row) = (column as usize, row as usize);
        let letter = self.text.as_bytes().get(column / PITCH);
        let inside = column % PITCH < COLUMNS;
        inside && letter.is_some_and(|&letter| glyph(letter)[row] >> (COLUMNS - 1 - column % PITCH) & 1 == 1)
    }
}

/// The rows of a letter from the top; the leftmost cell is the highest of five bits.
#[rustfmt::skip]
fn glyph(letter: u8) -> [u8; ROWS] {
    match letter {
        b'A' => [0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        b'B' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110],
        b'C' => [0b01110, 0b10001, 0b10000, 0b10000, 0b10000, 0b10001, 0b01110],
        b'E' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111],
        b'I' => [0b01110, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        b'L' => [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
        b'N' => [0b10001, 0b11001, 0b11001, 0b10101, 0b10011, 0b10011, 0b10001],
        b'O' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        b'P' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000],
        b'R' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001],
        b'S' => [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110],
        b'T' => [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100],
        b'U' => [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        _ => [0; ROWS],
    }
}
