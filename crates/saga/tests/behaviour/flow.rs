//! Reads an emitted state machine as a graph: where each state goes, what it assigns on the way and which variables it
//! uses.

use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// The way from one state to another, with the variables assigned on it.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) to: String,
    pub(crate) assigns: BTreeSet<String>,
    /// The errors it is taken on; none on success.
    pub(crate) errors: Vec<String>,
}

/// A state machine as emitted.
pub(crate) struct Machine {
    pub(crate) start: String,
    pub(crate) states: Map<String, Json>,
}

impl Machine {
    pub(crate) fn read(machine: &Json) -> Self {
        let Json::Object(states) = &machine["States"] else { panic!("no states in {machine}") };
        Self { start: text(&machine["StartAt"]), states: states.clone() }
    }

    /// Where a state goes.
    pub(crate) fn ways(&self, name: &str) -> Vec<Way> {
        let state = &self.states[name];
        let mut ways = Vec::new();
        let mut way = |to: &Json, assign: &Json, errors: &Json| {
            if to.is_string() {
                let errors = list(errors).iter().map(text).collect();
                ways.push(Way { to: text(to), assigns: names(assign), errors });
            }
        };
        for rule in list(&state["Choices"]) {
            way(&rule["Next"], &rule["Assign"], &Json::Null);
        }
        way(&state["Default"], &state["Assign"], &Json::Null);
        way(&state["Next"], &state["Assign"], &Json::Null);
        for catch in list(&state["Catch"]) {
            way(&catch["Next"], &catch["Assign"], &catch["ErrorEquals"]);
        }
        ways
    }

    /// Every state that can come after `from`, and `from`.
    pub(crate) fn reachable(&self, from: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(name) = open.pop() {
            open.extend(self.ways(&name).into_iter().map(|way| way.to).filter(|to| !seen.contains(to)));
            seen.insert(name);
        }
        seen
    }

    /// The state that follows when `error` is raised, or nothing is.
    pub(crate) fn after(&self, name: &str, error: Option<&str>) -> Option<String> {
        let takes = |way: &Way| match error {
            None => way.errors.is_empty(),
            Some(error) => way.errors.iter().any(|caught| caught == error || caught == "States.ALL"),
        };
        self.ways(name).into_iter().find(takes).map(|way| way.to)
    }
}

pub(crate) fn text(json: &Json) -> String {
    json.as_str().unwrap_or_else(|| panic!("{json} is not text")).to_owned()
}

/// The elements of an array; none where there is no array.
pub(crate) fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn names(object: &Json) -> BTreeSet<String> {
    object.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
}

/// Every JSONata expression in a value.
pub(crate) fn expressions(json: &Json) -> Vec<String> {
    match json {
        Json::String(text) => {
            let inner = text.strip_prefix("{%").and_then(|text| text.strip_suffix("%}"));
            inner.map(str::to_owned).into_iter().collect()
        }
        Json::Array(values) => values.iter().flat_map(expressions).collect(),
        Json::Object(members) => members.values().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}
