//! Why something could not be shown or done for an operator.

use crate::aws::AwsError;
use saga_executions::{CallError, Unsettled};

/// Why something could not be shown or done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpsError {
    /// A call of AWS failed, or the deployment is not there.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The sagas or stacks are refused.
    #[error("the stacks cannot be synthesised")]
    Synth(#[from] stacks::SynthError),
    /// A call about executions, or about what is parked, failed.
    #[error("cannot {what}: {why}")]
    Call {
        /// What was to be done.
        what: String,
        /// What AWS, or the way to it, said.
        why: String,
    },
    /// The deployment is of another release.
    #[error("the deployed stacks have no output `{name}`: they are of another release, deploy this one")]
    NoOutput {
        /// The output.
        name: String,
    },
    /// What was read is not what this release writes.
    #[error("{what} cannot be read: {why}")]
    Unreadable {
        /// What was read.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Step Functions did not take an answer.
    #[error("cannot answer execution {execution}: {code}")]
    Unanswered {
        /// The execution that waits.
        execution: String,
        /// The code of AWS. Not its message, which can quote the task token.
        code: String,
    },
    /// A value that is not allowed here.
    #[error("there is no {what} `{given}`: use one of {}", known.join(", "))]
    Unknown {
        /// What was asked for.
        what: &'static str,
        /// The value given.
        given: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// A value that does not fit.
    #[error("{0}")]
    Usage(String),
    /// It does not exist.
    #[error("{0}")]
    NotFound(String),
    /// It makes no sense as things are.
    #[error("refused: {0}")]
    Refused(String),
}

/// What kind of an error it is, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// AWS, or the way to it, or what is stored there.
    Failure,
    /// What was given.
    Usage,
    /// What was asked for does not exist.
    NotFound,
    /// What was asked for makes no sense as things are.
    Refused,
}

impl OpsError {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Aws(_)
            | Self::Synth(_)
            | Self::Call { .. }
            | Self::NoOutput { .. }
            | Self::Unreadable { .. }
            | Self::Unanswered { .. } => ErrorKind::Failure,
            Self::Unknown { .. } | Self::Usage(_) => ErrorKind::Usage,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Refused(_) => ErrorKind::Refused,
        }
    }

    /// For `map_err`: says what could not be done.
    pub(super) fn call(what: impl Into<String>) -> impl FnOnce(CallError) -> Self {
        move |error| Self::Call { what: what.into(), why: error.text }
    }

    /// Why a saga is not settled; `what` was to be done.
    pub(super) fn unsettled(what: impl Into<String>, why: Unsettled) -> Self {
        match why {
            Unsettled::Call(error) => Self::call(what)(error),
            Unsettled::NotYet { .. } | Unsettled::Unknown { .. } => {
                Self::Call { what: what.into(), why: format!("{why}; try again") }
            }
            Unsettled::Input { name } => {
                Self::unreadable(format!("the input of execution {name}"), "it is not that of a saga")
            }
            Unsettled::TooOften { .. } | Unsettled::Foreign { .. } => Self::Refused(why.to_string()),
        }
    }

    pub(super) fn unreadable(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Unreadable { what: what.into(), why: why.into() }
    }
}
