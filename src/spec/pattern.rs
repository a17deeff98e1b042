//! Texts made of columns, such as `images/{Image Index}` or `files/p{subject_id:2}/p{subject_id}/s{study_id}.txt`, and
//! columns made of the parts of one, such as `{set}/{part}/{patient}/{study}/{image}` of a path.
//!
//! `{column:2}` is the first two letters of a value. A text without braces is the name of a column.

/// A piece of a pattern as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// A column, and how many letters of its value; all if none.
    Column(String, Option<usize>),
}

/// The pieces of a pattern; a name without braces is one column.
///
/// # Errors
/// Its braces do not match; the message says so.
pub fn pieces(pattern: &str) -> std::result::Result<Vec<Piece>, String> {
    if !is_pattern(pattern) {
        return Ok(vec![Piece::Column(pattern.to_string(), None)]);
    }
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some((text, behind)) = rest.split_once('{') {
        let (inside, behind) = behind
            .split_once('}')
            .ok_or_else(|| format!("`{pattern}` opens a brace and does not close it"))?;
        if text.contains('}') || inside.contains('{') {
            return Err(format!("the braces of `{pattern}` do not match"));
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_string()));
        }
        let length = inside.rsplit_once(':').and_then(|(name, length)| Some((name, length.parse().ok()?)));
        let (name, length) = length.map_or((inside, None), |(name, length)| (name, Some(length)));
        if name.trim().is_empty() {
            return Err(format!("a pair of braces in `{pattern}` names no column"));
        }
        pieces.push(Piece::Column(name.trim().to_string(), length));
        rest = behind;
    }
    if rest.contains('}') {
        return Err(format!("the braces of `{pattern}` do not match"));
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_string()));
    }
    Ok(pieces)
}

/// Whether a text is a pattern and no name of a column.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['{', '}'])
}

/// The columns that a pattern names.
///
/// # Errors
/// Its braces do not match; the message says so.
pub fn columns(pattern: &str) -> std::result::Result<Vec<String>, String> {
    let named = pieces(pattern)?.into_iter().filter_map(|piece| match piece {
        Piece::Column(name, _) => Some(name),
        Piece::Text(_) => None,
    });
    Ok(named.collect())
}

/// The parts of a text that has a pattern, each up to the text behind it; None if it has another form.
pub fn parts<'v>(pattern: &str, value: &'v str) -> Option<Vec<&'v str>> {
    let pieces = pieces(pattern).ok()?;
    let mut parts = Vec::new();
    let mut rest = value;
    let mut is_open = false; // a column was met, whose end the next text says
    for piece in &pieces {
        match piece {
            Piece::Column(..) if is_open => return None,
            Piece::Column(..) => is_open = true,
            Piece::Text(text) if is_open => {
                let (part, behind) = rest.split_once(text.as_str())?;
                parts.push(part);
                rest = behind;
                is_open = false;
            }
            Piece::Text(text) => rest = rest.strip_prefix(text.as_str())?,
        }
    }
    if is_open {
        parts.push(rest);
    } else if !rest.is_empty() {
        return None;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::{Piece, columns, parts, pieces};

    #[test]
    fn a_pattern_is_text_and_columns() {
        let column = |name: &str, length| Piece::Column(name.to_string(), length);
        let text = |text: &str| Piece::Text(text.to_string());
        assert_eq!(pieces("Image Index").expect("a name"), [column("Image Index", None)]);
        assert_eq!(
            pieces("files/p{subject_id:2}/{dicom: id}.jpg").expect("a pattern"),
            [
                text("files/p"),
                column("subject_id", Some(2)),
                text("/"),
                column("dicom: id", None),
                text(".jpg")
            ]
        );
        assert_eq!(columns("{a}/{b:3}.png").expect("a pattern"), ["a", "b"]);
        for wrong in ["{a", "a}", "{a{b}}", "{}", "{a}}", "{ }"] {
            assert!(pieces(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_text_falls_into_its_parts() {
        let path = "CheXpert-v1.0/train/patient00001/study2/view1_frontal.jpg";
        assert_eq!(
            parts("{set}/{part}/{patient}/{study}/{image}", path),
            Some(vec!["CheXpert-v1.0", "train", "patient00001", "study2", "view1_frontal.jpg"])
        );
        assert_eq!(parts("{patient}_{number}.png", "00000001_000.png"), Some(vec!["00000001", "000"]));
        for (pattern, other) in
            [("{a}/{b}", "one"), ("{a}{b}", "one"), ("{a}.png", "one.png2"), ("x{a}", "one")]
        {
            assert_eq!(parts(pattern, other), None, "{pattern}");
        }
    }
}
