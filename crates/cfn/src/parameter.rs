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
    /// The name of the parameter.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A parameter that is in a template and holds a list; it converts into a list of values of any kind.
#[derive(Debug, Clone)]
pub struct ListParam {
    name: Arc<str>,
}

impl ListParam {
    /// The name of the parameter.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The declaration of a parameter of one value or of a list: what [`crate::Template::parameter`] takes.
pub trait DeclareParameter {
    /// What stands for the parameter afterwards.
    type Param;

    /// The declaration, and what stands for the parameter of this name.
    #[doc(hidden)]
    fn declare(self, name: &str) -> (Parameter, Self::Param);
}

impl DeclareParameter for Parameter {
    type Param = Param;

    fn declare(self, name: &str) -> (Parameter, Param) {
        (self, Param { name: Arc::from(name) })
    }
}

impl DeclareParameter for ListParameter {
    type Param = ListParam;

    fn declare(self, name: &str) -> (Parameter, ListParam) {
        (self.0, ListParam { name: Arc::from(name) })
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

    /// A parameter that is a list of texts, given with commas between them: `CommaDelimitedList`.
    #[must_use]
    pub fn string_list() -> ListParameter {
        ListParameter::of_type("CommaDelimitedList")
    }

    /// A parameter that is a list of numbers, given with commas between them: `List<Number>`.
    #[must_use]
    pub fn number_list() -> ListParameter {
        ListParameter::of_type("List<Number>")
    }

    /// A parameter of another type that is one value, as in `AWS::SSM::Parameter::Value<String>`.
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

/// The declaration of a parameter that is a list.
#[derive(Debug, Clone)]
pub struct ListParameter(Parameter);

impl ListParameter {
    /// A parameter of a list type, as in `List<AWS::EC2::Subnet::Id>`.
    #[must_use]
    pub fn of_type(name: impl Into<String>) -> Self {
        Self(Parameter::of_type(name))
    }

    /// The items when the user gives none. No item can have a comma in it.
    #[must_use]
    pub fn default(self, items: impl IntoIterator<Item = impl ToString>) -> Self {
        let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
        Self(self.0.default(items.join(",")))
    }

    /// What the parameter means, up to 4,000 characters.
    #[must_use]
    pub fn description(self, text: impl Into<String>) -> Self {
        Self(self.0.description(text))
    }

    /// The items that are accepted.
    #[must_use]
    pub fn allowed_values(self, values: impl IntoIterator<Item = impl Into<Json>>) -> Self {
        Self(self.0.allowed_values(values))
    }

    /// The regular expression that each item must match as a whole.
    #[must_use]
    pub fn allowed_pattern(self, pattern: impl Into<String>) -> Self {
        Self(self.0.allowed_pattern(pattern))
    }

    /// What the user reads when a constraint is violated.
    #[must_use]
    pub fn constraint_description(self, text: impl Into<String>) -> Self {
        Self(self.0.constraint_description(text))
    }

    /// Masks the value wherever CloudFormation shows it.
    #[must_use]
    pub fn no_echo(self) -> Self {
        Self(self.0.no_echo())
    }
}
