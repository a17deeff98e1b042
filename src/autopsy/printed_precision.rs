//! An accuracy as printed, and the counts that print as it.
//!
//! k right of n, printed to d decimals, is within half a unit of the last decimal of 100·k/n. A printed figure
//! therefore excludes most denominators (the GRIM test: Brown and Heathers, Social Psychological and Personality Science
//! 2017). The arithmetic uses whole numbers; a value exactly halfway may be rounded either way.

use std::fmt;
use std::ops::RangeInclusive;

/// Most decimals of a printed accuracy.
const MOST_DECIMALS: usize = 6;

/// An accuracy in per cent, exactly as printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// The figure without its decimal point: 6306 for 63.06.
    pub digits: u64,
    /// Decimals, 0 to 6.
    pub decimals: u32,
}

impl Printed {
    /// Reads a decimal from 0 to 100, such as `63.06`; None for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let fits = (1..=3).contains(&whole.len()) && part.len() <= MOST_DECIMALS;
        if !fits || !is_plain(whole) || !is_plain(part) || text.ends_with('.') {
            return None;
        }
        let digits = format!("{whole}{part}").parse().ok()?;
        let printed = Self { digits, decimals: part.len() as u32 };
        (digits <= 100 * printed.scale()).then_some(printed)
    }

    /// Prints `successes` of `trials` to a number of decimals, rounding halves up.
    pub fn of(successes: u64, trials: u64, decimals: u32) -> Self {
        let scale = 10_u128.pow(decimals);
        let (k, n) = (u128::from(successes), u128::from(trials.max(1)));
        Self { digits: ((200 * k * scale + n) / (2 * n)) as u64, decimals }
    }

    /// Units of the last decimal in one per cent.
    pub fn scale(self) -> u64 {
        10_u64.pow(self.decimals)
    }

    /// In millionths of a per cent.
    pub fn units(self) -> i64 {
        (self.digits * 10_u64.pow(MOST_DECIMALS as u32 - self.decimals)) as i64
    }

    /// Whether both agree in the decimals that both have.
    pub fn is_printed_like(self, other: Self) -> bool {
        let decimals = MOST_DECIMALS as u32 - self.decimals.min(other.decimals);
        2 * self.units().abs_diff(other.units()) <= 10_u64.pow(decimals)
    }

    /// As a share, 0 to 1.
    pub fn share(self) -> f64 {
        self.digits as f64 / (100 * self.scale()) as f64
    }

    /// The counts of successes among `trials` (at most 10¹⁰) that print as this figure; None if there is none.
    pub fn successes(self, trials: u64) -> Option<RangeInclusive<u64>> {
        // |100·k·scale/n − digits| ≤ 1/2, times 2n; all of it is below 2⁶⁴ for trials up to 10¹⁰
        let unit = 200 * self.scale();
        let least = ((2 * self.digits).saturating_sub(1) * trials).div_ceil(unit);
        let most = ((2 * self.digits + 1) * trials / unit).min(trials);
        (trials > 0 && least <= most).then_some(least..=most)
    }

    /// The nearest count among `trials`; None if no count prints as this figure.
    pub fn nearest(self, trials: u64) -> Option<u64> {
        let admitted = self.successes(trials)?;
        let nearest = (self.share() * trials as f64).round() as u64;
        Some(nearest.clamp(*admitted.start(), *admitted.end()))
    }

    /// Whether some count among `trials` prints as this figure.
    pub fn admits(self, trials: u64) -> bool {
        self.successes(trials).is_some()
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = self.scale();
        write!(f, "{}", self.digits / scale)?;
        if self.decimals == 0 {
            return Ok(());
        }
        write!(f, ".{:0width$}", self.digits % scale, width = self.decimals as usize)
    }
}
