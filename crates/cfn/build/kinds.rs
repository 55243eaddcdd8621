//! Which kind of value an attribute gives and a property takes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Property, Resource, Service};
use crate::names;

/// The services that were read, by name as in `AWS::SQS`, and which of them are compiled.
pub(crate) struct World {
    pub(crate) services: BTreeMap<String, Service>,
    pub(crate) enabled: BTreeSet<String>,
    /// Types of services that are not compiled but referred to, as in `AWS::IAM::Role`.
    pub(crate) absent: RefCell<BTreeSet<String>>,
    /// The attributes that are kinds of their own, as in `StreamArn`.
    pub(crate) attributes: RefCell<BTreeSet<String>>,
    /// The sets of kinds that some property takes.
    pub(crate) sets: RefCell<BTreeSet<Vec<Accepted>>>,
}

/// A kind of text: what it is and of which resource type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Text,
    AnyArn,
    /// `Arn`, `Name`, `Url` or `Id` of a resource type.
    Of(&'static str, String),
    /// Another attribute of a resource type.
    Attribute(String, String),
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

/// What `Ref` gives: an id, unless its name says otherwise.
pub(crate) fn ref_kind(resource_type: &str, resource: &Resource) -> Kind {
    let kind = match resource.reference.as_slice() {
        [only] => match only.rsplit('/').next().unwrap_or(only).to_lowercase() {
            name if name.ends_with("arn") => "Arn",
            name if name.ends_with("name") => "Name",
            name if name.ends_with("url") => "Url",
            _ => "Id",
        },
        _ => "Id",
    };
    Kind::Of(kind, resource_type.to_owned())
}

/// Whether the name is that of an id of the resource itself, as in `GroupId` of a `SecurityGroup`.
fn is_own_id(resource_type: &str, name: &str) -> bool {
    let own = short(resource_type);
    let stem = name.strip_suffix("Id").or_else(|| name.strip_suffix("Identifier"));
    stem.is_some_and(|stem| own.ends_with(stem) || own.starts_with(stem))
}

/// What an attribute or a property of a resource is.
pub(crate) fn kind_of(resource_type: &str, resource: &Resource, name: &str) -> Kind {
    let attribute = resource.attributes.get(name);
    let has = |wanted: &str| name == wanted && attribute.is_none();
    if Some(name) == arn_name(resource_type, resource) || has("Arn") {
        return Kind::Of("Arn", resource_type.to_owned());
    }
    if [name] == *resource.reference || has("Id") {
        return ref_kind(resource_type, resource);
    }
    match name.strip_prefix(short(resource_type)).unwrap_or(name) {
        "Name" => return Kind::Of("Name", resource_type.to_owned()),
        "Url" => return Kind::Of("Url", resource_type.to_owned()),
        _ => {}
    }
    // `Ref` may give an id of another form, as with several parts.
    let same_as_ref = match (ref_kind(resource_type, resource), resource.reference.as_slice()) {
        (Kind::Of("Id", _), [only]) => is_own_id(resource_type, only),
        (Kind::Of("Id", _), _) => false,
        _ => true,
    };
    if is_own_id(resource_type, name) && same_as_ref {
        return Kind::Of("Id", resource_type.to_owned());
    }
    if attribute.is_some_and(|attribute| attribute.referred) {
        return Kind::Attribute(resource_type.to_owned(), name.to_owned());
    }
    if name.ends_with("Arn") { Kind::AnyArn } else { Kind::Text }
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
            Kind::Attribute(resource, name) => {
                self.attributes.borrow_mut().insert(name.clone());
                format!("k::Attribute<{}, crate::attribute::{}>", self.path(resource), names::type_name(name))
            }
        }
    }

    /// The kind of what a property with these references takes, as a Rust type.
    pub(crate) fn kind_taken(&self, refs: &[String]) -> String {
        let accepted = self.accepted(refs);
        assert!(
            refs.is_empty() || !accepted.is_empty(),
            "{refs:?} name attributes that are not in the facts: correct spec/overrides.txt or spec/generate.py"
        );
        match accepted.as_slice() {
            [] => self.kind(&Kind::Text),
            [only] => self.kind(&only.kind),
            several => {
                self.sets.borrow_mut().insert(several.to_vec());
                self.one_of(several)
            }
        }
    }

    /// A set of kinds as a Rust type.
    pub(crate) fn one_of(&self, accepted: &[Accepted]) -> String {
        let kinds: Vec<String> = accepted.iter().map(|one| self.kind(&one.kind)).collect();
        format!("k::OneOf<({})>", kinds.join(", "))
    }

    /// What a property with these references takes.
    fn accepted(&self, refs: &[String]) -> Vec<Accepted> {
        let mut accepted: BTreeMap<Kind, Accepted> = BTreeMap::new();
        for reference in refs {
            let Some((resource_type, name)) = reference.split_once('.') else { continue };
            let Some(one) = self.accepted_one(resource_type, name.rsplit('/').next().unwrap_or(name)) else {
                continue;
            };
            // `Ref` and attributes that give the same: an attribute says in the template what it is.
            let best = accepted.entry(one.kind.clone()).or_insert_with(|| one.clone());
            if matches!(one.source, Source::Attribute(_)) && best.source == Source::None {
                *best = one;
            }
        }
        accepted.into_values().collect()
    }

    fn accepted_one(&self, resource_type: &str, name: &str) -> Option<Accepted> {
        let resource = self.resource(resource_type)?;
        let known = resource.attributes.contains_key(name);
        let property = resource.properties.get(name);
        let kind = kind_of(resource_type, resource, name);
        let own = matches!(&kind, Kind::Of(_, owner) if owner == resource_type);
        if !own && !known {
            return self.accepted_of_property(resource_type, name, property?);
        }
        let is_ref = kind == ref_kind(resource_type, resource);
        let source = match arn_name(resource_type, resource) {
            _ if known => Source::Attribute(name.to_owned()),
            _ if is_ref => Source::Ref,
            Some(arn) if matches!(kind, Kind::Of("Arn", _)) && resource.attributes.contains_key(arn) => {
                Source::Attribute(arn.to_owned())
            }
            _ => Source::None,
        };
        Some(Accepted { kind, resource: resource_type.to_owned(), source })
    }

    /// A property of a resource, as in the group of a log stream: it is what that property takes itself.
    fn accepted_of_property(&self, resource_type: &str, name: &str, property: &Property) -> Option<Accepted> {
        let only = match property.refs.as_slice() {
            [only] => only.split_once('.'),
            _ => None,
        };
        let followed = only
            // Of the same service, which is read whichever features are on.
            .filter(|(to, _)| *to != resource_type && service_of(to) == service_of(resource_type))
            .and_then(|(to, name)| self.accepted_one(to, name));
        let resource = resource_type.to_owned();
        let kind =
            followed.map_or_else(|| Kind::Attribute(resource.clone(), name.to_owned()), |one| one.kind);
        Some(Accepted { kind, resource, source: Source::None })
    }
}
