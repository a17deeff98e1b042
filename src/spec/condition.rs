//! Parses conditions: what a clause must hold under. [`sentence`](super::sentence) gives the whole grammar, and
//! [`plan::notation`](crate::plan) writes what is read here.

use super::node::suggest;
use super::parameter::Value;
use super::parser::{Complaint, Parsed, Parser};
use super::token::Kind;
use super::{
    Absence, Condition, Corruption, EditKind, ImageMethod, ImageSearch, Joint, Mode, Names, Region, Strength,
    TextAttack, TextMethod, TextSearch, Threat,
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
            if !self.names.classes.is_empty() && reverses(&threat) {
                let message = "this reverses what a report says, and one of several classes has no opposite";
                let help = "ask for an edit that keeps the meaning, such as `50% deletion`";
                return Err(self.complain_since(first, message.to_string(), help.to_string()));
            }
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
        if word == ImageMethod::NAIVE_PATCH {
            let method = ImageMethod::NaivePatch { region: Region::Everywhere };
            self.at += 1;
            let (method, strength) = self.image_settings(method, Some(Strength::At(share)))?;
            return Ok(Threat::Image { method, strength });
        }
        let Some(method) = TextMethod::of_name(name).filter(|method| method.takes_share()) else {
            let patches = ["patch", ImageMethod::NAIVE_PATCH];
            let known: Vec<&str> = TextMethod::names_with_share().into_iter().chain(patches).collect();
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

/// Whether a threat reverses what a report says, and its label with it.
fn reverses(threat: &Threat) -> bool {
    matches!(threat, Threat::Text(TextAttack { mode: Mode::Directional, .. }))
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
