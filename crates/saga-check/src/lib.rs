//! Tries every failure before deploying.
//!
//! [`check()`] takes a saga's *emitted* state machine (compiled, written as JSON and read again, or a file with
//! [`check_machine`]) and the *real* handlers, and explores every order of deliveries, duplicates, deaths, late answers,
//! timeouts, lost answers, failed undos, parking, aborts and rescues, up to a number of faults. It says that everything
//! holds in all of these histories, or shows the shortest one that breaks something:
//!
//! ```no_run
//! # use saga_check::{Handlers, Invariant, check};
//! # fn example(order_saga: &saga::Saga<impl saga::Value>, handlers: Handlers, conserved: Invariant, input: &serde_json::Value) {
//! check(order_saga, handlers).start("o-1", input).with(conserved).faults(2).run().unwrap().assert_holds();
//! # }
//! ```
//!
//! | module | what it is |
//! | --- | --- |
//! | [`asl`] | reads Amazon States Language and interprets it, one event at a time; what is not understood is refused by name |
//! | `process` | a handler at work as a value: the real handler, answered from a log, stopped between any two operations |
//! | `model` | what can happen next, what it does, and what must hold; a model for the checker `stateright` |
//! | `invariant` | what users say must hold |
//! | `timeline` | a history in words and as a sequence diagram |
//!
//! What always must hold, beside the user's invariants: every saga ends committed, compensated or parked with a record
//! that can be answered; committed means that every step is done, compensated that none is; no effect happens twice, none
//! after its undo, and no undo without its effect or twice; no saga ends in two ways; alone and without a fault it turns
//! back only for a rejection.
//!
//! Bounds beside the faults: a message is delivered twice before it is dead (not five times) and a task is tried twice
//! (not seven times), so that few faults are enough to get there; the operator says 'retry' once. States are told apart
//! by 64-bit hashes, so a search of a hundred million states misses one with a probability of about 0.03 %.
//!
//! `checks/` is one complete example, `tests/trip` another.
#![forbid(unsafe_code)]

pub mod asl;
mod check;
mod handlers;
mod intern;
mod invariant;
mod model;
mod orchestrator;
mod outside;
mod process;
mod report;
mod search;
mod timeline;

pub use check::{Check, CheckError, check, check_machine};
pub use handlers::Handlers;
pub use invariant::{Invariant, Outcome, SagaEnd, World};
pub use outside::{Outside, Peer};
pub use process::Io;
pub use report::{Covered, Progress, Report, Verdict};
pub use timeline::{Line, Timeline};
