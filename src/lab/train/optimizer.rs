//! libtorch's Adam (Kingma, Ba, ICLR 2015, arXiv 1412.6980) and `AdamW` (Loshchilov, Hutter, ICLR 2019, arXiv
//! 1711.05101), with their state as bytes. tch's wrapper keeps the pointer to itself, and its state is needed for a
//! training that goes on after a stop; `optimizer.cpp` is the other half.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use torch_sys::C_optimizer;

use crate::lab::tensor::Tensor;
use crate::spec::Optimizer;
use crate::{Error, Result};

/// The usual settings of both, which are libtorch's defaults.
const BETAS: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;
const DECAY: f64 = 0.01;

/// Size of the buffer for a message, in bytes.
const ROOM: usize = 1024;

type Shim = unsafe extern "C" fn(*mut C_optimizer, *const c_char, *mut c_char, usize) -> c_int;

unsafe extern "C" {
    fn medcert_optimizer_write(
        optimizer: *mut C_optimizer,
        path: *const c_char,
        why: *mut c_char,
        length: usize,
    ) -> c_int;
    fn medcert_optimizer_read(
        optimizer: *mut C_optimizer,
        path: *const c_char,
        why: *mut c_char,
        length: usize,
    ) -> c_int;
    fn free(pointer: *mut c_void);
}

/// An optimizer and the parameters that it moves.
pub(super) struct Descent {
    optimizer: *mut C_optimizer,
}

impl Descent {
    /// The optimizer of these parameters.
    #[allow(unsafe_code)]
    pub(super) fn new(kind: Optimizer, lr: f64, parameters: &[Tensor]) -> Result<Self> {
        let (first, second) = BETAS;
        // SAFETY: both take numbers alone
        let optimizer = unsafe {
            match kind {
                Optimizer::Adam => torch_sys::ato_adam(lr, first, second, 0.0, EPSILON, false),
                Optimizer::AdamW => torch_sys::ato_adamw(lr, first, second, DECAY, EPSILON, false),
            }
        };
        thrown()?;
        let descent = Self { optimizer };
        for parameter in parameters {
            // SAFETY: both pointers are sound, and libtorch counts its own reference to the tensor
            unsafe { torch_sys::ato_add_parameters(descent.optimizer, parameter.as_ptr(), 0) };
            thrown()?;
        }
        Ok(descent)
    }

    /// Forgets the gradients.
    #[allow(unsafe_code)]
    pub(super) fn zero_grad(&self) -> Result<()> {
        // SAFETY: the pointer is sound as long as `self` is
        unsafe { torch_sys::ato_zero_grad(self.optimizer) };
        thrown()
    }

    /// Moves the parameters along their gradients.
    #[allow(unsafe_code)]
    pub(super) fn step(&self) -> Result<()> {
        // SAFETY: the pointer is sound as long as `self` is
        unsafe { torch_sys::ato_step(self.optimizer) };
        thrown()
    }

    /// What it has learned of the gradients so far.
    pub(super) fn state(&self) -> Result<Vec<u8>> {
        let file =
            tempfile::NamedTempFile::new().map_err(|why| Error::unwritable(&std::env::temp_dir(), &why))?;
        self.through(medcert_optimizer_write, file.path())?;
        std::fs::read(file.path()).map_err(|why| Error::unreadable(file.path(), &why, "run it again"))
    }

    /// Takes over a state that [`state`](Self::state) gave for the same parameters.
    pub(super) fn restore(&self, state: &[u8]) -> Result<()> {
        let file =
            tempfile::NamedTempFile::new().map_err(|why| Error::unwritable(&std::env::temp_dir(), &why))?;
        std::fs::write(file.path(), state).map_err(|why| Error::unwritable(file.path(), &why))?;
        self.through(medcert_optimizer_read, file.path())
    }

    #[allow(unsafe_code)]
    fn through(&self, shim: Shim, path: &Path) -> Result<()> {
        let path = CString::new(path.as_os_str().as_bytes())
            .map_err(|_| Error::Bug("the name of a temporary file holds a zero".into()))?;
        let mut why = [0_u8; ROOM];
        // SAFETY: the shim reads the path up to its zero, writes at most ROOM bytes that end with a zero, throws nothing
        let code = unsafe { shim(self.optimizer, path.as_ptr(), why.as_mut_ptr().cast::<c_char>(), ROOM) };
        let why =
            CStr::from_bytes_until_nul(&why).map_or(String::new(), |text| text.to_string_lossy().to_string());
        if code == 0 { Ok(()) } else { Err(Error::Resource(format!("the state of an optimizer: {why}"))) }
    }
}

impl Drop for Descent {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: it is freed once
        unsafe { torch_sys::ato_free(self.optimizer) };
    }
}

/// What the last call into libtorch threw.
#[allow(unsafe_code)]
fn thrown() -> Result<()> {
    // SAFETY: the message is libtorch's copy, which is the caller's to free
    let why = unsafe {
        let message = torch_sys::get_and_reset_last_err();
        if message.is_null() {
            return Ok(());
        }
        let why = CStr::from_ptr(message).to_string_lossy().to_string();
        free(message.cast::<c_void>());
        why
    };
    Err(tch::TchError::Torch(why).into())
}
