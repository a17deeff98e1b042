//! What a spec may call its models, findings, masks and threats.

use crate::spec::node::Node;
use crate::spec::reserved::is_reserved;

/// Names are short and are no words of the grammar.
pub(super) fn check_name<'n>(
    name: &str,
    node: &Node<'_>,
    what: &str,
    mut earlier: impl Iterator<Item = &'n String>,
) {
    let mut letters = name.chars();
    let is_plain = letters.next().is_some_and(char::is_alphabetic)
        && letters.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        && !name.ends_with('-')
        && name.chars().count() <= 32;
    if !is_plain {
        let help = "write a letter, then letters, digits, `_` or `-`, 32 at most".to_string();
        node.fault_of_key(format!("`{name}` cannot be a {what}'s name"), Some(help));
    } else if is_reserved(&name.to_lowercase()) {
        let help = "choose another name".to_string();
        node.fault_of_key(
            format!("`{name}` is a word of the sentences, so no {what} can be called so"),
            Some(help),
        );
    } else if earlier.any(|other| other.eq_ignore_ascii_case(name)) {
        let help = "letter case makes no difference in a sentence; choose another name".to_string();
        node.fault_of_key(format!("`{name}` is the name of another {what}"), Some(help));
    }
}
