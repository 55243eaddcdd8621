//! The execution that died: what the event says of it, and what Step Functions still knows.

use aws_sdk_sfn::{Client, types::ExecutionStatus};
use saga::StartInput;
use saga_lambda::{Deadline, Tried, aws::Failure, persist};
use serde::Deserialize;

/// An event of EventBridge about an execution, as far as it is read here: the rest is asked for, since an event leaves
/// out a large input.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Detail {
    pub(crate) execution_arn: String,
}

/// An execution that ended without an outcome.
#[derive(Debug)]
pub(crate) struct Dead {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) state_machine_arn: String,
    /// `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub(crate) status: String,
    pub(crate) input: StartInput,
}

/// What became of an execution.
#[derive(Debug)]
pub(crate) enum Found {
    Dead(Box<Dead>),
    /// It runs, or ended well: somebody has started it again.
    Alive,
}

/// Why an execution cannot be settled now, or ever.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsettled {
    #[error("not an event about an execution: {0}")]
    Event(String),
    #[error("Step Functions: {0}")]
    StepFunctions(String),
    #[error("DynamoDB: {0}")]
    DynamoDb(String),
    #[error("the input of execution `{name}` is none of a saga: {why}")]
    Input { name: String, why: String },
    #[error(
        "attempt {attempt} to settle this saga has died too, and {allowed} are made: find out why, then settle it by hand"
    )]
    TooOften { attempt: u32, allowed: u32 },
}

/// Reads an event.
pub(crate) fn decode(body: &str) -> Result<Detail, Unsettled> {
    let event: Event = serde_json::from_str(body)
        .map_err(|error| Unsettled::Event(saga_lambda::redacted(&error.to_string()).into_owned()))?;
    Ok(event.detail)
}

/// Asks what became of an execution.
pub(crate) async fn find(client: &Client, arn: &str, deadline: Deadline) -> Result<Found, Unsettled> {
    let request = client.describe_execution().execution_arn(arn);
    let described = persist(deadline, || async {
        match request.clone().send().await {
            Ok(described) => Tried::Answered(Ok(described)),
            Err(error) => Failure::of(&error)
                .tried(|failure| Err(Unsettled::StepFunctions(failure.code.unwrap_or(failure.text)))),
        }
    });
    let described = described.await.unwrap_or_else(|why| Err(Unsettled::StepFunctions(why)))?;
    let died = [ExecutionStatus::Failed, ExecutionStatus::TimedOut, ExecutionStatus::Aborted];
    if !died.contains(&described.status) {
        return Ok(Found::Alive);
    }
    let name = described.name.unwrap_or_default();
    let input = serde_json::from_str(described.input.as_deref().unwrap_or_default()).map_err(|error| {
        let why = saga_lambda::redacted(&error.to_string()).into_owned();
        Unsettled::Input { name: name.clone(), why }
    })?;
    Ok(Found::Dead(Box::new(Dead {
        arn: arn.to_owned(),
        name,
        state_machine_arn: described.state_machine_arn,
        status: described.status.as_str().to_owned(),
        input,
    })))
}
