//! The decoded images of a data set at one size. Small sets are in memory. Large sets are in a file in the cache's
//! folder, from which a chunk's images are read just before a model sees them, so a run over many images needs no
//! more memory than a run over few. The file has no name and disappears with the process.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::{Error, Result};

/// Limit on the bytes of images in memory (64 MiB): 650 pairs of views at 224 pixels a side.
const MOST_IN_MEMORY: u64 = 64 << 20;

/// Takes the bytes of the next image.
type Put<'p> = &'p mut dyn FnMut(&[u8]) -> Result<()>;

/// The images of studies, with the same number of bytes each.
#[derive(Debug)]
pub(super) struct ImageStore {
    /// Bytes of a study's images.
    length: usize,
    held: Held,
}

#[derive(Debug)]
enum Held {
    Memory(Vec<u8>),
    /// Behind a lock, because reading moves the file's position.
    Disk(Mutex<File>),
}

impl ImageStore {
    /// Stores the images of so many studies, `length` bytes each, where there is room for them; `fill` writes them one after
    /// the other.
    ///
    /// # Errors
    /// The disk is full, or `fill` fails.
    pub(super) fn filled(
        length: usize,
        studies: usize,
        folder: &Path,
        fill: impl FnOnce(Put<'_>) -> Result<()>,
    ) -> Result<Self> {
        let bytes = length as u64 * studies as u64;
        if bytes <= MOST_IN_MEMORY {
            Self::in_memory(length, bytes as usize, fill)
        } else {
            Self::on_disk(length, folder, fill)
        }
    }

    fn in_memory(length: usize, all: usize, fill: impl FnOnce(Put<'_>) -> Result<()>) -> Result<Self> {
        let mut held = Vec::with_capacity(all);
        fill(&mut |bytes| {
            held.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(Self { length, held: Held::Memory(held) })
    }

    /// Stores images on disk, in a file without a name in `folder`.
    fn on_disk(length: usize, folder: &Path, fill: impl FnOnce(Put<'_>) -> Result<()>) -> Result<Self> {
        let failed = |why: std::io::Error| Error::unwritable(folder, &why);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut file = BufWriter::new(tempfile::tempfile_in(folder).map_err(failed)?);
        fill(&mut |bytes| file.write_all(bytes).map_err(failed))?;
        let file = file.into_inner().map_err(|broken| failed(broken.into_error()))?;
        Ok(Self { length, held: Held::Disk(Mutex::new(file)) })
    }

    /// The images of a study.
    ///
    /// # Errors
    /// There is no such study, which is a bug, or the disk fails.
    pub(super) fn get(&self, index: usize) -> Result<Cow<'_, [u8]>> {
        let missing = || Error::Bug(format!("no image {index} was prepared"));
        match &self.held {
            Held::Memory(bytes) => {
                let found = bytes.get(index * self.length..(index + 1) * self.length);
                found.map(Cow::from).ok_or_else(missing)
            }
            Held::Disk(file) => {
                // a thread that panicked with the lock can only have moved the file's position
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let mut bytes = vec![0; self.length];
                let read = file.seek(SeekFrom::Start((index * self.length) as u64));
                let read = read.and_then(|_| file.read_exact(&mut bytes));
                read.map_err(|why| {
                    Error::Resource(format!("the prepared images cannot be read again: {why}"))
                })?;
                Ok(bytes.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_on_disk_are_those_in_memory() {
        let folder = tempfile::tempdir().expect("a folder");
        let bytes: Vec<u8> = (0..60).collect();
        let stores = [
            ImageStore::in_memory(6, 60, |put| bytes.chunks(12).try_for_each(put)).expect("stored"),
            ImageStore::on_disk(6, folder.path(), |put| bytes.chunks(12).try_for_each(put)).expect("written"),
        ];
        for index in [9, 0, 4, 4] {
            let [memory, disk] = stores.each_ref().map(|store| store.get(index).expect("an image").to_vec());
            assert_eq!(memory, disk);
            assert_eq!(memory, bytes[index * 6..index * 6 + 6]);
        }
        assert!(stores.iter().all(|store| store.get(10).is_err()));
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "the file has no name");
    }
}
