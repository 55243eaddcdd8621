//! What CloudFormation says about a stack, and what that means for us.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use stacks::App;

use super::Target;
use super::connection::Connection;
use super::error::{AwsError, call};
use super::events::{Ending, Watch, failure_reason};
use super::executions::Stopping;
use super::progress::Progress;

const OUTPUTS_LOOKS: u32 = 30;
const OUTPUTS_LOOK_EVERY: Duration = Duration::from_millis(500);

/// A stack that CloudFormation knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deployment {
    /// Its ARN.
    pub(super) id: String,
    pub(super) status: String,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) outputs: BTreeMap<String, String>,
}

/// What to do with a stack before it can be deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing: it can be created.
    Create,
    /// Nothing: it can be updated.
    Update,
    /// Its first creation failed: it can only be deleted.
    DeleteFirst,
    /// CloudFormation works on it.
    WaitFirst,
    /// Nothing here helps: this does.
    Advise(&'static str),
}

impl Deployment {
    /// Whether CloudFormation works on it.
    pub(super) fn is_busy(&self) -> bool {
        self.status.ends_with("_IN_PROGRESS") && self.status != "REVIEW_IN_PROGRESS"
    }

    /// The names of its parameters.
    pub(super) fn parameter_names(&self) -> BTreeSet<String> {
        self.parameters.keys().cloned().collect()
    }

    /// Which of these outputs it does not have.
    fn lacks(&self, expected: &[&str]) -> Vec<String> {
        let lacking = expected.iter().filter(|name| !self.outputs.contains_key(**name));
        lacking.map(|name| (*name).to_owned()).collect()
    }
}

/// What to do with a stack before it can be deployed.
pub(super) fn before_deploy(stack: Option<&Deployment>) -> Before {
    let Some(stack) = stack else { return Before::Create };
    match stack.status.as_str() {
        "DELETE_COMPLETE" => Before::Create,
        "REVIEW_IN_PROGRESS" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" => {
            Before::DeleteFirst
        }
        "DELETE_FAILED" => Before::Advise("its deletion failed: run `infra-gen destroy` again first"),
        "UPDATE_ROLLBACK_FAILED" | "UPDATE_FAILED" => Before::Advise(
            "repair what kept it from rolling back, then run `aws cloudformation continue-update-rollback`",
        ),
        _ if stack.is_busy() => Before::WaitFirst,
        _ => Before::Update,
    }
}

/// What CloudFormation knows of a stack, by name or ARN; nothing when it does not exist or is gone.
pub(super) async fn describe(aws: &Connection, name: &str) -> Result<Option<Deployment>, AwsError> {
    let answer = aws.cloudformation.describe_stacks().stack_name(name).send().await;
    let stacks = match answer {
        Ok(answer) => answer.stacks.unwrap_or_default(),
        // CloudFormation has no code of its own for a stack that does not exist.
        Err(error) if error.message().is_some_and(|message| message.contains("does not exist")) => {
            return Ok(None);
        }
        Err(error) => return Err(call(format!("describe stack {name}"))(error)),
    };
    let found = stacks.into_iter().next().map(|stack| Deployment {
        id: stack.stack_id.unwrap_or_default(),
        status: stack.stack_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        parameters: stack
            .parameters
            .into_iter()
            .flatten()
            .filter_map(|parameter| {
                Some((parameter.parameter_key?, parameter.parameter_value.unwrap_or_default()))
            })
            .collect(),
        outputs: stack
            .outputs
            .into_iter()
            .flatten()
            .filter_map(|output| Some((output.output_key?, output.output_value?)))
            .collect(),
    });
    Ok(found.filter(|stack| stack.status != "DELETE_COMPLETE"))
}

/// The outputs of every stack of a deployment, by name.
///
/// # Errors
/// When a stack is not deployed.
pub(crate) async fn outputs(
    aws: &Connection,
    target: &Target,
    app: &App,
) -> Result<BTreeMap<String, String>, AwsError> {
    let mut all = BTreeMap::new();
    for stack in &app.stacks {
        let name = target.stack_name(stack);
        let found = describe(aws, &name).await?;
        all.extend(found.ok_or(AwsError::NotDeployed { stack: name })?.outputs);
    }
    Ok(all)
}

/// Asks again until all of the expected outputs are told: what describes a stack may lag behind its status.
pub(super) async fn with_outputs(
    aws: &Connection,
    name: &str,
    mut deployed: Deployment,
    expected: &[&str],
) -> Result<Deployment, AwsError> {
    for _ in 0..OUTPUTS_LOOKS {
        if deployed.lacks(expected).is_empty() {
            return Ok(deployed);
        }
        tokio::time::sleep(OUTPUTS_LOOK_EVERY).await;
        let found = describe(aws, name).await?;
        deployed = found.ok_or_else(|| AwsError::NotDeployed { stack: name.to_owned() })?;
    }
    let names = deployed.lacks(expected);
    Err(AwsError::NoOutputs { stack: name.to_owned(), status: deployed.status, names })
}

/// Waits until CloudFormation is done with the stack.
pub(super) async fn settle(
    aws: &Connection,
    name: &str,
    stack: &Deployment,
    progress: &mut dyn Progress,
) -> Result<Option<Deployment>, AwsError> {
    settle_stopping(aws, name, stack, None, progress).await
}

/// The same, and stops executions that hold it up.
pub(super) async fn settle_stopping(
    aws: &Connection,
    name: &str,
    stack: &Deployment,
    stopping: Option<&mut Stopping>,
    progress: &mut dyn Progress,
) -> Result<Option<Deployment>, AwsError> {
    let watch = Watch::begin(aws, name, &stack.id).await?;
    Ok(watch.until_done_stopping("waiting for", stopping, progress).await?.stack)
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) logical_id: String,
    pub(super) resource_type: String,
    /// Its name in its service; empty when it has none yet.
    pub(super) physical_id: String,
}

/// The resources of a stack that are there.
pub(super) async fn resources(
    aws: &Connection,
    name: &str,
    stack: &Deployment,
) -> Result<Vec<Resource>, AwsError> {
    let mut pages = aws.cloudformation.list_stack_resources().stack_name(&stack.id).into_paginator().send();
    let mut resources = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(call(format!("list the resources of stack {name}")))?;
        for resource in page.stack_resource_summaries.unwrap_or_default() {
            if resource.resource_status().is_some_and(|status| status.as_str() == "DELETE_COMPLETE") {
                continue;
            }
            resources.push(Resource {
                logical_id: resource.logical_resource_id.unwrap_or_default(),
                resource_type: resource.resource_type.unwrap_or_default(),
                physical_id: resource.physical_resource_id.unwrap_or_default(),
            });
        }
    }
    Ok(resources)
}

/// Deletes the stack and waits until it is gone.
pub(super) async fn delete(
    aws: &Connection,
    name: &str,
    stack: &Deployment,
    progress: &mut dyn Progress,
) -> Result<(), AwsError> {
    delete_stopping(aws, name, stack, None, progress).await
}

/// The same, and stops executions that hold it up.
pub(super) async fn delete_stopping(
    aws: &Connection,
    name: &str,
    stack: &Deployment,
    stopping: Option<&mut Stopping>,
    progress: &mut dyn Progress,
) -> Result<(), AwsError> {
    let watch = Watch::begin(aws, name, &stack.id).await?;
    aws.cloudformation
        .delete_stack()
        .stack_name(&stack.id)
        .send()
        .await
        .map_err(call(format!("delete stack {name}")))?;
    let Ending { stack, events } = watch.until_done_stopping("deleting", stopping, progress).await?;
    match stack {
        None => Ok(()),
        Some(stack) => Err(AwsError::StackFailed {
            stack: name.to_owned(),
            status: stack.status,
            reason: failure_reason(&events),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(status: &str) -> Deployment {
        Deployment {
            id: "arn".to_owned(),
            status: status.to_owned(),
            parameters: BTreeMap::new(),
            outputs: BTreeMap::new(),
        }
    }

    #[test]
    fn outputs_that_are_not_told_yet_are_known_by_name() {
        let mut deployed = stack("CREATE_COMPLETE");
        assert_eq!(deployed.lacks(&["Arn", "Name"]), ["Arn", "Name"]);
        deployed.outputs.insert("Arn".to_owned(), "arn:aws:sqs:us-east-1:000000000000:q".to_owned());
        assert_eq!(deployed.lacks(&["Arn", "Name"]), ["Name"]);
        assert!(deployed.lacks(&["Arn"]).is_empty());
    }

    #[test]
    fn what_comes_before_a_deployment_follows_from_the_status() {
        assert_eq!(before_deploy(None), Before::Create);
        for (status, expected) in [
            ("CREATE_COMPLETE", Before::Update),
            ("UPDATE_COMPLETE", Before::Update),
            ("UPDATE_ROLLBACK_COMPLETE", Before::Update),
            ("IMPORT_COMPLETE", Before::Update),
            ("REVIEW_IN_PROGRESS", Before::DeleteFirst),
            ("ROLLBACK_COMPLETE", Before::DeleteFirst),
            ("ROLLBACK_FAILED", Before::DeleteFirst),
            ("CREATE_FAILED", Before::DeleteFirst),
            ("CREATE_IN_PROGRESS", Before::WaitFirst),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Before::WaitFirst),
            ("UPDATE_ROLLBACK_IN_PROGRESS", Before::WaitFirst),
            ("DELETE_IN_PROGRESS", Before::WaitFirst),
        ] {
            assert_eq!(before_deploy(Some(&stack(status))), expected, "{status}");
        }
        for status in ["UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"] {
            assert!(matches!(before_deploy(Some(&stack(status))), Before::Advise(_)), "{status}");
        }
    }
}
