//! The source `phantom`: studies drawn from a seed.

use super::images::{self, chosen, usual_views};
use super::{ModelInputs, classes, findings};
use crate::spec::node::Node;
use crate::spec::table::{block, needed, real, table, usual, whole};
use crate::spec::{Data, MISSED, Views};

table! {
    /// The source `phantom`.
    Phantom {
        studies: usize = needed("Number of studies.", whole(20, 100_000), "900"),
        seed: u64 = usual("Seed of the generator.", whole(0, u64::MAX), 0),
        label_noise: f64 = usual("Share of wrong labels.", real(0.0, 0.5, &[0.02]), 0.02),
        missed: f64 = usual("Share of the lesions that the reports miss.", real(0.0, 0.4, &[0.25]), MISSED),
        findings: () = block(
            "The findings that the models are asked about; without them, whether a study is abnormal.",
            findings::schema_of_phantom,
        ),
        classes: () = block(
            "The exclusive classes: `normal`, and three or more in all with the lesions that name the others; a study that shows none or several of these lesions is left out.",
            classes::schema_of_phantom,
        ),
        unlabelled: f64 =
            usual("Share of the labels of findings that are not known.", real(0.0, 0.9, &[0.1]), 0.0),
        views: Option<Views> = images::views(),
    }
}

pub(super) fn read(node: &Node<'_>, models: &[ModelInputs]) -> Option<Data> {
    let Phantom { studies, seed, label_noise, missed, findings, classes, unlabelled, views } =
        Phantom::read(node)?;
    if let (None, Some(node)) = (&findings.node, &unlabelled.node) {
        let help = "name the findings under `findings`, or leave it out".to_string();
        node.fault_of_key("`unlabelled` is about the labels of findings".to_string(), Some(help));
    }
    if let (Some(_), Some(node)) = (&findings.node, &classes.node) {
        let help =
            "leave one of the two out: a case has one class, and may have several findings".to_string();
        node.fault_of_key("`classes` does not go with `findings`".to_string(), Some(help));
    }
    let classes = classes.node.as_ref().map_or(Some(vec![]), classes::of_phantom);
    let findings = findings.node.as_ref().map_or(Some(vec![]), findings::of_phantom);
    Some(Data::Phantom {
        studies: studies.value?,
        seed: seed.value?,
        label_noise: label_noise.value?,
        missed: missed.value?,
        classes: classes?,
        findings: findings?,
        unlabelled: unlabelled.value?,
        views: chosen(&views).unwrap_or_else(|| usual_views(models)),
    })
}
