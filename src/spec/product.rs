//! Whose result it is, as the block `report` says: every report shows it, and it decides nothing.

use serde::Serialize;

/// A product under test. Every text is the user's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Product {
    /// Its name.
    pub product: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The commit that it was built from.
    pub commit: Option<String>,
    /// What it is meant for.
    pub intended_use: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Identifiers of the requirements, in the order of the sentences; as many as these, or none.
    pub ids: Vec<String>,
}

impl Product {
    /// What is given, each with its name.
    pub fn facts(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("product", &self.product),
            ("version", &self.version),
            ("commit", &self.commit),
            ("intended use", &self.intended_use),
            ("owner", &self.owner),
        ];
        all.into_iter().filter_map(|(name, fact)| Some((name, fact.as_deref()?))).collect()
    }
}
