//! The sequential votes of `specs/nih-certified.yaml` beside a fixed number of copies, as Cohen et al. (ICML 2019) take it: the
//! share that is certified, and the copies that it costs. It counts 4,000 copies of each case for each smoothed model, half
//! an hour on one core, so it is ignored:
//!
//! ```text
//! MEDCERT_DATA=FOLDER cargo test --release --test lab fixed_number -- --ignored --nocapture
//! ```

use std::path::{Path, PathBuf};

use medcert::evidence::Silent;
use medcert::lab::Options;
use medcert::lab::certify::Smoothed;
use medcert::lab::defend::of_spec;
use medcert::lab::inputs::Inputs;
use medcert::lab::load_models::ModelLoader;
use medcert::lab::settings::settle;
use medcert::seal::Cache;
use medcert::spec::{Ball, Certifier, Smoothing};
use medcert::stats::lower_bound;
use medcert::stats::vote::{Count, State};
use medcert::{cli, data, plan, spec};

const COPIES: u64 = 4_000;

/// A certificate of a smoothed model, and what was found.
struct Asked {
    smoothing: Smoothing,
    ball: Ball,
    sequential: usize,
    fixed: usize,
    copies: u64,
}

impl Asked {
    /// Compares the vote on a case with a fixed number of its copies.
    fn compare(&mut self, smoothed: &Smoothed<'_>, inputs: &Inputs, case: usize, count: Count) {
        let point = smoothed.point(inputs, case).expect("an input");
        let question =
            self.smoothing.question(&self.ball, point.pixels.map_or(0, |pixels| pixels.len() as u64));
        let question = question.expect("a ball within the noise");
        let vote = smoothed.case(inputs, case, &inputs.ids[case], &[question]).expect("votes").remove(0);
        self.copies += vote.samples;
        self.sequential += usize::from(vote.state == State::Certified);
        let Some(rules) = question.rules(vote.words) else { return };
        let lower = lower_bound(count.successes, count.successes + count.failures, rules.alpha);
        self.fixed += usize::from(lower > rules.threshold);
    }
}

#[test]
#[ignore = "half an hour; the command is above"]
fn votes_certify_what_a_fixed_number_of_copies_does_with_fewer_of_them() {
    let Some(root) = std::env::var_os("MEDCERT_DATA").map(PathBuf::from) else {
        eprintln!("skipped: MEDCERT_DATA names no folder that holds nih_pairs/");
        return;
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/nih-certified.yaml");
    let plan = plan::build(spec::read(&path).expect("a sound spec"));
    let dataset = data::load(&plan.spec, Some(&root)).expect("data");
    let partition = data::split(&dataset.studies, &plan.spec.split).expect("a division");
    let folder = cli::cache_folder(None).expect("a cache folder");
    let cache = Cache::at(&folder);
    let options = Options {
        cache: folder,
        roots: vec![],
        threads: Some(1),
        device: plan.spec.device,
        plain: false,
        fresh: false,
    };
    settle(plan.spec.device).expect("a device");
    let sides: Vec<u32> =
        plan.spec.models.iter().filter_map(|(_, model)| model.side(&plan.spec.models)).collect();
    let inputs = Inputs::prepare(&dataset, &sides[..1], &cache).expect("images");
    let loader = ModelLoader {
        plan: &plan,
        options: &options,
        cache: &cache,
        inputs: &inputs,
        partition: &partition,
        observer: &Silent,
    };
    let models = loader.models().expect("models");
    let seed = plan.spec.seed;
    for (name, defended) in
        plan.spec.models.iter().filter_map(|(name, model)| Some((name, model.defended()?)))
    {
        let base =
            models.iter().map(|model| model.reader()).find(|model| model.name() == defended.base.name());
        let of_model = plan.certificates.iter().filter(|one| plan.subjects[one.model].name == *name);
        let mut asked: Vec<Asked> = of_model
            .map(|one| {
                let Certifier::Vote(smoothing) = one.certifier else { panic!("{name} does not vote") };
                Asked { smoothing, ball: one.ball, sequential: 0, fixed: 0, copies: 0 }
            })
            .collect();
        let smoothing = asked.first().expect("a certificate").smoothing;
        let base = base.expect("a base");
        let smoothed = of_spec::smoothed(name, &smoothing, base, inputs.views(), seed);
        for &case in &partition.test {
            let point = smoothed.point(&inputs, case).expect("an input");
            let purpose = ["smooth", &inputs.ids[case]];
            let count = smoothed.count(&point, inputs.labels[case], &purpose, COPIES).expect("copies");
            for one in &mut asked {
                one.compare(&smoothed, &inputs, case, count);
            }
        }
        let cases = partition.test.len() as f64;
        for Asked { ball, sequential, fixed, copies, .. } in asked {
            let percent = |count: usize| 100.0 * count as f64 / cases;
            let (vote, all) = (percent(sequential), percent(fixed));
            println!(
                "{name} within {ball}: {vote:.1} % by votes of {:.0} copies on average, {all:.1} % by {COPIES}",
                copies as f64 / cases
            );
            assert!((vote - all).abs() <= 1.0, "{name} within {ball}: {vote:.1} % and {all:.1} %");
            assert!((copies as f64) < 0.2 * cases * COPIES as f64, "{name} within {ball}: {copies} copies");
        }
    }
}
