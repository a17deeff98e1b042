//! A fusion: a vision and a language model, joined.

use super::weights::{WeightsOrTraining, read_weights};
use super::{Known, check_heads};
use crate::spec::node::{Node, suggest};
use crate::spec::schema::parts;
use crate::spec::table::{needed_block, table, usual, whole, word};
use crate::spec::{Fusion, Model, Optimizer, Referent};

table! {
    /// A fusion.
    Joined {
        vision: () =
            needed_block("Name of the vision model.", |about, _| parts::text(about, &["vision"]), "vision"),
        language: () = needed_block(
            "Name of the language model.",
            |about, _| parts::text(about, &["language"]),
            "language",
        ),
        parts: bool = usual(
            "Whether its parts start from those models' weights, or anew.",
            word("beginning of the parts", &[("trained", false), ("fresh", true)]),
            false,
        ),
        ..weights: WeightsOrTraining,
    }
}

table! {
    /// A fusion by attention, which alone has a width and heads.
    Attending {
        width: u32 = usual("Width of the common space.", whole(8, 4096), 128),
        heads: u32 = usual("Attention heads; they divide `width`.", whole(1, 64), 4),
        ..joined: Joined,
    }
}

/// A fusion of a kind without numbers.
pub(super) fn read(node: &Node<'_>, kind: Fusion, known: Known<'_>) -> Option<Model> {
    finish(node, Some(kind), Joined::read(node)?, known)
}

/// A fusion by attention, whose kind has numbers.
pub(super) fn read_attending(node: &Node<'_>, known: Known<'_>) -> Option<Model> {
    let Attending { width, heads, joined } = Attending::read(node)?;
    let kind = width.value.zip(heads.value).map(|(width, heads)| Fusion::CrossAttention { width, heads });
    if let Some(Fusion::CrossAttention { width, heads }) = kind {
        check_heads(node, width, heads);
    }
    finish(node, kind, joined, known)
}

/// A fusion; `kind` is None where it has a fault.
fn finish(
    node: &Node<'_>,
    kind: Option<Fusion>,
    Joined { vision, language, parts, weights }: Joined<'_>,
    known: Known<'_>,
) -> Option<Model> {
    let part = |node: Option<Node<'_>>, reads_image| node.and_then(|node| part(&node, reads_image, known));
    let (vision, language) = (part(vision.node, true), part(language.node, false));
    let weights = read_weights(node, &weights, Optimizer::Adam);
    let (kind, fresh) = (kind?, parts.value?);
    let (vision, language, weights) = (vision?, language?, weights?);
    if fresh && kind == Fusion::Late {
        let help = "leave `parts` out: only the layer that joins them learns".to_string();
        node.fault("a late fusion joins models that were trained".to_string(), help);
    }
    Some(Model::Fusion { kind, vision, language, fresh, weights })
}

/// The name of a model that a fusion joins.
fn part(node: &Node<'_>, reads_image: bool, Known { earlier, all }: Known<'_>) -> Option<Referent> {
    let name = node.text()?;
    let kind = if reads_image { "a vision model" } else { "a language model" };
    let fits = |model: &Model| match model {
        Model::Vision { .. } => reads_image,
        Model::Bert { .. } => !reads_image,
        Model::Fusion { .. } | Model::Script(_) | Model::Defended(_) => false,
    };
    let place = all.iter().position(|other| other == name);
    match (earlier.iter().find(|(other, _)| other == name), place) {
        (Some((_, model)), Some(place)) if fits(model) => return Some(Referent::new(name, place)),
        (Some(_), _) => node.fault(format!("`{name}` is not {kind}"), format!("name {kind}")),
        (None, Some(_)) => {
            let help = "a fusion stands below the models that it joins, and those must be without a fault"
                .to_string();
            node.fault(format!("`{name}` is not known yet here"), help);
        }
        (None, None) => {
            let fitting: Vec<&str> =
                earlier.iter().filter(|(_, model)| fits(model)).map(|(name, _)| name.as_str()).collect();
            node.fault(format!("`{name}` is no model of this spec"), suggest(name, &fitting));
        }
    }
    None
}
