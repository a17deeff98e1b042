//! The events that a run reports while it gathers evidence.

/// A step of the work.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// Images are being decoded or drawn, and texts encoded.
    Preparing {
        /// Studies.
        studies: usize,
    },
    /// Some images are decoded or drawn.
    Decoded {
        /// The side of the images in pixels.
        side: u32,
        /// Images so far, of this size.
        done: u64,
        /// Images in all, of this size.
        total: u64,
    },
    /// A model was found in the cache or in the file that the spec names.
    Loaded {
        /// The model's name.
        model: &'a str,
    },
    /// An entry of the cache was damaged; what it held is computed again.
    Damaged {
        /// The entry.
        entry: &'a std::path::Path,
    },
    /// A training step is done.
    Step {
        /// The model's name.
        model: &'a str,
        /// Steps done so far, over all epochs.
        done: u64,
        /// Steps in all.
        total: u64,
    },
    /// A training that was stopped goes on.
    Resumed {
        /// The model's name.
        model: &'a str,
        /// Epochs that are done already.
        epochs: u32,
    },
    /// A training epoch is done.
    Epoch {
        /// The model's name.
        model: &'a str,
        /// From 1.
        epoch: u32,
        /// Epochs in all.
        epochs: u32,
        /// Mean loss over the epoch.
        loss: f64,
        /// Accuracy on the validation cases.
        accuracy: f64,
    },
    /// How many validation cases are still right under the attack of an adversarial training, after an epoch.
    Standing {
        /// The model's name.
        model: &'a str,
        /// Share of the validation cases that are right under attack, 0 to 1.
        share: f64,
        /// The largest such share of an earlier epoch.
        before: f64,
    },
    /// Images and texts are ready.
    Prepared,
    /// A chunk of cases went through an attack, and the journal holds the outcomes.
    Tried {
        /// The model's name.
        model: &'a str,
        /// The attack, in the plan's notation.
        attack: &'a str,
        /// Cases of the chunk.
        cases: usize,
    },
    /// A check asked a chunk of cases a question of its own.
    Probed {
        /// The model's name.
        model: &'a str,
        /// Questions asked so far on this chunk.
        done: u64,
        /// Questions in all on this chunk.
        total: u64,
    },
    /// The audit of the data, which needs no model, is done.
    Audited,
    /// A chunk of cases went through every cell of a model.
    Attacked {
        /// The model's name.
        model: &'a str,
        /// Cases done so far.
        done: u64,
        /// Cases in all.
        total: u64,
    },
}

/// Receives the events of a run, from one or several threads. It never decides anything.
pub trait Observer: Sync {
    /// A step was taken.
    fn observe(&self, event: Event<'_>);
}

/// An observer that ignores every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&self, _event: Event<'_>) {}
}
