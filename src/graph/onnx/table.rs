//! The table of ONNX's operators: what medcert reads, in which versions, and how; and what it refuses by name.

use super::build::Build;
use super::lower::numbers::Arithmetic;
use super::lower::reduction::Reduction;
use super::lower::{
    Lower, activations, constants, convolution, elementwise, indexing, layout, normalization, pooling,
    products, reduction, resize, shapes,
};
use super::node::{Call, Lowered};
use crate::graph::operators::Refusal;

/// How a node becomes calls.
#[derive(Clone, Copy)]
enum Lowering {
    /// One call of this `ATen` operator on one tensor.
    Map(&'static str),
    /// One call on two tensors, whose result is truth values.
    Compare(&'static str),
    /// Arithmetic on two tensors, or on numbers that are known while the model is read.
    Arithmetic(Arithmetic),
    /// The same on any number of tensors.
    Several(Arithmetic),
    /// A reduction.
    Reduce(Reduction),
    /// The place of the greatest or the least number.
    PlaceOf(&'static str),
    /// A pooling over everything.
    Global(&'static str),
    /// Softmax or its logarithm.
    Softmax(&'static str),
    /// A function of its own.
    Own(Lower),
}

/// An operator.
pub struct Row {
    /// Its name in ONNX.
    pub name: &'static str,
    /// The first opset whose version of it medcert reads; all later ones up to [`super::OPSETS`]' last are read too.
    pub since: i64,
    /// The last opset, for an operator that ONNX has withdrawn.
    until: Option<i64>,
    lowering: Lowering,
    /// What is refused of it; empty if nothing is.
    pub refused: &'static str,
}

impl Row {
    /// The last opset in which medcert reads it.
    pub fn last(&self) -> i64 {
        self.until.unwrap_or(*super::OPSETS.end())
    }

    pub(super) fn lower(&self, build: &mut Build, call: &Call<'_>) -> Lowered {
        match self.lowering {
            Lowering::Map(target) => elementwise::map(build, call, target),
            Lowering::Compare(target) => elementwise::compare(build, call, target),
            Lowering::Arithmetic(operator) => elementwise::arithmetic(build, call, operator),
            Lowering::Several(operator) => elementwise::several(build, call, operator),
            Lowering::Reduce(kind) => reduction::reduce(build, call, kind),
            Lowering::PlaceOf(target) => reduction::place_of(build, call, target),
            Lowering::Global(target) => pooling::global(build, call, target),
            Lowering::Softmax(target) => normalization::softmax(build, call, target),
            Lowering::Own(lower) => lower(build, call),
        }
    }
}

const fn row(name: &'static str, since: i64, lowering: Lowering) -> Row {
    Row { name, since, until: None, lowering, refused: "" }
}

const fn but(name: &'static str, since: i64, lowering: Lowering, refused: &'static str) -> Row {
    Row { name, since, until: None, lowering, refused }
}

use Lowering::{Compare, Global, Map, Own, PlaceOf, Reduce, Several, Softmax};

/// The operators that medcert reads, in the order of their names.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("Abs", 6, Map("abs")),
    row("Acos", 7, Map("acos")),
    row("Acosh", 9, Map("acosh")),
    row("Add", 6, Lowering::Arithmetic(Arithmetic::Add)),
    row("And", 7, Compare("logical_and")),
    row("ArgMax", 6, PlaceOf("argmax")),
    row("ArgMin", 6, PlaceOf("argmin")),
    row("Asin", 7, Map("asin")),
    row("Asinh", 9, Map("asinh")),
    row("Atan", 7, Map("atan")),
    row("Atanh", 9, Map("atanh")),
    row("AveragePool", 6, Own(pooling::average)),
    but("BatchNormalization", 6, Own(normalization::batch), "training mode"),
    but("Cast", 6, Own(elementwise::cast_to), "types other than float32, float64, int32, int64 and bool"),
    but("CastLike", 15, Own(elementwise::cast_like), "the same types"),
    row("Ceil", 6, Map("ceil")),
    row("Celu", 12, Own(activations::celu)),
    row("Clip", 6, Own(elementwise::clip)),
    row("Concat", 6, Own(layout::concat)),
    but("Constant", 6, Own(constants::constant_elsewhere), "sparse values and texts"),
    row("ConstantOfShape", 9, Own(constants::constant_of_shape)),
    but("Conv", 6, Own(convolution::convolution), "more than three spatial dimensions"),
    but("ConvTranspose", 6, Own(convolution::transposed), "more than three spatial dimensions"),
    row("Cos", 7, Map("cos")),
    row("Cosh", 9, Map("cosh")),
    but("CumSum", 11, Own(layout::cumulative_sum), "a computed axis"),
    row("DepthToSpace", 6, Own(layout::depth_to_space)),
    row("Div", 6, Lowering::Arithmetic(Arithmetic::Divide)),
    but("Dropout", 6, Own(elementwise::dropout), "training mode"),
    row("Einsum", 12, Own(products::einsum)),
    row("Elu", 6, Own(activations::elu)),
    row("Equal", 7, Compare("eq.Tensor")),
    row("Erf", 9, Map("erf")),
    row("Exp", 6, Map("exp")),
    row("Expand", 8, Own(shapes::expand)),
    row("Flatten", 6, Own(shapes::flatten)),
    row("Floor", 6, Map("floor")),
    row("Gather", 6, Own(indexing::gather)),
    row("GatherElements", 11, Own(indexing::gather_elements)),
    row("GatherND", 11, Own(indexing::gather_nd)),
    row("Gelu", 20, Own(activations::gelu)),
    row("Gemm", 6, Own(products::gemm)),
    row("GlobalAveragePool", 6, Global("mean.dim")),
    row("GlobalMaxPool", 6, Global("amax")),
    row("Greater", 7, Compare("gt.Tensor")),
    row("GreaterOrEqual", 12, Compare("ge.Tensor")),
    row("GroupNormalization", 21, Own(normalization::group)),
    row("HardSigmoid", 6, Own(activations::hard_sigmoid)),
    row("HardSwish", 14, Map("hardswish")),
    row("Identity", 6, Own(elementwise::identity)),
    row("InstanceNormalization", 6, Own(normalization::instance)),
    row("IsInf", 10, Own(elementwise::is_infinite)),
    row("IsNaN", 9, Own(elementwise::is_nan)),
    row("LRN", 6, Own(pooling::local_response)),
    row("LayerNormalization", 17, Own(normalization::layer)),
    row("LeakyRelu", 6, Own(activations::leaky_relu)),
    row("Less", 7, Compare("lt.Tensor")),
    row("LessOrEqual", 12, Compare("le.Tensor")),
    row("Log", 6, Map("log")),
    row("LogSoftmax", 6, Softmax("log_softmax.int")),
    row("MatMul", 6, Own(products::matmul)),
    row("Max", 6, Several(Arithmetic::Most)),
    but("MaxPool", 6, Own(pooling::maximum), "places of the greatest numbers with uneven padding"),
    row("Mean", 6, Own(elementwise::mean_of_several)),
    row("Min", 6, Several(Arithmetic::Least)),
    row("Mish", 18, Map("mish")),
    row("Mod", 10, Own(elementwise::modulo)),
    row("Mul", 6, Lowering::Arithmetic(Arithmetic::Multiply)),
    row("Neg", 6, Map("neg")),
    row("Not", 6, Own(elementwise::not)),
    row("Or", 7, Compare("logical_or")),
    row("PRelu", 6, Own(activations::prelu)),
    but("Pad", 6, Own(layout::pad), "computed `pads`"),
    row("Pow", 6, Own(elementwise::power)),
    row("RMSNormalization", 23, Own(normalization::root_mean_square)),
    row("Range", 11, Own(constants::range)),
    row("Reciprocal", 6, Map("reciprocal")),
    but("ReduceL1", 6, Reduce(Reduction::L1), "computed axes"),
    but("ReduceL2", 6, Reduce(Reduction::L2), "computed axes"),
    but("ReduceLogSum", 6, Reduce(Reduction::LogSum), "computed axes"),
    but("ReduceLogSumExp", 6, Reduce(Reduction::LogSumExp), "computed axes"),
    but("ReduceMax", 6, Reduce(Reduction::Most), "computed axes"),
    but("ReduceMean", 6, Reduce(Reduction::Mean), "computed axes"),
    but("ReduceMin", 6, Reduce(Reduction::Least), "computed axes"),
    but("ReduceProd", 6, Reduce(Reduction::Product), "computed axes"),
    but("ReduceSum", 6, Reduce(Reduction::Sum), "computed axes"),
    but("ReduceSumSquare", 6, Reduce(Reduction::SumSquare), "computed axes"),
    row("Relu", 6, Map("relu")),
    row("Reshape", 6, Own(shapes::reshape)),
    but("Resize", 10, Own(resize::resize), "computed scales, sizes and `roi`"),
    row("Round", 11, Map("round")),
    but("ScatterND", 11, Own(indexing::scatter_nd), "`reduction` other than `add`"),
    row("Selu", 6, Own(activations::selu)),
    row("Shape", 6, Own(shapes::shape)),
    row("Sigmoid", 6, Map("sigmoid")),
    row("Sign", 9, Map("sign")),
    row("Sin", 7, Map("sin")),
    row("Sinh", 9, Map("sinh")),
    row("Size", 6, Own(elementwise::size)),
    but("Slice", 6, Own(indexing::slice), "computed axes and steps"),
    row("Softmax", 6, Softmax("softmax.int")),
    row("Softplus", 6, Map("softplus")),
    row("Softsign", 6, Own(activations::softsign)),
    row("SpaceToDepth", 6, Own(layout::space_to_depth)),
    but("Split", 6, Own(layout::split), "computed parts"),
    row("Sqrt", 6, Map("sqrt")),
    but("Squeeze", 6, Own(shapes::squeeze), "computed axes"),
    row("Sub", 6, Lowering::Arithmetic(Arithmetic::Subtract)),
    row("Sum", 6, Several(Arithmetic::Add)),
    row("Tan", 7, Map("tan")),
    row("Tanh", 6, Map("tanh")),
    row("ThresholdedRelu", 10, Own(activations::thresholded_relu)),
    row("Tile", 6, Own(layout::tile)),
    row("Transpose", 6, Own(layout::transpose)),
    row("Trilu", 14, Own(layout::triangle)),
    but("Unsqueeze", 6, Own(shapes::unsqueeze), "computed axes"),
    Row { name: "Upsample", since: 7, until: Some(9), lowering: Own(resize::upsample), refused: "computed scales" },
    row("Where", 9, Own(elementwise::choose)),
    row("Xor", 7, Compare("logical_xor")),
];

/// Operators that medcert refuses for a reason of their own: their names, the reason, and what to do.
pub const REFUSED: &[(&[&str], &str, &str)] = &[
    (
        &["If", "Loop", "Scan", "SequenceMap"],
        "is control flow",
        "export the model without branches and loops on values: trace it with an example",
    ),
    (
        &[
            "Bernoulli",
            "Multinomial",
            "RandomNormal",
            "RandomNormalLike",
            "RandomUniform",
            "RandomUniformLike",
        ],
        "draws random numbers",
        "export it after `model.eval()`, without noise",
    ),
    (
        &[
            "ConvInteger",
            "DequantizeLinear",
            "DynamicQuantizeLinear",
            "MatMulInteger",
            "QLinearConv",
            "QLinearMatMul",
            "QuantizeLinear",
        ],
        "is quantised",
        "bring the model from before it was quantised",
    ),
    (
        &["Adagrad", "Adam", "Gradient", "Momentum", "NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"],
        "is a part of training",
        "export the model alone, after `model.eval()`",
    ),
];

/// The row of an operator.
pub(super) fn find(domain: &str, name: &str, opset: i64) -> Result<&'static Row, Refusal> {
    if !matches!(domain, "" | "ai.onnx") {
        let shown = super::short(&format!("{domain}.{name}"));
        let remedy = "export it with ONNX's own operators, before another program optimises it";
        return Err(Refusal::new(format!("uses the operator {shown} of another library"), remedy));
    }
    if let Some((_, why, remedy)) = REFUSED.iter().find(|(names, ..)| names.contains(&name)) {
        return Err(Refusal::new(format!("uses the operator {name}, which {why}"), *remedy));
    }
    let Some(row) = ROWS.iter().find(|row| row.name == name) else {
        let what = format!("uses the operator {}, which medcert does not have", super::short(name));
        return Err(Refusal::new(what, "write the model without it, or bring it as `pt2`"));
    };
    if opset < row.since || opset > row.last() {
        let what = format!(
            "uses {name} of opset {opset}, and medcert reads it in opsets {} to {}",
            row.since,
            row.last()
        );
        let remedy =
            "convert it: onnx.save(onnx.version_converter.convert_version(onnx.load(FILE), 20), FILE)";
        return Err(Refusal::new(what, remedy));
    }
    Ok(row)
}
