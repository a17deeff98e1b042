//! What decides the evidence of a spec, by part: a digest of its data, its division, each of its models, its masks and its
//! thresholds, and its seed and chunk as they are.
//!
//! Every key and every name is written here or in the `name` of a type, never derived from the source: renaming a variant
//! changes no digest. Claim, table, sentences, waivers and device are in none of the parts, so that they can be changed
//! and judged anew.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    Columns, Data, Defence, Fusion, Hardening, Model, Operating, Outputs, Parts, Section, Source, Spec,
    Split, Train, TrainingAttack, Views, Weights, WordNoise,
};

/// The parts by name, as a spec calls them: `data`, `split`, `models.NAME`, `masks`, `thresholds`, `seed`, `chunk`. The
/// value is a blake3 digest in hexadecimal; `seed` and `chunk` stand for themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint {
    parts: Vec<(String, String)>,
}

/// Hexadecimal digits of a part's digest: 128 bits, so that no two specs share one by chance.
const DIGITS: usize = 32;
/// Digits of a part's digest where a person reads it.
const SHORT: usize = 12;

impl Fingerprint {
    /// That of a spec.
    pub fn of(spec: &Spec) -> Self {
        let digest = |part: Part| blake3::hash(part.0.as_bytes()).to_hex()[..DIGITS].to_string();
        let mut parts = vec![
            ("data".to_string(), digest(data(&spec.data))),
            ("split".to_string(), digest(split(&spec.split))),
        ];
        for (name, model) in &spec.models {
            parts.push((format!("models.{name}"), digest(of_model(model))));
        }
        let mut masks = Part::new("masks");
        for (name, path) in &spec.masks {
            masks.put("name", name).path("path", path);
        }
        let mut thresholds = Part::new("thresholds");
        for (model, Operating { metric, share }) in &spec.thresholds {
            thresholds.put("model", spec.name_of(*model)).put("metric", metric.name()).put("share", share);
        }
        parts.extend([
            ("masks".to_string(), digest(masks)),
            ("thresholds".to_string(), digest(thresholds)),
            ("seed".to_string(), spec.seed.to_string()),
            ("chunk".to_string(), spec.chunk.to_string()),
        ]);
        Self { parts }
    }

    /// One digest of all parts, 64 hexadecimal digits.
    pub fn whole(&self) -> String {
        blake3::hash(self.to_string().as_bytes()).to_hex().to_string()
    }

    /// The same parts with the first digits of their digests.
    #[must_use]
    pub fn short(&self) -> Self {
        let short = |(name, value): &(String, String)| (name.clone(), value.chars().take(SHORT).collect());
        Self { parts: self.parts.iter().map(short).collect() }
    }

    /// The parts in which another differs, with both values where they stand for themselves; none if it is the same.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let value = |of: &Self, name: &str| {
            of.parts.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let mut found = Vec::new();
        for (name, ours) in &self.parts {
            match value(other, name) {
                Some(theirs) if theirs == *ours => {}
                Some(theirs) if name == "seed" || name == "chunk" => {
                    found.push(format!("`{name}` ({ours}, not {theirs})"));
                }
                Some(_) | None => found.push(format!("`{name}`")),
            }
        }
        let lacking = other.parts.iter().filter(|(name, _)| value(self, name).is_none());
        found.extend(lacking.map(|(name, _)| format!("`{name}`")));
        if found.is_empty() && self != other {
            found.push("the order of `models`".to_string());
        }
        found
    }
}

impl fmt::Display for Fingerprint {
    /// `data=0123 split=4567 models.fusion=89ab …`: names of parts hold neither a space nor `=`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.parts.iter().map(|(name, value)| format!("{name}={value}")).collect();
        f.write_str(&parts.join(" "))
    }
}

impl FromStr for Fingerprint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let part = |part: &str| {
            let (name, value) =
                part.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty())?;
            Some((name.to_string(), value.to_string()))
        };
        let parts: Option<Vec<(String, String)>> = text.split(' ').map(part).collect();
        parts.map(|parts| Self { parts }).ok_or(())
    }
}

/// A part in writing: a line a key. The length before each value keeps two values from reading like one.
struct Part(String);

impl Part {
    fn new(name: &str) -> Self {
        Self(format!("{name}\n"))
    }

    fn put(&mut self, key: &str, value: impl fmt::Display) -> &mut Self {
        let value = value.to_string();
        for part in [key, " ", &value.len().to_string(), ":", &value, "\n"] {
            self.0.push_str(part);
        }
        self
    }

    /// A value that may be absent is left out then.
    fn maybe(&mut self, key: &str, value: Option<impl fmt::Display>) -> &mut Self {
        match value {
            Some(value) => self.put(key, value),
            None => self,
        }
    }

    fn path(&mut self, key: &str, path: &Path) -> &mut Self {
        // a spec has the same digest on every system
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        self.put(key, parts.join("/"))
    }

    fn all<T: fmt::Display>(&mut self, key: &str, values: impl IntoIterator<Item = T>) -> &mut Self {
        for value in values {
            self.put(key, value);
        }
        self
    }

    fn source(&mut self, key: &str, source: &Source) -> &mut Self {
        let Source { path, sha256 } = source;
        self.path(key, path).maybe("sha256", sha256.as_ref())
    }

    fn weights(&mut self, weights: &Weights) -> &mut Self {
        match weights {
            Weights::File(source) => self.source("weights", source),
            Weights::Train(Train { optimizer, lr, epochs, batch, seed, freeze, hardening }) => self
                .put("optimizer", optimizer.name())
                .put("lr", lr)
                .put("epochs", epochs)
                .put("batch", batch)
                .put("seed", seed)
                .put("freeze", freeze)
                .hardening(hardening),
        }
    }

    /// Nothing where training is the plain one, which keeps its digest.
    fn hardening(&mut self, hardening: &Hardening) -> &mut Self {
        let Hardening { noise, consistency, keep, words, attack } = *hardening;
        let some = |value: f64| (value > 0.0).then_some(value);
        self.maybe("noise", some(noise)).maybe("consistency", some(consistency));
        self.maybe("keep", keep).maybe("words", some(words));
        if let Some(attack) = attack {
            self.put("attack", attack.name()).put("epsilon", attack.epsilon()).put("steps", attack.steps());
            if let TrainingAttack::Trades { beta, .. } = attack {
                self.put("beta", beta);
            }
        }
        self
    }
}

fn data(data: &Data) -> Part {
    match data {
        Data::Phantom { studies, seed, label_noise, missed, views } => {
            let mut part = Part::new("phantom");
            part.put("studies", studies)
                .put("seed", seed)
                .put("label_noise", label_noise)
                .put("missed", missed);
            part.put("views", views.name());
            part
        }
        Data::IuXray { folder, sections, views, bits } => {
            let mut part = Part::new("iu_xray");
            part.path("folder", folder).all("section", sections.iter().map(|section| section.name()));
            part.put("views", views.name()).maybe("bits", *bits);
            part
        }
        Data::Manifest {
            file,
            columns,
            positive,
            negative,
            leave_out,
            separator,
            missing,
            literal,
            sections,
            views,
            bits,
        } => {
            let mut part = Part::new("manifest");
            part.path("file", file).all("positive", positive).all("negative", negative);
            part.all("leave_out", leave_out).maybe("separator", separator.as_ref());
            part.all("missing", missing).all("literal", literal).maybe("bits", *bits);
            part.all("section", sections.iter().map(|section| section.name())).put("views", views.name());
            let Columns {
                id,
                patient,
                label,
                frontal,
                lateral,
                indication,
                findings,
                impression,
                view,
                mask,
                groups,
            } = columns;
            part.put("id", id).put("patient", patient).put("label", label);
            part.maybe("frontal", frontal.as_ref()).maybe("lateral", lateral.as_ref());
            part.maybe("indication", indication.as_ref()).maybe("findings", findings.as_ref());
            part.maybe("impression", impression.as_ref()).maybe("view", view.as_ref());
            part.maybe("mask", mask.as_ref()).all("group", groups);
            part
        }
    }
}

fn split(split: &Split) -> Part {
    let mut part = Part::new("split");
    let Split { parts, cases, seed } = split;
    match parts {
        Parts::Drawn { test, validation } => part.put("test", test).put("validation", validation),
        Parts::Named { column, test, validation } => {
            part.put("column", column).all("test value", test).all("validation value", validation)
        }
    };
    part.maybe("cases", cases.as_ref()).put("seed", seed);
    part
}

fn of_model(model: &Model) -> Part {
    let mut part = Part::new(model.architecture());
    match model {
        // the network is in the architecture
        Model::Vision { network: _, image, width, start, weights } => {
            part.put("image", image).put("width", width).weights(weights);
            if let Some(start) = start {
                part.source("start", start);
            }
        }
        Model::Bert { config, start, max_tokens, lowercase, weights } => {
            if let Some(super::BertConfig { hidden, layers, heads, intermediate, max_tokens, vocabulary }) =
                config
            {
                part.put("hidden", hidden).put("layers", layers).put("heads", heads);
                part.put("intermediate", intermediate)
                    .put("positions", max_tokens)
                    .put("vocabulary", vocabulary);
            }
            part.maybe("max_tokens", max_tokens.as_ref())
                .maybe("lowercase", lowercase.as_ref())
                .weights(weights);
            if let Some(start) = start {
                part.source("start", start);
            }
        }
        Model::Fusion { kind, vision, language, fresh, weights } => {
            part.put("vision", vision.name())
                .put("language", language.name())
                .put("fresh", fresh)
                .weights(weights);
            match kind {
                Fusion::CrossAttention { width, heads } => {
                    part.put("width", width).put("heads", heads);
                }
                Fusion::Early | Fusion::Late | Fusion::Gated => {}
            }
        }
        Model::Script(script) => {
            let super::ScriptModel {
                format: _, // the architecture's name
                source,
                reads_image,
                reads_text,
                image,
                mean,
                deviation,
                tokenizer,
                max_tokens,
                lowercase,
                outputs,
                command,
                expect: _, // changes no evidence: where it does not hold, nothing is attacked
            } = script;
            part.source("file", source).put("reads image", reads_image).put("reads text", reads_text);
            part.put("image", image).all("mean", mean).all("deviation", deviation);
            if let Some(tokenizer) = tokenizer {
                part.path("tokenizer", tokenizer);
            }
            part.put("max_tokens", max_tokens)
                .maybe("lowercase", lowercase.as_ref())
                .put("outputs", outputs.name());
            if let Some(super::CommandLine { run, access, batch, timeout: _ }) = command {
                part.all("run", run).put("access", access.name()).put("batch", batch);
            }
        }
        Model::Defended(super::Defended { base, defence, reads_image: _, reads_text: _ }) => {
            part.put("of", base);
            of_defence(&mut part, defence);
        }
    }
    part
}

fn of_defence(part: &mut Part, defence: &Defence) {
    match defence {
        Defence::Smoothing(super::Smoothing { pixels, words, samples, alpha }) => {
            if let Some(super::PixelNoise { frontal, lateral, region }) = pixels {
                part.put("sigma", frontal).put("lateral sigma", lateral).put("region", region.written());
            }
            match words {
                Some(WordNoise::Keep(share)) => part.put("keep", share),
                Some(WordNoise::Delete(probability)) => part.put("delete", probability),
                None => part,
            };
            part.put("samples", samples).put("alpha", alpha);
        }
        Defence::Masking { patch, grid } => {
            part.put("patch", patch).put("grid", grid);
        }
        Defence::Squeeze { bits, median } => {
            part.put("bits", bits).put("median", median);
        }
        Defence::Jpeg { quality } => {
            part.put("quality", quality);
        }
    }
}

impl Model {
    /// The model in writing, for keys of caches: everything that its spec says of it, a line a key.
    pub fn written(&self) -> String {
        of_model(self).0
    }
}

impl Views {
    /// Its name in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Frontal => "frontal",
            Self::None => "none",
        }
    }
}

impl Section {
    /// Its name in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Indication => "indication",
            Self::Findings => "findings",
            Self::Impression => "impression",
        }
    }
}

impl super::Optimizer {
    /// Its name in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::AdamW => "adamw",
        }
    }
}

impl Outputs {
    /// Its name in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logits => "logits",
            Self::Logit => "logit",
            Self::Probability => "probability",
        }
    }
}
