//! Networks of torch.export run to the same bits as in `PyTorch`: outputs and gradients by the inputs. The files are made by
//! `tests/golden/graphs.py`; small ones are committed. Their bits are those of processors with AVX-512, on which they were made;
//! on others the numbers are compared up to rounding. Networks as published are read from the folder that
//! `MEDCERT_GRAPHS` names, and are skipped without it. Make them on the same machine, because their bits are always compared.
//! On a processor without AVX-512 put `MKL_CBWR=AVX2,STRICT` before the command, which medcert sets for itself:
//!
//! ```text
//! MEDCERT_GRAPHS=FOLDER cargo test --release --test golden graphs -- --nocapture
//! ```

use std::path::{Path, PathBuf};

use medcert::evidence::{Evidence, Silent, processor};
use medcert::graph::{Program, pt2};
use medcert::lab::graph::Graph;
use medcert::lab::model::Answers;
use medcert::lab::script::Script;
use medcert::lab::tensor::{self, Kind, Tensor};
use medcert::lab::{self, Options};
use medcert::spec::{Behind, ModuleFile, ModuleFormat, Outputs, ScriptModel, Source};
use medcert::{data, plan, spec};
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn sha256(path: &Path) -> String {
    format!("{:x}", Sha256::digest(std::fs::read(path).expect("a file")))
}

/// A tensor of a file of golden values.
pub fn tensor_of(file: &SafeTensors<'_>, name: &str) -> Option<Tensor> {
    let view = file.tensor(name).ok()?;
    let shape = view.shape();
    Some(match view.dtype() {
        Dtype::F32 => {
            let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four")));
            tensor::floats(&values.collect::<Vec<f32>>(), shape).expect("floats")
        }
        Dtype::I64 => {
            let values =
                view.data().chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().expect("eight")));
            tensor::integers(&values.collect::<Vec<i64>>(), shape).expect("integers")
        }
        other => panic!("{name} is {other:?}"),
    })
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    tensor::values(tensor).expect("values").into_iter().map(f32::to_bits).collect()
}

/// Whether numbers are equal up to rounding.
fn are_near(one: &[f32], other: &[f32]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| (one - other).abs() <= 1e-5 * one.abs().max(1.0))
}

/// Where golden values were made.
#[derive(Clone, Copy, PartialEq)]
enum Made {
    /// On a processor with AVX-512.
    WithAvx512,
    /// On this machine.
    Here,
}

/// Whether a tensor has the bits of `PyTorch`'s; where they were made on another kind of processor, whether it has its
/// numbers up to rounding.
fn is_pytorchs(ours: &Tensor, theirs: &Tensor, made: Made) -> bool {
    if made == Made::Here || processor().starts_with("x86_64 avx512") {
        return bits(ours) == bits(theirs);
    }
    eprintln!("skipped: the bits are those of processors with AVX-512; this one is {}", processor());
    are_near(&tensor::values(ours).expect("values"), &tensor::values(theirs).expect("values"))
}

/// Runs a network on its golden inputs: whether its output and its gradient are those of `PyTorch`.
fn compare(path: &Path, made: Made) -> Result<(bool, Option<bool>), String> {
    tensor::set_threads(1); // as the script that made them: sums over threads have other last bits
    let bytes = std::fs::read(path).expect("a file");
    let program = pt2::read(&bytes)?;
    let graph = Graph::new(program, &bytes).map_err(|why| why.to_string())?;
    let file = std::fs::read(path.with_extension("safetensors")).expect("golden values");
    let file = SafeTensors::deserialize(&file).expect("golden values");
    let mut inputs: Vec<Tensor> =
        (0..).map_while(|place| tensor_of(&file, &format!("input.{place}"))).collect();
    let wanted = tensor_of(&file, "gradient");
    if wanted.is_some() {
        inputs[0] = inputs[0].set_requires_grad(true);
    }
    let output =
        graph.run(&inputs.iter().collect::<Vec<&Tensor>>()).map_err(|why| why.to_string())?.remove(0);
    let output_is_same = is_pytorchs(&output, &tensor_of(&file, "output").expect("an output"), made);
    let Some(wanted) = wanted else { return Ok((output_is_same, None)) };
    let first = output.log_softmax(1, Kind::Float).select(1, 0).sum(Kind::Float);
    let gradient =
        Tensor::f_run_backward(&[first], &[&inputs[0]], false, false).expect("a gradient").remove(0);
    Ok((output_is_same, Some(is_pytorchs(&gradient, &wanted, made))))
}

#[test]
fn small_networks_have_pytorchs_bits() {
    for name in ["image", "views", "text", "both"] {
        let same = compare(&golden().join(format!("graphs/{name}.pt2")), Made::WithAvx512)
            .unwrap_or_else(|why| panic!("{name} {why}"));
        assert_eq!(same, (true, (name != "text").then_some(true)), "{name}");
    }
}

/// Runs a network of images and text whole and in parts: the answers and the gradient have the same bits, for other texts
/// beside features that were kept too.
pub fn in_parts(program: Program, bytes: &[u8], golden: &SafeTensors<'_>) {
    let mut graph = Graph::new(program, bytes).expect("a graph");
    let input = |place: usize| tensor_of(golden, &format!("input.{place}")).expect("an input");
    let (image, ids, mask) = (input(0), input(1), input(2));
    assert!(!graph.is_separate());
    graph.separate(&[&image], &[&ids, &mask]).expect("sound parts");
    assert!(graph.is_separate());
    let slope = |output: &Tensor, leaf: &Tensor| {
        let first = output.log_softmax(1, Kind::Float).select(1, 0).sum(Kind::Float);
        bits(&Tensor::f_run_backward(&[first], &[leaf], false, false).expect("a gradient").remove(0))
    };
    let leaf = || image.copy().set_requires_grad(true);
    let (one, other) = (leaf(), leaf());
    let whole = graph.run(&[&one, &ids, &mask]).expect("an answer").remove(0);
    let kept = graph.image_features(&[&other]).expect("features").expect("parts");
    let read = graph.text_features(&[&ids, &mask]).expect("features").expect("parts");
    let parts = graph.join(&kept, &read).expect("an answer").remove(0);
    assert_eq!(bits(&whole), bits(&parts));
    assert_eq!(slope(&whole, &one), slope(&parts, &other));
    let (ids, mask) = (ids.flip([0]), mask.flip([0]));
    let read = graph.text_features(&[&ids, &mask]).expect("features").expect("parts");
    let again = graph.join(&kept, &read).expect("an answer").remove(0);
    assert_eq!(bits(&again), bits(&graph.run(&[&image, &ids, &mask]).expect("an answer").remove(0)));
    assert_ne!(bits(&again), bits(&parts));
}

#[test]
fn folded_networks_answer_the_same_up_to_rounding() {
    tensor::set_threads(1);
    let numbers = |x: &Tensor| tensor::values(x).expect("values");
    for name in ["image", "views", "both"] {
        let path = golden().join(format!("graphs/{name}.pt2"));
        let bytes = std::fs::read(&path).expect("a file");
        let file = std::fs::read(path.with_extension("safetensors")).expect("golden values");
        let file = SafeTensors::deserialize(&file).expect("golden values");
        let graph = Graph::new(pt2::read(&bytes).expect("a program"), &bytes).expect("a graph");
        let [folded, last] = [false, true].map(|last| {
            let folded = graph.folded(last).expect("sound weights").expect("a norm to fold");
            assert_eq!(folded.parameters, graph.parameters, "{name}");
            folded
        });
        let answers = |graph: &Graph| {
            let mut inputs: Vec<Tensor> =
                (0..).map_while(|place| tensor_of(&file, &format!("input.{place}"))).collect();
            inputs[0] = inputs[0].set_requires_grad(true);
            let output = graph.run(&inputs.iter().collect::<Vec<&Tensor>>()).expect("an answer").remove(0);
            let sum = output.select(1, 0).sum(Kind::Float);
            let slope = Tensor::f_run_backward(&[sum], &[&inputs[0]], false, false).expect("a gradient");
            (numbers(&output), numbers(&slope[0]))
        };
        let plain = answers(&graph);
        for quick in [answers(&folded), answers(&last)] {
            assert!(are_near(&plain.0, &quick.0) && are_near(&plain.1, &quick.1), "{name}");
            assert_ne!(plain.1, quick.1, "{name}: nothing was folded");
        }
    }
    let text = std::fs::read(golden().join("graphs/text.pt2")).expect("a file");
    let graph = Graph::new(pt2::read(&text).expect("a program"), &text).expect("a graph");
    assert!(graph.folded(true).expect("sound weights").is_none());
}

#[test]
fn a_network_of_images_and_text_runs_in_parts() {
    tensor::set_threads(1);
    let path = golden().join("graphs/both.pt2");
    let bytes = std::fs::read(&path).expect("a file");
    let file = std::fs::read(path.with_extension("safetensors")).expect("golden values");
    let values = SafeTensors::deserialize(&file).expect("golden values");
    in_parts(pt2::read(&bytes).expect("a program"), &bytes, &values);
}

#[test]
fn published_networks_have_pytorchs_bits() {
    let Some(folder) = std::env::var_os("MEDCERT_GRAPHS") else {
        eprintln!("skipped: MEDCERT_GRAPHS names no folder of tests/golden/graphs.py");
        return;
    };
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.extension().is_some_and(|ending| ending == "pt2") && path.with_extension("safetensors").exists()
    });
    paths.sort();
    let mut failed = Vec::new();
    for path in &paths {
        let told = compare(path, Made::Here);
        println!("{}: {told:?}", path.file_stem().unwrap_or_default().display());
        if !matches!(told, Ok((true, None | Some(true)))) {
            failed.push(path.clone());
        }
    }
    println!("{} of {} have PyTorch's bits", paths.len() - failed.len(), paths.len());
    assert!(failed.is_empty(), "{failed:?}");
}

fn about(name: &str, reads_image: bool, reads_text: bool) -> ScriptModel {
    let path = PathBuf::from("graphs").join(name);
    let file = ModuleFile {
        format: ModuleFormat::Pt2,
        source: Source { sha256: Some(sha256(&golden().join(&path))), path },
        mean: vec![0.5],
        deviation: vec![0.25],
        tokenizer: reads_text.then(|| "checkpoint".into()),
        max_tokens: 16,
        lowercase: None,
    };
    ScriptModel {
        behind: Behind::File(file),
        image: reads_image.then_some(32),
        reads_text,
        outputs: Outputs::Logits,
        expect: None,
    }
}

fn load(about: &ScriptModel) -> medcert::Result<Script> {
    Script::load("theirs", about, (&[], Answers::TWO), |path| Ok(golden().join(path)))
}

#[test]
fn a_graph_that_is_not_what_the_spec_says_is_refused() {
    let sound = about("image.pt2", true, false);
    load(&sound).expect("a graph");
    let Behind::File(file) = sound.behind.clone() else { panic!("a file") };
    let colored = ModuleFile { mean: vec![0.5; 3], deviation: vec![0.25; 3], ..file };
    let other = [
        ScriptModel { image: Some(64), ..sound.clone() },
        ScriptModel { behind: Behind::File(colored), ..sound.clone() },
        about("both.pt2", true, false),
        about("image.pt2", true, true),
        about("refused-noise.pt2", true, false),
    ];
    let told = other.iter().map(|about| {
        let why = load(about).expect_err("refused");
        assert_eq!(why.exit_code(), 4);
        why.to_string().replace(&golden().display().to_string(), "FOLDER")
    });
    insta::assert_snapshot!(told.collect::<Vec<String>>().join("\n\n"));
    let views = load(&about("views.pt2", true, false)).expect("a graph");
    let images = tensor::floats(&vec![0.5; 8 * 32 * 32], &[8, 1, 32, 32]).expect("images");
    let why = views.probe(Some(&images), &[]).expect_err("it reads two views").to_string();
    assert!(why.contains("takes 2 tensors, and is given 1"), "{why}");
}

fn run(cache: &Path) -> (plan::Plan, Evidence) {
    let digest = sha256(&golden().join("graphs/both.pt2"));
    let text = format!(
        "claim: Somebody's own model keeps reading
data:  {{phantom: {{studies: 60, seed: 7, views: frontal}}}}
split: {{test: 40%, seed: 1}}
models:
  theirs:
    pt2:
      {{file: graphs/both.pt2, sha256: {digest}, reads: both, image: 32, mean: [0.5], deviation: [0.25],
       tokenizer: checkpoint, outputs: logits}}
table: [clean, FGSM ε=0.05, 50% deletion, PGD-5 ε=0.05 + 50% deletion]
require: [theirs accuracy ≥ 99%]
"
    );
    let plan = plan::build(spec::parse(Path::new("theirs.yaml"), &text).expect("a sound spec"));
    let dataset = data::load(&plan.spec, None).expect("data");
    let partition = data::split(&dataset.studies, &plan.spec.split).expect("a division");
    let options = Options {
        cache: cache.to_path_buf(),
        roots: vec![golden()],
        threads: None,
        device: plan.spec.device,
        plain: false,
        fresh: true,
    };
    let evidence = lab::run(&plan, &dataset, &partition, &options, &Silent).expect("evidence");
    (plan, evidence)
}

#[test]
fn a_graph_runs_through_a_whole_spec() {
    let cache = tempfile::tempdir().expect("a folder");
    let (plan, evidence) = run(cache.path());
    assert_eq!(evidence, run(cache.path()).1);
    assert_eq!(evidence.models[0].architecture, "pt2");
    assert_eq!(evidence.models[0].source.as_deref(), plan.spec.models[0].1.pin());
    let margins = |cell: usize| evidence.cells[cell].outcomes.iter().filter_map(|outcome| outcome.margin);
    let lower = |cell| margins(cell).zip(margins(0)).filter(|(attacked, clean)| attacked <= clean).count();
    assert!(lower(1) * 10 >= evidence.cases.len() * 9, "FGSM lowers nearly every margin");
    assert_ne!(margins(2).collect::<Vec<f32>>(), margins(0).collect::<Vec<f32>>());
}
