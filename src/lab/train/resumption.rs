//! The state of a training after each epoch, kept in the cache, so that a training that was stopped resumes after its
//! last whole epoch. It ends with the weights of a training that was not stopped, to the bit.

use std::collections::HashMap;
use std::path::PathBuf;

use safetensors::tensor::{Dtype, SafeTensors};

use super::optimizer::Descent;
use crate::lab::model::params::{Named, Params};
use crate::lab::weights::LIMIT_BYTES;
use crate::lab::weights_form::{self, Stored};
use crate::seal::Cache;
use crate::{Error, Result};

/// The kind of its entries in the cache.
const KIND: &str = "training 1";
/// The tensor with the optimizer's state.
const OPTIMIZER: &str = "optimizer";
/// Prefixes of the weights after the epoch, and of those of the best epoch so far.
const NOW: &str = "now ";
const BEST: &str = "best ";

/// Where the state of a training is kept.
#[derive(Clone)]
pub struct Resumption<'a> {
    /// The cache.
    pub cache: &'a Cache,
    /// The entry; its name holds all that determines the training, except the threads.
    pub path: PathBuf,
}

/// How far a training is.
#[derive(Default)]
pub(super) struct Progress {
    /// Epochs that are done.
    pub(super) epochs: u32,
    /// Most validation cases that were right under attack after an epoch.
    pub(super) most_standing: usize,
    /// The merit of the best epoch, with its weights.
    pub(super) best: Option<(usize, Vec<Named>)>,
}

impl Resumption<'_> {
    /// Keeps the state after an epoch. Where it cannot be written, a stop costs the epochs so far, and no more.
    pub(super) fn keep(
        &self,
        so_far: &Progress,
        (params, descent): (&Params, &Descent),
        threads: usize,
    ) -> Result<()> {
        let now = params.values()?;
        let (merit, best) = so_far.best.as_ref().map_or((0, [].as_slice()), |(merit, best)| (*merit, best));
        let bytes = descent.state()?;
        let mut tensors =
            vec![Stored { name: OPTIMIZER.into(), dtype: Dtype::U8, shape: vec![bytes.len()], bytes }];
        for (prefix, values) in [(NOW, now.as_slice()), (BEST, best)] {
            tensors.extend(values.iter().map(|named| Stored::floats(prefix, named)));
        }
        let numbers = vec![
            ("epochs", so_far.epochs.to_string()),
            ("standing", so_far.most_standing.to_string()),
            ("merit", merit.to_string()),
            ("threads", threads.to_string()),
        ];
        let bytes = weights_form::file_of(&tensors, Some(numbers))?;
        let _ = self.cache.keep(KIND, &self.path, bytes);
        Ok(())
    }

    /// Puts the parameters and the optimizer where an earlier training with as many threads was stopped; None if there
    /// is none.
    pub(super) fn take_up(
        &self,
        (params, descent): (&Params, &Descent),
        threads: usize,
    ) -> Result<Option<Progress>> {
        let Some(bytes) = self.cache.read(KIND, &self.path, 4 * LIMIT_BYTES) else { return Ok(None) };
        // the seal holds, so that a file that cannot be read is medcert's own fault
        let unsound = |why: &str| Error::Bug(format!("{} cannot be read: {why}", self.path.display()));
        let (_, head) = SafeTensors::read_metadata(&bytes).map_err(|why| unsound(&why.to_string()))?;
        let none = HashMap::new();
        let numbers = head.metadata().as_ref().unwrap_or(&none);
        let number = |key: &str| -> Result<usize> {
            numbers.get(key).and_then(|number| number.parse().ok()).ok_or_else(|| unsound(key))
        };
        // the last bits of sums depend on the number of threads
        if number("threads")? != threads {
            return Ok(None);
        }
        let file = SafeTensors::deserialize(&bytes).map_err(|why| unsound(&why.to_string()))?;
        let (mut now, mut best, mut state) = (Vec::new(), Vec::new(), None);
        for (name, view) in file.iter() {
            if name == OPTIMIZER {
                state = Some(view.data());
                continue;
            }
            let floats = view
                .data()
                .chunks_exact(4)
                .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
            let named = |name: &str| (name.to_string(), view.shape().to_vec(), floats.clone().collect());
            now.extend(name.strip_prefix(NOW).map(named));
            best.extend(name.strip_prefix(BEST).map(named));
        }
        params.restore(&now)?;
        descent.restore(state.ok_or_else(|| unsound("no optimizer"))?)?;
        let merit = number("merit")?;
        Ok(Some(Progress {
            epochs: number("epochs")? as u32,
            most_standing: number("standing")?,
            best: (!best.is_empty()).then_some((merit, best)),
        }))
    }

    /// Forgets the state of a training that is done.
    pub fn forget(&self) {
        // it may never have been written
        let _ = std::fs::remove_file(&self.path);
    }
}
