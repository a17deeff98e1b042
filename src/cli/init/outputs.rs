//! What a user's exported module answers, as the spec writes it: logits, one logit, or a list of findings.

use super::place::Place;
use super::source::Source;
use super::weights::{Kept, Weights};
use crate::{Error, Result};

/// The numbers of a module a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Returned {
    /// One number: the log-odds of abnormal.
    Logit,
    /// Two numbers, or so many as the file leaves open: normal and abnormal.
    Logits,
    /// So many numbers: a finding each.
    Several(u64),
}

/// The 18 pathologies of torchxrayvision's models, in their order (Cohen et al., MIDL 2022), under the names that specs of
/// the public sets use.
const XRAYVISION: [&str; 18] = [
    "atelectasis",
    "consolidation",
    "infiltration",
    "pneumothorax",
    "edema",
    "emphysema",
    "fibrosis",
    "effusion",
    "pneumonia",
    "pleural-thickening",
    "cardiomegaly",
    "nodule",
    "mass",
    "hernia",
    "lung-lesion",
    "fracture",
    "lung-opacity",
    "enlarged-cardiomediastinum",
];

/// The line `outputs` of the user's own module among these weights.
///
/// # Errors
/// What its numbers mean cannot be known.
pub(super) fn of(source: &Source, weights: &[(Weights, Place)]) -> Result<String> {
    let graph = weights.iter().find_map(|(weights, _)| match weights.kept {
        Kept::Graph(graph) => Some((graph, &weights.path)),
        Kept::Script | Kept::Bert { .. } | Kept::Tokenizer { .. } | Kept::Vision { .. } => None,
    });
    let Some((graph, path)) = graph else {
        return Ok("      outputs: logits    # normal, abnormal; or `logit` of abnormal alone\n".into());
    };
    line(graph.returned, &source.findings()?).map_err(|why| Error::Input(format!("{} {why}", path.display())))
}

/// The line `outputs` of the model's block, for data with these findings.
///
/// # Errors
/// What the numbers mean cannot be known; the message says what to do.
fn line(returned: Returned, findings: &[String]) -> std::result::Result<String, String> {
    let count = match returned {
        Returned::Logit => 1,
        Returned::Logits => 2,
        Returned::Several(count) => count,
    };
    let listed = |names: Vec<&str>, order: &str| {
        Ok(format!("      # in {order} order: check it\n      outputs: [{}]\n", names.join(", ")))
    };
    match returned {
        Returned::Logit if findings.is_empty() => Ok("      outputs: logit     # of abnormal\n".to_string()),
        Returned::Logits if findings.is_empty() => {
            Ok("      outputs: logits    # normal, abnormal\n".to_string())
        }
        Returned::Logit | Returned::Logits | Returned::Several(_) if count == findings.len() as u64 => {
            listed(findings.iter().map(String::as_str).collect(), "the table's")
        }
        // the names that the data lack are not read
        Returned::Several(18) if !findings.is_empty() => listed(XRAYVISION.to_vec(), "torchxrayvision's"),
        Returned::Several(_) if findings.is_empty() => Err(format!(
            "returns {count} numbers a case. If each is a finding of a public set, add --findings; else export a module that \
             returns two logits, or one"
        )),
        Returned::Logit | Returned::Logits | Returned::Several(_) => Err(format!(
            "returns {count} numbers a case, and the table has {} findings. Begin the spec without --weights, and name the \
             findings in the module's order (README, Models): `outputs: [{}, …]`",
            findings.len(),
            findings[0]
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_get_names_only_where_their_order_is_known() {
        let [none, one] = [vec![], vec!["edema".to_string()]];
        let two = vec!["edema".to_string(), "mass".to_string()];
        assert!(line(Returned::Logits, &none).expect("two classes").contains("outputs: logits"));
        assert!(line(Returned::Logit, &one).expect("a finding").contains("outputs: [edema]"));
        assert!(line(Returned::Logits, &two).expect("findings").contains("outputs: [edema, mass]"));
        let published = line(Returned::Several(18), &two).expect("torchxrayvision");
        assert!(
            published.contains("[atelectasis, consolidation,")
                && published.contains("torchxrayvision's order")
        );
        assert!(line(Returned::Several(18), &none).expect_err("no findings").contains("--findings"));
        assert!(line(Returned::Several(5), &two).expect_err("which?").contains("outputs: [edema, …]"));
        assert!(line(Returned::Logits, &one).is_err());
    }
}
