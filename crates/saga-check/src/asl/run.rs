//! One execution: a value that an event moves to the next one.

use super::{
    definition::{Handlers, Machine, Parallel, Scope, State},
    scope::{At, Flow, Trace, Trouble, Variables, Walk},
};
use serde_json::{Value as Json, json};
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
    execution: Arc<Execution>,
    variables: Variables,
    place: Place,
    redrives: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
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
enum Branch {
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
    pub fn variables(&self) -> &serde_json::Map<String, Json> {
        &self.variables
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

/// Moves a run by one event.
struct Mover<'a> {
    machine: &'a Machine,
    run: Run,
    most_retries: u32,
    trace: &'a mut Trace,
}

impl Mover<'_> {
    fn take(&mut self, event: &Event) {
        match (event, self.run.place.clone()) {
            (Event::Start, Place::Started) => {
                let start = self.machine.scope.start_at.clone();
                let flow = self.walk(|walk, variables| walk.enter(&start, variables));
                self.arrive(flow);
            }
            (Event::Abort, place) if !matches!(place, Place::Ended(_) | Place::Died(..)) => {
                self.void_all(&place);
                self.run.place = Place::Died(End::Aborted, Box::new(place));
            }
            (Event::Redrive, Place::Died(_, place)) => self.redrive(*place),
            (Event::Success { branch: 0, .. } | Event::Failure { branch: 0, .. }, Place::At(at)) => {
                self.trace.effects.push(Effect::Void { branch: 0 });
                let Some(State::Task(task)) = self.machine.scope.states.get(&at.state) else { return };
                self.trace.at.clone_from(&at.state);
                let flow = self.walk(|walk, variables| match answer(event) {
                    Ok(output) => walk.succeed(task, at, output, variables),
                    Err(trouble) => walk.caught(&task.handlers, at, trouble, variables),
                });
                self.arrive(flow);
            }
            (
                Event::Success { branch, .. } | Event::Failure { branch, .. },
                Place::Branches { state, branches },
            ) => self.answer_in_branch(*branch, event, &state, branches),
            // An answer for a task that waits no more.
            _ => {}
        }
    }

    fn walk(&mut self, step: impl FnOnce(&mut Walk<'_>, &mut Variables) -> Flow) -> Flow {
        let mut variables = std::mem::take(&mut self.run.variables);
        let mut walk = Walk {
            scope: &self.machine.scope,
            execution: &self.run.execution,
            redrives: self.run.redrives,
            outer: None,
            branch: 0,
            most_retries: self.most_retries,
            trace: self.trace,
        };
        let flow = step(&mut walk, &mut variables);
        self.run.variables = variables;
        flow
    }

    /// The machine itself has come this far; a parallel state starts its branches.
    fn arrive(&mut self, flow: Flow) {
        self.run.place = match flow {
            Flow::Ends(output) => Place::Ended(End::Succeeded(output)),
            Flow::Fails(trouble) => {
                self.trace.note(&trouble);
                let Trouble { error, cause, .. } = trouble;
                let died = Place::At(At { state: self.trace.at.clone(), retries: Vec::new() });
                Place::Died(End::Failed { error, cause }, Box::new(died))
            }
            Flow::Waits(at) => match self.machine.scope.states.get(&at.state) {
                Some(State::Parallel(parallel)) => return self.start_branches(parallel, at.state),
                _ => Place::At(at),
            },
        };
    }

    /// The states that waited are entered again, with all their retries. What a branch has done stays.
    fn redrive(&mut self, died: Place) {
        self.run.redrives += 1;
        match died {
            Place::At(At { state, .. }) => {
                let flow = self.walk(|walk, variables| walk.enter(&state, variables));
                self.arrive(flow);
            }
            Place::Branches { state, branches } => {
                if let Some(State::Parallel(parallel)) = self.machine.scope.states.get(&state) {
                    self.enter_branches(parallel, state, branches);
                }
            }
            other => self.run.place = other,
        }
    }

    fn start_branches(&mut self, parallel: &Parallel, state: String) {
        let start = |scope: &Scope| Branch::At {
            at: At { state: scope.start_at.clone(), retries: Vec::new() },
            variables: Variables::new(),
        };
        let begin = parallel.branches.iter().map(start).collect();
        self.enter_branches(parallel, state, begin);
    }

    /// Enters the state of each branch that has not ended.
    fn enter_branches(&mut self, parallel: &Parallel, state: String, from: Vec<Branch>) {
        let mut branches = Vec::new();
        for ((scope, from), place) in parallel.branches.iter().zip(from).zip(1..) {
            let Branch::At { at, mut variables } = from else {
                branches.push(from);
                continue;
            };
            let flow = self.walk_branch(scope, place, &mut variables, |walk, variables| {
                walk.enter(&at.state, variables)
            });
            match flow {
                Flow::Waits(at) => branches.push(Branch::At { at, variables }),
                Flow::Ends(output) => branches.push(Branch::Ended(output)),
                Flow::Fails(trouble) => {
                    return self.branch_failed(&parallel.handlers, state, &branches, trouble);
                }
            }
        }
        self.run.place = Place::Branches { state, branches };
        self.join_if_all_ended();
    }

    fn answer_in_branch(&mut self, branch: u8, event: &Event, state: &str, mut branches: Vec<Branch>) {
        let Some(State::Parallel(parallel)) = self.machine.scope.states.get(state) else { return };
        let place = usize::from(branch).wrapping_sub(1);
        let (Some(Branch::At { at, variables }), Some(scope)) =
            (branches.get(place).cloned(), parallel.branches.get(place))
        else {
            return;
        };
        let Some(State::Task(task)) = scope.states.get(&at.state) else { return };
        self.trace.effects.push(Effect::Void { branch });
        let mut variables = variables;
        let flow = self.walk_branch(scope, branch, &mut variables, |walk, variables| match answer(event) {
            Ok(output) => walk.succeed(task, at, output, variables),
            Err(trouble) => walk.caught(&task.handlers, at, trouble, variables),
        });
        branches[place] = match flow {
            Flow::Waits(at) => Branch::At { at, variables },
            Flow::Ends(output) => Branch::Ended(output),
            Flow::Fails(trouble) => {
                // This one waits no more.
                branches[place] = Branch::Ended(Json::Null);
                return self.branch_failed(&parallel.handlers, state.to_owned(), &branches, trouble);
            }
        };
        self.run.place = Place::Branches { state: state.to_owned(), branches };
        self.join_if_all_ended();
    }

    fn walk_branch(
        &mut self,
        scope: &Scope,
        branch: u8,
        variables: &mut Variables,
        step: impl FnOnce(&mut Walk<'_>, &mut Variables) -> Flow,
    ) -> Flow {
        let mut walk = Walk {
            scope,
            execution: &self.run.execution,
            redrives: self.run.redrives,
            outer: Some(&self.run.variables),
            branch,
            most_retries: self.most_retries,
            trace: self.trace,
        };
        step(&mut walk, variables)
    }

    /// One branch failed: the others are stopped.
    fn branch_failed(&mut self, handlers: &Handlers, state: String, branches: &[Branch], trouble: Trouble) {
        self.void_branches(branches);
        self.trace.at.clone_from(&state);
        let at = At { state, retries: Vec::new() };
        let flow = self.walk(|walk, variables| walk.caught(handlers, at, trouble, variables));
        self.arrive(flow);
    }

    fn join_if_all_ended(&mut self) {
        let Place::Branches { state, branches } = &self.run.place else { return };
        let outputs: Option<Vec<Json>> = branches
            .iter()
            .map(|branch| match branch {
                Branch::Ended(output) => Some(output.clone()),
                Branch::At { .. } => None,
            })
            .collect();
        let state = state.clone();
        let (Some(outputs), Some(State::Parallel(parallel))) =
            (outputs, self.machine.scope.states.get(&state))
        else {
            return;
        };
        self.trace.at.clone_from(&state);
        let flow = self.walk(|walk, variables| walk.join(parallel, &state, outputs, variables));
        self.arrive(flow);
    }

    fn void_all(&mut self, place: &Place) {
        match place {
            Place::At(_) => self.trace.effects.push(Effect::Void { branch: 0 }),
            Place::Branches { branches, .. } => self.void_branches(branches),
            Place::Started | Place::Ended(_) | Place::Died(..) => {}
        }
    }

    fn void_branches(&mut self, branches: &[Branch]) {
        for (branch, place) in branches.iter().zip(1..) {
            if matches!(branch, Branch::At { .. }) {
                self.trace.effects.push(Effect::Void { branch: place });
            }
        }
    }
}

fn answer(event: &Event) -> Result<Json, Trouble> {
    match event {
        Event::Success { output, .. } => Ok(output.clone()),
        Event::Failure { error, cause, used_up, .. } => {
            Err(Trouble { error: error.clone(), cause: cause.clone(), used_up: *used_up })
        }
        Event::Start | Event::Abort | Event::Redrive => Ok(json!({})),
    }
}
