//! The keys of a spec, and what becomes of them.

use std::path::Path;

use serde_json::json;

use super::device::Device;
use super::{
    checks, data, defend, grid, harm, masks, model_classes, model_expectations, model_findings, models,
    product, sentences, split, threats,
};
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{block, needed, needed_block, table, text, usual, whole, word};
use crate::spec::{Data, DeviceChoice, Names, Spec, Stop};

const CHUNK: usize = 32;

table! {
    /// The whole file.
    Root {
        claim: String = needed(
            "What the requirements are meant to show, in your words.",
            text(&[]),
            "what the requirements are meant to show",
        ),
        defaults: () = block(
            "Shared settings for YAML anchors (`&NAME`), which `*NAME` and `<<: *NAME` repeat; medcert reads nothing here.",
            |about, _| json!({"description": about}),
        ),
        data: () = needed_block(
            "Where the studies come from: a map of one key.",
            data::schema,
            "{phantom: {studies: 900, seed: 7}}",
        ),
        split: () = needed_block(
            "How the studies are divided: by random patients, or by a column of the manifest.",
            split::schema,
            "{test: 30%, seed: 7}",
        ),
        models: () = needed_block(
            "The models by name; a fusion comes after the models that it joins.",
            models::schema,
            "{language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 5}}}}",
        ),
        defend: () = block(
            "Defended models by name, each around one of `models`; sentences can compare the two.",
            defend::schema,
        ),
        threats: () = block(
            "Attacks with parameters, under names that sentences and the table may use.",
            threats::schema,
        ),
        masks: () = block(
            "Mask files by name, for `inside NAME` and `outside NAME`.",
            masks::schema,
        ),
        grid: Vec<f64> = usual(
            "The strengths ε that `ε≤` runs through, in pixel units: pixels are in [0, 1].",
            grid::LINF,
            grid::USUAL_LINF.to_vec(),
        ),
        grid_l2: Vec<f64> = usual(
            "The same for attacks in l2, where one pixel moved from black to white is 1.",
            grid::L2,
            grid::USUAL_L2.to_vec(),
        ),
        table: () = block(
            "The rows of the table: every model is shown under each.",
            |about, _| parts::described(parts::list(&json!({"$ref": "#/$defs/condition"}), 0), about),
        ),
        published: () = block(
            "What others published for the same question; shown beside the table, and judges nothing.",
            sentences::schema_of_published,
        ),
        require: () = needed_block(
            "The sentences that must hold.",
            |about, _| parts::described(parts::list(&json!({"$ref": "#/$defs/sentence"}), 1), about),
            "[fusion accuracy ≥ 90% at FGSM ε≤0.1]",
        ),
        thresholds: () = block(
            "Operating points by model: the threshold keeps this on the validation part of the split.",
            checks::schema_of_thresholds,
        ),
        checks: () = block(
            "Which checks are run, what they block, and other triggers by code or name. A trigger looser than the usual one needs an owner, a reason and a last day.",
            checks::schema,
        ),
        waivers: () = block(
            "Checks that may be raised until a day, because a person says so.",
            checks::schema_of_waivers,
        ),
        seed: u64 = usual("Seed of every random choice of the attacks.", whole(0, u64::MAX), 0),
        device: DeviceChoice = usual("What it is computed on.", Device, DeviceChoice::Auto),
        chunk: usize = usual(
            "Cases that are evaluated together; a GPU is quicker with more, such as 256.",
            whole(1, 1024),
            CHUNK,
        ),
        stop: Stop = usual(
            "When a cell ends: after all test cases, or, `early`, as soon as its cases decide every sentence about it.",
            word("way to stop", &[("all", Stop::All), ("early", Stop::Early)]),
            Stop::All,
        ),
        counterexamples: usize = usual(
            "Broken cases that are made smaller, a cell and chunk.",
            whole(0, 1024),
            1,
        ),
        harm: () = block(
            "What errors cost, in your unit, for every question alike or by finding; for the metric `harm`.",
            harm::schema,
        ),
        costs: () = block("The earlier name of `harm`.", harm::schema),
        report: () = block(
            "Whose result it is: product, version, owner and identifiers; every report shows it.",
            |about, names| parts::described(product::ReportKeys::schema(names), about),
        ),
    }
}

/// The whole file. Reads on after a fault, so that the next one is found too.
pub(super) fn read(path: &Path, root: &Node<'_>) -> Option<Spec> {
    let table = Root::read(root)?;
    // anchors need a place to be written at; what they hold is read where it is repeated
    let _ = &table.defaults;
    let (models, mut readers) = table.models.node.as_ref().map_or((None, vec![]), models::read);
    let masks = table.masks.node.as_ref().map_or(Some(Vec::new()), masks::read);
    let mask_names: Vec<String> = masks.iter().flatten().map(|(name, _)| name.clone()).collect();
    let models = match (&table.defend.node, models) {
        (Some(node), models) => {
            let is_sound = models.is_some();
            let mut models = models.unwrap_or_default();
            let are_defended = defend::read(node, &mut models, &mut readers, &mask_names);
            (is_sound && are_defended).then_some(models)
        }
        (None, models) => models,
    };
    let data = table.data.node.as_ref().and_then(|node| data::read(node, &readers, models.is_some()));
    let split = table.split.node.as_ref();
    let split = split.and_then(|node| split::read(node, models.as_deref(), data.as_ref()));
    let known = threats::Known { models: &readers, masks: &mask_names };
    let threats = table.threats.node.as_ref().map_or(Some(Vec::new()), |node| threats::read(node, known));
    let threats = threats?;
    let findings = data.as_ref().map(Data::findings).unwrap_or_default();
    let classes = data.as_ref().map(Data::classes).unwrap_or_default();
    let (findings, classes, masked) = (&findings[..], &classes[..], &mask_names[..]);
    let names = Names { models: &readers, findings, classes, threats: &threats, masks: masked };
    let rows = sentences::table(table.table.node.as_ref(), names);
    if data.is_none() && data::names_answers(table.data.node.as_ref()) {
        return None; // which findings or classes a sentence may name is not known
    }
    model_findings::check(&table, findings, &readers, models.as_deref().unwrap_or_default());
    model_classes::check(&table, classes, &readers, models.as_deref().unwrap_or_default());
    model_expectations::check(&table, findings, classes, models.as_deref().unwrap_or_default());
    let published = sentences::published(table.published.node.as_ref(), names);
    let harm = harm::node(&table).map_or(Some(None), |node| harm::read(node, findings).map(Some));
    // of a block with a fault it is not known which errors have costs
    let has_costs = |finding: Option<&str>| {
        harm.as_ref().is_none_or(|harm| harm.as_ref().is_some_and(|harm| harm.of(finding).is_some()))
    };
    let require = table.require.node.as_ref();
    let require = require.and_then(|node| sentences::requirements(node, names, &has_costs));
    let count = require.as_ref().map(Vec::len);
    let product = table.report.node.as_ref().map_or(Some(None), |node| product::read(node, count).map(Some));
    let conduct = checks::read(&table, names);
    let (data, split, models) = (data?, split?, models?);
    let (masks, checks::Conduct { thresholds, checks, waivers }) = (masks?, conduct?);
    split::check_thresholds(table.thresholds.node.as_ref(), &split, &thresholds);
    Some(Spec {
        path: path.to_path_buf(),
        claim: table.claim.value?,
        grid: table.grid.value?,
        grid_l2: table.grid_l2.value?,
        masks,
        counterexamples: table.counterexamples.value?,
        table: rows?,
        published: published?,
        harm: harm?,
        product: product?,
        require: require?,
        thresholds,
        checks,
        waivers,
        data,
        split,
        models,
        seed: table.seed.value?,
        device: table.device.value?,
        chunk: table.chunk.value?,
        stop: table.stop.value?,
        threats,
    })
}
