//! The kind of processor that computed evidence, as far as it may change the bits.

use super::RunFacts;

/// The kinds of processor that computed evidence, joined by ` + `.
pub fn processor_of(run: &RunFacts) -> String {
    let mut kinds: Vec<&str> = run.computed_by.iter().map(|machine| machine.processor.as_str()).collect();
    kinds.dedup(); // machines are in order, their processor first
    kinds.join(" + ")
}

/// The kind of processor, as far as it may change the bits of training: `x86_64 avx512 1a2b3c`. libtorch
/// chooses its kernels by instruction set, model and caches; where they can be read they are in the last part.
pub fn processor() -> String {
    #[cfg(target_arch = "x86_64")]
    let level = if std::is_x86_feature_detected!("avx512f") {
        " avx512"
    } else if std::is_x86_feature_detected!("avx2") {
        " avx2"
    } else {
        ""
    };
    #[cfg(not(target_arch = "x86_64"))]
    let level = "";
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut kind: Vec<&str> = about
        .lines()
        .filter(|line| {
            ["model name", "flags", "Features", "cache size", "CPU part"]
                .iter()
                .any(|key| line.starts_with(key))
        })
        .collect();
    kind.sort_unstable();
    kind.dedup();
    let kind = blake3::hash(kind.join("\n").as_bytes()).to_hex();
    format!("{}{level} {}", std::env::consts::ARCH, &kind[..6])
}
