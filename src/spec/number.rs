//! Numbers as people write them: `0.9`, `90%`, `8/255`, `1e-4`.

use super::Norm;

/// A number, and whether it was written in per cent (then it is already divided by 100).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number {
    pub(crate) value: f64,
    pub(crate) percent: bool,
}

impl Number {
    /// Reads a finite number.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (digits, percent) = match text.strip_suffix('%') {
            Some(digits) => (digits.trim_end(), true),
            None => (text, false),
        };
        let value = match digits.split_once('/') {
            Some((above, below)) => plain(above)? / plain(below)?,
            None => plain(digits)?,
        };
        // the shortest decimal of the quotient: 90 % is 0.9, not 0.9 and a rounding error
        let value = if percent { format!("{digits}e-2").parse().unwrap_or(value / 100.0) } else { value };
        value.is_finite().then_some(Self { value, percent })
    }

    /// As a share of cases or words, 0 to 1.
    pub(crate) fn share(self) -> Result<f64, (String, String)> {
        if (0.0..=1.0).contains(&self.value) {
            return Ok(self.value);
        }
        let help = if self.percent || self.value < 0.0 {
            "write a share from 0% to 100%".to_string()
        } else {
            format!("write `{}%` for per cent, or a share from 0 to 1", self.value)
        };
        Err(("a share lies between 0 and 1".to_string(), help))
    }

    /// As the share of the words or pixels that an attack changes, above 0.
    pub(super) fn changed_share(self) -> Result<f64, (String, String)> {
        let share = self.share()?;
        if share > 0.0 { Ok(share) } else { Err(no_attack()) }
    }

    /// As a whole number, 0 or more.
    pub(super) fn whole(self) -> Option<u32> {
        let is_whole = !self.percent && self.value.fract() == 0.0 && (0.0..=1e9).contains(&self.value);
        is_whole.then_some(self.value as u32)
    }

    /// As an amount, 0 or more.
    pub(super) fn amount(self) -> Result<f64, (String, String)> {
        if !self.percent && self.value >= 0.0 {
            return Ok(self.value);
        }
        Err(("a cost is 0 or more, and no share".to_string(), "write a number such as `0.2`".to_string()))
    }

    /// As a strength ε of a ball, above 0: in pixel units for linf; for l2 at most 1000.
    pub(super) fn radius(self, norm: Norm) -> Result<f64, (String, String)> {
        match norm {
            Norm::Linf | Norm::L2 if self.value == 0.0 => Err(no_attack()),
            Norm::L2 if !self.percent && (0.0..=1000.0).contains(&self.value) => Ok(self.value),
            Norm::L2 => Err((
                "ε of a ball in l2 lies between 0 and 1000".to_string(),
                "one pixel moved from black to white is 1; write a number such as `0.5`".to_string(),
            )),
            Norm::Linf => self.strength(),
        }
    }

    /// As a severity, 1 to 5.
    pub(super) fn severity(self) -> Result<f64, (String, String)> {
        if !self.percent && [1.0, 2.0, 3.0, 4.0, 5.0].contains(&self.value) {
            return Ok(self.value);
        }
        Err(("a severity is 1, 2, 3, 4 or 5".to_string(), "write `severity 3`".to_string()))
    }

    /// As a strength ε in pixel units, 0 to 1.
    pub(super) fn strength(self) -> Result<f64, (String, String)> {
        if self.percent {
            let help = format!("write `{}`, or a fraction such as `8/255`", self.value);
            return Err(("ε is in pixel units (pixels are in [0, 1]), not in per cent".to_string(), help));
        }
        if (0.0..=1.0).contains(&self.value) {
            return Ok(self.value);
        }
        let help = if self.value > 1.0 && self.value <= 255.0 {
            format!("write `{}/255` for {0} of 255 gray levels", self.value)
        } else {
            "write a number from 0 to 1, such as `0.1` or `8/255`".to_string()
        };
        Err(("ε is in pixel units, and pixels are in [0, 1]".to_string(), help))
    }
}

/// Why nothing may have a strength of 0: it would pass without an attack.
fn no_attack() -> (String, String) {
    ("a strength of 0 is no attack".to_string(), "leave it out, or write `clean`".to_string())
}

/// A radius: the shorter of a decimal and of grey levels such as `8/255`.
pub(crate) fn written_radius(value: f64) -> String {
    let decimal = value.to_string();
    let levels = (value * 255.0).round();
    let fraction = format!("{levels}/255");
    let is_exact = (levels / 255.0).to_bits() == value.to_bits();
    if is_exact && fraction.len() < decimal.len() { fraction } else { decimal }
}

/// A share in per cent, with as many decimals as it takes to read the same share again.
pub(crate) fn written_percent(share: f64) -> String {
    let texts = (0..16).map(|decimals| format!("{:.decimals$}%", share * 100.0));
    let is_same =
        |text: &String| Number::read(text).is_some_and(|number| number.value.to_bits() == share.to_bits());
    // a share too small for so many decimals is written as it is, which a sentence reads as well
    texts.into_iter().find(is_same).unwrap_or_else(|| share.to_string())
}

/// A decimal without words such as `inf` and `nan`.
fn plain(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    is_numeric.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        let value = |text| Number::read(text).map(|number| number.value);
        assert_eq!(value("90%"), Some(0.9));
        assert_eq!(value("12.5 %"), Some(0.125));
        assert_eq!(value("0.9"), Some(0.9));
        assert_eq!(value("8/255"), Some(8.0 / 255.0));
        assert_eq!(value("1e-4"), Some(1e-4));
        for wrong in ["", "%", "nan", "inf", "1/0", "0/0", "9O%", "1e999", "1//2", "0x10"] {
            assert_eq!(value(wrong), None, "{wrong}");
        }
    }
}
