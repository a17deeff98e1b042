//! The grammar of requirement sentences and conditions:
//!
//! ```text
//! sentence  = clause { ("," | "and") clause }            a later clause keeps the subject
//! clause    = [model] [asked] [metric] ("≥" bound | "≤" number) [group] [("at" | "under" | "with") condition] [group]
//!           | [model] "certified" [metric] ("≥" | "≤") number [group] "within" ball [group]
//! asked     = finding | "every" "finding" | "mean"                              where the data have findings
//! group     = "in" "every" attribute
//! bound     = number | model metric [("+" | "−") number]                          "≤" where less is better
//! condition = "clean" | threat { ("+" | "then" | "×") threat }
//! figure    = model [finding] metric number [("at" | "under" | "with") condition]          what others published
//! threat    = search ["-" norm] ["-" count ["×" count]] { setting }
//!           | number "patch" ["-" count] { setting } | corruption "severity" ["=" | "≤"] number
//!           | [mode] [number] edit ["-" count] { setting } | absence ("image" | "report") | name
//! setting   = "ε" ("=" | "≤") number | key "=" value                               such as "steps=20"
//!           | ("inside" | "outside") ("lesion" | "attribution" | name)
//! mode      = "preserving" | "free" | "directional"
//! ```
//!
//! The grammar of balls is in [`ball`](super::ball). The searches, corruptions, edits and absences are all kinds of their types; the keys and values of settings are in
//! the rows of the searches. A comparison with what was accepted is a sentence of another kind, in
//! [`regression`](super::regression).

use super::node::suggest;
use super::reach::{Certified, reach};
use super::token::{Kind, Token, tokens};
use super::{Asked, Bound, Clause, Condition, Defence, Figure, Metric, Model, Named, Threat};

/// A fault within a sentence: where it starts, in characters from 0, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Characters before the word at fault.
    pub offset: usize,
    /// The word at fault, as written; empty at the sentence's end.
    pub word: String,
    /// What is wrong and why.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// A model's name and what it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInputs {
    /// Its name in the spec.
    pub name: String,
    /// Whether pixels are read.
    pub image: bool,
    /// Whether the report is read.
    pub text: bool,
    /// Side of its square images in pixels, if it reads any.
    pub side: Option<u32>,
    /// What defends it, if it wraps another model.
    pub defence: Option<Defence>,
}

impl ModelInputs {
    /// Those of the models of a spec.
    pub fn all(models: &[Named<Model>]) -> Vec<Self> {
        let of = |(name, model): &Named<Model>| Self {
            name: name.clone(),
            image: model.reads_image(),
            text: model.reads_text(),
            side: model.side(models),
            defence: model.defended().map(|defended| defended.defence),
        };
        models.iter().map(of).collect()
    }
}

/// The names that a sentence may use.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The spec's models.
    pub models: &'a [ModelInputs],
    /// The findings of its data.
    pub findings: &'a [String],
    /// The spec's threats.
    pub threats: &'a [Named<Threat>],
    /// The names of the spec's mask files.
    pub masks: &'a [String],
}

/// Words of the grammar beside the metrics, which no model or threat may be called.
pub(super) const RESERVED: [&str; 34] = [
    "in",
    "every",
    "each",
    "finding",
    "findings",
    "mean",
    "deletion",
    "synonyms",
    "synonym",
    "clean",
    "at",
    "under",
    "with",
    "and",
    "eps",
    "epsilon",
    "word",
    "then",
    "x",
    "inside",
    "outside",
    "the",
    "image",
    "images",
    "report",
    "reports",
    "severity",
    "lesion",
    "attribution",
    "patch",
    "within",
    "certified",
    "l2",
    "linf",
];

/// Parses a sentence.
///
/// # Errors
/// Every fault of the sentence.
pub fn parse_sentence(sentence: &str, names: Names<'_>) -> Result<Vec<Clause>, Vec<Complaint>> {
    let mut parser = Parser::new(sentence, names);
    let mut faults = Vec::new();
    let mut clauses: Vec<Clause> = Vec::new();
    let mut subject: Option<Subject> = None;
    loop {
        match parser.clause(&mut subject) {
            Ok(clause) => clauses.push(clause),
            Err(fault) => {
                faults.push(fault);
                parser.skip_clause();
            }
        }
        if !parser.next_clause() {
            break;
        }
    }
    if faults.is_empty() { Ok(clauses) } else { Err(faults) }
}

/// Parses a figure that others published, such as `vision accuracy 63.06% at FGSM ε=0.01`.
///
/// # Errors
/// Its first fault.
pub fn parse_figure(text: &str, names: Names<'_>) -> Result<Figure, Complaint> {
    let mut parser = Parser::new(text, names);
    let Subject { model, asked, metric, is_certified } = parser.subject(None)?;
    if is_certified {
        let help = "write a figure without an attack, or under one";
        return Err(parser.complain("a published figure is not certified here", help));
    }
    if matches!(asked, Asked::EveryFinding | Asked::MeanOfFindings) {
        return Err(parser.complain("a figure is about one finding", "write one figure a line"));
    }
    let Some(Kind::Number(number)) = parser.peek() else {
        return Err(parser.complain("a figure is expected here", "write a share such as `63.06%`"));
    };
    let share = number.share().map_err(|(message, help)| parser.complain(message, help))?;
    parser.at += 1;
    let condition = parser.optional_condition()?;
    match parser.peek() {
        None => Ok(Figure { model, asked, metric, share, condition }),
        Some(_) => Err(parser.complain("nothing more is expected here", "write one figure a line")),
    }
}

pub(super) type Parsed<T> = Result<T, Complaint>;

pub(super) struct Parser<'a> {
    chars: Vec<char>,
    tokens: Vec<Token>,
    pub(super) at: usize,
    pub(super) names: Names<'a>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &str, names: Names<'a>) -> Self {
        let chars: Vec<char> = text.chars().map(super::invisible::as_space).collect();
        Self { tokens: tokens(&chars), chars, at: 0, names }
    }

    pub(super) fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    /// What follows the next token.
    pub(super) fn peek_after(&self) -> Option<&Kind> {
        self.tokens.get(self.at + 1).map(|token| &token.kind)
    }

    /// The next token, as written; empty at the end.
    pub(super) fn token_text(&self) -> String {
        let token = self.tokens.get(self.at);
        token.map_or_else(String::new, |token| self.chars[token.start..token.end].iter().collect())
    }

    /// The word that comes next, in lower case.
    pub(super) fn word(&self) -> Option<String> {
        match self.peek() {
            Some(Kind::Word(word)) => Some(word.to_lowercase()),
            _ => None,
        }
    }

    pub(super) fn take(&mut self, kind: &Kind) -> bool {
        let found = self.peek() == Some(kind);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_word(&mut self, words: &[&str]) -> bool {
        let found = self.word().is_some_and(|word| words.contains(&word.as_str()));
        self.at += usize::from(found);
        found
    }

    /// A fault at the next token, or at the sentence's end.
    pub(super) fn complain(&self, message: impl Into<String>, help: impl Into<String>) -> Complaint {
        let (start, end) = match self.tokens.get(self.at) {
            Some(token) => (token.start, token.end),
            None => self.tokens.last().map_or((0, 0), |last| (last.end, last.end)),
        };
        Complaint {
            offset: start,
            word: self.chars[start..end].iter().collect(),
            message: message.into(),
            help: help.into(),
        }
    }

    pub(super) fn written(&self, from: usize) -> String {
        let (Some(first), Some(last)) = (self.tokens.get(from), self.tokens[..self.at].last()) else {
            return String::new();
        };
        self.chars[first.start..last.end.max(first.start)].iter().collect()
    }

    fn next_clause(&mut self) -> bool {
        let comma = self.take(&Kind::Comma);
        let and = self.take_word(&["and"]);
        comma || and
    }

    fn skip_clause(&mut self) {
        while self.peek().is_some_and(|kind| *kind != Kind::Comma) {
            self.at += 1;
        }
    }

    fn clause(&mut self, earlier: &mut Option<Subject>) -> Parsed<Clause> {
        let start = self.at;
        let subject = self.subject(earlier.as_ref())?;
        *earlier = Some(subject.clone());
        let Subject { model, asked, metric, is_certified } = subject;
        let bound = self.comparison(model, metric)?;
        let mut group = self.group()?;
        let certified = if is_certified { Some(self.certificate(model, metric, &bound)?) } else { None };
        if !is_certified && self.word().as_deref() == Some("within") {
            let model = &self.names.models[model].name;
            let help = format!("write `{model} certified {} …`, or `under` an attack", metric.name());
            return Err(self.complain("`within` follows what is certified", help));
        }
        let condition = if is_certified { Condition::clean() } else { self.optional_condition()? };
        if group.is_none() {
            group = self.group()?;
        }
        if group.is_some() && asked == Asked::MeanOfFindings {
            self.at -= 1;
            let help = "ask for `every finding` in the groups, or leave `in every` out";
            return Err(self.complain("a mean over findings is not taken in groups", help));
        }
        if self.peek().is_some_and(|kind| *kind != Kind::Comma) && self.word().as_deref() != Some("and") {
            let help = "say `at`, `under` or `with` before an attack; begin another clause after a comma";
            return Err(self.complain("this does not belong to the clause", help));
        }
        Ok(Clause { words: self.written(start), model, asked, metric, bound, group, condition, certified })
    }

    /// What follows `at`, `under` or `with`; clean if nothing does.
    pub(super) fn optional_condition(&mut self) -> Parsed<Condition> {
        if self.take_word(&["at", "under", "with"]) {
            return self.condition();
        }
        Ok(Condition::clean())
    }

    /// What a clause is about; a later clause may leave out what is the same as before.
    fn subject(&mut self, earlier: Option<&Subject>) -> Parsed<Subject> {
        if let (Some(Kind::AtLeast | Kind::AtMost), Some(earlier)) = (self.peek(), earlier) {
            return Ok(earlier.clone());
        }
        let word = self.word().unwrap_or_default();
        let (model, known) = match (earlier, self.names.models) {
            (Some(earlier), _) if is_metric(&word) || word == CERTIFIED => {
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
        if is_certified && asked != Asked::Abnormal {
            self.at -= 1;
            let help = "ask for a certificate where the data have no findings, or for an attack here";
            return Err(self.complain("no certificate is offered for a finding", help));
        }
        let metric = self.metric()?;
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
        let is_finding = names.iter().any(|name| name.eq_ignore_ascii_case(word));
        is_finding || !names.is_empty() && ["every", "each", "mean"].contains(&word)
    }

    /// Which of a model's answers is meant.
    fn asked(&mut self) -> Parsed<Asked> {
        let names = self.names.findings;
        if names.is_empty() {
            return Ok(Asked::Abnormal);
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
        if word.is_empty() || is_metric(&word) {
            let help = format!("name one before the metric: {}", known.join(", "));
            return Err(self.complain("the finding that is meant is missing", help));
        }
        Err(self.complain(format!("`{word}` is no finding of the data"), suggest(&word, &known)))
    }

    /// The ball of a certificate, after what is certified and how much of it.
    fn certificate(&mut self, model: usize, metric: Metric, bound: &Bound) -> Parsed<Certified> {
        let message = match (metric, bound) {
            (
                Metric::Accuracy
                | Metric::Sensitivity
                | Metric::Specificity
                | Metric::Missed
                | Metric::Overcalled,
                Bound::Rate(_) | Bound::AtMost(_),
            ) => None,
            (_, Bound::Model { .. }) => Some("a certified share is compared with a number"),
            (_, Bound::Rate(_) | Bound::AtMost(_)) => Some("this cannot be certified case by case"),
        };
        if let Some(message) = message {
            let help =
                "certified are accuracy, sensitivity, specificity, missed and overcalled, against a number";
            return Err(self.complain(message, help));
        }
        if self.take_word(&["within"]) {
            let start = self.at;
            let ball = self.ball()?;
            return match reach(&self.names.models[model], &ball) {
                Ok(certifier) => Ok(Certified { ball, certifier }),
                Err((message, help)) => {
                    let offset = self.tokens.get(start).map_or(0, |token| token.start);
                    Err(Complaint { offset, word: self.written(start), message, help })
                }
            };
        }
        let help = match self.word().as_deref() {
            Some("at" | "under" | "with") => {
                "a certificate holds against every change in a ball, not against one attack: write `within l2 0.25`"
            }
            _ => "say against what, such as `within l2 0.25 and 2 words`",
        };
        Err(self.complain("`within` and what may change are expected here", help))
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

/// Before the metric of a certificate.
const CERTIFIED: &str = "certified";

/// What a clause is about.
#[derive(Debug, Clone)]
struct Subject {
    model: usize,
    asked: Asked,
    metric: Metric,
    /// Whether it holds against every change in a ball.
    is_certified: bool,
}

/// Whether a metric's name begins with this word.
pub(super) fn is_metric(word: &str) -> bool {
    Metric::words().iter().any(|name| name.split(' ').next() == Some(word))
}
