//! The progress of a run, on standard error: a bar for each phase on a terminal; elsewhere a line for each epoch and model,
//! and one whenever nothing was written for 30 seconds. The remaining time is estimated from chunks that were attacked,
//! not from cached ones, which take no time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::heartbeat::{Heartbeat, INTERVAL};
use super::terminal::note;
use crate::evidence::{Event, Observer};

/// Shows the progress to a person.
#[derive(Debug)]
pub struct Progress {
    /// Where there is no terminal.
    heartbeat: Option<Heartbeat>,
    /// Whether every step is shown.
    is_verbose: bool,
    bar: Mutex<Option<Bar>>,
    pace: Mutex<Pace>,
}

#[derive(Debug)]
struct Bar {
    phase: String,
    bar: ProgressBar,
}

/// How fast a model's cases are attacked.
#[derive(Debug, Default)]
struct Pace {
    /// The model, when its last chunk ended, and how many of its cases were done by then.
    at: Option<(String, Instant, u64)>,
    /// Cases that were attacked, and how long that took.
    cases: u64,
    took: Duration,
    /// Attacks that the present chunk went through.
    tried: u64,
}

impl Pace {
    /// Takes note of a chunk's end: the rate in cases a second and the time that is left, once they are known.
    fn chunk(&mut self, model: &str, done: u64, total: u64) -> Option<(f64, Duration)> {
        let now = Instant::now();
        match self.at.take() {
            Some((known, since, before)) if known == model => {
                if self.tried > 0 {
                    self.cases += done - before;
                    self.took += now - since;
                }
            }
            // another model has another pace; its first chunk is timed from the end of the last one's
            _ => (self.cases, self.took) = (0, Duration::ZERO),
        }
        self.at = Some((model.to_string(), now, done));
        self.tried = 0;
        let rate = self.cases as f64 / self.took.as_secs_f64();
        (self.cases > 0 && rate.is_finite() && rate > 0.0)
            .then(|| (rate, Duration::from_secs_f64((total - done) as f64 / rate)))
    }
}

impl Progress {
    /// Bars if standard error is a terminal, else lines; with every step if it is `verbose`.
    pub fn new(verbose: bool) -> Self {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        Self {
            heartbeat: (!is_terminal).then(|| Heartbeat::every(INTERVAL, note)),
            is_verbose: verbose,
            bar: Mutex::new(None),
            pace: Mutex::default(),
        }
    }

    fn line(&self, text: &str) {
        let text = super::plain(text);
        match (locked(&self.bar).as_ref(), &self.heartbeat) {
            (Some(bar), _) => bar.bar.println(&text),
            (None, heartbeat) => {
                note(&text);
                heartbeat.iter().for_each(Heartbeat::line_written);
            }
        }
    }

    /// Moves the bar of a phase; a new phase gets a new bar.
    fn move_to(&self, phase: &str, (done, total): (u64, u64), says: String) {
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.is_at(&super::plain(&format!("{phase}: {says}")));
            return;
        }
        let mut slot = locked(&self.bar);
        if slot.as_ref().is_none_or(|bar| bar.phase != phase) {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{prefix:<24} {bar:24} {percent:>3} %  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(super::plain(phase));
            if let Some(old) = slot.replace(Bar { phase: phase.to_string(), bar }) {
                old.bar.finish_and_clear();
            }
        }
        if let Some(bar) = slot.as_ref() {
            bar.bar.set_message(says);
            bar.bar.set_position(done);
            if done == total {
                bar.bar.finish_and_clear();
            }
        }
    }

    fn attacked(&self, model: &str, done: u64, total: u64) {
        let pace = locked(&self.pace).chunk(model, done, total);
        let says = match pace {
            Some((rate, left)) => {
                format!("{done} of {total} cases, {rate:.1} a second, {} left", rounded(left))
            }
            None => format!("{done} of {total} cases"),
        };
        self.move_to(&format!("attacking {model}"), (done, total), says);
        if done == total && self.heartbeat.is_some() {
            self.line(&format!("{model}: {} attacked", super::counted(total as usize, "case", "cases")));
        }
    }
}

/// What a lock holds; what a thread that panicked has left there is shown all the same.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A time in words: `40 s`, `12 min`, `3.5 h`.
fn rounded(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 90.0 => format!("{} s", seconds.ceil()),
        seconds if seconds < 5400.0 => format!("{} min", (seconds / 60.0).ceil()),
        seconds => format!("{:.1} h", seconds / 3600.0),
    }
}

impl Observer for Progress {
    fn observe(&self, event: Event<'_>) {
        match event {
            Event::Preparing { studies } => {
                self.line(&format!("preparing {}", super::counted(studies, "study", "studies")));
            }
            Event::Decoded { side, done, total } => {
                let says = format!("{done} of {total} images");
                self.move_to(&format!("preparing {side} px"), (done, total), says);
            }
            Event::Prepared | Event::Audited => {}
            Event::Loaded { model } => self.line(&format!("{model}: ready")),
            Event::Damaged { entry } => {
                self.line(&format!("{} was damaged; computing again what it held", entry.display()));
            }
            Event::Step { model, done, total } => {
                let says = format!("step {done} of {total}");
                self.move_to(&format!("training {model}"), (done, total), says);
            }
            Event::Resumed { model, epochs } => {
                self.line(&format!("{model}: training resumes after epoch {epochs}, where it was stopped"));
            }
            Event::Epoch { model, epoch, epochs, loss, accuracy } => self.line(&format!(
                "{model}: epoch {epoch} of {epochs}, loss {loss:.3}, {:.1} % of the validation cases right",
                accuracy * 100.0
            )),
            Event::Standing { model, share, before } => {
                let (share, before) = (share * 100.0, before * 100.0);
                self.line(&format!("{model}: {share:.1} % of the validation cases right under attack"));
                // FGSM's training can lose all of its robustness in one epoch (Wong et al., 2020)
                if share < before / 2.0 {
                    self.line(&format!(
                        "{model}: this epoch lost the robustness of an earlier one ({before:.1} %), which is kept; train \
                         with more `steps`, without `fgsm`, or with a smaller `epsilon`"
                    ));
                }
            }
            Event::Tried { model, attack, cases } => {
                locked(&self.pace).tried += 1;
                if self.is_verbose {
                    let cases = super::counted(cases, "case", "cases");
                    self.line(&format!("{model} under {attack}: {cases}"));
                }
            }
            Event::Probed { model, done, total } => {
                self.move_to(&format!("checking {model}"), (done, total), format!("probe {done} of {total}"));
            }
            Event::Attacked { model, done, total } => self.attacked(model, done, total),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = locked(&self.bar).as_ref() {
            bar.bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_told_from_what_was_attacked_and_not_from_what_was_read() {
        let mut pace = Pace::default();
        // three chunks that were read
        for done in [16, 32, 48] {
            assert_eq!(pace.chunk("vision", done, 96), None);
        }
        pace.tried = 5;
        std::thread::sleep(Duration::from_millis(20));
        let (rate, left) = pace.chunk("vision", 64, 96).expect("known");
        assert!(rate <= 16.0 / 0.02, "{rate}");
        assert!(left >= Duration::from_millis(40), "{left:?}");
        // another model has another pace
        assert_eq!(pace.chunk("fusion", 16, 96), None);
    }

    #[test]
    fn times_are_said_as_one_says_them() {
        let said = |seconds: f64| rounded(Duration::from_secs_f64(seconds));
        assert_eq!([said(0.2), said(89.0), said(91.0), said(7200.0)], ["1 s", "89 s", "2 min", "2.0 h"]);
    }
}
