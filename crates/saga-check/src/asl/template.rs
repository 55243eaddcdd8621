//! JSON with JSONata expressions in it, evaluated by the crate `jsonata-rs`.

use super::expression::{Bindings, Expression};
use serde_json::Value as Json;
use std::sync::Arc;

/// A value in which texts of the form `{% … %}` are expressions.
#[derive(Debug, Clone)]
pub(super) enum Template {
    Constant(Json),
    Expression(Arc<Expression>),
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
            Json::String(text) => match within_marks(text) {
                Some(source) if !reads_input && source.contains("$states.input") => {
                    return Err(format!(
                        "`{source}` reads `$states.input`, which is not interpreted: use a variable"
                    ));
                }
                Some(source) => Self::Expression(Arc::new(Expression::parse(source)?)),
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
    pub(super) fn evaluate(&self, bindings: &Bindings<'_>) -> Result<Json, String> {
        Ok(match self {
            Self::Constant(json) => json.clone(),
            Self::Expression(expression) => expression.evaluate(bindings)?,
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

fn within_marks(text: &str) -> Option<&str> {
    Some(text.strip_prefix("{%")?.strip_suffix("%}")?.trim())
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
        let bindings = bindings.as_object().unwrap().iter().map(|(name, value)| (&**name, value)).collect();
        Template::parse(template)?.evaluate(&bindings)
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
