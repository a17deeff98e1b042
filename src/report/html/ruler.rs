//! An estimate with its interval and its threshold, drawn to scale.

use std::fmt::Write as _;

use super::svg::{Markup, Scale, anchor, class_of, image};
use crate::judge::{ClauseFinding, figure, goal, goal_points, percent_beside, points_beside};
use crate::plan::Clause;
use crate::spec::{Bound, Direction, Metric};

/// What the numbers of a clause are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Unit {
    /// A share of cases, or an area, 0 to 1.
    Share,
    /// A score or a cost, in the user's unit.
    Plain(Metric),
    /// A difference of shares, −1 to 1.
    Points,
}

/// What a clause asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Goal {
    pub(super) unit: Unit,
    /// On which side of the threshold a value has to be.
    pub(super) direction: Direction,
}

impl Goal {
    /// The goal of a clause; one that compares with what was accepted has no clause of the plan.
    pub(super) fn of(clause: Option<&Clause>) -> Self {
        let Some(clause) = clause else { return Self { unit: Unit::Points, direction: Direction::AtLeast } };
        let unit = match (&clause.bound, clause.metric) {
            (Bound::Model { .. }, _) => Unit::Points,
            (_, metric @ (Metric::Brier | Metric::Cost)) => Unit::Plain(metric),
            _ => Unit::Share,
        };
        Self { unit, direction: clause.bound.direction() }
    }

    /// A number in its unit, on its side of the threshold.
    pub(super) fn said(self, value: f64, threshold: f64) -> String {
        match self.unit {
            Unit::Share => percent_beside(value, threshold),
            Unit::Plain(metric) => figure(metric, value, threshold),
            Unit::Points => points_beside(value, threshold),
        }
    }

    /// The threshold: `≥ 90 %`.
    pub(super) fn threshold(self, threshold: f64) -> String {
        let sign = self.direction.sign();
        let said = match self.unit {
            Unit::Share => goal(Metric::Accuracy, threshold),
            Unit::Plain(metric) => goal(metric, threshold),
            Unit::Points => goal_points(threshold),
        };
        format!("{sign} {said}")
    }

    /// The scale, and how far apart its marks are.
    fn scale(self, finding: &ClauseFinding) -> (Scale, f64) {
        match self.unit {
            Unit::Share => (Scale::SHARES, 0.25),
            Unit::Plain(_) | Unit::Points => {
                let known = [finding.value, finding.lower, finding.upper, finding.threshold];
                let (scale, step) = Scale::round(if is_known(finding) { &known } else { &known[3..] });
                // both sides of the threshold are seen
                let room = |end: f64| if (end - finding.threshold).abs() < step / 100.0 { step } else { 0.0 };
                let from = scale.from - if self.unit == Unit::Points { room(scale.from) } else { 0.0 };
                (Scale { from, to: scale.to + room(scale.to) }, step)
            }
        }
    }

    /// What stands at a mark of the scale.
    fn at_mark(self, value: f64) -> String {
        match self.unit {
            Unit::Share => goal(Metric::Accuracy, value),
            Unit::Plain(metric) => goal(metric, value),
            Unit::Points => goal_points(value).trim_end_matches(" points").to_string(),
        }
    }
}

/// Whether anything was counted.
pub(super) fn is_known(finding: &ClauseFinding) -> bool {
    finding.estimate.trials > 0
}

/// The drawing of a clause.
pub(super) fn draw(finding: &ClauseFinding, goal: Goal, id: &str) -> Markup {
    let (scale, step) = goal.scale(finding);
    let at = |value: f64| scale.at(value);
    let threshold = at(finding.threshold);
    let (from, to) = match goal.direction {
        Direction::AtLeast => (threshold, 100.0),
        Direction::AtMost => (0.0, threshold),
    };
    let mut body = format!(
        "<rect class=\"track\" y=\"17\" width=\"100%\" height=\"14\"/>\
         <rect class=\"wanted\" x=\"{from:.3}%\" y=\"17\" width=\"{:.3}%\" height=\"14\"/>",
        to - from
    );
    let labelled = if goal.unit == Unit::Share { 2 } else { 1 };
    for (place, mark) in scale.marks(step).into_iter().enumerate() {
        let x = at(mark);
        let _ = write!(body, "<line class=\"tick\" x1=\"{x:.3}%\" x2=\"{x:.3}%\" y1=\"31\" y2=\"35\"/>");
        if place % labelled == 0 {
            let (side, text) = (anchor(x), goal.at_mark(mark));
            let _ = write!(body, "<text x=\"{x:.3}%\" y=\"46\" text-anchor=\"{side}\">{text}</text>");
        }
    }
    if is_known(finding) {
        let class = class_of(&finding.verdict.to_string());
        let (lower, upper, value) = (at(finding.lower), at(finding.upper), at(finding.value));
        let _ = write!(
            body,
            "<rect class=\"interval {class}\" x=\"{lower:.3}%\" y=\"21\" width=\"{:.3}%\" height=\"6\"/>\
             <circle class=\"estimate {class}\" cx=\"{value:.3}%\" cy=\"24\" r=\"5\"/>",
            upper - lower
        );
    }
    let (side, said) = (anchor(threshold), goal.threshold(finding.threshold));
    let _ = write!(
        body,
        "<line class=\"threshold\" x1=\"{threshold:.3}%\" x2=\"{threshold:.3}%\" y1=\"13\" y2=\"34\"/>\
         <text class=\"goal\" x=\"{threshold:.3}%\" y=\"10\" text-anchor=\"{side}\">{said}</text>"
    );
    image("ruler", id, 48, (&finding.words, &told(finding, goal)), &body)
}

/// The drawing in words.
fn told(finding: &ClauseFinding, goal: Goal) -> String {
    let threshold = goal.threshold(finding.threshold);
    if !is_known(finding) {
        return format!("Nothing was counted; the threshold is {threshold}.");
    }
    let said = |value| goal.said(value, finding.threshold);
    let (value, lower, upper) = (said(finding.value), said(finding.lower), said(finding.upper));
    format!("Estimate {value}, bounds {lower} and {upper}, threshold {threshold}: {}.", finding.verdict)
}
