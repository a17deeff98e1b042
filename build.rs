//! Lets the programs find libtorch at run time, and keeps its CUDA part from being dropped at link.
//!
//! Compiles what tch has no door to: a few settings of libtorch, its dispatcher, and the state of its optimizers.
//! torch-sys says where libtorch lies (`DEP_TCH_LIBTORCH_LIB`) but sets no run path for the packages above it.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let Some(lib) = std::env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else {
        return; // built without the feature `torch`
    };
    let lib = lib.canonicalize().unwrap_or(lib);
    // what is installed knows no folder of the machine that built it: src/cli/launch.rs finds libtorch
    println!("cargo:rerun-if-env-changed=MEDCERT_RELOCATABLE");
    let is_installed = std::env::var_os("MEDCERT_RELOCATABLE").is_some();
    let path = if is_installed { "$ORIGIN/../lib".to_string() } else { lib.display().to_string() };
    println!("cargo:rustc-link-arg=-Wl,-rpath,{path}");
    println!("cargo:rustc-env=MEDCERT_LIBTORCH_LIB={}", lib.display());
    compile_shims(&lib);
    if !is_installed && lib.join("libtorch_cuda.so").exists() {
        // nothing refers to a symbol of libtorch_cuda, it registers itself when loaded
        println!("cargo:rustc-link-arg=-L{}", lib.display());
        println!("cargo:rustc-link-arg=-Wl,--no-as-needed,-ltorch_cuda,--as-needed");
    }
}

/// The shims in C++, against the headers beside the library.
fn compile_shims(lib: &Path) {
    let shims = ["src/lab/settings.cpp", "src/lab/graph/dispatch.cpp", "src/lab/train/optimizer.cpp"];
    for shim in shims {
        println!("cargo:rerun-if-changed={shim}");
    }
    println!("cargo:rerun-if-env-changed=LIBTORCH_INCLUDE");
    let named = std::env::var_os("LIBTORCH_INCLUDE").map(PathBuf::from);
    // the CUDA set keeps its libraries a folder deeper
    let include = named.map(|folder| folder.join("include")).into_iter();
    let beside = lib.ancestors().skip(1).take(2).map(|folder| folder.join("include"));
    let include = include.chain(beside).find(|folder| folder.join("ATen").exists());
    let mut build = cc::Build::new();
    build.cpp(true).std("c++20").warnings(false).files(shims);
    if let Some(include) = include {
        build.include(include.join("torch/csrc/api/include")).include(include);
    }
    build.compile("medcert_shims");
}
