//! The grammar of requirement sentences and conditions:
//!
//! ```text
//! sentence  = clause { ("," | "and") clause }            a later clause keeps the subject
//! clause    = [model] [asked] [metric] ("≥" bound | "≤" number) [group] [("at" | "under" | "with") condition] [group]
//!           | [model] "certified" [metric] ("≥" | "≤") number [group] "within" ball [group]
//! asked     = finding | "every" "finding" | "mean"             where the data have findings; without it, harm is of all
//!           | class                                            where they have more than two classes
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
//! The parts of the grammar are read where their names say: a clause's subject in [`subject`](super::subject), its bound and
//! group in [`comparison`](super::comparison), conditions in [`condition`](super::condition), settings in
//! [`settings`](super::settings), balls in [`ball`](super::ball). The searches, corruptions, edits and absences are the kinds
//! of their types. A comparison with what was accepted is another kind of sentence, in [`regression`](super::regression).

use super::parser::{Complaint, Parsed, Parser};
use super::reach::{Certified, reach};
use super::subject::Subject;
use super::token::Kind;
use super::{Asked, Bound, Clause, Condition, Figure, Metric, Names};

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
    if matches!(asked, Asked::EveryFinding | Asked::MeanOfFindings | Asked::SumOfFindings) {
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
impl Parser<'_> {
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
        if group.is_some() && matches!(asked, Asked::MeanOfFindings | Asked::SumOfFindings) {
            self.at -= 1;
            let help = "ask for `every finding` in the groups, or leave `in every` out";
            return Err(self.complain("what is taken over all findings is not taken in groups", help));
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
                Err((message, help)) => Err(self.complain_since(start, message, help)),
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
}
