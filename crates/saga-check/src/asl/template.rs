//! JSON with JSONata expressions in it, evaluated by the crate `jsonata-rs`.

use bumpalo::Bump;
use jsonata_rs::JsonAta;
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// A value in which texts of the form `{% … %}` are expressions.
#[derive(Debug, Clone)]
pub(super) enum Template {
    Constant(Json),
    Expression(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Template {
    /// Reads a template and parses every expression in it.
    pub(super) fn parse(json: &Json) -> Result<Self, String> {
        Self::read(json, false)
    }

    /// As [`parse`](Self::parse), where the input of the state may be read.
    pub(super) fn parse_with_input(json: &Json) -> Result<Self, String> {
        Self::read(json, true)
    }

    fn read(json: &Json, reads_input: bool) -> Result<Self, String> {
        let read = |json: &Json| Self::read(json, reads_input);
        Ok(match json {
            Json::String(text) => match expression(text) {
                Some(source) if !reads_input && source.contains("$states.input") => {
                    return Err(format!(
                        "`{source}` reads `$states.input`, which is not interpreted: use a variable"
                    ));
                }
                Some(source) => Self::Expression(parsed(source)?),
                None => Self::Constant(json.clone()),
            },
            Json::Array(members) => Self::Array(members.iter().map(read).collect::<Result<_, _>>()?),
            Json::Object(members) => {
                let member = |(name, value): (&String, &Json)| Ok((name.clone(), read(value)?));
                Self::Object(members.iter().map(member).collect::<Result<_, String>>()?)
            }
            _ => Self::Constant(json.clone()),
        })
    }

    /// Its value.
    ///
    /// # Errors
    /// When an expression fails, or has no value: as in Step Functions, its state then fails.
    pub(super) fn evaluate(&self, bindings: &Map<String, Json>) -> Result<Json, String> {
        Ok(match self {
            Self::Constant(json) => json.clone(),
            Self::Expression(source) => evaluate(source, bindings)?,
            Self::Array(members) => {
                let members = members.iter().map(|member| member.evaluate(bindings));
                Json::Array(members.collect::<Result<_, _>>()?)
            }
            Self::Object(members) => {
                let member = |(name, value): &(String, Self)| Ok((name.clone(), value.evaluate(bindings)?));
                Json::Object(members.iter().map(member).collect::<Result<_, String>>()?)
            }
        })
    }
}

fn expression(text: &str) -> Option<&str> {
    Some(text.strip_prefix("{%")?.strip_suffix("%}")?.trim())
}

fn parsed(source: &str) -> Result<String, String> {
    let arena = Bump::new();
    match JsonAta::new(source, &arena) {
        Ok(_) => Ok(source.to_owned()),
        Err(error) => Err(format!("`{source}` is no JSONata: {error}")),
    }
}

fn evaluate(source: &str, bindings: &Map<String, Json>) -> Result<Json, String> {
    let arena = Bump::new();
    let failed = |error: jsonata_rs::Error| format!("`{source}`: {error}");
    let program = JsonAta::new(source, &arena).map_err(failed)?;
    let bindings: HashMap<&str, &Json> = bindings.iter().map(|(name, value)| (&**name, value)).collect();
    let value = program.evaluate(None, Some(&bindings)).map_err(failed)?;
    if value.is_undefined() {
        return Err(format!("`{source}` has no value"));
    }
    let json =
        serde_json::from_str(&value.serialize(false)).map_err(|error| format!("`{source}`: {error}"))?;
    Ok(if source.contains("$string(") { in_order(json) } else { json })
}

/// `jsonata-rs` keeps no order of members, so the text that `$string` makes of an object differs from run to run.
fn in_order(json: Json) -> Json {
    match &json {
        Json::String(text) => match serde_json::from_str::<Json>(text) {
            Ok(object @ Json::Object(_)) => Json::String(object.to_string()),
            _ => json,
        },
        _ => json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn value(template: &Json) -> Result<Json, String> {
        let bindings = json!({
            "states": { "result": { "n": 7, "list": [1] }, "context": { "Execution": { "Name": "o-1" } } },
            "unresolved": { "b": { "error": "E" } },
        });
        Template::parse(template)?.evaluate(bindings.as_object().unwrap())
    }

    #[test]
    fn what_the_compiler_emits_has_its_value() {
        let template = json!({
            "v": 1,
            "name": "{% $states.context.Execution.Name %}",
            "whole": "{% $states.result %}",
            "cause": "{% ($exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : '') %}",
            "merged": "{% $merge([$unresolved, {'a': {'error': 'F', 'cause': ''}}]) %}",
            "text": "{% $string($merge([$unresolved, {'a': 1}])) %}",
            "none": "{% {} %}",
            "some": "{% $count($keys($unresolved)) > 0 %}",
        });
        let expected = json!({
            "v": 1, "name": "o-1", "whole": { "n": 7, "list": [1] }, "cause": "",
            "merged": { "a": { "error": "F", "cause": "" }, "b": { "error": "E" } },
            "text": r#"{"a":1,"b":{"error":"E"}}"#, "none": {}, "some": true,
        });
        assert_eq!(value(&template), Ok(expected));
    }

    #[test]
    fn what_cannot_be_evaluated_is_told() {
        insta::assert_snapshot!(value(&json!("{% $missing %}")).unwrap_err(), @"`$missing` has no value");
        insta::assert_snapshot!(value(&json!("{% 1 + 'a' %}")).unwrap_err());
        insta::assert_snapshot!(value(&json!({ "a": ["{% ( %}"] })).unwrap_err());
        insta::assert_snapshot!(value(&json!("{% $states.input.a %}")).unwrap_err(), @"`$states.input.a` reads `$states.input`, which is not interpreted: use a variable");
    }
}
