//! Assigns sides and amounts to mentions: to the mention right after the word, else to the nearest of the
//! sentence.

use super::mentions::Mention;
use super::read::{Hit, Sentence};
use super::scope::Scopes;
use super::terms::{Cue, Term};
use super::{Severity, Side};

/// The side and severity of each mention. A side right before a mention, or inside it, wins over one elsewhere.
pub(super) fn attributes(
    sentence: &Sentence<'_>,
    scopes: &Scopes<'_, '_>,
    mentions: &[Mention],
) -> Vec<(Option<Side>, Option<Severity>)> {
    let mut sides = [vec![None; mentions.len()], vec![None; mentions.len()]];
    let mut amounts = vec![None; mentions.len()];
    for hit in &sentence.hits {
        for term in hit.terms() {
            let Some(owner) = owner(sentence, scopes, mentions, hit) else { continue };
            match term {
                Term::Side(side) => {
                    let known = &mut sides[usize::from(!owner.is_joined)][owner.at];
                    *known = Some(known.map_or(*side, |known: Side| known.and(*side)));
                }
                Term::Severity(severity) if owner.is_close && is_amount_of(hit, &mentions[owner.at]) => {
                    amounts[owner.at] = amounts[owner.at].max(Some(*severity));
                }
                _ => {}
            }
        }
    }
    let [joined, mut loose] = sides;
    // "atelectasis or scarring at the left base": the side belongs to both
    for at in (1..mentions.len()).rev() {
        let (before, behind) = (mentions[at - 1].end, mentions[at].start);
        let is_listed = before < behind
            && behind - before <= 3
            && sentence.has(before, behind, &[Cue::Link, Cue::Versus])
            && !sentence.has(before, behind, &[Cue::Verb, Cue::With, Cue::Before]);
        if is_listed && loose[at - 1].is_none() {
            loose[at - 1] = loose[at];
        }
    }
    joined.into_iter().zip(loose).map(|(joined, loose)| joined.or(loose)).zip(amounts).collect()
}

/// Whether an amount may apply: "enlarged" and "large" of a pair are the finding itself; a normal place has none.
fn is_amount_of(hit: &Hit, mention: &Mention) -> bool {
    !mention.is_normal && hit.start != mention.key
}

/// The mention to which an attribute belongs.
struct Owner {
    at: usize,
    /// The attribute is right before the mention, or inside it.
    is_joined: bool,
    /// The attribute is near enough for an amount.
    is_close: bool,
}

fn owner(sentence: &Sentence<'_>, scopes: &Scopes<'_, '_>, mentions: &[Mention], hit: &Hit) -> Option<Owner> {
    let joined = |at| Owner { at, is_joined: true, is_close: true };
    let parting = [Cue::Verb, Cue::With, Cue::End, Cue::Before, Cue::Where, Cue::After];
    let next = mentions.iter().position(|m| m.start >= hit.end);
    let inside = mentions.iter().position(|m| m.start <= hit.start && hit.end <= m.end);
    // "lungs are mildly hypoinflated but clear": within the statement about the lungs, another mention is nearer
    let is_nearer = |next: &usize| inside.is_none_or(|inside| mentions[*next].start < mentions[inside].key);
    if let Some(next) = next.filter(is_nearer) {
        let (from, to) = (hit.end, mentions[next].start);
        // "small left and large right effusions", but not "effusion on the left and pneumothorax"
        let is_listed = next > 0 && sentence.has(from, to, &[Cue::Link]);
        if !is_listed && !sentence.has(from, to, &parting) && !sentence.comma(from - 1, to) {
            return Some(joined(next));
        }
    }
    if let Some(inside) = inside {
        return Some(joined(inside));
    }
    let last = mentions.iter().rposition(|m| m.end <= hit.start && scopes.same(m.end - 1, hit.start));
    if let Some(at) = last {
        let (from, to) = (mentions[at].end, hit.start);
        let is_parted = sentence.comma(from - 1, to) || sentence.has(from, to, &[Cue::With, Cue::Link]);
        return Some(Owner { at, is_joined: false, is_close: !is_parted && to - from <= 4 });
    }
    next.map(|at| Owner { at, is_joined: false, is_close: false })
}
