//! Everything that is wrong with a file, for one message.

use std::collections::BTreeMap;

use crate::graph::operators::Refusal;

/// Faults that a message lists.
const MOST_SHOWN: usize = 20;

/// What is wrong with a file, each fault once, with the number of times.
#[derive(Debug, Default)]
pub(super) struct Faults(BTreeMap<Refusal, usize>);

impl Faults {
    pub(super) fn add(&mut self, what: &str, remedy: &str) {
        *self.0.entry(Refusal::new(what, remedy)).or_default() += 1;
    }

    /// An error that lists them, if there are any.
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
