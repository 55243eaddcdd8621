//! Which emulators there are.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The variable that names an emulator for the tests.
const VARIABLE: &str = "FLYOVER_EMULATOR";

/// An emulator, and the way in which it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// MiniStack from `.venv`: fast, and it can enforce IAM.
    #[default]
    MiniStack,
    /// LocalStack from `.venv-localstack`, without Docker.
    LocalStack,
    /// LocalStack from its image. Containers and this machine share the network.
    LocalStackInDocker,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::MiniStack, Self::LocalStack, Self::LocalStackInDocker];

    /// The kind that `FLYOVER_EMULATOR` names, or the default.
    ///
    /// # Errors
    /// When there is no such kind: says which there are.
    pub fn from_env() -> Result<Self, String> {
        let named = std::env::var(VARIABLE).ok().filter(|name| !name.is_empty());
        let kind = named.map(|name| name.parse()).transpose();
        Ok(kind.map_err(|error: String| format!("{VARIABLE}: {error}"))?.unwrap_or_default())
    }

    /// Its name: `ministack`, `localstack` or `localstack-docker`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MiniStack => "ministack",
            Self::LocalStack => "localstack",
            Self::LocalStackInDocker => "localstack-docker",
        }
    }

    /// How long it may take to be ready on a busy machine.
    #[must_use]
    pub const fn start_limit(self) -> Duration {
        match self {
            Self::MiniStack => Duration::from_secs(30),
            Self::LocalStack | Self::LocalStackInDocker => Duration::from_mins(2),
        }
    }

    /// Whether it can refuse what a policy does not allow.
    #[must_use]
    pub const fn can_enforce_iam(self) -> bool {
        matches!(self, Self::MiniStack)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no emulator {name:?}: it is one of {names}")
        })
    }
}
