//! A vision network over the views of a study: every view goes through one trunk, and their features are
//! concatenated. A trunk is a file of its own; a new one is its variant here and its row in [`Trunk::of`].

use super::Answers;
use super::densenet::DenseNet;
use super::params::{Declarations, Scope};
use super::residual::Residual;
use super::vit::{Scale, Transformer};
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::spec::VisionNetwork;

/// Channel means and standard deviations of ImageNet, which published weights expect.
const IMAGENET: ([f32; 3], [f32; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

/// The layers below the classifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trunk {
    /// A residual network.
    Residual(Residual),
    /// A densely connected network.
    Dense(DenseNet),
    /// A vision transformer.
    Transformer(Transformer),
}

/// The shape of a vision network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vision {
    /// The layers below the classifier.
    pub trunk: Trunk,
    /// Views of a study.
    pub views: usize,
    /// What it answers for a case.
    pub answers: Answers,
}

impl From<Residual> for Trunk {
    fn from(residual: Residual) -> Self {
        Self::Residual(residual)
    }
}

impl From<DenseNet> for Trunk {
    fn from(dense: DenseNet) -> Self {
        Self::Dense(dense)
    }
}

impl Trunk {
    /// The network that a spec names, with the spec's `width`, for square images of a side.
    pub fn of(network: VisionNetwork, width: usize, side: usize) -> Self {
        let residual = |shape: Residual| Self::Residual(Residual { width, ..shape });
        let dense = |shape: DenseNet| Self::Dense(DenseNet { growth: width, ..shape });
        let transformer = |scale| Self::Transformer(Transformer::new(scale, width, side));
        match network {
            VisionNetwork::SeResnet18 => residual(Residual::SMALL),
            VisionNetwork::Resnet18 => residual(Residual::RESNET18),
            VisionNetwork::Resnet50 => residual(Residual::RESNET50),
            VisionNetwork::SeResnet50 => residual(Residual::SE_RESNET50),
            VisionNetwork::SeResnet101 => residual(Residual::SE_RESNET101),
            VisionNetwork::SeResnet152 => residual(Residual::SE_RESNET152),
            VisionNetwork::SeResnext50 => residual(Residual::SE_RESNEXT50),
            VisionNetwork::SeResnext101 => residual(Residual::SE_RESNEXT101),
            VisionNetwork::Senet154 => residual(Residual::SENET154),
            VisionNetwork::Densenet121 => dense(DenseNet::DENSENET121),
            VisionNetwork::XrvDensenet121 => dense(DenseNet::XRV_DENSENET121),
            VisionNetwork::VitTiny | VisionNetwork::VitSmall | VisionNetwork::VitBase => {
                transformer(Scale::Symmetric)
            }
            VisionNetwork::DeitTiny | VisionNetwork::DeitSmall | VisionNetwork::DeitBase => {
                transformer(Scale::ImageNet)
            }
        }
    }

    /// Declares its parameters.
    pub fn declare(self, d: &mut Declarations) {
        match self {
            Self::Residual(residual) => residual.declare(d),
            Self::Dense(dense) => dense.declare(d),
            Self::Transformer(transformer) => transformer.declare(d),
        }
    }

    /// Channels of its features.
    pub fn channels(self) -> usize {
        match self {
            Self::Residual(residual) => residual.channels(),
            Self::Dense(dense) => dense.channels(),
            Self::Transformer(transformer) => transformer.width,
        }
    }

    /// Name of the classifier in the published checkpoint.
    pub fn head(self) -> &'static str {
        match self {
            Self::Residual(residual) => residual.head(),
            Self::Dense(_) => DenseNet::HEAD,
            Self::Transformer(_) => Transformer::HEAD,
        }
    }

    /// Prefixes of what a checkpoint holds above the trunk.
    pub fn above(self) -> &'static [&'static str] {
        match self {
            Self::Residual(_) => Residual::ABOVE,
            Self::Dense(_) => DenseNet::ABOVE,
            Self::Transformer(_) => Transformer::ABOVE,
        }
    }

    /// What the classifier reads of gray images `[images, 1, side, side]`: `[images, channels, …]`, the mean of the
    /// feature maps, or the state of a transformer's own token.
    fn summary(self, p: &Scope<'_>, images: &Tensor, train: bool) -> Result<Tensor> {
        let mean = |maps: Tensor| Ok(maps.f_adaptive_avg_pool2d([1, 1])?);
        match self {
            Self::Residual(residual) => mean(residual.maps(p, images, train)?),
            Self::Dense(dense) => mean(dense.maps(p, images, train)?),
            Self::Transformer(transformer) => Ok(transformer.states(p, images)?.f_select(1, 0)?),
        }
    }

    /// The features of every region, `[images, regions, channels]`, row by row.
    fn regions(self, p: &Scope<'_>, images: &Tensor, train: bool) -> Result<Tensor> {
        let each = |maps: Tensor| Ok(maps.f_flatten(2, 3)?.f_transpose(1, 2)?);
        match self {
            Self::Residual(residual) => each(residual.maps(p, images, train)?),
            Self::Dense(dense) => each(dense.maps(p, images, train)?),
            Self::Transformer(transformer) => {
                let states = transformer.states(p, images)?;
                Ok(states.f_narrow(1, 1, states.size()[1] - 1)?)
            }
        }
    }
}

impl Vision {
    /// Number of features of a study, all views together.
    pub fn features(self) -> usize {
        self.trunk.channels() * self.views
    }

    /// Declares the trunk.
    pub fn declare_trunk(self, d: &mut Declarations) {
        self.trunk.declare(d);
    }

    /// Declares the classifier.
    pub fn declare_head(self, d: &mut Declarations) {
        d.linear(self.trunk.head(), self.answers.count(), self.features(), 0.01);
    }

    /// Features `[cases, features]` of images `[cases, views, side, side]`.
    pub fn forward(self, p: &Scope<'_>, images: &Tensor, train: bool) -> Result<Tensor> {
        let summary = self.trunk.summary(p, &one_by_one(images)?, train)?;
        Ok(summary.f_reshape([images.size()[0], self.features() as i64])?)
    }

    /// The features of every region of every view, `[cases, regions, channels]`, view by view and row by row.
    pub fn regions(self, p: &Scope<'_>, images: &Tensor, train: bool) -> Result<Tensor> {
        let regions = self.trunk.regions(p, &one_by_one(images)?, train)?;
        Ok(regions.f_reshape([images.size()[0], -1, self.trunk.channels() as i64])?)
    }
}

/// The views of all cases as images of their own, `[cases · views, 1, side, side]`.
fn one_by_one(images: &Tensor) -> Result<Tensor> {
    let size = images.size();
    Ok(images.f_reshape([size[0] * size[1], 1, size[2], size[3]])?)
}

/// Gray pixels in [0, 1] as three channels, each normalised as ImageNet's.
pub(super) fn as_imagenet(images: &Tensor) -> Result<Tensor> {
    let mean = tensor::floats(&IMAGENET.0, &[1, 3, 1, 1])?;
    let deviation = tensor::floats(&IMAGENET.1, &[1, 3, 1, 1])?;
    Ok(images.f_sub(&mean)?.f_div(&deviation)?)
}
