//! Amazon States Language as it was emitted: read from the JSON, and interpreted one event at a time.
//!
//! What the compiler of `saga` cannot emit is refused by name, so that nothing is checked that is not understood.

mod definition;
mod expression;
mod mover;
mod parse;
mod run;
mod scope;
mod template;

pub use definition::Machine;
pub use parse::ParseError;
pub use run::{Effect, End, Event, Execution, Moved, Run, Waiting};
