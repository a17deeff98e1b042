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
