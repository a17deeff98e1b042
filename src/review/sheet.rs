//! The sheet of a review: CSV (RFC 4180) with a row for each pair, which a reader fills in.

use super::{Answer, Key, Review, VERSION};

/// The columns.
const COLUMNS: [&str; 6] = ["review", "pair", "original", "same_diagnosis", "readable", "reader"];
/// Limit on the characters of a reader's initials.
const INITIALS: usize = 16;

/// The empty sheet.
pub fn blank(key: &Key) -> String {
    let rows = (1..=key.pairs.len()).map(|number| format!("{},{number},,,,\n", key.review));
    std::iter::once(COLUMNS.join(",") + "\n").chain(rows).collect()
}

/// Reads the answers from a filled sheet.
///
/// # Errors
/// The sheet has faults; lists all of them, each with its line and a remedy.
pub fn take(key: &Key, text: &str) -> Result<Review, Vec<String>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // spreadsheets in some countries separate columns by semicolons
    let separator = if text.lines().next().is_some_and(|line| line.contains(';')) { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(text.as_bytes());
    let header: Vec<String> = match reader.headers() {
        Ok(header) => header.iter().map(|name| name.trim().to_lowercase()).collect(),
        Err(why) => return Err(vec![format!("line 1: {why}")]),
    };
    if header != COLUMNS {
        return Err(vec![format!(
            "line 1: the columns are not {}; keep the first line of the sheet",
            COLUMNS.join(",")
        )]);
    }
    let (mut answers, mut faults, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for (place, row) in reader.records().enumerate() {
        let line =
            row.as_ref().ok().and_then(|row| row.position()).map_or(place as u64 + 2, csv::Position::line);
        let read = row.map_err(|why| why.to_string()).and_then(|row| answer(key, &row));
        match read {
            Ok(Some((number, answer))) if seen.contains(&(number, answer.reader.clone())) => {
                faults.push(format!(
                    "line {line}: pair {number} has two rows of {}; remove one",
                    answer.reader
                ));
            }
            Ok(Some((number, answer))) => {
                seen.push((number, answer.reader.clone()));
                answers.push(answer);
            }
            Ok(None) => {}
            Err(why) => faults.push(format!("line {line}: {why}")),
        }
    }
    if faults.is_empty() && answers.is_empty() {
        faults.push("no row has an answer; fill in the sheet first".to_string());
    }
    if faults.is_empty() {
        Ok(Review { schema: VERSION, review: key.review.clone(), spec: key.spec.clone(), answers })
    } else {
        Err(faults)
    }
}

/// The pair's number and the answers of a row; None if no answer is filled in.
fn answer(key: &Key, row: &csv::StringRecord) -> Result<Option<(usize, Answer)>, String> {
    let cell = |place: usize| row.get(place).unwrap_or_default().trim();
    if cell(0) != key.review {
        return Err(format!(
            "it is of review `{}`, and this is {}; take the sheet of this review",
            cell(0),
            key.review
        ));
    }
    let number: usize = cell(1).parse().map_err(|_| format!("`{}` is no pair's number", cell(1)))?;
    let pair = number.checked_sub(1).and_then(|place| key.pairs.get(place));
    let pair =
        pair.ok_or_else(|| format!("there is no pair {number}; the review has {}", key.pairs.len()))?;
    if (2..5).all(|place| cell(place).is_empty()) {
        return Ok(None);
    }
    let named = match cell(2).to_lowercase().as_str() {
        "a" => Some(true),
        "b" => Some(false),
        "" | "unsure" => None,
        other => return Err(format!("`{other}` is no answer to `original`; write A, B or unsure")),
    };
    let decided = |place: usize| match cell(place).to_lowercase().as_str() {
        "yes" => Ok(Some(true)),
        "no" => Ok(Some(false)),
        "" | "unsure" => Ok(None),
        other => Err(format!("`{other}` is no answer to `{}`; write yes, no or unsure", COLUMNS[place])),
    };
    let reader = cell(5);
    if reader.is_empty() || reader.chars().count() > INITIALS {
        return Err(format!("`reader` needs initials of {INITIALS} characters at most"));
    }
    let answer = Answer {
        pair: pair.clone(),
        recognised: named.map(|is_a| is_a == pair.original_is_a),
        same_diagnosis: decided(3)?,
        readable: decided(4)?,
        reader: reader.to_string(),
    };
    Ok(Some((number, answer)))
}
