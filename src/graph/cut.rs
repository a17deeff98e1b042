//! Cuts a network of images and reports where their paths meet, so that an attack on one of them computes the features
//! of the other once.
//!
//! A value belongs to the images or to the text if it depends on inputs of that kind alone. Values of one kind that a
//! call reads together with the other kind are the features of their path. What a part needs for its outputs is found
//! backwards from them. The number of cases, which exports read from whichever input comes first, belongs to neither.

use std::collections::HashSet;

use super::{Argument, Node, Operator, Program, ValueId, last_uses, operators};

/// A part of a program: calls that compute its outputs from its inputs and the weights. The values keep their numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The values that it is given.
    pub inputs: Vec<ValueId>,
    /// Its calls, in the program's order.
    pub nodes: Vec<Node>,
    /// The values that it returns.
    pub outputs: Vec<ValueId>,
}

/// A program in three parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// From the images to their features.
    pub images: Part,
    /// From the ids and the mask of a text to its features.
    pub text: Part,
    /// From the features of the images, then those of the text, to the outputs.
    pub joint: Part,
}

/// Which inputs a value depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Origin {
    images: bool,
    text: bool,
}

impl Origin {
    const IMAGES: Self = Self { images: true, text: false };
    const TEXT: Self = Self { images: false, text: true };
    const BOTH: Self = Self { images: true, text: true };

    fn and(self, other: Self) -> Self {
        Self { images: self.images || other.images, text: self.text || other.text }
    }
}

impl Program {
    /// All of it as one part.
    pub fn whole(&self) -> Part {
        let first = self.weights.len();
        let outputs = self.outputs.iter().map(|returned| returned.value).collect();
        Part { inputs: (first..first + self.inputs.len()).collect(), nodes: self.nodes.clone(), outputs }
    }

    /// The program in parts; None if it does not read images and a text, if one of them reaches no output or meets the
    /// other before any call, or if calls overwrite tensors in a way that parts would not see.
    pub fn cut(&self) -> Option<Cut> {
        let reads = self.reads().ok()?;
        reads.text?;
        let first = self.weights.len();
        let inputs: Vec<ValueId> = (first..first + self.inputs.len()).collect();
        let (images, texts) = inputs.split_at(reads.views);
        let origins = self.origins(images, texts);
        if !self.overwrites_plainly(&origins) {
            return None;
        }
        let numbers = self.numbers();
        let features = |origin: Origin| -> Option<Vec<ValueId>> {
            let found = self.read_with_others(&origins, origin);
            // a size is no feature: the rows of features are cases
            (!found.is_empty() && !found.iter().any(|id| numbers.contains(id))).then_some(found)
        };
        let (of_images, of_text) = (features(Origin::IMAGES)?, features(Origin::TEXT)?);
        let outputs = self.outputs.iter().map(|returned| returned.value).collect();
        let joined: Vec<ValueId> = of_images.iter().chain(&of_text).copied().collect();
        let cut = Cut {
            images: self.part(images, of_images),
            text: self.part(texts, of_text),
            joint: self.part(&joined, outputs),
        };
        (!cut.images.nodes.is_empty() || !cut.text.nodes.is_empty()).then_some(cut)
    }

    fn origins(&self, images: &[ValueId], texts: &[ValueId]) -> Vec<Origin> {
        let mut origins = vec![Origin::default(); self.values];
        for (ids, origin) in [(images, Origin::IMAGES), (texts, Origin::TEXT)] {
            for &id in ids {
                origins[id] = origin;
            }
        }
        for node in &self.nodes {
            let origin = match self.cases_of(node) {
                Some(_) => Origin::default(),
                None => node.reads().iter().fold(Origin::default(), |all, &id| all.and(origins[id])),
            };
            for id in node.makes() {
                origins[id] = origins[id].and(origin);
            }
        }
        origins
    }

    /// The input whose number of cases a call reads, if it does nothing else.
    fn cases_of(&self, node: &Node) -> Option<ValueId> {
        let Operator::Aten { name, .. } = &node.operator else { return None };
        let argument =
            |key: &str| node.arguments.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        match (name.as_str(), argument("self"), argument("dim")) {
            ("sym_size", Some(Argument::Value(id)), Some(Argument::Whole(0)))
                if (self.weights.len()..self.weights.len() + self.inputs.len()).contains(id) =>
            {
                Some(*id)
            }
            _ => None,
        }
    }

    /// Whether no part would miss what a call writes into a tensor: it overwrites a value of its own path, and nothing
    /// reads that value by its old name afterwards.
    fn overwrites_plainly(&self, origins: &[Origin]) -> bool {
        let mut last_read = vec![0; self.values];
        for (place, node) in self.nodes.iter().enumerate() {
            for id in node.reads() {
                last_read[id] = place;
            }
        }
        self.outputs.iter().for_each(|returned| last_read[returned.value] = self.nodes.len());
        self.nodes.iter().enumerate().all(|(place, node)| {
            let Operator::Aten { name, .. } = &node.operator else { return true };
            if !operators::writes(name) {
                return true;
            }
            let Some((_, Argument::Value(target))) = node.arguments.first() else { return false };
            let is_own = node.makes().iter().all(|&id| origins[id] == origins[*target]);
            is_own && last_read[*target] == place && self.weights.len() + self.inputs.len() <= *target
        })
    }

    /// The values of one origin that a call with another origin reads, or that are returned.
    fn read_with_others(&self, origins: &[Origin], origin: Origin) -> Vec<ValueId> {
        let mut seen = HashSet::new();
        let is_joint = |node: &&Node| node.makes().iter().any(|&id| origins[id] == Origin::BOTH);
        let by_others = self.nodes.iter().filter(is_joint);
        let returned = self.outputs.iter().map(|returned| returned.value);
        let values = by_others.flat_map(Node::reads).chain(returned);
        values.filter(|&id| origins[id] == origin && seen.insert(id)).collect()
    }

    /// The values that are numbers, which the program computes beside its tensors.
    fn numbers(&self) -> HashSet<ValueId> {
        let makes_number = |node: &&Node| match &node.operator {
            Operator::Whole(_) => true,
            Operator::Aten { name, .. } => name.starts_with("sym_"),
        };
        self.nodes.iter().filter(makes_number).flat_map(Node::makes).collect()
    }

    /// The calls between inputs and outputs. Where they read the number of cases, they read it from the first input.
    fn part(&self, inputs: &[ValueId], outputs: Vec<ValueId>) -> Part {
        let given: HashSet<ValueId> = inputs.iter().copied().collect();
        let mut wanted: HashSet<ValueId> = outputs.iter().copied().filter(|id| !given.contains(id)).collect();
        let mut nodes = Vec::new();
        for node in self.nodes.iter().rev() {
            if !node.makes().iter().any(|id| wanted.contains(id)) {
                continue;
            }
            let mut node = node.clone();
            node.last_uses.clear();
            if let (Some(_), Some(&first)) = (self.cases_of(&node), inputs.first()) {
                for (_, argument) in &mut node.arguments {
                    argument.values_mut().into_iter().for_each(|id| *id = first);
                }
            }
            wanted.extend(node.reads().into_iter().filter(|id| !given.contains(id)));
            nodes.push(node);
        }
        nodes.reverse();
        last_uses::mark_in(&mut nodes, self.weights.len(), &outputs);
        Part { inputs: inputs.to_vec(), nodes, outputs }
    }
}
