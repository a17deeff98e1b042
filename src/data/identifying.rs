//! Columns that look as if they identified patients: names, dates of birth, record numbers, addresses. medcert does not read
//! them, but a table that is passed on with them passes on the patients.

/// Words in the names of such columns, in lower case and without marks, with what they are.
const WORDS: [(&str, &str); 24] = [
    ("patientname", "a name"),
    ("firstname", "a name"),
    ("lastname", "a name"),
    ("givenname", "a name"),
    ("familyname", "a name"),
    ("fullname", "a name"),
    ("surname", "a name"),
    ("birthdate", "a date of birth"),
    ("dateofbirth", "a date of birth"),
    ("dob", "a date of birth"),
    ("birthday", "a date of birth"),
    ("mrn", "a record number"),
    ("medicalrecord", "a record number"),
    ("recordnumber", "a record number"),
    ("hospitalnumber", "a record number"),
    ("accessionnumber", "a record number"),
    ("nhsnumber", "a record number"),
    ("socialsecurity", "a social security number"),
    ("ssn", "a social security number"),
    ("insurancenumber", "an insurance number"),
    ("address", "an address"),
    ("postcode", "an address"),
    ("phone", "a telephone number"),
    ("email", "an address"),
];
/// Words so short that they have to be the whole name of a column, or a word of it.
const SHORT: usize = 3;

/// A sentence for each such column.
pub(super) fn remarks(header: &[String], patient: &str, is_private: bool) -> Vec<String> {
    let looks = |name: &String| looks_like(name).map(|what| (name.clone(), what));
    let found: Vec<(String, &str)> = header.iter().filter_map(looks).collect();
    let is_patient = |name: &str| name == patient || patient.contains(&format!("{{{name}}}"));
    let sentence = |(name, what): (String, &str)| match (is_patient(&name), is_private) {
        (true, true) => None,
        (true, false) => Some(format!(
            "the column `{name}` looks like {what} and names the patients; `ids: private` writes pseudonyms"
        )),
        (false, _) => Some(format!(
            "the column `{name}` looks like {what}; nothing reads it, so take it out of the table"
        )),
    };
    found.into_iter().filter_map(sentence).collect()
}

/// What a column's name looks like.
fn looks_like(name: &str) -> Option<&'static str> {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| !word.is_empty())
        .collect();
    let plain = words.concat();
    let is_in = |word: &str| {
        if word.len() <= SHORT { words.iter().any(|own| own == word) } else { plain.contains(word) }
    };
    WORDS.iter().find(|(word, _)| is_in(word)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::{looks_like, remarks};

    #[test]
    fn names_births_and_records_are_recognised_and_findings_are_not() {
        for (name, what) in [
            ("Patient Name", "a name"),
            ("PatientBirthDate", "a date of birth"),
            ("DOB", "a date of birth"),
            ("pat_dob", "a date of birth"),
            ("MRN", "a record number"),
            ("E-Mail", "an address"),
        ] {
            assert_eq!(looks_like(name), Some(what), "{name}");
        }
        for name in ["Patient ID", "Finding Labels", "class_name", "dobutamine", "Image Index", "Follow-up #"]
        {
            assert_eq!(looks_like(name), None, "{name}");
        }
    }

    #[test]
    fn a_record_number_that_names_patients_asks_for_pseudonyms() {
        let header = ["mrn".to_string(), "label".to_string()];
        assert!(remarks(&header, "mrn", false)[0].contains("`ids: private`"));
        assert!(remarks(&header, "mrn", true).is_empty());
        assert!(remarks(&header, "patient", true)[0].contains("take it out"));
    }
}
