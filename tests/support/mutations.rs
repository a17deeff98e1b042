//! Damage for tests: single bits that flip, and the mutations of a fuzzer. Everything is drawn from a named stream, so
//! that a failure names the input that caused it.
#![allow(dead_code)] // each test program uses a part of it

use std::time::{Duration, Instant};

use medcert::random::{below, stream};

/// Bytes that readers tend to treat in their own way.
const ODD: [u8; 16] = [0, 1, 9, 10, 13, 32, 34, 39, 44, 45, 58, 91, 123, 127, 128, 255];
/// Texts that numbers, names and escapes are swapped for.
const ODD_TEXTS: [&str; 14] = [
    "-1",
    "1e309",
    "nan",
    "18446744073709551616",
    "0",
    "",
    "\u{feff}",
    "\u{202e}",
    "{",
    "]",
    "&a",
    "*a",
    "\"",
    "\\u0000",
];

/// The bytes with one bit flipped, chosen by the name.
pub fn flipped(bytes: &[u8], name: &str) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    let bit = below(&mut stream(&["flip", name]), bytes.len() * 8);
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

/// One of the samples after a few mutations, chosen by the name.
pub fn mutated(samples: &[Vec<u8>], name: &str) -> Vec<u8> {
    let mut rng = stream(&["mutate", name]);
    let mut bytes = samples[below(&mut rng, samples.len())].clone();
    for _ in 0..=below(&mut rng, 6) {
        let at = below(&mut rng, bytes.len() + 1);
        let end = (at + below(&mut rng, 24)).min(bytes.len());
        match below(&mut rng, 8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << below(&mut rng, 8),
            1 if at < bytes.len() => bytes[at] = ODD[below(&mut rng, ODD.len())],
            2 => bytes.insert(at, ODD[below(&mut rng, ODD.len())]),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let copied = bytes[at..end].to_vec();
                bytes.splice(at..at, copied);
            }
            5 => {
                let other = &samples[below(&mut rng, samples.len())];
                let from = below(&mut rng, other.len() + 1);
                let upto = (from + below(&mut rng, 40)).min(other.len());
                bytes.splice(at..end, other[from..upto].to_vec());
            }
            6 => bytes.truncate(at),
            _ => drop(bytes.splice(at..end, ODD_TEXTS[below(&mut rng, ODD_TEXTS.len())].bytes())),
        }
    }
    bytes
}

/// Tries of an input that seems slow: on a busy machine a process may wait for a second without being slow itself.
const TRIES: usize = 5;

/// Reads so many inputs, each within a time; an input that panics or takes longer is named and shown.
pub fn read_all(
    what: &str,
    inputs: usize,
    most: Duration,
    make: impl Fn(&str) -> Vec<u8>,
    read: impl Fn(&[u8]),
) {
    let mut slowest = Duration::ZERO;
    for number in 0..inputs {
        let input = make(&format!("{what} {number}"));
        let shown = String::from_utf8_lossy(&input[..input.len().min(4000)]);
        let mut took = Duration::MAX;
        for _ in 0..TRIES {
            let start = Instant::now();
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(&input)));
            took = took.min(start.elapsed());
            assert!(ended.is_ok(), "{what} {number} panics:\n{shown}");
            if took <= most {
                break;
            }
        }
        slowest = slowest.max(took);
        assert!(took <= most, "{what} {number} takes {took:?}:\n{shown}");
    }
    println!("{what}: {inputs} inputs, the slowest {slowest:?}, peak memory {} MiB", peak_mebibytes());
}

/// Most memory that the process has held; 0 where the system does not say.
pub fn peak_mebibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = peak.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kibibytes.unwrap_or(0) / 1024
}
