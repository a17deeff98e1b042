//! A node of a model while it is lowered: its inputs, and its attributes by name and type.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::build::Build;
use super::schema::{AttributeProto, NodeProto, TensorProto};
use super::values::Known;

/// What a node returns, or why medcert does not run it: the end of a sentence such as `it uses Conv with …`.
pub(super) type Lowered = Result<Vec<Known>, String>;

/// `AttributeProto.AttributeType` of a number and of a whole number.
const FLOAT: i32 = 1;
const INT: i32 = 2;

/// A node with what is known of its inputs.
pub(super) struct Call<'m> {
    pub node: &'m NodeProto,
    /// None is an optional input that is left out.
    pub inputs: Vec<Option<Rc<Known>>>,
    pub opset: i64,
    /// Attributes that the lowering has read; any other is refused.
    read: RefCell<BTreeSet<String>>,
}

impl<'m> Call<'m> {
    pub fn new(node: &'m NodeProto, inputs: Vec<Option<Rc<Known>>>, opset: i64) -> Self {
        Self { node, inputs, opset, read: RefCell::default() }
    }

    /// An input that must be there.
    pub fn input(&self, place: usize) -> Result<&Known, String> {
        self.optional(place).ok_or_else(|| format!("too few inputs: number {} is missing", place + 1))
    }

    /// An input that may be left out.
    pub fn optional(&self, place: usize) -> Option<&Known> {
        self.inputs.get(place)?.as_deref()
    }

    /// An input as a tensor.
    pub fn tensor(&self, build: &mut Build, place: usize) -> Result<crate::graph::Argument, String> {
        Ok(build.given(self.input(place)?))
    }

    /// Whether the node names an output.
    pub fn returns(&self, place: usize) -> bool {
        self.node.output.get(place).is_some_and(|name| !name.is_empty())
    }

    /// Attributes that change nothing here.
    pub fn ignore(&self, names: &[&str]) {
        self.read.borrow_mut().extend(names.iter().map(|name| (*name).to_string()));
    }

    fn attribute(&self, name: &str) -> Option<&'m AttributeProto> {
        self.read.borrow_mut().insert(name.to_string());
        self.node.attribute.iter().find(|one| one.name.as_deref() == Some(name))
    }

    pub fn int(&self, name: &str) -> Result<Option<i64>, String> {
        // some writers leave out a value of 0
        self.typed(name, "a whole number", |one| one.i.or((one.r#type == Some(INT)).then_some(0)))
    }

    pub fn int_or(&self, name: &str, usual: i64) -> Result<i64, String> {
        Ok(self.int(name)?.unwrap_or(usual))
    }

    /// A whole number that is 0 or 1.
    pub fn flag(&self, name: &str, usual: bool) -> Result<bool, String> {
        Ok(self.int_or(name, i64::from(usual))? != 0)
    }

    pub fn float_or(&self, name: &str, usual: f64) -> Result<f64, String> {
        Ok(self.float(name)?.unwrap_or(usual))
    }

    pub fn float(&self, name: &str) -> Result<Option<f64>, String> {
        let value =
            self.typed(name, "a number", |one| one.f.or((one.r#type == Some(FLOAT)).then_some(0.0)))?;
        Ok(value.map(f64::from))
    }

    /// A list of whole numbers. An empty list has no value in the file.
    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        self.attribute(name).map(|one| one.ints.clone())
    }

    pub fn floats(&self, name: &str) -> Option<Vec<f64>> {
        self.attribute(name).map(|one| one.floats.iter().map(|value| f64::from(*value)).collect())
    }

    pub fn text_or(&self, name: &str, usual: &str) -> Result<String, String> {
        let text = self.typed(name, "a text", |one| {
            one.s.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok().map(str::to_string))
        })?;
        Ok(text.unwrap_or_else(|| usual.to_string()))
    }

    pub fn tensor_attribute(&self, name: &str) -> Result<Option<&'m TensorProto>, String> {
        self.typed(name, "a tensor", |one| one.t.as_ref())
    }

    fn typed<T>(
        &self,
        name: &str,
        kind: &str,
        get: impl Fn(&'m AttributeProto) -> Option<T>,
    ) -> Result<Option<T>, String> {
        match self.attribute(name) {
            None => Ok(None),
            Some(one) => match get(one) {
                Some(value) => Ok(Some(value)),
                None => Err(format!("the attribute `{name}`, which is not {kind}")),
            },
        }
    }

    /// Refuses attributes that the lowering did not read, because they may change what the node computes.
    pub fn check_attributes(&self) -> Result<(), String> {
        let read = self.read.borrow();
        let name = |one: &'m AttributeProto| one.name.as_deref().unwrap_or_default();
        if let Some(one) = self.node.attribute.iter().find(|one| one.ref_attr_name.is_some()) {
            return Err(format!("the attribute {}, which refers to another node", super::short(name(one))));
        }
        match self.node.attribute.iter().map(name).find(|name| !read.contains(*name)) {
            None => Ok(()),
            Some(name) => Err(format!("the attribute {}, which medcert does not know", super::short(name))),
        }
    }

    /// An axis of a tensor, counted from its end if it is negative.
    pub fn axis(axis: i64, rank: usize) -> Result<usize, String> {
        let place = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
        let place = place.and_then(|place| usize::try_from(place).ok()).filter(|place| *place < rank);
        place.ok_or_else(|| format!("the axis {axis} of a tensor of {rank} dimensions"))
    }

    /// Axes of a tensor.
    pub fn axes(axes: &[i64], rank: usize) -> Result<Vec<usize>, String> {
        let axes: Vec<usize> = axes.iter().map(|axis| Self::axis(*axis, rank)).collect::<Result<_, _>>()?;
        let distinct: BTreeSet<usize> = axes.iter().copied().collect();
        if distinct.len() == axes.len() { Ok(axes) } else { Err("an axis twice".to_string()) }
    }

    /// Whole constants that an attribute states in older versions, and an input in newer ones.
    pub fn constants(&self, attribute: &str, place: usize) -> Result<Option<Vec<i64>>, String> {
        if let Some(values) = self.ints(attribute) {
            return Ok(Some(values));
        }
        let Some(known) = self.optional(place) else { return Ok(None) };
        known.whole_constants().map(Some).ok_or_else(|| {
            format!("`{attribute}` that the model computes, and medcert needs before the model runs")
        })
    }
}
