//! Where two releases differ, in words.

use std::fmt;

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
    /// An entity.
    Entity {
        /// Its name.
        entity: String,
    },
    /// A field of an entity.
    Field {
        /// The entity's name.
        entity: String,
        /// Its attribute.
        field: String,
    },
}

impl Place {
    pub(super) fn of_value(saga: &str, value: &str, user: &str, path: String) -> Self {
        Self::Value { saga: saga.into(), value: value.into(), users: vec![user.into()], path }
    }

    /// Adds a user to what was told of this place of a value, if it was. Says whether it was.
    pub(super) fn add_user<'a>(
        mut told: impl Iterator<Item = &'a mut Self>,
        of: &str,
        at: &str,
        user: &str,
    ) -> bool {
        let users = told.find_map(|place| match place {
            Self::Value { value, users, path, .. } if value == of && path == at => Some(users),
            _ => None,
        });
        users.map(|users| users.push(user.into())).is_some()
    }
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
            Self::Entity { entity } => write!(f, "entity `{entity}`"),
            Self::Field { entity, field } => write!(f, "entity `{entity}`, field `{field}`"),
        }
    }
}
