//! How medcert reads and writes files: a read takes a regular file of a stated size at most, and a write leaves the whole
//! file or none.
//!
//! A path in a spec may name anything: a FIFO would wait for ever and `/dev/zero` would fill the memory. Every reader
//! of a user's file therefore goes through [`bounded_read`], [`bounded_text`] or [`open_regular`]. They also refuse a file
//! whose content is elsewhere (see [`crate::placeholder`]).

use std::fs::{File, FileType, Metadata};
use std::io::{BufWriter, Error as IoError, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use crate::{Error, Result, placeholder};

/// The bytes of a regular file that holds at most `most` of them.
///
/// # Errors
/// The file is missing, of another kind or larger; the error says which, and
/// [`Error::unreadable`] adds the path and a remedy.
pub fn bounded_read(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let file = open_regular(path, most)?;
    let mut bytes = Vec::new();
    // the size that the system states is no promise: a file may grow while it is read, and /proc states 0
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_large(most));
    }
    Ok(bytes)
}

/// The text of a regular file that holds at most `most` bytes.
///
/// # Errors
/// As for [`bounded_read`], or the file is not UTF-8; the error names the first line that is not.
pub fn bounded_text(path: &Path, most: u64) -> std::io::Result<String> {
    String::from_utf8(bounded_read(path, most)?).map_err(|why| {
        let sound = &why.as_bytes()[..why.utf8_error().valid_up_to()];
        let line = sound.iter().filter(|byte| **byte == b'\n').count() + 1;
        IoError::new(ErrorKind::InvalidData, format!("it is not UTF-8 at line {line}"))
    })
}

/// Opens a regular file that holds at most `most` bytes.
///
/// # Errors
/// The file is missing, of another kind, larger, or a placeholder.
pub fn open_regular(path: &Path, most: u64) -> std::io::Result<File> {
    // before it is opened, because opening a FIFO waits for somebody who writes into it
    check(
        &std::fs::metadata(path).map_err(|why| placeholder::absent(path).map_or(why, IoError::from))?,
        most,
    )?;
    let mut file = File::open(path)?;
    // and after, because another file may have taken its name
    check(&file.metadata()?, most)?;
    let mut start = Vec::new();
    file.by_ref().take(placeholder::START).read_to_end(&mut start)?;
    if let Some(found) = placeholder::recognise(&start) {
        return Err(found.into());
    }
    file.rewind()?;
    Ok(file)
}

fn check(about: &Metadata, most: u64) -> std::io::Result<()> {
    if !about.is_file() {
        let kind = kind_of(about.file_type());
        return Err(IoError::new(ErrorKind::InvalidInput, format!("it is {kind}, not a regular file")));
    }
    if about.len() > most { Err(too_large(most)) } else { Ok(()) }
}

fn too_large(most: u64) -> IoError {
    IoError::new(ErrorKind::FileTooLarge, format!("it is larger than {}, the most that is read", size(most)))
}

/// A limit in words; limits are whole units.
fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(unix)]
fn kind_of(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() || kind.is_block_device() {
        "a device"
    } else {
        "of an unknown kind"
    }
}

#[cfg(not(unix))]
fn kind_of(kind: FileType) -> &'static str {
    if kind.is_dir() { "a folder" } else { "of an unknown kind" }
}

/// Writes a file under a temporary name in its folder, which is made if need be, and renames it: a reader sees all of it
/// or none, and what the file held before stays until then.
///
/// # Errors
/// The file cannot be written.
pub fn write_whole(
    path: &Path,
    print: impl FnOnce(&mut BufWriter<tempfile::NamedTempFile>) -> std::io::Result<()>,
) -> Result<()> {
    replace(path, print, |file| file.as_file().sync_all())
}

/// As [`write_whole`], but without waiting for the disk. For sealed entries of the cache: one that a crash tears fails its
/// seal, and there may be thousands of them.
///
/// # Errors
/// The file cannot be written.
pub fn write_soon(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, |file| std::io::Write::write_all(file, bytes), |_| Ok(()))
}

fn replace(
    path: &Path,
    print: impl FnOnce(&mut BufWriter<tempfile::NamedTempFile>) -> std::io::Result<()>,
    settle: impl FnOnce(&tempfile::NamedTempFile) -> std::io::Result<()>,
) -> Result<()> {
    let failed = |why: IoError| Error::unwritable(path, &why);
    let folder = folder_of(path);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let mut file = BufWriter::new(temporary(&folder).map_err(failed)?);
    print(&mut file).map_err(failed)?;
    let file = file.into_inner().map_err(|broken| failed(broken.into_error()))?;
    settle(&file).map_err(failed)?;
    file.persist(path).map_err(|broken| failed(broken.error))?;
    Ok(())
}

/// The folder of a file; `.` where the path names none.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// A file under a temporary name, with the rights that a plainly created file would have.
fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".medcert-");
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        // the process's umask takes its bits from these, as for a file that is created plainly
        builder.permissions(std::fs::Permissions::from_mode(0o666))
    };
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 2048]).expect("written");
        assert_eq!(bounded_read(&path, 2048).expect("read").len(), 2048);
        let why = bounded_read(&path, 2047).expect_err("too large");
        assert_eq!(why.to_string(), "it is larger than 2047 bytes, the most that is read");
        let why = bounded_read(&path, 1024).expect_err("too large");
        assert_eq!(why.to_string(), "it is larger than 1 KiB, the most that is read");
        let why = bounded_read(folder.path(), 10).expect_err("a folder");
        assert_eq!(why.to_string(), "it is a folder, not a regular file");
        assert_eq!(
            bounded_read(&folder.path().join("none"), 10).expect_err("none").kind(),
            ErrorKind::NotFound
        );
        std::fs::write(&path, b"fine\nnot \xff").expect("written");
        assert_eq!(bounded_text(&path, 99).expect_err("bytes").to_string(), "it is not UTF-8 at line 2");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_and_fifos_are_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success());
        assert_eq!(
            bounded_read(&path, 10).expect_err("a FIFO").to_string(),
            "it is a FIFO, not a regular file"
        );
        let zero = bounded_read(Path::new("/dev/zero"), 10).expect_err("a device");
        assert_eq!(zero.to_string(), "it is a device, not a regular file");
        // it states the size 0 and holds more
        let why = bounded_read(Path::new("/proc/cpuinfo"), 10).expect_err("too large");
        assert_eq!(why.kind(), ErrorKind::FileTooLarge);
    }
}
