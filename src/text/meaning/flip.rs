//! The directional edit, which turns the meaning of a text round. A text that affirms disease then denies it; a
//! text that affirms none then affirms one that it denied. "There is a small effusion." becomes "There is no
//! small effusion."; "No effusion." becomes "Effusion."

use super::mentions::Mention;
use super::read::{self, Hit, Sentence};
use super::scope::Sense;
use super::terms::{Cue, TERMS, Term};
use super::{Finding, Polarity, Statement, Status, meaning, statements_of};
use crate::text::words::{Word, words};

/// Denies every disease that the text affirms or, if it affirms none, affirms one that it denies. This inverts
/// `Meaning::abnormal`. None if there is nothing to flip.
pub fn flip(text: &str) -> Option<String> {
    if meaning(text).abnormal() { deny(text) } else { affirm(text) }
}

/// Words to replace, by position, and their replacements.
struct Edit {
    from: usize,
    to: usize,
    by: String,
}

/// Denies the affirmed diseases one by one. Where the grammar is too complex for the rules, a plain denial replaces
/// the sentence.
fn deny(text: &str) -> Option<String> {
    let mut text = text.to_string();
    loop {
        let (there, spoken) = diseases(&text);
        if there == 0 {
            return Some(text);
        }
        // the loop ends because every step denies one more and drops none
        let is_step = |edited: &String| {
            let (left, still) = diseases(edited);
            left < there && spoken.iter().all(|finding| still.contains(finding))
        };
        text = [denial as Rule, plain_denial]
            .iter()
            .filter_map(|rule| first(&text, *rule, Statement::is_abnormal))
            .find(is_step)?;
    }
}

/// Affirms the first denied disease that the rules can affirm. Named diseases come before those that a normal place
/// denies.
fn affirm(text: &str) -> Option<String> {
    let flipped = |is_normal: bool| {
        edits(text, affirmation, is_denied)
            .into_iter()
            .filter(move |(mention, _)| mention.is_normal == is_normal)
            .map(|(_, edit)| apply(text, &edit))
            .find(|edited| meaning(edited).abnormal())
    };
    flipped(false).or_else(|| flipped(true))
}

/// The number of affirmed diseases, and the diseases that the text affirms or denies.
fn diseases(text: &str) -> (usize, Vec<Finding>) {
    let said = super::statements(text);
    let there = said.iter().filter(|said| said.is_abnormal()).count();
    let spoken = said.iter().filter(|said| said.is_abnormal() || is_denied(said)).map(|said| said.finding);
    (there, spoken.collect())
}

fn is_denied(said: &Statement) -> bool {
    said.finding.is_disease() && said.polarity == Polarity::Negated && said.status == Status::Current
}

type Rule = fn(&Sentence<'_>, &Mention, &Sense) -> Edit;

fn first(text: &str, rule: Rule, is_wanted: impl Fn(&Statement) -> bool) -> Option<String> {
    edits(text, rule, is_wanted).first().map(|(_, edit)| apply(text, edit))
}

/// The edits of a rule for the given statements.
fn edits(text: &str, rule: Rule, is_wanted: impl Fn(&Statement) -> bool) -> Vec<(Mention, Edit)> {
    let tokens = read::tokens(text);
    let mut found = Vec::new();
    for sentence in read::sentences(&tokens) {
        for (said, (mention, sense)) in statements_of(&sentence) {
            if is_wanted(&said) {
                found.push((mention, rule(&sentence, &mention, &sense)));
            }
        }
    }
    found
}

fn replace(sentence: &Sentence<'_>, hit: &Hit, by: &str) -> Edit {
    let (first, last) = (sentence.tokens[hit.start], sentence.tokens[hit.end - 1]);
    let to = last.word + 1;
    // "has been", "were" and similar verbs stay
    match by.strip_prefix("is ") {
        Some(rest) if first.number == TERMS.word("is") && last.word > first.word => {
            Edit { from: first.word + 1, to, by: rest.to_string() }
        }
        _ => Edit { from: first.word, to, by: by.to_string() },
    }
}

/// Removes the negator, or calls the place abnormal.
fn affirmation(sentence: &Sentence<'_>, mention: &Mention, sense: &Sense) -> Edit {
    match sense.denied_by {
        Some((negator, cue)) => replace(sentence, &negator, TERMS.opposite(negator.phrase, cue)),
        None => match sentence.hits.iter().find(|hit| hit.start == mention.key) {
            Some(quality) => replace(sentence, quality, "abnormal"),
            None => Edit { from: 0, to: 0, by: String::new() },
        },
    }
}

/// Denies a finding where it is mentioned: "no" before its noun phrase, "not" before the statement about a place.
fn denial(sentence: &Sentence<'_>, mention: &Mention, sense: &Sense) -> Edit {
    if let Some((negator, cue)) = sense.denied_by.filter(|_| mention.is_normal) {
        return replace(sentence, &negator, TERMS.opposite(negator.phrase, cue));
    }
    if let Some(doubt) = sense.doubted_by {
        let by = TERMS.opposite(doubt.phrase, Cue::Doubted);
        if !by.is_empty() {
            return replace(sentence, &doubt, by);
        }
    }
    let (start, article) =
        group(sentence, if mention.said_from.is_some() { mention.key } else { mention.start });
    let at = sentence.tokens[start].word;
    if article {
        let before = sentence.tokens[start - 1].word;
        return Edit { from: before, to: before + 1, by: "no".to_string() };
    }
    let is_noun = sentence
        .hits
        .iter()
        .any(|hit| hit.start == mention.key && hit.terms().iter().any(|term| is_noun(*term)));
    let by = if mention.said_from.is_some() && !is_noun { "not" } else { "no" };
    Edit { from: at, to: at, by: by.to_string() }
}

fn is_noun(term: Term) -> bool {
    use super::terms::Quality;
    matches!(term, Term::Finding(_) | Term::Quality(Quality::Problem | Quality::Matter))
}

/// The start of the noun phrase of a mention, and whether an article precedes it.
fn group(sentence: &Sentence<'_>, key: usize) -> (usize, bool) {
    let parting = [
        Cue::Verb,
        Cue::Seen,
        Cue::Where,
        Cue::Link,
        Cue::With,
        Cue::Doubt,
        Cue::Before,
        Cue::After,
        Cue::End,
        Cue::Asked,
    ];
    let mut start = key;
    while start > 0 && !sentence.comma(start - 1, start) {
        let hit = sentence.hits.iter().find(|hit| hit.end == start);
        if hit.is_some_and(|hit| {
            (hit.is_any(&parting) && !hit.is(Cue::Filler))
                || hit.terms().iter().any(|term| matches!(term, Term::Finding(_)))
        }) {
            break;
        }
        if hit.is_some_and(|hit| hit.is(Cue::Article)) {
            return (start, true);
        }
        start = hit.map_or(start - 1, |hit| hit.start);
    }
    (start, false)
}

/// Replaces the sentence with "No" and the findings that it mentions.
fn plain_denial(sentence: &Sentence<'_>, _: &Mention, _: &Sense) -> Edit {
    let mut names: Vec<&str> = Vec::new();
    for (said, _) in statements_of(sentence) {
        if (said.is_abnormal() || is_denied(&said)) && !names.contains(&said.finding.name()) {
            names.push(said.finding.name());
        }
    }
    let last = sentence.tokens.len() - 1;
    let (from, to) = (sentence.tokens[0].word, sentence.tokens[last].word + 1);
    Edit { from, to, by: format!("No {}.", names.join(" or ")) }
}

/// Replaces words of the text; a capital at the start of a sentence is kept there.
fn apply(text: &str, edit: &Edit) -> String {
    let all = words(text);
    let mut parts: Vec<String> = all[..edit.from].iter().map(Word::whole).collect();
    let rest = &all[edit.to..];
    let front = all.get(edit.from).map_or("", |word| word.core);
    let has_capital = front.chars().next().is_some_and(char::is_uppercase) && !front.starts_with("XX");
    let (leading, trailing) = match &all[edit.from..edit.to] {
        [] => ("", ""),
        taken => {
            (taken[0].leading, if edit.by.ends_with('.') { "" } else { taken[taken.len() - 1].trailing })
        }
    };
    let mut rest: Vec<String> = rest.iter().map(Word::whole).collect();
    if edit.by.is_empty() {
        if let (Some(next), true) = (rest.first_mut(), has_capital) {
            *next = capital(next);
        }
    } else {
        let by = if has_capital { capital(&edit.by) } else { edit.by.clone() };
        parts.push(format!("{leading}{by}{trailing}"));
        if let (Some(next), true) = (rest.first_mut(), has_capital && edit.from == edit.to) {
            *next = small(next);
        }
    }
    parts.append(&mut rest);
    parts.join(" ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Lowercases the first letter, unless further letters are capitals too.
fn small(text: &str) -> String {
    if text.chars().skip(1).any(char::is_uppercase) {
        return text.to_string();
    }
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}
