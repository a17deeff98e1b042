//! How far the work is, on standard error: a bar a phase on a terminal, a line an epoch elsewhere.

use std::cell::RefCell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::evidence::{Event, Observer};

/// Tells a person.
#[derive(Debug)]
pub struct Progress {
    is_terminal: bool,
    bar: RefCell<Option<Bar>>,
}

#[derive(Debug)]
struct Bar {
    phase: String,
    bar: ProgressBar,
}

impl Progress {
    /// Bars if standard error is a terminal, else lines.
    pub fn new() -> Self {
        Self { is_terminal: std::io::IsTerminal::is_terminal(&std::io::stderr()), bar: RefCell::new(None) }
    }

    fn line(&self, text: &str) {
        let text = super::plain(text);
        match self.bar.borrow().as_ref() {
            Some(bar) if self.is_terminal => bar.bar.println(&text),
            _ => eprintln!("{text}"),
        }
    }

    /// Moves the bar of a phase, which is made if it is new.
    fn move_to(&self, phase: &str, done: u64, total: u64) {
        if !self.is_terminal {
            return;
        }
        let mut slot = self.bar.borrow_mut();
        if slot.as_ref().is_none_or(|bar| bar.phase != phase) {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template(
                "{prefix:<24} {bar:24} {percent:>3} %  {elapsed} so far, {eta} left",
            );
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(super::plain(phase));
            bar.enable_steady_tick(Duration::from_millis(500));
            if let Some(old) = slot.replace(Bar { phase: phase.to_string(), bar }) {
                old.bar.finish_and_clear();
            }
        }
        if let Some(bar) = slot.as_ref() {
            bar.bar.set_position(done);
            if done == total {
                bar.bar.finish_and_clear();
            }
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Progress {
    fn observe(&self, event: Event<'_>) {
        match event {
            Event::Preparing { studies } => {
                self.line(&format!("preparing {}", super::counted(studies, "study", "studies")));
            }
            Event::Loaded { model } => self.line(&format!("{model}: weights loaded")),
            Event::Step { model, done, total } => self.move_to(&format!("training {model}"), done, total),
            Event::Epoch { model, epoch, epochs, loss, accuracy } => self.line(&format!(
                "{model}: epoch {epoch} of {epochs}, loss {loss:.3}, {:.1} % of the validation cases right",
                accuracy * 100.0
            )),
            Event::Attacked { model, done, total } => {
                self.move_to(&format!("attacking {model}"), done, total);
                if done == total && !self.is_terminal {
                    self.line(&format!(
                        "{model}: {} attacked",
                        super::counted(total as usize, "case", "cases")
                    ));
                }
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.borrow().as_ref() {
            bar.bar.finish_and_clear();
        }
    }
}
