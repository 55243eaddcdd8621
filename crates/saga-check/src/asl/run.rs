//! One execution: a value that an event moves to the next one.

use super::{
    definition::{Machine, Scope, State},
    mover::Mover,
    scope::{At, Trace, Variables},
};
use serde_json::Value as Json;
use std::sync::Arc;

/// What an execution was started with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Execution {
    /// Which machine, by its place in the check.
    pub machine: usize,
    /// Which saga it acts for, by its place in the check.
    pub saga: usize,
    /// The execution's name.
    pub name: String,
    /// The input.
    pub input: Json,
}

impl Execution {
    /// Its ARN: that of no other, also where executions of two machines have one name.
    pub fn arn(&self) -> String {
        format!("arn:aws:states:us-east-1:000000000000:execution:m{}:{}", self.machine, self.name)
    }

    /// The token of a task that waits. One execution never has two at a time in one branch, so a token that is answered
    /// after its time is told from the next one by whoever keeps the messages.
    pub(super) fn token(&self, branch: u8) -> String {
        format!("token {branch} of {}", self.name)
    }
}

/// An execution at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Run {
    pub(super) execution: Arc<Execution>,
    pub(super) variables: Variables,
    pub(super) place: Place,
    pub(super) redrives: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Started,
    At(At),
    Branches {
        state: String,
        branches: Vec<Branch>,
    },
    Ended(End),
    /// Ended without an outcome, and where: a redrive goes on from there.
    Died(End, Box<Place>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Branch {
    At { at: At, variables: Variables },
    Ended(Json),
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum End {
    /// With this output.
    Succeeded(Json),
    /// With an error that nothing caught.
    Failed {
        /// The error's name.
        error: String,
        /// Details as text.
        cause: String,
    },
    /// It was stopped.
    Aborted,
}

/// What happens to an execution.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// It starts.
    Start,
    /// The task in this branch is answered with success.
    Success {
        /// 0 for the machine itself, from 1 for the branches of a parallel state.
        branch: u8,
        /// The output.
        output: Json,
    },
    /// The task in this branch fails.
    Failure {
        /// As above.
        branch: u8,
        /// The error's name.
        error: String,
        /// Details as text.
        cause: String,
        /// Every retry was made and failed the same way.
        used_up: bool,
    },
    /// It is stopped.
    Abort,
    /// Somebody has it run again after it died: it goes on from the state in which it died.
    Redrive,
}

/// What an execution does to the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It sends a message and waits in this branch.
    Send {
        /// The branch.
        branch: u8,
        /// What the integration is given.
        arguments: Json,
    },
    /// It writes an item and waits in this branch.
    Park {
        /// The branch.
        branch: u8,
        /// What the integration is given.
        arguments: Json,
    },
    /// It publishes.
    Publish {
        /// What the integration is given.
        arguments: Json,
    },
    /// It publishes, but the topic does not take it.
    Unpublished {
        /// What the integration is given.
        arguments: Json,
    },
    /// It writes an item.
    PutItem {
        /// What the integration is given.
        arguments: Json,
    },
    /// It sets attributes of an item, by an expression `SET #name = :value, …`.
    UpdateItem {
        /// What the integration is given.
        arguments: Json,
    },
    /// It deletes an item.
    DeleteItem {
        /// What the integration is given.
        arguments: Json,
    },
    /// The token of this branch is void from here on.
    Void {
        /// The branch.
        branch: u8,
    },
}

/// Where an event moves an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The execution afterwards.
    pub run: Run,
    /// What it did, in order.
    pub effects: Vec<Effect>,
    /// The state whose integration failed for good, if one did.
    pub failed: Option<String>,
    /// The states it entered, in order.
    pub entered: Vec<String>,
    /// An expression that could not be evaluated, and in which state, if there was one.
    pub unevaluated: Option<String>,
}

/// A task that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting<'a> {
    /// 0 for the machine itself, from 1 for the branches.
    pub branch: u8,
    /// The state.
    pub state: &'a str,
    /// It has a timeout.
    pub times_out: bool,
    /// Its timeout can be tried again.
    pub retries_timeout: bool,
}

impl Run {
    /// An execution before it starts.
    pub fn new(execution: Execution) -> Self {
        Self {
            execution: Arc::new(execution),
            variables: Variables::new(),
            place: Place::Started,
            redrives: 0,
        }
    }

    /// What it was started with.
    pub fn execution(&self) -> &Execution {
        &self.execution
    }

    /// How it ended, if it has.
    pub fn end(&self) -> Option<&End> {
        match &self.place {
            Place::Ended(end) | Place::Died(end, _) => Some(end),
            _ => None,
        }
    }

    /// How often somebody had it run again after it died.
    pub fn redrives(&self) -> u32 {
        self.redrives
    }

    /// Its variables, by name.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.variables.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The token of the task that waits in a branch.
    pub fn token(&self, branch: u8) -> String {
        self.execution.token(branch)
    }

    /// The tasks that wait.
    pub fn waiting<'a>(&'a self, machine: &'a Machine) -> Vec<Waiting<'a>> {
        match &self.place {
            Place::At(at) => waiting(&machine.scope, at, 0).into_iter().collect(),
            Place::Branches { state, branches } => {
                let Some(State::Parallel(parallel)) = machine.scope.states.get(state) else {
                    return Vec::new();
                };
                let branches = branches.iter().zip(&parallel.branches).zip(1..);
                let waits = |((branch, scope), place): ((&'a Branch, &'a Scope), u8)| match branch {
                    Branch::At { at, .. } => waiting(scope, at, place),
                    Branch::Ended(_) => None,
                };
                branches.filter_map(waits).collect()
            }
            Place::Started | Place::Ended(_) | Place::Died(..) => Vec::new(),
        }
    }

    /// Every way this event can move it: first when every integration works, then when one of them fails with all its
    /// retries. `most_retries`: how often one retrier is used at the most.
    pub fn moves(&self, machine: &Machine, event: &Event, most_retries: u32) -> Vec<Moved> {
        let (first, integrations) = self.moved(machine, event, most_retries, None);
        let failing = (0..integrations).map(|place| self.moved(machine, event, most_retries, Some(place)).0);
        std::iter::once(first).chain(failing).collect()
    }

    fn moved(
        &self,
        machine: &Machine,
        event: &Event,
        most_retries: u32,
        failing: Option<usize>,
    ) -> (Moved, usize) {
        let mut trace = Trace { failing, ..Trace::default() };
        let mut mover = Mover { machine, run: self.clone(), most_retries, trace: &mut trace };
        mover.take(event);
        let run = mover.run;
        let Trace { effects, integrations, failed, entered, unevaluated, .. } = trace;
        (Moved { run, effects, failed, entered, unevaluated }, integrations)
    }
}

fn waiting<'a>(scope: &'a Scope, at: &'a At, branch: u8) -> Option<Waiting<'a>> {
    let State::Task(task) = scope.states.get(&at.state)? else { return None };
    let timeout =
        |names: &[String]| names.iter().any(|name| name == "States.ALL" || name == "States.Timeout");
    let retries_timeout =
        task.handlers.retry.iter().any(|retrier| timeout(&retrier.errors) && retrier.max_attempts > 0);
    Some(Waiting { branch, state: &at.state, times_out: task.times_out, retries_timeout })
}
