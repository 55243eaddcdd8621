//! Takes order events from the order topic: validates each, and starts the saga it asks for.
//!
//! [`event`] reads a message, [`validate`] says whether what it asks for can be done, and [`Intake`] does it or keeps
//! the event with every reason in the queue of refused orders. The first two are pure.
#![forbid(unsafe_code)]

mod brake;
pub mod event;
mod intake;
mod refused;
mod start;
mod told;
pub mod validate;

pub use intake::Intake;
