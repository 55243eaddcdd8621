//! Where a saga stands.

use aws_sdk_sfn::types::ExecutionStatus;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Where a saga stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Its execution runs.
    Running,
    /// It waits for an operator.
    Parked,
    /// It ended with everything done.
    Committed,
    /// It ended with everything undone.
    Compensated,
    /// Its execution died, and a settling execution runs.
    Settling,
    /// Its execution died, and a settling execution has ended it well.
    Settled,
    /// Its execution failed, and nothing has settled it yet.
    Failed,
    /// Its execution took too long, and nothing has settled it yet.
    TimedOut,
    /// Its execution was stopped, and nothing has settled it yet.
    Aborted,
    /// Its execution ended well, with an outcome that this release does not know.
    Succeeded,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::Running,
        Self::Parked,
        Self::Committed,
        Self::Compensated,
        Self::Settling,
        Self::Settled,
        Self::Failed,
        Self::TimedOut,
        Self::Aborted,
        Self::Succeeded,
    ];

    /// Its name, as in options and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Parked => "parked",
            Self::Committed => "committed",
            Self::Compensated => "compensated",
            Self::Settling => "settling",
            Self::Settled => "settled",
            Self::Failed => "failed",
            Self::TimedOut => "timed-out",
            Self::Aborted => "aborted",
            Self::Succeeded => "succeeded",
        }
    }

    /// Whether the execution died and nothing settles the saga.
    #[must_use]
    pub const fn is_dead(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Aborted)
    }

    /// The statuses that the first execution of a saga in this state can have.
    pub(super) fn statuses(self) -> &'static [ExecutionStatus] {
        use ExecutionStatus::{Aborted, Failed, Running, Succeeded, TimedOut};
        match self {
            Self::Running => &[Running],
            Self::Parked => &[Running, Failed, TimedOut, Aborted],
            Self::Committed | Self::Compensated | Self::Succeeded => &[Succeeded],
            // A settling execution can die too, in another way than the first.
            Self::Settling | Self::Settled | Self::Failed | Self::TimedOut | Self::Aborted => {
                &[Failed, TimedOut, Aborted]
            }
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(name: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.name() == name).ok_or_else(|| UnknownState(name.to_owned()))
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Text that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state: use one of {known}", known = State::ALL.map(State::name).join(", "))]
pub struct UnknownState(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_from_its_name() {
        for state in State::ALL {
            assert_eq!(state.name().parse(), Ok(state));
        }
        let error = "sleeping".parse::<State>().unwrap_err().to_string();
        assert!(error.starts_with("`sleeping` is not a state: use one of running, parked, "), "{error}");
    }
}
