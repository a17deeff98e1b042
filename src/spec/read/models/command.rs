//! Reads `command`: a model of the user's own that runs as a process and answers JSON lines.

use std::path::PathBuf;

use serde_json::json;

use super::script::{
    INPUTS, Inputs, LEAST_SIDE, MOST_SIDE, check_trust, expectation, expectation_schema, unread,
};
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{block, expected_block, needed, optional, own, table, usual, whole, word};
use crate::spec::{Access, CommandLine, Expectation, Model, ModuleFormat, Outputs, ScriptModel, Source};

/// The kinds of output.
static OUTPUTS: [(&str, Outputs); 3] =
    [("logits", Outputs::Logits), ("logit", Outputs::Logit), ("probability", Outputs::Probability)];

table! {
    /// The architecture `command`.
    Command {
        run: Vec<String> = needed(
            "The program and its arguments; no shell reads them.",
            own(words, |about| parts::described(parts::list(&parts::text("A word.", &[]), 1), about)),
            "[python3, serve.py]",
        ),
        trusted: () = expected_block(
            "Says that you trust the command.",
            |about, _| json!({"description": about, "const": true}),
        ),
        reads: Inputs = needed("Its inputs.", word("input", &INPUTS), "both"),
        image: () = block("Side of its images in pixels.", |about, _| {
            parts::integer(about, LEAST_SIDE, Some(MOST_SIDE), None)
        }),
        outputs: Outputs = needed(
            "What it answers: `logits` (normal, abnormal), one `logit` of abnormal, or its `probability`.",
            word("kind of output", &OUTPUTS),
            "logit",
        ),
        access: Access = usual(
            "What attacks may use of its answers: the `score`, or the `decision` alone.",
            word("kind of access", &[("score", Access::Score), ("decision", Access::Decision)]),
            Access::Score,
        ),
        batch: u32 = usual("Cases a request at most.", whole(1, 1024), 8),
        timeout: u32 = usual("Seconds that an answer may take.", whole(1, 3600), 60),
        expect: Option<Expectation> = optional(
            "What it must answer before anything is attacked, so that a wrong size is caught.",
            own(expectation, expectation_schema),
        ),
    }
}

/// Reads a command. Nothing of it can be pinned but its answers.
pub(super) fn read(node: &Node<'_>) -> Option<Model> {
    let table = Command::read(node)?;
    check_trust(node, table.trusted.node.as_ref());
    let reads = table.reads.value?;
    let image = if reads.image {
        let image = table.image.node.as_ref().or_else(|| node.missing("image", "224"));
        image.and_then(|node| node.whole(LEAST_SIDE, MOST_SIDE))
    } else {
        unread(&[&table.image.node], "image").then_some(0)
    };
    let run = table.run.value?;
    Some(Model::Script(ScriptModel {
        format: ModuleFormat::Command,
        source: Source { path: run.first().map(PathBuf::from).unwrap_or_default(), sha256: None },
        reads_image: reads.image,
        reads_text: reads.text,
        image: image?,
        mean: vec![0.0],
        deviation: vec![1.0],
        tokenizer: None,
        max_tokens: u32::MAX,
        lowercase: None,
        outputs: table.outputs.value?,
        expect: table.expect.value?,
        command: Some(CommandLine {
            run,
            access: table.access.value?,
            batch: table.batch.value?,
            timeout: table.timeout.value?,
        }),
    }))
}

/// The words of a command line.
fn words(node: &Node<'_>) -> Option<Vec<String>> {
    let words: Option<Vec<String>> = node.items()?.iter().map(Node::words).collect();
    let words = words?;
    if words.is_empty() {
        node.fault("there is no program", "write `run: [python3, serve.py]`".to_string());
        return None;
    }
    Some(words)
}
