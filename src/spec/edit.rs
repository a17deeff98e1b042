//! How words may be perturbed: the kinds of random edits that a spec names. Each kind's definition, with its
//! source, stands in the file of its name under `text/perturb`.

/// A kind of random edit of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EditKind {
    /// Words are removed.
    Deletion,
    /// Words are replaced by synonyms.
    Synonyms,
    /// Words that say nothing are put in.
    Insertion,
    /// Neighbouring words change places.
    Swap,
    /// Letters are mistyped on a keyboard.
    Typos,
    /// Letters are misread by a scanner.
    Ocr,
    /// Words are misheard in dictation: "no effusion" and "new effusion".
    Homophones,
    /// Words are abbreviated, or abbreviations written out.
    Abbreviations,
    /// Words are taken out by de-identification.
    Deidentification,
    /// A section of the report is lost.
    SectionDrop,
    /// The sections come in another order.
    SectionOrder,
    /// Headings and phrases of another reporting template.
    Template,
    /// Numbers and units are written in another form.
    Units,
    /// What was affirmed is denied, and the other way round.
    Negation,
}

impl EditKind {
    /// Every kind by the name that a sentence gives it.
    pub const NAMED: [(&'static str, Self); 14] = [
        ("deletion", Self::Deletion),
        ("synonyms", Self::Synonyms),
        ("insertion", Self::Insertion),
        ("swap", Self::Swap),
        ("typos", Self::Typos),
        ("ocr", Self::Ocr),
        ("homophones", Self::Homophones),
        ("abbreviations", Self::Abbreviations),
        ("deidentification", Self::Deidentification),
        ("section-drop", Self::SectionDrop),
        ("section-order", Self::SectionOrder),
        ("template", Self::Template),
        ("units", Self::Units),
        ("negation", Self::Negation),
    ];

    /// The name that a sentence gives it.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Whether a share of the words says how much of it there is (else it happens once or not at all).
    pub fn takes_share(self) -> bool {
        !matches!(self, Self::SectionDrop | Self::SectionOrder | Self::Template | Self::Negation)
    }
}

/// What an edit may do to what a report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// An edit that changes what is said about a finding, its side or its negation is rejected.
    Preserving,
    /// Every edit is allowed, as in Mozhegova et al.; cases whose meaning changed are counted apart.
    Free,
    /// Edits flip what is said, and the prediction is expected to follow: a case whose meaning did not flip
    /// keeps its text.
    Directional,
}

impl Mode {
    /// Every mode by the name that a spec gives it.
    pub const NAMED: [(&'static str, Self); 3] =
        [("preserving", Self::Preserving), ("free", Self::Free), ("directional", Self::Directional)];

    /// The name that a spec gives it.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, mode)| *mode == self).map_or("", |(name, _)| name)
    }
}
