//! libtorch's Adam (Kingma, Ba, ICLR 2015, arXiv 1412.6980) and `AdamW` (Loshchilov, Hutter, ICLR 2019, arXiv
//! 1711.05101), with their state as bytes. tch's wrapper keeps the pointer to itself, and its state is needed for a
//! training that goes on after a stop; `optimizer.cpp` is the other half.

use std::ffi::{CStr, c_char, c_int, c_void};

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

/// Takes a run of bytes.
type Sink = extern "C" fn(*mut c_void, *const c_void, usize);

unsafe extern "C" {
    fn medcert_optimizer_write(
        optimizer: *const C_optimizer,
        sink: Sink,
        into: *mut c_void,
        why: *mut c_char,
        length: usize,
    ) -> c_int;
    fn medcert_optimizer_read(
        optimizer: *mut C_optimizer,
        bytes: *const c_char,
        count: usize,
        why: *mut c_char,
        length: usize,
    ) -> c_int;
    fn free(pointer: *mut c_void);
}

/// Appends a run of bytes to the vector at `into`.
#[allow(unsafe_code)]
extern "C" fn append(into: *mut c_void, bytes: *const c_void, count: usize) {
    // SAFETY: `state` passes its own vector, and libtorch a run of `count` bytes
    unsafe {
        (*into.cast::<Vec<u8>>()).extend_from_slice(std::slice::from_raw_parts(bytes.cast::<u8>(), count));
    }
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
            let mut parameter = parameter.shallow_clone();
            // SAFETY: both pointers are sound, and libtorch counts its own reference to the tensor
            unsafe { torch_sys::ato_add_parameters(descent.optimizer, parameter.as_mut_ptr(), 0) };
            thrown()?;
        }
        Ok(descent)
    }

    /// Sets the learning rate of the steps from now on.
    #[allow(unsafe_code)]
    pub(super) fn set_rate(&self, lr: f64) -> Result<()> {
        // SAFETY: the pointer is sound as long as `self` is
        unsafe { torch_sys::ato_set_learning_rate(self.optimizer, lr) };
        thrown()
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
    #[allow(unsafe_code)]
    pub(super) fn state(&self) -> Result<Vec<u8>> {
        let (mut state, mut why) = (Vec::new(), [0_u8; ROOM]);
        let into = (&raw mut state).cast::<c_void>();
        // SAFETY: `append` gets the vector that it expects; the shim writes at most ROOM bytes of a message and throws
        // nothing
        let code =
            unsafe { medcert_optimizer_write(self.optimizer, append, into, why.as_mut_ptr().cast(), ROOM) };
        outcome(code, &why)?;
        Ok(state)
    }

    /// Takes over a state that [`state`](Self::state) gave for the same parameters.
    #[allow(unsafe_code)]
    pub(super) fn restore(&self, state: &[u8]) -> Result<()> {
        let mut why = [0_u8; ROOM];
        // SAFETY: the shim reads the bytes of the slice alone, writes at most ROOM bytes of a message, throws nothing
        let code = unsafe {
            medcert_optimizer_read(
                self.optimizer,
                state.as_ptr().cast(),
                state.len(),
                why.as_mut_ptr().cast(),
                ROOM,
            )
        };
        outcome(code, &why)
    }
}

/// What a shim says: 0, or 1 with a message that ends with a zero.
fn outcome(code: c_int, why: &[u8]) -> Result<()> {
    if code == 0 {
        return Ok(());
    }
    let why =
        CStr::from_bytes_until_nul(why).map_or(String::new(), |text| text.to_string_lossy().to_string());
    Err(Error::Resource(format!("the state of an optimizer: {why}")))
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
