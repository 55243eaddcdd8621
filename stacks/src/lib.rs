//! The stacks of this deployment, from its sagas: one file per stack, and one per construct that several of them use.
//!
//! [`synth`] gives everything at once; nothing here does I/O. A deployment has three stacks, created in this order:
//!
//! | stack | holds | file |
//! | --- | --- | --- |
//! | `data` | the tables: what must outlive every release | `data.rs` |
//! | `app` | topics, queues, functions and state machines | `app.rs` |
//! | `watch` | alarms and a dashboard | `watch.rs` |
//!
//! [`synth_sagas`] makes the first two of any other sagas, without what only orders need.
//!
//! To add a resource, write it in the file of its stack. To add a saga or a participant, list it in the crate `sagas`:
//! its tables, queue, function, state machine, permissions and alarms follow.
//!
//! ```
//! use stacks::{Stage, synth};
//!
//! let app = synth(Stage::Prod)?;
//! let names: Vec<String> = app.stacks.iter().map(|stack| stack.name("flyover", app.stage)).collect();
//! assert_eq!(names, ["flyover-prod-data", "flyover-prod-app", "flyover-prod-watch"]);
//! # Ok::<(), stacks::SynthError>(())
//! ```
#![forbid(unsafe_code)]

mod app;
mod checks;
mod constructs;
mod data;
mod draft;
mod names;
pub mod outputs;
pub mod parameters;
pub mod record;
mod related;
mod rescue;
mod stage;
mod synth;
mod watch;

pub use checks::SynthError;
pub use related::Related;
pub use stage::{Stage, UnknownStage};
pub use synth::{
    App, FunctionAsset, Machine, RefusedQueue, Stack, Synth, Trigger, synth, synth_of, synth_sagas,
};
