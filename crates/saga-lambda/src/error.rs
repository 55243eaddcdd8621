//! Why a function cannot start or go on.

use std::fmt;

/// Why a function ended. Shown once, as the last line of its log.
#[derive(thiserror::Error)]
pub enum Error {
    /// A variable is not set.
    #[error("the environment variable `{name}` is not set: the stack that deploys this function sets it")]
    Missing {
        /// The variable.
        name: String,
    },
    /// A variable is set to something that cannot be used.
    #[error(
        "the environment variable `{name}` is `{given}`, but {allowed} is needed: correct it in the stack"
    )]
    Invalid {
        /// The variable.
        name: String,
        /// What it is set to.
        given: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A client of another service cannot be made.
    #[error("the {what} client cannot be made: {why}")]
    Client {
        /// Whose client.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// The Lambda runtime stopped.
    #[error("the Lambda runtime stopped")]
    Runtime(#[source] lambda_runtime::Error),
}

// Not derived: `main` shows an error by `Debug`, and people read it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
