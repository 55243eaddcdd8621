//! What a new release would not understand, in words.

use super::{place::Place, subset::Why};
use crate::{entity::FieldKind, message::OLDEST_WIRE_VERSION};
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
    /// A saga begins with another step.
    #[error(
        "it began with `{deployed}` and begins with `{here}`: who settles for an execution asks the first steps whose the \
         saga id is, and one that is new does not know of a saga under way that has it, which is then turned back"
    )]
    Begins {
        /// Deployed.
        deployed: String,
        /// Now.
        here: String,
    },
    /// What comes after the pivot needs the output of a new step before it.
    #[error(
        "it needs the value `{value}` of the new step `{step}`, which a saga that began before never runs once it is past its \
         pivot: who settles for its execution parks it for good"
    )]
    NeverRun {
        /// The value.
        value: String,
        /// The step that produces it.
        step: String,
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
    /// An entity is gone.
    #[error(
        "it is gone{}: what it holds is not found any more, and steps whose recorded inverses name it are parked when they \
         are undone", or_named(now.as_deref())
    )]
    EntityGone {
        /// What it may be named now.
        now: Option<String>,
    },
    /// An entity belongs to another participant.
    #[error(
        "it moved from participant `{deployed}` to `{here}`: recorded inverses name it, and `{deployed}` may not write it any \
         more, so its steps are parked when they are undone"
    )]
    EntityMoved {
        /// Deployed.
        deployed: String,
        /// Now.
        here: String,
    },
    /// An entity has another key.
    #[error(
        "its key was `{deployed}` and is `{here}`: the deployment puts an empty table in its place, what it holds is lost or \
         left behind, and recorded inverses name items by the old key"
    )]
    Key {
        /// Deployed.
        deployed: String,
        /// Now.
        here: String,
    },
    /// A field is gone.
    #[error(
        "it is gone{}: items and recorded inverses have it under this name, so after the deployment every guard on another \
         name fails", or_named(now.as_deref())
    )]
    FieldGone {
        /// What it may be named now.
        now: Option<String>,
    },
    /// A field is stored in another way.
    #[error(
        "it was stored as {deployed} and is stored as {here}: after the deployment every guard on what is stored already fails"
    )]
    FieldKind {
        /// Deployed.
        deployed: FieldKind,
        /// Now.
        here: FieldKind,
    },
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
            Self::Begins { .. } => "put new steps behind the first ones, or at the same time",
            Self::NeverRun { .. } => {
                "deploy the new step first, and what needs it when no execution of the release before it is left"
            }
            Self::EntityGone { .. } => {
                "keep its name; to give it up, keep it until no execution of the deployed release is left"
            }
            Self::EntityMoved { .. } | Self::Key { .. } => {
                "declare a new entity with another name beside it, and copy what it holds"
            }
            Self::FieldGone { .. } => {
                "keep the name of the attribute; to give it up, keep it in `FIELDS` until no execution of the deployed release is left"
            }
            Self::FieldKind { .. } => "declare a new field with another name beside it",
            Self::Unknown { .. } => {
                "make the type simpler, or add a member or a step with a new name beside it"
            }
        }
    }
}

fn or_named(now: Option<&str>) -> String {
    now.map(|name| format!(", or named `{name}` now")).unwrap_or_default()
}
