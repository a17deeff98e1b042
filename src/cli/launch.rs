//! How an installed `medcert` starts the program that runs models: it looks for libtorch, says what to do where there is none, and
//! replaces itself by `medcert-models`, which is medcert with libtorch. `medcert` itself is built without libtorch (the feature
//! `launcher` instead of `torch`), so `plan`, `judge`, `verify` and the like run on a machine without it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};

use crate::libtorch::version;
use crate::{Error, Result};

/// The version of libtorch that medcert is linked with; its C++ interface changes from one version to the next.
const LIBTORCH: &str = "2.13.0";
/// The program that runs models, beside this one.
const PROGRAM: &str = "medcert-models";
/// What a folder of libtorch holds.
const LIBRARY: &str = "libtorch_cpu.so";

/// The commands that run models. Their options are the other program's.
#[derive(Debug, Subcommand)]
pub(super) enum Models {
    /// Run a spec: train or load its models, attack them, and judge every requirement.
    Check(Rest),
    /// Run one shard of a spec, to share the work among machines.
    Run(Rest),
    /// Attack one case again and show it before and after.
    Replay(Rest),
    /// Make blinded pairs of cases for a clinician, or take the answers back.
    Review(Rest),
    /// Show libtorch, devices, threads and folders, and how to fix what is missing.
    Doctor(Rest),
}

/// Everything after the command, `--help` too.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<OsString>,
}

/// Replaces this process by the one that runs models, with the same arguments.
///
/// # Errors
/// libtorch or the program is missing. It does not return otherwise.
pub(super) fn launch() -> Result<u8> {
    let own = std::env::current_exe().and_then(|path| path.canonicalize());
    let own = own.map_err(|why| {
        Error::Resource(format!("medcert cannot find its own file: {why}; is /proc mounted?"))
    })?;
    let program = own.with_file_name(PROGRAM);
    if !program.exists() {
        return Err(Error::Resource(format!("{} is missing; install medcert again", program.display())));
    }
    let named = std::env::var_os("LIBTORCH").filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = libtorch(&own, named.as_deref())?;
    let path = std::env::var_os("LD_LIBRARY_PATH").filter(|value| !value.is_empty());
    let folders = std::iter::once(folder.clone()).chain(path.iter().flat_map(std::env::split_paths));
    let folders = std::env::join_paths(folders).map_err(|_| {
        Error::Resource(format!("a folder of libtorch must not hold a colon: {}", folder.display()))
    })?;
    let mut command = Command::new(&program);
    command.args(std::env::args_os().skip(1)).env("LD_LIBRARY_PATH", folders);
    // no symbol of the CUDA part is named by the program: it registers itself when loaded, which is worth it with a GPU
    let cuda = folder.join("libtorch_cuda.so");
    if cuda.exists() && Path::new("/proc/driver/nvidia").exists() {
        command.env("LD_PRELOAD", cuda);
    }
    let why = command.exec();
    Err(Error::Resource(format!("{} cannot be started: {why}; install medcert again", program.display())))
}

/// The folder of libtorch: in the folder that the user named, beside the program (a tarball), or in the `torch` of the Python
/// environment that the program is installed in.
fn libtorch(own: &Path, named: Option<&Path>) -> Result<PathBuf> {
    let prefix = own.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    let candidates: Vec<PathBuf> = match named {
        Some(named) => vec![named.join("lib"), named.to_path_buf()],
        None => std::iter::once(prefix.join("lib")).chain(of_python(prefix)).collect(),
    };
    let Some(found) = candidates.iter().find(|folder| folder.join(LIBRARY).exists()) else {
        let places: Vec<String> = candidates.iter().map(|folder| folder.display().to_string()).collect();
        return Err(Error::Resource(format!(
            "this command runs models, and libtorch {LIBTORCH} was not found in {}; run `pip install torch=={LIBTORCH}` in the \
             environment of medcert, or set LIBTORCH to a folder that holds lib/{LIBRARY}",
            places.join(", ")
        )));
    };
    match version(found) {
        Some(version) if version != LIBTORCH => Err(Error::Resource(format!(
            "this command runs models with libtorch {LIBTORCH}, and {} is version {version}; run `pip install \
             torch=={LIBTORCH}` in the environment of medcert, or set LIBTORCH to another folder",
            found.display()
        ))),
        // a libtorch that does not say its version is the user's choice; the loader refuses one that lacks a symbol
        Some(_) | None => Ok(found.clone()),
    }
}

/// The folders in which a Python environment may hold torch's libraries, those of the newest Python first.
fn of_python(prefix: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for lib in ["lib", "lib64"] {
        let entries = std::fs::read_dir(prefix.join(lib)).into_iter().flatten().flatten();
        let pythons = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("python3"));
        for python in pythons {
            folders.extend(
                ["site-packages", "dist-packages"].map(|site| python.path().join(site).join("torch/lib")),
            );
        }
    }
    let minor = |folder: &PathBuf| -> Option<u32> {
        let name = folder.iter().find_map(|part| part.to_str()?.strip_prefix("python3."))?;
        name.parse().ok()
    };
    folders.sort_by_key(|folder| std::cmp::Reverse(minor(folder)));
    folders
}

#[cfg(test)]
mod tests {
    use super::libtorch;

    #[test]
    fn torch_of_the_same_environment_is_found_and_another_version_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let prefix = folder.path().join("an environment");
        let own = prefix.join("bin/medcert");
        let missing = libtorch(&own, None).expect_err("none").to_string();
        assert!(missing.contains("pip install torch==2.13.0") && missing.contains("LIBTORCH"), "{missing}");
        for (python, version) in [("python3.9", "2.13.0+cpu"), ("python3.13", "2.13.0+cu130")] {
            let torch = prefix.join("lib").join(python).join("site-packages/torch");
            std::fs::create_dir_all(torch.join("lib")).expect("made");
            std::fs::write(torch.join("lib/libtorch_cpu.so"), "").expect("written");
            std::fs::write(torch.join("version.py"), format!("__version__ = '{version}'\ndebug = False\n"))
                .expect("written");
        }
        let newest = prefix.join("lib/python3.13/site-packages/torch");
        assert_eq!(libtorch(&own, None).expect("found"), newest.join("lib"));
        std::fs::write(newest.join("version.py"), "__version__ = '2.12.1'\n").expect("written");
        let other = libtorch(&own, None).expect_err("another version").to_string();
        assert!(other.contains("is version 2.12.1"), "{other}");
        let named = prefix.join("lib/python3.9/site-packages/torch");
        assert_eq!(libtorch(&own, Some(&named)).expect("named"), named.join("lib"));
    }
}
