//! From the pivot on, and what a settling execution does.
//!
//! When the outcome of a pivot is unknown, its fence is asked, and by asking decided. The same question saves a saga
//! whose execution died (stopped by somebody, too long a history, a bug): a settling execution of the same machine asks
//! the fence first. When the pivot was done, it finishes forward; the values it still needs are recalled by sending the
//! steps' runs again, which their fences answer with what they recorded. Otherwise it undoes every step.
//!
//! The states of the two are apart, so that it can be seen that every variable is set before it is used.

use super::{
    compile::{Compiler, Named, START, catch_errors, stage_name, unresolved},
    message::{expression, settling},
    park::{Parking, park_name},
    state::{Choice, ChoiceRule, State, Task, Transition},
};
use crate::{
    definition::{Definition, StepSpec},
    message::{Op, RESCUED},
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const SETTLED: &str = "settled?";
const RESCUED_STATE: &str = "rescued?";

impl Compiler<'_> {
    /// Every execution begins here. A settling one goes straight to the fence of the pivot.
    pub(super) fn start(&self) -> Named {
        let step = &self.saga.pivot;
        let cause = format!("'execution ' & {0}.execution & ' ended ' & {0}.status", settling());
        let rule = ChoiceRule {
            condition: format!("{{% $exists({}) %}}", settling()),
            assign: [
                (
                    "reason".to_owned(),
                    json!({ "step": step.name, "error": RESCUED, "cause": expression(&cause) }),
                ),
                ("unresolved".to_owned(), expression("{}")),
            ]
            .into(),
            next: rescue_name(step),
        };
        let first = self.saga.stages.first().map_or_else(|| step.name.to_owned(), stage_name);
        let choice = Choice { choices: vec![rule], assign: BTreeMap::new(), default: first };
        (START.to_owned(), State::Choice(choice))
    }

    /// The go/no-go step, and what asks its fence when its outcome is unknown.
    pub(super) fn pivot(&self) -> Vec<Named> {
        let step = &self.saga.pivot;
        let mut catch = self.catch_rejections(step, self.undos.len());
        catch.push(self.catch_all(step.name, settle_name(step)));
        let run = Task {
            catch,
            assign: [(step.output.to_owned(), expression("$states.result"))].into(),
            transition: Transition::Next(self.after_pivot()),
            ..self.run(step)
        };
        let mut states = vec![(step.name.to_owned(), State::Task(Box::new(run)))];
        states.extend(self.ask_fence(&settle_name(step), SETTLED, self.after_pivot()));
        states
    }

    /// What a settling execution does until it goes on as any other.
    pub(super) fn rescue(&self) -> Vec<Named> {
        let recalled = needed_after_pivot(self.saga);
        let forward = recalled.first().map_or_else(|| self.after_pivot(), |step| recall_name(step));
        let mut states = self.ask_fence(&rescue_name(&self.saga.pivot), RESCUED_STATE, forward);
        for (place, step) in recalled.iter().enumerate() {
            let next = recalled.get(place + 1).map_or_else(|| self.after_pivot(), |step| recall_name(step));
            states.extend(self.insist_or_park(step, &recall_name(step), next, false));
        }
        states
    }

    /// A step after the pivot.
    pub(super) fn retriable(&self, step: &StepSpec, place: usize) -> Vec<Named> {
        let later = &self.saga.finish[place + 1..];
        let next = later.first().map_or_else(|| self.first_on_commit(), |step| step.name.into());
        let inputs = later.iter().map(|step| step.inputs);
        let notices = self.saga.on_commit.iter().map(|notice| notice.inputs);
        let needed = inputs.chain(notices).any(|inputs| inputs.contains(&step.output));
        self.insist_or_park(step, step.name, next, !needed)
    }

    /// A run that must be done, or is parked. It can be skipped when nothing needs its output.
    fn insist_or_park(&self, step: &StepSpec, state: &str, next: String, can_skip: bool) -> Vec<Named> {
        let task = Task {
            catch: vec![catch_errors(park_name(state), unresolved(step.name))],
            assign: [(step.output.to_owned(), expression("$states.result"))].into(),
            transition: Transition::Next(next.clone()),
            ..self.insist(step, Op::Run)
        };
        let mut states = vec![(state.to_owned(), State::Task(Box::new(task)))];
        states.extend(self.park(&Parking {
            what: state,
            record: state.to_owned(),
            steps: step.name.to_owned(),
            again: state.to_owned(),
            skip: can_skip.then_some(next),
        }));
        states
    }

    /// Asks the pivot's fence, and goes forward or backward. Neither can be guessed, so it cannot be skipped.
    fn ask_fence(&self, state: &str, decided: &str, forward: String) -> Vec<Named> {
        let step = &self.saga.pivot;
        let reason = format!(
            "$exists($states.result.error) ? {{'step': '{}', 'error': $states.result.error, 'cause': $states.result.cause}} : $reason",
            step.name
        );
        let ask = Task {
            catch: vec![catch_errors(park_name(state), unresolved(step.name))],
            assign: [
                ("settled".to_owned(), expression("$states.result")),
                ("reason".to_owned(), expression(&reason)),
            ]
            .into(),
            transition: Transition::to(decided),
            ..self.insist(step, Op::Settle)
        };
        let go = Choice {
            choices: vec![ChoiceRule {
                condition: "{% $settled.direction = 'forward' %}".into(),
                assign: [(step.output.to_owned(), expression("$settled.output"))].into(),
                next: forward,
            }],
            assign: BTreeMap::new(),
            default: self.undo_before(self.undos.len()),
        };
        let mut states =
            vec![(state.to_owned(), State::Task(Box::new(ask))), (decided.to_owned(), State::Choice(go))];
        states.extend(self.park(&Parking {
            what: state,
            record: state.to_owned(),
            steps: step.name.to_owned(),
            again: state.to_owned(),
            skip: None,
        }));
        states
    }

    /// Where a saga goes once its pivot is done.
    fn after_pivot(&self) -> String {
        self.saga.finish.first().map_or_else(|| self.first_on_commit(), |step| step.name.into())
    }
}

/// The steps before the pivot whose outputs are still needed after it, with those whose outputs they in turn need, in
/// forward order.
fn needed_after_pivot(saga: &Definition) -> Vec<&StepSpec> {
    let mut needed: BTreeSet<&str> = BTreeSet::new();
    for step in &saga.finish {
        needed.extend(step.inputs);
    }
    for notice in &saga.on_commit {
        needed.extend(notice.inputs);
    }
    let mut recalled: Vec<&StepSpec> = Vec::new();
    for step in saga.compensable_steps().collect::<Vec<_>>().into_iter().rev() {
        if needed.contains(step.output) {
            needed.extend(step.inputs);
            recalled.push(step);
        }
    }
    recalled.reverse();
    recalled
}

fn settle_name(step: &StepSpec) -> String {
    format!("settle {}", step.name)
}

fn rescue_name(step: &StepSpec) -> String {
    format!("rescue {}", step.name)
}

fn recall_name(step: &StepSpec) -> String {
    format!("recall {}", step.name)
}
