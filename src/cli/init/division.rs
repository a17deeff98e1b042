//! Which cases are test cases: those that a column of the data names, all of them, or a random part. A model that was
//! trained elsewhere may have seen any patient, so that its data is never divided without a word about that.

use super::ask::Ask;
use super::place::scalar;
use crate::data::Column;
use crate::{Error, Result};

/// Columns that name the part of a case are usually called so.
const FOLDS: [&str; 8] = ["fold", "split", "set", "part", "partition", "subset", "phase", "dataset"];
const TEST: [&str; 6] = ["test", "testing", "eval", "holdout", "held-out", "external"];
const VALIDATION: [&str; 6] = ["val", "valid", "validate", "validation", "dev", "tune"];
const TRAINING: [&str; 3] = ["train", "training", "development"];

/// The column that names the parts, with the values that mean each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fold {
    pub(super) column: String,
    pub(super) test: Vec<String>,
    pub(super) validation: Vec<String>,
}

impl Fold {
    /// The column that names the parts, if one looks like it.
    pub(super) fn find(columns: &[Column]) -> Option<Self> {
        let of = |column: &Column| {
            let test = meant(column, &TEST);
            let is_called_so = FOLDS.contains(&column.name.to_lowercase().as_str());
            let is_one = !test.is_empty() && (is_called_so || !meant(column, &TRAINING).is_empty());
            is_one.then(|| Self { column: column.name.clone(), test, validation: meant(column, &VALIDATION) })
        };
        columns.iter().find_map(of)
    }

    fn written(&self) -> String {
        let list =
            |values: &[String]| values.iter().map(|value| scalar(value)).collect::<Vec<_>>().join(", ");
        let validation = if self.validation.is_empty() {
            String::new()
        } else {
            format!(", validation: [{}]", list(&self.validation))
        };
        format!("column: {}, test: [{}]{validation}", scalar(&self.column), list(&self.test))
    }
}

/// The values of a column that are one of these words.
fn meant(column: &Column, words: &[&str]) -> Vec<String> {
    let is_meant = |value: &&String| words.contains(&value.to_lowercase().as_str());
    column.values.iter().map(|(value, _)| value).filter(is_meant).cloned().collect()
}

/// What has to be divided, and for which models.
pub(super) struct Division<'a> {
    /// Columns of the manifest; none for other data.
    pub(super) columns: &'a [Column],
    /// The models that learn here.
    pub(super) trained: Vec<&'static str>,
    /// The file of a model that learned elsewhere, if its training may have seen these patients.
    pub(super) brought: Option<String>,
    pub(super) studies: usize,
    /// What `--test` says.
    pub(super) said: Option<&'a str>,
}

impl Division<'_> {
    /// The `split:` block, without its braces.
    pub(super) fn written(&self, command: &dyn Fn(&str) -> String, ask: &mut Ask<'_>) -> Result<String> {
        if let Some(said) = self.said {
            return self.read(said);
        }
        let fold = Fold::find(self.columns);
        if let Some(fold) =
            fold.as_ref().filter(|fold| self.trained.is_empty() || !fold.validation.is_empty())
        {
            let values = fold.test.join(", ");
            ask.note(format!("the test cases are those with {values} in the column `{}`", fold.column));
            return Ok(fold.written());
        }
        if let Some(fold) = fold {
            ask.note(format!(
                "the column `{}` names test cases and none that choose the best epoch: the parts are drawn at random",
                fold.column
            ));
        }
        let Some(brought) = &self.brought else { return Ok(self.drawn()) };
        let question = format!(
            "{brought} was trained elsewhere; which cases were not in its training: all, or COLUMN=VALUE of a column"
        );
        match ask.ask(&question, "")?.as_str() {
            "" => Err(Error::Usage(format!(
                "{brought} was trained elsewhere, and a random part of this data may hold patients of its training; say \
                 which cases test it:\n  {}\n      if none of these patients was in its training\n  {}\n      if a column \
                 names the test cases\n  {}\n      to draw them anyway; the check `unnamed-test-set` then asks for a waiver",
                command("--test all"),
                command("--test COLUMN=VALUE"),
                command("--test 30%")
            ))),
            answer => self.read(answer),
        }
    }

    /// What a person says: `all`, a share, or `COLUMN=VALUE,VALUE`.
    fn read(&self, said: &str) -> Result<String> {
        if said == "all" {
            return if self.trained.is_empty() {
                Ok("test: 100%".to_string())
            } else {
                Err(Error::Usage(format!(
                    "`--test all` leaves no case to train {} on; name a column or a share, or leave it out with --models",
                    self.trained.join(" and ")
                )))
            };
        }
        let Some((column, values)) = said.split_once('=') else {
            let share = said.strip_suffix('%').and_then(|share| share.parse::<f64>().ok());
            return match share.filter(|share| *share > 0.0 && *share < 100.0) {
                Some(_) => Ok(format!("by: patient, test: {said}, validation: 10%, seed: 7")),
                None => Err(Error::Usage(format!(
                    "`--test {said}` is none of `all`, a share such as 30%, and COLUMN=VALUE"
                ))),
            };
        };
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let Some(known) = self.columns.iter().find(|known| known.name == column) else {
            let help = crate::spec::suggest(column, &names);
            return Err(Error::Usage(format!("`--test {said}`: the data has no column `{column}`; {help}")));
        };
        let test: Vec<String> = values.split(',').map(|value| value.trim().to_string()).collect();
        let has: Vec<&str> = known.values.iter().map(|(value, _)| value.as_str()).collect();
        if let Some(value) = test.iter().find(|value| !has.contains(&value.as_str())) {
            let help = crate::spec::suggest(value, &has);
            return Err(Error::Usage(format!("`--test {said}`: no row has `{value}` in `{column}`; {help}")));
        }
        let validation: Vec<String> =
            meant(known, &VALIDATION).into_iter().filter(|value| !test.contains(value)).collect();
        if !self.trained.is_empty() && validation.is_empty() {
            return Err(Error::Usage(format!(
                "`{column}` has no value such as `val` for the cases that choose the best epoch of what is trained here; \
                 add such cases, or draw the parts with `--test 30%`"
            )));
        }
        Ok(Fold { column: column.to_string(), test, validation }.written())
    }

    fn drawn(&self) -> String {
        let test = if self.studies < 400 { "40%" } else { "30%" };
        format!("by: patient, test: {test}, validation: 10%, seed: 7")
    }
}
