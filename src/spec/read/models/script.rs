//! A `pt2`, `onnx` or `torchscript` model: what it reads, how pixels are normalised, what it returns, and that code is
//! trusted.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::expectation::{ABOUT_EXPECT, EXPECT};
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{
    Sha256, Truth, block, expected_block, needed, optional, own, path, table, usual, whole, word,
};
use crate::spec::{Behind, Expectation, Model, ModuleFile, ModuleFormat, Outputs, ScriptModel, Source};

table! {
    /// The architecture `torchscript`, whose file holds code.
    Script {
        trusted: () = expected_block(
            "Says that you trust the code in the file.",
            |about, _| json!({"description": about, "const": true}),
        ),
        ..module: Module,
    }
}

table! {
    /// The architectures `pt2` and `onnx`. A graph holds no code, so nobody has to trust it.
    Module {
        file: PathBuf = needed("The file of the model.", path("model.pt2"), "model.pt2"),
        sha256: String =
            needed("The 64 hexadecimal digits that sha256sum prints.", Sha256, Sha256::EXAMPLE),
        reads: Inputs = needed("Its inputs.", word("input", &INPUTS), "both"),
        image: () = block("Side of its images in pixels.", |about, _| {
            parts::integer(about, LEAST_SIDE, Some(MOST_SIDE), None)
        }),
        channels: usize =
            usual("Channels of its images; a gray image fills all.", whole(1, MOST_CHANNELS as u64), 1),
        mean: () = block(
            "Subtracted from the pixels, which are in [0, 1]; one a channel.",
            |about, _| channels_of(about, LEAST_MEAN, &[0.485, 0.456, 0.406]),
        ),
        deviation: () = block(
            "What they are divided by then; one a channel.",
            |about, _| channels_of(about, LEAST_DEVIATION, &[0.229, 0.224, 0.225]),
        ),
        tokenizer: Option<PathBuf> = optional("The folder with its vocabulary.", path("clinical")),
        max_tokens: u32 = usual("Tokens of a text at most.", whole(8, 4096), 512),
        lowercase: Option<bool> =
            optional("Whether texts are put into lower case, whatever the folder says.", Truth),
        outputs: Outputs = needed(
            "What it returns: `logits` (normal, abnormal), one `logit` of abnormal, or the log-odds of these findings, a column each; a column with another name is not read.",
            own(outputs, schema_of_outputs),
            "logits",
        ),
        expect: Option<Expectation> = optional(ABOUT_EXPECT, EXPECT),
    }
}

/// The kinds of output.
const OUTPUTS: [(&str, Outputs); 2] = [("logits", Outputs::Logits), ("logit", Outputs::Logit)];

/// `logits`, `logit`, or a list with the name of each column.
fn outputs(node: &Node<'_>) -> Option<Outputs> {
    outputs_among(node, &OUTPUTS)
}

/// One of the kinds, or a list with the name of each column.
pub(super) fn outputs_among(node: &Node<'_>, kinds: &[(&str, Outputs)]) -> Option<Outputs> {
    if node.kind() == "a list" {
        // a column without a name is one that was not trained
        return Some(Outputs::Findings(node.items()?.iter().map(Node::word).collect()));
    }
    node.one_of("kind of output", kinds)
}

fn schema_of_outputs(about: &str) -> Json {
    schema_of_outputs_among(about, &OUTPUTS)
}

pub(super) fn schema_of_outputs_among(about: &str, kinds: &[(&str, Outputs)]) -> Json {
    let words: Vec<&str> = kinds.iter().map(|(word, _)| *word).collect();
    let names = parts::list(&json!({"type": "string"}), 1);
    json!({"description": about, "anyOf": [{"enum": words}, names], "examples": ["logits", ["effusion", "nodule"]]})
}

/// What a module reads.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::spec) struct Inputs {
    pub(super) image: bool,
    pub(super) text: bool,
}

pub(super) const INPUTS: [(&str, Inputs); 3] = [
    ("image", Inputs { image: true, text: false }),
    ("text", Inputs { image: false, text: true }),
    ("both", Inputs { image: true, text: true }),
];
pub(super) const LEAST_SIDE: u64 = 8;
pub(super) const MOST_SIDE: u64 = 1024;
const MOST_CHANNELS: usize = 3;
const LEAST_MEAN: f64 = -1000.0;
/// A deviation of 0 would divide by nothing.
const LEAST_DEVIATION: f64 = 1e-6;
const MOST_OF_CHANNEL: f64 = 1000.0;

/// The schema of a number for each channel.
fn channels_of(about: &str, least: f64, example: &[f64]) -> Json {
    let mut schema = parts::described(parts::list(&parts::number(least, MOST_OF_CHANNEL), 1), about);
    schema["maxItems"] = MOST_CHANNELS.into();
    schema["examples"] = json!([example]);
    schema
}

/// A `TorchScript` module.
pub(super) fn read(node: &Node<'_>) -> Option<Model> {
    let Script { trusted, module } = Script::read(node)?;
    check_trust(node, trusted.node.as_ref());
    finish(node, module, ModuleFormat::TorchScript)
}

/// A graph of torch.export or of ONNX.
pub(super) fn read_graph(node: &Node<'_>, format: ModuleFormat) -> Option<Model> {
    finish(node, Module::read(node)?, format)
}

fn finish(node: &Node<'_>, table: Module<'_>, format: ModuleFormat) -> Option<Model> {
    let reads = table.reads.value?;
    let picture = if reads.image {
        picture(node, &table).map(|(side, mean, deviation)| (Some(side), mean, deviation))
    } else {
        let given = [&table.image.node, &table.channels.node, &table.mean.node, &table.deviation.node];
        unread(&given, "image").then(|| (None, vec![], vec![]))
    };
    let tokenizer = if reads.text {
        if !table.tokenizer.is_given() {
            node.missing::<()>("tokenizer", "FOLDER");
        }
        table.tokenizer.value
    } else {
        let given = [&table.tokenizer.node, &table.max_tokens.node, &table.lowercase.node];
        unread(&given, "report").then_some(None)
    };
    let (image, mean, deviation) = picture?;
    let file = ModuleFile {
        format,
        source: Source { path: table.file.value?, sha256: Some(table.sha256.value?) },
        mean,
        deviation,
        tokenizer: tokenizer?,
        max_tokens: table.max_tokens.value?,
        lowercase: table.lowercase.value?,
    };
    Some(Model::Script(ScriptModel {
        behind: Behind::File(file),
        image,
        reads_text: reads.text,
        outputs: table.outputs.value?,
        expect: table.expect.value?,
    }))
}

pub(super) fn check_trust(node: &Node<'_>, trusted: Option<&Node<'_>>) {
    let help =
        "write `trusted: true` if you trust who made the file: it holds code, which runs here".to_string();
    match trusted {
        Some(trusted) if trusted.truth() == Some(false) => {
            trusted.fault("a module that is not trusted is not run".to_string(), help);
        }
        Some(_) => {}
        None => node.fault_of_key("nothing says that this module is trusted".to_string(), Some(help)),
    }
}

type Picture = (u32, Vec<f32>, Vec<f32>);

/// Side, mean and deviation; the last two have one number a channel.
fn picture(node: &Node<'_>, table: &Module<'_>) -> Option<Picture> {
    let image = table.image.node.as_ref().or_else(|| node.missing("image", "224"));
    let image = image.and_then(|node| node.whole(LEAST_SIDE, MOST_SIDE));
    let channels = table.channels.value;
    let help =
        "[0.485, 0.456, 0.406], or [0] with `deviation: [1]` where the module normalises pixels itself";
    let mean = table.mean.node.as_ref().or_else(|| node.missing("mean", help));
    let mean = mean.and_then(|node| numbers(node, channels, LEAST_MEAN));
    let deviation = table.deviation.node.as_ref();
    let deviation = deviation.or_else(|| node.missing("deviation", "[0.229, 0.224, 0.225]"));
    let deviation = deviation.and_then(|node| numbers(node, channels, LEAST_DEVIATION));
    Some((image?, mean?, deviation?))
}

fn numbers(node: &Node<'_>, channels: Option<usize>, least: f64) -> Option<Vec<f32>> {
    let items = node.items()?;
    let channels = channels?;
    if items.len() != channels {
        let has = items.len();
        let help = format!("write one number for each of the {channels} channels (`channels` says how many)");
        node.fault(format!("there are {has} numbers for {channels} channels"), help);
        return None;
    }
    items.iter().map(|item| item.real(least, MOST_OF_CHANNEL).map(|value| value as f32)).collect()
}

/// Complains about keys of an input that the module does not read; whether there was none.
pub(super) fn unread(given: &[&Option<Node<'_>>], input: &str) -> bool {
    let given: Vec<&Node<'_>> = given.iter().filter_map(|node| node.as_ref()).collect();
    for node in &given {
        let help = "leave it out, or say `reads: both`".to_string();
        node.fault_of_key(format!("this module does not read the {input}"), Some(help));
    }
    given.is_empty()
}
