//! What the decisions need of the world: elementary operations, each of which can be asked for again.

use crate::execution::{Death, Execution};
use saga::{SagaId, StartInput};
use std::time::SystemTime;

/// Step Functions, and the table of parked sagas.
///
/// Every operation can be asked for again without harm. An error means that no answer came, or 'no': what was asked for
/// may or may not have been done.
pub trait Orchestrator: Send + Sync {
    /// What is known of an execution; `None`: it is not known. Eventually consistent: the answer can be of some time
    /// ago, and an execution that has begun can still be unknown.
    fn describe(&self, arn: &str) -> impl Future<Output = Result<Option<Execution>, CallError>> + Send;

    /// The executions of a state machine that ended in this way, the most recently started first, page by page; `page`
    /// is [`Page::next`] of the page before. Eventually consistent.
    fn list_dead(
        &self,
        state_machine: &str,
        death: Death,
        page: Option<&str>,
    ) -> impl Future<Output = Result<Page, CallError>> + Send;

    /// Starts an execution, unless there has been one of this name.
    fn start(
        &self,
        state_machine: &str,
        name: &str,
        input: &StartInput,
    ) -> impl Future<Output = Result<Started, CallError>> + Send;

    /// Everything that waits for an operator of one saga id, of whatever saga and execution. Not the decisions.
    /// Consistent.
    fn records_of(&self, saga_id: &SagaId) -> impl Future<Output = Result<Vec<Record>, CallError>> + Send;

    /// Takes a record away, if it is there and still of this execution, redriven no more often than this.
    fn forget(&self, saga_id: &SagaId, record: &Record)
    -> impl Future<Output = Result<(), CallError>> + Send;
}

/// Some of the executions that ended in one way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Page {
    /// The executions.
    pub executions: Vec<Listed>,
    /// There may be more: what to ask for next.
    pub next: Option<String>,
}

/// What a listing tells of an execution.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Listed {
    /// Its ARN.
    pub arn: String,
    /// How often somebody had it run again after it died.
    pub redrives: u32,
    /// When it ended.
    pub stopped: Option<SystemTime>,
}

/// What became of the wish to start an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Started {
    /// It began. Where the orchestrator cannot tell the two apart, it may also have begun before, with the same input.
    Now,
    /// There has been an execution of this name, with whatever input.
    NameTaken,
}

/// Something that waits for an operator, as far as it must be known to take it away.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// Its sort key, see [`saga::parked_table::sort_key`].
    pub sort_key: String,
    /// The ARN of the execution that waits.
    pub execution_arn: String,
    /// How often that had been redriven when it began to wait. A redriven execution has the ARN it had before it died.
    pub redrives: u32,
}

/// A call that was not answered, or with 'no'.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
// Not what the service says beside the code: it can quote what it was given.
#[error("{service}: {}", code.as_deref().unwrap_or(text))]
pub struct CallError {
    /// Which service: `Step Functions` or `DynamoDB`.
    pub service: &'static str,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// The code of the error, if there was one.
    pub code: Option<String>,
    /// All that is known.
    pub text: String,
}

impl CallError {
    /// A call that was not answered.
    pub fn unanswered(service: &'static str, text: impl Into<String>) -> Self {
        Self { service, status: None, code: None, text: text.into() }
    }
}
