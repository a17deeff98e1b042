//! How long each step took, for `--profile`: the time since the step before it ended, in whatever thread. It goes to
//! standard error and never into evidence, which holds no times.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::evidence::{Event, Observer};

/// An observer that passes every step on and notes how long it took.
pub struct Profile<'a> {
    inner: &'a dyn Observer,
    spent: Mutex<Spent>,
}

struct Spent {
    last: Instant,
    /// What was done, how often, and how long, in the order of the first time.
    steps: Vec<(String, u64, Duration)>,
}

impl<'a> Profile<'a> {
    /// Starts now.
    pub fn around(inner: &'a dyn Observer) -> Self {
        Self { inner, spent: Mutex::new(Spent { last: Instant::now(), steps: vec![] }) }
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What took longest first, with its share of the whole.
    pub fn render(&self) -> String {
        let mut spent = self.spent().steps.clone();
        let whole: Duration = spent.iter().map(|(_, _, took)| *took).sum();
        spent.sort_by_key(|step| std::cmp::Reverse(step.2));
        let mut text = format!("{:>10} {:>5}  {:>8}  step\n", "seconds", "%", "cases");
        for (what, count, took) in spent {
            let share = 100.0 * took.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
            let count = if count > 0 { count.to_string() } else { String::new() };
            let _ = writeln!(text, "{:>10.3} {share:>5.1}  {count:>8}  {what}", took.as_secs_f64());
        }
        let _ = writeln!(text, "{:>10.3} 100.0  {:>8}  total", whole.as_secs_f64(), "");
        text
    }
}

impl Observer for Profile<'_> {
    fn observe(&self, event: Event<'_>) {
        let (what, count) = match &event {
            Event::Preparing { .. } => ("reading the data".to_string(), 0),
            Event::Decoded { .. } | Event::Prepared => ("decoding or drawing images".to_string(), 0),
            Event::Loaded { model } => (format!("loading {model}"), 0),
            Event::Step { model, .. }
            | Event::Epoch { model, .. }
            | Event::Resumed { model, .. }
            | Event::Standing { model, .. } => (format!("training {model}"), 0),
            Event::Tried { model, attack, cases } => (format!("{model} under {attack}"), *cases as u64),
            Event::Attacked { .. } => ("asking again, and reading cached results".to_string(), 0),
            // it follows `Tried`, which has the time
            Event::Probed { .. } => return self.inner.observe(event),
            Event::Damaged { .. } => ("replacing damaged cache entries".to_string(), 0),
            Event::Audited => ("checking the data".to_string(), 0),
        };
        let mut spent = self.spent();
        let took = spent.last.elapsed();
        match spent.steps.iter_mut().find(|(known, ..)| *known == what) {
            Some((_, times, sum)) => (*times, *sum) = (*times + count, *sum + took),
            None => spent.steps.push((what, count, took)),
        }
        drop(spent);
        self.inner.observe(event);
        self.spent().last = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Silent;

    #[test]
    fn every_step_is_in_it_once_the_longest_first() {
        let profile = Profile::around(&Silent);
        profile.observe(Event::Preparing { studies: 3 });
        for attack in ["clean", "FGSM ε=0.1", "clean"] {
            std::thread::sleep(Duration::from_millis(if attack == "clean" { 1 } else { 20 }));
            profile.observe(Event::Tried { model: "vision", attack, cases: 16 });
        }
        let text = profile.render();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert!(lines[1].ends_with("16  vision under FGSM ε=0.1"), "{text}");
        assert!(lines[2].ends_with("32  vision under clean"), "{text}");
        assert!(lines[4].ends_with("total"), "{text}");
    }
}
