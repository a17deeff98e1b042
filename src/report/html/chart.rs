//! Accuracy against the strength of an attack, a line each model with its 95 % bounds, and what others published.

use std::fmt::Write as _;

use super::super::ReportInput;
use super::svg::{Markup, Scale, anchor, image, key, mark, series};
use crate::judge::{Tally, percent};
use crate::plan::{Attack, ImageAttack};
use crate::spec::{Figure, ImageMethod, Metric, Strength, Threat};

/// Height of the picture in pixels.
pub(super) const HEIGHT: u32 = 240;
/// Per cent of the width that a label under the picture needs.
const APART: f64 = 7.0;

/// A chart with its heading and its key.
pub(super) struct Chart {
    pub(super) name: String,
    pub(super) across: &'static str,
    pub(super) picture: Markup,
    pub(super) keys: Vec<Key>,
    /// The lowest point of all lines, in words.
    pub(super) worst: Option<String>,
    /// Whether published figures are marked in it.
    pub(super) published: Option<Markup>,
}

/// A model in the key of a chart.
pub(super) struct Key {
    pub(super) mark: Markup,
    pub(super) model: String,
    /// `88.6 % → 53.8 %`.
    pub(super) range: String,
}

/// Attacks that differ in their strength alone.
struct Family<'a> {
    /// The first of them.
    attack: &'a Attack,
    strengths: Vec<f64>,
}

/// What a model reaches at a strength.
struct Point {
    strength: f64,
    share: f64,
    lower: f64,
    upper: f64,
}

/// A chart for each family of attacks that was run at several strengths.
pub(super) fn charts(result: ReportInput<'_>, tally: &Tally<'_>) -> Vec<Chart> {
    let families = families(result).into_iter().enumerate();
    families.map(|(place, family)| Drawing { result, tally, family }.chart(place)).collect()
}

fn families(result: ReportInput<'_>) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for attack in result.plan.cells.iter().map(|cell| &cell.attack) {
        let Some(ImageAttack { method, strength }) = attack.image else { continue };
        if matches!(method, ImageMethod::Absent(_)) {
            continue;
        }
        match families.iter_mut().find(|family| at(family.attack, strength) == *attack) {
            Some(family) if family.strengths.contains(&strength) => {}
            Some(family) => family.strengths.push(strength),
            None => families.push(Family { attack, strengths: vec![strength] }),
        }
    }
    families.retain(|family| family.strengths.len() > 1);
    for family in &mut families {
        family.strengths.sort_by(f64::total_cmp);
    }
    families
}

/// The attack at another strength.
fn at(attack: &Attack, strength: f64) -> Attack {
    Attack { image: attack.image.map(|image| ImageAttack { strength, ..image }), ..attack.clone() }
}

struct Drawing<'a> {
    result: ReportInput<'a>,
    tally: &'a Tally<'a>,
    family: Family<'a>,
}

impl Drawing<'_> {
    fn chart(&self, place: usize) -> Chart {
        let models = &self.result.plan.subjects;
        let lines: Vec<(usize, Vec<Point>)> = (0..models.len())
            .map(|model| (model, self.points(model)))
            .filter(|(_, points)| points.len() > 1)
            .collect();
        let published: Vec<(usize, f64, f64)> =
            lines.iter().flat_map(|(model, _)| self.published(*model)).collect();
        let key = |(model, points): &(usize, Vec<Point>)| Key {
            mark: key("mark", *model),
            model: models[*model].name.clone(),
            range: range(points),
        };
        let name = self.name();
        let shows: Vec<String> = lines.iter().map(|(model, points)| self.told(*model, points)).collect();
        let title = format!("Accuracy under {name}");
        Chart {
            picture: image(
                "chart",
                &format!("chart{place}"),
                HEIGHT,
                (&title, &shows.join(" ")),
                &self.body(&lines, &published),
            ),
            across: self.across(),
            worst: self.worst(&lines),
            keys: lines.iter().map(key).collect(),
            published: published.first().map(|(model, ..)| super::svg::key("mark hollow", *model)),
            name,
        }
    }

    /// What its strength is.
    fn across(&self) -> &'static str {
        match self.family.attack.image.map(|image| image.method) {
            Some(ImageMethod::Corruption(_)) => "severity",
            Some(ImageMethod::Patch { .. } | ImageMethod::NaivePatch { .. }) => "share of the image",
            _ => "ε",
        }
    }

    /// The lowest point of all lines.
    fn worst(&self, lines: &[(usize, Vec<Point>)]) -> Option<String> {
        let points = lines.iter().flat_map(|(model, points)| points.iter().map(move |point| (*model, point)));
        let (model, point) = points.min_by(|a, b| a.1.share.total_cmp(&b.1.share))?;
        let name = self.result.plan.name(model);
        Some(format!(
            "worst point: {name}, {} at {} {}",
            percent(point.share),
            self.across(),
            short(point.strength)
        ))
    }

    /// The attack without its strength.
    fn name(&self) -> String {
        let attack = self.family.attack;
        let strength = attack.image.map_or(0.0, |image| image.strength);
        let whole = attack.to_string();
        let shown = match self.across() {
            "severity" => format!(" severity {}", short(strength)),
            "ε" => format!(" ε={}", short(strength)),
            _ => format!("{}% ", short(strength * 100.0)),
        };
        whole.replacen(&shown, "", 1)
    }

    /// The attack at a strength; at 0, what is left of it.
    fn attack(&self, strength: f64) -> Attack {
        if strength > 0.0 {
            return at(self.family.attack, strength);
        }
        Attack { text: self.family.attack.text.clone(), ..Attack::default() }
    }

    fn points(&self, model: usize) -> Vec<Point> {
        let strengths = std::iter::once(0.0).chain(self.family.strengths.iter().copied());
        let point = |strength| {
            let attack = self.attack(strength);
            let is = |cell: &crate::plan::Cell| cell.model == model && cell.attack == attack;
            let cell = self.result.plan.cells.iter().position(is)?;
            let score = self.tally.score(model, &[cell], Metric::Accuracy).ok()?;
            let share = score.estimate.share();
            Some(Point { strength, share, lower: score.lower, upper: score.upper })
        };
        strengths.filter_map(point).collect()
    }

    /// What others published at these strengths: model, strength and share.
    fn published(&self, model: usize) -> Vec<(usize, f64, f64)> {
        let (spec, subjects) = (&self.result.plan.spec, &self.result.plan.subjects);
        let strength = |figure: &Figure| {
            let is_ours = subjects[model].is_of(figure, spec) && figure.metric == Metric::Accuracy;
            let attack = attack_of(figure).filter(|_| is_ours)?;
            let strength = attack.image.map_or(0.0, |image| image.strength);
            (self.attack(strength) == attack).then_some((model, strength, figure.share))
        };
        spec.published.iter().filter_map(strength).collect()
    }

    fn body(&self, lines: &[(usize, Vec<Point>)], published: &[(usize, f64, f64)]) -> String {
        let most = self.family.strengths.last().copied().unwrap_or(1.0);
        let (across, up) = (Scale { from: 0.0, to: most }, Scale { from: 1.0, to: 0.0 });
        let mut body = grid(up);
        body.push_str(&self.labels(across));
        let majority = up.at(self.result.majority());
        let _ = write!(
            body,
            "<line class=\"majority\" x1=\"0%\" x2=\"100%\" y1=\"{majority:.3}%\" y2=\"{majority:.3}%\"/>"
        );
        let join = |points: Vec<(f64, f64)>| {
            points.iter().map(|(x, y)| format!("{x:.3},{y:.3}")).collect::<Vec<_>>().join(" ")
        };
        body.push_str(
            "<svg width=\"100%\" height=\"100%\" viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\">",
        );
        for (model, points) in lines {
            let line = |of: fn(&Point) -> f64| {
                points.iter().map(move |point| (across.at(point.strength), up.at(of(point))))
            };
            let band = line(|point| point.upper).chain(line(|point| point.lower).rev()).collect();
            let (class, band) = (series(*model), join(band));
            let line = join(line(|point| point.share).collect());
            let _ = write!(
                body,
                "<polygon class=\"band s{class}\" points=\"{band}\"/><polyline class=\"line s{class}\" points=\"{line}\"/>"
            );
        }
        body.push_str("</svg>");
        for (model, points) in lines {
            for point in points {
                body.push_str(&mark("mark", *model, (across.at(point.strength), up.at(point.share))));
            }
        }
        for (model, strength, share) in published {
            body.push_str(&mark("mark hollow", *model, (across.at(*strength), up.at(*share))));
        }
        body
    }

    /// The strengths under the picture, as far as there is room.
    fn labels(&self, across: Scale) -> String {
        let mut text = String::new();
        let mut free = f64::NEG_INFINITY;
        // the strongest has its label before those that stand too near to it
        let last = self.family.strengths.len();
        for (place, strength) in std::iter::once(&0.0).chain(&self.family.strengths).enumerate() {
            let x = across.at(*strength);
            let _ = write!(
                text,
                "<line class=\"tick\" x1=\"{x:.3}%\" x2=\"{x:.3}%\" y1=\"100%\" y2=\"{}\"/>",
                HEIGHT + 5
            );
            if x >= free && (x + APART <= 100.0 || place == last) {
                let side = if place == last { anchor(x) } else { "middle" };
                let (y, shown) = (HEIGHT + 18, short(*strength));
                let _ = write!(text, "<text x=\"{x:.3}%\" y=\"{y}\" text-anchor=\"{side}\">{shown}</text>");
                free = x + APART;
            }
        }
        text
    }

    /// A line in words.
    fn told(&self, model: usize, points: &[Point]) -> String {
        let each =
            points.iter().map(|point| format!("{} at {}", percent(point.share), short(point.strength)));
        format!("{}: {}.", self.result.plan.name(model), each.collect::<Vec<_>>().join(", "))
    }
}

/// A strength as the plan writes it: at most eight decimals, and none that is needless.
pub(super) fn short(strength: f64) -> String {
    format!("{strength:.8}").trim_end_matches('0').trim_end_matches('.').to_string()
}

/// Lines at each quarter.
pub(super) fn grid(up: Scale) -> String {
    let mut text = String::new();
    for quarter in 0..=4 {
        let share = f64::from(quarter) / 4.0;
        let (y, percent) = (up.at(share), share * 100.0);
        let _ = write!(
            text,
            "<line class=\"grid\" x1=\"0%\" x2=\"100%\" y1=\"{y:.3}%\" y2=\"{y:.3}%\"/>\
             <text x=\"-8\" y=\"{y:.3}%\" dy=\"4\" text-anchor=\"end\">{percent} %</text>"
        );
    }
    text
}

fn range(points: &[Point]) -> String {
    let percent = |point: Option<&Point>| point.map_or(String::new(), |point| percent(point.share));
    format!("{} → {}", percent(points.first()), percent(points.last()))
}

/// The one attack that a published figure is about; none if it stands for several.
fn attack_of(figure: &Figure) -> Option<Attack> {
    let mut attack = Attack::default();
    for threat in &figure.condition.threats {
        match *threat {
            Threat::Image { method, strength: Strength::At(strength) } => {
                attack.image = (strength > 0.0).then_some(ImageAttack { method, strength });
            }
            Threat::Image { .. } => return None,
            Threat::Text(text) => attack.text.push(text),
        }
    }
    let has_both = attack.image.is_some() && !attack.text.is_empty();
    Some(Attack { joint: if has_both { figure.condition.joint } else { attack.joint }, ..attack })
}
