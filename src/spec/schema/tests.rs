//! The schema's own rules: what each of its objects says.

use serde_json::Value;

use super::schema;

/// Every object below a schema, with where it stands.
fn walk(value: &Value, place: &str, see: &mut dyn FnMut(&str, &serde_json::Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            see(place, map);
            for (key, value) in map {
                walk(value, &format!("{place}/{key}"), see);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, place, see)),
        _ => {}
    }
}

#[test]
fn every_key_is_described() {
    let schema = schema(&|name| format!("what {name} is"));
    let (mut keys, mut maps) = (0, 0);
    walk(&schema, "", &mut |place, map| {
        let Some(Value::Object(properties)) = map.get("properties") else { return };
        if place.ends_with("/properties") {
            return;
        }
        maps += 1;
        assert_eq!(map.get("additionalProperties"), Some(&Value::Bool(false)), "{place}");
        for (key, value) in properties {
            keys += 1;
            let is_shared = value.get("$ref").is_some();
            let text = value.get("description").and_then(Value::as_str).unwrap_or_default();
            assert!(is_shared || text.len() > 5, "{place}: {key} is not described: {value}");
        }
    });
    assert!(maps > 60 && keys > 250, "{maps} maps, {keys} keys");
}
