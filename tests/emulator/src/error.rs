//! What can go wrong around an emulator, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::kind::Kind;

/// Why the emulator could not be started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// There is no virtual environment, or the emulator is not in it.
    #[error("{} does not exist: run `{made_by}`", missing.display())]
    VenvMissing {
        /// What was looked for.
        missing: PathBuf,
        /// What installs it.
        made_by: &'static str,
    },
    /// The emulator takes every call of everybody.
    #[error("{kind} does not enforce IAM: use {}, or do without", Kind::MiniStack)]
    NoIam {
        /// Which emulator.
        kind: Kind,
    },
    /// Somebody else listens on the port.
    #[error(
        "port {port} is taken: stop what uses it (`make down` if it is the emulator of `make up`), or choose \
         another port, 0 for any free one"
    )]
    PortTaken {
        /// The port asked for.
        port: u16,
    },
    /// The emulator of `make up` runs already, elsewhere than asked.
    #[error("an emulator runs already at {running}, and port {port} was asked for: run `make down` first")]
    RunsElsewhere {
        /// Where it runs.
        running: String,
        /// The port asked for.
        port: u16,
    },
    /// The emulator ended before it was ready.
    #[error("the emulator ended before it was ready ({status}); the end of {}:\n{tail}", log.display())]
    Ended {
        /// How it ended.
        status: String,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The emulator was not ready in time.
    #[error("the emulator was not ready within {limit:?}; the end of {}:\n{tail}", log.display())]
    NotReady {
        /// How long it was given.
        limit: Duration,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The detached emulator did not stop in time.
    #[error("the emulator (process {pid}) did not stop within {limit:?}: kill it by hand")]
    NotStopped {
        /// Its process.
        pid: i32,
        /// How long it was given.
        limit: Duration,
    },
    /// The pid file is held by a running emulator but cannot be understood.
    #[error("{} is not a pid file of the emulator: stop the process that holds it and remove it", path.display())]
    PidFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The system refused something.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was to be done, as in `cannot open`.
        what: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl EmulatorError {
    /// For `map_err`: says what could not be done to which file.
    pub(crate) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| EmulatorError::Io { what, path, source }
    }
}
