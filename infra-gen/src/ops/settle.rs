//! `settle`: a saga whose execution died is settled by a new execution, as the rescue function would.

use super::run::{Execution, Run};
use super::{Operations, OpsError};
use crate::aws::call;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use saga::StartInput;
use serde::Serialize;
use std::collections::BTreeSet;

/// A settling execution that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settling {
    /// The saga id.
    pub id: String,
    /// The saga's name.
    pub saga: String,
    /// The name of the execution that died.
    pub dead: String,
    /// How it died: `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub status: String,
    /// The name of the settling execution.
    pub execution: String,
    /// The how manieth settling execution of the saga it is, from 1.
    pub attempt: u32,
}

impl Operations {
    /// Starts a settling execution for a saga whose last execution died.
    ///
    /// # Errors
    /// When there is no such saga, or none of it died; or when AWS cannot be asked.
    pub async fn settle(&self, order: &str, saga: Option<&str>) -> Result<Settling, OpsError> {
        let mut runs = Vec::new();
        for saga in self.sagas_named(saga)? {
            runs.extend(self.run_of(saga.name, order).await?);
        }
        let run = only_dead(order, &runs)?;
        let dead = run.last();
        let input = settling_input(dead)?;
        let attempt = input.settle.as_ref().map_or(1, |settle| settle.attempt);
        let name = saga::Settling::execution_name(&input.id, &dead.arn);
        let json = serde_json::to_string(&input).map_err(|error| {
            OpsError::unreadable("the input of the settling execution", error.to_string())
        })?;
        // Whatever waits after this comes from the settling execution.
        self.forget(input.id.as_str(), &dead.name).await?;
        let started = self
            .sfn
            .start_execution()
            .state_machine_arn(self.state_machine_arn(run.saga)?)
            .name(&name)
            .input(json)
            .send()
            .await;
        match started {
            Ok(_) => Ok(Settling {
                id: run.id.clone(),
                saga: run.saga.to_owned(),
                dead: dead.name.clone(),
                status: dead.status.as_str().to_owned(),
                execution: name,
                attempt,
            }),
            Err(error)
                if error.as_service_error().is_some_and(StartExecutionError::is_execution_already_exists) =>
            {
                Err(OpsError::Refused(format!("execution {name} settles {order} already")))
            }
            Err(error) => Err(call(format!("start execution {name} of saga {}", run.saga))(error).into()),
        }
    }
}

/// The one run that a settling execution would help.
fn only_dead<'a>(order: &str, runs: &'a [Run]) -> Result<&'a Run, OpsError> {
    let states = || {
        let row = |run: &Run| format!("saga {} is {}", run.saga, run.row(&BTreeSet::new()).state);
        runs.iter().map(row).collect::<Vec<_>>().join(", ")
    };
    let dead: Vec<&Run> = runs.iter().filter(|run| run.last().is_dead()).collect();
    match (runs, dead.as_slice()) {
        ([], _) => Err(OpsError::NotFound(format!("there is no saga {order}"))),
        (_, [run]) => Ok(run),
        (_, []) => Err(OpsError::Refused(format!(
            "no execution of {order} died: {}; only a dead one is settled",
            states()
        ))),
        _ => Err(OpsError::Usage(format!("more than one saga of {order} died: give `--saga`; {}", states()))),
    }
}

/// The input of the execution that settles a dead one.
fn settling_input(dead: &Execution) -> Result<StartInput, OpsError> {
    // Not the error's text: it can quote what customers gave.
    let input: StartInput = serde_json::from_value(dead.input.clone()).map_err(|_| {
        OpsError::unreadable(format!("the input of execution {}", dead.name), "it is not that of a saga")
    })?;
    Ok(input.settled(&dead.name, dead.status.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::run::tests::execution;
    use super::*;
    use aws_sdk_sfn::types::ExecutionStatus;
    use serde_json::{Value as Json, json};

    fn run(saga: &'static str, status: ExecutionStatus) -> Run {
        Run { saga, id: "o-1".to_owned(), first: execution("o-1", status, Json::Null), settling: Vec::new() }
    }

    #[test]
    fn a_settling_execution_says_whom_it_settles_and_counts() {
        let mut dead = execution("o-1", ExecutionStatus::Aborted, Json::Null);
        let input = settling_input(&dead).unwrap();
        let settle = json!({ "execution": "o-1", "status": "ABORTED", "attempt": 1 });
        let expected = json!({ "v": 1, "id": "o-1", "input": {}, "settle": settle });
        assert_eq!(json!(input), expected);
        dead.input = expected;
        assert_eq!(settling_input(&dead).unwrap().settle.map(|settle| settle.attempt), Some(2));
        dead.input = json!({ "order_id": "nancy@example.com" });
        let error = settling_input(&dead).unwrap_err().to_string();
        assert_eq!(error, "the input of execution o-1 cannot be read: it is not that of a saga");
    }

    #[test]
    fn only_a_dead_saga_is_settled() {
        let told = |runs: &[Run]| only_dead("o-1", runs).map(|run| run.saga).map_err(|e| e.to_string());
        let refused = "refused: no execution of o-1 died: saga order is running; only a dead one is settled";
        assert_eq!(told(&[]), Err("there is no saga o-1".to_owned()));
        assert_eq!(told(&[run("order", ExecutionStatus::Running)]), Err(refused.to_owned()));
        let both = [run("order", ExecutionStatus::Failed), run("cancel-order", ExecutionStatus::Succeeded)];
        assert_eq!(told(&both), Ok("order"));
        let both = [run("order", ExecutionStatus::Failed), run("cancel-order", ExecutionStatus::TimedOut)];
        let expected = "more than one saga of o-1 died: give `--saga`; saga order is failed, saga cancel-order is timed-out";
        assert_eq!(told(&both), Err(expected.to_owned()));
    }
}
