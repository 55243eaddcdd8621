//! Checks the intrinsic functions: which may stand where, and what each takes.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

use serde_json::{Map, Value as Json};

use crate::fit::is_intrinsic;
use crate::path::At;

/// Where a function stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In properties, outputs, metadata and policies.
    Values,
    /// In conditions.
    Conditions,
    /// In rules.
    Rules,
}

/// What a function takes.
#[derive(Debug, Clone, Copy)]
enum Takes {
    /// The name of something, as text.
    Name,
    /// Text, or a function that gives it.
    Text,
    /// A list of so many arguments.
    List(usize, usize),
    /// A list whose first argument is the name of something.
    Named(usize, usize),
    /// `Fn::GetAtt`: `Name.Attribute`, or both as a list.
    Attribute,
    /// `Fn::Sub`: text, or text and an object of variables.
    Substitution,
    /// `Fn::GetStackOutput`: an object that names an output of another stack.
    StackOutput,
}

/// The functions that give values.
const VALUES: [(&str, Takes); 13] = [
    ("Fn::Base64", Takes::Text),
    ("Fn::Cidr", Takes::List(2, 3)),
    ("Fn::FindInMap", Takes::List(3, 3)),
    ("Fn::GetAZs", Takes::Text),
    ("Fn::GetAtt", Takes::Attribute),
    ("Fn::GetStackOutput", Takes::StackOutput),
    ("Fn::If", Takes::Named(3, 3)),
    ("Fn::ImportValue", Takes::Text),
    ("Fn::Join", Takes::List(2, 2)),
    ("Fn::Select", Takes::List(2, 2)),
    ("Fn::Split", Takes::List(2, 2)),
    ("Fn::Sub", Takes::Substitution),
    ("Ref", Takes::Name),
];

/// The functions of conditions. They know parameters and mappings, but no resources.
const CONDITIONS: [(&str, Takes); 11] = [
    ("Condition", Takes::Name),
    ("Fn::And", Takes::List(2, 10)),
    ("Fn::Equals", Takes::List(2, 2)),
    ("Fn::FindInMap", Takes::List(3, 3)),
    ("Fn::Join", Takes::List(2, 2)),
    ("Fn::Not", Takes::List(1, 1)),
    ("Fn::Or", Takes::List(2, 10)),
    ("Fn::Select", Takes::List(2, 2)),
    ("Fn::Split", Takes::List(2, 2)),
    ("Fn::Sub", Takes::Substitution),
    ("Ref", Takes::Name),
];

/// The functions of rules beyond those of conditions.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html>
const RULES: [(&str, Takes); 7] = [
    ("Fn::Contains", Takes::List(2, 2)),
    ("Fn::EachMemberEquals", Takes::List(2, 2)),
    ("Fn::EachMemberIn", Takes::List(2, 2)),
    ("Fn::If", Takes::Named(3, 3)),
    ("Fn::RefAll", Takes::Name),
    ("Fn::ValueOf", Takes::List(2, 2)),
    ("Fn::ValueOfAll", Takes::List(2, 2)),
];

/// Why a function of a macro is refused; nothing for other functions.
pub(crate) fn needs_transform(name: &str) -> Option<String> {
    let transform = match name {
        "Fn::Transform" => "a macro",
        "Fn::Length" | "Fn::ToJsonString" => "the transform AWS::LanguageExtensions",
        _ if name == "Fn::ForEach" || name.starts_with("Fn::ForEach::") => {
            "the transform AWS::LanguageExtensions"
        }
        _ => return None,
    };
    Some(format!(
        "it is for {transform}, which rewrites the template before CloudFormation reads it: what it will say cannot be \
         checked; load what it became (`aws cloudformation get-template --template-stage Processed`)"
    ))
}

/// A function that does not fit.
pub(crate) struct Misfit<'a> {
    pub(crate) function: &'a str,
    pub(crate) reason: String,
}

/// Shows every function in `json` that does not fit, with its path.
pub(crate) fn check<'a>(
    place: Place,
    at: &At<'_>,
    json: &'a Json,
    found: &mut dyn FnMut(&At<'_>, Misfit<'a>),
) {
    match json {
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| check(place, &at.index(i), item, found));
        }
        Json::Object(fields) => {
            for (name, value) in fields {
                if let Some(reason) = misfit(place, name, value, fields.len()) {
                    found(at, Misfit { function: name, reason });
                }
                check(place, &at.name(name), value, found);
            }
        }
        _ => {}
    }
}

/// What is wrong with this member of an object as a function, if it is one.
fn misfit(place: Place, name: &str, argument: &Json, members: usize) -> Option<String> {
    // A statement of a policy has a `Condition` that is no function, and JSON may have a `Ref` beside other things.
    let certainly = name.starts_with("Fn::");
    let perhaps = members == 1 && (name == "Ref" || (name == "Condition" && place != Place::Values));
    if !certainly && !perhaps {
        return None;
    }
    if let Some(reason) = needs_transform(name) {
        return Some(reason);
    }
    let Some(takes) = takes(place, name) else { return Some(unknown(place, name)) };
    if members > 1 {
        return Some("it has other members beside it: allowed is a function alone; remove them".to_owned());
    }
    shape(takes, argument).map(|wanted| format!("it takes {wanted}, but is given {}", given(argument)))
}

fn takes(place: Place, name: &str) -> Option<Takes> {
    functions(place).find(|(known, _)| *known == name).map(|(_, takes)| *takes)
}

fn functions(place: Place) -> impl Iterator<Item = &'static (&'static str, Takes)> {
    let (own, more): (&[_], &[_]) = match place {
        Place::Values => (&VALUES, &[]),
        Place::Conditions => (&CONDITIONS, &[]),
        Place::Rules => (&CONDITIONS, &RULES),
    };
    own.iter().chain(more)
}

fn unknown(place: Place, name: &str) -> String {
    let allowed: Vec<&str> = functions(place).map(|(known, _)| *known).collect();
    let elsewhere = [&VALUES[..], &CONDITIONS, &RULES].iter().any(|all| all.iter().any(|(n, _)| *n == name));
    let what = if elsewhere { "it has no meaning here" } else { "there is no such function" };
    format!("{what}: allowed are {}", allowed.join(", "))
}

/// What is wanted instead, unless the argument is that.
fn shape(takes: Takes, argument: &Json) -> Option<String> {
    let items = argument.as_array().map(Vec::as_slice);
    let text = |json: Option<&Json>| json.is_some_and(Json::is_string);
    let counts = |min: usize, max: usize| {
        if min == max { format!("{min}") } else { format!("{min} to {max}") }
    };
    let fits = match takes {
        Takes::Name => argument.is_string(),
        Takes::Text => argument.is_string() || argument.is_object(),
        Takes::List(min, max) => items.is_some_and(|items| (min..=max).contains(&items.len())),
        Takes::Named(min, max) => {
            items.is_some_and(|items| (min..=max).contains(&items.len()) && text(items.first()))
        }
        Takes::Attribute => match items {
            Some(items) => items.len() == 2 && text(items.first()),
            None => argument.as_str().is_some_and(|dotted| dotted.contains('.')),
        },
        Takes::Substitution => match items {
            Some([template, variables]) => template.is_string() && variables.is_object(),
            Some(_) => false,
            None => argument.is_string(),
        },
        Takes::StackOutput => argument.as_object().is_some_and(is_stack_output),
    };
    let wanted = match takes {
        _ if fits => return None,
        Takes::Name => "a name".to_owned(),
        Takes::Text => "text, or a function that gives text".to_owned(),
        Takes::List(min, max) => format!("a list of {}", counts(min, max)),
        Takes::Named(min, max) => format!("a list of {}, the first of them a name", counts(min, max)),
        Takes::Attribute => {
            "a resource and an attribute, as `Name.Attribute` or as a list of both".to_owned()
        }
        Takes::Substitution => "text, or a list of text and an object of variables".to_owned(),
        Takes::StackOutput => {
            "an object of StackName and OutputName, and of Region and RoleArn if they are others, \
                               each of them text or a function that gives text"
                .to_owned()
        }
    };
    Some(wanted)
}

fn is_stack_output(members: &Map<String, Json>) -> bool {
    let is_text = |(name, value): (&String, &Json)| {
        let known = ["OutputName", "Region", "RoleArn", "StackName"].contains(&name.as_str());
        known && (value.is_string() || is_intrinsic(value))
    };
    ["OutputName", "StackName"].iter().all(|name| members.contains_key(*name)) && members.iter().all(is_text)
}

fn given(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Array(items) => format!("a list of {}", items.len()),
        Json::Object(members) if members.is_empty() => "an object of nothing".to_owned(),
        Json::Object(members) => {
            format!("an object of {}", members.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn misfits(place: Place, json: &Json) -> Vec<String> {
        let mut all = Vec::new();
        check(place, &At::root("P"), json, &mut |at, misfit| {
            all.push(format!("{at} {}: {}", misfit.function, misfit.reason));
        });
        all
    }

    #[test]
    fn what_each_function_takes_is_accepted() {
        let values = json!([
            { "Ref": "A" },
            { "Fn::GetAtt": "A.Arn" },
            { "Fn::GetAtt": ["A", { "Ref": "Which" }] },
            { "Fn::Sub": "${A}" },
            { "Fn::Sub": ["${B}", { "B": { "Fn::Base64": "b" } }] },
            { "Fn::If": ["C", [1], { "Ref": "AWS::NoValue" }] },
            { "Fn::Cidr": ["10.0.0.0/16", 4] },
            { "Fn::Select": [0, { "Fn::GetAZs": "" }] },
            { "Fn::Split": [",", { "Fn::ImportValue": { "Fn::Sub": "${AWS::StackName}" } }] },
            { "Condition": { "Bool": { "aws:SecureTransport": "false" } } },
            { "Fn::GetStackOutput": { "StackName": "data", "OutputName": { "Ref": "Which" }, "Region": "eu-west-1" } },
        ]);
        assert_eq!(misfits(Place::Values, &values), Vec::<String>::new());
        let tests = json!([
            { "Fn::And": [{ "Condition": "A" }, { "Fn::Not": [{ "Fn::Equals": ["a", { "Ref": "B" }] }] }] },
        ]);
        assert_eq!(misfits(Place::Conditions, &tests), Vec::<String>::new());
        let rules = json!({ "Assert": { "Fn::Contains": [["a", "b"], { "Ref": "Stage" }] } });
        assert_eq!(misfits(Place::Rules, &rules), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_fit_is_found_with_its_path() {
        for (place, json, expected) in [
            (
                Place::Values,
                json!({ "A": { "Ref": ["B"] } }),
                "P.A Ref: it takes a name, but is given a list of 1",
            ),
            (
                Place::Values,
                json!([{ "Fn::GetAtt": "A" }]),
                "P[0] Fn::GetAtt: it takes a resource and an attribute",
            ),
            (
                Place::Values,
                json!({ "Fn::If": ["A", 1] }),
                "P Fn::If: it takes a list of 3, the first of them a name",
            ),
            (
                Place::Values,
                json!({ "Fn::Joined": [] }),
                "P Fn::Joined: there is no such function: allowed are Fn::Base64",
            ),
            (Place::Values, json!({ "Fn::Equals": ["a", "b"] }), "P Fn::Equals: it has no meaning here"),
            (Place::Values, json!({ "Fn::Sub": "a", "B": 1 }), "P Fn::Sub: it has other members beside it"),
            (
                Place::Values,
                json!({ "Fn::GetStackOutput": { "StackName": "data", "Output": "Name" } }),
                "P Fn::GetStackOutput: it takes an object of StackName and OutputName, and of Region and RoleArn if they \
                 are others, each of them text or a function that gives text, but is given an object of Output, StackName",
            ),
            (
                Place::Values,
                json!({ "Fn::GetStackOutput": "data.Name" }),
                "P Fn::GetStackOutput: it takes an object",
            ),
            (Place::Values, json!({ "Fn::Transform": {} }), "P Fn::Transform: it is for a macro"),
            (
                Place::Values,
                json!({ "Fn::ForEach::Each": [] }),
                "P Fn::ForEach::Each: it is for the transform",
            ),
            (
                Place::Conditions,
                json!({ "Fn::Or": [{ "Condition": "A" }] }),
                "P Fn::Or: it takes a list of 2 to 10",
            ),
            (
                Place::Conditions,
                json!({ "Fn::Not": [{ "Fn::GetAtt": "A.B" }] }),
                "P.Fn::Not[0] Fn::GetAtt: it has no",
            ),
            (
                Place::Conditions,
                json!({ "Fn::Contains": [[], "a"] }),
                "P Fn::Contains: it has no meaning here",
            ),
        ] {
            let found = misfits(place, &json);
            assert!(found.iter().any(|misfit| misfit.starts_with(expected)), "{json}: {found:?}");
        }
    }
}
