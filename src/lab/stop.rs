//! Stopping by a signal: SIGINT (Ctrl-C) and SIGTERM (what schedulers send) end the work at the next step. What was
//! seen is in the journal by then, so the same command goes on from there. Work that takes longer than a moment to
//! come to a step's end is left where it is: a journal's last whole line counts, and files are renamed when whole.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{Error, Result};

/// How long a step may take to end.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The signal that came; 0 if none.
static CAME: AtomicI32 = AtomicI32::new(0);

/// Listens from now on. Where the system does not let it, signals end the process as ever.
pub fn listen() {
    static LISTENS: OnceLock<()> = OnceLock::new();
    LISTENS.get_or_init(|| {
        if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) {
            std::thread::spawn(move || {
                for signal in signals.forever() {
                    let again = CAME.swap(signal, Ordering::Relaxed) != 0;
                    if !again {
                        std::thread::sleep(PATIENCE);
                    }
                    let stopped = Error::Stopped(signal);
                    // the last word of a process that ends here, where no command can say it any more
                    let _ =
                        std::io::Write::write_all(&mut std::io::stderr(), format!("{stopped}\n").as_bytes());
                    signal_hook::low_level::exit(i32::from(stopped.exit_code()));
                }
            });
        }
    });
}

/// Whether to go on.
///
/// # Errors
/// A signal came.
pub fn check() -> Result<()> {
    match CAME.load(Ordering::Relaxed) {
        0 => Ok(()),
        signal => Err(Error::Stopped(signal)),
    }
}
