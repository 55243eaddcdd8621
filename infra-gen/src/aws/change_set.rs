//! Deploying one stack by change set.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_cloudformation::types::{
    Capability, ChangeSetStatus, ChangeSetType, Parameter as SdkParameter, Tag,
};

use super::connection::Connection;
use super::error::{AwsError, call};
use super::events::{Ending, Watch, failure_reason, queue_deleted_recently};
use super::parameters::Argument;
use super::progress::{Progress, Update};
use super::stack::{self, Before, Deployment, before_deploy};
use super::template::Body;

/// How long a queue's name cannot be used after its deletion, and a little more.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html>
const QUEUE_NAME_BLOCKED: Duration =
    if cfg!(test) { Duration::from_millis(100) } else { Duration::from_secs(70) };

/// How often that is waited for.
const QUEUE_NAME_WAITS: usize = 2;

/// What a stack shall be.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    pub(super) body: Body,
    pub(super) parameters: Vec<(String, Argument)>,
    pub(super) tags: Vec<(String, String)>,
}

/// Brings a stack that is ready for it (see [`make_ready`]) to what it shall be. Returns its state and whether
/// anything changed.
///
/// The name of a queue cannot be used for a minute after its deletion: that is waited for.
pub(super) async fn apply(
    aws: &Connection,
    wanted: Wanted<'_>,
    mut existing: Option<Deployment>,
    progress: &mut dyn Progress,
) -> Result<(Deployment, bool), AwsError> {
    for _ in 0..QUEUE_NAME_WAITS {
        let error = match apply_once(aws, wanted.clone(), existing, progress).await {
            Err(error @ AwsError::QueueNameBlocked { .. }) => error,
            other => return other,
        };
        let seconds = QUEUE_NAME_BLOCKED.as_secs();
        progress.update(Update::Note(&format!("{error}: tried again in {seconds} s")));
        // From now on, because the other queues that were created have gone again.
        tokio::time::sleep(QUEUE_NAME_BLOCKED).await;
        existing = make_ready(aws, wanted.name, progress).await?;
    }
    apply_once(aws, wanted, existing, progress).await
}

async fn apply_once(
    aws: &Connection,
    wanted: Wanted<'_>,
    existing: Option<Deployment>,
    progress: &mut dyn Progress,
) -> Result<(Deployment, bool), AwsError> {
    let name = wanted.name;
    let doing = if existing.is_some() { "updating" } else { "creating" };
    let Some(change_set) = create(aws, wanted, existing.is_some()).await? else {
        progress.update(Update::NoChanges { stack: name });
        return existing.map(|stack| (stack, false)).ok_or_else(|| AwsError::ChangeSet {
            stack: name.to_owned(),
            reason: "it would create nothing".to_owned(),
        });
    };
    let watch = Watch::begin(aws, name, &change_set.stack_id).await?;
    aws.cloudformation
        .execute_change_set()
        .change_set_name(&change_set.id)
        .stack_name(&change_set.stack_id)
        .send()
        .await
        .map_err(call(format!("execute the change set of stack {name}")))?;
    let Ending { stack, events } = watch.until_done(doing, progress).await?;
    match stack {
        Some(stack) if is_success(&stack.status) => Ok((stack, true)),
        stack => {
            let status = stack.map_or_else(|| "DELETE_COMPLETE".to_owned(), |stack| stack.status);
            let stack = name.to_owned();
            Err(match queue_deleted_recently(&events) {
                Some(queue) => AwsError::QueueNameBlocked { stack, status, queue: queue.logical_id.clone() },
                None => AwsError::StackFailed { stack, status, reason: failure_reason(&events) },
            })
        }
    }
}

/// Waits for what CloudFormation is doing with the stack, and deletes what is left of a first creation that failed.
/// Returns the stack if it is there to be updated.
pub(super) async fn make_ready(
    aws: &Connection,
    name: &str,
    progress: &mut dyn Progress,
) -> Result<Option<Deployment>, AwsError> {
    let mut stack = stack::describe(aws, name).await?;
    if let (Before::WaitFirst, Some(busy)) = (before_deploy(stack.as_ref()), &stack) {
        stack = stack::settle(aws, name, busy, progress).await?;
    }
    let Some(stack) = stack else { return Ok(None) };
    match before_deploy(Some(&stack)) {
        Before::Create => Ok(None),
        Before::Update => Ok(Some(stack)),
        Before::DeleteFirst => {
            let note = format!(
                "stack {name} is in {}, left by a first creation that failed: it is deleted before it is created",
                stack.status
            );
            progress.update(Update::Note(&note));
            stack::delete(aws, name, &stack, progress).await?;
            Ok(None)
        }
        Before::WaitFirst => Err(AwsError::StackStuck {
            stack: name.to_owned(),
            status: stack.status,
            advice: "something else works on it: run this again when that is done",
        }),
        Before::Advise(advice) => {
            Err(AwsError::StackStuck { stack: name.to_owned(), status: stack.status, advice })
        }
    }
}

fn is_success(status: &str) -> bool {
    matches!(status, "CREATE_COMPLETE" | "UPDATE_COMPLETE")
}

struct ChangeSet {
    id: String,
    stack_id: String,
}

/// Makes a change set; none when nothing would change.
async fn create(aws: &Connection, wanted: Wanted<'_>, exists: bool) -> Result<Option<ChangeSet>, AwsError> {
    let name = wanted.name;
    let parameters = wanted.parameters.into_iter().map(|(key, argument)| sdk_parameter(key, argument));
    let tags = wanted.tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let request = aws
        .cloudformation
        .create_change_set()
        .stack_name(name)
        .change_set_name(unused_name())
        .change_set_type(if exists { ChangeSetType::Update } else { ChangeSetType::Create })
        .description("Made by infra-gen deploy")
        .capabilities(Capability::CapabilityNamedIam)
        .set_parameters(Some(parameters.collect()))
        .set_tags(Some(tags.collect()));
    let request = match wanted.body {
        Body::Inline(text) => request.template_body(text),
        Body::At(url) => request.template_url(url),
    };
    let answer = request.send().await.map_err(call(format!("create the change set of stack {name}")))?;
    let change_set = ChangeSet {
        id: answer.id.unwrap_or_default(),
        stack_id: answer.stack_id.unwrap_or_else(|| name.to_owned()),
    };
    match wait(aws, name, &change_set).await? {
        None => Ok(Some(change_set)),
        Some(reason) => {
            // A change set that cannot be executed is of no use, and AWS limits their number.
            aws.cloudformation
                .delete_change_set()
                .change_set_name(&change_set.id)
                .stack_name(&change_set.stack_id)
                .send()
                .await
                .map_err(call(format!("delete the change set of stack {name}")))?;
            if says_no_changes(&reason) {
                Ok(None)
            } else {
                Err(AwsError::ChangeSet { stack: name.to_owned(), reason })
            }
        }
    }
}

/// Waits until the change set can be executed; returns why it cannot.
async fn wait(aws: &Connection, name: &str, change_set: &ChangeSet) -> Result<Option<String>, AwsError> {
    loop {
        let answer = aws
            .cloudformation
            .describe_change_set()
            .change_set_name(&change_set.id)
            .stack_name(&change_set.stack_id)
            .send()
            .await
            .map_err(call(format!("describe the change set of stack {name}")))?;
        match answer.status {
            Some(ChangeSetStatus::CreateComplete) => return Ok(None),
            Some(ChangeSetStatus::CreatePending | ChangeSetStatus::CreateInProgress) => {
                tokio::time::sleep(aws.pause()).await;
            }
            status => {
                let status = status.map(|status| status.as_str().to_owned()).unwrap_or_default();
                return Ok(Some(answer.status_reason.unwrap_or(status)));
            }
        }
    }
}

/// CloudFormation has no code for a change set that changes nothing: only these sentences.
fn says_no_changes(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}

fn sdk_parameter(key: String, argument: Argument) -> SdkParameter {
    let parameter = SdkParameter::builder().parameter_key(key);
    match argument {
        Argument::Value(value) => parameter.parameter_value(value),
        Argument::Previous => parameter.use_previous_value(true),
    }
    .build()
}

/// Names of change sets may not repeat while an older one is there.
fn unused_name() -> String {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("flyover-{}", since_epoch.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::FakeAws;
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A CloudFormation in which the first so many updates fail, because the name of a queue is blocked.
    fn blocked(times: usize) -> FakeAws {
        let executed = AtomicUsize::new(0);
        FakeAws::answering(move |request| {
            let so_far = executed.load(Ordering::Relaxed);
            let operation = request.operation.as_str();
            let result = match operation {
                "CreateChangeSet" => "<Id>change-set</Id><StackId>stack</StackId>".to_owned(),
                "DescribeChangeSet" => "<Status>CREATE_COMPLETE</Status>".to_owned(),
                "ExecuteChangeSet" => {
                    executed.fetch_add(1, Ordering::Relaxed);
                    String::new()
                }
                "DescribeStacks" => {
                    let status = if so_far > times { "UPDATE_COMPLETE" } else { "UPDATE_ROLLBACK_COMPLETE" };
                    format!(
                        "<Stacks><member><StackId>stack</StackId><StackName>s</StackName>\
                         <CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus>\
                         </member></Stacks>"
                    )
                }
                "DescribeStackEvents" if (1..=times).contains(&so_far) => format!(
                    "<StackEvents><member><StackId>stack</StackId><StackName>s</StackName><EventId>{so_far}</EventId>\
                     <Timestamp>2026-01-01T00:00:00Z</Timestamp><LogicalResourceId>OrdersQueue</LogicalResourceId>\
                     <ResourceType>AWS::SQS::Queue</ResourceType><ResourceStatus>CREATE_FAILED</ResourceStatus>\
                     <ResourceStatusReason>You must wait 60 seconds after deleting a queue before you can create another \
                     with the same name.</ResourceStatusReason></member></StackEvents>"
                ),
                "DescribeStackEvents" => "<StackEvents/>".to_owned(),
                other => panic!("{other}"),
            };
            (
                200,
                format!(
                    "<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"
                ),
            )
        })
    }

    #[derive(Default)]
    struct Notes(Vec<String>);

    impl Progress for Notes {
        fn update(&mut self, update: Update<'_>) {
            if let Update::Note(note) = update {
                self.0.push(note.to_owned());
            }
        }
    }

    async fn applied(fake: &FakeAws) -> (Result<(Deployment, bool), AwsError>, Notes) {
        let wanted = Wanted {
            name: "flyover-dev-app",
            body: Body::Inline("{}".to_owned()),
            parameters: Vec::new(),
            tags: Vec::new(),
        };
        let existing = Deployment {
            id: "stack".to_owned(),
            status: "UPDATE_COMPLETE".to_owned(),
            parameters: BTreeMap::new(),
            outputs: BTreeMap::new(),
        };
        let mut notes = Notes::default();
        (apply(&fake.connection(true), wanted, Some(existing), &mut notes).await, notes)
    }

    #[tokio::test]
    async fn the_name_of_a_queue_that_was_just_deleted_is_waited_for() {
        let (applied, notes) = applied(&blocked(2)).await;
        assert_eq!(applied.unwrap().0.status, "UPDATE_COMPLETE");
        assert_eq!(notes.0.len(), 2);
        for said in ["flyover-dev-app ended in UPDATE_ROLLBACK_COMPLETE", "OrdersQueue", "tried again in"] {
            assert!(notes.0[0].contains(said), "{notes:?}", notes = notes.0);
        }
    }

    #[tokio::test]
    async fn a_name_that_stays_blocked_is_an_error_in_the_end() {
        let error = applied(&blocked(9)).await.0.unwrap_err();
        assert!(error.to_string().contains("a queue of the name of OrdersQueue was deleted"), "{error}");
    }

    #[test]
    fn nothing_to_change_is_told_from_failure_by_the_sentences_of_aws() {
        assert!(says_no_changes(
            "The submitted information didn't contain changes. Submit different information to create a change set."
        ));
        assert!(says_no_changes("No updates are to be performed."));
        assert!(!says_no_changes(
            "Template error: instance of Fn::GetAtt references undefined resource Queue"
        ));
    }

    #[test]
    fn only_complete_is_success() {
        assert!(is_success("CREATE_COMPLETE") && is_success("UPDATE_COMPLETE"));
        assert!(!is_success("UPDATE_ROLLBACK_COMPLETE") && !is_success("ROLLBACK_COMPLETE"));
    }
}
