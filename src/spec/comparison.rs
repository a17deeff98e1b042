//! The grammar of metrics and of what they are compared with. It stands in [`sentence`](super::sentence).

use super::node::suggest;
use super::parser::{Parsed, Parser};
use super::token::Kind;
use super::{Bound, Direction, Metric};

impl Parser<'_> {
    /// `≥` and what must be reached, or `≤` and what must not be exceeded.
    pub(super) fn comparison(&mut self, model: usize, metric: Metric) -> Parsed<Bound> {
        let (name, direction) = (metric.name(), metric.direction());
        let (wanted, opposite, ascii) = match direction {
            Direction::AtLeast => (Kind::AtLeast, Kind::AtMost, ">="),
            Direction::AtMost => (Kind::AtMost, Kind::AtLeast, "<="),
        };
        if self.take(&wanted) {
            return match direction {
                Direction::AtLeast => self.bound(model, metric),
                Direction::AtMost => self.limit(metric),
            };
        }
        let sign = direction.sign();
        let help = match (self.peek(), direction) {
            (Some(kind), Direction::AtMost) if *kind == opposite => {
                format!("less of it is better: write `{sign}`")
            }
            (Some(kind), Direction::AtLeast) if *kind == opposite => {
                format!("a requirement says what must at least be reached: write `{sign}`")
            }
            (Some(Kind::Other('>' | '<')), _) => format!("write `{sign}` or `{ascii}`"),
            (Some(_) | None, _) => {
                format!(
                    "write `{sign}` or `{ascii}` and a threshold, such as `{sign} {}`",
                    metric.row().example
                )
            }
        };
        Err(self.complain(format!("`{sign}` is expected after `{name}`"), help))
    }

    /// What must not be exceeded.
    fn limit(&mut self, metric: Metric) -> Parsed<Bound> {
        let Some(Kind::Number(number)) = self.peek() else {
            let help = format!(
                "write a number such as `{}`; only a metric with `≥` can be compared with another model",
                metric.row().example
            );
            return Err(self.complain("a number is expected here", help));
        };
        let read = match metric {
            Metric::Cost => number.amount(),
            _ => number.share(),
        };
        let most = read.map_err(|(message, help)| self.complain(message, help))?;
        self.at += 1;
        Ok(Bound::AtMost(most))
    }

    /// `in every ATTRIBUTE`, one or more words, before the condition or after it.
    pub(super) fn group(&mut self) -> Parsed<Option<String>> {
        if !self.take_word(&["in"]) {
            return Ok(None);
        }
        if !self.take_word(&["every", "each"]) {
            return Err(self.complain("`every` is expected after `in`", "write `in every view`"));
        }
        let start = self.at;
        while self
            .word()
            .is_some_and(|word| !["at", "under", "with", "and", "within"].contains(&word.as_str()))
        {
            self.at += 1;
        }
        if self.at == start {
            let help = "name what the cases are grouped by, such as `in every view` or `in every sex`";
            return Err(self.complain("an attribute of the cases is expected here", help));
        }
        Ok(Some(self.written(start)))
    }

    /// The metric's name or alias; an alias may have two words.
    pub(super) fn metric(&mut self) -> Parsed<Metric> {
        let Some(word) = self.word() else {
            let help = format!("name one: {}", Metric::words().join(", "));
            return Err(self.complain("a metric is expected here", help));
        };
        self.at += 1;
        if let Some(metric) = Metric::of_word(&word) {
            return Ok(metric);
        }
        if let Some(metric) = self.word().and_then(|second| Metric::of_word(&format!("{word} {second}"))) {
            self.at += 1;
            return Ok(metric);
        }
        let begins = |alias: &&&str| alias.split_once(' ').is_some_and(|(first, _)| first == word);
        if let Some(alias) = Metric::words().iter().find(begins) {
            let second = alias.split_once(' ').map_or("", |(_, second)| second);
            return Err(
                self.complain(format!("`{second}` is expected after `{word}`"), format!("write `{alias}`"))
            );
        }
        self.at -= 1;
        Err(self.complain(format!("`{word}` is no metric"), suggest(&word, &Metric::words())))
    }

    /// What must be reached: a share, or another model's.
    fn bound(&mut self, model: usize, metric: Metric) -> Parsed<Bound> {
        if let Some(Kind::Number(number)) = self.peek() {
            let share = number.share().map_err(|(message, help)| self.complain(message, help))?;
            self.at += 1;
            return Ok(Bound::Rate(share));
        }
        if !matches!(self.peek(), Some(Kind::Word(_))) {
            let help = "write a share such as `90%`, or another model's, such as `language accuracy − 2%`";
            return Err(self.complain("what must be reached is expected here", help));
        }
        if !metric.row().compares {
            let (message, help) = match metric {
                Metric::Auroc => ("areas of two models are not compared".to_string(), "auroc"),
                _ => (format!("the {} of two models are not compared", metric.name()), metric.name()),
            };
            return Err(self.complain(message, format!("write a share such as `{help} ≥ 90%`")));
        }
        let start = self.at;
        let other = self.model()?;
        if other == model {
            self.at = start;
            return Err(self.complain("a model cannot be compared with itself", "name another model"));
        }
        let start = self.at;
        // the class may be named again
        if self
            .names
            .classes
            .iter()
            .any(|name| self.word().is_some_and(|word| name.eq_ignore_ascii_case(&word)))
        {
            self.at += 1;
        }
        let metric_of_other = self.metric()?;
        if metric_of_other != metric {
            self.at = start;
            let help = format!("compare {} with {0}", metric.name());
            return Err(self.complain("two different metrics cannot be compared", help));
        }
        let sign = match self.peek() {
            Some(Kind::Plus) => 1.0,
            Some(Kind::Minus) => -1.0,
            _ => return Ok(Bound::Model { model: other, offset: 0.0 }),
        };
        self.at += 1;
        let Some(Kind::Number(number)) = self.peek() else {
            return Err(self.complain("a margin is expected here", "write a share such as `2%`"));
        };
        let margin = number.share().map_err(|(message, help)| self.complain(message, help))?;
        self.at += 1;
        Ok(Bound::Model { model: other, offset: sign * margin })
    }
}
