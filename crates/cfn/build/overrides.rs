//! What `spec/overrides.txt` changes of the facts. See the head of that file for the words.

use crate::facts::{Property, Service};

/// Applies the lines that are about this service. A line that fits nothing is an error: AWS or we renamed something.
pub(crate) fn apply(service: &mut Service, text: &str) {
    for (number, line) in text.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        let mut words = line.split_whitespace();
        let (Some(place), Some(verb)) = (words.next(), words.next()) else { continue };
        let after = place.strip_prefix(&service.service).unwrap_or_default();
        if !after.starts_with("::") && !after.starts_with('@') {
            continue;
        }
        let arguments: Vec<&str> = words.collect();
        if apply_line(service, place, verb, &arguments).is_none() {
            panic!("spec/overrides.txt:{}: {line:?} fits nothing in the facts", number + 1);
        }
    }
}

fn apply_line(service: &mut Service, place: &str, verb: &str, arguments: &[&str]) -> Option<()> {
    let (owner, property) = match place.split_once('.') {
        Some((owner, property)) => (owner, Some(property)),
        None => (place, None),
    };
    let (resource, nested) = match owner.split_once('/') {
        Some((resource, nested)) => (resource, Some(nested)),
        None => (owner, None),
    };
    if let Some((_, event)) = resource.split_once('@') {
        let event = service.events.get_mut(event)?;
        let fields = match nested {
            Some(nested) => &mut event.types.get_mut(nested)?.properties,
            None => &mut event.properties,
        };
        return change(fields.get_mut(property?)?, verb, arguments);
    }
    let resource = service.resources.get_mut(resource)?;
    let Some(property) = property else {
        let names: Vec<String> = arguments.iter().map(|name| (*name).to_owned()).collect();
        match (verb, nested) {
            ("new", Some(nested)) => resource.types.get_mut(nested)?.constructor = Some(names),
            ("new", None) => resource.constructor = Some(names),
            ("ref", None) => resource.reference = names,
            ("statistic", None) => {
                resource.metrics.get_mut(arguments.first().copied()?)?.statistic =
                    arguments.get(1)?.to_string();
            }
            _ => return None,
        }
        return Some(());
    };
    let properties = match nested {
        Some(nested) => &mut resource.types.get_mut(nested)?.properties,
        None => &mut resource.properties,
    };
    change(properties.get_mut(property)?, verb, arguments)
}

fn change(property: &mut Property, verb: &str, arguments: &[&str]) -> Option<()> {
    let first = arguments.first().map(|argument| (*argument).to_owned());
    match verb {
        "name" => property.setter = first,
        "rust" => property.rust = Some(arguments.join(" ")),
        "unit" => property.unit = first.filter(|unit| unit != "none"),
        "refs" => {
            property.refs =
                arguments.iter().filter(|a| **a != "none").map(|argument| (*argument).to_owned()).collect();
        }
        "values" => property.values = arguments.iter().map(|value| (*value).into()).collect(),
        "variants" => {
            for pair in arguments {
                let (value, name) = pair.split_once('=')?;
                property.variants.insert(value.to_owned(), name.to_owned());
            }
        }
        _ => return None,
    }
    Some(())
}
