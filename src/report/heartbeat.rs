//! A line every 30 seconds where there is no terminal, so that a log shows that a long run is alive and how far it is. A
//! thread of its own writes it, as one attack on one chunk may take minutes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest silence.
pub(super) const INTERVAL: Duration = Duration::from_secs(30);

/// What the run is doing, and when a line was written last.
#[derive(Debug)]
struct Pulse {
    text: String,
    last_line: Instant,
    has_ended: bool,
}

/// Writes the present state whenever nothing was written for an interval, until it is dropped.
#[derive(Debug)]
pub(super) struct Heartbeat {
    shared: Arc<(Mutex<Pulse>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// Starts the thread; `write` gets the lines.
    pub(super) fn every(interval: Duration, write: impl Fn(&str) + Send + 'static) -> Self {
        let pulse = Pulse { text: String::new(), last_line: Instant::now(), has_ended: false };
        let shared = Arc::new((Mutex::new(pulse), Condvar::new()));
        let its = Arc::clone(&shared);
        let thread = std::thread::spawn(move || beat(&its, interval, &write));
        Self { shared, thread: Some(thread) }
    }

    /// Takes note of what the run is doing.
    pub(super) fn is_at(&self, text: &str) {
        self.pulse().text = text.to_string();
    }

    /// Takes note of a line that was written otherwise, so that the next beat waits.
    pub(super) fn line_written(&self) {
        self.pulse().last_line = Instant::now();
    }

    fn pulse(&self) -> MutexGuard<'_, Pulse> {
        lock(&self.shared.0)
    }
}

/// The thread's loop.
fn beat((pulse, wakes): &(Mutex<Pulse>, Condvar), interval: Duration, write: &dyn Fn(&str)) {
    let mut pulse = lock(pulse);
    while !pulse.has_ended {
        let silent = pulse.last_line.elapsed();
        if silent >= interval {
            if !pulse.text.is_empty() {
                write(&pulse.text);
            }
            pulse.last_line = Instant::now();
            continue;
        }
        pulse = wakes
            .wait_timeout(pulse, interval.saturating_sub(silent))
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
}

/// A thread that panicked leaves a text, which is as good as before.
fn lock(pulse: &Mutex<Pulse>) -> MutexGuard<'_, Pulse> {
    pulse.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.pulse().has_ended = true;
        self.shared.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // it only fails by a panic, which has been reported
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn it_beats_while_nothing_else_is_written_and_ends_at_once() {
        let (lines, read) = channel();
        let interval = Duration::from_millis(30);
        let heartbeat = Heartbeat::every(interval, move |text| {
            // the receiver outlives the thread
            let _ = lines.send(text.to_string());
        });
        std::thread::sleep(interval * 3);
        assert!(read.try_recv().is_err(), "there was nothing to say");
        heartbeat.is_at("attacking fusion: 16 of 64 cases");
        let first = read.recv_timeout(Duration::from_secs(20)).expect("a beat");
        assert_eq!(first, "attacking fusion: 16 of 64 cases");
        drop(heartbeat);
        assert!(read.iter().all(|line| line == first), "it ends with the run");

        let (lines, read) = channel();
        let slow = Heartbeat::every(Duration::from_hours(1), move |text| {
            let _ = lines.send(text.to_string());
        });
        slow.is_at("training");
        slow.line_written();
        let start = Instant::now();
        drop(slow);
        assert!(start.elapsed() < Duration::from_mins(1), "a waiting thread is woken");
        assert_eq!(read.iter().count(), 0);
    }
}
