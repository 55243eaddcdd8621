//! Whether everything that is written under one schema can be read under another.
//!
//! The comparison errs on one side: what it lets pass can be read; what it cannot understand it refuses.

use super::{
    alternatives::{
        Alternative, Definitions, Unclear, additional, alternatives, fits, properties, required, type_name,
    },
    limits::{is_number, least, most, numbers_fit},
    wording::{describe, describe_with, label, tags},
};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// A place where something written cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mismatch {
    /// The place as a JSON path, for example `$.lines[*].sku`.
    pub(super) path: String,
    /// What does not fit there.
    pub(super) why: Why,
}

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// A member is required that may not be there.
    Required,
    /// A member is refused.
    Refused,
    /// Less is taken than can be there.
    Narrowed {
        /// What can be there.
        written: String,
        /// What is taken.
        read: String,
    },
    /// A keyword of the schema was changed, and what that means is not known.
    Unknown {
        /// The keyword.
        keyword: String,
    },
}

/// Where what is written under one schema cannot be read under another; each schema with its definitions.
pub(super) fn mismatches(written: (&Json, &Definitions), read: (&Json, &Definitions)) -> Vec<Mismatch> {
    let mut comparison = Comparison { written: written.1, read: read.1, running: Vec::new() };
    let mut found = Vec::new();
    comparison.schemas(written.0, read.0, "$", &mut found);
    found
}

struct Comparison<'a> {
    written: &'a Definitions,
    read: &'a Definitions,
    /// The pairs that are being compared: one that comes again inside itself fits if the rest of it does.
    running: Vec<(Json, Json)>,
}

impl Comparison<'_> {
    fn schemas(&mut self, written: &Json, read: &Json, path: &str, found: &mut Vec<Mismatch>) {
        let pair = (written.clone(), read.clone());
        if self.running.contains(&pair) || (written == read && self.written == self.read) {
            return;
        }
        self.running.push(pair);
        match (alternatives(written, self.written), alternatives(read, self.read)) {
            (Ok(written), Ok(read)) => {
                for one in &written {
                    self.one_of(one, &read, path, found);
                }
            }
            (Err(Unclear(keyword)), _) | (_, Err(Unclear(keyword))) => {
                found.push(Mismatch { path: path.to_owned(), why: Why::Unknown { keyword } });
            }
        }
        self.running.pop();
    }

    /// What is written must be read by one of these.
    fn one_of(&mut self, written: &Alternative, read: &[Alternative], path: &str, found: &mut Vec<Mismatch>) {
        let mut all = Vec::new();
        for alternative in read {
            let mismatches = self.one(written, alternative, path);
            if mismatches.is_empty() {
                return;
            }
            all.push((alternative, mismatches));
        }
        // What is meant is the one that is named alike, or the only one there is.
        let meant = all.iter().position(|(alternative, _)| {
            label(alternative) == label(written) || (all.len() == 1 && tags(alternative) == tags(written))
        });
        match meant {
            Some(index) => found.extend(all.swap_remove(index).1),
            None => {
                let read: Vec<_> = read.iter().map(describe).collect();
                let read = if read.is_empty() { "nothing".into() } else { read.join(" or ") };
                found.push(narrowed(path, describe(written), read));
            }
        }
    }

    fn one(&mut self, written: &Alternative, read: &Alternative, path: &str) -> Vec<Mismatch> {
        let types = (type_name(written), type_name(read));
        let type_fits = match types {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(written), Some(read)) => fits(written, read),
        };
        let constant = written.get("const");
        if !type_fits || read.get("const").is_some_and(|wanted| constant != Some(wanted)) {
            return vec![narrowed(path, describe(written), describe(read))];
        }
        let mut found = Vec::new();
        for (keyword, constraint) in read {
            let fits = match keyword.as_str() {
                "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                    numbers_fit(written, read, keyword)
                }
                "format" if is_number(read) => numbers_fit(written, read, keyword),
                "minLength" | "minItems" | "minProperties" => least(written, keyword) >= least(read, keyword),
                "maxLength" | "maxItems" | "maxProperties" => most(written, keyword) <= most(read, keyword),
                // Looked at above and below.
                "type"
                | "const"
                | "items"
                | "prefixItems"
                | "properties"
                | "required"
                | "additionalProperties"
                | "unevaluatedProperties" => true,
                _ => written.get(keyword) == Some(constraint),
            };
            if !fits {
                found.push(narrowed(path, describe_with(written, keyword), describe_with(read, keyword)));
            }
        }
        self.items(written, read, path, &mut found);
        self.members(written, read, path, &mut found);
        let mut seen = BTreeSet::new();
        found.retain(|mismatch| seen.insert(mismatch.clone()));
        found
    }

    fn items(&mut self, written: &Alternative, read: &Alternative, path: &str, found: &mut Vec<Mismatch>) {
        let most = most(written, "maxItems");
        let places = prefix(written).len().max(prefix(read).len());
        for place in 0..places {
            if (place as u64) < most {
                let path = format!("{path}[{place}]");
                self.schemas(item(written, place), item(read, place), &path, found);
            }
        }
        if (places as u64) < most {
            let path = format!("{path}[*]");
            self.schemas(item(written, places), item(read, places), &path, found);
        }
    }

    fn members(&mut self, written: &Alternative, read: &Alternative, path: &str, found: &mut Vec<Mismatch>) {
        let there = |name: &str| written.get("properties").and_then(|all| all.get(name));
        let always = required(written);
        for name in required(read).difference(&always) {
            found.push(Mismatch { path: member(path, name), why: Why::Required });
        }
        let (others_written, others_read) = (additional(written), additional(read));
        for (name, schema) in properties(read) {
            // What was written without this member, and without saying that others may be there, has none of its name.
            if let Some(written) = there(name).or(others_written) {
                self.schemas(written, schema, &member(path, name), found);
            }
        }
        let Some(others_read) = others_read else { return };
        let known = |name: &str| read.get("properties").is_some_and(|all| all.get(name).is_some());
        for (name, schema) in properties(written).filter(|(name, _)| !known(name)) {
            let path = member(path, name);
            match others_read {
                Json::Bool(false) => found.push(Mismatch { path, why: Why::Refused }),
                others => self.schemas(schema, others, &path, found),
            }
        }
        let path = format!("{path}.*");
        match (others_written, others_read) {
            // Members of releases before may still be there.
            (None, Json::Bool(false)) => found.push(Mismatch { path, why: Why::Refused }),
            (None | Some(Json::Bool(false)), _) => {}
            (Some(written), read) => self.schemas(written, read, &path, found),
        }
    }
}

fn narrowed(path: &str, written: String, read: String) -> Mismatch {
    Mismatch { path: path.to_owned(), why: Why::Narrowed { written, read } }
}

fn member(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if plain { format!("{path}.{name}") } else { format!("{path}[{}]", Json::from(name)) }
}

fn prefix(schema: &Alternative) -> &[Json] {
    schema.get("prefixItems").and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// What the item at this place must be.
fn item(schema: &Alternative, place: usize) -> &Json {
    prefix(schema).get(place).or_else(|| schema.get("items")).unwrap_or(&Json::Bool(true))
}

#[cfg(test)]
mod tests;
