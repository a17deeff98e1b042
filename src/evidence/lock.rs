//! Lets only one run at a time compute the same question in the same folder. A second run would compute the same
//! again, so it waits and reports who holds the lock. The operating system releases the lock when its holder ends,
//! however it ends.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::{Error, Result};

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "its lock goes when it is closed")] File);

impl Lock {
    /// Takes the lock of a file, which is created if it is missing and names its holder. If somebody else holds the
    /// lock, `waits` is called with the holder's name first. None where the file system has no locks: then two runs
    /// do the same work twice, which is harmless.
    ///
    /// # Errors
    /// The file cannot be created, or waiting for the lock fails.
    pub fn hold(path: &Path, holder: &str, waits: impl FnOnce(&str)) -> Result<Option<Self>> {
        let failed = |why: std::io::Error| Error::unwritable(path, &why);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut other = String::new();
                let _ = (&file).take(1000).read_to_string(&mut other);
                waits(other.trim());
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(_)) => return Ok(None),
        }
        // the name is only for people to read, so it does not matter if it cannot be written
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
        Ok(Some(Self(file)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn the_second_waits_and_is_told_for_whom() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/run.lock");
        let first = Lock::hold(&path, "process 7", |_| panic!("nobody holds it")).expect("a lock");
        let (tell, told) = channel();
        let there = path.clone();
        let second = std::thread::spawn(move || {
            let lock = Lock::hold(&there, "process 8", |holder| tell.send(holder.to_string()).expect("sent"));
            lock.expect("a lock").is_some()
        });
        assert_eq!(told.recv().expect("told"), "process 7");
        assert!(!second.is_finished(), "it waits");
        drop(first);
        assert!(second.join().expect("ended"));
        assert_eq!(std::fs::read_to_string(path).expect("read"), "process 8");
    }
}
