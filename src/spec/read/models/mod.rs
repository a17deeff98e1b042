//! The `models` block: each model's architecture, and its weights or training.

mod asked;
mod bert;
mod expectation;
mod fusion;
mod hardening;
mod script;
mod vision;
pub(in crate::spec) mod weights;

use serde_json::{Value as Json, json};

use super::naming::check_name;
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{About, Choice};
use crate::spec::{Fusion, Model, ModelInputs, ModuleFormat, Named, VisionNetwork};
use bert::Bert;
use fusion::{Attending, Joined};
use vision::{DenseVision, SmallVision, Transformer, Vision};

/// What an architecture may refer to.
#[derive(Clone, Copy)]
struct Known<'a> {
    /// The models above it, if they have no fault.
    earlier: &'a [Named<Model>],
    /// The names of all models.
    all: &'a [String],
}

/// Reads the block of an architecture.
type ReadModel = Box<dyn Fn(&Node<'_>, Known<'_>) -> Option<Model>>;

fn boxed(read: impl Fn(&Node<'_>, Known<'_>) -> Option<Model> + 'static) -> ReadModel {
    Box::new(read)
}

/// The architectures: a new one is a row, its table and its reader.
fn architectures() -> Vec<Choice<ReadModel>> {
    let joined = |kind: Fusion, about: &'static str| Choice {
        name: kind.name(),
        about: about.into(),
        schema: |names| either(Joined::schema(names)),
        read: boxed(move |node, known| fusion::read(node, kind, known)),
    };
    let bert = Choice {
        name: "bert",
        about:
            "A BERT: small and new (`config: tiny`), or a folder in Hugging Face's layout (`start: FOLDER`)."
                .into(),
        schema: |names| either(Bert::schema(names)),
        read: boxed(|node, _| bert::read(node)),
    };
    let attending = Choice {
        name: "cross_attention",
        about: "A fusion: words look at the image's regions, and regions at the words.".into(),
        schema: |names| either(Attending::schema(names)),
        read: boxed(fusion::read_attending),
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
    let networks = VisionNetwork::ALL.iter().copied().map(network);
    let files = ModuleFormat::ALL.iter().copied().map(module);
    networks.chain(others).chain(files).chain(asked()).collect()
}

/// A vision network. The published residual ones have no width.
fn network(network: VisionNetwork) -> Choice<ReadModel> {
    let name = network.name();
    match network {
        VisionNetwork::SeResnet18 => Choice {
            name,
            about: "A small SE-ResNet for gray images, the quick default.".into(),
            schema: |names| either(SmallVision::schema(names)),
            read: boxed(move |node, _| vision::read_small(node, network)),
        },
        VisionNetwork::Resnet18
        | VisionNetwork::Resnet50
        | VisionNetwork::SeResnet50
        | VisionNetwork::SeResnet101
        | VisionNetwork::SeResnet152
        | VisionNetwork::SeResnext50
        | VisionNetwork::SeResnext101
        | VisionNetwork::Senet154 => Choice {
            name,
            about: format!("The published network {name}, with timm's parameter names.").into(),
            schema: |names| either(Vision::schema(names)),
            read: boxed(move |node, _| vision::read(node, network)),
        },
        VisionNetwork::Densenet121 => {
            dense(network, "DenseNet-121, with torchvision's parameter names and ImageNet's normalisation.")
        }
        VisionNetwork::XrvDensenet121 => dense(
            network,
            "The DenseNet-121 of torchxrayvision, which reads one gray channel; medcert scales pixels to \
             [−1024, 1024], as its weights expect.",
        ),
        VisionNetwork::VitTiny | VisionNetwork::VitSmall | VisionNetwork::VitBase => {
            transformer(network, "pixels scaled to [−1, 1], as its weights expect")
        }
        VisionNetwork::DeitTiny | VisionNetwork::DeitSmall | VisionNetwork::DeitBase => {
            transformer(network, "ImageNet's normalisation, as its weights expect")
        }
    }
}

fn transformer(network: VisionNetwork, scale: &str) -> Choice<ReadModel> {
    let name = network.name();
    Choice {
        name,
        about: format!(
            "The vision transformer `{name}_patch16_224`, with timm's parameter names and {scale}."
        )
        .into(),
        schema: |names| either(Transformer::schema(names)),
        read: boxed(move |node, _| vision::read_transformer(node, network)),
    }
}

fn dense(network: VisionNetwork, about: &'static str) -> Choice<ReadModel> {
    Choice {
        name: network.name(),
        about: about.into(),
        schema: |names| either(DenseVision::schema(names)),
        read: boxed(move |node, _| vision::read_dense(node, network)),
    }
}

/// A model of the user's own in a file.
fn module(format: ModuleFormat) -> Choice<ReadModel> {
    match format {
        ModuleFormat::Pt2 => Choice {
            name: format.name(),
            about: "A model of your own, exported with torch.export. The file holds data alone; nothing of it is \
                    trusted."
                .into(),
            schema: script::Module::schema,
            read: boxed(move |node, _| script::read_graph(node, format)),
        },
        ModuleFormat::Onnx => Choice {
            name: format.name(),
            about: "A model of your own in ONNX, which most frameworks write. The file holds data alone; nothing of it \
                    is trusted."
                .into(),
            schema: script::Module::schema,
            read: boxed(move |node, _| script::read_graph(node, format)),
        },
        ModuleFormat::TorchScript => Choice {
            name: format.name(),
            about: "A model of your own as TorchScript, which PyTorch has deprecated: prefer `pt2`. The file holds \
                    code, which runs here: it must be trusted and pinned."
                .into(),
            schema: script::Script::schema,
            read: boxed(|node, _| script::read(node)),
        },
    }
}

/// Models that are asked, not loaded.
fn asked() -> [Choice<ReadModel>; 2] {
    [
        Choice {
            name: "command",
            about: "A model behind a command that reads and writes JSON lines. It is code, which runs here: it must be \
                    trusted."
                .into(),
            schema: asked::Command::schema,
            read: boxed(|node, _| asked::read_command(node)),
        },
        Choice {
            name: "endpoint",
            about: "A model behind a server that speaks the Open Inference Protocol, version 2, over HTTP (Triton, KServe, \
                    MLServer). The server receives the images and reports."
                .into(),
            schema: asked::Endpoint::schema,
            read: boxed(|node, _| asked::read_endpoint(node)),
        },
    ]
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

/// Attention heads share a width evenly.
fn check_heads(node: &Node<'_>, width: u32, heads: u32) {
    if !width.is_multiple_of(heads) {
        let help = format!("choose `heads` so that it divides {width}");
        node.fault(format!("{heads} heads do not divide a width of {width}"), help);
    }
}
