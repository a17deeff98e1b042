//! From stored values to gray, as DICOM PS3.3 C.11 says: slope and intercept (C.11.1), then a VOI LUT or a window
//! (C.11.2), then inversion.

use super::elements::{Elements, Value};
use super::shape::Shape;
use super::tags;
use crate::spec::Window;

/// White.
const WHITE: f64 = 65_535.0;

/// How values of the modality become gray in [0, 1].
#[derive(Debug, Clone, PartialEq)]
enum Curve {
    /// C.11.2.1.2.1
    Linear { centre: f64, width: f64 },
    /// C.11.2.1.3.2
    LinearExact { centre: f64, width: f64 },
    /// C.11.2.1.3.1
    Sigmoid { centre: f64, width: f64 },
    /// C.11.2.1.1: entries from the value `first` on, each of so many bits.
    Table { first: f64, entries: Vec<u16>, bits: u16 },
    /// From the least value to the largest.
    Range { least: f64, largest: f64 },
}

impl Curve {
    fn at(&self, value: f64) -> f64 {
        let gray = match self {
            // a width of 1 is a step, and divides by nothing
            Self::Linear { centre, width } if *width <= 1.0 => f64::from(u8::from(value > centre - 0.5)),
            Self::Linear { centre, width } => (value - (centre - 0.5)) / (width - 1.0) + 0.5,
            Self::LinearExact { centre, width } => (value - centre) / width + 0.5,
            Self::Sigmoid { centre, width } => 1.0 / (1.0 + (-4.0 * (value - centre) / width).exp()),
            Self::Table { first, entries, bits } => {
                let place = (value - first).round().clamp(0.0, entries.len().saturating_sub(1) as f64);
                let entry = entries.get(place as usize).copied().unwrap_or_default();
                f64::from(entry) / f64::from(u16::MAX >> (16 - bits))
            }
            Self::Range { least, largest } if largest <= least => 0.0,
            Self::Range { least, largest } => (value - least) / (largest - least),
        };
        gray.clamp(0.0, 1.0)
    }

    /// The values of the modality that one of 255 gray levels covers, at the steepest place of a curve.
    fn level(&self) -> f64 {
        let width = match self {
            Self::Linear { width, .. } => (width - 1.0).max(1.0),
            Self::LinearExact { width, .. } | Self::Sigmoid { width, .. } => *width,
            Self::Table { entries, .. } => entries.len() as f64,
            Self::Range { least, largest } => largest - least,
        };
        width / 255.0
    }
}

/// A picture as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// `[height, width]`, 0 black to 65,535 white.
    pub gray: Vec<u16>,
    /// Stored values that one of 255 gray levels covers.
    pub level: f64,
}

/// Shows values.
pub(super) fn show(
    elements: &Elements,
    shape: &Shape,
    values: &[i32],
    window: Window,
) -> Result<Shown, String> {
    let slope = elements.decimal(tags::SLOPE, "rescale slope")?.unwrap_or(1.0);
    let intercept = elements.decimal(tags::INTERCEPT, "rescale intercept")?.unwrap_or(0.0);
    if slope == 0.0 {
        return Err("its rescale slope is 0; export it anew".to_string());
    }
    let rescaled = |value: i32| f64::from(value) * slope + intercept;
    let curve = match window {
        Window::Given { centre, width } => Curve::Linear { centre, width },
        Window::File => of_file(elements, shape)?.unwrap_or_else(|| range(shape, values, rescaled)),
        Window::Full => range(shape, values, rescaled),
    };
    let gray = values.iter().map(|value| {
        let gray = curve.at(rescaled(*value));
        ((if shape.is_inverted { 1.0 - gray } else { gray }) * WHITE).round() as u16
    });
    Ok(Shown {
        width: shape.columns.into(),
        height: shape.rows.into(),
        gray: gray.collect(),
        level: curve.level() / slope.abs(),
    })
}

/// The range of the values that are not padding.
fn range(shape: &Shape, values: &[i32], rescaled: impl Fn(i32) -> f64) -> Curve {
    let padding = shape.padding.map(|word| shape.value(word));
    let known = values.iter().copied().filter(|value| Some(*value) != padding);
    let ends = known.clone().min().zip(known.max()).unwrap_or_default();
    let (one, other) = (rescaled(ends.0), rescaled(ends.1));
    Curve::Range { least: one.min(other), largest: one.max(other) }
}

/// What the file says of how it is shown: its VOI LUT, else its first window.
fn of_file(elements: &Elements, shape: &Shape) -> Result<Option<Curve>, String> {
    if let Some(Value::Sequence(items)) = elements.get(tags::WINDOW_TABLE)
        && let Some(item) = items.first()
    {
        return table(&elements.of_item(item, &[tags::TABLE_SHAPE, tags::TABLE_DATA])?, shape).map(Some);
    }
    let centre = elements.decimal(tags::WINDOW_CENTRE, "window centre")?;
    let width = elements.decimal(tags::WINDOW_WIDTH, "window width")?;
    let (Some(centre), Some(width)) = (centre, width) else { return Ok(None) };
    let word = elements.text(tags::WINDOW_SHAPE).unwrap_or_else(|| "LINEAR".to_string());
    let (curve, least) = match word.as_str() {
        "LINEAR" => (Curve::Linear { centre, width }, 1.0),
        "LINEAR_EXACT" => (Curve::LinearExact { centre, width }, f64::MIN_POSITIVE),
        "SIGMOID" => (Curve::Sigmoid { centre, width }, f64::MIN_POSITIVE),
        _ => return Err(format!("its VOI LUT function {word} is none of LINEAR, LINEAR_EXACT and SIGMOID")),
    };
    if width < least {
        return Err(format!(
            "its window is {width} wide; say `window: full`, or a window, in the data block"
        ));
    }
    Ok(Some(curve))
}

fn table(item: &Elements, shape: &Shape) -> Result<Curve, String> {
    let damaged = || "its VOI LUT is damaged; say `window: full`, or a window, in the data block".to_string();
    let about = item.words(tags::TABLE_SHAPE).ok_or_else(damaged)?;
    let [count, first, bits] = about[..] else { return Err(damaged()) };
    let count = if count == 0 { 65_536 } else { usize::from(count) }; // as 16 bits hold it
    let first = if shape.is_signed { f64::from(first.cast_signed()) } else { f64::from(first) };
    let mut entries = item.words(tags::TABLE_DATA).ok_or_else(damaged)?;
    if entries.len() < count && bits == 8 {
        // entries of 8 bits may lie two in a word
        let bytes = item.bytes(tags::TABLE_DATA).unwrap_or_default();
        entries = bytes.iter().map(|byte| u16::from(*byte)).collect();
    }
    entries.truncate(count);
    if entries.len() < count || !(1..=16).contains(&bits) {
        return Err(damaged());
    }
    Ok(Curve::Table { first, entries, bits })
}

#[cfg(test)]
mod tests {
    use super::Curve;

    #[test]
    fn curves_are_those_of_the_standard() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        // PS3.3 C.11.2.1.2.1 gives, for c = 2048 and w = 4096, that 0 is the first value and 4095 the last
        let linear = Curve::Linear { centre: 2048.0, width: 4096.0 };
        near(linear.at(0.0), 0.0);
        near(linear.at(4095.0), 1.0);
        near(linear.at(2047.5), 0.5);
        // and for c = 2048 and w = 1 that it is a step between 2047 and 2048
        let step = Curve::Linear { centre: 2048.0, width: 1.0 };
        near(step.at(2047.0), 0.0);
        near(step.at(2048.0), 1.0);
        // C.11.2.1.3.2: c = 0 and w = 100 go from -50 to 50
        let exact = Curve::LinearExact { centre: 0.0, width: 100.0 };
        near(exact.at(-50.0), 0.0);
        near(exact.at(25.0), 0.75);
        near(exact.at(50.0), 1.0);
        let sigmoid = Curve::Sigmoid { centre: 10.0, width: 4.0 };
        near(sigmoid.at(10.0), 0.5);
        near(sigmoid.at(11.0), 1.0 / (1.0 + (-1.0_f64).exp()));
        let table = Curve::Table { first: -1.0, entries: vec![0, 100, 255], bits: 8 };
        near(table.at(-9.0), 0.0);
        near(table.at(0.0), 100.0 / 255.0);
        near(table.at(9.0), 1.0);
    }
}
