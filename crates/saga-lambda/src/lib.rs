//! Serves a participant of sagas on AWS Lambda.
//!
//! [`run`] is a whole function: it takes the messages of the participant's queue, carries each out with
//! [`saga::serve()`] against [`DynamoStore`], and answers the state machine. `functions/inventory` is one complete
//! example:
//!
//! ```no_run
//! # fn example<S: saga::Service + saga::HandleAll<<S::Participant as saga::Participant>::Steps>>(service: S)
//! # -> Result<(), saga_lambda::Error> {
//! saga_lambda::run(service)
//! # }
//! ```
//!
//! [`intake::run`] (feature `intake`) is another: it takes events from outside and starts sagas. Functions that are neither
//! use its parts: [`aws`] for lean SDK clients, [`Variables`] for configuration that fails clearly, [`serve_queue`] for
//! queues with partial batch failures, and [`serve_schedule`] for schedules.
#![forbid(unsafe_code)]

pub mod aws;
mod batch;
mod dead_letters;
mod deadline;
mod dynamo;
mod error;
mod function;
#[cfg(feature = "intake")]
pub mod intake;
mod log;
mod panicked;
mod participant;
#[cfg(any(test, feature = "replay"))]
pub mod replay;
mod reply;
mod sendable;
mod variables;

pub use batch::{Message, Verdict, each_message};
pub use deadline::{Deadline, Repeatable, Tried, Unanswered, once, persist};
pub use dynamo::{DynamoStore, Tables};
pub use error::Error;
pub use function::{run, serve_queue, serve_schedule};
pub use log::elapsed_ms;
pub use saga::redacted;
pub use sendable::{is_sendable, sendable_json};
pub use variables::Variables;
