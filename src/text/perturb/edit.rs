//! Edits of a report, by word position. They can be stored and replayed on the same report without a copy of its
//! text.
//!
//! All edits of a step refer to the words and sections before the step. Positions count from zero over the whole
//! report, including lone punctuation; no two edits touch the same word. The next step refers to the result of
//! this one. A step without edits keeps every byte of the report; any other step puts one space between words.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::document::{Document, Page, ends_sentence};

/// An edit of a report.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Edit {
    /// Deletes a word with its punctuation.
    Delete {
        /// Its position.
        word: usize,
    },
    /// Replaces words; the punctuation before the first and after the last stays.
    Replace {
        /// Position of the first.
        word: usize,
        /// Number of words, at least one, all in one section.
        words: usize,
        /// The replacement. If it is empty, the punctuation moves to the word before.
        by: String,
    },
    /// Replaces words and their punctuation.
    Rewrite {
        /// Position of the first.
        word: usize,
        /// Number of words, at least one, all in one section.
        words: usize,
        /// The replacement.
        by: String,
    },
    /// Inserts text before a word.
    Insert {
        /// Position of the word.
        before: usize,
        /// The inserted text.
        what: String,
    },
    /// Swaps a word with the next one; the punctuation stays.
    SwapWithNext {
        /// Position of the first.
        word: usize,
    },
    /// Replaces letters of a word.
    Letters {
        /// Position of the word.
        word: usize,
        /// Position of the first letter, within the word without its punctuation.
        at: usize,
        /// Number of letters.
        letters: usize,
        /// The replacement.
        by: String,
    },
    /// Drops a section.
    DropSection {
        /// Its position.
        section: usize,
    },
    /// Reorders the sections: the positions of all of them.
    Order(Vec<usize>),
    /// Puts a heading before a section.
    Heading {
        /// Its position.
        section: usize,
        /// The heading.
        heading: String,
    },
    /// Numbers the sentences of a section.
    Enumerate {
        /// Its position.
        section: usize,
    },
    /// Writes a section in capitals.
    Capitals {
        /// Its position.
        section: usize,
    },
}

/// The text of the report after one step.
///
/// # Errors
/// An edit does not fit the document; the message names the edit and the reason.
pub fn apply(document: &Document, edits: &[Edit]) -> Result<String, String> {
    Ok(lay(document, edits)?.document.text())
}

/// The text of the report after several steps in turn.
///
/// # Errors
/// An edit does not fit the document after the steps before it; the message names the edit and the reason.
pub fn replay(document: &Document, steps: &[Vec<Edit>]) -> Result<String, String> {
    Ok(after(document, steps)?.text())
}

/// The report after several steps in turn.
///
/// # Errors
/// As for [`replay`].
pub fn after(document: &Document, steps: &[Vec<Edit>]) -> Result<Document, String> {
    let mut current = Cow::Borrowed(document);
    for edits in steps {
        current = Cow::Owned(lay(&current, edits)?.document);
    }
    Ok(current.into_owned())
}

/// The origin of a word of an edited document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// The edited words that start at this position: the index among their replacements.
    Word(usize, usize),
    /// Inserted before this word: the index among the inserted words.
    Before(usize, usize),
    /// Part of the heading of this section.
    Heading(usize, usize),
    /// The number of a sentence in this section.
    Number(usize, usize),
}

/// A document after a step, with the origin of its words and sections.
pub(super) struct Laid {
    pub document: Document,
    pub words: Vec<Origin>,
    pub sections: Vec<usize>,
}

/// What a step does to a word.
enum Fate<'a> {
    Stays,
    Gone,
    /// This text replaces its core, or the core of the span up to `last`.
    Core {
        by: Cow<'a, str>,
        last: usize,
    },
    /// This text replaces the word and its punctuation.
    Whole(&'a str),
}

/// What a step does to a section.
#[derive(Default, Clone)]
struct Fashion<'a> {
    is_dropped: bool,
    is_enumerated: bool,
    is_capital: bool,
    heading: Option<&'a str>,
}

/// A document while a step is applied to it.
struct Sheet<'a> {
    page: &'a Page<'a>,
    fates: Vec<Fate<'a>>,
    inserted: Vec<(usize, &'a str)>,
    fashions: Vec<Fashion<'a>>,
    order: Option<&'a [usize]>,
}

/// Applies a step to a document.
pub(super) fn lay(document: &Document, edits: &[Edit]) -> Result<Laid, String> {
    let page = Page::new(document);
    if edits.is_empty() {
        return Ok(Laid {
            document: document.clone(),
            words: (0..page.words.len()).map(|word| Origin::Word(word, 0)).collect(),
            sections: (0..document.sections.len()).collect(),
        });
    }
    let mut sheet = Sheet {
        page: &page,
        fates: page.words.iter().map(|_| Fate::Stays).collect(),
        inserted: Vec::new(),
        fashions: vec![Fashion::default(); document.sections.len()],
        order: None,
    };
    for edit in edits {
        sheet.add(edit).map_err(|why| format!("{edit:?} does not fit: {why}"))?;
    }
    Ok(sheet.finish())
}

impl<'a> Sheet<'a> {
    /// Marks words that no edit has touched yet, and records at the first of them what happens to them.
    fn take(&mut self, words: Range<usize>, fate: Fate<'a>) -> Result<(), String> {
        let held = words.start < words.end && self.page.section_of(&words).is_some();
        let fates = self.fates.get_mut(words).filter(|_| held).ok_or("no section holds these words")?;
        if !fates.iter().all(|fate| matches!(fate, Fate::Stays)) {
            return Err("another edit touches the same word".to_string());
        }
        fates.fill_with(|| Fate::Gone);
        fates[0] = fate;
        Ok(())
    }

    fn fashion(&mut self, section: usize) -> Result<&mut Fashion<'a>, String> {
        self.fashions.get_mut(section).ok_or_else(|| "there is no such section".to_string())
    }

    fn add(&mut self, edit: &'a Edit) -> Result<(), String> {
        let end = |word: usize, words: usize| word.saturating_add(words);
        match edit {
            Edit::Delete { word } => self.take(*word..end(*word, 1), Fate::Gone),
            Edit::Replace { word, words, by } => {
                let fate = Fate::Core { by: by.into(), last: end(*word, *words).saturating_sub(1) };
                self.take(*word..end(*word, *words), fate)
            }
            Edit::Rewrite { word, words, by } => self.take(*word..end(*word, *words), Fate::Whole(by)),
            Edit::Insert { before, what } if *before < self.fates.len() => {
                self.inserted.push((*before, what));
                Ok(())
            }
            Edit::Insert { .. } => Err("there is no such word".to_string()),
            Edit::SwapWithNext { word } => self.swap(*word),
            Edit::Letters { word, at, letters, by } => {
                let core = self.page.words.get(*word).ok_or("there is no such word")?.core;
                let by = respelt(core, *at, *letters, by).ok_or("the word has fewer letters")?;
                self.take(*word..end(*word, 1), Fate::Core { by: by.into(), last: *word })
            }
            Edit::DropSection { section } => self.fashion(*section).map(|of| of.is_dropped = true),
            Edit::Enumerate { section } => self.fashion(*section).map(|of| of.is_enumerated = true),
            Edit::Capitals { section } => self.fashion(*section).map(|of| of.is_capital = true),
            Edit::Heading { section, heading } => self.fashion(*section).map(|of| of.heading = Some(heading)),
            Edit::Order(order) => {
                let mut sorted = order.clone();
                sorted.sort_unstable();
                if self.order.is_some() || !sorted.into_iter().eq(0..self.fashions.len()) {
                    return Err("an order names every section once".to_string());
                }
                self.order = Some(order);
                Ok(())
            }
        }
    }

    fn swap(&mut self, word: usize) -> Result<(), String> {
        let words = &self.page.words;
        let (Some(first), Some(second)) = (words.get(word), words.get(word.saturating_add(1))) else {
            return Err("there is no next word".to_string());
        };
        self.take(word..word + 2, Fate::Core { by: second.core.into(), last: word })?;
        self.fates[word + 1] = Fate::Core { by: first.core.into(), last: word + 1 };
        Ok(())
    }

    fn finish(mut self) -> Laid {
        self.inserted.sort_by_key(|(before, _)| *before);
        let mut sections: Vec<usize> = match self.order {
            Some(order) => order.to_vec(),
            None => (0..self.fashions.len()).collect(),
        };
        sections.retain(|&section| !self.fashions[section].is_dropped);
        let mut laid = Laid { document: Document::default(), words: Vec::new(), sections: Vec::new() };
        for section in sections {
            let (text, words) = self.section(section);
            if !words.is_empty() {
                laid.document.sections.push(text);
                laid.document.names.extend(self.page.document.names.get(section));
                laid.words.extend(words);
                laid.sections.push(section);
            }
        }
        laid
    }

    /// The text of a section, and the origin of its words.
    fn section(&self, section: usize) -> (String, Vec<Origin>) {
        let fashion = &self.fashions[section];
        let mut line = Line { is_capital: fashion.is_capital, ..Line::default() };
        if let Some(heading) = fashion.heading {
            line.push(heading, |part| Origin::Heading(section, part));
        }
        let (mut sentences, mut starts) = (0, true);
        for word in self.page.sections[section].clone() {
            let piece = self.piece(word);
            let first = self.inserted.partition_point(|(before, _)| *before < word);
            let before = self.inserted[first..].iter().take_while(|(before, _)| *before == word);
            let is_said = piece.is_some() || self.inserted.get(first).is_some_and(|(at, _)| *at == word);
            if fashion.is_enumerated && starts && is_said {
                line.push(&format!("{}.", sentences + 1), |_| Origin::Number(section, sentences));
                sentences += 1;
                starts = false;
            }
            let mut put_in = 0;
            for (_, what) in before {
                put_in += line.push(what, |part| Origin::Before(word, put_in + part));
            }
            match piece {
                Some(piece) if piece.is_loose => line.glue(&piece.text, Origin::Word(word, 0)),
                Some(piece) => drop(line.push(&piece.text, |part| Origin::Word(word, part))),
                None => (),
            }
            starts |= ends_sentence(self.page.words[word].trailing);
        }
        (line.text, line.origins)
    }

    /// The new text of a word; None if it was removed.
    fn piece(&self, place: usize) -> Option<Piece> {
        let word = &self.page.words[place];
        let text = match &self.fates[place] {
            Fate::Stays => word.whole(),
            Fate::Gone => return None,
            Fate::Whole(by) => (*by).to_string(),
            Fate::Core { by, last } => {
                format!("{}{by}{}", word.leading, self.page.words[*last].trailing)
            }
        };
        let is_loose = matches!(&self.fates[place], Fate::Core { by, .. } if by.is_empty());
        Some(Piece { text, is_loose })
    }
}

struct Piece {
    text: String,
    /// Appends punctuation whose word was removed.
    is_loose: bool,
}

/// The text of a section under construction.
#[derive(Default)]
struct Line {
    text: String,
    origins: Vec<Origin>,
    is_capital: bool,
}

impl Line {
    /// Appends words and returns their number.
    fn push(&mut self, text: &str, origin: impl Fn(usize) -> Origin) -> usize {
        let text = if self.is_capital { Cow::Owned(text.to_uppercase()) } else { Cow::Borrowed(text) };
        let mut count = 0;
        for part in text.split_whitespace() {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(part);
            self.origins.push(origin(count));
            count += 1;
        }
        count
    }

    /// Appends punctuation to the previous word, if there is one.
    fn glue(&mut self, punctuation: &str, origin: Origin) {
        if self.text.is_empty() {
            self.push(punctuation, |_| origin);
        } else {
            self.text.push_str(punctuation);
        }
    }
}

/// Replaces letters of a word; None if the word is shorter.
fn respelt(core: &str, at: usize, letters: usize, by: &str) -> Option<String> {
    let end = at.checked_add(letters)?;
    if core.chars().count() < end {
        return None;
    }
    let kept = core.chars().take(at).collect::<String>();
    Some(kept + by + &core.chars().skip(end).collect::<String>())
}
