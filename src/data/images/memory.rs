//! The memory that decoders share: a small file may hold a large image, and as many are decoded as there are cores.

use std::sync::{Condvar, Mutex, PoisonError};

/// Most memory of all decoders together, in bytes (1 GiB).
pub(super) const BUDGET: u64 = 1 << 30;

static FREE: Mutex<u64> = Mutex::new(BUDGET);
static GIVEN_BACK: Condvar = Condvar::new();

/// A part of the budget, given back when it is dropped.
pub(super) struct Share(u64);

impl Share {
    /// Waits until so many bytes are free. `bytes` is at most [`BUDGET`]; more would wait for ever, so that all of
    /// it is taken instead.
    pub(super) fn take(bytes: u64) -> Self {
        let bytes = bytes.min(BUDGET);
        // the number is whole at any time, so that a thread that panicked with the lock leaves nothing half done
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        while *free < bytes {
            free = GIVEN_BACK.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= bytes;
        Self(bytes)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *FREE.lock().unwrap_or_else(PoisonError::into_inner) += self.0;
        GIVEN_BACK.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use rayon::prelude::*;

    use super::*;

    #[test]
    fn no_more_than_the_budget_is_out_at_once() {
        let (out, most) = (AtomicU64::new(0), AtomicU64::new(0));
        (1..=64_u64).into_par_iter().for_each(|number| {
            let bytes = BUDGET / 8 * (number % 9);
            let _share = Share::take(bytes);
            most.fetch_max(out.fetch_add(bytes, Ordering::SeqCst) + bytes, Ordering::SeqCst);
            std::thread::yield_now();
            out.fetch_sub(bytes, Ordering::SeqCst);
        });
        assert!(most.into_inner() <= BUDGET);
    }
}
