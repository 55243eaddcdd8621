//! Starts and stops a local AWS emulator: MiniStack from the project's virtual environment, or [LocalStack](Kind).
//!
//! ```no_run
//! use emulator::{Emulator, EmulatorConfig};
//!
//! let emulator = Emulator::start(EmulatorConfig { iam_enforced: true, ..EmulatorConfig::default() })?;
//! println!("AWS is at {}", emulator.endpoint_url());
//! // Dropping it kills the emulator and every Lambda process that it started.
//! # Ok::<(), emulator::EmulatorError>(())
//! ```
//!
//! However the owner ends (return, panic, Ctrl-C, SIGKILL), nothing is left running: the emulator is the child
//! of `launch.py`, which watches a pipe from its owner and kills the emulator's process group when the pipe closes.
//! [`detached`] is the other way to run it: on its own, until it is told to stop, for `make up` and `make down`.
//!
//! The calls block, for about two seconds at the start: from async code, use `spawn_blocking`.

mod config;
pub mod detached;
mod emulator;
mod error;
mod health;
mod kind;
mod launch;
mod program;

pub use config::EmulatorConfig;
pub use emulator::Emulator;
pub use error::EmulatorError;
pub use kind::Kind;
