//! Cross-attention fusion: words attend to the image's regions and regions to the words (Vaswani et al., NeurIPS
//! 2017, in both directions as in Lu et al., ViLBERT, NeurIPS 2019). Each direction has a residual connection and a
//! layer norm (Ba et al., 2016); the results are mean-pooled and classified. Parameter names are those of torch's
//! `MultiheadAttention`.

use super::attention::attend;
use super::params::{Declarations, Init, Scope};
use crate::Result;
use crate::lab::tensor::{Kind, Tensor};

const NORM_EPSILON: f64 = 1e-5;

/// The shape of the fusion: both inputs are projected into one space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cross {
    /// Width of the space.
    pub width: usize,
    /// Attention heads; their number divides `width`.
    pub heads: usize,
}

impl Cross {
    /// Declares everything above the branches, which give `channels` numbers a region and `hidden` a word.
    pub fn declare(self, d: &mut Declarations, (channels, hidden): (usize, usize), answers: usize) {
        let deviation = |into: usize| (1.0 / into as f32).sqrt();
        d.linear("image", self.width, channels, deviation(channels));
        d.linear("text", self.width, hidden, deviation(hidden));
        for direction in ["text_to_image", "image_to_text"] {
            d.within(direction, |d| {
                let normal = Init::Normal(deviation(self.width));
                d.weight("in_proj_weight", &[3 * self.width, self.width], normal);
                d.weight("in_proj_bias", &[3 * self.width], Init::Constant(0.0));
                d.linear("out_proj", self.width, self.width, deviation(self.width));
            });
            d.layer_norm(&format!("{direction}_norm"), self.width);
        }
        d.linear("classifier", answers, 2 * self.width, 0.01);
    }

    /// The answers `[cases, answers]` for regions `[cases, regions, channels]` and words `[cases, length, hidden +
    /// 1]`. The last column of the words is 0, or a large negative number for padding.
    pub fn forward(self, p: &Scope<'_>, regions: &Tensor, words: &Tensor) -> Result<Tensor> {
        let hidden = words.size()[2] - 1;
        let padding = words.f_narrow(2, hidden, 1)?;
        let image = p.linear("image", regions)?;
        let text = p.linear("text", &words.f_narrow(2, 0, hidden)?)?;
        let looked = self.attend(&p.sub("text_to_image"), &text, &image, None)?;
        let read = self.attend(&p.sub("image_to_text"), &image, &text, Some(&padding))?;
        let text = p.layer_norm("text_to_image_norm", &looked.f_add(&text)?, NORM_EPSILON)?;
        let image = p.layer_norm("image_to_text_norm", &read.f_add(&image)?, NORM_EPSILON)?;
        let over = [1_i64];
        let present = padding.f_exp()?; // 1 for a token, 0 for padding
        let sum = text.f_mul(&present)?.f_sum_dim_intlist(over.as_slice(), false, Kind::Float)?;
        let text = sum.f_div(&present.f_sum_dim_intlist(over.as_slice(), false, Kind::Float)?)?;
        let image = image.f_mean_dim(over.as_slice(), false, Kind::Float)?;
        p.linear("classifier", &Tensor::f_cat(&[text, image], 1)?)
    }

    /// Scaled dot-product attention of `queries` over `keys`, `[cases, n, width]` each.
    fn attend(
        self,
        p: &Scope<'_>,
        queries: &Tensor,
        keys: &Tensor,
        padding: Option<&Tensor>,
    ) -> Result<Tensor> {
        let width = self.width as i64;
        let (weight, bias) = (p.get("in_proj_weight")?, p.get("in_proj_bias")?);
        let project = |x: &Tensor, part: i64| -> Result<Tensor> {
            let weight = weight.f_narrow(0, part * width, width)?;
            let bias = bias.f_narrow(0, part * width, width)?;
            Ok(x.f_linear(&weight, Some(&bias))?)
        };
        let size = keys.size();
        let mask = padding.map(|padding| padding.f_view([size[0], 1, 1, size[1]])).transpose()?;
        let projected = [&project(queries, 0)?, &project(keys, 1)?, &project(keys, 2)?];
        let mixed = attend(projected, mask.as_ref(), self.heads as i64)?;
        p.linear("out_proj", &mixed)
    }
}
