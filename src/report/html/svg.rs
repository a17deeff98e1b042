//! Drawings (SVG 1.1), made by hand: positions across are per cent of the width, so that text keeps its size on any
//! screen; every drawing has a title and a description for those who do not see it.

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;

use super::super::plain;

/// Text that is markup already; nothing in it comes from data unless [`escaped`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Markup(pub(super) String);

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Markup {}

/// Text that nothing reads as markup.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&#34;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// An image with its name and what it shows, of so many pixels height and the width of its place.
pub(super) fn image(class: &str, id: &str, height: u32, (title, shows): (&str, &str), body: &str) -> Markup {
    let (title, shows) = (escaped(title), escaped(shows));
    Markup(format!(
        "<svg class=\"{class}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" width=\"100%\" height=\"{height}\">\
         <title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{shows}</desc>{body}</svg>"
    ))
}

/// What lies between two ends, as a share of the way; an end where the value lies outside or is no number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// The left or lower end.
    pub(super) from: f64,
    /// The right or upper end.
    pub(super) to: f64,
}

impl Scale {
    /// Shares, from 0 to 1.
    pub(super) const SHARES: Self = Self { from: 0.0, to: 1.0 };

    /// Round numbers round some values, and how far apart its marks are.
    pub(super) fn round(values: &[f64]) -> (Self, f64) {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (least, most) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
        let span = if most - least > 0.0 { most - least } else { 1.0 };
        let power = 10_f64.powf((span / 5.0).log10().floor());
        let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power * 5.0 >= span);
        let step = factor.unwrap_or(10.0) * power;
        (Self { from: (least / step).floor() * step, to: (most / step).ceil().max(1.0) * step }, step)
    }

    /// Per cent of the way.
    pub(super) fn at(self, value: f64) -> f64 {
        let way = (value - self.from) / (self.to - self.from) * 100.0;
        if way.is_finite() { way.clamp(0.0, 100.0) } else { 0.0 }
    }

    /// Its marks.
    pub(super) fn marks(self, step: f64) -> Vec<f64> {
        let count = ((self.to - self.from) / step).round() as usize;
        (0..=count).map(|place| self.from + place as f64 * step).collect()
    }
}

/// Where a text is anchored so that it does not leave the picture.
pub(super) fn anchor(way: f64) -> &'static str {
    match way {
        way if way < 12.0 => "start",
        way if way > 88.0 => "end",
        _ => "middle",
    }
}

/// The shapes of models, so that they differ without colour too.
const SHAPES: [&str; 6] = [
    "M0-4.5a4.5 4.5 0 1 0 .01 0z",
    "M-4-4h8v8h-8z",
    "M0-5.6 5.6 0 0 5.6-5.6 0z",
    "M0-5.4 5.2 4h-10.4z",
    "M0 5.4 5.2-4h-10.4z",
    "M-1.7-5h3.4v3.3H5v3.4H1.7V5h-3.4V1.7H-5v-3.4h3.3z",
];

/// Which colour and shape a model has.
pub(super) fn series(model: usize) -> usize {
    model % SHAPES.len()
}

/// A model's mark at a place in per cent of its picture.
pub(super) fn mark(class: &str, model: usize, (x, y): (f64, f64)) -> String {
    let (series, shape) = (series(model), SHAPES[series(model)]);
    format!(
        "<svg class=\"{class} s{series}\" x=\"{x:.3}%\" y=\"{y:.3}%\" overflow=\"visible\"><path d=\"{shape}\"/></svg>"
    )
}

/// A model's mark in a line of text.
pub(super) fn key(class: &str, model: usize) -> Markup {
    let (series, shape) = (series(model), SHAPES[series(model)]);
    Markup(format!(
        "<svg class=\"{class} key s{series}\" aria-hidden=\"true\" width=\"14\" height=\"14\" viewBox=\"-7 -7 14 14\">\
         <path d=\"{shape}\"/></svg>"
    ))
}

/// A share as a small bar in a table.
pub(super) fn bar(share: f64) -> Markup {
    let width = Scale::SHARES.at(share);
    let mut text = String::from("<svg class=\"bar\" aria-hidden=\"true\" width=\"100%\" height=\"4\">");
    let _ = write!(
        text,
        "<rect class=\"track\" width=\"100%\" height=\"4\"/><rect class=\"part\" width=\"{width:.3}%\" height=\"4\"/></svg>"
    );
    Markup(text)
}

/// The sign of a verdict, or of a word beside verdicts; its word stands beside it.
pub(super) fn sign(word: &str) -> Markup {
    let path = match word {
        "PASS" => "<path d=\"M3 8.5 6.5 12 13 4.5\"/>",
        "FAIL" => "<path d=\"M4 4l8 8M12 4l-8 8\"/>",
        "INCONCLUSIVE" => "<path d=\"M2.5 9c1.6-3.4 3.6-3.4 5.5-1s3.900 2.400 5.500-1\"/>",
        "SUSPECT" => "<path d=\"M8 2.500v7M8 12.800v.4\"/>",
        "VACUOUS" => "<circle cx=\"8\" cy=\"8\" r=\"5\"/><path d=\"M3 13 13 3\"/>",
        "ERROR" => "<path d=\"M8 2 14.500 13.500h-13zM8 6.500v3.200M8 11.700v.2\"/>",
        "waived" => "<path d=\"M3 8h10\"/>",
        _ => "<circle cx=\"8\" cy=\"8\" r=\"5.500\"/><path d=\"M8 5v3.600M8 11v.2\"/>",
    };
    Markup(format!(
        "<svg class=\"sign\" aria-hidden=\"true\" width=\"16\" height=\"16\" viewBox=\"0 0 16 16\">{path}</svg>"
    ))
}

/// A verdict's word with its sign, in its colour.
pub(super) fn badge(word: &str) -> Markup {
    let class = class_of(word);
    Markup(format!("<span class=\"badge {class}\">{}{}</span>", sign(word), escaped(word)))
}

/// The class of a verdict's colour.
pub(super) fn class_of(word: &str) -> &'static str {
    match word {
        "PASS" => "pass",
        "FAIL" => "fail",
        "INCONCLUSIVE" => "inconclusive",
        "SUSPECT" => "suspect",
        "VACUOUS" => "vacuous",
        "ERROR" => "error",
        "waived" | "used" => "waived",
        _ => "warning",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_round_and_hold_their_values() {
        for values in
            [vec![0.075, 0.2, -0.02], vec![-0.4, 0.31], vec![0.0], vec![0.013, f64::NAN], vec![37.0]]
        {
            let (scale, step) = Scale::round(&values);
            assert!(
                scale.to > scale.from && (2..=8).contains(&scale.marks(step).len()),
                "{values:?}: {scale:?}"
            );
            let inside = |value: &&f64| value.is_finite();
            assert!(
                values.iter().filter(inside).all(|value| (scale.from..=scale.to).contains(value)),
                "{values:?}"
            );
        }
    }

    #[test]
    fn what_lies_outside_is_drawn_at_the_end() {
        let drawn = [-1.0, 0.25, 2.0, f64::NAN].map(|value| format!("{:.3}", Scale::SHARES.at(value)));
        assert_eq!(drawn, ["0.000", "25.000", "100.000", "0.000"]);
    }
}
