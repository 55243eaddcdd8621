//! One run of a saga: its execution and the settling executions that took over when one died.

use super::{Operations, OpsError, State};
use aws_sdk_sfn::primitives::{DateTime, DateTimeFormat};
use saga_executions::{Dead, Death, Execution, Status, Unsettled, execution_arn, successor};
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::SystemTime;

/// A settling execution that dies is settled by another one. That this many died has a cause that one more will not
/// change.
const MOST_SETTLEMENTS: usize = 100;

/// A saga in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SagaRow {
    /// The saga id.
    pub id: String,
    /// The saga's name.
    pub saga: String,
    /// Where it stands.
    pub state: State,
    /// How it ended: `committed` or `compensated`.
    pub outcome: Option<String>,
    /// Why it was compensated, or why its execution died: the wire name of a rejection or of an error.
    pub error: Option<String>,
    /// When its first execution began, RFC 3339.
    pub started: Option<String>,
    /// When its last execution ended, RFC 3339.
    pub ended: Option<String>,
    /// How many settling executions it has had.
    pub settlements: usize,
}

/// One run of a saga.
pub(super) struct Run {
    pub(super) saga: &'static str,
    pub(super) id: String,
    /// The first one, then the settling ones, in their order; never empty.
    pub(super) first: Execution,
    pub(super) settling: Vec<Execution>,
}

impl Run {
    pub(super) fn executions(&self) -> impl Iterator<Item = &Execution> {
        [&self.first].into_iter().chain(&self.settling)
    }

    /// The execution that decides.
    pub(super) fn last(&self) -> &Execution {
        self.settling.last().unwrap_or(&self.first)
    }

    /// Where the saga stands. `parked`: the ARNs of the executions that wait for an operator.
    pub(super) fn row(&self, parked: &BTreeSet<String>) -> SagaRow {
        let last = self.last();
        let outcome = last.output["outcome"].as_str().filter(|outcome| outcome_state(outcome).is_some());
        let state = match last.status {
            Status::Dead(Death::Failed) => State::Failed,
            Status::Dead(Death::TimedOut) => State::TimedOut,
            Status::Dead(Death::Aborted) => State::Aborted,
            Status::Succeeded if !self.settling.is_empty() => State::Settled,
            Status::Succeeded => outcome.and_then(outcome_state).unwrap_or(State::Succeeded),
            Status::Running if parked.contains(&last.arn) => State::Parked,
            Status::Running if !self.settling.is_empty() => State::Settling,
            Status::Running => State::Running,
        };
        let reason = last.output["reason"]["error"].as_str();
        let error = if state.is_dead() { last.error.as_deref() } else { reason };
        SagaRow {
            id: self.id.clone(),
            saga: self.saga.to_owned(),
            state,
            outcome: outcome.map(str::to_owned),
            error: error.map(str::to_owned),
            started: rfc3339(self.first.started),
            ended: rfc3339(last.stopped),
            settlements: self.settling.len(),
        }
    }
}

fn outcome_state(outcome: &str) -> Option<State> {
    match outcome {
        "committed" => Some(State::Committed),
        "compensated" => Some(State::Compensated),
        _ => None,
    }
}

impl Operations {
    /// The run of a saga with this id, if there was one.
    pub(super) async fn run_of(&self, saga: &'static str, id: &str) -> Result<Option<Run>, OpsError> {
        let Some(first) = self.execution(saga, id).await? else { return Ok(None) };
        Ok(Some(self.run_from(saga, first).await?))
    }

    /// The run that begins with this execution. An execution that has the name of a settling one and is none is not of
    /// it; `settle` says so.
    pub(super) async fn run_from(&self, saga: &'static str, first: Execution) -> Result<Run, OpsError> {
        let id = first.input["id"].as_str().unwrap_or(&first.name).to_owned();
        let mut run = Run { saga, id, first, settling: Vec::new() };
        while run.settling.len() < MOST_SETTLEMENTS {
            let Ok(Some(dead)) = Dead::of(run.last()) else { break };
            match successor(&self.executions, &dead).await {
                Ok(Some(next)) => run.settling.push(next),
                Ok(None) | Err(Unsettled::Foreign { .. }) => break,
                Err(why) => {
                    return Err(OpsError::unsettled(format!("ask who settles execution {}", dead.name), why));
                }
            }
        }
        Ok(run)
    }

    /// One execution by name.
    pub(super) async fn execution(&self, saga: &str, name: &str) -> Result<Option<Execution>, OpsError> {
        let arn = execution_arn(self.state_machine_arn(saga)?, name);
        let described = self.executions.step_functions.describe(&arn).await;
        described.map_err(OpsError::call(format!("describe execution {name} of saga {saga}")))
    }

    pub(super) fn state_machine_arn(&self, saga: &str) -> Result<&str, OpsError> {
        self.output(&stacks::outputs::state_machine_arn(saga))
    }
}

/// RFC 3339, UTC; none when it is out of bounds.
pub(super) fn time(date: &DateTime) -> Option<String> {
    date.fmt(DateTimeFormat::DateTime).ok()
}

/// The same of a time that may not be known.
pub(super) fn rfc3339(at: Option<SystemTime>) -> Option<String> {
    time(&DateTime::from(at?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    pub(in crate::ops) const MACHINE: &str = "arn:aws:states:eu-central-1:1:stateMachine:order";

    pub(in crate::ops) fn execution(name: &str, status: Status, output: Json) -> Execution {
        let input = json!({ "v": 2, "id": "o-1", "input": {} });
        Execution { output, ..Execution::new(MACHINE, name, status, input) }
    }

    fn run(statuses: &[(Status, Json)]) -> Run {
        let mut all = statuses
            .iter()
            .enumerate()
            .map(|(n, (status, output))| execution(&format!("e-{n}"), *status, output.clone()));
        let first = all.next().unwrap();
        Run { saga: "order", id: "o-1".to_owned(), first, settling: all.collect() }
    }

    #[test]
    fn the_state_follows_from_the_last_execution() {
        let [failed, timed_out, aborted] = Death::ALL.map(Status::Dead);
        let (running, succeeded) = (Status::Running, Status::Succeeded);
        let none = || Json::Null;
        let ended = |outcome: &str| json!({ "outcome": outcome });
        for (executions, expected) in [
            (vec![(running, none())], State::Running),
            (vec![(succeeded, ended("committed"))], State::Committed),
            (vec![(succeeded, ended("compensated"))], State::Compensated),
            (vec![(succeeded, ended("evaporated"))], State::Succeeded),
            (vec![(failed, none())], State::Failed),
            (vec![(timed_out, none())], State::TimedOut),
            (vec![(aborted, none())], State::Aborted),
            (vec![(aborted, none()), (running, none())], State::Settling),
            (vec![(aborted, none()), (succeeded, ended("committed"))], State::Settled),
            (vec![(aborted, none()), (failed, none())], State::Failed),
        ] {
            assert_eq!(run(&executions).row(&BTreeSet::new()).state, expected);
        }
        let parked = |name: &str| BTreeSet::from([execution_arn(MACHINE, name)]);
        assert_eq!(run(&[(aborted, none()), (running, none())]).row(&parked("e-1")).state, State::Parked);
        assert_eq!(run(&[(running, none())]).row(&parked("e-1")).state, State::Running);
        // An execution of another saga can have the name.
        let of_another =
            BTreeSet::from(["arn:aws:states:eu-central-1:1:execution:cancel-order:e-0".to_owned()]);
        assert_eq!(run(&[(running, none())]).row(&of_another).state, State::Running);
    }

    #[test]
    fn a_row_says_why() {
        let output = json!({ "outcome": "compensated", "reason": { "step": "s", "error": "OutOfStock" } });
        let row = run(&[(Status::Succeeded, output)]).row(&BTreeSet::new());
        assert_eq!((row.outcome.as_deref(), row.error.as_deref()), (Some("compensated"), Some("OutOfStock")));
        let mut failed = run(&[(Status::Dead(Death::Failed), Json::Null)]);
        failed.first.error = Some("States.Runtime".to_owned());
        assert_eq!(failed.row(&BTreeSet::new()).error.as_deref(), Some("States.Runtime"));
    }
}
