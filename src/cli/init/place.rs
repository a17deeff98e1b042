//! Where data and weights lie, as a spec may write it: below the spec, or below a root that the command line names.

use std::path::{Path, PathBuf};

/// A path in a spec, and the root that it starts from if that is not the spec's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) root: Option<PathBuf>,
}

impl Place {
    /// The place of `path` for a spec in `folder`; both start from the current folder.
    pub(super) fn of(path: &Path, folder: &Path) -> Self {
        let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let (target, here) = (whole(path), whole(Path::new(".")));
        let below = |root: &Path| target.strip_prefix(whole(root)).ok().map(written);
        if let Some(path) = below(folder) {
            return Self { path, root: None };
        }
        if let Some(path) = target.strip_prefix(&here).ok().map(written) {
            return Self { path, root: Some(PathBuf::from(".")) };
        }
        Self::below(&target, target.parent().unwrap_or(Path::new("/")))
    }

    /// The place of a file below a root; both start from the file system's root.
    pub(super) fn below(file: &Path, root: &Path) -> Self {
        let path = file.strip_prefix(root).map(written).unwrap_or_default();
        Self { path, root: Some(root.to_path_buf()) }
    }
}

/// A path as a spec writes it.
fn written(path: &Path) -> String {
    if path.as_os_str().is_empty() { ".".to_string() } else { path.display().to_string() }
}

/// Text as a YAML scalar of a line.
pub(super) fn scalar(text: &str) -> String {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !["true", "false", "yes", "no", "null", "on", "off", "y", "n"]
            .contains(&text.to_lowercase().as_str());
    if is_plain || text == "." { text.to_string() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::{Path, PathBuf, Place, scalar};

    #[test]
    fn a_path_starts_from_the_spec_the_current_folder_or_its_own() {
        let of = |path: &str, folder: &str| Place::of(Path::new(path), Path::new(folder));
        let place =
            |path: &str, root: Option<&str>| Place { path: path.into(), root: root.map(PathBuf::from) };
        assert_eq!(of("iu", "."), place("iu", None));
        assert_eq!(of(".", "."), place(".", None));
        assert_eq!(of("specs/iu", "specs"), place("iu", None));
        assert_eq!(of("data/iu", "specs"), place("data/iu", Some(".")));
        assert_eq!(of("/elsewhere/iu", "specs"), place("iu", Some("/elsewhere")));
    }

    #[test]
    fn words_that_yaml_takes_for_something_else_are_quoted() {
        let of = ["case", "a/b.csv", "no", "1", "chest films", "a: b", ".", ""].map(scalar);
        assert_eq!(of, ["case", "a/b.csv", "\"no\"", "\"1\"", "\"chest films\"", "\"a: b\"", ".", "\"\""]);
    }
}
