//! The device: which one a choice means, what is said where there is none, and what a memory that is too small
//! leads to.
#![cfg(feature = "torch")]

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
