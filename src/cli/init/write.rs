//! The text of a spec that is begun: commented, for a person who has never seen one.

use std::fmt::Write as _;

use super::Kind;
use super::place::{Place, scalar};
use super::source::Source;
use super::weights::{Kept, Weights};
use crate::spec::ModuleFormat;

/// What is written.
pub(super) struct Draft<'a> {
    pub(super) source: &'a Source,
    pub(super) kinds: &'a [Kind],
    /// Weights with their places.
    pub(super) weights: &'a [(Weights, Place)],
    /// The `split:` block, without its braces.
    pub(super) split: &'a str,
    /// What the user's own module reads, and its line `outputs`; None if there is none.
    pub(super) script: Option<(Kind, String)>,
}

/// Tokens of a report that a model reads at most, unless it reads fewer.
const USUAL_TOKENS: u64 = 256;
/// The usual normalisation of pixels, for a file that states none.
const GRAY: &str = "      mean: [0.5]                        # taken from pixels in [0, 1]; [0] and [1] if it does so itself\n      deviation: [0.25]\n";
const COLOURS: &str = "      mean: [0.485, 0.456, 0.406]        # taken from pixels in [0, 1]; [0, 0, 0] and [1, 1, 1] if it does so itself\n      deviation: [0.229, 0.224, 0.225]\n";

impl Draft<'_> {
    fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// The whole spec.
    pub(super) fn text(&self) -> String {
        let Source { about, views, .. } = self.source;
        let views = if self.has(Kind::Vision) || self.has(Kind::Fusion) { views } else { "none" };
        let mut text = String::from("# yaml-language-server: $schema=medcert.schema.json\n#\n");
        text.push_str(
            "# What must hold of these models, in sentences. `medcert explain` lists the attacks, checks and metrics;\n# the thresholds are a start: change them to what your use needs.\n\n",
        );
        let _ = writeln!(text, "claim: {}\n", self.claim());
        let _ = writeln!(text, "# {about}\ndata:\n  {}\n", self.source.data(views));
        let _ = writeln!(
            text,
            "# a patient is in one part alone; `cases: 96` beside `test` makes a quick run on fewer cases\nsplit: {{{}}}\n",
            self.split
        );
        text.push_str("models:\n");
        for kind in self.kinds {
            text.push_str(&self.model(*kind));
        }
        text.push_str("\n# the rows of the table: every model is shown under each\ntable:\n");
        text.push_str(&items(self.rows()));
        text.push_str("\n# each gets a verdict, with a confidence bound; `medcert plan` says what so many cases can show\nrequire:\n");
        text.push_str(&items(self.sentences()));
        text
    }

    fn claim(&self) -> &'static str {
        match (self.has(Kind::Fusion), self.has(Kind::Vision), self.has(Kind::Language)) {
            (true, ..) | (_, true, true) => {
                "The models keep reading X-rays and reports correctly under attack"
            }
            (_, true, _) => "The model keeps reading X-rays correctly under attack",
            _ => "The model keeps reading reports correctly when words are replaced or lost",
        }
    }

    fn model(&self, kind: Kind) -> String {
        if let Some((reads, outputs)) = &self.script
            && *reads == kind
        {
            return self.script_model(kind, outputs);
        }
        let found = self.weights.iter().find(|(weights, _)| match weights.kept {
            Kept::Bert { .. } => kind == Kind::Language,
            Kept::Vision { .. } => kind == Kind::Vision,
            Kept::Tokenizer { .. } | Kept::Script | Kept::Graph(_) => false,
        });
        match (kind, found) {
            (Kind::Fusion, _) => "  # features of both, concatenated; it starts from the two models above\n  fusion: {early_fusion: {vision: vision, language: language, train: {optimizer: adam, lr: 1e-4, epochs: 4, batch: 16}}}\n".into(),
            (_, Some((weights, place))) => loaded(weights, place),
            (Kind::Vision, None) => {
                let (image, width, lr, epochs) =
                    if self.source.block.starts_with("phantom") { (56, 16, "2e-3", 8) } else { (96, 32, "5e-4", 12) };
                format!("  # a small network for gray images; `start: FILE.safetensors` begins from published weights\n  vision: {{se_resnet18: {{image: {image}, width: {width}, train: {{optimizer: adam, lr: {lr}, epochs: {epochs}, batch: 16}}}}}}\n")
            }
            (Kind::Language, None) => "  # a small BERT whose words are learnt here; `start: FOLDER` begins from a pretrained one\n  language: {bert: {config: tiny, train: {optimizer: adamw, lr: 5e-4, epochs: 6, batch: 16}}}\n".into(),
        }
    }

    /// Somebody's own module.
    fn script_model(&self, kind: Kind, outputs: &str) -> String {
        let Some((weights, place)) = self.weights.iter().find(|(one, _)| one.is_module()) else {
            return String::new();
        };
        let words = self.weights.iter().find(|(one, _)| !one.is_module());
        let reads = [(Kind::Vision, "image"), (Kind::Language, "text"), (Kind::Fusion, "both")];
        let reads = reads.iter().find(|(known, _)| *known == kind).map_or("both", |(_, reads)| reads);
        let graph = match weights.kept {
            Kept::Graph(graph) => Some(graph),
            Kept::Script | Kept::Bert { .. } | Kept::Tokenizer { .. } | Kept::Vision { .. } => None,
        };
        let (format, trusted) = match graph {
            Some(graph) => (graph.format, ""),
            None => (
                ModuleFormat::TorchScript,
                "      trusted: true      # the file holds code, which runs here\n",
            ),
        };
        let mut text = format!(
            "  # your own module: it is called as the manual says (Models); check every line of this\n  {}:\n    {}:\n      file: {}\n      sha256: {}\n{trusted}      reads: {reads}\n",
            kind.name(),
            format.name(),
            scalar(&place.path),
            scalar(&weights.sha256)
        );
        if kind != Kind::Language {
            let (channels, side) = graph.and_then(|graph| graph.reads.image).unwrap_or((None, None));
            let (channels, side) = (channels.unwrap_or(3), side.unwrap_or(224));
            let _ = write!(text, "      image: {side:<12}# side in pixels\n      channels: {channels}\n");
            text.push_str(if channels == 1 { GRAY } else { COLOURS });
        }
        if let (true, Some((words, place))) = (kind != Kind::Vision, words) {
            let longest = match words.kept {
                Kept::Tokenizer { longest } => longest,
                Kept::Bert { positions, .. } => Some(positions),
                Kept::Vision { .. } | Kept::Script | Kept::Graph(_) => None,
            };
            let most = longest.map_or(USUAL_TOKENS, |longest| longest.min(USUAL_TOKENS));
            let _ = write!(text, "      tokenizer: {}\n      max_tokens: {most}\n", scalar(&place.path));
        }
        text.push_str(outputs);
        text
    }

    fn rows(&self) -> Vec<&'static str> {
        let (image, words) = self.inputs();
        let mut rows = vec!["clean"];
        if image {
            rows.extend(["FGSM ε=0.01", "FGSM ε=0.05"]);
        }
        if words {
            rows.extend(["20% synonyms", "40% synonyms", "50% deletion"]);
        }
        if self.has(Kind::Fusion) {
            rows.push("FGSM ε=0.05 + 50% deletion");
        }
        rows
    }

    /// Whether some model reads images, and whether one reads reports.
    fn inputs(&self) -> (bool, bool) {
        let fusion = self.has(Kind::Fusion);
        (fusion || self.has(Kind::Vision), fusion || self.has(Kind::Language))
    }

    fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        let (vision, language) = (self.has(Kind::Vision), self.has(Kind::Language));
        let best = *self.kinds.last().unwrap_or(&Kind::Language);
        if self.has(Kind::Fusion) {
            sentences
                .push("fusion accuracy ≥ 80%, ≥ 60% at FGSM ε≤0.05, ≥ 70% under 50% deletion".to_string());
            if language {
                sentences.push("fusion accuracy ≥ language accuracy − 2% under 40% synonyms".to_string());
            }
        }
        if language {
            sentences.push("language accuracy ≥ 75%, ≥ 65% under 40% synonyms".to_string());
        }
        let asked = self.source.asked();
        if vision {
            sentences.push(format!("vision {asked}accuracy ≥ 70%, ≥ 50% at FGSM ε≤0.01"));
        }
        if let Some(group) = &self.source.group {
            sentences.push(format!("{} {asked}accuracy ≥ 60% in every {group}", best.name()));
        }
        sentences
    }
}

/// The items of a YAML list.
fn items(items: Vec<impl std::fmt::Display>) -> String {
    items.into_iter().fold(String::new(), |text, item| text + &format!("  - {item}\n"))
}

/// A model of weights that were recognised.
fn loaded(weights: &Weights, place: &Place) -> String {
    let source = format!("{{path: {}, sha256: {}}}", scalar(&place.path), scalar(&weights.sha256));
    match &weights.kept {
        Kept::Bert { classifies, positions, cased } => {
            let max_tokens = (*positions).min(USUAL_TOKENS);
            let cased =
                if *cased { "\n      lowercase: false   # its vocabulary holds capital letters" } else { "" };
            if *classifies {
                format!(
                    "  # loaded as it is: it classifies already\n  language:\n    bert:\n      weights: {source}\n      max_tokens: {max_tokens}{cased}\n"
                )
            } else {
                format!(
                    "  # fine-tuned here; pinned, so that another file is refused\n  language:\n    bert:\n      start: {source}\n      max_tokens: {max_tokens}{cased}\n      train: {{optimizer: adamw, lr: 5e-5, epochs: 3, batch: 16}}\n"
                )
            }
        }
        Kept::Vision { network, image, width, head_views, twin } => {
            let twin = twin.map_or(String::new(), |twin| {
                format!("  # for pixels in [−1, 1]; if it was trained with ImageNet's normalisation, write {} instead\n", twin.name())
            });
            let width = width.map_or(String::new(), |width| format!("\n      width: {width}"));
            let rest = if head_views.is_some() {
                format!("weights: {source}")
            } else {
                format!("start: {source}\n      train: {{optimizer: adam, lr: 1e-4, epochs: 5, batch: 16}}")
            };
            format!(
                "  # pinned, so that another file is refused\n{twin}  vision:\n    {}:\n      image: {image}{width}\n      {rest}\n",
                network.name()
            )
        }
        Kept::Tokenizer { .. } | Kept::Script | Kept::Graph(_) => String::new(),
    }
}
