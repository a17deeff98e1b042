//! Residual networks, with and without squeeze-and-excitation: He et al., Deep Residual Learning (CVPR
//! 2016); Hu et al., Squeeze-and-Excitation Networks (CVPR 2018); Xie et al., `ResNeXt` (CVPR 2017).
//!
//! Parameter names and layers are those of timm's `legacy_senet154`, `legacy_seresnet…`, `legacy_seresnext…` and
//! `resnet…`, so that a timm checkpoint fits unchanged. `SMALL` is `legacy_seresnet18` with a stem for small gray
//! images. Pixels are in [0, 1]; the network normalises them itself.

use super::params::{Declarations, Init, Scope};
use super::vision::as_imagenet;
use crate::Result;
use crate::lab::tensor::Tensor;

const REDUCTION: usize = 16;
/// Approximate mean and standard deviation of a chest film's pixels.
const FILM: (f64, f64) = (0.5, 0.25);

/// The layers before the first stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stem {
    /// One gray channel, 3×3, stride 2, no pooling.
    Small,
    /// 7×7, stride 2, then pooling.
    Seven,
    /// Three 3×3, the first of stride 2, then pooling.
    Three,
}

/// The kind of block that stages consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// Two 3×3 convolutions.
    Basic,
    /// 1×1, 3×3, 1×1, with the stride in the first (`legacy_seresnet50`).
    BottleneckEarlyStride,
    /// 1×1, 3×3, 1×1, with the stride in the second (`resnet50`).
    Bottleneck,
    /// The same with 32 groups of 4 channels (`legacy_seresnext50_32x4d`).
    Grouped,
    /// Twice as wide with 64 groups (`legacy_senet154`).
    Wide,
}

impl Block {
    fn expansion(self) -> usize {
        if self == Self::Basic { 1 } else { 4 }
    }
}

/// The shape of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Residual {
    /// The layers before the first stage.
    pub stem: Stem,
    /// The kind of its blocks.
    pub block: Block,
    /// Blocks of each stage.
    pub layers: [usize; 4],
    /// Whether blocks have squeeze-and-excitation.
    pub excites: bool,
    /// Channels (planes) of the first stage: 64 in every published network.
    pub width: usize,
}

/// A convolution and the batch norm after it.
#[derive(Clone, Copy)]
struct Layer {
    conv: &'static str,
    norm: &'static str,
    out: usize,
    into: usize,
    kernel: usize,
    stride: usize,
    groups: usize,
}

impl Residual {
    /// SE-ResNet-18 for small inputs.
    pub const SMALL: Self =
        Self { stem: Stem::Small, block: Block::Basic, layers: [2, 2, 2, 2], excites: true, width: 64 };
    /// timm's `resnet18`.
    pub const RESNET18: Self = Self { stem: Stem::Seven, excites: false, ..Self::SMALL };
    /// timm's `resnet50`.
    pub const RESNET50: Self = Self { block: Block::Bottleneck, layers: [3, 4, 6, 3], ..Self::RESNET18 };
    /// timm's `legacy_seresnet50`.
    pub const SE_RESNET50: Self =
        Self { block: Block::BottleneckEarlyStride, excites: true, ..Self::RESNET50 };
    /// timm's `legacy_seresnext50_32x4d`.
    pub const SE_RESNEXT50: Self = Self { block: Block::Grouped, ..Self::SE_RESNET50 };
    /// timm's `legacy_senet154`.
    pub const SENET154: Self =
        Self { stem: Stem::Three, block: Block::Wide, layers: [3, 8, 36, 3], ..Self::SE_RESNET50 };

    /// Blocks of each stage in the networks of 101 layers.
    const DEEP: [usize; 4] = [3, 4, 23, 3];
    /// timm's `legacy_seresnet101`.
    pub const SE_RESNET101: Self = Self { layers: Self::DEEP, ..Self::SE_RESNET50 };
    /// timm's `legacy_seresnet152`.
    pub const SE_RESNET152: Self = Self { layers: [3, 8, 36, 3], ..Self::SE_RESNET50 };
    /// timm's `legacy_seresnext101_32x4d`.
    pub const SE_RESNEXT101: Self = Self { layers: Self::DEEP, ..Self::SE_RESNEXT50 };

    /// What a checkpoint holds above the trunk.
    pub const ABOVE: &'static [&'static str] = &["last_linear.", "fc."];

    /// Channels of the last feature maps.
    pub fn channels(self) -> usize {
        self.width * 8 * self.block.expansion()
    }

    /// Name of the classifier in the published checkpoint.
    pub fn head(self) -> &'static str {
        if self.excites { "last_linear" } else { "fc" }
    }

    /// Declares the trunk.
    pub fn declare(self, d: &mut Declarations) {
        self.declare_stem(d);
        let mut into = self.stem_width();
        for stage in 0..4 {
            for block in 0..self.layers[stage] {
                d.within(&format!("layer{}.{block}", stage + 1), |d| {
                    self.declare_block(d, stage, block, into);
                });
                into = (self.width << stage) * self.block.expansion();
            }
        }
    }

    /// The feature maps of the last stage, `[images, channels, height, width]`, of gray images `[images, 1, side,
    /// side]`.
    pub(super) fn maps(self, p: &Scope<'_>, images: &Tensor, train: bool) -> Result<Tensor> {
        let mut x = self.enter(p, images, train)?;
        let mut into = self.stem_width();
        for stage in 0..4 {
            for block in 0..self.layers[stage] {
                let p = p.sub(&format!("layer{}.{block}", stage + 1));
                x = self.forward_block(&p, &x, (stage, block, into), train)?;
                into = (self.width << stage) * self.block.expansion();
            }
        }
        Ok(x)
    }

    fn stem_width(self) -> usize {
        if self.stem == Stem::Three { self.width * 2 } else { self.width }
    }

    fn stem_layers(self) -> Vec<Layer> {
        let layer = |conv, norm, into, out, kernel, stride| Layer {
            conv,
            norm,
            out,
            into,
            kernel,
            stride,
            groups: 1,
        };
        let width = self.width;
        match (self.stem, self.excites) {
            (Stem::Small, _) => vec![layer("layer0.conv1", "layer0.bn1", 1, width, 3, 2)],
            (Stem::Seven, true) => vec![layer("layer0.conv1", "layer0.bn1", 3, width, 7, 2)],
            (Stem::Seven, false) => vec![layer("conv1", "bn1", 3, width, 7, 2)],
            (Stem::Three, _) => vec![
                layer("layer0.conv1", "layer0.bn1", 3, width, 3, 2),
                layer("layer0.conv2", "layer0.bn2", width, width, 3, 1),
                layer("layer0.conv3", "layer0.bn3", width, width * 2, 3, 1),
            ],
        }
    }

    fn declare_stem(self, d: &mut Declarations) {
        for layer in self.stem_layers() {
            layer.declare(d);
        }
    }

    fn enter(self, p: &Scope<'_>, images: &Tensor, train: bool) -> Result<Tensor> {
        let mut x = if self.stem == Stem::Small {
            images.f_sub_scalar(FILM.0)?.f_div_scalar(FILM.1)?
        } else {
            as_imagenet(images)?
        };
        x = p.lay_out(&x)?;
        for layer in self.stem_layers() {
            x = layer.forward(p, &x, train)?.f_relu_()?;
        }
        if self.stem == Stem::Small {
            return Ok(x);
        }
        // the two families of checkpoints were trained with different borders of the pooling
        let (padding, ceil) = if self.excites { (0, true) } else { (1, false) };
        Ok(x.f_max_pool2d([3, 3], [2, 2], [padding, padding], [1, 1], ceil)?)
    }

    /// The convolutions of a block, in order.
    fn block_layers(self, stage: usize, block: usize, into: usize) -> Vec<Layer> {
        let planes = self.width << stage;
        let out = planes * self.block.expansion();
        let stride = if stage > 0 && block == 0 { 2 } else { 1 };
        let layer = |number: usize, into, out, kernel, stride, groups| {
            let (conv, norm) = [("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3")][number - 1];
            Layer { conv, norm, out, into, kernel, stride, groups }
        };
        match self.block {
            Block::Basic => vec![layer(1, into, planes, 3, stride, 1), layer(2, planes, planes, 3, 1, 1)],
            Block::BottleneckEarlyStride => vec![
                layer(1, into, planes, 1, stride, 1),
                layer(2, planes, planes, 3, 1, 1),
                layer(3, planes, out, 1, 1, 1),
            ],
            Block::Bottleneck => vec![
                layer(1, into, planes, 1, 1, 1),
                layer(2, planes, planes, 3, stride, 1),
                layer(3, planes, out, 1, 1, 1),
            ],
            Block::Grouped => {
                let (width, groups) = (planes * 2, (self.width / 2).max(1));
                vec![
                    layer(1, into, width, 1, 1, 1),
                    layer(2, width, width, 3, stride, groups),
                    layer(3, width, out, 1, 1, 1),
                ]
            }
            Block::Wide => vec![
                layer(1, into, planes * 2, 1, 1, 1),
                layer(2, planes * 2, planes * 4, 3, stride, self.width),
                layer(3, planes * 4, out, 1, 1, 1),
            ],
        }
    }

    fn shortcut(self, stage: usize, block: usize, into: usize) -> Option<Layer> {
        let out = (self.width << stage) * self.block.expansion();
        let stride = if stage > 0 && block == 0 { 2 } else { 1 };
        let kernel = if self.block == Block::Wide && stage > 0 { 3 } else { 1 };
        (stride != 1 || into != out).then_some(Layer {
            conv: "downsample.0",
            norm: "downsample.1",
            out,
            into,
            kernel,
            stride,
            groups: 1,
        })
    }

    fn declare_block(self, d: &mut Declarations, stage: usize, block: usize, into: usize) {
        for layer in self.block_layers(stage, block, into) {
            layer.declare(d);
        }
        if self.excites {
            let out = (self.width << stage) * self.block.expansion();
            let squeezed = (out / REDUCTION).max(1);
            for (name, to, from) in [("fc1", squeezed, out), ("fc2", out, squeezed)] {
                d.conv(&format!("se_module.{name}"), to, from, 1);
                d.weight(&format!("se_module.{name}.bias"), &[to], Init::Constant(0.0));
            }
        }
        if let Some(layer) = self.shortcut(stage, block, into) {
            layer.declare(d);
        }
    }

    fn forward_block(
        self,
        p: &Scope<'_>,
        x: &Tensor,
        (stage, block, into): (usize, usize, usize),
        train: bool,
    ) -> Result<Tensor> {
        let layers = self.block_layers(stage, block, into);
        let mut y = x.shallow_clone();
        for (number, layer) in layers.iter().enumerate() {
            y = layer.forward(p, &y, train)?;
            // timm's SE basic block has a second activation before the excitation
            if number + 1 < layers.len() || (self.excites && self.block == Block::Basic) {
                y = y.f_relu_()?;
            }
        }
        if self.excites {
            y = excite(p, &y)?;
        }
        let shortcut = match self.shortcut(stage, block, into) {
            Some(layer) => layer.forward(p, x, train)?,
            None => x.shallow_clone(),
        };
        Ok(y.f_add_(&shortcut)?.f_relu_()?)
    }
}

impl Layer {
    fn declare(self, d: &mut Declarations) {
        d.conv(self.conv, self.out, self.into / self.groups, self.kernel);
        d.batch_norm(self.norm, self.out);
    }

    fn forward(self, p: &Scope<'_>, x: &Tensor, train: bool) -> Result<Tensor> {
        let y = p.conv(self.conv, x, self.stride as i64, (self.kernel / 2) as i64, self.groups as i64)?;
        p.batch_norm(self.norm, &y, train)
    }
}

fn excite(p: &Scope<'_>, y: &Tensor) -> Result<Tensor> {
    let squeezed = y.f_mean_dim([2_i64, 3].as_slice(), true, None)?;
    let excited = p.conv("se_module.fc1", &squeezed, 1, 0, 1)?.f_relu_()?;
    let excited = p.conv("se_module.fc2", &excited, 1, 0, 1)?.f_sigmoid()?;
    Ok(y.f_mul(&excited)?)
}
