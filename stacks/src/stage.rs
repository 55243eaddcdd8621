//! The stages: one structure, two sets of numbers.

use cfn::logs::RetentionInDays;
use saga::budget::Timing;
use std::{fmt, str::FromStr};

/// By what the durations of [`Stage::Dev`] are shorter than those of [`Stage::Prod`].
const DEV_SCALE: u32 = 5;

/// A stage of the deployment. Both have the same resources; they differ in durations, and in what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// For development and tests: short durations, and everything goes when the stacks are deleted, but for
    /// the sender's identity, which others may use.
    Dev,
    /// For customers: what customers entrusted to it stays.
    Prod,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 2] = [Self::Dev, Self::Prod];

    /// The name, as in stack names: `dev`, `prod`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Prod => "prod",
        }
    }

    /// The durations of everything that waits.
    pub const fn timing(self) -> Timing {
        match self {
            Self::Dev => Timing::scaled(DEV_SCALE),
            Self::Prod => Timing::scaled(1),
        }
    }

    /// Whether customers depend on it.
    pub const fn is_production(self) -> bool {
        matches!(self, Self::Prod)
    }

    /// How long logs are kept.
    pub(crate) const fn log_retention(self) -> RetentionInDays {
        if self.is_production() { RetentionInDays::Days30 } else { RetentionInDays::Days3 }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Stage {
    type Err = UnknownStage;

    fn from_str(name: &str) -> Result<Self, UnknownStage> {
        Self::ALL.into_iter().find(|stage| stage.name() == name).ok_or_else(|| UnknownStage(name.to_owned()))
    }
}

/// Text that names no stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a stage: use `dev` or `prod`")]
pub struct UnknownStage(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_read_from_its_name() {
        for stage in Stage::ALL {
            assert_eq!(stage.to_string().parse(), Ok(stage));
        }
        let error = "test".parse::<Stage>().expect_err("not a stage");
        assert_eq!(error.to_string(), "`test` is not a stage: use `dev` or `prod`");
    }
}
