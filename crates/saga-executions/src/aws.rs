//! Step Functions and DynamoDB.

mod parked;
mod step_functions;

pub use parked::{Item, ParkedTable};
pub use step_functions::StepFunctions;

use crate::{
    execution::{Death, Execution},
    orchestrator::{CallError, Orchestrator, Page, Record, Started},
};
use aws_sdk_sfn::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use saga::{SagaId, StartInput};
use std::error::Error;

/// The orchestrator on AWS. It asks once and does not wait: whoever has a patience of its own puts that around it, or
/// into the clients.
#[derive(Debug, Clone)]
pub struct Aws {
    /// The executions.
    pub step_functions: StepFunctions,
    /// What waits for operators.
    pub parked: ParkedTable,
}

impl Orchestrator for Aws {
    async fn describe(&self, arn: &str) -> Result<Option<Execution>, CallError> {
        self.step_functions.describe(arn).await
    }

    async fn list_dead(
        &self,
        state_machine: &str,
        death: Death,
        page: Option<&str>,
    ) -> Result<Page, CallError> {
        self.step_functions.list_dead(state_machine, death, page).await
    }

    async fn start(&self, state_machine: &str, name: &str, input: &StartInput) -> Result<Started, CallError> {
        self.step_functions.start(state_machine, name, input).await
    }

    async fn records_of(&self, saga_id: &SagaId) -> Result<Vec<Record>, CallError> {
        self.parked.records_of(saga_id).await
    }

    async fn forget(&self, saga_id: &SagaId, record: &Record) -> Result<(), CallError> {
        self.parked.forget(saga_id, record).await
    }
}

/// Codes whose messages can quote what was sent.
const QUOTING: [&str; 5] = [
    "InvalidExecutionInput",
    "InvalidName",
    "SerializationException",
    "ValidationError",
    "ValidationException",
];

fn failed<E>(service: &'static str, error: &SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let SdkError::ServiceError(answer) = error else {
        let text = match error {
            // What came is in the error, too.
            SdkError::ResponseError(answer) => {
                format!("the answer, with status {}, cannot be read", answer.raw().status().as_u16())
            }
            _ => DisplayErrorContext(error).to_string(),
        };
        return CallError::unanswered(service, text);
    };
    let code = answer.err().code();
    let message = answer.err().message().filter(|_| !code.is_some_and(|code| QUOTING.contains(&code)));
    CallError {
        service,
        status: Some(answer.raw().status().as_u16()),
        code: code.map(Into::into),
        text: match (code, message) {
            (Some(code), None) => code.to_owned(),
            (code, message) => format!("{}: {}", code.unwrap_or("no code"), message.unwrap_or("no message")),
        },
    }
}
