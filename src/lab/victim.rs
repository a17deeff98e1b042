//! A model under attack: one chunk of cases with their labels, a limit on what the attack may ask (its access), and a
//! count of every evaluation.

use std::cell::RefCell;
use std::rc::Rc;

use super::loss::{self, Objective};
use super::stop;
use super::tensor::{self, Kind, Tensor};
use crate::spec::{Access, AttackLoss};
use crate::{Class, Error, Result};

/// Texts that are read at once.
const TEXTS_AT_ONCE: usize = 32;

/// A model that can be attacked: an image branch, a text branch, and a decision from both, logits
/// `[cases, classes]`.
pub trait Classifier {
    /// The features of the image branch for images `[cases, views, side, side]` in [0, 1].
    fn read_images(&self, images: &Tensor) -> Result<Tensor>;

    /// The same for known cases, one an image. A defence whose noise differs from case to case needs their identifiers.
    fn read_cases(&self, images: &Tensor, _cases: &[&str]) -> Result<Tensor> {
        self.read_images(images)
    }

    /// The features of the text branch for texts, without a gradient.
    ///
    /// # Errors
    /// The model reads no text.
    fn read_texts(&self, _texts: &[String]) -> Result<Tensor> {
        Err(Error::Bug("a model was asked about text that it does not read".into()))
    }

    /// The features of the text branch for texts, with the graph back to the embeddings of their pieces; None if the
    /// model does not expose embeddings.
    fn trace_texts(&self, _texts: &[String]) -> Result<Option<TextTrace>> {
        Ok(None)
    }

    /// The logits, one a class, for features of the branches.
    ///
    /// # Errors
    /// The features of a branch that the model needs are missing.
    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor>;
}

/// A frozen model and cases of one chunk, within an attack's access.
#[derive(Clone)]
pub struct Victim<'a> {
    model: &'a dyn Classifier,
    labels: Rc<Tensor>,
    truth: Vec<Class>,
    access: Access,
    /// Places of the cases in the chunk.
    places: Vec<usize>,
    /// Identifiers of all cases of the chunk; empty if the model needs none.
    ids: Rc<[&'a str]>,
    /// Evaluations of each case of the chunk, shared by all victims made from one another.
    spent: Rc<RefCell<Vec<u32>>>,
}

/// The model's answer for a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The true class's logit minus the largest other one; 1 or −1 if only the decision may be seen; None if not finite.
    pub margin: Option<f32>,
    /// Predicted class; None if there is no finite answer.
    pub predicted: Option<Class>,
}

impl Answer {
    /// Whether the case is broken: the answer is wrong, or there is none.
    pub fn is_broken(&self) -> bool {
        !self.margin.is_some_and(|margin| margin > 0.0)
    }
}

/// Features of the image branch, with the graph back to the pixels.
pub struct Trace {
    images: Tensor,
    /// The features of the image branch.
    pub features: Tensor,
}

/// Features of the text branch, with the graph back to the embeddings of the pieces.
pub struct TextTrace {
    /// The embeddings `[cases, length, hidden]`, without positions: the leaf of the graph.
    pub embeddings: Tensor,
    /// The features of the text branch.
    pub features: Tensor,
}

impl<'a> Victim<'a> {
    /// A model with the labels of a chunk and full access.
    pub fn new(model: &'a dyn Classifier, truth: impl IntoIterator<Item = impl Into<Class>>) -> Result<Self> {
        let truth: Vec<Class> = truth.into_iter().map(Into::into).collect();
        let spent = Rc::new(RefCell::new(vec![0; truth.len()]));
        let places = (0..truth.len()).collect();
        Ok(Self {
            model,
            labels: Rc::new(loss::indices(&truth)?),
            truth,
            access: Access::Gradient,
            places,
            ids: Rc::default(),
            spent,
        })
    }

    /// The same with the identifiers of its cases, which a defence may need.
    #[must_use]
    pub fn identified(self, ids: &[&'a str]) -> Self {
        Self { ids: ids.into(), ..self }
    }

    /// The same for some of its cases, given by their rows. Their evaluations count as the chunk's.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        let truth: Vec<Class> = rows.iter().map(|&row| self.truth[row]).collect();
        let places = rows.iter().map(|&row| self.places[row]).collect();
        Ok(Self { labels: Rc::new(loss::indices(&truth)?), truth, places, ..self.clone() })
    }

    /// The same with other labels. An edit that reverses what a report says reverses its label.
    pub fn expecting(&self, truth: Vec<Class>) -> Result<Self> {
        Ok(Self { labels: Rc::new(loss::indices(&truth)?), truth, ..self.clone() })
    }

    /// The same with this access.
    #[must_use]
    pub fn limited(&self, access: Access) -> Self {
        Self { access, ..self.clone() }
    }

    /// The labels of its cases.
    pub fn truth(&self) -> &[Class] {
        &self.truth
    }

    /// Takes the number of evaluations of each case of the chunk, and starts the count anew.
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

    /// Adds evaluations that were made for an earlier attack and serve this one too.
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
        self.features(images)
    }

    /// The features of the image branch, for one image a case.
    fn features(&self, images: &Tensor) -> Result<Tensor> {
        if self.ids.is_empty() {
            return self.model.read_images(images);
        }
        let cases: Vec<&str> = self.places.iter().map(|&place| self.ids[place]).collect();
        self.model.read_cases(images, &cases)
    }

    /// The answers for features of the branches.
    pub fn answer(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Vec<Answer>> {
        stop::check()?;
        let _guard = tensor::no_grad_guard();
        self.count(0..self.truth.len());
        answers(&self.model.decide(image, text)?, &self.truth, self.access)
    }

    /// The answers for other texts, each given with its case's row. `image` is the features of the victim's images, a
    /// row a case.
    pub fn ask(&self, image: Option<&Tensor>, texts: &[(usize, String)]) -> Result<Vec<Answer>> {
        let _guard = tensor::no_grad_guard();
        let mut all = Vec::with_capacity(texts.len());
        for batch in texts.chunks(TEXTS_AT_ONCE) {
            stop::check()?;
            let (_, image, words) = beside(image, batch)?;
            let logits = self.model.decide(image.as_ref(), Some(&self.model.read_texts(&words)?))?;
            let truth: Vec<Class> = batch.iter().map(|(row, _)| self.truth[*row]).collect();
            self.count(batch.iter().map(|(row, _)| *row));
            all.extend(answers(&logits, &truth, self.access)?);
        }
        Ok(all)
    }

    /// The gradient of the loss (cross-entropy with the true label) with respect to the embeddings of the texts'
    /// pieces, `[length, hidden]` a text. Texts are given as for [`Victim::ask`].
    ///
    /// # Errors
    /// The model does not expose its embeddings.
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

    /// Features of the image branch with the graph back to the pixels, for [`Victim::slope`].
    pub fn trace(&self, images: &Tensor) -> Result<Trace> {
        stop::check()?;
        let images = images.f_detach()?.f_set_requires_grad(true)?;
        let features = self.features(&images)?;
        Ok(Trace { images, features })
    }

    /// The answers for traced images, and the gradient of the summed loss with respect to their pixels. The loss is
    /// cross-entropy with the true label; the text features are constants. A trace can be used with several texts.
    pub fn slope(&self, trace: &Trace, text: Option<&Tensor>) -> Result<(Vec<Answer>, Tensor)> {
        let (answers, gradient, _) = self.differentiate(trace, text, (true, &Objective::CrossEntropy))?;
        Ok((answers, gradient))
    }

    /// [`Victim::slope`] for images that are used once.
    pub fn gradient(&self, images: &Tensor, text: Option<&Tensor>) -> Result<(Vec<Answer>, Tensor)> {
        self.gradient_of(images, text, AttackLoss::CrossEntropy)
    }

    /// The same for another loss.
    pub fn gradient_of(
        &self,
        images: &Tensor,
        text: Option<&Tensor>,
        loss: AttackLoss,
    ) -> Result<(Vec<Answer>, Tensor)> {
        let (answers, gradient, _) = self.raised(images, text, &loss.into())?;
        Ok((answers, gradient))
    }

    /// The same, with the loss of each case.
    pub fn raised(
        &self,
        images: &Tensor,
        text: Option<&Tensor>,
        objective: &Objective,
    ) -> Result<(Vec<Answer>, Tensor, Vec<f32>)> {
        self.differentiate(&self.trace(images)?, text, (false, objective))
    }

    /// The other classes of each case, those with the largest logits first; an evaluation.
    pub fn others(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Vec<Vec<Class>>> {
        self.must_see_gradients()?;
        let _guard = tensor::no_grad_guard();
        self.count(0..self.truth.len());
        let logits = self.model.decide(image, text)?;
        let count = tensor::classes(&logits);
        let others = |(logits, label): (&[f32], &Class)| {
            let mut places: Vec<usize> = (0..count).filter(|place| *place != label.place()).collect();
            places.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
            places.into_iter().map(|place| Class::at(place, count)).collect()
        };
        Ok(tensor::values(&logits)?.chunks_exact(count).zip(&self.truth).map(others).collect())
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
        (keeps_trace, objective): (bool, &Objective),
    ) -> Result<(Vec<Answer>, Tensor, Vec<f32>)> {
        self.must_see_gradients()?;
        self.count(0..self.truth.len());
        let logits = self.model.decide(Some(&trace.features), text)?;
        let losses = objective.of(&logits, &self.labels)?;
        let each = tensor::values(&losses)?;
        let loss = losses.f_sum(Kind::Float)?;
        let answers = answers(&logits, &self.truth, self.access)?;
        if !loss.requires_grad() {
            return Ok((answers, trace.images.f_detach()?.f_zeros_like()?, each)); // no pixel matters
        }
        let mut gradients = Tensor::f_run_backward(&[loss], &[&trace.images], keeps_trace, false)?;
        let gradient = match gradients.pop().filter(Tensor::defined) {
            Some(gradient) => gradient,
            None => trace.images.f_detach()?.f_zeros_like()?,
        };
        Ok((answers, gradient, each))
    }
}

/// The rows of texts, the image features of these rows, and the texts.
fn beside(
    image: Option<&Tensor>,
    texts: &[(usize, String)],
) -> Result<(Tensor, Option<Tensor>, Vec<String>)> {
    let (rows, texts): (Vec<usize>, Vec<String>) = texts.iter().cloned().unzip();
    let rows = tensor::rows(&rows)?;
    let image = image.map(|image| image.f_index_select(0, &rows)).transpose()?;
    Ok((rows, image, texts))
}

/// Turns logits into answers; if only the decision may be seen, every margin is 1 or −1.
fn answers(logits: &Tensor, truth: &[Class], access: Access) -> Result<Vec<Answer>> {
    let classes = tensor::classes(logits);
    let logits = tensor::values(logits)?;
    let answers = logits.chunks_exact(classes).zip(truth).map(|(logits, &label)| {
        let (margin, predicted) = (margin(logits, label), predicted(logits));
        let finite = logits.iter().all(|logit| logit.is_finite()) && margin.is_finite();
        let seen = if access > Access::Decision {
            margin
        } else if margin > 0.0 {
            1.0
        } else {
            -1.0
        };
        Answer { margin: finite.then_some(seen), predicted: finite.then_some(predicted) }
    });
    Ok(answers.collect())
}

/// The logit of a class minus the largest other one: above 0 where the class is the answer.
pub fn margin(logits: &[f32], class: Class) -> f32 {
    let others = logits.iter().enumerate().filter(|(place, _)| *place != class.place());
    // a NaN is no largest logit, so it has to make the margin one
    let most = others.fold(
        f32::NEG_INFINITY,
        |most, (_, &logit)| if logit > most || logit.is_nan() { logit } else { most },
    );
    logits.get(class.place()).map_or(f32::NAN, |own| own - most)
}

/// The class with the largest logit; of equal ones the first.
pub fn predicted(logits: &[f32]) -> Class {
    let first = (0, f32::NEG_INFINITY);
    let most = |most: (usize, f32), (place, &logit): (usize, &f32)| {
        if logit > most.1 { (place, logit) } else { most }
    };
    Class::at(logits.iter().enumerate().fold(first, most).0, logits.len())
}
