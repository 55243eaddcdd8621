//! Checks that CloudFormation would make, made before it sees the template.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::document::Document;
use crate::error::{Missing, Section, TemplateError};
use crate::number;
use crate::references::{self, Reference};
#[cfg(feature = "stepfunctions")]
use crate::substitutions;

/// The limits of CloudFormation.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const MAX_RESOURCES: usize = 500;
const MAX_OUTPUTS: usize = 200;
const MAX_PARAMETERS: usize = 200;
const MAX_MAPPINGS: usize = 200;
const MAX_NAME_CHARS: usize = 255;
const MAX_DESCRIPTION_BYTES: usize = 1_024;
/// The largest template that can be deployed from S3; 51,200 bytes if it is passed in the request.
pub(crate) const MAX_TEMPLATE_BYTES: usize = 1_000_000;

/// Which resources each resource needs to exist first.
pub(crate) type Dependencies = BTreeMap<String, BTreeSet<String>>;

/// Checks everything but the size of the text, and says what depends on what.
pub(crate) fn check(document: &Document) -> Result<Dependencies, TemplateError> {
    counts(document)?;
    names(document)?;
    for (path, json) in parts(document) {
        no_null(&path, json)?;
        if let Some(fraction) = number::fraction(json) {
            let at = path + &fraction.path;
            return Err(TemplateError::Fraction { at, given: fraction.given, unit: fraction.unit });
        }
        resolve(document, &path, json)?;
    }
    options(document)?;
    condition_tests(document)?;
    #[cfg(feature = "stepfunctions")]
    substitutions::check(document)?;
    let dependencies = dependencies(document);
    no_cycle(&dependencies)?;
    Ok(dependencies)
}

fn counts(document: &Document) -> Result<(), TemplateError> {
    let given = document.description.len();
    if given > MAX_DESCRIPTION_BYTES {
        return Err(TemplateError::LongDescription { given, allowed: MAX_DESCRIPTION_BYTES });
    }
    if document.resources.is_empty() {
        return Err(TemplateError::Empty);
    }
    let counts = [
        (Section::Resources, document.resources.len(), MAX_RESOURCES),
        (Section::Outputs, document.outputs.len(), MAX_OUTPUTS),
        (Section::Parameters, document.parameters.len(), MAX_PARAMETERS),
        (Section::Mappings, document.mappings.len(), MAX_MAPPINGS),
    ];
    match counts.into_iter().find(|(_, given, allowed)| given > allowed) {
        Some((section, given, allowed)) => Err(TemplateError::TooMany { section, given, allowed }),
        None => Ok(()),
    }
}

fn names(document: &Document) -> Result<(), TemplateError> {
    let sections = [
        (Section::Parameters, &document.parameters),
        (Section::Rules, &document.rules),
        (Section::Mappings, &document.mappings),
        (Section::Conditions, &document.conditions),
        (Section::Outputs, &document.outputs),
    ];
    let named = sections.iter().flat_map(|(section, entries)| entries.keys().map(|name| (*section, name)));
    let resources = document.resources.keys().map(|name| (Section::Resources, name));
    for (section, name) in named.chain(resources) {
        if name.is_empty() || name.len() > MAX_NAME_CHARS || !name.chars().all(|c| c.is_ascii_alphanumeric())
        {
            return Err(TemplateError::BadName { section, name: name.clone() });
        }
    }
    match document.resources.keys().find(|name| document.parameters.contains_key(*name)) {
        Some(name) => Err(TemplateError::AmbiguousName { name: name.clone() }),
        None => Ok(()),
    }
}

/// Every part of the template in which intrinsic functions may stand, with its path.
fn parts(document: &Document) -> impl Iterator<Item = (String, &Json)> {
    let resources = document.resources.iter().flat_map(|(id, entry)| {
        let metadata = entry.metadata.iter().map(move |json| (format!("Resources.{id}.Metadata"), json));
        std::iter::once((format!("Resources.{id}.Properties"), &entry.properties)).chain(metadata)
    });
    let conditions = document.conditions.iter().map(|(name, json)| (format!("Conditions.{name}"), json));
    let rules = document.rules.iter().map(|(name, json)| (format!("Rules.{name}"), json));
    let outputs = document.outputs.iter().map(|(name, json)| (format!("Outputs.{name}"), json));
    conditions.chain(rules).chain(resources).chain(outputs)
}

fn no_null(path: &str, json: &Json) -> Result<(), TemplateError> {
    // A sound template pays for no paths.
    if !has_null(json) {
        return Ok(());
    }
    match json {
        Json::Null => Err(TemplateError::Null { at: path.to_owned() }),
        Json::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| no_null(&format!("{path}[{index}]"), item))
        }
        Json::Object(fields) => {
            fields.iter().try_for_each(|(name, value)| no_null(&format!("{path}.{name}"), value))
        }
        _ => Ok(()),
    }
}

fn has_null(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Array(items) => items.iter().any(has_null),
        Json::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

fn resolve(document: &Document, path: &str, json: &Json) -> Result<(), TemplateError> {
    for reference in references::find(json) {
        let (kind, name, known) = match reference {
            Reference::Ref(name) => {
                let known = document.resources.contains_key(&name) || document.parameters.contains_key(&name);
                (Missing::ResourceOrParameter, name, known)
            }
            Reference::Attribute(name) => {
                let known = document.resources.contains_key(&name);
                (Missing::Resource, name, known)
            }
            Reference::Condition(name) => {
                let known = document.conditions.contains_key(&name);
                (Missing::Condition, name, known)
            }
            Reference::Mapping(name) => {
                let known = document.mappings.contains_key(&name);
                (Missing::Mapping, name, known)
            }
        };
        if !known {
            return Err(unresolved(document, path, kind, &name));
        }
    }
    Ok(())
}

/// Checks `DependsOn`, and the conditions of resources and outputs.
fn options(document: &Document) -> Result<(), TemplateError> {
    for (id, entry) in &document.resources {
        if let Some(other) = entry.depends_on.iter().find(|other| !document.resources.contains_key(*other)) {
            return Err(unresolved(document, &format!("Resources.{id}.DependsOn"), Missing::Resource, other));
        }
        known_condition(document, &format!("Resources.{id}"), entry.condition.as_deref())?;
    }
    for (name, output) in &document.outputs {
        known_condition(
            document,
            &format!("Outputs.{name}"),
            output.get("Condition").and_then(Json::as_str),
        )?;
    }
    Ok(())
}

/// Checks `{"Condition": "Name"}` where it is a test: in conditions and rules, not in policies.
fn condition_tests(document: &Document) -> Result<(), TemplateError> {
    fn walk(document: &Document, path: &str, json: &Json) -> Result<(), TemplateError> {
        match json {
            Json::Array(items) => items.iter().try_for_each(|item| walk(document, path, item)),
            Json::Object(fields) => {
                known_condition(document, path, fields.get("Condition").and_then(Json::as_str))?;
                fields.values().try_for_each(|value| walk(document, path, value))
            }
            _ => Ok(()),
        }
    }
    let conditions = document.conditions.iter().map(|(name, json)| (format!("Conditions.{name}"), json));
    let rules = document.rules.iter().map(|(name, json)| (format!("Rules.{name}"), json));
    conditions.chain(rules).try_for_each(|(path, json)| walk(document, &path, json))
}

fn known_condition(document: &Document, path: &str, name: Option<&str>) -> Result<(), TemplateError> {
    match name {
        Some(name) if !document.conditions.contains_key(name) => {
            Err(unresolved(document, path, Missing::Condition, name))
        }
        _ => Ok(()),
    }
}

fn unresolved(document: &Document, from: &str, kind: Missing, name: &str) -> TemplateError {
    let names: Vec<&String> = match kind {
        Missing::Resource => document.resources.keys().collect(),
        Missing::ResourceOrParameter => document.resources.keys().chain(document.parameters.keys()).collect(),
        Missing::Condition => document.conditions.keys().collect(),
        Missing::Mapping => document.mappings.keys().collect(),
    };
    let near = names.into_iter().find(|known| is_near(known, name)).cloned();
    TemplateError::Unresolved { from: from.to_owned(), kind, name: name.to_owned(), near }
}

/// Whether one name is the other in different case, or a part of it.
fn is_near(known: &str, name: &str) -> bool {
    let (known, name) = (known.to_ascii_lowercase(), name.to_ascii_lowercase());
    name.len() > 2 && (known.contains(&name) || name.contains(&known))
}

fn dependencies(document: &Document) -> Dependencies {
    let of = |(id, entry): (&String, &crate::document::ResourceEntry)| {
        let referred =
            references::find(&entry.properties).into_iter().filter_map(|reference| match reference {
                Reference::Ref(name) | Reference::Attribute(name) => Some(name),
                Reference::Condition(_) | Reference::Mapping(_) => None,
            });
        let needs = referred
            .chain(entry.depends_on.iter().cloned())
            .filter(|name| document.resources.contains_key(name))
            .collect();
        (id.clone(), needs)
    };
    document.resources.iter().map(of).collect()
}

fn no_cycle(dependencies: &Dependencies) -> Result<(), TemplateError> {
    let mut done = BTreeSet::new();
    for id in dependencies.keys() {
        let mut path = Vec::new();
        visit(id, dependencies, &mut path, &mut done)?;
    }
    Ok(())
}

fn visit<'a>(
    id: &'a str,
    dependencies: &'a Dependencies,
    path: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Result<(), TemplateError> {
    if done.contains(id) {
        return Ok(());
    }
    if let Some(start) = path.iter().position(|seen| *seen == id) {
        let circle = path.iter().skip(start).copied().chain([id]).map(str::to_owned).collect();
        return Err(TemplateError::Cycle { path: circle });
    }
    path.push(id);
    for needed in dependencies.get(id).into_iter().flatten() {
        visit(needed, dependencies, path, done)?;
    }
    path.pop();
    done.insert(id);
    Ok(())
}
