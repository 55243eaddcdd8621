//! From the pivot on, and what a settling execution does.
//!
//! When the outcome of a pivot is unknown, its fence is asked, and by asking decided. The same question saves a saga
//! whose execution died (stopped by somebody, too long a history, a bug): a settling execution of the same machine asks
//! the fence first. So does an execution that cannot know how far its saga has got, because the outcome of a step before
//! the pivot is unknown, or the step was undone already: another execution may act for the same saga. When the pivot was
//! done, they finish forward; the values they still need are recalled by sending the steps' runs again, which their fences
//! answer with what they recorded. Otherwise they undo every step.
//!
//! The states of the two are apart, so that it can be seen that every variable is set before it is used.

use super::{
    compile::{Compiler, Named, START, backward, catch_errors, stage_name},
    message::{ask, decide_if_absent, expression, refuse_if_absent, refuse_if_settled_before, settling},
    park::{CanSkip, Parking, park_name},
    skip::{
        Assign, SKIPPING, Skipping, abandon_name, cleared, failed_alone, is_skipped, says_skip,
        skipped_before,
    },
    state::{Catch, Choice, ChoiceRule, Retry, State, Task, Transition},
};
use crate::{
    budget::CAUSE_CHARS,
    definition::StepSpec,
    message::{Op, RESCUED},
    serve::{ABANDONED, FENCE_GONE, OTHER_RUN},
};
use serde_json::{Value as Json, json};

const SETTLED: &str = "settled?";
const RESCUED_STATE: &str = "rescued?";

impl Compiler<'_> {
    /// Every execution begins here. A settling one goes straight to the questions.
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
                ("unresolved".to_owned(), json!({})),
                ("skipped".to_owned(), json!({})),
            ]
            .into(),
            next: self.first_question(),
        };
        let first = self.saga.stages.first().map_or_else(|| step.name.to_owned(), stage_name);
        let assign = [("skipped".to_owned(), json!({}))].into();
        let choice = Choice { choices: vec![rule], assign, default: first };
        (START.to_owned(), State::Choice(choice))
    }

    /// The go/no-go step, and what asks its fence when its outcome is unknown.
    pub(super) fn pivot(&self) -> Vec<Named> {
        let step = &self.saga.pivot;
        let unknown = catch_errors(settle_name(step), backward(step.name));
        let catch = vec![self.catch_final([step], step.name, self.undos.len()), unknown];
        let run = Task {
            catch,
            assign: [(step.output.to_owned(), expression("$states.result"))].into(),
            transition: Transition::Next(self.after_pivot()),
            ..self.run(step)
        };
        let mut states = vec![(step.name.to_owned(), State::Task(Box::new(run)))];
        let settle = settle_name(step);
        let ask = self.asking(self.insist(step, Op::Settle), &settle, SETTLED);
        states.push((settle.clone(), State::Task(Box::new(ask))));
        states.push(self.direction(SETTLED, self.after_pivot()));
        states.extend(self.park(&Parking {
            what: &settle,
            record: settle.clone(),
            steps: step.name.to_owned(),
            // Neither direction can be guessed.
            can_skip: CanSkip::Never,
            after: settle.clone(),
            assign: cleared(),
        }));
        states
    }

    /// What an execution does that does not know how far its saga has got, until it goes on as any other.
    pub(super) fn rescue(&self) -> Vec<Named> {
        let recalled = self.saga.steps_needed_after_pivot();
        let forward = recalled.first().map_or_else(|| self.after_pivot(), |step| recall_name(step));
        let mut states = self.whose();
        states.extend(self.ask_again());
        states.push(self.direction(RESCUED_STATE, forward));
        for (place, step) in recalled.iter().enumerate() {
            let next = recalled.get(place + 1).map_or_else(|| self.after_pivot(), |step| recall_name(step));
            states.extend(self.recall(step, next));
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

    /// What a step did is asked for again. It was done, so a fence that is not there is gone: it is not done once more.
    fn recall(&self, step: &StepSpec, next: String) -> Vec<Named> {
        let mut states = self.insist_or_park(step, &recall_name(step), next, false);
        if let Some((_, State::Task(run))) = states.first_mut() {
            run.arguments = ask(self.saga, step, Op::Run, &refuse_if_absent());
            run.retry.insert(0, Retry::never([FENCE_GONE]));
        }
        states
    }

    /// A run that must be done, or is parked. It can be skipped when nothing needs its output.
    fn insist_or_park(&self, step: &StepSpec, state: &str, next: String, can_skip: bool) -> Vec<Named> {
        let mut catch = vec![catch_errors(park_name(state), failed_alone(step, ""))];
        if can_skip {
            let error_equals = vec![ABANDONED.to_owned()];
            catch.insert(0, Catch { error_equals, assign: skipped_before(step), next: next.clone() });
        }
        let mut task = Task {
            catch,
            assign: [(step.output.to_owned(), expression("$states.result"))].into(),
            transition: Transition::Next(next.clone()),
            ..self.insist(step, Op::Run)
        };
        task.retry.insert(0, Retry::never([ABANDONED, OTHER_RUN]));
        let parking = Parking {
            what: state,
            record: state.to_owned(),
            steps: step.name.to_owned(),
            can_skip: if can_skip { CanSkip::Always } else { CanSkip::Never },
            after: if can_skip { resume_name(state) } else { state.to_owned() },
            assign: if can_skip { Assign::new() } else { cleared() },
        };
        let mut states = vec![(state.to_owned(), State::Task(Box::new(task)))];
        states.extend(self.park(&parking));
        if can_skip {
            let failure = format!("$lookup($unresolved, '{}')", step.name);
            let otherwise = catch_errors(park_name(state), failed_alone(step, SKIPPING));
            states.push(resume(state, &is_skipped(&failure), abandon_name(step), state));
            let abandon = self.abandon(step, &Skipping { failure, next, otherwise });
            states.push((abandon_name(step), State::Task(Box::new(abandon))));
        }
        states
    }

    /// How a settling execution asks the pivot's fence. When it must not decide by a fence that is not there, an operator
    /// can: a skip turns the saga back.
    fn ask_again(&self) -> Vec<Named> {
        let step = &self.saga.pivot;
        let (rescue, turn_back) = (rescue_name(step), format!("turn back {}", step.name));
        let asking = |if_absent: Json| {
            let mut ask = Task {
                arguments: ask(self.saga, step, Op::Settle, &if_absent),
                ..self.insist(step, Op::Settle)
            };
            ask.retry.insert(0, Retry::never([FENCE_GONE]));
            State::Task(Box::new(self.asking(ask, &rescue, RESCUED_STATE)))
        };
        let gone = format!("$lookup($unresolved, '{}').error = '{FENCE_GONE}'", step.name);
        let mut states = vec![(rescue.clone(), asking(refuse_if_settled_before()))];
        states.extend(self.park(&Parking {
            what: &rescue,
            record: rescue.clone(),
            steps: step.name.to_owned(),
            can_skip: CanSkip::When(gone.clone()),
            after: resume_name(&rescue),
            assign: Assign::new(),
        }));
        let condition = format!("{} and {gone}", says_skip());
        states.push(resume(&rescue, &condition, turn_back.clone(), &rescue));
        states.push((turn_back, asking(decide_if_absent())));
        states
    }

    /// A question to the pivot's fence, or the saga is parked as `what`.
    fn asking(&self, ask: Task, what: &str, decided: &str) -> Task {
        Task {
            catch: vec![catch_errors(park_name(what), failed_alone(&self.saga.pivot, ""))],
            // Alone: what one state assigns is limited as a payload is, and a pivot's output can be as large as that.
            // <https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html#workflow-variables-limits>
            assign: [("settled".to_owned(), expression("$states.result"))].into(),
            transition: Transition::to(decided),
            ..ask
        }
    }

    /// Forward or backward, as the fence said.
    fn direction(&self, decided: &str, forward: String) -> Named {
        let reason = format!(
            "$exists($settled.error) ? {{'step': '{}', 'error': $settled.error, 'cause': $substring($settled.cause, 0, \
             {CAUSE_CHARS})}} : $reason",
            self.saga.pivot.name
        );
        // What asking left there is no failed undo.
        let mut backward = cleared();
        backward.insert("reason".to_owned(), expression(&reason));
        let go = Choice {
            choices: vec![ChoiceRule {
                condition: "{% $settled.direction = 'forward' %}".into(),
                assign: [(self.saga.pivot.output.to_owned(), expression("$settled.output"))].into(),
                next: forward,
            }],
            assign: backward,
            default: self.undo_before(self.undos.len()),
        };
        (decided.to_owned(), State::Choice(go))
    }

    /// Where a saga goes once its pivot is done.
    fn after_pivot(&self) -> String {
        self.saga.finish.first().map_or_else(|| self.first_on_commit(), |step| step.name.into())
    }
}

/// Goes the one way when a condition holds, and otherwise tries again.
fn resume(what: &str, condition: &str, then: String, again: &str) -> Named {
    let condition = format!("{{% {condition} %}}");
    let rule = ChoiceRule { condition, assign: Assign::new(), next: then };
    let choice = Choice { choices: vec![rule], assign: cleared(), default: again.to_owned() };
    (resume_name(what), State::Choice(choice))
}

fn settle_name(step: &StepSpec) -> String {
    format!("settle {}", step.name)
}

pub(super) fn rescue_name(step: &StepSpec) -> String {
    format!("rescue {}", step.name)
}

fn recall_name(step: &StepSpec) -> String {
    format!("recall {}", step.name)
}

fn resume_name(what: &str) -> String {
    format!("resume {what}")
}
