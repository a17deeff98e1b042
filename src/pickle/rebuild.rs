//! What a pickle of weights may call: the functions that rebuild tensors and parameters, and the classes of storages.
//! Each is a check and a record here; no code of the file's author runs.

use std::ops::Range;

use super::machine::{Machine, Object, Value};
use super::{MOST_DIMENSIONS, NumberType, StoredTensor, export};

/// A function or class that a pickle of weights may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    /// `collections.OrderedDict`.
    OrderedDictionary,
    /// `torch._utils._rebuild_tensor_v2`.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`.
    RebuildParameter,
    /// A storage class of `torch`.
    Storage(NumberType),
}

impl Global {
    /// The function or class of a name.
    ///
    /// # Errors
    /// Weights do not need it.
    pub(super) fn named(module: &str, name: &str) -> Result<Self, String> {
        let known = match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDictionary),
            ("torch._utils", "_rebuild_tensor_v2") => Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Some(Self::RebuildParameter),
            ("torch", class) => NumberType::of_storage(class).map(Self::Storage),
            _ => None,
        };
        known.ok_or_else(|| {
            let name: String = format!("{module}.{name}").chars().take(100).collect();
            format!(
                "asks for `{name}`, which is no part of weights; medcert runs no code of a weights file: {}",
                export()
            )
        })
    }
}

/// A storage: the numbers that tensors are views of.
#[derive(Debug)]
pub(super) struct Storage {
    of: NumberType,
    /// Count of its numbers.
    numbers: usize,
    /// Its bytes in the file.
    place: Range<usize>,
}

/// What is wrong with a tensor or a storage.
fn wrong(what: &str) -> String {
    format!("has a tensor that cannot be: {what}; copy or save the file again")
}

impl Machine<'_> {
    /// The storage of a persistent identifier: `("storage", class, key, location, count)`.
    pub(super) fn storage(&mut self, about: &Value) -> Result<Value, String> {
        let stated = match self.items(about) {
            Some(
                [
                    Value::Text(kind),
                    Value::Global(Global::Storage(of)),
                    Value::Text(key),
                    _,
                    Value::Int(count),
                ],
            ) if kind.as_ref() == "storage" => usize::try_from(*count).ok().map(|count| (*of, key, count)),
            _ => None,
        };
        let (of, key, numbers) =
            stated.ok_or_else(|| wrong("its storage is not described as PyTorch does"))?;
        let entry = format!("data/{key}");
        let place = self
            .archive
            .place(&entry)
            .ok_or_else(|| wrong(&format!("the archive lacks its bytes, {entry:?}")))?;
        if numbers.checked_mul(of.size()) != Some(place.len()) {
            let what =
                format!("{entry:?} has {} bytes, and {numbers} numbers of {of:?} are stated", place.len());
            return Err(wrong(&what));
        }
        self.storages.push(Storage { of, numbers, place });
        Ok(Value::Storage(self.storages.len() - 1))
    }

    /// What a call gives.
    pub(super) fn call(&mut self, function: &Value, arguments: &Value) -> Result<Value, String> {
        let Value::Global(function) = function else { return Err(wrong("what rebuilds it is no function")) };
        let arguments = self.items(arguments).ok_or_else(|| wrong("a function has no arguments"))?;
        match (function, arguments) {
            (Global::OrderedDictionary, []) => Ok(self.made(Object::Dictionary(vec![]))),
            // whether it requires a gradient, its hooks and its attributes do not matter here
            (
                Global::RebuildTensor,
                [Value::Storage(storage), Value::Int(offset), sizes, strides, _, _, ..],
            ) if arguments.len() <= 7 => {
                let tensor = self.view(*storage, *offset, sizes, strides)?;
                self.tensors.push(tensor);
                Ok(Value::Tensor(self.tensors.len() - 1))
            }
            (Global::RebuildParameter, [Value::Tensor(tensor), _, _]) => Ok(Value::Tensor(*tensor)),
            (
                Global::OrderedDictionary
                | Global::RebuildTensor
                | Global::RebuildParameter
                | Global::Storage(_),
                _,
            ) => Err(wrong(&format!("{function:?} is called with other arguments than PyTorch gives it"))),
        }
    }

    /// A view into a storage, all of whose numbers lie inside.
    fn view(
        &self,
        storage: usize,
        offset: i64,
        sizes: &Value,
        strides: &Value,
    ) -> Result<StoredTensor, String> {
        let numbers = |value: &Value| -> Option<Vec<usize>> {
            let number = |item: &Value| match item {
                Value::Int(number) => usize::try_from(*number).ok(),
                _ => None,
            };
            self.items(value)?.iter().map(number).collect()
        };
        let stated = numbers(sizes).zip(numbers(strides)).zip(usize::try_from(offset).ok());
        let ((sizes, strides), offset) =
            stated.ok_or_else(|| wrong("its sizes, strides or offset are no whole numbers from 0"))?;
        if sizes.len() != strides.len() || sizes.len() > MOST_DIMENSIONS {
            return Err(wrong(&format!("it has {} sizes and {} strides", sizes.len(), strides.len())));
        }
        let storage = self.storages.get(storage).ok_or_else(|| wrong("it has no storage"))?;
        let outside =
            || wrong(&format!("a shape of {sizes:?} leaves its storage of {} numbers", storage.numbers));
        let count = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        // more numbers than the storage has would be one number many times: no weights are stored so
        let count = count.filter(|count| *count <= storage.numbers.max(1)).ok_or_else(outside)?;
        let reach = sizes.iter().zip(&strides).try_fold(offset, |reach, (size, stride)| {
            reach.checked_add(size.saturating_sub(1).checked_mul(*stride)?)
        });
        if count > 0 && reach.is_none_or(|reach| reach >= storage.numbers) {
            return Err(outside());
        }
        Ok(StoredTensor { of: storage.of, sizes, strides, offset, storage: storage.place.clone() })
    }
}
