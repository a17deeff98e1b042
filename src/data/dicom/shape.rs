//! What the header of a DICOM image says of its pixels (DICOM PS3.3 C.7.6.3), and what medcert refuses of it.

use super::elements::{Elements, Value};
use super::tags;

/// Words of a picture, row-major.
#[derive(Debug)]
pub(super) struct Coded {
    /// `[rows, columns]`; a word of fewer bits has zeros above them.
    pub(super) words: Vec<u16>,
    /// Bits of a word that the code stream itself states; None where it states none.
    pub(super) precision: Option<u8>,
    /// Whether the code stream itself says that its values are signed; None where it does not say.
    pub(super) is_signed: Option<bool>,
}

/// The pixels of a picture with one frame and one sample a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) rows: u16,
    pub(super) columns: u16,
    /// Bits of a word, 8 or 16.
    pub(super) allocated: u8,
    /// Bits of a word that hold its value, at most `allocated`; they are the lowest.
    pub(super) stored: u8,
    pub(super) is_signed: bool,
    /// The lowest value is white (`MONOCHROME1`, or the presentation LUT's shape `INVERSE`).
    pub(super) is_inverted: bool,
    /// The value outside the picture, as the words hold it.
    pub(super) padding: Option<u16>,
}

impl Shape {
    pub(super) fn read(elements: &Elements) -> Result<Self, String> {
        let number = |tag, name: &str| elements.u16(tag).ok_or_else(|| format!("it does not say its {name}"));
        let frames = elements.decimal(tags::FRAMES, "number of frames")?.unwrap_or(1.0);
        if frames > 1.0 {
            return Err(format!(
                "it has {frames} frames; export the frame that the model reads as a file of its own"
            ));
        }
        let samples = elements.u16(tags::SAMPLES).unwrap_or(1);
        let photometric = elements.text(tags::PHOTOMETRIC).ok_or("it holds no image")?;
        let is_monochrome = photometric == "MONOCHROME1" || photometric == "MONOCHROME2";
        if samples != 1 || !is_monochrome {
            return Err(format!(
                "its photometric interpretation is {photometric} with {samples} samples a pixel; medcert reads MONOCHROME1 \
                 and MONOCHROME2: export it in gray"
            ));
        }
        let (rows, columns) = (number(tags::ROWS, "rows")?, number(tags::COLUMNS, "columns")?);
        if rows == 0 || columns == 0 {
            return Err("it has no rows or columns".to_string());
        }
        let allocated = number(tags::BITS_ALLOCATED, "bits allocated")?;
        let stored = number(tags::BITS_STORED, "bits stored")?;
        let high = elements.u16(tags::HIGH_BIT).unwrap_or(stored.saturating_sub(1));
        if !(allocated == 8 || allocated == 16) || !(8..=allocated).contains(&stored) {
            return Err(format!(
                "its values have {stored} of {allocated} bits; medcert reads 8 to 16 bits in words of 8 or 16: export it anew"
            ));
        }
        if high + 1 != stored {
            return Err(format!("its high bit is {high} and should be {}; export it anew", stored - 1));
        }
        let is_inverse = elements.text(tags::PRESENTATION).is_some_and(|shape| shape == "INVERSE");
        Ok(Self {
            rows,
            columns,
            allocated: allocated as u8,
            stored: stored as u8,
            is_signed: elements.u16(tags::SIGNED) == Some(1),
            is_inverted: photometric == "MONOCHROME1" || is_inverse,
            padding: elements.u16(tags::PADDING),
        })
    }

    pub(super) fn pixels(&self) -> usize {
        usize::from(self.rows) * usize::from(self.columns)
    }

    pub(super) fn bytes_each(&self) -> usize {
        usize::from(self.allocated / 8)
    }

    /// Refuses a code stream of another size.
    pub(super) fn check(&self, width: u32, height: u32) -> Result<(), String> {
        if (width, height) == (self.columns.into(), self.rows.into()) {
            return Ok(());
        }
        Err(format!(
            "its code stream has {width} × {height} pixels and its header says {} × {}; export it anew",
            self.columns, self.rows
        ))
    }

    /// The value of a word: its stored bits, with the sign of the highest of them. Bits above hold no part of it (PS3.5
    /// section 8.1.1).
    pub(super) fn value(&self, word: u16) -> i32 {
        let unused = 16 - u32::from(self.stored);
        if self.is_signed {
            i32::from((word << unused).cast_signed() >> unused)
        } else {
            i32::from(word << unused >> unused)
        }
    }

    /// The values of words. Where a code stream states its own bits and sign, they may not contradict the header's.
    pub(super) fn values(&self, coded: &Coded) -> Result<Vec<i32>, String> {
        if let Some(is_signed) = coded.is_signed.filter(|is_signed| *is_signed != self.is_signed) {
            let word = |is_signed| if is_signed { "signed" } else { "unsigned" };
            return Err(format!(
                "its code stream holds {} values and its header says {}; correct PixelRepresentation, or export it anew",
                word(is_signed),
                word(self.is_signed)
            ));
        }
        let Some(bits) = coded.precision.filter(|bits| *bits != self.stored) else {
            return Ok(coded.words.iter().map(|word| self.value(*word)).collect());
        };
        let own = Self { stored: bits, ..*self };
        let values: Vec<i32> = coded.words.iter().map(|word| own.value(*word)).collect();
        // A stream with other bits holds the same values if they fit. JPEG does not say whether it is signed, so that fewer
        // bits could be read both ways.
        let is_certain = !self.is_signed || coded.is_signed.is_some() || bits > self.stored;
        let range = if self.is_signed {
            -(1 << (self.stored - 1))..1 << (self.stored - 1)
        } else {
            0..1 << self.stored
        };
        if is_certain && values.iter().all(|value| range.contains(value)) {
            return Ok(values);
        }
        Err(format!(
            "its code stream holds values of {bits} bits and its header says {}; correct BitsStored, or export it anew",
            self.stored
        ))
    }
}

/// Refuses a picture that is known to show text, such as the patient's name.
pub(super) fn check_burned_in(elements: &Elements) -> Result<(), String> {
    if elements.text(tags::BURNED_IN).is_some_and(|word| word == "YES") {
        return Err("it has burned-in annotation, such as a name, which a model may read; leave it out, or say `burned_in: \
                    allowed` in the data block"
            .to_string());
    }
    Ok(())
}

/// Refuses a table that turns stored values into the modality's: medcert reads slope and intercept.
pub(super) fn check_modality_table(elements: &Elements) -> Result<(), String> {
    match elements.get(tags::MODALITY_TABLE) {
        Some(Value::Sequence(items)) if items.is_empty() => Ok(()),
        None => Ok(()),
        Some(_) => Err(
            "its values pass through a Modality LUT sequence, which medcert does not read; export it with \
                        rescale slope and intercept"
                .to_string(),
        ),
    }
}
