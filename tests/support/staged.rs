//! A spec that is run for real, from its sentences to its verdicts, on models that a test has made, over films in which it
//! knows what decides.
#![allow(dead_code)] // each test program uses a part of it

use std::path::Path;

use image::{GrayImage, Luma};
use jiff::civil::{Date, date};
use medcert::Result;
use medcert::data::{Dataset, ImageSource, Partition, Report, Study};
use medcert::evidence::{Evidence, ModelFacts};
use medcert::judge::Judgement;
use medcert::lab::model::Reader;
use medcert::lab::tensor::{self, Kind, Tensor};
use medcert::lab::victim::Classifier;
use medcert::lab::{self, Options};
use medcert::plan::{self, Plan};
use medcert::random::{stream, uniform};
use medcert::spec::{self, DeviceChoice, Section, Views};

pub const SIDE: usize = 32;
pub const PIXELS: usize = SIDE * SIDE;
/// Training and validation cases, which no model here learns from.
const LEARNING: [usize; 2] = [20, 8];
const TODAY: Date = date(2026, 11, 25);
/// Rows and columns of the bar, which is bright on abnormal films: nothing within 0.3 hides it.
pub const BAR: (std::ops::Range<usize>, std::ops::Range<usize>) = (20..28, 4..12);
/// The mean of the rest of the film is a little above this where it is abnormal, and a little below where it is not.
pub const MIDDLE: f64 = 0.45;
/// By how much.
pub const TILT: f64 = 0.02;

/// What a model makes of films `[cases, 1, SIDE, SIDE]`: the log-odds of abnormal, `[cases, 1]`.
pub type Score = Box<dyn Fn(&Tensor) -> Result<Tensor>>;

/// A model that a test has made.
pub struct Made {
    pub name: &'static str,
    pub score: Score,
    /// What a report adds to it, if it reads any.
    pub words: Option<fn(&str) -> f32>,
}

impl Made {
    pub fn vision(score: impl Fn(&Tensor) -> Result<Tensor> + 'static) -> Self {
        Self { name: "vision", score: Box::new(score), words: None }
    }
}

impl Classifier for Made {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        (self.score)(images)
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        let of = self.words.expect("it reads reports");
        tensor::floats(&texts.iter().map(|text| of(text)).collect::<Vec<f32>>(), &[texts.len(), 1])
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let image = image.expect("an image");
        let score = match text {
            Some(text) => image.f_add(text)?,
            None => image.shallow_clone(),
        };
        Ok(Tensor::f_cat(&[score.f_zeros_like()?, score], 1)?)
    }
}

impl Reader for Made {
    fn name(&self) -> &str {
        self.name
    }

    fn side(&self) -> Option<u32> {
        Some(SIDE as u32)
    }

    fn reads_text(&self) -> bool {
        self.words.is_some()
    }
}

/// What is on the films of a stage.
pub struct Stage {
    folder: tempfile::TempDir,
    pub data: Dataset,
    pub partition: Partition,
}

/// A film's pixels by their row and column.
pub type Film = Box<dyn Fn(usize, usize) -> f64>;

/// The usual film of a case: noise round a mean that tells its label, and the bar.
pub fn film(case: usize, label: bool) -> Film {
    let mut rng = stream(&["film", &case.to_string()]);
    let noise: Vec<f64> = (0..PIXELS).map(|_| 0.2 * f64::from(uniform(&mut rng)) - 0.1).collect();
    // the noise of a film moves its mean no further
    let drift = noise.iter().sum::<f64>() / PIXELS as f64;
    Box::new(move |row, column| {
        if BAR.0.contains(&row) && BAR.1.contains(&column) {
            // the bar itself leaves the mean alone
            return if label { 0.95 } else { 0.05 };
        }
        let tilt = if label { TILT } else { -TILT };
        MIDDLE + tilt + noise[row * SIDE + column] - drift
    })
}

impl Stage {
    /// So many test cases, every second of them abnormal, each of another patient.
    pub fn new(cases: usize) -> Self {
        Self::of(cases, &film)
    }

    /// The same with other films.
    pub fn of(cases: usize, film: &dyn Fn(usize, bool) -> Film) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let all = cases + LEARNING.iter().sum::<usize>();
        let study = |case: usize| {
            let label = case % 2 == 1;
            let pixels = film(case, label);
            Study {
                id: format!("s{case:04}").into(),
                patient: format!("p{case:04}").into(),
                frontal: Some(saved(folder.path(), &format!("{case}.png"), &*pixels)),
                lateral: None,
                report: Report {
                    findings: if label { "There is an opacity." } else { "The lungs are clear." }.into(),
                    ..Report::default()
                },
                label: label.into(),
                findings: vec![],
                view: None,
                mask: None,
                groups: [].into(),
                fold: None,
            }
        };
        let studies = (0..all).map(study).collect();
        let [train, validation] = LEARNING;
        let partition = Partition {
            test: (0..cases).collect(),
            train: (cases..cases + train).collect(),
            validation: (cases + train..cases + train + validation).collect(),
        };
        let data = Dataset {
            classes: vec![],
            studies,
            findings: vec![],
            left_out: vec![],
            remarks: vec![],
            digest: "made".into(),
            sections: vec![Section::Findings],
            views: Views::Frontal,
        };
        Self { folder, data, partition }
    }

    /// Marks a lesion: the pixels of the bar, in the cases that have one.
    pub fn with_lesions(mut self, has: impl Fn(usize) -> bool) -> Self {
        for case in 0..self.data.studies.len() {
            let has = has(case);
            let inside = |row: usize, column: usize| {
                if has && BAR.0.contains(&row) && BAR.1.contains(&column) { 1.0 } else { 0.0 }
            };
            self.data.studies[case].mask =
                Some(saved(self.folder.path(), &format!("{case}-mask.png"), &inside).into());
        }
        self
    }

    /// Gives every case a report.
    pub fn with_reports(mut self, report: impl Fn(usize) -> String) -> Self {
        for (case, study) in self.data.studies.iter_mut().enumerate() {
            study.report = Report { findings: report(case).into(), ..Report::default() };
        }
        self
    }

    /// What a spec requires of models, judged; the error where the run refuses a model.
    pub fn run(&self, spec: &str, models: &[Made]) -> Result<(Plan, Evidence, Judgement)> {
        let spec = spec::parse(Path::new("made.yaml"), spec).unwrap_or_else(|faults| panic!("{faults}"));
        let plan = plan::build(spec);
        let cache = tempfile::tempdir().expect("a folder");
        let options = Options {
            cache: cache.path().to_path_buf(),
            roots: vec![],
            threads: Some(1),
            device: DeviceChoice::Cpu,
            plain: true,
            fresh: true,
        };
        let facts = |(place, model): (usize, &Made)| ModelFacts {
            name: model.name.into(),
            finding: None,
            architecture: "made".into(),
            weights: format!("{place:064}"),
            parameters: 1,
            source: None,
            threshold: None,
        };
        let readers = models.iter().enumerate().map(|made| (made.1 as &dyn Reader, facts(made))).collect();
        let evidence = lab::run_readers(&plan, &self.data, &self.partition, &options, readers)?;
        let judgement = Judgement::of(&plan, &evidence, Err("no baseline was given"), TODAY);
        Ok((plan, evidence, judgement))
    }
}

fn saved(folder: &Path, name: &str, pixels: &dyn Fn(usize, usize) -> f64) -> ImageSource {
    let path = folder.join(name);
    let grey =
        |x: u32, y: u32| Luma([(pixels(y as usize, x as usize) * 255.0).round().clamp(0.0, 255.0) as u8]);
    GrayImage::from_fn(SIDE as u32, SIDE as u32, grey).save(&path).expect("saved");
    ImageSource::file_of_bits(path, Some(8))
}

/// The mean of the pixels where `chosen` is true, less that of the others where there are any chosen as −1; `[cases, 1]`.
pub fn weighed(images: &Tensor, weight: impl Fn(usize, usize) -> f64) -> Result<Tensor> {
    let weights: Vec<f32> = (0..PIXELS).map(|pixel| weight(pixel / SIDE, pixel % SIDE) as f32).collect();
    let sum: f32 = weights.iter().map(|weight| weight.abs()).sum();
    let weights: Vec<f32> = weights.into_iter().map(|weight| weight / sum).collect();
    Ok(images.f_flatten(1, -1)?.f_matmul(&tensor::floats(&weights, &[PIXELS, 1])?)?)
}

/// Weights of the film beside the bar.
pub fn beside_bar(row: usize, column: usize) -> f64 {
    if BAR.0.contains(&row) && BAR.1.contains(&column) { 0.0 } else { 1.0 }
}

/// How far the mean of the film is above the middle: what a shift of all pixels by 0.03 turns round.
pub fn fragile(images: &Tensor) -> Result<Tensor> {
    Ok(weighed(images, beside_bar)?.f_sub_scalar(MIDDLE)?)
}

/// How bright the bar is: what nothing turns round within 0.3.
pub fn sturdy(images: &Tensor) -> Result<Tensor> {
    Ok(weighed(images, |row, column| 1.0 - beside_bar(row, column))?.f_sub_scalar(0.5)?)
}

/// ½ above 0 and −½ below, without a gradient.
pub fn step(score: &Tensor) -> Result<Tensor> {
    Ok(score.f_gt(0.0)?.f_to_kind(Kind::Float)?.f_sub_scalar(0.5)?)
}

/// A small linear term whose gradient leads away from what decides.
pub fn decoy(images: &Tensor) -> Result<Tensor> {
    let board = |row: usize, column: usize| {
        if (row + column).is_multiple_of(2) { beside_bar(row, column) } else { -beside_bar(row, column) }
    };
    weighed(images, board)
}

/// A score behind a step, with the decoy in its place for those who follow gradients. Where the decoy is far from that of
/// any film the answer turns round, so that an attack without bounds wins.
pub fn hidden(score: &Tensor, images: &Tensor) -> Result<Tensor> {
    let decoy = decoy(images)?;
    let turns = decoy.f_abs()?.f_gt(0.25)?.f_to_kind(Kind::Float)?.f_mul_scalar(-2.0)?.f_add_scalar(1.0)?;
    Ok(step(score)?.f_mul(&turns)?.f_add(&decoy.f_mul_scalar(0.5)?)?)
}
