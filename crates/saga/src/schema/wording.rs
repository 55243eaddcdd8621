//! Schemas in a few words.

use super::{
    alternatives::{Alternative, properties, required, type_name},
    limits::integers,
};
use serde_json::Value as Json;

/// What tells an alternative from its neighbours.
#[derive(Debug, PartialEq)]
pub(super) struct Label<'a> {
    type_name: Option<&'a str>,
    constant: Option<&'a Json>,
    tags: Vec<(&'a str, &'a Json)>,
    variant: Option<&'a str>,
}

/// What tells an alternative from its neighbours.
pub(super) fn label(schema: &Alternative) -> Label<'_> {
    let closed = schema.get("additionalProperties") == Some(&Json::Bool(false));
    // serde writes a variant as the one member of an object.
    let variant = required(schema).into_iter().next().filter(|_| closed && properties(schema).count() == 1);
    Label { type_name: type_name(schema), constant: schema.get("const"), tags: tags(schema), variant }
}

/// The members that are constants, by which serde knows a variant.
pub(super) fn tags(schema: &Alternative) -> Vec<(&str, &Json)> {
    properties(schema).filter_map(|(name, schema)| Some((name.as_str(), schema.get("const")?))).collect()
}

/// The alternative in a few words.
pub(super) fn describe(schema: &Alternative) -> String {
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    match type_name(schema) {
        None => "anything".into(),
        Some("null") => "null".into(),
        Some("integer") => match integers(schema) {
            (Some(low), Some(high)) => format!("an integer from {low} to {high}"),
            (Some(low), None) => format!("an integer of at least {low}"),
            (None, Some(high)) => format!("an integer of at most {high}"),
            (None, None) => "an integer".into(),
        },
        Some("object") => {
            let Label { tags, variant, .. } = label(schema);
            let tags = tags.into_iter().map(|(name, value)| format!("`{name}`: {value}"));
            let names: Vec<_> = tags.chain(variant.map(|name| format!("`{name}`"))).collect();
            if names.is_empty() { "an object".into() } else { format!("an object with {}", names.join(", ")) }
        }
        Some(other) if other.starts_with('a') => format!("an {other}"),
        Some(other) => format!("a {other}"),
    }
}

/// The alternative in a few words, with one of its keywords.
pub(super) fn describe_with(schema: &Alternative, keyword: &str) -> String {
    match schema.get(keyword) {
        Some(_) if type_name(schema) == Some("integer") => describe(schema),
        Some(value) => format!("{} with {keyword} {value}", describe(schema)),
        None => describe(schema),
    }
}
