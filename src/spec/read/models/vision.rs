//! A vision network over the images.

use super::weights::{ABOUT_START, SOURCE, WeightsOrTraining, check_start, read_weights};
use crate::spec::node::Node;
use crate::spec::table::{needed, optional, table, usual, whole};
use crate::spec::{Model, Optimizer, Source, VisionNetwork};

table! {
    /// A vision network.
    Vision {
        image: u32 = needed("Side of the square input in pixels.", whole(32, 512), "224"),
        start: Option<Source> = optional(ABOUT_START, SOURCE),
        ..weights: WeightsOrTraining,
    }
}

table! {
    /// The small network, which may be of another width.
    SmallVision {
        width: u32 = usual("Channels of the first stage.", whole(8, 256), SMALL_WIDTH),
        ..vision: Vision,
    }
}

table! {
    /// A densely connected network, which may be narrower than the published one.
    DenseVision {
        width: u32 = usual("Growth rate: channels that each layer adds.", whole(4, 64), DENSE_WIDTH),
        ..vision: Vision,
    }
}

table! {
    /// A vision transformer, which may be narrower than the published ones; its width depends on the network.
    Transformer {
        width: Option<u32> = optional("Channels of a token. There is one attention head for every full 64.", whole(8, 1024)),
        ..vision: Vision,
    }
}

const SMALL_WIDTH: u32 = VisionNetwork::SeResnet18.usual_width();
const DENSE_WIDTH: u32 = VisionNetwork::Densenet121.usual_width();

/// A published network of one width.
pub(super) fn read(node: &Node<'_>, network: VisionNetwork) -> Option<Model> {
    finish(node, network, Some(network.usual_width()), Vision::read(node)?)
}

/// The small network.
pub(super) fn read_small(node: &Node<'_>, network: VisionNetwork) -> Option<Model> {
    let SmallVision { width, vision } = SmallVision::read(node)?;
    finish(node, network, width.value, vision)
}

/// A densely connected network.
pub(super) fn read_dense(node: &Node<'_>, network: VisionNetwork) -> Option<Model> {
    let DenseVision { width, vision } = DenseVision::read(node)?;
    finish(node, network, width.value, vision)
}

/// A vision transformer, which reads whole patches.
pub(super) fn read_transformer(node: &Node<'_>, network: VisionNetwork) -> Option<Model> {
    const PATCH: u32 = VisionNetwork::PATCH;
    const HEAD_WIDTH: u32 = VisionNetwork::HEAD_WIDTH;
    let Transformer { width, vision } = Transformer::read(node)?;
    if let (Some(key), Some(image)) = (&vision.image.node, vision.image.value)
        && !image.is_multiple_of(PATCH)
    {
        let (below, above) = (image / PATCH * PATCH, image.next_multiple_of(PATCH));
        key.fault(
            format!("{} needs an `image` that is a multiple of {PATCH}, and {image} is not", network.name()),
            format!("write {below} or {above}"),
        );
    }
    let width = width.value?.unwrap_or(network.usual_width());
    if !width.is_multiple_of((width / HEAD_WIDTH).max(1)) {
        let help = format!("write a multiple of {HEAD_WIDTH}");
        let heads = width / HEAD_WIDTH;
        node.fault(format!("{heads} attention heads, one for every {HEAD_WIDTH} channels, do not divide a width of {width}"), help);
    }
    finish(node, network, Some(width), vision)
}

fn finish(
    node: &Node<'_>,
    network: VisionNetwork,
    width: Option<u32>,
    Vision { image, start, weights }: Vision<'_>,
) -> Option<Model> {
    check_start(start.node.as_ref(), &weights);
    let weights = read_weights(node, &weights, Optimizer::Adam)?;
    Some(Model::Vision { network, image: image.value?, width: width?, start: start.value?, weights })
}
