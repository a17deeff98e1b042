//! Collects everything that is wrong with a file, for one message.

use std::collections::BTreeMap;

use super::operators::Refusal;

/// Limit on the faults that a message lists.
const MOST_SHOWN: usize = 20;

/// The faults of a file, each once, with the number of times that it occurs.
#[derive(Debug, Default)]
pub(super) struct Faults(BTreeMap<Refusal, usize>);

impl Faults {
    pub(super) fn add(&mut self, what: &str, remedy: &str) {
        *self.0.entry(Refusal::new(what, remedy)).or_default() += 1;
    }

    /// Returns an error that lists the faults, if there are any.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        let lines = self.0.iter().take(MOST_SHOWN).map(|(Refusal { what, remedy }, times)| {
            let times = if *times > 1 { format!(" ({times} times)") } else { String::new() };
            format!("\n- it {what}{times}; {remedy}")
        });
        let left = self.0.len().saturating_sub(MOST_SHOWN);
        let more = if left > 0 { format!("\n- and {left} more faults") } else { String::new() };
        Err(format!("cannot be used:{}{more}", lines.collect::<String>()))
    }
}
