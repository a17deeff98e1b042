//! Reads the calls of the graph, and refuses operators that a user's network may not call.

use super::program::ProgramReader;
use super::schema;
use crate::graph::operators::{self, Refusal};
use crate::graph::{Argument, Node, Operator, WholeOperator};

impl ProgramReader<'_> {
    /// Reads a call; None if its target is no operator that medcert knows.
    pub(super) fn node(&mut self, node: schema::Node) -> Option<Node> {
        let operator = self.operator(&node.target);
        if operator.is_none() {
            // define its results all the same, so that later calls that use them raise no faults of their own
            for output in node.outputs {
                drop(self.output(output));
            }
            return None;
        }
        let mut arguments = Vec::with_capacity(node.inputs.len());
        for schema::NamedArgument { name, arg } in node.inputs {
            match self.argument(arg) {
                Ok(argument) => arguments.push((name, argument)),
                Err(what) => self
                    .faults
                    .add(&format!("calls {} with {what}", node.target), "write the model without it"),
            }
        }
        if let Some(Operator::Aten { name, overload }) = &operator {
            if let Some(Refusal { what, remedy }) = operators::refusal(name, overload, &arguments) {
                self.faults.add(&what, &remedy);
            }
            let kept = self.program.weights.len() + self.program.inputs.len();
            if operators::writes(name)
                && matches!(arguments.first(), Some((_, Argument::Value(id))) if *id < kept)
            {
                let what = format!("changes a weight or an input in place ({})", node.target);
                self.faults.add(&what, "export it after `model.eval()`, without counters");
            }
        }
        let mut outputs = Vec::with_capacity(node.outputs.len());
        for output in node.outputs {
            match self.output(output) {
                Ok(output) => outputs.push(output),
                Err(what) => self.faults.add(
                    &format!("calls {}, which returns {what}", node.target),
                    "write the model without it",
                ),
            }
        }
        if let Some(Operator::Whole(whole)) = &operator
            && (arguments.len() != whole.arity() || outputs.len() != 1)
        {
            self.faults
                .add(&format!("calls {} with {} arguments", node.target, arguments.len()), "export it again");
        }
        Some(Node { operator: operator?, arguments, outputs, last_uses: vec![] })
    }

    fn operator(&mut self, target: &str) -> Option<Operator> {
        if let Some(whole) = WholeOperator::ALL.iter().find(|whole| whole.target() == target) {
            return Some(Operator::Whole(*whole));
        }
        if let Some((name, overload)) =
            target.strip_prefix("torch.ops.aten.").and_then(|rest| rest.split_once('.'))
        {
            let overload = if overload == "default" { "" } else { overload };
            return Some(Operator::Aten { name: name.to_string(), overload: overload.to_string() });
        }
        let remedy = if let Some(order) = target.strip_prefix("torch.ops.higher_order.") {
            match order {
                "wrap_with_set_grad_enabled" => "export it without `torch.no_grad()` inside `forward`",
                "wrap_with_autocast" => "export it without `torch.autocast` inside `forward`",
                _ => "write the model without control flow inside `forward`",
            }
        } else if target.starts_with("torch.ops.") {
            "write the model with PyTorch's own operators; those of other libraries are code that medcert does not have"
        } else {
            "write the model with PyTorch's own operators on tensors"
        };
        self.faults.add(&format!("calls {target}"), remedy);
        None
    }
}
