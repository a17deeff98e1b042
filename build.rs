//! Lets the programs find libtorch at run time, and keeps its CUDA part from being dropped at link.
//!
//! torch-sys says where libtorch lies (`DEP_TCH_LIBTORCH_LIB`) but sets no run path for the packages
//! above it.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let Some(lib) = std::env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else {
        return; // built without the feature `torch`
    };
    let lib = lib.canonicalize().unwrap_or(lib);
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    if lib.join("libtorch_cuda.so").exists() {
        // nothing refers to a symbol of libtorch_cuda, it registers itself when loaded
        println!("cargo:rustc-link-arg=-L{}", lib.display());
        println!("cargo:rustc-link-arg=-Wl,--no-as-needed,-ltorch_cuda,--as-needed");
    }
}
