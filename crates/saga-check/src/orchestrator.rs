//! Step Functions and the table of parked sagas, as rescue sees them in the model, and rescue itself.

use crate::process::{Answer, Ask, Carried, Io};
use saga::{Retry, SagaId, StartInput};
use saga_executions::{
    CallError, Death, Execution, Orchestrator, Page, Record, Report, Span, Started, Sweeping,
    settle_reported, sweep,
};
use serde_json::json;
use std::time::{Duration, SystemTime};

impl Orchestrator for Io {
    async fn describe(&self, arn: &str) -> Result<Option<Execution>, CallError> {
        match self.ask(Ask::Describe(arn.to_owned())).await {
            Answer::Described(described) => described.map(|known| known.map(|known| *known)),
            _ => Err(mixed_up()),
        }
    }

    async fn list_dead(
        &self,
        state_machine: &str,
        death: Death,
        page: Option<&str>,
    ) -> Result<Page, CallError> {
        let (state_machine, page) = (state_machine.to_owned(), page.map(str::to_owned));
        match self.ask(Ask::ListDead { state_machine, death, page }).await {
            Answer::Listed(listed) => listed,
            _ => Err(mixed_up()),
        }
    }

    async fn start(&self, state_machine: &str, name: &str, input: &StartInput) -> Result<Started, CallError> {
        let (state_machine, name) = (state_machine.to_owned(), name.to_owned());
        match self.ask(Ask::Start { state_machine, name, input: json!(input) }).await {
            Answer::Started(started) => started,
            _ => Err(mixed_up()),
        }
    }

    async fn records_of(&self, saga_id: &SagaId) -> Result<Vec<Record>, CallError> {
        match self.ask(Ask::RecordsOf(saga_id.clone())).await {
            Answer::Records(records) => records,
            _ => Err(mixed_up()),
        }
    }

    async fn forget(&self, saga_id: &SagaId, record: &Record) -> Result<(), CallError> {
        match self.ask(Ask::Forget(saga_id.clone(), record.clone())).await {
            Answer::Forgotten(forgotten) => forgotten,
            _ => Err(mixed_up()),
        }
    }
}

/// What a call that fails in the model is told.
pub(crate) fn unanswered() -> CallError {
    CallError::unanswered("AWS", "no answer came")
}

fn mixed_up() -> CallError {
    CallError::unanswered("AWS", "the answer is one to another question")
}

/// The function that settles sagas whose execution died.
pub(crate) trait Rescue: Send + Sync {
    /// An event says that an execution died.
    fn settle<'a>(&'a self, io: Io, report: &'a Report) -> Carried<'a>;

    /// It is time for a sweep over these state machines.
    fn sweep<'a>(&'a self, io: Io, machines: &'a [String]) -> Carried<'a>;
}

/// The decisions of `saga_executions`, on an orchestrator.
pub(crate) struct Rescuer<F>(pub(crate) F);

impl<F, O> Rescue for Rescuer<F>
where
    F: Fn(Io) -> O + Send + Sync,
    O: Orchestrator + 'static,
{
    fn settle<'a>(&'a self, io: Io, report: &'a Report) -> Carried<'a> {
        Box::pin(async move {
            let orchestrator = (self.0)(io);
            // The event is delivered again: what is not passing ends in the dead-letter queue.
            settle_reported(&orchestrator, report).await.map_err(|why| Retry(why.to_string()))?;
            Ok(())
        })
    }

    fn sweep<'a>(&'a self, io: Io, machines: &'a [String]) -> Carried<'a> {
        Box::pin(async move {
            let orchestrator = (self.0)(io);
            // There are no clocks in the model: a sweep looks at everything, at any time.
            let span = Span {
                now: SystemTime::UNIX_EPOCH,
                grace: Duration::ZERO,
                window: Duration::MAX,
                overdue: Duration::MAX,
            };
            let swept = sweep(&orchestrator, machines, &span, &mut Sweeping::default()).await;
            swept.map_err(|why| Retry(why.to_string()).into())
        })
    }
}
