//! The text side of a chunk: attacked reports, and how their meaning changed.

use rayon::prelude::*;

use super::price::Price;
use super::{Attacked, Chunk, bug};
use crate::Result;
use crate::lab::attack::text::{self, Reports};
use crate::lab::tensor::Tensor;
use crate::lab::victim::Victim;
use crate::plan::ImageAttack;
use crate::spec::{Absence, EditKind, Joint, Mode, TextAttack, TextMethod, TextSearch};
use crate::text::meaning::preserves;
use crate::text::perturb::{Rules, after, perturb};
use crate::text::{Document, Edit};

/// A report after attacks.
#[derive(Debug, Clone)]
pub struct Words {
    /// The report after the attacks.
    pub document: Document,
    /// The number of edits; 1 if the report is replaced or missing.
    pub edits: u32,
    /// The edits of the original report, step by step; None if the report is replaced or missing.
    pub steps: Option<Vec<Vec<Edit>>>,
}

impl Words {
    /// A report without edits.
    pub(in crate::lab) fn clean(document: &Document) -> Self {
        Self { document: document.clone(), edits: 0, steps: Some(vec![]) }
    }

    /// Another report instead of the patient's.
    fn replaced(text: &str) -> Self {
        Self { document: Document::of(text), edits: 1, steps: None }
    }

    /// Applies further steps.
    ///
    /// # Errors
    /// The steps do not fit the report, which is a bug in medcert.
    pub(in crate::lab) fn then(self, further: Vec<Vec<Edit>>) -> Result<Self> {
        let document = after(&self.document, &further).map_err(|why| bug(&why))?;
        let edits = self.edits + further.iter().map(Vec::len).sum::<usize>() as u32;
        let steps = self.steps.map(|mut steps| {
            steps.extend(further);
            steps
        });
        Ok(Self { document, edits, steps })
    }
}

/// The chunk's reports after attacks on their words.
pub struct Variant<'a> {
    attacks: Vec<TextAttack>,
    draw: u32,
    /// The image attack that a search for words saw beside them, and how the two were joined.
    given: Option<(ImageAttack, Joint)>,
    /// The reports.
    pub(in crate::lab) words: Vec<Words>,
    /// Whether each report has another meaning now; None if no attack acts on words.
    pub(super) changed: Vec<Option<bool>>,
    /// Whether each report says the opposite on purpose, so that its label is reversed.
    pub(super) flipped: Vec<bool>,
    /// The model, with the labels of these reports.
    pub(super) victim: Victim<'a>,
    /// The text features; None if the model reads no text.
    pub(super) features: Option<Tensor>,
    /// The gradient of the loss with respect to the clean pixels, beside these texts.
    pub(super) gradient: Option<(Tensor, Price)>,
    /// The cost of making these texts.
    pub(super) price: Price,
}

impl Variant<'_> {
    /// Whether the text is missing, so that its features are zero whatever the words are.
    pub(super) fn is_cut_off(&self) -> bool {
        self.attacks.iter().any(|attack| attack.method == TextMethod::Absent(Absence::Missing))
    }
}

impl<'a> Chunk<'a> {
    /// The variant of the texts after `attacks`, by its place; made if it is new. A search sees the attacked images
    /// in `given`, or the clean ones.
    ///
    /// # Errors
    /// An attack broke the contract of its mode, which is a bug in medcert.
    pub(in crate::lab) fn variant(
        &mut self,
        attacks: &[TextAttack],
        draw: u32,
        given: Option<(ImageAttack, &Attacked)>,
    ) -> Result<usize> {
        let searches = attacks.iter().any(|attack| matches!(attack.method, TextMethod::Searched { .. }));
        let seen = given.filter(|_| searches);
        let key = seen.map(|(attack, _)| (attack, Joint::ImageFirst));
        let is_it =
            |known: &Variant<'_>| (known.attacks.as_slice(), known.draw, known.given) == (attacks, draw, key);
        if let Some(place) = self.variants.iter().position(is_it) {
            self.victim.charge(self.variants[place].price.due(self.turn));
            return Ok(place);
        }
        let image = seen.map(|(_, attacked)| &attacked.features);
        let (words, price) = self.priced(|chunk| chunk.perturbed(attacks, draw, image))?;
        let place = self.add(attacks, draw, key, words)?;
        self.variants[place].price = price;
        Ok(place)
    }

    /// Adds a variant with these reports, after checking the contract of the attacks' modes.
    ///
    /// # Errors
    /// The contract is broken, which is a bug in medcert.
    pub(in crate::lab) fn add(
        &mut self,
        attacks: &[TextAttack],
        draw: u32,
        given: Option<(ImageAttack, Joint)>,
        mut words: Vec<Words>,
    ) -> Result<usize> {
        let count = self.indices.len();
        let mut flipped = vec![false; count];
        let mut changed = vec![None; count];
        let is_missing = |attack: &TextAttack| attack.method == TextMethod::Absent(Absence::Missing);
        let is_cut_off = attacks.iter().any(is_missing);
        if !is_cut_off {
            self.forget_what_is_not_read(&mut words);
        }
        if !attacks.is_empty() && self.scene.reader.reads_text() {
            let must = attacks.iter().all(|attack| attack.mode == Mode::Preserving);
            for (case, (is_flipped, is_same)) in self.compare(attacks, &mut words).into_iter().enumerate() {
                if must && !is_same {
                    return Err(bug("an attack on words broke the meaning that it had to preserve"));
                }
                (flipped[case], changed[case]) = (is_flipped, Some(!is_same));
            }
        }
        let truth = self.victim.truth().iter().zip(&flipped).map(|(&label, &flipped)| label.turned(flipped));
        let victim = self.victim.expecting(truth.collect())?;
        let features = if !self.scene.reader.reads_text() {
            None
        } else if is_cut_off {
            self.variants
                .first()
                .and_then(|clean| clean.features.as_ref())
                .map(Tensor::f_zeros_like)
                .transpose()?
        } else {
            let texts: Vec<String> = words.iter().map(|words| words.document.text()).collect();
            Some(self.scene.reader.read_texts(&texts)?)
        };
        let attacks = attacks.to_vec();
        self.variants.push(Variant {
            attacks,
            draw,
            given,
            words,
            changed,
            flipped,
            victim,
            features,
            gradient: None,
            price: Price::default(),
        });
        Ok(self.variants.len() - 1)
    }

    /// Undoes the edits of a report if the model does not read any of them: they are after the point where its
    /// tokenizer cuts, or between words that it does not know.
    fn forget_what_is_not_read(&self, words: &mut [Words]) {
        for (case, words) in words.iter_mut().enumerate().filter(|(_, words)| words.edits > 0) {
            if self.scene.reader.reads_alike(self.original(case), &words.document.text()) {
                *words = Words::clean(self.document(case));
            }
        }
    }

    /// For each report, whether it says the opposite, as a directional attack intends, and whether it keeps its
    /// meaning. A report that a directional attack did not reverse gets its original words back. Threads share the
    /// reports.
    fn compare(&self, attacks: &[TextAttack], words: &mut [Words]) -> Vec<(bool, bool)> {
        let is_directional = attacks.iter().any(|attack| attack.mode == Mode::Directional);
        let (originals, truth) = (self.originals(), self.victim.truth());
        let documents: Vec<&Document> = (0..words.len()).map(|case| self.document(case)).collect();
        let topic = self.scene.topic();
        let compare = |(case, words): (usize, &mut Words)| {
            let original = originals[case];
            let mut is_flipped = false;
            if is_directional {
                let (before, after) =
                    (topic.is_affirmed(original), topic.is_affirmed(&words.document.text()));
                // a report that contradicted its label might now agree with it, so that does not count as reversed
                is_flipped = before != after && truth[case] == before.into();
                if !is_flipped {
                    *words = Words::clean(documents[case]);
                }
            }
            (is_flipped, words.edits == 0 || preserves(original, &words.document.text()))
        };
        words.par_iter_mut().enumerate().map(compare).collect()
    }

    /// The original reports.
    fn originals(&self) -> Vec<&'a str> {
        (0..self.indices.len()).map(|case| self.original(case)).collect()
    }

    /// A case's original report.
    pub(in crate::lab) fn original(&self, case: usize) -> &'a str {
        &self.scene.inputs.texts[self.indices[case]]
    }

    /// The same, section by section.
    pub(in crate::lab) fn document(&self, case: usize) -> &'a Document {
        &self.scene.inputs.documents[self.indices[case]]
    }

    /// Applies attacks to the reports, one after the other.
    fn perturbed(&self, attacks: &[TextAttack], draw: u32, image: Option<&Tensor>) -> Result<Vec<Words>> {
        let mut words: Vec<Words> =
            (0..self.indices.len()).map(|case| Words::clean(self.document(case))).collect();
        if !self.scene.reader.reads_text() {
            return Ok(words);
        }
        for attack in attacks {
            words = match attack.method {
                TextMethod::Sampled(kind) => self.sampled(words, kind, *attack, draw)?,
                TextMethod::Searched { search, queries } => {
                    self.searched(words, *attack, (search, queries), image)?
                }
                TextMethod::Absent(absence) => self.absent_report(words, absence),
            };
        }
        Ok(words)
    }

    /// Applies random edits. Threads share the reports.
    fn sampled(
        &self,
        words: Vec<Words>,
        kind: EditKind,
        attack: TextAttack,
        draw: u32,
    ) -> Result<Vec<Words>> {
        let (originals, cases) = (self.originals(), &self.cases);
        let (lexicon, seed, topic) = (self.scene.lexicon, self.scene.seed, self.scene.topic());
        let further = |(case, words): (usize, Words)| {
            let original = originals[case];
            let contract = |_: &str, after: &str| preserves(original, after);
            let flip = |text: &str| topic.flip(text);
            let rules = Rules {
                lexicon,
                contract: if attack.mode == Mode::Preserving { Some(&contract) } else { None },
                flip: Some(&flip),
            };
            let kinds = [(kind, attack.share)];
            let drawn = perturb(&words.document, &kinds, &rules, seed, cases[case], draw);
            words.then(drawn.steps)
        };
        words.into_par_iter().enumerate().map(further).collect()
    }

    /// Applies the edits that a search proposes beside images.
    fn searched(
        &self,
        words: Vec<Words>,
        attack: TextAttack,
        (search, queries): (TextSearch, u32),
        image: Option<&Tensor>,
    ) -> Result<Vec<Words>> {
        let clean = self.clean.as_ref().map(|clean| &clean.features);
        let reports = Reports {
            victim: self.victim.clone(),
            image: image.or(clean),
            documents: words.iter().map(|words| &words.document).collect(),
            originals: self.originals(),
            cases: &self.cases,
            seed: self.scene.seed,
            lexicon: self.scene.lexicon,
            reader: self.scene.reader,
            preserving: attack.mode == Mode::Preserving,
        };
        let found = text::propose(&reports, search, attack.share, queries)?;
        words.into_iter().zip(found).map(|(words, steps)| words.then(steps)).collect()
    }

    /// Replaces the patient's reports.
    fn absent_report(&self, words: Vec<Words>, absence: Absence) -> Vec<Words> {
        let replaced = |(case, words): (usize, Words)| match absence {
            // the text features are zero, whatever the report says
            Absence::Missing => Words { edits: 1, steps: None, ..words },
            Absence::Blank => Words::replaced(""),
            Absence::Mean => Words::replaced(self.scene.typical_report()),
            Absence::WrongPatient => {
                Words::replaced(&self.scene.inputs.texts[self.scene.other_patient(self.indices[case])])
            }
        };
        words.into_iter().enumerate().map(replaced).collect()
    }
}
