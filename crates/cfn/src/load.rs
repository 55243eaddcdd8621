//! Reads existing templates, YAML or JSON, into the typed form, or says at which path they do not fit.

use serde_json::{Map, Value as Json};
use thiserror::Error;

use crate::declaration::Resource;
use crate::facts::{self, Property};
use crate::property::Properties;

/// Why a template or a part of it does not fit. Each error says where, what was given, and what is allowed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The text is neither YAML nor JSON.
    #[error("the template cannot be read: {reason}; allowed are YAML 1.2 and JSON")]
    Syntax {
        /// What the parser said.
        reason: String,
    },
    /// Something of the wrong type.
    #[error("{at} is {given}: expected {expected}")]
    WrongType {
        /// The path, as in `Resources.Orders.Properties.Tags[0]`.
        at: String,
        /// What is allowed.
        expected: String,
        /// What was given.
        given: String,
    },
    /// A property, a section or an option that does not exist.
    #[error("{at} has an unknown member {name:?}{}; known are: {known}", nearest(.near))]
    Unknown {
        /// The path of what has the member.
        at: String,
        /// The name that was given.
        name: String,
        /// A name that is nearly the same.
        near: Option<String>,
        /// The names that are allowed.
        known: String,
    },
    /// A property that must be there and is not.
    #[error("{at} lacks {name:?}, which is required")]
    Missing {
        /// The path of what lacks it.
        at: String,
        /// The name of the property.
        name: String,
    },
    /// A value that is not one of those allowed.
    #[error("{at} is {given}: allowed are {allowed}")]
    NotAllowed {
        /// The path.
        at: String,
        /// What was given.
        given: String,
        /// The values that are allowed.
        allowed: String,
    },
    /// A resource type that is not known.
    #[error(
        "{at} is of the type {name:?}, which is not known: enable the feature of its service, or check its name"
    )]
    UnknownType {
        /// The path of the resource.
        at: String,
        /// The type that was given.
        name: String,
    },
}

fn nearest(near: &Option<String>) -> String {
    near.as_ref().map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

/// Properties that were checked against the facts of their resource type.
#[derive(Debug)]
pub struct Checked(Properties);

impl Checked {
    pub(crate) fn into_properties(self) -> Properties {
        self.0
    }
}

/// A resource type that can be read from a template.
pub trait FromTemplate: Resource + Sized {
    /// The resource with these properties.
    fn from_checked(properties: Checked) -> Self;

    /// The resource with the properties of this JSON object.
    ///
    /// # Errors
    ///
    /// When a property is unknown, of the wrong type, or missing; the error says at which path.
    fn from_json(properties: Json) -> Result<Self, LoadError> {
        check(Self::TYPE, "Properties", &properties)?;
        Ok(Self::from_checked(Checked(Properties::from_json(properties))))
    }
}

/// Checks the properties of a resource; `at` is the path that errors start with.
///
/// # Errors
///
/// When a property is unknown, of the wrong type, or missing, or when the resource type is not known.
pub fn check(resource_type: &str, at: &str, properties: &Json) -> Result<(), LoadError> {
    let facts = facts::resource(resource_type)
        .ok_or_else(|| LoadError::UnknownType { at: at.to_owned(), name: resource_type.to_owned() })?;
    Checker { facts }.members(at, properties, &facts.properties)
}

struct Checker<'a> {
    facts: &'a facts::Resource,
}

impl Checker<'_> {
    fn members(
        &self,
        at: &str,
        json: &Json,
        known: &std::collections::BTreeMap<String, Property>,
    ) -> Result<(), LoadError> {
        if is_intrinsic(json) {
            return self.branches(json, &mut |branch| self.members(at, branch, known));
        }
        let fields = json.as_object().ok_or_else(|| wrong(at, "an object", json))?;
        for (name, value) in fields {
            let property = known.get(name).ok_or_else(|| unknown(at, name, known.keys()))?;
            self.notation(&format!("{at}.{name}"), value, &property.notation, &property.values)?;
        }
        match known.iter().find(|(name, property)| property.required && !fields.contains_key(*name)) {
            Some((name, _)) => Err(LoadError::Missing { at: at.to_owned(), name: name.clone() }),
            None => Ok(()),
        }
    }

    fn notation(&self, at: &str, json: &Json, notation: &str, values: &[Json]) -> Result<(), LoadError> {
        if is_intrinsic(json) {
            return self.branches(json, &mut |branch| self.notation(at, branch, notation, values));
        }
        if let Some(inner) = within(notation, "list(") {
            let items = json.as_array().ok_or_else(|| wrong(at, "a list", json))?;
            let mut each = items.iter().enumerate();
            return each.try_for_each(|(i, item)| self.notation(&format!("{at}[{i}]"), item, inner, values));
        }
        if let Some(inner) = within(notation, "map(") {
            let fields = json.as_object().ok_or_else(|| wrong(at, "an object", json))?;
            let mut each = fields.iter();
            return each
                .try_for_each(|(name, value)| self.notation(&format!("{at}.{name}"), value, inner, values));
        }
        if let Some(parts) = within(notation, "any(") {
            return self.union(at, json, &split(parts), values);
        }
        if let Some(nested) = notation.strip_prefix('#').and_then(|name| self.facts.types.get(name)) {
            return self.members(at, json, &nested.properties);
        }
        scalar(at, json, notation)?;
        one_of(at, json, values)
    }

    /// Checks one of several types: the one that is described, if the value has its shape, or else any that fits.
    fn union(&self, at: &str, json: &Json, parts: &[&str], values: &[Json]) -> Result<(), LoadError> {
        let shape = if json.is_array() { "list(#" } else { "#" };
        let described: Vec<&&str> = parts.iter().filter(|part| part.starts_with(shape)).collect();
        if let (false, [only]) = (json.is_string(), described.as_slice()) {
            return self.notation(at, json, only, values);
        }
        let results = parts.iter().map(|part| self.notation(at, json, part, values));
        results.reduce(Result::or).unwrap_or(Ok(()))
    }

    /// Checks the values that an `Fn::If` chooses from. Other functions give what only CloudFormation knows.
    fn branches(
        &self,
        json: &Json,
        check: &mut dyn FnMut(&Json) -> Result<(), LoadError>,
    ) -> Result<(), LoadError> {
        match json.get("Fn::If").and_then(Json::as_array).map(Vec::as_slice) {
            Some([_, then, otherwise]) => check(then).and_then(|()| check(otherwise)),
            _ => Ok(()),
        }
    }
}

fn scalar(at: &str, json: &Json, notation: &str) -> Result<(), LoadError> {
    // CloudFormation converts between text and numbers, so text that reads as a number is one.
    let text = json.as_str();
    let fits = match notation {
        "string" => json.is_string() || json.is_number() || json.is_boolean(),
        "integer" => json.is_i64() || json.is_u64() || text.is_some_and(|text| text.parse::<i64>().is_ok()),
        "number" => json.is_number() || text.is_some_and(|text| text.parse::<f64>().is_ok()),
        "boolean" => json.is_boolean() || matches!(text, Some("true" | "false")),
        "tag" => json.get("Key").is_some() && json.get("Value").is_some(),
        _ => true,
    };
    if fits { Ok(()) } else { Err(wrong(at, &with_article(notation), json)) }
}

fn one_of(at: &str, json: &Json, values: &[Json]) -> Result<(), LoadError> {
    let same = |value: &Json| {
        value == json || value.to_string().trim_matches('"') == json.as_str().unwrap_or_default()
    };
    if values.is_empty() || values.iter().any(same) {
        return Ok(());
    }
    let allowed: Vec<String> = values.iter().map(Json::to_string).collect();
    Err(LoadError::NotAllowed { at: at.to_owned(), given: json.to_string(), allowed: allowed.join(", ") })
}

/// Whether CloudFormation computes the value.
pub(crate) fn is_intrinsic(json: &Json) -> bool {
    json.as_object().is_some_and(|fields| {
        fields.len() == 1 && fields.keys().all(|name| name == "Ref" || name.starts_with("Fn::"))
    })
}

fn within<'a>(notation: &'a str, start: &str) -> Option<&'a str> {
    notation.strip_prefix(start)?.strip_suffix(')')
}

/// The parts of a union, separated by `|` outside parentheses.
fn split(parts: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    parts
        .split(|c: char| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == '|' && depth == 0
        })
        .collect()
}

fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

pub(crate) fn wrong(at: &str, expected: &str, json: &Json) -> LoadError {
    let given = match json {
        Json::Null => "null".to_owned(),
        Json::Object(_) => "an object".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        scalar => scalar.to_string(),
    };
    LoadError::WrongType { at: at.to_owned(), expected: expected.to_owned(), given }
}

pub(crate) fn unknown<'a>(at: &str, name: &str, known: impl Iterator<Item = &'a String>) -> LoadError {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let near =
        known.iter().map(|other| (distance(other, name), *other)).min().filter(|(steps, _)| *steps <= 2);
    let near = near.map(|(_, other)| other.to_owned());
    LoadError::Unknown { at: at.to_owned(), name: name.to_owned(), near, known: known.join(", ") }
}

/// How many letters have to be added, removed or replaced; upper and lower case are the same.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or_default();
            let here = (diagonal + usize::from(a != b)).min(above + 1).min(left + 1);
            diagonal = above;
            if let Some(cell) = row.get_mut(j) {
                *cell = left;
            }
            left = here;
        }
        if let Some(last) = row.last_mut() {
            *last = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The members of an object, or an error that says what it is instead.
pub(crate) fn object(at: &str, json: Json) -> Result<Map<String, Json>, LoadError> {
    match json {
        Json::Object(fields) => Ok(fields),
        other => Err(wrong(at, "an object", &other)),
    }
}
