//! A BERT over the reports.

use serde_json::json;

use super::check_heads;
use super::weights::{ABOUT_START, SOURCE, WeightsOrTraining, check_start, read_weights};
use crate::spec::node::Node;
use crate::spec::table::{Truth, block, optional, table, usual, whole};
use crate::spec::{BertConfig, Model, Optimizer, Source, Weights};

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

/// A BERT, whose size is in the spec or in its folder.
pub(super) fn read(node: &Node<'_>) -> Option<Model> {
    let Bert { config, start, max_tokens, lowercase, weights } = Bert::read(node)?;
    check_start(start.node.as_ref(), &weights);
    let weights = read_weights(node, &weights, Optimizer::AdamW);
    let is_folder = matches!(&weights, Some(Weights::File { source, .. }) if !source.is_file());
    let says_size = is_folder || start.is_given();
    let config = match (config.node, says_size) {
        (Some(config), true) => {
            let help = "leave `config` out; `max_tokens` shortens the texts".to_string();
            config.fault_of_key("the folder's config.json says the size of this BERT".into(), Some(help));
            None
        }
        (None, true) => Some(None),
        (Some(config), false) => size(&config).map(Some),
        (None, false) if matches!(&weights, Some(Weights::File { .. })) => {
            let help = "name the folder that holds it, in Hugging Face's layout, or add `config` for a file that medcert has written";
            node.fault_of_key("nothing says the size of this BERT".into(), Some(help.into()));
            None
        }
        (None, false) => node.missing("config", "tiny"),
    };
    if let (Some(Some(config)), Some(Some(most)), Some(node)) = (config, max_tokens.value, &max_tokens.node)
        && most > config.max_tokens
    {
        let help = format!("write {} or less, or a `config` of its own with more", config.max_tokens);
        node.fault(
            format!("this BERT has {} positions, and {most} tokens do not fit", config.max_tokens),
            help,
        );
    }
    Some(Model::Bert {
        config: config?,
        start: start.value?,
        max_tokens: max_tokens.value?,
        lowercase: lowercase.value?,
        weights: weights?,
    })
}

/// The size of a BERT.
fn size(node: &Node<'_>) -> Option<BertConfig> {
    if node.value.is_string() {
        return node.one_of("size of a BERT", &[("tiny", BertConfig::TINY)]);
    }
    let table = BertSize::read(node)?;
    let config = BertConfig {
        hidden: table.hidden.value?,
        layers: table.layers.value?,
        heads: table.heads.value?,
        intermediate: table.intermediate.value?,
        max_tokens: table.max_tokens.value?,
        vocabulary: table.vocabulary.value?,
    };
    check_heads(node, config.hidden, config.heads);
    Some(config)
}
