//! Starts sagas.

use aws_sdk_sfn::Client;
use saga::{SagaId, StartInput, Value, WIRE_VERSION};
use saga_lambda::{Deadline, Error, Tried, Variables, aws::Failure, persist};

/// The state machine of a saga.
#[derive(Debug, Clone)]
pub(crate) struct StateMachine {
    client: Client,
    arn: String,
}

/// What starting a saga did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    /// It began.
    Now,
    /// It had begun: an execution with its id exists.
    Before,
}

/// Step Functions could not be asked, or refused.
#[derive(Debug, thiserror::Error)]
#[error("Step Functions: {0}")]
pub(crate) struct Unstarted(String);

impl StateMachine {
    /// The state machine of this saga.
    pub(crate) fn from_variables(client: Client, variables: &Variables, saga: &str) -> Result<Self, Error> {
        let name = saga::environment::state_machine(saga);
        let arn = variables.text(&name)?;
        if arn.split(':').nth(5) != Some("stateMachine") {
            return Err(Error::Invalid { name, given: arn.into(), allowed: "the ARN of a state machine" });
        }
        Ok(Self { client, arn: arn.into() })
    }

    /// Starts the saga with this id, unless it was started before: exactly once, because the id names the execution.
    pub(crate) async fn start<V: Value>(
        &self,
        id: SagaId,
        input: &V,
        deadline: Deadline,
    ) -> Result<Started, Unstarted> {
        let input = serde_json::to_value(input).map_err(|error| Unstarted(error.to_string()))?;
        let start = StartInput { v: WIRE_VERSION, id, input, settle: None };
        let text = serde_json::to_string(&start).map_err(|error| Unstarted(error.to_string()))?;
        let request =
            self.client.start_execution().state_machine_arn(&self.arn).name(start.id.as_str()).input(text);
        let started = persist(deadline, || async {
            match request.clone().send().await {
                Ok(_) => Tried::Answered(Ok(Started::Now)),
                Err(error) => Failure::of(&error).tried(|failure| match failure.code.as_deref() {
                    Some("ExecutionAlreadyExists") => Ok(Started::Before),
                    code => Err(Unstarted(code.unwrap_or(&failure.text).into())),
                }),
            }
        });
        started.await.unwrap_or_else(|why| Err(Unstarted(why)))
    }

    /// Whether the saga with this id was started.
    pub(crate) async fn has(&self, id: &str, deadline: Deadline) -> Result<bool, Unstarted> {
        let request = self.client.describe_execution().execution_arn(self.execution_arn(id));
        let described = persist(deadline, || async {
            match request.clone().send().await {
                Ok(_) => Tried::Answered(Ok(true)),
                Err(error) => Failure::of(&error).tried(|failure| match failure.code.as_deref() {
                    Some("ExecutionDoesNotExist") => Ok(false),
                    code => Err(Unstarted(code.unwrap_or(&failure.text).into())),
                }),
            }
        });
        described.await.unwrap_or_else(|why| Err(Unstarted(why)))
    }

    /// `arn:aws:states:<region>:<account>:execution:<name>:<id>`.
    fn execution_arn(&self, id: &str) -> String {
        format!("{}:{id}", self.arn.replacen(":stateMachine:", ":execution:", 1))
    }
}
