//! Builds the program of a graph: numbers its values, and collects its inputs, weights, calls and outputs.

use std::collections::HashMap;

use super::EXPORT;
use super::element_numbers::element_type;
use super::liveness::without_idle;
use super::schema::{self, Named};
use super::weights::WeightTables;
use crate::graph::faults::Faults;
use crate::graph::{Input, MOST_NODES, Program, Returned, ValueId, last_uses, shape};

/// A program while it is read.
pub(super) struct ProgramReader<'a> {
    weights: WeightTables<'a>,
    /// Values by their names in the file.
    values: HashMap<String, ValueId>,
    pub(super) program: Program,
    pub(super) faults: Faults,
}

impl<'a> ProgramReader<'a> {
    /// Starts with the weights of a file, and the faults found so far.
    pub(super) fn new(weights: WeightTables<'a>, faults: Faults) -> Self {
        let program = Program { weights: vec![], inputs: vec![], nodes: vec![], outputs: vec![], values: 0 };
        Self { weights, values: HashMap::new(), program, faults }
    }

    /// Reads a whole graph.
    ///
    /// # Errors
    /// The graph holds something that medcert does not run. The message lists all faults, one a line.
    pub(super) fn program(mut self, module: schema::GraphModule) -> Result<Program, String> {
        let schema::GraphModule { graph, signature } = module;
        if graph.nodes.len() > MOST_NODES {
            self.faults.add(
                &format!("has {} calls, more than {MOST_NODES}", graph.nodes.len()),
                "bring a smaller model",
            );
            self.faults.check()?;
        }
        self.inputs(&signature.input_specs, &graph.tensor_values);
        let nodes = without_idle(graph.nodes, &signature.output_specs);
        for node in nodes {
            if let Some(node) = self.node(node) {
                self.program.nodes.push(node);
            }
        }
        self.outputs(&signature.output_specs, &graph.tensor_values);
        self.faults.check()?;
        last_uses::mark(&mut self.program);
        Ok(self.program)
    }

    /// Gives a value the next number.
    pub(super) fn define(&mut self, name: &str) -> ValueId {
        let id = self.program.values;
        self.program.values += 1;
        if self.values.insert(name.to_string(), id).is_some() {
            self.faults.add(&format!("names two values {name:?}"), "export it again");
        }
        id
    }

    /// Reads weights, then inputs: weights have the lower numbers, wherever the file lists them.
    fn inputs(&mut self, specs: &[schema::InputSpec], shapes: &HashMap<String, schema::TensorMeta>) {
        use schema::InputSpec;
        for spec in specs {
            match spec {
                InputSpec::Parameter { arg, parameter_name } => self.weight(arg, parameter_name, true),
                InputSpec::Buffer { arg, buffer_name } => self.weight(arg, buffer_name, false),
                InputSpec::TensorConstant { arg, tensor_constant_name } => {
                    self.weight(arg, tensor_constant_name, false);
                }
                InputSpec::UserInput { .. } => {}
                InputSpec::CustomObj {} => {
                    self.faults.add("needs a custom object", "export the model without it");
                }
                InputSpec::Token {} => self
                    .faults
                    .add("orders its side effects by tokens", "export the model without side effects"),
                InputSpec::ConstantInput { name } => {
                    let what = format!("was exported with a fixed value for its argument {name:?}");
                    self.faults.add(&what, "export a module whose `forward` takes only tensors");
                }
            }
        }
        for spec in specs {
            let InputSpec::UserInput { arg } = spec else { continue };
            let schema::Argument::AsTensor(Named { name }) = arg else {
                self.faults.add(
                    "takes an argument that is no tensor",
                    "export a module whose `forward` takes only tensors",
                );
                continue;
            };
            self.define(name);
            let meta = shapes.get(name);
            let kind = meta.and_then(|meta| element_type(meta.dtype));
            let (Some(meta), Some(kind)) = (meta, kind) else {
                self.faults.add(&format!("does not say what its input {name:?} is"), "export it again");
                continue;
            };
            let sizes: Vec<Option<u64>> = meta.sizes.iter().map(schema::Size::known).collect();
            if !sizes.first().is_some_and(Option::is_none) {
                let what = format!(
                    "was exported for a fixed number of cases (its input {name:?} is {})",
                    shape(&sizes)
                );
                self.faults.add(&what, &format!("export it with a dynamic first dimension: {EXPORT}"));
            }
            self.program.inputs.push(Input { name: name.clone(), kind, sizes });
        }
    }

    fn weight(&mut self, arg: &Named, name: &str, is_parameter: bool) {
        self.define(&arg.name);
        match self.weights.weight(name, is_parameter) {
            Ok(weight) => self.program.weights.push(weight),
            Err(what) => self.faults.add(&what, "save it again"),
        }
    }

    /// The number of a value that an earlier line defines.
    pub(super) fn value(&self, name: &str) -> Result<ValueId, String> {
        self.values
            .get(name)
            .copied()
            .ok_or_else(|| format!("the value {name:?}, which nothing before it returns"))
    }

    fn outputs(&mut self, specs: &[schema::OutputSpec], shapes: &HashMap<String, schema::TensorMeta>) {
        use schema::OutputSpec;
        for spec in specs {
            match spec {
                OutputSpec::UserOutput { arg: schema::Argument::AsTensor(of) } => {
                    match self.value(&of.name) {
                        Ok(value) => {
                            let meta = shapes.get(&of.name);
                            let sizes = meta.map(|meta| meta.sizes.iter().map(schema::Size::known).collect());
                            self.program.outputs.push(Returned { value, sizes: sizes.unwrap_or_default() });
                        }
                        Err(what) => self.faults.add(&format!("returns {what}"), "export it again"),
                    }
                }
                OutputSpec::UserOutput { .. } => {
                    self.faults.add(
                        "returns something that is no tensor",
                        "export a module that returns its logits alone",
                    );
                }
                OutputSpec::BufferMutation { buffer_name: name }
                | OutputSpec::ParameterMutation { parameter_name: name } => {
                    let what = format!("changes its own weights while it is called ({name})");
                    self.faults
                        .add(&what, "export it after `model.eval()`, without counters or running statistics");
                }
                OutputSpec::UserInputMutation { user_input_name: name } => {
                    let what = format!("changes its input {name:?}");
                    self.faults.add(&what, "write `forward` without operations in place on its arguments");
                }
                OutputSpec::LossOutput {}
                | OutputSpec::GradientToParameter {}
                | OutputSpec::GradientToUserInput {} => {
                    self.faults.add(
                        "was exported for training, with its loss",
                        "export the model alone, after `model.eval()`",
                    );
                }
                OutputSpec::Token {} => self
                    .faults
                    .add("orders its side effects by tokens", "export the model without side effects"),
            }
        }
        if self.program.outputs.is_empty() {
            self.faults.add("returns no tensor", "export a module that returns its logits");
        }
    }
}
