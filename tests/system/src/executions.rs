//! The executions of the sagas' state machines.

use crate::{eventually::eventually, start::System};
use anyhow::{Context, Result};
use aws_sdk_sfn::{
    operation::describe_execution::{DescribeExecutionError, DescribeExecutionOutput},
    primitives::DateTime,
    types::{ExecutionListItem, ExecutionStatus},
};
use saga::StartInput;
use serde_json::Value as Json;
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

/// How many names the report of open executions shows.
const NAMES_SHOWN: usize = 5;

/// An execution with everything it was given and gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// Its name, which is the saga's id.
    pub name: String,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// When it began.
    pub started: SystemTime,
    /// When it ended.
    pub stopped: Option<SystemTime>,
    /// What it was given.
    pub input: Json,
    /// What it gave.
    pub output: Option<Json>,
    /// Why it failed.
    pub error: Option<String>,
    /// The details of why it failed.
    pub cause: Option<String>,
}

impl Execution {
    /// How the saga ended: `committed` or `compensated`.
    #[must_use]
    pub fn outcome(&self) -> Option<&str> {
        self.output.as_ref()?.get("outcome")?.as_str()
    }

    /// Why it was compensated: the wire name of a rejection or an error.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.output.as_ref()?.get("reason")?.get("error")?.as_str()
    }

    /// How long it took.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.summary().duration()
    }

    /// What a listing would tell of it.
    #[must_use]
    pub fn summary(&self) -> ExecutionSummary {
        let Self { status, started, stopped, .. } = self;
        ExecutionSummary { status: status.clone(), started: *started, stopped: *stopped }
    }
}

/// What a listing tells of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionSummary {
    /// Where it stands.
    pub status: ExecutionStatus,
    /// When it began.
    pub started: SystemTime,
    /// When it ended.
    pub stopped: Option<SystemTime>,
}

impl ExecutionSummary {
    /// How long it took.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.stopped?.duration_since(self.started).ok()
    }
}

impl System {
    /// One execution of a saga.
    ///
    /// # Errors
    /// When Step Functions cannot be asked, or what it says is not of a saga.
    pub async fn execution(&self, saga: &str, id: &str) -> Result<Option<Execution>> {
        self.execution_at(&self.execution_arn(saga, id)).await
    }

    /// One execution of any state machine.
    ///
    /// # Errors
    /// As [`execution`](Self::execution).
    pub async fn execution_at(&self, arn: &str) -> Result<Option<Execution>> {
        match self.clients().sfn.describe_execution().execution_arn(arn).send().await {
            Ok(described) => execution(described).map(Some),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeExecutionError::is_execution_does_not_exist) =>
            {
                Ok(None)
            }
            Err(error) => Err(error).with_context(|| format!("cannot describe {arn}")),
        }
    }

    /// Stops an execution as somebody with the console does; gives its ARN.
    ///
    /// # Errors
    /// When Step Functions does not stop it.
    pub async fn stop_execution(&self, saga: &str, name: &str) -> Result<String> {
        let arn = self.execution_arn(saga, name);
        let stopped = self.clients().sfn.stop_execution().execution_arn(&arn).send().await;
        stopped.with_context(|| format!("cannot stop execution {name} of saga {saga}"))?;
        Ok(arn)
    }

    /// Starts an execution under this name.
    ///
    /// # Errors
    /// When Step Functions does not start it.
    pub async fn start_execution(&self, saga: &str, name: &str, input: &StartInput) -> Result<()> {
        let machine = self.state_machine_arn(saga);
        let asked = self.clients().sfn.start_execution().state_machine_arn(machine).name(name);
        let started = asked.input(serde_json::to_string(input)?).send().await;
        started.with_context(|| format!("cannot start execution {name} of saga {saga}"))?;
        Ok(())
    }

    /// A state machine like that of a saga, but without its executions, as if it had been deleted and made again: the
    /// names are free and the fences are there. Gives its ARN.
    ///
    /// It is a second one beside the first, because other sagas run on that.
    ///
    /// # Errors
    /// When Step Functions does not make it.
    pub async fn made_again(&self, saga: &str, suffix: &str) -> Result<String> {
        let sfn = &self.clients().sfn;
        let first = sfn.describe_state_machine().state_machine_arn(self.state_machine_arn(saga)).send().await;
        let first = first.with_context(|| format!("cannot describe the state machine of {saga}"))?;
        let again = sfn.create_state_machine().name(format!("{}-{suffix}", first.name));
        let again = again.definition(first.definition).role_arn(first.role_arn).send().await;
        Ok(again.with_context(|| format!("cannot make the state machine of {saga} again"))?.state_machine_arn)
    }

    /// Deletes the state machine of a saga and makes it again under its name, so that Step Functions forgets which executions
    /// there were. Nothing may run on it.
    ///
    /// # Errors
    /// When Step Functions does not do it within the limit.
    pub async fn forget_names(&self, saga: &str, limit: Duration) -> Result<()> {
        let (sfn, arn) = (&self.clients().sfn, self.state_machine_arn(saga));
        let first = sfn.describe_state_machine().state_machine_arn(arn).send().await;
        let first = first.with_context(|| format!("cannot describe the state machine of {saga}"))?;
        let deleted = sfn.delete_state_machine().state_machine_arn(arn).send().await;
        deleted.with_context(|| format!("cannot delete the state machine of {saga}"))?;
        // It goes in its own time, and nothing takes its name until then.
        eventually(&format!("the state machine of {saga} again"), limit, || async {
            let again = sfn.create_state_machine().name(&first.name).definition(&first.definition);
            let again = again.role_arn(&first.role_arn).send().await;
            Ok(again.map(|_| ()).map_err(|error| format!("{error:?}")))
        })
        .await
    }

    /// Starts an execution of any state machine and waits for its end.
    ///
    /// # Errors
    /// When it does not start, or the limit is over.
    pub async fn carry_out_on(
        &self,
        state_machine_arn: &str,
        input: &StartInput,
        limit: Duration,
    ) -> Result<Execution> {
        let asked = self.clients().sfn.start_execution().state_machine_arn(state_machine_arn);
        let started = asked.name(input.id.as_str()).input(serde_json::to_string(input)?).send().await;
        let arn = started.with_context(|| format!("cannot start {}", input.id))?.execution_arn;
        eventually(&format!("the end of {arn}"), limit, || async {
            let described = self.clients().sfn.describe_execution().execution_arn(&arn).send().await;
            let found = execution(described.with_context(|| format!("cannot describe {arn}"))?)?;
            Ok(if found.status == ExecutionStatus::Running { Err("it runs".to_owned()) } else { Ok(found) })
        })
        .await
    }

    /// Every execution of a saga, by name.
    ///
    /// # Errors
    /// When Step Functions cannot be asked.
    pub async fn executions(&self, saga: &str) -> Result<BTreeMap<String, ExecutionSummary>> {
        let asked = self.clients().sfn.list_executions().state_machine_arn(self.state_machine_arn(saga));
        let mut executions = BTreeMap::new();
        let mut pages = asked.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.with_context(|| format!("cannot list the executions of saga {saga}"))?;
            for item in page.executions {
                executions.insert(item.name.clone(), summary(&item)?);
            }
        }
        Ok(executions)
    }

    /// Waits until these executions have begun and ended, whichever way.
    ///
    /// # Errors
    /// When the limit is over: names what is still open. Or when Step Functions cannot be asked.
    pub async fn wait_for_end(
        &self,
        saga: &str,
        ids: &[&str],
        limit: Duration,
    ) -> Result<BTreeMap<String, ExecutionSummary>> {
        let what = format!("the end of {} executions of saga {saga}", ids.len());
        eventually(&what, limit, || async {
            let mut all = self.executions(saga).await?;
            let ended =
                |id: &&&str| all.get(**id).is_some_and(|found| found.status != ExecutionStatus::Running);
            let open: Vec<&str> = ids.iter().filter(|id| !ended(id)).copied().collect();
            if open.is_empty() {
                all.retain(|name, _| ids.contains(&name.as_str()));
                return Ok(Ok(all));
            }
            let shown = open[..open.len().min(NAMES_SHOWN)].join(", ");
            Ok(Err(format!("{} are open, among them {shown}", open.len())))
        })
        .await
    }

    /// Waits until one execution has begun and ended, whichever way.
    ///
    /// # Errors
    /// When the limit is over, or Step Functions cannot be asked.
    pub async fn end_of(&self, saga: &str, id: &str, limit: Duration) -> Result<Execution> {
        let what = format!("the end of execution {id} of saga {saga}");
        eventually(&what, limit, || async {
            Ok(match self.execution(saga, id).await? {
                Some(execution) if execution.status != ExecutionStatus::Running => Ok(execution),
                Some(_) => Err("it runs".to_owned()),
                None => Err("it has not begun".to_owned()),
            })
        })
        .await
    }

    /// The ARN of an execution of this name.
    #[must_use]
    pub fn execution_arn(&self, saga: &str, name: &str) -> String {
        format!("{}:{name}", self.state_machine_arn(saga).replace(":stateMachine:", ":execution:"))
    }

    fn state_machine_arn(&self, saga: &str) -> &str {
        self.output(&stacks::outputs::state_machine_arn(saga))
    }
}

fn execution(described: DescribeExecutionOutput) -> Result<Execution> {
    let name = described.name.context("an execution has no name")?;
    let json = |text: &str| -> Result<Json> {
        serde_json::from_str(text).with_context(|| format!("execution {name} carries no JSON: {text}"))
    };
    Ok(Execution {
        status: described.status,
        started: moment(&described.start_date)?,
        stopped: described.stop_date.as_ref().map(moment).transpose()?,
        input: described.input.as_deref().map(json).transpose()?.unwrap_or_default(),
        output: described.output.as_deref().map(json).transpose()?,
        error: described.error,
        cause: described.cause,
        name,
    })
}

fn summary(item: &ExecutionListItem) -> Result<ExecutionSummary> {
    let stopped = item.stop_date.as_ref().map(moment).transpose()?;
    Ok(ExecutionSummary { status: item.status.clone(), started: moment(&item.start_date)?, stopped })
}

fn moment(date: &DateTime) -> Result<SystemTime> {
    SystemTime::try_from(*date).with_context(|| format!("{date:?} is out of bounds"))
}
