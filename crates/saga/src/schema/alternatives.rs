//! A schema as a list of simple alternatives.

use super::ANNOTATIONS;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};

/// A schema without references and combinations: at most one type, at most one constant.
pub(super) type Alternative = Map<String, Json>;

/// What schemas refer to, by name.
pub(super) type Definitions = BTreeMap<String, Json>;

/// The keyword because of which a schema cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unclear(pub(super) String);

/// References, lists of types and combinations inside each other. No type of serde comes near; what is deeper is
/// refused, so that a reference to itself ends.
const MAX_DEPTH: usize = 32;

/// The alternatives of a schema: what is valid is valid under one of them. `oneOf` is taken for `anyOf`, as serde does.
pub(super) fn alternatives(schema: &Json, definitions: &Definitions) -> Result<Vec<Alternative>, Unclear> {
    expand(schema, definitions, 0)
}

fn expand(schema: &Json, definitions: &Definitions, depth: usize) -> Result<Vec<Alternative>, Unclear> {
    let schema = match schema {
        Json::Bool(true) => return Ok(vec![Map::new()]),
        Json::Bool(false) => return Ok(Vec::new()),
        Json::Object(_) if depth == MAX_DEPTH => return Err(Unclear("$ref".into())),
        Json::Object(schema) => schema,
        other => return Err(Unclear(other.to_string())),
    };
    let depth = depth + 1;
    let mut own = schema.clone();
    own.retain(|keyword, _| !ANNOTATIONS.contains(&keyword.as_str()));
    let reference = own.remove("$ref");
    let all_of = own.remove("allOf");
    let any_of = [own.remove("anyOf"), own.remove("oneOf")];
    let mut all = split(own);
    if let Some(reference) = reference {
        all = product(all, &expand(resolve(&reference, definitions)?, definitions, depth)?)?;
    }
    for schema in all_of.iter().filter_map(Json::as_array).flatten() {
        all = product(all, &expand(schema, definitions, depth)?)?;
    }
    for schemas in any_of.iter().flatten().filter_map(Json::as_array) {
        let mut branches = Vec::new();
        for schema in schemas {
            branches.extend(expand(schema, definitions, depth)?);
        }
        all = product(all, &branches)?;
    }
    Ok(all)
}

fn resolve<'a>(reference: &Json, definitions: &'a Definitions) -> Result<&'a Json, Unclear> {
    let unclear = || Unclear(format!("$ref: {reference}"));
    let name = reference.as_str().and_then(|text| text.strip_prefix("#/$defs/")).ok_or_else(unclear)?;
    let name = name.replace("~1", "/").replace("~0", "~");
    definitions.get(&name).ok_or_else(unclear)
}

/// One alternative for each type and each constant.
fn split(mut schema: Alternative) -> Vec<Alternative> {
    let mut all = vec![Map::new()];
    if let Some(Json::Array(types)) = schema.get("type") {
        all = types.iter().map(|one| Map::from_iter([("type".to_owned(), one.clone())])).collect();
        schema.remove("type");
    }
    if let Some(Json::Array(values)) = schema.remove("enum") {
        let with = |alternative: &Alternative, value: &Json| {
            let mut alternative = alternative.clone();
            alternative.insert("const".into(), value.clone());
            alternative
        };
        all = all.iter().flat_map(|one| values.iter().map(|value| with(one, value))).collect();
    }
    for alternative in &mut all {
        alternative.extend(schema.clone());
    }
    all.retain(|alternative| match (alternative.get("type"), alternative.get("const")) {
        (Some(Json::String(type_name)), Some(value)) => fits(type_of(value), type_name),
        _ => true,
    });
    all
}

fn product(left: Vec<Alternative>, right: &[Alternative]) -> Result<Vec<Alternative>, Unclear> {
    let mut all = Vec::new();
    for one in left {
        for other in right {
            all.extend(both(one.clone(), other)?);
        }
    }
    Ok(all)
}

/// What is valid under both; none when nothing can be.
fn both(mut one: Alternative, other: &Alternative) -> Result<Option<Alternative>, Unclear> {
    // A closed object closes itself against its own members only.
    if closes_out(&one, other) || closes_out(other, &one) {
        return Err(Unclear("additionalProperties".into()));
    }
    for (keyword, theirs) in other {
        let Some(ours) = one.get_mut(keyword) else {
            one.insert(keyword.clone(), theirs.clone());
            continue;
        };
        match (keyword.as_str(), ours, theirs) {
            (_, ours, theirs) if ours == theirs => {}
            ("type", Json::String(ours), Json::String(theirs)) if fits(theirs, ours) => {
                ours.clone_from(theirs);
            }
            ("type", Json::String(ours), Json::String(theirs)) if fits(ours, theirs) => {}
            ("type" | "const", ..) => return Ok(None),
            ("required", Json::Array(ours), Json::Array(theirs)) => {
                ours.extend(theirs.iter().cloned());
            }
            ("properties", Json::Object(ours), Json::Object(theirs)) => {
                for (name, schema) in theirs {
                    if ours.get(name).is_some_and(|there| there != schema) {
                        return Err(Unclear(keyword.clone()));
                    }
                    ours.insert(name.clone(), schema.clone());
                }
            }
            _ => return Err(Unclear(keyword.clone())),
        }
    }
    Ok(Some(one))
}

/// Whether one refuses, or constrains, as additional the members that only the other has.
fn closes_out(one: &Alternative, other: &Alternative) -> bool {
    let names = |schema| properties(schema).map(|(name, _)| name).collect::<BTreeSet<_>>();
    one.get("additionalProperties").is_some_and(|additional| additional != &Json::Bool(true))
        && !names(other).is_subset(&names(one))
}

/// The members of an object.
pub(super) fn properties(schema: &Alternative) -> impl Iterator<Item = (&String, &Json)> {
    schema.get("properties").and_then(Json::as_object).into_iter().flatten()
}

/// The members that must be there.
pub(super) fn required(schema: &Alternative) -> BTreeSet<&str> {
    schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect()
}

/// What members without a name of their own must be.
pub(super) fn additional(schema: &Alternative) -> Option<&Json> {
    schema.get("additionalProperties").or_else(|| schema.get("unevaluatedProperties"))
}

/// The type, if there is one.
pub(super) fn type_name(schema: &Alternative) -> Option<&str> {
    schema.get("type").and_then(Json::as_str).or_else(|| schema.get("const").map(type_of))
}

/// The type of a value.
fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_f64() => "number",
        Json::Number(_) => "integer",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// Whether every value of the type `narrow` is one of the type `wide`.
pub(super) fn fits(narrow: &str, wide: &str) -> bool {
    narrow == wide || (narrow, wide) == ("integer", "number")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(schema: &Json) -> Result<Json, Unclear> {
        let definitions = [
            ("Text".to_owned(), json!({ "type": "string", "description": "d" })),
            ("Point".to_owned(), json!({ "type": "object", "properties": { "x": true }, "required": ["x"] })),
            ("Loop".to_owned(), json!({ "$ref": "#/$defs/Loop" })),
        ];
        Ok(json!(alternatives(schema, &definitions.into())?))
    }

    #[test]
    fn combinations_become_lists() {
        let text = json!({ "type": "string" });
        let nothing = json!({ "type": "null" });
        assert_eq!(of(&json!(true)), Ok(json!([{}])));
        assert_eq!(of(&json!(false)), Ok(json!([])));
        assert_eq!(of(&json!({ "$ref": "#/$defs/Text" })), Ok(json!([text])));
        assert_eq!(of(&json!({ "type": ["string", "null"] })), Ok(json!([text, nothing])));
        assert_eq!(
            of(&json!({ "anyOf": [{ "$ref": "#/$defs/Text" }, { "type": "null" }] })),
            Ok(json!([text, nothing]))
        );
        assert_eq!(
            of(&json!({ "enum": ["a", null], "type": ["string", "null"] })),
            Ok(json!([{ "type": "string", "const": "a" }, { "type": "null", "const": null }]))
        );
    }

    #[test]
    fn what_stands_beside_a_reference_holds_too() {
        let tagged = json!({
            "$ref": "#/$defs/Point", "type": "object",
            "properties": { "type": { "const": "A" } }, "required": ["type"],
        });
        let whole = json!([{
            "type": "object", "properties": { "type": { "const": "A" }, "x": true }, "required": ["type", "x"],
        }]);
        assert_eq!(of(&tagged), Ok(whole));
        let never = json!({ "$ref": "#/$defs/Point", "type": "string" });
        assert_eq!(of(&never), Ok(json!([])));
    }

    #[test]
    fn what_cannot_be_understood_is_told() {
        assert_eq!(of(&json!({ "$ref": "#/$defs/Loop" })), Err(Unclear("$ref".into())));
        assert_eq!(of(&json!({ "$ref": "#/$defs/Gone" })), Err(Unclear("$ref: \"#/$defs/Gone\"".into())));
        let two_patterns = json!({ "pattern": "a", "allOf": [{ "pattern": "b" }] });
        assert_eq!(of(&two_patterns), Err(Unclear("pattern".into())));
        let closed = json!({ "additionalProperties": false, "allOf": [{ "properties": { "x": true } }] });
        assert_eq!(of(&closed), Err(Unclear("additionalProperties".into())));
    }
}
