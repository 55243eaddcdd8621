//! Mappings: tables of constants, looked up by two keys with [`crate::Value::find_in_map`].
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/mappings-section-structure.html>

use std::sync::Arc;

use serde_json::Value as Json;

/// An entry of a mapping: a constant, or a list of constants.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingValue(Json);

impl MappingValue {
    pub(crate) fn into_json(self) -> Json {
        self.0
    }
}

impl From<&str> for MappingValue {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for MappingValue {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<i64> for MappingValue {
    fn from(number: i64) -> Self {
        Self(number.into())
    }
}

impl<T: Into<String>> From<Vec<T>> for MappingValue {
    fn from(items: Vec<T>) -> Self {
        Self(items.into_iter().map(Into::into).collect::<Vec<String>>().into())
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for MappingValue {
    fn from(items: [T; N]) -> Self {
        Vec::from(items).into()
    }
}

/// A mapping that is in a template.
#[derive(Debug, Clone)]
pub struct Mapping {
    name: Arc<str>,
}

impl Mapping {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: Arc::from(name) }
    }

    /// The name of the mapping.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
