//! Mappings: tables of constants, looked up by two keys with [`crate::Value::find_in_map`].
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/mappings-section-structure.html>

use std::sync::Arc;

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
