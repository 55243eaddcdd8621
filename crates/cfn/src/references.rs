//! Finds what a piece of a template refers to, as CloudFormation would.

use serde_json::Value as Json;

use crate::path::At;
use crate::pseudo;

/// A reference found in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reference<'a> {
    /// `Ref`, or a `${Name}`.
    Ref(&'a str),
    /// `Fn::GetAtt`, or a `${Name.Attribute}`: the name, and the attribute unless it is computed.
    Attribute(&'a str, Option<&'a str>),
    /// The condition of an `Fn::If`.
    Condition(&'a str),
    /// The mapping of an `Fn::FindInMap`.
    Mapping(&'a str),
}

/// Shows every reference in `json`, in the order written, with the path of the function that makes it.
pub(crate) fn find<'a>(at: &At<'_>, json: &'a Json, found: &mut dyn FnMut(&At<'_>, Reference<'a>)) {
    match json {
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| find(&at.index(index), item, found));
        }
        Json::Object(fields) => {
            if let (1, Some((name, argument))) = (fields.len(), fields.iter().next()) {
                intrinsic(name, argument, &mut |reference| found(at, reference));
            }
            fields.iter().for_each(|(name, value)| find(&at.name(name), value, found));
        }
        _ => {}
    }
}

fn intrinsic<'a>(function: &str, argument: &'a Json, found: &mut dyn FnMut(Reference<'a>)) {
    let item = |index: usize| argument.get(index).and_then(Json::as_str);
    match (function, argument, item(0)) {
        ("Ref", Json::String(name), _) => reference(name, found),
        ("Fn::GetAtt", Json::String(dotted), _) => found(attribute(dotted)),
        ("Fn::GetAtt", _, Some(id)) => found(Reference::Attribute(id, item(1))),
        ("Fn::If", _, Some(name)) => found(Reference::Condition(name)),
        ("Fn::FindInMap", _, Some(name)) => found(Reference::Mapping(name)),
        ("Fn::Sub", Json::String(text), _) => substitutions(text, None, found),
        ("Fn::Sub", _, Some(text)) => substitutions(text, argument.get(1), found),
        _ => {}
    }
}

fn reference<'a>(name: &'a str, found: &mut dyn FnMut(Reference<'a>)) {
    if !pseudo::ALL.contains(&name) {
        found(Reference::Ref(name));
    }
}

fn attribute(dotted: &str) -> Reference<'_> {
    match dotted.split_once('.') {
        Some((id, attribute)) => Reference::Attribute(id, Some(attribute)),
        None => Reference::Attribute(dotted, None),
    }
}

fn substitutions<'a>(text: &'a str, variables: Option<&Json>, found: &mut dyn FnMut(Reference<'a>)) {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else { return };
        rest = tail;
        // Blanks around a name are no part of it.
        let name = name.trim();
        let own = variables.is_some_and(|variables| variables.get(name).is_some());
        // `${!Name}` is the literal text `${Name}`.
        if name.starts_with('!') || own {
            continue;
        }
        if name.contains('.') { found(attribute(name)) } else { reference(name, found) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all(json: &Json) -> Vec<(String, Reference<'_>)> {
        let mut all = Vec::new();
        find(&At::root("P"), json, &mut |at, reference| all.push((at.to_string(), reference)));
        all
    }

    #[test]
    fn finds_references_at_any_depth_with_their_paths() {
        let json = json!({ "A": [{ "Fn::If": ["Tls", { "Ref": "Queue" }, { "Ref": "AWS::NoValue" }] }] });
        assert_eq!(
            all(&json),
            [
                ("P.A[0]".into(), Reference::Condition("Tls")),
                ("P.A[0].Fn::If[1]".into(), Reference::Ref("Queue"))
            ]
        );
    }

    #[test]
    fn reads_substitutions() {
        let json = json!({ "Fn::Sub": [
            "${Own} ${ Own } ${!Literal} ${ !Literal } ${ Queue.Arn } ${Stage} ${ AWS::Region}",
            { "Own": { "Ref": "Table" } },
        ]});
        let references: Vec<Reference<'_>> = all(&json).into_iter().map(|(_, reference)| reference).collect();
        assert_eq!(
            references,
            [Reference::Attribute("Queue", Some("Arn")), Reference::Ref("Stage"), Reference::Ref("Table")]
        );
    }

    #[test]
    fn an_attribute_may_have_dots() {
        let json =
            json!([{ "Fn::GetAtt": "Db.Endpoint.Port" }, { "Fn::GetAtt": ["Db", { "Ref": "Which" }] }]);
        let references: Vec<Reference<'_>> = all(&json).into_iter().map(|(_, reference)| reference).collect();
        assert_eq!(
            references,
            [
                Reference::Attribute("Db", Some("Endpoint.Port")),
                Reference::Attribute("Db", None),
                Reference::Ref("Which")
            ]
        );
    }

    #[test]
    fn an_object_that_merely_has_such_a_key_is_no_reference() {
        assert_eq!(all(&json!({ "Ref": "x", "Other": 1 })), []);
    }
}
