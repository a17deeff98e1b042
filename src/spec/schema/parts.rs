//! What the schema is made of: objects with the readers' keys, lists, and scalars as people write them.

use serde_json::{Map, Value, json};

/// A map with these keys: the name of each, its schema, and whether every such map has it.
pub(in crate::spec) fn object<'k>(keys: impl IntoIterator<Item = (&'k str, Value, bool)>) -> Value {
    let (mut properties, mut needed) = (Map::new(), Vec::new());
    for (key, schema, is_needed) in keys {
        properties.insert(key.to_string(), schema);
        if is_needed {
            needed.push(key);
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": false,
    })
}

/// A map of one key, which names what is chosen: each name with the schema of what is behind it.
pub(in crate::spec) fn choice<'k>(choices: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    let properties: Map<String, Value> =
        choices.into_iter().map(|(name, schema)| (name.to_string(), schema)).collect();
    json!({
        "type": "object",
        "properties": properties,
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
    })
}

/// A map from names of the user's to values of a kind.
pub(in crate::spec) fn named(of: &Value, description: &str) -> Value {
    json!({
        "description": description,
        "type": "object",
        "propertyNames": {"pattern": "^\\p{L}[\\p{L}\\p{N}_-]*$", "maxLength": 32},
        "additionalProperties": of,
    })
}

/// With a description before everything else.
pub(in crate::spec) fn described(mut schema: Value, description: &str) -> Value {
    let mut whole = Map::new();
    whole.insert("description".into(), description.into());
    whole.extend(schema.as_object_mut().map(std::mem::take).unwrap_or_default());
    whole.insert("description".into(), description.into());
    Value::Object(whole)
}

pub(in crate::spec) fn list(of: &Value, least: usize) -> Value {
    json!({"type": "array", "items": of, "minItems": least})
}

/// Text that is not blank.
pub(in crate::spec) fn text(description: &str, examples: &[&str]) -> Value {
    let mut schema = json!({"description": description, "type": "string", "pattern": "\\S"});
    if !examples.is_empty() {
        schema["examples"] = json!(examples);
    }
    schema
}

/// A path that stays under the folder that it starts from.
pub(in crate::spec) fn path(description: &str, example: &str) -> Value {
    json!({
        "description": format!("{description} Relative to the spec, or to --data-root or --weights-root; without `..`."),
        "type": "string",
        "pattern": "^\\s*[^/\\s]",
        "not": {"pattern": "(^|/)\\s*\\.\\.\\s*(/|$)"},
        "examples": [example],
    })
}

/// A number within a range, or text such as `90%`, `8/255` or `1e-4`.
pub(in crate::spec) fn number(least: f64, most: f64) -> Value {
    json!({"anyOf": [
        {"type": "number", "minimum": short(least), "maximum": short(most)},
        {"type": "string", "pattern": "^[\\s0-9.eE+-]*[0-9.]\\s*(/[\\s0-9.eE+-]+)?%?\\s*$"},
    ]})
}

/// A strength: a number, or `≤` and a number for every point of the grid up to it.
pub(in crate::spec) fn strength(description: &str, most: f64, examples: &[&str]) -> Value {
    json!({"description": description, "examples": examples, "anyOf": [
        {"type": "number", "minimum": 0, "maximum": short(most)},
        {"type": "string", "pattern": "^\\s*(≤|<=)?[\\s0-9.eE+-]*[0-9.]\\s*(/[\\s0-9.eE+-]+)?\\s*$"},
    ]})
}

/// A number with what it means.
pub(in crate::spec) fn real(description: &str, least: f64, most: f64, examples: &[f64]) -> Value {
    let examples: Vec<Value> = examples.iter().copied().map(short).collect();
    let mut schema = described(number(least, most), description);
    schema["examples"] = Value::Array(examples);
    schema
}

/// A share, 0 to 1.
pub(in crate::spec) fn share(description: &str, examples: &[&str]) -> Value {
    let mut schema = described(number(0.0, 1.0), description);
    schema["examples"] = json!(examples);
    schema
}

/// A whole number.
pub(in crate::spec) fn integer(
    description: &str,
    least: u64,
    most: Option<u64>,
    usual: Option<u64>,
) -> Value {
    let mut schema = json!({"description": description, "type": "integer", "minimum": least});
    if let Some(most) = most {
        schema["maximum"] = most.into();
    }
    if let Some(usual) = usual {
        schema["default"] = usual.into();
    }
    schema
}

pub(in crate::spec) fn truth(description: &str) -> Value {
    json!({"description": description, "type": "boolean"})
}

/// A pattern for a word in any letter case.
pub(in crate::spec) fn any_case(word: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphabetic() {
            format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase())
        } else {
            c.to_string()
        }
    };
    word.chars().map(letter).collect()
}

/// A whole number is written as one.
fn short(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}
