//! The balls of certificates: what may change of a case, and how much. A certificate says that no case in the ball changes
//! the model's answer.
//!
//! ```text
//! ball  = part { ("and" | "+") part }                     at most one part a kind of input
//! part  = norm number [("inside" | "outside") mask]       `l2 0.25`, `linf 1/255 inside lesion`
//!       | number unit                                     `2 words`, `1 edit`, `1 synonym`, `1 section`
//!       | number "%" "patch"                              `5% patch`
//!       | "missing" ("image" | "report")
//! ```

use std::fmt;

use super::kinds::kinds;
use super::node::suggest;
use super::number::{Number, written_percent, written_radius};
use super::parser::{Complaint, Parsed, Parser};
use super::token::Kind;
use super::{Absence, Mask, Names, Norm, Region};

/// What may change of a case at once: its pixels, its words, or both; never neither.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ball {
    /// What may change of the pixels of all views.
    pub pixels: Option<PixelChange>,
    /// What may change of the words.
    pub words: Option<WordChange>,
}

/// What may change of the pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PixelChange {
    /// Any change of at most this norm, in the model's pixels, which are in [0, 1].
    Within {
        /// What measures it.
        norm: Norm,
        /// The largest norm, above 0.
        radius: f64,
        /// The pixels that may change.
        region: Region,
    },
    /// Any pixels in one square, anywhere in the image.
    Patch {
        /// Share of the image that it covers, above 0 and below 1.
        share: f64,
    },
    /// The image is missing.
    Missing,
}

/// What may change of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordChange {
    /// At most so many changes of a kind.
    Changed {
        /// What a change is.
        unit: WordUnit,
        /// The most changes, above 0.
        count: u32,
    },
    /// The report is missing.
    Missing,
}

/// What must be known about a change of words.
#[derive(Debug, Clone, Copy)]
pub struct WordUnitFacts {
    /// Its name in a sentence, for one.
    pub name: &'static str,
    /// Its name for several.
    pub plural: &'static str,
    /// The most that a sentence may ask for.
    pub most: u32,
}

kinds! {
    /// What one change of a report is.
    pub enum WordUnit of WordUnitFacts {
        /// A word is replaced by any other word.
        Word = WordUnitFacts { name: "word", plural: "words", most: 100 };
        /// A word is inserted, deleted or replaced.
        Edit = WordUnitFacts { name: "edit", plural: "edits", most: 100 };
        /// A word is replaced by one of its synonyms in medcert's lexicon. All of them are tried, so two at most.
        Synonym = WordUnitFacts { name: "synonym", plural: "synonyms", most: 2 };
        /// A section of the report is dropped. All of them are tried, so two at most.
        Section = WordUnitFacts { name: "section", plural: "sections", most: 2 };
    }
}

impl Ball {
    /// The norm, radius and region of its change of pixels, if it is one.
    pub fn within(&self) -> Option<(Norm, f64, Region)> {
        match self.pixels {
            Some(PixelChange::Within { norm, radius, region }) => Some((norm, radius, region)),
            Some(PixelChange::Patch { .. } | PixelChange::Missing) | None => None,
        }
    }

    /// The mask that says which pixels may change, if there is one.
    pub fn mask(&self) -> Option<Mask> {
        self.within().and_then(|(.., region)| region.mask())
    }
}

impl fmt::Display for Ball {
    /// As a sentence writes it, so that it is read as the same ball.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pixels = self.pixels.map(|change| change.to_string());
        let words = self.words.map(|change| change.to_string());
        let parts: Vec<String> = pixels.into_iter().chain(words).collect();
        f.write_str(&parts.join(" and "))
    }
}

impl fmt::Display for PixelChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within { norm, radius, region } => {
                write!(f, "{} {}{}", norm.name(), written_radius(*radius), region.written())
            }
            Self::Patch { share } => write!(f, "{} patch", written_percent(*share)),
            Self::Missing => write!(f, "{} image", Absence::Missing.name()),
        }
    }
}

impl fmt::Display for WordChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { unit, count: 1 } => write!(f, "1 {}", unit.name()),
            Self::Changed { unit, count } => write!(f, "{count} {}", unit.facts().plural),
            Self::Missing => write!(f, "{} report", Absence::Missing.name()),
        }
    }
}

/// Parses a ball such as `l2 0.25 inside lesion and 2 words`.
///
/// # Errors
/// Its first fault.
pub fn parse_ball(text: &str, names: Names<'_>) -> Result<Ball, Complaint> {
    let mut parser = Parser::new(text, names);
    let ball = parser.ball()?;
    match parser.peek() {
        None => Ok(ball),
        Some(_) => Err(parser.complain("nothing more is expected here", "join two changes with `and`")),
    }
}

/// How a ball is written, for help texts.
const HELP: &str = "write `l2 0.25`, `linf 1/255`, `2 words`, `1 edit`, `5% patch`, `1 synonym`, `1 section`, `missing image` or \
                    two of them joined by `and`";

/// A part of a ball.
enum Part {
    Pixels(PixelChange),
    Words(WordChange),
}

impl Parser<'_> {
    /// What may change, after `within`.
    pub(super) fn ball(&mut self) -> Parsed<Ball> {
        let mut ball = Ball { pixels: None, words: None };
        loop {
            let start = self.at;
            let is_second = match self.part_of_ball()? {
                Part::Pixels(change) => ball.pixels.replace(change).is_some(),
                Part::Words(change) => ball.words.replace(change).is_some(),
            };
            if is_second {
                self.at = start;
                let help = "keep one change of the pixels and one of the words";
                return Err(self.complain("a ball changes each input in one way", help));
            }
            if !self.goes_on() {
                return Ok(ball);
            }
            self.at += 1;
        }
    }

    /// Whether `+`, or `and` before another part, comes next; an `and` before anything else begins a clause.
    fn goes_on(&self) -> bool {
        let is_and = self.word().as_deref() == Some("and");
        let begins_part = match self.peek_after() {
            Some(Kind::Number(_)) => true,
            Some(Kind::Word(word)) => {
                norm_named(word).is_some() || word.eq_ignore_ascii_case(Absence::Missing.name())
            }
            _ => false,
        };
        self.peek() == Some(&Kind::Plus) || is_and && begins_part
    }

    fn part_of_ball(&mut self) -> Parsed<Part> {
        if let Some(Kind::Number(number)) = self.peek() {
            let number = *number;
            return self.counted_part(number);
        }
        let word = self.word().unwrap_or_default();
        if let Some(norm) = norm_named(&word) {
            self.at += 1;
            return self.normed_part(norm);
        }
        if self.take_word(&[Absence::Missing.name()]) {
            if self.take_word(&["image", "images"]) {
                return Ok(Part::Pixels(PixelChange::Missing));
            }
            if self.take_word(&["report", "reports"]) {
                return Ok(Part::Words(WordChange::Missing));
            }
            let help = "write `missing image` or `missing report`";
            return Err(self.complain("which input is missing has to follow", help));
        }
        Err(self.complain("what may change is expected here", HELP))
    }

    /// `5% patch`, or a count and what is counted.
    fn counted_part(&mut self, number: Number) -> Parsed<Part> {
        let start = self.at;
        self.at += 1;
        if self.take_word(&["patch"]) {
            let share = number.changed_share().ok().filter(|share| *share < 1.0);
            return share.map(|share| Part::Pixels(PixelChange::Patch { share })).ok_or_else(|| {
                self.at = start;
                self.complain("a patch covers more than 0% and less than 100%", "write `5% patch`")
            });
        }
        let word = self.word().unwrap_or_default();
        let is_named = |unit: &&WordUnit| [unit.name(), unit.facts().plural].contains(&word.as_str());
        let Some(unit) = WordUnit::ALL.iter().find(is_named) else {
            let units = WordUnit::ALL.iter().flat_map(|unit| [unit.name(), unit.facts().plural]);
            let known: Vec<&str> = units.chain(["patch"]).collect();
            let help = if word.is_empty() { HELP.to_string() } else { suggest(&word, &known) };
            return Err(self.complain("what is counted is expected here", help));
        };
        let most = unit.facts().most;
        let whole = number.whole().filter(|count| (1..=most).contains(count));
        let Some(count) = whole else {
            self.at = start;
            let help = format!("write `1 {}` or up to `{most} {}`", unit.name(), unit.facts().plural);
            return Err(self.complain(format!("this is a whole number from 1 to {most}"), help));
        };
        self.at += 1;
        Ok(Part::Words(WordChange::Changed { unit: *unit, count }))
    }

    /// The radius, and where the pixels may change.
    fn normed_part(&mut self, norm: Norm) -> Parsed<Part> {
        self.take(&Kind::Equals);
        let Some(Kind::Number(number)) = self.peek() else {
            let help = "write a radius in pixel units, such as `l2 0.25` or `linf 1/255`";
            return Err(self.complain("a radius is expected here", help));
        };
        let radius = number.radius(norm).map_err(|(message, help)| self.complain(message, help))?;
        self.at += 1;
        let start = self.at;
        let has_region = self.word().is_some_and(|word| ["inside", "outside"].contains(&word.as_str()));
        let region = if has_region { self.region()? } else { Region::Everywhere };
        if region.mask() == Some(Mask::Attribution) {
            self.at = start;
            let help = "name a region that is known beforehand: `lesion`, or a file of `masks`";
            return Err(
                self.complain("an attack would choose these pixels, as it changes the attribution", help)
            );
        }
        Ok(Part::Pixels(PixelChange::Within { norm, radius, region }))
    }
}

fn norm_named(word: &str) -> Option<Norm> {
    [Norm::Linf, Norm::L2].into_iter().find(|norm| norm.name().eq_ignore_ascii_case(word))
}
