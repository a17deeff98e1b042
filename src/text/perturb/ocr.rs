//! OCR confusions: a scanner misreads letters of similar shape (rn for m, 1 for l). Such errors break models that
//! were trained on clean text: van Strien et al. (ICAART 2020, "Assessing the impact of OCR quality on downstream
//! NLP tasks"). The shapes are in `ocr.txt`.
//!
//! A place is a word with a confusable shape; one shape in it, drawn uniformly, becomes one of its doubles,
//! drawn uniformly. Shapes are matched in their letter case. Access: none. Cost: one evaluation a draw.

use std::ops::Range;
use std::sync::LazyLock;

use super::document::Page;
use super::edit::Edit;
use super::kind::{Kind, Noise, Place, entries};

pub(super) struct Ocr;

/// Sets of shapes that are mistaken for one another.
static SHAPES: LazyLock<Vec<Vec<&str>>> = LazyLock::new(|| entries(include_str!("ocr.txt")).collect());

/// The shapes that start with each ASCII letter: set, and place in the set.
static BY_LETTER: LazyLock<Vec<Vec<(usize, usize)>>> = LazyLock::new(|| {
    let mut found = vec![Vec::new(); 128];
    for (set, shapes) in SHAPES.iter().enumerate() {
        for (place, shape) in shapes.iter().enumerate() {
            if let Some(starts) = shape.bytes().next().and_then(|first| found.get_mut(usize::from(first))) {
                starts.push((set, place));
            }
        }
    }
    found
});

/// The shapes of a word: set, place in the set, and byte at which it starts.
fn shapes(core: &str) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
    core.bytes().enumerate().flat_map(move |(at, letter)| {
        let starts = BY_LETTER.get(usize::from(letter)).map_or(&[][..], Vec::as_slice);
        let fits = move |(set, place): &&(usize, usize)| core[at..].starts_with(SHAPES[*set][*place]);
        starts.iter().filter(fits).map(move |(set, place)| (*set, *place, at))
    })
}

impl Kind for Ocr {
    fn places(&self, page: &Page<'_>, _: usize) -> Vec<Place> {
        let places = page.spoken().filter(|&word| shapes(page.words[word].core).next().is_some());
        places.map(|word| Place::drawn(word..word + 1)).collect()
    }

    fn draw(&self, page: &Page<'_>, words: &Range<usize>, _: usize, noise: &mut Noise<'_>) -> Option<Edit> {
        let core = page.words[words.start].core;
        let found: Vec<_> = shapes(core).collect();
        let (set, own, byte) = *noise.pick(&found)?;
        let set = &SHAPES[set];
        let other = (own + 1 + noise.below(set.len() - 1)) % set.len();
        let (at, letters) = (core[..byte].chars().count(), set[own].chars().count());
        Some(Edit::Letters { word: words.start, at, letters, by: set[other].to_string() })
    }
}
