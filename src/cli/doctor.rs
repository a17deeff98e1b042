//! `medcert doctor`: shows libtorch, devices, threads and folders, and how to fix what is missing.

use std::path::Path;

use clap::Args;

use super::{Places, cache_folder, write_out};
use crate::Result;
use crate::evidence::processor;
use crate::lab::settings::{self, Library};

/// Show libtorch, devices, threads and folders, and how to fix what is missing
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    places: Places,
}

impl Doctor {
    /// The exit code is 0 if all is well, 5 if libtorch or a folder is unusable.
    pub(super) fn run(&self) -> Result<u8> {
        let cache = cache_folder(self.places.cache.as_deref())?;
        let weights = self.places.weights_folder(&cache);
        let (cuda, broken) = cuda(&settings::library(), settings::devices(), has_driver());
        let library = settings::library();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let writable = writable(&cache);
        let unusable =
            if writable { "" } else { "; not writable: choose another folder with --cache or MEDCERT_CACHE" };
        let gpus: Vec<String> = (0..settings::devices()).map(settings::gpu_name).collect();
        let cuda = if gpus.is_empty() { cuda } else { format!("{cuda} ({})", gpus.join(", ")) };
        let lines = [
            ("libtorch", format!("{} in {}", library.version, library.folder)),
            ("cuda", cuda),
            ("threads", format!("{threads}")),
            ("kernels", settings::instruction_set()),
            (
                "processor",
                format!("{} (snapshots accepted on this kind are compared case by case)", processor()),
            ),
            ("cache", format!("{}: {}{unusable}", cache.display(), contents(&cache))),
            ("weights", format!("{}: {}", weights.display(), names(&weights))),
        ];
        for (what, found) in lines {
            write_out(&format!("{what:<10} {found}\n"))?;
        }
        Ok(if broken || !writable { 5 } else { 0 })
    }
}

/// Whether the kernel has an NVIDIA driver.
fn has_driver() -> bool {
    Path::new("/proc/driver/nvidia/version").exists()
}

/// The state of CUDA in words, and whether something is broken.
fn cuda(library: &Library, devices: usize, driver: bool) -> (String, bool) {
    match (library.has_cuda, library.cuda_is_loaded, devices, driver) {
        (false, _, _, false) => ("no: this libtorch is for the CPU, and there is no NVIDIA driver".into(), false),
        (false, _, _, true) => (
            "no: there is an NVIDIA driver, but this libtorch is for the CPU; run `ci/libtorch --cuda`, then rebuild"
                .into(),
            true,
        ),
        (true, false, _, false) => ("not loaded: there is no NVIDIA driver, so the CPU is used".into(), false),
        (true, false, _, true) => (
            "dropped at link: this libtorch supports CUDA but the program does not load it; rebuild with this \
             repository's build.rs (it passes --no-as-needed) and without other linker flags"
                .into(),
            true,
        ),
        (true, true, 0, true) => (
            "loaded, but no GPU answers: run `nvidia-smi`; the driver may be too old for CUDA 13, or \
             CUDA_VISIBLE_DEVICES may hide the GPUs"
                .into(),
            true,
        ),
        (true, true, 0, false) => ("loaded; there is no NVIDIA driver, so the CPU is used".into(), false),
        (true, true, 1, _) => ("loaded; 1 GPU, cuda:0".into(), false),
        (true, true, more, _) => (format!("loaded; {more} GPUs, cuda:0 to cuda:{}", more - 1), false),
    }
}

fn writable(folder: &Path) -> bool {
    std::fs::create_dir_all(folder).is_ok() && tempfile::tempfile_in(folder).is_ok()
}

/// What the cache holds, a folder of it after the other.
fn contents(cache: &Path) -> String {
    let folder = |name: &str| {
        let entries = std::fs::read_dir(cache.join(name)).into_iter().flatten().flatten();
        let sizes: Vec<u64> = entries.filter_map(|entry| Some(entry.metadata().ok()?.len())).collect();
        let megabytes = sizes.iter().sum::<u64>().div_ceil(1 << 20);
        format!("{} {name} ({megabytes} MB)", sizes.len())
    };
    ["models", "images", "evidence"].map(folder).join(", ")
}

/// The names in a folder.
fn names(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().to_string()).collect();
    names.sort();
    if names.is_empty() {
        "empty; `ci/weights minilm` downloads a pretrained BERT".to_string()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::{Library, cuda};

    #[test]
    fn every_state_of_cuda_has_its_remedy() {
        let library = |has_cuda, cuda_is_loaded| Library {
            folder: "lib".into(),
            version: "2".into(),
            has_cuda,
            cuda_is_loaded,
        };
        let told = |has, loaded, devices, driver| cuda(&library(has, loaded), devices, driver);
        assert!(!told(false, false, 0, false).1);
        assert!(told(false, false, 0, true).0.contains("ci/libtorch --cuda"));
        assert!(told(true, false, 0, true).0.contains("dropped at link"));
        assert!(!told(true, false, 0, false).1);
        assert!(told(true, true, 0, true).0.contains("nvidia-smi"));
        assert!(!told(true, true, 0, false).1);
        assert_eq!(told(true, true, 1, true), ("loaded; 1 GPU, cuda:0".to_string(), false));
        assert!(told(true, true, 4, true).0.ends_with("cuda:3"));
    }
}
