//! Parameters of a template: what its user says when the stack is created.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

/// A parameter that is in a template; it converts into a value of any kind.
#[derive(Debug, Clone)]
pub struct Param {
    name: Arc<str>,
}

impl Param {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: Arc::from(name) }
    }

    /// The name of the parameter.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The declaration of a parameter.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parameter {
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_values: Vec<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraint_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_value: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_value: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_echo: Option<bool>,
}

impl Parameter {
    /// A parameter of type `String`.
    #[must_use]
    pub fn string() -> Self {
        Self::of_type("String")
    }

    /// A parameter of type `Number`.
    #[must_use]
    pub fn number() -> Self {
        Self::of_type("Number")
    }

    /// A parameter of another type, as in `AWS::SSM::Parameter::Value<String>`.
    #[must_use]
    pub fn of_type(name: impl Into<String>) -> Self {
        Self {
            r#type: name.into(),
            default: None,
            description: None,
            allowed_values: Vec::new(),
            allowed_pattern: None,
            constraint_description: None,
            min_length: None,
            max_length: None,
            min_value: None,
            max_value: None,
            no_echo: None,
        }
    }

    /// The value when the user gives none: a string or a number.
    #[must_use]
    pub fn default(mut self, value: impl Into<Json>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// What the parameter means, up to 4,000 characters.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// The values that are accepted.
    #[must_use]
    pub fn allowed_values(mut self, values: impl IntoIterator<Item = impl Into<Json>>) -> Self {
        self.allowed_values = values.into_iter().map(Into::into).collect();
        self
    }

    /// The regular expression that a string must match as a whole.
    #[must_use]
    pub fn allowed_pattern(mut self, pattern: impl Into<String>) -> Self {
        self.allowed_pattern = Some(pattern.into());
        self
    }

    /// What the user reads when a constraint is violated.
    #[must_use]
    pub fn constraint_description(mut self, text: impl Into<String>) -> Self {
        self.constraint_description = Some(text.into());
        self
    }

    /// The fewest and the most characters of a string.
    #[must_use]
    pub fn length(mut self, min: u32, max: u32) -> Self {
        self.min_length = Some(min);
        self.max_length = Some(max);
        self
    }

    /// The smallest and the largest number.
    #[must_use]
    pub fn range(mut self, min: i64, max: i64) -> Self {
        self.min_value = Some(min);
        self.max_value = Some(max);
        self
    }

    /// Masks the value wherever CloudFormation shows it. Not enough for a secret: use Secrets Manager.
    #[must_use]
    pub fn no_echo(mut self) -> Self {
        self.no_echo = Some(true);
        self
    }
}
