//! The sets of `MedMNIST`, by the names of their files, with what their labels mean (Yang et al., `MedMNIST` v2 - A large-scale
//! lightweight benchmark for 2D and 3D biomedical image classification, Scientific Data 10, 41, 2023, table 2, and the file
//! `info.py` of their package).

use std::path::Path;

use crate::data::ArrayLabels;

/// What the labels of a set answer.
enum Meaning {
    /// Which of several exclusive classes a case is of.
    Classes(&'static [&'static str]),
    /// Which findings a case has, a column for each.
    Findings(&'static [&'static str]),
    /// Whether a case is abnormal; the label that means so.
    Abnormal(u64),
}

const ORGANS: Meaning = Meaning::Classes(&[
    "bladder",
    "femur-left",
    "femur-right",
    "heart",
    "kidney-left",
    "kidney-right",
    "liver",
    "lung-left",
    "lung-right",
    "pancreas",
    "spleen",
]);

/// The sets of images whose labels have names, in words that sentences can use.
const SETS: [(&str, Meaning); 12] = [
    (
        "pathmnist",
        Meaning::Classes(&[
            "adipose",
            "background",
            "debris",
            "lymphocytes",
            "mucus",
            "smooth-muscle",
            "normal-colon-mucosa",
            "cancer-associated-stroma",
            "adenocarcinoma-epithelium",
        ]),
    ),
    (
        "chestmnist",
        Meaning::Findings(&[
            "atelectasis",
            "cardiomegaly",
            "effusion",
            "infiltration",
            "mass",
            "nodule",
            "pneumonia",
            "pneumothorax",
            "consolidation",
            "edema",
            "emphysema",
            "fibrosis",
            "pleural",
            "hernia",
        ]),
    ),
    (
        "dermamnist",
        Meaning::Classes(&[
            "actinic-keratosis",
            "basal-cell-carcinoma",
            "benign-keratosis",
            "dermatofibroma",
            "melanoma",
            "melanocytic-nevus",
            "vascular-lesion",
        ]),
    ),
    (
        "octmnist",
        Meaning::Classes(&["choroidal-neovascularization", "diabetic-macular-edema", "drusen", "normal"]),
    ),
    ("pneumoniamnist", Meaning::Abnormal(1)),
    ("retinamnist", Meaning::Classes(&["grade-0", "grade-1", "grade-2", "grade-3", "grade-4"])),
    ("breastmnist", Meaning::Abnormal(0)),
    (
        "bloodmnist",
        Meaning::Classes(&[
            "basophil",
            "eosinophil",
            "erythroblast",
            "immature-granulocyte",
            "lymphocyte",
            "monocyte",
            "neutrophil",
            "platelet",
        ]),
    ),
    (
        "tissuemnist",
        Meaning::Classes(&[
            "collecting-duct",
            "distal-convoluted-tubule",
            "glomerular-endothelial",
            "interstitial-endothelial",
            "leukocyte",
            "podocyte",
            "proximal-tubule",
            "thick-ascending-limb",
        ]),
    ),
    // the three views of the organs share their classes; the names of their files differ in one letter
    ("organamnist", ORGANS),
    ("organcmnist", ORGANS),
    ("organsmnist", ORGANS),
];

/// The keys of the `medmnist` block that say what the labels mean, with a comma before them; empty where 0 is normal and 1
/// abnormal, as without a word.
pub(super) fn keys(file: &Path, labels: ArrayLabels) -> String {
    let list = |key: &str, names: Vec<String>| format!(", {key}: [{}]", names.join(", "));
    let named = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let numbered = |what: &str, count: usize| (0..count).map(|place| format!("{what}-{place}")).collect();
    match (set(file), labels.columns, labels.classes) {
        (Some(Meaning::Findings(names)), columns, _) if columns == names.len() => {
            list("findings", named(names))
        }
        (_, columns @ 2.., _) => list("findings", numbered("finding", columns)),
        (Some(Meaning::Classes(names)), _, classes) if classes == names.len() => {
            list("classes", named(names))
        }
        (_, _, classes @ 3..) => list("classes", numbered("class", classes)),
        (Some(Meaning::Abnormal(0)), ..) => ", abnormal: [0]".to_string(),
        _ => String::new(),
    }
}

/// The meaning of a set's labels, by the name of its file: `bloodmnist.npz`, or `bloodmnist_128.npz` in another size.
fn set(file: &Path) -> Option<&'static Meaning> {
    let stem = file.file_stem()?.to_str()?.to_lowercase();
    let name = stem.split('_').next()?;
    SETS.iter().find(|(known, _)| *known == name).map(|(_, meaning)| meaning)
}
