//! What lies in a file's place while its content is elsewhere: a pointer of Git LFS or git-annex, the note of DVC
//! beside a file that was not fetched, or the sign-in page that a web server sent instead.
//!
//! Formats: the Git LFS specification (`docs/spec.md` of git-lfs), git-annex's pointer files and its links into
//! `.git/annex/objects` (git-annex.branchable.com/internals/pointer_file), DVC's `.dvc` files (dvc.org/doc).

use std::io::Read;
use std::path::Path;

use crate::{Error, Result};

/// Bytes at the start of a file that are enough to recognise a placeholder.
pub const START: usize = 1024;

/// Refuses a file whose content starts like a placeholder. `start` is the beginning of the file, [`START`] bytes or
/// as many as it has; more do no harm.
///
/// # Errors
/// It is one; the message names the file, what lies there and how to fetch the content.
pub fn check(path: &Path, start: &[u8]) -> Result<()> {
    let Some((what, remedy)) = recognise(&start[..start.len().min(START)]) else { return Ok(()) };
    Err(Error::Input(format!("{} holds {what} instead of its content; {remedy}", path.display())))
}

/// Refuses a file that is a placeholder, or is not there while its placeholder is. What else is wrong with it is left to
/// its reader.
///
/// # Errors
/// As for [`check`].
pub fn check_file(path: &Path) -> Result<()> {
    if let Some(fault) = absent(path) {
        return Err(fault);
    }
    let mut start = Vec::new();
    let file = if path.is_file() { std::fs::File::open(path).ok() } else { None };
    if file.is_some_and(|file| file.take(START as u64).read_to_end(&mut start).is_ok()) {
        return check(path, &start);
    }
    Ok(())
}

/// What lies in the place of a file that cannot be found; None if nothing hints at its content.
pub fn absent(path: &Path) -> Option<Error> {
    let link = std::fs::read_link(path).ok().filter(|_| !path.exists());
    let is_annexed = link.is_some_and(|target| is_annex(target.to_string_lossy().as_bytes()));
    let mut note = path.as_os_str().to_owned();
    note.push(".dvc");
    let (what, remedy) = if is_annexed {
        ("is a link of git-annex, and its content is not here", ANNEX)
    } else if !path.exists() && Path::new(&note).is_file() {
        ("is tracked by DVC, and its content is not here", "fetch it with `dvc pull`")
    } else {
        return None;
    };
    Some(Error::Input(format!("{} {what}; {remedy}", path.display())))
}

const ANNEX: &str = "fetch it with `git annex get .` (in DataLad `datalad get .`)";

/// What a file starts like, and the remedy.
fn recognise(start: &[u8]) -> Option<(&'static str, &'static str)> {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let begins =
        |word: &str| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()));
    // the second is what the first releases of Git LFS wrote
    if begins("version https://git-lfs.github.com/spec/") || begins("version https://hawser.github.com/spec/")
    {
        return Some(("a pointer of Git LFS", "fetch it with `git lfs pull`"));
    }
    if is_annex(text) {
        return Some(("a pointer of git-annex", ANNEX));
    }
    let is_page = ["<!doctype html", "<html", "<head", "<body"].iter().any(|word| begins(word));
    // what object stores send to whom they do not know
    let is_refusal = begins("<?xml") && text.windows(7).any(|bytes| bytes == b"<Error>");
    (is_page || is_refusal).then_some((
        "a web page, such as a server sends when a sign-in is missing,",
        "sign in and download the file again",
    ))
}

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
        let said = |start: &[u8]| check(Path::new("a.png"), start).err().map(|error| error.to_string());
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
            assert!(why.starts_with("a.png holds") && why.contains(remedy), "{why}");
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
        let said = |name: &str| absent(&at(name)).map(|error| error.to_string()).unwrap_or_default();
        assert!(said("a.png").contains("git annex get"), "{}", said("a.png"));
        assert!(said("b.png").contains("dvc pull"), "{}", said("b.png"));
        assert_eq!(said("c.png"), "");
    }
}
