//! Scaled dot-product attention in several heads: Vaswani et al., Attention Is All You Need (NeurIPS 2017).

use crate::Result;
use crate::lab::tensor::{Kind, Tensor};

/// Attention, head by head: softmax(q kᵀ / √(width of a head) + mask) v. Queries, keys and values are already
/// projected and `[cases, length, width]`; the mask is `[cases, 1, 1, length of the keys]`.
pub(super) fn attend(
    [queries, keys, values]: [&Tensor; 3],
    mask: Option<&Tensor>,
    heads: i64,
) -> Result<Tensor> {
    let size = queries.size();
    let width = size[2] / heads;
    let split = |x: &Tensor| -> Result<Tensor> {
        Ok(x.f_view([x.size()[0], x.size()[1], heads, width])?.f_transpose(1, 2)?)
    };
    let scores = split(queries)?.f_matmul(&split(keys)?.f_transpose(-1, -2)?)?;
    let mut scores = scores.f_div_scalar((width as f64).sqrt())?;
    if let Some(mask) = mask {
        scores = scores.f_add(mask)?;
    }
    let mixed = scores.f_softmax(-1, Kind::Float)?.f_matmul(&split(values)?)?;
    Ok(mixed.f_transpose(1, 2)?.f_contiguous()?.f_view(size.as_slice())?)
}
