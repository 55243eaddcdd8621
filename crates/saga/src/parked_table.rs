//! The table of parked sagas: what the states `park …` write, and what operators read.
//!
//! One record per thing that waits, and one per decision. The key is the saga id and `what`: for a record what could
//! not be done (`undo <saga>`, `settle <pivot>`, `rescue <pivot>`, `recall <step>`, or a retriable step), for a decision
//! [`DECISION`] and its time.

/// The partition key: the saga id, text.
pub const SAGA_ID: &str = "saga_id";
/// The sort key: what waits, or which decision; text.
pub const WHAT: &str = "what";
/// The saga's name, text.
pub const SAGA: &str = "saga";
/// The name of the execution that waits, text.
pub const EXECUTION: &str = "execution";
/// The ARN of that execution, text: two sagas can share a saga id, and then their executions share a name.
pub const EXECUTION_ARN: &str = "execution_arn";
/// The steps that could not be done, text, separated by `, `.
pub const STEP: &str = "step";
/// Why not: JSON text, by step its `error` and `cause`.
pub const FAILURE: &str = "failure";
/// How often each was tried, number.
pub const ATTEMPTS: &str = "attempts";
/// Of a record: why the saga compensates, JSON text, or `none`. Of a decision: why it was taken, text.
pub const REASON: &str = "reason";
/// Since when it waits, ISO 8601 text.
pub const SINCE: &str = "since";
/// How to answer, text. Whoever has it can decide.
pub const TASK_TOKEN: &str = "task_token";
/// Whether the saga can go on without, boolean.
pub const CAN_SKIP: &str = "can_skip";

/// How `what` of a decision begins; the time follows.
pub const DECISION: &str = "decision ";
/// Of a decision: `what` of the record that it answers, text.
pub const OF: &str = "of";
/// Of a decision: [`RETRY`] or [`SKIP`], text.
pub const ACTION: &str = "action";
/// Of a decision: who took it, text.
pub const BY: &str = "by";

/// The [`ACTION`] that tries again.
pub const RETRY: &str = "retry";
/// The [`ACTION`] that goes on without.
pub const SKIP: &str = "skip";
