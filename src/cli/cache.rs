//! `medcert cache`: shows what is cached between runs, and trims it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;

use super::{cache_folder, write_out};
use crate::{Error, Result};

/// The parts of the cache folder, and what each is for.
const PARTS: [(&str, &str); 4] = [
    ("evidence/pieces", "results of chunks; deleting them makes the next run attack again"),
    ("evidence", "the last evidence of each spec, which `medcert accept` reads"),
    ("models", "trained models; deleting them makes the next run train again"),
    ("images", "decoded and drawn images"),
];

/// Show what is cached between runs, and trim it
#[derive(Debug, Args)]
pub(super) struct Cache {
    /// Folder for trained models, decoded images and evidence [default: ~/.cache/medcert]
    #[arg(long, value_name = "FOLDER", env = "MEDCERT_CACHE")]
    cache: Option<PathBuf>,
    /// Delete chunk results older than this many days
    #[arg(long, value_name = "DAYS")]
    trim: Option<u64>,
}

/// A file with its size and age.
struct Kept {
    path: PathBuf,
    bytes: u64,
    written: SystemTime,
}

impl Cache {
    pub(super) fn run(&self) -> Result<u8> {
        let folder = cache_folder(self.cache.as_deref())?;
        if let Some(days) = self.trim {
            write_out(&trim(&folder, Duration::from_secs(days.saturating_mul(86_400)))?)?;
        }
        write_out(&show(&folder))?;
        Ok(0)
    }
}

fn show(folder: &Path) -> String {
    let line = |(part, what): (&str, &str)| {
        let mut files = files(&folder.join(part));
        if part == "evidence" {
            files.retain(|file| !file.path.starts_with(folder.join("evidence/pieces")));
        }
        let bytes: u64 = files.iter().map(|file| file.bytes).sum();
        format!("{part:<16} {:>6} files {:>8.1} MB  {what}\n", files.len(), bytes as f64 / 1e6)
    };
    let lines: String = PARTS.into_iter().map(line).collect();
    format!("{}\n{lines}", folder.display())
}

/// Removes pieces that are older.
fn trim(folder: &Path, age: Duration) -> Result<String> {
    let now = SystemTime::now();
    let is_old = |file: &Kept| now.duration_since(file.written).is_ok_and(|since| since >= age);
    let (mut count, mut bytes) = (0, 0);
    for file in files(&folder.join(PARTS[0].0)).into_iter().filter(is_old) {
        std::fs::remove_file(&file.path).map_err(|why| Error::unwritable(&file.path, &why))?;
        (count, bytes) = (count + 1, bytes + file.bytes);
    }
    Ok(format!("deleted {count} chunk results, {:.1} MB\n", bytes as f64 / 1e6))
}

/// Every file below a folder; none if it is not there.
fn files(folder: &Path) -> Vec<Kept> {
    let Ok(entries) = std::fs::read_dir(folder) else { return vec![] };
    let kept = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.ok()?;
        let about = entry.metadata().ok()?;
        if about.is_dir() {
            return Some(files(&entry.path()));
        }
        Some(vec![Kept { path: entry.path(), bytes: about.len(), written: about.modified().ok()? }])
    };
    entries.filter_map(kept).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_goes_and_what_is_not_a_piece_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in
            ["evidence/pieces/ab/old.json", "evidence/pieces/cd/new.json", "evidence/a.json", "models/m"]
        {
            std::fs::create_dir_all(at(name).parent().expect("a folder")).expect("made");
            std::fs::write(at(name), "12345").expect("written");
        }
        let old = SystemTime::now() - Duration::from_hours(240);
        let file =
            std::fs::File::options().write(true).open(at("evidence/pieces/ab/old.json")).expect("open");
        file.set_modified(old).expect("aged");
        assert_eq!(
            trim(folder.path(), Duration::from_hours(216)).expect("trimmed"),
            "deleted 1 chunk results, 0.0 MB\n"
        );
        assert!(!at("evidence/pieces/ab/old.json").exists());
        assert!(at("evidence/pieces/cd/new.json").exists() && at("evidence/a.json").exists());
        let shown = show(folder.path());
        assert!(
            shown.contains("evidence/pieces       1 files")
                && shown.contains("evidence              1 files"),
            "{shown}"
        );
        assert!(show(Path::new("nowhere")).contains("0 files"));
    }
}
