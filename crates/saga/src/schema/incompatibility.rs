//! What a new release would not understand, in words.

use super::subset::Why;
use crate::message::OLDEST_WIRE_VERSION;
use std::fmt;

/// Something of the deployed release that the new one would not understand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incompatibility {
    /// Where.
    pub place: Place,
    /// What was changed.
    pub change: Change,
}

impl fmt::Display for Incompatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, change } = self;
        write!(f, "{place}: {change}; {}", change.remedy())
    }
}

/// Where something was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A message that all sagas share.
    Envelope {
        /// Its name in [`EnvelopeSchemas`](super::EnvelopeSchemas).
        message: &'static str,
        /// The JSON path in it.
        path: String,
    },
    /// A saga.
    Saga {
        /// Its name.
        saga: String,
    },
    /// A step.
    Step {
        /// The saga's name.
        saga: String,
        /// Its name.
        step: String,
    },
    /// A notice.
    Notice {
        /// The saga's name.
        saga: String,
        /// Its name.
        notice: String,
    },
    /// A value that a saga holds.
    Value {
        /// The saga's name.
        saga: String,
        /// Its wire name.
        value: String,
        /// Who has it, for example ``input of step `reserve-stock` ``.
        users: Vec<String>,
        /// The JSON path in it.
        path: String,
    },
    /// The cause of a rejection.
    Rejection {
        /// The saga's name.
        saga: String,
        /// The step's name.
        step: String,
        /// The JSON path in it.
        path: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Envelope { message, path } => write!(f, "`{message}` of the envelope at `{path}`"),
            Self::Saga { saga } => write!(f, "saga `{saga}`"),
            Self::Step { saga, step } => write!(f, "saga `{saga}`, step `{step}`"),
            Self::Notice { saga, notice } => write!(f, "saga `{saga}`, notice `{notice}`"),
            Self::Value { saga, value, users, path } => {
                write!(f, "saga `{saga}`, value `{value}` ({}) at `{path}`", users.join(", "))
            }
            Self::Rejection { saga, step, path } => {
                write!(f, "saga `{saga}`, rejection of step `{step}` at `{path}`")
            }
        }
    }
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Change {
    /// The messages have another version.
    #[error(
        "messages of version {deployed} are in flight, and this release serves {OLDEST_WIRE_VERSION} to {here}"
    )]
    Version {
        /// Deployed.
        deployed: u8,
        /// Now.
        here: u8,
    },
    /// A saga, step or notice is gone.
    #[error("it is gone, and executions in flight still use it")]
    Gone,
    /// A step belongs to another participant, and another queue.
    #[error(
        "it moved from participant `{deployed}` to `{here}`, and executions in flight still ask `{deployed}`"
    )]
    Moved {
        /// Deployed.
        deployed: String,
        /// Now.
        here: String,
    },
    /// A step is of another kind.
    #[error(
        "it was {deployed} and is {here}, so what executions in flight have done is undone in another way"
    )]
    Kind {
        /// Deployed.
        deployed: String,
        /// Now.
        here: String,
    },
    /// A value has another name.
    #[error("its {what} was named `{deployed}` and is named `{here}`")]
    Renamed {
        /// The saga's input, or the output of a step.
        what: &'static str,
        /// Deployed.
        deployed: String,
        /// Now.
        here: String,
    },
    /// A step or notice needs a value more.
    #[error("it needs the value `{value}`, which executions in flight do not send")]
    NeedsValue {
        /// The value.
        value: String,
    },
    /// A step has a rejection less.
    #[error("its rejection `{rejection}` is gone, and fences have recorded it")]
    RejectionGone {
        /// The rejection.
        rejection: String,
    },
    /// A member is required that messages in flight may not have.
    #[error("this member is required, and messages in flight may lack it")]
    Required,
    /// A member is refused that messages in flight may have.
    #[error("this member is refused, and messages in flight may have it")]
    Refused,
    /// Less is taken than messages in flight can have.
    #[error("messages in flight can have {deployed}, and this release takes {here}")]
    Narrowed {
        /// Deployed.
        deployed: String,
        /// Now.
        here: String,
    },
    /// More is written than executions in flight can read.
    #[error("executions in flight take {deployed}, and this release can write {here}")]
    Widened {
        /// Deployed.
        deployed: String,
        /// Now.
        here: String,
    },
    /// A member may be missing that executions in flight need.
    #[error("executions in flight need this member, and this release may leave it out")]
    NotWritten,
    /// A schema was changed in a way whose meaning is not known.
    #[error("`{keyword}` makes the schema too intricate to be compared")]
    Unknown {
        /// The keyword of the schema.
        keyword: String,
    },
}

impl Change {
    /// A mismatch between what is in flight and what this release reads.
    pub(super) fn read_here(mismatch: Why) -> Self {
        match mismatch {
            Why::Required => Self::Required,
            Why::Refused => Self::Refused,
            Why::Narrowed { written, read } => Self::Narrowed { deployed: written, here: read },
            Why::Unknown { keyword } => Self::Unknown { keyword },
        }
    }

    /// A mismatch between what this release writes and what executions in flight read.
    pub(super) fn read_in_flight(mismatch: Why) -> Self {
        match mismatch {
            Why::Required => Self::NotWritten,
            Why::Refused => Self::Widened { deployed: "no such member".into(), here: "it".into() },
            Why::Narrowed { written, read } => Self::Widened { deployed: read, here: written },
            Why::Unknown { keyword } => Self::Unknown { keyword },
        }
    }

    /// How to do it right.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Version { .. } => "serve both versions until no execution of the deployed release is left",
            Self::Gone => "keep it until no execution of the deployed release is left",
            Self::Moved { .. } | Self::Kind { .. } => {
                "give the new one a new step name, and keep the old one"
            }
            Self::Renamed { .. } => "keep the name, or give the step a new name and keep the old one",
            Self::NeedsValue { .. } => "give it a new name and keep the old one, or do without the value",
            Self::RejectionGone { .. } => "keep its name in `NAMES`, also when it is not given any more",
            Self::Required => "make it an `Option` or give it `#[serde(default)]`",
            Self::Refused => "keep it, or take out `#[serde(deny_unknown_fields)]`",
            Self::Narrowed { .. } => {
                "take what was taken before, or add a member or a step with a new name beside it"
            }
            Self::Widened { .. } | Self::NotWritten => "write what was written before",
            Self::Unknown { .. } => {
                "make the type simpler, or add a member or a step with a new name beside it"
            }
        }
    }
}
