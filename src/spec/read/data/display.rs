//! How DICOM images are shown, and what of patients is.

use serde_json::json;

use crate::spec::Window;
use crate::spec::node::Node;
use crate::spec::table::{Own, Usual, optional, own, table, usual, word};
use crate::spec::takes::Word;

table! {
    /// How DICOM images are shown, and what of patients is.
    Display {
        window: Option<Window> = optional(
            "How DICOM values become gray: by the file's own VOI LUT or window, from the picture's least to its largest \
             value, or by a centre and a width.",
            WINDOW,
        ),
        burned_in: bool = usual(
            "Whether DICOM images that are said to have burned-in annotation, such as a name, are read.",
            BURNED_IN,
            false,
        ),
        cases: bool = usual(
            "Whether reports and evidence may show pictures and words of single cases.", CASES, false),
    }
}

const WINDOW: Own<Window> = own(window, |about| {
    let numbers =
        json!({"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": ["number", "string"]}});
    json!({"description": about, "anyOf": [{"enum": ["file", "full"]}, numbers]})
});

/// Whether pictures with burned-in annotation are read.
const BURNED_IN: Word<bool> = word("word for burned-in annotation", &[("allowed", true), ("refused", false)]);
/// Whether identifiers are replaced by pseudonyms.
const IDS: Word<bool> = word("word for identifiers", &[("private", true), ("shown", false)]);
/// Whether reports show pictures and words of single cases.
const CASES: Word<bool> = word("word for cases", &[("shown", true), ("hidden", false)]);

/// The key `ids`; sources differ in what is usual.
pub(super) fn ids(are_private: bool) -> Usual<Word<bool>> {
    usual(
        "Whether identifiers of cases and patients are replaced by keyed pseudonyms in all outputs.",
        IDS,
        are_private,
    )
}

/// How DICOM values become gray: `file`, `full` or `[CENTRE, WIDTH]`.
fn window(node: &Node<'_>) -> Option<Window> {
    if !node.value.is_sequence() {
        return node.one_of("window", &[("file", Window::File), ("full", Window::Full)]);
    }
    let items = node.items()?;
    let [centre, width] = items.as_slice() else {
        node.fault("a window is its centre and its width", "such as `window: [2048, 4096]`".to_string());
        return None;
    };
    let (centre, width) = (centre.real(-65_536.0, 65_536.0), width.real(1.0, 131_072.0));
    Some(Window::Given { centre: centre?, width: width? })
}
