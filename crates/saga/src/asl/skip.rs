//! What an operator's answer does: what is skipped is fenced off before the saga goes on without it.
//!
//! A skip sends one more operation, `abandon`: from then on no message that still lies somewhere does or undoes the step
//! any more. While that cannot be written the saga stays parked, and says so. A skip that was said is final: the operator may
//! have put things right by hand, and its message may still come. So whatever the next answer is, the skip is tried again.
//! What was skipped shows in the outcome.

use super::{
    compile::{Compiler, Named, catch_errors, undo_name},
    message::expression,
    state::{Catch, Choice, ChoiceRule, State, Task, Transition},
};
use crate::{
    budget::ASIDE_CHARS,
    definition::StepSpec,
    message::Op,
    parked_table::{ACTION, SKIP, STEPS},
    serve::ABANDONED,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// The cause of what was caught, at most so many characters of it: see [`Budget`](crate::budget::Budget). A timeout may
/// come without a cause, and an expression without a value fails its state.
pub(super) fn cause(most_chars: usize) -> String {
    let cause = "$states.errorOutput.Cause";
    format!("($exists({cause}) ? $substring({cause}, 0, {most_chars}) : '')")
}

/// Whether the operator said 'skip'.
pub(super) fn says_skip() -> String {
    format!("$answer.{ACTION} = '{SKIP}'")
}

/// Whether the operator said 'skip', or had said so when the step was parked before. `failure`: the expression for why it is
/// parked.
pub(super) fn is_skipped(failure: &str) -> String {
    format!("{} or $exists({failure}.skipping)", says_skip())
}

/// What the cause begins with, for people, when a step could not be fenced off. What a handler says may begin with it too.
pub(super) const SKIPPING: &str = "skip: ";

/// Variables that are assigned.
pub(super) type Assign = BTreeMap<String, Json>;

impl Compiler<'_> {
    /// Where a parked compensation goes on: the answer is looked at for the last step first, as undos go.
    pub(super) fn first_answer(&self) -> String {
        self.undos.last().map_or_else(|| self.first_on_compensate(), |step| answer_name(step))
    }

    /// What the answer means for one step: nothing when its undo is done or was never needed, unresolved as before when
    /// the operator left it out, or a skip, or another try.
    pub(super) fn answer_undo(&self, place: usize, last: &str) -> Vec<Named> {
        let step = self.undos[place];
        let next = if place == 0 { last.to_owned() } else { answer_name(self.undos[place - 1]) };
        let pending = format!("$lookup($pending, '{}')", step.name);
        let rule = |condition: String, assign, next| ChoiceRule {
            condition: format!("{{% {condition} %}}"),
            assign,
            next,
        };
        let left_out = format!("$exists($answer.{STEPS}) and $not('{}' in $answer.{STEPS})", step.name);
        let still = merged("unresolved", step, &pending);
        let choice = Choice {
            choices: vec![
                rule(format!("$not($exists({pending}))"), Assign::new(), next.clone()),
                rule(left_out, still, next.clone()),
                rule(is_skipped(&pending), Assign::new(), abandon_name(step)),
            ],
            assign: Assign::new(),
            default: again_name(step),
        };
        let otherwise = catch_errors(next.clone(), set_aside(step, SKIPPING));
        let skipping = Skipping { failure: pending, next: next.clone(), otherwise };
        let abandon = self.abandon(step, &skipping);
        vec![
            (answer_name(step), State::Choice(choice)),
            (abandon_name(step), State::Task(Box::new(abandon))),
            (again_name(step), State::Task(Box::new(self.undo_task(step, next)))),
        ]
    }

    /// The task that fences a step off.
    pub(super) fn abandon(&self, step: &StepSpec, skipping: &Skipping) -> Task {
        let was = "{'was': $exists($states.result.was) ? $states.result.was : 'absent'}";
        let told = with("skipped", step, &format!("$merge($append({}, {was}))", skipping.failure));
        // An execution that came later may have undone it: then there was nothing to skip any more.
        let skipped = format!("$exists($states.result.undone_since) ? $skipped : {told}");
        Task {
            catch: vec![skipping.otherwise.clone()],
            assign: [("skipped".to_owned(), expression(&skipped))].into(),
            transition: Transition::Next(skipping.next.clone()),
            ..self.insist(step, Op::Abandon)
        }
    }
}

/// How a step is skipped.
pub(super) struct Skipping {
    /// The expression for why it could not be done; it is shown in the outcome.
    pub(super) failure: String,
    /// Where the saga goes on without the step.
    pub(super) next: String,
    /// Where it goes when the step cannot be fenced off.
    pub(super) otherwise: Catch,
}

/// Why an operation failed, beside what failed before it, in `$unresolved`. `at`: what stands before its cause.
pub(super) fn set_aside(step: &StepSpec, at: &str) -> Assign {
    merged("unresolved", step, &failure(at))
}

/// Why an operation failed, alone in `$unresolved`.
pub(super) fn failed_alone(step: &StepSpec, at: &str) -> Assign {
    let alone = format!("{{'{}': {}}}", step.name, failure(at));
    [("unresolved".to_owned(), expression(&alone))].into()
}

fn failure(at: &str) -> String {
    let skipping = if at == SKIPPING { ", 'skipping': true" } else { "" };
    let why = cause(ASIDE_CHARS - at.len() - skipping.len());
    let cause = if at.is_empty() { why } else { format!("'{at}' & {why}") };
    format!("{{'error': $states.errorOutput.Error, 'cause': {cause}{skipping}}}")
}

/// An undo that finds that an operator went on without the step says so, for an execution that does not know it.
pub(super) fn told_if_abandoned(step: &StepSpec) -> Assign {
    let told = format!("$merge($append($skipped, {{'{}': {}}}))", step.name, abandoned_before());
    let skipped = format!("$exists($states.result.abandoned) ? {told} : $skipped");
    [("skipped".to_owned(), expression(&skipped))].into()
}

/// A step that an operator went on without, in an execution before this one.
pub(super) fn skipped_before(step: &StepSpec) -> Assign {
    merged("skipped", step, &abandoned_before())
}

fn abandoned_before() -> String {
    format!("{{'error': '{ABANDONED}', 'cause': 'an operator went on without this step'}}")
}

/// A variable with one more member, by the step's name.
///
/// `$append` makes the list that `$merge` takes: LocalStack does not see variables within brackets.
fn merged(variable: &str, step: &StepSpec, value: &str) -> Assign {
    [(variable.to_owned(), expression(&with(variable, step, value)))].into()
}

fn with(variable: &str, step: &StepSpec, value: &str) -> String {
    format!("$merge($append(${variable}, {{'{}': {value}}}))", step.name)
}

/// Nothing is unresolved.
pub(super) fn cleared() -> Assign {
    [("unresolved".to_owned(), json!({}))].into()
}

fn answer_name(step: &StepSpec) -> String {
    format!("answered {}?", step.name)
}

pub(super) fn abandon_name(step: &StepSpec) -> String {
    format!("abandon {}", step.name)
}

fn again_name(step: &StepSpec) -> String {
    format!("{} again", undo_name(step))
}
