//! What the data themselves reveal, before any model is asked: how far trivial readers of the report come, which
//! test inputs were there in training already, and patients on both sides of the split.

mod bag_of_words;
mod duplicates;
mod kept;
mod near_hashes;

use rayon::prelude::*;

use serde::{Deserialize, Serialize};

use super::{Dataset, Partition, Pixels, leaks};
use crate::Class;
use duplicates::{Film, film_groups, images, report_groups, reports};
pub use kept::audit_kept;

/// Side of the pictures that an audit compares, in pixels.
pub const SIDE: u32 = duplicates::SIDE;
/// Words from which a report is no short one. Two short ones agree by chance: "Cough. No acute disease."
const LONG: usize = 20;

/// What was revealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Trivial readers: one for each section that has text in training and in test cases, and one for the whole
    /// report where there are several.
    pub baselines: Vec<Baseline>,
    /// For each test case, its inputs that are also in the training or the validation part: `report`, or
    /// `short report` for one under 20 words, and `image`.
    pub seen: Vec<Vec<String>>,
    /// For each test case, its twins among the test cases.
    pub twins: Vec<Twins>,
    /// Patients that have studies in more than one part.
    pub patients_in_two_parts: usize,
}

/// The groups of copies that a test case is in: each is named by the place of its first case. A report of so few words
/// that it recurs by chance is in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twins {
    /// Cases with the same film, exactly or nearly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub film: Option<usize>,
    /// Cases with the same report, exactly or nearly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<usize>,
}

impl Twins {
    /// Whether the case has no copy.
    pub fn is_none(&self) -> bool {
        self.film.is_none() && self.report.is_none()
    }
}

/// A trivial reader that learned from the training part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// What it is, such as `bag of words, findings`.
    pub name: String,
    /// For each test case, whether its answer is right; None if the label is not known.
    pub right: Vec<Option<bool>>,
    /// The finding that it learned; None where it learned whether a study is abnormal.
    #[serde(default)]
    pub finding: Option<String>,
}

/// What an audit compares of the pictures of a data set. They are added one after the other.
#[derive(Debug, Default)]
pub struct Films {
    films: Vec<Film>,
    /// The hash of all pictures.
    hasher: blake3::Hasher,
}

impl Films {
    /// Adds a picture of the side [`SIDE`].
    pub fn add(&mut self, picture: &[u8]) {
        self.films.push(Film::of(picture));
        self.hasher.update(picture);
    }

    /// The pictures of each study.
    fn of_studies(&self, data: &Dataset) -> Vec<&[Film]> {
        let views = data.views.count();
        let of = |study: usize| self.films.get(study * views..(study + 1) * views).unwrap_or_default();
        (0..data.studies.len()).map(of).collect()
    }
}

/// Audits a data set. `pixels` are those of all its studies at the side [`SIDE`], in its views; empty where there
/// are none. Only what the models read is looked at: the sections and views of `data`. Deterministic.
pub fn audit(data: &Dataset, partition: &Partition, pixels: &Pixels) -> Audit {
    let mut films = Films::default();
    pixels.bytes.chunks_exact((pixels.side as usize).pow(2).max(1)).for_each(|picture| films.add(picture));
    audit_films(data, partition, &films)
}

/// [`audit`], of pictures that were added one after the other.
fn audit_films(data: &Dataset, partition: &Partition, films: &Films) -> Audit {
    let whole: Vec<String> = data.studies.iter().map(|study| data.text(study)).collect();
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    let before = [&partition.train[..], &partition.validation].concat();
    let reports = reports(&chosen(&whole, &before), &chosen(&whole, &partition.test));
    let films = films.of_studies(data);
    let images = images(&chosen(&films, &before), &chosen(&films, &partition.test));
    let seen = |((report, image), place): ((&bool, &bool), &usize)| {
        let is_long = bag_of_words::words(whole[*place]).len() >= LONG;
        let known =
            [(*report && is_long, "report"), (*report && !is_long, "short report"), (*image, "image")];
        known.iter().filter(|(is_known, _)| *is_known).map(|(_, name)| (*name).to_string()).collect()
    };
    let tested = chosen(&whole, &partition.test);
    // an empty text has no twin
    let long = tested.iter().map(|text| if bag_of_words::words(text).len() >= LONG { *text } else { "" });
    let by_report = report_groups(&long.collect::<Vec<_>>());
    let by_film = film_groups(&chosen(&films, &partition.test));
    let twins = by_film.into_iter().zip(by_report).map(|(film, report)| Twins { film, report }).collect();
    Audit {
        twins,
        baselines: baselines(data, partition, &whole),
        seen: reports.iter().zip(&images).zip(&partition.test).map(seen).collect(),
        patients_in_two_parts: leaks(&data.studies, partition).len(),
    }
}

/// The elements at these places.
fn chosen<T: Clone>(all: &[T], places: &[usize]) -> Vec<T> {
    places.iter().map(|&place| all[place].clone()).collect()
}

fn baselines(data: &Dataset, partition: &Partition, whole: &[&str]) -> Vec<Baseline> {
    let section = |section| {
        let texts = data.studies.iter().map(|study| study.report.section(section)).collect::<Vec<_>>();
        (format!("bag of words, {}", section.name()), texts)
    };
    let mut readers: Vec<(String, Vec<&str>)> = data.sections.iter().map(|name| section(*name)).collect();
    let has_text = |texts: &[&str], part: &[usize]| part.iter().any(|&place| !texts[place].is_empty());
    readers.retain(|(_, texts)| has_text(texts, &partition.train) && has_text(texts, &partition.test));
    if readers.len() > 1 {
        readers.push(("bag of words, whole report".to_string(), whole.to_vec()));
    }
    let questions: Vec<Option<usize>> = match data.findings.len() {
        0 => vec![None],
        count => (0..count).map(Some).collect(),
    };
    let label = |question: Option<usize>, place: usize| data.studies[place].label_of(question);
    let baseline = |((name, texts), question): (&(String, Vec<&str>), Option<usize>)| {
        let known = |place: &usize| Some((texts[*place], label(question, *place)?));
        let train: Vec<(&str, Class)> = partition.train.iter().filter_map(known).collect();
        let said = bag_of_words::predict(&train, &chosen(texts, &partition.test));
        let is_right = |(said, place): (&Class, &usize)| Some(*said == label(question, *place)?);
        Baseline {
            name: name.clone(),
            right: said.iter().zip(&partition.test).map(is_right).collect(),
            finding: question.map(|place| data.findings[place].clone()),
        }
    };
    let all: Vec<_> =
        readers.iter().flat_map(|reader| questions.iter().map(move |one| (reader, *one))).collect();
    all.into_par_iter().map(baseline).collect()
}
