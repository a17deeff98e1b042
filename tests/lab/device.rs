//! The device: which one a choice means, what is said where there is none, and what a memory that is too small
//! leads to.

use std::path::Path;
use std::process::Command;

use medcert::Error;
use medcert::lab::settings::{choose, instruction_set, library, settle};
use medcert::lab::tensor::{self, Device, Kind, Tensor};
use medcert::spec::DeviceChoice;

#[test]
fn auto_takes_a_gpu_where_there_is_one() {
    for (choice, gpus, device) in [
        (DeviceChoice::Auto, 0, Device::Cpu),
        (DeviceChoice::Auto, 2, Device::Cuda(0)),
        (DeviceChoice::Cpu, 2, Device::Cpu),
        (DeviceChoice::Cuda(1), 2, Device::Cuda(1)),
    ] {
        assert_eq!(choose(choice, gpus).expect("a device"), device);
    }
    let told: Vec<String> = [0, 1, 2]
        .map(|gpus| choose(DeviceChoice::Cuda(2), gpus).expect_err("no such GPU"))
        .iter()
        .map(|error| {
            assert_eq!(error.exit_code(), 5);
            error.to_string()
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn the_names_of_devices_are_read() {
    for (text, choice) in [
        ("auto", Some(DeviceChoice::Auto)),
        ("cpu", Some(DeviceChoice::Cpu)),
        ("cuda", Some(DeviceChoice::Cuda(0))),
        ("cuda:3", Some(DeviceChoice::Cuda(3))),
        ("cuda:-1", None),
        ("CUDA:0", None),
        ("gpu", None),
        ("", None),
    ] {
        assert_eq!(text.parse::<DeviceChoice>().ok(), choice, "{text}");
    }
}

#[test]
fn libtorch_can_be_set_up_twice_and_says_what_it_is() {
    assert_eq!(settle(DeviceChoice::Cpu).expect("a CPU"), Device::Cpu);
    assert_eq!(settle(DeviceChoice::Cpu).expect("a CPU"), Device::Cpu);
    assert_eq!(tensor::device(), Device::Cpu);
    assert!(!instruction_set().is_empty());
    assert!(!library().folder.is_empty());
}

#[test]
fn too_little_memory_names_the_chunk_to_try() {
    let huge = Tensor::f_zeros([1_i64 << 46], (Kind::Float, Device::Cpu)).map_err(Error::from);
    let error = huge.expect_err("256 TB");
    assert!(matches!(error, Error::Memory(_)), "{error:?}");
    let advised = error.at_once("chunk", 32);
    assert_eq!(advised.exit_code(), 5);
    assert!(advised.to_string().contains("write `chunk: 16` into the spec (it is 32)"), "{advised}");
    let alone = Error::Memory("the memory of the device is too small (x)".into()).at_once("chunk", 1);
    assert!(alone.to_string().contains("use smaller images"), "{alone}");
    assert_eq!(Error::Resource("x".into()).at_once("chunk", 32).to_string(), "x");
}

#[test]
fn a_library_that_gets_no_memory_is_told_from_other_faults() {
    for (text, is_memory) in [
        ("CUDA out of memory. Tried to allocate 20.00 GiB", true),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", true),
        ("CUDA error: an illegal memory access was encountered", false),
    ] {
        let error = Error::from(tch::TchError::Torch(text.into()));
        assert_eq!(matches!(error, Error::Memory(_)), is_memory, "{text}");
    }
}

const SPEC: &str = "claim: It keeps reading
data:  {phantom: {studies: 160, seed: 7}}
split: {test: 60%, seed: 1}
models:
  vision:   {se_resnet18: {image: 32, width: 8, train: {optimizer: adam, lr: 1e-3, epochs: 1, batch: 16}}}
  language: {bert: {config: tiny, train: {optimizer: adamw, lr: 1e-3, epochs: 1}}}
  fusion:   {early_fusion: {vision: vision, language: language, train: {lr: 1e-4, epochs: 1}}}
grid: [0.05, 0.1]
table: [clean, FGSM ε≤0.1, PGD-10 ε=0.05, Square-50 ε=0.05, 40% synonyms, 20% TextFooler, FGSM ε=0.1 + 50% deletion]
require: [fusion accuracy ≥ 20% at FGSM ε≤0.1]
chunk: 16
";

/// The bytes that a command writes as evidence, with the same trained models each time.
fn evidence(folder: &Path, device: &str, words: &str) -> Vec<u8> {
    let words = words.replace("SPEC", "a.yaml --quiet --cache cache --fresh --device") + " " + device;
    let output = Command::new(env!("CARGO_BIN_EXE_medcert"))
        .args(words.split_whitespace())
        .current_dir(folder)
        .env_remove("MEDCERT_DATA")
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "medcert {words}: {told}");
    std::fs::read(folder.join("whole.json")).unwrap_or_default()
}

/// `MEDCERT_DEVICE=cuda cargo test --release --test lab device -- --ignored`; on the CPU without the variable.
#[test]
#[ignore = "some minutes, and meant for a machine with a GPU"]
fn a_device_gives_the_same_bytes_again_and_in_parts() {
    let device = std::env::var("MEDCERT_DEVICE").unwrap_or("cpu".to_string());
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    std::fs::write(folder.join("a.yaml"), SPEC).expect("written");
    let first = evidence(folder, &device, "check --evidence whole.json SPEC");
    assert!(!first.is_empty());
    for _ in 0..3 {
        assert!(evidence(folder, &device, "check --evidence whole.json SPEC") == first, "other bytes");
    }
    for part in [3, 1, 2] {
        evidence(folder, &device, &format!("run --shard {part}/3 --out parts SPEC"));
    }
    std::fs::remove_file(folder.join("whole.json")).expect("removed");
    let merged = evidence(folder, "", "merge parts --spec a.yaml --evidence whole.json");
    assert!(merged == first, "other bytes in parts");
}
