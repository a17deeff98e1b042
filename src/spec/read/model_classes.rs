//! Whether the rest of a spec fits the exclusive classes of its data, where there are more than two.

use super::{Root, harm};
use crate::spec::node::Node;
use crate::spec::{Model, ModelInputs, Named, Outputs};

/// Reports what does not fit. `readers` has a model with a fault too.
pub(super) fn check(table: &Root<'_>, classes: &[String], readers: &[ModelInputs], models: &[Named<Model>]) {
    if classes.is_empty() {
        return;
    }
    let is_model = |name: &&String| readers.iter().any(|model| model.name.eq_ignore_ascii_case(name));
    if let (Some(name), Some(node)) = (classes.iter().find(is_model), &table.data.node) {
        let help = "give one of the two another name".to_string();
        node.fault_of_key(format!("`{name}` is the name of a class and of a model"), Some(help));
    }
    for (node, key, why) in [
        (table.thresholds.node.as_ref(), "thresholds", "with several classes the largest logit decides"),
        (harm::node(table), "harm", "its costs are those of missed and of overcalled cases"),
    ] {
        if let Some(node) = node {
            node.fault_of_key(
                format!("`{key}` is a key for two classes: {why}"),
                Some("leave the key or `classes` out".to_string()),
            );
        }
    }
    if let Some(node) = &table.models.node {
        check_modules(node, classes, models);
    }
}

/// A module has to answer a logit for each class.
fn check_modules(node: &Node<'_>, classes: &[String], models: &[Named<Model>]) {
    for (name, model) in models {
        let Model::Script(script) = model else { continue };
        if script.outputs != Outputs::Logits {
            let message = format!("`{name}` answers `{}`, and the data have classes", script.outputs.name());
            let help = format!(
                "let it return {} logits a case ({}), and say `outputs: logits`",
                classes.len(),
                classes.join(", ")
            );
            node.fault_of_key(message, Some(help));
        }
    }
}
