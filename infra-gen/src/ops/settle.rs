//! `settle`: a saga whose execution died is settled by a new execution, as the rescue function would.

use super::run::Run;
use super::{Operations, OpsError};
use saga_executions::{Dead, Settled, settle};
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
    pub async fn settle(&self, id: &str, saga: Option<&str>) -> Result<Settling, OpsError> {
        let mut runs = Vec::new();
        for saga in self.sagas_named(saga)? {
            runs.extend(self.run_of(saga.name, id).await?);
        }
        let run = only_dead(id, &runs)?;
        let what = || format!("settle saga {} of {id}", run.saga);
        // The last of a run that is dead is dead.
        let dead = Dead::of(run.last()).map_err(|why| OpsError::unsettled(what(), why))?;
        let dead = dead.ok_or_else(|| OpsError::Refused(format!("no execution of {id} died")))?;
        let settled = settle(&self.executions, dead).await;
        let Settled { dead, execution, before } = settled.map_err(|why| OpsError::unsettled(what(), why))?;
        if before {
            return Err(OpsError::Refused(format!("execution {execution} settles {id} already")));
        }
        Ok(Settling {
            id: run.id.clone(),
            saga: run.saga.to_owned(),
            attempt: dead.attempts() + 1,
            status: dead.death.as_str().to_owned(),
            dead: dead.name,
            execution,
        })
    }
}

/// The one run that a settling execution would help.
fn only_dead<'a>(id: &str, runs: &'a [Run]) -> Result<&'a Run, OpsError> {
    let states = || {
        let row = |run: &Run| format!("saga {} is {}", run.saga, run.row(&BTreeSet::new()).state);
        runs.iter().map(row).collect::<Vec<_>>().join(", ")
    };
    let dead: Vec<&Run> = runs.iter().filter(|run| run.last().status.is_dead()).collect();
    match (runs, dead.as_slice()) {
        ([], _) => Err(OpsError::NotFound(format!("there is no saga {id}"))),
        (_, [run]) => Ok(run),
        (_, []) => Err(OpsError::Refused(format!(
            "no execution of {id} died: {}; only a dead one is settled",
            states()
        ))),
        _ => Err(OpsError::Usage(format!("more than one saga of {id} died: give `--saga`; {}", states()))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::run::tests::execution;
    use super::*;
    use saga_executions::{Death, Status};
    use serde_json::Value as Json;

    fn run(saga: &'static str, status: Status) -> Run {
        Run { saga, id: "o-1".to_owned(), first: execution("o-1", status, Json::Null), settling: Vec::new() }
    }

    #[test]
    fn only_a_dead_saga_is_settled() {
        let told = |runs: &[Run]| only_dead("o-1", runs).map(|run| run.saga).map_err(|e| e.to_string());
        let refused = "refused: no execution of o-1 died: saga order is running; only a dead one is settled";
        assert_eq!(told(&[]), Err("there is no saga o-1".to_owned()));
        assert_eq!(told(&[run("order", Status::Running)]), Err(refused.to_owned()));
        let both = [run("order", Status::Dead(Death::Failed)), run("cancel-order", Status::Succeeded)];
        assert_eq!(told(&both), Ok("order"));
        let both =
            [run("order", Status::Dead(Death::Failed)), run("cancel-order", Status::Dead(Death::TimedOut))];
        let expected = "more than one saga of o-1 died: give `--saga`; saga order is failed, saga cancel-order is timed-out";
        assert_eq!(told(&both), Err(expected.to_owned()));
    }
}
