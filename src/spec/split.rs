//! How the studies of a spec are divided into training, validation and test cases.

/// How the studies are divided. A patient's studies are always in one part.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// What decides the part of a case.
    pub parts: Parts,
    /// Test cases at most, for a quick run: the models stay the same (default: all).
    pub cases: Option<usize>,
    /// Seed of the draw: of the parts, of the fewer test cases, and of the order in which cells that end early take them.
    pub seed: u64,
}

/// What decides the part of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Parts {
    /// A random draw of patients.
    Drawn {
        /// Share of the patients whose studies are test cases: above 0, and below 1 unless nothing is trained here.
        test: f64,
        /// Share of the other patients whose studies choose the best epoch (default 0.15).
        validation: f64,
    },
    /// A column of the manifest. Cases with any value that is not listed are training cases.
    Named {
        /// Name of the column.
        column: String,
        /// Values of the test cases; never empty.
        test: Vec<String>,
        /// Values of the cases that choose the best epoch; empty only where no model is trained and no threshold is chosen.
        validation: Vec<String>,
    },
}

impl Split {
    /// The column of the manifest that names the parts, if one does.
    pub fn column(&self) -> Option<&str> {
        match &self.parts {
            Parts::Drawn { .. } => None,
            Parts::Named { column, .. } => Some(column),
        }
    }
}
