//! Why an existing template does not fit. Each problem says where, what was given, and what is allowed.

use std::fmt;

use thiserror::Error;

use crate::check::Found;
use crate::error::TemplateError;

/// Why a template, or a part of it, cannot be loaded: all that is wrong with it, ordered by path.
#[derive(Debug)]
pub struct LoadError {
    problems: Vec<LoadProblem>,
}

impl LoadError {
    /// What is wrong: at least one thing, ordered by path.
    #[must_use]
    pub fn problems(&self) -> &[LoadProblem] {
        &self.problems
    }

    /// An error if there are problems.
    pub(crate) fn of(mut problems: Vec<LoadProblem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_by(|one, other| one.at().cmp(other.at()));
        Err(Self { problems })
    }
}

impl From<LoadProblem> for LoadError {
    fn from(problem: LoadProblem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.problems.as_slice() {
            return only.fmt(f);
        }
        write!(f, "{} problems:", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl std::error::Error for LoadError {}

/// Something in a template that does not fit.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadProblem {
    /// The text is neither YAML nor JSON, or has a key twice.
    #[error("the template cannot be read: {reason}; allowed are YAML and JSON, each key of an object once")]
    Syntax {
        /// What the parser said, with the line.
        reason: String,
    },
    /// Something of the wrong type.
    #[error("{at} is {given}: expected {expected}")]
    WrongType {
        /// The path, as in `Resources.Orders.Properties.Tags[0]`.
        at: String,
        /// What is allowed.
        expected: String,
        /// What was given.
        given: String,
    },
    /// A property, a section or an option that does not exist.
    #[error("{at} has an unknown member {name:?}{}; known are: {known}", nearest(.near))]
    Unknown {
        /// The path of what has the member.
        at: String,
        /// The name that was given.
        name: String,
        /// A name that is nearly the same.
        near: Option<String>,
        /// The names that are allowed.
        known: String,
    },
    /// A property that must be there and is not.
    #[error("{at} lacks {name:?}, which is required")]
    Missing {
        /// The path of what lacks it.
        at: String,
        /// The name of the property.
        name: String,
    },
    /// A value that is not one of those allowed.
    #[error("{at} is {given}: allowed are {allowed}")]
    NotAllowed {
        /// The path.
        at: String,
        /// What was given.
        given: String,
        /// The values that are allowed.
        allowed: String,
    },
    /// A key without quotes that is no text.
    #[error(
        "{at} is a key without quotes, and CloudFormation reads {given} as {read}: allowed are keys that are text; put it \
         in quotes"
    )]
    Key {
        /// The path of what the key is of, the key included.
        at: String,
        /// The key.
        given: String,
        /// What it is read as.
        read: &'static str,
    },
    /// A number that would not stay what it is.
    #[error("{at} is {given}, which {why}: put it in quotes")]
    Unkept {
        /// The path.
        at: String,
        /// The number, as it is written.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A resource type that is not known.
    #[error(
        "{at} is of the type {name:?}, which is not known: enable the feature of its service, or check its name; types \
         of others are `Organization::Service::Type`, with `::MODULE` if it is a module, and `Custom::Type`"
    )]
    UnknownType {
        /// The path of the resource.
        at: String,
        /// The type that was given.
        name: String,
    },
    /// A section that CloudFormation knows and this crate does not take.
    #[error("{at} is not supported: {reason}")]
    Unsupported {
        /// The path of the section.
        at: String,
        /// Why, and what to do.
        reason: String,
    },
    /// What [`crate::Template::build`] would refuse, as a reference to something that is not there.
    #[error("{error}")]
    Refused {
        /// The path.
        at: String,
        /// Why it is refused.
        error: Box<TemplateError>,
    },
}

impl LoadProblem {
    /// The path of what does not fit; empty when the text cannot be read at all.
    #[must_use]
    pub fn at(&self) -> &str {
        match self {
            Self::Syntax { .. } => "",
            Self::WrongType { at, .. }
            | Self::Unknown { at, .. }
            | Self::Missing { at, .. }
            | Self::NotAllowed { at, .. }
            | Self::Key { at, .. }
            | Self::Unkept { at, .. }
            | Self::UnknownType { at, .. }
            | Self::Unsupported { at, .. }
            | Self::Refused { at, .. } => at,
        }
    }
}

impl From<Found> for LoadProblem {
    fn from(Found { at, error }: Found) -> Self {
        Self::Refused { at, error: Box::new(error) }
    }
}

fn nearest(near: &Option<String>) -> String {
    near.as_ref().map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}
