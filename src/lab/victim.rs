//! A model under attack: one chunk of cases, its labels, and the count of every evaluation (access is
//! what an attack may ask for; every answer is counted).

use std::cell::RefCell;
use std::rc::Rc;

use super::loss;
use super::stop;
use super::tensor::{self, Kind, Tensor};
use crate::spec::{Access, AttackLoss};
use crate::{Error, Result};

/// Texts that are read at once.
const TEXTS_AT_ONCE: usize = 32;

/// What can be attacked: an image branch and a decision over both branches, logits `[cases, 2]`.
pub trait Classifier {
    /// What the image branch gives for images `[cases, views, side, side]` in [0, 1].
    fn read_images(&self, images: &Tensor) -> Result<Tensor>;

    /// What the text branch gives for texts, without a gradient.
    ///
    /// # Errors
    /// The model reads no text.
    fn read_texts(&self, _texts: &[String]) -> Result<Tensor> {
        Err(Error::Bug("a model was asked about text that it does not read".into()))
    }

    /// What the text branch gives for texts, with the way back to the embeddings of their pieces; None if the model
    /// does not show them.
    fn trace_texts(&self, _texts: &[String]) -> Result<Option<TextTrace>> {
        Ok(None)
    }

    /// Logits (normal, abnormal) of what the branches gave.
    ///
    /// # Errors
    /// A branch is absent that the model needs.
    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor>;
}

/// A frozen model and the cases of one chunk, or some of them, as far as an attack may look.
#[derive(Clone)]
pub struct Victim<'a> {
    model: &'a dyn Classifier,
    labels: Rc<Tensor>,
    truth: Vec<bool>,
    access: Access,
    /// The cases' places in the chunk.
    places: Vec<usize>,
    /// Evaluations of each case of the chunk, whoever asked.
    spent: Rc<RefCell<Vec<u32>>>,
}

/// What the model answered for each case of a chunk.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Logit of the true class less that of the other; None if not finite.
    pub margin: Option<f32>,
    /// Predicted class; None if there is no finite answer.
    pub predicted: Option<bool>,
}

impl Answer {
    /// Whether the case is broken: the answer is wrong, or none.
    pub fn is_broken(&self) -> bool {
        !self.margin.is_some_and(|margin| margin > 0.0)
    }
}

/// What the image branch gives, with the way back to the pixels.
pub struct Trace {
    images: Tensor,
    /// What the image branch gives.
    pub features: Tensor,
}

/// What the text branch gives, with the way back to the embeddings of the pieces.
pub struct TextTrace {
    /// The leaf: `[cases, length, hidden]`, without positions.
    pub embeddings: Tensor,
    /// What the text branch gives.
    pub features: Tensor,
}

impl<'a> Victim<'a> {
    /// A model and the labels of a chunk; everything may be asked of it.
    pub fn new(model: &'a dyn Classifier, truth: Vec<bool>) -> Result<Self> {
        let spent = Rc::new(RefCell::new(vec![0; truth.len()]));
        let places = (0..truth.len()).collect();
        Ok(Self { model, labels: Rc::new(labels(&truth)?), truth, access: Access::Gradient, places, spent })
    }

    /// The same for some of its cases, by their rows; what they spend is counted with the chunk's.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        let truth: Vec<bool> = rows.iter().map(|&row| self.truth[row]).collect();
        let places = rows.iter().map(|&row| self.places[row]).collect();
        Ok(Self { labels: Rc::new(labels(&truth)?), truth, places, ..self.clone() })
    }

    /// The same with other answers to be right: an edit that flips what a report says flips its label.
    pub fn expecting(&self, truth: Vec<bool>) -> Result<Self> {
        Ok(Self { labels: Rc::new(labels(&truth)?), truth, ..self.clone() })
    }

    /// The same for an attack that may ask so much and no more.
    #[must_use]
    pub fn limited(&self, access: Access) -> Self {
        Self { access, ..self.clone() }
    }

    /// The labels of its cases.
    pub fn truth(&self) -> &[bool] {
        &self.truth
    }

    /// Evaluations of each case of the chunk since the last call, which starts the count anew.
    pub fn take_queries(&self) -> Vec<u32> {
        let mut spent = self.spent.borrow_mut();
        let none = vec![0; spent.len()];
        std::mem::replace(&mut *spent, none)
    }

    /// Evaluations of each of its cases since the count was started.
    pub fn queries(&self) -> Vec<u32> {
        let spent = self.spent.borrow();
        self.places.iter().map(|&place| spent[place]).collect()
    }

    /// Counts evaluations of each case of the chunk that were made for an earlier attack and serve this one too.
    pub fn charge(&self, queries: &[u32]) {
        let mut spent = self.spent.borrow_mut();
        spent.iter_mut().zip(queries).for_each(|(spent, queries)| *spent += queries);
    }

    fn count(&self, rows: impl Iterator<Item = usize>) {
        let mut spent = self.spent.borrow_mut();
        rows.for_each(|row| spent[self.places[row]] += 1);
    }

    /// What the image branch gives.
    pub fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        stop::check()?;
        let _guard = tensor::no_grad_guard();
        self.model.read_images(images)
    }

    /// What the model answers, from what its branches gave.
    pub fn answer(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Vec<Answer>> {
        stop::check()?;
        let _guard = tensor::no_grad_guard();
        self.count(0..self.truth.len());
        answers(&self.model.decide(image, text)?, &self.truth, self.access)
    }

    /// What the model answers where other texts stand: each is a case's row and a text. `image` is what the
    /// image branch gave for its cases.
    pub fn ask(&self, image: Option<&Tensor>, texts: &[(usize, String)]) -> Result<Vec<Answer>> {
        let _guard = tensor::no_grad_guard();
        let mut all = Vec::with_capacity(texts.len());
        for batch in texts.chunks(TEXTS_AT_ONCE) {
            stop::check()?;
            let (_, image, words) = beside(image, batch)?;
            let logits = self.model.decide(image.as_ref(), Some(&self.model.read_texts(&words)?))?;
            let truth: Vec<bool> = batch.iter().map(|(row, _)| self.truth[*row]).collect();
            self.count(batch.iter().map(|(row, _)| *row));
            all.extend(answers(&logits, &truth, self.access)?);
        }
        Ok(all)
    }

    /// The gradient of the loss (cross-entropy with the true label) by the embeddings of the pieces of texts, each
    /// `[length, hidden]`; the texts are a case's row and a text, as for [`Victim::ask`].
    ///
    /// # Errors
    /// The model does not show its embeddings.
    pub fn text_slopes(&self, image: Option<&Tensor>, texts: &[(usize, String)]) -> Result<Vec<Tensor>> {
        self.must_see_gradients()?;
        let mut slopes = Vec::with_capacity(texts.len());
        for batch in texts.chunks(TEXTS_AT_ONCE) {
            let (rows, image, words) = beside(image, batch)?;
            let trace = self.model.trace_texts(&words)?.ok_or_else(|| {
                Error::Input("the model does not give the gradient by the embeddings of words".into())
            })?;
            let logits = self.model.decide(image.as_ref(), Some(&trace.features))?;
            let labels = self.labels.f_index_select(0, &rows)?;
            self.count(batch.iter().map(|(row, _)| *row));
            let loss =
                logits.f_cross_entropy_loss::<Tensor>(&labels, None, tch::Reduction::Sum, -100, 0.0)?;
            let gradient = Tensor::f_run_backward(&[loss], &[&trace.embeddings], false, false)?.pop();
            let gradient =
                gradient.filter(Tensor::defined).map_or_else(|| trace.embeddings.f_zeros_like(), Ok)?;
            for row in 0..batch.len() {
                slopes.push(gradient.f_select(0, row as i64)?);
            }
        }
        Ok(slopes)
    }

    /// What the image branch gives, with the way back to the pixels, for [`Victim::slope`].
    pub fn trace(&self, images: &Tensor) -> Result<Trace> {
        stop::check()?;
        let images = images.f_detach()?.f_set_requires_grad(true)?;
        let features = self.model.read_images(&images)?;
        Ok(Trace { images, features })
    }

    /// What the model answers for traced images, and the gradient of the summed loss by their pixels:
    /// cross-entropy with the true label, the text branch held fixed. A trace serves several texts.
    pub fn slope(&self, trace: &Trace, text: Option<&Tensor>) -> Result<(Vec<Answer>, Tensor)> {
        self.differentiate(trace, text, (true, AttackLoss::CrossEntropy))
    }

    /// [`Victim::slope`] of images that are looked at once.
    pub fn gradient(&self, images: &Tensor, text: Option<&Tensor>) -> Result<(Vec<Answer>, Tensor)> {
        self.gradient_of(images, text, AttackLoss::CrossEntropy)
    }

    /// The same, of another loss.
    pub fn gradient_of(
        &self,
        images: &Tensor,
        text: Option<&Tensor>,
        loss: AttackLoss,
    ) -> Result<(Vec<Answer>, Tensor)> {
        self.differentiate(&self.trace(images)?, text, (false, loss))
    }

    fn must_see_gradients(&self) -> Result<()> {
        if self.access < Access::Gradient {
            return Err(Error::Bug("a black-box attack asked for a gradient".into()));
        }
        Ok(())
    }

    fn differentiate(
        &self,
        trace: &Trace,
        text: Option<&Tensor>,
        (keeps_trace, loss): (bool, AttackLoss),
    ) -> Result<(Vec<Answer>, Tensor)> {
        self.must_see_gradients()?;
        self.count(0..self.truth.len());
        let logits = self.model.decide(Some(&trace.features), text)?;
        let losses = match loss {
            AttackLoss::CrossEntropy => loss::cross_entropy(&logits, &self.labels)?,
            AttackLoss::Margin => loss::margin(&logits, &self.labels)?,
        };
        let loss = losses.f_sum(Kind::Float)?;
        let answers = answers(&logits, &self.truth, self.access)?;
        if !loss.requires_grad() {
            return Ok((answers, trace.images.f_detach()?.f_zeros_like()?)); // no pixel is read
        }
        let mut gradients = Tensor::f_run_backward(&[loss], &[&trace.images], keeps_trace, false)?;
        let gradient = match gradients.pop().filter(Tensor::defined) {
            Some(gradient) => gradient,
            None => trace.images.f_detach()?.f_zeros_like()?,
        };
        Ok((answers, gradient))
    }
}

/// The rows of texts, what the image branch gave for these rows, and the texts.
fn beside(
    image: Option<&Tensor>,
    texts: &[(usize, String)],
) -> Result<(Tensor, Option<Tensor>, Vec<String>)> {
    let (rows, texts): (Vec<usize>, Vec<String>) = texts.iter().cloned().unzip();
    let rows = tensor::rows(&rows)?;
    let image = image.map(|image| image.f_index_select(0, &rows)).transpose()?;
    Ok((rows, image, texts))
}

fn labels(truth: &[bool]) -> Result<Tensor> {
    let labels: Vec<i64> = truth.iter().map(|&label| i64::from(label)).collect();
    tensor::integers(&labels, &[labels.len()])
}

/// Logits as answers; where only the decision may be seen, every margin is 1 or −1.
fn answers(logits: &Tensor, truth: &[bool], access: Access) -> Result<Vec<Answer>> {
    let logits = tensor::values(logits)?;
    let answers = logits.chunks_exact(2).zip(truth).map(|(pair, &label)| {
        let margin = if label { pair[1] - pair[0] } else { pair[0] - pair[1] };
        let finite = pair[0].is_finite() && pair[1].is_finite() && margin.is_finite();
        let seen = if access > Access::Decision {
            margin
        } else if margin > 0.0 {
            1.0
        } else {
            -1.0
        };
        Answer { margin: finite.then_some(seen), predicted: finite.then_some(pair[1] > pair[0]) }
    });
    Ok(answers.collect())
}
