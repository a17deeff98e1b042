//! The `models` block: each model's architecture, and its weights or training.

use serde_json::{Value as Json, json};

use super::super::node::Node;
use super::super::schema::parts;
use super::super::table::{
    About, Choice, Truth, block, needed, needed_block, optional, table, usual, whole, word,
};
use super::weights::{ABOUT_START, SOURCE, WeightsOrTraining, check_start, read_weights};
use super::{Model, ModelInputs, Named, check_name, suggest};
use super::{hardening, script};
use crate::spec::{BertConfig, Fusion, ModuleFormat, Optimizer, Referent, Source, VisionNetwork, Weights};

table! {
    /// A residual network.
    Vision {
        image: u32 = needed("Side of the square input in pixels.", whole(32, 512), "224"),
        start: Option<Source> = optional(ABOUT_START, SOURCE),
        ..weights: WeightsOrTraining,
    }
}

table! {
    /// The small network, which alone has a width.
    SmallVision {
        width: u32 = usual("Channels of the first stage.", whole(8, 256), USUAL_WIDTH),
        ..vision: Vision,
    }
}

table! {
    /// The architecture `bert`.
    Bert {
        config: () = block("Its size, if no folder says it.", |about, names| json!({
            "description": about, "examples": ["tiny"],
            "anyOf": [{"enum": ["tiny"]}, BertSize::schema(names)],
        })),
        start: Option<Source> = optional(ABOUT_START, SOURCE),
        max_tokens: Option<u32> =
            optional("Tokens of a text at most, [CLS] and [SEP] counted.", whole(8, 4096)),
        lowercase: Option<bool> =
            optional("Whether texts are put into lower case, whatever the folder says.", Truth),
        ..weights: WeightsOrTraining,
    }
}

table! {
    /// The size of a BERT.
    BertSize {
        hidden: u32 = usual("Width of the hidden states.", whole(8, 4096), BertConfig::TINY.hidden),
        layers: u32 = usual("Number of layers.", whole(1, 48), BertConfig::TINY.layers),
        heads: u32 = usual("Attention heads; they divide `hidden`.", whole(1, 64), BertConfig::TINY.heads),
        intermediate: u32 =
            usual("Width of the feed-forward layer.", whole(8, 16384), BertConfig::TINY.intermediate),
        max_tokens: u32 = usual("Tokens of a text at most.", whole(8, 512), BertConfig::TINY.max_tokens),
        vocabulary: u32 =
            usual("Entries of the vocabulary at most.", whole(200, 200_000), BertConfig::TINY.vocabulary),
    }
}

table! {
    /// A fusion.
    Joined {
        vision: () =
            needed_block("Name of the vision model.", |about, _| parts::text(about, &["vision"]), "vision"),
        language: () = needed_block(
            "Name of the language model.",
            |about, _| parts::text(about, &["language"]),
            "language",
        ),
        parts: bool = usual(
            "Whether its parts start from those models' weights, or anew.",
            word("beginning of the parts", &[("trained", false), ("fresh", true)]),
            false,
        ),
        ..weights: WeightsOrTraining,
    }
}

table! {
    /// A fusion by attention, which alone has a width and heads.
    Attending {
        width: u32 = usual("Width of the common space.", whole(8, 4096), 128),
        heads: u32 = usual("Attention heads; they divide `width`.", whole(1, 64), 4),
        ..joined: Joined,
    }
}

/// Of the published networks, and of the small one where no width is given.
const USUAL_WIDTH: u32 = 64;
/// What an architecture may refer to.
#[derive(Clone, Copy)]
struct Known<'a> {
    /// The models above it, if they have no fault.
    earlier: &'a [Named<Model>],
    /// The names of all models.
    all: &'a [String],
}

type ReadModel = Box<dyn Fn(&Node<'_>, Known<'_>) -> Option<Model>>;

fn boxed(read: impl Fn(&Node<'_>, Known<'_>) -> Option<Model> + 'static) -> ReadModel {
    Box::new(read)
}

/// The architectures: a new one is a row, its table and its reader.
fn architectures() -> Vec<Choice<ReadModel>> {
    let network = |network: &VisionNetwork| {
        let network = *network;
        let name = network.name();
        if network == VisionNetwork::SeResnet18 {
            return Choice {
                name,
                about: "A small SE-ResNet for gray images, the quick default.".into(),
                schema: |names| either(SmallVision::schema(names)),
                read: boxed(move |node, _| {
                    let SmallVision { width, vision: keys } = SmallVision::read(node)?;
                    vision(node, network, width.value, keys)
                }),
            };
        }
        Choice {
            name,
            about: format!("The published network {name}, with timm's parameter names.").into(),
            schema: |names| either(Vision::schema(names)),
            read: boxed(move |node, _| vision(node, network, Some(USUAL_WIDTH), Vision::read(node)?)),
        }
    };
    let joined = |kind: Fusion, about: &'static str| Choice {
        name: kind.name(),
        about: about.into(),
        schema: |names| either(Joined::schema(names)),
        read: boxed(move |node, known| fusion(node, Some(kind), Joined::read(node)?, known)),
    };
    let bert = Choice {
        name: "bert",
        about:
            "A BERT: small and new (`config: tiny`), or a folder in Hugging Face's layout (`start: FOLDER`)."
                .into(),
        schema: |names| either(Bert::schema(names)),
        read: boxed(|node, _| bert(node)),
    };
    let attending = Choice {
        name: "cross_attention",
        about: "A fusion: words look at the image's regions, and regions at the words.".into(),
        schema: |names| either(Attending::schema(names)),
        read: boxed(|node, known| attending(node, known)),
    };
    let module = |format: &ModuleFormat| {
        match format {
        ModuleFormat::Pt2 => Choice {
            name: format.name(),
            about: "A model of your own, exported with torch.export. The file holds data alone; nothing of it is \
                    trusted."
                .into(),
            schema: script::Module::schema,
            read: boxed(|node, _| script::read_graph(node)),
        },
        ModuleFormat::TorchScript => Choice {
            name: format.name(),
            about: "A model of your own as TorchScript, which PyTorch has deprecated: prefer `pt2`. The file holds \
                    code, which runs here: it must be trusted and pinned."
                .into(),
            schema: script::Script::schema,
            read: boxed(|node, _| script::read(node)),
        },
        ModuleFormat::Command => Choice {
            name: format.name(),
            about: "A model behind a command that reads and writes JSON lines. It is code, which runs here: it must be \
                    trusted."
                .into(),
            schema: script::Command::schema,
            read: boxed(|node, _| script::command(node)),
        },
    }
    };
    let others = [
        bert,
        joined(Fusion::Early, "A fusion: features concatenated, one linear layer (as in Mozhegova et al.)."),
        joined(Fusion::Late, "A fusion: log-odds concatenated, one linear layer (as in Mozhegova et al.)."),
        attending,
        joined(
            Fusion::Gated,
            "A fusion: an expert for both inputs and one for each alone, weighed by a gate.",
        ),
    ];
    VisionNetwork::ALL.iter().map(network).chain(others).chain(ModuleFormat::ALL.iter().map(module)).collect()
}

/// The schema of the block.
pub(in crate::spec) fn schema(about: &str, names: About<'_>) -> Json {
    let mut models = parts::named(&Choice::schema(&architectures(), names), about);
    models["minProperties"] = 1.into();
    models
}

/// Weights or training, not both.
fn either(mut object: Json) -> Json {
    object["oneOf"] = json!([{"required": ["weights"]}, {"required": ["train"]}]);
    object
}

/// The models, if none has a fault; and what each reads, for the sentences (both, where it has a fault).
pub(super) fn read(node: &Node<'_>) -> (Option<Vec<Named<Model>>>, Vec<ModelInputs>) {
    let entries = node.entries().unwrap_or_default();
    if entries.is_empty() {
        node.fault("there is no model", "add one, such as `language: {bert: {…}}`".to_string());
        return (None, vec![]);
    }
    let mut readers = Vec::new();
    let mut models: Vec<Named<Model>> = Vec::new();
    let mut complete = true;
    let architectures = architectures();
    let all: Vec<String> = entries.iter().map(|(name, _)| name.clone()).collect();
    for (name, node) in entries {
        check_name(&name, &node, "model", models.iter().map(|(name, _)| name));
        let known = Known { earlier: &models, all: &all };
        let model = Choice::of(&node, "architecture", &architectures).and_then(|(architecture, node)| {
            let model = (architecture.read)(&node, known)?;
            hardening::check(&node, &model);
            Some(model)
        });
        let reads = |input: fn(&Model) -> bool| model.as_ref().is_none_or(input);
        readers.push(ModelInputs {
            name: name.clone(),
            image: reads(Model::reads_image),
            text: reads(Model::reads_text),
            side: model.as_ref().and_then(|model| model.side(&models)),
            defence: None,
        });
        match model {
            Some(model) => models.push((name, model)),
            None => complete = false,
        }
    }
    (complete.then_some(models), readers)
}

fn vision(
    node: &Node<'_>,
    network: VisionNetwork,
    width: Option<u32>,
    Vision { image, start, weights }: Vision<'_>,
) -> Option<Model> {
    check_start(start.node.as_ref(), &weights);
    let weights = read_weights(node, &weights, Optimizer::Adam)?;
    Some(Model::Vision { network, image: image.value?, width: width?, start: start.value?, weights })
}

fn bert(node: &Node<'_>) -> Option<Model> {
    let Bert { config, start, max_tokens, lowercase, weights } = Bert::read(node)?;
    check_start(start.node.as_ref(), &weights);
    let weights = read_weights(node, &weights, Optimizer::AdamW);
    let is_folder = matches!(&weights, Some(Weights::File(source)) if !source.is_file());
    let says_size = is_folder || start.is_given();
    let config = match (config.node, says_size) {
        (Some(config), true) => {
            let help = "leave `config` out; `max_tokens` shortens the texts".to_string();
            config.fault_of_key("the folder's config.json says the size of this BERT".into(), Some(help));
            None
        }
        (None, true) => Some(None),
        (Some(config), false) => bert_size(&config).map(Some),
        (None, false) => node.missing("config", "tiny"),
    };
    Some(Model::Bert {
        config: config?,
        start: start.value?,
        max_tokens: max_tokens.value?,
        lowercase: lowercase.value?,
        weights: weights?,
    })
}

/// A fusion by attention, whose kind has numbers.
fn attending(node: &Node<'_>, known: Known<'_>) -> Option<Model> {
    let Attending { width, heads, joined } = Attending::read(node)?;
    let kind = width.value.zip(heads.value).map(|(width, heads)| Fusion::CrossAttention { width, heads });
    if let Some(Fusion::CrossAttention { width, heads }) = kind
        && !width.is_multiple_of(heads)
    {
        let help = format!("choose `heads` so that it divides {width}");
        node.fault(format!("{heads} heads do not divide a width of {width}"), help);
    }
    fusion(node, kind, joined, known)
}

/// A fusion; `kind` is None where it has a fault.
fn fusion(
    node: &Node<'_>,
    kind: Option<Fusion>,
    Joined { vision, language, parts, weights }: Joined<'_>,
    known: Known<'_>,
) -> Option<Model> {
    let part = |node: Option<Node<'_>>, reads_image| node.and_then(|node| part(&node, reads_image, known));
    let (vision, language) = (part(vision.node, true), part(language.node, false));
    let weights = read_weights(node, &weights, Optimizer::Adam);
    let (kind, fresh) = (kind?, parts.value?);
    let (vision, language, weights) = (vision?, language?, weights?);
    if fresh && kind == Fusion::Late {
        let help = "leave `parts` out: only the layer that joins them learns".to_string();
        node.fault("a late fusion joins models that were trained".to_string(), help);
    }
    Some(Model::Fusion { kind, vision, language, fresh, weights })
}

/// The name of a model that a fusion joins.
fn part(node: &Node<'_>, reads_image: bool, Known { earlier, all }: Known<'_>) -> Option<Referent> {
    let name = node.text()?;
    let kind = if reads_image { "a vision model" } else { "a language model" };
    let fits = |model: &Model| match model {
        Model::Vision { .. } => reads_image,
        Model::Bert { .. } => !reads_image,
        Model::Fusion { .. } | Model::Script(_) | Model::Defended(_) => false,
    };
    let place = all.iter().position(|other| other == name);
    match (earlier.iter().find(|(other, _)| other == name), place) {
        (Some((_, model)), Some(place)) if fits(model) => return Some(Referent::new(name, place)),
        (Some(_), _) => node.fault(format!("`{name}` is not {kind}"), format!("name {kind}")),
        (None, Some(_)) => {
            let help = "a fusion stands below the models that it joins, and those must be without a fault"
                .to_string();
            node.fault(format!("`{name}` is not known yet here"), help);
        }
        (None, None) => {
            let fitting: Vec<&str> =
                earlier.iter().filter(|(_, model)| fits(model)).map(|(name, _)| name.as_str()).collect();
            node.fault(format!("`{name}` is no model of this spec"), suggest(name, &fitting));
        }
    }
    None
}

fn bert_size(node: &Node<'_>) -> Option<BertConfig> {
    if node.value.is_string() {
        return node.one_of("size of a BERT", &[("tiny", BertConfig::TINY)]);
    }
    let size = BertSize::read(node)?;
    let config = BertConfig {
        hidden: size.hidden.value?,
        layers: size.layers.value?,
        heads: size.heads.value?,
        intermediate: size.intermediate.value?,
        max_tokens: size.max_tokens.value?,
        vocabulary: size.vocabulary.value?,
    };
    if !config.hidden.is_multiple_of(config.heads) {
        let (hidden, heads) = (config.hidden, config.heads);
        let help = format!("choose `heads` so that it divides {hidden}");
        node.fault(format!("{heads} heads do not divide a width of {hidden}"), help);
    }
    Some(config)
}
