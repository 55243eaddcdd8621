//! Tries every failure before deploying.
//!
//! [`check()`] takes a saga's *emitted* state machine (compiled, written as JSON and read again, or a file with
//! [`check_machine`]) and the *real* handlers, with the *real* rescue of `saga_executions` and the reconciliation that it
//! is given, and explores every order of deliveries, duplicates, deaths, late answers, timeouts, lost answers, failed
//! undos, parking, aborts, redrives, rescues and executions that somebody starts beside, up to a number of faults. It says that everything holds in all of these
//! histories, or shows the shortest one that breaks something:
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
//! | `orchestrator` | rescue at work, in the same way |
//! | `model` | what can happen next, what it does, and what must hold |
//! | `search` | goes through all of it, level by level |
//! | `invariant` | what users say must hold |
//! | `timeline` | a history in words and as a sequence diagram |
//!
//! What always must hold, beside the user's invariants: every saga ends committed, compensated or parked with a record
//! that can be answered, and what is parked ends when nothing fails any more and the operator says 'retry'; committed means
//! that every step is done, compensated that none is, but for those that the outcome says an operator went on without, and
//! these are abandoned; no effect happens twice, none after its undo or after it was abandoned, and no undo without its
//! effect or twice; no saga ends in two ways, or is told of in two ways; each notice of its end is published, and none of a
//! parked saga; a dead execution is settled, and its event is not let go of before; an id that is used again has no effect,
//! and turns back nobody who had it first; every expression has a value; handlers ask the same again; alone and without a
//! fault a saga turns back only for a rejection. All of this is looked at as soon as every execution has ended or is
//! parked, whatever still lies in queues; the user's invariants of the end then too, in what reconciliation leaves.
//!
//! Bounds beside the faults: a message is delivered twice before it is dead (not five times) and a task is tried twice
//! (not seven times), so that few faults are enough to get there; the operator says 'retry' once, and answers for all that
//! could not be done or for one of it. A sweep for dead executions begins at any moment once an event is lost; that it
//! overtakes an event is a fault. Fences expire only once a settling execution has died. There is no clock, so no grace
//! period: reconciliation looks at every moment. With [`Check::settled_by`] a newer release is deployed as soon as an
//! execution dies. States are told apart by 64-bit hashes, so a search of a hundred million
//! states misses one with a probability of about 0.03 %.
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
mod wording;

pub use check::{Check, CheckError, check, check_machine};
pub use handlers::Handlers;
pub use invariant::{Invariant, Outcome, SagaEnd, World};
pub use outside::{Outside, Peer};
pub use process::Io;
pub use report::{Covered, Progress, Report, Verdict};
pub use timeline::{Line, Timeline};
