//! Checks the properties of resources against the facts of AWS.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::facts::{self, Property};
use crate::gives::{self, Gives};
use crate::path::At;
use crate::problem::LoadProblem;
use crate::shape::is_flag;

/// Finds what does not fit the facts of a resource type; `None` when the type is not known. `parameters` are those of the
/// template, if it is at hand.
pub(crate) fn properties(
    resource_type: &str,
    at: &At<'_>,
    properties: &Json,
    parameters: Option<&Map<String, Json>>,
    problems: &mut Vec<LoadProblem>,
) -> Option<()> {
    let facts = facts::resource(resource_type)?;
    Checker { facts, parameters, problems }.members(at, properties, &facts.properties);
    Some(())
}

struct Checker<'a> {
    facts: &'a facts::Resource,
    parameters: Option<&'a Map<String, Json>>,
    problems: &'a mut Vec<LoadProblem>,
}

impl Checker<'_> {
    fn members(&mut self, at: &At<'_>, json: &Json, known: &BTreeMap<String, Property>) {
        if is_intrinsic(json) {
            return self.branches(at, json, &mut |checker, at, branch| checker.members(at, branch, known));
        }
        let Some(fields) = object(at, json, self.problems) else { return };
        for (name, value) in fields {
            match known.get(name) {
                Some(property) => self.notation(&at.name(name), value, &property.notation),
                None => self.problems.push(unknown(at, name, known.keys().map(String::as_str))),
            }
        }
        let required = known.iter().filter(|(_, property)| property.required);
        for (name, _) in required.filter(|(name, _)| !fields.contains_key(*name)) {
            self.problems.push(missing(at, name));
        }
    }

    /// Checks a value. Values beyond the ones that AWS lists are no problem: AWS adds to the lists.
    fn notation(&mut self, at: &At<'_>, json: &Json, notation: &str) {
        if is_intrinsic(json) {
            self.gives(at, json, notation);
            return self
                .branches(at, json, &mut |checker, at, branch| checker.notation(at, branch, notation));
        }
        if let Some(inner) = within(notation, "list(") {
            let Some(items) = list(at, json, self.problems) else { return };
            return items.iter().enumerate().for_each(|(i, item)| self.notation(&at.index(i), item, inner));
        }
        if let Some(inner) = within(notation, "map(") {
            let Some(fields) = object(at, json, self.problems) else { return };
            return fields.iter().for_each(|(name, value)| self.notation(&at.name(name), value, inner));
        }
        if let Some(parts) = within(notation, "any(") {
            return self.union(at, json, &split(parts));
        }
        if let Some(nested) = notation.strip_prefix('#').and_then(|name| self.facts.types.get(name)) {
            return self.members(at, json, &nested.properties);
        }
        if !is_scalar(json, notation) {
            self.problems.push(wrong(at, &with_article(notation), json));
        }
    }

    /// Checks that a function gives a list where a list is wanted, and only there.
    fn gives(&mut self, at: &At<'_>, function: &Json, notation: &str) {
        let wanted = match notation {
            "string" | "integer" | "number" | "boolean" => Gives::One,
            _ if notation.starts_with("list(") => Gives::List,
            _ => return,
        };
        let given = match gives::of(function, self.parameters) {
            Some(given) if given != wanted => given,
            _ => return,
        };
        let (expected, given) = match given {
            Gives::List => (with_article(notation), "a function that gives a list"),
            Gives::One => ("a list".to_owned(), "a function that gives one value"),
        };
        let (at, given) = (at.to_string(), given.to_owned());
        self.problems.push(LoadProblem::WrongType { at, expected, given });
    }

    /// Checks one of several types: the one that is described, if the value has its shape, or else any that fits.
    fn union(&mut self, at: &At<'_>, json: &Json, parts: &[&str]) {
        let shape = if json.is_array() { "list(#" } else { "#" };
        let described: Vec<&&str> = parts.iter().filter(|part| part.starts_with(shape)).collect();
        if let (false, [only]) = (json.is_string(), described.as_slice()) {
            return self.notation(at, json, only);
        }
        let mut last = Vec::new();
        for part in parts {
            let mut problems = Vec::new();
            let mut checker =
                Checker { facts: self.facts, parameters: self.parameters, problems: &mut problems };
            checker.notation(at, json, part);
            if problems.is_empty() {
                return;
            }
            last = problems;
        }
        self.problems.append(&mut last);
    }

    /// Checks the values that an `Fn::If` chooses from. Other functions give what only CloudFormation knows.
    fn branches(&mut self, at: &At<'_>, json: &Json, check: &mut dyn FnMut(&mut Self, &At<'_>, &Json)) {
        if let Some([_, then, otherwise]) = json.get("Fn::If").and_then(Json::as_array).map(Vec::as_slice) {
            let function = at.name("Fn::If");
            check(self, &function.index(1), then);
            check(self, &function.index(2), otherwise);
        }
    }
}

fn is_scalar(json: &Json, notation: &str) -> bool {
    // CloudFormation converts between text and numbers, so text that reads as a number is one.
    let text = json.as_str();
    match notation {
        "string" => json.is_string() || json.is_number() || json.is_boolean(),
        "integer" => json.is_i64() || json.is_u64() || text.is_some_and(|text| text.parse::<i64>().is_ok()),
        "number" => json.is_number() || text.is_some_and(|text| text.parse::<f64>().is_ok()),
        "boolean" => is_flag(json),
        "tag" => json.get("Key").is_some() && json.get("Value").is_some(),
        _ => true,
    }
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

/// The members of an object, or a problem that says what it is instead.
pub(crate) fn object<'a>(
    at: &At<'_>,
    json: &'a Json,
    problems: &mut Vec<LoadProblem>,
) -> Option<&'a Map<String, Json>> {
    let fields = json.as_object();
    if fields.is_none() {
        problems.push(wrong(at, "an object", json));
    }
    fields
}

/// The items of a list, or a problem that says what it is instead.
pub(crate) fn list<'a>(at: &At<'_>, json: &'a Json, problems: &mut Vec<LoadProblem>) -> Option<&'a [Json]> {
    let items = json.as_array();
    if items.is_none() {
        problems.push(wrong(at, "a list", json));
    }
    items.map(Vec::as_slice)
}

/// A problem for each member that is not one of these.
pub(crate) fn only(at: &At<'_>, fields: &Map<String, Json>, known: &[&str], problems: &mut Vec<LoadProblem>) {
    let others = fields.keys().filter(|name| !known.contains(&name.as_str()));
    problems.extend(others.map(|name| unknown(at, name, known.iter().copied())));
}

pub(crate) fn missing(at: &At<'_>, name: &str) -> LoadProblem {
    LoadProblem::Missing { at: at.to_string(), name: name.to_owned() }
}

pub(crate) fn wrong(at: &At<'_>, expected: &str, json: &Json) -> LoadProblem {
    let given = match json {
        Json::Null => "null".to_owned(),
        Json::Object(_) => "an object".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        scalar => scalar.to_string(),
    };
    LoadProblem::WrongType { at: at.to_string(), expected: expected.to_owned(), given }
}

pub(crate) fn unknown<'a>(at: &At<'_>, name: &str, known: impl Iterator<Item = &'a str>) -> LoadProblem {
    let known: Vec<&str> = known.collect();
    let near =
        known.iter().map(|other| (distance(other, name), *other)).min().filter(|(steps, _)| *steps <= 2);
    let near = near.map(|(_, other)| other.to_owned());
    LoadProblem::Unknown { at: at.to_string(), name: name.to_owned(), near, known: known.join(", ") }
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
