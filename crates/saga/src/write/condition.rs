//! Conditions, and what it means when one does not hold.

use super::{Addition, Row, Scalar, decimal::Decimal, row::NUMBER};
use crate::rejection::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// A condition, and what it means when it does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Guard {
    /// What must hold.
    pub condition: Condition,
    /// The rejection it stands for; without one the step is retried, like after any other failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// What must hold for an item before it is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// There is no such item.
    Absent,
    /// There is such an item.
    Exists,
    /// The field is a number of at least this.
    AtLeast(Cow<'static, str>, i64),
    /// The field is a number of at most this.
    AtMost(Cow<'static, str>, i64),
    /// The field is this.
    Equals(Cow<'static, str>, Scalar),
    /// The item has no such field.
    Lacks(Cow<'static, str>),
}

impl Condition {
    /// Whether it holds for the item as it is.
    pub fn holds(&self, row: Option<&Row>) -> bool {
        let value = |field: &str| row.and_then(|row| row.get(field));
        let number = |field: &str| value(field).and_then(Decimal::of);
        match self {
            Self::Absent => row.is_none(),
            Self::Exists => row.is_some(),
            Self::AtLeast(field, least) => number(field).is_some_and(|number| number.at_least(*least)),
            Self::AtMost(field, most) => number(field).is_some_and(|number| number.at_most(*most)),
            Self::Equals(field, expected) => value(field) == Some(expected),
            Self::Lacks(field) => value(field).is_none(),
        }
    }
}

/// For the log, so without the value a field must have: it can be personal.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Exists => f.write_str("Exists"),
            Self::AtLeast(field, _) => write!(f, "AtLeast({field:?})"),
            Self::AtMost(field, _) => write!(f, "AtMost({field:?})"),
            Self::Equals(field, _) => write!(f, "Equals({field:?})"),
            Self::Lacks(field) => write!(f, "Lacks({field:?})"),
        }
    }
}

/// Why a write may not be done to an item as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmet<'a> {
    /// This guard does not hold.
    Guard(&'a Guard),
    /// This cannot be added to this field.
    Addition(&'a str, Addition),
}

impl Unmet<'_> {
    /// The rejection it stands for, if it stands for one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Guard(guard) => guard.refusal.as_ref(),
            Self::Addition(..) => None,
        }
    }

    /// Why it is so when the item is this one: only when a field has another kind of value than is needed. Names and
    /// kinds, never values.
    pub fn other_kind(&self, row: &Row) -> Option<String> {
        let (field, needed) = match self {
            Self::Guard(guard) => match &guard.condition {
                Condition::AtLeast(field, _) | Condition::AtMost(field, _) => (field.as_ref(), NUMBER),
                Condition::Equals(field, needed) => (field.as_ref(), needed.kind_in_words()),
                Condition::Absent | Condition::Exists | Condition::Lacks(_) => return None,
            },
            Self::Addition(field, _) => (*field, NUMBER),
        };
        let stored = row.get(field)?.kind_in_words();
        (stored != needed).then(|| format!("{stored} is stored, {needed} is needed"))
    }
}

/// For the log, so without what is added: it can be personal.
impl fmt::Display for Unmet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guard(guard) => write!(f, "{} does not hold", guard.condition),
            Self::Addition(field, _) => {
                write!(f, "adding to {field} needs a whole number, and a sum that its type can hold")
            }
        }
    }
}
