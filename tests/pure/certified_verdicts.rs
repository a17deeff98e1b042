//! What the judge makes of votes: the verdicts, their error rates, and evidence that does not prove what it says.

use crate::made_evidence;

use made_evidence::{World, at_least, bounded, even, measuring};
use medcert::evidence::{Attacked, Certificate, Decision, Vote};
use medcert::judge::{Finding, Verdict, judge};
use medcert::plan::{self, Attack, Clause};
use medcert::random::{stream, uniform};
use medcert::spec::{
    Ball, Bound, Certifier, Check, Metric, PixelNoise, Region, Smoothing, WordNoise, parse_ball,
};
use medcert::spec::{Defence, Names};
use medcert::stats::vote::{Count, Rules};
use medcert::stats::{binomial, lower_bound, threshold};

const FUSION: usize = 2;
/// Pixels of the two views of the made model.
const PIXELS: u64 = 2 * 64 * 64;
/// Words of each report.
const WORDS: u64 = 39;

fn smoothing(alpha: f64) -> Smoothing {
    let pixels = Some(PixelNoise { frontal: 0.25, lateral: 0.25, region: Region::Everywhere });
    Smoothing { pixels, words: Some(WordNoise::Keep(0.1)), samples: 1000, alpha }
}

fn ball(text: &str) -> Ball {
    parse_ball(text, Names { models: &[], findings: &[], classes: &[], threats: &[], masks: &[] })
        .expect("a ball")
}

fn rules(smoothing: &Smoothing, ball: &Ball) -> Rules {
    smoothing.question(ball, PIXELS).expect("covered").rules(WORDS).expect("a threshold")
}

/// A vote that shows what is wanted, with the fewest samples.
fn vote(rules: Rules, wanted: Decision) -> Vote {
    let (state, count) = match wanted {
        Decision::Certified => rules.run(std::iter::repeat(true)),
        Decision::Refuted => rules.run(std::iter::repeat(false)),
        Decision::Undecided => {
            let successes = (rules.threshold * rules.limit as f64).round() as u64;
            let count = Count { successes, failures: rules.limit - successes };
            (rules.look(count), count)
        }
    };
    assert_eq!(Decision::of(state), wanted);
    let samples = count.successes + count.failures;
    Vote { state: wanted, samples, successes: count.successes, words: WORDS, pixels: PIXELS, attacked: None }
}

/// A fusion that is right on all clean cases, with votes about a ball and a clause about them.
fn world(alpha: f64, words: &str, votes: &[Decision], clause: impl Fn(Clause) -> Clause) -> World {
    let mut world = World::new(&even(votes.len()));
    let clean = world.cell(FUSION, Attack::default(), |_, _| true);
    certify(&mut world, alpha, words, votes);
    let base = Clause { certificate: Some(0), ..at_least(words, FUSION, vec![clean], 0.7) };
    world.require(words, vec![clause(base)]);
    world
}

fn certify(world: &mut World, alpha: f64, words: &str, votes: &[Decision]) {
    let (smoothing, ball) = (smoothing(alpha), ball(words));
    let rules = rules(&smoothing, &ball);
    let [certified, refuted, undecided] =
        [Decision::Certified, Decision::Refuted, Decision::Undecided].map(|wanted| vote(rules, wanted));
    let of = |wanted: &Decision| match wanted {
        Decision::Certified => certified,
        Decision::Refuted => refuted,
        Decision::Undecided => undecided,
    };
    world.plan.certificates.push(plan::Certificate {
        model: FUSION,
        ball,
        certifier: Certifier::Vote(smoothing),
    });
    world.evidence.certificates.push(Certificate {
        model: "fusion".into(),
        ball: ball.to_string(),
        seed: 0,
        votes: votes.iter().map(of).collect(),
    });
}

/// The same with a clause that asks for 70 % accuracy.
pub fn certified_world(alpha: f64, words: &str, votes: &[Decision]) -> World {
    world(alpha, words, votes, |clause| clause)
}

/// So many certified, refuted and undecided cases, spread over both labels.
pub fn votes(certified: usize, refuted: usize, undecided: usize) -> Vec<Decision> {
    let each =
        [(certified, Decision::Certified), (refuted, Decision::Refuted), (undecided, Decision::Undecided)];
    each.iter().flat_map(|(count, decision)| std::iter::repeat_n(*decision, *count)).collect()
}

fn judged(world: &World) -> Finding {
    judge(&world.plan, &world.evidence).remove(0)
}

/// The ball of most tests.
pub const BALL: &str = "l2 0.25 and 2 words";

#[test]
fn the_three_verdicts_and_their_reasons() {
    let said: Vec<String> = [(280, 10, 10), (150, 120, 30), (212, 80, 8), (200, 10, 90)]
        .map(|(certified, refuted, undecided)| {
            let finding = judged(&world(0.001, BALL, &votes(certified, refuted, undecided), |clause| clause));
            format!("{}: {}", finding.verdict, finding.clauses[0].reason)
        })
        .to_vec();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn errors_are_what_is_not_certified() {
    let missed = |clause: Clause| measuring(Metric::Missed, bounded(Bound::AtMost(0.3), clause));
    let sensitivity = |clause: Clause| measuring(Metric::Sensitivity, bounded(Bound::Rate(0.7), clause));
    for (certified, refuted) in [(300, 0), (270, 30), (225, 75), (150, 150), (60, 240)] {
        let all = votes(certified, refuted, 0);
        let [missed, hit] =
            [judged(&world(0.01, BALL, &all, missed)), judged(&world(0.01, BALL, &all, sensitivity))];
        let (missed, hit) = (&missed.clauses[0], &hit.clauses[0]);
        assert_eq!(missed.verdict, hit.verdict);
        assert!((missed.value - (1.0 - hit.value)).abs() < 1e-12);
        assert!(
            (missed.upper - (1.0 - hit.lower)).abs() < 1e-12
                && (missed.lower - (1.0 - hit.upper)).abs() < 1e-12
        );
        assert!((missed.p - hit.p).abs() < 1e-12);
    }
}

/// The fewest certified cases of so many that pass.
fn fewest_that_pass(cases: usize, share: f64, alpha: f64) -> usize {
    let passes = |certified: usize| {
        let all = votes(certified, cases - certified, 0);
        let at = |clause: Clause| bounded(Bound::Rate(share), clause);
        judged(&world(alpha, BALL, &all, at)).verdict == Verdict::Pass
    };
    let (mut few, mut enough) = (0, cases);
    while enough - few > 1 {
        let middle = usize::midpoint(few, enough);
        if passes(middle) { enough = middle } else { few = middle }
    }
    enough
}

#[test]
fn a_share_at_its_threshold_passes_one_time_in_twenty_at_most() {
    let mut would_be_wrong = 0;
    for cases in [100, 300, 500, 2000] {
        for share in [0.5, 0.7, 0.9] {
            for alpha in [0.001, 0.01, 0.05] {
                // the worst case: every case that cannot be certified is with probability alpha
                let certified = threshold::certified_share(share, alpha);
                let chance = |least: u64| -> f64 {
                    (least..=cases).map(|count| binomial(count, cases, certified)).sum()
                };
                let least = fewest_that_pass(cases as usize, share, alpha) as u64;
                assert!(chance(least) <= 0.05, "{cases} {share} {alpha}: {}", chance(least));
                assert!(chance(least - 1) > 0.05, "{cases} {share} {alpha}: one case fewer would do");
                let naive = (1..=cases).find(|&count| lower_bound(count, cases, 0.05) >= share);
                would_be_wrong += usize::from(naive.is_some_and(|naive| chance(naive) > 0.05));
            }
        }
    }
    assert!(would_be_wrong >= 12, "without the shift only {would_be_wrong} settings pass too often");
    // the reference's figures
    assert_eq!(fewest_that_pass(300, 0.7, 0.001), 224);
    assert_eq!(fewest_that_pass(500, 0.7, 0.05), 375);
    assert_eq!(fewest_that_pass(2000, 0.7, 0.01), 1440);
}

/// Patients of three cases that are certifiable together, more often than not.
#[test]
fn patients_with_several_cases_pass_as_rarely() {
    const RUNS: usize = 400;
    const PATIENTS: usize = 80;
    let alpha: f64 = 0.05;
    let mut draw = stream(&["certified clusters"]);
    for agreement in [0.0, 0.5, 0.9] {
        let (mut passed, mut failed) = (0, 0);
        for _ in 0..RUNS {
            let mut all = Vec::new();
            for _ in 0..PATIENTS {
                let common = uniform(&mut draw) < 0.7;
                for _ in 0..3 {
                    let own = uniform(&mut draw) < 0.7;
                    let is_certifiable = if uniform(&mut draw) < agreement { common } else { own };
                    let is_wrong = f64::from(uniform(&mut draw)) < alpha;
                    // the worst that α allows on either side
                    all.push(if is_certifiable == is_wrong {
                        Decision::Refuted
                    } else {
                        Decision::Certified
                    });
                }
            }
            let mut world = world(alpha, BALL, &all, |clause| clause);
            world.cases_a_patient(3);
            let verdict = judged(&world).verdict;
            passed += usize::from(verdict == Verdict::Pass);
            failed += usize::from(verdict == Verdict::Fail);
        }
        let most = 0.05 + 3.0 * (0.05_f64 * 0.95 / RUNS as f64).sqrt();
        let share = |count: usize| count as f64 / RUNS as f64;
        eprintln!("agreement {agreement}: {:.3} pass, {:.3} fail", share(passed), share(failed));
        assert!(share(passed) <= most && share(failed) <= most, "{agreement}: {passed} pass, {failed} fail");
    }
}

#[test]
fn a_vote_that_does_not_follow_from_its_samples_is_refused() {
    let sound = world(0.001, BALL, &votes(90, 10, 0), |clause| clause);
    assert_eq!(judged(&sound).verdict, Verdict::Pass);
    let told = |change: &dyn Fn(&mut Vote)| {
        let mut world = world(0.001, BALL, &votes(90, 10, 0), |clause| clause);
        change(&mut world.evidence.certificates[0].votes[0]);
        let finding = judged(&world);
        assert_eq!(finding.verdict, Verdict::Error, "{}", finding.clauses[0].reason);
        finding.clauses[0].reason.clone()
    };
    let said = [
        told(&|vote| vote.successes -= 10),
        told(&|vote| vote.successes += 10),
        told(&|vote| vote.state = Decision::Refuted),
        told(&|vote| vote.samples = 4000),
        told(&|vote| vote.pixels = 1),
        told(&|vote| vote.words = 3),
    ];
    insta::assert_snapshot!(said.join("\n"));
    // and so is evidence without the certificate, or of fewer cases
    let mut world = world(0.001, BALL, &votes(90, 10, 0), |clause| clause);
    world.evidence.certificates[0].votes.pop();
    assert_eq!(judged(&world).verdict, Verdict::Error);
    world.evidence.certificates.clear();
    assert_eq!(judged(&world).verdict, Verdict::Error);
}

#[test]
fn an_abstention_is_not_certified() {
    // 70 % certified, the rest undecided: neither a pass at 70 % nor a fail
    let finding = judged(&world(0.001, BALL, &votes(210, 0, 90), |clause| clause));
    assert_eq!(finding.verdict, Verdict::Inconclusive);
    assert_eq!(finding.clauses[0].estimate.successes, 210);
    assert!(finding.clauses[0].reason.contains("more samples"), "{}", finding.clauses[0].reason);
    // withdrawn certificates count as undecided
    let mut withdrawn = world(0.001, BALL, &votes(300, 0, 0), |clause| clause);
    for vote in &mut withdrawn.evidence.certificates[0].votes[..200] {
        vote.attacked = Some(Attacked::Withdrawn);
    }
    assert_eq!(judged(&withdrawn).clauses[0].estimate.successes, 100);
}

fn raised(world: &World) -> Vec<Check> {
    let own = [Check::Contradicted, Check::VacuousCertificate, Check::NoiseUnseen, Check::AdaptiveBeaten];
    let all = world.judged().checks;
    all.iter().map(|raised| raised.check).filter(|check| own.contains(check)).collect()
}

#[test]
fn a_certified_case_that_is_answered_wrongly_is_a_contradiction() {
    let healthy = world(0.001, BALL, &votes(270, 30, 0), |clause| clause);
    assert_eq!(raised(&healthy), []);
    // an attack of the spec inside the ball
    let attack = |epsilon: f64| {
        let pgd = made_evidence::pgd(epsilon);
        let image = pgd.image.map(|image| plan::ImageAttack {
            method: match image.method {
                medcert::spec::ImageMethod::Search { search, region, .. } => {
                    medcert::spec::ImageMethod::Search { search, norm: medcert::spec::Norm::L2, region }
                }
                other => other,
            },
            ..image
        });
        Attack { image, ..pgd }
    };
    let attacked = |epsilon: f64, wrong: std::ops::Range<usize>| {
        let mut world = world(0.001, BALL, &votes(270, 30, 0), |clause| clause);
        world.cell(FUSION, attack(epsilon), move |place, _| !wrong.contains(&place));
        world
    };
    let broken = attacked(0.25, 3..12);
    assert_eq!(raised(&broken), [Check::Contradicted]);
    assert_eq!(broken.judged().findings[0].verdict, Verdict::Error);
    // outside the ball, or where nothing is certified, an attack may succeed
    assert_eq!(raised(&attacked(0.5, 3..12)), []);
    assert_eq!(raised(&attacked(0.25, 270..300)), []);
    // one case of 270 is what two votes at α = 0.001 explain
    assert_eq!(raised(&attacked(0.25, 3..4)), []);
    // wrong without an attack
    let mut clean = world(0.001, BALL, &votes(270, 30, 0), |clause| clause);
    let labels: Vec<bool> = clean.evidence.cases.iter().map(|case| case.label.is_abnormal()).collect();
    for (outcome, label) in clean.evidence.cells[0].outcomes.iter_mut().zip(labels).take(9) {
        *outcome = made_evidence::outcome(label, false);
    }
    assert_eq!(raised(&clean), [Check::Contradicted]);
    // an abstention of the attacked model is none
    let mut abstains = attacked(0.25, 3..12);
    for outcome in &mut abstains.evidence.cells[1].outcomes[3..12] {
        (outcome.predicted, outcome.margin) = (None, None);
    }
    assert_eq!(raised(&abstains), []);
    // one withdrawn certificate of 64 is what α may explain at 5 %, ten are not
    for (fell, is_raised) in [(1, false), (12, true)] {
        let mut world = world(0.05, BALL, &votes(270, 30, 0), |clause| clause);
        for (place, vote) in world.evidence.certificates[0].votes[..64].iter_mut().enumerate() {
            vote.attacked = Some(if place < fell { Attacked::Withdrawn } else { Attacked::Held });
        }
        assert_eq!(raised(&world).contains(&Check::Contradicted), is_raised, "{fell}");
    }
}

#[test]
fn a_model_of_one_class_is_certified_in_vain() {
    let labels = even(300);
    let one: Vec<Decision> =
        labels.iter().map(|label| if *label { Decision::Certified } else { Decision::Refuted }).collect();
    let at = |clause: Clause| bounded(Bound::Rate(0.4), clause);
    let constant = world(0.001, BALL, &one, at);
    assert_eq!(raised(&constant), [Check::VacuousCertificate]);
    assert_eq!(constant.judged().findings[0].verdict, Verdict::Vacuous);
    // as many certified cases of both classes are worth a warning alone
    let few = world(0.001, BALL, &votes(150, 150, 0), at);
    assert_eq!(raised(&few), [Check::VacuousCertificate]);
    assert!(few.judged().checks.iter().all(|raised| raised.verdict.is_none()));
    assert_eq!(few.judged().findings[0].verdict, Verdict::Pass);
}

/// Puts a defence of the image around the fusion, as a fourth model, which meets these attacks.
fn defended(world: &mut World, defence: Defence) -> usize {
    let model = medcert::spec::Model::Defended(medcert::spec::Defended {
        base: medcert::spec::Referent::new("fusion", FUSION),
        defence,
        reads_image: true,
        reads_text: true,
    });
    world.plan.spec.models.push(("guarded".into(), model));
    world.plan.subjects = medcert::plan::subjects(&world.plan.spec);
    let facts =
        medcert::evidence::ModelFacts { name: "guarded".into(), ..world.evidence.models[FUSION].clone() };
    world.evidence.models.push(facts);
    world.evidence.health.push(made_evidence::healthy("guarded"));
    world.evidence.spec = world.plan.spec.fingerprint();
    world.plan.spec.models.len() - 1
}

#[test]
fn an_attack_that_does_not_know_the_defence_must_not_win() {
    let with = |unaware: usize| {
        let mut world = World::new(&even(200));
        world.cell(FUSION, Attack::default(), |_, _| true);
        let jpeg = defended(&mut world, Defence::Jpeg { quality: 75 });
        world.cell(jpeg, Attack::default(), |place, _| place % 20 != 0);
        world.cell(jpeg, made_evidence::pgd(0.1), |place, _| place % 20 > 3);
        let square = made_evidence::pgd(0.1).image.map(|image| plan::ImageAttack {
            method: medcert::spec::ImageMethod::usual(medcert::spec::ImageSearch::Square { queries: 50 }),
            ..image
        });
        world.cell(jpeg, Attack { image: square, ..Attack::default() }, move |place, _| place >= unaware);
        raised(&world)
    };
    assert_eq!(with(0), []);
    assert_eq!(with(5), [], "four of 200 that PGD does not break are within the trigger");
    assert_eq!(with(60), [Check::AdaptiveBeaten]);
    // one cell is the worst of four attacks, and its evidence says which of them broke a case
    let routed = |adaptive: bool| {
        let mut world = World::new(&even(200));
        world.cell(FUSION, Attack::default(), |_, _| true);
        let jpeg = defended(&mut world, Defence::Jpeg { quality: 75 });
        world.cell(jpeg, Attack::default(), |place, _| place % 20 != 0);
        world.cell(jpeg, made_evidence::pgd(0.1), |place, _| place % 20 > 3);
        let cell = world.evidence.cells.last_mut().expect("a cell");
        for outcome in cell.outcomes.iter_mut().filter(|outcome| outcome.held == 0) {
            outcome.routes = medcert::evidence::Routes { adaptive, unaware: true, ..Default::default() };
        }
        raised(&world)
    };
    assert_eq!(routed(true), []);
    assert_eq!(routed(false), [Check::AdaptiveBeaten], "the adaptive part is switched off");
}

#[test]
fn noise_that_is_not_the_declared_one_is_refused() {
    use medcert::evidence::NoiseHealth;
    // what 16 copies of 6,272 pixels of the declared noise give
    let sound = NoiseHealth { values: 100_352, sum: 120.0, squares: 100_200.0, copies: 16, alike: 0 };
    let with = |noise: Option<NoiseHealth>| {
        let mut world = World::new(&even(200));
        world.cell(FUSION, Attack::default(), |_, _| true);
        let smoothed = defended(&mut world, Defence::Smoothing(smoothing(0.001)));
        let clean = world.cell(smoothed, Attack::default(), |_, _| true);
        world.evidence.health.last_mut().expect("a health").noise = noise;
        world.require("s", vec![at_least("s", smoothed, vec![clean], 0.5)]);
        let judgement = world.judged();
        let found = judgement.checks.iter().find(|raised| raised.check == Check::Noise);
        (judgement.findings[0].verdict, found.map(|raised| raised.message.clone()))
    };
    assert_eq!(with(Some(sound)).1, None);
    let said: Vec<String> = [
        NoiseHealth { squares: 401_000.0, ..sound },        // σ doubled
        NoiseHealth { squares: 100_352.0 * 0.81, ..sound }, // clipped
        NoiseHealth { sum: 3000.0, ..sound },
        NoiseHealth { alike: 2, ..sound },
        NoiseHealth { sum: f64::NAN, ..sound },
    ]
    .into_iter()
    .map(|noise| {
        let (verdict, message) = with(Some(noise));
        format!("{verdict}: {}", message.expect("raised"))
    })
    .collect();
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(with(None).1, None, "a check that could not look raises nothing");
}

#[test]
fn noise_that_was_not_seen_in_training_is_noted() {
    let with = |least: usize| {
        let mut world = World::new(&even(200));
        world.cell(FUSION, Attack::default(), |_, _| true);
        let smoothed = defended(&mut world, Defence::Smoothing(smoothing(0.001)));
        world.cell(smoothed, Attack::default(), move |place, _| place >= least);
        raised(&world)
    };
    assert_eq!(with(10), []);
    assert_eq!(with(40), [Check::NoiseUnseen]);
}
