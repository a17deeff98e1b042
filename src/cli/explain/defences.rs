//! What `medcert explain` says of defences and certificates: the heads of their files.

/// A defence or a certificate.
pub(super) struct Guard {
    /// The word that explains it.
    pub(super) name: &'static str,
    /// The source file whose head documents it.
    pub(super) source: &'static str,
}

/// The defences of the key `defend`.
pub(super) const DEFENCES: [Guard; 4] = [
    Guard { name: "defence-smoothing", source: include_str!("../../lab/defend/smoothing.rs") },
    Guard { name: "defence-masking", source: include_str!("../../lab/defend/masking.rs") },
    Guard { name: "defence-squeeze", source: include_str!("../../lab/defend/squeeze.rs") },
    Guard { name: "defence-jpeg", source: include_str!("../../lab/defend/jpeg.rs") },
];

/// The certificates.
pub(super) const CERTIFICATES: [Guard; 5] = [
    Guard { name: "certificate-pixels", source: include_str!("../../lab/certify/gaussian.rs") },
    Guard { name: "certificate-words", source: include_str!("../../lab/certify/joint.rs") },
    Guard { name: "certificate-edits", source: include_str!("../../lab/certify/edits.rs") },
    Guard { name: "certificate-two-mask", source: include_str!("../../lab/certify/masking.rs") },
    Guard { name: "certificate-listing", source: include_str!("../../lab/certify/listing.rs") },
];

/// The source of a defence or a certificate.
pub(super) fn source(wanted: &str) -> Option<&'static str> {
    let found = DEFENCES.iter().chain(&CERTIFICATES).find(|guard| guard.name == wanted);
    found.map(|guard| guard.source)
}

/// The words of some of them.
pub(super) fn names(guards: &[Guard]) -> Vec<&'static str> {
    guards.iter().map(|guard| guard.name).collect()
}
