//! Stops a run on a signal: SIGINT (Ctrl-C) or SIGTERM (which schedulers send) ends the work at the next step. The
//! journal holds every result so far, and the cache the state of a training after its last epoch, so the same command
//! resumes there. If a step does not end soon, the process exits in the middle of it. That is safe: a journal counts up
//! to its last whole line, and other files are renamed into place only when they are complete.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{Error, Result};

/// How long a step may go on after a signal.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The signal that was received; 0 if none.
static CAME: AtomicI32 = AtomicI32::new(0);

/// Starts listening for signals. If the system does not allow it, signals end the process as usual.
pub fn listen() {
    static LISTENS: OnceLock<()> = OnceLock::new();
    LISTENS.get_or_init(|| {
        if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) {
            std::thread::spawn(move || {
                if let Some(signal) = signals.forever().next() {
                    CAME.store(signal, Ordering::Relaxed);
                    std::thread::sleep(PATIENCE);
                    let stopped = Error::Stopped(signal);
                    // the process ends here, so no command can print the error any more
                    let _ =
                        std::io::Write::write_all(&mut std::io::stderr(), format!("{stopped}\n").as_bytes());
                    signal_hook::low_level::exit(i32::from(stopped.exit_code()));
                }
            });
        }
    });
}

/// Returns an error if the run is to stop.
///
/// # Errors
/// A signal was received.
pub fn check() -> Result<()> {
    match CAME.load(Ordering::Relaxed) {
        0 => Ok(()),
        signal => Err(Error::Stopped(signal)),
    }
}
