//! Weights whose names differ from the model's by one rule: every name has a prefix too many or one too few, as
//! `DataParallel` (`module.`), `torch.compile` (`_orig_mod.`) and training frameworks (`model.`, `encoder.`) save them.

use std::collections::BTreeSet;

use super::weights::Expected;

/// Parts of a name, at most, that a prefix has.
const PARTS: usize = 3;

/// What the names of a file need to be those of the model.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Renaming {
    /// The prefix goes, with its last point.
    Remove(String),
    /// The prefix comes first, with its last point.
    Add(String),
}

/// The rule that makes the names of a file those that are expected, if there is one.
pub(super) fn of(names: &[&str], expected: &Expected<'_>) -> Option<Renaming> {
    let required: BTreeSet<&str> = (expected.declared.iter().map(|one| one.name.as_str()))
        .filter(|name| !expected.optional.iter().any(|start| name.starts_with(start)))
        .collect();
    // a rule that leaves one parameter missing is none
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

/// Every beginning of a name that ends with a point, the shortest first.
fn prefixes<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let beginnings = names
        .flat_map(|name| name.match_indices('.').take(PARTS).map(move |(at, _)| name[..=at].to_string()));
    let distinct: BTreeSet<String> = beginnings.collect();
    let mut distinct: Vec<String> = distinct.into_iter().collect();
    distinct.sort_by_key(String::len);
    distinct
}

impl Renaming {
    /// Why a file is refused, and what makes it fit.
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
