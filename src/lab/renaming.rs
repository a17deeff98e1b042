//! Finds a single rule by which the names in a weights file differ from the model's: every name has a prefix that the
//! model's lacks, or the other way round. `DataParallel` (`module.`), `torch.compile` (`_orig_mod.`) and training
//! frameworks (`model.`, `encoder.`) save such names.

use std::collections::BTreeSet;

use super::weights::Expected;

/// Limit on the parts of a prefix, such as `module.model.`.
const PARTS: usize = 3;

/// The change that turns the file's names into the model's.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Renaming {
    /// Remove this prefix, which ends with a dot.
    Remove(String),
    /// Put this prefix first; it ends with a dot.
    Add(String),
}

/// The rule that turns the file's names into the expected ones, if there is one.
pub(super) fn of(names: &[&str], expected: &Expected<'_>) -> Option<Renaming> {
    let required: BTreeSet<&str> = (expected.declared.iter().map(|one| one.name.as_str()))
        .filter(|name| !expected.optional.iter().any(|start| name.starts_with(start)))
        .collect();
    // a rule must leave no required parameter missing
    let completes = |renamed: &dyn Fn(&str) -> Option<String>| {
        let found: BTreeSet<String> = names.iter().filter_map(|name| renamed(name)).collect();
        required.iter().all(|name| found.contains(*name))
    };
    let too_many = prefixes(names.iter().copied())
        .into_iter()
        .find(|prefix| completes(&|name: &str| name.strip_prefix(prefix.as_str()).map(expected.rename)));
    if let Some(prefix) = too_many {
        return Some(Renaming::Remove(prefix));
    }
    let too_few = prefixes(required.iter().copied())
        .into_iter()
        .find(|prefix| completes(&|name: &str| Some(format!("{prefix}{name}"))));
    too_few.map(Renaming::Add)
}

/// Every prefix of a name that ends with a dot, shortest first.
fn prefixes<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let beginnings = names
        .flat_map(|name| name.match_indices('.').take(PARTS).map(move |(at, _)| name[..=at].to_string()));
    let distinct: BTreeSet<String> = beginnings.collect();
    let mut distinct: Vec<String> = distinct.into_iter().collect();
    distinct.sort_by_key(String::len);
    distinct
}

impl Renaming {
    /// The message that refuses the file, with a command that fixes it.
    pub(super) fn refusal(&self, file: &str) -> String {
        let (what, change) = match self {
            Self::Remove(prefix) => (
                format!("its names begin with `{prefix}`, and without it they are the model's"),
                format!("k.removeprefix('{prefix}')"),
            ),
            Self::Add(prefix) => (
                format!("the model's names begin with `{prefix}`, and the file's names lack it"),
                format!("'{prefix}' + k"),
            ),
        };
        format!(
            "{file} differs from the model by one rule: {what}. Save it under the model's names:\n  python -c \"from \
             safetensors.torch import load_file, save_file; w = load_file('{file}'); save_file({{{change}: v for k, v in \
             w.items()}}, '{file}')\""
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Renaming, of};
    use crate::lab::model::params::{Declarations, Init};
    use crate::lab::weights::Expected;

    #[test]
    fn one_prefix_is_found_and_two_rules_are_none() {
        let mut declared = Declarations::default();
        for name in ["conv.weight", "encoder.fc.weight"] {
            declared.weight(name, &[1], Init::Constant(0.0));
        }
        let rule = |names: &[&str]| of(names, &Expected::exactly(&declared.list));
        for prefix in ["module.", "_orig_mod.", "model.", "encoder.", "module.model."] {
            let names =
                ["conv.weight", "encoder.fc.weight", "loss.weight"].map(|name| format!("{prefix}{name}"));
            let names = names.each_ref().map(String::as_str);
            assert_eq!(rule(&names), Some(Renaming::Remove(prefix.to_string())), "{prefix}");
        }
        assert_eq!(rule(&["module.conv.weight", "model.encoder.fc.weight"]), None);
        assert_eq!(rule(&["module.conv.weight"]), None, "a parameter is missing whatever the prefix");
        let mut within = Declarations::default();
        within.weight("bert.fc.weight", &[1], Init::Constant(0.0));
        let rule = of(&["fc.weight"], &Expected::exactly(&within.list));
        assert_eq!(rule, Some(Renaming::Add("bert.".to_string())));
    }
}
