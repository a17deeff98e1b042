//! Sets libtorch up before anything is computed: deterministic algorithms, no TF32, and an allocator that keeps freed
//! memory. Also chooses the device.

use std::ffi::{CStr, c_char, c_int};
use std::path::PathBuf;
use std::sync::Once;

use super::tensor::{self, Device};
use crate::evidence::processor;
use crate::spec::DeviceChoice;
use crate::{Error, Result};

unsafe extern "C" {
    fn medcert_settle(why: *mut c_char, length: usize) -> c_int;
    fn medcert_keep_memory() -> c_int;
    fn medcert_gpu_name(number: c_int, name: *mut c_char, length: c_int) -> c_int;
    fn medcert_cpu_capability(why: *mut c_char, length: usize) -> c_int;
}

/// Size of the buffer for a message, in bytes.
const ROOM: usize = 512;

/// Calls a function of the shim. Returns the text that it wrote, as the result or as the error.
#[allow(unsafe_code)]
fn call(function: unsafe extern "C" fn(*mut c_char, usize) -> c_int) -> std::result::Result<String, String> {
    let mut buffer = [0_u8; ROOM];
    // SAFETY: the shim writes at most ROOM bytes, ends them with a zero, and throws nothing
    let code = unsafe { function(buffer.as_mut_ptr().cast::<c_char>(), ROOM) };
    let text = CStr::from_bytes_until_nul(&buffer).map_or(String::new(), |t| t.to_string_lossy().to_string());
    if code == 0 { Ok(text) } else { Err(text) }
}

/// Sets libtorch up for this process and chooses the device; may be called again.
///
/// # Errors
/// libtorch refuses a setting, or there is no such device.
pub fn settle(choice: DeviceChoice) -> Result<Device> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // if the allocator ignores the setting, runs are only slower
        #[allow(unsafe_code)]
        // SAFETY: it takes nothing and changes settings of malloc alone
        let _ = unsafe { medcert_keep_memory() };
    });
    call(medcert_settle).map_err(|why| Error::Resource(format!("libtorch cannot be set up: {why}")))?;
    let device = choose(choice, devices())?;
    tensor::use_device(device);
    Ok(device)
}

/// Number of GPUs that libtorch finds.
pub fn devices() -> usize {
    usize::try_from(tch::Cuda::device_count()).unwrap_or(0)
}

/// The device that a choice means on a machine with so many GPUs.
///
/// # Errors
/// There is no such GPU.
pub fn choose(choice: DeviceChoice, gpus: usize) -> Result<Device> {
    match choice {
        DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Auto if gpus == 0 => Ok(Device::Cpu),
        DeviceChoice::Auto => Ok(Device::Cuda(0)),
        DeviceChoice::Cuda(number) if (number as usize) < gpus => Ok(Device::Cuda(number as usize)),
        DeviceChoice::Cuda(number) => Err(Error::Resource(format!(
            "there is no cuda:{number}: libtorch finds {}; `medcert doctor` says why, and `device: auto` takes what is \
             there",
            match gpus {
                0 => "no GPU".to_string(),
                1 => "one GPU, cuda:0".to_string(),
                more => format!("cuda:0 to cuda:{}", more - 1),
            }
        ))),
    }
}

/// The name of a GPU, such as `NVIDIA H100 80GB HBM3`; empty if the driver does not give it.
#[allow(unsafe_code)]
pub fn gpu_name(number: usize) -> String {
    let mut buffer = [0_u8; ROOM];
    let name = |number: c_int| {
        // SAFETY: the driver writes at most ROOM bytes and ends them with a zero
        unsafe { medcert_gpu_name(number, buffer.as_mut_ptr().cast::<c_char>(), ROOM as c_int) == 0 }
    };
    if !c_int::try_from(number).is_ok_and(name) {
        return String::new();
    }
    CStr::from_bytes_until_nul(&buffer)
        .map_or(String::new(), |name| name.to_string_lossy().trim().to_string())
}

/// The kind of processor, and of GPU if one is used: other kinds may give other last bits.
pub fn computed_on() -> String {
    match tensor::device() {
        Device::Cuda(number) => format!("{} cuda {}", processor(), gpu_name(number)).trim_end().to_string(),
        _ => processor(),
    }
}

/// The instruction set that libtorch's kernels use, such as `AVX512`.
pub fn instruction_set() -> String {
    call(medcert_cpu_capability).unwrap_or_else(|why| format!("unknown ({why})"))
}

/// Facts about libtorch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Folder that it was loaded from.
    pub folder: String,
    /// Version, according to the folder.
    pub version: String,
    /// Whether the folder holds the CUDA part.
    pub has_cuda: bool,
    /// Whether the CUDA part was loaded.
    pub cuda_is_loaded: bool,
}

/// Facts about the libtorch that this process loaded, which may lie in another folder than the one of the build.
pub fn library() -> Library {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let loaded = maps.lines().find_map(|line| line[line.find('/')?..].strip_suffix("/libtorch_cpu.so"));
    let of_build = option_env!("MEDCERT_LIBTORCH_LIB").unwrap_or_default();
    let folder = PathBuf::from(loaded.unwrap_or(of_build));
    Library {
        has_cuda: folder.join("libtorch_cuda.so").exists(),
        cuda_is_loaded: maps.contains("libtorch_cuda.so"),
        version: crate::libtorch::version(&folder).unwrap_or("unknown".to_string()),
        folder: folder.display().to_string(),
    }
}
