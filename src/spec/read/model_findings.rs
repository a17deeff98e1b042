//! Whether the models fit the findings of the data: their names, what modules answer, and how the others are trained.

use super::Root;
use crate::spec::node::Node;
use crate::spec::{Model, ModelInputs, Named, Outputs, TrainingAttack, Weights};

/// Reports each model that does not fit. `readers` has a model with a fault too.
pub(super) fn check(table: &Root<'_>, findings: &[String], readers: &[ModelInputs], models: &[Named<Model>]) {
    check_names(table.data.node.as_ref(), findings, readers);
    check_outputs(table.models.node.as_ref(), findings, models);
    check_hardening(table.models.node.as_ref(), findings, models);
}

/// A sentence must tell a finding from a model.
fn check_names(data: Option<&Node<'_>>, findings: &[String], models: &[ModelInputs]) {
    let is_model = |name: &&String| models.iter().any(|model| model.name.eq_ignore_ascii_case(name));
    if let (Some(name), Some(node)) = (findings.iter().find(is_model), data) {
        let help = "give one of the two another name".to_string();
        node.fault_of_key(format!("`{name}` is the name of a finding and of a model"), Some(help));
    }
}

/// A module has to answer what the data ask.
fn check_outputs(node: Option<&Node<'_>>, findings: &[String], models: &[Named<Model>]) {
    let Some(node) = node else { return };
    for (name, model) in models {
        let Model::Script(script) = model else { continue };
        let fault = match &script.outputs {
            Outputs::Findings(names) => match findings.iter().find(|finding| !names.contains(finding)) {
                _ if findings.is_empty() => (
                    format!("`{name}` answers findings, and the data have none"),
                    "name them under `findings` in the data block".to_string(),
                ),
                Some(finding) => (
                    format!("`{name}` does not answer `{finding}`, a finding of the data"),
                    "add its column to `outputs`, or leave it out of `findings`".to_string(),
                ),
                None => continue,
            },
            Outputs::Logits | Outputs::Logit | Outputs::Probability if findings.is_empty() => continue,
            Outputs::Logits | Outputs::Logit | Outputs::Probability => (
                format!("`{name}` answers whether a study is abnormal, and the data have findings"),
                "list the names of its columns: `outputs: [effusion, nodule]`".to_string(),
            ),
        };
        node.fault_of_key(fault.0, Some(fault.1));
    }
}

/// What compares whole answers of two classes has no meaning for findings.
fn check_hardening(node: Option<&Node<'_>>, findings: &[String], models: &[Named<Model>]) {
    let Some(node) = node.filter(|_| !findings.is_empty()) else { return };
    for (name, model) in models {
        let Some(Weights::Train(train)) = model.weights() else { continue };
        let is_trades = matches!(train.hardening.attack, Some(TrainingAttack::Trades { .. }));
        if is_trades || train.hardening.consistency > 0.0 {
            let message =
                format!("`{name}` is trained by TRADES or for consistency, which compare two classes");
            node.fault_of_key(
                message,
                Some("train it with `pgd`, `fgsm` or `noise` on findings".to_string()),
            );
        }
    }
}
