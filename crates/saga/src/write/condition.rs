//! Conditions, and what it means when one does not hold.

use super::{Addition, Row, Scalar, decimal::Decimal};
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
            Self::Equals(field, _) => write!(f, "Equals({field:?})"),
            other => write!(f, "{other:?}"),
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
}

impl fmt::Display for Unmet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guard(guard) => write!(f, "{} does not hold", guard.condition),
            Self::Addition(field, addition) => {
                let fits = addition.fits();
                write!(
                    f,
                    "adding {} to {field} needs a number from {} to {}",
                    addition.n,
                    fits.start(),
                    fits.end()
                )
            }
        }
    }
}
