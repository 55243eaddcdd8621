//! Taking a deployment back.

use aws_config::SdkConfig;
use serde_json::Value as Json;
use stacks::Stage;

use super::bucket::Bucket;
use super::connection::Connection;
use super::error::{AwsError, call};
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
    /// How AWS is reached. Default: [`sdk_config`](super::sdk_config).
    pub config: Option<SdkConfig>,
}

impl DestroyOptions {
    /// All defaults, not confirmed.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self { target, confirmed: false, config: None }
    }
}

/// What was destroyed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// The names of the stacks that are gone.
    pub stacks: Vec<String>,
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
/// When nobody has consented, AWS refuses something, or a stack cannot be deleted.
pub async fn destroy(options: &DestroyOptions, progress: &mut dyn Progress) -> Result<Destroyed, AwsError> {
    let target = &options.target;
    let app = target.app()?;
    let aws = Connection::open(options.config.as_ref()).await?;
    let harmless = aws.endpoint.is_local_emulator() && target.stage == Stage::Dev;
    if !options.confirmed && !harmless {
        return Err(AwsError::NotConfirmed { name: target.name() });
    }
    let mut destroyed = Destroyed::default();
    for stack in app.stacks.iter().rev() {
        let name = target.stack_name(stack);
        let mut found = stack::describe(&aws, &name).await?;
        if let Some(busy) = found.as_ref().filter(|stack| stack.is_busy()) {
            found = stack::settle(&aws, &name, busy, progress).await?;
        }
        let Some(found) = found else {
            progress.update(Update::Note(&format!("stack {name} does not exist")));
            continue;
        };
        let retained = retained(&aws, &name, &found).await?;
        stack::delete(&aws, &name, &found, progress).await?;
        destroyed.retained.extend(retained);
        destroyed.stacks.push(name);
    }
    let bucket = Bucket::of(&aws, target);
    if bucket.exists(&aws).await? {
        let objects = bucket.remove(&aws).await?;
        destroyed.bucket = Some((bucket.name().to_owned(), objects));
    }
    Ok(destroyed)
}

/// The resources of the stack that its template keeps.
async fn retained(aws: &Connection, name: &str, stack: &Deployment) -> Result<Vec<Retained>, AwsError> {
    // A stack that was never created has no template.
    if stack.status == "REVIEW_IN_PROGRESS" {
        return Ok(Vec::new());
    }
    let template = template::deployed(aws, name, stack).await?;
    let mut pages = aws.cloudformation.list_stack_resources().stack_name(&stack.id).into_paginator().send();
    let mut retained = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(call(format!("list the resources of stack {name}")))?;
        for resource in page.stack_resource_summaries.unwrap_or_default() {
            let kept = resource.logical_resource_id().is_some_and(|id| is_retained(&template, id));
            let gone = resource.resource_status().is_some_and(|status| status.as_str() == "DELETE_COMPLETE");
            if kept && !gone {
                retained.push(Retained {
                    resource_type: resource.resource_type.unwrap_or_default(),
                    physical_id: resource.physical_resource_id.unwrap_or_default(),
                });
            }
        }
    }
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
