//! The `threats` of a spec: attacks with their parameters, under names that sentences may use.

use super::super::condition::refused_mode;
use super::super::keys;
use super::super::node::{Map, Node};
use super::super::parameter::{Parameter, Referent, Takes, Value};
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
    let searches = ImageSearch::ALL.iter().map(|search| key(search.name()));
    let films = Corruption::ALL.iter().map(|corruption| key(corruption.name()));
    let edits = EditKind::ALL.iter().map(|kind| key(kind.name()));
    let texts = TextSearch::ALL.iter().map(|search| key(search.name()));
    let others = keys::OTHER_THREATS.map(str::to_string);
    searches.chain(others).chain(films).chain(edits).chain(texts).collect()
}

/// The search of a key.
pub(in super::super) fn search_of_key(name: &str) -> Option<ImageSearch> {
    ImageSearch::ALL.iter().copied().find(|search| key(search.name()) == name)
}

/// The corruption of a key.
pub(in super::super) fn corruption_of_key(name: &str) -> Option<Corruption> {
    Corruption::ALL.iter().copied().find(|corruption| key(corruption.name()) == name)
}

/// The keys of a search within a ball.
pub(in super::super) fn search_keys(search: ImageSearch) -> Vec<&'static str> {
    let norm = if search.norms().len() > 1 { &["norm"][..] } else { &[] };
    let own = search.settings().into_iter().map(|(parameter, _)| parameter.key);
    ["epsilon", "inside", "outside"].iter().chain(norm).copied().chain(own).collect()
}

/// The keys of an attack on words.
pub(in super::super) fn word_keys(attack: &TextAttack) -> Vec<&'static str> {
    let share = if attack.method.takes_share() { &["fraction"][..] } else { &[] };
    let own = attack.settings().into_iter().map(|(parameter, _)| parameter.key);
    ["mode"].iter().chain(share).copied().chain(own).collect()
}

/// A name as a spec's key writes it: `MI-FGSM` is `mi_fgsm`.
pub(in super::super) fn key(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

fn threat(node: &Node<'_>, known: Known<'_>) -> Option<Threat> {
    let names = names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (name, node) = node.choice("threat", &names)?;
    if let Some(search) = search_of_key(&name) {
        return search_of(search, &node, known);
    }
    if let Some(corruption) = corruption_of_key(&name) {
        let severity = node.map(&keys::CORRUPTION)?.need("severity", "3")?.severity()?;
        return Some(Threat::Image { method: ImageMethod::Corruption(corruption), strength: severity });
    }
    match name.as_str() {
        "patch" => patch(&node, known),
        "absent" => absent(&node),
        _ => words(&name, &node, known),
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
    let values: Vec<_> = search
        .settings()
        .into_iter()
        .map(|(parameter, usual)| Some((parameter.key, value(&map, parameter, usual, known)?)))
        .collect();
    let values = values.into_iter().collect::<Option<Vec<_>>>()?;
    let search = values.into_iter().try_fold(search, |search, (key, value)| search.with(key, value));
    let method = ImageMethod::Search { search: search?, norm: norm?, region: region? };
    Some(Threat::Image { method, strength: epsilon? })
}

/// The value of a parameter, the usual one if the map does not give it.
fn value(map: &Map<'_>, parameter: Parameter, usual: Value, known: Known<'_>) -> Option<Value> {
    let Parameter { key, takes, .. } = parameter;
    let node = match takes {
        Takes::Count { .. } | Takes::Loss => match map.get(key) {
            None => return Some(usual),
            Some(node) => node,
        },
        Takes::Model => map.need(key, "vision")?,
    };
    match takes {
        Takes::Count { least, most } => node.whole(u64::from(least), u64::from(most)).map(Value::Count),
        Takes::Loss => {
            let names: Vec<String> = AttackLoss::ALL.iter().map(|loss| self::key(loss.name())).collect();
            let losses: Vec<(&str, AttackLoss)> =
                names.iter().map(String::as_str).zip(AttackLoss::ALL.iter().copied()).collect();
            node.one_of(key, &losses).map(Value::Loss)
        }
        Takes::Model => {
            let models: Vec<(&str, Referent)> = known
                .models
                .iter()
                .enumerate()
                .filter(|(_, model)| model.image && !model.text && model.defence.is_none())
                .map(|(place, model)| (model.name.as_str(), Referent::new(&model.name, place)))
                .collect();
            node.one_of("model of this spec that reads images alone", &models).map(Value::Model)
        }
    }
}

/// `inside: lesion` or `outside: lesion`; everywhere if neither is there.
pub(super) fn region(map: &Map<'_>, known: Known<'_>) -> Option<Region> {
    let mut masks = vec![("lesion", Mask::Lesion), ("attribution", Mask::Attribution)];
    let files = known.masks.iter().enumerate();
    masks.extend(files.map(|(place, name)| (name.as_str(), Mask::File(Referent::new(name, place)))));
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
    let usual = Value::Count(ImageMethod::USUAL_PATCH_STEPS);
    let steps = value(&map, ImageMethod::PATCH_STEPS, usual, known);
    let method = ImageMethod::Patch { steps: ImageMethod::USUAL_PATCH_STEPS, region: region(&map, known)? };
    let method = method.with(ImageMethod::PATCH_STEPS.key, steps?)?;
    Some(Threat::Image { method, strength: Strength::At(share?) })
}

/// `absent: {image: blank}` or `absent: {report: missing}`.
fn absent(node: &Node<'_>) -> Option<Threat> {
    let (input, node) = node.choice("input", &keys::ABSENT)?;
    let absence = node.kind_of("way to be absent", Absence::ALL, Absence::name)?;
    Some(if input == "image" {
        Threat::Image { method: ImageMethod::Absent(absence), strength: Strength::At(1.0) }
    } else {
        Threat::Text(TextAttack::usual(TextMethod::Absent(absence), 1.0))
    })
}

/// An attack on the report.
fn words(name: &str, node: &Node<'_>, known: Known<'_>) -> Option<Threat> {
    let method = TextMethod::of_name(&name.replace('_', "-"))?;
    let usual = TextAttack::usual(method, 1.0);
    // an edit without a parameter may be written with nothing behind it
    let map = if node.value.is_null() { None } else { Some(node.map(&word_keys(&usual))?) };
    let share = match (&map, method.takes_share()) {
        (_, false) => Some(1.0),
        (Some(map), true) => map.need("fraction", "50%").and_then(|node| node.changed_share()),
        (None, true) => {
            node.fault("the share of the words is missing", "add it: {fraction: 20%}".to_string());
            None
        }
    };
    let mode_node = map.as_ref().and_then(|map| map.get("mode"));
    let mode =
        mode_node.as_ref().map_or(Some(usual.mode), |node| node.kind_of("mode", Mode::ALL, Mode::name));
    let mut attack = Some(usual);
    for (parameter, usual) in usual.settings() {
        let value = map.as_ref().map_or(Some(usual), |map| value(map, parameter, usual, known));
        attack = attack.zip(value).and_then(|(attack, value)| attack.with(parameter.key, value));
    }
    let attack = TextAttack { share: share?, mode: mode?, ..attack? };
    if let Some(why) = refused_mode(&attack) {
        mode_node.as_ref().unwrap_or(node).fault(why, "leave `mode` out".to_string());
        return None;
    }
    Some(Threat::Text(attack))
}
