//! Counts certified cases. The decision of every vote is computed again from its samples and successes, so that only
//! these are trusted.
//!
//! A vote certifies a case that is not certifiable with probability α at most. If a share θ of the cases is
//! certifiable, at most θ + α(1 − θ) of them are therefore certified on average. A clause passes if the lower bound
//! of the certified share, corrected for α, reaches its threshold. It fails if the refuted share alone shows that θ
//! is below it.

use super::counts::Tally;
use super::sample::{CertifiedShare, Part, Sample};
use super::{LEVEL, percent_beside};
use crate::evidence::{Certificate, Decision, Vote};
use crate::plan::{self, Clause};
use crate::spec::{Ball, Certifier, Direction, Region, Smoothing};
use crate::stats::Proportion;
use crate::stats::certificate::Question;
use crate::stats::vote::{Count, State};

/// The votes of a certificate, counted by decision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Votes {
    /// Certified cases.
    pub certified: u64,
    /// Refuted cases.
    pub refuted: u64,
    /// Undecided cases.
    pub undecided: u64,
    /// Inputs that the model was asked, over all cases.
    pub samples: u64,
    /// Certificates that an attack withdrew; they count as undecided.
    pub withdrawn: u64,
}

impl Votes {
    /// Counts the given votes.
    pub fn of<'v>(votes: impl IntoIterator<Item = &'v Vote>) -> Self {
        let mut sum = Self::default();
        for vote in votes {
            sum.samples += vote.samples;
            match (vote.is_certified(), vote.state) {
                (true, _) => sum.certified += 1,
                (false, Decision::Refuted) => sum.refuted += 1,
                (false, Decision::Undecided) => sum.undecided += 1,
                (false, Decision::Certified) => {
                    sum.undecided += 1;
                    sum.withdrawn += 1;
                }
            }
        }
        sum
    }

    /// Number of cases.
    pub fn cases(&self) -> u64 {
        self.certified + self.refuted + self.undecided
    }

    /// Mean number of samples per case.
    pub fn mean_samples(&self) -> f64 {
        self.samples as f64 / self.cases().max(1) as f64
    }
}

/// The counts of a certificate, with bounds of the share of certifiable cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certified {
    /// The votes.
    pub votes: Votes,
    /// One-sided 95 % lower bound of the share of certifiable cases, 0 to 1.
    pub lower: f64,
    /// One-sided 95 % upper bound.
    pub upper: f64,
    /// Largest number of pixels that may change in a case, over all views; 0 without a ball of pixels.
    pub pixels: u64,
}

impl Certified {
    /// Share of the cases that are certified, 0 to 1.
    pub fn share(&self) -> f64 {
        self.votes.certified as f64 / self.votes.cases().max(1) as f64
    }
}

impl Tally<'_> {
    /// Counts a certificate of the plan over all cases.
    ///
    /// # Errors
    /// As for [`Self::votes`].
    pub fn certified(&self, certificate: usize) -> Result<Certified, String> {
        let votes = self.votes(certificate)?;
        let planned = &self.plan.certificates[certificate];
        let places: Vec<usize> = (0..votes.len()).collect();
        let share = self.certified_share(planned, votes, &places, Direction::AtLeast);
        let pixels = votes.iter().map(|vote| vote.pixels).max().unwrap_or(0);
        let (lower, upper) = (share.lower(LEVEL), share.upper(LEVEL));
        Ok(Certified { votes: Votes::of(votes), lower, upper, pixels })
    }

    /// The share of cases that their votes certify at other radii: each of `parts` is a multiple of the ball's
    /// radius, above 0 and possibly beyond 1. The same votes decide every radius at the error rate α (a test of every
    /// threshold at once), so a curve needs no further samples. None if the certificate is not a vote or its ball has
    /// no radius.
    ///
    /// # Errors
    /// As for [`Self::votes`].
    pub fn certified_at(&self, certificate: usize, parts: &[f64]) -> Result<Option<Vec<f64>>, String> {
        let votes = self.votes(certificate)?;
        let planned = &self.plan.certificates[certificate];
        let (Certifier::Vote(smoothing), Some(_)) = (planned.certifier, planned.ball.within()) else {
            return Ok(None);
        };
        let holds = |vote: &Vote, part: f64| {
            let question = smoothing.question(&planned.ball, vote.pixels).ok();
            let rules = question.and_then(|question| {
                Question { radius: question.radius * part, ..question }.rules(vote.words)
            });
            let count = Count { successes: vote.successes, failures: vote.samples - vote.successes };
            let is_withdrawn = vote.attacked == Some(crate::evidence::Attacked::Withdrawn);
            !is_withdrawn && rules.is_some_and(|rules| rules.look(count) == State::Certified)
        };
        let share = |&part: &f64| {
            votes.iter().filter(|vote| holds(vote, part)).count() as f64 / votes.len().max(1) as f64
        };
        Ok(Some(parts.iter().map(share).collect()))
    }

    fn certified_share(
        &self,
        planned: &plan::Certificate,
        votes: &[Vote],
        places: &[usize],
        direction: Direction,
    ) -> CertifiedShare {
        let cluster = |place: usize| self.cluster(&[planned.model], place);
        let share = |counts: &dyn Fn(&Vote) -> bool| {
            Proportion::of(places.iter().map(|&place| (cluster(place), counts(&votes[place]))))
        };
        let is_refuted = |vote: &Vote| !vote.is_certified() && vote.state == Decision::Refuted;
        CertifiedShare {
            certified: share(&Vote::is_certified),
            refuted: share(&is_refuted),
            alpha: planned.certifier.alpha(),
            direction,
        }
    }

    /// The votes of a certificate of the plan, one per case. Each decision is checked against its samples.
    ///
    /// # Errors
    /// The evidence lacks the certificate or a vote, or a decision does not follow from its samples.
    pub fn votes(&self, certificate: usize) -> Result<&[Vote], String> {
        let planned =
            self.plan.certificates.get(certificate).ok_or("the plan has no such certificate".to_string())?;
        let (model, ball) = (self.name(planned.model), planned.ball.to_string());
        let is_it = |one: &&Certificate| one.model == model && one.ball == ball;
        let found = self.evidence.certificates.iter().find(is_it);
        let found = found.ok_or_else(|| {
            format!("the evidence lacks the certificate of {model} within {ball}; run the spec again")
        })?;
        let (votes, cases) = (found.votes.len(), self.evidence.cases.len());
        if votes != cases {
            return Err(format!(
                "the certificate of {model} within {ball} has {votes} votes for {cases} cases"
            ));
        }
        let pixels = self.pixels(planned);
        for (case, vote) in self.evidence.cases.iter().zip(&found.votes) {
            let shown = shown(planned, vote, pixels);
            if shown != Ok(vote.state) {
                let why = shown.err().unwrap_or("its samples show something else");
                return Err(format!("the vote on {} for {model} within {ball} is not sound: {why}", case.id));
            }
        }
        Ok(&found.votes)
    }

    /// Number of pixels over all views, if the ball covers all of them.
    fn pixels(&self, certificate: &plan::Certificate) -> Option<u64> {
        let (_, _, region) = certificate.ball.within()?;
        let models = &self.plan.spec.models;
        let side = self.plan.kind(certificate.model)?.side(models)?;
        let views = self.plan.spec.data.views().count() as u64;
        (region == Region::Everywhere).then(|| u64::from(side).pow(2) * views)
    }
}

/// The decision that follows from a vote's samples. `pixels` is the number of pixels over all views, if the ball
/// covers all of them.
fn shown(
    certificate: &plan::Certificate,
    vote: &Vote,
    pixels: Option<u64>,
) -> Result<Decision, &'static str> {
    if vote.successes > vote.samples {
        return Err("more copies answered the label than were asked");
    }
    if pixels.is_some_and(|pixels| pixels != vote.pixels) {
        return Err("its ball covers other pixels than the image has");
    }
    let holds_all = vote.samples > 0 && vote.successes == vote.samples;
    let exact = |is_whole: bool| if holds_all && is_whole { Decision::Certified } else { Decision::Refuted };
    match certificate.certifier {
        Certifier::Vote(smoothing) => of_smoothing(&smoothing, &certificate.ball, vote),
        Certifier::TwoMasks { grid, .. } => {
            let masks = u64::from(grid).pow(2);
            Ok(exact(vote.samples == masks * (masks + 1) / 2))
        }
        Certifier::Listing => Ok(exact(true)),
    }
}

fn of_smoothing(smoothing: &Smoothing, ball: &Ball, vote: &Vote) -> Result<Decision, &'static str> {
    let question =
        smoothing.question(ball, vote.pixels).map_err(|_| "this smoothing does not cover the ball")?;
    let Some(rules) = question.rules(vote.words) else {
        // the report is too short for so many changes, so no vote can certify it
        return Ok(Decision::Undecided);
    };
    if vote.samples > rules.limit {
        return Err("more copies were asked than the spec allows");
    }
    let count = Count { successes: vote.successes, failures: vote.samples - vote.successes };
    Ok(Decision::of(rules.look(count)))
}

/// Counts the cases of a certified clause among the given ones.
///
/// # Errors
/// The evidence lacks the certificate, or a vote is not sound.
pub(super) fn part(
    tally: &Tally<'_>,
    clause: &Clause,
    certificate: usize,
    places: &[usize],
    group: Option<String>,
) -> Result<Part, String> {
    let all = tally.votes(certificate)?;
    let planned = tally.plan.certificates[certificate];
    let votes = Votes::of(places.iter().map(|&place| &all[place]));
    let (threshold, direction) = (clause.bound.threshold(), clause.bound.direction());
    let share = tally.certified_share(&planned, all, places, clause.metric.direction());
    let is_short = is_short_of_samples(votes, &share, threshold);
    let sample = Sample::Certified(share);
    let estimate = sample.estimate();
    let counted = counted(tally, clause, (votes, &sample, threshold));
    let short = is_short.then(|| {
        let asked = match planned.certifier {
            Certifier::Vote(smoothing) => format!(" after at most {} samples", smoothing.samples),
            Certifier::TwoMasks { .. } | Certifier::Listing => String::new(),
        };
        format!("{} of {} cases are undecided{asked}: more samples may tell", votes.undecided, votes.cases())
    });
    let p = sample.p(threshold, direction);
    Ok(Part { group, sample, estimate, other: None, p, counted, short })
}

/// `187 of 300 cases certified (62.3 %), 40 refuted, 73 undecided`.
fn counted(tally: &Tally<'_>, clause: &Clause, (votes, sample, threshold): (Votes, &Sample, f64)) -> String {
    let noun = tally.noun(clause.measure(), votes.cases());
    let share = percent_beside(sample.value(), threshold);
    let certified = match clause.metric.direction() {
        Direction::AtLeast => format!("{} of {} {noun} certified ({share})", votes.certified, votes.cases()),
        Direction::AtMost => {
            let open = votes.cases() - votes.certified;
            format!("{open} of {} {noun} not certified ({share})", votes.cases())
        }
    };
    let withdrawn = match votes.withdrawn {
        0 => String::new(),
        count => format!(", {count} of these withdrawn after an attack"),
    };
    format!("{certified}, {} refuted, {} undecided{withdrawn}", votes.refuted, votes.undecided)
}

/// Whether more samples could decide the clause on the same cases: it would pass if every undecided case were
/// certified, or fail if every one were refuted.
fn is_short_of_samples(votes: Votes, share: &CertifiedShare, threshold: f64) -> bool {
    let Votes { certified, refuted, undecided, .. } = votes;
    let holds = |(lower, upper): (f64, f64)| match share.direction {
        Direction::AtLeast => (lower >= threshold, upper < threshold),
        Direction::AtMost => (upper <= threshold, lower > threshold),
    };
    let at = |certified, refuted| holds(share.among([certified, refuted, votes.cases()], LEVEL, LEVEL));
    let could_pass = at(certified + undecided, refuted).0;
    let could_fail = at(certified, refuted + undecided).1;
    undecided > 0 && (could_pass || could_fail)
}
