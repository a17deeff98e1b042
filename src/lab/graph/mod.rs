//! Runs a user's network that is data ([`crate::graph`]). Its calls go to libtorch's dispatcher by name, so that no
//! operator has to be implemented here, and libtorch computes the gradient.

mod branches;
mod call;
mod calls;

use branches::Branches;
use calls::Calls;

use super::tensor::{self, Device, Kind, Tensor};
use crate::graph::{ElementType, Fold, Program, Weight};
use crate::{Error, Result};

/// A network, ready to run.
#[derive(Debug)]
pub struct Graph {
    program: Program,
    weights: Vec<Tensor>,
    whole: Calls,
    branches: Option<Branches>,
    /// Number of elements of all parameters.
    pub parameters: u64,
}

impl Graph {
    /// Prepares a program; `bytes` is its file.
    ///
    /// # Errors
    /// libtorch lacks an operator, or an operator needs something that a user's network may not use. The message
    /// lists all such calls, one a line. Or a weight is not valid.
    pub fn new(program: Program, bytes: &[u8]) -> Result<Self> {
        let weights =
            program.weights.iter().map(|weight| load(weight, bytes)).collect::<Result<Vec<Tensor>>>()?;
        Self::of(program, weights)
    }

    fn of(program: Program, weights: Vec<Tensor>) -> Result<Self> {
        let whole = Calls::new(program.whole(), weights.len(), program.values)?;
        let parameters = program.parameters();
        Ok(Self { program, weights, whole, branches: None, parameters })
    }

    /// The same network with its batch norms folded into the convolutions before them, which answers the same up to
    /// rounding and is faster; None if there is none to fold. With `channels_last` these convolutions and what follows them
    /// keep images in that layout, in which a call may refuse to view a tensor in another shape.
    ///
    /// # Errors
    /// The device or its memory fails.
    pub fn folded(&self, channels_last: bool) -> Result<Option<Self>> {
        let _guard = tensor::no_grad_guard();
        let (program, folds) = self.program.folded();
        let mut weights: Vec<Tensor> = self.weights.iter().map(Tensor::shallow_clone).collect();
        for fold in &folds {
            let [weight, bias] = fold_weights(&self.weights, fold)?;
            weights.push(if channels_last { tensor::channels_last(&weight)? } else { weight });
            weights.push(bias);
        }
        if folds.is_empty() || weights[self.weights.len()..].iter().any(|weight| weight.kind() != Kind::Float)
        {
            return Ok(None);
        }
        Self::of(program, weights).map(Some)
    }

    /// Runs the network on its inputs.
    ///
    /// # Errors
    /// There are too few or too many inputs, or libtorch refuses a call; the message names the call as the file does.
    pub fn run(&self, inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
        self.whole.run(&self.weights, inputs)
    }

    /// A digest of all weights, which shows whether a call has changed one.
    pub fn state(&self) -> Result<blake3::Hash> {
        let mut hasher = blake3::Hasher::new();
        for weight in &self.weights {
            let flat = weight.f_to_device(Device::Cpu)?.f_contiguous()?.f_reshape([-1])?;
            // f64 holds every element exactly, except the largest numbers of i64
            for value in Vec::<f64>::try_from(&flat.f_to_kind(Kind::Double)?)? {
                hasher.update(&value.to_bits().to_le_bytes());
            }
        }
        Ok(hasher.finalize())
    }
}

/// The weight and the bias of a convolution with its norm folded in.
fn fold_weights(weights: &[Tensor], fold: &Fold) -> Result<[Tensor; 2]> {
    let [mean, variance] = fold.statistics.map(|id| &weights[id]);
    let [scale, shift] = fold.affine.map(|id| id.map(|id| &weights[id]));
    let deviation = variance.f_add_scalar(fold.epsilon)?.f_sqrt()?;
    let scale = match scale {
        Some(scale) => scale.f_div(&deviation)?,
        None => deviation.f_reciprocal()?,
    };
    let own = match fold.bias {
        Some(bias) => weights[bias].f_sub(mean)?,
        None => mean.f_neg()?,
    };
    let bias = own.f_mul(&scale)?;
    let bias = shift.map_or(Ok(bias.shallow_clone()), |shift| bias.f_add(shift))?;
    Ok([weights[fold.weight].f_mul(&scale.f_reshape([-1, 1, 1, 1])?)?, bias])
}

/// Makes a weight's tensor on the device, without a gradient.
fn load(weight: &Weight, bytes: &[u8]) -> Result<Tensor> {
    let lost = || Error::Bug(format!("the weight {} lies outside its file", weight.name));
    let bytes = bytes.get(weight.bytes.clone()).ok_or_else(lost)?;
    let kind = kind_of(weight.kind);
    let whole = |values: &[u64]| values.iter().map(|value| *value as i64).collect::<Vec<i64>>();
    let elements = bytes.len() / weight.kind.size() as usize;
    let bytes = &bytes[..elements * weight.kind.size() as usize];
    if weight.elements() == 0 {
        return Ok(Tensor::f_zeros(whole(&weight.sizes), (kind, tensor::device()))?);
    }
    // libtorch's truth values are bytes of 0 or 1; any other byte is undefined
    if weight.kind == ElementType::Bool && bytes.iter().any(|byte| *byte > 1) {
        return Err(Error::Input(format!(
            "has a truth value that is neither 0 nor 1 in {:?}; save it again",
            weight.name
        )));
    }
    let storage = Tensor::f_from_data_size(bytes, &[elements as i64], kind)?;
    let view = storage.f_as_strided(whole(&weight.sizes), whole(&weight.strides), weight.offset as i64)?;
    let tensor = view.f_to_device(tensor::device())?;
    let is_finite = !weight.is_parameter || !weight_is_real(weight.kind) || finite(&tensor)?;
    if !is_finite {
        return Err(Error::Input(format!("holds NaN or infinity in {:?}; save finite weights", weight.name)));
    }
    Ok(tensor)
}

fn finite(tensor: &Tensor) -> Result<bool> {
    Ok(tensor::value(&tensor.f_isfinite()?.f_all()?)? != 0.0)
}

fn weight_is_real(kind: ElementType) -> bool {
    match kind {
        ElementType::Half | ElementType::Float | ElementType::Double | ElementType::BFloat16 => true,
        ElementType::Byte
        | ElementType::Char
        | ElementType::Short
        | ElementType::Int
        | ElementType::Long
        | ElementType::Bool => false,
    }
}

fn kind_of(kind: ElementType) -> Kind {
    match kind {
        ElementType::Byte => Kind::Uint8,
        ElementType::Char => Kind::Int8,
        ElementType::Short => Kind::Int16,
        ElementType::Int => Kind::Int,
        ElementType::Long => Kind::Int64,
        ElementType::Half => Kind::Half,
        ElementType::Float => Kind::Float,
        ElementType::Double => Kind::Double,
        ElementType::Bool => Kind::Bool,
        ElementType::BFloat16 => Kind::BFloat16,
    }
}
