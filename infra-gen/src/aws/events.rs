//! Watching CloudFormation work on a stack.

use std::time::Instant;

use aws_sdk_cloudformation::types::StackEvent;

use super::connection::Connection;
use super::error::{AwsError, call};
use super::executions::Stopping;
use super::progress::{Progress, Update};
use super::stack::{self, Deployment};

/// A resource changed its state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceEvent {
    /// The event's own id.
    pub id: String,
    /// The resource's id in the template.
    pub logical_id: String,
    /// The resource's type.
    pub resource_type: String,
    /// The resource's name in its service.
    pub physical_id: String,
    /// The new state, such as `CREATE_COMPLETE`.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// Whether it is the stack itself.
    pub is_stack: bool,
}

impl ResourceEvent {
    /// Whether the state says that something failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.status.ends_with("_FAILED")
    }

    /// Whether the resource failed only because CloudFormation gave up after another one had failed.
    fn was_cancelled(&self) -> bool {
        self.reason.as_deref().is_some_and(|reason| {
            let reason = reason.trim_end_matches('.');
            reason.ends_with("cancelled") || reason.ends_with("canceled")
        })
    }

    fn of(event: StackEvent) -> Self {
        let is_stack = event.physical_resource_id == event.stack_id;
        Self {
            id: event.event_id.unwrap_or_default(),
            logical_id: event.logical_resource_id.unwrap_or_default(),
            resource_type: event.resource_type.unwrap_or_default(),
            physical_id: event.physical_resource_id.unwrap_or_default(),
            status: event.resource_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
            reason: event.resource_status_reason.filter(|reason| !reason.is_empty()),
            is_stack,
        }
    }
}

/// The event that says why an operation failed: the first failure of a resource that was not merely cancelled; else
/// the first failure there is. Events are in the order in which they happened.
#[must_use]
pub fn first_failure(events: &[ResourceEvent]) -> Option<&ResourceEvent> {
    let failures = || events.iter().filter(|event| event.failed());
    failures()
        .find(|event| !event.is_stack && !event.was_cancelled())
        .or_else(|| failures().find(|event| !event.was_cancelled()))
        .or_else(|| failures().next())
}

/// What failed first, in words.
pub(super) fn failure_reason(events: &[ResourceEvent]) -> String {
    let rolled_back = || events.iter().find(|event| event.is_stack && event.reason.is_some());
    match first_failure(events).or_else(rolled_back) {
        Some(event) => {
            let reason = event.reason.as_deref().unwrap_or("no reason was given");
            format!("{} ({}) {}: {reason}", event.logical_id, event.resource_type, event.status)
        }
        None => "CloudFormation gave no reason".to_owned(),
    }
}

/// The queue that could not be created because one of its name was deleted within the last minute.
///
/// CloudFormation hands on the message of SQS and no code of its own.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>
pub(super) fn queue_deleted_recently(events: &[ResourceEvent]) -> Option<&ResourceEvent> {
    const SAID: [&str; 2] = ["wait 60 seconds after deleting a queue", "QueueDeletedRecently"];
    events.iter().find(|event| {
        let reason = event.reason.as_deref().unwrap_or_default();
        event.failed()
            && event.resource_type == "AWS::SQS::Queue"
            && SAID.iter().any(|said| reason.contains(said))
    })
}

/// How the work on a stack ended.
pub(super) struct Ending {
    /// The stack; none when it is gone.
    pub(super) stack: Option<Deployment>,
    /// What happened, in order.
    pub(super) events: Vec<ResourceEvent>,
}

/// A stack that is worked on.
pub(super) struct Watch<'a> {
    aws: &'a Connection,
    name: &'a str,
    /// Its ARN: a stack that is gone is found by it only.
    id: String,
    /// The last event seen.
    seen: Option<String>,
    started: Instant,
}

impl<'a> Watch<'a> {
    /// Begins: what happened before now is not told.
    pub(super) async fn begin(aws: &'a Connection, name: &'a str, id: &str) -> Result<Self, AwsError> {
        let mut watch = Self { aws, name, id: id.to_owned(), seen: None, started: Instant::now() };
        watch.seen = watch.newest().await?;
        Ok(watch)
    }

    /// Tells what happens until CloudFormation is done.
    pub(super) async fn until_done(
        self,
        doing: &'static str,
        progress: &mut dyn Progress,
    ) -> Result<Ending, AwsError> {
        self.until_done_stopping(doing, None, progress).await
    }

    /// The same, and stops executions that hold it up.
    pub(super) async fn until_done_stopping(
        mut self,
        doing: &'static str,
        mut stopping: Option<&mut Stopping>,
        progress: &mut dyn Progress,
    ) -> Result<Ending, AwsError> {
        progress.update(Update::StackStarted { stack: self.name, doing });
        let mut events = Vec::new();
        loop {
            // Asked first, so that the events of the last state are there when it is told.
            let stack = stack::describe(self.aws, &self.id).await?;
            for event in self.new_events().await? {
                let elapsed = self.started.elapsed();
                progress.update(Update::Resource { stack: self.name, event: &event, elapsed });
                events.push(event);
            }
            if stack.as_ref().is_none_or(|stack| !stack.is_busy()) {
                let status = stack.as_ref().map(|stack| stack.status.as_str());
                let elapsed = self.started.elapsed();
                progress.update(Update::StackEnded { stack: self.name, status, elapsed });
                return Ok(Ending { stack, events });
            }
            if let Some(stopping) = &mut stopping {
                stopping.stop(self.aws, progress).await?;
            }
            tokio::time::sleep(self.aws.pause()).await;
        }
    }

    async fn newest(&self) -> Result<Option<String>, AwsError> {
        let answer = self
            .aws
            .cloudformation
            .describe_stack_events()
            .stack_name(&self.id)
            .send()
            .await
            .map_err(call(format!("read the events of stack {}", self.name)))?;
        Ok(answer.stack_events().first().and_then(|event| event.event_id.clone()))
    }

    /// The events since the last one seen, in order.
    async fn new_events(&mut self) -> Result<Vec<ResourceEvent>, AwsError> {
        let mut pages =
            self.aws.cloudformation.describe_stack_events().stack_name(&self.id).into_paginator().send();
        let mut new = Vec::new();
        // AWS tells the newest first.
        'pages: while let Some(page) = pages.next().await {
            let page = page.map_err(call(format!("read the events of stack {}", self.name)))?;
            for event in page.stack_events.unwrap_or_default() {
                if event.event_id.is_some() && event.event_id == self.seen {
                    break 'pages;
                }
                new.push(ResourceEvent::of(event));
            }
        }
        if let Some(newest) = new.first() {
            self.seen = Some(newest.id.clone());
        }
        new.reverse();
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical_id: &str, status: &str, reason: Option<&str>) -> ResourceEvent {
        ResourceEvent {
            logical_id: logical_id.to_owned(),
            resource_type: "AWS::SQS::Queue".to_owned(),
            status: status.to_owned(),
            reason: reason.map(ToOwned::to_owned),
            is_stack: logical_id == "flyover-dev-app",
            ..ResourceEvent::default()
        }
    }

    #[test]
    fn the_first_failure_that_was_not_cancelled_is_the_reason() {
        let events = [
            event("flyover-dev-app", "CREATE_IN_PROGRESS", Some("User Initiated")),
            event("Queue", "CREATE_IN_PROGRESS", None),
            event("Topic", "CREATE_FAILED", Some("Resource creation cancelled")),
            event("Queue", "CREATE_FAILED", Some("QueueName is taken")),
            event("Table", "CREATE_FAILED", Some("later")),
            event(
                "flyover-dev-app",
                "ROLLBACK_IN_PROGRESS",
                Some("The following resource(s) failed to create"),
            ),
            event("Topic", "DELETE_FAILED", Some("much later")),
        ];
        assert_eq!(first_failure(&events), Some(&events[3]));
        assert_eq!(failure_reason(&events), "Queue (AWS::SQS::Queue) CREATE_FAILED: QueueName is taken");
    }

    #[test]
    fn a_queue_whose_name_is_blocked_is_found_by_the_words_of_sqs() {
        let said = "Resource handler returned message: \"You must wait 60 seconds after deleting a queue before you can \
                    create another with the same name. (Service: Sqs, Status Code: 400, Request ID: 9503e9ea)\" \
                    (RequestToken: b4171337, HandlerErrorCode: GeneralServiceException)";
        let cancelled = event("Topic", "CREATE_FAILED", Some("Resource creation cancelled"));
        let blocked = event("OrdersQueue", "CREATE_FAILED", Some(said));
        assert_eq!(queue_deleted_recently(&[cancelled.clone(), blocked.clone()]), Some(&blocked));
        let other = event("OrdersQueue", "CREATE_FAILED", Some("QueueName is taken"));
        assert_eq!(queue_deleted_recently(&[cancelled, other]), None);
    }

    #[test]
    fn a_failing_update_is_found_the_same_way() {
        let events = [
            event("Topic", "UPDATE_FAILED", Some("Resource update cancelled")),
            event("Queue", "UPDATE_FAILED", Some("VisibilityTimeout is negative")),
            event("flyover-dev-app", "UPDATE_ROLLBACK_IN_PROGRESS", Some("The following ...")),
        ];
        assert_eq!(first_failure(&events).map(|event| event.logical_id.as_str()), Some("Queue"));
    }

    #[test]
    fn the_stack_and_the_cancelled_are_named_only_when_nothing_else_failed() {
        let stack = event("flyover-dev-app", "CREATE_FAILED", Some("Circular dependency"));
        let cancelled =
            event("Topic", "CREATE_FAILED", Some("Resource creation Cancelled".to_lowercase().as_str()));
        assert_eq!(first_failure(&[cancelled.clone(), stack.clone()]), Some(&stack));
        assert_eq!(first_failure(std::slice::from_ref(&cancelled)), Some(&cancelled));
        assert_eq!(first_failure(&[event("Queue", "CREATE_COMPLETE", None)]), None);
        assert_eq!(failure_reason(&[]), "CloudFormation gave no reason");
        let rolled_back = event("flyover-dev-app", "ROLLBACK_IN_PROGRESS", Some("an export is missing"));
        assert!(failure_reason(&[rolled_back]).ends_with("an export is missing"));
    }
}
