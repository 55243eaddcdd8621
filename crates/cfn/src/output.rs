//! Outputs: what a stack tells its user and other stacks.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html>

use serde::Serialize;

use crate::condition::Condition;
use crate::value::Value;

/// An output of a stack.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    value: Value<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    export: Option<Export>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Export {
    name: Value<String>,
}

impl Output {
    /// An output of this value.
    #[must_use]
    pub fn new(value: impl Into<Value<String>>) -> Self {
        Self { condition: None, description: None, value: value.into(), export: None }
    }

    /// What the value is, up to 1,024 bytes.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Exports the value to other stacks under a name that is unique in the account and region.
    #[must_use]
    pub fn export(mut self, name: impl Into<Value<String>>) -> Self {
        self.export = Some(Export { name: name.into() });
        self
    }

    /// Gives the output only while the condition holds.
    #[must_use]
    pub fn condition(mut self, condition: &Condition) -> Self {
        self.condition = Some(condition.name().to_owned());
        self
    }
}
