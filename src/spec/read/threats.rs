//! The `threats` of a spec: attacks with their parameters, under names that sentences may use.

use super::super::condition::refused_mode;
use super::super::keys;
use super::super::node::{Map, Node};
use super::super::{
    Absence, AttackLoss, Corruption, EditKind, ImageMethod, ImageSearch, Mask, Mode, ModelInputs, Named,
    Norm, Region, Strength, TextAttack, TextMethod, TextSearch, Threat,
};
use super::check_name;

/// What a threat may name besides its own parameters.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) models: &'a [ModelInputs],
    pub(super) masks: &'a [String],
}

pub(super) fn read(node: &Node<'_>, known: Known<'_>) -> Option<Vec<Named<Threat>>> {
    let mut threats: Vec<Named<Threat>> = Vec::new();
    let mut complete = true;
    for (name, node) in node.entries()? {
        check_name(&name, &node, "threat", threats.iter().map(|(name, _)| name));
        match threat(&node, known) {
            Some(threat) => threats.push((name, threat)),
            None => complete = false,
        }
    }
    complete.then_some(threats)
}

/// The names of all threats, as keys.
pub(in super::super) fn names() -> Vec<String> {
    let searches = ImageSearch::NAMED.iter().map(|(name, _)| key(name)).filter(|name| name != "apgd_margin");
    let films = Corruption::NAMED.iter().map(|(name, _)| key(name));
    let edits = EditKind::NAMED.iter().map(|(name, _)| key(name));
    let texts = TextSearch::NAMED.iter().map(|(name, _)| key(name));
    let others = keys::OTHER_THREATS.map(str::to_string);
    searches.chain(others).chain(films).chain(edits).chain(texts).collect()
}

/// The keys of a search within a ball.
pub(in super::super) fn search_keys(search: ImageSearch) -> Vec<&'static str> {
    let mut keys = vec!["epsilon", "inside", "outside"];
    if search.norms().len() > 1 {
        keys.push("norm");
    }
    keys.extend(match search {
        ImageSearch::Fgsm | ImageSearch::RandomFgsm | ImageSearch::Naive => &[][..],
        ImageSearch::Pgd { .. } | ImageSearch::Fab { .. } => &["steps", "restarts"],
        ImageSearch::Momentum { .. } | ImageSearch::DeepFool { .. } => &["steps"],
        ImageSearch::Apgd { .. } => &["steps", "restarts", "loss"],
        ImageSearch::CarliniWagner { .. } => &["steps", "searches"],
        ImageSearch::AutoAttack { .. } => &["steps", "queries"],
        ImageSearch::Square { .. } | ImageSearch::HopSkipJump { .. } => &["queries"],
        ImageSearch::Spsa { .. } | ImageSearch::Nes { .. } => &["steps", "samples"],
        ImageSearch::Transfer { .. } => &["steps", "from"],
    });
    keys
}

/// The keys of an attack on words.
pub(in super::super) fn word_keys(method: TextMethod) -> Vec<&'static str> {
    let mut keys = vec!["mode"];
    if method.takes_share() {
        keys.push("fraction");
    }
    keys.push(if matches!(method, TextMethod::Searched { .. }) { "queries" } else { "draws" });
    keys
}

/// A name as a spec's key writes it: `MI-FGSM` is `mi_fgsm`.
pub(in super::super) fn key(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

fn threat(node: &Node<'_>, known: Known<'_>) -> Option<Threat> {
    let names = names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (name, node) = node.choice("threat", &names)?;
    let same = |other: &str| key(other) == name;
    if let Some((_, search)) = ImageSearch::NAMED.iter().find(|(other, _)| same(other)) {
        return search_of(*search, &node, known);
    }
    if let Some((_, corruption)) = Corruption::NAMED.iter().find(|(other, _)| same(other)) {
        let severity = node.map(&keys::CORRUPTION)?.need("severity", "3")?.severity()?;
        return Some(Threat::Image { method: ImageMethod::Corruption(*corruption), strength: severity });
    }
    match name.as_str() {
        "transfer" => search_of(ImageSearch::Transfer { from: 0, steps: 10 }, &node, known),
        "patch" => patch(&node, known),
        "absent" => absent(&node),
        _ => words(&name, &node),
    }
}

/// An attack within a ball.
fn search_of(search: ImageSearch, node: &Node<'_>, known: Known<'_>) -> Option<Threat> {
    let map = node.map(&search_keys(search))?;
    let norms: Vec<(&str, Norm)> = search.norms().iter().map(|norm| (norm.name(), *norm)).collect();
    let usual = search.norms().first().copied();
    let norm = map.get("norm").map_or(usual, |node| node.one_of("norm", &norms));
    let epsilon = map.need("epsilon", "8/255").and_then(|node| node.radii(norm.unwrap_or(Norm::Linf)));
    let region = region(&map, known);
    let search = numbers(search, &map, known);
    let method = ImageMethod::Search { search: search?, norm: norm?, region: region? };
    Some(Threat::Image { method, strength: epsilon? })
}

/// A search with the numbers that the spec gives it.
fn numbers(search: ImageSearch, map: &Map<'_>, known: Known<'_>) -> Option<ImageSearch> {
    let number = |key: &str, usual: u32, most: u32| {
        map.get(key).map_or(Some(usual), |node| node.whole::<u32>(1, u64::from(most)))
    };
    let most = search.most();
    Some(match search {
        ImageSearch::Fgsm | ImageSearch::RandomFgsm | ImageSearch::Naive => search,
        ImageSearch::Pgd { steps, restarts } => {
            let (steps, restarts) = (number("steps", steps, most), number("restarts", restarts, 100));
            ImageSearch::Pgd { steps: steps?, restarts: restarts? }
        }
        ImageSearch::Fab { steps, restarts } => {
            let (steps, restarts) = (number("steps", steps, most), number("restarts", restarts, 100));
            ImageSearch::Fab { steps: steps?, restarts: restarts? }
        }
        ImageSearch::Momentum { steps } => ImageSearch::Momentum { steps: number("steps", steps, most)? },
        ImageSearch::DeepFool { steps } => ImageSearch::DeepFool { steps: number("steps", steps, most)? },
        ImageSearch::Apgd { loss, steps, restarts } => {
            let losses = [("cross_entropy", AttackLoss::CrossEntropy), ("margin", AttackLoss::Margin)];
            let loss = map.get("loss").map_or(Some(loss), |node| node.one_of("loss", &losses));
            let (steps, restarts) = (number("steps", steps, most), number("restarts", restarts, 100));
            ImageSearch::Apgd { loss: loss?, steps: steps?, restarts: restarts? }
        }
        ImageSearch::CarliniWagner { steps, searches } => {
            let (steps, searches) = (number("steps", steps, most), number("searches", searches, 20));
            ImageSearch::CarliniWagner { steps: steps?, searches: searches? }
        }
        ImageSearch::AutoAttack { steps, queries } => {
            let (steps, queries) = (number("steps", steps, most), number("queries", queries, 100_000));
            ImageSearch::AutoAttack { steps: steps?, queries: queries? }
        }
        ImageSearch::Square { queries } => ImageSearch::Square { queries: number("queries", queries, most)? },
        ImageSearch::HopSkipJump { queries } => {
            ImageSearch::HopSkipJump { queries: number("queries", queries, most)? }
        }
        ImageSearch::Spsa { steps, samples } => {
            let (steps, samples) = (number("steps", steps, most), number("samples", samples, 10_000));
            ImageSearch::Spsa { steps: steps?, samples: samples? }
        }
        ImageSearch::Nes { steps, samples } => {
            let (steps, samples) = (number("steps", steps, most), number("samples", samples, 10_000));
            ImageSearch::Nes { steps: steps?, samples: samples? }
        }
        ImageSearch::Transfer { steps, .. } => {
            let (steps, from) = (number("steps", steps, most), source(map, known));
            ImageSearch::Transfer { from: from?, steps: steps? }
        }
    })
}

/// The place of the model that a transfer starts from.
fn source(map: &Map<'_>, known: Known<'_>) -> Option<usize> {
    let node = map.need("from", "vision")?;
    let models: Vec<(&str, usize)> = known
        .models
        .iter()
        .enumerate()
        .filter(|(_, model)| model.image && !model.text)
        .map(|(place, model)| (model.name.as_str(), place))
        .collect();
    node.one_of("model of this spec that reads images alone", &models)
}

/// `inside: lesion` or `outside: lesion`; everywhere if neither is there.
fn region(map: &Map<'_>, known: Known<'_>) -> Option<Region> {
    let mut masks = vec![("lesion", Mask::Lesion), ("attribution", Mask::Attribution)];
    masks.extend(known.masks.iter().enumerate().map(|(place, name)| (name.as_str(), Mask::File(place))));
    match (map.get("inside"), map.get("outside")) {
        (None, None) => Some(Region::Everywhere),
        (Some(node), None) => node.one_of("mask", &masks).map(Region::Inside),
        (None, Some(node)) => node.one_of("mask", &masks).map(Region::Outside),
        (Some(_), Some(node)) => {
            node.fault_of_key(
                "a region is inside a mask or outside it".to_string(),
                Some("leave one out".into()),
            );
            None
        }
    }
}

fn patch(node: &Node<'_>, known: Known<'_>) -> Option<Threat> {
    let map = node.map(&keys::PATCH)?;
    let share = map.need("share", "5%").and_then(|node| node.part());
    let steps = map.get("steps").map_or(Some(40), |node| node.whole(1, 1000));
    let method = ImageMethod::Patch { steps: steps?, region: region(&map, known)? };
    Some(Threat::Image { method, strength: Strength::At(share?) })
}

/// `absent: {image: blank}` or `absent: {report: missing}`.
fn absent(node: &Node<'_>) -> Option<Threat> {
    let (input, node) = node.choice("input", &keys::ABSENT)?;
    let absence = node.one_of::<Absence>("way to be absent", &Absence::NAMED)?;
    Some(if input == "image" {
        Threat::Image { method: ImageMethod::Absent(absence), strength: Strength::At(1.0) }
    } else {
        Threat::Text(TextAttack::usual(TextMethod::Absent(absence), 1.0))
    })
}

/// An attack on the report.
fn words(name: &str, node: &Node<'_>) -> Option<Threat> {
    let method = TextMethod::of_name(&name.replace('_', "-"))?;
    // an edit without a parameter may be written with nothing behind it
    let map = if node.value.is_null() { None } else { Some(node.map(&word_keys(method))?) };
    let get = |key: &str| map.as_ref().and_then(|map| map.get(key));
    let share = match (&map, method.takes_share()) {
        (_, false) => Some(1.0),
        (Some(map), true) => map.need("fraction", "50%").and_then(|node| node.share()),
        (None, true) => {
            node.fault("the share of the words is missing", "add it: {fraction: 20%}".to_string());
            None
        }
    };
    let mode = get("mode").map_or(Some(method.usual_mode()), |node| node.one_of("mode", &Mode::NAMED));
    let draws = get("draws").map_or(Some(1), |node| node.whole(1, 1000));
    let queries = get("queries").map_or(Some(TextMethod::QUERIES), |node| node.whole(1, 100_000));
    let method = match (method, queries?) {
        (TextMethod::Searched { search, .. }, queries) => TextMethod::Searched { search, queries },
        (other, _) => other,
    };
    let attack = TextAttack { method, share: share?, mode: mode?, draws: draws? };
    if let Some(why) = refused_mode(&attack) {
        get("mode").as_ref().unwrap_or(node).fault(why, "leave `mode` out".to_string());
        return None;
    }
    Some(Threat::Text(attack))
}
