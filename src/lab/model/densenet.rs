//! Densely connected networks: Huang et al., Densely Connected Convolutional Networks (CVPR 2017). Every layer reads
//! the maps of all layers before it in its block.
//!
//! Parameter names and layers are those of torchvision's `densenet121`, so that its checkpoints fit unchanged, and
//! those of torchxrayvision's `DenseNet`, which reads one gray channel. Pixels are in [0, 1]; the network scales them
//! itself.

use super::params::{Declarations, Init, Scope};
use super::vision::as_imagenet;
use crate::Result;
use crate::lab::tensor::Tensor;

/// Channels of a layer's 1×1 convolution, in growth rates.
const BOTTLENECK: usize = 4;

/// What the first convolution reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// Three channels, normalised as ImageNet's.
    ImageNet,
    /// One gray channel in [−1024, 1024], as torchxrayvision scales it.
    Hounsfield,
}

/// The shape of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DenseNet {
    /// What it reads.
    pub pixels: Pixels,
    /// Layers of each block.
    pub layers: [usize; 4],
    /// Channels that each layer adds. The stem has twice as many.
    pub growth: usize,
}

impl DenseNet {
    /// torchvision's `densenet121`.
    pub const DENSENET121: Self = Self { pixels: Pixels::ImageNet, layers: [6, 12, 24, 16], growth: 32 };
    /// torchxrayvision's `DenseNet`.
    pub const XRV_DENSENET121: Self = Self { pixels: Pixels::Hounsfield, ..Self::DENSENET121 };

    /// Name of the classifier in the published checkpoint.
    pub const HEAD: &'static str = "classifier";
    /// What a checkpoint holds above the trunk.
    pub const ABOVE: &'static [&'static str] = &["classifier."];

    fn stem_width(self) -> usize {
        2 * self.growth
    }

    /// Channels of a block's input; block 4 is what follows the last block. Every block but the last is halved.
    fn width(self, block: usize) -> usize {
        let mut width = self.stem_width();
        for (place, layers) in self.layers.iter().take(block).enumerate() {
            width += layers * self.growth;
            if place + 1 < self.layers.len() {
                width /= 2;
            }
        }
        width
    }

    /// Channels of the last feature maps.
    pub fn channels(self) -> usize {
        self.width(self.layers.len())
    }

    /// Declares the trunk.
    pub fn declare(self, d: &mut Declarations) {
        d.within("features", |d| {
            let channels = match self.pixels {
                Pixels::ImageNet => 3,
                Pixels::Hounsfield => 1,
            };
            convolution(d, "conv0", self.stem_width(), channels, 7);
            d.batch_norm("norm0", self.stem_width());
            for (block, &layers) in self.layers.iter().enumerate() {
                let mut into = self.width(block);
                for layer in 0..layers {
                    d.within(&layer_name(block, layer), |d| {
                        d.batch_norm("norm1", into);
                        convolution(d, "conv1", BOTTLENECK * self.growth, into, 1);
                        d.batch_norm("norm2", BOTTLENECK * self.growth);
                        convolution(d, "conv2", self.growth, BOTTLENECK * self.growth, 3);
                    });
                    into += self.growth;
                }
                if block + 1 < self.layers.len() {
                    d.within(&transition_name(block), |d| {
                        d.batch_norm("norm", into);
                        convolution(d, "conv", self.width(block + 1), into, 1);
                    });
                }
            }
            d.batch_norm("norm5", self.channels());
        });
    }

    /// Feature maps `[images, channels, height, width]` of gray images `[images, 1, side, side]`.
    pub(super) fn maps(self, p: &Scope<'_>, images: &Tensor, train: bool) -> Result<Tensor> {
        let p = p.sub("features");
        let x = match self.pixels {
            Pixels::ImageNet => as_imagenet(images)?,
            Pixels::Hounsfield => images.f_mul_scalar(2048.0)?.f_sub_scalar(1024.0)?,
        };
        let x = p.conv("conv0", &p.lay_out(&x)?, 2, 3, 1)?;
        let x = p.batch_norm("norm0", &x, train)?.f_relu_()?;
        let mut x = x.f_max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false)?;
        for (block, &layers) in self.layers.iter().enumerate() {
            for layer in 0..layers {
                let p = p.sub(&layer_name(block, layer));
                let y = p.batch_norm("norm1", &x, train)?.f_relu_()?;
                let y = p.conv("conv1", &y, 1, 0, 1)?;
                let y = p.batch_norm("norm2", &y, train)?.f_relu_()?;
                x = Tensor::f_cat(&[x, p.conv("conv2", &y, 1, 1, 1)?], 1)?;
            }
            if block + 1 < self.layers.len() {
                let p = p.sub(&transition_name(block));
                let y = p.batch_norm("norm", &x, train)?.f_relu_()?;
                x = p.conv("conv", &y, 1, 0, 1)?.f_avg_pool2d([2, 2], [2, 2], [0, 0], false, true, None)?;
            }
        }
        Ok(p.batch_norm("norm5", &x, train)?.f_relu_()?)
    }
}

/// Declares a convolution with torchvision's initial values (He et al., 2015, fan in): fan out lets the maps grow from
/// layer to layer, because a layer reads far more channels than it adds.
fn convolution(d: &mut Declarations, name: &str, out: usize, into: usize, kernel: usize) {
    let deviation = (2.0 / (into * kernel * kernel) as f32).sqrt();
    d.weight(&format!("{name}.weight"), &[out, into, kernel, kernel], Init::Normal(deviation));
}

fn layer_name(block: usize, layer: usize) -> String {
    format!("denseblock{}.denselayer{}", block + 1, layer + 1)
}

fn transition_name(block: usize) -> String {
    format!("transition{}", block + 1)
}

/// The name of a parameter today: old checkpoints write `denselayer1.norm.1.weight` for `denselayer1.norm1.weight`.
/// A name of another network stays as it is.
pub(in crate::lab) fn current_name(name: &str) -> String {
    if !name.contains(".denselayer") {
        return name.to_string();
    }
    let mut current = name.to_string();
    for (old, new) in [(".norm.", ".norm"), (".conv.", ".conv")] {
        for number in ["1.", "2."] {
            current = current.replace(&format!("{old}{number}"), &format!("{new}{number}"));
        }
    }
    current
}
