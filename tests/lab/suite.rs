//! The attacks against torchattacks', Foolbox's and ART's on one small network and 256 images: case by case where
//! nothing is drawn, and within a percentage point where something is; least changes by their lengths. The losses
//! against AutoAttack's. The values are made by `tests/golden/make.py` and `tests/golden/attacks.py`.

use crate::golden_network;

use golden_network::{Centred, golden, images, model, values};
use medcert::Result;
use medcert::lab::attack::image::{Problem, Space, nearest, propose};
use medcert::lab::loss;
use medcert::lab::tensor::{self, Kind, Tensor};
use medcert::lab::victim::{Answer, Victim};
use medcert::spec::{AttackLoss, ImageSearch, Norm};
use safetensors::SafeTensors;

const CASES: usize = 256;
const EPSILON: f64 = 0.008;
const RADIUS: f64 = 0.1;

/// What others did, and the crowd they did it to.
struct Crowd {
    suite: Vec<u8>,
    norms: Vec<u8>,
    model: Centred,
    ids: Vec<String>,
}

impl Crowd {
    fn open() -> Self {
        let suite = golden("suite.safetensors");
        let model = model(values(&suite, "golden.shift")[0]);
        let ids = (0..CASES).map(|case| case.to_string()).collect();
        Self { suite, norms: golden("norms.safetensors"), model, ids }
    }

    /// The first cases, in a ball.
    fn problem(&self, cases: usize, norm: Norm, epsilon: f64, seed: u64) -> Problem<'_> {
        let labels: Vec<bool> =
            values(&self.suite, "golden.labels").iter().map(|&label| label > 0.5).collect();
        let problem = Problem {
            victim: Victim::new(&self.model, labels).expect("a victim"),
            images: images(CASES),
            text: None,
            cases: self.ids.iter().map(String::as_str).collect(),
            seed,
            space: Space::ball(norm, epsilon),
        };
        problem.select(&(0..cases).collect::<Vec<_>>()).expect("cases")
    }

    /// Which cases another library broke, over all its seeds.
    fn broken(&self, name: &str) -> Vec<bool> {
        let own = |bytes| {
            SafeTensors::deserialize(bytes)
                .expect("a golden file")
                .tensor(&format!("golden.{name}.broken"))
                .is_ok()
        };
        let bytes = if own(&self.suite) { &self.suite } else { &self.norms };
        values(bytes, &format!("golden.{name}.broken")).iter().map(|&broken| broken > 0.5).collect()
    }

    /// The lengths of another library's changes.
    fn lengths(&self, name: &str) -> Vec<f32> {
        values(&self.norms, &format!("golden.{name}.norm"))
    }
}

/// Which cases a search breaks, once projected, and the evaluations of a case that it took.
fn attack(problem: &Problem<'_>, search: ImageSearch) -> Vec<bool> {
    let attacked = problem.project(&propose(problem, search).expect("a proposal")).expect("images");
    let queries = problem.victim.take_queries();
    eprintln!(
        "  {search:?}: {} evaluations a case",
        queries.iter().sum::<u32>() as usize / problem.cases.len()
    );
    problem.answer(&attacked).expect("answers").iter().map(Answer::is_broken).collect()
}

fn count(broken: &[bool]) -> usize {
    broken.iter().filter(|&&broken| broken).count()
}

/// What we break of some cases beside what others break.
fn compare(name: &str, is_drawn: bool, ours: &[bool], theirs: &[bool]) {
    let (mine, known, cases) = (count(ours), count(theirs), ours.len());
    let missed = ours.iter().zip(theirs).filter(|(ours, theirs)| **theirs && !**ours).count();
    eprintln!("{name}: {mine} of {cases} broken, by others {known}, of which we miss {missed}");
    // a case whose margin is within rounding may fall to either side
    assert!(is_drawn || missed <= 1, "{name} misses {missed} cases that others break");
    assert!(mine.abs_diff(known) <= 1.max(cases / 100), "{name}: {mine} broken, by others {known}");
}

/// What searches at random break in so many cases, over some seeds, beside the share that others break.
fn compare_shares(name: &str, ours: &[bool], theirs: &[bool]) {
    let share = |broken: &[bool]| count(broken) as f64 / broken.len() as f64;
    let (mine, known) = (share(ours), share(theirs));
    eprintln!("{name}: {:.1} % of {} broken, by others {:.1} %", 100.0 * mine, ours.len(), 100.0 * known);
    assert!((mine - known).abs() <= 0.01, "{name}: {mine} broken, by others {known}");
}

#[test]
fn the_attacks_break_what_others_break() {
    let crowd = Crowd::open();
    let problem = crowd.problem(CASES, Norm::Linf, EPSILON, 0);
    let clean = problem.answer(&problem.images).expect("answers");
    assert!(clean.iter().all(|answer| !answer.is_broken()), "labels");
    let apgd = |loss| ImageSearch::Apgd { loss, steps: 100, restarts: 1 };
    for (search, cases, is_drawn, theirs) in [
        (ImageSearch::Fgsm, CASES, false, &["fgsm", "art.fgsm"][..]),
        (ImageSearch::Momentum { steps: 10 }, CASES, false, &["momentum"]),
        (ImageSearch::Pgd { steps: 40, restarts: 1 }, CASES, true, &["pgd", "art.pgd"]),
        (apgd(AttackLoss::CrossEntropy), 128, true, &["apgd", "art.apgd"]),
        (apgd(AttackLoss::Margin), 128, true, &["apgd", "margin.linf"]),
    ] {
        let ours = attack(&crowd.problem(cases, Norm::Linf, EPSILON, 0), search);
        for theirs in theirs {
            let known = crowd.broken(theirs);
            let both = cases.min(known.len());
            compare(theirs, is_drawn, &ours[..both], &known[..both]);
        }
    }
    let problem = crowd.problem(CASES, Norm::L2, RADIUS, 0);
    let ours = attack(&problem, ImageSearch::Pgd { steps: 40, restarts: 1 });
    compare("pgd_l2.still", true, &ours, &crowd.broken("pgd_l2.still"));
    compare_shares("pgd_l2", &ours, &crowd.broken("pgd_l2"));
}

#[test]
fn searches_at_random_break_as_many_as_others() {
    let crowd = Crowd::open();
    let over = |search, seeds: u64| -> Vec<bool> {
        (0..seeds).flat_map(|seed| attack(&crowd.problem(CASES, Norm::Linf, EPSILON, seed), search)).collect()
    };
    compare_shares("rfgsm", &over(ImageSearch::RandomFgsm, 4), &crowd.broken("rfgsm"));
    let theirs: Vec<bool> = (0..4).flat_map(|seed| crowd.broken(&format!("square{seed}"))).collect();
    compare_shares("square", &over(ImageSearch::Square { queries: 300 }, 4), &theirs);
}

#[test]
fn the_cascade_breaks_what_any_other_attack_breaks() {
    let crowd = Crowd::open();
    let problem = crowd.problem(64, Norm::Linf, EPSILON, 0);
    let ours = attack(&problem, ImageSearch::AutoAttack { steps: 100, queries: 100 });
    for name in ["fgsm", "momentum", "pgd", "apgd", "art.apgd", "margin.linf", "square0"] {
        let theirs = &crowd.broken(name)[..64];
        let missed = ours.iter().zip(theirs).filter(|(ours, theirs)| **theirs && !**ours).count();
        assert!(missed <= 1, "the cascade misses {missed} cases that {name} breaks");
    }
    let within: Vec<bool> =
        crowd.lengths("fab.linf").iter().map(|&norm| f64::from(norm) <= EPSILON).collect();
    compare("fab.linf at ε", true, &ours, &within[..64]);
}

#[test]
fn the_least_changes_are_as_short_as_others() {
    let crowd = Crowd::open();
    let fab = ImageSearch::Fab { steps: 100, restarts: 1 };
    let deepfool = ImageSearch::DeepFool { steps: 50 };
    let carlini = ImageSearch::CarliniWagner { steps: 100, searches: 9 };
    // Case by case, ours lies between these shares of theirs, and a little more.
    // Foolbox makes each step 1e-4 longer, as we do. ART and torchattacks do not, which shows in a case that is as near
    // as that to the boundary; ART overshoots a last step more (median 0.989 of it).
    // FAB ends with secant steps that torchattacks leaves out (in l2 median 0.996 and least 0.924 of it, in linf 0.998 and 0.898).
    for (search, norm, cases, theirs) in [
        (
            deepfool,
            Norm::L2,
            128,
            &[
                ("deepfool.foolbox", (0.99, 1.001), 1e-6),
                ("deepfool.art", (0.97, 1.01), 2e-4),
                ("deepfool.torchattacks", (0.99, 1.01), 2e-4),
            ][..],
        ),
        (fab, Norm::L2, 64, &[("fab.l2", (0.9, 1.001), 1e-6)]),
        (fab, Norm::Linf, 64, &[("fab.linf", (0.88, 1.001), 1e-6)]),
        (carlini, Norm::L2, 16, &[("carlini", (0.99, 1.01), 1e-6)]),
    ] {
        let problem = crowd.problem(cases, norm, 1.0, 0);
        let ours = nearest(&problem, search).expect("a search").norms;
        let queries = problem.victim.take_queries().iter().sum::<u32>() as usize / cases;
        eprintln!("{search:?} in {norm:?}: {queries} evaluations a case");
        for (name, shares, more) in theirs {
            compare_lengths(name, &ours, &crowd.lengths(name)[..cases], (*shares, *more));
        }
    }
}

/// The lengths of our least changes beside others': between two shares of theirs, give or take `more`.
fn compare_lengths(name: &str, ours: &[f32], theirs: &[f32], ((low, high), more): ((f32, f32), f32)) {
    let mut ratios: Vec<f32> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    ratios.sort_by(f32::total_cmp);
    let at = |share: usize| ratios[share * (ratios.len() - 1) / 100];
    eprintln!(
        "{name}: ours / theirs {} least, {} {} {} at 5 50 95 %, {} most",
        at(0),
        at(5),
        at(50),
        at(95),
        at(100)
    );
    for (case, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        assert!(*theirs > 0.0, "{name} left case {case} standing");
        let fits = (low * theirs - more..=high * theirs + more).contains(ours);
        assert!(fits, "{name}, case {case}: {ours}, by others {theirs}");
    }
}

#[test]
fn the_losses_and_their_slopes_agree_with_autoattack() {
    let bytes = golden("losses.safetensors");
    for classes in 2..=10_usize {
        let of = |name: &str| values(&bytes, &format!("golden.{classes}.{name}"));
        let whole = |name: &str| {
            let whole: Vec<i64> = of(name).iter().map(|&class| class as i64).collect();
            tensor::integers(&whole, &[24]).expect(name)
        };
        let (labels, targets) = (whole("labels"), whole("targets"));
        let logits = || {
            let logits = tensor::floats(&of("logits"), &[24, classes]).expect("logits");
            logits.f_to_kind(Kind::Double).and_then(|z| z.f_set_requires_grad(true)).expect("a leaf")
        };
        let check = |name: &str, z: &Tensor, loss: Result<Tensor>| {
            let loss = loss.expect(name);
            let slope =
                Tensor::f_run_backward(&[loss.f_sum(Kind::Double).expect("a sum")], &[z], false, false);
            for (ours, theirs) in
                [(&loss, of(name)), (&slope.expect("a slope")[0], of(&format!("{name}.gradient")))]
            {
                for (ours, theirs) in tensor::values(ours).expect("values").iter().zip(theirs) {
                    assert!(
                        (ours - theirs).abs() <= 1e-5 * theirs.abs().max(1.0),
                        "{name}: {ours}, not {theirs}"
                    );
                }
            }
        };
        let z = logits();
        check("ce", &z, loss::cross_entropy(&z, &labels));
        let z = logits();
        check("margin", &z, loss::margin(&z, &labels));
        let z = logits();
        let (dlr, targeted) = (loss::dlr(&z, &labels), loss::dlr_targeted(&z, &labels, &targets));
        assert_eq!((dlr.is_ok(), targeted.is_ok()), (classes >= 3, classes >= 4), "{classes} classes");
        if classes >= 3 {
            check("dlr", &z, dlr);
        }
        if classes >= 4 {
            let z = logits();
            check("dlr_targeted", &z, loss::dlr_targeted(&z, &labels, &targets));
        }
    }
}
