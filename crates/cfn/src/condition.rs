//! Conditions and rules: what a template decides from its parameters.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html>

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::value::Value;

/// A condition that is in a template.
#[derive(Debug, Clone)]
pub struct Condition {
    name: Arc<str>,
}

impl Condition {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: Arc::from(name) }
    }

    /// The name of the condition.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A test that a condition or a rule makes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Test(Json);

impl Test {
    /// `Fn::Equals`: both are the same text, letter case included.
    #[must_use]
    pub fn equals(left: impl Into<Value<String>>, right: impl Into<Value<String>>) -> Self {
        Self(json!({ "Fn::Equals": [left.into(), right.into()] }))
    }

    /// `Fn::Not`: the other test fails.
    #[must_use]
    pub fn not(test: impl Into<Test>) -> Self {
        Self(json!({ "Fn::Not": [test.into()] }))
    }

    /// `Fn::And`: all of 2 to 10 tests hold.
    #[must_use]
    pub fn and(tests: impl IntoIterator<Item = impl Into<Test>>) -> Self {
        let tests: Vec<Test> = tests.into_iter().map(Into::into).collect();
        Self(json!({ "Fn::And": tests }))
    }

    /// `Fn::Or`: any of 2 to 10 tests holds.
    #[must_use]
    pub fn or(tests: impl IntoIterator<Item = impl Into<Test>>) -> Self {
        let tests: Vec<Test> = tests.into_iter().map(Into::into).collect();
        Self(json!({ "Fn::Or": tests }))
    }
}

impl From<&Condition> for Test {
    fn from(condition: &Condition) -> Self {
        Self(json!({ "Condition": condition.name() }))
    }
}

/// A rule: refuses parameters that do not fit together before anything is created.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html>
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_condition: Option<Test>,
    assertions: Vec<Assertion>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Assertion {
    assert: Test,
    assert_description: String,
}

impl Rule {
    /// A rule that refuses the parameters with `description` unless the test holds.
    #[must_use]
    pub fn assert(test: impl Into<Test>, description: impl Into<String>) -> Self {
        let assertion = Assertion { assert: test.into(), assert_description: description.into() };
        Self { rule_condition: None, assertions: vec![assertion] }
    }

    /// Applies the rule only when this test holds. Default: always.
    #[must_use]
    pub fn when(mut self, test: impl Into<Test>) -> Self {
        self.rule_condition = Some(test.into());
        self
    }
}
