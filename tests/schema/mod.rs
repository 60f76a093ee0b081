//! What a JSON Schema says against a value.

use serde_json::Value;

/// What a JSON Schema says against a value: a list of rules broken. Knows the words that the schemas of this crate use; patterns are not tried.
pub fn against(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut broken = Vec::new();
    let words = schema.as_object().unwrap_or_else(|| panic!("{at}: {schema} is no schema"));
    for (word, rule) in words {
        let holds = match word.as_str() {
            "$schema" | "title" | "description" | "format" | "pattern" | "properties" => true,
            "type" => match rule {
                Value::Array(types) => types.iter().any(|name| is_of_type(value, name)),
                name => is_of_type(value, name),
            },
            "enum" => rule.as_array().is_some_and(|words| words.contains(value)),
            "const" => rule == value,
            "minimum" => value.as_f64() >= rule.as_f64(),
            "maximum" => value.as_f64() <= rule.as_f64(),
            "exclusiveMinimum" => value.as_f64() > rule.as_f64(),
            "minItems" => value.as_array().is_some_and(|items| items.len() as u64 >= rule.as_u64().unwrap_or(u64::MAX)),
            "uniqueItems" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                items.clone().all(|(at, item)| items.clone().take(at).all(|(_, other)| other != item))
            }
            "required" => {
                rule.as_array().into_iter().flatten().all(|name| value.get(name.as_str().unwrap_or("")).is_some())
            }
            "not" => false,
            "anyOf" => rule.as_array().into_iter().flatten().any(|kind| against(kind, value, at).is_empty()),
            "oneOf" => {
                rule.as_array().into_iter().flatten().filter(|kind| against(kind, value, at).is_empty()).count() == 1
            }
            "items" => {
                let items = value.as_array().into_iter().flatten();
                broken.extend(items.flat_map(|item| against(rule, item, &format!("{at}[]"))));
                true
            }
            "additionalProperties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    let at = format!("{at}.{name}");
                    match words.get("properties").and_then(|known| known.get(name)) {
                        Some(schema) => broken.extend(against(schema, value, &at)),
                        None if rule == &Value::Bool(false) => broken.push(format!("{at}: unknown")),
                        None => broken.extend(against(rule, value, &at)),
                    }
                }
                true
            }
            other => panic!("{at}: the schema says {other}"),
        };
        if !holds {
            broken.push(format!("{at}: {word} {rule}"));
        }
    }
    broken
}

fn is_of_type(value: &Value, name: &Value) -> bool {
    match name.as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        other => panic!("no type {other}"),
    }
}
