//! Whose a saga id is.
//!
//! An id can come back while fences are kept that another run wrote. An execution that knows of no answer of its own cannot
//! tell whether its id is taken, and to ask the pivot is to decide: it would turn back what the other run is at. So it first
//! asks the steps that every run begins with what they recorded. That writes nothing. The fence of another run ends the saga
//! there: nothing was done beyond the first stage, and what the others of a group did is undone. When anything else is recorded,
//! or nothing, it goes on and asks the pivot.

use super::{
    compile::{Compiler, Named, backward, catch_errors},
    message::{ask, refuse_if_absent},
    park::{CanSkip, Parking, park_name},
    settle::rescue_name,
    skip::{Assign, cleared, failed_alone},
    state::{Catch, Retry, State, Task, Transition},
};
use crate::{
    definition::{Stage, StepSpec},
    message::Op,
    serve::{ABANDONED, FENCE_GONE, OTHER_RUN, TOO_LATE},
};

impl Compiler<'_> {
    /// Where an execution asks that does not know how far its saga has got, nor whose its id is.
    pub(super) fn first_question(&self) -> String {
        self.first_steps().first().map_or_else(|| rescue_name(&self.saga.pivot), ask_name)
    }

    /// The questions to each step of the first stage.
    pub(super) fn whose(&self) -> Vec<Named> {
        let steps = self.first_steps();
        let next =
            |place: usize| steps.get(place + 1).map_or_else(|| rescue_name(&self.saga.pivot), ask_name);
        steps.iter().enumerate().flat_map(|(place, step)| self.question(step, &next(place))).collect()
    }

    /// Without an answer nothing is decided: the saga is parked.
    fn question(&self, step: &StepSpec, next: &str) -> Vec<Named> {
        let name = ask_name(step);
        let recorded = step.rejections.iter().copied().chain([FENCE_GONE, TOO_LATE, ABANDONED]);
        let recorded: Vec<String> = recorded.map(str::to_owned).collect();
        let catch = |error_equals, assign, next: String| Catch { error_equals, assign, next };
        let mut task = Task {
            arguments: ask(self.saga, step, Op::Run, &refuse_if_absent()),
            catch: vec![
                catch(
                    vec![OTHER_RUN.to_owned()],
                    backward(step.name),
                    self.undo_before(self.saga.undone_when_turned_away()),
                ),
                catch(recorded.clone(), Assign::new(), next.to_owned()),
                catch_errors(park_name(&name), failed_alone(step, "")),
            ],
            transition: Transition::Next(next.to_owned()),
            ..self.insist(step, Op::Run)
        };
        let finals = recorded.iter().map(String::as_str).chain([OTHER_RUN]);
        task.retry.insert(0, Retry::never(finals));
        let parking = Parking {
            what: &name,
            record: name.clone(),
            steps: step.name.to_owned(),
            can_skip: CanSkip::Never,
            after: name.clone(),
            assign: cleared(),
        };
        let mut states = vec![(name.clone(), State::Task(Box::new(task)))];
        states.extend(self.park(&parking));
        states
    }

    fn first_steps(&self) -> &[StepSpec] {
        self.saga.stages.first().map_or(&[], Stage::steps)
    }
}

fn ask_name(step: &StepSpec) -> String {
    format!("ask {}", step.name)
}
