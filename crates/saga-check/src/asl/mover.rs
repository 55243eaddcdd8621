//! Moves an execution by one event.

use super::{
    definition::{Handlers, Machine, Parallel, Scope, State},
    run::{Branch, Effect, End, Event, Place, Run},
    scope::{At, Flow, Trace, Trouble, Variables, Walk},
};
use serde_json::{Value as Json, json};

/// Moves a run by one event.
pub(super) struct Mover<'a> {
    pub(super) machine: &'a Machine,
    pub(super) run: Run,
    pub(super) most_retries: u32,
    pub(super) trace: &'a mut Trace,
}

impl Mover<'_> {
    pub(super) fn take(&mut self, event: &Event) {
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
