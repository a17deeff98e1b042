//! Which libtorch lies in a folder, read from the files beside it: no library is loaded for the answer.

use std::path::Path;

use crate::files::bounded_text;

/// The most bytes that a file with a version may hold.
const MOST_BYTES: u64 = 1 << 16;

/// The version of the libraries in a folder, such as `2.13.0`, without the part that names its build: as torch's `version.py` or a
/// libtorch's `build-version` says. The CUDA set keeps its libraries a folder deeper.
pub fn version(folder: &Path) -> Option<String> {
    let read = |name: &str| {
        let above = folder.ancestors().skip(1).take(2);
        above.map(|above| above.join(name)).find_map(|path| bounded_text(&path, MOST_BYTES).ok())
    };
    let of_torch = || {
        let text = read("version.py")?;
        let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
        Some(line.trim_matches(['\'', '"']).to_string())
    };
    let version = read("build-version").or_else(of_torch)?;
    Some(version.trim().split('+').next().unwrap_or_default().to_string())
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_version_is_found_in_every_layout() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("build-version"), "2.13.0\n").expect("written");
        for lib in ["lib", "torch/lib"] {
            assert_eq!(version(&root.path().join(lib)).as_deref(), Some("2.13.0"), "{lib}");
        }
        assert_eq!(version(&root.path().join("a/b/lib")), None);
        let torch = root.path().join("site-packages/torch");
        std::fs::create_dir_all(torch.join("lib")).expect("made");
        std::fs::write(torch.join("version.py"), "__version__ = '2.12.1+cu130'\ndebug = False\n")
            .expect("written");
        assert_eq!(version(&torch.join("lib")).as_deref(), Some("2.12.1"));
    }
}
