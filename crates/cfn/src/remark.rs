//! What a template that loads may not mean as it is written.

use std::fmt;

use serde_json::{Map, Value as Json};

use crate::facts;

/// A scalar without quotes that loads, but whose text is not what CloudFormation makes of it.
///
/// Nothing is said where a number, or true or false, is wanted and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadRemark {
    at: String,
    given: String,
    reading: Reading,
}

/// What became of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It is a number, or true or false, which is written so.
    Scalar(Json),
    /// It is text by the rules of YAML 1.1, and a number to some readers of it.
    Text,
}

impl LoadRemark {
    pub(crate) fn new(at: String, given: &str, reading: Reading) -> Self {
        Self { at, given: given.to_owned(), reading }
    }

    /// The path, as in `Resources.Orders.Properties.Tags[0].Value`.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.at
    }

    /// The text as it is in the template, as in `1.30`.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }

    /// Whether it is of use in this template: whether text may have been meant.
    pub(crate) fn concerns(&self, template: &Map<String, Json>) -> bool {
        let steps: Vec<&str> = self.at.split(['.', '[']).map(|step| step.trim_end_matches(']')).collect();
        let wanted = match steps.as_slice() {
            ["Parameters", _, "NoEcho"] => Some("boolean"),
            ["Parameters", _, "MaxLength" | "MaxValue" | "MinLength" | "MinValue"] => Some("number"),
            ["Resources", id, "Properties", path @ ..] => template
                .get("Resources")
                .and_then(|resources| resources.get(id)?.get("Type")?.as_str())
                .and_then(|resource_type| facts::notation(resource_type, path)),
            _ => None,
        };
        match &self.reading {
            Reading::Scalar(Json::Bool(_)) => wanted != Some("boolean"),
            _ => !matches!(wanted, Some("number" | "integer")),
        }
    }
}

impl fmt::Display for LoadRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, given, reading } = self;
        match reading {
            Reading::Scalar(json) => write!(
                f,
                "{at} is {given} without quotes, which CloudFormation reads as {json}, and so it is written: put it in \
                 quotes if the text is meant"
            ),
            Reading::Text => write!(
                f,
                "{at} is {given} without quotes, which is text in YAML 1.1, and so it is written, but CloudFormation \
                 has been seen to read such text as a number: put it in quotes"
            ),
        }
    }
}
