//! The states that the compiler emits, as data.

use crate::budget::Backoff;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value as Json;
use std::{collections::BTreeMap, time::Duration};

/// A state machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StateMachine {
    /// What it is, for people.
    pub comment: String,
    /// Always `JSONata`.
    pub query_language: &'static str,
    /// The first state.
    pub start_at: String,
    /// Every state.
    pub states: States,
}

/// States by name, in the order in which they are read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct States(pub Vec<(String, State)>);

impl Serialize for States {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, state) in &self.0 {
            map.serialize_entry(name, state)?;
        }
        map.end()
    }
}

/// A state.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "Type")]
pub enum State {
    /// Asks a service and waits for its answer.
    Task(Box<Task>),
    /// Goes one way or another.
    Choice(Choice),
    /// Runs branches at the same time.
    Parallel(Parallel),
    /// Ends with an output.
    Pass(Pass),
}

/// Where a state goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Transition {
    /// To this state.
    Next(String),
    /// The end of the machine or branch; always `true`.
    End(bool),
}

impl Transition {
    /// To this state.
    pub fn to(state: impl Into<String>) -> Self {
        Self::Next(state.into())
    }
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Task {
    /// The integration.
    pub resource: Integration,
    /// What it is given.
    pub arguments: Json,
    /// How long it waits for the answer; `None`: as long as an execution lasts.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub timeout_seconds: Option<Duration>,
    /// What is tried again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<Retry>,
    /// What is caught.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub catch: Vec<Catch>,
    /// Variables set from the answer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub assign: BTreeMap<String, Json>,
    /// Where it goes.
    #[serde(flatten)]
    pub transition: Transition,
}

/// A service that a task asks, and how. There are no others: what is misspelt does not compile. The partition of AWS, such
/// as `aws-cn`, is [`Placeholder::Partition`](super::Placeholder::Partition).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Integration {
    /// Sends a message to a queue, and waits until somebody answers its task token.
    #[serde(rename = "arn:${Partition}:states:::sqs:sendMessage.waitForTaskToken")]
    SendMessageForToken,
    /// Publishes on a topic.
    #[serde(rename = "arn:${Partition}:states:::sns:publish")]
    Publish,
    /// Puts an item into a table, and waits until somebody answers its task token.
    #[serde(rename = "arn:${Partition}:states:::aws-sdk:dynamodb:putItem.waitForTaskToken")]
    PutItemForToken,
    /// Updates an item of a table.
    #[serde(rename = "arn:${Partition}:states:::dynamodb:updateItem")]
    UpdateItem,
    /// Deletes an item of a table.
    #[serde(rename = "arn:${Partition}:states:::dynamodb:deleteItem")]
    DeleteItem,
}

impl Integration {
    /// Whether the task ends when its token is answered.
    pub fn waits_for_token(self) -> bool {
        match self {
            Self::SendMessageForToken | Self::PutItemForToken => true,
            Self::Publish | Self::UpdateItem | Self::DeleteItem => false,
        }
    }
}

/// A choice.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Choice {
    /// The first rule whose condition holds is taken.
    pub choices: Vec<ChoiceRule>,
    /// Variables set when no rule is taken.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub assign: BTreeMap<String, Json>,
    /// Where it goes when no rule is taken.
    pub default: String,
}

/// A rule of a choice.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChoiceRule {
    /// A JSONata expression in `{% %}`.
    pub condition: String,
    /// Variables set when it is taken.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub assign: BTreeMap<String, Json>,
    /// Where it goes.
    pub next: String,
}

/// Branches.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parallel {
    /// The branches.
    pub branches: Vec<Branch>,
    /// What is caught.
    pub catch: Vec<Catch>,
    /// Where it goes.
    #[serde(flatten)]
    pub transition: Transition,
}

/// One branch.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Branch {
    /// The first state.
    pub start_at: String,
    /// Every state.
    pub states: States,
}

/// The end, or variables that are set from the input.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Pass {
    /// The output.
    pub output: Json,
    /// Variables that are set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub assign: BTreeMap<String, Json>,
    /// Where it goes.
    #[serde(flatten)]
    pub transition: Transition,
}

/// A retrier.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Retry {
    /// Which errors.
    pub error_equals: Vec<String>,
    /// The longest first wait.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub interval_seconds: Option<Duration>,
    /// By what each wait is longer than the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_rate: Option<u32>,
    /// The longest wait.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub max_delay_seconds: Option<Duration>,
    /// How many retries.
    pub max_attempts: u32,
    /// `FULL`: each wait is random between nothing and the backoff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_strategy: Option<&'static str>,
}

impl Retry {
    /// These errors are not tried again.
    pub fn never(errors: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            error_equals: errors.into_iter().map(Into::into).collect(),
            interval_seconds: None,
            backoff_rate: None,
            max_delay_seconds: None,
            max_attempts: 0,
            jitter_strategy: None,
        }
    }

    /// This error is tried again, with capped exponential backoff and without jitter: its waits add up for certain.
    pub fn steadily(error: &str, backoff: Backoff) -> Self {
        Self { jitter_strategy: None, ..Self::with(error, backoff) }
    }

    /// This error is tried again, with capped exponential backoff and full jitter.
    pub fn with(error: &str, backoff: Backoff) -> Self {
        Self {
            error_equals: vec![error.into()],
            interval_seconds: Some(backoff.interval),
            backoff_rate: Some(2),
            // AWS wants the cap above the interval.
            max_delay_seconds: (backoff.max_delay > backoff.interval).then_some(backoff.max_delay),
            max_attempts: backoff.max_attempts,
            jitter_strategy: Some("FULL"),
        }
    }
}

/// A catcher.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Catch {
    /// Which errors.
    pub error_equals: Vec<String>,
    /// Variables set from the error.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub assign: BTreeMap<String, Json>,
    /// Where it goes.
    pub next: String,
}

// serde hands a `serialize_with` function a reference to the field's type.
#[allow(clippy::ref_option)]
fn seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serializer.serialize_u64(duration.as_secs()),
        None => serializer.serialize_none(),
    }
}
