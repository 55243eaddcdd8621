//! What a difference between templates does to the real resource, from AWS's facts about its type.

use std::fmt;

use cfn::facts::{self, Replacement};
use serde_json::Value as Json;

/// What becomes of the real resource, and of what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// What becomes of the resource.
    pub fate: Fate,
    /// What becomes of what it holds, if it goes.
    pub data: Data,
}

/// What becomes of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is removed.
    Removed,
    /// It is replaced by a new one.
    Replaced,
    /// It depends on the values whether it is replaced.
    MaybeReplaced,
    /// Nothing is known about its type or property: it may be replaced, or not.
    Unknown,
    /// Nothing, for CloudFormation refuses the whole update: a logical id keeps its type.
    Refused,
}

/// What becomes of what a resource holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// It holds nothing that could be lost.
    None,
    /// It is lost.
    Lost,
    /// A snapshot of it is kept.
    Snapshot,
    /// It is kept in the old resource, which no stack manages any more.
    Kept,
    /// Nothing is known about the type: it may hold something, and lose it.
    Unknown,
}

impl Effect {
    /// Whether something that was entrusted to the resource is lost, or may be.
    #[must_use]
    pub fn may_lose_data(&self) -> bool {
        matches!(self.data, Data::Lost | Data::Unknown)
            && matches!(self.fate, Fate::Removed | Fate::Replaced | Fate::MaybeReplaced)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.fate {
            Fate::Removed => "removes it",
            Fate::Replaced => "replaces it",
            Fate::MaybeReplaced => "may replace it",
            Fate::Unknown => return f.write_str("it is not known whether this replaces it"),
            Fate::Refused => {
                return f.write_str(
                    "CloudFormation refuses to change the type: give the new resource another logical id",
                );
            }
        })?;
        f.write_str(match self.data {
            Data::None => "",
            Data::Lost => ", and what it holds is lost",
            Data::Snapshot => ", and a snapshot is kept",
            Data::Kept => ", and the old one is kept",
            Data::Unknown => ", and what it holds, if anything, is lost",
        })
    }
}

/// What removing a resource does. The policy that counts is the deployed one, as the other template has none.
pub(super) fn of_removal(old: &Json) -> Effect {
    Effect { fate: Fate::Removed, data: data(old, keeps(old, "DeletionPolicy")) }
}

/// What a change of the type does.
pub(super) const OF_ANOTHER_TYPE: Effect = Effect { fate: Fate::Refused, data: Data::None };

/// What a change of a property does, named by its path inside `Properties`, as in `Tags[0].Value`; `values` are the
/// value before and after. Nothing when the resource is updated in place.
pub(super) fn of_change(old: &Json, new: &Json, property: &str, values: [&Json; 2]) -> Option<Effect> {
    // CloudFormation refuses a change of the type, which is said there.
    let resource_type = old["Type"].as_str().filter(|kind| new["Type"] == **kind)?;
    let property = property.replace('[', ".").replace(']', "");
    let inside = values.into_iter().map(|value| of_parts(resource_type, &property, value)).max();
    let fate = match replacement(resource_type, &property) {
        Known::Replaced => Fate::Replaced,
        // A part that comes or goes with the whole is not the same as a part that changes.
        whole => match inside.map_or(whole, |inside| inside.max(whole)) {
            Known::InPlace => return None,
            Known::Unknown => Fate::Unknown,
            Known::MaybeReplaced | Known::Replaced => Fate::MaybeReplaced,
        },
    };
    // Both policies must keep it, so that a policy that changes at the same time is no false comfort.
    let policies = [old, new].map(|resource| keeps(resource, "UpdateReplacePolicy"));
    Some(Effect { fate, data: data(old, policies.into_iter().min().flatten()) })
}

/// What is known of a change, from harmless to grave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    InPlace,
    Unknown,
    MaybeReplaced,
    Replaced,
}

/// The gravest of the parts of a value that comes or goes as a whole.
fn of_parts(resource_type: &str, property: &str, value: &Json) -> Known {
    let parts: Box<dyn Iterator<Item = Known>> = match value {
        Json::Object(fields) => {
            Box::new(fields.iter().filter(|(name, _)| !is_function(name)).map(|(name, value)| {
                let part = format!("{property}.{name}");
                replacement(resource_type, &part).max(of_parts(resource_type, &part, value))
            }))
        }
        Json::Array(items) => Box::new(items.iter().map(|item| of_parts(resource_type, property, item))),
        _ => return Known::InPlace,
    };
    parts.max().unwrap_or(Known::InPlace)
}

fn replacement(resource_type: &str, property: &str) -> Known {
    match facts::replacement(resource_type, property) {
        Some(Replacement::Yes) => Known::Replaced,
        Some(Replacement::Maybe) => Known::MaybeReplaced,
        Some(Replacement::No) => Known::InPlace,
        // Below a function such as `Fn::If` are no properties, so what holds it counts.
        None => match property.rsplit_once('.') {
            Some((whole, part)) if is_function(part) || part.parse::<usize>().is_ok() => {
                replacement(resource_type, whole)
            }
            Some((whole, _)) => replacement(resource_type, whole).max(Known::Unknown),
            None => Known::Unknown,
        },
    }
}

fn is_function(name: &str) -> bool {
    name == "Ref" || name.starts_with("Fn::")
}

/// How a policy keeps what a resource holds, from less to more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Keeps {
    Snapshot,
    All,
}

fn keeps(resource: &Json, policy: &str) -> Option<Keeps> {
    match resource[policy].as_str()? {
        "Retain" | "RetainExceptOnCreate" => Some(Keeps::All),
        "Snapshot" => Some(Keeps::Snapshot),
        _ => None,
    }
}

fn data(resource: &Json, keeps: Option<Keeps>) -> Data {
    let stateful = resource["Type"].as_str().and_then(facts::is_stateful);
    match (stateful, keeps) {
        (_, Some(Keeps::All)) => Data::Kept,
        (Some(false), _) => Data::None,
        (_, Some(Keeps::Snapshot)) => Data::Snapshot,
        (Some(true), None) => Data::Lost,
        (None, None) => Data::Unknown,
    }
}
