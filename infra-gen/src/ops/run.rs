//! One run of a saga: its execution and the settling executions that took over when one died.

use super::{Operations, OpsError, State};
use crate::aws::call;
use aws_sdk_sfn::operation::describe_execution::{DescribeExecutionError, DescribeExecutionOutput};
use aws_sdk_sfn::primitives::{DateTime, DateTimeFormat};
use aws_sdk_sfn::types::ExecutionStatus;
use saga::{SagaId, Settling};
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// A settling execution that dies is settled by another one. That this many died has a cause that one more will not
/// change.
const MOST_SETTLEMENTS: usize = 100;

/// A saga in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SagaRow {
    /// The saga id: the order's id.
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

/// An execution, with what it was given and gave: personal data, so it does not show itself.
#[derive(Clone)]
pub(super) struct Execution {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) status: ExecutionStatus,
    pub(super) started: Option<String>,
    pub(super) stopped: Option<String>,
    pub(super) input: Json,
    pub(super) output: Json,
    pub(super) error: Option<String>,
    pub(super) cause: Option<String>,
}

impl Execution {
    /// Whether it ended without deciding its saga.
    pub(super) fn is_dead(&self) -> bool {
        matches!(self.status, ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted)
    }

    /// Whether it settles a saga whose execution died.
    pub(super) fn is_settling(&self) -> bool {
        self.input["settle"].is_object()
    }
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

    /// Where the saga stands. `parked`: the executions that wait for an operator.
    pub(super) fn row(&self, parked: &BTreeSet<String>) -> SagaRow {
        let last = self.last();
        let outcome = last.output["outcome"].as_str().filter(|outcome| outcome_state(outcome).is_some());
        let state = match &last.status {
            ExecutionStatus::Failed => State::Failed,
            ExecutionStatus::TimedOut => State::TimedOut,
            ExecutionStatus::Aborted => State::Aborted,
            ExecutionStatus::Succeeded if !self.settling.is_empty() => State::Settled,
            ExecutionStatus::Succeeded => outcome.and_then(outcome_state).unwrap_or(State::Succeeded),
            _ if parked.contains(&last.name) => State::Parked,
            _ if !self.settling.is_empty() => State::Settling,
            _ => State::Running,
        };
        let reason = last.output["reason"]["error"].as_str();
        let error = if state.is_dead() { last.error.as_deref() } else { reason };
        SagaRow {
            id: self.id.clone(),
            saga: self.saga.to_owned(),
            state,
            outcome: outcome.map(str::to_owned),
            error: error.map(str::to_owned),
            started: self.first.started.clone(),
            ended: last.stopped.clone(),
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

    /// The run that begins with this execution.
    pub(super) async fn run_from(&self, saga: &'static str, first: Execution) -> Result<Run, OpsError> {
        let id = first.input["id"].as_str().unwrap_or(&first.name).to_owned();
        let mut run = Run { saga, id, first, settling: Vec::new() };
        while run.last().is_dead() && run.settling.len() < MOST_SETTLEMENTS {
            let Ok(id) = SagaId::try_from(run.id.clone()) else { break };
            let name = Settling::execution_name(&id, &run.last().arn);
            match self.execution(saga, &name).await? {
                Some(next) => run.settling.push(next),
                None => break,
            }
        }
        Ok(run)
    }

    /// One execution by name.
    pub(super) async fn execution(&self, saga: &str, name: &str) -> Result<Option<Execution>, OpsError> {
        let arn = execution_arn(self.state_machine_arn(saga)?, name);
        match self.sfn.describe_execution().execution_arn(arn).send().await {
            Ok(described) => execution(described).map(Some),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeExecutionError::is_execution_does_not_exist) =>
            {
                Ok(None)
            }
            Err(error) => Err(call(format!("describe execution {name} of saga {saga}"))(error).into()),
        }
    }

    pub(super) fn state_machine_arn(&self, saga: &str) -> Result<&str, OpsError> {
        self.output(&stacks::outputs::state_machine_arn(saga))
    }
}

/// `arn:aws:states:<region>:<account>:execution:<machine>:<name>`.
fn execution_arn(state_machine_arn: &str, name: &str) -> String {
    format!("{}:{name}", state_machine_arn.replacen(":stateMachine:", ":execution:", 1))
}

fn execution(described: DescribeExecutionOutput) -> Result<Execution, OpsError> {
    let arn = described.execution_arn;
    // Not the text itself: it has personal data in it.
    let json = |what: &str, text: Option<String>| match text {
        None => Ok(Json::Null),
        Some(text) => serde_json::from_str(&text)
            .map_err(|_| OpsError::unreadable(format!("the {what} of {arn}"), "it is no JSON")),
    };
    Ok(Execution {
        input: json("input", described.input)?,
        // A failed one has none on AWS, and on an emulator something of its own.
        output: json("output", described.output)?,
        name: described.name.unwrap_or_else(|| arn.rsplit(':').next().unwrap_or_default().to_owned()),
        arn,
        status: described.status,
        started: time(&described.start_date),
        stopped: described.stop_date.as_ref().and_then(time),
        error: described.error.filter(|error| !error.is_empty()),
        cause: described.cause.filter(|cause| !cause.is_empty()),
    })
}

/// RFC 3339, UTC; none when it is out of bounds.
pub(super) fn time(date: &DateTime) -> Option<String> {
    date.fmt(DateTimeFormat::DateTime).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    pub(in crate::ops) fn execution(name: &str, status: ExecutionStatus, output: Json) -> Execution {
        Execution {
            name: name.to_owned(),
            arn: format!("arn:aws:states:eu-central-1:1:execution:order:{name}"),
            status,
            started: Some("2026-01-02T03:04:05Z".to_owned()),
            stopped: None,
            input: json!({ "v": 1, "id": "o-1", "input": {} }),
            output,
            error: None,
            cause: None,
        }
    }

    fn run(statuses: &[(ExecutionStatus, Json)]) -> Run {
        let mut all = statuses
            .iter()
            .enumerate()
            .map(|(n, (status, output))| execution(&format!("e-{n}"), status.clone(), output.clone()));
        let first = all.next().unwrap();
        Run { saga: "order", id: "o-1".to_owned(), first, settling: all.collect() }
    }

    #[test]
    fn the_state_follows_from_the_last_execution() {
        use ExecutionStatus::{Aborted, Failed, Running, Succeeded, TimedOut};
        let none = || Json::Null;
        let ended = |outcome: &str| json!({ "outcome": outcome });
        for (executions, expected) in [
            (vec![(Running, none())], State::Running),
            (vec![(Succeeded, ended("committed"))], State::Committed),
            (vec![(Succeeded, ended("compensated"))], State::Compensated),
            (vec![(Succeeded, ended("evaporated"))], State::Succeeded),
            (vec![(Failed, none())], State::Failed),
            (vec![(TimedOut, none())], State::TimedOut),
            (vec![(Aborted, none())], State::Aborted),
            (vec![(Aborted, none()), (Running, none())], State::Settling),
            (vec![(Aborted, none()), (Succeeded, ended("committed"))], State::Settled),
            (vec![(Aborted, none()), (Failed, none())], State::Failed),
        ] {
            assert_eq!(run(&executions).row(&BTreeSet::new()).state, expected);
        }
        let parked = BTreeSet::from(["e-1".to_owned()]);
        assert_eq!(run(&[(Aborted, none()), (Running, none())]).row(&parked).state, State::Parked);
        assert_eq!(run(&[(Running, none())]).row(&parked).state, State::Running);
    }

    #[test]
    fn a_row_says_why() {
        let output = json!({ "outcome": "compensated", "reason": { "step": "s", "error": "OutOfStock" } });
        let row = run(&[(ExecutionStatus::Succeeded, output)]).row(&BTreeSet::new());
        assert_eq!((row.outcome.as_deref(), row.error.as_deref()), (Some("compensated"), Some("OutOfStock")));
        let mut failed = run(&[(ExecutionStatus::Failed, Json::Null)]);
        failed.first.error = Some("States.Runtime".to_owned());
        assert_eq!(failed.row(&BTreeSet::new()).error.as_deref(), Some("States.Runtime"));
    }

    #[test]
    fn an_execution_is_named_in_its_state_machines_arn() {
        let machine = "arn:aws:states:eu-central-1:1:stateMachine:flyover-dev-order";
        assert_eq!(
            execution_arn(machine, "o-1"),
            "arn:aws:states:eu-central-1:1:execution:flyover-dev-order:o-1"
        );
    }
}
