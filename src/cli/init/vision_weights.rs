//! Which built-in vision network a safetensors file belongs to, from the names and shapes of its tensors.

use std::path::Path;

use super::weights::{Kept, Tensors, tensors};
use crate::spec::VisionNetwork;
use crate::{Error, Result};

/// Checks the trunk as a run does: networks that are not built in have many names and shapes of one that is.
#[cfg(feature = "torch")]
fn fits(path: &Path, kept: &Kept) -> Result<()> {
    use crate::lab::model::vision::Trunk;
    use crate::lab::weights::WeightsFile;

    let Kept::Vision { network, image, width, .. } = kept else { return Ok(()) };
    let width = width.unwrap_or(u64::from(network.usual_width()));
    let trunk = Trunk::of(*network, width as usize, *image as usize);
    WeightsFile::read(path)?.trunk(trunk).map(drop).map_err(|why| {
        let why = why.to_string();
        let first = why.lines().nth(1).unwrap_or(&why).trim();
        Error::Input(format!(
            "{} looks like {} and is another network: {first}; export the model with torch.export, and name the .pt2 file \
             (manual, Models)",
            path.display(),
            network.name()
        ))
    })
}

/// Without libtorch the tensors are not compared one by one.
#[cfg(not(feature = "torch"))]
#[allow(clippy::unnecessary_wraps)] // the same as with libtorch
fn fits(_: &Path, _: &Kept) -> Result<()> {
    Ok(())
}

/// Which network the tensors of a file belong to.
pub(super) fn recognise(path: &Path) -> Result<Kept> {
    let found = guess(path)?;
    fits(path, &found)?;
    Ok(found)
}

/// The network that some tensors speak for.
fn guess(path: &Path) -> Result<Kept> {
    let tensors = tensors(path)?;
    let unknown = |what: &str| Err(Error::Input(format!("{} {what}", path.display())));
    if tensors.keys().any(|name| name.contains("embeddings.word_embeddings")) {
        return unknown("reads text; name its folder in Hugging Face's layout");
    }
    if let Some(known) = dense(&tensors).or_else(|| transformer(&tensors)) {
        return Ok(known);
    }
    let blocks = |stage: usize| highest(&tensors, &format!("layer{stage}.")).map_or(0, |last| last + 1);
    let shape = |name: &str, place: usize| tensors.get(name).and_then(|shape| shape.get(place)).copied();
    let excites = tensors.keys().any(|name| name.contains("se_module"));
    let is_deep = tensors.contains_key("layer1.0.conv3.weight");
    let group = shape("layer1.0.conv2.weight", 1).unwrap_or(0);
    let network = match ([1, 2, 3, 4].map(blocks), is_deep, excites) {
        ([2, 2, 2, 2], false, true) => VisionNetwork::SeResnet18,
        ([2, 2, 2, 2], false, false) => VisionNetwork::Resnet18,
        ([3, 4, 6, 3], true, false) => VisionNetwork::Resnet50,
        ([3, 4, 6, 3], true, true) if group == 4 => VisionNetwork::SeResnext50,
        ([3, 4, 6, 3], true, true) => VisionNetwork::SeResnet50,
        ([3, 4, 23, 3], true, true) if group == 4 => VisionNetwork::SeResnext101,
        ([3, 4, 23, 3], true, true) => VisionNetwork::SeResnet101,
        ([3, 8, 36, 3], true, true) if tensors.contains_key("layer0.conv3.weight") => VisionNetwork::Senet154,
        ([3, 8, 36, 3], true, true) => VisionNetwork::SeResnet152,
        _ => {
            return unknown(
                "fits no built-in vision network; export the model with torch.export, and name the .pt2 \
                 file (manual, Models)",
            );
        }
    };
    let width = shape("layer1.0.conv1.weight", 0).filter(|_| network == VisionNetwork::SeResnet18);
    Ok(Kept::Vision {
        network,
        image: usual_side(width),
        width,
        head_views: head_views(&tensors),
        twin: None,
    })
}

/// The side that a spec begins with: that of ImageNet, or a small one for a network of another width than published.
fn usual_side(width: Option<u64>) -> u64 {
    if width.is_some() { 56 } else { 224 }
}

/// The highest number that follows a prefix in the names.
fn highest(tensors: &Tensors, prefix: &str) -> Option<usize> {
    let of = |name: &String| name.strip_prefix(prefix)?.split('.').next()?.parse().ok();
    tensors.keys().filter_map(of).max()
}

/// The views whose features a head of two classes reads, side by side; None if there is no such head.
fn head_views(tensors: &Tensors) -> Option<u64> {
    let heads = ["last_linear.weight", "fc.weight", "classifier.weight", "head.weight"];
    let [2, reads] = *heads.iter().find_map(|name| tensors.get(*name))?.as_slice() else { return None };
    // what ends the trunk has as many channels as it makes features
    let ends = ["features.norm5.weight", "norm.weight"].iter().find_map(|name| tensors.get(*name));
    let last = |conv: &str| {
        tensors.iter().rev().find(|(name, _)| name.starts_with("layer4.") && name.ends_with(conv))
    };
    let ends = ends.or_else(|| {
        ["conv3.weight", "conv2.weight"].iter().find_map(|conv| last(conv)).map(|(_, shape)| shape)
    });
    let features = ends.and_then(|shape| shape.first()).copied().unwrap_or(reads);
    Some((reads / features.max(1)).max(1))
}

/// A DenseNet-121, as torchvision (three channels) or torchxrayvision (one) saves it.
fn dense(tensors: &Tensors) -> Option<Kept> {
    let layers =
        [1, 2, 3, 4].map(|block| highest(tensors, &format!("features.denseblock{block}.denselayer")));
    if layers != [6, 12, 24, 16].map(Some) {
        return None;
    }
    let shape = |name: &str, place: usize| tensors.get(name).and_then(|shape| shape.get(place)).copied();
    let network = match shape("features.conv0.weight", 1)? {
        1 => VisionNetwork::XrvDensenet121,
        3 => VisionNetwork::Densenet121,
        _ => return None,
    };
    // a layer's last convolution has as many channels as it adds; old checkpoints write `conv.2`
    let growth = ["conv2", "conv.2"]
        .iter()
        .find_map(|conv| shape(&format!("features.denseblock1.denselayer1.{conv}.weight"), 0))?;
    let width = (growth != u64::from(network.usual_width())).then_some(growth);
    Some(Kept::Vision {
        network,
        image: usual_side(width),
        width,
        head_views: head_views(tensors),
        twin: None,
    })
}

/// A vision transformer as timm saves it; its positions say the side of its images.
fn transformer(tensors: &Tensors) -> Option<Kept> {
    let shape = |name: &str| tensors.get(name).map(Vec::as_slice);
    let [1, positions, width] = *shape("pos_embed")? else { return None };
    let [_, 3, patch, _] = *shape("patch_embed.proj.weight")? else { return None };
    let side = positions.checked_sub(1)?.isqrt();
    let is_known = tensors.contains_key("cls_token")
        && highest(tensors, "blocks.") == Some(11)
        && patch == u64::from(VisionNetwork::PATCH)
        && side.pow(2) + 1 == positions;
    if !is_known {
        return None;
    }
    let smallest = (VisionNetwork::VitTiny, VisionNetwork::DeitTiny);
    let usual = [
        smallest,
        (VisionNetwork::VitSmall, VisionNetwork::DeitSmall),
        (VisionNetwork::VitBase, VisionNetwork::DeitBase),
    ];
    let found = usual.into_iter().find(|(network, _)| u64::from(network.usual_width()) == width);
    let (network, twin) = found.unwrap_or(smallest);
    Some(Kept::Vision {
        network,
        twin: Some(twin),
        image: side * patch,
        width: Some(width).filter(|_| found.is_none()),
        head_views: head_views(tensors),
    })
}
