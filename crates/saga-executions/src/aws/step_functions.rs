//! Executions, as Step Functions tells of them.

use super::failed;
use crate::{
    execution::{Death, Execution, Status},
    orchestrator::{CallError, Listed, Page, Started},
};
use aws_sdk_sfn::{
    Client,
    operation::{
        describe_execution::{DescribeExecutionError, DescribeExecutionOutput},
        start_execution::StartExecutionError,
    },
    primitives::DateTime,
    types::{ExecutionListItem, ExecutionStatus},
};
use saga::StartInput;
use serde_json::Value as Json;
use std::time::SystemTime;

const SERVICE: &str = "Step Functions";

/// The most executions of a page, which is what Step Functions allows.
const PAGE: i32 = 1_000;

/// Executions, as Step Functions tells of them.
#[derive(Debug, Clone)]
pub struct StepFunctions {
    client: Client,
}

impl StepFunctions {
    /// Asks with this client.
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// One execution; `None`: it is not known.
    ///
    /// # Errors
    /// When Step Functions does not say.
    pub async fn describe(&self, arn: &str) -> Result<Option<Execution>, CallError> {
        match self.client.describe_execution().execution_arn(arn).send().await {
            Ok(described) => Ok(Some(execution(described))),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeExecutionError::is_execution_does_not_exist) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed(SERVICE, &error)),
        }
    }

    pub(super) async fn list_dead(
        &self,
        state_machine: &str,
        death: Death,
        page: Option<&str>,
    ) -> Result<Page, CallError> {
        let listed = self
            .client
            .list_executions()
            .state_machine_arn(state_machine)
            .status_filter(ExecutionStatus::from(death.as_str()))
            .max_results(PAGE)
            .set_next_token(page.map(Into::into))
            .send()
            .await
            .map_err(|error| failed(SERVICE, &error))?;
        let executions = listed.executions.iter().map(summary).collect();
        Ok(Page { executions, next: listed.next_token.filter(|token| !token.is_empty()) })
    }

    pub(super) async fn start(
        &self,
        state_machine: &str,
        name: &str,
        input: &StartInput,
    ) -> Result<Started, CallError> {
        let input = serde_json::to_string(input)
            .map_err(|error| CallError::unanswered(SERVICE, error.to_string()))?;
        let asked = self.client.start_execution().state_machine_arn(state_machine).name(name).input(input);
        match asked.send().await {
            Ok(_) => Ok(Started::Now),
            Err(error)
                if error.as_service_error().is_some_and(StartExecutionError::is_execution_already_exists) =>
            {
                Ok(Started::NameTaken)
            }
            Err(error) => Err(failed(SERVICE, &error)),
        }
    }
}

fn execution(described: DescribeExecutionOutput) -> Execution {
    let arn = described.execution_arn;
    // A failed one has no output on AWS, and on an emulator something of its own.
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str::<Json>(&text).ok());
    let said = |text: Option<String>| text.filter(|text| !text.is_empty());
    Execution {
        name: described.name.unwrap_or_else(|| arn.rsplit(':').next().unwrap_or_default().to_owned()),
        arn,
        state_machine: described.state_machine_arn,
        status: Status::named(described.status.as_str()),
        redrives: redrives(described.redrive_count),
        input: json(described.input).unwrap_or_default(),
        output: json(described.output).unwrap_or_default(),
        error: said(described.error),
        cause: said(described.cause),
        started: time(&described.start_date),
        stopped: described.stop_date.as_ref().and_then(time),
    }
}

fn summary(item: &ExecutionListItem) -> Listed {
    Listed {
        arn: item.execution_arn.clone(),
        redrives: redrives(item.redrive_count),
        stopped: item.stop_date.as_ref().and_then(time),
    }
}

fn redrives(count: Option<i32>) -> u32 {
    count.and_then(|count| count.try_into().ok()).unwrap_or_default()
}

fn time(date: &DateTime) -> Option<SystemTime> {
    SystemTime::try_from(*date).ok()
}
