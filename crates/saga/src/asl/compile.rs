//! From a definition to a state machine.
//!
//! Forward, each step is a task with a task token. A declared rejection goes to the undo of the step before: it is
//! recorded, so no execution gets past it. Anything else (a timeout, exhausted deliveries, a step that was undone) asks the
//! fence of the pivot, and by asking decides: another execution that acts for this saga may have got further. Backward, each
//! undo is tried with backoff; one that cannot be done is set aside, the others go on, and at the end of the chain the saga
//! is parked until an operator answers.
//!
//! The same machine serves a settling execution, which acts for one that died: see `settle.rs`.

use super::{
    check::MachineError,
    message::{Placeholder, SAGA_ID, expression, publish, send},
    park::{CanSkip, Parking, park_name},
    settle::rescue_name,
    skip::{cause, set_aside, told_if_abandoned},
    state::{
        Branch, Catch, Choice, ChoiceRule, Integration, Parallel, Pass, Retry, State, StateMachine, States,
        Task, Transition,
    },
};
use crate::{
    budget::{Budget, BudgetError, CAUSE_CHARS, Timing},
    definition::{Definition, DefinitionError, NoticeSpec, Stage, StepSpec},
    message::Op,
    schema::{Inexact, inexact},
    serve::{ABANDONED, DELIVERIES_EXHAUSTED, OTHER_RUN, TOO_LATE},
};
use serde_json::{Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The longest name a state can have.
const MAX_STATE_NAME: usize = 80;

/// Where every execution begins.
pub(super) const START: &str = "settling?";

const COMMITTED: &str = "committed";
const COMPENSATED: &str = "compensated";
const UNDO: &str = "undo";
const ALL_UNDONE: &str = "all undone?";

/// Compiles a saga to its state machine. The same input gives the same machine, byte for byte.
///
/// # Errors
/// When a name is not allowed or the numbers do not fit together.
pub fn compile(definition: &Definition, timing: Timing) -> Result<StateMachine, CompileError> {
    definition.check_names()?;
    if let Some(inexact) = inexact(&definition.schemas) {
        return Err(CompileError::Inexact { saga: definition.name, inexact });
    }
    Budget::of(definition, timing)?;
    let compiler = Compiler { saga: definition, timing, undos: definition.compensable_steps().collect() };
    let states = compiler.states();
    let start_at = START.to_owned();
    let comment = format!("Saga {}", definition.name);
    let machine = StateMachine { comment, query_language: "JSONata", start_at, states: States(states) };
    machine.check()?;
    Ok(machine)
}

impl StateMachine {
    /// What the stack must give a value for.
    pub fn placeholders(definition: &Definition) -> Vec<Placeholder> {
        let queues = definition.steps().map(|step| Placeholder::Queue(step.participant));
        let mut all: Vec<_> = queues.chain([Placeholder::ParkedTable, Placeholder::Partition]).collect();
        if !definition.on_commit.is_empty() || !definition.on_compensate.is_empty() {
            all.push(Placeholder::NoticeTopic);
        }
        all.sort();
        all.dedup();
        all
    }
}

/// Why a saga cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// A name is not allowed.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// A whole number can lose digits.
    #[error("saga `{saga}`: {inexact}")]
    Inexact {
        /// The saga.
        saga: &'static str,
        /// Which one.
        inexact: Inexact,
    },
    /// The numbers do not fit together.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// The machine would not do what it says: a fault of the compiler.
    #[error("the compiler made a machine that is refused; please report it")]
    Machine(#[from] MachineError),
}

pub(super) struct Compiler<'a> {
    pub(super) saga: &'a Definition,
    pub(super) timing: Timing,
    /// The compensable steps, in forward order.
    pub(super) undos: Vec<&'a StepSpec>,
}

pub(super) type Named = (String, State);

impl Compiler<'_> {
    fn states(&self) -> Vec<Named> {
        let mut states = vec![self.start()];
        let mut before = 0;
        for (place, stage) in self.saga.stages.iter().enumerate() {
            let next =
                self.saga.stages.get(place + 1).map_or_else(|| self.saga.pivot.name.to_owned(), stage_name);
            states.extend(self.stage(stage, before, next));
            before += stage.steps().len();
        }
        states.extend(self.pivot());
        for (place, step) in self.saga.finish.iter().enumerate() {
            states.extend(self.retriable(step, place));
        }
        states.extend(self.notices(&self.saga.on_commit, false, COMMITTED));
        states.push(self.committed());
        states.extend(self.rescue());
        for place in (0..self.undos.len()).rev() {
            states.push(self.undo(place));
        }
        if !self.undos.is_empty() {
            states.extend(self.all_undone());
        }
        states.extend(self.notices(&self.saga.on_compensate, true, COMPENSATED));
        states.push(self.compensated());
        states
    }

    fn stage(&self, stage: &Stage, before: usize, next: String) -> Vec<Named> {
        match stage {
            Stage::Step(step) => vec![(step.name.into(), self.step(step, before, next))],
            Stage::Parallel(steps) => {
                let gather = gather_name(stage);
                let group = (stage_name(stage), self.group(stage, steps, before, gather.clone()));
                vec![group, (gather, gathered(steps, next))]
            }
        }
    }

    fn step(&self, step: &StepSpec, before: usize, next: String) -> State {
        let catch = vec![self.catch_final([step], step.name, before), self.catch_unknown(step.name, before)];
        let assign = [(step.output.to_owned(), expression("$states.result"))].into();
        State::Task(Box::new(Task { catch, assign, transition: Transition::Next(next), ..self.run(step) }))
    }

    /// After a group is rejected, every step of the group is undone: a branch that was stopped may yet take effect.
    fn group(&self, stage: &Stage, steps: &[StepSpec], before: usize, next: String) -> State {
        let branch = |step: &StepSpec| Branch {
            start_at: step.name.into(),
            states: States(vec![(step.name.into(), State::Task(Box::new(self.run(step))))]),
        };
        let name = stage_name(stage);
        State::Parallel(Parallel {
            branches: steps.iter().map(branch).collect(),
            catch: vec![
                self.catch_final(steps, &name, before + steps.len()),
                self.catch_unknown(&name, before),
            ],
            transition: Transition::Next(next),
        })
    }

    /// An undo that cannot be done is set aside in `$unresolved`; the others go on.
    fn undo(&self, place: usize) -> Named {
        let next = if place == 0 { ALL_UNDONE.to_owned() } else { undo_name(self.undos[place - 1]) };
        let step = self.undos[place];
        (undo_name(step), State::Task(Box::new(self.undo_task(step, next))))
    }

    /// The task that undoes a step, or sets it aside.
    pub(super) fn undo_task(&self, step: &StepSpec, next: String) -> Task {
        Task {
            catch: vec![catch_errors(next.clone(), set_aside(step, ""))],
            assign: told_if_abandoned(step),
            transition: Transition::Next(next),
            ..self.insist(step, Op::Undo)
        }
    }

    fn all_undone(&self) -> Vec<Named> {
        let choice = Choice {
            choices: vec![ChoiceRule {
                condition: "{% $count($keys($unresolved)) > 0 %}".into(),
                assign: BTreeMap::new(),
                next: park_name(UNDO),
            }],
            assign: BTreeMap::new(),
            default: self.first_on_compensate(),
        };
        let mut states = vec![(ALL_UNDONE.to_owned(), State::Choice(choice))];
        states.extend(
            self.park(&Parking {
                what: UNDO,
                record: format!("{UNDO} {}", self.saga.name),
                steps: "{% $join($append([], $keys($unresolved)), ', ') %}".into(),
                can_skip: CanSkip::Always,
                after: self.first_answer(),
                // What the operator leaves out is unresolved again.
                assign: [
                    ("pending".to_owned(), expression("$unresolved")),
                    ("unresolved".to_owned(), expression("{}")),
                ]
                .into(),
            }),
        );
        for place in (0..self.undos.len()).rev() {
            states.extend(self.answer_undo(place, ALL_UNDONE));
        }
        states
    }

    /// A notice never blocks or fails the saga.
    fn notices(&self, notices: &[NoticeSpec], compensated: bool, end: &str) -> Vec<Named> {
        let task = |place: usize, notice: &NoticeSpec| {
            let next = notices.get(place + 1).map_or_else(|| end.to_owned(), notice_name);
            let task = Task {
                resource: Integration::Publish,
                arguments: publish(self.saga, notice, compensated),
                timeout_seconds: None,
                retry: vec![Retry::with("States.ALL", self.timing.send_retry())],
                catch: vec![catch_errors(next.clone(), BTreeMap::new())],
                assign: BTreeMap::new(),
                transition: Transition::Next(next),
            };
            (notice_name(notice), State::Task(Box::new(task)))
        };
        notices.iter().enumerate().map(|(place, notice)| task(place, notice)).collect()
    }

    fn committed(&self) -> Named {
        let mut output = self.outcome(COMMITTED);
        output["output"] = expression(&format!("${}", self.saga.pivot.output));
        ended(COMMITTED, output)
    }

    fn compensated(&self) -> Named {
        let mut output = self.outcome(COMPENSATED);
        output["reason"] = expression("$reason");
        ended(COMPENSATED, output)
    }

    fn outcome(&self, outcome: &str) -> Json {
        let skipped = expression("$skipped");
        json!({ "outcome": outcome, "saga": self.saga.name, "id": expression(SAGA_ID), "skipped": skipped })
    }

    /// A run: only the send is tried again. An answer is an answer, and a timeout is an unknown outcome.
    pub(super) fn run(&self, step: &StepSpec) -> Task {
        let final_answers = [DELIVERIES_EXHAUSTED, TOO_LATE, ABANDONED, OTHER_RUN];
        let answers = step.rejections.iter().copied().chain(final_answers);
        let send_failed = Retry::with("States.TaskFailed", self.timing.send_retry());
        let retry = vec![Retry::never(answers), send_failed];
        Task { retry, ..self.task(step, Op::Run, self.timing.step_timeout(step)) }
    }

    /// An operation that must be done: everything is tried again.
    pub(super) fn insist(&self, step: &StepSpec, op: Op) -> Task {
        let retry = vec![Retry::with("States.ALL", self.timing.undo_retry())];
        Task { retry, ..self.task(step, op, self.timing.insisted_timeout(step)) }
    }

    fn task(&self, step: &StepSpec, op: Op, timeout: Duration) -> Task {
        Task {
            resource: Integration::SendMessageForToken,
            arguments: send(self.saga, step, op),
            timeout_seconds: Some(timeout),
            retry: Vec::new(),
            catch: Vec::new(),
            assign: BTreeMap::new(),
            transition: Transition::End(true),
        }
    }

    /// An answer that stays: a step had no effect in this run, and has none in any execution of it, because its fence holds
    /// the rejection or belongs to another run. So nobody has got past it, and it is decided without the pivot.
    pub(super) fn catch_final<'s>(
        &self,
        steps: impl IntoIterator<Item = &'s StepSpec>,
        name: &str,
        undone: usize,
    ) -> Catch {
        let rejections = steps.into_iter().flat_map(|step| step.rejections.iter().copied());
        let mut errors: Vec<&str> = rejections.collect();
        errors.push(OTHER_RUN);
        let seen = &mut BTreeSet::new();
        errors.retain(|error| seen.insert(*error));
        let error_equals = errors.into_iter().map(str::to_owned).collect();
        Catch { error_equals, assign: backward(name), next: self.undo_before(undone) }
    }

    /// What is not known before the pivot, its fence decides: nothing may assume that this execution is the only one that
    /// goes forward. Whoever is past the first stage has the id. `before`: how many steps stand before this one.
    fn catch_unknown(&self, name: &str, before: usize) -> Catch {
        let next = if before == 0 { self.first_question() } else { rescue_name(&self.saga.pivot) };
        catch_errors(next, backward(name))
    }

    /// Where compensation begins when the first `n` compensable steps may have taken effect.
    pub(super) fn undo_before(&self, n: usize) -> String {
        n.checked_sub(1).map_or_else(|| self.first_on_compensate(), |last| undo_name(self.undos[last]))
    }

    pub(super) fn first_on_commit(&self) -> String {
        self.saga.on_commit.first().map_or_else(|| COMMITTED.to_owned(), notice_name)
    }

    pub(super) fn first_on_compensate(&self) -> String {
        self.saga.on_compensate.first().map_or_else(|| COMPENSATED.to_owned(), notice_name)
    }
}

fn ended(name: &str, output: Json) -> Named {
    let transition = Transition::End(true);
    (name.to_owned(), State::Pass(Pass { output, assign: BTreeMap::new(), transition }))
}

/// The outputs of a group become variables in a state of their own: MiniStack evaluates no `Assign` of a parallel state.
fn gathered(steps: &[StepSpec], next: String) -> State {
    let result = |n: usize| expression(&format!("$states.input[{n}]"));
    let assign = steps.iter().enumerate().map(|(n, step)| (step.output.to_owned(), result(n))).collect();
    // What the variables hold need not go on as the state's output too.
    State::Pass(Pass { output: json!({}), assign, transition: Transition::Next(next) })
}

/// What is known when a saga turns back.
pub(super) fn backward(step: &str) -> BTreeMap<String, Json> {
    let mut assign = error_as("reason", step);
    assign.insert("unresolved".into(), expression("{}"));
    assign
}

fn error_as(variable: &str, step: &str) -> BTreeMap<String, Json> {
    let (error, cause) = (expression("$states.errorOutput.Error"), expression(&cause(CAUSE_CHARS)));
    [(variable.to_owned(), json!({ "step": step, "error": error, "cause": cause }))].into()
}

pub(super) fn catch_errors(next: String, assign: BTreeMap<String, Json>) -> Catch {
    Catch { error_equals: vec!["States.ALL".into()], assign, next }
}

/// The names of its steps, as far as a state's name may be long.
pub(super) fn stage_name(stage: &Stage) -> String {
    names_of(stage, MAX_STATE_NAME)
}

fn gather_name(stage: &Stage) -> String {
    let gather = "gather ";
    format!("{gather}{}", names_of(stage, MAX_STATE_NAME - gather.len()))
}

fn names_of(stage: &Stage, most_chars: usize) -> String {
    let names: Vec<_> = stage.steps().iter().map(|step| step.name).collect();
    let all = names.join(" + ");
    if all.len() <= most_chars { all } else { format!("{} + {} more", names[0], names.len() - 1) }
}

pub(super) fn undo_name(step: &StepSpec) -> String {
    format!("undo {}", step.name)
}

fn notice_name(notice: &NoticeSpec) -> String {
    format!("publish {}", notice.name)
}
