//! The regression gate: what was accepted is the baseline, what it loses is named, and nothing passes for lack of
//! one.

use crate::made_evidence;

use made_evidence::{TODAY, World, deletion, even, fgsm, no_regression};
use medcert::evidence::{Evidence, aligned};
use medcert::judge::{
    Baseline, Change, ClauseFinding, Comparison, Judgement, Verdict, exit_code, judge_against,
};
use medcert::plan::Attack;
use medcert::report::ReportInput;
use medcert::report::evidence_diff::{self, Pair};
use medcert::report::snapshot::{self, outcomes};
use medcert::report::snapshot_diff::Accepted;
use medcert::stats;
use proptest::prelude::*;

const CASES: usize = 400;

/// Language and fusion, clean and attacked; the sentence is about all of their cells.
fn world() -> World {
    let mut world = World::new(&even(CASES));
    world.cell(1, Attack::default(), |place, _| place % 20 != 0);
    world.cell(1, deletion(), |place, _| place % 6 != 0);
    world.cell(2, Attack::default(), |place, _| place % 50 != 0);
    world.cell(2, fgsm(0.1), |place, _| place % 3 != 0);
    world.row("clean", vec![vec![], vec![0], vec![2]]);
    require(&mut world, vec![0, 1, 2, 3], 0.02);
    world
}

/// Adds the sentence.
fn require(world: &mut World, cells: Vec<usize>, margin: f64) {
    let sentence = format!("no regression against baseline (margin {}%)", margin * 100.0);
    world.require(&sentence, vec![]);
    world.plan.requirements.last_mut().expect("a sentence").regression = Some(no_regression(cells, margin));
}

/// Makes a model wrong on cases that it was right on, or the other way round, by a margin.
fn turn(world: &mut World, cell: usize, cases: impl IntoIterator<Item = usize>, margin: f32) {
    for case in cases {
        let outcome = &mut world.evidence.cells[cell].outcomes[case];
        outcome.predicted = outcome.predicted.map(|class| class.turned(true));
        outcome.margin = outcome.margin.map(|before| -before.signum() * margin);
        outcome.held = u32::from(outcome.margin.is_some_and(|margin| margin > 0.0));
    }
}

/// The baseline as a snapshot of the world holds it.
fn accepted(world: &World) -> Baseline {
    outcomes::parse(&body(world)).expect("a sound section").expect("a section")
}

fn body(world: &World) -> String {
    let judgement = world.judged();
    snapshot::render(ReportInput {
        plan: &world.plan,
        evidence: &world.evidence,
        judgement: &judgement,
        accepted: None,
    })
}

/// The same on another kind of processor.
fn elsewhere(baseline: Baseline) -> Baseline {
    Baseline { processor: "abacus".into(), ..baseline }
}

fn compared(baseline: &Baseline, world: &World) -> Comparison {
    Comparison::new(baseline, &world.evidence).expect("the same cases")
}

fn judged(world: &World, baseline: std::result::Result<&Baseline, &str>) -> ClauseFinding {
    let mut findings = judge_against(&world.plan, &world.evidence, baseline);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].clauses.len(), 1);
    findings.remove(0).clauses.remove(0)
}

#[test]
fn what_was_accepted_comes_back_from_the_snapshot() {
    let world = world();
    let baseline = accepted(&world);
    let own = Baseline::of(&world.evidence).expect("sound evidence");
    assert_eq!(Baseline { tolerance: None, ..baseline.clone() }, own);
    assert_eq!(baseline.tolerance, Some(medcert::judge::ROUNDING));
    let comparison = compared(&baseline, &world);
    assert!(comparison.same_weights && comparison.differs.is_empty() && !comparison.tolerates);
    assert_eq!(comparison.cells.len(), 4);
    assert!(comparison.cells.iter().all(|cell| !cell.is_changed() && cell.adjusted >= 1.0));
}

#[test]
fn a_planted_loss_is_named_and_is_more_than_chance() {
    let mut world = world();
    let baseline = accepted(&world);
    turn(&mut world, 3, (0..CASES).filter(|place| place % 3 != 0).take(25), 1.0);
    turn(&mut world, 3, [0, 3], 1.0);
    let comparison = compared(&baseline, &world);
    let cell = comparison.cell("fusion", "FGSM ε=0.1").expect("a cell");
    assert_eq!((cell.lost.len(), cell.lost[0].as_str(), &cell.lost[24][..]), (25, "s1", "s37"));
    // s0 is wrong when clean, so it counts as broken whatever the attack does
    assert_eq!(cell.gained, ["s3"]);
    assert!((cell.p - stats::mcnemar_exact(1, 25)).abs() < 1e-15);
    assert!((cell.adjusted - 4.0 * cell.p).abs() < 1e-15, "the first of four in Holm's order");
    assert!(cell.has_lost() && comparison.cells.iter().filter(|cell| cell.is_changed()).count() == 1);
    let finding = judged(&world, Ok(&baseline));
    assert_eq!(finding.verdict, Verdict::Fail, "{}", finding.reason);
    assert_eq!(exit_code(&judge_against(&world.plan, &world.evidence, Ok(&baseline))), 1);
}

#[test]
fn a_healthy_model_is_silent_and_a_few_cases_decide_nothing() {
    let mut world = world();
    let baseline = accepted(&world);
    assert_eq!(judged(&world, Ok(&baseline)).verdict, Verdict::Pass);
    turn(&mut world, 1, [1, 2, 3], 1.0);
    let comparison = compared(&baseline, &world);
    assert!(!comparison.cells.iter().any(|cell| cell.has_lost() || cell.has_gained()));
    let finding = judged(&world, Ok(&baseline));
    assert_eq!(finding.verdict, Verdict::Inconclusive, "{}", finding.reason);
    // a gain is no regression
    let mut better = self::world();
    turn(&mut better, 1, (0..CASES).step_by(6).take(40), 1.0);
    assert!(compared(&baseline, &better).cells[1].has_gained());
    assert_eq!(judged(&better, Ok(&baseline)).verdict, Verdict::Pass);
}

#[test]
fn chance_in_one_of_many_cells_is_no_loss() {
    // six lost and none gained: p = 2/64, which is under 5 % alone and not among four cells
    let mut world = world();
    let baseline = accepted(&world);
    turn(&mut world, 1, [1, 2, 3, 4, 5, 7], 1.0);
    let cell = &compared(&baseline, &world).cells[1];
    assert_eq!((cell.lost.len(), cell.gained.len()), (6, 0));
    assert!((cell.p - 0.03125).abs() < 1e-12 && (cell.adjusted - 0.125).abs() < 1e-12);
    assert!(!cell.has_lost());
}

#[test]
fn the_verdict_is_that_of_the_paired_bounds() {
    let mut world = world();
    let baseline = accepted(&world);
    turn(&mut world, 1, [1, 2], 1.0);
    let finding = judged(&world, Ok(&baseline));
    let (lower, upper) = stats::paired_difference_bounds(0, 2, CASES as u64, 0.05);
    assert_eq!((finding.lower, finding.upper, finding.threshold), (lower, upper, -0.02));
    assert_eq!(finding.verdict, if lower >= -0.02 { Verdict::Pass } else { Verdict::Inconclusive });
    let (now, then) = (finding.estimate, finding.other.expect("what was accepted"));
    assert_eq!((now.successes + 2, now.trials), (then.successes, then.trials));
}

#[test]
fn nothing_lost_shows_a_margin_only_with_enough_cases() {
    for (cases, verdict) in [(367, Verdict::Inconclusive), (368, Verdict::Pass)] {
        let mut world = World::new(&even(cases));
        let clean = world.cell(2, Attack::default(), |_, _| true);
        require(&mut world, vec![clean], 0.01);
        let finding = judged(&world, Ok(&accepted(&world)));
        assert_eq!(finding.verdict, verdict, "{cases}: {}", finding.reason);
        assert_eq!(finding.needed, (verdict == Verdict::Inconclusive).then_some(368));
    }
}

#[test]
fn without_a_baseline_it_is_an_error_with_a_remedy() {
    let mut world = world();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hand.snap");
    let spec = world.plan.spec.path.clone();
    let told = |world: &World| {
        let accepted = Accepted::read(&path, &spec);
        let finding = judged(world, accepted.baseline());
        let code = exit_code(&judge_against(&world.plan, &world.evidence, accepted.baseline()));
        assert_eq!((finding.verdict, code), (Verdict::Error, 3), "{}", finding.reason);
        finding.reason.replace(&path.display().to_string(), "hand.snap")
    };
    let mut all = vec![told(&world)];
    let whole = body(&world);
    let old = outcomes::before(&whole).to_string();
    let damaged = [
        old.clone(),
        whole.replace("outcomes 2:", "outcomes 1:"),
        whole[..whole.len() - 30].to_string(),
        whole.lines().take(whole.lines().count() - 1).collect::<Vec<_>>().join("\n"),
        whole.replace("margin of 0.001", "margin of 7"),
        whole.replace("weights", "waits"),
        whole.replace(", order", ", border"),
        format!("{whole}\n{}", whole.lines().last().expect("a line")),
        whole.replace("  fusion clean: 7", "  fusion clean: G"),
    ];
    for body in damaged {
        assert!(body == old || body != whole);
        snapshot::write(&path, &spec, &body).expect("written");
        all.push(told(&world));
    }
    std::fs::write(&path, "no snapshot").expect("written");
    all.push(told(&world));
    // a sound one, of other cases, and without a cell that is asked for
    snapshot::write(&path, &spec, &whole).expect("written");
    assert_eq!(judged(&world, Accepted::read(&path, &spec).baseline()).verdict, Verdict::Pass);
    world.cell(1, fgsm(0.2), |_, _| true);
    world.plan.requirements[0].regression = Some(no_regression(vec![4], 0.02));
    all.push(told(&world));
    world.evidence.cases.swap(3, 4);
    all.push(told(&world));
    world.evidence.cases.swap(3, 4);
    world.evidence.spec = "data=other chunk=64".parse().expect("a fingerprint");
    all.push(told(&world));
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn other_cases_labels_or_data_are_told() {
    let baseline = accepted(&world());
    let mut other = world();
    let label = &mut other.evidence.cases[7].label;
    *label = label.turned(true);
    assert!(Comparison::new(&baseline, &other.evidence).expect_err("relabelled").contains("other labels"));
    let mut fewer = World::new(&even(10));
    fewer.cell(2, Attack::default(), |_, _| true);
    let told = Comparison::new(&baseline, &fewer.evidence).expect_err("fewer cases");
    assert_eq!(told, "there were 400 test cases, and now there are 10");
    let mut other = world();
    other.evidence.data.digest = "ee".repeat(32);
    other.evidence.spec = medcert::spec::Spec { chunk: 64, ..crate::made_evidence::spec() }.fingerprint();
    other.evidence.models[1].weights = "0123456789abcdef".repeat(4);
    let comparison = compared(&baseline, &other);
    assert!(!comparison.same_weights);
    insta::assert_snapshot!(comparison.differs.join("\n"));
}

#[test]
fn another_processor_may_turn_what_lies_within_rounding() {
    let mut world = world();
    let baseline = elsewhere(accepted(&world));
    // right under the attack, now wrong by hardly anything; wrong, now hardly right; and one for real
    turn(&mut world, 3, [1, 2], 0.0005);
    turn(&mut world, 3, [3], 0.0005);
    turn(&mut world, 3, [4], 0.5);
    let comparison = compared(&baseline, &world);
    let cell = &comparison.cells[3];
    assert!(comparison.tolerates && comparison.same_weights);
    assert_eq!((cell.near, &cell.lost[..], cell.gained.len()), (3, &["s4".to_string()][..], 0));
    assert_eq!((cell.before, cell.now), (261, 259), "what is right is counted as it is");
    assert!(
        evidence_diff::summary(&comparison)
            .contains("3 outcomes within a margin of 0.001 changed and are tolerated")
    );
    // where it was not declared, on the same processor, or with other weights, nothing is tolerated
    let strict = |baseline: &Baseline, world: &World| {
        let comparison = compared(baseline, world);
        let cell = &comparison.cells[3];
        assert_eq!((comparison.tolerates, cell.near, cell.lost.len(), cell.gained.len()), (false, 3, 3, 1));
        assert!(evidence_diff::summary(&comparison).contains("3 of them within a margin of 0.001"));
    };
    strict(&Baseline { tolerance: None, ..baseline.clone() }, &world);
    strict(&accepted(&self::world()), &world);
    world.evidence.models[2].weights = "0123456789abcdef".repeat(4);
    strict(&baseline, &world);
}

#[test]
fn rounding_explains_no_more_than_what_it_touches() {
    let mut world = world();
    let baseline = elsewhere(accepted(&world));
    // wrong when clean by hardly anything, and wrong under the attack for real
    turn(&mut world, 2, [1], 0.0005);
    turn(&mut world, 3, [1], 0.5);
    // wrong when clean by hardly anything alone
    turn(&mut world, 2, [2], 0.0005);
    let comparison = compared(&baseline, &world);
    assert_eq!((comparison.cells[2].near, comparison.cells[2].lost.len()), (2, 0));
    assert_eq!((comparison.cells[3].near, &comparison.cells[3].lost[..]), (1, &["s1".to_string()][..]));
    // gained because the clean answer, which was wrong, is now hardly right
    let mut world = self::world();
    turn(&mut world, 2, [50], 0.0005);
    assert_eq!(compared(&baseline, &world).cells[3].near, 1);
}

/// What `medcert check` prints of a world against the snapshot of another.
fn told(before: &World, edit: impl Fn(&str) -> String, world: &World, baseline_of: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(baseline_of);
    snapshot::write(&path, &before.plan.spec.path, &edit(&body(before))).expect("written");
    let accepted = Accepted::read(&path, &world.plan.spec.path);
    let judgement = Judgement::of(&world.plan, &world.evidence, accepted.baseline(), TODAY);
    let result =
        ReportInput { plan: &world.plan, evidence: &world.evidence, judgement: &judgement, accepted: None };
    // the lines hold the path of a folder that is longer on one machine than on another
    let changes = accepted.changes(result);
    let text = format!("{}\n{}", changes.summary(), changes.details(usize::MAX));
    let narrow = changes.details(80);
    let is_own =
        |line: &str| ["  - ", "  + "].iter().any(|mark| line.starts_with(mark)) || line.contains('/');
    assert!(narrow.lines().all(|line| is_own(line) || line.chars().count() <= 80), "{narrow}");
    text.replace(&path.display().to_string(), "hand.snap")
        .lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

fn on_abacus(body: &str) -> String {
    let processor = snapshot::processor_of(body).expect("named").to_string();
    body.replacen(&processor, "abacus", 1)
}

#[test]
fn what_check_says() {
    let before = world();
    let mut worse = world();
    worse.evidence.models[2].weights = "0123456789abcdef".repeat(4);
    turn(&mut worse, 3, (0..CASES).filter(|place| place % 3 != 0).take(25), 1.0);
    turn(&mut worse, 3, [3], 0.0002);
    turn(&mut worse, 1, [1], 1.0);
    let mut rounded = world();
    turn(&mut rounded, 3, [1], 0.0005);
    let mut turned = world();
    turn(&mut turned, 3, [1, 3], 1.0);
    let (same, old) = (str::to_string, |body: &str| outcomes::before(body).to_string());
    let all = [
        ("the same", told(&before, same, &before, "a.snap")),
        ("worse", told(&before, same, &worse, "a.snap")),
        ("one lost and one gained, so that no count changes", told(&before, same, &turned, "a.snap")),
        ("the same, accepted by an older medcert", told(&before, old, &before, "a.snap")),
        ("worse, on another processor", told(&before, on_abacus, &worse, "a.snap")),
        ("within rounding, on another processor", told(&before, on_abacus, &rounded, "a.snap")),
        ("cut", told(&before, |body| body[..body.len() - 9].to_string(), &before, "a.snap")),
        ("with a cell less", {
            let mut less = world();
            less.plan.cells.pop();
            less.evidence.cells.pop();
            less.plan.requirements.clear();
            told(&before, same, &less, "a.snap")
        }),
    ];
    insta::assert_snapshot!(all.map(|(what, told)| format!("[{what}]\n{told}\n")).join("\n"));
}

#[test]
fn reasons_name_the_cells() {
    let baseline = accepted(&world());
    let mut worse = world();
    turn(&mut worse, 3, (0..CASES).filter(|place| place % 3 != 0).take(25), 1.0);
    turn(&mut worse, 1, [1, 2], 1.0);
    let mut unclear = world();
    turn(&mut unclear, 1, [1, 2, 3], 1.0);
    turn(&mut unclear, 3, [1, 2, 4, 5], 1.0);
    let mut rounded = world();
    turn(&mut rounded, 3, [1], 0.0005);
    let mut one = world();
    one.plan.requirements.clear();
    require(&mut one, vec![3], 0.02);
    let here = [world(), worse, unclear, one].map(|world| judged(&world, Ok(&baseline)));
    let there = judged(&rounded, Ok(&elsewhere(baseline.clone())));
    let said = here.iter().chain([&there]);
    insta::assert_snapshot!(
        said.map(|finding| format!("{} {}", finding.verdict, finding.reason)).collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn the_snapshot_does_not_depend_on_an_earlier_one() {
    let world = world();
    let rendered = |baseline: std::result::Result<&Baseline, &str>| {
        let judgement = Judgement::of(&world.plan, &world.evidence, baseline, TODAY);
        snapshot::render(ReportInput {
            plan: &world.plan,
            evidence: &world.evidence,
            judgement: &judgement,
            accepted: None,
        })
    };
    let mut other = accepted(&world);
    other.cells[3].holds.fill(true);
    assert_ne!(judged(&world, Ok(&other)).verdict, judged(&world, Err("none")).verdict);
    assert_eq!(rendered(Ok(&other)), rendered(Err("none")));
    assert!(
        rendered(Err("none")).contains("(this is the baseline) no regression against baseline (margin 2%)")
    );
}

/// Where the child process writes its snapshot.
const FOLDER: &str = "MEDCERT_TEST_FOLDER";

#[test]
#[ignore = "called by accepting_through_insta_keeps_the_baseline_too"]
fn writes_by_insta() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    insta::with_settings!({snapshot_path => folder, prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("hand", snapshot::sealed(&body(&world())));
    });
}

#[test]
fn accepting_through_insta_keeps_the_baseline_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = std::process::Command::new(std::env::current_exe().expect("a test program"))
        .args(["--ignored", "--exact", "baseline::writes_by_insta"])
        .env("INSTA_UPDATE", "always")
        .env(FOLDER, folder.path())
        .output()
        .expect("it runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    let path = folder.path().join("hand.snap");
    let by_insta = Accepted::read(&path, std::path::Path::new("specs/hand.yaml"));
    assert_eq!(by_insta.baseline().expect("a baseline"), &accepted(&world()));
    snapshot::write(&path, std::path::Path::new("specs/hand.yaml"), &body(&world())).expect("written");
    let by_accept = Accepted::read(&path, std::path::Path::new("specs/hand.yaml"));
    assert_eq!(by_accept.baseline(), by_insta.baseline());
}

/// Two files, as `medcert compare` compares them.
fn pair(before: &Evidence, now: &Evidence) -> std::result::Result<Comparison, String> {
    Comparison::new(&Baseline::of(&aligned(before.clone(), now)?)?, now)
}

#[test]
fn two_files_are_compared_in_80_columns_and_as_json() {
    let before = world().evidence;
    let mut worse = world();
    worse.evidence.models[2].weights = "0123456789abcdef".repeat(4);
    turn(&mut worse, 3, (0..CASES).filter(|place| place % 3 != 0).take(25), 1.0);
    turn(&mut worse, 3, [3], 1.0);
    worse.cell(1, fgsm(0.2), |_, _| true);
    let comparison = pair(&before, &worse.evidence).expect("the same cases");
    let said = Pair { before: "before.json", now: "now.json", comparison: Ok(&comparison) };
    assert_eq!(said.exit_code(), 1);
    let text = evidence_diff::render(said, 80);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
    let json: serde_json::Value = serde_json::from_str(&evidence_diff::json(said)).expect("JSON");
    assert_eq!((&json["exit"], &json["comparison"]["cells"][3]["gained"][0]), (&1.into(), &"s3".into()));
    let keys = |value: &serde_json::Value| {
        value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>().join(" ")).unwrap_or_default()
    };
    insta::assert_snapshot!(
        [&json, &json["comparison"], &json["comparison"]["cells"][0]].map(keys).join("\n")
    );
}

/// A change to sound evidence, and what must then be said.
type Damage = (fn(&mut Evidence), &'static str);

#[test]
fn the_exit_code_of_a_comparison() {
    let before = world().evidence;
    let code = |now: &Evidence| {
        let comparison = pair(&before, now);
        let comparison = comparison.as_ref().map_err(String::as_str);
        let pair = Pair { before: "a", now: "b", comparison };
        (pair.exit_code(), evidence_diff::render(pair, 80))
    };
    assert_eq!(code(&before).0, 0);
    let mut few = world();
    turn(&mut few, 3, [1, 2], 1.0);
    assert_eq!(code(&few.evidence).0, 0);
    // the same cases in another order
    let mut shuffled = world().evidence;
    shuffled.cases.reverse();
    shuffled.cells.iter_mut().for_each(|cell| cell.outcomes.reverse());
    assert_eq!(code(&shuffled).0, 0);
    // a cell that is gone could hide a loss
    let mut less = world().evidence;
    less.cells.pop();
    let (exit, text) = code(&less);
    assert!(exit == 3 && text.contains("only in A: fusion under FGSM ε=0.1"), "{text}");
    let damages: [Damage; 5] = [
        (
            |evidence| evidence.cases[1].id = "other".into(),
            "1 in the first alone (s1), 1 in the second alone (other)",
        ),
        (
            |evidence| evidence.cases[1].label = evidence.cases[1].label.turned(true),
            "1 of their cases have other labels (s1)",
        ),
        (|evidence| evidence.cells[1].attack = "clean".into(), "twice"),
        (|evidence| evidence.cells[1].outcomes.truncate(399), "has 399 outcomes for 400 cases"),
        (|evidence| drop(evidence.cells.remove(2)), "lacks fusion clean"),
    ];
    for (damage, says) in damages {
        let mut now = world().evidence;
        damage(&mut now);
        let (exit, text) = code(&now);
        let text = text.replace('\n', " ");
        assert!(exit == 3 && text.contains("cannot compare: ") && text.contains(says), "{says}: {text}");
    }
}

const SPEC: &str = "claim: It keeps reading
data:  {phantom: {studies: 60, seed: 7}}
split: {test: 40%, seed: 1}
models:
  language: {bert: {config: tiny, train: {lr: 1e-3, epochs: 1}}}
table: [clean, 50% deletion]
require:
  - language accuracy ≥ 50%
  - no regression against baseline (margin 5%)
";

/// Evidence of the spec, as if it had been run; the last cell loses its first right cases.
fn evidence_of_spec(lost: usize) -> Evidence {
    let spec = medcert::spec::parse(std::path::Path::new("a.yaml"), SPEC).expect("a sound spec");
    let mut world = World::new(&even(200));
    world.evidence.spec = spec.fingerprint();
    world.evidence.models.retain(|model| model.name == "language");
    for probe in medcert::plan::build(spec).probes {
        world.probe(1, probe.cell.attack, 200, |place, _| place % 20 > 8);
    }
    world.cell(1, Attack::default(), |place, _| place % 20 != 0);
    let deleted = world.cell(1, deletion(), |place, _| place % 20 != 0);
    turn(&mut world, deleted, (0..200).filter(|place| place % 20 != 0).take(lost), 1.0);
    world.evidence
}

#[test]
fn accepted_judged_and_compared_by_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("a.yaml"), SPEC).expect("written");
    let (sound, worse) = (evidence_of_spec(0), evidence_of_spec(60));
    let kept = at.join(format!("cache/evidence/a-{}.json", &sound.spec.whole()[..12]));
    for (path, evidence) in [(at.join("sound.json"), &sound), (at.join("worse.json"), &worse), (kept, &sound)]
    {
        medcert::evidence::write(&path, evidence).expect("written");
    }
    let call = |arguments: &[&str]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_medcert"));
        let run = program.args(arguments).current_dir(at).env("MEDCERT_CACHE", at.join("cache")).output();
        let run = run.expect("medcert runs");
        let text = [run.stdout, run.stderr].concat();
        (run.status.code().expect("a code"), String::from_utf8(text).expect("UTF-8"))
    };
    let judged = |file: &str| call(&["judge", file, "--spec", "a.yaml"]);
    // evidence that `merge` made is named, and need not be the last result of `check`
    let elsewhere = at.join("elsewhere").display().to_string();
    let merged = ["accept", "a.yaml", "--evidence", "worse.json", "--snapshots", &elsewhere];
    assert_eq!(call(&merged).0, 0);
    let snapshot = std::fs::read_to_string(at.join("elsewhere/a.snap")).expect("a snapshot");
    assert!(
        snapshot.starts_with("---\nsource: a.yaml\nexpression: medcert check a.yaml\n---\n"),
        "{snapshot}"
    );
    assert_eq!(call(&["judge", "worse.json", "--spec", "a.yaml", "--snapshots", &elsewhere]).0, 0);
    // it never passes for lack of a baseline, and the first result can be accepted all the same
    let (code, text) = judged("sound.json");
    assert!(code == 3 && text.contains("medcert accept"), "{text}");
    let (code, text) = call(&["accept", "a.yaml"]);
    assert!(code == 0 && !text.contains("before"), "{text}");
    assert_eq!(judged("sound.json").0, 0);
    let (code, text) = judged("worse.json");
    assert!(code == 1 && text.contains("lost 60 and gained 0"), "{text}");
    let (code, text) = call(&["accept", "a.yaml"]);
    assert!(code == 0 && text.contains("before: no outcome changed in 2 cells of 200 cases"), "{text}");
    // two files
    assert_eq!(call(&["compare", "sound.json", "sound.json"]).0, 0);
    assert_eq!(call(&["compare", "worse.json", "sound.json"]).0, 0);
    let (code, text) = call(&["compare", "sound.json", "worse.json", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON alone");
    assert_eq!((code, &json["exit"]), (1, &1.into()));
    let mut other = sound.clone();
    other.cases[0].id = "other".into();
    medcert::evidence::write(&at.join("other.json"), &other).expect("written");
    assert_eq!(call(&["compare", "sound.json", "other.json"]).0, 3);
    assert_eq!(call(&["compare", "sound.json", "none.json"]).0, 4);
    assert_eq!(call(&["compare", "sound.json", "snapshots/a.snap"]).0, 2);
}

proptest! {
    #[test]
    fn outcomes_come_back(holds in prop::collection::vec((any::<bool>(), any::<bool>()), 1..70)) {
        let mut world = World::new(&even(holds.len()));
        world.cell(2, Attack::default(), |place, _| holds[place].0);
        world.cell(2, fgsm(0.1), |place, _| holds[place].1);
        let baseline = accepted(&world);
        prop_assert_eq!(baseline.trials, holds.len());
        for (place, (clean, attacked)) in holds.iter().enumerate() {
            prop_assert_eq!(baseline.cells[0].holds[place], *clean);
            prop_assert_eq!(baseline.cells[1].holds[place], *clean && *attacked);
        }
    }

    #[test]
    fn a_snapshot_cut_anywhere_is_no_baseline_or_the_whole_of_it(cut in 0.0..1.0_f64) {
        let world = world();
        let whole = body(&world);
        let mut end = (whole.len() as f64 * cut) as usize;
        while !whole.is_char_boundary(end) {
            end += 1;
        }
        let read = outcomes::parse(&whole[..end]);
        prop_assert!(!matches!(read, Ok(Some(_))), "cut at {end} of {}", whole.len());
    }

    #[test]
    fn more_losses_are_never_a_better_verdict(lost in 0..60_usize, gained in 0..60_usize) {
        let baseline = accepted(&world());
        let verdict = |lost: usize, gained: usize| {
            let mut world = world();
            turn(&mut world, 1, (0..CASES).filter(|place| place % 6 != 0 && place % 20 != 0).take(lost), 1.0);
            turn(&mut world, 1, (0..CASES).filter(|place| place % 6 == 0 && place % 20 != 0).take(gained), 1.0);
            judged(&world, Ok(&baseline)).verdict
        };
        prop_assert!(verdict(lost + 1, gained) >= verdict(lost, gained));
        prop_assert!(verdict(lost, gained + 1) <= verdict(lost, gained));
    }

    #[test]
    fn holm_lies_between_no_adjustment_and_bonferroni(p in prop::collection::vec(0.0..=1.0_f64, 1..40)) {
        let adjusted = stats::holm_adjusted(&p);
        for (place, value) in adjusted.iter().enumerate() {
            prop_assert!(*value >= p[place] && *value <= (p[place] * p.len() as f64).min(1.0));
            for (other, others) in adjusted.iter().enumerate() {
                prop_assert!(p[place] > p[other] || value <= others);
            }
        }
    }
}

#[test]
fn holm_by_hand() {
    let adjusted = stats::holm_adjusted(&[0.01, 0.04, 0.03, 0.005]);
    for (value, by_hand) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
        assert!((value - by_hand).abs() < 1e-12, "{adjusted:?}");
    }
    assert!(stats::holm_adjusted(&[]).is_empty());
}

/// The level of the sentence, by exact enumeration of what 300 cases may lose and gain where the true difference is
/// the margin: it passes seldom, and fails seldom.
#[test]
fn on_the_margin_it_seldom_passes_and_seldom_fails() {
    let (margin, trials) = (0.05, 300_u64);
    // the bounds are those of the gained less those of the lost, each alone
    let bounds = |gained, lost| stats::paired_difference_bounds(gained, lost, trials, 0.05);
    let gained: Vec<(f64, f64)> = (0..=trials).map(|count| bounds(count, 0)).collect();
    let lost: Vec<(f64, f64)> = (0..=trials).map(|count| bounds(0, count)).collect();
    let none = bounds(0, 0);
    let (once, both) = (bounds(7, 30), (gained[7], lost[30]));
    assert!(
        (both.0.0 + both.1.0 - none.0 - once.0).abs() < 1e-12,
        "the bounds are not what is enumerated here"
    );
    for rate in [0.0, 0.05, 0.2] {
        let (mut passes, mut fails) = (0.0, 0.0);
        for (more, gained) in gained.iter().enumerate() {
            let chance =
                if rate > 0.0 { stats::binomial(more as u64, trials, rate) } else { f64::from(more == 0) };
            if chance < 1e-12 {
                continue;
            }
            for (less, lost) in lost.iter().enumerate().take(trials as usize - more + 1) {
                let share = (rate + margin) / (1.0 - rate);
                let chance = chance * stats::binomial(less as u64, trials - more as u64, share);
                passes += chance * f64::from(gained.0 + lost.0 - none.0 >= -margin);
                fails += chance * f64::from(gained.1 + lost.1 - none.1 < -margin);
            }
        }
        eprintln!("gained {rate}: passes {passes:.4}, fails {fails:.4}");
        assert!(passes <= 0.05 && fails <= 0.05, "{rate}: {passes} {fails}");
        assert!(rate > 0.0 || passes > 0.001, "the test says nothing");
    }
}

/// Models that turn cases either way alike, in 30 cells at once: the gate cries wolf in at most one of twenty.
#[test]
fn chance_alone_is_seldom_more_than_chance() {
    let mut rng = medcert::random::stream(&["baseline", "chance"]);
    let runs = 2000;
    let mut wolf = 0;
    for _ in 0..runs {
        let counts: Vec<(u64, u64)> = (0..30)
            .map(|cell| {
                let turned = 12 + cell;
                let lost = (0..turned).filter(|_| medcert::random::uniform(&mut rng) < 0.5).count() as u64;
                (lost, turned - lost)
            })
            .collect();
        let p: Vec<f64> = counts.iter().map(|(lost, gained)| stats::mcnemar_exact(*gained, *lost)).collect();
        let adjusted = stats::holm_adjusted(&p);
        wolf += i32::from(counts.iter().zip(adjusted).any(|((lost, gained), p)| p <= 0.05 && lost > gained));
    }
    eprintln!("a loss is told in {wolf} of {runs} runs without one");
    assert!(wolf > 0 && wolf <= runs / 20, "{wolf}");
}

#[test]
fn a_change_says_what_it_is() {
    let change = |lost: usize, gained: usize, adjusted: f64| Change {
        trials: 400,
        model: "m".into(),
        attack: "clean".into(),
        before: 0,
        now: 0,
        lost: vec![String::new(); lost],
        gained: vec![String::new(); gained],
        near: 0,
        difference: stats::Differences::of::<usize>([]),
        p: adjusted,
        adjusted,
    };
    assert!(change(9, 1, 0.05).has_lost() && !change(9, 1, 0.050_1).has_lost());
    assert!(change(1, 9, 0.05).has_gained() && !change(1, 9, 0.05).has_lost());
}

#[test]
fn every_report_begins_with_what_changed_since_the_snapshot() {
    use medcert::report::{github, html, json, junit, markdown, table, terminal::Style};
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hand.snap");
    let before = world();
    snapshot::write(&path, &before.plan.spec.path, &body(&before)).expect("written");
    let mut worse = world();
    turn(&mut worse, 3, (0..CASES).filter(|place| place % 3 != 0).take(25), 1.0);
    let accepted = Accepted::read(&path, &worse.plan.spec.path);
    let judgement = Judgement::of(&worse.plan, &worse.evidence, accepted.baseline(), TODAY);
    let result = ReportInput {
        plan: &worse.plan,
        evidence: &worse.evidence,
        judgement: &judgement,
        accepted: Some(&accepted),
    };
    let cell = "fusion under FGSM ε=0.1";
    let place = |text: &str, what: &str| text.find(what).unwrap_or_else(|| panic!("no {what} in {text}"));
    let page = html::render(result, &[], &html::About::default());
    assert!(place(&page, "id=\"changes\"") < place(&page, "id=\"requirements\""));
    let summary = markdown::render(result);
    assert!(place(&summary, "Since the accepted snapshot") < place(&summary, "| verdict |"));
    let tests = junit::render(result);
    assert!(
        place(&tests, "<testsuite name=\"snapshot\"") < place(&tests, "<testsuite name=\"requirements\"")
    );
    let screen = table::render(result, Style { width: 120, color: false });
    assert!(screen.lines().nth(1).is_some_and(|line| line.starts_with("changed since")), "{screen}");
    for text in [&page, &summary, &tests, &screen] {
        place(text, cell);
        place(text, "s1, s2, s4");
    }
    assert!(github::annotations(result).starts_with("::notice "), "{}", github::annotations(result));
    let report: serde_json::Value = serde_json::from_str(&json::render(result)).expect("JSON");
    let cells = report["changes"]["comparison"]["cells"].as_array().expect("cells");
    assert_eq!(
        cells.iter().filter(|cell| cell["lost"].as_array().is_some_and(|lost| lost.len() == 25)).count(),
        1
    );
    let schema: serde_json::Value = serde_json::from_str(json::SCHEMA).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let faults: Vec<String> = schema.iter_errors(&report).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let mut broken = report.clone();
    broken["changes"]["verdicts"] = 1.into();
    assert!(!schema.is_valid(&broken));
}
