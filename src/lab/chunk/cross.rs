//! Alternating search over pixels and words against the joint answer: gradient steps on the pixels with the report
//! fixed, then the best word edits with the images fixed, for three rounds. Alternating a gradient-based and a
//! greedy search is the idea of Co-Attack (Zhang et al., Towards Adversarial Attack on Vision-Language Pre-training
//! Models, ACM MM 2022, arXiv 2206.09391); the rounds and the budgets are ours.
//!
//! Each round takes a third of PGD's steps: from random starts in the first round, from the current images later.
//! Then every single edit (a deletion or a synonym) is tried on the current report, and the best edits are combined,
//! one more at a time; the combination with the least margin is kept. A search such as `TextFooler` instead runs on
//! the current report with a third of its queries. After round r of 3, at most r thirds of the permitted words are
//! edited. For each case the pair with the least margin is kept; broken cases are not attacked further.
//!
//! Needs: the gradient. Cost a case: a third of PGD's steps a start, two thirds more, and in each round an
//! evaluation for every single edit and for every edit that is made, or a third of the search's queries.

use super::{Chunk, Tried, Words, bug};
use crate::Result;
use crate::lab::attack::image::{Best, Problem, Space, pgd};
use crate::lab::attack::text::{self, Reports};
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::Answer;
use crate::plan::ImageAttack;
use crate::spec::{EditKind, ImageMethod, ImageSearch, Joint, Mode, TextAttack, TextMethod, TextSearch};
use crate::text::Edit;
use crate::text::meaning::preserves;
use crate::text::perturb::{Rules, apply, count, singles};

/// Number of rounds.
const ROUNDS: u32 = 3;

/// Runs the alternating search on a chunk.
///
/// # Errors
/// The two attacks cannot alternate, which is a bug in medcert.
pub(super) fn attack(
    chunk: &mut Chunk<'_>,
    image: ImageAttack,
    text: &[TextAttack],
    draw: u32,
) -> Result<Tried> {
    let ImageMethod::Search { search: ImageSearch::Pgd { steps, restarts }, .. } = image.method else {
        return Err(bug("pixels and words took turns without a PGD"));
    };
    let space = chunk.space(image, 0)?;
    let mut turns = Turns::new(chunk, text, &space)?;
    for round in 0..ROUNDS {
        turns.pixels(round, (steps.div_ceil(ROUNDS), restarts), draw)?;
        turns.words(round)?;
    }
    let Turns { images, words, .. } = turns;
    let place = chunk.add(text, draw, Some((image, Joint::Cross)), words)?;
    let attacked = chunk.admit(&images, &space, image.method)?;
    chunk.judge(Some(attacked), place)
}

/// The best pair of each case so far.
struct Turns<'c, 'a> {
    chunk: &'c Chunk<'a>,
    attacks: &'c [TextAttack],
    /// The cases before the attack on the pixels.
    problem: Problem<'a>,
    images: Tensor,
    words: Vec<Words>,
    margins: Vec<f32>,
    /// Edits of each attack in each case.
    edits: Vec<Vec<usize>>,
}

impl<'c, 'a> Turns<'c, 'a> {
    /// Starts with the clean pair.
    fn new(chunk: &'c Chunk<'a>, attacks: &'c [TextAttack], space: &Space) -> Result<Self> {
        let problem = chunk.problem(space.clone(), 0)?;
        let images = problem.images.f_detach_copy()?;
        let margins = margins(&problem.answer(&images)?);
        let count = margins.len();
        let words = (0..count).map(|case| Words::clean(chunk.document(case))).collect();
        let edits = vec![vec![0; attacks.len()]; count];
        Ok(Self { chunk, attacks, problem, images, words, margins, edits })
    }

    /// The unbroken cases.
    fn standing(&self) -> Vec<usize> {
        (0..self.margins.len()).filter(|&case| self.margins[case] > 0.0).collect()
    }

    /// Gradient steps on the pixels, with the current reports.
    fn pixels(&mut self, round: u32, (steps, restarts): (u32, u32), draw: u32) -> Result<()> {
        let cases = self.standing();
        if cases.is_empty() {
            return Ok(());
        }
        let mut problem = self.problem.select(&cases)?;
        let texts: Vec<String> = cases.iter().map(|&case| self.words[case].document.text()).collect();
        problem.text = Some(self.chunk.scene.reader.read_texts(&texts)?);
        let present = self.images.f_index_select(0, &tensor::rows(&cases)?)?;
        let mut best = Best::new(&present)?;
        best.margins = cases.iter().map(|&case| self.margins[case]).collect();
        if round == 0 {
            let noise = format!("cross {draw}");
            for restart in 0..restarts {
                pgd::climb(&problem, problem.random_start(&noise, restart)?, steps, &mut best)?;
            }
        } else {
            pgd::climb(&problem, present, steps, &mut best)?;
        }
        let _guard = tensor::no_grad_guard();
        for (row, &case) in cases.iter().enumerate() {
            self.images.f_get(case as i64)?.f_copy_(&best.images.f_get(row as i64)?)?;
            self.margins[case] = best.margins[row];
        }
        Ok(())
    }

    /// The best word edits, with the current images.
    fn words(&mut self, round: u32) -> Result<()> {
        for place in 0..self.attacks.len() {
            let cases = self.standing();
            if cases.is_empty() {
                return Ok(());
            }
            let images = self.images.f_index_select(0, &tensor::rows(&cases)?)?;
            let victim = self.problem.victim.select(&cases)?;
            let beside = Beside { features: victim.read_images(&images)?, cases };
            let proposals = match self.attacks[place].method {
                TextMethod::Sampled(kind) => self.greedy(&beside, place, kind, round)?,
                TextMethod::Searched { search, queries } => {
                    self.searched(&beside, place, (search, queries / ROUNDS), round)?
                }
                TextMethod::Absent(_) => return Err(bug("pixels took turns with an absent report")),
            };
            self.take(&beside, place, proposals)?;
        }
        Ok(())
    }

    /// The number of words that an attack may still edit in this round.
    fn allowed(&self, case: usize, place: usize, round: u32) -> usize {
        let all = count(self.chunk.document(case), self.attacks[place].share);
        (all * (round as usize + 1)).div_ceil(ROUNDS as usize).saturating_sub(self.edits[case][place])
    }

    /// Whether the attack's mode allows this text for a case.
    fn may_say(&self, case: usize, place: usize, text: &str) -> bool {
        self.attacks[place].mode != Mode::Preserving || preserves(self.chunk.original(case), text)
    }

    /// The best single edits and their compatible combinations, best first: one proposal for each number of edits.
    fn greedy(&self, beside: &Beside, place: usize, kind: EditKind, round: u32) -> Result<Vec<Proposal>> {
        let rules = Rules::free(self.chunk.scene.lexicon);
        let mut tried = Vec::new();
        for (row, &case) in beside.cases.iter().enumerate() {
            if self.allowed(case, place, round) > 0 {
                let document = &self.words[case].document;
                tried.extend(singles(document, kind, &rules).into_iter().map(|edit| (row, vec![vec![edit]])));
            }
        }
        let tried = self.admissible(beside, place, tried);
        let scores = margins(&self.ask(beside, &tried)?);
        let mut proposals = Vec::new();
        for (row, &case) in beside.cases.iter().enumerate() {
            let own = tried.iter().zip(&scores).filter(|((of, ..), _)| *of == row);
            let mut own: Vec<(f32, &Edit)> =
                own.map(|((_, steps, _), score)| (*score, &steps[0][0])).collect();
            own.sort_by(|a, b| a.0.total_cmp(&b.0));
            let document = &self.words[case].document;
            let (mut step, allowed) = (Vec::new(), self.allowed(case, place, round));
            for (_, edit) in own {
                if step.len() == allowed {
                    break;
                }
                step.push(edit.clone());
                match apply(document, &step).ok().filter(|text| self.may_say(case, place, text)) {
                    Some(text) => proposals.push((row, vec![step.clone()], text)),
                    None => drop(step.pop()),
                }
            }
        }
        Ok(proposals)
    }

    /// The proposals of a search for each case.
    fn searched(
        &self,
        beside: &Beside,
        place: usize,
        (search, queries): (TextSearch, u32),
        round: u32,
    ) -> Result<Vec<Proposal>> {
        let mut found = Vec::new();
        for (row, &case) in beside.cases.iter().enumerate() {
            let document = &self.words[case].document;
            let (mut left, all) = (self.allowed(case, place, round), count(document, 1.0));
            if left == 0 || all == 0 {
                continue;
            }
            let image = beside.features.f_narrow(0, row as i64, 1)?;
            let reports = Reports {
                victim: self.problem.victim.select(&[case])?,
                image: Some(&image),
                documents: vec![document],
                originals: vec![self.chunk.original(case)],
                cases: &self.chunk.cases[case..=case],
                seed: self.chunk.scene.seed,
                lexicon: self.chunk.scene.lexicon,
                reader: self.chunk.scene.reader,
                preserving: self.attacks[place].mode == Mode::Preserving,
            };
            for mut steps in text::propose(&reports, search, left as f64 / all as f64, queries)? {
                for step in &mut steps {
                    step.truncate(left);
                    left -= step.len();
                }
                found.push((row, steps));
            }
        }
        Ok(self.admissible(beside, place, found))
    }

    /// The steps that fit their reports and are allowed, with the resulting texts.
    fn admissible(
        &self,
        beside: &Beside,
        place: usize,
        found: Vec<(usize, Vec<Vec<Edit>>)>,
    ) -> Vec<Proposal> {
        let said = |(row, steps): (usize, Vec<Vec<Edit>>)| {
            let case = beside.cases[row];
            let text = crate::text::perturb::replay(&self.words[case].document, &steps).ok()?;
            self.may_say(case, place, &text).then_some((row, steps, text))
        };
        found.into_iter().filter_map(said).collect()
    }

    /// The model's answers to proposals, with the current images.
    fn ask(&self, beside: &Beside, proposals: &[Proposal]) -> Result<Vec<Answer>> {
        let texts: Vec<(usize, String)> =
            proposals.iter().map(|(row, _, text)| (*row, text.clone())).collect();
        self.problem.victim.select(&beside.cases)?.ask(Some(&beside.features), &texts)
    }

    /// Keeps the best proposal of each case if it improves on the current pair.
    fn take(&mut self, beside: &Beside, place: usize, proposals: Vec<Proposal>) -> Result<()> {
        let scores = margins(&self.ask(beside, &proposals)?);
        let mut best: Vec<Option<Vec<Vec<Edit>>>> = vec![None; beside.cases.len()];
        for ((row, steps, _), score) in proposals.into_iter().zip(scores) {
            let margin = &mut self.margins[beside.cases[row]];
            if score < *margin {
                (*margin, best[row]) = (score, Some(steps));
            }
        }
        for (&case, steps) in beside.cases.iter().zip(best) {
            if let Some(steps) = steps {
                self.edits[case][place] += steps.iter().map(Vec::len).sum::<usize>();
                self.words[case] = self.words[case].clone().then(steps)?;
            }
        }
        Ok(())
    }
}

/// The unbroken cases, with the image features of their current images.
struct Beside {
    features: Tensor,
    cases: Vec<usize>,
}

/// The row of an unbroken case, steps on its current report, and the resulting text.
type Proposal = (usize, Vec<Vec<Edit>>, String);

/// The margins of answers; a missing answer has the least margin.
fn margins(answers: &[Answer]) -> Vec<f32> {
    answers.iter().map(|answer| answer.margin.unwrap_or(f32::NEG_INFINITY)).collect()
}
