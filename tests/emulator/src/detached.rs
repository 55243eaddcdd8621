//! An emulator that runs on its own until it is told to stop: `make up`, `make down`.
//!
//! A running one holds a lock on `.flyover/emulator.pid`. A file without the lock is left from a crash and means
//! nothing, so no process is ever signalled by a stale number.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::config::{self, EmulatorConfig};
use crate::error::EmulatorError;
use crate::launch::launch;

const STOP_LIMIT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A detached emulator that runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Running {
    /// The process to signal.
    pub pid: i32,
    /// The endpoint URL for AWS SDK clients.
    pub endpoint_url: String,
    /// Whether IAM policies are enforced.
    pub iam_enforced: bool,
    /// Where its output goes.
    pub log: PathBuf,
}

/// Starts the emulator unless it runs already at the same port; with port 0, at any port. One that runs already may
/// enforce IAM or not, whatever is asked for: [`Running::iam_enforced`] tells.
///
/// # Errors
/// When it runs elsewhere, or as [`Emulator::start`](crate::Emulator::start).
pub fn up(config: &EmulatorConfig) -> Result<Running, EmulatorError> {
    if let Some(running) = status(config)? {
        if config.port == 0 || running.endpoint_url == config::endpoint_url(config.port) {
            return Ok(running);
        }
        return Err(EmulatorError::RunsElsewhere { running: running.endpoint_url, port: config.port });
    }
    let launched = launch(config, Some(&pid_file(config)))?;
    let endpoint_url = config::endpoint_url(launched.port);
    let pid = Pid::from_child(&launched.launcher).as_raw_nonzero().get();
    Ok(Running { pid, endpoint_url, iam_enforced: config.iam_enforced, log: launched.log })
}

/// Stops the emulator and everything it started; answers what was stopped, if it ran.
///
/// # Errors
/// When it does not stop in time, or the pid file cannot be read.
pub fn down(config: &EmulatorConfig) -> Result<Option<Running>, EmulatorError> {
    let Some(running) = status(config)? else { return Ok(None) };
    if let Some(pid) = Pid::from_raw(running.pid) {
        // It can only fail when the emulator has just ended by itself.
        let _ = kill_process(pid, Signal::TERM);
    }
    let begun = Instant::now();
    while status(config)?.is_some() {
        if begun.elapsed() > STOP_LIMIT {
            return Err(EmulatorError::NotStopped { pid: running.pid, limit: STOP_LIMIT });
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(Some(running))
}

/// The emulator that runs, if any.
///
/// # Errors
/// When the pid file cannot be read.
pub fn status(config: &EmulatorConfig) -> Result<Option<Running>, EmulatorError> {
    let path = pid_file(config);
    if !is_locked(&path)? {
        return Ok(None);
    }
    match fs::read(&path) {
        Ok(text) => {
            serde_json::from_slice(&text).map(Some).map_err(|source| EmulatorError::PidFile { path, source })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(EmulatorError::Io { what: "read", path, source }),
    }
}

fn is_locked(path: &Path) -> Result<bool, EmulatorError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(EmulatorError::Io { what: "open", path: path.to_owned(), source }),
    };
    // A shared try-lock: two who ask at once do not take each other for a running emulator.
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => {
            Err(EmulatorError::Io { what: "lock", path: path.to_owned(), source })
        }
    }
}

fn pid_file(config: &EmulatorConfig) -> PathBuf {
    config.state_folder().join("emulator.pid")
}
