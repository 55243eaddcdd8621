//! Finds what a piece of a template refers to, as CloudFormation would.

use serde_json::Value as Json;

use crate::pseudo;

/// A reference found in a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reference {
    /// `Ref`, or a `${Name}`.
    Ref(String),
    /// `Fn::GetAtt`, or a `${Name.Attribute}`.
    Attribute(String),
    /// The condition of an `Fn::If`.
    Condition(String),
    /// The mapping of an `Fn::FindInMap`.
    Mapping(String),
}

/// Every reference in `json`, in the order written.
pub(crate) fn find(json: &Json) -> Vec<Reference> {
    let mut found = Vec::new();
    walk(json, &mut found);
    found
}

fn walk(json: &Json, found: &mut Vec<Reference>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| walk(item, found)),
        Json::Object(fields) => {
            if let (1, Some((name, argument))) = (fields.len(), fields.iter().next()) {
                intrinsic(name, argument, found);
            }
            fields.values().for_each(|value| walk(value, found));
        }
        _ => {}
    }
}

fn intrinsic(function: &str, argument: &Json, found: &mut Vec<Reference>) {
    let first = argument.get(0).and_then(Json::as_str);
    match (function, argument, first) {
        ("Ref", Json::String(name), _) => reference(name, found),
        ("Fn::GetAtt", Json::String(dotted), _) => {
            let id = dotted.split_once('.').map_or(dotted.as_str(), |(id, _)| id);
            found.push(Reference::Attribute(id.to_owned()));
        }
        ("Fn::GetAtt", _, Some(id)) => found.push(Reference::Attribute(id.to_owned())),
        ("Fn::If", _, Some(name)) => found.push(Reference::Condition(name.to_owned())),
        ("Fn::FindInMap", _, Some(name)) => found.push(Reference::Mapping(name.to_owned())),
        ("Fn::Sub", Json::String(text), _) => substitutions(text, None, found),
        ("Fn::Sub", _, Some(text)) => substitutions(text, argument.get(1), found),
        _ => {}
    }
}

fn reference(name: &str, found: &mut Vec<Reference>) {
    if !pseudo::ALL.contains(&name) {
        found.push(Reference::Ref(name.to_owned()));
    }
}

fn substitutions(text: &str, variables: Option<&Json>, found: &mut Vec<Reference>) {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else { return };
        rest = tail;
        let own = variables.is_some_and(|variables| variables.get(name).is_some());
        // `${!Name}` is the literal text `${Name}`.
        if name.starts_with('!') || own {
            continue;
        }
        match name.split_once('.') {
            Some((id, _)) => found.push(Reference::Attribute(id.to_owned())),
            None => reference(name, found),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_references_at_any_depth() {
        let found =
            find(&json!({ "A": [{ "Fn::If": ["Tls", { "Ref": "Queue" }, { "Ref": "AWS::NoValue" }] }] }));
        assert_eq!(found, [Reference::Condition("Tls".into()), Reference::Ref("Queue".into())]);
    }

    #[test]
    fn reads_substitutions() {
        let found = find(&json!({ "Fn::Sub": [
            "${Own} ${!Literal} ${Queue.Arn} ${Stage} ${AWS::Region}",
            { "Own": { "Ref": "Table" } },
        ]}));
        assert_eq!(
            found,
            [
                Reference::Attribute("Queue".into()),
                Reference::Ref("Stage".into()),
                Reference::Ref("Table".into())
            ]
        );
    }

    #[test]
    fn an_object_that_merely_has_such_a_key_is_no_reference() {
        assert_eq!(find(&json!({ "Ref": "x", "Other": 1 })), []);
    }
}
