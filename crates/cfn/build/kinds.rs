//! Which kind of value an attribute gives and a property takes.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Resource, Service};
use crate::names;

/// The services that were read, by name as in `AWS::SQS`, and which of them are compiled.
pub(crate) struct World {
    pub(crate) services: BTreeMap<String, Service>,
    pub(crate) enabled: BTreeSet<String>,
    /// Types of services that are not compiled but referred to, as in `AWS::IAM::Role`.
    pub(crate) absent: std::cell::RefCell<BTreeSet<String>>,
}

/// A kind of text: what it is and of which resource type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Text,
    AnyArn,
    /// `Arn`, `Name`, `Url` or `Id` of a resource type.
    Of(&'static str, String),
}

/// What is accepted where a resource is referred to: the kind, and how the handle of the resource gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Accepted {
    pub(crate) kind: Kind,
    pub(crate) resource: String,
    pub(crate) source: Source,
}

/// How a handle gives a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Ref,
    Attribute(String),
    /// Not at all: it is a property that only the author of the template knows.
    None,
}

pub(crate) fn short(resource_type: &str) -> &str {
    resource_type.rsplit("::").next().unwrap_or(resource_type)
}

pub(crate) fn service_of(resource_type: &str) -> &str {
    resource_type.rsplit_once("::").map_or(resource_type, |(service, _)| service)
}

pub(crate) fn feature_of(service: &str) -> String {
    match service.strip_prefix("AWS::") {
        Some(name) => name.to_lowercase(),
        None => service.replace("::", "_").to_lowercase(),
    }
}

/// The attribute or property that is the ARN of the resource.
pub(crate) fn arn_name<'a>(resource_type: &str, resource: &'a Resource) -> Option<&'a str> {
    let own = format!("{}Arn", short(resource_type));
    let attribute = resource.attributes.keys().find(|name| **name == "Arn" || **name == own);
    let single = match resource.reference.as_slice() {
        [only] if only.ends_with("Arn") => Some(only),
        _ => None,
    };
    attribute.or(single).map(String::as_str)
}

/// What `Ref` gives.
pub(crate) fn ref_kind(resource_type: &str, resource: &Resource) -> Kind {
    let [only] = resource.reference.as_slice() else { return Kind::Text };
    let kind = match only.rsplit('/').next().unwrap_or(only) {
        name if name.ends_with("Arn") => "Arn",
        name if name.ends_with("Name") => "Name",
        name if name.ends_with("Url") => "Url",
        name if name.ends_with("Id") => "Id",
        _ => return Kind::Text,
    };
    Kind::Of(kind, resource_type.to_owned())
}

/// What an attribute or a property of a resource is.
pub(crate) fn kind_of(resource_type: &str, resource: &Resource, name: &str) -> Kind {
    if Some(name) == arn_name(resource_type, resource) {
        return Kind::Of("Arn", resource_type.to_owned());
    }
    if [name] == *resource.reference {
        return ref_kind(resource_type, resource);
    }
    let rest = name.strip_prefix(short(resource_type)).unwrap_or(name);
    match rest {
        "Name" | "Url" => Kind::Of(if rest == "Name" { "Name" } else { "Url" }, resource_type.to_owned()),
        "Id" => Kind::Of("Id", resource_type.to_owned()),
        _ if name.ends_with("Arn") => Kind::AnyArn,
        _ => Kind::Text,
    }
}

impl World {
    pub(crate) fn resource(&self, resource_type: &str) -> Option<&Resource> {
        self.services.get(service_of(resource_type))?.resources.get(resource_type)
    }

    pub(crate) fn is_enabled(&self, resource_type: &str) -> bool {
        self.enabled.contains(service_of(resource_type))
    }

    /// The path of the Rust type; of a stand-in when its service is not compiled.
    pub(crate) fn path(&self, resource_type: &str) -> String {
        let feature = feature_of(service_of(resource_type));
        let name = names::type_name(short(resource_type));
        if self.is_enabled(resource_type) {
            return format!("crate::{feature}::{name}");
        }
        self.absent.borrow_mut().insert(resource_type.to_owned());
        format!("crate::absent::{feature}::{name}")
    }

    /// The kind as a Rust type.
    pub(crate) fn kind(&self, kind: &Kind) -> String {
        match kind {
            Kind::Text => "String".to_owned(),
            Kind::AnyArn => "k::AnyArn".to_owned(),
            Kind::Of(kind, resource) => format!("k::{kind}<{}>", self.path(resource)),
        }
    }

    /// What a property with these references takes.
    pub(crate) fn accepted(&self, refs: &[String]) -> Vec<Accepted> {
        let mut accepted: BTreeMap<(Kind, String), Accepted> = BTreeMap::new();
        for reference in refs {
            let Some((resource_type, name)) = reference.split_once('.') else { continue };
            let Some(resource) = self.resource(resource_type) else { continue };
            let name = name.rsplit('/').next().unwrap_or(name);
            let known = resource.attributes.contains_key(name);
            let is_ref = [name] == *resource.reference || (name == "Id" && !known);
            let kind = if is_ref {
                ref_kind(resource_type, resource)
            } else {
                kind_of(resource_type, resource, name)
            };
            let source = match (known, is_ref) {
                (true, _) => Source::Attribute(name.to_owned()),
                (_, true) => Source::Ref,
                _ => Source::None,
            };
            let one = Accepted { kind: kind.clone(), resource: resource_type.to_owned(), source };
            accepted.entry((kind, resource_type.to_owned())).or_insert(one);
        }
        accepted.into_values().collect()
    }
}
