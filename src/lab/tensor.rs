//! The only access to libtorch. Tensors are made and read here with their lengths and shapes checked, and every
//! failure of libtorch becomes an [`Error`].
//!
//! tch's own constructors trust the length that they are given, and its plain methods panic. The laboratory calls
//! only the fallible ones (`f_…`).

use std::sync::atomic::{AtomicI64, Ordering};

pub use tch::{Device, Kind, Tensor, no_grad_guard};

use crate::{Error, Result};

impl From<tch::TchError> for Error {
    fn from(error: tch::TchError) -> Self {
        let text = error.to_string();
        // libtorch appends the C++ call stack after the first line
        let line = text.lines().next().unwrap_or_default().trim();
        let lower = line.to_lowercase();
        let signs = ["out of memory", "not enough memory", "can't allocate", "alloc_failed"];
        if signs.iter().any(|sign| lower.contains(sign)) {
            return Self::Memory(format!("the memory of the device is too small ({line})"));
        }
        let signs = ["cuda", "cudnn", "cublas", "nccl", "driver", "no space left", "permission denied"];
        if signs.iter().any(|sign| lower.contains(sign)) {
            return Self::Resource(format!(
                "the device failed: {line}; `medcert doctor` shows what is there"
            ));
        }
        // libtorch refused a shape, a type or an index, so medcert passed a wrong one
        Self::Bug(format!("libtorch refused a call: {line}"))
    }
}

/// The device that tensors are made on: −1 for the CPU, otherwise the GPU's number.
static DEVICE: AtomicI64 = AtomicI64::new(-1);

/// Sets the device that tensors are made on. Call it once, before anything is computed.
pub(super) fn use_device(device: Device) {
    let number = if let Device::Cuda(number) = device { number as i64 } else { -1 };
    DEVICE.store(number, Ordering::SeqCst);
}

/// The device that tensors are made on.
pub fn device() -> Device {
    usize::try_from(DEVICE.load(Ordering::SeqCst)).map_or(Device::Cpu, Device::Cuda)
}

/// Number of threads that libtorch uses on the CPU.
pub fn threads() -> usize {
    usize::try_from(tch::get_num_threads()).unwrap_or(1)
}

/// Sets the number of threads that libtorch uses on the CPU.
pub fn set_threads(threads: usize) {
    tch::set_num_threads(threads.try_into().unwrap_or(1));
}

/// Makes images `[cases, views, side, side]` from bytes; 0 to 255 become 0 to 1.
///
/// # Errors
/// The length does not fit the shape.
pub fn images(bytes: &[u8], cases: usize, views: usize, side: usize) -> Result<Tensor> {
    check_length(bytes.len(), &[cases, views, side, side])?;
    let shape = [cases as i64, views as i64, side as i64, side as i64];
    let bytes = Tensor::f_from_slice(bytes)?.f_to_device(device())?;
    Ok(bytes.f_reshape(shape)?.f_to_kind(Kind::Float)?.f_div_scalar(255.0)?)
}

/// Makes a tensor of floats.
///
/// # Errors
/// The length does not fit the shape.
pub fn floats(values: &[f32], shape: &[usize]) -> Result<Tensor> {
    check_length(values.len(), shape)?;
    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    Ok(Tensor::f_from_slice(values)?.f_to_device(device())?.f_reshape(shape)?)
}

/// Makes a tensor of integers.
///
/// # Errors
/// The length does not fit the shape.
pub fn integers(values: &[i64], shape: &[usize]) -> Result<Tensor> {
    check_length(values.len(), shape)?;
    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    Ok(Tensor::f_from_slice(values)?.f_to_device(device())?.f_reshape(shape)?)
}

/// Makes the index for `index_select`.
pub fn rows(places: &[usize]) -> Result<Tensor> {
    let places: Vec<i64> = places.iter().map(|&place| place as i64).collect();
    integers(&places, &[places.len()])
}

/// The same tensor `[n, channels, height, width]`, stored with its channels innermost: convolutions are faster then.
pub fn channels_last(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?)
}

/// The values of a tensor, in row-major order, as `f32`.
pub fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    let tensor = tensor.f_detach()?.f_to_device(Device::Cpu)?;
    let flat = tensor.f_to_kind(Kind::Float)?.f_contiguous()?.f_reshape([-1])?;
    Ok(Vec::<f32>::try_from(&flat)?)
}

/// The columns of logits `[cases, classes]`; at least 1.
pub fn classes(logits: &Tensor) -> usize {
    logits.size().get(1).map_or(1, |&classes| classes.max(1) as usize)
}

/// The value of a tensor of one element.
pub fn value(tensor: &Tensor) -> Result<f32> {
    values(tensor)?.first().copied().ok_or_else(|| Error::Bug("libtorch gave an empty tensor".into()))
}

fn check_length(length: usize, shape: &[usize]) -> Result<()> {
    let wanted: usize = shape.iter().product();
    if length == wanted {
        return Ok(());
    }
    Err(Error::Bug(format!("{length} values do not fill a tensor of shape {shape:?}")))
}
