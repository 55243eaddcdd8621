//! The rescue function: an execution that failed, timed out or was aborted is an incident, and its saga may be half
//! done. An event says so; this function starts an execution of the same state machine that asks the fence of the
//! pivot, and finishes the saga forward or undoes it. What is decided on the way is in [`saga_executions`].
//!
//! It is idempotent: the settling execution is named after the dead one. A settling execution can die too, and is then
//! settled in its turn, up to [`saga_executions::MAX_ATTEMPTS`] times; after that its event stays in the dead-letter
//! queue, which alarms.
//!
//! Events are delivered best effort. So a schedule sends [`saga::rescue::SWEEP`] to the same queue, on which every
//! execution is looked at that died within a window; what nobody settles is settled, and what cannot be, a while after it
//! died, is logged as [`saga::rescue::UNSETTLED_EXECUTION_EVENT`], which alarms.
#![forbid(unsafe_code)]

mod patient;
mod rescue;
mod sweeps;

pub use rescue::Rescue;
