//! The grammar of what a clause is about: a model, a finding and a metric, certified or under attack. A part of the
//! grammar in [`sentence`](super::sentence).

use super::node::suggest;
use super::parser::{Parsed, Parser};
use super::token::Kind;
use super::{Asked, Metric, OfClasses};

/// Before the metric of a certificate.
const CERTIFIED: &str = "certified";

/// What a clause is about.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) model: usize,
    pub(super) asked: Asked,
    pub(super) metric: Metric,
    /// Whether it holds against every change in a ball.
    pub(super) is_certified: bool,
}

impl Parser<'_> {
    /// What a clause is about; a later clause may leave out what is the same as before.
    pub(super) fn subject(&mut self, earlier: Option<&Subject>) -> Parsed<Subject> {
        if let (Some(Kind::AtLeast | Kind::AtMost), Some(earlier)) = (self.peek(), earlier) {
            return Ok(earlier.clone());
        }
        let word = self.word().unwrap_or_default();
        let (model, known) = match (earlier, self.names.models) {
            (Some(earlier), _) if Metric::begins_with(&word) || word == CERTIFIED => {
                (earlier.model, Some(&earlier.asked))
            }
            (Some(earlier), _) if self.begins_asked(&word) => (earlier.model, None),
            (None, [_]) if self.begins_asked(&word) => (0, None),
            (Some(_) | None, _) => (self.model()?, None),
        };
        let start = self.at;
        let asked = match known {
            Some(asked) => asked.clone(),
            None => self.asked()?,
        };
        let is_certified = self.take_word(&[CERTIFIED]);
        if is_certified && !matches!(asked, Asked::Abnormal | Asked::Class(_)) {
            self.at -= 1;
            let help = "ask for a certificate where the data have no findings, or for an attack here";
            return Err(self.complain("no certificate is offered for a finding", help));
        }
        let metric = self.metric()?;
        if asked == Asked::SumOfFindings && metric != Metric::Cost {
            self.at = start;
            let help = "name a finding, or `every finding`, before another metric";
            return Err(self.complain("only harm is added up over findings", help));
        }
        let asked = self.of_class(asked, metric, (start, known.is_some()))?;
        if asked == Asked::MeanOfFindings && metric != Metric::Auroc {
            self.at = start;
            let help = "write `mean auroc`, or `every finding` before another metric";
            return Err(self.complain("only areas are averaged over findings", help));
        }
        Ok(Subject { model, asked, metric, is_certified })
    }

    /// Whether a word begins what says which finding is meant.
    fn begins_asked(&self, word: &str) -> bool {
        let names = self.names.findings;
        let is_name = names.iter().chain(self.names.classes).any(|name| name.eq_ignore_ascii_case(word));
        is_name || !names.is_empty() && ["every", "each", "mean"].contains(&word)
    }

    /// Which of a model's answers is meant.
    fn asked(&mut self) -> Parsed<Asked> {
        let names = self.names.findings;
        if names.is_empty() {
            return Ok(self.class());
        }
        if self.take_word(&["mean"]) {
            return Ok(Asked::MeanOfFindings);
        }
        if self.take_word(&["every", "each"]) {
            if self.take_word(&["finding"]) {
                return Ok(Asked::EveryFinding);
            }
            return Err(self.complain("`finding` is expected after `every`", "write `every finding`"));
        }
        let word = self.word().unwrap_or_default();
        if let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(&word)) {
            self.at += 1;
            return Ok(Asked::Finding(name.clone()));
        }
        let known: Vec<&str> = names.iter().map(String::as_str).chain(["every finding", "mean"]).collect();
        if Metric::of_word(&word) == Some(Metric::Cost) {
            return Ok(Asked::SumOfFindings);
        }
        if word.is_empty() || Metric::begins_with(&word) {
            let help = format!("name one before the metric: {}", known.join(", "));
            return Err(self.complain("the finding that is meant is missing", help));
        }
        Err(self.complain(format!("`{word}` is no finding of the data"), suggest(&word, &known)))
    }

    /// The class that is named, if one is.
    fn class(&mut self) -> Asked {
        let word = self.word().unwrap_or_default();
        let place = self.names.classes.iter().position(|name| name.eq_ignore_ascii_case(&word));
        self.at += usize::from(place.is_some());
        place.map_or(Asked::Abnormal, |place| Asked::Class(place as u16))
    }

    /// What is asked, if it fits the metric where there are more than two classes. `start` is where the class stands or
    /// would stand; a class that an earlier clause named is dropped by a metric of all classes.
    fn of_class(
        &mut self,
        asked: Asked,
        metric: Metric,
        (start, is_earlier): (usize, bool),
    ) -> Parsed<Asked> {
        let Some(example) = self.names.classes.last() else { return Ok(asked) };
        let (name, known) = (metric.name(), self.names.classes.join(", "));
        let (message, help) = match (metric.of_classes(), &asked) {
            (OfClasses::All, Asked::Class(_)) if is_earlier => return Ok(Asked::Abnormal),
            (OfClasses::One, Asked::Class(_)) | (OfClasses::All, Asked::Abnormal) => return Ok(asked),
            (OfClasses::All, _) => (
                format!("`{name}` is about all classes"),
                format!("leave the class out, or ask for `{example} sensitivity`"),
            ),
            (OfClasses::One, _) => (
                format!("the class that `{name}` is about is missing"),
                format!("name one before it, such as `{example} {name}`; the classes are {known}"),
            ),
            (OfClasses::None, _) => (
                format!(
                    "`{name}` is defined for two classes, and the data have {}",
                    self.names.classes.len()
                ),
                format!("ask for `accuracy`, `macro accuracy` or `{example} sensitivity`"),
            ),
        };
        self.at = start;
        Err(self.complain(message, help))
    }

    /// The index of a model, by its name.
    pub(super) fn model(&mut self) -> Parsed<usize> {
        let known: Vec<&str> = self.names.models.iter().map(|model| model.name.as_str()).collect();
        let Some(Kind::Word(word)) = self.peek() else {
            let quotes = match self.peek() {
                Some(Kind::AtLeast | Kind::AtMost) => {
                    "; within [ ] a sentence that holds a comma needs quotes"
                }
                _ => "",
            };
            let help = format!("begin with a model's name: {}{quotes}", known.join(", "));
            return Err(self.complain("a model's name is expected here", help));
        };
        match known.iter().position(|name| name.eq_ignore_ascii_case(word)) {
            Some(model) => {
                self.at += 1;
                Ok(model)
            }
            None => Err(self.complain(format!("`{word}` is no model of this spec"), suggest(word, &known))),
        }
    }
}
