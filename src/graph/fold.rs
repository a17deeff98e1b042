//! Finds batch norms (Ioffe and Szegedy, 2015) that can be folded into the convolution before them. In evaluation mode
//! both are linear, so that one convolution with other weights gives the same up to rounding.

use std::collections::{HashMap, HashSet};

use super::{Argument, Node, Operator, Output, Program, ValueId, Weight, last_uses};

/// A convolution with a batch norm behind it, by the places of their weights in [`Program::weights`]. The folded
/// program reads a new weight and a new bias, which are values of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// Weight of the convolution, `[out, in, height, width]`.
    pub weight: ValueId,
    /// Its bias, `[out]`.
    pub bias: Option<ValueId>,
    /// Scale and shift of the norm, `[out]` each.
    pub affine: [Option<ValueId>; 2],
    /// Mean and variance of the norm, `[out]` each.
    pub statistics: [ValueId; 2],
    /// What the norm adds to the variance.
    pub epsilon: f64,
}

impl Program {
    /// The program without the batch norms that can be folded, and what was folded. The new weight and the new bias of
    /// fold k are the values `weights + 2k` and `weights + 2k + 1`; all later values have moved up.
    pub fn folded(&self) -> (Program, Vec<Fold>) {
        let (mut folds, mut norm_of) = (Vec::new(), HashMap::new());
        let readers = self.readers();
        let returned: HashSet<ValueId> = self.outputs.iter().map(|returned| returned.value).collect();
        for (place, node) in self.nodes.iter().enumerate() {
            let Some(made) = convolved(node) else { continue };
            let Some([reader]) = readers.get(&made).map(Vec::as_slice) else { continue };
            let fold = self.fold(node, &self.nodes[*reader], made);
            if let (Some(fold), false) = (fold, returned.contains(&made)) {
                norm_of.insert(place, (*reader, folds.len()));
                folds.push(fold);
            }
        }
        (self.without(&norm_of, &folds), folds)
    }

    /// The calls that read each value.
    fn readers(&self) -> HashMap<ValueId, Vec<usize>> {
        let mut readers: HashMap<ValueId, Vec<usize>> = HashMap::new();
        for (place, node) in self.nodes.iter().enumerate() {
            for id in node.reads() {
                readers.entry(id).or_default().push(place);
            }
        }
        readers
    }

    fn fold(&self, convolution: &Node, norm: &Node, made: ValueId) -> Option<Fold> {
        let Operator::Aten { name, overload } = &norm.operator else { return None };
        let is_norm = name == "batch_norm" && overload.is_empty();
        let is_evaluating = matches!(norm.argument("training"), Some(Argument::Truth(false)));
        if !is_norm || !is_evaluating || norm.argument("input") != Some(&Argument::Value(made)) {
            return None;
        }
        let [Output::One(_)] = norm.outputs.as_slice() else { return None };
        let optional = |node: &Node, key: &str| match node.argument(key) {
            None | Some(Argument::None) => Some(None),
            Some(Argument::Value(id)) if *id < self.weights.len() => Some(Some(*id)),
            Some(_) => None,
        };
        let Some(Argument::Real(epsilon)) = norm.argument("eps") else { return None };
        Some(Fold {
            weight: optional(convolution, "weight")??,
            bias: optional(convolution, "bias")?,
            affine: [optional(norm, "weight")?, optional(norm, "bias")?],
            statistics: [optional(norm, "running_mean")??, optional(norm, "running_var")??],
            epsilon: *epsilon,
        })
    }

    /// The program with the new weights after its own, in which each convolution of `norm_of` reads the weights of its
    /// fold and makes what its norm made.
    fn without(&self, norm_of: &HashMap<usize, (usize, usize)>, folds: &[Fold]) -> Program {
        let (first, more) = (self.weights.len(), 2 * folds.len());
        let moved = |id: ValueId| if id < first { id } else { id + more };
        let norms: HashSet<usize> = norm_of.values().map(|(norm, _)| *norm).collect();
        let mut program = self.clone();
        // no file holds these, and their elements were counted before
        let computed = |id: ValueId| Weight { is_parameter: false, bytes: 0..0, ..self.weights[id].clone() };
        program.weights.extend(folds.iter().flat_map(|fold| [fold.weight, fold.statistics[0]]).map(computed));
        for node in &mut program.nodes {
            node.last_uses.clear();
            let arguments = node.arguments.iter_mut();
            arguments.flat_map(|(_, argument)| argument.values_mut()).for_each(|id| *id = moved(*id));
            node.outputs.iter_mut().flat_map(Output::values_mut).for_each(|id| *id = moved(*id));
        }
        for (place, (norm, fold)) in norm_of {
            let (made, weight) = (program.nodes[*norm].outputs.clone(), first + 2 * fold);
            let convolution = &mut program.nodes[*place];
            convolution.outputs = made;
            convolution.arguments.retain(|(name, _)| name != "weight" && name != "bias");
            let own = [("weight", weight), ("bias", weight + 1)];
            let own = own.map(|(name, id)| (name.to_string(), Argument::Value(id)));
            convolution.arguments.extend(own);
        }
        let nodes = std::mem::take(&mut program.nodes).into_iter().enumerate();
        program.nodes = nodes.filter(|(place, _)| !norms.contains(place)).map(|(_, node)| node).collect();
        program.outputs.iter_mut().for_each(|returned| returned.value = moved(returned.value));
        program.values += more;
        let outputs: Vec<ValueId> = program.outputs.iter().map(|returned| returned.value).collect();
        last_uses::mark_in(&mut program.nodes, first + more, &outputs);
        program
    }
}

/// What a call makes, if it is a convolution of images whose result no call overwrites.
fn convolved(node: &Node) -> Option<ValueId> {
    let Operator::Aten { name, .. } = &node.operator else { return None };
    let is_transposed = matches!(node.argument("transposed"), Some(Argument::Truth(true)));
    match node.outputs.as_slice() {
        [Output::One(made)] if matches!(name.as_str(), "conv2d" | "convolution") && !is_transposed => {
            Some(*made)
        }
        _ => None,
    }
}
