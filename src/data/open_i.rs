//! The reports of the Indiana University collection as Open-i publishes them (Demner-Fushman et al., JAMIA 2016): an XML file a
//! study, in the folder or in `ecgen-radiology/` below it.
//!
//! `uId` names the study, `AbstractText` holds the sections of the report, and `MeSH/major` what the indexers found: `normal` for
//! a normal study, `No Indexing` where nobody looked. The files name images without their projection, which
//! `indiana_projections.csv` of the Kaggle layout knows.

use std::path::{Path, PathBuf};

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

use super::root::Folder;
use crate::files::bounded_text;
use crate::{Error, Result};

/// Largest file, in bytes (1 MiB); the collection's are 5 KiB.
const LARGEST: u64 = 1 << 20;
/// The folder in the archive of Open-i.
const FOLDER: &str = "ecgen-radiology";

/// What a file says of a study.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct OpenReport {
    /// `1` for `CXR1`.
    pub(super) uid: String,
    /// What the indexers found, such as `normal` and `Cardiomegaly/borderline`.
    pub(super) majors: Vec<String>,
    pub(super) indication: String,
    pub(super) findings: String,
    pub(super) impression: String,
    /// The words for the examination.
    pub(super) image: String,
}

/// The XML files of a folder, in the order of their numbers; none if it is not Open-i's.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let of = |folder: PathBuf| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let is_xml =
            |path: &PathBuf| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xml"));
        entries.map(|entry| entry.path()).filter(is_xml).collect()
    };
    let own = of(folder.to_path_buf());
    let mut found = if own.is_empty() { of(folder.join(FOLDER)) } else { own };
    let number = |path: &PathBuf| -> Option<u64> { path.file_stem()?.to_str()?.parse().ok() };
    found.sort_by_key(|path| (number(path), path.clone()));
    found
}

/// Whether the first XML file of a folder is a report as Open-i publishes it.
pub fn is_folder(folder: &Path) -> bool {
    let text = files(folder).first().and_then(|path| bounded_text(path, LARGEST).ok());
    text.is_some_and(|text| text.contains("<eCitation") && text.contains("<uId"))
}

/// The reports of a folder.
pub(super) fn reports(folder: &Folder) -> Result<Vec<OpenReport>> {
    let read = |path: &PathBuf| {
        let path = folder.file(path)?;
        let text = bounded_text(&path, LARGEST);
        let text = text.map_err(|why| Error::unreadable(&path, &why, "fetch it again, or take it away"))?;
        let refused = |why: String| {
            let path = path.display();
            Error::Input(format!("{path} is no report of Open-i: {why}; fetch it again, or take it away"))
        };
        report(&text).map_err(refused)
    };
    files(folder.path()).iter().map(read).collect()
}

/// What a file's text says.
fn report(text: &str) -> std::result::Result<OpenReport, String> {
    let mut reader = Reader::from_str(text);
    let (mut found, mut open) = (OpenReport::default(), Vec::new());
    let mut words = String::new();
    // of the label of the section that is read
    let mut label = String::new();
    loop {
        match reader.read_event().map_err(|why| why.to_string())? {
            Event::Start(start) => {
                let name = start.name().0.to_string();
                let value = |key: &str| -> std::result::Result<Option<String>, String> {
                    let found = start.try_get_attribute(key).map_err(|why| why.to_string())?;
                    found.map(|one| Ok(one.value.to_string())).transpose()
                };
                if name == "AbstractText" {
                    label = value("Label")?.unwrap_or_default();
                }
                if name == "uId" {
                    found.uid = named(value("id")?);
                }
                words.clear();
                open.push(name);
            }
            Event::Empty(one) if one.name().0 == "uId" => {
                let id = one.try_get_attribute("id").map_err(|why| why.to_string())?;
                found.uid = named(id.map(|id| id.value.to_string()));
            }
            Event::Text(text) => words.push_str(&text.xml10_content()),
            Event::CData(text) => words.push_str(&text),
            Event::GeneralRef(one) => match one.resolve_char_ref().map_err(|why| why.to_string())? {
                Some(letter) => words.push(letter),
                None => words.push_str(
                    resolve_xml_entity(&one)
                        .ok_or_else(|| format!("it uses the unknown entity `&{};`", &*one))?,
                ),
            },
            Event::End(_) => {
                let name = open.pop().unwrap_or_default();
                found.take(&name, open.last().map(String::as_str), &label, words.trim());
                words.clear();
            }
            Event::Eof => break,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    match (open.last(), found.uid.is_empty()) {
        (Some(open), _) => Err(format!("it is cut off within <{open}>")),
        (None, true) => Err("it has no <uId>".to_string()),
        (None, false) => Ok(found),
    }
}

/// `1` for `CXR1`.
fn named(id: Option<String>) -> String {
    let id = id.unwrap_or_default();
    id.strip_prefix("CXR").unwrap_or(&id).trim().to_string()
}

impl OpenReport {
    /// Takes the words of an element that ends.
    fn take(&mut self, name: &str, parent: Option<&str>, label: &str, words: &str) {
        match (name, parent, label) {
            ("AbstractText", _, "INDICATION") => self.indication = words.to_string(),
            ("AbstractText", _, "FINDINGS") => self.findings = words.to_string(),
            ("AbstractText", _, "IMPRESSION") => self.impression = words.to_string(),
            ("major", Some("MeSH"), _) => self.majors.push(words.to_string()),
            ("caption", Some("parentImage"), _) if self.image.is_empty() => self.image = words.to_string(),
            _ => {}
        }
    }

    /// Whether the study is abnormal; None where nobody indexed it.
    pub(super) fn label(&self) -> Option<bool> {
        let is = |word: &str| self.majors.iter().any(|major| major.eq_ignore_ascii_case(word));
        match (self.majors.is_empty() || is("No Indexing"), is("normal")) {
            (true, _) => None,
            (false, is_normal) => Some(!is_normal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<eCitation><meta type="rr"/><uId id="CXR17"/><MedlineCitation><Article><Abstract>
<AbstractText Label="COMPARISON">None.</AbstractText><AbstractText Label="INDICATION">Cough &amp; fever</AbstractText>
<AbstractText Label="FINDINGS">Heart size &lt; normal. &#65;.</AbstractText><AbstractText Label="IMPRESSION"/>
</Abstract></Article></MedlineCitation><MeSH><major>Opacity/lung/base</major><automatic>normal</automatic></MeSH>
<parentImage id="CXR17_IM-1"><figureId>F1</figureId><caption>Chest PA and lateral</caption></parentImage></eCitation>"#;

    #[test]
    fn a_file_is_read() {
        let found = report(ONE).expect("a report");
        let expected = OpenReport {
            uid: "17".into(),
            majors: vec!["Opacity/lung/base".into()],
            indication: "Cough & fever".into(),
            findings: "Heart size < normal. A.".into(),
            impression: String::new(),
            image: "Chest PA and lateral".into(),
        };
        assert_eq!(found, expected);
        assert_eq!(found.label(), Some(true));
        let normal = report(&ONE.replace("Opacity/lung/base", "normal")).expect("a report");
        assert_eq!(normal.label(), Some(false));
        assert_eq!(report(&ONE.replace("Opacity/lung/base", "No Indexing")).expect("a report").label(), None);
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let told = |text: &str| report(text).expect_err("a fault");
        assert_eq!(told(""), "it has no <uId>");
        let cut = &ONE[..ONE.find("</Abstract>").expect("a tag")];
        assert!(told(cut).contains("cut off"), "{}", told(cut));
        // within a tag the reader of XML says so itself
        assert!(told(&ONE[..400]).contains("not closed"), "{}", told(&ONE[..400]));
        assert!(told(&ONE.replace("&amp;", "&nbsp;")).contains("unknown entity `&nbsp;`"));
        assert!(report(&ONE.replace("</Abstract>", "</Abs>")).is_err());
        for end in 0..ONE.len() {
            let _ = report(&ONE[..end]); // no panic
        }
    }
}
