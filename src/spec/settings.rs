//! Parses what follows the name of an attack: the suffixes of its word, as in `PGD-L2-20×5`, and its settings in any
//! order, as in `ε=0.1 steps=20 inside lesion`. The rows of the attacks say which keys and values there are.

use super::node::suggest;
use super::number::Number;
use super::parameter::{Parameter, Referent, Takes, Value};
use super::parser::{Complaint, Parsed, Parser};
use super::token::Kind;
use super::{AttackLoss, ImageMethod, ImageSearch, Mask, Norm, Region, Strength, TextAttack};

/// The strength of a ball.
const EPSILON: [&str; 4] = ["ε", "ϵ", "eps", "epsilon"];
const STRENGTH_HELP: &str = "write `ε=0.1` for one strength, or `ε≤0.1` for every point of the grid up to it";
const SUFFIX_HELP: &str = "write `PGD-20` for 20 steps, `Square-500` for 500 queries, `PGD-L2` for its ball in l2, or `PGD ε=0.1 steps=20`";

impl Parser<'_> {
    /// What follows the name of a search in its word: `-L2` a norm, `-margin` a loss, `-20` its first count, and `-20×5`
    /// its first two counts. Takes the word.
    pub(super) fn suffixes(&mut self, search: ImageSearch, rest: &str) -> Parsed<ImageMethod> {
        let (mut search, mut norm) = (search, search.usual_norm());
        let is_count = |parameter: &Parameter| matches!(parameter.takes, Takes::Count { .. });
        let counts: Vec<Parameter> =
            search.settings().into_iter().map(|(parameter, _)| parameter).filter(is_count).collect();
        let mut has_count = false;
        for part in rest.split('-').skip(1) {
            let named_norm = search.norms().iter().find(|norm| norm.name().eq_ignore_ascii_case(part));
            let loss = AttackLoss::named(part).and_then(|loss| search.with("loss", Value::Loss(loss)));
            if let Some(named) = named_norm {
                norm = *named;
            } else if let Some(changed) = loss {
                search = changed;
            } else if !has_count {
                let numbers = part.split(['x', 'X']);
                for (place, number) in numbers.enumerate() {
                    let parameter = counts.get(place).copied();
                    search = self.counted(search, number, parameter)?;
                }
                has_count = true;
            } else {
                return Err(self.wrong_suffix(search));
            }
        }
        self.at += 1;
        // a strength has to come before a join, so a `×` here belongs to the counts
        if has_count && self.take(&Kind::Other('×')) {
            let number = self.token_text();
            search = self.counted(search, &number, counts.get(1).copied())?;
            self.at += 1;
        }
        Ok(ImageMethod::Search { search, norm, region: Region::Everywhere })
    }

    /// A search with a count.
    fn counted(
        &self,
        search: ImageSearch,
        number: &str,
        parameter: Option<Parameter>,
    ) -> Parsed<ImageSearch> {
        let count = self.count(number, parameter)?;
        let changed = parameter.and_then(|parameter| search.with(parameter.key, Value::Count(count)));
        changed.ok_or_else(|| self.wrong_suffix(search))
    }

    /// A count of a parameter within its range, at the next token.
    pub(super) fn count(&self, number: &str, parameter: Option<Parameter>) -> Parsed<u32> {
        let Some(Parameter { key, takes: Takes::Count { least, most }, .. }) = parameter else {
            return Err(self.complain("this attack does not take that number or norm", SUFFIX_HELP));
        };
        let count = number.parse().ok().filter(|count| (least..=most).contains(count));
        count.ok_or_else(|| {
            let help = format!("write a whole number from {least} to {most}, such as `{key}={most}`");
            self.complain(format!("`{key}` is from {least} to {most} here"), help)
        })
    }

    fn wrong_suffix(&self, search: ImageSearch) -> Complaint {
        let keys: Vec<&str> = search.settings().iter().map(|(parameter, _)| parameter.key).collect();
        let norms: Vec<&str> = search.norms().iter().map(|norm| norm.name()).collect();
        let takes = if keys.is_empty() { "no parameter".to_string() } else { keys.join(", ") };
        let message = format!(
            "this attack does not take that number or norm: {} takes {takes}, in {}",
            search.name(),
            norms.join(" or ")
        );
        self.complain(message, SUFFIX_HELP)
    }

    /// The settings of an attack on pixels, in any order: `ε=0.1`, `steps=20`, `inside lesion`.
    pub(super) fn image_settings(
        &mut self,
        method: ImageMethod,
        given: Option<Strength>,
    ) -> Parsed<(ImageMethod, Strength)> {
        let (mut method, mut strength) = (method, given);
        let mut seen: Vec<String> = Vec::new();
        loop {
            let word = self.word().unwrap_or_default();
            let is_region = ["inside", "outside"].contains(&word.as_str());
            let key = if EPSILON.contains(&word.as_str()) {
                "ε".to_string()
            } else if is_region {
                "inside or outside".to_string()
            } else if self.is_setting(&method.settings()) {
                word.clone()
            } else {
                break;
            };
            if seen.contains(&key) {
                return Err(self.complain(format!("`{key}` is given twice"), "leave one out"));
            }
            if is_region {
                method = method.within(self.region()?).unwrap_or(method);
            } else if key == "ε" {
                let ImageMethod::Search { norm, .. } = method else {
                    return Err(self.complain("a patch has no ε", "its share of the image is its strength"));
                };
                strength = Some(self.strength(norm)?);
            } else {
                let (key, value) = self.setting(&method.settings())?;
                method = method.with(key, value).unwrap_or(method);
            }
            seen.push(key);
        }
        let unnamed = |(parameter, value): &(Parameter, Value)| {
            (*value == Value::Model(Referent::UNNAMED)).then_some(parameter.key)
        };
        if let Some(key) = method.settings().iter().find_map(unnamed) {
            let models = self.image_models().into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
            let help = format!("add `{key}=MODEL`, one that reads images alone: {models}");
            return Err(self.complain(format!("`{key}` is missing"), help));
        }
        match strength {
            Some(strength) => Ok((method, strength)),
            None => Err(self.complain("the attack's strength is missing", STRENGTH_HELP)),
        }
    }

    /// The settings of an attack on the report: `draws=10` or `queries=200`.
    pub(super) fn text_settings(&mut self, attack: TextAttack) -> Parsed<TextAttack> {
        let (mut attack, mut seen) = (attack, false);
        while self.is_setting(&attack.settings()) {
            if seen {
                return Err(self.complain("this is given twice", "leave one out"));
            }
            let (key, value) = self.setting(&attack.settings())?;
            attack = attack.with(key, value).unwrap_or(attack);
            seen = true;
        }
        Ok(attack)
    }

    /// Whether a parameter comes next: a word and `=`, or `from` and a model's name.
    fn is_setting(&self, settings: &[(Parameter, Value)]) -> bool {
        let Some(word) = self.word() else { return false };
        let is_model =
            |(parameter, _): &(Parameter, Value)| parameter.takes == Takes::Model && parameter.key == word;
        self.peek_after() == Some(&Kind::Equals) || settings.iter().any(is_model)
    }

    /// A parameter of these and its value.
    fn setting(&mut self, settings: &[(Parameter, Value)]) -> Parsed<(&'static str, Value)> {
        let word = self.word().unwrap_or_default();
        let Some((parameter, _)) = settings.iter().find(|(parameter, _)| parameter.key == word) else {
            let keys: Vec<&str> = settings.iter().map(|(parameter, _)| parameter.key).collect();
            let help = if keys.is_empty() {
                "leave it out".to_string()
            } else {
                format!("it takes {}", keys.join(", "))
            };
            return Err(self.complain(format!("this attack takes no `{word}`"), help));
        };
        self.at += 1;
        self.take(&Kind::Equals);
        let text = self.token_text();
        let value = match parameter.takes {
            Takes::Count { .. } => Value::Count(self.count(&text, Some(*parameter))?),
            Takes::Loss => {
                let names: Vec<&str> = AttackLoss::ALL.iter().map(|loss| loss.name()).collect();
                let loss = AttackLoss::named(&text.replace('_', "-"));
                Value::Loss(loss.ok_or_else(|| self.complain("this is no loss", suggest(&text, &names)))?)
            }
            Takes::Model => {
                let models = self.image_models();
                let found = models.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text));
                let names: Vec<&str> = models.iter().map(|(name, _)| *name).collect();
                let (name, place) = found.ok_or_else(|| {
                    self.complain("a model that reads images alone is expected here", suggest(&text, &names))
                })?;
                Value::Model(Referent::new(name, *place))
            }
        };
        self.at += 1;
        Ok((parameter.key, value))
    }

    /// The models that read images alone, with their places.
    fn image_models(&self) -> Vec<(&str, usize)> {
        let models = self.names.models.iter().enumerate();
        models
            .filter(|(_, model)| model.image && !model.text && model.defence.is_none())
            .map(|(place, model)| (model.name.as_str(), place))
            .collect()
    }

    /// `inside lesion`, `outside attribution`, `inside NAME` of the spec's masks.
    pub(super) fn region(&mut self) -> Parsed<Region> {
        let is_inside = self.take_word(&["inside"]) || !self.take_word(&["outside"]);
        self.take(&Kind::Equals);
        self.take_word(&["the"]);
        let word = self.word().unwrap_or_default();
        let named = self.names.masks.iter().position(|name| name.eq_ignore_ascii_case(&word));
        let mask = match (word.as_str(), named) {
            (_, Some(place)) => Mask::File(Referent::new(&self.names.masks[place], place)),
            ("lesion" | "lesions", None) => Mask::Lesion,
            ("attribution", None) => Mask::Attribution,
            (_, None) => {
                let named = self.names.masks.iter().map(String::as_str);
                let known: Vec<&str> = ["lesion", "attribution"].into_iter().chain(named).collect();
                let help = suggest(&word, &known);
                return Err(self.complain("a mask is expected here", help));
            }
        };
        self.at += 1;
        Ok(if is_inside { Region::Inside(mask) } else { Region::Outside(mask) })
    }

    fn strength(&mut self, norm: Norm) -> Parsed<Strength> {
        self.take_word(&EPSILON);
        let up_to = self.take(&Kind::AtMost);
        if !up_to && !self.take(&Kind::Equals) {
            return Err(self.complain("`=` or `≤` is expected after `ε`", STRENGTH_HELP));
        }
        let Some(Kind::Number(number)) = self.peek() else {
            return Err(
                self.complain("a strength is expected here", "write a number such as `0.1` or `8/255`")
            );
        };
        let number: Number = *number;
        let value = number.radius(norm).map_err(|(message, help)| self.complain(message, help))?;
        self.at += 1;
        Ok(if up_to { Strength::UpTo(value) } else { Strength::At(value) })
    }
}
