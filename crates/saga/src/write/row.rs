//! Items: their keys, their fields and what a field holds.

use crate::entity::FieldKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// The fields of one item, without its key.
pub type Row = BTreeMap<Cow<'static, str>, Scalar>;

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
    /// What no field has, because somebody else put it there. It is compared, kept and restored, never looked into; but
    /// for a number that is not whole or beyond 64 bits, which guards compare and additions change as DynamoDB does.
    Opaque {
        /// The store's own form of it: equal values have equal forms. Of a number in every store `{"N":"1.5"}`.
        opaque: String,
    },
}

/// The kind of a number, in words.
pub(super) const NUMBER: &str = "a whole number";

impl Scalar {
    /// What a field must be to hold this; `None` when no field can.
    pub(crate) fn kind(&self) -> Option<FieldKind> {
        match self {
            Self::Number(_) => Some(FieldKind::Number),
            Self::Text(_) => Some(FieldKind::Text),
            Self::Opaque { .. } => None,
        }
    }

    /// What kind of value it is, in words: all that may be told of one.
    pub(crate) fn kind_in_words(&self) -> &'static str {
        match self {
            Self::Number(_) => NUMBER,
            Self::Text(_) => "a text",
            Self::Opaque { .. } => "what no field can have",
        }
    }

    /// As text: a number in decimal.
    pub fn to_text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) | Self::Opaque { opaque: text } => text.clone(),
        }
    }
}

/// The identity of one item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RowKey {
    /// The entity's name.
    pub entity: Cow<'static, str>,
    /// The name of the key attribute.
    pub attribute: Cow<'static, str>,
    /// The key.
    pub value: String,
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.entity, self.value)
    }
}
