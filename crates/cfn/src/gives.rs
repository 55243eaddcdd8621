//! Whether an intrinsic function gives a list or a single value, as far as that is known without CloudFormation.

use serde_json::{Map, Value as Json};

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    /// One text or number.
    One,
    /// A list of them.
    List,
}

/// What this function gives; nothing when only CloudFormation knows. `parameters` are those of the template,
/// if it is at hand.
pub(crate) fn of(function: &Json, parameters: Option<&Map<String, Json>>) -> Option<Gives> {
    let (name, argument) = function.as_object()?.iter().next()?;
    match name.as_str() {
        "Ref" => reference(argument.as_str()?, parameters?),
        "Fn::Base64" | "Fn::GetStackOutput" | "Fn::Join" | "Fn::Sub" => Some(Gives::One),
        "Fn::Cidr" | "Fn::GetAZs" | "Fn::Split" => Some(Gives::List),
        _ => None,
    }
}

fn reference(name: &str, parameters: &Map<String, Json>) -> Option<Gives> {
    match name {
        "AWS::NoValue" => return None,
        "AWS::NotificationARNs" => return Some(Gives::List),
        _ => {}
    }
    // What is no parameter is a resource, and that is one name or id.
    let Some(parameter) = parameters.get(name) else { return Some(Gives::One) };
    let kind = parameter.get("Type")?.as_str()?;
    let is_list = kind.contains("List<") || kind.contains("CommaDelimitedList");
    Some(if is_list { Gives::List } else { Gives::One })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_and_functions_give_what_their_type_says() {
        let parameters = json!({
            "One": { "Type": "String" },
            "Many": { "Type": "CommaDelimitedList" },
            "Subnets": { "Type": "List<AWS::EC2::Subnet::Id>" },
            "Stored": { "Type": "AWS::SSM::Parameter::Value<List<String>>" },
            "Unclear": {},
        });
        let parameters = parameters.as_object().expect("an object");
        for (function, expected) in [
            (json!({ "Ref": "One" }), Some(Gives::One)),
            (json!({ "Ref": "Many" }), Some(Gives::List)),
            (json!({ "Ref": "Subnets" }), Some(Gives::List)),
            (json!({ "Ref": "Stored" }), Some(Gives::List)),
            (json!({ "Ref": "Unclear" }), None),
            (json!({ "Ref": "Queue" }), Some(Gives::One)),
            (json!({ "Ref": "AWS::Region" }), Some(Gives::One)),
            (json!({ "Ref": "AWS::NoValue" }), None),
            (json!({ "Ref": "AWS::NotificationARNs" }), Some(Gives::List)),
            (json!({ "Fn::Split": [",", "a"] }), Some(Gives::List)),
            (json!({ "Fn::Sub": "a" }), Some(Gives::One)),
            (json!({ "Fn::GetStackOutput": {} }), Some(Gives::One)),
            (json!({ "Fn::GetAtt": ["A", "B"] }), None),
            (json!({ "Fn::FindInMap": ["A", "B", "C"] }), None),
        ] {
            assert_eq!(of(&function, Some(parameters)), expected, "{function}");
        }
    }
}
