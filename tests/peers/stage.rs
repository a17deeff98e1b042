//! A row with everything that it needs: the model with its weights, the cases, and the attacks. What is timed is what
//! `medcert check` does for a chunk of cases.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use medcert::data::{self, Dataset, Partition};
use medcert::evidence::{Outcome, Silent};
use medcert::lab::chunk::{Chunk, Scene};
use medcert::lab::inputs::Inputs;
use medcert::lab::load_models::{LoadedModel, ModelLoader};
use medcert::lab::model::bert::Bert;
use medcert::lab::model::params::Params;
use medcert::lab::model::residual::Residual;
use medcert::lab::model::vision::Vision;
use medcert::lab::model::{Answers, Architecture, Network, Reader, TokenizerOf};
use medcert::lab::tensor;
use medcert::lab::victim::Classifier;
use medcert::lab::{Options, weights_form};
use medcert::plan::{self, Attack, Plan};
use medcert::seal::Cache;
use medcert::spec::{self, BertConfig, DeviceChoice, TextMethod};
use medcert::text::words::words;
use medcert::text::{Document, Lexicon, Vocabulary, learn_vocabulary};
use medcert::{Error, Result};
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::rows::{Pick, Row, Weights};

#[path = "../support/weight_formula.rs"]
mod weight_formula;

/// Standard deviation of the clean margins of a model whose weights are by formula.
const SPREAD: f32 = 2.0;
/// Cases that it is measured on at least.
const CENTRED: usize = 8;

/// A prepared row.
pub struct Stage {
    plan: Plan,
    data: Dataset,
    partition: Partition,
    inputs: Inputs,
    network: Network,
    /// The same network as `PyTorch` has exported it; it is attacked in place of `network` if it is there.
    exported: Option<LoadedModel>,
    /// Where models are kept.
    cache: PathBuf,
    /// The cases' places among the studies.
    cases: Vec<usize>,
    /// The attacks with the user's words, in order.
    attacks: Vec<(&'static str, Attack)>,
    /// Those that are not timed.
    checked: Vec<(&'static str, Attack)>,
    lexicon: Lexicon,
    /// The weights as they were before anything was folded.
    weights: PathBuf,
}

fn fault(why: impl std::fmt::Display) -> Error {
    Error::Input(why.to_string())
}

impl Stage {
    /// Makes the model and picks the cases; the weights are written into the row's folder.
    pub fn prepare(row: &Row, count: usize, folder: &Path) -> Result<Self> {
        let plan = plan::build(spec::parse(Path::new(row.name), row.spec).map_err(fault)?);
        let data = data::load(&plan.spec, None)?;
        let partition = data::split(&data.studies, &plan.spec.split)?;
        let side = plan.spec.models.iter().find_map(|(_, model)| match model {
            spec::Model::Vision { image, .. } => Some(*image),
            _ => None,
        });
        let cache = folder.join("cache");
        let kept = cache.clone();
        let mut inputs = Inputs::prepare(&data, side.as_slice(), &Cache::at(&cache))?;
        let mut network = match row.weights {
            Weights::Trained => trained(&plan, &inputs, &partition, cache, row.model)?,
            Weights::Formula => by_formula(row.model, side, &inputs, &partition)?,
        };
        let (mut cases, mut lexicon) = (partition.test.clone(), Lexicon::embedded());
        if row.pick == Pick::SixtyWords {
            lexicon = bare(&mut inputs, &lexicon);
            cases.sort_by_key(|&case| words(&inputs.texts[case]).len().abs_diff(60));
        }
        if row.weights == Weights::Formula {
            centre(&network, &inputs, &cases[..cases.len().min(count.max(CENTRED))])?;
        }
        if row.pick != Pick::Surest {
            cases.truncate(count);
        }
        if row.pick != Pick::First {
            let margins = margins(&network, &inputs, &cases)?;
            for (&case, margin) in cases.iter().zip(&margins) {
                inputs.labels[case] = (*margin > 0.0).into();
            }
            if row.pick == Pick::Surest {
                let mut order: Vec<usize> = (0..cases.len()).collect();
                order.sort_by(|&a, &b| margins[b].abs().total_cmp(&margins[a].abs()));
                cases = order.into_iter().take(count).map(|place| cases[place]).collect();
            }
        }
        let weights = folder.join(row.name).join("weights.safetensors");
        std::fs::create_dir_all(folder.join(row.name)).map_err(fault)?;
        let vocabulary = network.tokenizer.as_ref().map(|tokenizer| &tokenizer.vocabulary);
        weights_form::write(&weights, &network.params, vocabulary)?;
        if !row.plain {
            network.params.fold()?;
        }
        let bound = |all: &[&'static str]| -> Result<Vec<_>> {
            all.iter().map(|&words| Ok((words, attack(&plan, row.model, words)?))).collect()
        };
        let (attacks, checked) = (bound(row.attacks)?, bound(row.checked)?);
        let (exported, cache) = (None, kept);
        Ok(Self {
            plan,
            data,
            partition,
            inputs,
            network,
            exported,
            cache,
            cases,
            attacks,
            checked,
            lexicon,
            weights,
        })
    }

    /// Attacks the network as `PyTorch` has exported it into a file, from now on.
    pub fn attack_exported(&mut self, file: &Path) -> Result<()> {
        let side = self.network.side.ok_or_else(|| fault("only networks of images are exported"))?;
        let (Some(folder), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str()))
        else {
            return Err(fault(format!("{} is no file", file.display())));
        };
        let sha256 = format!("{:x}", Sha256::digest(std::fs::read(file).map_err(fault)?));
        let text = format!(
            "claim: How fast an exported model is attacked
data:  {{phantom: {{studies: 60, seed: 7, views: frontal}}}}
split: {{test: 50%, seed: 7}}
models:
  vision: {{pt2: {{file: {name}, sha256: {sha256}, reads: image, image: {side}, channels: 1, mean: [0], deviation: [1], outputs: logits}}}}
require: [vision accuracy ≥ 0%]
",
        );
        let plan = plan::build(spec::parse(Path::new("exported"), &text).map_err(fault)?);
        let mut models =
            load(&plan, &self.inputs, &self.partition, (self.cache.clone(), vec![folder.to_path_buf()]))?;
        self.exported = models.pop();
        Ok(())
    }

    fn reader(&self) -> &dyn Reader {
        self.exported.as_ref().map_or(&self.network, LoadedModel::reader)
    }

    fn scene(&self) -> Scene<'_> {
        let studies = &self.data.studies;
        Scene {
            reader: self.reader(),
            finding: None,
            readers: vec![self.reader()],
            inputs: &self.inputs,
            ids: studies.iter().map(|study| study.id.as_str()).collect(),
            patients: studies.iter().map(|study| study.patient.as_str()).collect(),
            train: &self.partition.train,
            test: &self.partition.test,
            seed: self.plan.spec.seed,
            lexicon: &self.lexicon,
            kept: vec![],
            mean: OnceCell::new(),
            typical: OnceCell::new(),
        }
    }

    /// The attacks that are timed.
    pub fn run(&self) -> Result<Value> {
        self.attack(&self.attacks)
    }

    /// The attacks that are not.
    pub fn check(&self) -> Result<Value> {
        self.attack(&self.checked)
    }

    /// Every attack on the cases once, as one chunk: seconds in all and an attack, and what happened to each case. The
    /// clean answers are asked for when the chunk is made.
    fn attack(&self, attacks: &[(&str, Attack)]) -> Result<Value> {
        let scene = self.scene();
        let start = Instant::now();
        let mut chunk = Chunk::new(&scene, &self.cases)?;
        let mut all = serde_json::Map::new();
        let mut last = start;
        for (words, attack) in attacks {
            let outcomes = chunk.attack(attack)?.outcomes;
            let now = Instant::now();
            all.insert((*words).to_string(), told(&outcomes, (now - last).as_secs_f64()));
            last = now;
        }
        Ok(json!({"seconds": (last - start).as_secs_f64(), "attacks": all}))
    }

    /// Writes the cases: images and labels, and the reports as every attack that draws its edits leaves them.
    pub fn export(&self, folder: &Path) -> Result<()> {
        let labels: Vec<u8> =
            self.cases.iter().map(|&case| u8::from(self.inputs.labels[case].is_abnormal())).collect();
        let mut tensors = vec![("labels", Dtype::U8, vec![labels.len()], labels)];
        if let Some(side) = self.network.side {
            let images = self.inputs.images(side, &self.cases)?;
            let shape = images.size().iter().map(|&n| n as usize).collect();
            let bytes = tensor::values(&images)?.iter().flat_map(|value| value.to_le_bytes()).collect();
            tensors.push(("images", Dtype::F32, shape, bytes));
        }
        let views: Vec<(&str, TensorView<'_>)> = tensors
            .iter()
            .map(|(name, kind, shape, bytes)| Ok((*name, TensorView::new(*kind, shape.clone(), bytes)?)))
            .collect::<std::result::Result<_, safetensors::SafeTensorError>>()
            .map_err(fault)?;
        serialize_to_file(views, None, &folder.join("cases.safetensors")).map_err(fault)?;
        let mut all = json!({"texts": self.texts()?, "weights": self.weights, "threads": tensor::threads()});
        if let Some(of) = &self.network.tokenizer {
            all["vocabulary"] = json!(of.vocabulary.entries);
            all["synonyms"] = json!(self.synonyms());
        }
        let text = serde_json::to_vec(&all).map_err(fault)?;
        std::fs::write(folder.join("cases.json"), text).map_err(fault)
    }

    /// The reports, clean and after each attack that draws its edits without a look at the model.
    fn texts(&self) -> Result<BTreeMap<&'static str, Vec<String>>> {
        let mut all = BTreeMap::new();
        if !self.network.reads_text() {
            return Ok(all);
        }
        let clean: Vec<String> = self.cases.iter().map(|&case| self.inputs.texts[case].clone()).collect();
        let (scene, mut chunk) = (self.scene(), None);
        for (words, attack) in &self.attacks {
            let draws = |attack: &Attack| {
                attack.text.iter().all(|text| matches!(text.method, TextMethod::Sampled(_)))
            };
            if attack.text.is_empty() || !draws(attack) {
                continue;
            }
            let chunk = match &mut chunk {
                Some(chunk) => chunk,
                slot => slot.insert(Chunk::new(&scene, &self.cases)?),
            };
            let after = |(case, clean): (usize, &String)| {
                let shown = chunk.show(attack, case)?;
                Ok(shown.text.map_or_else(|| clean.clone(), |text| text.after))
            };
            all.insert(*words, clean.iter().enumerate().map(after).collect::<Result<_>>()?);
        }
        all.insert("clean", clean);
        Ok(all)
    }

    /// The words of the reports that have synonyms.
    fn synonyms(&self) -> BTreeMap<String, &[String]> {
        let spoken = |&case: &usize| words(&self.inputs.texts[case]);
        let cores = self.cases.iter().flat_map(spoken).map(|word| word.core.to_lowercase());
        let known = cores.map(|core| (self.lexicon.of(&core), core)).filter(|(others, _)| !others.is_empty());
        known.map(|(others, core)| (core, others)).collect()
    }
}

/// Leaves nothing but words in the reports, and nothing but single words in the lexicon: libraries differ in what
/// becomes of a removed word's comma, and in where the words behind a longer synonym are.
fn bare(inputs: &mut Inputs, lexicon: &Lexicon) -> Lexicon {
    let mut sets = BTreeMap::new();
    for (text, document) in inputs.texts.iter_mut().zip(&mut inputs.documents) {
        let cores: Vec<&str> =
            words(text).iter().map(|word| word.core).filter(|core| is_plain(core)).collect();
        for core in cores.iter().map(|core| core.to_lowercase()) {
            let others = lexicon.of(&core).iter().filter(|other| is_plain(other));
            let others = others.map(|other| vec![core.clone(), other.clone()]).collect::<Vec<_>>();
            sets.insert(core, others);
        }
        *document = Document::of(&cores.join(" "));
        *text = document.text();
    }
    Lexicon::from_sets(sets.into_values().flatten())
}

fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(char::is_alphabetic)
}

fn told(outcomes: &[Outcome], seconds: f64) -> Value {
    let margins: Vec<_> = outcomes.iter().map(|outcome| outcome.margin).collect();
    let queries: Vec<_> = outcomes.iter().map(|outcome| outcome.queries).collect();
    let edits: Vec<_> = outcomes.iter().map(|outcome| outcome.edits).collect();
    json!({"seconds": seconds, "margins": margins, "queries": queries, "edits": edits})
}

/// The attack of a row of the table on a model.
fn attack(plan: &Plan, model: &str, words: &str) -> Result<Attack> {
    let model = plan.spec.models.iter().position(|(name, _)| name == model);
    let row = plan.rows.iter().find(|row| row.words == words);
    let cell = row.zip(model).and_then(|(row, model)| row.cells[model].first());
    cell.map(|&cell| plan.cells[cell].attack.clone()).ok_or_else(|| fault(format!("no row {words}")))
}

/// The model as the spec trains it, from the cache if it was trained before.
fn trained(
    plan: &Plan,
    inputs: &Inputs,
    partition: &Partition,
    cache: PathBuf,
    name: &str,
) -> Result<Network> {
    let found =
        load(plan, inputs, partition, (cache, vec![]))?.into_iter().find_map(|subject| match subject {
            LoadedModel::Network(network) if network.name == name => Some(*network),
            _ => None,
        });
    found.ok_or_else(|| fault(format!("the spec has no network {name}")))
}

/// The models of a plan, from the cache or trained; `roots` are the folders of their files.
fn load(
    plan: &Plan,
    inputs: &Inputs,
    partition: &Partition,
    (cache, roots): (PathBuf, Vec<PathBuf>),
) -> Result<Vec<LoadedModel>> {
    let device = DeviceChoice::Cpu;
    let options = Options { cache, roots, threads: None, device, plain: false, fresh: false };
    let cache = &Cache::at(&options.cache);
    ModelLoader { plan, options: &options, cache, inputs, partition, observer: &Silent }.models()
}

/// The fusion of Mozhegova et al., or its language model alone, at full size.
fn by_formula(name: &str, side: Option<u32>, inputs: &Inputs, partition: &Partition) -> Result<Network> {
    let texts: Vec<&str> = partition.train.iter().map(|&case| inputs.texts[case].as_str()).collect();
    let mut entries = learn_vocabulary(&texts, BertConfig::BASE.vocabulary as usize);
    entries.extend(
        (entries.len()..BertConfig::BASE.vocabulary as usize).map(|place| format!("[unused{place}]")),
    );
    let bert = Bert::of(BertConfig::BASE);
    let architecture = match side {
        Some(_) => {
            let trunk = Residual::SENET154.into();
            let vision = Vision { trunk, views: inputs.views(), answers: Answers::TWO };
            Architecture::Early(vision, bert)
        }
        None => Architecture::Language(bert),
    };
    let mut params = Params::make(&architecture.declare(), |declared| Ok(weight_formula::fill(declared)))?;
    params.freeze();
    let tokenizer = TokenizerOf::new(Vocabulary::uncased(entries), BertConfig::BASE.max_tokens as usize)?;
    let (tokenizer, source, masked) = (Some(tokenizer), None, None);
    Ok(Network { name: name.to_string(), architecture, params, tokenizer, side, source, masked })
}

/// The logit of the abnormal class less the other's, of clean cases.
fn margins(network: &Network, inputs: &Inputs, cases: &[usize]) -> Result<Vec<f32>> {
    let _guard = tensor::no_grad_guard();
    let mut all = Vec::with_capacity(cases.len());
    for cases in cases.chunks(16) {
        let images =
            network.side.map(|side| network.read_images(&inputs.images(side, cases)?)).transpose()?;
        let texts: Vec<String> = cases.iter().map(|&case| inputs.texts[case].clone()).collect();
        let texts = network.reads_text().then(|| network.read_texts(&texts)).transpose()?;
        let logits = tensor::values(&network.decide(images.as_ref(), texts.as_ref())?)?;
        all.extend(logits.chunks_exact(2).map(|pair| pair[1] - pair[0]));
    }
    Ok(all)
}

/// Scales and shifts the last layer: the median margin of the cases becomes about 0 and their spread [`SPREAD`].
fn centre(network: &Network, inputs: &Inputs, cases: &[usize]) -> Result<()> {
    let mut margins = margins(network, inputs, cases)?;
    margins.sort_by(f32::total_cmp);
    let count = margins.len() as f32;
    let mean = margins.iter().sum::<f32>() / count;
    let spread = (margins.iter().map(|margin| (margin - mean).powi(2)).sum::<f32>() / count).sqrt();
    let scale = SPREAD / spread.max(f32::MIN_POSITIVE);
    let middle = margins.len() / 2;
    let shift = f32::midpoint(margins[middle.saturating_sub(1)], margins[middle]);
    let head =
        ["fusion", "classifier"].into_iter().find(|head| network.params.get(&format!("{head}.bias")).is_ok());
    let head = head.ok_or_else(|| fault("the model has no head"))?;
    let mut values = network.params.values()?;
    values.retain(|(name, ..)| name.starts_with(head));
    for (name, _, values) in &mut values {
        if name.ends_with("bias") {
            values[1] -= shift;
        }
        for value in values {
            *value *= scale;
        }
    }
    network.params.restore(&values)
}
