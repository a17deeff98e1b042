//! The archive of a bundle: a plain POSIX ustar file (IEEE Std 1003.1) that `tar -xf` unpacks. It has no times,
//! owners or compression, so that equal contents give equal bytes. An archive is accepted only if writing its
//! contents again gives the same bytes, so nothing can hide in a header, in padding or after the end.

use std::io::Read;

use super::File;

/// The most bytes that an archive may hold (1 GiB).
pub const MOST_BYTES: u64 = 1 << 30;
/// The most files that an archive may hold.
const MOST_FILES: usize = 64;

/// Writes an archive.
///
/// # Errors
/// A name is too long for the format, or otherwise not allowed in it.
pub fn write(files: &[File]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for File { name, bytes } in files {
        let mut header = tar::Header::new_ustar();
        header.set_path(name)?;
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        header.set_mtime(0);
        header.set_cksum();
        archive.append(&header, bytes.as_slice())?;
    }
    archive.into_inner()
}

/// Reads the files of an archive, in their order.
///
/// # Errors
/// The bytes are not what [`write`] writes; the message says why.
pub fn read(bytes: &[u8]) -> Result<Vec<File>, String> {
    let broken = |why: std::io::Error| format!("it is no archive of a bundle: {why}");
    let mut archive = tar::Archive::new(bytes);
    let mut files: Vec<File> = Vec::new();
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8(entry.path_bytes().to_vec()).map_err(|_| "a name in it is not UTF-8")?;
        if files.len() == MOST_FILES {
            return Err(format!("it holds more than {MOST_FILES} files"));
        }
        if files.iter().any(|file| file.name == name) {
            return Err(format!("it holds {name} twice"));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(broken)?;
        files.push(File { name, bytes });
    }
    match write(&files) {
        Ok(again) if again == bytes => Ok(files),
        Ok(_) => {
            Err("it has bytes that `medcert bundle` does not write (a header, padding or its end)".into())
        }
        Err(why) => Err(broken(why)),
    }
}
