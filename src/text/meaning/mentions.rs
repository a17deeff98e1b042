//! Finds the mentions of findings in a sentence: by name, or by a quality of a place ("the heart is enlarged",
//! "clear lungs", "no acute bony abnormality").

use super::read::{Hit, Sentence};
use super::terms::{Cue, Finding, Quality, TERMS, Term};

/// A mention of a finding, in token positions of its sentence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mention {
    pub finding: Finding,
    pub start: usize,
    pub end: usize,
    /// The token that a negator or an expression of doubt must precede.
    pub key: usize,
    /// Where the statement about a place starts, if a verb separates the two: a negator must come after it.
    pub said_from: Option<usize>,
    /// Whether the mention calls its place normal.
    pub is_normal: bool,
}

/// The mentions of a sentence, in order.
pub(super) fn mentions(sentence: &Sentence<'_>) -> Vec<Mention> {
    let mut found: Vec<Mention> = Vec::new();
    let mut pairs = Pairs {
        sentence,
        group: Vec::new(),
        is_closed: false,
        attribute: None,
        waiting: Vec::new(),
        found: Vec::new(),
    };
    for (at, hit) in sentence.hits.iter().enumerate() {
        for term in hit.terms() {
            match term {
                Term::Finding(finding) => {
                    found.push(Mention {
                        finding: *finding,
                        start: hit.start,
                        end: hit.end,
                        key: hit.start,
                        said_from: None,
                        is_normal: false,
                    });
                }
                Term::Place(place) => pairs.place(*hit, *place),
                Term::Quality(quality) => pairs.quality(at, *quality),
                _ => {}
            }
        }
    }
    pairs.settle();
    found.append(&mut pairs.found);
    found.sort_by_key(|mention| (mention.key, mention.start, mention.finding));
    found
}

/// Combines places and qualities, from left to right.
struct Pairs<'s, 't> {
    sentence: &'s Sentence<'t>,
    /// Places that the next quality would describe.
    group: Vec<(Hit, u8)>,
    /// Whether a quality already described them, so that the next place starts a new group.
    is_closed: bool,
    /// A quality in front of its place: "normal heart size".
    attribute: Option<(Hit, Quality)>,
    /// Places that share the attribute, unless something else describes them: "normal heart size and hila".
    waiting: Vec<(Hit, u8)>,
    found: Vec<Mention>,
}

impl Pairs<'_, '_> {
    fn place(&mut self, hit: Hit, place: u8) {
        if self.is_whole(hit) {
            return;
        }
        if self.is_closed || self.is_parted(hit) {
            self.settle();
        }
        match self.attribute {
            Some((quality, of)) if self.group.is_empty() => {
                self.say(quality, of, hit, place);
            }
            Some(_) => self.waiting.push((hit, place)),
            None => {}
        }
        self.group.push((hit, place));
    }

    /// Whether this place complements the last one: "structures of the thorax".
    fn is_whole(&self, hit: Hit) -> bool {
        let of = TERMS.word("of");
        self.group.last().is_some_and(|(last, _)| {
            hit.start - last.end <= 2 && last.end < hit.start && self.sentence.tokens[last.end].number == of
        })
    }

    /// Whether a verb, a finding or "with" separates the last place from this one.
    fn is_parted(&self, hit: Hit) -> bool {
        let parting = [Cue::Verb, Cue::With, Cue::Where, Cue::Before];
        let is_finding = |other: &Hit| other.terms().iter().any(|term| matches!(term, Term::Finding(_)));
        self.group.last().is_some_and(|(last, _)| {
            self.sentence
                .between(last.end, hit.start)
                .any(|other| other.is_any(&parting) || is_finding(other))
        })
    }

    fn quality(&mut self, at: usize, quality: Quality) {
        let hit = self.sentence.hits[at];
        let is_noun = matches!(quality, Quality::Problem | Quality::Matter);
        let is_serious = quality != Quality::Matter || self.is_acute(hit);
        // a finding takes the quality before it, unless that is "normal"
        let is_next = |next: &&Hit| match quality {
            Quality::Normal => is_place(next),
            _ => next.terms().iter().any(|term| is_subject(*term)),
        };
        let next = self.sentence.hits[at + 1..].iter().find(is_next);
        match next {
            Some(next) if is_place(next) && is_serious && self.is_joined(hit, *next, is_noun) => {
                self.settle();
                self.attribute = Some((hit, quality));
            }
            Some(next) if !is_place(next) && !is_noun && self.is_joined(hit, *next, false) => {}
            _ => self.predicate(hit, quality, is_serious),
        }
    }

    /// The statement about the group, or about the study as a whole.
    fn predicate(&mut self, hit: Hit, quality: Quality, is_serious: bool) {
        let is_noun = matches!(quality, Quality::Problem | Quality::Matter);
        let last = self.group.last().map(|(place, _)| place.end);
        let is_near = last.is_some_and(|end| hit.start <= end + 1);
        if self.group.is_empty() || (is_noun && self.is_closed) {
            if is_noun && is_serious {
                self.found.extend(Finding::named("abnormality").map(|finding| Mention {
                    finding,
                    start: hit.start,
                    end: hit.end,
                    key: hit.start,
                    said_from: None,
                    is_normal: false,
                }));
            }
            return;
        }
        let is_new = last.is_some_and(|end| {
            self.sentence.between(end, hit.start).any(|other| other.is(Cue::Start) && other.is(Cue::Verb))
        });
        if !(is_serious || is_near) || is_new || self.is_amount(hit) {
            return;
        }
        let group =
            if self.waiting.is_empty() { self.group.clone() } else { std::mem::take(&mut self.waiting) };
        for (place_hit, place) in group {
            self.say(hit, quality, place_hit, place);
        }
        self.is_closed = true;
    }

    /// Gives the places that have no quality yet the one before the first of them; then starts a new group.
    fn settle(&mut self) {
        if let Some((quality, of)) = self.attribute.take() {
            for (hit, place) in std::mem::take(&mut self.waiting) {
                self.say(quality, of, hit, place);
            }
        }
        self.group.clear();
        self.waiting.clear();
        self.is_closed = false;
    }

    fn say(&mut self, quality: Hit, of: Quality, hit: Hit, place: u8) {
        let Some(finding) = TERMS.pair_of(of, place) else { return };
        let has_verb = hit.end <= quality.start && self.sentence.has(hit.end, quality.start, &[Cue::Verb]);
        self.found.push(Mention {
            finding,
            start: hit.start.min(quality.start),
            end: hit.end.max(quality.end),
            key: quality.start,
            said_from: has_verb.then_some(hit.end),
            is_normal: of == Quality::Normal,
        });
    }

    /// Whether the word is a quality. "large" is a quality after a verb and an amount elsewhere.
    fn is_amount(&self, hit: Hit) -> bool {
        let is_amount = hit.terms().iter().any(|term| matches!(term, Term::Severity(_)));
        is_amount && !self.sentence.has(hit.start.saturating_sub(3), hit.start, &[Cue::Verb])
    }

    fn is_acute(&self, hit: Hit) -> bool {
        let acute = TERMS.word("acute");
        let tokens = &self.sentence.tokens[hit.start.saturating_sub(5)..hit.start];
        tokens.iter().any(|token| token.number == acute)
    }

    /// Whether a quality is right before what it describes: "normal heart", "abnormality of the heart".
    fn is_joined(&self, quality: Hit, next: Hit, needs_of: bool) -> bool {
        let gap = quality.end..next.start;
        let numbers = || self.sentence.tokens[gap.clone()].iter().map(|token| token.number);
        let has_of = ["of", "in", "within"].iter().any(|word| numbers().next() == Some(TERMS.word(word)));
        let parting = [
            Cue::Verb,
            Cue::Link,
            Cue::With,
            Cue::End,
            Cue::Before,
            Cue::After,
            Cue::Doubt,
            Cue::Where,
            Cue::Start,
        ];
        let from = gap.start + usize::from(has_of);
        let is_parted = self.sentence.has(from, gap.end, &parting)
            || self.sentence.comma(gap.start.saturating_sub(1), gap.end);
        gap.len() <= 4 && !is_parted && (has_of || !needs_of)
    }
}

fn is_subject(term: Term) -> bool {
    matches!(term, Term::Place(_) | Term::Finding(_))
}

fn is_place(hit: &Hit) -> bool {
    hit.terms().iter().any(|term| matches!(term, Term::Place(_)))
}
