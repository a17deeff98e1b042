//! SE-ResNet-18 for small inputs: He et al., Deep Residual Learning (CVPR 2016), with the
//! squeeze-and-excitation of Hu et al. (CVPR 2018). Parameter names are those of timm's `legacy_seresnet18`;
//! the stem is one 3×3 convolution of stride 2 without pooling, over one gray channel.
//!
//! Every view goes through the same trunk; the features of the views are concatenated. Pixels are in
//! [0, 1] and the normalisation is part of the model.

use super::params::{Declarations, Init, Scope};
use crate::Result;
use crate::lab::tensor::Tensor;

const BLOCKS_A_STAGE: usize = 2;
const REDUCTION: usize = 16;
/// Mean and standard deviation of a chest film's pixels, roughly.
const MEAN: f64 = 0.5;
const DEVIATION: f64 = 0.25;

/// The shape of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeResnet {
    /// Channels of the first stage.
    pub width: usize,
    /// Views of a study.
    pub views: usize,
}

impl SeResnet {
    /// Number of features of a study, all views together.
    pub fn features(self) -> usize {
        self.width * 8 * self.views
    }

    /// Declares the trunk.
    pub fn declare_trunk(self, d: &mut Declarations) {
        d.conv("layer0.conv1", self.width, 1, 3);
        d.batch_norm("layer0.bn1", self.width);
        let mut into = self.width;
        for stage in 0..4 {
            let out = self.width << stage;
            for block in 0..BLOCKS_A_STAGE {
                d.within(&format!("layer{}.{block}", stage + 1), |d| declare_block(d, out, into));
                into = out;
            }
        }
    }

    /// Declares the classifier.
    pub fn declare_head(self, d: &mut Declarations) {
        d.linear("last_linear", 2, self.features(), 0.01);
    }

    /// Features `[cases, features]` of images `[cases, views, side, side]`.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn forward(self, p: &Scope<'_>, images: &Tensor, train: bool) -> Result<Tensor> {
        let size = images.size();
        let x = images.f_reshape([size[0] * size[1], 1, size[2], size[3]])?;
        let x = x.f_sub_scalar(MEAN)?.f_div_scalar(DEVIATION)?;
        let x = p.conv("layer0.conv1", &x, 2, 1)?;
        let mut x = p.batch_norm("layer0.bn1", &x, train)?.f_relu()?;
        for stage in 1..=4 {
            for block in 0..BLOCKS_A_STAGE {
                let stride = if stage > 1 && block == 0 { 2 } else { 1 };
                x = forward_block(&p.sub(&format!("layer{stage}.{block}")), &x, stride, train)?;
            }
        }
        let pooled = x.f_adaptive_avg_pool2d([1, 1])?;
        Ok(pooled.f_reshape([size[0], self.features() as i64])?)
    }
}

fn declare_block(d: &mut Declarations, out: usize, into: usize) {
    d.conv("conv1", out, into, 3);
    d.batch_norm("bn1", out);
    d.conv("conv2", out, out, 3);
    d.batch_norm("bn2", out);
    let squeezed = (out / REDUCTION).max(1);
    for (name, to, from) in [("fc1", squeezed, out), ("fc2", out, squeezed)] {
        d.conv(&format!("se_module.{name}"), to, from, 1);
        d.weight(&format!("se_module.{name}.bias"), &[to], Init::Constant(0.0));
    }
    if out != into {
        d.conv("downsample.0", out, into, 1);
        d.batch_norm("downsample.1", out);
    }
}

fn forward_block(p: &Scope<'_>, x: &Tensor, stride: i64, train: bool) -> Result<Tensor> {
    let y = p.conv("conv1", x, stride, 1)?;
    let y = p.batch_norm("bn1", &y, train)?.f_relu()?;
    let y = p.conv("conv2", &y, 1, 1)?;
    let y = p.batch_norm("bn2", &y, train)?.f_relu()?;
    let squeezed = y.f_mean_dim([2_i64, 3].as_slice(), true, None)?;
    let excited = p.conv("se_module.fc1", &squeezed, 1, 0)?.f_relu()?;
    let excited = p.conv("se_module.fc2", &excited, 1, 0)?.f_sigmoid()?;
    let y = y.f_mul(&excited)?;
    let shortcut = if p.has("downsample.0.weight") {
        let shortcut = p.conv("downsample.0", x, stride, 0)?;
        p.batch_norm("downsample.1", &shortcut, train)?
    } else {
        x.shallow_clone()
    };
    Ok(y.f_add(&shortcut)?.f_relu()?)
}
