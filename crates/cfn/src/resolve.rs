//! Checks that what is referred to is in the template, and finds what needs what.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::check::{Findings, Part};
use crate::circle::Needs;
use crate::custom::is_custom;
use crate::document::Document;
use crate::error::{Missing, TemplateError};
use crate::facts;
use crate::functions::Place;
use crate::path::At;
use crate::references::{self, Reference};

/// Checks the references in a part of the template.
pub(crate) fn part(document: &Document, part: &Part<'_>, findings: &mut Findings) {
    references::find(&part.at, part.json, &mut |at, reference| {
        resolve(document, part.place, at, reference, findings);
    });
    if part.place != Place::Values {
        tests(&part.at, part.json, &mut |at, name| condition(document, at, name, findings));
    }
}

fn resolve(
    document: &Document,
    place: Place,
    at: &At<'_>,
    reference: Reference<'_>,
    findings: &mut Findings,
) {
    let (kind, name, known) = match reference {
        // Conditions and rules are decided before there is any resource.
        Reference::Ref(name) if place != Place::Values => {
            (Missing::Parameter, name, document.parameters.contains_key(name))
        }
        Reference::Ref(name) => {
            let known = document.resource_of(name).is_some() || document.parameters.contains_key(name);
            (Missing::ResourceOrParameter, name, known)
        }
        Reference::Attribute(name, _) => (Missing::Resource, name, document.resource_of(name).is_some()),
        Reference::Condition(name) => (Missing::Condition, name, document.conditions.contains_key(name)),
        Reference::Mapping(name) => (Missing::Mapping, name, document.mappings.contains_key(name)),
    };
    if !known {
        findings.add(at, unresolved(document, at, kind, name));
    } else if let Reference::Attribute(name, Some(attribute)) = reference {
        has_attribute(document, at, name, attribute, findings);
    }
}

/// Checks that a type that is known has the attribute. What a custom resource has is known to its provider only.
fn has_attribute(document: &Document, at: &At<'_>, name: &str, attribute: &str, findings: &mut Findings) {
    let Some(entry) = document.resources.get(name).filter(|entry| !is_custom(&entry.r#type)) else { return };
    let Some(facts) = facts::resource(&entry.r#type).filter(|facts| !facts.has_attribute(attribute)) else {
        return;
    };
    let error = TemplateError::NoAttribute {
        from: at.to_string(),
        name: name.to_owned(),
        resource_type: entry.r#type.clone(),
        attribute: attribute.to_owned(),
        known: facts.attributes().collect::<Vec<_>>().join(", "),
    };
    findings.add(at, error);
}

/// Checks `DependsOn`, and the conditions of resources and outputs.
pub(crate) fn options(document: &Document, findings: &mut Findings) {
    for (id, entry) in &document.resources {
        let root = At::root("Resources");
        let resource = root.name(id);
        for other in entry.depends_on.iter().filter(|other| document.resource_of(other).is_none()) {
            let at = resource.name("DependsOn");
            findings.add(&at, unresolved(document, &at, Missing::Resource, other));
        }
        if let Some(name) = &entry.condition {
            condition(document, &resource.name("Condition"), name, findings);
        }
    }
    for (output, json) in &document.outputs {
        if let Some(name) = json.get("Condition").and_then(Json::as_str) {
            condition(document, &At::root("Outputs").name(output).name("Condition"), name, findings);
        }
    }
}

fn condition(document: &Document, at: &At<'_>, name: &str, findings: &mut Findings) {
    if !document.conditions.contains_key(name) {
        findings.add(at, unresolved(document, at, Missing::Condition, name));
    }
}

/// Shows every `{"Condition": "Name"}`. It is a test in conditions and rules only, not in policies.
fn tests<'a>(at: &At<'_>, json: &'a Json, found: &mut dyn FnMut(&At<'_>, &'a str)) {
    match json {
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| tests(&at.index(index), item, found));
        }
        Json::Object(fields) => {
            if let Some(name) = fields.get("Condition").and_then(Json::as_str) {
                found(at, name);
            }
            fields.iter().for_each(|(name, value)| tests(&at.name(name), value, found));
        }
        _ => {}
    }
}

fn unresolved(document: &Document, at: &At<'_>, kind: Missing, name: &str) -> TemplateError {
    let names: Vec<&String> = match kind {
        Missing::Resource => document.resources.keys().collect(),
        Missing::Parameter => document.parameters.keys().collect(),
        Missing::ResourceOrParameter => document.resources.keys().chain(document.parameters.keys()).collect(),
        Missing::Condition => document.conditions.keys().collect(),
        Missing::Mapping => document.mappings.keys().collect(),
    };
    let near = names.into_iter().find(|known| is_near(known, name)).cloned();
    TemplateError::Unresolved { from: at.to_string(), kind, name: name.to_owned(), near }
}

/// Whether one name is the other in different case, or a part of it.
fn is_near(known: &str, name: &str) -> bool {
    let (known, name) = (known.to_ascii_lowercase(), name.to_ascii_lowercase());
    name.len() > 2 && (known.contains(&name) || name.contains(&known))
}

/// Which resources each resource needs to exist first.
pub(crate) fn needs_of_resources(document: &Document) -> Needs {
    let mut needs = Needs::new();
    for (id, entry) in &document.resources {
        let mut needed: BTreeSet<String> = entry.depends_on.iter().cloned().collect();
        for (name, json) in entry.parts() {
            references::find(&At::root(name), json, &mut |_, reference| {
                if let Reference::Ref(name) | Reference::Attribute(name, _) = reference {
                    needed.insert(name.to_owned());
                }
            });
        }
        let known = needed.iter().filter_map(|name| document.resource_of(name)).map(str::to_owned);
        needs.insert(id.clone(), known.collect());
    }
    needs
}

/// Which conditions each condition is made of.
pub(crate) fn needs_of_conditions(document: &Document) -> Needs {
    let mut needs = Needs::new();
    for (name, json) in &document.conditions {
        let mut needed = BTreeSet::new();
        tests(&At::root(name), json, &mut |_, other| {
            needed.insert(other.to_owned());
        });
        needs.insert(name.clone(), needed);
    }
    needs
}
