//! Random edits of a report: one variant and one row for each kind that a spec names. Its definition, with its source,
//! is the head of the file that the row names under `text/perturb`.

use super::kinds::kinds;

/// What must be known about a kind of edit.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own, and no two exclude each other
pub struct EditFacts {
    /// The name that a sentence gives it.
    pub name: &'static str,
    /// Other ways to write the name.
    pub aliases: &'static [&'static str],
    /// Names its random streams. It never changes, or all its noise would.
    pub stream: &'static str,
    /// Whether a share of the words says how much of it there is; else it happens once or not at all.
    pub takes_share: bool,
    /// The mode that is meant where none is named.
    pub mode: Mode,
    /// Whether any report has words that it can edit.
    pub edits_any_report: bool,
    /// Whether it can take away or change what the report says about a finding.
    pub can_change_label: bool,
    /// Whether every edit of it can be listed, so that a search can try them one by one.
    pub is_listed: bool,
    /// The source file whose head documents it.
    pub source: &'static str,
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../text/perturb/", $name, ".rs"))
    };
}

kinds! {
    /// A kind of random edit of a report.
    pub enum EditKind of EditFacts {
        /// Words are removed.
        Deletion = EditFacts {
            name: "deletion",
            aliases: &["deletions"],
            stream: "Deletion",
            takes_share: true,
            mode: Mode::Free,
            edits_any_report: true,
            can_change_label: true,
            is_listed: true,
            source: file!("deletion"),
        };
        /// Words are replaced by synonyms.
        Synonyms = EditFacts {
            name: "synonyms",
            aliases: &["synonym"],
            stream: "Synonyms",
            takes_share: true,
            mode: Mode::Free,
            edits_any_report: true,
            can_change_label: false,
            is_listed: true,
            source: file!("synonyms"),
        };
        /// Words that say nothing are put in.
        Insertion = EditFacts {
            name: "insertion",
            aliases: &[],
            stream: "Insertion",
            takes_share: true,
            mode: Mode::Preserving,
            edits_any_report: true,
            can_change_label: false,
            is_listed: false,
            source: file!("insertion"),
        };
        /// Neighbouring words change places.
        Swap = EditFacts {
            name: "swap",
            aliases: &[],
            stream: "Swap",
            takes_share: true,
            mode: Mode::Preserving,
            edits_any_report: true,
            can_change_label: false,
            is_listed: false,
            source: file!("swap"),
        };
        /// Letters are mistyped on a keyboard.
        Typos = EditFacts {
            name: "typos",
            aliases: &["typo"],
            stream: "Typos",
            takes_share: true,
            mode: Mode::Preserving,
            edits_any_report: true,
            can_change_label: false,
            is_listed: false,
            source: file!("typos"),
        };
        /// Letters are misread by a scanner.
        Ocr = EditFacts {
            name: "ocr",
            aliases: &[],
            stream: "Ocr",
            takes_share: true,
            mode: Mode::Preserving,
            edits_any_report: false,
            can_change_label: false,
            is_listed: false,
            source: file!("ocr"),
        };
        /// Words are misheard in dictation: "no effusion" and "new effusion".
        Homophones = EditFacts {
            name: "homophones",
            aliases: &["homophone"],
            stream: "Homophones",
            takes_share: true,
            mode: Mode::Preserving,
            edits_any_report: false,
            can_change_label: true,
            is_listed: false,
            source: file!("homophones"),
        };
        /// Words are abbreviated, or abbreviations written out.
        Abbreviations = EditFacts {
            name: "abbreviations",
            aliases: &["abbreviation"],
            stream: "Abbreviations",
            takes_share: true,
            mode: Mode::Preserving,
            edits_any_report: false,
            can_change_label: false,
            is_listed: false,
            source: file!("abbreviations"),
        };
        /// Words are taken out by de-identification.
        Deidentification = EditFacts {
            name: "deidentification",
            aliases: &[],
            stream: "Deidentification",
            takes_share: true,
            mode: Mode::Preserving,
            edits_any_report: false,
            can_change_label: false,
            is_listed: false,
            source: file!("deidentification"),
        };
        /// A section of the report is lost.
        SectionDrop = EditFacts {
            name: "section-drop",
            aliases: &[],
            stream: "SectionDrop",
            takes_share: false,
            mode: Mode::Preserving,
            edits_any_report: false,
            can_change_label: true,
            is_listed: false,
            source: file!("section_drop"),
        };
        /// The sections come in another order.
        SectionOrder = EditFacts {
            name: "section-order",
            aliases: &[],
            stream: "SectionOrder",
            takes_share: false,
            mode: Mode::Preserving,
            edits_any_report: false,
            can_change_label: false,
            is_listed: false,
            source: file!("section_order"),
        };
        /// Headings and phrases of another reporting template.
        Template = EditFacts {
            name: "template",
            aliases: &[],
            stream: "Template",
            takes_share: false,
            mode: Mode::Preserving,
            edits_any_report: false,
            can_change_label: false,
            is_listed: false,
            source: file!("template"),
        };
        /// Numbers and units are written in another form.
        Units = EditFacts {
            name: "units",
            aliases: &[],
            stream: "Units",
            takes_share: true,
            mode: Mode::Preserving,
            edits_any_report: false,
            can_change_label: false,
            is_listed: false,
            source: file!("units"),
        };
        /// What was affirmed is denied, and the other way round.
        Negation = EditFacts {
            name: "negation",
            aliases: &[],
            stream: "Negation",
            takes_share: false,
            mode: Mode::Directional,
            edits_any_report: false,
            can_change_label: true,
            is_listed: false,
            source: file!("negation"),
        };
    }
}

impl EditKind {
    /// Whether a share of the words says how much of it there is; else it happens once or not at all.
    pub fn takes_share(self) -> bool {
        self.facts().takes_share
    }
}

/// What must be known about a mode.
#[derive(Debug, Clone, Copy)]
pub struct ModeFacts {
    /// The name that a spec gives it.
    pub name: &'static str,
}

kinds! {
    /// What an edit may do to what a report says.
    pub enum Mode of ModeFacts {
        /// An edit that changes what the report says about a finding, its side or its negation is rejected.
        Preserving = ModeFacts { name: "preserving" };
        /// Every edit is allowed; cases whose meaning changed are counted apart.
        Free = ModeFacts { name: "free" };
        /// Edits flip what the report says, and the prediction is expected to follow; a case whose meaning did not
        /// flip keeps its text.
        Directional = ModeFacts { name: "directional" };
    }
}
