//! What lies in a file's place while its content is elsewhere: a pointer of Git LFS or git-annex, the note of DVC
//! beside a file that was not fetched, or the sign-in page that a web server sent instead.
//!
//! Formats: the Git LFS specification (`docs/spec.md` of git-lfs), git-annex's pointer files and its links into
//! `.git/annex/objects` (git-annex.branchable.com/internals/pointer_file), DVC's `.dvc` files (dvc.org/doc).

use std::fmt;
use std::path::Path;

/// Bytes at the start of a file that are enough to recognise a placeholder.
pub(crate) const START: u64 = 1024;

/// What lies in a file's place, and how its content is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placeholder {
    what: &'static str,
    remedy: &'static str,
}

impl fmt::Display for Placeholder {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}; {}", self.what, self.remedy)
    }
}

impl std::error::Error for Placeholder {}

impl From<Placeholder> for std::io::Error {
    fn from(found: Placeholder) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, found)
    }
}

/// What a file is instead of its content, if its first bytes are those of a placeholder; [`START`] bytes are enough.
pub fn recognise(start: &[u8]) -> Option<Placeholder> {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let begins =
        |word: &str| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()));
    // the second is what the first releases of Git LFS wrote
    if begins("version https://git-lfs.github.com/spec/") || begins("version https://hawser.github.com/spec/")
    {
        let what = "it is a pointer of Git LFS, and its content is not here";
        return Some(Placeholder { what, remedy: "fetch it with `git lfs pull`" });
    }
    if is_annex(text) {
        return Some(ANNEX);
    }
    let is_page = ["<!doctype html", "<html", "<head", "<body"].iter().any(|word| begins(word));
    // what object stores send to whom they do not know
    let is_refusal = begins("<?xml") && text.windows(7).any(|bytes| bytes == b"<Error>");
    (is_page || is_refusal).then_some(Placeholder {
        what: "it is a web page, such as a server sends when a sign-in is missing",
        remedy: "sign in and download the file again",
    })
}

/// What lies in the place of a file that cannot be found; None if nothing hints at its content.
pub fn absent(path: &Path) -> Option<Placeholder> {
    if path.exists() {
        return None;
    }
    let link = std::fs::read_link(path).ok();
    if link.is_some_and(|target| is_annex(target.to_string_lossy().as_bytes())) {
        return Some(ANNEX);
    }
    let mut note = path.as_os_str().to_owned();
    note.push(".dvc");
    Path::new(&note).is_file().then_some(Placeholder {
        what: "it is tracked by DVC, and its content is not here",
        remedy: "fetch it with `dvc pull`",
    })
}

const ANNEX: Placeholder = Placeholder {
    what: "it is a pointer of git-annex, and its content is not here",
    remedy: "fetch it with `git annex get .` (in DataLad `datalad get .`)",
};

/// Whether a link's target, or the text of a pointer, names an object of git-annex.
fn is_annex(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |word: &[u8]| line.windows(word.len()).any(|bytes| bytes == word);
    let is_text = line.iter().all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace());
    is_text && (line.starts_with(b"/annex/objects/") || has(b".git/annex/objects/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_and_pages_are_recognised_and_files_are_not() {
        let said = |start: &[u8]| recognise(start).map(|found| found.to_string());
        for (start, remedy) in [
            (
                &b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"[..],
                "git lfs pull",
            ),
            (b"/annex/objects/SHA256E-s31390--f50d7ac.png\n", "git annex get"),
            (b"../.git/annex/objects/Kj/0x/SHA256E-s31390--f50d7ac.png", "datalad get"),
            (b"\xef\xbb\xbf\n<!DOCTYPE html>\n<html><title>Sign in</title>", "sign in"),
            (b"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", "sign in"),
        ] {
            let why = said(start).expect("a placeholder");
            assert!(why.contains(remedy), "{why}");
        }
        for start in [
            &b""[..],
            b"\x89PNG\r\n",
            b"case,patient,label\n1,2,0\n",
            b"path\n.git/annex.txt\n",
            b"{\"model_type\": \"bert\"}",
            b"<?xml version=\"1.0\"?><svg/>",
        ] {
            assert_eq!(said(start), None, "{start:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_without_its_object_and_a_note_of_dvc_say_how_to_fetch() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink(".git/annex/objects/K/x/SHA256E-s1--ab.png", at("a.png")).expect("a link");
        std::fs::write(at("b.png.dvc"), "outs:\n- md5: ab\n  path: b.png\n").expect("written");
        let said = |name: &str| absent(&at(name)).map(|found| found.to_string()).unwrap_or_default();
        assert!(said("a.png").contains("git annex get"), "{}", said("a.png"));
        assert!(said("b.png").contains("dvc pull"), "{}", said("b.png"));
        assert_eq!(said("c.png"), "");
    }
}
