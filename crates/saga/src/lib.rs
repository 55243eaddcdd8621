//! Distributed transactions as typed Rust.
//!
//! A [saga](https://www.cs.cornell.edu/andru/cs711/2002fa/reading/sagas.pdf) is a chain of [`Step`]s, each a local
//! transaction of one [`Participant`]. It is written once, with [`saga()`], and everything else follows from it:
//! [`asl::compile`] turns it into an AWS Step Functions state machine, [`serve()`] carries out the messages that
//! machine sends, exactly once in effect, and [`Runner`] drives the same handlers in memory.
//!
//! This crate is pure: it does no I/O, and its core cannot fail at run time. AWS clients live in `saga-lambda`.
//! `sagas/src/order.rs` with `functions/inventory` is one complete example.
//!
//! With the feature `derive`, which is on by default, [`Value`], [`Rejection`], [`Entity`], [`FieldType`], [`Step`] and
//! [`Notice`] are derives too, and [`Redacted`] keeps what must not be printed out of `Debug`.
#![forbid(unsafe_code)]

pub mod asl;
pub mod budget;
mod builder;
mod commit;
mod consumer;
pub mod dead_letter;
mod declaration;
mod definition;
#[cfg(feature = "derive")]
mod derive;
mod engine;
mod entity;
pub mod environment;
pub mod fence;
pub mod fence_table;
pub mod graph;
mod handler;
mod identity;
mod input;
mod intake;
mod memory;
mod message;
mod number;
pub mod parked_table;
mod participant;
mod redact;
mod rejection;
pub mod rescue;
mod runner;
pub mod schema;
mod serve;
mod step;
mod store;
mod tuples;
mod value;
mod write;

pub use builder::{Branches, Decided, Open, Saga, saga};
pub use commit::{Commit, CommitError, Guarded, Update, Writes};
pub use consumer::NoticeConsumer;
pub use definition::{Definition, DefinitionError, Kind, NoticeSpec, Stage, StepSpec, check_together};
#[cfg(feature = "derive")]
pub use derive::{Entity, FieldType, Notice, Redacted, Rejection, Step, Value};
pub use entity::{Entities, Entity, EntitySpec, Field, FieldKind, FieldSpec, FieldType, NewRow, NumberType};
pub use handler::{Context, Fault, Handle, HandleOutside, Retry, Undoing};
pub use identity::{
    Deployment, DeploymentError, IdempotencyKey, ItemId, ItemIdError, RunDigest, RunDigestError, SagaId,
    SagaIdError, SagaName, SagaNameError, StepKey, StepOfRun,
};
pub use input::{Inputs, Nil, Provides, With};
pub use intake::{HELD_BACK_EVENT, Intake, Startable, Startables, Starts};
pub use memory::{MemoryState, MemoryStore};
pub use message::{
    AbandonReply, Direction, IfAbsent, Malformed, NoticeMessage, OLDEST_WIRE_VERSION, Op, RESCUED, Reason,
    Request, SettleReply, Settling, StartInput, TaskToken, WIRE_VERSION,
};
pub use number::MAX_EXACT;
pub use participant::ParticipantSpec;
pub use redact::redacted;
pub use rejection::{Never, Refusal, Rejection};
pub use runner::{Failure, FailureKind, Outcome, RunError, Runner};
pub use serve::{
    ABANDONED, DELIVERIES_EXHAUSTED, FENCE_GONE, HandleAll, Handled, OTHER_RUN, Outcomes, Reply, Service,
    TOO_LATE, Unserved, serve, serve_again,
};
pub use step::{Compensable, CompensableOutside, Notice, Participant, Pivot, Retriable, Step};
pub use store::{Refused, Store, Transaction, Unavailable};
pub use value::{ProducedBy, Start, Value};
pub use write::{Addition, Change, Condition, FieldChange, Guard, Row, RowKey, Scalar, Unmet, Write};
