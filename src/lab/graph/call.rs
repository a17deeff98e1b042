//! Calls an operator of libtorch by name, through the dispatcher; `dispatch.cpp` is the other half.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use crate::lab::tensor::{self, Device, Tensor};

/// Size of the buffer for a message, in bytes.
const ROOM: usize = 1024;

/// The kind of an argument or a result; the numbers are those of `dispatch.cpp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
enum SlotKind {
    None = 0,
    Tensor = 1,
    Tensors = 2,
    Whole = 3,
    Wholes = 4,
    Real = 5,
    Reals = 6,
    Truth = 7,
    Truths = 8,
    Text = 9,
    Device = 10,
}

/// An argument or a result: a number, or `count` elements at `data`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Slot {
    kind: c_int,
    whole: i64,
    real: f64,
    data: *const c_void,
    count: usize,
}

type Take = unsafe extern "C" fn(context: *mut c_void, result: Slot);

unsafe extern "C" {
    fn medcert_operator_find(
        name: *const c_char,
        overload: *const c_char,
        handle: *mut *mut c_void,
        why: *mut c_char,
        length: usize,
    ) -> c_int;
    fn medcert_operator_free(handle: *mut c_void);
    fn medcert_operator_facts(
        handle: *const c_void,
        facts: *mut c_int,
        why: *mut c_char,
        length: usize,
    ) -> c_int;
    fn medcert_operator_call(
        handle: *const c_void,
        names: *const *const c_char,
        slots: *const Slot,
        count: usize,
        context: *mut c_void,
        take: Take,
        why: *mut c_char,
        length: usize,
    ) -> c_int;
}

/// An operator of libtorch.
#[derive(Debug)]
pub(super) struct Called {
    handle: *mut c_void,
    /// Whether its schema takes a generator, a storage or a stream.
    pub takes_state: bool,
    /// Whether it may draw random numbers.
    pub may_be_random: bool,
}

impl Drop for Called {
    fn drop(&mut self) {
        // SAFETY: the handle came from medcert_operator_find and is given back once
        #[allow(unsafe_code)]
        unsafe {
            medcert_operator_free(self.handle);
        }
    }
}

/// An argument of a call.
#[derive(Debug, Clone)]
pub(super) enum Given<'v> {
    None,
    Tensor(&'v Tensor),
    Tensors(Vec<Option<&'v Tensor>>),
    Whole(i64),
    Wholes(Vec<i64>),
    Real(f64),
    Reals(&'v [f64]),
    Truth(bool),
    Truths(&'v [bool]),
    Text(&'v str),
    Device,
}

/// A result of a call, or another value of a graph.
#[derive(Debug)]
pub(super) enum Value {
    Nothing,
    Tensor(Tensor),
    Tensors(Vec<Tensor>),
    Whole(i64),
    Real(f64),
    Truth(bool),
}

/// Calls the shim; the error is the first line of its message.
fn guarded(action: impl FnOnce(*mut c_char, usize) -> c_int) -> Result<(), String> {
    let mut buffer = [0_u8; ROOM];
    if action(buffer.as_mut_ptr().cast::<c_char>(), ROOM) == 0 {
        return Ok(());
    }
    let text =
        CStr::from_bytes_until_nul(&buffer).map_or(String::new(), |text| text.to_string_lossy().to_string());
    Err(text.lines().next().unwrap_or_default().trim().to_string())
}

impl Called {
    /// Finds an operator of the namespace `aten`.
    ///
    /// # Errors
    /// libtorch has no such operator.
    pub fn find(name: &str, overload: &str) -> Result<Self, String> {
        let text = |text: &str| CString::new(text).map_err(|_| "a name holds a zero byte".to_string());
        let (name, overload) = (text(&format!("aten::{name}"))?, text(overload)?);
        let mut handle = ptr::null_mut();
        // SAFETY: the texts end with a zero and live until the call returns; the shim writes the handle and the
        // message
        #[allow(unsafe_code)]
        guarded(|why, length| unsafe {
            medcert_operator_find(name.as_ptr(), overload.as_ptr(), &raw mut handle, why, length)
        })?;
        let mut called = Self { handle, takes_state: false, may_be_random: false };
        let mut facts = 0;
        // SAFETY: the handle is the shim's own
        #[allow(unsafe_code)]
        guarded(|why, length| unsafe { medcert_operator_facts(handle, &raw mut facts, why, length) })?;
        called.takes_state = facts & 1 != 0;
        called.may_be_random = facts & 2 != 0;
        Ok(called)
    }

    /// Calls the operator with named arguments.
    ///
    /// # Errors
    /// libtorch refuses the arguments, or the operator fails.
    pub fn call(&self, names: &[CString], given: &[Given<'_>]) -> Result<Vec<Value>, String> {
        let names: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        let pointers: Vec<Vec<*const c_void>> = given.iter().map(pointers).collect();
        let slots: Vec<Slot> =
            given.iter().zip(&pointers).map(|(given, pointers)| slot(given, pointers)).collect();
        let mut results: Vec<Value> = Vec::new();
        // SAFETY: names, slots and what they point at live until the call returns; `take` gets the vector's address
        #[allow(unsafe_code)]
        guarded(|why, length| unsafe {
            medcert_operator_call(
                self.handle,
                names.as_ptr(),
                slots.as_ptr(),
                slots.len().min(names.len()),
                (&raw mut results).cast::<c_void>(),
                take,
                why,
                length,
            )
        })?;
        Ok(results)
    }
}

/// Pointers to the tensors of a list; null for an absent one.
fn pointers(given: &Given<'_>) -> Vec<*const c_void> {
    match given {
        Given::Tensors(tensors) => tensors
            .iter()
            .map(|tensor| tensor.map_or(ptr::null(), |tensor| tensor.as_ptr().cast::<c_void>()))
            .collect(),
        Given::None
        | Given::Tensor(_)
        | Given::Whole(_)
        | Given::Wholes(_)
        | Given::Real(_)
        | Given::Reals(_)
        | Given::Truth(_)
        | Given::Truths(_)
        | Given::Text(_)
        | Given::Device => vec![],
    }
}

fn slot(given: &Given<'_>, pointers: &[*const c_void]) -> Slot {
    let slot = |kind: SlotKind, whole: i64, real: f64| Slot {
        kind: kind as c_int,
        whole,
        real,
        data: ptr::null(),
        count: 0,
    };
    let list = |kind: SlotKind, data: *const c_void, count: usize| Slot { data, count, ..slot(kind, 0, 0.0) };
    match given {
        Given::None => slot(SlotKind::None, 0, 0.0),
        Given::Tensor(tensor) => list(SlotKind::Tensor, tensor.as_ptr().cast::<c_void>(), 1),
        Given::Tensors(_) => list(SlotKind::Tensors, pointers.as_ptr().cast::<c_void>(), pointers.len()),
        Given::Whole(value) => slot(SlotKind::Whole, *value, 0.0),
        Given::Wholes(values) => list(SlotKind::Wholes, values.as_ptr().cast::<c_void>(), values.len()),
        Given::Real(value) => slot(SlotKind::Real, 0, *value),
        Given::Reals(values) => list(SlotKind::Reals, values.as_ptr().cast::<c_void>(), values.len()),
        Given::Truth(value) => slot(SlotKind::Truth, i64::from(*value), 0.0),
        // a bool is a byte, 0 or 1
        Given::Truths(values) => list(SlotKind::Truths, values.as_ptr().cast::<c_void>(), values.len()),
        Given::Text(text) => list(SlotKind::Text, text.as_ptr().cast::<c_void>(), text.len()),
        Given::Device => match tensor::device() {
            Device::Cuda(number) => slot(SlotKind::Device, number as i64, 0.0),
            Device::Cpu | Device::Mps | Device::Vulkan => slot(SlotKind::Device, -1, 0.0),
        },
    }
}

/// Receives a result of the shim, and owns its tensors from then on.
unsafe extern "C" fn take(context: *mut c_void, result: Slot) {
    let kind = |wanted: SlotKind| result.kind == wanted as c_int;
    // SAFETY: `call` passes the address of its vector, which outlives the call
    #[allow(unsafe_code)]
    let results = unsafe { &mut *context.cast::<Vec<Value>>() };
    // SAFETY: the shim made the tensor for the taker, who frees it
    #[allow(unsafe_code)]
    let tensor = |pointer: *const c_void| unsafe {
        Tensor::from_ptr(pointer.cast_mut().cast::<torch_sys::C_tensor>())
    };
    results.push(if kind(SlotKind::Tensor) {
        Value::Tensor(tensor(result.data))
    } else if kind(SlotKind::Tensors) {
        // SAFETY: `count` pointers are at `data` until this function returns; for an empty list the address may be
        // null
        #[allow(unsafe_code)]
        let pointers = match result.count {
            0 => &[][..],
            count => unsafe { std::slice::from_raw_parts(result.data.cast::<*const c_void>(), count) },
        };
        Value::Tensors(pointers.iter().map(|pointer| tensor(*pointer)).collect())
    } else if kind(SlotKind::Whole) {
        Value::Whole(result.whole)
    } else if kind(SlotKind::Real) {
        Value::Real(result.real)
    } else if kind(SlotKind::Truth) {
        Value::Truth(result.whole != 0)
    } else {
        Value::Nothing
    });
}
