//! Who is told what happens.

use std::time::Duration;

use super::events::ResourceEvent;
use crate::package::Packaged;

/// Is told what happens while it happens.
pub trait Progress: Send {
    /// This happened.
    fn update(&mut self, update: Update<'_>);
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Update<'a> {
    /// Worth knowing; a sentence without its full stop.
    Note(&'a str),
    /// The functions were packaged.
    Packaged(&'a [Packaged]),
    /// A file is now in the artifact bucket.
    Uploaded {
        /// Its key.
        key: &'a str,
        /// Its size.
        bytes: u64,
    },
    /// CloudFormation begins to work on a stack, or is found working on it.
    StackStarted {
        /// The stack.
        stack: &'a str,
        /// What is done: `creating`, `updating`, `deleting` or `waiting for`.
        doing: &'static str,
    },
    /// A resource changed its state. The stack itself counts as one.
    Resource {
        /// The stack.
        stack: &'a str,
        /// What changed.
        event: &'a ResourceEvent,
        /// Since the work on the stack began.
        elapsed: Duration,
    },
    /// The work on a stack ended, well or not.
    StackEnded {
        /// The stack.
        stack: &'a str,
        /// Its status; none when it is gone.
        status: Option<&'a str>,
        /// Since the work on it began.
        elapsed: Duration,
    },
    /// A stack is as it should be already.
    NoChanges {
        /// The stack.
        stack: &'a str,
    },
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn update(&mut self, _: Update<'_>) {}
}
