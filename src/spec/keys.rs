//! The keys of a spec's maps. The readers accept these and no others, and the schema describes the same.

/// The whole file.
pub(super) const ROOT: [&str; 22] = [
    "claim",
    "defaults",
    "data",
    "split",
    "models",
    "defend",
    "threats",
    "masks",
    "grid",
    "grid_l2",
    "table",
    "published",
    "require",
    "thresholds",
    "checks",
    "waivers",
    "seed",
    "device",
    "chunk",
    "stop",
    "counterexamples",
    "costs",
];
pub(super) const SPLIT: [&str; 6] = ["by", "column", "test", "validation", "cases", "seed"];
pub(super) const COSTS: [&str; 2] = ["missed", "overcalled"];
/// Keys of a changed trigger that a person signs.
pub(super) const TRIGGER: [&str; 4] = ["trigger", "owner", "reason", "expires"];
pub(super) const WAIVER: [&str; 5] = ["check", "model", "owner", "reason", "expires"];

/// The sources of data.
pub(super) const SOURCES: [&str; 3] = ["phantom", "iu_xray", "manifest"];
pub(super) const PHANTOM: [&str; 7] =
    ["studies", "seed", "label_noise", "missed", "findings", "unlabelled", "views"];
pub(super) const IU_XRAY: [&str; 4] = ["folder", "sections", "views", "bits"];
pub(super) const MANIFEST: [&str; 16] = [
    "file",
    "columns",
    "findings",
    "unsure",
    "uncertain",
    "empty",
    "none",
    "positive",
    "negative",
    "leave_out",
    "separator",
    "missing",
    "literal",
    "sections",
    "views",
    "bits",
];
pub(super) const COLUMNS: [&str; 11] = [
    "id",
    "patient",
    "label",
    "frontal",
    "lateral",
    "indication",
    "findings",
    "impression",
    "view",
    "mask",
    "groups",
];

/// The architectures beside the vision networks.
pub(super) const FUSIONS: [&str; 4] = ["early_fusion", "late_fusion", "cross_attention", "gated_fusion"];
pub(super) const VISION: [&str; 4] = ["image", "start", "weights", "train"];
/// `se_resnet18` alone has a width.
pub(super) const SMALL_VISION: [&str; 5] = ["image", "width", "start", "weights", "train"];
pub(super) const BERT: [&str; 6] = ["config", "start", "max_tokens", "lowercase", "weights", "train"];
pub(super) const BERT_CONFIG: [&str; 6] =
    ["hidden", "layers", "heads", "intermediate", "max_tokens", "vocabulary"];
pub(super) const FUSION: [&str; 5] = ["vision", "language", "parts", "weights", "train"];
/// `cross_attention` alone has a width and heads.
pub(super) const CROSS_ATTENTION: [&str; 7] =
    ["vision", "language", "parts", "weights", "train", "width", "heads"];
pub(super) const SOURCE: [&str; 2] = ["path", "sha256"];
pub(super) const TRAIN: [&str; 6] = ["optimizer", "lr", "epochs", "batch", "seed", "freeze"];
/// Those of the image stand at 4 to 7, those of the text at 8 to 10.
pub(super) const SCRIPT: [&str; 12] = [
    "file",
    "sha256",
    "trusted",
    "reads",
    "image",
    "channels",
    "mean",
    "deviation",
    "tokenizer",
    "max_tokens",
    "lowercase",
    "outputs",
];

/// A defended model: what it wraps, and one defence.
pub(super) const DEFEND: [&str; 5] = ["model", "smoothing", "masking", "squeeze", "jpeg"];
pub(super) const DEFENCES: [&str; 4] = ["smoothing", "masking", "squeeze", "jpeg"];
pub(super) const SMOOTHING: [&str; 7] = ["sigma", "inside", "outside", "keep", "delete", "samples", "alpha"];
pub(super) const SIGMA: [&str; 2] = ["frontal", "lateral"];
pub(super) const MASKING: [&str; 2] = ["patch", "grid"];
pub(super) const SQUEEZE: [&str; 2] = ["bits", "median"];
pub(super) const JPEG: [&str; 1] = ["quality"];

/// The threats beside those that have a name of their own.
pub(super) const OTHER_THREATS: [&str; 2] = ["patch", "absent"];
pub(super) const CORRUPTION: [&str; 1] = ["severity"];
pub(super) const PATCH: [&str; 4] = ["share", "steps", "inside", "outside"];
pub(super) const ABSENT: [&str; 2] = ["image", "report"];
