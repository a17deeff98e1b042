//! Finds the scope of cues: whether a mention is denied, doubted, past or only asked about. The rules follow `NegEx`
//! (Chapman, Bridewell, Hanbury, Cooper and Buchanan, A simple algorithm for identifying negated findings and
//! diseases in discharge summaries, J Biomed Inform 2001) and ideas of `ConText` (Harkema, Dowling, Thornblade
//! and Chapman, J Biomed Inform 2009). A scope extends to the end of the clause, forwards or backwards;
//! pseudo-negations such as "no change" have none.

use super::mentions::Mention;
use super::read::{Hit, Sentence};
use super::terms::Cue;
use super::{Polarity, Status};

/// The scope of a mention, and the cues that set it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sense {
    pub polarity: Polarity,
    pub is_uncertain: bool,
    pub status: Status,
    /// The phrase that denies it (or a normal quality), and as which cue.
    pub denied_by: Option<(Hit, Cue)>,
    /// A phrase after it that expresses doubt, such as "cannot be excluded".
    pub doubted_by: Option<Hit>,
}

/// The scopes of a sentence.
pub(super) struct Scopes<'s, 't> {
    sentence: &'s Sentence<'t>,
    /// The clause of each token.
    clause: Vec<u16>,
    negators: Vec<Hit>,
}

impl<'s, 't> Scopes<'s, 't> {
    pub(super) fn new(sentence: &'s Sentence<'t>, mentions: &[Mention]) -> Self {
        let negators = negators(sentence);
        let clause = clauses(sentence, mentions, &negators);
        Self { sentence, clause, negators }
    }

    /// Whether two tokens belong to one clause.
    pub(super) fn same(&self, a: usize, b: usize) -> bool {
        self.clause.get(a) == self.clause.get(b)
    }

    /// The scope of each mention.
    pub(super) fn senses(&self, mentions: &[Mention]) -> Vec<Sense> {
        let mut senses: Vec<Sense> = mentions.iter().map(|mention| self.sense(mention, mentions)).collect();
        self.weigh(mentions, &mut senses);
        senses
    }

    fn sense(&self, mention: &Mention, mentions: &[Mention]) -> Sense {
        let denied_by = self.negator_before(mention).or_else(|| self.negator_behind(mention, mentions));
        let is_denied = denied_by.is_some() != mention.is_normal;
        let doubted_by = self.behind(mention, Cue::Doubted, mentions);
        let is_doubted = match denied_by {
            Some((negator, Cue::Before)) => {
                self.doubts(negator.start, negator.start).next().is_some_and(|d| negator.start - d.end <= 1)
            }
            _ => self.doubts(mention.key, mention.start).next().is_some(),
        };
        let is_asked = self
            .sentence
            .between(0, mention.start)
            .any(|hit| hit.is(Cue::Asked) && self.same(hit.start, mention.start));
        let status = if is_asked {
            Status::Asked
        } else if self.is_past(mention) {
            Status::Past
        } else {
            Status::Current
        };
        Sense {
            polarity: if is_denied { Polarity::Negated } else { Polarity::Affirmed },
            is_uncertain: is_doubted || doubted_by.is_some(),
            status,
            denied_by,
            doubted_by,
        }
    }

    /// The negator to the left whose scope contains the mention.
    fn negator_before(&self, mention: &Mention) -> Option<(Hit, Cue)> {
        let from =
            if mention.is_normal { mention.key.saturating_sub(3) } else { mention.said_from.unwrap_or(0) };
        let near = self.negators.iter().rev().find(|hit| hit.end <= mention.key)?;
        let is_parted = mention.is_normal && self.sentence.comma(near.end.saturating_sub(1), mention.key);
        let reaches = near.start >= from && self.same(near.end - 1, mention.key) && !is_parted;
        reaches.then_some((*near, Cue::Before))
    }

    /// The negator to the right whose scope contains the mention: "is not seen".
    fn negator_behind(&self, mention: &Mention, mentions: &[Mention]) -> Option<(Hit, Cue)> {
        let near = self.behind(mention, Cue::After, mentions)?;
        (!mention.is_normal).then_some((near, Cue::After))
    }

    /// A cue that applies backwards to the mention: in the same clause, with no verb of another one between.
    fn behind(&self, mention: &Mention, cue: Cue, mentions: &[Mention]) -> Option<Hit> {
        let is_reached = |hit: &&Hit| {
            let to = hit.start.saturating_sub(1).max(mention.end);
            let has_verb = self.sentence.between(mention.end, to).any(|other| other.is(Cue::Verb));
            let parted = [Cue::Before, Cue::Doubt, Cue::After];
            let is_apart = cue == Cue::Doubted
                && (self.sentence.comma(hit.start - 1, hit.start)
                    || self.sentence.has(hit.start - 1, hit.start, &[Cue::Link]));
            hit.is(cue)
                && !is_apart
                && self.same(hit.start, mention.end - 1)
                && !has_verb
                && !self.sentence.has(mention.end, hit.start, &parted)
        };
        let hit = self.sentence.between(mention.end, self.sentence.tokens.len()).find(is_reached)?;
        // "X and Y not seen" denies both; "X at the base. Y not seen" only the nearer, because no list joins them
        let nearer = mentions.iter().find(|other| other.start >= mention.end && other.end <= hit.start);
        let is_listed = nearer.is_none_or(|other| {
            self.sentence.has(mention.end, other.start, &[Cue::Link])
                || self.sentence.comma(mention.end - 1, other.start)
        });
        is_listed.then_some(*hit)
    }

    /// Expressions of doubt whose scope contains a token, the nearest first.
    fn doubts(&self, key: usize, start: usize) -> impl Iterator<Item = &Hit> {
        let sentence = self.sentence;
        sentence.hits.iter().rev().filter(move |hit| {
            let reaches = hit.is(Cue::Doubt) && hit.end <= key && self.same(hit.start, key);
            let start = start.max(hit.end);
            let is_free = !self
                .negators
                .iter()
                .any(|negator| negator.end <= hit.start && self.same(negator.start, hit.start));
            let is_listed = || sentence.has(hit.end, sentence.tokens.len(), &[Cue::Versus]);
            reaches
                && is_free
                && !sentence.has(hit.end, start, &[Cue::With])
                && (!sentence.comma(hit.end - 1, start) || is_listed())
        })
    }

    /// Whether the finding is past: "old", "healed" or "prior" precedes it, or its clause has "history of".
    fn is_past(&self, mention: &Mention) -> bool {
        let parting = [Cue::Verb, Cue::Link, Cue::With, Cue::Where, Cue::Before, Cue::Doubt];
        self.sentence.between(0, mention.key).any(|hit| {
            let gap = hit.end..mention.start.max(hit.end);
            hit.is(Cue::Past)
                && self.same(hit.start, mention.key)
                && gap.len() <= 4
                && !self.sentence.has(gap.start, gap.end, &parting)
                && !self.sentence.comma(gap.start - 1, gap.end)
        })
    }

    /// Whether alternatives make it doubtful: "A versus B" and "A or B" doubt both, unless one is denied.
    fn weigh(&self, mentions: &[Mention], senses: &mut [Sense]) {
        for hit in self.sentence.hits.iter().filter(|hit| hit.is(Cue::Versus)) {
            let before = mentions.iter().rposition(|m| m.end <= hit.start && hit.start - m.end <= 3);
            let after = mentions.iter().position(|m| m.start >= hit.end && m.start - hit.end <= 5);
            let (Some(before), Some(after)) = (before, after) else { continue };
            let is_said = |at: usize| senses[at].polarity == Polarity::Affirmed && !mentions[at].is_normal;
            if is_said(before) && is_said(after) && self.same(mentions[before].key, mentions[after].key) {
                senses[before].is_uncertain = true;
                senses[after].is_uncertain = true;
            }
        }
    }
}

/// The phrases that deny what follows, except pseudo-negations such as "no change".
fn negators(sentence: &Sentence<'_>) -> Vec<Hit> {
    let is_pseudo = |negator: &Hit| {
        let mut at = negator.end;
        for hit in sentence.hits.iter().filter(|hit| hit.start >= negator.end) {
            let known = hit.start <= at + 1 && !sentence.comma(negator.end - 1, hit.start);
            if known && hit.is(Cue::Difference) {
                return true;
            }
            if !known || !hit.is(Cue::Filler) {
                return false;
            }
            at = hit.end;
        }
        false
    };
    sentence.hits.iter().filter(|hit| hit.is(Cue::Before) && !is_pseudo(hit)).copied().collect()
}

/// The state within a clause: nothing denied yet, a negator, a denied finding, a verb after it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    Nothing,
    Negator,
    Finding,
    Verb,
}

/// The clause of each token. A clause ends at "but" and similar words. After a denied list it also ends at a verb
/// and a comma, at "with", and where a new subject starts.
fn clauses(sentence: &Sentence<'_>, mentions: &[Mention], negators: &[Hit]) -> Vec<u16> {
    let mut clause = vec![0_u16; sentence.tokens.len()];
    let (mut number, mut reached, mut done) = (0, Reached::Nothing, 0);
    for hit in &sentence.hits {
        let starts_mention = mentions.iter().any(|mention| mention.key == hit.start);
        let is_subject = hit.is_any(&[Cue::Start, Cue::Doubt, Cue::Before])
            || mentions.iter().any(|m| m.start == hit.start && m.said_from == Some(hit.end))
            || mentions.iter().any(|m| m.start == hit.start && m.is_normal);
        let is_apart = sentence.comma(hit.start.saturating_sub(2), hit.start)
            || sentence.has(hit.start.saturating_sub(2), hit.start, &[Cue::Link]);
        let is_over = match reached {
            Reached::Nothing | Reached::Negator => false,
            Reached::Finding => hit.is(Cue::With) || (is_subject && is_apart),
            Reached::Verb => hit.is(Cue::With) || is_subject || sentence.comma(done.max(1) - 1, hit.start),
        };
        if hit.is(Cue::End) || is_over {
            clause[done..hit.start].fill(number);
            done = hit.start;
            number += 1;
            reached = Reached::Nothing;
        }
        if negators.iter().any(|negator| negator.start == hit.start) {
            reached = Reached::Negator;
        } else if starts_mention && reached == Reached::Negator {
            reached = Reached::Finding;
        } else if hit.is_any(&[Cue::Verb, Cue::Seen]) && reached == Reached::Finding {
            clause[done..hit.start].fill(number);
            done = hit.end;
            clause[hit.start..hit.end].fill(number);
            reached = Reached::Verb;
        }
    }
    clause[done..].fill(number);
    clause
}
