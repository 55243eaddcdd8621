//! How one template differs from another, and what each difference does to the real resource.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::effect::{self, Effect};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: the section, the id, and inside of it the path.
    pub path: String,
    /// How.
    pub side: Side,
    /// What it does to a resource that is there, unless that is only updated in place.
    pub effect: Option<Effect>,
}

/// On which side something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// Only here: a deployment adds it.
    Added(String),
    /// Only deployed: a deployment removes it.
    Removed(String),
    /// On both, with another value: deployed, and here.
    Changed(String, String),
}

/// The differences between two templates: whole entries of a section where only one has them, else the values that
/// differ inside.
pub(super) fn differences(there: &Json, here: &Json) -> Vec<Difference> {
    let mut all = Vec::new();
    for section in keys(there, here) {
        let (old, new) = (&there[section], &here[section]);
        if !(old.is_object() || new.is_object()) {
            compare(section, old, new, &mut |found| all.push(found.without_effect()));
            continue;
        }
        for id in keys(old, new) {
            let (old, new) = (&old[id], &new[id]);
            let path = format!("{section}.{id}");
            if section == "Resources" {
                resource(&path, old, new, &mut all);
            } else {
                compare(&path, old, new, &mut |found| all.push(found.without_effect()));
            }
        }
    }
    all
}

fn resource(path: &str, old: &Json, new: &Json, all: &mut Vec<Difference>) {
    if old.is_null() || new.is_null() {
        let effect = new.is_null().then(|| effect::of_removal(old));
        compare(path, old, new, &mut |found| all.push(Difference { effect, ..found.without_effect() }));
        return;
    }
    let none = Json::Object(Map::new());
    for option in keys(old, new) {
        let path = format!("{path}.{option}");
        if option == "Properties" {
            // What has no properties has none of them: each is looked at by itself, for each can replace the resource.
            let (before, after) = (old.get(option).unwrap_or(&none), new.get(option).unwrap_or(&none));
            compare(&path, before, after, &mut |found| {
                let property = found.path.strip_prefix(&path).unwrap_or_default().trim_start_matches('.');
                let effect = effect::of_change(old, new, property, [found.old, found.new]);
                all.push(Difference { effect, ..found.without_effect() });
            });
        } else {
            let effect = (option == "Type").then_some(effect::OF_ANOTHER_TYPE);
            compare(&path, &old[option], &new[option], &mut |found| {
                all.push(Difference { effect, ..found.without_effect() });
            });
        }
    }
}

/// Two values that differ; null stands for none.
struct Found<'a> {
    path: &'a str,
    old: &'a Json,
    new: &'a Json,
}

impl Found<'_> {
    fn without_effect(&self) -> Difference {
        let side = match (self.old, self.new) {
            (Json::Null, new) => Side::Added(summary(new)),
            (old, Json::Null) => Side::Removed(summary(old)),
            (old, new) => Side::Changed(summary(old), summary(new)),
        };
        Difference { path: self.path.to_owned(), side, effect: None }
    }
}

fn compare(path: &str, old: &Json, new: &Json, report: &mut dyn FnMut(Found<'_>)) {
    match (old, new) {
        _ if old == new => {}
        (Json::Object(_), Json::Object(_)) => {
            for key in keys(old, new) {
                compare(&format!("{path}.{key}"), &old[key], &new[key], report);
            }
        }
        (Json::Array(olds), Json::Array(news)) if olds.len() == news.len() => {
            for (index, (old, new)) in olds.iter().zip(news).enumerate() {
                compare(&format!("{path}[{index}]"), old, new, report);
            }
        }
        _ => report(Found { path, old, new }),
    }
}

fn keys<'a>(a: &'a Json, b: &'a Json) -> BTreeSet<&'a str> {
    [a, b].into_iter().filter_map(Json::as_object).flat_map(Map::keys).map(String::as_str).collect()
}

/// A resource's type, or the value.
fn summary(value: &Json) -> String {
    match value["Type"].as_str() {
        Some(resource_type) if value.get("Properties").is_some() || resource_type.contains("::") => {
            resource_type.to_owned()
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests;
