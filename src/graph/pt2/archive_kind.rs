//! Checks that an archive was written by torch.export, and that no part holds code or pickles.

use super::EXPORT;
use crate::graph::archive::Archive;
use crate::graph::faults::Faults;

/// Adds a fault if the archive is of another kind, or has parts that hold code or pickles.
pub(super) fn check(archive: &Archive<'_>, faults: &mut Faults) {
    let names: Vec<&str> = archive.names().collect();
    if names.iter().any(|name| name.starts_with("code/")) || archive.has("constants.pkl") {
        faults.add("is a TorchScript module", &format!("use `torchscript:` for it, or {EXPORT}"));
        return;
    }
    if archive.has("data.pkl") {
        let remedy = format!("load it in Python where you trust it, then {EXPORT}");
        faults.add("is a pickle of PyTorch, which can run code when it is read", &remedy);
        return;
    }
    if names.iter().any(|name| name.starts_with("serialized_")) {
        faults.add(
            "holds pickled weights, as PyTorch 2.8 and earlier wrote them",
            "save it again with PyTorch 2.9 or later",
        );
        return;
    }
    let is = |name: &str, wanted: &[u8]| archive.read(name).is_some_and(|text| text.trim_ascii() == wanted);
    if !is("archive_format", b"pt2") || !is("archive_version", b"0") {
        faults.add(
            "is no archive of torch.export, or one of another version",
            &format!("save it with PyTorch 2.9 to 2.13: {EXPORT}"),
        );
        return;
    }
    if !is("byteorder", b"little") {
        faults.add("was written with the highest byte first", "save it again on an x86 or ARM machine");
    }
    if names.iter().any(|name| name.starts_with("data/aotinductor/")) {
        faults.add(
            "holds compiled code (data/aotinductor)",
            "save the exported program itself, not the package of AOTInductor",
        );
    }
    if names.iter().filter(|name| name.starts_with("models/")).count() > 1 {
        faults.add("holds several models", "save each in a file of its own");
    }
    let custom = |name: &&str| name.starts_with("data/constants/") && name.contains("obj_");
    if let Some(name) = names.iter().find(|name| custom(name)) {
        faults.add(&format!("holds a pickled object ({name})"), "export the model without custom objects");
    }
}
