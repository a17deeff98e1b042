//! A model of a spec in writing: its architecture, weights or training, and defence.

use super::part::Part;
use crate::spec::{
    Asking, Behind, BertConfig, CommandLine, Defence, Defended, Endpoint, Fusion, Hardening, Model,
    ModuleFile, PixelNoise, Schedule, ScriptModel, Smoothing, Train, TrainingAttack, Weights, WordNoise,
};

impl Model {
    /// The model in writing, for keys of caches: everything that its spec says of it, a line a key.
    pub fn written(&self) -> String {
        model(self).written()
    }
}

/// Everything that the spec says of a model.
pub(super) fn model(model: &Model) -> Part {
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
            if let Some(BertConfig { hidden, layers, heads, intermediate, max_tokens, vocabulary }) = config {
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
            put_script(&mut part, script);
        }
        Model::Defended(Defended { base, defence, reads_image: _, reads_text: _ }) => {
            part.put("of", base.name());
            put_defence(&mut part, defence);
        }
    }
    part
}

fn put_script(part: &mut Part, script: &ScriptModel) {
    // an expectation changes no evidence: where it does not hold, nothing is attacked
    let ScriptModel { behind, image, reads_text, outputs, expect: _ } = script;
    let put_inputs = |part: &mut Part| {
        part.put("reads image", image.is_some()).put("reads text", reads_text);
        part.put("image", image.unwrap_or(0));
    };
    match behind {
        Behind::File(file) => {
            let ModuleFile {
                format: _, // the architecture's name
                source,
                mean,
                deviation,
                tokenizer,
                max_tokens,
                lowercase,
            } = file;
            part.source("file", source);
            put_inputs(part);
            part.all("mean", mean).all("deviation", deviation);
            if let Some(tokenizer) = tokenizer {
                part.path("tokenizer", tokenizer);
            }
            part.put("max_tokens", max_tokens).maybe("lowercase", lowercase.as_ref());
        }
        Behind::Command(CommandLine { run, asking }) => {
            put_inputs(part);
            part.all("run", run).asking(asking);
        }
        // the token, the budget and the price change no answer
        Behind::Endpoint(Endpoint {
            url,
            model,
            version,
            inputs,
            output,
            token: _,
            queries: _,
            price: _,
            asking,
        }) => {
            put_inputs(part);
            part.put("url", &url.text).put("model", model).maybe("version", version.as_ref());
            part.all("input", inputs.iter().flatten()).maybe("output", output.as_ref()).asking(asking);
        }
    }
    part.put("outputs", outputs.name());
}

fn put_defence(part: &mut Part, defence: &Defence) {
    match defence {
        Defence::Smoothing(Smoothing { pixels, words, samples, alpha }) => {
            if let Some(PixelNoise { frontal, lateral, region }) = pixels {
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

impl Part {
    fn asking(&mut self, Asking { channels, access, batch, timeout: _ }: &Asking) -> &mut Self {
        self.put("channels", channels).put("access", access.name()).put("batch", batch)
    }

    fn weights(&mut self, weights: &Weights) -> &mut Self {
        match weights {
            // an expectation changes no evidence: where it does not hold, nothing is attacked
            Weights::File { source, expect: _ } => self.source("weights", source),
            Weights::Train(Train { optimizer, lr, schedule, epochs, batch, seed, freeze, hardening }) => self
                .put("optimizer", optimizer.name())
                .put("lr", lr)
                // a training of before keeps its digest
                .maybe("schedule", (*schedule != Schedule::Constant).then(|| schedule.name()))
                .put("epochs", epochs)
                .put("batch", batch)
                .put("seed", seed)
                .put("freeze", freeze)
                .hardening(hardening),
        }
    }

    /// What hardens the training: nothing where training is the plain one, which keeps its digest.
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
