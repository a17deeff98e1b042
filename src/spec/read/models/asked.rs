//! Reads `command` and `endpoint`: models of the user's own that are asked, not loaded. A command is a process that
//! answers JSON lines; an endpoint is a server that answers HTTP requests.

use serde_json::{Value as Json, json};

use super::expectation::{ABOUT_EXPECT, EXPECT};
use super::script::{
    INPUTS, Inputs, LEAST_SIDE, MOST_SIDE, check_trust, outputs_among, schema_of_outputs_among, unread,
};
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{
    block, expected_block, needed, optional, own, real, table, text, usual, whole, word,
};
use crate::spec::{
    Access, Asking, Behind, CommandLine, Endpoint as Server, Expectation, Model, Outputs, ScriptModel, Url,
};

/// The start of the name of an environment variable that holds a token: a spec from elsewhere cannot send others.
const TOKEN: &str = "MEDCERT_TOKEN";

/// The kinds of output.
const OUTPUTS: [(&str, Outputs); 3] =
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
        ..asked: AskedModel,
    }
}

table! {
    /// The architecture `endpoint`.
    Endpoint {
        url: Url = needed(
            "The address of the server. A server on another machine is asked only if the command line allows its name (`--allow-host`).",
            own(url, |about| parts::text(about, &["http://127.0.0.1:8000"])),
            "http://127.0.0.1:8000",
        ),
        model: String = needed("Name of the model on the server.", own(plain_name, name_schema), "cxr"),
        version: Option<String> = optional(
            "Version of the model on the server; without it, the server chooses.",
            own(plain_name, name_schema),
        ),
        inputs: Option<Vec<String>> = optional(
            "Names of the model's inputs, first of the views, then of the report. Usually `image` (or `frontal` and `lateral`) and `report`.",
            own(words, |about| parts::described(parts::list(&parts::text("A name.", &[]), 1), about)),
        ),
        output: Option<String> = optional(
            "Name of the output that is read; needed if the model has several.",
            text(&["logit"]),
        ),
        token: Option<String> = optional(
            "Environment variable that holds a bearer token; its name starts with MEDCERT_TOKEN.",
            own(variable, |about| parts::text(about, &["MEDCERT_TOKEN_VENDOR"])),
        ),
        queries: Option<u64> = optional(
            "Limit on the cases that a run asks about; a run that reaches it ends with exit code 5.",
            whole(1, u64::MAX),
        ),
        price: Option<f64> = optional(
            "Price of asking about a case, in any currency; `medcert plan` prints what a run costs.",
            real(0.0, 1e6, &[0.01]),
        ),
        ..asked: AskedModel,
    }
}

table! {
    /// What is the same for a command and an endpoint.
    AskedModel {
        reads: Inputs = needed("Its inputs.", word("input", &INPUTS), "both"),
        image: () = block("Side of its images in pixels.", |about, _| {
            parts::integer(about, LEAST_SIDE, Some(MOST_SIDE), None)
        }),
        channels: u32 = usual("Channels of its images; a gray image fills all.", whole(1, 3), 1),
        outputs: Outputs = needed(
            "What it answers: `logits` (normal, abnormal), one `logit` of abnormal, its `probability`, or the log-odds of these findings, a column each; a column with another name is not read.",
            own(
                |node| outputs_among(node, &OUTPUTS),
                |about| schema_of_outputs_among(about, &OUTPUTS),
            ),
            "logit",
        ),
        access: Access = usual(
            "What attacks may use of its answers: the `score`, or the `decision` alone.",
            word("kind of access", &[("score", Access::Score), ("decision", Access::Decision)]),
            Access::Score,
        ),
        batch: u32 = usual("Cases a request at most.", whole(1, 1024), 8),
        timeout: u32 = usual("Seconds that an answer may take.", whole(1, 3600), 60),
        expect: Option<Expectation> = optional(ABOUT_EXPECT, EXPECT),
    }
}

/// Reads a command. Nothing of it can be pinned but its answers.
pub(super) fn read_command(node: &Node<'_>) -> Option<Model> {
    let Command { run, trusted, asked } = Command::read(node)?;
    check_trust(node, trusted.node.as_ref());
    let model =
        finish(node, asked, |asking, _| Some(Behind::Command(CommandLine { run: run.value?, asking })));
    model.map(Model::Script)
}

/// Reads an endpoint. Nothing of it can be pinned but its answers.
pub(super) fn read_endpoint(node: &Node<'_>) -> Option<Model> {
    let Endpoint { url, model, version, inputs, output, token, queries, price, asked } =
        Endpoint::read(node)?;
    let model = finish(node, asked, |asking, reads| {
        check_inputs(inputs.node.as_ref(), inputs.value.as_ref()?.as_ref(), reads);
        Some(Behind::Endpoint(Server {
            url: url.value?,
            model: model.value?,
            version: version.value?,
            inputs: inputs.value?,
            output: output.value?,
            token: token.value?,
            queries: queries.value?,
            price: price.value?,
            asking,
        }))
    });
    model.map(Model::Script)
}

/// A model with what stands behind it, which `behind` makes of how it is asked and what it reads.
fn finish(
    node: &Node<'_>,
    table: AskedModel<'_>,
    behind: impl FnOnce(Asking, Inputs) -> Option<Behind>,
) -> Option<ScriptModel> {
    let reads = table.reads.value?;
    let image = if reads.image {
        let image = table.image.node.as_ref().or_else(|| node.missing("image", "224"));
        image.and_then(|node| node.whole(LEAST_SIDE, MOST_SIDE)).map(Some)
    } else {
        unread(&[&table.image.node, &table.channels.node], "image").then_some(None)
    };
    let asking = Asking {
        channels: table.channels.value?,
        access: table.access.value?,
        batch: table.batch.value?,
        timeout: table.timeout.value?,
    };
    Some(ScriptModel {
        behind: behind(asking, reads)?,
        image: image?,
        reads_text: reads.text,
        outputs: table.outputs.value?,
        expect: table.expect.value?,
    })
}

/// Reports names of inputs of which there cannot be so many. A spec of two views has one more.
fn check_inputs(node: Option<&Node<'_>>, names: Option<&Vec<String>>, reads: Inputs) {
    let (Some(node), Some(names)) = (node, names) else { return };
    let least = usize::from(reads.image) + usize::from(reads.text);
    let most = least + usize::from(reads.image);
    if !(least..=most).contains(&names.len()) {
        let help = "name the input of each view, then that of the report, as `reads` says".to_string();
        node.fault(format!("there are {} names of inputs, and the model reads {least}", names.len()), help);
    }
}

fn url(node: &Node<'_>) -> Option<Url> {
    Url::read(&node.words()?).map_err(|(what, help)| node.fault(what, help)).ok()
}

/// A name that can stand in an address as it is.
fn plain_name(node: &Node<'_>) -> Option<String> {
    // a version is often written as a number
    let name = node.word();
    let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter));
    if is_plain && !name.is_empty() && name != "." && name != ".." {
        return Some(name);
    }
    node.fault(format!("`{name}` is no name of a model"), "use letters, digits and `._-`".to_string());
    None
}

fn name_schema(about: &str) -> Json {
    json!({"description": about, "type": ["string", "integer"], "pattern": "^[A-Za-z0-9._-]+$", "examples": ["cxr"]})
}

/// The name of an environment variable.
fn variable(node: &Node<'_>) -> Option<String> {
    let name = node.words()?;
    let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if is_plain && name.starts_with(TOKEN) {
        return Some(name);
    }
    // not repeated in the message, because it may be the token itself
    let help =
        format!("put the token into an environment variable such as `{TOKEN}_VENDOR`, and name that here");
    node.fault(format!("this is no environment variable whose name starts with `{TOKEN}`"), help);
    None
}

/// Several words, such as those of a command line.
fn words(node: &Node<'_>) -> Option<Vec<String>> {
    let words: Option<Vec<String>> = node.items()?.iter().map(Node::words).collect();
    let words = words?;
    if words.is_empty() {
        node.fault("this list is empty", "write a word such as `[python3, serve.py]`".to_string());
        return None;
    }
    Some(words)
}
