//! Taking a deployment back.

use aws_config::SdkConfig;
use serde_json::Value as Json;
use stacks::{App, Stage};

use super::bucket::Bucket;
use super::connection::Connection;
use super::error::AwsError;
use super::executions::{self, Stopping};
use super::progress::{Progress, Update};
use super::stack::{self, Deployment};
use super::{Target, template};

/// What to destroy.
#[derive(Debug, Clone)]
pub struct DestroyOptions {
    /// Which deployment.
    pub target: Target,
    /// Whether somebody has consented. A test stage on a local emulator needs no consent.
    pub confirmed: bool,
    /// Whether executions that run are stopped where they are. What they did stays done, and is not undone. Otherwise
    /// nothing is destroyed while one runs.
    pub stop_executions: bool,
    /// How AWS is reached. Default: [`sdk_config`](super::sdk_config).
    pub config: Option<SdkConfig>,
}

impl DestroyOptions {
    /// All defaults: not confirmed, and nothing is stopped.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self { target, confirmed: false, stop_executions: false, config: None }
    }
}

/// What was destroyed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// The names of the stacks that are gone.
    pub stacks: Vec<String>,
    /// How many executions were stopped.
    pub stopped: usize,
    /// What their templates keep.
    pub retained: Vec<Retained>,
    /// The artifact bucket that is gone, and how many objects it had.
    pub bucket: Option<(String, usize)>,
}

/// A resource that outlives its stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Retained {
    /// Its type.
    pub resource_type: String,
    /// Its name in its service.
    pub physical_id: String,
}

/// Deletes the stacks, the last first, then the artifact bucket with all that is in it.
///
/// # Errors
/// When nobody has consented, executions run that nobody said to stop, AWS refuses something, or a stack cannot be
/// deleted.
pub async fn destroy(options: &DestroyOptions, progress: &mut dyn Progress) -> Result<Destroyed, AwsError> {
    let target = &options.target;
    let app = target.app()?;
    let aws = Connection::open(options.config.as_ref()).await?;
    let harmless = aws.endpoint.is_local_emulator() && target.stage == Stage::Dev;
    if !options.confirmed && !harmless {
        return Err(AwsError::NotConfirmed { name: target.name() });
    }
    if !options.stop_executions {
        refuse_while_executions_run(&aws, target, &app).await?;
    }
    let mut destroyed = Destroyed::default();
    let mut stopping = options.stop_executions.then(Stopping::default);
    for stack in app.stacks.iter().rev() {
        let name = target.stack_name(stack);
        let Some(found) = stack::describe(&aws, &name).await? else {
            progress.update(Update::Note(&format!("stack {name} does not exist")));
            continue;
        };
        if let Some(retained) = delete(&aws, &name, found, &mut stopping, progress).await? {
            destroyed.retained.extend(retained);
            destroyed.stacks.push(name);
        }
    }
    destroyed.stopped = stopping.map_or(0, |stopping| stopping.stopped);
    let bucket = Bucket::of(&aws, target);
    if bucket.exists(&aws).await? {
        let objects = bucket.remove(&aws).await?;
        destroyed.bucket = Some((bucket.name().to_owned(), objects));
    }
    Ok(destroyed)
}

/// Refuses to delete a state machine of which an execution runs: a parked one would hold it up for as long as it waits.
async fn refuse_while_executions_run(aws: &Connection, target: &Target, app: &App) -> Result<(), AwsError> {
    let mut running = Vec::new();
    for stack in &app.stacks {
        let name = target.stack_name(stack);
        if let Some(found) = stack::describe(aws, &name).await? {
            let machines = executions::machines(aws, &name, &found).await?;
            running.extend(executions::running(aws, &machines).await?);
        }
    }
    if running.is_empty() {
        return Ok(());
    }
    Err(AwsError::ExecutionsRunning { deployment: target.deployment.clone(), stage: target.stage, running })
}

/// Deletes a stack. Tells what its template keeps; none when it was being deleted already.
async fn delete(
    aws: &Connection,
    name: &str,
    found: Deployment,
    stopping: &mut Option<Stopping>,
    progress: &mut dyn Progress,
) -> Result<Option<Vec<Retained>>, AwsError> {
    if let Some(stopping) = stopping {
        stopping.machines = executions::machines(aws, name, &found).await?;
    }
    let mut found = Some(found);
    if let Some(busy) = found.as_ref().filter(|stack| stack.is_busy()) {
        found = stack::settle_stopping(aws, name, busy, stopping.as_mut(), progress).await?;
    }
    let Some(found) = found else { return Ok(None) };
    let retained = retained(aws, name, &found).await?;
    stack::delete_stopping(aws, name, &found, stopping.as_mut(), progress).await?;
    Ok(Some(retained))
}

/// The resources of the stack that its template keeps.
async fn retained(aws: &Connection, name: &str, stack: &Deployment) -> Result<Vec<Retained>, AwsError> {
    // A stack that was never created has no template.
    if stack.status == "REVIEW_IN_PROGRESS" {
        return Ok(Vec::new());
    }
    let template = template::deployed(aws, name, stack).await?;
    let resources = stack::resources(aws, name, stack).await?;
    let kept = resources.into_iter().filter(|resource| is_retained(&template, &resource.logical_id));
    let mut retained: Vec<_> = kept
        .map(|stack::Resource { resource_type, physical_id, .. }| Retained { resource_type, physical_id })
        .collect();
    retained.sort();
    Ok(retained)
}

fn is_retained(template: &Json, logical_id: &str) -> bool {
    let policy = &template["Resources"][logical_id]["DeletionPolicy"];
    matches!(policy.as_str(), Some("Retain" | "RetainExceptOnCreate"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_deletion_policy_says_what_is_kept() {
        let template = json!({"Resources": {
            "Table": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain"},
            "Other": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "RetainExceptOnCreate"},
            "Queue": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Delete"},
            "Topic": {"Type": "AWS::SNS::Topic"},
        }});
        let kept: Vec<_> = ["Table", "Other", "Queue", "Topic", "None"]
            .into_iter()
            .filter(|id| is_retained(&template, id))
            .collect();
        assert_eq!(kept, ["Table", "Other"]);
    }
}
