//! The compiler from a saga to [Amazon States Language](https://states-language.net/), with JSONata and variables.
//!
//! States are typed values, never string templates. What the machine needs from its stack (queue URLs, the topic, the
//! table of parked sagas) stands in it as `${…}` placeholders: see [`Placeholder`].

mod check;
mod compile;
mod message;
mod park;
mod settle;
mod skip;
mod state;
mod whose;

pub use check::MachineError;
pub use compile::{CompileError, compile};
pub use message::Placeholder;
pub use state::{
    Catch, Choice, ChoiceRule, Integration, Parallel, Pass, Retry, State, StateMachine, States, Task,
    Transition,
};
