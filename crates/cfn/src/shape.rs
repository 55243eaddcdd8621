//! What the members of an object in a template may be, as tables.

use serde_json::{Map, Value as Json};

use crate::fit::{is_intrinsic, list, missing, object, only, wrong};
use crate::path::At;
use crate::problem::LoadProblem;

/// A member: its name, what it may be, and whether it must be there.
pub(crate) type Member = (&'static str, Kind, bool);

/// What a member may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Checked elsewhere.
    Any,
    /// An object.
    Object,
    /// Text, as it stands.
    Text,
    /// Text or a number, or a function that gives one.
    Computed,
    /// Text, a number, or true or false.
    Scalar,
    /// A list of such.
    Scalars,
    /// A number, or text that reads as one.
    Number,
    /// True or false, or the text of it.
    Flag,
    /// A name, or a list of names.
    Names,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// Checks an object against the table of its members, and gives it if it is one.
pub(crate) fn check<'a>(
    at: &At<'_>,
    json: &'a Json,
    members: &[Member],
    problems: &mut Vec<LoadProblem>,
) -> Option<&'a Map<String, Json>> {
    let fields = object(at, json, problems)?;
    let known: Vec<&str> = members.iter().map(|(name, ..)| *name).collect();
    only(at, fields, &known, problems);
    for (name, kind, required) in members {
        match fields.get(*name) {
            Some(value) => member(&at.name(name), value, *kind, problems),
            None if *required => problems.push(missing(at, name)),
            None => {}
        }
    }
    Some(fields)
}

pub(crate) fn member(at: &At<'_>, json: &Json, kind: Kind, problems: &mut Vec<LoadProblem>) {
    let text = json.as_str();
    let expected = match kind {
        Kind::Any => return,
        Kind::Object if json.is_object() => return,
        Kind::Object => "an object",
        Kind::Text if json.is_string() => return,
        Kind::Text => "text",
        Kind::Computed if is_scalar(json) || is_intrinsic(json) => return,
        Kind::Computed => "text, or a function that gives text",
        Kind::Scalar if is_scalar(json) => return,
        Kind::Scalar => "text or a number",
        Kind::Number if json.is_number() || text.is_some_and(|text| text.parse::<f64>().is_ok()) => return,
        Kind::Number => "a number",
        Kind::Flag if is_flag(json) => return,
        Kind::Flag => "true or false",
        Kind::Scalars => {
            let items = list(at, json, problems).unwrap_or_default();
            return items.iter().enumerate().for_each(|(i, item)| {
                member(&at.index(i), item, Kind::Scalar, problems);
            });
        }
        Kind::Names if json.is_string() => return,
        Kind::Names if json.as_array().is_some_and(|items| items.iter().all(Json::is_string)) => return,
        Kind::Names => "a name or a list of names",
        Kind::Word(words) if text.is_some_and(|text| words.contains(&text)) => return,
        Kind::Word(words) if json.is_string() => {
            let (at, given, allowed) = (at.to_string(), json.to_string(), words.join(", "));
            return problems.push(LoadProblem::NotAllowed { at, given, allowed });
        }
        Kind::Word(_) => "text",
    };
    problems.push(wrong(at, expected, json));
}

/// Whether CloudFormation takes this for true or false: text may begin with a capital, or be all capitals.
pub(crate) fn is_flag(json: &Json) -> bool {
    const WORDS: [&str; 6] = ["true", "True", "TRUE", "false", "False", "FALSE"];
    json.is_boolean() || json.as_str().is_some_and(|text| WORDS.contains(&text))
}

pub(crate) fn is_scalar(json: &Json) -> bool {
    json.is_string() || json.is_number() || json.is_boolean()
}
