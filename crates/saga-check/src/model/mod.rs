//! The model: executions, queues, handlers at work, stores, an outside peer, timers and an operator.
//!
//! A state is a list of small numbers that stand for interned values, and every transition of a part is a remembered
//! pure function of that part and what happens to it. So most of the search is table look-ups.

mod actions;
mod apply;
mod ask;
mod effects;
mod executions;
mod happen;
mod heal;
mod judge;
mod left;
mod next;
mod notices;
mod pack;
mod past;
mod schedule;
mod state;
mod tables;

pub(crate) use actions::{Action, Fate, operator_event};
pub(crate) use effects::Held;
pub(crate) use state::{Flight, QUEUED, State, VOID, owner};
pub(crate) use tables::{FATES, Limits, Meanwhile, Process, Tables, Work};
