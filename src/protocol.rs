//! Requests and answers of the Open Inference Protocol, version 2 (github.com/kserve/open-inference-protocol), as JSON.
//! Only what medcert needs: numbers and texts as JSON, no binary extension.

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Error, Result};

/// Limit on the characters of what a program or a server says in an error.
const MOST_SAID: usize = 300;

/// A request.
#[derive(Debug, Serialize)]
pub struct Request<'a> {
    id: &'a str,
    inputs: Vec<Input<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<Wanted<'a>>,
}

#[derive(Debug, Serialize)]
struct Input<'a> {
    name: &'a str,
    shape: Vec<i64>,
    datatype: &'static str,
    data: Data,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Data {
    Numbers(Vec<f32>),
    Texts(Vec<String>),
}

/// The name of an output that the answer must have.
#[derive(Debug, Serialize)]
struct Wanted<'a> {
    name: &'a str,
}

impl<'a> Request<'a> {
    /// A request without inputs. It asks for one output, or for all.
    pub fn new(id: &'a str, output: Option<&'a str>) -> Self {
        Self { id, inputs: Vec::new(), outputs: output.map(|name| Wanted { name }).into_iter().collect() }
    }

    /// Adds a view.
    pub fn pixels(&mut self, name: &'a str, shape: Vec<i64>, pixels: Vec<f32>) {
        self.inputs.push(Input { name, shape, datatype: "FP32", data: Data::Numbers(pixels) });
    }

    /// Adds the reports.
    pub fn texts(&mut self, name: &'a str, texts: Vec<String>) {
        let shape = vec![texts.len() as i64];
        self.inputs.push(Input { name, shape, datatype: "BYTES", data: Data::Texts(texts) });
    }

    /// Its JSON.
    ///
    /// # Errors
    /// A pixel has no form in JSON.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|why| Error::Bug(format!("a request cannot be written: {why}")))
    }
}

/// medcert's own names of a model's inputs, in the order of a request.
pub fn names(views: usize, reads_text: bool) -> Vec<&'static str> {
    let of_views: &[&str] = if views == 1 { &["image"] } else { &["frontal", "lateral"] };
    let report = reads_text.then_some("report");
    of_views.iter().copied().take(views).chain(report).collect()
}

/// What an answer must have.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The request's identifier.
    pub id: &'a str,
    /// Cases, and numbers of each.
    pub shape: (usize, usize),
    /// The output that is read; None means the only one.
    pub output: Option<&'a str>,
    /// The version of the model, if the spec or an earlier answer states it.
    pub version: Option<&'a str>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The numbers of the output that is read, case by case.
    pub numbers: Vec<f32>,
    /// The version of the model that it states.
    pub version: Option<String>,
}

/// The part of an answer that is read.
#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    model_version: Option<String>,
    #[serde(default)]
    outputs: Vec<Output>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    name: Option<String>,
    shape: Vec<u64>,
    data: Numbers,
}

/// Numbers in any nesting, row by row.
struct Numbers(Vec<f32>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct OfNumbers;
        impl<'de> Visitor<'de> for OfNumbers {
            type Value = Numbers;

            fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.write_str("numbers")
            }

            fn visit_f64<E>(self, number: f64) -> std::result::Result<Numbers, E> {
                Ok(Numbers(vec![number as f32]))
            }

            fn visit_i64<E>(self, number: i64) -> std::result::Result<Numbers, E> {
                Ok(Numbers(vec![number as f32]))
            }

            fn visit_u64<E>(self, number: u64) -> std::result::Result<Numbers, E> {
                Ok(Numbers(vec![number as f32]))
            }

            /// Some servers write null for a number that is not finite.
            fn visit_unit<E>(self) -> std::result::Result<Numbers, E> {
                Ok(Numbers(vec![f32::NAN]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Numbers, A::Error> {
                let mut all = Vec::new();
                while let Some(Numbers(item)) = items.next_element()? {
                    all.extend(item);
                }
                Ok(Numbers(all))
            }
        }
        from.deserialize_any(OfNumbers)
    }
}

/// Reads an answer.
///
/// # Errors
/// It is no JSON of this form, it is about other cases or another model than was asked, or it holds a number that is not
/// finite. The error ends the sentence "the model answers …".
pub fn read(bytes: &[u8], expected: &Expected<'_>) -> std::result::Result<Answer, String> {
    let response: Response = serde_json::from_slice(bytes).map_err(|why| {
        // Python writes these words for numbers that are not finite
        let is_python =
            ["NaN", "Infinity"].iter().any(|word| bytes.windows(word.len()).any(|at| at == word.as_bytes()));
        let hint = if is_python { "; NaN and Infinity are no JSON" } else { "" };
        format!("no such JSON ({why}{hint})")
    })?;
    if let Some(error) = response.error {
        return Err(format!("with the error `{}`", said(&error)));
    }
    if response.id.is_some_and(|answered| answered != expected.id) {
        return Err("another request than was asked".into());
    }
    if let (Some(wanted), Some(stated)) = (expected.version, &response.model_version)
        && wanted != stated
    {
        return Err(format!("with version {} of the model instead of {wanted}", said(stated)));
    }
    let mut outputs = response.outputs;
    let names: Vec<String> =
        outputs.iter().map(|output| output.name.as_deref().map_or("no name".into(), said)).collect();
    let output = match (expected.output, outputs.len()) {
        (Some(wanted), _) => {
            let found = outputs.iter().position(|output| output.name.as_deref() == Some(wanted));
            let found =
                found.ok_or_else(|| format!("without the output `{wanted}` ({})", names.join(", ")))?;
            outputs.swap_remove(found)
        }
        (None, 0) => return Err("without an output".into()),
        (None, 1) => outputs.swap_remove(0),
        (None, _) => return Err(format!("several outputs ({}), and the spec names none", names.join(", "))),
    };
    let (cases, width) = expected.shape;
    let (shape, Numbers(numbers)) = (output.shape, output.data);
    let is_expected = shape == [cases as u64, width as u64] || (width == 1 && shape == [cases as u64]);
    if !is_expected || numbers.len() != cases * width {
        return Err(format!(
            "{} numbers of the shape {shape:?}, and {cases} cases of {width} were asked for",
            numbers.len()
        ));
    }
    if let Some(value) = numbers.iter().find(|value| !value.is_finite()) {
        return Err(format!("{value} for a case"));
    }
    Ok(Answer { numbers, version: response.model_version })
}

/// The start of what a program or a server says.
pub fn said(text: &str) -> String {
    text.trim().chars().take(MOST_SAID).collect()
}
