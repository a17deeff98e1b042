//! Which `ATen` operators a user's network may call: those that compute tensors from tensors and always give the same
//! result.
//!
//! The rules go by name and arguments and are not a list of everything allowed, so that networks with newer operators
//! run too. They refuse by name what touches files, memory, random generators or the state of training. `lab::graph`
//! also checks the schema of every operator. An operator whose name starts with `_` is internal to libtorch and
//! trusts its caller, so it needs an entry in a list.

use super::Argument;

/// Why a call is refused, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// What is wrong, as the end of a sentence whose subject is the file.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl Refusal {
    /// Builds a refusal.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }
}

const EVAL: &str = "export it after `model.eval()`, without dropout or noise";
const OUT: &str = "write the model without this operator, then export it again";

/// Internal operators (with a leading `_`) that check their arguments and occur in exports or their decompositions.
const CHECKED_PARTS: [&str; 20] = [
    "__and__",
    "__lshift__",
    "__or__",
    "__rshift__",
    "__xor__",
    "_adaptive_avg_pool2d",
    "_assert_tensor_metadata",
    "_log_softmax",
    "_native_batch_norm_legit_no_training",
    "_safe_softmax",
    "_scaled_dot_product_attention_math",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_shape_as_tensor",
    "_softmax",
    "_to_copy",
    "_unsafe_view",
    "_upsample_bicubic2d_aa",
    "_upsample_bilinear2d_aa",
    "_weight_norm",
    "_weight_norm_interface",
];

/// Operators that touch a file, the memory of a tensor, the device or autograd, or that leave memory uninitialised.
const FORBIDDEN: [(&str, &str); 24] = [
    ("from_file", "opens a file"),
    ("set_", "replaces the memory of a tensor"),
    ("set", "replaces the memory of a tensor"),
    ("set_data", "replaces the memory of a tensor"),
    ("resize", "changes the memory of a tensor"),
    ("resize_", "changes the memory of a tensor"),
    ("resize_as", "changes the memory of a tensor"),
    ("resize_as_", "changes the memory of a tensor"),
    ("as_strided", "reads memory by address"),
    ("as_strided_", "reads memory by address"),
    ("as_strided_copy", "reads memory by address"),
    ("as_strided_scatter", "reads memory by address"),
    ("record_stream", "steers the device"),
    ("pin_memory", "steers the device"),
    ("requires_grad_", "changes what is differentiated"),
    ("retain_grad", "changes what is differentiated"),
    ("empty", "leaves memory as it was"),
    ("empty_like", "leaves memory as it was"),
    ("empty_permuted", "leaves memory as it was"),
    ("empty_strided", "leaves memory as it was"),
    ("empty_quantized", "leaves memory as it was"),
    ("new_empty", "leaves memory as it was"),
    ("new_empty_strided", "leaves memory as it was"),
    ("unsafe_index", "reads memory by address"),
];

/// Prefixes of operators that trust their arguments, or need other storage than dense tensors.
const FORBIDDEN_FAMILIES: [&str; 10] = [
    "sparse_",
    "mkldnn_",
    "cudnn_",
    "miopen_",
    "quantize",
    "fake_quantize",
    "quantized_",
    "fbgemm_",
    "nested_",
    "ccol_",
];

/// Prefixes of operators that draw random numbers.
const RANDOM: [&str; 14] = [
    "rand",
    "bernoulli",
    "normal",
    "multinomial",
    "poisson",
    "exponential",
    "cauchy",
    "geometric",
    "log_normal",
    "random",
    "uniform",
    "rrelu",
    "binomial",
    "native_dropout",
];

/// Operators that draw random numbers only if an argument says so.
pub const RANDOM_ON_DEMAND: [&str; 12] = [
    "dropout",
    "dropout_",
    "alpha_dropout",
    "alpha_dropout_",
    "feature_dropout",
    "feature_dropout_",
    "feature_alpha_dropout",
    "scaled_dot_product_attention",
    "_scaled_dot_product_attention_math",
    "_scaled_dot_product_flash_attention_for_cpu",
    "lstm",
    "gru",
];

/// Why a call of an `aten` operator with these arguments is refused; None if it is allowed.
pub fn refusal(name: &str, overload: &str, arguments: &[(String, Argument)]) -> Option<Refusal> {
    let shown = shown(name, overload);
    let refuse = |why: &str, remedy: &str| Some(Refusal::new(format!("calls {shown}, which {why}"), remedy));
    if overload == "out" || overload.ends_with("_out") || name.ends_with("_out") {
        return refuse("writes into a tensor of the caller's", OUT);
    }
    if let Some((_, why)) = FORBIDDEN.iter().find(|(forbidden, _)| *forbidden == name) {
        return refuse(why, OUT);
    }
    if FORBIDDEN_FAMILIES.iter().any(|family| name.starts_with(family)) {
        return refuse("needs other storage than dense tensors of plain numbers", OUT);
    }
    if RANDOM.iter().any(|random| name.starts_with(random)) {
        return refuse("draws random numbers", EVAL);
    }
    if name.starts_with('_') && !CHECKED_PARTS.contains(&name) {
        return refuse(
            "is an inner part of PyTorch",
            "export it again without `run_decompositions`, or write the model without it",
        );
    }
    let given = |key: &str| arguments.iter().find(|(name, _)| name == key).map(|(_, argument)| argument);
    let is_on = |key: &str| matches!(given(key), Some(Argument::Truth(true)));
    let is_positive = |key: &str| match given(key) {
        Some(Argument::Real(value)) => *value != 0.0,
        Some(Argument::Whole(value)) => *value != 0,
        Some(Argument::Value(_)) => true, // computed by the network, so it may be positive
        _ => false,
    };
    if RANDOM_ON_DEMAND.contains(&name) {
        let draws = match name {
            "lstm" | "gru" => is_on("train") && is_positive("dropout"),
            _ if name.contains("attention") => is_positive("dropout_p"),
            _ => is_on("train") && is_positive("p"),
        };
        if draws {
            return refuse("drops values at random", EVAL);
        }
    }
    let keeps_statistics = match name {
        "batch_norm" | "cudnn_batch_norm" | "native_batch_norm" => is_on("training"),
        "instance_norm" => {
            is_on("use_input_stats") && matches!(given("running_mean"), Some(Argument::Value(_)))
        }
        _ => false,
    };
    if keeps_statistics {
        return refuse("takes its statistics from the other cases", EVAL);
    }
    None
}

/// The operator's name in Python.
pub fn shown(name: &str, overload: &str) -> String {
    let overload = if overload.is_empty() { "default" } else { overload };
    format!("torch.ops.aten.{name}.{overload}")
}

/// Whether an operator writes into its first argument. `PyTorch` marks these with a trailing `_`; Python's own
/// operators, such as `__and__`, have two.
pub fn writes(name: &str) -> bool {
    name.ends_with('_') && !name.ends_with("__")
}
