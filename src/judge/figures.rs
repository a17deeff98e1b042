//! Figures in words: shares, differences and thresholds, rounded so that a figure keeps its side of its threshold.

use crate::spec::Metric;

/// A share in per cent with one decimal.
pub(crate) fn percent(share: f64) -> String {
    percent_beside(share, f64::NAN)
}

/// A share in per cent, with as many decimals as keep it on its side of the threshold: 89.97 % is not
/// printed as 90.0 % beside a threshold of 90 %.
pub(crate) fn percent_beside(share: f64, threshold: f64) -> String {
    format!("{} %", beside(share, threshold))
}

/// A metric's value in its unit (per cent, or a plain number for Brier scores and costs), rounded in the same way.
pub(crate) fn figure(metric: Metric, value: f64, threshold: f64) -> String {
    if matches!(metric, Metric::Brier | Metric::Cost) {
        beside_from(3, value / 100.0, threshold / 100.0)
    } else {
        percent_beside(value, threshold)
    }
}

/// A threshold in the metric's unit, without needless decimals.
pub(crate) fn goal(metric: Metric, threshold: f64) -> String {
    if matches!(metric, Metric::Brier | Metric::Cost) {
        short(threshold / 100.0)
    } else {
        goal_percent(threshold)
    }
}

/// A difference in percentage points with its sign, rounded in the same way.
pub(crate) fn points_beside(difference: f64, threshold: f64) -> String {
    format!("{} points", with_sign(&beside(difference, threshold)))
}

/// A threshold in per cent, without needless decimals.
pub(crate) fn goal_percent(threshold: f64) -> String {
    format!("{} %", short(threshold))
}

/// A threshold of a difference in percentage points with its sign, without needless decimals.
pub(crate) fn goal_points(threshold: f64) -> String {
    format!("{} points", with_sign(&short(threshold)))
}

fn beside(value: f64, threshold: f64) -> String {
    beside_from(1, value, threshold)
}

/// A hundred times a value with `decimals` decimals, or with as many more, up to 6, as keep it on its side of the
/// threshold.
fn beside_from(decimals: usize, value: f64, threshold: f64) -> String {
    let print = |digits: usize| format!("{:.digits$}", value * 100.0);
    let goal = threshold * 100.0;
    let keeps_side = |text: &String| {
        threshold.is_nan() || text.parse::<f64>().is_ok_and(|shown| (shown >= goal) == (value >= threshold))
    };
    (decimals..=6).map(print).find(keeps_side).unwrap_or_else(|| print(6))
}

fn short(value: f64) -> String {
    let text = format!("{:.4}", value * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn with_sign(number: &str) -> String {
    let magnitude = number.trim_start_matches('-');
    match (magnitude.bytes().any(|digit| digit.is_ascii_digit() && digit != b'0'), number.starts_with('-')) {
        (false, _) => magnitude.to_string(),
        (true, true) => format!("−{magnitude}"),
        (true, false) => format!("+{magnitude}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounded_number_stays_on_its_side_of_the_threshold() {
        assert_eq!(percent_beside(0.856, 0.9), "85.6 %");
        assert_eq!(percent_beside(0.899_97, 0.9), "89.997 %");
        assert_eq!(percent_beside(0.9, 0.9), "90.0 %");
        assert_eq!(percent_beside(0.900_04, 0.9), "90.0 %");
        assert_eq!(points_beside(-0.020_3, -0.02), "−2.03 points");
        assert_eq!(points_beside(0.041, 0.0), "+4.1 points");
        assert_eq!(points_beside(-0.000_01, f64::NAN), "0.0 points");
    }

    #[test]
    fn goals_have_no_needless_decimals() {
        assert_eq!(goal_percent(0.9), "90 %");
        assert_eq!(goal_percent(0.125), "12.5 %");
        assert_eq!(goal_points(-0.02), "−2 points");
        assert_eq!(goal_points(0.0), "0 points");
    }
}
