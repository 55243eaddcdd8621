//! JSON as text for properties that want a string, with intrinsic functions inside the JSON resolved.

use serde_json::{Map, Value as Json};

use crate::value::{Value, escape_sub};

/// The JSON as the text of one `Fn::Sub`: `{"Ref": "Orders"}` becomes `"${Orders}"`.
///
/// What is substituted stands between quotes and is not escaped: names, ARNs and URLs need no escaping.
pub(crate) fn substituted(json: &Json) -> Value<String> {
    let mut variables = Map::new();
    let taken = json.to_string();
    let replaced = replace(json, &taken, &mut variables);
    // The alternate form is indented, so that a change of one line shows as one line.
    let text = format!("{replaced:#}");
    Value::sub_with(text, variables.into_iter().map(|(name, json)| (name, Value::from_json(json))))
}

fn replace(json: &Json, taken: &str, variables: &mut Map<String, Json>) -> Json {
    match json {
        Json::String(text) => Json::String(escape_sub(text)),
        Json::Array(items) => items.iter().map(|item| replace(item, taken, variables)).collect(),
        Json::Object(fields) => match (fields.len(), fields.iter().next()) {
            (1, Some((function, argument))) if function == "Ref" || function.starts_with("Fn::") => {
                Json::String(substitution(json, function, argument, taken, variables))
            }
            _ => {
                fields.iter().map(|(name, value)| (name.clone(), replace(value, taken, variables))).collect()
            }
        },
        other => other.clone(),
    }
}

fn substitution(
    whole: &Json,
    function: &str,
    argument: &Json,
    taken: &str,
    variables: &mut Map<String, Json>,
) -> String {
    match (function, argument) {
        ("Ref", Json::String(name)) => return format!("${{{name}}}"),
        ("Fn::Sub", Json::String(text)) => return text.clone(),
        ("Fn::GetAtt", Json::Array(path)) => {
            if let [Json::String(id), Json::String(attribute)] = path.as_slice() {
                return format!("${{{id}.{attribute}}}");
            }
        }
        _ => {}
    }
    // A variable hides a resource of the same name, so a name that occurs in the text is not used.
    let free = |name: &String| !variables.contains_key(name) && !taken.contains(name.as_str());
    let name = (1..).map(|number| format!("Value{number}")).find(free).unwrap_or_default();
    variables.insert(name.clone(), whole.clone());
    format!("${{{name}}}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_substituted_and_literals_escaped() {
        let value = substituted(&json!({
            "a": { "Ref": "Orders" },
            "b": { "Fn::GetAtt": ["Orders", "Arn"] },
            "c": "${not}",
        }));
        assert_eq!(
            value.as_json(),
            &json!({ "Fn::Sub": "{\n  \"a\": \"${Orders}\",\n  \"b\": \"${Orders.Arn}\",\n  \"c\": \"${!not}\"\n}" })
        );
    }

    #[test]
    fn other_functions_become_variables_that_hide_no_resource() {
        let join = json!({ "Fn::Join": ["", ["a", { "Ref": "Value1" }]] });
        let value = substituted(&json!({ "a": join }));
        assert_eq!(value.as_json()["Fn::Sub"][1], json!({ "Value2": join }));
    }
}
