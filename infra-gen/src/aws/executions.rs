//! Executions that keep a state machine from being deleted.
//!
//! A state machine is deleted only when the last of its executions has ended, and nothing can be created under its name
//! until then. A parked one can wait for a year.
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html>

use std::fmt;
use std::time::{Duration, Instant};

use aws_sdk_sfn::error::ProvideErrorMetadata;
use aws_sdk_sfn::types::{ExecutionStatus, StateMachineStatus};

use super::connection::Connection;
use super::error::{AwsError, call};
use super::progress::{Progress, Update};
use super::stack::{self, Deployment};

/// How many executions are named.
const NAMED: usize = 3;

/// How long a deployment waits for a state machine to go whose executions are over.
const DELETION_LIMIT: Duration = Duration::from_mins(5);

pub(super) const STATE_MACHINE: &str = "AWS::StepFunctions::StateMachine";

/// The executions of a state machine that run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The state machine's name.
    pub machine: String,
    /// How many there are.
    pub count: usize,
    /// The names of the first few.
    pub examples: Vec<String>,
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, count, examples } = self;
        let more = if *count > examples.len() { ", …" } else { "" };
        write!(f, "{machine}: {count} ({}{more})", examples.join(", "))
    }
}

/// The ARNs of the state machines of a stack.
pub(super) async fn machines(
    aws: &Connection,
    name: &str,
    stack: &Deployment,
) -> Result<Vec<String>, AwsError> {
    let resources = stack::resources(aws, name, stack).await?;
    let machines = resources.into_iter().filter(|resource| resource.resource_type == STATE_MACHINE);
    Ok(machines.map(|resource| resource.physical_id).filter(|arn| !arn.is_empty()).collect())
}

/// The executions that run of these state machines; a machine without any is left out.
pub(super) async fn running(aws: &Connection, machines: &[String]) -> Result<Vec<Running>, AwsError> {
    let mut all = Vec::new();
    for arn in machines {
        let executions = running_of(aws, arn).await?;
        if !executions.is_empty() {
            let examples =
                executions.iter().take(NAMED).map(|execution| last_part(execution).to_owned()).collect();
            all.push(Running { machine: last_part(arn).to_owned(), count: executions.len(), examples });
        }
    }
    Ok(all)
}

/// The state machines whose executions are stopped when they are being deleted. Before, the function that rescues would
/// settle them by others; from then on nothing can begin.
#[derive(Debug, Default)]
pub(super) struct Stopping {
    /// Their ARNs.
    pub(super) machines: Vec<String>,
    /// How many executions were stopped.
    pub(super) stopped: usize,
}

impl Stopping {
    /// Stops what runs of the machines that are being deleted now.
    pub(super) async fn stop(
        &mut self,
        aws: &Connection,
        progress: &mut dyn Progress,
    ) -> Result<(), AwsError> {
        for arn in &self.machines {
            if !is_deleting(aws, arn).await? {
                continue;
            }
            let running = running_of(aws, arn).await?;
            for execution in &running {
                stop(aws, execution).await?;
            }
            if !running.is_empty() {
                let note = format!("stopped {} executions of {}", running.len(), last_part(arn));
                progress.update(Update::Note(&note));
            }
            self.stopped += running.len();
        }
        Ok(())
    }
}

async fn stop(aws: &Connection, execution: &str) -> Result<(), AwsError> {
    let stop = aws.sfn.stop_execution().execution_arn(execution).error(STOPPED).cause(STOPPED_BECAUSE);
    match stop.send().await {
        Ok(_) => Ok(()),
        // It has just ended, and its machine with it.
        Err(error) if error.code() == Some("ExecutionDoesNotExist") => Ok(()),
        Err(error) => Err(call(format!("stop the execution {execution}"))(error)),
    }
}

const STOPPED: &str = "Flyover.Destroyed";
const STOPPED_BECAUSE: &str = "the deployment was destroyed with --stop-executions";

/// Waits until a state machine that is being deleted is gone.
///
/// # Errors
/// When it does not go, because executions of it run.
pub(super) async fn wait_for_deletion(
    aws: &Connection,
    name: &str,
    progress: &mut dyn Progress,
) -> Result<(), AwsError> {
    let arn = aws.state_machine_arn(name);
    let begun = Instant::now();
    let mut told = false;
    while is_deleting(aws, &arn).await? {
        let running = running(aws, std::slice::from_ref(&arn)).await?.pop();
        if begun.elapsed() > DELETION_LIMIT {
            return Err(AwsError::MachineDeleting { machine: name.to_owned(), arn, running });
        }
        if !told {
            told = true;
            let until =
                running.map_or_else(String::new, |running| format!(", with executions that run: {running}"));
            let note =
                format!("a state machine {name} is still being deleted{until}: waiting until it is gone");
            progress.update(Update::Note(&note));
        }
        tokio::time::sleep(aws.pause()).await;
    }
    Ok(())
}

/// Whether it is being deleted; not when it is gone.
async fn is_deleting(aws: &Connection, arn: &str) -> Result<bool, AwsError> {
    match aws.sfn.describe_state_machine().state_machine_arn(arn).send().await {
        Ok(answer) => Ok(answer.status == Some(StateMachineStatus::Deleting)),
        Err(error) if error.code() == Some(NO_MACHINE) => Ok(false),
        Err(error) => Err(call(format!("look at the state machine {arn}"))(error)),
    }
}

/// The ARNs of the executions of a state machine that run; none when it is gone.
async fn running_of(aws: &Connection, arn: &str) -> Result<Vec<String>, AwsError> {
    let list = aws.sfn.list_executions().state_machine_arn(arn).status_filter(ExecutionStatus::Running);
    let mut pages = list.into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(execution) = pages.next().await {
        match execution {
            Ok(execution) => all.push(execution.execution_arn),
            Err(error) if error.code() == Some(NO_MACHINE) => return Ok(Vec::new()),
            Err(error) => return Err(call(format!("list the executions of {arn}"))(error)),
        }
    }
    Ok(all)
}

const NO_MACHINE: &str = "StateMachineDoesNotExist";

/// The name at the end of an ARN.
pub(super) fn last_part(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{FakeAws, Request};
    use serde_json::{Value as Json, json};
    use std::sync::Mutex;

    const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:flyover-prod-order";

    /// What a test sees of notes.
    #[derive(Default)]
    struct Notes(Vec<String>);

    impl Progress for Notes {
        fn update(&mut self, update: Update<'_>) {
            if let Update::Note(note) = update {
                self.0.push(note.to_owned());
            }
        }
    }

    /// A machine in this status, until it was looked at a number of times; with executions until they are stopped.
    fn machine(status: &'static str, looks: usize, executions: &[&str]) -> FakeAws {
        let state = Mutex::new((looks, executions.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()));
        FakeAws::answering(move |Request { operation, body, .. }| {
            let mut state = state.lock().unwrap();
            let (looks, executions) = &mut *state;
            let asked: Json = serde_json::from_str(body).unwrap();
            let gone = (400, json!({ "__type": "StateMachineDoesNotExist", "message": "gone" }).to_string());
            let answer = match operation.as_str() {
                "DescribeStateMachine" if *looks == 0 => return gone,
                "DescribeStateMachine" => {
                    *looks -= 1;
                    json!({
                        "stateMachineArn": MACHINE, "name": "flyover-prod-order", "status": status, "definition": "{}",
                        "roleArn": "arn:aws:iam::123456789012:role/r", "type": "STANDARD", "creationDate": 0,
                    })
                }
                "ListExecutions" => {
                    assert_eq!(asked["statusFilter"], "RUNNING");
                    let listed = executions.iter().map(|name| {
                        json!({
                            "executionArn": arn(name), "stateMachineArn": MACHINE, "name": name, "status": "RUNNING",
                            "startDate": 0,
                        })
                    });
                    json!({ "executions": listed.collect::<Vec<_>>() })
                }
                "StopExecution" => {
                    executions.retain(|name| asked["executionArn"] != arn(name));
                    json!({ "stopDate": 0 })
                }
                other => panic!("{other}"),
            };
            (200, answer.to_string())
        })
    }

    fn arn(execution: &str) -> String {
        format!("arn:aws:states:eu-central-1:123456789012:execution:flyover-prod-order:{execution}")
    }

    #[tokio::test]
    async fn executions_are_counted_and_a_few_are_named() {
        let fake = machine("ACTIVE", 9, &["o-1", "o-2", "o-3", "o-4"]);
        let running = running(&fake.connection(true), &[MACHINE.to_owned()]).await.unwrap();
        assert_eq!(running[0].to_string(), "flyover-prod-order: 4 (o-1, o-2, o-3, …)");
        let error = AwsError::ExecutionsRunning {
            deployment: "flyover".to_owned(),
            stage: stacks::Stage::Prod,
            running,
        };
        let told = error.to_string();
        for said in [
            "\n- flyover-prod-order: 4 (o-1, ",
            "`infra-gen ops list --stage prod --deployment flyover --state running",
            "--stop-executions",
            "nothing is undone",
        ] {
            assert!(told.contains(said), "{said} is not in: {told}");
        }
    }

    #[tokio::test]
    async fn a_machine_without_executions_is_left_out() {
        let fake = machine("ACTIVE", 9, &[]);
        assert_eq!(running(&fake.connection(true), &[MACHINE.to_owned()]).await.unwrap(), []);
    }

    #[tokio::test]
    async fn executions_are_stopped_only_when_their_machine_is_being_deleted() {
        let machines = vec![MACHINE.to_owned()];
        let (mut stopping, mut notes) = (Stopping { machines, stopped: 0 }, Notes::default());
        let active = machine("ACTIVE", 9, &["o-1"]);
        stopping.stop(&active.connection(true), &mut notes).await.unwrap();
        assert_eq!((stopping.stopped, notes.0.len()), (0, 0));
        let deleting = machine("DELETING", 9, &["o-1", "o-2"]);
        for _ in 0..2 {
            stopping.stop(&deleting.connection(true), &mut notes).await.unwrap();
        }
        assert_eq!(
            (stopping.stopped, notes.0),
            (2, vec!["stopped 2 executions of flyover-prod-order".to_owned()])
        );
        let mut stops =
            deleting.requests().into_iter().filter(|request| request.operation == "StopExecution");
        assert!(stops.all(|stop| stop.body.contains("Flyover.Destroyed")));
    }

    #[tokio::test]
    async fn a_machine_that_is_being_deleted_is_waited_for_and_told_once() {
        let fake = machine("DELETING", 3, &["o-1"]);
        let mut notes = Notes::default();
        wait_for_deletion(&fake.connection(true), "flyover-prod-order", &mut notes).await.unwrap();
        assert_eq!(
            notes.0,
            ["a state machine flyover-prod-order is still being deleted, with executions that run: \
              flyover-prod-order: 1 (o-1): waiting until it is gone"]
        );
        let asked = fake.requests();
        assert!(asked.iter().all(|asked| asked.operation != "StopExecution"), "{asked:?}");
        assert!(asked[0].body.contains(MACHINE), "{asked:?}");
    }

    #[tokio::test]
    async fn a_machine_that_is_there_or_never_was_is_not_waited_for() {
        for fake in [machine("ACTIVE", 9, &[]), machine("ACTIVE", 0, &[])] {
            let mut notes = Notes::default();
            wait_for_deletion(&fake.connection(true), "flyover-prod-order", &mut notes).await.unwrap();
            assert_eq!((notes.0.len(), fake.requests().len()), (0, 1));
        }
    }
}
