//! Every spec of `specs/`, run for real, and compared with what was accepted in `snapshots/`. Trained models
//! are taken from the user's cache, or trained; so a changed model shows here as a difference of counts,
//! which `cargo insta review` walks through.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use jiff::civil::{Date, date};
use medcert::evidence::{Evidence, Outcome, Silent, processor, regressions};
use medcert::judge::{Change, Comparison, Judgement, ROUNDING};
use medcert::lab::{self, Options};
use medcert::plan::{self, Plan};
use medcert::report::snapshot_diff::Accepted;
use medcert::report::table;
use medcert::report::terminal::Style;
use medcert::report::{ReportInput, snapshot};
use medcert::spec::Spec;
use medcert::{cli, data, spec};

/// The day by which waivers count here; a test must not fail because time goes by.
const TODAY: Date = date(2026, 11, 25);

fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of real data, if there is one.
fn real_data() -> Option<PathBuf> {
    let named = std::env::var_os("MEDCERT_DATA").map(PathBuf::from);
    named.or_else(|| Some(home().join("../shared/data"))).filter(|folder| folder.is_dir())
}

/// A run uses all cores, so two at once only wait for each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs a spec with the models of the cache in `cache`.
fn run(
    name: &str,
    root: Option<&Path>,
    cache: &Path,
    (threads, plain): (Option<usize>, bool),
) -> (Plan, Evidence, Judgement) {
    let path = home().join("specs").join(format!("{name}.yaml"));
    run_spec((name, spec::read(&path).expect("a sound spec")), root, cache, (threads, plain))
}

/// Runs a spec that may be shorter than the one of its name, whose counterexamples it tries.
fn run_spec(
    (name, spec): (&str, Spec),
    root: Option<&Path>,
    cache: &Path,
    (threads, plain): (Option<usize>, bool),
) -> (Plan, Evidence, Judgement) {
    let plan = plan::build(spec);
    let dataset = data::load(&plan.spec, root).expect("data");
    let partition = data::split(&dataset.studies, &plan.spec.split).expect("a division");
    let options = Options {
        cache: cache.to_path_buf(),
        roots: vec![home().join("specs"), cache.join("weights")],
        threads,
        device: plan.spec.device,
        plain,
        fresh: true,
    };
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let known = regressions::read(&home().join("snapshots").join(format!("{name}.regressions")));
    let known = known.expect("a regressions file").unwrap_or_default().counterexamples;
    let evidence = lab::run_after(&plan, &dataset, &partition, &options, &known, &Silent).expect("evidence");
    let judgement = Judgement::of(&plan, &evidence, accepted(name).baseline(), TODAY);
    (plan, evidence, judgement)
}

/// The default spec as the main job runs it, once for all tests.
fn default() -> &'static (Plan, Evidence, Judgement) {
    static DEFAULT: OnceLock<(Plan, Evidence, Judgement)> = OnceLock::new();
    DEFAULT.get_or_init(|| {
        let cache = cli::cache_folder(None).expect("a cache folder");
        run("fusion", None, &cache, (None, false))
    })
}

/// The accepted snapshot of a spec.
fn accepted(name: &str) -> Accepted {
    let home = home();
    Accepted::read(
        &home.join("snapshots").join(format!("{name}.snap")),
        &home.join("specs").join(format!("{name}.yaml")),
    )
}

/// Compares with the accepted snapshot: to the count on the kind of processor that it was taken on, and
/// by the verdicts on any other, where training ends in slightly other models: there no sentence may turn
/// from PASS to FAIL or back, and with the same weights no cell may lose more than chance explains.
fn compare(name: &str, (plan, evidence, judgement): &(Plan, Evidence, Judgement)) {
    let body = snapshot::render(ReportInput { plan, evidence, judgement, accepted: None });
    let (baseline, file) =
        (accepted(name), snapshot::read(&home().join("snapshots").join(format!("{name}.snap"))));
    match file.expect("a snapshot file") {
        Some(accepted)
            if snapshot::processor_of(&accepted) != Some(processor().as_str())
                || baseline.baseline().is_err() =>
        {
            let other = snapshot::processor_of(&accepted).unwrap_or_default();
            eprintln!(
                "{name}: accepted on another kind of processor or by an older medcert ({other}); verdicts alone are \
                 compared"
            );
            let (accepted, now) = (snapshot::verdicts(&accepted), snapshot::verdicts(&body));
            assert_eq!(accepted.len(), now.len());
            for (accepted, now) in accepted.iter().zip(&now) {
                let both = [accepted.trim_start(), now.trim_start()];
                let turned = both.iter().any(|line| line.starts_with("PASS"))
                    && both.iter().any(|line| line.starts_with("FAIL"));
                assert!(!turned, "accepted: {accepted}; now: {now}");
            }
            let result = ReportInput { plan, evidence, judgement, accepted: None };
            eprintln!("{}", baseline.changes(result).details(100));
            if let Ok(baseline) = baseline.baseline() {
                let comparison = Comparison::new(baseline, evidence).expect("the same cases");
                assert!(!comparison.same_weights || !comparison.cells.iter().any(Change::has_lost));
            }
        }
        _ => {
            insta::with_settings!({snapshot_path => home().join("snapshots"), prepend_module_to_snapshot => false}, {
                insta::assert_snapshot!(name, snapshot::sealed(&body));
            });
        }
    }
}

/// The same of a spec on real data.
fn on_real_data(name: &str, root: &Path) {
    let cache = cli::cache_folder(None).expect("a cache folder");
    compare(name, &run(name, Some(root), &cache, (None, false)));
}

/// Whether an excerpt holds lines of a text in their order; `…` stands for those that it leaves out.
fn is_excerpt(excerpt: &str, text: &str) -> bool {
    let mut rest = text.lines();
    let mut may_skip = false;
    for line in excerpt.lines() {
        if line.trim() == "…" {
            may_skip = true;
        } else if may_skip {
            may_skip = false;
            if !rest.any(|other| other == line) {
                return false;
            }
        } else if rest.next() != Some(line) {
            return false;
        }
    }
    may_skip || rest.next().is_none()
}

#[test]
fn an_excerpt_leaves_out_only_where_it_says_so() {
    for (excerpt, holds) in [
        ("a\nb\nc", true),
        ("a\n…\nc", true),
        ("…\nc", true),
        ("a\n…", true),
        ("a\nc", false),
        ("a\nb", false),
        ("…\nd", false),
    ] {
        assert_eq!(is_excerpt(excerpt, "a\nb\nc"), holds, "{excerpt:?}");
    }
}

#[test]
fn the_default_spec_holds_its_snapshot() {
    compare("fusion", default());
    let (plan, evidence, judgement) = default();
    // the README shows this result, as the processor that it was accepted on computes it
    let result = ReportInput { plan, evidence, judgement, accepted: None };
    let accepted =
        snapshot::read(&home().join("snapshots/fusion.snap")).expect("a snapshot file").unwrap_or_default();
    if snapshot::processor_of(&accepted) == Some(processor().as_str()) {
        let readme = std::fs::read_to_string(home().join("README.md")).expect("a README");
        let shown = table::render(result, Style { width: 120, color: false });
        let excerpt = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
        let excerpt = excerpt.expect("the README shows a result");
        assert!(is_excerpt(excerpt, &shown), "the README shows what is not in\n{shown}");
    }
}

#[test]
fn the_spec_on_real_reports_holds_its_snapshot() {
    match real_data() {
        Some(root) => on_real_data("iu-language", &root),
        None => {
            eprintln!("skipped: the_spec_on_real_reports_holds_its_snapshot (MEDCERT_DATA names no folder)");
        }
    }
}

#[test]
#[ignore = "trains for minutes each: cargo test --release --test lab specs -- --ignored"]
fn the_specs_on_real_images_and_with_minilm_hold_their_snapshots() {
    let weights = cli::cache_folder(None).expect("a cache folder").join("weights/minilm");
    for (name, needs_minilm) in
        [("nih-pairs", false), ("covid-notes", true), ("iu-minilm", true), ("paper-small", true)]
    {
        match real_data() {
            Some(root) if weights.exists() || !needs_minilm => on_real_data(name, &root),
            _ => eprintln!(
                "skipped: {name} (MEDCERT_DATA names no folder, or `ci/weights minilm` was not run)"
            ),
        }
    }
}

/// The models and cases of the default spec, with two attacks and their join.
fn default_with_few_attacks() -> Spec {
    let path = home().join("specs/fusion.yaml");
    let text = std::fs::read_to_string(&path).expect("the default spec");
    let (head, _) = text.split_once("\ntable:").expect("it names its rows");
    let rows = "table: [FGSM ε=0.05, 50% deletion, FGSM ε=0.1 + 50% deletion]";
    let short = format!("{head}\n{rows}\nchecks: cheap\nrequire: [fusion accuracy ≥ 50%]\n");
    spec::parse(&path, &short).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Folding and layout are on by default because of this: on trained weights, over whole attacks, they turn no
/// decision but one that rounding may turn anyway.
#[test]
fn folding_turns_no_decision_that_is_not_within_rounding() {
    let cache = cli::cache_folder(None).expect("a cache folder");
    let folded = &default().1;
    let plain = run_spec(("fusion", default_with_few_attacks()), None, &cache, (None, true)).1;
    assert!(folded.run.folded && !plain.run.folded);
    let (mut turned, mut outcomes) = (0, 0);
    for plain in &plain.cells {
        let folded = folded.cell(&plain.model, &plain.attack).expect("a cell of the default spec");
        assert_eq!(folded.outcomes.len(), plain.outcomes.len());
        for (a, b) in folded.outcomes.iter().zip(&plain.outcomes) {
            outcomes += 1;
            if a.predicted == b.predicted {
                continue;
            }
            turned += 1;
            let margin = |outcome: &Outcome| outcome.margin.expect("a finite answer").abs();
            assert!(margin(a) <= ROUNDING && margin(b) <= ROUNDING, "{} under {}", plain.model, plain.attack);
        }
    }
    eprintln!("folding turned {turned} of {outcomes} decisions, each within rounding");
    assert_eq!(outcomes, plain.cells.len() * folded.cases.len());
    let attacks: BTreeSet<_> = plain.cells.iter().map(|cell| cell.attack.clone()).collect();
    // the join adds the part that the table does not have
    assert_eq!(attacks.len(), 5, "no attack, FGSM at two strengths, deletion and a join: {attacks:?}");
}
