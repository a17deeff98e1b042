//! Checks a model that the user brings against expected answers before any attack. A wrong normalisation, size,
//! channel order or vocabulary raises no error, but makes it another model.

use super::inputs::Inputs;
use super::model::Reader;
use super::tensor;
use super::victim::predicted;
use crate::data::{ExpectedAnswer, expected_answers};
use crate::spec::Expectation;
use crate::{Class, Error, Result};

/// Cases that the model is asked about at once.
const AT_ONCE: usize = 16;
/// Tolerance of an answer: this share of the expected answer, or of the largest answer in the file (counted as 0.01 to 1),
/// whichever is more. Other programs decode and resize images to slightly other values, and a wrong normalisation moves
/// answers by far more.
const TOLERANCE: f32 = 1e-2;
/// The least that the largest answer counts, because of rounding.
const LEAST: f32 = 1e-2;
const REMEDY: &str =
    "check the architecture, its size and pixel scale, the vocabulary and the outputs, or correct `expect`";

/// A model with the inputs for its clean answers.
pub(super) struct Asked<'a> {
    pub model: &'a dyn Reader,
    /// Its name, and the file of a module, for messages.
    pub name: &'a str,
    pub inputs: &'a Inputs,
}

impl Asked<'_> {
    /// For each case the log-odds of each finding, or of abnormal: the logit of abnormal minus that of normal.
    fn log_odds(&self, cases: &[usize]) -> Result<Vec<Vec<f32>>> {
        let is_by_finding = !self.inputs.findings.is_empty();
        self.of_logits(
            cases,
            |logits| {
                if is_by_finding { logits.to_vec() } else { vec![logits[1] - logits[0]] }
            },
        )
    }

    /// The answer for each case.
    fn classes(&self, cases: &[usize]) -> Result<Vec<Class>> {
        self.of_logits(cases, predicted)
    }

    /// A value of the logits of each case.
    fn of_logits<T>(&self, cases: &[usize], value: impl Fn(&[f32]) -> T) -> Result<Vec<T>> {
        let _guard = tensor::no_grad_guard();
        let mut all = Vec::with_capacity(cases.len());
        for chunk in cases.chunks(AT_ONCE) {
            let images = self.model.side().map(|side| self.inputs.images(side, chunk)).transpose()?;
            let images = images.map(|images| self.model.read_images(&images)).transpose()?;
            let texts: Vec<String> = chunk.iter().map(|&case| self.inputs.texts[case].clone()).collect();
            let text = if self.model.reads_text() { Some(self.model.read_texts(&texts)?) } else { None };
            let logits = self.model.decide(images.as_ref(), text.as_ref())?;
            all.extend(tensor::values(&logits)?.chunks_exact(tensor::classes(&logits)).map(&value));
        }
        Ok(all)
    }

    /// Compares the model's clean answers with those that the spec expects; `test` are the test cases.
    ///
    /// # Errors
    /// The answers differ, or the file of expected answers is wrong.
    pub fn check(
        &self,
        expected: &Expectation,
        test: &[usize],
        find: impl Fn(&std::path::Path) -> Result<std::path::PathBuf>,
    ) -> Result<()> {
        match expected {
            Expectation::Accuracy { share, decimals } => self.accuracy(*share, *decimals, test),
            Expectation::Logits(path) => {
                self.answers(&expected_answers(&find(path)?, &self.inputs.findings)?)
            }
        }
    }

    fn accuracy(&self, share: f64, decimals: u32, test: &[usize]) -> Result<()> {
        let answers = self.classes(test)?;
        let is_right = |(&case, &class): (&usize, &Class)| self.inputs.labels[case] == class;
        let right = test.iter().zip(&answers).filter(|pair| is_right(*pair)).count();
        let found = 100.0 * right as f64 / test.len().max(1) as f64;
        // half a unit of the last digit in the spec, plus the rounding error of the division
        let tolerance = 0.5 * 10_f64.powi(-(decimals as i32)) + 1e-9;
        if (found - 100.0 * share).abs() <= tolerance {
            return Ok(());
        }
        Err(Error::Input(format!(
            "{} has a clean accuracy of {found:.2}% on the {} test cases, and the spec expects {:.*}%; {REMEDY}",
            self.name,
            test.len(),
            decimals as usize,
            100.0 * share
        )))
    }

    fn answers(&self, expected: &[ExpectedAnswer]) -> Result<()> {
        let place = |answer: &ExpectedAnswer| {
            self.inputs.ids.iter().position(|id| *id == answer.id).ok_or_else(|| {
                let ExpectedAnswer { id, place, .. } = answer;
                Error::Input(format!(
                    "{place}: the data has no case `{id}`; remove the row, or correct its id"
                ))
            })
        };
        let cases = expected.iter().map(place).collect::<Result<Vec<usize>>>()?;
        let found = self.log_odds(&cases)?;
        let largest =
            expected.iter().flat_map(|answer| &answer.log_odds).map(|value| value.abs()).fold(0.0, f32::max);
        let least = largest.clamp(LEAST, 1.0);
        let is_off = |expected: f32, found: f32| {
            let difference = (expected - found).abs();
            difference.is_nan() || difference > TOLERANCE * expected.abs().max(least)
        };
        let pairs = expected.iter().zip(&found).flat_map(|(answer, found)| {
            let of_case = answer.log_odds.iter().zip(found).enumerate();
            of_case.map(move |(finding, (expected, found))| (answer, finding, *expected, *found))
        });
        let pairs: Vec<_> = pairs.collect();
        let mut off = pairs.iter().filter(|(_, _, expected, found)| is_off(*expected, *found));
        let Some((ExpectedAnswer { id, place, .. }, finding, expected, value)) = off.next() else {
            return Ok(());
        };
        let of = self.inputs.findings.get(*finding).map_or("abnormal", String::as_str);
        Err(Error::Input(format!(
            "{place}: {} answers {value} for the case `{id}`, and {expected} is expected (log-odds of {of}); {} of the {} \
             answers differ; {REMEDY}",
            self.name,
            off.count() + 1,
            pairs.len()
        )))
    }
}
