//! The `threats` of a spec: attacks with their parameters, under names that sentences may use.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::naming::check_name;
use crate::spec::condition::refused_mode;
use crate::spec::node::{Map, Node};
use crate::spec::parameter::{Parameter, Referent, Takes, Value};
use crate::spec::schema::parts;
use crate::spec::table::{About, Choice, Listed, block, needed, own, table};
use crate::spec::{
    Absence, AttackLoss, Corruption, EditKind, ImageMethod, ImageSearch, Mask, Mode, ModelInputs, Named,
    Norm, OtherAttack, Region, Strength, TextAttack, TextMethod, TextSearch, Threat,
};

table! {
    /// A corruption.
    Corrupted {
        severity: Strength = needed(
            "1 to 5, or `≤3` for every one up to 3.",
            own(|node| node.severity(), |about| parts::strength(about, 5.0, &["3", "≤3"])),
            "3",
        ),
    }
}

table! {
    /// A patch.
    PatchKeys {
        share: f64 = needed(
            "Its share of the image.",
            own(|node| node.part(), |about| parts::share(about, &["5%"])),
            "5%",
        ),
        steps: () = block(ImageMethod::PATCH_STEPS.about, |_, _| {
            of_setting(ImageMethod::PATCH_STEPS, Value::Count(ImageMethod::USUAL_PATCH_STEPS))
        }),
        ..region: RegionKeys,
    }
}

table! {
    /// The pixels that may move.
    RegionKeys {
        inside: () = block(
            "The pixels that may move: those of `lesion`, `attribution` or a file under `masks`.",
            |about, _| parts::text(about, &["lesion"]),
        ),
        outside: () = block("The same, all but those.", |about, _| parts::text(about, &["lesion"])),
    }
}

/// The threat of an absence.
type OfAbsence = fn(Absence) -> Threat;

/// The input that is absent: one of the two.
static ABSENT: [Choice<OfAbsence>; 2] = [
    Choice {
        name: "image",
        about: Cow::Borrowed("What replaces the image."),
        schema: way_to_be_absent,
        read: |absence| Threat::Image { method: ImageMethod::Absent(absence), strength: Strength::At(1.0) },
    },
    Choice {
        name: "report",
        about: Cow::Borrowed("What replaces the report."),
        schema: way_to_be_absent,
        read: |absence| Threat::Text(TextAttack::usual(TextMethod::Absent(absence), 1.0)),
    },
];

fn way_to_be_absent(_: About<'_>) -> Json {
    json!({"enum": Absence::ALL.iter().map(|absence| absence.name()).collect::<Vec<_>>()})
}

/// The rows of a search within a ball: the strength, the region, the norm if there are several, and its parameters.
fn ball(search: ImageSearch, names: About<'_>) -> Listed {
    let most = if search.norms().contains(&Norm::L2) { 1000.0 } else { 1.0 };
    let epsilon = parts::strength(
        "Radius of the ball, in pixel units; `≤0.1` for every strength of the grid up to it.",
        most,
        &["8/255", "≤0.1"],
    );
    let norm = json!({
        "description": "What the ball is measured by.",
        "enum": search.norms().iter().map(|norm| norm.name()).collect::<Vec<_>>(),
    });
    let norm = (search.norms().len() > 1).then_some(("norm", norm, false));
    let rows = [("epsilon", epsilon, true)].into_iter().chain(RegionKeys::rows(names)).chain(norm);
    rows.chain(search.settings().into_iter().map(row_of_setting)).collect()
}

/// The rows of an attack on words: the mode, the share of the words if it takes one, and its parameters.
fn edits(attack: &TextAttack) -> Listed {
    let mode = ("mode", modes(), false);
    let share = attack.method.takes_share();
    let share = share.then(|| ("fraction", parts::share("Share of the words.", &["20%"]), true));
    let rows = [mode].into_iter().chain(share);
    rows.chain(attack.settings().into_iter().map(row_of_setting)).collect()
}

/// The modes of attacks on words.
fn modes() -> Json {
    json!({
        "description": "What an edit may do to what the report says: `preserving` rejects one that changes what is said of a finding, `free` allows all, `directional` flips it.",
        "enum": Mode::ALL.iter().map(|mode| mode.name()).collect::<Vec<_>>(),
    })
}

fn row_of_setting((parameter, usual): (Parameter, Value)) -> (&'static str, Json, bool) {
    (parameter.key, of_setting(parameter, usual), matches!(parameter.takes, Takes::Model))
}

/// The schema of a parameter.
fn of_setting(Parameter { about, takes, .. }: Parameter, usual: Value) -> Json {
    let mut schema = match takes {
        Takes::Count { least, most } => parts::integer(about, u64::from(least), Some(u64::from(most)), None),
        Takes::Loss => {
            let names: Vec<String> = AttackLoss::ALL.iter().map(|loss| key(loss.name())).collect();
            json!({"description": about, "enum": names})
        }
        Takes::Model => parts::text(about, &["vision"]),
    };
    match usual {
        Value::Count(count) => schema["default"] = count.into(),
        Value::Loss(loss) => schema["default"] = key(loss.name()).into(),
        // a model has no default
        Value::Model(_) => {}
    }
    schema
}

fn keys(rows: &Listed) -> Vec<&'static str> {
    rows.iter().map(|(key, ..)| *key).collect()
}

/// What a threat is, by its key.
#[derive(Clone, Copy)]
enum Kind {
    Search(ImageSearch),
    Patch,
    Absent,
    Corruption(Corruption),
    Words(TextMethod),
}

impl Kind {
    /// Every kind, in the order of the schema.
    fn all() -> Vec<Self> {
        let searches = ImageSearch::ALL.iter().copied().map(Self::Search);
        let films = Corruption::ALL.iter().copied().map(Self::Corruption);
        let edits = EditKind::ALL.iter().map(|kind| Self::Words(TextMethod::Sampled(*kind)));
        let texts = TextSearch::ALL.iter().map(|search| Self::Words(TextMethod::searched(*search)));
        searches.chain([Self::Patch, Self::Absent]).chain(films).chain(edits).chain(texts).collect()
    }

    /// The name that sentences and explanations give it.
    fn name(self) -> &'static str {
        match self {
            Self::Search(search) => search.name(),
            Self::Patch => OtherAttack::Patch.name(),
            Self::Absent => "absent",
            Self::Corruption(corruption) => corruption.name(),
            Self::Words(method) => method.name(),
        }
    }

    fn read(self, node: &Node<'_>, known: Known<'_>) -> Option<Threat> {
        match self {
            Self::Search(search) => search_of(search, node, known),
            Self::Patch => patch(node, known),
            Self::Absent => absent(node),
            Self::Corruption(corruption) => {
                let strength = Corrupted::read(node)?.severity.value?;
                Some(Threat::Image { method: ImageMethod::Corruption(corruption), strength })
            }
            Self::Words(method) => words(method, node, known),
        }
    }

    fn schema(self, names: About<'_>) -> Json {
        let about = names(self.name());
        match self {
            Self::Search(search) => parts::described(parts::object(ball(search, names)), &about),
            Self::Patch => parts::described(PatchKeys::schema(names), &about),
            Self::Absent => parts::described(
                Choice::schema(&ABSENT, names),
                "An input that is not the patient's, or none.",
            ),
            Self::Corruption(_) => parts::described(Corrupted::schema(names), &about),
            Self::Words(method) => {
                let mut schema = parts::object(edits(&TextAttack::usual(method, 1.0)));
                if !method.takes_share() {
                    // an edit without a parameter may have nothing behind it
                    schema["type"] = json!(["object", "null"]);
                }
                parts::described(schema, &about)
            }
        }
    }
}

/// The schema of the block.
pub(in crate::spec) fn schema(about: &str, names: About<'_>) -> Json {
    let kinds: Vec<(String, Json)> =
        Kind::all().iter().map(|kind| (key(kind.name()), kind.schema(names))).collect();
    parts::named(&parts::choice(kinds.iter().map(|(key, schema)| (key.as_str(), schema.clone()))), about)
}

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

/// A name as a spec's key writes it: `MI-FGSM` is `mi_fgsm`.
fn key(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

fn threat(node: &Node<'_>, known: Known<'_>) -> Option<Threat> {
    let kinds = Kind::all();
    let keys: Vec<String> = kinds.iter().map(|kind| key(kind.name())).collect();
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (name, node) = node.choice("threat", &names)?;
    let place = keys.iter().position(|key| *key == name)?;
    kinds[place].read(&node, known)
}

/// An attack within a ball.
fn search_of(search: ImageSearch, node: &Node<'_>, known: Known<'_>) -> Option<Threat> {
    let map = node.map(&keys(&ball(search, &|_| String::new())))?;
    let norms: Vec<(&str, Norm)> = search.norms().iter().map(|norm| (norm.name(), *norm)).collect();
    let usual = search.norms().first().copied();
    let norm = map.get("norm").map_or(usual, |node| node.one_of("norm", &norms));
    let epsilon = map.need("epsilon", "8/255").and_then(|node| node.radii(norm.unwrap_or(Norm::Linf)));
    let region = region(&RegionKeys::of(&map), known);
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
    let node = match parameter.takes {
        Takes::Count { .. } | Takes::Loss => map.get(parameter.key),
        // a model has no default
        Takes::Model => Some(map.need(parameter.key, "vision")?),
    };
    value_of(node.as_ref(), parameter, usual, known)
}

fn value_of(
    node: Option<&Node<'_>>,
    Parameter { key: name, takes, .. }: Parameter,
    usual: Value,
    known: Known<'_>,
) -> Option<Value> {
    let Some(node) = node else { return Some(usual) };
    match takes {
        Takes::Count { least, most } => node.whole(u64::from(least), u64::from(most)).map(Value::Count),
        Takes::Loss => {
            let names: Vec<String> = AttackLoss::ALL.iter().map(|loss| key(loss.name())).collect();
            let losses: Vec<(&str, AttackLoss)> =
                names.iter().map(String::as_str).zip(AttackLoss::ALL.iter().copied()).collect();
            node.one_of(name, &losses).map(Value::Loss)
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
pub(super) fn region(within: &RegionKeys<'_>, known: Known<'_>) -> Option<Region> {
    let mut masks = vec![("lesion", Mask::Lesion), ("attribution", Mask::Attribution)];
    let files = known.masks.iter().enumerate();
    masks.extend(files.map(|(place, name)| (name.as_str(), Mask::File(Referent::new(name, place)))));
    match (&within.inside.node, &within.outside.node) {
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
    let PatchKeys { share, steps, region: within } = PatchKeys::read(node)?;
    let usual = Value::Count(ImageMethod::USUAL_PATCH_STEPS);
    let steps = value_of(steps.node.as_ref(), ImageMethod::PATCH_STEPS, usual, known);
    let region = region(&within, known)?;
    let method = ImageMethod::Patch { steps: ImageMethod::USUAL_PATCH_STEPS, region };
    let method = method.with(ImageMethod::PATCH_STEPS.key, steps?)?;
    Some(Threat::Image { method, strength: Strength::At(share.value?) })
}

/// `absent: {image: blank}` or `absent: {report: missing}`.
fn absent(node: &Node<'_>) -> Option<Threat> {
    let (input, node) = Choice::of(node, "input", &ABSENT)?;
    let absence = node.kind_of("way to be absent", Absence::ALL, Absence::name)?;
    Some((input.read)(absence))
}

/// An attack on the report.
fn words(method: TextMethod, node: &Node<'_>, known: Known<'_>) -> Option<Threat> {
    let usual = TextAttack::usual(method, 1.0);
    // an edit without a parameter may be written with nothing behind it
    let map = if node.value.is_null() { None } else { Some(node.map(&keys(&edits(&usual)))?) };
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
