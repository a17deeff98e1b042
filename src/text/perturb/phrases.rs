//! A table of phrases and their replacements, which kinds of edits look up on a page.

use std::collections::HashMap;
use std::ops::Range;

use super::document::Page;

/// The replacements of each phrase. The words of a phrase are separated by one space.
pub(super) struct Phrases {
    others: HashMap<&'static str, Vec<&'static str>>,
    /// Number of words of the longest phrase that starts with a word.
    longest: HashMap<&'static str, usize>,
}

impl Phrases {
    /// Makes a table from (phrase, replacements) pairs.
    pub fn new(pairs: impl Iterator<Item = (&'static str, &'static str)>) -> Self {
        let (mut others, mut longest) = (HashMap::<_, Vec<_>>::new(), HashMap::new());
        for (phrase, other) in pairs {
            others.entry(phrase).or_default().push(other);
            let first = phrase.split(' ').next().unwrap_or_default();
            let most = longest.entry(first).or_default();
            *most = phrase.split(' ').count().max(*most);
        }
        Self { others, longest }
    }

    /// The replacements of a phrase.
    pub fn of(&self, phrase: &str) -> &[&'static str] {
        self.others.get(phrase).map_or(&[], Vec::as_slice)
    }

    /// Number of phrases.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.others.len()
    }

    /// The phrases on a page, the longest at each word. `lower` ignores letter case.
    pub fn places(&self, page: &Page<'_>, lower: bool) -> Vec<Range<usize>> {
        page.spoken().filter_map(|word| self.at(page, word, lower)).collect()
    }

    fn at(&self, page: &Page<'_>, word: usize, lower: bool) -> Option<Range<usize>> {
        let first = cased(page.words[word].core, lower);
        let most = *self.longest.get(first.as_str())?;
        let spans = (1..=most).rev().map(|count| word..word.saturating_add(count));
        spans
            .into_iter()
            .find(|span| phrase(page, span, lower).is_some_and(|at| self.others.contains_key(at.as_str())))
    }
}

/// The words of a span, if they are in one section without punctuation between them.
pub(super) fn phrase(page: &Page<'_>, span: &Range<usize>, lower: bool) -> Option<String> {
    let words = page.words.get(span.clone())?;
    page.section_of(span)?;
    let is_run = words.windows(2).all(|pair| pair[0].trailing.is_empty() && pair[1].leading.is_empty());
    let cores: Vec<String> = words.iter().map(|word| cased(word.core, lower)).collect();
    is_run.then(|| cores.join(" "))
}

fn cased(core: &str, lower: bool) -> String {
    if lower { core.to_lowercase() } else { core.to_string() }
}
