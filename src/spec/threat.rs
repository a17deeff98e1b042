//! What an adversary, or a bad day, may do to a case: to its pixels, to its words, or to both.

use super::{EditKind, ImageMethod, ImageSearch, Mask, Mode, Norm, Region};

/// One threat with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Threat {
    /// On all views.
    Image {
        /// What is done.
        method: ImageMethod,
        /// How much of it.
        strength: Strength,
    },
    /// On the report.
    Text(TextAttack),
}

impl Threat {
    /// Whether it changes pixels (else it changes words).
    pub fn on_image(&self) -> bool {
        matches!(self, Self::Image { .. })
    }

    /// Whether it means something only for a model with another input too.
    pub fn needs_the_other(&self) -> bool {
        matches!(
            self,
            Self::Image { method: ImageMethod::Absent(Absence::Missing), .. }
                | Self::Text(TextAttack { method: TextMethod::Absent(Absence::Missing), .. })
        )
    }
}

/// A strength, or every point of the grid up to it. What it measures depends on the method: ε of a ball, the
/// severity of a corruption, the share of the image under a patch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strength {
    /// `ε=0.1`: this strength.
    At(f64),
    /// `ε≤0.1`: every point of the grid up to 0.1, and 0.1 itself; a case counts if it holds at all of them.
    UpTo(f64),
}

/// How the image's and the report's threats act together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Joint {
    /// `a + b`: in either order; a case counts if it holds in both.
    #[default]
    EitherOrder,
    /// `a then b`, the image first: the report's attack sees the attacked image.
    ImageFirst,
    /// `a then b`, the report first: the image's attack sees the attacked report.
    TextFirst,
    /// `a × b`: gradient steps on the pixels and edits of words in turn, on the joint answer.
    Cross,
}

/// What stands where an input of the case should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Absence {
    /// Nothing: the branch gives zeros.
    Missing,
    /// An empty input: a black image, a report without words.
    Blank,
    /// The typical input: the mean image of training, the report most like all reports of training.
    Mean,
    /// The input of another patient among the test cases.
    WrongPatient,
}

impl Absence {
    /// Every absence by the name that a sentence gives it.
    pub const NAMED: [(&'static str, Self); 4] = [
        ("missing", Self::Missing),
        ("blank", Self::Blank),
        ("mean", Self::Mean),
        ("wrong-patient", Self::WrongPatient),
    ];

    /// The name that a sentence gives it.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, absence)| *absence == self).map_or("", |(name, _)| name)
    }
}

/// What is done to the words of a report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextAttack {
    /// How words are chosen.
    pub method: TextMethod,
    /// Share of the words that it edits, 0 to 1; 1 where the method takes none.
    pub share: f64,
    /// What an edit may do to what the report says.
    pub mode: Mode,
    /// Random draws of a case, 1 to 1000; the worst counts. 1 for a search.
    pub draws: u32,
}

/// How the words that are edited are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TextMethod {
    /// At random.
    Sampled(EditKind),
    /// By what the model answers.
    Searched {
        /// How it searches.
        search: TextSearch,
        /// Evaluations of a case at most (default 500).
        queries: u32,
    },
    /// The report is not the patient's, or no report.
    Absent(Absence),
}

/// How an attack searches for words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextSearch {
    /// The words that matter most are removed.
    Importance,
    /// Probability-weighted word saliency, over synonyms.
    Pwws,
    /// The search of `TextFooler`, over our synonyms.
    TextFooler,
    /// Misspellings of the words that matter most.
    DeepWordBug,
    /// Words exchanged along the gradient of their embeddings.
    HotFlip,
    /// A beam of the best partial edits, over synonyms and removals.
    Beam,
    /// Words that a masked language model proposes.
    Bae,
}

impl TextSearch {
    /// Every search by the name that a sentence gives it.
    pub const NAMED: [(&'static str, Self); 7] = [
        ("importance", Self::Importance),
        ("PWWS", Self::Pwws),
        ("TextFooler", Self::TextFooler),
        ("DeepWordBug", Self::DeepWordBug),
        ("HotFlip", Self::HotFlip),
        ("beam", Self::Beam),
        ("BAE", Self::Bae),
    ];

    /// The name that a sentence gives it.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, search)| *search == self).map_or("", |(name, _)| name)
    }
}

impl TextMethod {
    /// Evaluations of a case that a search may spend, if a sentence does not say.
    pub const QUERIES: u32 = 500;

    /// Whether a share of the words says how much of it there is.
    pub fn takes_share(self) -> bool {
        match self {
            Self::Sampled(kind) => kind.takes_share(),
            Self::Searched { .. } => true,
            Self::Absent(_) => false,
        }
    }

    /// The mode that is meant where none is named: the attacks of Mozhegova et al., and what replaces the report, are
    /// free; a flip is directional; everything else preserves.
    pub fn usual_mode(self) -> Mode {
        match self {
            Self::Sampled(EditKind::Deletion | EditKind::Synonyms) | Self::Absent(_) => Mode::Free,
            Self::Sampled(EditKind::Negation) => Mode::Directional,
            _ => Mode::Preserving,
        }
    }

    /// The method of a name, with its defaults.
    pub fn of_name(name: &str) -> Option<Self> {
        let is = |known: &&str| known.eq_ignore_ascii_case(name);
        let sampled =
            EditKind::NAMED.iter().find(|(known, _)| is(known)).map(|(_, kind)| Self::Sampled(*kind));
        sampled.or_else(|| {
            let found = TextSearch::NAMED.iter().find(|(known, _)| is(known));
            found.map(|(_, search)| Self::Searched { search: *search, queries: Self::QUERIES })
        })
    }
}

impl TextAttack {
    /// As a sentence means it that says no more.
    pub fn usual(method: TextMethod, share: f64) -> Self {
        Self { method, share, mode: method.usual_mode(), draws: 1 }
    }

    /// A share of the words is removed (Mozhegova et al.).
    pub fn deletion(share: f64) -> Self {
        Self::usual(TextMethod::Sampled(EditKind::Deletion), share)
    }

    /// A share of the words is replaced by synonyms (Mozhegova et al.).
    pub fn synonyms(share: f64) -> Self {
        Self::usual(TextMethod::Sampled(EditKind::Synonyms), share)
    }
}

impl ImageMethod {
    /// The mask that it asks for, if any.
    pub fn mask(self) -> Option<Mask> {
        match self {
            Self::Search { region, .. } | Self::Patch { region, .. } => match region {
                Region::Everywhere => None,
                Region::Inside(mask) | Region::Outside(mask) => Some(mask),
            },
            Self::Corruption(_) | Self::Absent(_) => None,
        }
    }

    /// A search as a sentence means it that says no more.
    pub fn usual(search: ImageSearch) -> Self {
        let norm = search.norms().first().copied().unwrap_or(Norm::Linf);
        Self::Search { search, norm, region: Region::Everywhere }
    }

    /// The method of a word such as `PGD`, `pgd-20` (steps), `Square-500` (queries) or `PGD-L2-20`; None if it
    /// names none, Some(None) if it does not take its norm or number.
    #[allow(clippy::option_option)]
    pub fn of_word(word: &str) -> Option<Option<Self>> {
        let word = word.to_lowercase();
        let (search, rest) = ImageSearch::NAMED.iter().find_map(|(name, search)| {
            let rest = word.strip_prefix(&name.to_lowercase())?;
            (rest.is_empty() || rest.starts_with('-')).then_some((*search, rest))
        })?;
        let mut parts = rest.split('-').skip(1).peekable();
        let norm = match parts.next_if(|part| *part == "l2" || *part == "linf") {
            None => search.norms().first().copied(),
            Some(named) => search.norms().iter().copied().find(|norm| norm.name() == named),
        };
        let search = match parts.next() {
            None => Some(search),
            Some(number) => number.parse().ok().and_then(|number| search.with_number(number)),
        };
        let region = Region::Everywhere;
        let method = match (search, norm, parts.next()) {
            (Some(search), Some(norm), None) => Some(Self::Search { search, norm, region }),
            _ => None,
        };
        Some(method)
    }
}
