//! How long the parts take: `cargo bench --profile dist`. Weights are random, since time does not depend on them.

#![allow(missing_docs)]

use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use medcert::evidence::Silent;
use medcert::lab::attack::image::{Problem, Space, fgsm};
use medcert::lab::certify::{Point, Smoothed, WordNoise, gaussian};
use medcert::lab::inputs::Inputs;
use medcert::lab::model::params::Params;
use medcert::lab::model::residual::Residual;
use medcert::lab::model::vision::Vision;
use medcert::lab::model::{Answers, Architecture, Network};
use medcert::lab::tensor::Tensor;
use medcert::lab::victim::Victim;
use medcert::lab::{self, Options};
use medcert::seal::Cache;
use medcert::spec::{EditKind, Norm};
use medcert::stats::vote;
use medcert::text::meaning::meaning;
use medcert::text::perturb::Rules;
use medcert::text::{Document, Lexicon, perturb};
use medcert::{data, plan, spec};

const CASES: usize = 32;
const STRENGTHS: [f64; 4] = [0.01, 0.05, 0.1, 0.2];

fn default_spec() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/fusion.yaml");
    std::fs::read_to_string(path).expect("the default spec")
}

/// An untrained vision model and one chunk of phantoms.
fn vision() -> (Network, Tensor, Vec<medcert::Class>, Vec<String>) {
    let mut spec = spec::parse(Path::new("specs/fusion.yaml"), &default_spec()).expect("a spec");
    spec.data = spec::Data::Phantom {
        studies: 200,
        seed: 7,
        label_noise: 0.0,
        missed: 0.07,
        findings: vec![],
        classes: vec![],
        unlabelled: 0.0,
        views: spec::Views::Both,
    };
    let dataset = data::load(&spec, None).expect("phantoms");
    let folder = tempfile::tempdir().expect("a folder");
    let mut few = dataset.clone();
    few.studies.truncate(CASES);
    let inputs = Inputs::prepare(&few, &[64], &Cache::at(folder.path())).expect("inputs");
    let indices: Vec<usize> = (0..CASES).collect();
    let images = inputs.images(64, &indices).expect("images");
    let trunk = Residual { width: 32, ..Residual::SMALL }.into();
    let architecture = Architecture::Vision(Vision { trunk, views: 2, answers: Answers::TWO });
    let mut params = Params::random(&architecture.declare(), 0).expect("parameters");
    params.fold().expect("folded");
    let network = Network {
        name: "vision".into(),
        architecture,
        params,
        tokenizer: None,
        side: Some(64),
        source: None,
        masked: None,
    };
    (network, images, inputs.labels.clone(), inputs.texts.clone())
}

fn models(c: &mut Criterion) {
    let (network, images, labels, _) = vision();
    let victim = Victim::new(&network, labels).expect("a victim");
    c.bench_function("forward, SE-ResNet-18 of width 32 at 64, 32 studies of two views", |b| {
        b.iter(|| {
            victim.answer(Some(&victim.read_images(&images).expect("features")), None).expect("answers")
        });
    });
    c.bench_function("gradient by the pixels, the same", |b| {
        b.iter(|| black_box(victim.gradient(&images, None).expect("a gradient")));
    });
    c.bench_function("FGSM at four ε, the same", |b| {
        b.iter(|| {
            let (_, gradient) = victim.gradient(&images, None).expect("a gradient");
            for epsilon in STRENGTHS {
                let problem = Problem {
                    victim: victim.clone(),
                    images: images.shallow_clone(),
                    text: None,
                    cases: vec![""; 32],
                    seed: 0,
                    space: Space::ball(Norm::Linf, epsilon),
                };
                let proposal = fgsm::propose(&problem, &gradient).expect("a proposal");
                let attacked = problem.project(&proposal).expect("images");
                black_box(problem.answer(&attacked).expect("answers"));
            }
        });
    });
}

/// Votes a second on noisy copies of one case.
fn votes(c: &mut Criterion) {
    let (network, images, ..) = vision();
    let bytes: Vec<f32> =
        medcert::lab::tensor::values(&images.f_narrow(0, 0, 1).expect("an image")).expect("values");
    let smoothed = Smoothed {
        base: &network,
        name: "guarded",
        noise: gaussian::Noise { sigma: vec![0.25], region: None },
        words: WordNoise::None,
        seed: 0,
    };
    let point = Point { pixels: Some(gaussian::rounded(&bytes)), text: String::new() };
    // a vote that only 160 answers of one kind decide; an untrained network mostly gives one kind
    let rules = vote::Rules { threshold: 0.5, alpha: 1e-40, limit: 160, patience: None };
    let ask = |label| smoothed.votes(&point, label, &["bench"], &[Some(rules)]).expect("votes")[0].samples;
    let label = ask(true) > ask(false);
    let mut group = c.benchmark_group("votes");
    group.throughput(criterion::Throughput::Elements(ask(label).next_multiple_of(16)));
    group.bench_function("copies of a study of two views, SE-ResNet-18 of width 32 at 64", |b| {
        b.iter(|| black_box(ask(label)));
    });
    group.finish();
}

/// A spec of so many image models under PGD, over so many cases.
fn sweep(models: usize, cases: usize, steps: u32) -> String {
    let model = |number| {
        format!(
            "  m{number}: {{se_resnet18: {{image: 32, width: 8, train: {{lr: 1e-3, epochs: 1, seed: {number}}}}}}}\n"
        )
    };
    format!(
        "claim: It keeps reading\ndata: {{phantom: {{studies: 400, seed: 7}}}}\nsplit: {{test: 50%, seed: 1, cases: {cases}}}\n\
         counterexamples: 0\nmodels:\n{}table: [PGD-{steps} ε=0.05]\nrequire: [m1 accuracy ≥ 50%]\n",
        (1..=models).map(model).collect::<String>()
    )
}

/// Whole runs, whose seconds have to grow by the same amount with each case, step and model.
fn linear(c: &mut Criterion) {
    let cache = tempfile::tempdir().expect("a folder");
    let run = |text: &str| {
        let plan = plan::build(spec::parse(Path::new("linear.yaml"), text).expect("a spec"));
        let dataset = data::load(&plan.spec, None).expect("phantoms");
        let partition = data::split(&dataset.studies, &plan.spec.split).expect("a division");
        let options = Options {
            cache: cache.path().to_path_buf(),
            roots: vec![],
            threads: Some(1),
            device: spec::DeviceChoice::Cpu,
            plain: false,
            fresh: true,
        };
        black_box(lab::run(&plan, &dataset, &partition, &options, &Silent).expect("evidence"));
    };
    let mut group = c.benchmark_group("linear");
    group.sample_size(10);
    for (what, points) in [
        ("cases", [(1, 32, 10), (1, 64, 10), (1, 128, 10)]),
        ("steps", [(1, 64, 10), (1, 64, 20), (1, 64, 40)]),
        ("models", [(1, 64, 10), (2, 64, 10), (4, 64, 10)]),
    ] {
        for (models, cases, steps) in points {
            let text = sweep(models, cases, steps);
            run(&text); // trains the models
            let name = format!("{models} models, {cases} cases, {steps} steps");
            group.bench_function(BenchmarkId::new(what, name), |b| b.iter(|| run(&text)));
        }
    }
    group.finish();
}

fn words(c: &mut Criterion) {
    let (_, _, _, texts) = vision();
    let lexicon = Lexicon::embedded();
    let documents: Vec<Document> = texts.iter().map(|text| Document::of(text)).collect();
    for (name, kind) in [
        ("50% deletion of 32 reports", (EditKind::Deletion, 0.5)),
        ("40% synonyms in 32 reports", (EditKind::Synonyms, 0.4)),
    ] {
        c.bench_function(name, |b| {
            b.iter(|| {
                for document in &documents {
                    black_box(perturb(document, &[kind], &Rules::free(&lexicon), 7, "case", 0));
                }
            });
        });
    }
    c.bench_function("what 32 reports say", |b| {
        b.iter(|| texts.iter().map(|text| meaning(text).len()).sum::<usize>());
    });
}

fn specs(c: &mut Criterion) {
    let text = default_spec();
    let path = Path::new("specs/fusion.yaml");
    c.bench_function("the default spec, parsed and planned", |b| {
        b.iter(|| black_box(plan::build(spec::parse(path, &text).expect("a spec"))));
    });
}

criterion_group! {
    name = speed;
    config = Criterion::default().sample_size(20);
    targets = models, votes, linear, words, specs
}
criterion_main!(speed);
