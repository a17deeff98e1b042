//! Shares the work on small networks among cores: the chunks of a run, and the trainings that do not wait for each
//! other. A batch of a small network that is split among cores takes longer than one core needs for it, because the
//! cores wait for each other at every layer; so each core has work of its own. Large networks keep all cores for one
//! batch: their cores do not wait long, and one batch at a time takes less memory.
//!
//! A chunk's results depend neither on the thread that evaluates it nor on the number of threads, so the evidence is
//! the same, to the last bit.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Options;
use super::load_models::LoadedModel;
use super::model::Network;
use super::tensor;
use super::witness::Looked;
use crate::evidence::{Event, Observer};
use crate::plan::{Plan, cost};
use crate::{Error, Result};

/// Size of a thread's stack in bytes: that of a program's first thread.
const STACK: usize = 8 << 20;

/// A chunk that was evaluated.
pub(super) struct Evaluated {
    /// Place of the model among the plan's subjects.
    pub model: usize,
    /// Place of the chunk among the model's chunks.
    pub place: usize,
    /// Its results.
    pub looked: Looked,
}

/// Places from 0 in a list of work, each taken once by the next thread that is free.
pub(super) struct Turns {
    next: AtomicUsize,
    count: usize,
}

impl Turns {
    /// So many places.
    pub fn new(count: usize) -> Self {
        Self { next: AtomicUsize::new(0), count }
    }

    /// The next place that no thread has taken.
    pub fn take(&self) -> Option<usize> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        (place < self.count).then_some(place)
    }

    /// Leaves nothing to take, so that the other threads end after their present work.
    pub fn close(&self) {
        self.next.store(self.count, Ordering::Relaxed);
    }
}

/// The chunks of a run, in order, each taken once.
pub(super) struct Queue<'a> {
    /// Each with its model's place and its own.
    chunks: Vec<(usize, usize)>,
    turns: Turns,
    /// For each model, how many cases are done, and of how many.
    progress: Mutex<Vec<(u64, u64)>>,
    observer: &'a dyn Observer,
}

impl<'a> Queue<'a> {
    /// A queue of chunks for models with so many cases in them.
    pub fn new(chunks: Vec<(usize, usize)>, cases: Vec<u64>, observer: &'a dyn Observer) -> Self {
        let progress = Mutex::new(cases.into_iter().map(|total| (0, total)).collect());
        Self { turns: Turns::new(chunks.len()), chunks, progress, observer }
    }

    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.chunks.len()
    }

    /// The next chunk that nobody has taken.
    pub fn take(&self) -> Option<(usize, usize)> {
        self.turns.take().map(|turn| self.chunks[turn])
    }

    /// Leaves nothing to take, so that the other threads end after their present chunks.
    pub fn close(&self) {
        self.turns.close();
    }

    /// Takes note that some cases of a model are done, and tells the observer.
    pub fn done(&self, (model, name): (usize, &str), cases: usize) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((done, total)) = progress.get_mut(model) {
            *done += cases as u64;
            // still locked: two threads could otherwise report their counts in the wrong order
            self.observer.observe(Event::Attacked { model: name, done: *done, total: *total });
        }
    }
}

/// Copies of the loaded models for the threads that help the first one, a set for each; none if all cores work on one
/// chunk at a time: on a GPU, and where a model is large or a user's module, whose size is not known. The copies share
/// the memory of the weights.
pub(super) fn copies(
    plan: &Plan,
    options: &Options,
    loaded: &[LoadedModel],
    chunks: usize,
) -> Vec<Vec<Network>> {
    let all_small = (0..plan.spec.models.len()).all(|model| cost::is_small(plan, model));
    if tensor::device().is_cuda() || !all_small {
        return vec![];
    }
    let networks: Option<Vec<&Network>> = loaded.iter().map(LoadedModel::network).collect();
    let Some(networks) = networks else { return vec![] };
    let helpers = options.threads().min(chunks).saturating_sub(1);
    (0..helpers).map(|_| networks.iter().map(|network| network.copy()).collect()).collect()
}

/// Does `own` in this thread, and `help` in one more thread for each of `sets`; each uses one core. Returns the results
/// of all. None of them depends on the thread, so their order is all that is left to chance.
///
/// # Errors
/// The first of theirs, once all have ended; `fail` is called as soon as there is one.
pub(super) fn side_by_side<S: Send, R: Send>(
    sets: Vec<S>,
    own: impl FnOnce() -> Result<Vec<R>>,
    help: impl Fn(S) -> Result<Vec<R>> + Sync,
    fail: impl Fn() + Sync,
) -> Result<Vec<R>> {
    if sets.is_empty() {
        return own();
    }
    let threads = tensor::threads();
    // before the others start, because a thread begins with the number that was set last
    tensor::set_threads(1);
    let results = std::thread::scope(|scope| -> Result<Vec<Vec<R>>> {
        let (help, fail) = (&help, &fail);
        let start = |set: S| {
            let work = move || {
                tensor::set_threads(1);
                help(set).inspect_err(|_| fail())
            };
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work)
        };
        let helpers: Vec<_> = sets.into_iter().map(start).collect();
        let mut results = vec![own().inspect_err(|_| fail())];
        for helper in helpers {
            let helper = helper.map_err(|why| Error::Resource(format!("no thread can be started: {why}")))?;
            results.push(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results.into_iter().collect()
    });
    tensor::set_threads(threads);
    Ok(results?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Silent;

    #[test]
    fn each_chunk_is_taken_once_and_none_after_the_end() {
        let chunks: Vec<(usize, usize)> =
            (0..2).flat_map(|model| (0..50).map(move |place| (model, place))).collect();
        let queue = Queue::new(chunks.clone(), vec![50, 50], &Silent);
        let taken = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(chunk) = queue.take() {
                        taken.lock().expect("a lock").push(chunk);
                    }
                });
            }
        });
        let mut taken = taken.into_inner().expect("a lock");
        taken.sort_unstable();
        assert_eq!(taken, chunks);
        let queue = Queue::new(chunks, vec![50, 50], &Silent);
        assert!(queue.take().is_some());
        queue.close();
        assert_eq!(queue.take(), None);
    }
}
