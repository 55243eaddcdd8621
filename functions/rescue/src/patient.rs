//! Asks AWS again and again, within the time there is.

use saga::{SagaId, StartInput};
use saga_executions::{CallError, Death, Execution, Orchestrator, Page, Record, Started, aws::Aws};
use saga_lambda::{Deadline, Repeatable, Tried, aws::Failure, persist};
use std::time::Duration;

/// The orchestrator on AWS, asked with patience.
pub(crate) struct Patient<'a> {
    aws: &'a Aws,
    deadline: Deadline,
    longest: Duration,
}

impl<'a> Patient<'a> {
    /// Asks until the deadline.
    pub(crate) fn until(aws: &'a Aws, deadline: Deadline) -> Self {
        Self { aws, deadline, longest: Duration::MAX }
    }

    /// Asks until the deadline, but no call for longer than this: there are others to make.
    pub(crate) fn no_longer_than(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    async fn ask<T, F>(&self, mut call: impl FnMut() -> F + Send) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>> + Send,
    {
        let deadline = Deadline::after(self.deadline.remaining().min(self.longest));
        let answered = persist(
            deadline,
            Repeatable(|| {
                let asked = call();
                async { asked.await.map_or_else(tried, |answer| Tried::Answered(Ok(answer))) }
            }),
        );
        answered.await.unwrap_or_else(|why| Err(CallError::unanswered("AWS", why)))
    }
}

fn tried<T>(error: CallError) -> Tried<Result<T, CallError>> {
    let Some(status) = error.status else { return Tried::Again(error.text) };
    let failure = Failure::answered(status, error.code.as_deref(), error.text.clone());
    failure.tried(|_| Err(error))
}

impl Orchestrator for Patient<'_> {
    async fn describe(&self, arn: &str) -> Result<Option<Execution>, CallError> {
        self.ask(|| self.aws.describe(arn)).await
    }

    async fn list_dead(
        &self,
        state_machine: &str,
        death: Death,
        page: Option<&str>,
    ) -> Result<Page, CallError> {
        self.ask(|| self.aws.list_dead(state_machine, death, page)).await
    }

    async fn start(&self, state_machine: &str, name: &str, input: &StartInput) -> Result<Started, CallError> {
        self.ask(|| self.aws.start(state_machine, name, input)).await
    }

    async fn records_of(&self, saga_id: &SagaId) -> Result<Vec<Record>, CallError> {
        self.ask(|| self.aws.records_of(saga_id)).await
    }

    async fn forget(&self, saga_id: &SagaId, record: &Record) -> Result<(), CallError> {
        self.ask(|| self.aws.forget(saga_id, record)).await
    }
}
