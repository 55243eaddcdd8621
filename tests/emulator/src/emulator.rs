//! An emulator that lives as long as its owner.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Child;

use crate::config::{self, EmulatorConfig};
use crate::error::EmulatorError;
use crate::launch::{launch, stop_launcher};

/// A running emulator. Dropping it kills it and every Lambda process that it started.
#[derive(Debug)]
pub struct Emulator {
    launcher: Child,
    port: u16,
    region: String,
    log: PathBuf,
}

impl Emulator {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When the virtual environment is missing, the port is taken, or it does not get ready in time.
    pub fn start(config: EmulatorConfig) -> Result<Self, EmulatorError> {
        let launched = launch(&config, None)?;
        Ok(Self {
            launcher: launched.launcher,
            port: launched.port,
            region: config.region,
            log: launched.log,
        })
    }

    /// The port on 127.0.0.1 where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The endpoint URL for AWS SDK clients.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        config::endpoint_url(self.port)
    }

    /// The environment variables with which an AWS SDK or the AWS CLI talks to this emulator.
    #[must_use]
    pub fn sdk_environment(&self) -> BTreeMap<String, String> {
        config::sdk_environment(self.port, &self.region)
    }

    /// Where its output goes.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Stops it and everything it started; the same as dropping it.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        stop_launcher(&mut self.launcher);
    }
}
