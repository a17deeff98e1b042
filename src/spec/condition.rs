//! Parses conditions: what a clause must hold under. [`sentence`](super::sentence) gives the whole grammar, and
//! [`plan::notation`](crate::plan) writes what is read here.

use super::node::suggest;
use super::number::Number;
use super::parameter::{Parameter, Referent, Takes, Value};
use super::sentence::{Complaint, Names, Parsed, Parser};
use super::token::Kind;
use super::{
    Absence, AttackLoss, Condition, Corruption, EditKind, ImageMethod, ImageSearch, Joint, Mask, Mode, Norm,
    Region, Strength, TextAttack, TextMethod, TextSearch, Threat,
};

/// Parses a condition such as `FGSM ε≤0.1 + 50% deletion` or `clean`.
///
/// # Errors
/// The first fault of the condition.
pub fn parse_condition(words: &str, names: Names<'_>) -> Result<Condition, Complaint> {
    let mut parser = Parser::new(words, names);
    let condition = parser.condition()?;
    match parser.peek() {
        None => Ok(condition),
        Some(_) => {
            Err(parser.complain("nothing more is expected here", "join threats with `+`, `then` or `×`"))
        }
    }
}

/// The strength of a ball.
const EPSILON: [&str; 4] = ["ε", "ϵ", "eps", "epsilon"];
const STRENGTH_HELP: &str = "write `ε=0.1` for one strength, or `ε≤0.1` for every point of the grid up to it";
const SUFFIX_HELP: &str = "write `PGD-20` for 20 steps, `Square-500` for 500 queries, `PGD-L2` for its ball in l2, or `PGD ε=0.1 steps=20`";

/// What joins two threats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Plus,
    Then,
    Cross,
}

impl Parser<'_> {
    pub(super) fn condition(&mut self) -> Parsed<Condition> {
        let start = self.at;
        if self.take_word(&["clean"]) {
            if self.link().is_some() {
                self.at -= 1;
                return Err(
                    self.complain("`clean` means no threat, so nothing can join it", "leave `clean` out")
                );
            }
            return Ok(Condition { words: self.written(start), ..Condition::clean() });
        }
        let mut threats: Vec<Threat> = Vec::new();
        let mut linked = None;
        loop {
            let first = self.at;
            let threat = self.threat()?;
            if let Some(clash) = threats.iter().find_map(|earlier| clash(earlier, &threat)) {
                self.at = first;
                return Err(self.complain(clash, "leave one of the two out"));
            }
            threats.push(threat);
            let before = self.at;
            let Some(link) = self.link() else { break };
            if linked.is_some_and(|earlier| earlier != link) {
                self.at = before;
                return Err(
                    self.complain("threats are joined in two ways here", "join all of them in one way")
                );
            }
            linked = Some(link);
        }
        let words = self.written(start);
        let joint = self.joint(linked, &threats, start)?;
        Ok(Condition { words, threats, joint })
    }

    /// What joins the next threat, if one follows.
    fn link(&mut self) -> Option<Link> {
        if self.take(&Kind::Plus) {
            Some(Link::Plus)
        } else if self.take(&Kind::Other('×')) || self.take_word(&["x"]) {
            Some(Link::Cross)
        } else if self.take_word(&["then"]) {
            Some(Link::Then)
        } else {
            None
        }
    }

    /// How the threats act together.
    fn joint(&mut self, link: Option<Link>, threats: &[Threat], start: usize) -> Parsed<Joint> {
        let image = threats.iter().position(Threat::on_image);
        let has_both = image.is_some() && threats.len() > 1;
        let fault = match (link, image) {
            (Some(Link::Cross), _) if has_both => {
                if threats.iter().all(can_cross) {
                    return Ok(Joint::Cross);
                }
                (
                    "`×` searches pixels and words in turn, and one of these does not search",
                    "join a PGD with deletion, synonyms or a search such as `20% TextFooler`, or write `+`",
                )
            }
            (Some(Link::Then), Some(0)) if has_both => return Ok(Joint::ImageFirst),
            (Some(Link::Then), Some(place)) if has_both && place + 1 == threats.len() => {
                return Ok(Joint::TextFirst);
            }
            (Some(Link::Then), Some(_)) if has_both => {
                ("the attack on the image stands between two on the report", "put it first or last")
            }
            (Some(Link::Cross), _) => ("`×` joins an attack on the image and one on the report", "write `+`"),
            (None | Some(Link::Plus | Link::Then), _) => return Ok(Joint::EitherOrder),
        };
        self.at = start;
        Err(self.complain(fault.0, fault.1))
    }

    fn threat(&mut self) -> Parsed<Threat> {
        let Some(mode) = self.word().and_then(|word| Mode::named(&word)) else { return self.plain_threat() };
        let first = self.at;
        self.at += 1;
        let (why, help) = match self.plain_threat()? {
            Threat::Text(attack) => {
                let attack = TextAttack { mode, ..attack };
                match refused_mode(&attack) {
                    None => return Ok(Threat::Text(attack)),
                    Some(why) => (why, "leave it out"),
                }
            }
            Threat::Image { .. } => (
                "a mode is about what a report says, and this attack changes the image",
                "write the mode before an attack on the report, such as `preserving 50% deletion`",
            ),
        };
        self.at = first;
        Err(self.complain(why, help))
    }

    fn plain_threat(&mut self) -> Parsed<Threat> {
        match self.peek() {
            Some(Kind::Number(number)) => {
                let number = *number;
                let share = number.changed_share().map_err(|(message, help)| self.complain(message, help))?;
                self.at += 1;
                self.shared(share)
            }
            Some(Kind::Word(word)) => {
                let word = word.clone();
                self.named_threat(&word)
            }
            _ => {
                let help =
                    "write `clean`, `FGSM ε=0.1`, `50% deletion`, `40% synonyms` or a name from `threats`";
                Err(self.complain("an attack is expected here", help))
            }
        }
    }

    /// What follows a share of the words, or of the image.
    fn shared(&mut self, share: f64) -> Parsed<Threat> {
        self.take_word(&["word"]);
        let word = self.word().unwrap_or_default();
        // `patch-20` and `TextFooler-200` say the only count of the attack
        let (name, number) = match word.rsplit_once('-') {
            Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(number)),
            _ => (word.as_str(), None),
        };
        if name == "patch" {
            let steps = match number {
                Some(number) => self.count(number, Some(ImageMethod::PATCH_STEPS))?,
                None => ImageMethod::USUAL_PATCH_STEPS,
            };
            let method = ImageMethod::Patch { steps, region: Region::Everywhere };
            self.at += 1;
            let (method, strength) = self.image_settings(method, Some(Strength::At(share)))?;
            return Ok(Threat::Image { method, strength });
        }
        let Some(method) = TextMethod::of_name(name).filter(|method| method.takes_share()) else {
            let known: Vec<&str> = TextMethod::names_with_share().into_iter().chain(["patch"]).collect();
            let help = suggest(&word, &known);
            return Err(self.complain("after a share of the words comes what happens to them", help));
        };
        let mut attack = TextAttack::usual(method, share);
        if let Some(number) = number {
            let parameter = attack.settings().first().map(|(parameter, _)| *parameter);
            let parameter = parameter.filter(|_| matches!(method, TextMethod::Searched { .. }));
            let value = self.count(number, parameter)?;
            attack = parameter
                .and_then(|parameter| attack.with(parameter.key, Value::Count(value)))
                .unwrap_or(attack);
        }
        self.at += 1;
        if method == TextMethod::Sampled(EditKind::Synonyms) {
            self.take_word(&["substitution", "substitutions"]);
        }
        Ok(Threat::Text(self.text_settings(attack)?))
    }

    fn named_threat(&mut self, word: &str) -> Parsed<Threat> {
        let lower = word.to_lowercase();
        if let Some((_, threat)) = self.names.threats.iter().find(|(name, _)| name.eq_ignore_ascii_case(word))
        {
            self.at += 1;
            return Ok(threat.clone());
        }
        if lower == "clean" {
            return Err(self.complain("`clean` means no threat, so it joins none", "leave `clean` out"));
        }
        if let Some(absence) = Absence::named(word) {
            self.at += 1;
            return self.absent(absence);
        }
        if let Some(corruption) = Corruption::named(word) {
            self.at += 1;
            let strength = self.severity()?;
            return Ok(Threat::Image { method: ImageMethod::Corruption(corruption), strength });
        }
        match TextMethod::of_name(word) {
            Some(method) if method.takes_share() => {
                let help = format!("write the share of the words first, such as `50% {lower}`");
                return Err(self.complain("the share of the words is missing", help));
            }
            Some(method) => {
                self.at += 1;
                return Ok(Threat::Text(self.text_settings(TextAttack::usual(method, 1.0))?));
            }
            None => {}
        }
        let Some((search, rest)) = ImageSearch::at_start_of(word) else {
            return Err(self.unknown_attack(word));
        };
        let method = self.suffixes(search, rest)?;
        let (method, strength) = self.image_settings(method, None)?;
        Ok(Threat::Image { method, strength })
    }

    /// What follows the name of a search in its word: `-L2` a norm, `-margin` a loss, `-20` its first count, and `-20×5`
    /// its first two counts. Takes the word.
    fn suffixes(&mut self, search: ImageSearch, rest: &str) -> Parsed<ImageMethod> {
        let ImageMethod::Search { norm, region, .. } = ImageMethod::usual(search) else {
            return Err(self.unknown_attack(rest));
        };
        let (mut search, mut norm) = (search, norm);
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
        Ok(ImageMethod::Search { search, norm, region })
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
    fn count(&self, number: &str, parameter: Option<Parameter>) -> Parsed<u32> {
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
    fn image_settings(
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
            } else if self.is_setting(method.settings()) {
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
                let (key, value) = self.setting(method.settings())?;
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
    fn text_settings(&mut self, attack: TextAttack) -> Parsed<TextAttack> {
        let (mut attack, mut seen) = (attack, false);
        while self.is_setting(attack.settings()) {
            if seen {
                return Err(self.complain("this is given twice", "leave one out"));
            }
            let (key, value) = self.setting(attack.settings())?;
            attack = attack.with(key, value).unwrap_or(attack);
            seen = true;
        }
        Ok(attack)
    }

    /// Whether a parameter comes next: a word and `=`, or `from` and a model's name.
    fn is_setting(&self, settings: Vec<(Parameter, Value)>) -> bool {
        let Some(word) = self.word() else { return false };
        let is_model =
            |(parameter, _): &(Parameter, Value)| parameter.takes == Takes::Model && parameter.key == word;
        self.peek_after() == Some(&Kind::Equals) || settings.iter().any(is_model)
    }

    /// A parameter of these and its value.
    fn setting(&mut self, settings: Vec<(Parameter, Value)>) -> Parsed<(&'static str, Value)> {
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
            .filter(|(_, model)| model.image && !model.text)
            .map(|(place, model)| (model.name.as_str(), place))
            .collect()
    }

    /// Which input is absent.
    fn absent(&mut self, absence: Absence) -> Parsed<Threat> {
        if self.take_word(&["image", "images"]) {
            return Ok(Threat::Image { method: ImageMethod::Absent(absence), strength: Strength::At(1.0) });
        }
        if self.take_word(&["report", "reports"]) {
            return Ok(Threat::Text(TextAttack::usual(TextMethod::Absent(absence), 1.0)));
        }
        let help = format!("write `{0} image` or `{0} report`", absence.name());
        Err(self.complain("which input is meant has to follow", help))
    }

    /// `inside lesion`, `outside attribution`, `inside NAME` of the spec's masks.
    fn region(&mut self) -> Parsed<Region> {
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

    fn unknown_attack(&self, word: &str) -> Complaint {
        let named = self.names.threats.iter().map(|(name, _)| name.as_str());
        let images = ImageSearch::ALL.iter().map(|search| search.name());
        let films = Corruption::ALL.iter().map(|corruption| corruption.name());
        let texts = EditKind::ALL.iter().map(|kind| kind.name());
        let searches = TextSearch::ALL.iter().map(|search| search.name());
        let known: Vec<&str> =
            images.chain(films).chain(texts).chain(searches).chain(["patch", "clean"]).chain(named).collect();
        self.complain(format!("`{word}` is no attack and no name from `threats`"), suggest(word, &known))
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

    /// `severity 3`, `severity=3`, or `severity≤3` for every one up to it.
    fn severity(&mut self) -> Parsed<Strength> {
        const HELP: &str = "write `severity 3`, or `severity≤3` for every severity up to it";
        if !self.take_word(&["severity"]) {
            return Err(self.complain("the severity is missing", HELP));
        }
        let up_to = self.take(&Kind::AtMost);
        if !up_to {
            self.take(&Kind::Equals);
        }
        let Some(Kind::Number(number)) = self.peek() else {
            return Err(self.complain("a severity is expected here", HELP));
        };
        let value = number.severity().map_err(|(message, help)| self.complain(message, help))?;
        self.at += 1;
        Ok(if up_to { Strength::UpTo(value) } else { Strength::At(value) })
    }
}

/// Why an attack on the report cannot run in its mode, if so.
pub(super) fn refused_mode(attack: &TextAttack) -> Option<&'static str> {
    match (attack.method, attack.mode) {
        (TextMethod::Sampled(EditKind::Negation), Mode::Preserving | Mode::Free) => {
            Some("a negation flips what the report says, so it can only be `directional`")
        }
        (TextMethod::Absent(_), Mode::Preserving | Mode::Directional) => {
            Some("a report that is absent or another patient's is always `free`")
        }
        (TextMethod::Searched { .. }, Mode::Directional) => {
            Some("a search looks for a wrong answer to the same report; `directional` is for random edits")
        }
        _ => None,
    }
}

/// Whether an attack can be one half of a search in turns.
fn can_cross(threat: &Threat) -> bool {
    match threat {
        Threat::Image { method, .. } => {
            matches!(method, ImageMethod::Search { search: ImageSearch::Pgd { .. }, .. })
        }
        Threat::Text(attack) => match attack.method {
            TextMethod::Sampled(kind) => kind.facts().is_listed,
            TextMethod::Searched { .. } => true,
            TextMethod::Absent(_) => false,
        },
    }
}

/// Why two threats cannot act together, if so.
fn clash(earlier: &Threat, later: &Threat) -> Option<String> {
    match (earlier, later) {
        (Threat::Image { .. }, Threat::Image { .. }) => {
            Some("two attacks on the image cannot be joined".to_string())
        }
        (Threat::Text(earlier), Threat::Text(later)) if earlier.method == later.method => {
            Some(match earlier.method {
                TextMethod::Sampled(EditKind::Deletion) => "words are deleted twice".to_string(),
                TextMethod::Sampled(EditKind::Synonyms) => "words are replaced twice".to_string(),
                _ => "the same happens to the report twice".to_string(),
            })
        }
        (Threat::Text(earlier), Threat::Text(later))
            if earlier.mode == Mode::Directional || later.mode == Mode::Directional =>
        {
            Some("an edit that flips what the report says joins no other edit".to_string())
        }
        _ => None,
    }
}
