//! The rescue function: an execution that failed, timed out or was aborted is an incident, and its saga may be half
//! done. An event says so; this function starts an execution of the same state machine that asks the fence of the
//! pivot, and finishes the saga forward or undoes it.
//!
//! It is idempotent: the settling execution is named after the dead one. A settling execution can die too, and is then
//! settled in its turn, up to [`MAX_ATTEMPTS`] times; after that its event stays in the dead-letter queue, which alarms.
#![forbid(unsafe_code)]

mod dead;
mod parked;
mod rescue;

pub use rescue::{MAX_ATTEMPTS, Rescue};
