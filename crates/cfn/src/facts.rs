//! What AWS says of resource types, at run time: which change replaces a resource, which resources hold data.
//!
//! Known are the types of the services whose features are enabled.
//!
//! ```
//! use cfn::facts::{self, Replacement};
//!
//! assert_eq!(facts::replacement("AWS::SQS::Queue", "QueueName"), Some(Replacement::Yes));
//! assert_eq!(facts::replacement("AWS::SQS::Queue", "VisibilityTimeout"), Some(Replacement::No));
//! assert_eq!(facts::is_stateful("AWS::SQS::Queue"), Some(true));
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// Whether a change of a property replaces the resource by a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Replacement {
    /// It is updated in place.
    No,
    /// It depends on the values.
    Maybe,
    /// It is replaced.
    Yes,
}

/// Whether a change of this property replaces the resource; nothing when the type or the property is not known.
///
/// A property of a nested type is named by its path, as in `ImportSourceSpecification.InputFormat`; what replaces on
/// the way to it counts too.
#[must_use]
pub fn replacement(resource_type: &str, property: &str) -> Option<Replacement> {
    let resource = resource(resource_type)?;
    let mut properties = &resource.properties;
    let mut strongest = Replacement::No;
    let steps = property.split('.').filter(|step| step.parse::<usize>().is_err());
    for step in steps {
        let facts = properties.get(step)?;
        strongest = strongest.max(match facts.replace.as_deref() {
            Some("yes") => Replacement::Yes,
            Some(_) => Replacement::Maybe,
            None => Replacement::No,
        });
        match facts.nested().and_then(|name| resource.types.get(name)) {
            Some(nested) => properties = &nested.properties,
            // Below JSON and maps there are no facts: what holds for the whole holds for its parts.
            None => break,
        }
    }
    Some(strongest)
}

/// Whether resources of this type hold data that is lost when they are removed; nothing when the type is not known.
#[must_use]
pub fn is_stateful(resource_type: &str) -> Option<bool> {
    resource(resource_type).map(|facts| facts.stateful)
}

/// The form of the ARN of this type, as in `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`.
#[must_use]
pub fn arn_template(resource_type: &str) -> Option<&'static str> {
    resource(resource_type)?.arn.as_deref()
}

/// All resource types that are compiled, in alphabetical order: those of which there is a struct.
pub fn resource_types() -> impl Iterator<Item = &'static str> {
    RESOURCE_TYPES.iter().copied()
}

/// The numbers of resource types, nested types and properties that are known.
#[must_use]
pub fn counts() -> (usize, usize, usize) {
    let resources = resource_types().filter_map(resource);
    resources.fold((0, 0, 0), |(resources, types, properties), facts| {
        let nested: usize = facts.types.values().map(|nested| nested.properties.len()).sum();
        (resources + 1, types + facts.types.len(), properties + facts.properties.len() + nested)
    })
}

#[derive(Debug, Deserialize)]
struct Service {
    resources: BTreeMap<String, Resource>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Resource {
    #[serde(default)]
    stateful: bool,
    arn: Option<String>,
    /// What `Fn::GetAtt` gives.
    attributes: BTreeSet<String>,
    pub(crate) properties: BTreeMap<String, Property>,
    pub(crate) types: BTreeMap<String, Nested>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Nested {
    pub(crate) properties: BTreeMap<String, Property>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Property {
    /// As in `string`, `list(tag)`, `#KeySchema`, `any(json|string)`.
    #[serde(rename = "type")]
    pub(crate) notation: String,
    #[serde(default)]
    pub(crate) required: bool,
    replace: Option<String>,
}

impl Property {
    /// The nested type that this property is, or is a list or a map of.
    fn nested(&self) -> Option<&str> {
        let start = self.notation.find('#')? + 1;
        self.notation.get(start..)?.split([')', '|']).next()
    }
}

impl Resource {
    /// The attributes that `Fn::GetAtt` gives.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(String::as_str)
    }

    /// Whether `Fn::GetAtt` gives this attribute, or a part of an attribute, as in `Outputs.Url`.
    pub(crate) fn has_attribute(&self, name: &str) -> bool {
        let whole = name.split_once('.').map_or(name, |(whole, _)| whole);
        self.attributes.contains(name) || self.attributes.contains(whole)
    }
}

/// The facts of a service as text, and read when they are first asked for.
struct Table {
    text: &'static str,
    parsed: OnceLock<Option<Service>>,
}

static SERVICES: LazyLock<BTreeMap<&'static str, Table>> = LazyLock::new(|| {
    TABLES.iter().map(|(name, text)| (*name, Table { text, parsed: OnceLock::new() })).collect()
});

/// The notation of what is at this path within the properties of a resource type: names of properties, keys of maps and
/// indices of lists. Nothing where it is not known, as within JSON and functions.
pub(crate) fn notation(resource_type: &str, path: &[&str]) -> Option<&'static str> {
    let resource = resource(resource_type)?;
    let (first, rest) = path.split_first()?;
    let mut notation = resource.properties.get(*first)?.notation.as_str();
    for step in rest {
        notation = match notation.strip_prefix('#') {
            Some(nested) => resource.types.get(nested)?.properties.get(*step)?.notation.as_str(),
            None => {
                let within = notation.strip_prefix("list(").or_else(|| notation.strip_prefix("map("))?;
                within.strip_suffix(')')?
            }
        };
    }
    Some(notation)
}

fn service(name: &str) -> Option<&'static Service> {
    let table = SERVICES.get(name)?;
    table.parsed.get_or_init(|| serde_json::from_str(table.text).ok()).as_ref()
}

pub(crate) fn resource(resource_type: &str) -> Option<&'static Resource> {
    service(resource_type.rsplit_once("::")?.0)?.resources.get(resource_type)
}

#[cfg(all(test, feature = "default"))]
mod tests {
    use super::*;

    #[test]
    fn what_a_property_takes_is_found_at_its_path() {
        for (resource_type, path, expected) in [
            ("AWS::SQS::Queue", &["DelaySeconds"][..], Some("integer")),
            ("AWS::SQS::Queue", &["Tags", "0"], Some("tag")),
            ("AWS::SQS::Queue", &["Tags", "0", "Value"], None),
            ("AWS::SQS::Queue", &["RedrivePolicy", "maxReceiveCount"], None),
            ("AWS::Lambda::Function", &["Environment", "Variables", "A"], Some("string")),
            ("AWS::DynamoDB::Table", &["KeySchema", "1", "KeyType"], None),
            ("AWS::DynamoDB::Table", &["SSESpecification", "SSEEnabled"], Some("boolean")),
            ("AWS::SQS::Queue", &["DelaySecond"], None),
            ("AWS::SQS::Queue", &[], None),
            ("AWS::SQS::Que", &["DelaySeconds"], None),
        ] {
            assert_eq!(notation(resource_type, path), expected, "{resource_type} {path:?}");
        }
    }
}
