//! A state machine as it was read.

use super::template::Template;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A state machine, read from its Amazon States Language.
#[derive(Debug, Clone)]
pub struct Machine {
    pub(super) scope: Scope,
    pub(super) steps: BTreeSet<String>,
    pub(super) queues: BTreeSet<String>,
    pub(super) notices: BTreeMap<String, bool>,
    pub(super) settles: bool,
}

impl Machine {
    /// The steps that it runs, in alphabetical order: when a saga has committed, each of them was done.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(String::as_str)
    }

    /// The queues that it sends to, as they stand in it.
    pub fn queues(&self) -> impl Iterator<Item = &str> {
        self.queues.iter().map(String::as_str)
    }

    /// The notices that it publishes, in alphabetical order, and whether each says that the saga was compensated.
    pub fn notices(&self) -> impl Iterator<Item = (&str, bool)> {
        self.notices.iter().map(|(name, compensated)| (name.as_str(), *compensated))
    }

    /// Whether it begins with steps that run at the same time: it asks each of them whose a saga id is.
    pub fn begins_with_group(&self) -> bool {
        self.scope.states.keys().filter(|name| name.starts_with("ask ")).count() > 1
    }

    /// Whether an execution of it can settle what a dead one left: its states look at `Execution.Input.settle`.
    pub fn settles(&self) -> bool {
        self.settles
    }
}

/// States that follow each other: those of a machine, or of a branch.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) start_at: String,
    pub(super) states: BTreeMap<String, State>,
}

#[derive(Debug, Clone)]
pub(super) enum State {
    Task(Task),
    Choice { rules: Vec<Rule>, default: Option<Next> },
    Pass { output: Option<Template>, next: Next },
    Wait { next: Next },
    Parallel(Parallel),
    Succeed { output: Option<Template> },
    Fail { error: Template, cause: Template },
}

#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) resource: Resource,
    pub(super) arguments: Template,
    /// It can time out.
    pub(super) times_out: bool,
    pub(super) handlers: Handlers,
    pub(super) output: Option<Template>,
    pub(super) next: Next,
}

/// An integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    /// Sends a message and waits for an answer with its token.
    Send,
    /// Writes an item and waits for an answer with its token.
    Park,
    Publish,
    PutItem,
    /// Sets attributes of an item, by an expression `SET #a = :a, …`.
    UpdateItem,
    DeleteItem,
}

#[derive(Debug, Clone)]
pub(super) struct Parallel {
    pub(super) branches: Vec<Scope>,
    pub(super) handlers: Handlers,
    pub(super) output: Option<Template>,
    pub(super) next: Next,
}

/// What is done about errors.
#[derive(Debug, Clone)]
pub(super) struct Handlers {
    pub(super) retry: Vec<Retrier>,
    pub(super) catch: Vec<Catcher>,
}

#[derive(Debug, Clone)]
pub(super) struct Retrier {
    pub(super) errors: Vec<String>,
    pub(super) max_attempts: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Catcher {
    pub(super) errors: Vec<String>,
    pub(super) next: Next,
}

#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) condition: Template,
    pub(super) next: Next,
}

/// Where a state goes, and the variables it sets on the way.
#[derive(Debug, Clone)]
pub(super) struct Next {
    pub(super) assign: Vec<(Arc<str>, Template)>,
    /// `None`: the end.
    pub(super) state: Option<String>,
}
