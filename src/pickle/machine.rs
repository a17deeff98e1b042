//! The machine of a pickle: a stack of values, and a memo of those that are used again. It follows the opcodes that
//! `torch.save` writes for a state dictionary in protocol 2, and names every other one.
//!
//! Lists, tuples and dictionaries lie in one arena and are named by their place in it, so that a pickle whose values hold
//! themselves does no harm, and values of any depth are dropped without recursion.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::rebuild::{Global, Storage};
use super::{SAVE, StoredTensor};
use crate::graph::archive::Archive;

/// A value on the stack.
#[derive(Debug, Clone)]
pub(super) enum Value {
    None,
    Bool,
    Int(i64),
    Float,
    Text(Rc<str>),
    /// A function or class that may be used.
    Global(Global),
    /// A list, tuple or dictionary: its place in the arena.
    Object(usize),
    /// A storage: its place in the list.
    Storage(usize),
    /// A tensor: its place in the list.
    Tensor(usize),
}

impl Value {
    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Bool => "a truth value",
            Self::Int(_) | Self::Float => "a number",
            Self::Text(_) => "a text",
            Self::Global(_) => "a function",
            Self::Object(_) => "a list",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
        }
    }
}

/// A list, tuple or dictionary.
#[derive(Debug)]
pub(super) enum Object {
    List(Vec<Value>),
    Tuple(Vec<Value>),
    Dictionary(Vec<(Value, Value)>),
}

/// The machine, with what it has built.
pub(super) struct Machine<'a> {
    pub(super) archive: &'a Archive<'a>,
    program: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    /// Heights of the stack where marks were set.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    objects: Vec<Object>,
    pub(super) storages: Vec<Storage>,
    pub(super) tensors: Vec<StoredTensor>,
}

/// What is wrong with a program that cannot be followed.
fn broken(what: &str) -> String {
    format!("has a broken `data.pkl`: {what}; copy or save it again: {SAVE}")
}

impl<'a> Machine<'a> {
    pub(super) fn new(archive: &'a Archive<'a>, program: &'a [u8]) -> Self {
        Self {
            archive,
            program,
            at: 0,
            stack: vec![],
            marks: vec![],
            memo: HashMap::new(),
            objects: vec![],
            storages: vec![],
            tensors: vec![],
        }
    }

    /// Follows the program to its end; the value that it leaves.
    pub(super) fn run(&mut self) -> Result<Value, String> {
        loop {
            let opcode = self.take(1)?[0];
            if opcode == b'.' {
                return self.pop();
            }
            self.step(opcode)?;
        }
    }

    /// Follows an opcode.
    fn step(&mut self, opcode: u8) -> Result<(), String> {
        match opcode {
            0x80 => self.check_protocol(),
            b'N' | 0x88 | 0x89 | b'K' | b'M' | b'J' | 0x8a | b'G' | b'X' | b'c' => self.literal(opcode),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b')' | b']' | b'}' | b't' | 0x85..=0x87 => self.collect(opcode),
            b'q' => self.remember(1),
            b'r' => self.remember(4),
            b'h' => self.recall(1),
            b'j' => self.recall(4),
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])
            }
            b'e' => {
                let items = self.since_mark()?;
                self.append(items)
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set(vec![key, value])
            }
            b'u' => {
                let items = self.since_mark()?;
                self.set(items)
            }
            b'Q' => {
                let about = self.pop()?;
                let storage = self.storage(&about)?;
                self.stack.push(storage);
                Ok(())
            }
            b'R' => {
                let arguments = self.pop()?;
                let function = self.pop()?;
                let result = self.call(&function, &arguments)?;
                self.stack.push(result);
                Ok(())
            }
            b'b' => {
                // the attributes of an ordered dictionary, such as the versions of its modules
                self.pop()?;
                match self.stack.last() {
                    Some(Value::Object(_)) => Ok(()),
                    _ => Err(broken("it sets attributes of what has none")),
                }
            }
            other => {
                let shown = char::from(other);
                let name =
                    if shown.is_ascii_graphic() { format!("`{shown}`") } else { format!("0x{other:02x}") };
                Err(format!(
                    "uses the pickle opcode {name}, which weights do not need; save it again: {SAVE}"
                ))
            }
        }
    }

    fn check_protocol(&mut self) -> Result<(), String> {
        match self.take(1)?[0] {
            2 => Ok(()),
            other => {
                Err(format!("is a pickle of protocol {other}, and medcert reads 2; save it again: {SAVE}"))
            }
        }
    }

    /// Pushes the value that follows an opcode, or that it stands for.
    fn literal(&mut self, opcode: u8) -> Result<(), String> {
        let value = match opcode {
            b'K' => self.number(1, false)?,
            b'M' => self.number(2, false)?,
            b'J' => self.number(4, true)?,
            0x8a => {
                let length = usize::from(self.take(1)?[0]);
                self.number(length, true)?
            }
            b'G' => {
                self.take(8)?;
                Value::Float
            }
            b'X' => {
                let length = self.unsigned(4)? as usize;
                let text =
                    std::str::from_utf8(self.take(length)?).map_err(|_| broken("a text is not UTF-8"))?;
                Value::Text(text.into())
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                Value::Global(Global::named(module, name)?)
            }
            b'N' => Value::None,
            _ => Value::Bool,
        };
        self.stack.push(value);
        Ok(())
    }

    /// Makes a list, tuple or dictionary, of items that are on the stack.
    fn collect(&mut self, opcode: u8) -> Result<(), String> {
        let object = match opcode {
            b')' => Object::Tuple(vec![]),
            b']' => Object::List(vec![]),
            b'}' => Object::Dictionary(vec![]),
            b't' => Object::Tuple(self.since_mark()?),
            few => {
                let from = self.stack.len().checked_sub(usize::from(few - 0x84));
                let from = from.filter(|from| *from >= self.floor());
                Object::Tuple(self.stack.split_off(from.ok_or_else(|| broken("its stack is empty"))?))
            }
        };
        let made = self.made(object);
        self.stack.push(made);
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count);
        let taken =
            end.and_then(|end| self.program.get(self.at..end)).ok_or_else(|| broken("it is cut off"))?;
        self.at += count;
        Ok(taken)
    }

    /// The bytes up to the next line end.
    fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.program[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| broken("it is cut off"))?;
        let line = std::str::from_utf8(self.take(length)?).map_err(|_| broken("a name is not UTF-8"))?;
        self.take(1)?;
        Ok(line)
    }

    fn unsigned(&mut self, bytes: usize) -> Result<u32, String> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |number, byte| (number << 8) | u32::from(*byte)))
    }

    /// A little-endian number.
    fn number(&mut self, bytes: usize, is_signed: bool) -> Result<Value, String> {
        let taken = self.take(bytes)?;
        if bytes > 8 {
            return Err(broken("a number has more than 64 bits"));
        }
        let is_negative = is_signed && taken.last().is_some_and(|byte| byte & 0x80 != 0);
        let start = if is_negative { -1_i64 } else { 0 };
        Ok(Value::Int(taken.iter().rev().fold(start, |number, byte| (number << 8) | i64::from(*byte))))
    }

    /// The height of the stack below which nothing may be taken.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Value, String> {
        if self.stack.len() <= self.floor() {
            return Err(broken("its stack is empty"));
        }
        self.stack.pop().ok_or_else(|| broken("its stack is empty"))
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, String> {
        let mark = self.marks.pop().ok_or_else(|| broken("it lacks a mark"))?;
        Ok(self.stack.split_off(mark))
    }

    /// Puts an object into the arena.
    pub(super) fn made(&mut self, object: Object) -> Value {
        self.objects.push(object);
        Value::Object(self.objects.len() - 1)
    }

    fn remember(&mut self, bytes: usize) -> Result<(), String> {
        let key = self.unsigned(bytes)?;
        let value = self.pop()?;
        self.memo.insert(key, value.clone());
        self.stack.push(value);
        Ok(())
    }

    fn recall(&mut self, bytes: usize) -> Result<(), String> {
        let key = self.unsigned(bytes)?;
        let value = self.memo.get(&key).cloned();
        self.stack.push(value.ok_or_else(|| broken("it uses a value that it never made"))?);
        Ok(())
    }

    /// The object at the top of the stack.
    fn top(&mut self) -> Option<&mut Object> {
        match self.stack.last()? {
            Value::Object(place) => self.objects.get_mut(*place),
            _ => None,
        }
    }

    fn append(&mut self, items: Vec<Value>) -> Result<(), String> {
        match self.top() {
            Some(Object::List(list)) => {
                list.extend(items);
                Ok(())
            }
            _ => Err(broken("it appends to what is no list")),
        }
    }

    fn set(&mut self, items: Vec<Value>) -> Result<(), String> {
        if !items.len().is_multiple_of(2) {
            return Err(broken("a key has no value"));
        }
        match self.top() {
            Some(Object::Dictionary(entries)) => {
                let mut items = items.into_iter();
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    entries.push((key, value));
                }
                Ok(())
            }
            _ => Err(broken("it sets entries of what is no dictionary")),
        }
    }

    /// The items of a tuple.
    pub(super) fn items(&self, value: &Value) -> Option<&[Value]> {
        match value {
            Value::Object(place) => match self.objects.get(*place)? {
                Object::Tuple(items) => Some(items),
                Object::List(_) | Object::Dictionary(_) => None,
            },
            _ => None,
        }
    }

    /// The entries of a dictionary whose keys are texts.
    pub(super) fn entries(&self, value: &Value) -> Option<impl Iterator<Item = (&str, &Value)>> {
        let Value::Object(place) = value else { return None };
        let Object::Dictionary(entries) = self.objects.get(*place)? else { return None };
        Some(entries.iter().filter_map(|(key, value)| match key {
            Value::Text(key) => Some((key.as_ref(), value)),
            _ => None,
        }))
    }

    /// The places of the dictionaries with a tensor in them. Each is looked at once, however often it is used.
    pub(super) fn with_tensors(&self) -> HashSet<usize> {
        let has = |(place, object): (usize, &Object)| match object {
            Object::Dictionary(entries) => {
                entries.iter().any(|(_, value)| matches!(value, Value::Tensor(_))).then_some(place)
            }
            Object::List(_) | Object::Tuple(_) => None,
        };
        self.objects.iter().enumerate().filter_map(has).collect()
    }

    /// A tensor by its place.
    pub(super) fn tensor(&self, place: usize) -> Result<&StoredTensor, String> {
        self.tensors.get(place).ok_or_else(|| broken("it uses a tensor that it never made"))
    }
}
