//! A residual network over the images.

use super::weights::{ABOUT_START, SOURCE, WeightsOrTraining, check_start, read_weights};
use crate::spec::node::Node;
use crate::spec::table::{needed, optional, table, usual, whole};
use crate::spec::{Model, Optimizer, Source, VisionNetwork};

table! {
    /// A residual network.
    Vision {
        image: u32 = needed("Side of the square input in pixels.", whole(32, 512), "224"),
        start: Option<Source> = optional(ABOUT_START, SOURCE),
        ..weights: WeightsOrTraining,
    }
}

table! {
    /// The small network, which alone has a width.
    SmallVision {
        width: u32 = usual("Channels of the first stage.", whole(8, 256), USUAL_WIDTH),
        ..vision: Vision,
    }
}

/// Of the published networks, and of the small one where no width is given.
const USUAL_WIDTH: u32 = 64;

/// A published network.
pub(super) fn read(node: &Node<'_>, network: VisionNetwork) -> Option<Model> {
    finish(node, network, Some(USUAL_WIDTH), Vision::read(node)?)
}

/// The small network.
pub(super) fn read_small(node: &Node<'_>, network: VisionNetwork) -> Option<Model> {
    let SmallVision { width, vision } = SmallVision::read(node)?;
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
