//! `settle`: a saga whose execution died is settled by a new execution, as the rescue function would.

use super::run::{Execution, Run};
use super::{Operations, OpsError};
use crate::aws::call;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use serde::Serialize;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The most characters of the saga id in the name of a settling execution, which may have 80.
const ID_CHARS: usize = 40;

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
    pub attempt: u64,
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
        let unreadable =
            |why: &str| OpsError::unreadable(format!("the input of execution {}", dead.name), why);
        let (input, attempt) = settling_input(dead).ok_or_else(|| unreadable("it is not that of a saga"))?;
        let name = settling_name(&run.id, &dead.arn);
        let started = self
            .sfn
            .start_execution()
            .state_machine_arn(self.state_machine_arn(run.saga)?)
            .name(&name)
            .input(input.to_string())
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

/// The name of the execution that settles a dead one: always the same, so that it is settled once.
pub(super) fn settling_name(saga_id: &str, dead_arn: &str) -> String {
    let head: String = saga_id.chars().take(ID_CHARS).collect();
    let mut name = format!("{head}-settle-");
    for byte in Sha256::digest(dead_arn).iter().take(8) {
        // Writing to a string does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// The input of the execution that settles a dead one, and its number; none when the dead one's is not of a saga.
fn settling_input(dead: &Execution) -> Option<(Json, u64)> {
    let (version, id, input) = (dead.input.get("v")?, dead.input.get("id")?, dead.input.get("input")?);
    let attempt = dead.input["settle"]["attempt"].as_u64().unwrap_or_default() + 1;
    let settle = json!({ "execution": dead.name, "status": dead.status.as_str(), "attempt": attempt });
    Some((json!({ "v": version, "id": id, "input": input, "settle": settle }), attempt))
}

#[cfg(test)]
mod tests {
    use super::super::run::tests::execution;
    use super::*;
    use aws_sdk_sfn::types::ExecutionStatus;

    fn run(saga: &'static str, status: ExecutionStatus) -> Run {
        Run { saga, id: "o-1".to_owned(), first: execution("o-1", status, Json::Null), settling: Vec::new() }
    }

    #[test]
    fn the_name_of_a_settling_execution_stands_still() {
        let arn = "arn:aws:states:eu-central-1:123456789012:execution:flyover-prod-order:o-1";
        assert_eq!(settling_name("o-1", arn), "o-1-settle-ade364ef358570af");
        let long = "x".repeat(80);
        assert_eq!(settling_name(&long, arn).len(), 40 + "-settle-".len() + 16);
    }

    #[test]
    fn a_settling_execution_says_whom_it_settles_and_counts() {
        let mut dead = execution("o-1", ExecutionStatus::Aborted, Json::Null);
        let (input, attempt) = settling_input(&dead).unwrap();
        let settle = json!({ "execution": "o-1", "status": "ABORTED", "attempt": 1 });
        assert_eq!(
            (input.clone(), attempt),
            (json!({ "v": 1, "id": "o-1", "input": {}, "settle": settle }), 1)
        );
        dead.input = input;
        assert_eq!(settling_input(&dead).unwrap().1, 2);
        dead.input = json!({ "order_id": "o-1" });
        assert_eq!(settling_input(&dead), None);
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
