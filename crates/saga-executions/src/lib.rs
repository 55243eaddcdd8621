//! Executions of sagas that died: what is known of them, who settles them, and what they left parked.
//!
//! An execution that failed, timed out or was aborted may have left its saga half done. Another execution of the same
//! state machine then settles it: see [`saga::Settling`]. Everything that is decided on the way is here, once, for the
//! function that rescues and for operators alike:
//!
//! | | asks | when |
//! | --- | --- | --- |
//! | [`settle_reported`] | an execution is said to have died: is that so, and is it settled? | an event says so |
//! | [`settle`] | this one died: see to it that it is settled | somebody has looked |
//! | [`successor`] | who settles this one? | to show it, and before it is settled |
//! | [`sweep`] | which died, and are not settled? | on a schedule, because an event can be lost |
//!
//! The decisions are generic over [`Orchestrator`], whose operations are elementary and idempotent; they know no clock,
//! do not sleep and ask nobody else. So a model checker can run them against a model. The client of AWS is behind the
//! feature `aws`.
#![forbid(unsafe_code)]

#[cfg(feature = "aws")]
pub mod aws;
mod event;
mod execution;
mod orchestrator;
mod settle;
mod sweep;

pub use event::{NoReport, Report};
pub use execution::{Dead, Death, Execution, Status, execution_arn};
pub use orchestrator::{CallError, Listed, Orchestrator, Page, Record, Started};
pub use settle::{MAX_ATTEMPTS, Outcome, Settled, Unsettled, settle, settle_reported, successor};
pub use sweep::{Finding, Span, Sweeping, Tally, sweep};

#[cfg(test)]
mod tests;
