//! Vision transformers: Dosovitskiy et al., An Image is Worth 16×16 Words (ICLR 2021), and Touvron et al., Training
//! data-efficient image transformers (ICML 2021), which normalise pixels in another way. An image is read as patches of
//! 16 pixels, beside a token of its own whose last state the classifier reads.
//!
//! Parameter names and layers are those of timm's `vit_base_patch16_224` and its smaller kin, so that their checkpoints
//! fit unchanged. Pixels are in [0, 1]; the network scales them itself.

use super::attention::attend;
use super::params::{Declarations, Init, Scope};
use super::vision::as_imagenet;
use crate::Result;
use crate::lab::tensor::Tensor;
use crate::spec::VisionNetwork;

/// Side of a patch in pixels.
const PATCH: usize = VisionNetwork::PATCH as usize;
/// Width of the feed-forward layer, in widths of the network.
const WIDENING: usize = 4;
const LAYERS: usize = 12;
const NORM_EPSILON: f64 = 1e-6;
/// Standard deviation of the initial weights.
const DEVIATION: f32 = 0.02;

/// How pixels are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// To [−1, 1], as timm's `vit_*` weights expect.
    Symmetric,
    /// As ImageNet's, as the weights of `deit_*` expect.
    ImageNet,
}

/// The shape of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transformer {
    /// How pixels are scaled.
    pub scale: Scale,
    /// Channels of a token.
    pub width: usize,
    /// Side of the image in patches.
    pub patches: usize,
}

impl Transformer {
    /// Name of the classifier in the published checkpoint.
    pub const HEAD: &'static str = "head";
    /// Name of the embeddings of positions, `[1, positions, width]`.
    const POSITIONS: &'static str = "pos_embed";
    /// What a checkpoint holds above the trunk.
    pub const ABOVE: &'static [&'static str] = &["head."];

    /// A network with so many channels a token, for square images of a side in pixels.
    pub fn new(scale: Scale, width: usize, side: usize) -> Self {
        Self { scale, width, patches: side / PATCH }
    }

    /// The side in pixels of the images that a checkpoint is made for, if this tensor of it holds the positions: one for each
    /// patch, and one for the class token.
    pub fn side_of(name: &str, shape: &[usize]) -> Option<usize> {
        let patches = shape.get(1)?.checked_sub(1)?;
        (name == Self::POSITIONS && patches.isqrt().pow(2) == patches).then_some(patches.isqrt() * PATCH)
    }

    /// Attention heads: one for every 64 channels, and one at least.
    fn heads(self) -> i64 {
        (self.width / VisionNetwork::HEAD_WIDTH as usize).max(1) as i64
    }

    /// Declares the trunk.
    pub fn declare(self, d: &mut Declarations) {
        let (width, tokens) = (self.width, self.patches.pow(2) + 1);
        let normal = Init::Normal(DEVIATION);
        d.weight("cls_token", &[1, 1, width], normal);
        d.weight(Self::POSITIONS, &[1, tokens, width], normal);
        d.within("patch_embed", |d| {
            d.weight("proj.weight", &[width, 3, PATCH, PATCH], normal);
            d.weight("proj.bias", &[width], Init::Constant(0.0));
        });
        for layer in 0..LAYERS {
            d.within(&format!("blocks.{layer}"), |d| {
                d.layer_norm("norm1", width);
                d.linear("attn.qkv", 3 * width, width, DEVIATION);
                d.linear("attn.proj", width, width, DEVIATION);
                d.layer_norm("norm2", width);
                d.linear("mlp.fc1", WIDENING * width, width, DEVIATION);
                d.linear("mlp.fc2", width, WIDENING * width, DEVIATION);
            });
        }
        d.layer_norm("norm", width);
    }

    /// The last states of the image's token and of its patches, row by row, `[images, 1 + patches², width]`, for gray
    /// images `[images, 1, side, side]`.
    pub(super) fn states(self, p: &Scope<'_>, images: &Tensor) -> Result<Tensor> {
        let (count, width) = (images.size()[0], self.width as i64);
        let x = match self.scale {
            Scale::Symmetric => {
                images.f_mul_scalar(2.0)?.f_sub_scalar(1.0)?.f_expand([-1, 3, -1, -1], false)?
            }
            Scale::ImageNet => as_imagenet(images)?,
        };
        let x =
            p.sub("patch_embed").conv("proj", &x, PATCH as i64, 0, 1)?.f_flatten(2, 3)?.f_transpose(1, 2)?;
        let own = p.get("cls_token")?.f_expand([count, 1, width], false)?;
        let mut x = Tensor::f_cat(&[own, x], 1)?.f_add(p.get(Self::POSITIONS)?)?;
        for layer in 0..LAYERS {
            let p = p.sub(&format!("blocks.{layer}"));
            let projected = p.linear("attn.qkv", &p.layer_norm("norm1", &x, NORM_EPSILON)?)?;
            let part = |place: i64| projected.f_narrow(2, place * width, width);
            let mixed = attend([&part(0)?, &part(1)?, &part(2)?], None, self.heads())?;
            x = x.f_add(&p.linear("attn.proj", &mixed)?)?;
            let wide = p.linear("mlp.fc1", &p.layer_norm("norm2", &x, NORM_EPSILON)?)?.f_gelu("none")?;
            x = x.f_add(&p.linear("mlp.fc2", &wide)?)?;
        }
        p.layer_norm("norm", &x, NORM_EPSILON)
    }
}
