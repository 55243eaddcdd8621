//! Whole numbers of values that keep their digits on their way from step to step. No emulator shows where they do not.

use super::{SagaSchemas, limits::integers};
use crate::number::MAX_EXACT;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// A whole number of a value that may lose digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{path}` can be a whole number {range}, but only those within ±{MAX_EXACT} keep their digits in a state machine: bound it with `#[schemars(range(min = …, max = …))]`, take a smaller type like `i32` or `u32`, declare what is in it, or carry it as text"
)]
pub struct Inexact {
    /// Where it stands, from the value's name on: `order.lines[].quantity`.
    pub path: String,
    /// What the schema allows, in words.
    pub range: String,
}

/// The first whole number of the saga's values that may lose digits.
pub(crate) fn inexact(saga: &SagaSchemas) -> Option<Inexact> {
    let input = (saga.input_value.as_str(), &saga.input);
    let outputs = saga.steps.values().map(|step| (step.output_value.as_str(), &step.output));
    let mut walk = Walk { definitions: &saga.definitions, seen: BTreeSet::new() };
    std::iter::once(input).chain(outputs).find_map(|(name, schema)| walk.first(schema, name))
}

/// What of a value can have come through a state machine: no whole number beyond, whatever its type allowed. So a release
/// that bounds a number reads all that the one before has left.
pub(super) fn as_kept(schema: &Json) -> Json {
    match schema {
        Json::Array(schemas) => schemas.iter().map(as_kept).collect(),
        Json::Object(members) => {
            let inner = |(keyword, inner): (&String, &Json)| {
                let is_data = matches!(keyword.as_str(), "const" | "enum");
                (keyword.clone(), if is_data { inner.clone() } else { as_kept(inner) })
            };
            let mut kept: Map<String, Json> = members.iter().map(inner).collect();
            if is_integer(members) && !members.contains_key("const") {
                let (least, most) = integers(members);
                let bound = i128::from(MAX_EXACT);
                for keyword in ["format", "exclusiveMinimum", "exclusiveMaximum"] {
                    kept.remove(keyword);
                }
                let ends = [
                    ("minimum", least.map_or(-bound, |least| least.max(-bound))),
                    ("maximum", most.map_or(bound, |most| most.min(bound))),
                ];
                kept.extend(
                    ends.map(|(keyword, end)| (keyword.to_owned(), json!(i64::try_from(end).unwrap_or(0)))),
                );
            }
            Json::Object(kept)
        }
        other => other.clone(),
    }
}

struct Walk<'a> {
    definitions: &'a BTreeMap<String, Json>,
    /// What was looked at: a type can refer to itself.
    seen: BTreeSet<&'a str>,
}

impl<'a> Walk<'a> {
    fn first(&mut self, schema: &'a Json, path: &str) -> Option<Inexact> {
        if is_anything(schema) {
            return Some(Inexact { path: path.to_owned(), range: "or anything else".to_owned() });
        }
        let schema = schema.as_object()?;
        if let Some(name) =
            schema.get("$ref").and_then(Json::as_str).and_then(|to| to.strip_prefix("#/$defs/"))
            && self.seen.insert(name)
            && let Some(found) = self.definitions.get(name).and_then(|schema| self.first(schema, path))
        {
            return Some(found);
        }
        own(schema, path).or_else(|| self.inner(schema, path))
    }

    fn inner(&mut self, schema: &'a Map<String, Json>, path: &str) -> Option<Inexact> {
        for (keyword, inner) in schema {
            let found = match (keyword.as_str(), inner) {
                ("properties" | "patternProperties", Json::Object(named)) => {
                    named.iter().find_map(|(name, schema)| self.first(schema, &format!("{path}.{name}")))
                }
                ("items" | "additionalProperties" | "unevaluatedProperties", schema) => {
                    self.first(schema, &format!("{path}[]"))
                }
                ("prefixItems", Json::Array(schemas)) => {
                    schemas.iter().find_map(|schema| self.first(schema, &format!("{path}[]")))
                }
                ("anyOf" | "oneOf" | "allOf", Json::Array(schemas)) => {
                    schemas.iter().find_map(|schema| self.first(schema, path))
                }
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// What says nothing of what it describes, as that of `serde_json::Value`: a whole number can be in it.
/// <https://json-schema.org/draft/2020-12/json-schema-validation#name-a-vocabulary-for-basic-meta>
fn is_anything(schema: &Json) -> bool {
    const NOTES: [&str; 9] = [
        "$comment",
        "$schema",
        "default",
        "deprecated",
        "description",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
    ];
    match schema {
        Json::Bool(all) => *all,
        Json::Object(members) => members.keys().all(|keyword| NOTES.contains(&keyword.as_str())),
        _ => false,
    }
}

fn is_integer(schema: &Map<String, Json>) -> bool {
    let is_integer = |of: &Json| of == "integer";
    schema
        .get("type")
        .is_some_and(|of| is_integer(of) || of.as_array().is_some_and(|types| types.iter().any(is_integer)))
}

/// What the schema itself says of whole numbers.
fn own(schema: &Map<String, Json>, path: &str) -> Option<Inexact> {
    if !is_integer(schema) {
        return None;
    }
    let (least, most) = integers(schema);
    let bound = i128::from(MAX_EXACT);
    let is_kept = least.is_some_and(|least| least >= -bound) && most.is_some_and(|most| most <= bound);
    let end = |end: Option<i128>| end.map_or_else(|| "no bound".to_owned(), |end| end.to_string());
    let range = || format!("from {} to {}", end(least), end(most));
    (!is_kept).then(|| Inexact { path: path.to_owned(), range: range() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;

    fn told(schema: &Json) -> Option<String> {
        let definitions = schema["$defs"].as_object().cloned().unwrap_or_default();
        let saga = SagaSchemas {
            input_value: "order".into(),
            input: schema.clone(),
            definitions: definitions.into_iter().collect(),
            ..SagaSchemas::default()
        };
        inexact(&saga).map(|inexact| format!("{}: {}", inexact.path, inexact.range))
    }

    fn of<T: JsonSchema>() -> Option<String> {
        told(&schemars::schema_for!(T).to_value())
    }

    #[test]
    fn what_can_be_beyond_is_told_wherever_it_stands() {
        assert_eq!(of::<u64>().unwrap(), format!("order: from 0 to {}", u64::MAX));
        assert_eq!(of::<i64>().unwrap(), format!("order: from {} to {}", i64::MIN, i64::MAX));
        assert_eq!(of::<u128>().unwrap(), "order: from 0 to no bound");
        assert_eq!(of::<Option<u64>>().unwrap(), format!("order: from 0 to {}", u64::MAX));
        assert_eq!(of::<Vec<(u8, i64)>>().unwrap(), format!("order[][]: from {} to {}", i64::MIN, i64::MAX));
        assert!(of::<BTreeMap<String, u64>>().unwrap().starts_with("order[]: from 0"));
        let tree = json!({
            "$ref": "#/$defs/Tree",
            "$defs": { "Tree": { "type": "object", "properties": {
                "left": { "$ref": "#/$defs/Tree" },
                "weight": { "type": "integer", "minimum": 0, "maximum": 1e16 },
            } } },
        });
        assert_eq!(told(&tree).unwrap(), "order.weight: from 0 to 10000000000000000");
        for anything in
            [of::<Json>(), of::<Option<Json>>(), told(&json!({ "description": "whatever", "default": 1 }))]
        {
            assert_eq!(anything.unwrap(), "order: or anything else");
        }
        assert_eq!(of::<Vec<Json>>().unwrap(), "order[]: or anything else");
        assert_eq!(of::<BTreeMap<String, Json>>().unwrap(), "order[]: or anything else");
        let one_of = json!({ "oneOf": [{ "type": "null" }, { "type": ["null", "integer"] }] });
        assert_eq!(told(&one_of).unwrap(), "order: from no bound to no bound");
    }

    #[test]
    fn what_keeps_its_digits_is_not_told() {
        assert_eq!(told(&json!({ "type": "object", "additionalProperties": false })), None);
        assert_eq!(of::<(i32, u32, f64, String, bool)>(), None);
        for (least, most) in [(0, MAX_EXACT), (-MAX_EXACT, 0), (-1, 1)] {
            assert_eq!(told(&json!({ "type": "integer", "minimum": least, "maximum": most })), None);
        }
        assert_eq!(told(&json!({ "const": 9_007_199_254_740_991_u64, "type": "integer" })), None);
        assert!(told(&json!({ "type": "integer", "minimum": 0, "maximum": MAX_EXACT + 1 })).is_some());
    }
}
